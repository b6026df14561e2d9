"""How a run is put into words, the same in every rendering."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from datetime import datetime
from fnmatch import fnmatchcase
from typing import Any

from harness.core.finding import Finding
from harness.core.result import RunResult, ScenarioResult
from harness.core.verdict import Verdict, roll_up

#: Written out so that the locale of the machine does not matter.
MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)


def plural(count: int, noun: str, nouns: str = "") -> str:
    """``1 image``, ``3 images``, ``2 entries``."""
    return f"{count} {noun if count == 1 else nouns or noun + 's'}"


def sut_name(sut: Mapping[str, Any]) -> str:
    """The product as a reader knows it: ``Acme CT-9, version 4.2``."""
    product = sut.get("product")
    source: Mapping[str, Any] = product if isinstance(product, Mapping) else sut
    name = str(source.get("name") or "Unnamed product")
    vendor = str(source.get("vendor") or "")
    if vendor and not name.lower().startswith(vendor.lower()):
        name = f"{vendor} {name}"
    version = str(source.get("version") or "")
    return f"{name}, version {version}" if version else name


def short_sut_name(sut: Mapping[str, Any]) -> str:
    """The product's name alone, for a column head."""
    product = sut.get("product")
    source: Mapping[str, Any] = product if isinstance(product, Mapping) else sut
    return str(source.get("name") or "System under test")


def claims(sut: Mapping[str, Any]) -> str:
    """``Acquisition Modality in SWF.b and CPI; Evidence Creator in SWF.b``; empty if the file claims nothing."""
    entries = sut.get("claims")
    by_actor: dict[str, list[str]] = {}
    if isinstance(entries, list | tuple):
        for entry in entries:
            if isinstance(entry, Mapping):
                by_actor.setdefault(str(entry.get("actor", "")), []).append(str(entry.get("profile", "")))
    return "; ".join(f"{actor} in {listing(profiles)}" for actor, profiles in by_actor.items())


def listing(items: list[str]) -> str:
    """``a``, ``a and b``, ``a, b and c``."""
    unique = list(dict.fromkeys(items))
    if len(unique) < 2:
        return "".join(unique)
    return f"{', '.join(unique[:-1])} and {unique[-1]}"


def duration(seconds: float) -> str:
    """``0.3 s``, ``42 s``, ``6 min 12 s``."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes == 0:
        return f"{rest} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"


def moment(started: str) -> str:
    """An ISO 8601 time as ``20 November 2026, 10:41``; anything else as it is."""
    try:
        when = datetime.fromisoformat(started)
    except ValueError:
        return started
    return f"{when.day} {MONTHS[when.month - 1]} {when.year}, {when:%H:%M}" + (" UTC" if _is_utc(when) else "")


def _is_utc(when: datetime) -> bool:
    offset = when.utcoffset()
    return offset is not None and not offset


def broken_requirements(run: RunResult, verdict: Verdict = Verdict.FAIL) -> tuple[frozenset[str], frozenset[str]]:
    """Requirements with a finding of that verdict that nobody accepted, and those of which every such finding was."""
    open_ones: set[str] = set()
    accepted: set[str] = set()
    for scenario in run.scenarios:
        for finding in scenario.findings:
            if finding.verdict is verdict:
                (open_ones if waiver_of(run, scenario, finding) is None else accepted).add(finding.requirement)
    return frozenset(open_ones), frozenset(accepted - open_ones)


def headline(run: RunResult) -> str:
    """The verdict in words: ``Not conforming: 2 requirements broken``."""
    broken, accepted = broken_requirements(run)
    of = _remaining(run)
    unexplained = sum(1 for s in run.scenarios if s.verdict is Verdict.FAIL and not _has_failure(s))
    if run.failure and not broken:
        text = "Not decided: the run did not come to its end" if of else "Not decided: the run did not take place"
    elif not of:
        text = "Nothing was run, so nothing was shown"
    elif broken:
        text = f"Not conforming: {plural(len(broken), 'requirement')} broken"
    elif unexplained:
        text = f"Not conforming: {plural(unexplained, 'scenario')} broken"
    elif Verdict.ERROR in of:
        text = f"Not decided: the harness itself failed in {plural(of.count(Verdict.ERROR), 'scenario')}"
    elif Verdict.INCONCLUSIVE in of:
        text = f"Not decided: {plural(of.count(Verdict.INCONCLUSIVE), 'scenario')} could not be judged"
    elif accepted:
        text = "Conforming in everything else that was judged"
    elif any(warnings := broken_requirements(run, Verdict.WARNING)):
        warned, known = warnings
        text = f"Conforming, with {plural(len(warned), 'warning')}" if warned else "Conforming"
        text += f"; {plural(len(known), 'warning')} accepted as known" if known else ""
    elif Verdict.PASS in of:
        text = "Conforming in everything that was judged"
    else:
        text = "Nothing that was run applies to this product"
    if accepted:
        text += f"; {plural(len(accepted), 'broken requirement')} accepted as known"
    cut = ["the run was interrupted"] if run.interrupted else []
    if run.not_run:
        cut.append(f"{plural(len(run.not_run), 'scenario')} not run")
    return f"{text} ({'; '.join(cut)})" if cut else text


def headline_verdict(run: RunResult) -> Verdict:
    """The verdict whose mark and colour go with :func:`headline`: a broken product before our own faults."""
    broken, accepted = broken_requirements(run)
    if broken or any(s.verdict is Verdict.FAIL and not _has_failure(s) for s in run.scenarios):
        return Verdict.FAIL
    others = [verdict for verdict in _remaining(run) if verdict is not Verdict.FAIL]
    if run.failure or run.interrupted:
        others.append(Verdict.INCONCLUSIVE)
    return roll_up([*others, *([Verdict.WARNING] if accepted else [])])


def _remaining(run: RunResult) -> list[Verdict]:
    """The verdicts of the scenarios, with what was accepted set aside."""
    return [run.accepted.get(scenario.id, scenario.verdict) for scenario in run.scenarios]


def _has_failure(scenario: ScenarioResult) -> bool:
    return any(finding.verdict is Verdict.FAIL for finding in scenario.findings)


def own_reason(scenario: ScenarioResult) -> str:
    """What a scenario's reason says besides its findings: the end of a scenario only lists those again."""
    repeats = any(f.requirement in scenario.reason and f.summary in scenario.reason for f in scenario.findings)
    return "" if repeats else scenario.reason


def reproduce(run: RunResult, what: str) -> str:
    """The command that runs one scenario or requirement again, ready for a shell."""
    words = ["ihe-harness", "run"]
    file = run.options.get("sut") or run.sut.get("file")
    if isinstance(file, str) and file:
        words += ["--sut", file]
    return shlex.join([*words, "--only", what])


def waiver_of(run: RunResult, scenario: ScenarioResult, finding: Finding) -> Mapping[str, Any] | None:
    """The waiver that covers a finding, if the run was given one; stale and expired ones cover nothing."""
    if finding.verdict < Verdict.WARNING:
        return None
    for waiver in run.waivers:
        if waiver.get("state", "valid") != "valid" or waiver.get("requirement") != finding.requirement:
            continue
        if (waiver.get("verdict", finding.verdict.name), waiver.get("summary", finding.summary)) != (
            finding.verdict.name,
            finding.summary,
        ):
            continue
        pattern = str(waiver.get("scenario") or "*")
        if pattern in (scenario.id, scenario.name) or fnmatchcase(scenario.id, pattern):
            return waiver
    return None
