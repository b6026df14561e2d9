"""RAD-47: media that the system under test made, judged by the media rules."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache

from harness.core.check import Check, Observation
from harness.profiles import names
from harness.profiles.journal import Journal
from harness.profiles.observe import check, judged, passed, same_set
from harness.profiles.pdi.facts import EXPECTED, Recorded, recorded
from harness.profiles.pdi.mapping import rules as table
from harness.protocols.media.medium import Medium
from harness.validation.media import View, rule

Judgement = Callable[[Journal], Iterator[Observation]]
_SHOWN = 10


def view(j: Journal, made: Recorded) -> View:
    """The medium as rules look at it."""
    web = True if names.WEB_CONTENT in j.sut.options else None
    protected = bool(made.fact.get("password"))
    # pages would show in the open what is protected
    web = False if protected else web
    return _view(made.medium, str(made.fact.get("claimed", "")), web, protected)


@lru_cache(maxsize=4)
def _view(medium: Medium, claimed: str, web: bool | None, protected: bool) -> View:
    """Every check asks the same medium: its parts are parsed once."""
    return View(medium, claimed=claimed, web=web, protected=protected)


def _judge(made: Recorded, seen: View, code: str, title: str) -> Iterator[Observation]:
    found = rule(code)
    result = found.function(seen)
    why = found.clause
    if result.looked and not result.problems:
        yield passed(f"{made.medium.name}: {title}", made.evidence(""), actual=f"{result.looked} looked at", why=why)
    for problem in result.problems[:_SHOWN]:
        yield judged(
            False,
            f"{made.medium.name}: {found.meaning} ({code})",
            made.evidence(problem.locator),
            expected=problem.expected,
            actual=problem.actual,
            locator=problem.locator,
            why=why,
        )


def _by_rules(codes: tuple[str, ...], title: str) -> Judgement:
    def run(j: Journal) -> Iterator[Observation]:
        for made in recorded(j):
            seen = view(j, made)
            for code in codes:
                yield from _judge(made, seen, code, title)

    return run


def _by_profile(kind: str) -> Judgement:
    def run(j: Journal) -> Iterator[Observation]:
        for made in recorded(j):
            if str(made.fact.get("claimed", "")) == kind:
                yield from _judge(made, view(j, made), "MEDIA-PROFILE", f"the application profile of {kind} is kept")

    return run


def holds_dicom(j: Journal) -> Iterator[Observation]:
    for made in recorded(j):
        found = view(j, made).instances
        yield judged(
            bool(found),
            f"{made.medium.name} holds {len(found)} DICOM object(s)",
            made.evidence(""),
            expected="at least one",
            actual=str(len(found)),
            locator=made.medium.name,
        )


def holds_study(j: Journal) -> Iterator[Observation]:
    expected = {str(data.get("medium")): data.get("instances", ()) for _, data in j.facts(EXPECTED)}
    for made in recorded(j):
        wanted = expected.get(str(made.fact.get("id")))
        if wanted is not None:
            yield same_set(
                [str(uid) for uid in wanted],
                view(j, made).by_instance,
                what=f"Instances on {made.medium.name}",
                evidence=made.evidence(""),
                locator="DICOMDIR",
            )


CHECKS: tuple[Check, ...] = (
    check("media-dicom", "PDI-ACT-01", "RAD-47", holds_dicom, "a medium holds DICOM objects"),
    *(check(id, row, "RAD-47", _by_rules(codes, title), title) for id, row, codes, title in table.CREATOR),
    *(
        check(id, row, "RAD-47", _by_profile(kind), f"the application profile of {kind} is kept")
        for id, row, kind in table.PROFILES
    ),
    check("media-study", "XC-34", "RAD-47", holds_study, "a medium holds the whole study"),
)
