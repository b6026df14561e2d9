"""Every seeded defect changes exactly what its decision decides; the healthy modality and the variants stay whole."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any

import pytest
from pydicom.dataset import Dataset

from harness.core.errors import UsageError
from harness.modality import catalogue, defects
from harness.modality.behaviour import HEALTHY, Behaviour
from harness.modality.config import Configuration
from harness.modality.decisions import performed
from harness.modality.decisions.worklist import WorklistQuery, identifier
from harness.modality.defect_tools import Defect
from harness.modality.defects import DEFECTS, VARIANTS
from harness.modality.domain import (
    Code,
    Exam,
    ExamKind,
    Patient,
    PerformedStep,
    Reference,
    ScheduledStep,
    Shot,
    ShotState,
    State,
)
from harness.modality.elements import item, put, reference_items

SETTINGS = Configuration()
PATIENT = Patient("Hong^Gildong=洪^吉洞", "PID1", birth_date="19700101", sex="F")
STEP = ScheduledStep(
    PATIENT, "1.2.3", "ACC1", "RP1", "Chest", (Code("R", "99T", "Chest"),),
    (Reference("1.2.840.10008.3.1.2.3.1", "1.9"),),
    step_id="SPS1", step_description="Chest PA", protocol_codes=(Code("P", "99T", "PA"),),
)  # fmt: skip
OTHER = replace(STEP, study_instance_uid="1.2.4", accession_number="ACC2", requested_procedure_id="RP2", step_id="SPS2")
SECOND = replace(STEP, step_id="SPS2", step_description="Chest lateral")
REFERENCES = (Reference("1.2.5", "1.1"), Reference("1.2.5", "1.2"))


def shot(number: int, modality: str = "DX") -> Shot:
    return Shot(
        number, ShotState.CONFIRMED, "1.2.5", f"1.{number}", f"2.{modality != 'DX'}", 1, modality, "PA", "PA", number,
        "20261121", "080000", "f",
    )  # fmt: skip


def exam(*steps: ScheduledStep, shots: tuple[Shot, ...] = (), reason: Code | None = None) -> Exam:
    step = PerformedStep(
        "1.5", "P1", "20261121", "080000", "DISCONTINUED" if reason else "COMPLETED", "20261121", "090000", "Chest PA",
        (Code("R", "99T", "Chest"),), (Code("P", "99T", "PA"),), reason, ("ISO_IR 192",),
    )  # fmt: skip
    return Exam(
        1, ExamKind.SCHEDULED, State.IN_PROGRESS, steps, PATIENT, "DX", "1.2.3", "RP1", "ACC1", "20261121", "080000",
        "Chest", referenced_studies=(Reference("1.2.840.10008.3.1.2.3.1", "1.9"),), performed=step, shots=shots,
    )  # fmt: skip


def committed() -> Dataset:
    """What an archive says that took one of two."""
    failed = [item(ReferencedSOPClassUID="1.2.5", ReferencedSOPInstanceUID="1.2", FailureReason=0x0112)]
    return item(TransactionUID="9.9", ReferencedSOPSequence=reference_items(REFERENCES[:1]), FailedSOPSequence=failed)


def plain(value: Any) -> Any:
    """Make data sets comparable."""
    if isinstance(value, Dataset):
        return value.to_json_dict()
    return [plain(each) for each in value] if isinstance(value, list) else value


def decisions(b: Behaviour) -> dict[str, Any]:
    """Take every decision on the same samples."""
    shots = (shot(1), shot(2), shot(3, "PR"))
    samples = {
        "scheduled": exam(STEP, shots=shots),
        "group": exam(STEP, OTHER, shots=shots),
        "unscheduled": replace(exam(shots=shots[1:]), kind=ExamKind.UNSCHEDULED),
        "cancelled": exam(STEP, reason=performed.REASONS["110514"]),
    }
    answer = identifier(WorklistQuery())
    put(answer, PatientName="Hong^Gildong=洪^吉洞")
    seen: dict[str, Any] = {
        "syntaxes": [b.transfer_syntaxes(uid, "1.2.840.10008.1.2.1") for uid in (defects.MWL, "1.2.840.10008.1.1")],
        "identifiers": [
            b.worklist_identifier(q)
            for q in (
                WorklistQuery(patient_id="P"), WorklistQuery(date="20261120-20261122"),
                WorklistQuery(modality="DX", station_ae_title="DX1"), WorklistQuery(patient_name="H*", patient_id="P"),
            )
        ],
        "worklist": [b.worklist_class(), b.worklist_nothing(), b.worklist_newest(STEP, OTHER),
                     b.worklist_newest(None, OTHER)],
        "problems": [b.worklist_problems(s) for s in (STEP, ScheduledStep())],
        "unscheduled": [b.unscheduled_refusal(connected) for connected in (True, False)],
        "matches": [b.worklist_match(s) for s in (0xFF00, 0xFF01, 0)],
        "complete": [b.worklist_complete(s) for s in (0, 0xA700)],
        "step": b.scheduled_step(answer),
        "study": [b.study_instance_uid(s, "9.9") for s in ((STEP,), (STEP, SECOND), (STEP, OTHER), ())],
        "study_id": [b.study_id(s, "S9") for s in ((STEP,), (STEP, OTHER), ())],
        "studies": [b.referenced_studies(s, "9.9") for s in ((STEP,), (STEP, OTHER))],
        "accession": [b.accession_number(s) for s in ((STEP,), (STEP, OTHER), ())],
        "procedure": b.procedure_codes((STEP,), catalogue.PROCEDURES[2]),
        "protocol": b.protocol_codes((STEP,), [catalogue.PROCEDURES[2].protocols[0]]),
        "description": b.description((STEP,), None),
        "step_ids": [b.performed_step_id("20261121", n) for n in (1, 2)],
        "performed_uid": b.performed_instance_uid(["1.1"], "9.9"),
        "series_uid": b.series_instance_uid(["1.1"], "9.9"),
        "moved_uid": b.moved_instance_uid("1.1", "9.9"),
        "character_set": b.character_set(["Hong^Gildong=洪^吉洞"]),
        "accepted": [accepts(status, repeated) for accepts in (b.create_accepted, b.set_accepted)
                     for status in (0, 0x0110, 0x0111, 0x0116) for repeated in (True, False)],
        "flags": [
            b.leaves_politely(), b.creates_before_images(), b.final_reports(), b.progress_reports(), b.resend_failed(),
            b.accepts_reverse_role(), b.reports_end(True), b.reports_end(False),
            b.final_status(True), b.final_status(False), b.ends_before_transfer(),
        ],
        "outcome": [b.store_outcome(s) for s in (0, 0xB000, 0xA700, 0xC000)],
        "to_send": b.to_send(REFERENCES),
        "to_commit": b.to_commit((*REFERENCES, Reference(defects.GSPS, "1.3"))),
        "transaction": b.transaction_uid(["1.1"], "9.9"),
        "request": b.commitment_request("9.9", REFERENCES),
        "result": [b.commitment_result(kind, committed()) for kind in (1, 2)],
        "event": [b.event_report_status(known) for known in (True, False)],
        "delete": [b.deletion_refusal(n) for n in (0, 1)],
    }  # fmt: skip
    for name, sample in samples.items():
        reported = b.reported(sample.shots)
        seen[f"{name}-created"] = b.performed_created(sample, SETTINGS)
        seen[f"{name}-reported"] = reported
        seen[f"{name}-ended"] = b.final_changes(b.performed_ended(sample, b.series_items(sample, reported, "9.9")))
        seen[f"{name}-billed"] = b.billing(sample)
        for each in sample.shots:
            common = b.object_common(sample, each, SETTINGS)
            put(common, ImageType=("ORIGINAL", "PRIMARY"), ContentLabel="L", DisplayedAreaSelectionSequence=[Dataset()])
            put(common, ReferencedSeriesSequence=[item(ReferencedImageSequence=reference_items(REFERENCES))])
            seen[f"{name}-object-{each.number}"] = b.object_finish(common)
    return {key: plain(value) for key, value in seen.items()}


@pytest.fixture(scope="module")
def healthy() -> dict[str, Any]:
    return decisions(HEALTHY)


@pytest.mark.filterwarnings("ignore::UserWarning")  # defective values on purpose
@pytest.mark.parametrize("defect", [*DEFECTS, *VARIANTS], ids=lambda d: d.id)
def test_each_defect_and_variant_decides_differently(healthy: dict[str, Any], defect: Defect) -> None:
    assert decisions(defects.behaviour([defect.id])) != healthy


@pytest.mark.parametrize("defect", DEFECTS, ids=lambda d: d.id)
def test_each_defect_names_what_it_breaks(defect: Defect) -> None:
    assert defect.breaks
    assert defect.title


def test_variants_break_nothing_by_name() -> None:
    assert all(not each.breaks for each in VARIANTS)
    assert len(DEFECTS) >= 25
    assert len({each.id for each in (*DEFECTS, *VARIANTS)}) == len(DEFECTS) + len(VARIANTS)


def test_no_defect_leaves_the_healthy_modality_alone() -> None:
    assert defects.behaviour([]) is HEALTHY


def test_unknown_defect_is_named() -> None:
    with pytest.raises(UsageError, match="no-such"):
        defects.behaviour(["no-such"])


def test_every_decision_is_sampled() -> None:
    taken: set[str] = set()

    def watched(name: str) -> Callable[..., Any]:
        decide = getattr(HEALTHY, name)

        def deciding(*given: Any) -> Any:
            taken.add(name)
            return decide(*given)

        return deciding

    names = [field.name for field in fields(Behaviour)]
    decisions(replace(HEALTHY, **{name: watched(name) for name in names}))
    assert sorted(set(names) - taken) == []


def apart(behaviour: Behaviour, healthy: dict[str, Any]) -> set[str]:
    return {key for key, value in decisions(behaviour).items() if value != healthy[key]}


@pytest.mark.parametrize(
    ("defect", "touched"),
    [
        ("worklist-two-step-items", lambda key: key == "identifiers"),
        ("mpps-reason-not-created", lambda key: key.endswith("-created")),
        ("final-repeats-patient", lambda key: key.endswith("-ended")),
        ("request-attributes-lost", lambda key: "-object-" in key),
        ("gsps-no-displayed-area", lambda key: key.endswith("-object-3")),
        ("transaction-uid-reused", lambda key: key == "transaction"),
    ],
)
def test_defect_touches_nothing_else(healthy: dict[str, Any], defect: str, touched: Callable[[str], bool]) -> None:
    changed = apart(defects.behaviour([defect]), healthy)
    assert changed
    assert all(touched(key) for key in changed)
