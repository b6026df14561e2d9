"""Ways to be wrong with presentation states, reports and key image notes: (id, title, rows that break, change)."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

from pydicom.dataset import Dataset

from harness.actors.archive_index import StoredInstance
from harness.actors.archive_keys import Level
from harness.actors.defects.having import having
from harness.actors.image_display import ImageDisplayBehaviour
from harness.actors.image_manager_behaviour import ImageManagerBehaviour, SubOperations
from harness.actors.records import Record, record_from_mapping, tag_of
from harness.actors.reports.documents import BASIC_TEXT_SR, ENHANCED_SR, KEY_OBJECT_SELECTION
from harness.protocols.dicom.uids import GRAYSCALE_PRESENTATION_STATE

Archive = Callable[[ImageManagerBehaviour], ImageManagerBehaviour]
Reader = Callable[[ImageDisplayBehaviour], ImageDisplayBehaviour]


_archive = partial(having, ImageManagerBehaviour)


def _without(*keywords: str) -> Archive:
    """Answers to queries lack these attributes."""
    tags = {tag_of(keyword) for keyword in keywords}

    def describe(record: Record, level: Level) -> Record:
        return {tag: value for tag, value in record.items() if tag not in tags}

    return _archive(describe=describe)


def _ignoring(*keywords: str) -> Archive:
    tags = frozenset(tag_of(keyword) for keyword in keywords)
    return lambda behaviour: replace(behaviour, rules=replace(behaviour.rules, ignored=behaviour.rules.ignored | tags))


def _images_only(record: Record, level: Level) -> Record:
    """Modalities in Study names modalities that have pixels."""
    tag = tag_of("ModalitiesInStudy")
    if tag not in record:
        return record
    kept = tuple(str(value) for value in record[tag] if value not in ("PR", "KO", "SR"))
    return record | {tag: kept or ("OT",)}


def _rewritten(classes: tuple[str, ...], values: Record) -> Archive:
    """Objects of these classes go out with other values."""

    def replaced(instance: StoredInstance) -> Record:
        return instance.revised | values if instance.sop_class in classes else instance.revised

    return _archive(replaced=replaced)


def _nothing_delivered(counts: SubOperations) -> int:
    return 0xA702


_REPORTS = (BASIC_TEXT_SR, ENHANCED_SR)
_NOTES = (KEY_OBJECT_SELECTION,)


def _no_retrieve(instances: list[StoredInstance], level: Level) -> list[StoredInstance]:
    return []


#: an archive as displays of presentation states, notes and evidence documents see it
PRESENTATION_ARCHIVE_DEFECTS: tuple[tuple[str, str, str, Archive], ...] = (
    (
        "archive-refuses-states",
        "Presentation states are not accepted",
        "RAD-9-SCP-01 RAD-8-SCP-01",
        _archive(refused_classes=frozenset({GRAYSCALE_PRESENTATION_STATE})),
    ),
    (
        "archive-state-without-label",
        "Content Label and creation date of states are not returned",
        "RAD-15-SCP-01",
        _without("ContentLabel", "PresentationCreationDate"),
    ),
    (
        "archive-state-without-references",
        "Referenced Series of states are not returned",
        "RAD-15-SCP-02",
        _without("ReferencedSeriesSequence"),
    ),
    (
        "archive-counts-images-only",
        "Modalities in Study names modalities with pixels only",
        "RAD-15-SCP-03",
        _archive(describe=_images_only),
    ),
    (
        "archive-relabels-states",
        "Delivered states have another label",
        "RAD-17-SCP-01 RAD-9-SCP-01",
        _rewritten((GRAYSCALE_PRESENTATION_STATE,), record_from_mapping({"ContentLabel": "ARCHIVED"})),
    ),
    (
        "archive-note-without-title",
        "Title and date of key image notes are not returned",
        "RAD-30-SCP-01",
        _without("ConceptNameCodeSequence", "ContentDate"),
    ),
    (
        "archive-note-other-modality",
        "Delivered notes have the modality OT",
        "RAD-31-SCP-01",
        _rewritten(_NOTES, record_from_mapping({"Modality": "OT"})),
    ),
    (
        "archive-document-without-flags",
        "Flags of evidence documents are not returned",
        "RAD-44-SCP-01",
        _without("CompletionFlag", "VerificationFlag"),
    ),
    (
        "archive-no-retrieve",
        "Every retrieve fails",
        "ARI-ACT-06 CPI-ACT-03 RAD-16-SCP-01 RAD-16-SCP-02 RAD-16-SCP-08",
        _archive(selection=_no_retrieve, retrieve_status=_nothing_delivered),
    ),
)


def _repository(prefix: str, coverage: str) -> tuple[tuple[str, str, str, Archive], ...]:
    return (
        (
            f"{prefix}-without-flags",
            "Completion and verification of reports are not returned",
            "RAD-26-SCP-02",
            _without("CompletionFlag", "VerificationFlag"),
        ),
        (
            f"{prefix}-without-modality",
            "Modalities in Study does not name SR",
            "RAD-26-SCP-01",
            _archive(describe=_images_only),
        ),
        (
            f"{prefix}-marks-partial",
            "Every delivered report is marked PARTIAL",
            "RAD-27-SCP-01",
            _rewritten(_REPORTS, record_from_mapping({"CompletionFlag": "PARTIAL"})),
        ),
        (
            f"{prefix}-malformed",
            "The root of delivered reports is no container",
            "RAD-27-SCP-01 RAD-27-SCP-02",
            _rewritten(_REPORTS, record_from_mapping({"ValueType": "TEXT"})),
        ),
        (
            f"{prefix}-ignores-patient-id",
            "Patient ID, accession number and date do not narrow a query",
            "RAD-26-SCP-03",
            _ignoring("PatientID", "AccessionNumber", "StudyDate"),
        ),
        (
            f"{prefix}-without-hierarchy",
            "Queries that lack the unique key above are answered",
            "RAD-26-SCP-04",
            _archive(requires_unique_keys=False),
        ),
        (
            f"{prefix}-unknown-destination",
            "A move to an unknown destination succeeds",
            "RAD-27-SCP-04",
            _archive(unknown_destination_status=0x0000),
        ),
        (
            f"{prefix}-no-retrieve",
            "Every retrieve fails",
            coverage,
            _archive(selection=_no_retrieve, retrieve_status=_nothing_delivered),
        ),
    )


REPOSITORY_DEFECTS = _repository("repository", "ARI-ACT-04 RAD-27-SCP-01 RAD-27-SCP-04")
EXTERNAL_DEFECTS: tuple[tuple[str, str, str, Archive], ...] = (
    *_repository("external", "ARI-ACT-05 RAD-27-SCP-01 RAD-27-SCP-04"),
    (
        "external-other-patient",
        "Foreign reports are delivered with another Patient ID than the query answered",
        "RAD-27-SCP-03 RAD-27-SCP-01",
        _rewritten(_REPORTS, record_from_mapping({"PatientID": "FOREIGN"})),
    ),
)


_reader = partial(having, ImageDisplayBehaviour)


def _asks_everything(identifier: Dataset) -> Dataset:
    """What the user typed does not reach the repository."""
    for keyword in ("PatientName", "PatientID", "AccessionNumber", "StudyDate"):
        if keyword in identifier and identifier.QueryRetrieveLevel == "STUDY":
            setattr(identifier, keyword, None)
    return identifier


def _stops_at_the_first(answers: dict[str, Any]) -> dict[str, Any]:
    """One source that does not answer hides what the others said."""
    return {**answers, "entries": 0, "documents": []} if answers.get("error") else answers


def _says_nothing(answers: dict[str, Any]) -> dict[str, Any]:
    return {**answers, "error": ""}


def _page(change: Callable[[str], str]) -> Reader:
    """The page that the user sees is another one."""

    def told(answers: dict[str, Any]) -> dict[str, Any]:
        return {**answers, "page": change(str(answers["page"]))} if answers.get("page") else answers

    return _reader(told=told)


def _without_impressions(page: str) -> str:
    return re.sub(r"(<h2[^>]*>(?:<[^>]*>)*Impressions).*?</section>", r"\1</section>", page, flags=re.DOTALL)


def _asks_no_flags(identifier: Dataset) -> Dataset:
    for keyword in ("CompletionFlag", "VerificationFlag"):
        identifier.pop(keyword, None)
    return identifier


READER_DEFECTS: tuple[tuple[str, str, str, Reader], ...] = (
    (
        "reader-asks-everything",
        "What the user looks for is not asked",
        "RAD-26-SCU-01",
        _reader(asked=_asks_everything),
    ),
    ("reader-asks-no-flags", "Flags of reports are not asked for", "RAD-26-SCU-02", _reader(asked=_asks_no_flags)),
    (
        "reader-refuses-basic-text",
        "Basic Text SR is not taken",
        "RAD-27-SCU-01 ARI-ACT-03",
        _reader(refused_classes=frozenset({BASIC_TEXT_SR})),
    ),
    (
        "reader-refuses-enhanced",
        "Enhanced SR is not taken",
        "RAD-27-SCU-02",
        _reader(refused_classes=frozenset({ENHANCED_SR})),
    ),
    (
        "reader-stops-at-absent-source",
        "A source that is away hides the reports of the others",
        "ARI-SRC-01",
        _reader(told=_stops_at_the_first),
    ),
    (
        "reader-hides-absent-source",
        "Nobody is told of a source that is away",
        "ARI-SRC-01",
        _reader(told=_says_nothing),
    ),
    (
        "reader-shows-findings-only",
        "The page of a report ends before its impressions",
        "RAD-27-SCU-03",
        _page(_without_impressions),
    ),
    (
        "reader-rounds-numbers",
        "Numbers in a report are shown without their decimals",
        "RAD-27-SCU-03",
        _page(lambda page: page.replace("12.5", "12")),
    ),
    (
        "reader-hides-patient",
        "The page of a report does not say whose it is",
        "RAD-27-SCU-03",
        _page(lambda page: re.sub(r"<table>.*?</table>", "", page, count=1, flags=re.DOTALL)),
    ),
)
