"""The pytest plugin: collection, selection, the life of a scenario, and how results leave the process.

``harness.bdd.runner`` starts pytest with this plugin; with several workers each worker loads it again and reads
its settings from the controller.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pytest_bdd.parser import Feature, Scenario, Step
from pytest_bdd.scenario import scenario_wrapper_template_registry

from harness.bdd import allure_bridge, collector, selection
from harness.bdd.context import ScenarioContext
from harness.bdd.identity import identity
from harness.bdd.lab import Lab
from harness.bdd.progress import Progress, Quiet
from harness.bdd.record import ScenarioRecord
from harness.bdd.settings import RunSettings
from harness.bdd.steps import STEP_MODULES
from harness.bdd.tags import read
from harness.core.errors import EngineFailure, EnvironmentFailure, HarnessError, NonConformance, Unjudgeable, UsageError
from harness.core.result import ScenarioResult, scenario_from_json, scenario_to_json
from harness.core.verdict import Verdict

pytest_plugins = tuple(STEP_MODULES)

SETTINGS = pytest.StashKey[RunSettings]()
PROGRESS = pytest.StashKey[Progress]()
LAB = pytest.StashKey[Lab]()
RECORD = pytest.StashKey[ScenarioRecord]()
#: the scenario that has not been reported yet
RUNNING = pytest.StashKey[ScenarioRecord | None]()
RESULTS = pytest.StashKey[list[ScenarioResult]]()
FAILURE = pytest.StashKey[HarnessError]()
#: ids of the scenarios that were selected, in their order
SELECTED = pytest.StashKey[list[str]]()
#: drivers that nobody stands beside
UNATTENDED = ("reference", "silent", "replay")
_PROPERTY = "ihe-harness-scenario"
_FAILURES: dict[str, type[HarnessError]] = {"environment": EnvironmentFailure, "usage": UsageError}


# -- configuration ---------------------------------------------------------------------------------------------


def pytest_configure(config: pytest.Config) -> None:
    """Take the settings: from the runner in this process, or from the controller in a worker."""
    worker: dict[str, Any] | None = getattr(config, "workerinput", None)
    if worker is not None and "ihe-harness" in worker:
        config.stash[SETTINGS] = RunSettings.from_json(json.loads(worker["ihe-harness"]))
    if worker is None:
        config.pluginmanager.register(ResultSink(config), "ihe-harness-results")
    config.stash.setdefault(PROGRESS, Quiet())
    config.stash.setdefault(RESULTS, [])
    config.addinivalue_line("markers", "requirement(id): a requirement that the scenario must have judged")
    config.addinivalue_line("markers", "scenario_tag(value): a tag of the feature file")


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Hand the settings to a worker, as text."""
    node.workerinput["ihe-harness"] = json.dumps(node.config.stash[SETTINGS].to_json())


# -- collection and selection ----------------------------------------------------------------------------------


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Feature files are modules."""
    return collector.collect(file_path, parent)


@pytest.hookimpl(tryfirst=True)
def pytest_bdd_apply_tag(tag: str, function: Any) -> bool:
    """A tag with a colon can never be a registered marker, so every tag becomes the argument of one."""
    kind, _, value = tag.partition(":")
    if kind == "req":
        pytest.mark.requirement(id=value)(function)
    else:
        pytest.mark.scenario_tag(tag)(function)
    return True


def tags_of(item: pytest.Item) -> list[str]:
    """All tags of an item: those of its feature, its rule, its scenario and its Examples."""
    tags = [mark.args[0] for mark in item.iter_markers("scenario_tag")]
    tags += [f"req:{mark.kwargs['id']}" for mark in item.iter_markers("requirement")]
    return tags


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep the scenarios that were asked for, in the order of the features."""
    settings = config.stash.get(SETTINGS, None)
    if settings is None:
        return
    kept: list[pytest.Item] = []
    dropped: list[pytest.Item] = []
    selected = config.stash[SELECTED] = []
    for item in items:
        # What a person reads of a failure is in the findings. pytest's own rendering parses source code, which in
        # Python 3.11 must not happen in two threads at once (python/cpython#106905), and simulated actors have threads.
        item.repr_failure = _message  # type: ignore[method-assign]
        name = identity(item.path, item.name, settings.features)
        wanted = selection.wanted(name, title(item), read(tags_of(item)), settings)
        (kept if wanted else dropped).append(item)
        if wanted:
            selected.append(name)
    items[:] = kept
    if dropped:
        config.hook.pytest_deselected(items=dropped)
    config.stash[PROGRESS].planned(len(kept))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_node_collection_finished(node: Any, ids: list[str]) -> None:
    """With workers the controller collects nothing: a worker says what it found."""
    settings, root = node.config.stash[SETTINGS], node.config.rootpath
    found = (identifier.partition("::")[::2] for identifier in ids)
    names = [identity(Path(os.path.normpath(root / path)), name, settings.features) for path, name in found]
    node.config.stash[SELECTED] = names


def title(item: pytest.Item) -> str:
    """The name of a scenario as a person reads it, with the values of its example filled in."""
    function = getattr(item, "obj", None)
    template = scenario_wrapper_template_registry.get(function) if callable(function) else None
    name = template.name if template is not None else item.name
    call = getattr(item, "callspec", None)
    example = call.params.get("_pytest_bdd_example", {}) if call is not None else {}
    for key, value in example.items():
        name = name.replace(f"<{key}>", str(value))
    return str(name)


def _message(excinfo: pytest.ExceptionInfo[BaseException], style: object = None) -> str:
    """A failure in its own words."""
    del style
    return f"{excinfo.typename}: {excinfo.value}"


# -- the lab: one per process ------------------------------------------------------------------------------------


def _lab(config: pytest.Config) -> Lab:
    lab = config.stash.get(LAB, None)
    if lab is None:
        lab = Lab(config.stash[SETTINGS], config.stash[PROGRESS].paused)
        lab.start()
        for text in lab.remarks:
            config.stash[PROGRESS].remark(text)
        # only a lab that came up is one: no scenario may meet half of it
        config.stash[LAB] = lab
    return lab


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Stop the product and the simulated actors, whatever happened."""
    config = session.config
    lab = config.stash.get(LAB, None)
    record = config.stash.get(RUNNING, None)
    if record is not None and record.context is not None:
        # Ctrl-C ends the session without a report of the scenario that it met
        record.fail(Verdict.INCONCLUSIVE, "interrupted")
        _keep(config, record.result(lab, time.time()))
    if lab is not None:
        lab.stop()
    failure = config.stash.get(FAILURE, None)
    if failure is not None and hasattr(config, "workeroutput"):
        kind = next((name for name, known in _FAILURES.items() if isinstance(failure, known)), "harness")
        config.workeroutput[_PROPERTY] = [kind, str(failure)]


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any, error: object) -> None:
    """What ended a worker ends the run, in the same words."""
    del error
    kind, text = getattr(node, "workeroutput", {}).get(_PROPERTY, ("", ""))
    if kind:
        node.config.stash.setdefault(FAILURE, _FAILURES.get(kind, EngineFailure)(text))


# -- the life of a scenario ----------------------------------------------------------------------------------------


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Decide whether the scenario applies to this product; start the lab with the first one that does."""
    config = item.config
    settings = config.stash.get(SETTINGS, None)
    if settings is None or not isinstance(item.getparent(collector.FeatureModule), collector.FeatureModule):
        return
    tags = read(tags_of(item))
    record = ScenarioRecord.of(item, tags, settings.features)
    item.stash[RECORD] = config.stash[RUNNING] = record
    config.stash[PROGRESS].scenario_started(record.name, record.feature)
    sut = Lab.read_sut(settings)
    reason = sut.supports(tags.profiles, tags.actor, tags.transactions, tags.options)
    if not reason and tags.manual and (sut.driver.kind in UNATTENDED or not sut.driver.attest):
        reason = f"needs an operator; the {sut.driver.kind} driver has none"
    if reason:
        record.skip(reason)
        pytest.skip(reason)
    try:
        lab = _lab(config)
    except HarnessError as error:
        config.stash[FAILURE] = error
        record.fail(Verdict.ERROR, str(error))
        if hasattr(config, "workerinput"):  # pytest-xdist takes an exit of a worker for a crash of its own
            item.session.shouldstop = str(error)
            pytest.skip(str(error))
        pytest.exit(str(error), returncode=3 if isinstance(error, EnvironmentFailure) else 2)
    record.context = ScenarioContext(lab, lab.begin(record.id), tags, record.name, strict=settings.strict)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_teardown(item: pytest.Item) -> None:
    """Give the scenario its own name in Allure, which knows the function only; its set-up has named it by then."""
    if RECORD in item.stash:
        allure_bridge.name(title(item))


@pytest.fixture
def scenario_context(request: pytest.FixtureRequest) -> ScenarioContext:
    """The context of the running scenario, for steps."""
    context: ScenarioContext | None = request.node.stash[RECORD].context
    assert context is not None
    return context


def pytest_bdd_before_scenario(request: pytest.FixtureRequest, feature: Feature, scenario: Scenario) -> None:
    """Name the scenario for people."""
    record = request.node.stash.get(RECORD, None)
    if record is not None:
        record.describe(feature, scenario)


def pytest_bdd_before_step(request: pytest.FixtureRequest, step: Step) -> None:
    """The clock of a step starts."""
    record = request.node.stash.get(RECORD, None)
    if record is not None:
        record.step_started(step)
        allure_bridge.start(record, step)


def pytest_bdd_after_step(request: pytest.FixtureRequest, step: Step) -> None:
    """A step ended without an exception; what it judged decides its verdict."""
    record = request.node.stash.get(RECORD, None)
    if record is not None:
        _step_done(request.config, record, record.step_finished(step))


def pytest_bdd_step_error(request: pytest.FixtureRequest, step: Step, exception: BaseException) -> None:
    """A step raised."""
    record = request.node.stash.get(RECORD, None)
    if record is not None:
        _step_done(request.config, record, record.step_failed(step, exception))


def pytest_bdd_step_func_lookup_error(request: pytest.FixtureRequest, step: Step, exception: BaseException) -> None:
    """No such step: a mistake of the author, never of the product."""
    record = request.node.stash.get(RECORD, None)
    if record is not None:
        record.step_started(step)
        _step_done(request.config, record, record.step_failed(step, exception))


def _step_done(config: pytest.Config, record: ScenarioRecord, done: Any) -> None:
    allure_bridge.stop(record, done)
    config.stash[PROGRESS].step_finished(done)


@pytest.hookimpl(trylast=True)
def pytest_bdd_after_scenario(request: pytest.FixtureRequest) -> None:
    """The verdict falls once, here. If a step raised, its exception stands and is not masked."""
    record = request.node.stash.get(RECORD, None)
    if record is None or record.context is None:
        return
    allure_bridge.close_leftovers(record)
    context = record.context
    if record.exchange_failed:
        context.judge_the_rest()
    context.close()
    verdict = context.verdict()
    if record.raised or sys.exc_info()[1] is not None:  # Ctrl-C is no Exception: no step hook has seen it
        return
    if verdict is Verdict.FAIL:
        raise NonConformance(context.complaint(), tuple(context.findings))
    if verdict is Verdict.INCONCLUSIVE:
        raise Unjudgeable(context.complaint())
    if verdict is Verdict.ERROR:
        raise HarnessError(context.complaint())


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[Any]:
    """Remember how a phase ended, and attach the result of the scenario to its last report."""
    record = item.stash.get(RECORD, None)
    if record is not None:
        record.phase(call)
        if call.when == "teardown" and FAILURE not in item.config.stash:
            lab = item.config.stash.get(LAB, None)
            result = record.result(lab, time.time())
            item.config.stash[RUNNING] = None
            item.user_properties.append((_PROPERTY, json.dumps(scenario_to_json(result), ensure_ascii=False)))
            allure_bridge.attach(record, result)
    return (yield)


class ResultSink:
    """In the controlling process: takes the result out of the last report of each scenario."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Collect and announce. A worker that died leaves a report of no phase, and its scenario has no result."""
        if report.when not in ("setup", "call", "teardown"):
            lost = f"a worker died while it ran {report.nodeid}; what it had not run yet was given to another"
            self._config.stash[FAILURE] = EngineFailure(lost)
            return
        if report.when != "teardown":
            return
        for name, value in report.user_properties:
            if name == _PROPERTY:
                result = scenario_from_json(json.loads(str(value)))
                _keep(self._config, result)


def _keep(config: pytest.Config, result: ScenarioResult) -> None:
    config.stash[RESULTS].append(result)
    config.stash[PROGRESS].scenario_finished(result)
