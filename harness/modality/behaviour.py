"""The decisions of the modality in one frozen value, so that a seeded defect can replace exactly one of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pydicom.dataset import Dataset

from harness.modality import text
from harness.modality.config import Configuration
from harness.modality.decisions import delivery, identity, image, performed, worklist
from harness.modality.decisions.delivery import CommitmentResult, StoreOutcome
from harness.modality.decisions.worklist import WorklistQuery
from harness.modality.domain import (
    Code,
    Exam,
    ProcedureEntry,
    ProtocolEntry,
    Reference,
    ScheduledStep,
    Shot,
)

Steps = Sequence[ScheduledStep]


@dataclass(frozen=True, slots=True)
class Behaviour:
    """How the modality decides; each field is a pure function with the healthy decision as default."""

    # association level
    transfer_syntaxes: Callable[[str, str], tuple[str, ...]] = delivery.transfer_syntaxes
    leaves_politely: Callable[[], bool] = delivery.leaves_politely
    # RAD-5
    worklist_identifier: Callable[[WorklistQuery], Dataset] = worklist.identifier
    worklist_match: Callable[[int], bool] = worklist.is_match
    worklist_complete: Callable[[int], bool] = worklist.is_complete
    worklist_class: Callable[[], str] = worklist.sop_class
    worklist_nothing: Callable[[], str] = worklist.nothing_found
    worklist_newest: Callable[[ScheduledStep | None, ScheduledStep], ScheduledStep] = worklist.newest
    scheduled_step: Callable[[Dataset], ScheduledStep] = worklist.scheduled_step
    worklist_problems: Callable[[ScheduledStep], tuple[str, ...]] = worklist.problems
    unscheduled_refusal: Callable[[bool], str] = worklist.unscheduled_refusal
    # identity of the exam
    study_instance_uid: Callable[[Steps, str], str] = identity.study_instance_uid
    study_id: Callable[[Steps, str], str] = identity.study_id
    accession_number: Callable[[Steps], str] = identity.accession_number
    referenced_studies: Callable[[Steps, str], tuple[Reference, ...]] = identity.referenced_studies
    procedure_codes: Callable[[Steps, ProcedureEntry | None], tuple[Code, ...]] = identity.procedure_codes
    protocol_codes: Callable[[Steps, Sequence[ProtocolEntry]], tuple[Code, ...]] = identity.protocol_codes
    description: Callable[[Steps, ProcedureEntry | None], str] = identity.description
    performed_step_id: Callable[[str, int], str] = identity.performed_step_id
    performed_instance_uid: Callable[[Sequence[str], str], str] = identity.performed_instance_uid
    series_instance_uid: Callable[[Sequence[str], str], str] = identity.series_instance_uid
    moved_instance_uid: Callable[[str, str], str] = identity.moved_instance_uid
    character_set: Callable[..., tuple[str, ...]] = text.choose
    # RAD-6, RAD-7
    performed_created: Callable[[Exam, Configuration], Dataset] = performed.created
    creates_before_images: Callable[[], bool] = lambda: True
    reported: Callable[[Sequence[Shot]], tuple[Shot, ...]] = performed.reported
    series_items: Callable[[Exam, Sequence[Shot], str], list[Dataset]] = performed.series_items
    performed_ended: Callable[[Exam, Sequence[Dataset]], Dataset] = performed.ended
    billing: Callable[[Exam], Dataset] = performed.billing
    final_status: Callable[[bool], str] = performed.final_status
    reports_end: Callable[[bool], bool] = performed.reports_end
    final_reports: Callable[[], int] = lambda: 1
    progress_reports: Callable[[], int] = lambda: 0
    final_changes: Callable[[Dataset], Dataset] = performed.final_changes
    ends_before_transfer: Callable[[], bool] = lambda: True
    create_accepted: Callable[[int, bool], bool] = performed.create_accepted
    set_accepted: Callable[[int, bool], bool] = performed.set_accepted
    # RAD-8, RAD-9
    object_common: Callable[[Exam, Shot, Configuration], Dataset] = image.common
    object_finish: Callable[[Dataset], Dataset] = image.finish
    to_send: Callable[[Sequence[Reference]], tuple[Reference, ...]] = delivery.to_send
    store_outcome: Callable[[int], StoreOutcome] = delivery.store_outcome
    # RAD-10
    transaction_uid: Callable[[Sequence[str], str], str] = delivery.transaction_uid
    to_commit: Callable[[Sequence[Reference]], tuple[Reference, ...]] = delivery.to_commit
    commitment_request: Callable[[str, Sequence[Reference]], Dataset] = delivery.commitment_request
    commitment_result: Callable[[int, Dataset], CommitmentResult] = delivery.commitment_result
    event_report_status: Callable[[bool], int] = delivery.event_report_status
    accepts_reverse_role: Callable[[], bool] = delivery.accepts_reverse_role
    resend_failed: Callable[[], bool] = delivery.resend_failed
    deletion_refusal: Callable[[int], str] = delivery.deletion_refusal


HEALTHY = Behaviour()
