"""The modality worklist of a simulated DSS/Order Filler: entries, their index, and encoded answers.

Entries come from an order book or are given as plain values by DICOM keyword. Answers are encoded once per entry
and shape of query, so that a worklist of a thousand entries is answered as fast as the network takes it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from typing import Any

from harness.actors import records
from harness.actors.matching import KeyTable, MatchingRules, Query, key_table, only_value, select
from harness.actors.orders.book import OrderBook
from harness.actors.orders.values import Code, PersonName, StepState, WorklistEntry
from harness.actors.records import Record, record_from_mapping, tag_of, vr_of

STEP_SEQUENCE = tag_of("ScheduledProcedureStepSequence")
_STATION = tag_of("ScheduledStationAETitle")
_START_DATE = tag_of("ScheduledProcedureStepStartDate")
_START_TIME = tag_of("ScheduledProcedureStepStartTime")
_MODALITY = tag_of("Modality")

_CODE = ("CodeValue", "CodingSchemeDesignator", "CodingSchemeVersion", "CodeMeaning")
_REFERENCE = ("ReferencedSOPClassUID", "ReferencedSOPInstanceUID")

#: the step level of PS3.4 Table K.6-1
STEP_KEYS: dict[int, KeyTable | None] = key_table(
    "ScheduledStationAETitle",
    "ScheduledProcedureStepStartDate",
    "ScheduledProcedureStepStartTime",
    "ScheduledProcedureStepEndDate",
    "ScheduledProcedureStepEndTime",
    "Modality",
    "ScheduledPerformingPhysicianName",
    "ScheduledProcedureStepDescription",
    "ScheduledStationName",
    "ScheduledProcedureStepLocation",
    "PreMedication",
    "ScheduledProcedureStepID",
    "RequestedContrastAgent",
    "ScheduledProcedureStepStatus",
    "CommentsOnTheScheduledProcedureStep",
    ScheduledProtocolCodeSequence=None,
)
#: PS3.4 Table K.6-1, with the attributes of the order that the Technical Framework maps to a worklist
WORKLIST_KEYS: dict[int, KeyTable | None] = {
    **key_table(
        "AccessionNumber",
        "RequestedProcedureID",
        "RequestedProcedureDescription",
        "RequestedProcedurePriority",
        "RequestedProcedureComments",
        "ReasonForTheRequestedProcedure",
        "StudyInstanceUID",
        "StudyDate",
        "StudyTime",
        "PatientTransportArrangements",
        "RequestingPhysician",
        "RequestingService",
        "ReferringPhysicianName",
        "PlacerOrderNumberImagingServiceRequest",
        "FillerOrderNumberImagingServiceRequest",
        "OrderEnteredBy",
        "OrderEntererLocation",
        "OrderCallbackPhoneNumber",
        "IssueDateOfImagingServiceRequest",
        "IssueTimeOfImagingServiceRequest",
        "NamesOfIntendedRecipientsOfResults",
        "InstitutionName",
        "AdmissionID",
        "CurrentPatientLocation",
        "PatientName",
        "PatientID",
        "IssuerOfPatientID",
        "OtherPatientIDs",
        "PatientBirthDate",
        "PatientBirthTime",
        "PatientSex",
        "PatientWeight",
        "PatientSize",
        "PatientAddress",
        "EthnicGroup",
        "PatientState",
        "PregnancyStatus",
        "MedicalAlerts",
        "Allergies",
        "SpecialNeeds",
        "PatientComments",
        "AdditionalPatientHistory",
        "LastMenstrualDate",
        "SmokingStatus",
        "ConfidentialityConstraintOnPatientDataDescription",
        RequestedProcedureCodeSequence=None,
        ReasonForRequestedProcedureCodeSequence=None,
        ReferencedStudySequence=None,
        ReferencedPatientSequence=None,
        RequestAttributesSequence=None,
        IssuerOfAccessionNumberSequence=None,
    ),
    STEP_SEQUENCE: STEP_KEYS,
}

#: the two keys whose ranges are one range of moments (PS3.4 Table K.6-1, remark at the start time)
STEP_MOMENT = (_START_DATE, _START_TIME)
WORKLIST_RULES = MatchingRules(combined=(STEP_MOMENT,))

_OFFERED = frozenset({StepState.SCHEDULED, StepState.STARTED})
_SHAPES = 16


@dataclass(frozen=True, slots=True)
class WorklistItem:
    """One scheduled step with everything a response may say about it; ``state`` is not sent."""

    record: Record
    state: StepState = StepState.SCHEDULED
    _encoded: dict[Hashable, bytes] = field(default_factory=dict, compare=False, repr=False)

    @property
    def step(self) -> Record:
        """The one item of the Scheduled Procedure Step Sequence."""
        return next(iter(records.items(self.record, STEP_SEQUENCE)), {})

    @property
    def step_id(self) -> str:
        """Scheduled Procedure Step ID."""
        return records.text(self.step, tag_of("ScheduledProcedureStepID"))

    def value(self, keyword: str) -> str:
        """The text of an attribute of either level, values joined by a backslash."""
        tag = tag_of(keyword)
        return records.text(self.step if tag in STEP_KEYS else self.record, tag)

    def facts(self) -> dict[str, Any]:
        """Plain JSON by keyword, as a worklist response nests it."""
        return records.mapping_from_record(self.record)

    def answer(
        self,
        query: Query,
        *,
        implicit: bool,
        respond: Callable[[Query, Record], Record] | None = None,
        write: Callable[..., bytes] = records.encode,
    ) -> bytes:
        """The encoded identifier that answers such a query; kept for the next query of the same shape."""
        if respond is not None:
            return write(respond(query, self.record), implicit=implicit)
        key = (query.shape, implicit, write)
        found = self._encoded.get(key)
        if found is None:
            if len(self._encoded) >= _SHAPES:
                self._encoded.clear()
            found = self._encoded[key] = write(select(query.keys, self.record), implicit=implicit)
        return found


def item_from_mapping(values: Mapping[str, Any], state: StepState = StepState.SCHEDULED) -> WorklistItem:
    """An entry from values by DICOM keyword; keywords of the step level may stand in the sequence or beside it.

    Raises KeyError for a word that is no DICOM keyword.
    """
    record = record_from_mapping(values)
    step = dict(next(iter(records.items(record, STEP_SEQUENCE)), {}))
    for tag in [tag for tag in record if tag in STEP_KEYS]:
        step.setdefault(tag, record.pop(tag))
    record[STEP_SEQUENCE] = (step,)
    return WorklistItem(record, state)


def item_from_entry(entry: WorklistEntry) -> WorklistItem:
    """An entry of an order book as a worklist item (HL7 to worklist mapping of RAD TF-2 Appendix B)."""
    patient, order, procedure, step = entry.patient, entry.order, entry.procedure, entry.step
    visit = order.visit
    values: dict[str, Any] = {
        "SpecificCharacterSet": list(patient.character_set) or "",
        "AccessionNumber": procedure.accession_number,
        "ReferringPhysicianName": str(visit.referring.name),
        "ReferencedStudySequence": [],
        "ReferencedPatientSequence": [],
        "PatientName": str(patient.name),
        "PatientID": patient.identifier.value,
        "IssuerOfPatientID": patient.identifier.authority,
        "PatientBirthDate": patient.birth_date,
        "PatientSex": patient.sex,
        "PatientWeight": patient.weight,
        "Allergies": patient.allergies,
        "MedicalAlerts": order.clinical_information,
        "PregnancyStatus": "3" if visit.pregnant else "",
        "StudyInstanceUID": procedure.study_uid,
        "RequestingPhysician": str(order.ordering.name),
        "RequestedProcedureDescription": procedure.description or procedure.code.meaning,
        "RequestedProcedureCodeSequence": [_code(procedure.code)] if procedure.code else [],
        "AdmissionID": visit.number.value or patient.account.value,
        "CurrentPatientLocation": visit.location,
        "PatientState": order.danger,
        "ScheduledProcedureStepSequence": [
            {
                "Modality": step.modality,
                "ScheduledStationAETitle": step.station_ae_title,
                "ScheduledProcedureStepStartDate": step.start_date,
                "ScheduledProcedureStepStartTime": step.start_time,
                "ScheduledPerformingPhysicianName": _name(step.performing_physician),
                "ScheduledProcedureStepDescription": step.description,
                "ScheduledProtocolCodeSequence": [_code(code) for code in step.protocol],
                "ScheduledProcedureStepID": step.id,
                "ScheduledStationName": step.station_name,
                "ScheduledProcedureStepLocation": step.location,
            }
        ],
        "RequestedProcedureID": procedure.id,
        "RequestedProcedurePriority": procedure.priority,
        "ReasonForTheRequestedProcedure": order.reason,
        "PatientTransportArrangements": order.transport,
        "PlacerOrderNumberImagingServiceRequest": order.placer_number.value,
        "FillerOrderNumberImagingServiceRequest": order.filler_number.value,
    }
    return WorklistItem(record_from_mapping(values), step.state)


def _code(code: Code) -> dict[str, str]:
    return {"CodeValue": code.value, "CodingSchemeDesignator": code.scheme, "CodeMeaning": code.meaning}


def _name(name: PersonName) -> str:
    return str(name)


class Worklist:
    """All scheduled steps of one order filler; thread-safe.

    Steps of the order book appear and change with it. Steps that were added here directly (:meth:`add`) keep
    their state here.
    """

    def __init__(self, book: OrderBook | None = None) -> None:
        self.book = book if book is not None else OrderBook()
        self._lock = threading.RLock()
        self._own: dict[str, WorklistItem] = {}
        self._derived: dict[int, tuple[WorklistEntry, WorklistItem]] = {}
        self._version: tuple[int, int] | None = None
        self._changes = 0
        self._items: tuple[WorklistItem, ...] = ()
        self._index: dict[tuple[str, str], list[WorklistItem]] = {}

    def add(self, values: Mapping[str, Any] | WorklistItem) -> WorklistItem:
        """Add a step or replace the one with its Scheduled Procedure Step ID. Raises KeyError for a bad keyword."""
        item = values if isinstance(values, WorklistItem) else item_from_mapping(values)
        with self._lock:
            self._own[item.step_id] = item
            self._changes += 1
        return item

    def remove(self, step_id: str) -> None:
        """Take a step off that was added here; nothing happens if it is unknown."""
        with self._lock:
            self._own.pop(step_id, None)
            self._changes += 1

    def clear(self) -> None:
        """Take off every step that was added here."""
        with self._lock:
            self._own.clear()
            self._changes += 1

    def set_state(self, step_id: str, state: StepState) -> bool:
        """Note what became of a step, wherever it is kept. False if no such step is known."""
        with self._lock:
            item = self._own.get(step_id)
            if item is not None:
                self._own[step_id] = WorklistItem(item.record, state)
                self._changes += 1
                return True
            return self.book.set_step_state(step_id, state) is not None

    @property
    def items(self) -> tuple[WorklistItem, ...]:
        """Every step, whatever its state, in the order in which they were scheduled."""
        with self._lock:
            self._refresh()
            return self._items

    def item(self, step_id: str) -> WorklistItem | None:
        """The step of that Scheduled Procedure Step ID, or None."""
        return next((item for item in self.items if item.step_id == step_id), None)

    def search(
        self, query: Query, offered: Callable[[WorklistItem], bool] = lambda item: item.state in _OFFERED
    ) -> list[WorklistItem]:
        """The offered steps that match, in the order in which they were scheduled."""
        with self._lock:
            self._refresh()
            candidates = self._candidates(query)
        return [item for item in candidates if offered(item) and query.matches(item.record)]

    def _refresh(self) -> None:
        version = (self.book.version, self._changes)
        if version == self._version:
            return
        derived: dict[int, tuple[WorklistEntry, WorklistItem]] = {}
        for entry in self.book.entries():
            kept = self._derived.get(id(entry))
            derived[id(entry)] = kept if kept is not None and kept[0] is entry else (entry, item_from_entry(entry))
        self._derived = derived
        self._items = (*(item for _, item in derived.values()), *self._own.values())
        self._version = version
        self._index = {}
        for item in self._items:
            for keyword in _INDEXED:
                for value in item.value(keyword).split("\\"):
                    self._index.setdefault((keyword, value), []).append(item)

    def _candidates(self, query: Query) -> tuple[WorklistItem, ...] | list[WorklistItem]:
        best: tuple[WorklistItem, ...] | list[WorklistItem] = self._items
        if query.ignores:
            return best
        step_keys = next(iter(records.items(query.keys, STEP_SEQUENCE)), {})
        for keyword in _INDEXED:
            tag = tag_of(keyword)
            value = only_value(step_keys if tag in STEP_KEYS else query.keys, keyword)
            if value and (vr_of(tag) != "DA" or len(value) == 8):
                found = self._index.get((keyword, value), [])
                if len(found) < len(best):
                    best = found
        return best


_INDEXED = (
    "ScheduledStationAETitle",
    "ScheduledProcedureStepStartDate",
    "Modality",
    "PatientID",
    "AccessionNumber",
    "RequestedProcedureID",
    "ScheduledProcedureStepID",
)
