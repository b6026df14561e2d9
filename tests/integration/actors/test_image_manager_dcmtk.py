"""The simulated Image Manager/Archive against DCMTK: storage, query, move, get."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pydicom
import pytest

from harness.actors import objects
from harness.actors.image_manager import ImageManager
from harness.core.message import Direction
from harness.core.transcript import Transcript
from harness.protocols.dicom.node import Address, Node, Request, Response
from harness.protocols.dicom.uids import STORAGE
from tests.integration.actors.tools import run

pytestmark = pytest.mark.peer("dcmtk")

SAMPLES = objects.make(objects.archive_plan(), objects.uid_source(11))


@pytest.fixture
def files(tmp_path: Path) -> Path:
    folder = tmp_path / "files"
    folder.mkdir()
    for number, sample in enumerate(SAMPLES):
        sample.dataset.save_as(folder / f"{number:03}.dcm", enforce_file_format=True)
    return folder


@pytest.fixture
def transcript() -> Transcript:
    return Transcript()


@pytest.fixture
def archive(transcript: Transcript, tmp_path: Path) -> Iterator[ImageManager]:
    with ImageManager("ARCHIVE", transcript, storage=tmp_path / "archive") as manager:
        yield manager
    assert [fault.error for fault in transcript.faults] == []


def to(manager: ImageManager) -> list[str]:
    return ["-aec", manager.ae_title, "127.0.0.1", str(manager.port)]


def find(manager: ImageManager, *keys: str, model: str = "-S") -> list[pydicom.Dataset]:
    folder = Path(manager.archive.directory).parent / "responses"
    folder.mkdir(exist_ok=True)
    for old in folder.iterdir():
        old.unlink()
    arguments = [part for key in keys for part in ("-k", key)]
    run("findscu", model, "-X", "-od", folder, *arguments, *to(manager))
    return [pydicom.dcmread(path, force=True) for path in sorted(folder.iterdir())]


def test_objects_are_stored_found_and_kept_over_a_restart(
    archive: ImageManager, transcript: Transcript, files: Path, tmp_path: Path
) -> None:
    run("echoscu", *to(archive))
    run("storescu", "+sd", "+r", *to(archive), files)
    assert archive.archive.index.counts() == {"patient": 5, "study": 10, "series": 15, "instance": 30}
    run("storescu", "+sd", *to(archive), files)
    assert archive.archive.index.counts()["instance"] == 30
    requests = transcript.select("C-STORE-RQ", direction=Direction.FROM_SUT)
    assert len(requests) == 60
    archive.stop()
    with ImageManager("ARCHIVE", transcript, storage=tmp_path / "archive") as again:
        assert len(find(again, "QueryRetrieveLevel=STUDY", "StudyInstanceUID")) == 10
        stored = again.archive.index.instance(SAMPLES[0].sop_instance)
        assert stored is not None
        assert pydicom.dcmread(stored.path).PixelData == SAMPLES[0].dataset.PixelData


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ((), 10),
        (("PatientName=adams*",), 2),
        (("PatientName=*tarou",), 2),
        (("PatientID=P-1003",), 2),
        (("AccessionNumber=ACC2A",), 1),
        (("StudyDate=20260110-20260112",), 3),
        (("StudyDate=20260201-",), 5),
        (("StudyDate=20260114", "StudyTime=130000-140000"), 1),
        (("ModalitiesInStudy=MR",), 2),
        (("ModalitiesInStudy=OT", "PatientID=P-1001"), 1),
        (("StudyID=ST3B",), 1),
        (("ReferringPhysicianName=Zweig*",), 5),
        (("PatientID=P-1001", "AccessionNumber=ACC2A"), 0),
    ],
)
def test_study_keys_narrow_as_they_should(archive: ImageManager, keys: tuple[str, ...], expected: int) -> None:
    archive.load([sample.dataset for sample in SAMPLES], "1.2.840.10008.1.2.1")
    found = find(archive, "QueryRetrieveLevel=STUDY", "StudyInstanceUID", *keys)
    assert len(found) == expected
    assert all(answer.RetrieveAETitle == "ARCHIVE" and answer.QueryRetrieveLevel == "STUDY" for answer in found)


def test_computed_values_and_lower_levels(archive: ImageManager) -> None:
    archive.load([sample.dataset for sample in SAMPLES], "1.2.840.10008.1.2")
    (study,) = find(
        archive,
        "QueryRetrieveLevel=STUDY",
        "AccessionNumber=ACC1A",
        "StudyInstanceUID",
        "PatientName",
        "ModalitiesInStudy",
        "NumberOfStudyRelatedSeries",
        "NumberOfStudyRelatedInstances",
        "PatientBirthDate",
    )
    assert str(study.PatientName) == "Yamada^Tarou=山田^太郎=やまだ^たろう"
    assert list(study.ModalitiesInStudy) == ["CT", "OT"]
    assert (study.NumberOfStudyRelatedSeries, study.NumberOfStudyRelatedInstances) == (2, 4)
    assert study.PatientBirthDate == "19620817"
    uid = f"StudyInstanceUID={study.StudyInstanceUID}"
    series = find(
        archive, "QueryRetrieveLevel=SERIES", uid, "SeriesInstanceUID", "Modality=CT", "NumberOfSeriesRelatedInstances"
    )
    assert [answer.NumberOfSeriesRelatedInstances for answer in series] == [3]
    images = find(
        archive,
        "QueryRetrieveLevel=IMAGE",
        uid,
        f"SeriesInstanceUID={series[0].SeriesInstanceUID}",
        "SOPInstanceUID",
        "InstanceNumber=2",
        "SOPClassUID",
        "Rows",
    )
    assert [(image.InstanceNumber, image.Rows) for image in images] == [(2, 16)]
    patients = find(archive, "QueryRetrieveLevel=PATIENT", "PatientID", "NumberOfPatientRelatedStudies", model="-P")
    assert [answer.NumberOfPatientRelatedStudies for answer in patients] == [2] * 5


def test_pending_says_whether_every_key_was_supported(archive: ImageManager, transcript: Transcript) -> None:
    archive.load([SAMPLES[0].dataset], "1.2.840.10008.1.2")
    find(archive, "QueryRetrieveLevel=STUDY", "StudyInstanceUID")
    find(archive, "QueryRetrieveLevel=STUDY", "StudyInstanceUID", "EchoTime")
    answers = transcript.select("C-FIND-RSP", direction=Direction.TO_SUT)
    assert [answer.fields["Status"] for answer in answers] == [0xFF00, 0, 0xFF01, 0]


def test_a_query_without_the_unique_key_above_is_refused(archive: ImageManager, transcript: Transcript) -> None:
    archive.load([SAMPLES[0].dataset], "1.2.840.10008.1.2")
    run("findscu", "-S", "-k", "QueryRetrieveLevel=SERIES", "-k", "SeriesInstanceUID", *to(archive), expect=None)
    run("findscu", "-S", "-k", "QueryRetrieveLevel=PATIENT", "-k", "PatientID", *to(archive), expect=None)
    answers = transcript.select("C-FIND-RSP", direction=Direction.TO_SUT)
    assert [answer.fields["Status"] for answer in answers] == [0xA900, 0xA900]


def test_get_delivers_exactly_what_was_asked(archive: ImageManager, tmp_path: Path) -> None:
    archive.load([sample.dataset for sample in SAMPLES], "1.2.840.10008.1.2.1")
    study = SAMPLES[0].dataset.StudyInstanceUID
    out = tmp_path / "got"
    out.mkdir()
    run("getscu", "-S", "-od", out, "-k", "QueryRetrieveLevel=STUDY", "-k", f"StudyInstanceUID={study}", *to(archive))
    got = {str(pydicom.dcmread(path).SOPInstanceUID) for path in out.iterdir()}
    assert got == {s.sop_instance for s in SAMPLES if s.dataset.StudyInstanceUID == study}


class Receiver:
    """A storage SCP of ours that can refuse some SOP classes."""

    def __init__(self, transcript: Transcript, refuse: str = "") -> None:
        self.received: list[str] = []
        self._refuse = refuse
        self.node = Node("RECEIVER", transcript, actor="Image Display")
        self.node.serve(STORAGE, self._store)

    def _store(self, request: Request) -> Response:
        if request.abstract_syntax == self._refuse:
            return Response(0xA700)
        self.received.append(str(request.command["AffectedSOPInstanceUID"]))
        return Response()

    def __enter__(self) -> Receiver:
        self.node.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.node.stop()

    @property
    def address(self) -> Address:
        return Address("RECEIVER", "127.0.0.1", self.node.port)


def move(manager: ImageManager, destination: str, *keys: str) -> None:
    arguments = [part for key in keys for part in ("-k", key)]
    run("movescu", "-S", "-aem", destination, *arguments, *to(manager), expect=None)


def test_move_delivers_to_a_known_destination_with_right_counts(archive: ImageManager, transcript: Transcript) -> None:
    archive.load([sample.dataset for sample in SAMPLES], "1.2.840.10008.1.2.1")
    study = str(SAMPLES[0].dataset.StudyInstanceUID)
    with Receiver(transcript) as receiver:
        archive.know(receiver.address)
        move(archive, "RECEIVER", "QueryRetrieveLevel=STUDY", f"StudyInstanceUID={study}")
        assert sorted(receiver.received) == sorted(
            s.sop_instance for s in SAMPLES if s.dataset.StudyInstanceUID == study
        )
    final = transcript.select("C-MOVE-RSP", direction=Direction.TO_SUT)[-1]
    assert final.fields["Status"] == 0
    assert final.fields["NumberOfCompletedSuboperations"] == 4
    store = transcript.select("C-STORE-RQ", direction=Direction.FROM_SUT)[0]
    assert store.fields["MoveOriginatorApplicationEntityTitle"] == "MOVESCU"


def test_move_to_an_unknown_destination_is_a801(archive: ImageManager, transcript: Transcript) -> None:
    archive.load([SAMPLES[0].dataset], "1.2.840.10008.1.2.1")
    move(archive, "NOBODY", "QueryRetrieveLevel=STUDY", f"StudyInstanceUID={SAMPLES[0].dataset.StudyInstanceUID}")
    assert transcript.select("C-MOVE-RSP", direction=Direction.TO_SUT)[-1].fields["Status"] == 0xA801


def test_move_with_some_failures_is_b000_and_names_them(archive: ImageManager, transcript: Transcript) -> None:
    archive.load([sample.dataset for sample in SAMPLES], "1.2.840.10008.1.2.1")
    study = str(SAMPLES[0].dataset.StudyInstanceUID)
    with Receiver(transcript, refuse=objects.SOP_CLASSES["SC"]) as receiver:
        archive.know(receiver.address)
        move(archive, "RECEIVER", "QueryRetrieveLevel=STUDY", f"StudyInstanceUID={study}")
    final = transcript.select("C-MOVE-RSP", direction=Direction.TO_SUT)[-1]
    assert final.fields["Status"] == 0xB000
    assert (final.fields["NumberOfCompletedSuboperations"], final.fields["NumberOfFailedSuboperations"]) == (3, 1)
    assert final.payload.size > 0


def test_updated_demographics_are_found_and_retrieved(archive: ImageManager, tmp_path: Path) -> None:
    archive.load([sample.dataset for sample in SAMPLES], "1.2.840.10008.1.2.1")
    assert archive.update_patient("P-1001", "", {"PatientName": "Hong^Gildong=洪^吉洞=홍^길동", "PatientID": "P-9"})
    assert find(archive, "QueryRetrieveLevel=STUDY", "StudyInstanceUID", "PatientID=P-1001") == []
    assert len(find(archive, "QueryRetrieveLevel=STUDY", "StudyInstanceUID", "PatientName=hong*", "PatientID=P-9")) == 2
    out = tmp_path / "got"
    out.mkdir()
    study = SAMPLES[0].dataset.StudyInstanceUID
    run("getscu", "-S", "-od", out, "-k", "QueryRetrieveLevel=STUDY", "-k", f"StudyInstanceUID={study}", *to(archive))
    images = [pydicom.dcmread(path) for path in out.iterdir()]
    assert {str(image.PatientName) for image in images} == {"Hong^Gildong=洪^吉洞=홍^길동"}
    original = {s.sop_instance: s.dataset.PixelData for s in SAMPLES}
    assert all(image.PixelData == original[image.SOPInstanceUID] for image in images)
