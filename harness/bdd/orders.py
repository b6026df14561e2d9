"""Scheduled steps of a scenario: rows of a feature table become worklist entries with fresh identifiers."""

from __future__ import annotations

import datetime
import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from harness.bdd.people import Person, person
from harness.core.errors import UsageError

COLUMNS = ("step", "patient", "modality", "start")
OPTIONAL_COLUMNS = ("station", "procedure", "order", "physician", "protocol")

#: procedure and protocol codes by modality: (value, meaning), coding scheme 99IHEHARNESS
_CODES = {
    "CT": (("CTHEAD", "CT head"), ("CTP1", "CT head routine")),
    "MR": (("MRHEAD", "MR head"), ("MRP1", "MR head routine")),
    "CR": (("CRCHEST", "CR chest"), ("CRP1", "CR chest PA")),
    "DX": (("DXCHEST", "DX chest"), ("DXP1", "DX chest PA")),
    "US": (("USABDO", "US abdomen"), ("USP1", "US abdomen routine")),
    "SC": (("SCDOC", "Scanned document"), ("SCP1", "Scan")),
}
_SCHEME = "99IHEHARNESS"


@dataclass(frozen=True, slots=True)
class Step:
    """One scheduled step: the name that the feature gives it, the patient, and its worklist entry by keyword."""

    name: str
    patient: Person
    entry: Mapping[str, Any]

    @property
    def sps(self) -> Mapping[str, Any]:
        """The item of Scheduled Procedure Step Sequence."""
        item: Mapping[str, Any] = self.entry["ScheduledProcedureStepSequence"][0]
        return item

    @property
    def step_id(self) -> str:
        """Scheduled Procedure Step ID."""
        return str(self.sps["ScheduledProcedureStepID"])


class Scheduler:
    """Makes entries; everything that must be unique comes from one seedable source."""

    def __init__(self, source: random.Random, today: datetime.date, station: str) -> None:
        self._source = source
        self.today = today
        self._station = station

    def uid(self) -> str:
        """A UID under 2.25 (PS3.5 B.2)."""
        return f"2.25.{self._source.getrandbits(121)}"

    def code(self, letter: str, digits: int = 7) -> str:
        """A short identifier that fits SH 16."""
        return f"{letter}{self._source.randrange(10 ** (digits - 1), 10**digits)}"

    def steps(self, rows: Sequence[Mapping[str, str]]) -> list[Step]:
        """One step per row; rows with one ``procedure`` share the study, rows with one ``order`` the accession."""
        procedures: dict[str, dict[str, Any]] = {}
        orders: dict[str, dict[str, Any]] = {}
        made: list[Step] = []
        for row in rows:
            if row["step"] in {step.name for step in made}:
                raise UsageError(f"two steps are named {row['step']!r}: the first could never be meant")
            subject = person(row["patient"])
            modality = row["modality"]
            if modality not in _CODES:
                raise UsageError(f"no catalogue for the modality {modality!r}; known: {', '.join(_CODES)}")
            order = orders.setdefault(row.get("order") or row["step"], self._order())
            procedure = procedures.setdefault(row.get("procedure") or row["step"], self._procedure(modality))
            made.append(Step(row["step"], subject, self._entry(row, subject, order, procedure)))
        return made

    def _order(self) -> dict[str, Any]:
        return {
            "AccessionNumber": self.code("A"),
            "PlacerOrderNumberImagingServiceRequest": self.code("PO"),
            "FillerOrderNumberImagingServiceRequest": self.code("FO"),
            "AdmissionID": self.code("V"),
        }

    def _procedure(self, modality: str) -> dict[str, Any]:
        (value, meaning), _ = _CODES[modality]
        return {
            "StudyInstanceUID": self.uid(),
            "RequestedProcedureID": self.code("RP"),
            "RequestedProcedureDescription": meaning,
            "RequestedProcedureCodeSequence": [coded(value, meaning)],
        }

    def _entry(
        self, row: Mapping[str, str], subject: Person, order: Mapping[str, Any], procedure: Mapping[str, Any]
    ) -> dict[str, Any]:
        _, (value, meaning) = _CODES[row["modality"]]
        date, time = self.moment(row["start"])
        station = row.get("station") or "this"
        return {
            **({"SpecificCharacterSet": list(subject.character_set)} if subject.character_set else {}),
            **order,
            **procedure,
            "PatientName": subject.name,
            "PatientID": subject.patient_id,
            "PatientBirthDate": subject.birth_date,
            "PatientSex": subject.sex,
            "PatientWeight": "70",
            "ReferringPhysicianName": "WELBY^MARCUS",
            "RequestingPhysician": "KILDARE^JAMES",
            "RequestedProcedurePriority": "ROUTINE",
            "ReferencedStudySequence": [
                {
                    "ReferencedSOPClassUID": "1.2.840.10008.3.1.2.3.1",
                    "ReferencedSOPInstanceUID": procedure["StudyInstanceUID"],
                }
            ],
            "ScheduledProcedureStepSequence": [
                {
                    "ScheduledStationAETitle": self._station if station == "this" else station,
                    "ScheduledProcedureStepStartDate": date,
                    "ScheduledProcedureStepStartTime": time,
                    "Modality": row["modality"],
                    "ScheduledPerformingPhysicianName": row.get("physician") or "ADAMS^ANN",
                    "ScheduledProcedureStepDescription": row.get("protocol") or meaning,
                    "ScheduledProcedureStepID": self.code("S"),
                    "ScheduledStationName": "ROOM1",
                    "ScheduledProcedureStepLocation": "RADIOLOGY",
                    "ScheduledProtocolCodeSequence": [coded(value, meaning)],
                }
            ],
        }

    def moment(self, text: str) -> tuple[str, str]:
        """``today 09:00`` -> (``20261120``, ``090000``)."""
        match = re.fullmatch(r"(\w+) ([01]\d|2[0-3]):([0-5]\d)", text)
        if match is None:
            raise UsageError(f"{text!r} is not a start like 'today 09:00' or 'tomorrow 13:30'")
        return self.day(match[1]), f"{match[2]}{match[3]}00"

    def day(self, word: str) -> str:
        """``yesterday``, ``today`` or ``tomorrow`` as a DICOM date."""
        try:
            days = {"yesterday": -1, "today": 0, "tomorrow": 1}[word]
        except KeyError:
            raise UsageError(f"{word!r} is not a day; known: yesterday, today, tomorrow") from None
        return (self.today + datetime.timedelta(days)).strftime("%Y%m%d")


def coded(value: str, meaning: str) -> dict[str, str]:
    """A code item in the harness's own scheme (private schemes start with 99, PS3.16 8.2)."""
    return {"CodeValue": value, "CodingSchemeDesignator": _SCHEME, "CodeMeaning": meaning}


class Vocabulary:
    """Turns the values of a query table into DICOM text: ``today``, ``ID of S1``, ``accession of S1`` ..."""

    _OF: ClassVar[Mapping[str, str]] = {
        "name": "PatientName",
        "ID": "PatientID",
        "accession": "AccessionNumber",
        "procedure": "RequestedProcedureID",
        "study": "StudyInstanceUID",
    }

    def __init__(self, scheduler: Scheduler, steps: Mapping[str, Step]) -> None:
        self._scheduler, self._steps = scheduler, steps

    def value(self, text: str, station: str) -> str:
        """One value. A text that is none of the words stands for itself."""
        if match := re.fullmatch(r"(\w+) of (\S+)", text):
            what, step = match[1], match[2]
            if what not in self._OF or step not in self._steps:
                raise UsageError(f"{text!r}: known are {', '.join(self._OF)} of {', '.join(self._steps)}")
            return str(self._steps[step].entry[self._OF[what]])
        if text == "this":
            return station
        if re.fullmatch(r"(yesterday|today|tomorrow)?-?(yesterday|today|tomorrow)?", text) and text:
            return "-".join(self._scheduler.day(part) if part else "" for part in text.split("-"))
        return text
