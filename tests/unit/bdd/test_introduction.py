"""AE titles that are not known are told once and early, by `run` and by `doctor`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from harness.bdd.lab import Lab
from harness.bdd.settings import RunSettings
from harness.cli.main import call
from harness.core.errors import ConfigurationError, EnvironmentFailure
from harness.core.transcript import Transcript
from harness.protocols.dicom.node import Node, Response
from harness.protocols.dicom.uids import VERIFICATION

SUT = """
[product]
name = "Archie"
[[claims]]
profile = "SWF"
actor = "Image Manager/Archive"
{more}
[dicom]
ae_title = "{title}"
port = {port}
[timeouts]
associate = 1.0
[driver]
kind = "silent"
"""
MODALITY = """[[claims]]
profile = "SWF"
actor = "Acquisition Modality"
"""


@contextmanager
def product(*callers: str) -> Iterator[int]:
    """A product that knows its own title, ARCHIE, and these."""
    node = Node("ARCHIE", Transcript(), actor="product", called_ae_check=True, allowed_callers=frozenset(callers))
    node.serve([VERIFICATION], lambda request: Response())
    with node:
        yield node.port


@contextmanager
def lab(folder: Path, port: int, title: str = "ARCHIE", more: str = "") -> Iterator[Lab]:
    (folder / "sut.toml").write_text(SUT.format(port=port, title=title, more=more), encoding="utf-8")
    made = Lab(RunSettings(sut=str(folder / "sut.toml"), features=(), out=str(folder / "run"), run_id="run"))
    try:
        made.start()
        yield made
    finally:
        made.stop()


def test_nothing_is_said_if_everybody_is_known(tmp_path: Path) -> None:
    with product("IHE_MOD", "IHE_ID") as port, lab(tmp_path, port) as started:
        assert started.remarks == []


def test_one_title_that_is_not_known_is_named_before_the_first_scenario(tmp_path: Path) -> None:
    with product("IHE_MOD") as port, lab(tmp_path, port) as started:
        (remark,) = started.remarks
    assert "Archie does not know the AE title IHE_ID of our Image Display; enter it there" in remark
    assert "is not judged" in remark


def test_a_product_that_lets_nobody_in_ends_the_run_at_once(tmp_path: Path) -> None:
    with (
        product() as port,
        pytest.raises(EnvironmentFailure, match=r"IHE_MOD of our .*\n.*IHE_ID of our"),
        lab(tmp_path, port),
    ):
        pass


def test_a_wrong_title_of_the_product_is_said_once(tmp_path: Path) -> None:
    with (
        product("IHE_MOD", "IHE_ID") as port,
        pytest.raises(
            EnvironmentFailure, match=r"^Archie does not take ARCHIVE for its AE title; see \[dicom\] in \S+$"
        ),
        lab(tmp_path, port, "ARCHIVE"),
    ):
        pass


def test_a_product_that_also_asks_is_run_all_the_same(tmp_path: Path) -> None:
    with product() as port, lab(tmp_path, port, more=MODALITY) as started:
        assert [remark.split(" of our ")[0][-7:].strip() for remark in started.remarks] == [
            "IHE_MOD",
            "IHE_ID",
            "IHE_IM",
        ]


def test_the_title_of_one_of_our_actors_is_not_the_products(tmp_path: Path) -> None:
    with (
        product() as port,
        pytest.raises(ConfigurationError, match=r"IHE_IM is the AE title of our .*\[harness.actors.image-manager\]"),
        lab(tmp_path, port, "IHE_IM"),
    ):
        pass


def test_doctor_tries_every_title(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with product("IHE_MOD") as port:
        (tmp_path / "sut.toml").write_text(SUT.format(port=port, title="ARCHIE", more=""), encoding="utf-8")
        assert call(["doctor", "--sut", str(tmp_path / "sut.toml"), "--wait", "0.1", "--json"]) == 3
    found = {row["what"]: row["state"] for row in json.loads(capsys.readouterr().out)["findings"]}
    assert found["C-ECHO to the product"] == "ok"
    assert found["AE title IHE_ID"] == "failed"
