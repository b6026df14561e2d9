"""Lint, compare and verify: each finds what is wrong, and nothing where nothing is."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from harness.core.errors import UsageError
from harness.core.verdict import Verdict
from harness.protocols.dicom import uids
from harness.statement.build import build, declared_from
from harness.statement.compare import compare
from harness.statement.lint import Problem, Row, lint_file, lint_rows, lint_statement
from harness.statement.model import ActorClaim, AssociationPolicy, OptionClaim, Role, Statement, TransactionClaim
from harness.statement.observation import observe
from harness.statement.verify import Difference, differences
from tests.unit.statement import products

GATEWAY = Path(__file__).resolve().parents[3] / "fixtures" / "statements" / "gateway.csv"


# -- lint --------------------------------------------------------------------------------------------------------


def test_the_gateway_list_prints_one_uid_twice() -> None:
    problems = lint_file(GATEWAY)
    assert [p.code for p in problems] == ["retired", "retired", "name-mismatch", "duplicate-uid"]
    assert all("1.2.840.10008.5.1.4.1.1.1.1.1" in p.text for p in problems[2:])  # what the author meant


@pytest.mark.parametrize(
    ("row", "code"),
    [
        (Row("CT Image Storage", "1.2.840.10008.5.1.4.1.1.02"), "bad-uid"),
        (Row("CT Image Storage", "1.2.840.10008.5.1.4.1.1.999"), "unknown-uid"),
        (Row("CT Image Storage", "1.2.840.10008.1.2"), "not-a-sop-class"),
        (Row("CT Image Storage", uids.MR_IMAGE), "name-mismatch"),
        (Row("Ultrasound Image Storage", "1.2.840.10008.5.1.4.1.1.6"), "retired"),
    ],
)
def test_a_wrong_row_is_found(row: Row, code: str) -> None:
    assert [p.code for p in lint_rows([row])] == [code]


@pytest.mark.parametrize(
    "row",
    [
        Row("CT Image Storage SOP Class", uids.CT_IMAGE),
        Row("ct image storage", uids.CT_IMAGE, "SCU/SCP"),
        Row("Storage Commitment Push Model", uids.STORAGE_COMMITMENT),
        Row("Our own", "1.2.276.0.7.1"),
    ],
)
def test_a_right_row_is_left_alone(row: Row) -> None:
    assert list(lint_rows([row])) == []


def claim(profile: str, actor: str, transactions: tuple[str, ...], *options: str) -> ActorClaim:
    return ActorClaim(
        profile, "", actor, tuple(TransactionClaim(t, "", True) for t in transactions),
        tuple(OptionClaim(o) for o in options),
    )  # fmt: skip


MODALITY_TRANSACTIONS = ("RAD-5", "RAD-6", "RAD-7", "RAD-8", "RAD-10")


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        (claim("SWIFT", "ADT", ()), "unknown-profile"),
        (claim("SWF", "Toaster", ()), "unknown-actor"),
        (claim("SWF", "Image Display", ("RAD-14",)), "incomplete-actor"),
        (claim("SWF", "Image Display", ("RAD-14", "RAD-16", "RAD-23")), "foreign-transaction"),
        (claim("SWF", "Image Display", ("RAD-14", "RAD-16"), "Web Content"), "unknown-option"),
        (claim("SWF", "Acquisition Modality", MODALITY_TRANSACTIONS), "missing-option"),
        (claim("SWF", "PPS Manager", ("RAD-6", "RAD-7", "RAD-20", "RAD-21")), "grouping"),
    ],
)
def test_a_wrong_claim_is_found(wrong: ActorClaim, code: str) -> None:
    statement = dataclasses.replace(complete(), claims=(wrong,))
    assert codes(lint_statement(statement)) == [code]


def complete() -> Statement:
    text = {
        "published": "2026-11-21", "security": {"TLS": "none"}, "configuration": {"port": "104"},
        "character_sets": ["ISO_IR 100"], "ihe_url": "https://example.org", "dicom_url": "https://example.org",
    }  # fmt: skip
    product = {"name": "Small", "version": "1", "vendor": "V"}
    classes = [{"uid": uids.CT_IMAGE, "role": "SCU", "transfer_syntaxes": [uids.IMPLICIT_VR_LE]}]
    return build(
        declared_from(product, [], {**text, "sop_classes": classes}, ae_titles=["SMALL"])
    )  # fmt: skip


def codes(problems: tuple[Problem, ...]) -> list[str]:
    return [p.code for p in problems]


def test_a_complete_statement_has_no_problem_and_each_gap_is_named() -> None:
    assert lint_statement(complete()) == ()
    assert [p.where for p in lint_statement(dataclasses.replace(complete(), published="", security=()))] == [
        "date of publication",
        "security",
    ]


def test_a_file_that_is_neither_is_refused(tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_text("only a name\n")
    with pytest.raises(UsageError, match="name,UID"):
        lint_file(tmp_path / "list.csv")


# -- compare -----------------------------------------------------------------------------------------------------


def test_compare_tells_what_works_and_what_would_fail() -> None:
    result = compare(products.modality_statement(), products.archive_statement())
    links = {link.uid: link for link in result.links}
    assert links[uids.CT_IMAGE].transfer_syntaxes == (uids.EXPLICIT_VR_LE,)
    assert links[uids.CT_IMAGE].problem == ""
    assert "not known to provide" in links[uids.MR_IMAGE].problem
    assert any("RAD-10" in text and "does not claim" in text for text in result.problems)
    assert any("enter the other side's title" in text for text in result.remarks)


def test_compare_sees_that_no_transfer_syntax_is_shared() -> None:
    user = build(
        products.modality(sop_classes=[{"uid": uids.CT_IMAGE, "role": "SCU", "transfer_syntaxes": [uids.JPEG_2000]}])
    )
    link = compare(user, products.archive_statement()).links[0]
    assert link.problem == "no transfer syntax in common"


# -- verify ------------------------------------------------------------------------------------------------------


def held(statement: Statement, *, bad: bool = False) -> tuple[Difference, ...]:
    """The statement against the modality's run."""
    observed = observe([("case RAD-8", products.modality_wire())])
    run = products.passing_run()
    if bad:
        number = products.first_requirement("RAD-6", products.MODALITY)
        broken = products.scenario("bad", products.MODALITY, ["RAD-6"], products.finding(number, Verdict.FAIL))
        run = products.run_of(*run.scenarios, broken)
    return differences(statement, build(products.modality(), observed, run), observed)


def test_a_true_statement_differs_in_nothing() -> None:
    assert held(products.modality_statement()) == ()


def test_an_unstated_class_syntax_or_character_set_is_a_difference() -> None:
    full = products.modality_statement()
    without = dataclasses.replace(full, sop_classes=tuple(c for c in full.sop_classes if c.uid != uids.CT_IMAGE))
    assert [(d.subject, d.seen) for d in held(without)] == [("CT Image Storage as SCU", "was used")]
    narrow = dataclasses.replace(
        full,
        sop_classes=tuple(
            dataclasses.replace(c, transfer_syntaxes=(uids.IMPLICIT_VR_LE,)) if c.uid == uids.CT_IMAGE else c
            for c in full.sop_classes
        ),
    )
    assert [d.seen for d in held(narrow)] == ["uses Explicit VR Little Endian"]
    latin = dataclasses.replace(full, character_sets=full.character_sets[:1])
    assert [d.subject for d in held(latin)] == ["Character set ISO 2022 IR 149"]


def test_a_broken_transaction_and_another_policy_are_differences() -> None:
    assert any("RAD-6" in d.subject and "broken" in d.seen for d in held(products.modality_statement(), bad=True))
    full = products.modality_statement()
    entity = dataclasses.replace(full.entities[0], policy=AssociationPolicy(max_pdu=1))
    found = held(dataclasses.replace(full, entities=(entity,)))
    assert [(d.subject, d.stated, d.seen) for d in found] == [("Maximum PDU size of MODALITY", "1", "16384")]


def test_a_stated_class_that_the_product_refuses_is_a_difference() -> None:
    stated = products.archive_statement(sop_classes=[{"uid": uids.MPPS, "role": "SCP"}])
    observed = observe([("probe", products.archive_wire())])
    found = differences(stated, build(products.archive(), observed), observed)
    assert [(d.stated, d.seen) for d in found if "Modality Performed" in d.subject] == [("supported", "refused")]
    assert Role.SCP.value in found[0].subject
