"""What is written is what was meant: the three forms of a medium, read back, compressed and not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.uid import JPEG2000Lossless, RLELossless

from harness.actors.objects import Sample, archive_plan, make, uid_source
from harness.core.errors import UsageError
from harness.protocols.media.sources import open_medium
from harness.protocols.media.writing import PROFILES, FileSet, MediumPlan, verify, write


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    """The sample studies as files in the default transfer syntax of media."""
    places = []
    for number, sample in enumerate(make(archive_plan(), uid_source(11)), 1):
        place = tmp_path / f"source{number}.dcm"
        sample.dataset.save_as(place, enforce_file_format=True)
        places.append(place)
    return places


def uids(files: list[Path]) -> list[str]:
    return [str(pydicom.dcmread(path, stop_before_pixels=True).SOPInstanceUID) for path in files]


@pytest.mark.parametrize("name", ["medium", "medium.zip", "medium.iso"])
def test_what_is_written_is_verified_byte_by_byte(name: str, tmp_path: Path, files: list[Path]) -> None:
    target = tmp_path / name
    with FileSet(MediumPlan(), "1.2.3") as file_set:
        assert [file_set.add(path) for path in files] == [""] * len(files)
        layout = file_set.layout()
        layout.folders.append("EMPTY")
        steps: list[tuple[int, int]] = []
        write(layout, target, lambda done, total: steps.append((done, total)))
        assert steps[-1] == (len(layout.files), len(layout.files))
        assert verify(layout, target) == []
        with open_medium(target) as medium:
            assert medium.entries["EMPTY"].folder
        layout.files["README.TXT"] = layout.content("README.TXT").replace(b"Harness", b"Another")
        layout.files["MISSING"] = b"x"
        layout.files.pop("INDEX.HTM")
        assert verify(layout, target) == [
            "MISSING is not there",
            "README.TXT has other bytes",
            "INDEX.HTM should not be there",
        ]


def test_faulty_names_are_written_as_they_are(tmp_path: Path, files: list[Path]) -> None:
    with FileSet(MediumPlan(web=False), "1.2.3") as file_set:
        file_set.add(files[0])
        layout = file_set.layout()
        layout.files["Documents/letter.html"] = b"x"
        layout.files["A/B/C/D/E/F/G/H/I"] = b"y"
        write(layout, tmp_path / "m.iso")
        with open_medium(tmp_path / "m.iso") as medium:
            assert medium.read("Documents/letter.html") == b"x"
            assert medium.read("A/B/C/D/E/F/G/H/I") == b"y"


def test_a_target_in_use_is_refused(tmp_path: Path, files: list[Path]) -> None:
    with FileSet(MediumPlan(web=False), "1.2.3") as file_set:
        file_set.add(files[0])
        for target in (tmp_path, files[0].rename(tmp_path / "taken.iso"), tmp_path / "nowhere" / "m.zip"):
            with pytest.raises(UsageError):
                write(file_set.layout(), target)


def test_what_is_no_object_is_left_out_with_a_reason(tmp_path: Path, files: list[Path]) -> None:
    (tmp_path / "text").write_text("no DICOM")
    with FileSet(MediumPlan(web=False), "1.2.3") as file_set:
        with pytest.raises(UsageError):
            file_set.layout()
        assert file_set.add(files[0]) == ""
        assert "same SOP Instance UID" in file_set.add(files[0])
        assert "no DICOM object" in file_set.add(tmp_path / "text")
        assert list(file_set.instances) == uids(files[:1])


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("syntax", [JPEG2000Lossless, RLELossless])
def test_objects_keep_their_uid_when_they_are_decompressed(
    profile: str, syntax: str, tmp_path: Path, files: list[Path]
) -> None:
    dataset = pydicom.dcmread(files[0])
    larger = np.kron(dataset.pixel_array, np.ones((8, 8), dataset.pixel_array.dtype))
    dataset.Rows, dataset.Columns = larger.shape
    dataset.PixelData = larger.tobytes()
    before = dataset.pixel_array.copy()
    dataset.compress(syntax, generate_instance_uid=False)
    dataset.save_as(files[0])
    with FileSet(MediumPlan(profile, web=False), "1.2.3") as file_set:
        assert file_set.add(files[0]) == ""
        layout = file_set.layout()
        write(layout, tmp_path / "medium")
        made = pydicom.dcmread(tmp_path / "medium" / layout.instances()[0])
    kept = syntax in PROFILES[profile]
    assert made.file_meta.TransferSyntaxUID == (syntax if kept else "1.2.840.10008.1.2.1")
    assert str(made.SOPInstanceUID) == uids(files[:1])[0]
    assert (made.pixel_array == before).all()


def test_a_sample_is_a_data_set_too(tmp_path: Path) -> None:
    samples: list[Sample] = make(archive_plan(), uid_source(12))
    with FileSet(MediumPlan(), "1.2.3") as file_set:
        assert {file_set.add(sample.dataset) for sample in samples} == {""}
        write(file_set.layout(), tmp_path / "m")
        assert verify(file_set.layout(), tmp_path / "m") == []
