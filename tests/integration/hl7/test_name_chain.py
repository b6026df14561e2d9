"""One patient from the HL7 order to the answer of the archive, byte for byte as PS3.5 annexes H to K print the names.

ADT and Order Placer speak HL7 in the patient's character set, the DSS/Order Filler offers the worklist, the reference
modality reports the step and stores the images, and the archive is asked for the patient.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from pydicom import Dataset

from harness.actors.image_manager import ImageManager
from harness.actors.order_filler import OrderFiller
from harness.actors.orders.values import PersonName
from harness.actors.worklist import item_from_mapping
from harness.core.message import Direction
from harness.core.transcript import Transcript
from harness.modality.config import from_mapping
from harness.modality.service import Modality
from harness.protocols.dicom.node import Address, Node, Proposal
from harness.protocols.dicom.uids import STUDY_ROOT_FIND
from tests.integration.hl7.department import ORDER, PATIENT, VISIT, department
from tests.integration.hl7.test_worklist_chain import SCRIPTS, worklist

NON_LATIN = [script for script in SCRIPTS if "8859/1" not in script[1]]


def configuration(filler: Address, archive: Address) -> dict[str, object]:
    """Settings of a modality that gets its worklist here and sends its images there."""
    nodes = dict.fromkeys(("mwl", "mpps"), filler) | dict.fromkeys(("storage", "qr", "commitment"), archive)
    return {
        "nodes": {
            name: {"ae_title": at.ae_title, "host": at.host, "port": at.port, "enabled": True}
            for name, at in nodes.items()
        },
        "local": {"port": 0},
        "timeouts": {"connect": 5.0, "associate": 10.0, "response": 20.0, "commitment": 20.0},
    }


def found_by(archive: ImageManager, transcript: Transcript, terms: list[str], **keys: str) -> list[Dataset]:
    """Studies by these keys, asked in the character set of the patient."""
    identifier = Dataset()
    identifier.SpecificCharacterSet = terms
    identifier.QueryRetrieveLevel, identifier.StudyInstanceUID = "STUDY", ""
    identifier.PatientName = identifier.PatientID = ""
    for keyword, value in keys.items():
        setattr(identifier, keyword, value)
    asker = Node("ASKER", transcript, actor="Image Display")
    with asker.connect(archive.address, [Proposal(STUDY_ROOT_FIND)]) as link:
        return [answer.dataset() for answer in link.find(STUDY_ROOT_FIND, identifier) if answer.status == 0xFF00]


def raw_names(transcript: Transcript, kind: str, direction: Direction, raw: bytes) -> list[bool]:
    """For each message of a kind with a data set: whether the name is in it byte for byte."""
    messages = transcript.select(kind, direction=direction)
    return [raw in payload for payload in (m.payload.bytes() for m in messages) if payload]


def examine(modality: Modality) -> None:
    """Perform the first step of the worklist with one image."""
    modality.registration.worklist()
    exam = int(modality.registration.register(items=(1,))["exam"])
    modality.examination.start(exam)
    modality.examination.expose(exam, count=1)
    modality.examination.end(exam)


@pytest.mark.parametrize(("name", "sets", "terms", "raw"), NON_LATIN, ids=[sets[-1] for _, sets, _, _ in NON_LATIN])
def test_a_name_goes_from_the_order_to_the_archive_unchanged(
    tmp_path: Path, name: str, sets: tuple[str, ...], terms: list[str], raw: bytes
) -> None:
    patient = replace(PATIENT, name=PersonName.parse(name))
    order = replace(ORDER, service=replace(ORDER.service, value="CT-HEAD", meaning="CT of the head"))
    imaging, display = Transcript(), Transcript()
    with (
        department("2.5.1", character_sets=sets) as d,
        worklist(d) as filler,
        ImageManager("ARCHIVE", imaging) as archive,
        Modality(
            tmp_path / "home", settings=from_mapping(configuration(filler.address, archive.address)), seed=1
        ) as modality,
    ):
        archive.know(Address("REFMOD", "127.0.0.1", modality.listen()))
        for delivery in d.adt.register(patient, VISIT):
            assert delivery.wait(10) is not None
        _, delivery = d.placer.place(patient, VISIT, order)
        assert delivery.wait(10) is not None
        sent = d.transcripts["Order Placer"].select("OMG^O19", direction=Direction.TO_SUT)[0].payload.bytes()

        examine(modality)
        d.settle()
        by_id = found_by(archive, display, terms, PatientID="4711")
        by_name = found_by(archive, display, terms, PatientName=f"*{name.split('=')[1]}*")

    assert name.split("=")[1].split("^")[0].encode({"KS X 1001": "euc_kr", "GB 18030-2000": "gb18030",
        "UNICODE UTF-8": "utf-8"}.get(sets[-1], "iso2022_jp")).removesuffix(b"\x1b(B") in sent  # fmt: skip
    steps = filler.recorder
    assert isinstance(steps, Transcript)
    assert raw_names(steps, "C-FIND-RSP", Direction.TO_SUT, raw) == [True]
    assert raw_names(steps, "N-CREATE-RQ", Direction.FROM_SUT, raw) == [True]
    assert raw_names(imaging, "C-STORE-RQ", Direction.FROM_SUT, raw) == [True]
    assert raw_names(imaging, "C-FIND-RSP", Direction.TO_SUT, raw) == [True, True]
    for found in (by_id, by_name):
        (study,) = found
        declared = study.SpecificCharacterSet
        assert ([declared] if isinstance(declared, str) else list(declared)) == terms
        assert str(study.PatientName).rstrip("=") == name
    for transcript in (steps, imaging, display, *d.transcripts.values()):
        assert not transcript.faults


#: PS3.5 annex K, which HL7 table 0211 has no name for: such a patient enters at the department
GB2312 = ("Zhang^XiaoDong=张^小东", ["", "ISO 2022 IR 58"], b"Zhang^XiaoDong=\x1b$)A\xd5\xc5^\x1b$)A\xd0\xa1\xb6\xab")


def test_a_name_in_gb_2312_goes_from_the_worklist_to_the_archive_unchanged(tmp_path: Path) -> None:
    name, terms, raw = GB2312
    steps, imaging, display = Transcript(), Transcript(), Transcript()
    with (
        OrderFiller("FILLER", steps) as filler,
        ImageManager("ARCHIVE", imaging) as archive,
        Modality(
            tmp_path / "home", settings=from_mapping(configuration(filler.address, archive.address)), seed=1
        ) as modality,
    ):
        archive.know(Address("REFMOD", "127.0.0.1", modality.listen()))
        filler.schedule(
            item_from_mapping(
                {
                    "SpecificCharacterSet": terms,
                    "PatientName": name,
                    "PatientID": "4711",
                    "PatientSex": "M",
                    "AccessionNumber": "A1",
                    "RequestedProcedureID": "R1",
                    "StudyInstanceUID": "1.2.3.4",
                    "ScheduledProcedureStepSequence": [
                        {
                            "ScheduledProcedureStepID": "S1",
                            "Modality": "CT",
                            "ScheduledProcedureStepStartDate": "20260102",
                            "ScheduledProcedureStepStartTime": "090000",
                        }
                    ],
                }
            )
        )
        examine(modality)
        found = found_by(archive, display, terms, PatientID="4711")
    assert raw_names(steps, "C-FIND-RSP", Direction.TO_SUT, raw) == [True]
    assert raw_names(steps, "N-CREATE-RQ", Direction.FROM_SUT, raw) == [True]
    assert raw_names(imaging, "C-STORE-RQ", Direction.FROM_SUT, raw) == [True]
    assert raw_names(imaging, "C-FIND-RSP", Direction.TO_SUT, raw) == [True]
    # pydicom leaves the escape sequences of this set in the text: the bytes above are what counts
    assert len(found) == 1
