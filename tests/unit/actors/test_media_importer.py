"""Whose patient an imported object is, and what becomes of a medium that is broken in part."""

from __future__ import annotations

from pathlib import Path

import pydicom
import pytest
from pydicom.dataset import Dataset

from harness.actors.media.creator import MediaCreator, MediaCreatorBehaviour
from harness.actors.media.importer import Identity, MediaImporter, reconcile
from harness.actors.objects import SUBJECTS, SeriesPlan, StudyPlan, make, uid_source
from harness.protocols.media import medium
from harness.protocols.media.directory import FILE_ID, IN_USE
from harness.protocols.media.sources import FolderMedium
from harness.protocols.media.writing.fileset import Layout
from harness.protocols.media.writing.records import element

LOCAL = Identity("Doe^Jane", "L1", "HOSPITAL", "19800101", "F")


@pytest.mark.parametrize(
    ("foreign", "expected", "why"),
    [
        (Identity("Doe^Jane", "77", "ELSEWHERE", "19800101", "F"), LOCAL, "agree"),
        (Identity("DOE^JANE^^^", "77", "", "19800101", "F"), LOCAL, "agree"),
        (Identity("doe^jane=山田^花子", "77", "", "19800101", "F"), LOCAL, "agree"),
        (Identity("Doe^Jane", "77", "", "19800102", "F"), "foreign", "new patient"),
        (Identity("Doe^Jane", "77", "", "19800101", "M"), "foreign", "new patient"),
        # without a birth date, a name proves nothing
        (Identity("Doe^Jane", "77", "", "", "F"), "foreign", "new patient"),
        # the number of another institution proves nothing, and must not be mixed up with ours
        (Identity("Roe^Richard", "L1", "ELSEWHERE", "19700101", "M"), None, "belongs to another"),
    ],
)
def test_patients_are_reconciled_by_name_birth_date_and_sex(
    foreign: Identity, expected: Identity | str | None, why: str
) -> None:
    found = reconcile(foreign, (LOCAL,))
    assert found.local == (foreign if expected == "foreign" else expected)
    assert why in found.why


def test_two_local_patients_that_fit_need_a_person() -> None:
    twin = Identity("DOE^JANE", "L2", "HOSPITAL", "19800101", "F")
    found = reconcile(Identity("Doe^Jane", "77", "", "19800101", "F"), (LOCAL, twin))
    assert found.local is None
    assert "2 local patients" in found.why


def made(target: Path, *, images: int = 3, arrange: object = None) -> tuple[Path, list[Dataset]]:
    plan = StudyPlan(SUBJECTS[0], (SeriesPlan("CT", images),), study_id="A", accession_number="1")
    datasets = [sample.dataset for sample in make((plan,), uid_source(3))]
    behaviour = MediaCreatorBehaviour(arrange=arrange) if callable(arrange) else None
    MediaCreator(None, behaviour, uid_source(4)).write(datasets, target)
    return target, datasets


def test_objects_of_a_known_patient_get_the_local_identity_and_keep_the_foreign_one(tmp_path: Path) -> None:
    place, datasets = made(tmp_path / "m", images=1)
    foreign = Identity.of(datasets[0])
    # the local name has characters that the character set of the object has not
    local = Identity(f"{foreign.name.split('=')[0]}=山田^花子", "LOCAL-1", "본원", foreign.birth_date, foreign.sex)
    report = MediaImporter(tmp_path / "store", (local,)).load(place)
    assert report.errors == report.undecided == []
    kept = pydicom.dcmread(tmp_path / "store" / f"{datasets[0].SOPInstanceUID}.dcm")
    assert str(kept.PatientName) == local.name
    assert (kept.PatientID, kept.IssuerOfPatientID) == ("LOCAL-1", "본원")
    assert kept.OtherPatientIDsSequence[0].PatientID == foreign.patient_id
    assert kept.PixelData == datasets[0].PixelData


def test_the_rest_of_a_partly_broken_medium_is_imported(tmp_path: Path) -> None:
    place, datasets = made(tmp_path / "m", images=5)
    files = sorted(path for path in (place / "DICOM").rglob("*") if path.is_file())
    files[0].unlink()
    files[1].write_bytes(files[1].read_bytes()[:-50])
    files[2].write_bytes(b"no DICOM file at all")
    report = MediaImporter(tmp_path / "store").load(place)
    assert set(report.imported) == {str(dataset.SOPInstanceUID) for dataset in datasets[3:]}
    assert [error.rpartition("/")[2].split(":")[0] for error in report.errors] == ["IM000001", "IM000002", "IM000003"]


def test_records_marked_as_deleted_are_not_imported(tmp_path: Path) -> None:
    def delete_first(layout: Layout) -> None:
        leaf = next(n for root in layout.directory.roots for n in root.walk() if FILE_ID in n.elements)
        leaf.elements[IN_USE] = element(IN_USE, "US", b"\0\0")
        path = leaf.elements[FILE_ID][8:].decode("ascii").strip().replace("\\", "/")
        layout.files.pop(path)

    place, datasets = made(tmp_path / "m", arrange=delete_first)
    report = MediaImporter(tmp_path / "store").load(place)
    assert report.errors == []
    assert report.imported == [str(dataset.SOPInstanceUID) for dataset in datasets[1:]]


def test_a_file_larger_than_one_read_is_read_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small = medium.Limits(read=1000)
    monkeypatch.setattr(medium, "DEFAULT_LIMITS", small)
    content = bytes(range(256)) * 10
    (tmp_path / "BIG").write_bytes(content)
    folder = FolderMedium(tmp_path, small)
    assert len(folder.read("BIG")) == 1000
    assert folder.whole("BIG", 1 << 20) == content
    assert folder.whole("BIG", 1500) == content[:1500]
    assert folder.whole("OTHER", 1 << 20) == b""
