"""Burning, exporting, compressing and rendering to files: whole or not at all, and never over something else."""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pydicom import dcmread

from harness.core.errors import UsageError
from harness.modality import burning
from harness.modality.errors import NotFound, Refused, StoreProblem
from harness.modality.jobs import Job
from harness.modality.service import Modality
from harness.modality.services.media import Media
from harness.protocols.media.secure import Keys
from harness.protocols.media.sources import open_medium
from harness.protocols.media.writing import Layout, write
from harness.validation.media.judge import validate_medium
from tests.unit.modality.test_interfaces import offline

FORMS = ("folder", "zip", "iso")


@pytest.fixture
def modality(tmp_path: Path) -> Iterator[Modality]:
    with Modality(tmp_path / "home", settings=offline(), seed=3) as made:
        yield made


def study(modality: Modality, name: str = "Müller^Änne", images: int = 2) -> str:
    modality.registration.register(patient_id="P1", patient_name=name)
    modality.examination.start()
    modality.examination.expose(count=images)
    done = modality.examination.end()
    return str(done["study_instance_uid"])


def target(tmp_path: Path, form: str) -> Path:
    return tmp_path / ("medium" if form == "folder" else f"medium.{form}")


@pytest.mark.parametrize("form", FORMS)
def test_medium_has_every_object_and_no_finding(modality: Modality, tmp_path: Path, form: str) -> None:
    uid = study(modality)
    images = [row["sop_instance_uid"] for row in modality.studies.instances(uid)]
    modality.review.save_gsps(images)
    modality.review.key_note(images)
    place = target(tmp_path, form)
    done = modality.media.burn([uid], target=str(place))
    assert (done["state"], done["form"], done["objects"]) == ("done", form, 4)
    with open_medium(place) as medium:
        assert medium.kind == form
        assert len([path for path in medium.entries if "/IM" in path]) == 4
    assert [str(finding) for finding in validate_medium(place) if finding.severity in {"error", "warning"}] == []
    assert sorted(each.name for each in tmp_path.iterdir()) == sorted(["home", place.name])


def test_compressed_objects_are_unpacked_for_a_disc(modality: Modality, tmp_path: Path) -> None:
    modality.administration.config_set(["end_exam.transfer_syntax=jpeg-lossless"])
    uid = study(modality, images=1)
    assert modality.media.burn([uid], target=str(tmp_path / "m"))["state"] == "done"
    file = next(path for path in (tmp_path / "m" / "DICOM").rglob("IM*"))
    assert str(dcmread(file).file_meta.TransferSyntaxUID) == "1.2.840.10008.1.2.1"


def test_patient_without_id_is_refused_and_nothing_is_left(modality: Modality, tmp_path: Path) -> None:
    modality.registration.register(patient_name="NO^ID")
    modality.examination.start()
    modality.examination.expose()
    uid = modality.examination.end()["study_instance_uid"]
    done = modality.media.burn([uid], target=str(tmp_path / "m"))
    assert done["state"] == "failed"
    assert "no Patient ID" in done["message"]
    assert [each.name for each in tmp_path.iterdir()] == ["home"]


@pytest.mark.parametrize("form", FORMS)
def test_full_disk_leaves_nothing_and_a_retry_works(tmp_path: Path, modality: Modality, form: str) -> None:
    full = [True]

    def writer(layout: Layout, place: Path, progress: burning.Progress) -> None:
        write(layout, place, progress)
        if full[0]:
            raise OSError(errno.ENOSPC, "No space left on device")

    media = Media(modality.kernel, writer)
    uid, place = study(modality, images=1), target(tmp_path, form)
    done = media.burn([uid], target=str(place))
    assert done["state"] == "failed"
    assert "No space left" in done["message"]
    assert [each.name for each in tmp_path.iterdir()] == ["home"]
    full[0] = False
    assert modality.administration.queue_retry(done["job"])["state"] == "done"
    assert place.exists()


def test_medium_with_a_flipped_byte_is_not_handed_out(tmp_path: Path, modality: Modality) -> None:
    def writer(layout: Layout, place: Path, progress: burning.Progress) -> None:
        write(layout, place, progress)
        file = next(path for path in place.rglob("IM*"))
        raw = bytearray(file.read_bytes())
        raw[-1] ^= 1
        file.write_bytes(raw)

    done = Media(modality.kernel, writer).burn([study(modality, images=1)], target=str(tmp_path / "m"))
    assert done["state"] == "failed"
    assert "does not read back" in done["message"]
    assert not (tmp_path / "m").exists()


def test_progress_is_told_while_it_is_written(tmp_path: Path, modality: Modality) -> None:
    seen: list[str] = []

    def writer(layout: Layout, place: Path, progress: burning.Progress) -> None:
        seen.append(str(modality.media.media_list()[0]["progress"]))
        write(layout, place, progress)
        seen.append(str(modality.administration.queue()[-1]["progress"]))

    media = Media(modality.kernel, writer)
    media.burn([study(modality, images=3)], target=str(tmp_path / "m"))
    assert seen[0] == "3/9"
    assert int(seen[1].partition("/")[0]) > 3
    assert modality.media.media_list()[0]["progress"] == ""


def test_attempt_that_was_cut_off_is_finished_once(tmp_path: Path, modality: Modality) -> None:
    uid = study(modality, images=1)
    place = tmp_path / "m"
    done = modality.media.burn([uid], target=str(place), wait=False)
    burning.staging(place).mkdir()
    (burning.staging(place) / "half").write_bytes(b"x")
    modality.kernel.queue.run_due()
    assert modality.kernel.queue.get(done["job"]).state.value == "done"
    assert not (place / "half").exists()
    again = modality.kernel.queue.get(done["job"])
    cut = Job(again.key, again.kind, again.subject, None, again.payload, again.state, 1, "", interrupted=True)
    assert "read back" in modality.media._write(cut)


def test_nothing_is_overwritten(tmp_path: Path, modality: Modality) -> None:
    uid = study(modality, images=1)
    image = modality.studies.instances(uid)[0]["sop_instance_uid"]
    taken = tmp_path / "taken"
    taken.mkdir()
    (taken / "mine").write_text("x")
    file = tmp_path / "taken.zip"
    file.write_text("x")
    presses: tuple[Callable[[], Any], ...] = (
        lambda: modality.media.burn([uid], target=str(taken)), lambda: modality.media.burn([uid], target=str(file)),
        lambda: modality.files.export([uid], str(taken)), lambda: modality.files.render(image, str(file)),
        lambda: modality.files.compress(image, "rle", str(file)),
    )  # fmt: skip
    for press in presses:
        with pytest.raises(Refused):
            press()
    assert (file.read_text(), [each.name for each in taken.iterdir()]) == ("x", ["mine"])


def test_wrong_wishes_are_told(tmp_path: Path, modality: Modality) -> None:
    uid = study(modality, images=1)
    with pytest.raises(Refused, match="no form"):
        modality.media.burn([uid], form="dvd")
    with pytest.raises(Refused, match="does not end"):
        modality.media.burn([uid], target=str(tmp_path / "a.zip"), form="iso")
    with pytest.raises(NotFound):
        modality.media.burn(["1.2.3"])
    with pytest.raises(Refused, match="lossy"):
        modality.files.export([uid], str(tmp_path / "x"), "jpeg-baseline")


def test_preview_tells_what_will_be_written(modality: Modality) -> None:
    uid = study(modality)
    plan = modality.media.media_preview([uid, uid, "1.2.3"])
    assert (plan["objects"], len(plan["items"]), plan["items"][0]["patient_id"]) == (2, 1, "P1")
    assert plan["bytes"] == sum(row["instance_size"] for row in modality.studies.instances(uid))


def test_export_keeps_the_pixels_in_another_syntax(modality: Modality, tmp_path: Path) -> None:
    uid = study(modality, images=1)
    source = dcmread(modality.studies.file_of(modality.studies.instances(uid)[0]["sop_instance_uid"]))
    assert modality.files.export([uid], str(tmp_path / "plain"))["files"] == 1
    assert (tmp_path / "plain" / "000001.dcm").read_bytes() == Path(str(source.filename)).read_bytes()
    modality.files.export([uid], str(tmp_path / "rle"), "rle")
    made = dcmread(tmp_path / "rle" / "000001.dcm")
    assert str(made.file_meta.TransferSyntaxUID) == "1.2.840.10008.1.2.5"
    assert (made.pixel_array == source.pixel_array).all()
    assert made.SOPInstanceUID == source.SOPInstanceUID


def test_compressed_copy_is_the_same_or_a_derived_object(modality: Modality, tmp_path: Path) -> None:
    image = modality.studies.instances(study(modality, images=1))[0]["sop_instance_uid"]
    same = modality.files.compress(image, "jpeg-lossless", str(tmp_path / "a.dcm"))
    other = modality.files.compress(image, "jpeg-baseline", str(tmp_path / "b.dcm"))
    assert (same["lossy"], same["sop_instance_uid"] == image) == (False, True)
    assert (other["lossy"], other["sop_instance_uid"] == image) == (True, False)
    assert other["ratio"] > same["ratio"] > 1
    assert dcmread(tmp_path / "b.dcm").LossyImageCompression == "01"


def test_disk_that_does_not_take_a_file_is_told(modality: Modality, tmp_path: Path) -> None:
    uid = study(modality, images=1)
    image = modality.studies.instances(uid)[0]["sop_instance_uid"]
    (tmp_path / "file").write_text("x")
    presses: tuple[Callable[[], Any], ...] = (
        lambda: modality.files.export([uid], str(tmp_path / "file" / "x")),
        lambda: modality.files.render(image, str(tmp_path / "file" / "x.png")),
    )
    for press in presses:
        with pytest.raises(StoreProblem, match="free space or choose another place"):
            press()


@pytest.mark.parametrize("kind", ["DVD", "USB"])
@pytest.mark.parametrize(("syntax", "profile"), [("jpeg-lossless", "JPEG"), ("jpeg2000-lossless", "J2K")])
def test_other_media_hold_compressed_objects(
    modality: Modality, tmp_path: Path, kind: str, syntax: str, profile: str
) -> None:
    modality.administration.config_set([f"end_exam.transfer_syntax={syntax}"])
    uid = study(modality, images=1)
    made = modality.studies.instances(uid)[0]["transfer_syntax"]
    assert modality.media.burn([uid], target=str(tmp_path / "m"), kind=kind)["state"] == "done"
    assert modality.media.media_list()[0]["profile"] == f"STD-GEN-{kind}-{profile}"
    file = next(path for path in (tmp_path / "m" / "DICOM").rglob("IM*"))
    assert str(dcmread(file).file_meta.TransferSyntaxUID) == made
    found = validate_medium(tmp_path / "m", claimed=kind)
    assert [str(each) for each in found if each.severity in {"error", "warning"}] == []


def test_protected_medium_opens_with_its_password_alone(modality: Modality, tmp_path: Path) -> None:
    uid, place = study(modality, images=1), tmp_path / "m.iso"
    done = modality.media.burn([uid], target=str(place), password="open sesame")
    assert done["state"] == "done", done
    with open_medium(place) as medium:
        assert "INDEX.HTM" not in medium.entries
        secured = [medium.entries[path] for path in medium.entries if "/IM" in path]
        assert len(secured) == 1
    assert [each for each in validate_medium(place, keys=Keys("open sesame")) if each.severity == "error"] == []
    assert [each for each in validate_medium(place, keys=Keys("sesame")) if each.severity == "error"] != []
    kept = b"".join(each.read_bytes() for each in modality.kernel.home.rglob("*") if each.is_file())
    assert b"sesame" not in kept


def test_password_that_is_gone_is_asked_for_again(modality: Modality, tmp_path: Path) -> None:
    def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    done = Media(modality.kernel, full).burn([study(modality, images=1)], target=str(tmp_path / "m"), password="x")
    assert done["state"] == "failed"
    Media(modality.kernel)  # as after a restart: the handler of the queue knows no password
    again = modality.administration.queue_retry(done["job"])
    assert (again["state"], "write the medium anew" in again["message"]) == ("failed", True)
    assert not (tmp_path / "m").exists()


def test_kinds_and_passwords_that_media_cannot_have_are_refused(modality: Modality, tmp_path: Path) -> None:
    uid = study(modality, images=1)
    with pytest.raises(Refused, match="CD, DVD, USB"):
        modality.media.burn([uid], target=str(tmp_path / "m"), kind="Blu-ray")
    with pytest.raises(UsageError, match="ASCII"):
        modality.media.burn([uid], target=str(tmp_path / "m"), password="비밀")
    assert modality.media.media_list() == []
