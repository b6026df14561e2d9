"""Ways to be wrong with key image notes and evidence documents that an evidence creator makes."""

from __future__ import annotations

import copy
from collections import abc
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from harness.actors.evidence_creator import EvidenceCreatorBehaviour
from harness.actors.objects import Sample
from harness.actors.reports.documents import Code

Row = tuple[str, str, str, Callable[[Any], Any]]
_FINDING, _OF_INTEREST = Code("121071", "DCM", "Finding"), Code("113000", "DCM", "Of Interest")


def _each(change: Callable[[Dataset], object]) -> Callable[[EvidenceCreatorBehaviour], EvidenceCreatorBehaviour]:
    def written(documents: list[Dataset]) -> list[Dataset]:
        for document in documents:
            change(document)
        return documents

    return _written(written)


def _written(
    change: Callable[[list[Dataset]], list[Dataset]],
) -> Callable[[EvidenceCreatorBehaviour], EvidenceCreatorBehaviour]:
    return lambda behaviour: replace(behaviour, written=change)


def _other_modality(document: Dataset) -> None:
    document.Modality = "OT"


def _titled(document: Dataset) -> None:
    document.ConceptNameCodeSequence = Sequence([_FINDING.item()])


def _without_template(document: Dataset) -> None:
    document.pop("ContentTemplateSequence", None)


def _other_reason(document: Dataset) -> None:
    for item in document.ContentSequence:
        if item.RelationshipType == "HAS CONCEPT MOD":
            item.ConceptCodeSequence = Sequence([_OF_INTEREST.item()])


def _says_it_twice(document: Dataset) -> None:
    texts = [item for item in document.ContentSequence if item.ValueType == "TEXT"]
    document.ContentSequence.extend(copy.deepcopy(texts))


def _forgets_evidence(document: Dataset) -> None:
    for study in document.CurrentRequestedProcedureEvidenceSequence:
        for series in study.ReferencedSeriesSequence:
            series.ReferencedSOPSequence = Sequence(series.ReferencedSOPSequence[:-1] or series.ReferencedSOPSequence)


def _only_the_first(documents: list[Dataset]) -> list[Dataset]:
    documents[0].pop("IdenticalDocumentsSequence", None)
    return documents[:1]


def _promises_duplicates(documents: list[Dataset]) -> list[Dataset]:
    return documents[:1]


def _number_without_unit(document: Dataset) -> None:
    for section in document.ContentSequence:
        for item in section.get("ContentSequence") or ():
            if item.ValueType == "NUM":
                item.MeasuredValueSequence[0].pop("MeasurementUnitsCodeSequence", None)


def _another_patient(document: Dataset) -> None:
    document.PatientID = "SOMEBODY"


def _commits_images_only(samples: abc.Sequence[Sample]) -> abc.Sequence[Sample]:
    return [sample for sample in samples if sample.dataset.Modality != "PR"]


def _in_no_layer(document: Dataset) -> None:
    document.pop("GraphicLayerSequence", None)


def _first_image_only(document: Dataset) -> None:
    """One image has a displayed area, the others have none."""
    areas = document.DisplayedAreaSelectionSequence
    areas[0].ReferencedImageSequence = areas[0].ReferencedImageSequence[:1]
    document.DisplayedAreaSelectionSequence = areas[:1]


def _in_the_series_of_images(document: Dataset) -> None:
    document.SeriesInstanceUID = document.ReferencedSeriesSequence[0].SeriesInstanceUID


#: of whoever makes presentation states (RAD-19)
STATE_DEFECTS: tuple[Row, ...] = (
    (
        "creator-commits-no-states",
        "Commitment is asked for images, never for presentation states",
        "CPI-ACT-02 RAD-10-SCU-01",
        lambda behaviour: replace(behaviour, to_commit=_commits_images_only),
    ),
    ("creator-state-no-layer", "Graphics lie in a layer that the state lacks", "RAD-9-SCU-07", _each(_in_no_layer)),
    ("creator-state-one-area", "Only the first image has a displayed area", "RAD-9-SCU-05", _each(_first_image_only)),
    (
        "creator-state-series",
        "A presentation state lies in the series of its images",
        "RAD-9-SCU-02",
        _each(_in_the_series_of_images),
    ),
)

#: of whoever makes key image notes (RAD-29) and evidence documents (RAD-43)
EVIDENCE_DEFECTS: tuple[Row, ...] = (
    ("creator-note-modality", "Key image notes have the modality OT", "RAD-29-OBJ-01", _each(_other_modality)),
    ("creator-note-title", "Key image notes are called Finding", "RAD-29-OBJ-02", _each(_titled)),
    ("creator-note-template", "Key image notes name no template", "RAD-29-OBJ-02", _each(_without_template)),
    ("creator-note-reason", "A rejection gives a title for a reason", "RAD-29-OBJ-03", _each(_other_reason)),
    ("creator-note-text", "Key image notes have two descriptions", "RAD-29-OBJ-04", _each(_says_it_twice)),
    (
        "creator-note-evidence",
        "Documents do not list everything that they refer to",
        "RAD-29-OBJ-05 RAD-43-OBJ-02",
        _each(_forgets_evidence),
    ),
    (
        "creator-note-one-study",
        "A note over two studies lies in the first only",
        "RAD-29-OBJ-06",
        _written(_only_the_first),
    ),
    (
        "creator-note-lost-duplicate",
        "The duplicate that a note names is not stored",
        "RAD-29-OBJ-06",
        _written(_promises_duplicates),
    ),
    (
        "creator-document-number",
        "A number in an evidence document has no unit",
        "RAD-43-OBJ-01",
        _each(_number_without_unit),
    ),
    (
        "creator-document-patient",
        "Documents carry another patient ID than what they refer to",
        "RAD-43-OBJ-03",
        _each(_another_patient),
    ),
)
