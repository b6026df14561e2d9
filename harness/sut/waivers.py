"""Agreed deviations: waivers of a vendor, and the expectations that we keep about a product.

Both are TOML and say, for each requirement, why a finding is accepted::

    [[waivers]]
    requirement = "RAD-14-SCP-05"
    scenario = "swf/rad_14*"       # optional: a scenario id; * and ? stand for any text and any character
    locator = "(0008,0061)*"       # optional, likewise: only at this place
    version = "4.*"                # optional, likewise: only for these versions of the product
    verdict = "FAIL"               # what is accepted: FAIL (default), WARNING or INCONCLUSIVE
    reason = "Counts are not computed; on the road map for 5.0"
    owner = "k.kim"
    ticket = "CT-1402"             # optional
    expires = 2027-03-31           # optional for expectations, required for waivers
    clause = "PS3.4 C.3.4"         # who is right, by which clause (expectations)

A waiver that matches nothing that was run is not stale; one whose scenarios ran and did not break it is. One for
another version of the product is as if it were not there.
"""

from __future__ import annotations

import datetime
import fnmatch
import json
import tomllib
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from harness.core.errors import ConfigurationError
from harness.core.finding import Finding
from harness.core.result import RunResult, ScenarioResult
from harness.core.verdict import Verdict


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    requirement: str = Field(min_length=1)
    scenario: str = "*"
    locator: str = "*"
    version: str = "*"
    verdict: str = Field(default="FAIL", pattern="^(FAIL|WARNING|INCONCLUSIVE)$")
    reason: str = Field(min_length=8)
    owner: str = ""
    ticket: str = ""
    clause: str = ""
    expires: datetime.date | None = None


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    waivers: list[_Entry] = []
    expectations: list[_Entry] = []


@dataclass(frozen=True, slots=True)
class Waiver:
    """One accepted deviation."""

    requirement: str
    scenario: str
    verdict: Verdict
    reason: str
    owner: str
    clause: str
    expires: datetime.date | None
    file: Path
    locator: str = "*"
    version: str = "*"
    ticket: str = ""

    def covers(self, scenario: ScenarioResult, finding: Finding) -> bool:
        """Whether it accepts that finding in that scenario; one of FAIL accepts what is milder, too."""
        return (
            finding.requirement == self.requirement
            and Verdict.PASS < finding.verdict <= self.verdict
            and means(self.scenario, scenario.id)
            and means(self.locator, finding.locator)
        )


@dataclass(frozen=True, slots=True)
class WaivedRun:
    """A run seen through its waivers."""

    verdicts: dict[str, Verdict]
    waived: tuple[tuple[str, Finding, Waiver], ...]
    stale: tuple[Waiver, ...]
    expired: tuple[Waiver, ...]

    @property
    def spoiled(self) -> bool:
        """Whether a waiver has to be looked at: it no longer matches anything, or its time is over."""
        return bool(self.stale or self.expired)


def load(path: Path) -> tuple[Waiver, ...]:
    """Read a waiver or expectations file. Raises ConfigurationError naming the entry and the key."""
    try:
        content = _File.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        raise ConfigurationError(path, "", "there is no such file") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError(path, "", f"is not valid TOML: {error}") from None
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part + 1 if isinstance(part, int) else part) for part in first["loc"])
        raise ConfigurationError(path, where, str(first["msg"])) from None
    for number, entry in enumerate(content.waivers, 1):
        if entry.expires is None:
            raise ConfigurationError(path, f"waivers.{number}.expires", "a waiver needs a date on which it ends")
    return tuple(
        Waiver(
            e.requirement,
            e.scenario,
            Verdict[e.verdict],
            e.reason,
            e.owner,
            e.clause,
            e.expires,
            path,
            e.locator,
            e.version,
            e.ticket,
        )
        for e in (*content.waivers, *content.expectations)
    )


def means(pattern: str, text: str) -> bool:
    """Whether a pattern stands for that text; brackets are brackets, because scenario ids and locators hold them."""
    return fnmatch.fnmatchcase(text, pattern.replace("[", "[[]"))


def draft(run: RunResult, reason: str, expires: datetime.date, owner: str = "", only: tuple[str, ...] = ()) -> str:
    """A waiver file for what a run found broken and nobody accepted: as narrow as it was seen, TOML."""
    rows: dict[tuple[str, str], Finding] = {}
    for scenario in run.scenarios:
        for finding in scenario.findings:
            accepted = any(
                w.get("state") == "valid" and (w["scenario"], w["requirement"]) == (scenario.id, finding.requirement)
                for w in run.waivers
            )
            if finding.verdict is Verdict.FAIL and not accepted and (not only or finding.requirement in only):
                rows.setdefault((finding.requirement, scenario.id), finding)
    version = str(run.sut.get("version", ""))
    head = f"Broken by {run.sut.get('name', 'the product')} {version} in run {run.run_id}. Give each its own reason."
    lines = [f"# {_comment(head)}"]
    for (requirement, identifier), finding in sorted(rows.items()):
        lines += ["", "[[waivers]]", f"# {_comment(finding.summary)}", f"requirement = {_text(requirement)}"]
        lines += [f"scenario = {_text(identifier)}", f"reason = {_text(reason)}", f"expires = {expires.isoformat()}"]
        lines += [f"owner = {_text(owner)}"] if owner else []
    return "\n".join(lines) + "\n"


def _comment(text: str) -> str:
    """Text of a product on one line, without what TOML does not take in a comment."""
    return "".join(c if c.isprintable() else "?" for c in " ".join(text[:200].split()))


def _text(value: str) -> str:
    """A TOML basic string: as one of JSON, but TOML knows no surrogates and wants DEL escaped."""
    text = value.encode("utf-8", "replace").decode()
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def apply(run: RunResult, waivers: tuple[Waiver, ...], today: datetime.date) -> WaivedRun:
    """What remains of the verdicts when agreed deviations are set aside.

    A scenario is relieved only of findings: an exception, a fault or a judgement of nothing stays as grave as it was.
    """
    meant = [w for w in waivers if means(w.version, str(run.sut.get("version", "")))]
    expired = tuple(w for w in meant if w.expires is not None and w.expires < today)
    valid = [w for w in meant if w not in expired]
    used: set[Waiver] = set()
    verdicts: dict[str, Verdict] = {}
    waived: list[tuple[str, Finding, Waiver]] = []
    for scenario in run.scenarios:
        remaining: list[Verdict] = []
        accepted: list[str] = []
        for finding in scenario.findings:
            waiver = next((w for w in valid if w.covers(scenario, finding)), None)
            if waiver is None:
                remaining.append(finding.verdict)
            else:
                used.add(waiver)
                accepted.append(finding.summary)
                if waiver.verdict is Verdict.INCONCLUSIVE:  # accepted is that it cannot be judged
                    accepted.append(f"nothing to judge for {finding.requirement}")
                waived.append((scenario.id, finding, waiver))
        verdicts[scenario.id] = _relieved(scenario, remaining, accepted) if accepted else scenario.verdict
    ran = [s for s in run.scenarios if s.verdict not in (Verdict.NOT_APPLICABLE, Verdict.ERROR)]
    stale = tuple(w for w in valid if w not in used and _was_tried(w, ran))
    return WaivedRun(verdicts, tuple(waived), stale, expired)


def _relieved(scenario: ScenarioResult, remaining: list[Verdict], accepted: list[str]) -> Verdict:
    if scenario.verdict is Verdict.ERROR or scenario.faults:
        return Verdict.ERROR
    # a step says in its message why it raised or what it could not judge: no waiver of a finding speaks for that
    steps = [
        step.verdict
        for step in scenario.steps
        if step.message and step.verdict >= Verdict.INCONCLUSIVE and not any(text in step.message for text in accepted)
    ]
    return max([Verdict.PASS, *remaining, *steps])


def _was_tried(waiver: Waiver, ran: list[ScenarioResult]) -> bool:
    """Whether a scenario that the waiver names judged its requirement."""
    return any(
        means(waiver.scenario, scenario.id)
        and any(finding.requirement == waiver.requirement for finding in scenario.findings)
        for scenario in ran
    )
