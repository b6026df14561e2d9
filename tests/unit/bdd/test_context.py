"""What a scenario collects, waits for and refuses to wait for."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from harness.bdd.context import ScenarioContext
from harness.bdd.tags import read
from harness.core.check import Declaration
from harness.core.errors import EnvironmentFailure, NonConformance, UsageError
from harness.core.message import Direction, Protocol
from harness.core.transcript import Transcript
from harness.core.verdict import Verdict
from harness.protocols.dicom.errors import AssociationRejected, TlsNotAgreed
from harness.protocols.dicom.node import TLS_RULE

TAGS = ("profile:SWF", "actor:pps-manager", "transaction:RAD-6")


@pytest.fixture
def context() -> ScenarioContext:
    timeouts = SimpleNamespace(exchange=0.05)
    lab: Any = SimpleNamespace(sut=SimpleNamespace(timeouts=timeouts), declaration=Declaration(), driver=None)
    return ScenarioContext(lab, Transcript(), read(TAGS), "x", strict=False)


def test_a_message_to_another_actor_is_not_the_one_that_is_waited_for(context: ScenarioContext) -> None:
    for receiver in ("Image Manager/Archive", "Image Manager/Archive"):
        context.transcript.record(Direction.FROM_SUT, Protocol.DICOM, "N-CREATE-RQ", actor=receiver)
    assert context.expect("N-CREATE-RQ", "Image Manager/Archive").seq == 1
    with pytest.raises(NonConformance, match="No N-CREATE-RQ came to the DSS/Order Filler"):
        context.expect("N-CREATE-RQ", "DSS/Order Filler")


def test_nothing_is_waited_for_that_nothing_demands(context: ScenarioContext) -> None:
    context.transcript.record(Direction.FROM_SUT, Protocol.DICOM, "C-FIND-RQ", actor="DSS/Order Filler")
    with pytest.raises(UsageError, match="no requirement demands a C-FIND-RQ to the DSS/Order Filler"):
        context.expect("C-FIND-RQ", "DSS/Order Filler")


@pytest.mark.parametrize(("scope", "identifier"), [("transaction", "RAD-66"), ("requirement", "RAD-6-SCU-999")])
def test_what_does_not_exist_is_not_judged(context: ScenarioContext, scope: str, identifier: str) -> None:
    with pytest.raises(UsageError, match=f"there is no {scope} '{identifier}'; did you mean"):
        context.judge(scope, identifier)
    with pytest.raises(UsageError, match="there is no requirement"):
        context.attest("RAD-6-SCU-999", "Did it?")


@pytest.mark.parametrize(
    ("reason", "raised"), [(7, AssociationRejected), (3, AssociationRejected), (1, NonConformance)]
)
def test_a_wrong_ae_title_is_nobodys_broken_requirement(
    context: ScenarioContext, reason: int, raised: type[Exception]
) -> None:
    """The SUT file may be wrong as well as the product; grade() makes such an error INCONCLUSIVE."""

    def refuse() -> None:
        raise AssociationRejected("ARCHIVE at 127.0.0.1:104", 1, 1, reason)

    with pytest.raises(raised):
        context.converse("RAD-8-SCP-01", "Storing", refuse)
    assert bool(context.findings) is (raised is NonConformance)


def test_a_step_that_needs_one_before_it_says_so(context: ScenarioContext) -> None:
    with pytest.raises(UsageError, match="needs one before it that gives it the scheduler"):
        context.memory["scheduler"]


def test_what_a_product_need_not_do_and_does_not_do_is_no_pass(context: ScenarioContext) -> None:
    context.spared("RAD-16-SCP-08", "C-GET is not offered, which is permitted")
    assert [finding.verdict for finding in context.findings] == [Verdict.NOT_APPLICABLE]
    assert context.verdict() is Verdict.NOT_APPLICABLE


@pytest.mark.parametrize(
    ("disturbed", "verdict"), [("", Verdict.INCONCLUSIVE), ("FAULT-INJECTED", Verdict.PASS), ("NEGATIVE", Verdict.PASS)]
)
def test_a_product_that_says_it_failed_does_not_pass_unless_we_made_it_fail(
    context: ScenarioContext, disturbed: str, verdict: Verdict
) -> None:
    context.met("RAD-6-SCP-01", "the step was accepted")
    context.memory["action failed"] = "Error: write after end"
    if disturbed:
        context.transcript.note(disturbed, {"fault": "store-refused"})
    context.close()
    assert context.verdict() is verdict
    assert ("write after end" in context.complaint()) is (verdict is Verdict.INCONCLUSIVE)


def test_certificates_that_did_not_suit_are_no_broken_requirement(context: ScenarioContext) -> None:
    """Neither when the product called us, nor when we called it."""
    said = {"rule": TLS_RULE, "text": "TLS with CT9: it showed no client certificate"}
    context.transcript.record(Direction.NONE, Protocol.DICOM, "PROTOCOL-VIOLATION", actor="A", fields=said)
    with pytest.raises(EnvironmentFailure, match="no client certificate"):
        context.expect("N-CREATE-RQ", "Image Manager/Archive")

    def call() -> None:
        raise TlsNotAgreed("TLS with CT9 was not agreed")

    with pytest.raises(TlsNotAgreed):
        context.converse("RAD-8-SCP-01", "The association", call)
    assert context.findings == []
