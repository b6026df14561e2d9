"""Key image notes, evidence documents and states that an evidence creator makes of studies (RAD-19, 29, 43)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from pydicom.dataset import Dataset

from harness.actors.evidence_states import presentation_state
from harness.actors.objects import Subject, UidSource
from harness.actors.reports.documents import (
    Code,
    Referenced,
    ReportPlan,
    evidence,
    key_object_note,
    report,
)
from harness.core.errors import UsageError

KEY_IMAGE_NOTE, REJECTION_NOTE, EVIDENCE_DOCUMENT = "key image note", "rejection note", "evidence document"
PRESENTATION_STATE = "presentation state"
KINDS = (KEY_IMAGE_NOTE, REJECTION_NOTE, EVIDENCE_DOCUMENT, PRESENTATION_STATE)
_REJECTED = Code("113001", "DCM", "Rejected for Quality Reasons")
_MOTION = Code("111210", "DCM", "Motion blur")
_MEASUREMENTS = Code("126000", "DCM", "Imaging Measurement Report")


def documents(kind: str, subject: Subject, studies: Sequence[Sequence[Dataset]], uid: UidSource) -> list[Dataset]:
    """A document of that kind in each of the studies of a patient, about all their images.

    What lies in several studies names its duplicates (PS3.3 C.17.2.2, C.17.6.2.1). Raises UsageError for another kind.
    """
    if kind not in KINDS:
        raise UsageError(f"there is no document {kind!r}; known: {', '.join(KINDS)}")
    if kind == PRESENTATION_STATE:  # it belongs to one study only
        return [presentation_state(study, uid) for study in studies]
    images = tuple(Referenced.of(image) for study in studies for image in study)
    made = [_document(kind, subject, study[0], images, uid) for study in studies]
    if len(made) > 1:
        for one in made:
            one.IdenticalDocumentsSequence = evidence(Referenced.of(other) for other in made if other is not one)
    return made


def _document(kind: str, subject: Subject, image: Dataset, images: tuple[Referenced, ...], uid: UidSource) -> Dataset:
    plan = ReportPlan(subject, str(image.StudyInstanceUID), images=images, shared=image, verified=False)
    if kind == KEY_IMAGE_NOTE:
        return key_object_note(plan, uid, text="Look here")
    if kind == REJECTION_NOTE:
        return key_object_note(plan, uid, title=_REJECTED, reason=_MOTION)
    made = report(replace(plan, title=_MEASUREMENTS, measurements=(("Length", 12.5),), impressions=()), uid)
    del made.ContentTemplateSequence  # it follows no template of the standard
    return made
