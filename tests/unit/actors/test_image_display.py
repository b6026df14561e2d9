"""What the simulated display asks: names beyond ASCII, parts of sequences, and nothing that is of a level above."""

from __future__ import annotations

from typing import Any

import pytest
from pydicom.dataset import Dataset

from harness.actors.archive_keys import Level
from harness.actors.image_display import ImageDisplay, ImageDisplayBehaviour, identifier
from harness.actors.image_manager import ImageManager
from harness.core.transcript import Transcript
from harness.protocols.dicom.datasets import encode


@pytest.mark.parametrize(
    ("terms", "name", "written"),
    [
        (("", "ISO 2022 IR 149"), "*홍^길동*", b"*\x1b$)C\xc8\xab^\x1b$)C\xb1\xe6\xb5\xbf*"),
        (("", "ISO 2022 IR 87"), "*山田^太郎*", b"*\x1b$B;3ED\x1b(B^\x1b$BB@O:\x1b(B*"),
        (("GB18030",), "*王^小东*", b"*\xcd\xf5^\xd0\xa1\xb6\xab*"),
        (("ISO_IR 192",), "Müller*", b"M\xc3\xbcller*"),
        (("ISO_IR 100",), "Müller*", b"M\xfcller*"),
    ],
)
def test_a_wildcard_stands_outside_of_the_escape_sequences(terms: tuple[str, ...], name: str, written: bytes) -> None:
    asked = identifier(Level.STUDY, {"PatientName": name}, (), character_set=terms)
    assert written in encode(asked, "1.2.840.10008.1.2")
    assert str(asked.PatientName) == name


def test_a_name_that_the_character_set_lacks_is_asked_all_the_same() -> None:
    asked = identifier(Level.STUDY, {"PatientName": "홍*"}, (), character_set=())
    assert str(asked.PatientName) == "홍*"


def test_request_attributes_are_asked_item_by_item() -> None:
    (item,) = identifier(Level.SERIES, {}).RequestAttributesSequence
    assert sorted(element.keyword for element in item) == ["RequestedProcedureID", "ScheduledProcedureStepID"]


@pytest.mark.parametrize(("patient_root", "demographics"), [(False, True), (True, False)])
def test_what_a_patient_has_is_not_asked_of_studies_in_patient_root(patient_root: bool, demographics: bool) -> None:
    seen: list[Dataset] = []

    def asked(question: Dataset) -> Dataset:
        seen.append(question)
        return question

    transcript = Transcript()
    with (
        ImageManager("ARCHIVE", transcript) as archive,
        ImageDisplay("DISPLAY", transcript, behaviour=ImageDisplayBehaviour(asked=asked)) as display,
    ):
        keys: dict[str, Any] = {"PatientID": "P-1"}
        assert display.query(archive.address, Level.STUDY, keys, patient_root=patient_root).status == 0
    assert ("PatientBirthDate" in seen[0]) is demographics
    assert "StudyInstanceUID" in seen[0]
    assert seen[0].PatientID == "P-1"


@pytest.mark.parametrize(("key", "status"), [("P-1", 0x0000), ("P*", 0xA900), ("", 0xA900)])
def test_the_archive_wants_one_patient_above_a_study_of_patient_root(key: str, status: int) -> None:
    transcript = Transcript()
    with ImageManager("ARCHIVE", transcript) as archive, ImageDisplay("DISPLAY", transcript) as display:
        replies = display.query(archive.address, Level.STUDY, {"PatientID": key}, patient_root=True)
    assert replies.status == status
