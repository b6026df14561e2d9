"""What a statement says after a run: seen, declared, refused, broken, unknown."""

from __future__ import annotations

import dataclasses

import pytest

from harness.core.errors import UsageError
from harness.core.verdict import Verdict
from harness.profiles import registry
from harness.protocols.dicom import uids
from harness.statement.build import build, declared_from
from harness.statement.model import Role, SopClass, State, Statement
from harness.statement.observation import observe
from tests.unit.statement import products


def sop_class(statement: Statement, uid: str, role: Role) -> SopClass:
    return next(c for c in statement.sop_classes if (c.uid, c.role) == (uid, role))


def test_what_was_exercised_is_verified_with_its_scenarios() -> None:
    found = sop_class(products.modality_statement(), uids.CT_IMAGE, Role.SCU)
    assert found.standing.state is State.VERIFIED
    assert [p.scenario for p in found.standing.proofs] == ["case RAD-8"]
    assert found.transfer_syntaxes == (uids.EXPLICIT_VR_LE,)
    assert not found.standing.declared


def test_what_was_only_negotiated_is_not_verified() -> None:
    statement = products.modality_statement()
    assert sop_class(statement, uids.MR_IMAGE, Role.SCU).standing.state is State.NEGOTIATED
    assert sop_class(statement, uids.MPPS, Role.SCU).standing.state is State.DECLARED


def test_a_declared_class_that_is_refused_is_contradicted() -> None:
    statement = products.archive_statement(sop_classes=[{"uid": uids.MPPS, "role": "SCP"}])
    assert sop_class(statement, uids.MPPS, Role.SCP).standing.state is State.CONTRADICTED
    assert any("Modality Performed Procedure Step" in text for text in statement.contradictions)


def test_a_refused_class_that_nobody_declared_is_not_listed() -> None:
    assert not [c for c in products.archive_statement().sop_classes if c.uid == uids.MPPS]


def test_roles_follow_the_role_selection_answer() -> None:
    statement = products.archive_statement()
    assert sop_class(statement, uids.MR_IMAGE, Role.SCU).standing.state is State.NEGOTIATED
    assert not [c for c in statement.sop_classes if (c.uid, c.role) == (uids.MR_IMAGE, Role.SCP)]


def test_ae_title_rules_are_seen_and_unknown_stays_unknown() -> None:
    policy = products.archive_statement().entities[0].policy
    assert policy.checks_called_title is False
    assert policy.checks_calling_title is True
    assert policy.accepts is True
    assert policy.initiates is None
    assert policy.max_pdu == 32768
    bare = build(products.modality())
    assert bare.entities[0].policy.max_pdu is None
    assert bare.entities[0].policy.checks_called_title is None


def test_attributes_and_character_sets_are_those_that_the_product_sent() -> None:
    statement = products.modality_statement()
    query = next(a for a in statement.activities if a.message == "C-FIND")
    assert [(a.keyword, a.presence, a.filled) for a in query.attributes] == [
        ("PatientName", "always", "never"),
        ("PatientID", "always", "always"),
    ]
    assert query.transactions == ("RAD-5",)
    assert {c.term for c in statement.character_sets} == {"", "ISO 2022 IR 149"}


def test_a_whole_actor_is_verified_only_when_every_required_transaction_passed() -> None:
    claim = build(products.modality(), None, products.passing_run()).claims[0]
    assert claim.standing.state is State.VERIFIED
    four = products.run_of(*products.passing_run().scenarios[:4])
    claim = build(products.modality(), None, four).claims[0]
    assert claim.standing.state is State.DECLARED
    assert "RAD-10" in claim.standing.note


@pytest.mark.parametrize(
    "options",
    [{"quick": True}, {"only": ["x"]}, {"interrupted": True}, {"rerun": True}, {"own_features": True}],
)
def test_a_partial_run_verifies_no_actor(options: dict[str, object]) -> None:
    claim = build(products.modality(), None, products.passing_run(**options)).claims[0]
    assert claim.standing.state is State.DECLARED


def test_a_broken_requirement_contradicts_and_names_its_finding_and_waiver() -> None:
    number = products.first_requirement("RAD-8", products.MODALITY)
    bad = products.scenario(
        "bad", products.MODALITY, ["RAD-8"], products.finding(number, Verdict.FAIL, "three are missing")
    )  # fmt: skip
    waiver = {"requirement": number, "scenario": "bad", "state": "valid", "reason": "known since spring"}
    run = products.run_of(*products.passing_run().scenarios, bad, waivers=[waiver])
    claim = build(products.modality(), None, run).claims[0]
    assert claim.standing.state is State.CONTRADICTED
    broken = next(t for t in claim.transactions if t.id == "RAD-8")
    assert [(p.scenario, p.summary, p.waived) for p in broken.standing.proofs] == [
        ("bad", "three are missing", "known since spring")
    ]


def test_an_option_needs_findings_of_its_own() -> None:
    option = build(products.modality(), None, products.passing_run()).claims[0].options[0]
    assert option.standing.state is State.DECLARED


def test_a_claim_of_some_transactions_is_no_integration_claim() -> None:
    claim = products.archive_statement().claims[0]
    assert not claim.complete
    assert "RAD-10" in claim.missing


@pytest.mark.parametrize(
    "text",
    [{"published": "soon"}, {"sop_classes": [{"uid": "1.2"}]}, {"sop_classes": [{"uid": "1.2", "role": "BOTH"}]}],
)
def test_a_statement_table_that_cannot_be_understood_is_refused(text: dict[str, object]) -> None:
    with pytest.raises(UsageError, match="statement"):
        build(declared_from({"name": "X"}, [], text))


def test_a_run_that_ended_with_a_failure_verifies_no_actor() -> None:
    run = dataclasses.replace(products.passing_run(), failure={"kind": "engine", "text": "it broke"})
    claim = build(products.modality(), None, run).claims[0]
    assert claim.standing.state is State.DECLARED
    assert "failure" in claim.standing.note or all("failure" in t.standing.note for t in claim.transactions)


def test_a_scenario_that_judged_nothing_leaves_its_transaction_open() -> None:
    silent = dataclasses.replace(
        products.scenario("silent", products.MODALITY, ["RAD-8"]), verdict=Verdict.INCONCLUSIVE
    )  # fmt: skip
    claim = build(products.modality(), None, products.run_of(*products.passing_run().scenarios, silent)).claims[0]
    assert claim.standing.state is State.DECLARED
    stored = next(t for t in claim.transactions if t.id == "RAD-8")
    assert "silent" in stored.standing.note


@pytest.mark.parametrize(("verdict", "state"), [(Verdict.PASS, State.VERIFIED), (Verdict.FAIL, State.NEGOTIATED)])
def test_a_class_that_was_used_wrongly_is_not_verified(verdict: Verdict, state: State) -> None:
    """Stores that ended well verify a SOP class only if no requirement of their transaction was broken."""
    rows = registry.requirements_for(transaction="RAD-8", actor=products.MODALITY)
    number = next(row.id for row in rows if row.transactions == ("RAD-8",))
    run = products.run_of(
        products.scenario("case RAD-8", products.MODALITY, ["RAD-8"], products.finding(number, verdict))
    )
    statement = build(products.modality(), observe([("case RAD-8", products.modality_wire())]), run)
    stored = next(c for c in statement.sop_classes if c.uid == uids.CT_IMAGE)
    asked = next(c for c in statement.sop_classes if c.uid == uids.MODALITY_WORKLIST)
    activity = next(a for a in statement.activities if a.sop_class == uids.CT_IMAGE)
    assert (stored.standing.state, activity.standing.state) == (state, state)
    assert (number in stored.standing.note) == (verdict is Verdict.FAIL)
    assert asked.standing.state is State.VERIFIED
