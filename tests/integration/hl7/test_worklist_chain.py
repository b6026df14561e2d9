"""HL7 in, worklist out, performed step in, HL7 out: the two sides of the DSS/Order Filler on one order book."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from pydicom import Dataset

from harness.actors.image_manager import ImageManager
from harness.actors.order_filler import OrderFiller
from harness.actors.orders.adt import ADT, PatientRegistration
from harness.actors.orders.archive import schedule_receiver
from harness.actors.orders.endpoint import Destination, HL7Endpoint
from harness.actors.orders.hl7 import Application
from harness.actors.orders.placer import ORDER_PLACER
from harness.actors.orders.schedule import IMAGE_MANAGER
from harness.actors.orders.values import PersonName
from harness.actors.performed_steps import PerformedStep
from harness.core.message import Direction
from harness.core.transcript import Transcript
from harness.protocols.dicom.node import Node, Proposal
from harness.protocols.dicom.uids import MODALITY_WORKLIST, MPPS, STUDY_ROOT_FIND
from harness.protocols.hl7.message import HL7Message
from tests.integration.hl7.department import ORDER, PATIENT, QUICK, VISIT, Department, department

#: name, MSH-18, Specific Character Set, bytes of the Patient's Name as PS3.5 annexes H to K print them
SCRIPTS = [
    (
        "Yamada^Tarou=山田^太郎=やまだ^たろう",
        ("ASCII", "ISO IR87"),
        ["", "ISO 2022 IR 87"],
        b"Yamada^Tarou=\x1b$B;3ED\x1b(B^\x1b$BB@O:\x1b(B=\x1b$B$d$^$@\x1b(B^\x1b$B$?$m$&\x1b(B",
    ),
    (
        "Hong^Gildong=洪^吉洞=홍^길동",
        ("KS X 1001",),
        ["", "ISO 2022 IR 149"],
        b"Hong^Gildong=\x1b$)C\xfb\xf3^\x1b$)C\xd1\xce\xd4\xd7=\x1b$)C\xc8\xab^\x1b$)C\xb1\xe6\xb5\xbf",
    ),
    (
        "Wang^XiaoDong=王^小东",
        ("GB 18030-2000",),
        ["GB18030"],
        b"Wang^XiaoDong=\xcd\xf5^\xd0\xa1\xb6\xab",
    ),
    (
        "Wang^XiaoDong=王^小東",
        ("UNICODE UTF-8",),
        ["ISO_IR 192"],
        b"Wang^XiaoDong=\xe7\x8e\x8b^\xe5\xb0\x8f\xe6\x9d\xb1",
    ),
    ("Buc^Jérôme", ("8859/1",), ["ISO_IR 100"], b"Buc^J\xe9r\xf4me"),
]
BOTH = pytest.mark.parametrize("version", ["2.3.1", "2.5.1"])


@contextmanager
def worklist(d: Department) -> Iterator[OrderFiller]:
    """The DICOM side of the filler, on the book of its HL7 side."""
    with OrderFiller("FILLER", Transcript(), book=d.filler.book) as actor:

        def follow(step: PerformedStep) -> None:
            d.filler.steps_changed(step.scheduled_step_ids)

        actor.on_step.append(follow)
        yield actor


def query(actor: OrderFiller, **keys: str) -> list[Dataset]:
    identifier = Dataset()
    for keyword in ("PatientName", "PatientID", "AccessionNumber", "StudyInstanceUID", "MedicalAlerts", "PatientState",
                    "RequestingPhysician", "ReferringPhysicianName", "ReasonForTheRequestedProcedure",
                    "PatientTransportArrangements", "CurrentPatientLocation", "RequestedProcedureID"):  # fmt: skip
        setattr(identifier, keyword, keys.get(keyword, ""))
    step = Dataset()
    step.ScheduledProcedureStepID, step.Modality, step.ScheduledProcedureStepStartDate = "", "", ""
    identifier.ScheduledProcedureStepSequence = [step]
    asker = Node("ASKER", Transcript(), actor="Acquisition Modality")
    with asker.connect(actor.address, [Proposal(MODALITY_WORKLIST)]) as link:
        return [answer.dataset() for answer in link.find(MODALITY_WORKLIST, identifier) if answer.status == 0xFF00]


@BOTH
@pytest.mark.parametrize(("name", "sets", "terms", "raw"), SCRIPTS, ids=[sets[-1] for _, sets, _, _ in SCRIPTS])
def test_a_name_reaches_the_worklist_in_the_bytes_of_the_standard(
    version: str, name: str, sets: tuple[str, ...], terms: list[str], raw: bytes
) -> None:
    with department(version, character_sets=sets) as d, worklist(d) as actor:
        patient = replace(PATIENT, name=PersonName.parse(name))
        for delivery in d.adt.register(patient, VISIT):
            assert delivery.wait(5) is not None
        _, delivery = d.placer.place(patient, VISIT, ORDER)
        assert delivery.wait(5) is not None
        found = query(actor, PatientID="4711")
        assert len(found) == 2
        for answer in found:
            declared = answer.SpecificCharacterSet
            assert ([declared] if isinstance(declared, str) else list(declared)) == terms
            assert str(answer.PatientName).rstrip("=") == name
            element = answer.get_item("PatientName")
            original = getattr(answer["PatientName"].value, "original_string", None) or element.value
            assert bytes(original).rstrip(b" ") == raw


@BOTH
def test_order_details_reach_their_worklist_attributes(version: str) -> None:
    with department(version) as d, worklist(d) as actor:
        order, delivery = d.placer.place(PATIENT, VISIT, ORDER)
        assert delivery.wait(5) is not None
        (answer, _) = query(actor, PatientID="4711")
        assert answer.PatientState == "MRSA"
        assert answer.MedicalAlerts == "headache"
        assert answer.PatientTransportArrangements == "WHEELCHAIR"
        assert answer.ReasonForTheRequestedProcedure == "exclude tumour"
        assert str(answer.RequestingPhysician) == "Ordering^Olga^^Dr"
        assert str(answer.ReferringPhysicianName) == "Referring^Rita"
        assert answer.ScheduledProcedureStepSequence[0].ScheduledProcedureStepStartDate == "20260102"
        assert order.placer_number.value


@BOTH
def test_a_cancel_and_a_merge_are_seen_on_the_worklist(version: str) -> None:
    with department(version) as d, worklist(d) as actor:
        old = replace(PATIENT, identifier=replace(PATIENT.identifier, value="TEMP"))
        order, delivery = d.placer.place(old, VISIT, ORDER)
        assert delivery.wait(5) is not None
        assert len(query(actor, PatientID="TEMP")) == 2
        for delivery in d.adt.merge(PATIENT, old):
            assert delivery.wait(5) is not None
        assert query(actor, PatientID="TEMP") == []
        assert len(query(actor, PatientID="4711")) == 2
        _, delivery = d.placer.cancel(order)
        assert delivery.wait(5) is not None
        assert query(actor, PatientID="4711") == []


@BOTH
def test_performed_steps_are_told_to_the_placer(version: str) -> None:
    with department(version) as d, worklist(d) as actor:
        _, delivery = d.placer.place(PATIENT, VISIT, ORDER)
        assert delivery.wait(5) is not None
        entries = query(actor, PatientID="4711")
        modality = Node("MODALITY", Transcript(), actor="Acquisition Modality")
        with modality.connect(actor.address, [Proposal(MPPS)]) as link:
            for number, entry in enumerate(entries, 1):
                create = step_of(entry)
                assert link.n_create(MPPS, f"1.2.3.{number}", create).status == 0
                done = Dataset()
                done.PerformedProcedureStepStatus = "COMPLETED"
                done.PerformedProcedureStepEndDate, done.PerformedProcedureStepEndTime = "20260102", "100000"
                done.PerformedSeriesSequence = [series()]
                assert link.n_set(MPPS, f"1.2.3.{number}", done).status == 0
        d.settle()
        kind = "ORM^O01" if version == "2.3.1" else "OMG^O19"
        told = d.transcripts[ORDER_PLACER].select(kind, direction=Direction.FROM_SUT)
        messages = [HL7Message(message.payload.bytes()) for message in told]
        assert [(m["ORC-1"], m["ORC-5"]) for m in messages] == [("SC", "IP"), ("SC", "CM")]


def step_of(entry: Dataset) -> Dataset:
    create, item = Dataset(), Dataset()
    item.StudyInstanceUID, item.RequestedProcedureID = entry.StudyInstanceUID, entry.RequestedProcedureID
    item.ReferencedStudySequence, item.AccessionNumber = [], entry.AccessionNumber
    item.RequestedProcedureDescription, item.ScheduledProcedureStepDescription = "", ""
    item.ScheduledProcedureStepID = entry.ScheduledProcedureStepSequence[0].ScheduledProcedureStepID
    item.ScheduledProtocolCodeSequence = []
    create.ScheduledStepAttributesSequence = [item]
    create.PatientName, create.PatientID = entry.PatientName, entry.PatientID
    create.PatientBirthDate, create.PatientSex = "", ""
    create.ReferencedPatientSequence, create.ProcedureCodeSequence = [], []
    create.PerformedProcedureStepID, create.PerformedStationAETitle = "PPS1", "MODALITY"
    create.PerformedStationName, create.PerformedLocation, create.StudyID = "", "", ""
    create.PerformedProcedureStepStartDate, create.PerformedProcedureStepStartTime = "20260102", "090000"
    create.PerformedProcedureStepEndDate, create.PerformedProcedureStepEndTime = "", ""
    create.PerformedProcedureStepStatus, create.PerformedProcedureStepDescription = "IN PROGRESS", ""
    create.PerformedProcedureTypeDescription, create.Modality = "", "MR"
    create.PerformedProtocolCodeSequence, create.PerformedSeriesSequence = [], []
    return create


def series() -> Dataset:
    item = Dataset()
    item.PerformingPhysicianName, item.ProtocolName, item.OperatorsName = "", "T1", ""
    item.SeriesInstanceUID, item.SeriesDescription, item.RetrieveAETitle = "1.2.3.9", "", ""
    item.ReferencedImageSequence, item.ReferencedNonImageCompositeSOPInstanceSequence = [], []
    return item


@BOTH
def test_an_archive_follows_updates_and_merges_before_they_are_acknowledged(version: str, tmp_path: Path) -> None:
    transcript = Transcript()
    endpoint = HL7Endpoint(
        transcript, actor=IMAGE_MANAGER, application=Application("IM1", "HOSP"), version=version, timeouts=QUICK
    )
    with ImageManager("ARCHIVE", transcript) as archive, schedule_receiver(endpoint, archive) as receiver:
        archive.load([image()], "1.2.840.10008.1.2.1")
        adt = PatientRegistration(
            HL7Endpoint(
                transcript, actor=ADT, application=Application("ADT1", "HOSP"), version=version, timeouts=QUICK
            ),
            [Destination(IMAGE_MANAGER, "127.0.0.1", receiver.endpoint.port, Application("IM1", "HOSP"))],
        )
        with adt:
            renamed = replace(PATIENT, name=PersonName("Hong^Gildong=洪^吉洞"))
            for delivery in adt.update(renamed, VISIT):
                assert delivery.wait(5) is not None
                assert delivery.code == "AA"
            assert [str(found.PatientName) for found in studies(archive, "4711")] == ["Hong^Gildong=洪^吉洞"]
            survivor = replace(renamed, identifier=replace(PATIENT.identifier, value="5000"))
            for delivery in adt.merge(survivor, renamed):
                assert delivery.wait(5) is not None
                assert delivery.code == "AA"
            assert studies(archive, "4711") == []
            assert [found.StudyInstanceUID for found in studies(archive, "5000")] == ["1.2.3.7"]


def image() -> Dataset:
    ds = Dataset()
    ds.SOPClassUID, ds.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.2", "1.2.3.7.1.1"
    ds.StudyInstanceUID, ds.SeriesInstanceUID, ds.Modality = "1.2.3.7", "1.2.3.7.1", "CT"
    ds.PatientName, ds.PatientID, ds.IssuerOfPatientID = "Miller^Anna", "4711", "HOSP"
    ds.PatientBirthDate, ds.PatientSex = "19700203", "F"
    ds.StudyDate, ds.StudyTime, ds.AccessionNumber, ds.StudyID = "20260102", "100000", "A1", "1"
    return ds


def studies(archive: ImageManager, patient_id: str) -> list[Dataset]:
    identifier = Dataset()
    identifier.QueryRetrieveLevel, identifier.PatientID, identifier.PatientName = "STUDY", patient_id, ""
    identifier.StudyInstanceUID = ""
    asker = Node("ASKER", Transcript(), actor="Image Display")
    with asker.connect(archive.address, [Proposal(STUDY_ROOT_FIND)]) as link:
        return [answer.dataset() for answer in link.find(STUDY_ROOT_FIND, identifier) if answer.status == 0xFF00]
