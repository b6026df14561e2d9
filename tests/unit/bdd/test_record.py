"""What an exception and a judgement of nothing make of a step."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from harness.bdd.record import AUTHORS_MISTAKE, ScenarioRecord, grade
from harness.bdd.tags import read
from harness.core.errors import EnvironmentFailure, NonConformance, Unjudgeable, UsageError
from harness.core.verdict import Verdict


def test_the_environment_is_nobodys_fault_and_an_authors_mistake_is_called_one() -> None:
    assert grade(EnvironmentFailure("needs a port")) == (Verdict.INCONCLUSIVE, "needs a port")
    verdict, text = grade(UsageError("there is no patient 'kin'"))
    assert (verdict, text.startswith(AUTHORS_MISTAKE)) == (Verdict.ERROR, True)
    assert grade(Unjudgeable("x"))[0] is Verdict.INCONCLUSIVE
    assert grade(NonConformance("x"))[0] is Verdict.FAIL
    assert grade(ZeroDivisionError("x"))[0] is Verdict.ERROR


def test_a_step_that_judged_nothing_does_not_look_passed() -> None:
    record = ScenarioRecord("id", "name", "feature", "path", 1, read(()))
    context = SimpleNamespace(findings=[], unjudged=[])
    record.context = cast(Any, context)
    step = SimpleNamespace(keyword="Then", name="the exchange satisfies every requirement")
    record.step_started(step)
    context.unjudged.append("nothing to judge for RAD-7")
    done = record.step_finished(step)
    assert (done.verdict, done.message) == (Verdict.INCONCLUSIVE, "nothing to judge for RAD-7")
    record.step_started(step)
    assert record.step_finished(step).verdict is Verdict.PASS


def test_a_step_that_skips_does_not_leave_a_pass_behind() -> None:
    """pytest-bdd tells nobody of the end of such a step: what was judged before it must not stand for the whole."""
    record = ScenarioRecord("id", "name", "feature", "path", 1, read(()))
    record.context = cast(Any, SimpleNamespace(findings=[], unjudged=[]))
    call: Any = SimpleNamespace(excinfo=SimpleNamespace(value=pytest.skip.Exception("not today")), when="call")
    record.phase(call)
    assert (record.verdict, record.reason) == (Verdict.INCONCLUSIVE, "skipped by one of its steps: not today")
    record.skip("not claimed")
    record.phase(call)
    assert record.verdict is Verdict.NOT_APPLICABLE
