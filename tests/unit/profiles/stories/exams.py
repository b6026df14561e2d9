"""A good exam of a modality: worklist entry, performed step, images, commitment; and its usual variations."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from harness.core.check import Declaration
from harness.profiles.journal import COMMITMENT, COMMITMENT_INSTANCE, MPPS, MWL_FIND
from tests.unit.profiles.builders import FROM_SUT, SC_IMAGE, TO_SUT, Event, Story

# -- the parts of an exam ----------------------------------------------------------------------------------------


def code(value: str, meaning: str = "", scheme: str = "99TEST") -> dict[str, str]:
    """A code item."""
    return {"CodeValue": value, "CodingSchemeDesignator": scheme, "CodeMeaning": meaning or f"Meaning of {value}"}


def entry(number: int = 1, **changes: Any) -> dict[str, Any]:
    """A worklist answer; entries of one ``procedure`` share study, accession and procedure."""
    procedure = changes.pop("procedure", number)
    step = {
        "ScheduledStationAETitle": "PRODUCT",
        "ScheduledProcedureStepStartDate": "20260102",
        "ScheduledProcedureStepStartTime": "103000",
        "Modality": "CT",
        "ScheduledPerformingPhysicianName": "Reader^Rita",
        "ScheduledProcedureStepDescription": f"Step {number}",
        "ScheduledProtocolCodeSequence": [code(f"P{number}")],
        "ScheduledProcedureStepID": f"SPS{number}",
        "ScheduledStationName": "CT1",
        "ScheduledProcedureStepLocation": "Room 1",
    }
    root: dict[str, Any] = {
        "PatientName": "Doe^Jane",
        "PatientID": "PID1",
        "PatientBirthDate": "19700101",
        "PatientSex": "F",
        "StudyInstanceUID": f"1.2.3.{procedure}",
        "AccessionNumber": f"ACC{procedure}",
        "RequestedProcedureID": f"RP{procedure}",
        "RequestedProcedureDescription": f"Procedure {procedure}",
        "RequestedProcedureCodeSequence": [code(f"RPC{procedure}")],
        "ReferencedStudySequence": [
            {"ReferencedSOPClassUID": "1.2.840.10008.3.1.2.3.1", "ReferencedSOPInstanceUID": f"1.2.3.{procedure}"}
        ],
    }
    for keyword, value in changes.items():
        (step if keyword in step else root)[keyword] = value
    return {**root, "ScheduledProcedureStepSequence": [step]}


def keys() -> dict[str, Any]:
    """A query identifier with every return key and no matching one."""
    found = entry()
    step = dict.fromkeys(found.pop("ScheduledProcedureStepSequence")[0], "")
    empty: dict[str, Any] = {keyword: [] if isinstance(value, list) else "" for keyword, value in found.items()}
    step_keys: dict[str, Any] = {**step, "ScheduledProtocolCodeSequence": []}
    return {**empty, "ScheduledProcedureStepSequence": [step_keys]}


def scheduled_item(offered: Mapping[str, Any], **changes: Any) -> dict[str, Any]:
    """A Scheduled Step Attributes item for a worklist answer."""
    step = offered["ScheduledProcedureStepSequence"][0]
    names = ("StudyInstanceUID", "ReferencedStudySequence", "AccessionNumber", "RequestedProcedureID")
    item = {name: offered[name] for name in (*names, "RequestedProcedureDescription")}
    for name in ("ScheduledProcedureStepID", "ScheduledProcedureStepDescription", "ScheduledProtocolCodeSequence"):
        item[name] = step[name]
    return {**item, **changes}


def creation(offered: Iterable[Mapping[str, Any]], number: int = 1, **changes: Any) -> dict[str, Any]:
    """The attributes of an N-CREATE that performs these worklist answers."""
    entries = list(offered)
    first = entries[0]
    step = first["ScheduledProcedureStepSequence"][0]
    return {
        "PatientName": first["PatientName"],
        "PatientID": first["PatientID"],
        "PatientBirthDate": first["PatientBirthDate"],
        "PatientSex": first["PatientSex"],
        "ReferencedPatientSequence": [],
        "PerformedProcedureStepID": f"PPS{number}",
        "PerformedStationAETitle": "PRODUCT",
        "PerformedStationName": "CT1",
        "PerformedLocation": "",
        "PerformedProcedureStepStartDate": "20260102",
        "PerformedProcedureStepStartTime": "104000",
        "PerformedProcedureStepStatus": "IN PROGRESS",
        "PerformedProcedureStepDescription": step["ScheduledProcedureStepDescription"],
        "PerformedProcedureTypeDescription": "",
        "ProcedureCodeSequence": first["RequestedProcedureCodeSequence"],
        "PerformedProcedureStepEndDate": "",
        "PerformedProcedureStepEndTime": "",
        "PerformedProcedureStepDiscontinuationReasonCodeSequence": [],
        "BillingProcedureStepSequence": [],
        "FilmConsumptionSequence": [],
        "BillingSuppliesAndDevicesSequence": [],
        "Modality": "CT",
        "StudyID": first["RequestedProcedureID"],
        "PerformedProtocolCodeSequence": step["ScheduledProtocolCodeSequence"],
        "PerformedSeriesSequence": [],
        "ScheduledStepAttributesSequence": [scheduled_item(e) for e in entries],
        **changes,
    }


def series_item(number: int, instances: Iterable[str], **changes: Any) -> dict[str, Any]:
    """A Performed Series item."""
    return {
        "PerformingPhysicianName": "",
        "ProtocolName": "Head",
        "OperatorsName": "",
        "SeriesInstanceUID": f"1.2.4.{number}",
        "SeriesDescription": "Axial",
        "RetrieveAETitle": "",
        "ReferencedImageSequence": [
            {"ReferencedSOPClassUID": SC_IMAGE, "ReferencedSOPInstanceUID": uid} for uid in instances
        ],
        "ReferencedNonImageCompositeSOPInstanceSequence": [],
        **changes,
    }


def ending(series: list[dict[str, Any]], status: str = "COMPLETED", **changes: Any) -> dict[str, Any]:
    """The attributes of a final N-SET."""
    return {
        "PerformedProcedureStepStatus": status,
        "PerformedProcedureStepEndDate": "20260102",
        "PerformedProcedureStepEndTime": "105000",
        "PerformedSeriesSequence": series,
        **changes,
    }


def image(
    created: Mapping[str, Any], uid: str, *, step_uid: str = "1.2.5.1", series: int = 1, **changes: Any
) -> dict[str, Any]:
    """An image of a performed step."""
    items = created["ScheduledStepAttributesSequence"]
    first = items[0]
    accessions = {item["AccessionNumber"] for item in items}
    kept = ("RequestedProcedureID", "ScheduledProcedureStepID", "ScheduledProcedureStepDescription")
    studies = {tuple(sorted(s.items())): s for item in items for s in item["ReferencedStudySequence"]}
    found: dict[str, Any] = {
        "SOPClassUID": SC_IMAGE,
        "SOPInstanceUID": uid,
        "StudyDate": "20260102",
        "StudyTime": "104000",
        "Modality": "CT",
        "ImageType": "ORIGINAL\\PRIMARY",
        **{k: created[k] for k in ("PatientName", "PatientID", "PatientBirthDate", "PatientSex", "StudyID")},
        "StudyInstanceUID": first["StudyInstanceUID"],
        "AccessionNumber": first["AccessionNumber"] if len(accessions) == 1 else "",
        "ReferencedStudySequence": list(studies.values()),
        "ReferringPhysicianName": "Sender^Sam",
        "SeriesInstanceUID": f"1.2.4.{series}",
        "SeriesNumber": str(series),
        "SeriesDescription": "Axial",
        "ProtocolName": "Head",
        "ProcedureCodeSequence": created["ProcedureCodeSequence"],
        "PerformedProtocolCodeSequence": created["PerformedProtocolCodeSequence"],
        "PerformedProcedureStepID": created["PerformedProcedureStepID"],
        "PerformedProcedureStepStartDate": created["PerformedProcedureStepStartDate"],
        "PerformedProcedureStepStartTime": created["PerformedProcedureStepStartTime"],
        "PerformedProcedureStepDescription": created["PerformedProcedureStepDescription"],
        "ReferencedPerformedProcedureStepSequence": [
            {"ReferencedSOPClassUID": MPPS, "ReferencedSOPInstanceUID": step_uid}
        ],
        "RequestAttributesSequence": [
            {**{k: item[k] for k in kept}, "ScheduledProtocolCodeSequence": item["ScheduledProtocolCodeSequence"]}
            for item in items
            if item["ScheduledProcedureStepID"]
        ],
        "InstanceNumber": uid.rsplit(".", 1)[-1],
        "Rows": 2,
        "Columns": 2,
        "BitsAllocated": 8,
        "BitsStored": 8,
        "HighBit": 7,
        "PixelRepresentation": 0,
        "SamplesPerPixel": 1,
        "PhotometricInterpretation": "MONOCHROME2",
        "ConversionType": "WSD",
        "PatientOrientation": "",
        "PixelData": b"\1\2\3\4",
    }
    if not found["RequestAttributesSequence"]:
        del found["RequestAttributesSequence"]
    return {**found, **changes}


MODALITY = Declaration(
    actors=frozenset({"Acquisition Modality"}),
    profiles=frozenset({"SWF", "SWF.b"}),
    options=frozenset(
        {
            "Patient-Based Worklist Query",
            "Broad Worklist Query",
            "Assisted Acquisition Protocol Setting",
            "Billing and Material Management",
            "PPS Exception Management",
            "Modality Group Case",
        }
    ),
    ae_titles=frozenset({"PRODUCT"}),
)


def worklist_query(
    story: Story, entries: Iterable[Mapping[str, Any]], identifier: dict[str, Any] | None = None
) -> None:
    """The modality asks the worklist and gets these answers."""
    number = sum(event.kind == "C-FIND-RQ" for event in story.events) or ""
    name = f"query{number}"
    story.ask(name, "C-FIND-RQ", FROM_SUT, MWL_FIND, identifier or keys(), status=None)
    for index, found in enumerate(entries):
        story.answer(name, 0xFF00 if index % 2 == 0 else 0xFF01, dict(found), name=f"{name} match{index + 1}")
    story.answer(name, 0, name=f"{name} answer")


def references(uids: Iterable[str]) -> list[dict[str, str]]:
    """Items of a Referenced SOP Sequence."""
    return [{"ReferencedSOPClassUID": SC_IMAGE, "ReferencedSOPInstanceUID": uid} for uid in uids]


def exam(*offered: dict[str, Any], action: str = "perform-step", billing: bool = True) -> Story:
    """A good exam of a modality: query, step, two images, end, commitment on another association."""
    entries = list(offered) or [entry()]
    story = Story(MODALITY)
    story.associate("association", FROM_SUT, (MWL_FIND, MPPS, SC_IMAGE, COMMITMENT), 1)
    ids = [e["ScheduledProcedureStepSequence"][0]["ScheduledProcedureStepID"] for e in entries]
    if action != "perform-unscheduled":
        story.fact("ACTION", "action", action=action, parameters={"step_ids": ids, "end": "completed"})
        worklist_query(story, entries)
    else:
        story.fact("ACTION", "action", action=action, parameters={"patient": "Doe^Jane"})
    created = creation(entries)
    if len({e["RequestedProcedureID"] for e in entries}) > 1:
        for item in created["ScheduledStepAttributesSequence"]:
            item["StudyInstanceUID"] = "1.2.9.1"
        created["StudyID"] = "NEW"
    perform(story, created)
    return story


def perform(story: Story, created: dict[str, Any], number: int = 1, *, commit: bool = True) -> None:
    """N-CREATE, two images, N-SET and commitment; event names carry the number unless it is 1."""
    tail = "" if number == 1 else str(number)
    uid = f"1.2.5.{number}"
    instances = [f"1.2.6.{number}.{index}" for index in (1, 2)]
    story.ask(f"create{tail}", "N-CREATE-RQ", FROM_SUT, MPPS, created, instance=uid)
    for index, instance in enumerate(instances, start=1):
        content = image(created, instance, step_uid=uid, series=number)
        story.ask(
            f"image{tail}{index if not tail else f'-{index}'}",
            "C-STORE-RQ",
            FROM_SUT,
            SC_IMAGE,
            content,
            instance=instance,
        )
    billing: dict[str, Any] = {
        "BillingProcedureStepSequence": [code("B1")],
        "FilmConsumptionSequence": [{"NumberOfFilms": "1", "MediumType": "PAPER", "FilmSizeID": "A4"}],
        "BillingSuppliesAndDevicesSequence": [
            {"BillingItemSequence": [code("S1")], "QuantitySequence": [{"Quantity": "1"}]}
        ],
    }
    story.ask(
        f"end{tail}", "N-SET-RQ", FROM_SUT, MPPS, ending([series_item(number, instances)], **billing), instance=uid
    )
    if commit:
        transaction = f"1.2.7.{number}"
        data = {"TransactionUID": transaction, "ReferencedSOPSequence": references(instances)}
        story.ask(
            f"commit{tail}",
            "N-ACTION-RQ",
            FROM_SUT,
            COMMITMENT,
            data,
            instance=COMMITMENT_INSTANCE,
            fields={"ActionTypeID": 1},
        )
        story.add(Event(f"release{tail}", "A-RELEASE-RQ", FROM_SUT, association=1))
        story.associate(f"call{tail}", TO_SUT, (COMMITMENT,), 10 + number, roles=True)
        story.ask(
            f"result{tail}",
            "N-EVENT-REPORT-RQ",
            TO_SUT,
            COMMITMENT,
            dict(data),
            instance=COMMITMENT_INSTANCE,
            fields={"EventTypeID": 1},
            association=10 + number,
        )


def unscheduled() -> Story:
    """A good exam without a worklist entry."""
    blank = entry()
    story = exam(blank, action="perform-unscheduled")
    item = story.data("create")["ScheduledStepAttributesSequence"][0]
    for keyword in list(item):
        item[keyword] = [] if isinstance(item[keyword], list) else ""
    item["StudyInstanceUID"] = "1.2.9.9"
    created = story.data("create")
    created.update(StudyID="U1", ProcedureCodeSequence=[], PerformedProtocolCodeSequence=[])
    for name in ("image1", "image2"):
        own = story.data(name)
        story[name].data = image(created, own["SOPInstanceUID"])
    return story


def append() -> Story:
    """A good exam whose scheduled step is performed twice."""
    story = exam()
    story.fact("ACTION", "action2", action="append-to-step", parameters={"step_ids": ["SPS1"]})
    perform(story, creation([entry()], 2, PerformedProcedureStepStartTime="110000"), 2)
    for name in ("image2-1", "image2-2"):
        story.data(name)["PerformedProcedureStepStartTime"] = "110000"
    story.data("end2")["PerformedProcedureStepEndTime"] = "111000"
    return story
