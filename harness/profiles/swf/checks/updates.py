"""What a product was told of its patients after the fact: updates and merges (RAD-12), for checks of what followed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness.profiles import facts
from harness.profiles.journal import Journal
from harness.profiles.swf.hl7_journal import HL7Journal, sent_value
from harness.profiles.swf.hl7_patients import name_in_dicom

_DEMOGRAPHICS = (("PatientBirthDate", "PID-7.1"), ("PatientSex", "PID-8"))


def patient_updates(j: Journal) -> list[tuple[int, Mapping[str, Any]]]:
    """Patient updates and merges that the product was told of: by ADT messages that it took, or by UPDATE facts."""
    found = list(j.facts(facts.UPDATE))
    for told in HL7Journal(j).asked("RAD-12"):
        if told.hl7.trigger not in ("A08", "A40") or told.code not in ("AA", "CA"):
            continue
        keywords = {"PatientName": name_in_dicom(told)}
        keywords.update({keyword: sent_value(told.hl7[path])[:8] for keyword, path in _DEMOGRAPHICS})
        merge = told.hl7.trigger == "A40"
        if merge:
            keywords["PatientID"] = told.patient[0]
        found.append(
            (
                told.answer.seq if told.answer is not None else told.seq,
                {
                    "patient_id": told.patient[0],
                    "retired_patient_id": told.retired[0] if merge else "",
                    "keywords": {k: v for k, v in keywords.items() if v},
                },
            )
        )
    return sorted(found, key=lambda update: update[0])


def comparable(keyword: str, wanted: str, found: str) -> str:
    """The part of a found value that can be compared: HL7 gives the alphabetic name only."""
    return found.split("=")[0] if keyword == "PatientName" and "=" not in wanted else found
