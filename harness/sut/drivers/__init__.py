"""The drivers: six ways to make a product act. Which one is used is the SUT file's decision."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from harness.core.errors import ConfigurationError
from harness.sut.actions import SutDriver
from harness.sut.config import SutFile
from harness.sut.drivers.command import CommandDriver
from harness.sut.drivers.http import HttpDriver
from harness.sut.drivers.manual import ManualDriver, Operator
from harness.sut.drivers.reference import ReferenceDriver
from harness.sut.drivers.replay import ReplayDriver
from harness.sut.drivers.silent import SilentDriver

__all__ = ["make_driver"]


def make_driver(sut: SutFile, path: Path, values: Mapping[str, str], operator: Operator, work: Path) -> SutDriver:
    """The driver that the SUT file names. ``values`` fill placeholders such as ``{dicom.port}``.

    Raises ConfigurationError when the driver needs something that the file does not say.
    """
    table = sut.driver
    if table.kind == "manual":
        return ManualDriver(operator)
    if table.kind == "silent":
        return SilentDriver()
    if table.kind == "command":
        return CommandDriver(table, values, work, operator)
    if table.kind == "http":
        return HttpDriver(table, values, operator)
    if table.kind == "reference":
        return ReferenceDriver(sut, values, work)
    if not table.replay:
        raise ConfigurationError(path, "[driver], key replay", "the replay driver needs the folder of an earlier run")
    return ReplayDriver(path.parent / table.replay)
