"""What comes from elsewhere: taken whole, refused with a reason, and never in the place of what was made here."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.uid import DeflatedExplicitVRLittleEndian

from harness.imaging.render import render
from harness.modality import wire
from harness.modality.elements import put
from harness.modality.errors import NotFound, Refused, StoreProblem
from harness.modality.service import Modality
from harness.modality.services.intake import Taken
from tests.unit.modality.test_interfaces import offline


@pytest.fixture
def modality(tmp_path: Path) -> Iterator[Modality]:
    with Modality(tmp_path / "home", settings=offline(), seed=5) as made:
        yield made


@pytest.fixture
def other(tmp_path: Path) -> Iterator[Modality]:
    with Modality(tmp_path / "other", settings=offline(), seed=6) as made:
        yield made


def exam(modality: Modality, images: int = 2) -> dict[str, list[dict[str, str]]]:
    modality.registration.register(patient_id="P1", patient_name="Müller^Änne")
    modality.examination.start()
    modality.examination.expose(count=images)
    return modality.examination.end()


def test_folder_is_imported_and_what_is_not_taken_is_named(modality: Modality, other: Modality, tmp_path: Path) -> None:
    done = exam(other)
    place = tmp_path / "from"
    other.files.export([str(done["study_instance_uid"])], str(place))
    (place / "deep").mkdir()
    (place / "deep" / "README.TXT").write_text("no object")
    (place / "DICOMDIR").write_bytes(b"whatever")
    cut = (place / "000001.dcm").read_bytes()[:700]
    (place / "cut.dcm").write_bytes(cut)
    (place / "link.dcm").symlink_to(place / "000001.dcm")
    taken = modality.files.import_files(str(place))
    assert (taken["imported"], taken["studies"]) == (2, [done["study_instance_uid"]])
    assert sorted(each["file"] for each in taken["refused"]) == ["cut.dcm", "deep/README.TXT"]
    (study,) = modality.studies.studies()
    assert (study["instance_count"], study["patient_name"]) == (2, "Müller^Änne")
    assert modality.administration.db_check() == {"ok": True, "problems": []}
    for mine in modality.studies.instances(str(done["study_instance_uid"])):
        (theirs,) = [
            dcmread(path) for path in place.glob("00*.dcm") if mine["sop_instance_uid"] in dcmread(path).SOPInstanceUID
        ]
        assert dcmread(modality.studies.file_of(mine["sop_instance_uid"])).PixelData == theirs.PixelData
    assert modality.files.import_files(str(place))["imported"] == 2, "once more is no harm"
    assert modality.studies.studies()[0]["instance_count"] == 2


def test_import_of_nothing_is_told(modality: Modality, tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="is not there"):
        modality.files.import_files(str(tmp_path / "away"))
    (tmp_path / "empty").mkdir()
    with pytest.raises(NotFound, match="holds no files"):
        modality.files.import_files(str(tmp_path / "empty"))
    modality.open_to_others()
    with pytest.raises(Refused, match="plain name"):
        modality.files.import_files(str(tmp_path))


@pytest.mark.parametrize("ended", [False, True])
def test_peer_cannot_replace_an_image_that_was_made_here(modality: Modality, ended: bool) -> None:
    modality.registration.register(patient_id="P1", patient_name="Kim^Yuna")
    modality.examination.start()
    made = modality.examination.expose(confirm=ended)
    if ended:
        made = modality.examination.end()
    shot = made["objects"][0]
    path = modality.kernel.home / "objects" / made["study_instance_uid"] / shot["sop_instance_uid"]
    before = path.read_bytes()
    dataset, syntax = wire.read_file(path)
    dataset.PatientName = "Somebody^Else"
    body = wire.encode_dataset(dataset, syntax)
    assert modality.retrieval.received(body, shot["sop_class_uid"], shot["sop_instance_uid"], syntax) == 0
    assert path.read_bytes() == before
    assert [each["kind"] for each in modality.administration.events(level=2) if each["kind"] == "intake"] == ["intake"]


@pytest.mark.filterwarnings("ignore:Invalid value for VR UI")
@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"StudyInstanceUID": "../../evil"}, Taken.MISMATCH),
        ({"SeriesInstanceUID": "x"}, Taken.MISMATCH),
        ({"SOPInstanceUID": "1.2.3"}, Taken.MISMATCH),
    ],
)
def test_identifiers_are_judged(
    modality: Modality, other: Modality, tmp_path: Path, changes: dict[str, str], said: Taken
) -> None:
    made = exam(other, 1)["objects"][0]
    dataset, syntax = wire.read_file(other.studies.file_of(made["sop_instance_uid"]))
    body = wire.encode_dataset(put(dataset, **changes), syntax)
    intake = modality.retrieval._intake
    assert intake.take(body, made["sop_class_uid"], made["sop_instance_uid"], syntax, "retrieved") is said
    assert not (modality.kernel.home / "objects").exists()


def test_bomb_of_zeros_is_not_inflated(modality: Modality, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "MOST_INFLATED", 1 << 16)
    squeeze = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    bomb = squeeze.compress(b"\0" * (1 << 20)) + squeeze.flush()
    assert modality.retrieval.received(bomb, "1.2.3", "1.2.3", str(DeflatedExplicitVRLittleEndian)) == 0xC000
    assert modality.retrieval.received(b"junk", "1.2.3", "1.2.3", str(DeflatedExplicitVRLittleEndian)) == 0xC000


def test_damaged_image_file_is_told_in_words(modality: Modality) -> None:
    uid = exam(modality, 1)["objects"][0]["sop_instance_uid"]
    path = modality.studies.file_of(uid)
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(StoreProblem, match="cannot be read"):
        modality.review.review(uid)
    path.unlink()
    with pytest.raises(StoreProblem, match="cannot be read"):
        modality.studies.dump(uid)


def test_film_shows_what_the_presentation_state_says(modality: Modality) -> None:
    done = exam(modality, 2)
    first, second = (each["sop_instance_uid"] for each in done["objects"])
    view: dict[str, Any] = {
        "window_center": 1000.0,
        "window_width": 500.0,
        "rotate": 90,
        "flip_h": True,
        "invert": True,
    }
    state = modality.review.save_gsps([first], **view)["sop_instance_uid"]
    dataset, _ = modality.review.load(first)
    shown = render(*modality.review.prepared(dataset, modality.review.view(view, dataset))).p_values
    kept = render(*modality.review.kept_look(first, [state])).p_values
    assert np.abs(shown - kept).max() < 1e-6
    plain = render(*modality.review.kept_look(second, [state])).p_values
    assert plain.shape != kept.shape or np.abs(plain - kept).max() > 0.1
    with pytest.raises(Refused, match="for none of these images"):
        modality.printing.print_preview([second], states=[state])
    with pytest.raises(Refused, match="for none of these images"):
        modality.printing.print_preview([first], states=[second])
    assert (
        modality.printing.print_preview([first], states=[state])["png"]
        != modality.printing.print_preview([first])["png"]
    )
