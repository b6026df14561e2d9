"""JUnit XML as Jenkins, GitLab and GitHub read it: one suite per feature, one case per scenario.

A broken requirement is a ``failure`` whose type is the check's id; our own fault is an ``error``; a scenario that
does not apply is ``skipped``. A scenario that could not be judged fails, as the exit code does, unless the run
allowed it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import groupby

from lxml import etree

from harness.core.finding import Finding
from harness.core.result import RunResult, ScenarioResult
from harness.core.verdict import Verdict
from harness.reporting import words

#: what XML 1.0 cannot carry, and what would turn the reading direction in a viewer
_ILLEGAL = re.compile(
    "[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]|[\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]"
)
MAX_TEXT = 20_000


def junit_xml(run: RunResult) -> bytes:
    """The whole run as a UTF-8 document."""
    root = etree.Element("testsuites", name=_text(words.sut_name(run.sut)), time=f"{run.seconds:.3f}")
    totals = {"tests": 0, "failures": 0, "errors": 0}
    ordered = sorted(run.scenarios, key=lambda scenario: scenario.path or scenario.feature)
    suites = [_suite(run, list(g)) for _, g in groupby(ordered, key=lambda scenario: (scenario.path, scenario.feature))]
    if run.failure or run.interrupted:
        suites.append(_cut_short(run))
    for suite in suites:
        root.append(suite)
        for name in totals:
            totals[name] += int(suite.get(name, "0"))
    for name, value in totals.items():
        root.set(name, str(value))
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True)


def _suite(run: RunResult, scenarios: list[ScenarioResult]) -> etree._Element:
    cases = [_case(run, scenario) for scenario in scenarios]

    def having(tag: str) -> str:
        return str(sum(1 for case in cases if case.find(tag) is not None))

    suite = etree.Element(
        "testsuite",
        name=_text(scenarios[0].feature or scenarios[0].path or "scenarios"),
        tests=str(len(cases)),
        failures=having("failure"),
        errors=having("error"),
        skipped=having("skipped"),
        time=f"{sum(scenario.seconds for scenario in scenarios):.3f}",
        timestamp=_text(run.started),
        id=_text(run.run_id),
    )
    if scenarios[0].path:
        suite.set("file", _text(scenarios[0].path))
    properties = etree.SubElement(suite, "properties")
    for name, value in _properties(run, scenarios):
        etree.SubElement(properties, "property", name=name, value=_text(value))
    suite.extend(cases)
    return suite


def _cut_short(run: RunResult) -> etree._Element:
    """A suite of its own: a run that ended early must not look like a short run in which all is well."""
    suite = etree.Element("testsuite", name="the run", tests="1", failures="0", errors="1", skipped="0", time="0.000")
    case = etree.SubElement(suite, "testcase", name="comes to its end", classname="run", time="0.000")
    text = run.failure.get("text", "the run was interrupted")
    if run.not_run:
        text += f"; {words.plural(len(run.not_run), 'scenario')} not run"
    etree.SubElement(case, "error", type=run.failure.get("kind", "interrupted"), message=_text(text))
    return suite


def _properties(run: RunResult, scenarios: list[ScenarioResult]) -> Iterator[tuple[str, str]]:
    yield "run", run.run_id
    yield "sut", words.sut_name(run.sut)
    yield "harness", run.harness_version
    for name, values in (
        ("profile", (p for s in scenarios for p in s.profiles)),
        ("actor", (s.actor for s in scenarios if s.actor)),
        ("transaction", (t for s in scenarios for t in s.transactions)),
    ):
        for value in dict.fromkeys(values):
            yield name, value


def _case(run: RunResult, scenario: ScenarioResult) -> etree._Element:
    case = etree.Element(
        "testcase",
        name=_text(scenario.name),
        classname=_text((scenario.path or scenario.feature).removesuffix(".feature").replace("/", ".")),
        time=f"{scenario.seconds:.3f}",
    )
    failing = [finding for finding in scenario.findings if finding.verdict is Verdict.FAIL]
    if scenario.verdict is Verdict.ERROR:
        message = scenario.reason or next(iter(scenario.faults), "the harness failed")
        error = etree.SubElement(case, "error", type="harness-error", message=_text(message))
        error.text = _text("\n".join(scenario.faults))
    remains = run.accepted.get(scenario.id, scenario.verdict)
    for finding in failing:
        if words.waiver_of(run, scenario, finding) is None:
            failure = etree.SubElement(case, "failure", type=finding.check, message=_text(_line(finding)))
            failure.text = _text(_detail(scenario, finding))
    if remains is Verdict.FAIL and case.find("failure") is None:  # what raised is more than what was accepted
        message = scenario.reason or _failed_step(scenario)
        etree.SubElement(case, "failure", type="scenario", message=_text(message))
    if remains is Verdict.INCONCLUSIVE:
        tag = "skipped" if run.options.get("allow_inconclusive") else "failure"
        etree.SubElement(case, tag, type="inconclusive", message=_text(_unjudged(scenario)))
    if scenario.verdict is Verdict.NOT_APPLICABLE:
        etree.SubElement(case, "skipped", message=_text(scenario.reason or "not declared by the product"))
    out = etree.SubElement(case, "system-out")
    out.text = _text("\n".join(_output(run, scenario)))
    return case


def _output(run: RunResult, scenario: ScenarioResult) -> Iterator[str]:
    yield f"verdict: {scenario.verdict.mark} {scenario.verdict.word}"
    for step in scenario.steps:
        yield f"{step.verdict.mark} {step.keyword} {step.text} ({step.seconds:.1f} s)"
    for finding in scenario.findings:
        waiver = words.waiver_of(run, scenario, finding)
        if waiver is not None:
            yield f"waived: {_line(finding)} ({waiver.get('reason', 'no reason given')})"
        elif finding.verdict is Verdict.WARNING:
            yield f"warning: {_line(finding)}"
    if scenario.transcript:
        yield f"evidence: {scenario.transcript}"
    yield f"reproduce: {words.reproduce(run, scenario.id)}"


def _line(finding: Finding) -> str:
    return f"{finding.requirement}: {finding.summary}"


def _detail(scenario: ScenarioResult, finding: Finding) -> str:
    lines = [_line(finding), f"scenario: {scenario.path}:{scenario.line}"]
    if finding.expected:
        lines.append(f"expected: {' or '.join(finding.expected)}")
    if finding.actual:
        lines.append(f"came: {finding.actual}")
    if finding.locator:
        lines.append(f"where: {finding.locator}")
    if finding.evidence:
        lines.append(f"messages: {', '.join(f'#{seq}' for seq in finding.evidence)}")
    if finding.why:
        lines.append(f"why it matters: {finding.why}")
    return "\n".join(lines)


def _failed_step(scenario: ScenarioResult) -> str:
    for step in scenario.steps:
        if step.verdict is Verdict.FAIL:
            return step.message or f"{step.keyword} {step.text}"
    return "broken"


def _unjudged(scenario: ScenarioResult) -> str:
    if scenario.reason:
        return scenario.reason
    reasons = [f"{f.requirement}: {f.summary}" for f in scenario.findings if f.verdict is Verdict.INCONCLUSIVE]
    return "; ".join(reasons[:5]) or "nothing was judged"


def _text(value: str) -> str:
    """What XML 1.0 can carry: control characters become the replacement character, length is bounded."""
    if len(value) > MAX_TEXT:
        value = value[:MAX_TEXT] + " …"
    return _ILLEGAL.sub("\ufffd", value)
