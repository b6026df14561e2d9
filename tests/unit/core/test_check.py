"""From observations to findings."""

from __future__ import annotations

from collections.abc import Iterator

from harness.core.check import Check, CheckFunction, Exchange, Observation, judge
from harness.core.transcript import Transcript
from harness.core.verdict import Verdict
from tests.unit.core.test_verdict import ROW


def check(function: CheckFunction) -> Check:
    return Check("c", ROW.id, ("RAD-0",), function, "title")


def test_every_observation_becomes_a_finding_passes_included() -> None:
    def look(exchange: Exchange) -> Iterator[Observation]:
        del exchange
        yield Observation(True, "good")
        yield Observation(False, "bad", expected=("a", "b"), actual="c", locator="(0010,0010)", evidence=(3,))
        yield Observation(None, "unreadable")

    found = judge(check(look), ROW, Exchange(Transcript()))
    assert [finding.verdict for finding in found] == [Verdict.PASS, Verdict.FAIL, Verdict.INCONCLUSIVE]
    assert found[1].expected == ("a", "b")
    assert found[1].evidence == (3,)


def test_a_check_that_sees_nothing_finds_nothing() -> None:
    def look(exchange: Exchange) -> Iterator[Observation]:
        yield from ()

    assert judge(check(look), ROW, Exchange(Transcript())) == []


def test_an_exception_in_a_check_is_our_fault() -> None:
    def look(exchange: Exchange) -> Iterator[Observation]:
        yield Observation(True, "good")
        raise ValueError("oops")

    found = judge(check(look), ROW, Exchange(Transcript()))
    assert [finding.verdict for finding in found] == [Verdict.PASS, Verdict.ERROR]
    assert "oops" in found[1].summary
