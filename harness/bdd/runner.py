"""Start pytest with the plugin, in this process, and make a RunResult of what it reports."""

from __future__ import annotations

import datetime
import os
import platform
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest

import harness
from harness import resources
from harness.bdd import plugin, signals
from harness.bdd.lab import Lab
from harness.bdd.progress import Progress
from harness.bdd.settings import RunSettings
from harness.core.errors import EngineFailure, EnvironmentFailure, HarnessError, UsageError
from harness.core.result import RunResult, ScenarioResult
from harness.core.verdict import Verdict
from harness.profiles import registry
from harness.sut.config import SutFile

_LIBRARIES = ("pydicom", "pynetdicom", "hl7apy", "pytest", "pytest-bdd", "numpy")


@dataclass(frozen=True, slots=True)
class RunOutcome:
    """What came of a run: its result, and the harness or environment error that ended it, if any."""

    result: RunResult
    failure: HarnessError | None = None


def carry_out(settings: RunSettings, progress: Progress) -> RunOutcome:
    """Run the scenarios. Ctrl-C, SIGTERM and SIGHUP end the run early; what was judged so far is still returned."""
    started, clock = datetime.datetime.now(datetime.UTC), time.monotonic()
    holder = _Holder(settings, progress)
    with _isolated(), signals.end_like_interrupt():
        code = pytest.main(_arguments(settings), plugins=[holder])
    if holder.config is None:
        raise EngineFailure(f"the test runner did not start (pytest exit code {int(code)})")
    results = _ordered(holder.config.stash[plugin.RESULTS])
    failure = holder.config.stash.get(plugin.FAILURE, None)
    # an internal error ends the run early: what was judged before it must not pass for the whole
    if failure is None and (int(code) == 3 or (int(code) == 4 and not results)):
        failure = EngineFailure(f"the test runner failed (pytest exit code {int(code)}) {holder.error}".rstrip())
    # every failure has a scenario that tells of it: one that has none must not look like a pass
    if failure is None and int(code) == 1 and all(result.verdict <= Verdict.WARNING for result in results):
        failure = EngineFailure("the test runner saw a failure that no scenario tells of")
    interrupted = int(code) == 2 and failure is None
    selected: list[str] = holder.config.stash.get(plugin.SELECTED, [])
    result = RunResult(
        run_id=settings.run_id,
        started=started.isoformat(timespec="seconds"),
        seconds=time.monotonic() - clock,
        harness_version=harness.__version__,
        sut=describe_sut(Lab.read_sut(settings), settings),
        scenarios=results,
        options={
            "profiles": list(settings.profiles),
            "actors": list(settings.actors),
            "only": list(settings.only),
            "quick": settings.quick,
            "strict": settings.strict,
            "workers": settings.workers,
            "rerun": bool(settings.rerun),
            "own_features": settings.features != (str(resources.folder("features")),),
        },
        environment=environment(),
        interrupted=interrupted,
        selected=tuple(selected),
        failure={"kind": kind_of(failure), "text": str(failure)} if failure is not None else {},
    )
    return RunOutcome(result, failure)


def kind_of(failure: HarnessError) -> str:
    """Whose failure ended a run: ``environment``, ``usage`` or ``harness``."""
    if isinstance(failure, EnvironmentFailure):
        return "environment"
    return "usage" if isinstance(failure, UsageError) else "harness"


class _Holder:
    """Gives the settings to pytest's config before the plugin asks for them, and keeps the config."""

    def __init__(self, settings: RunSettings, progress: Progress) -> None:
        self._settings, self._progress = settings, progress
        self.config: pytest.Config | None = None
        self.error = ""

    @pytest.hookimpl(tryfirst=True)
    def pytest_configure(self, config: pytest.Config) -> None:
        """Runs before the plugin's own pytest_configure."""
        self.config = config
        config.stash[plugin.SETTINGS] = self._settings
        config.stash[plugin.PROGRESS] = self._progress

    def pytest_internalerror(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        """Keep what went wrong outside of every scenario: pytest's own output is switched off."""
        self.error = self.error or f"{excinfo.typename}: {excinfo.value} ({excinfo.traceback[-1]})".strip()


def _arguments(settings: RunSettings) -> list[str]:
    ini = Path(settings.out) / "pytest.ini"
    ini.parent.mkdir(parents=True, exist_ok=True)
    ini.write_text("[pytest]\nfilterwarnings = error\n", encoding="utf-8")
    arguments = [
        "-c", str(ini),
        f"--rootdir={settings.out}",
        "-p", "no:cacheprovider",
        "-p", "no:terminal",
        "-p", "pytest_bdd.plugin",
        "-p", "harness.bdd.plugin",
        "--strict-markers",
        "--assert=plain",
        "--capture=no",
    ]  # fmt: skip
    if settings.allure:
        arguments += ["-p", "allure_pytest.plugin", f"--alluredir={settings.allure}"]
    if settings.workers > 1:
        arguments += ["-p", "xdist.plugin", "-n", str(settings.workers), "--dist=load"]
    return [*arguments, *settings.features]


@contextmanager
def _isolated() -> Iterator[None]:
    """Plugins and options of the vendor's own pytest set-up stay outside."""
    kept = {
        name: os.environ.get(name) for name in ("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "PYTEST_ADDOPTS", "PYTEST_PLUGINS")
    }
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    os.environ.pop("PYTEST_ADDOPTS", None)
    os.environ.pop("PYTEST_PLUGINS", None)
    try:
        yield
    finally:
        for name, value in kept.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _ordered(results: list[ScenarioResult]) -> tuple[ScenarioResult, ...]:
    return tuple(sorted(results, key=lambda result: (result.path, result.line, result.id)))


def describe_sut(sut: SutFile, settings: RunSettings) -> dict[str, Any]:
    """The product as reports show it, with what is needed to judge the evidence again."""
    declaration = sut.declaration()
    return {
        "name": sut.product.name,
        "version": sut.product.version,
        "vendor": sut.product.vendor,
        "file": settings.sut,
        "claims": [claim.model_dump() for claim in sut.claims],
        "ae_titles": sorted(declaration.ae_titles),
        "statement": dict(declaration.statement),
        "driver": sut.driver.kind,
        "defects": [*sut.driver.defects, *settings.defects],
    }


def environment() -> Mapping[str, Any]:
    """Versions of what judged."""
    return {
        "rules": {"requirements": len(registry.requirements()), "fingerprint": registry.fingerprint()},
        "python": platform.python_version(),
        "platform": platform.platform(),
        "libraries": {name: metadata.version(name) for name in _LIBRARIES},
    }
