"""Every display test object as displays of other vendors export it, and as defective ones do; films likewise."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import UID

from harness.actors import defects
from harness.actors.objects import SUBJECTS, uid_source
from harness.actors.presentation_objects import NAMES, make, names_for
from harness.actors.softcopy_defects import SOFTCOPY_DEFECTS
from harness.actors.softcopy_display import PIXEL_MM, SoftcopyBehaviour
from harness.core.check import Declaration
from harness.core.message import Protocol
from harness.imaging import png
from harness.imaging.geometry import screened
from harness.imaging.luts import Unit
from harness.profiles.cpi import appearance, facts
from harness.profiles.cpi.checks.pictures import CHECKS
from harness.protocols.dicom.datasets import encode
from tests.unit.profiles.builders import EXPLICIT, TO_SUT, Event, Story

DISPLAY = Declaration(frozenset({"Image Display"}), frozenset({"CPI"}))
MADE = {name: make(name, SUBJECTS[0], uid_source(1)) for name in NAMES}
SHOWN = {made.requirement for made in MADE.values()}


def judged(name: str, picture: Unit | bytes, **more: Any) -> bool | None:
    """The verdict of the check that the test object is about."""
    made, story = MADE[name], Story(DISPLAY)
    for number, ds in enumerate(made.datasets):
        event = story.ask(f"object{number}", "C-STORE-RQ", TO_SUT, str(ds.SOPClassUID), instance=str(ds.SOPInstanceUID))
        event.raw = encode(ds, EXPLICIT)
    if isinstance(picture, bytes):
        raw = picture
    else:
        raw = png.encode(np.rint(np.clip(picture, 0, 1) * 255).astype(np.uint8))
    kind = "application/dicom" if raw[128:132] == b"DICM" else "image/png"
    story.add(Event("picture", "FILE", raw=raw, fields={"media_type": kind}, protocol=Protocol.FILE))
    story.fact(
        facts.DISPLAYED,
        requirement=made.requirement,
        image=str(made.image.SOPInstanceUID),
        state=str(made.state.SOPInstanceUID) if made.state is not None else "",
        frame=made.frame,
        message="@picture",
        **more,
    )
    check = next(one for one in CHECKS if one.requirement == made.requirement)
    (seen,) = check(story.exchange())
    return seen.ok


def right(name: str) -> Unit:
    made = MADE[name]
    wanted = appearance.of(made.image, made.state, made.frame)
    picture: Unit = screened(wanted.p_values, wanted.placement, PIXEL_MM)
    return picture


def tripled(picture: Unit) -> Unit:
    return np.repeat(np.repeat(picture, 3, 0), 3, 1)


def letterboxed(picture: Unit) -> Unit:
    large = tripled(picture)
    whole: Unit = np.zeros((large.shape[0], large.shape[1] + 120))
    whole[:, 60:-60] = large
    return whole


@pytest.mark.parametrize("convention", [lambda p: p, tripled, letterboxed], ids=["as it is", "tripled", "letterboxed"])
@pytest.mark.parametrize("name", NAMES)
def test_a_right_display_does_not_fail(name: str, convention: Callable[[Unit], Unit]) -> None:
    assert judged(name, convention(right(name))) is True


@pytest.mark.parametrize(
    ("convention", "pixel_mm"), [(lambda p: p, PIXEL_MM), (tripled, PIXEL_MM / 3)], ids=["as it is", "tripled"]
)
@pytest.mark.parametrize(
    "row",
    [row for row in SOFTCOPY_DEFECTS if row[2].split()[0] in SHOWN],
    ids=lambda row: row[0],
)
def test_a_wrong_display_fails_at_any_size(
    row: tuple[str, str, str, object], convention: Callable[[Unit], Unit], pixel_mm: float
) -> None:
    behaviour: SoftcopyBehaviour = defects.behaviour("softcopy-display", [row[0]])
    verdicts = []
    for name in names_for(row[2].split()[0]):
        made = MADE[name]
        picture = convention(behaviour.shown(made.image, made.state, made.frame))
        verdicts.append(judged(name, picture, values="P-Values", pixel_mm=pixel_mm))
    assert False in verdicts


def _with_other_letters(name: str) -> Unit:
    """The text of the object in letters that no other display has: bars."""
    made = MADE[name]
    assert made.state is not None
    _, bare = appearance.undrawn(made.image, made.state, made.frame)
    drawn = bare.p_values.copy()
    drawn[12:28:2, 12:100:3] = 0.66
    drawn[62:72:2, 22:110:3] = 0.66
    return drawn


def test_letters_lines_and_greys_of_a_display_are_its_own() -> None:
    assert judged("text", _with_other_letters("text")) is True
    assert judged("text", tripled(_with_other_letters("text"))) is True
    made = MADE["graphics"]
    assert made.state is not None
    bare = appearance.undrawn(made.image, made.state)[1].p_values
    thick = np.abs(right("graphics") - bare) > 0.1
    thick |= np.roll(thick, 1, 0) | np.roll(thick, 1, 1)
    assert judged("graphics", np.where(thick, 0.66, bare)) is True
    assert judged("graphics", np.where(np.roll(thick, 12, 1), 0.66, bare)) is not True
    overlay = np.abs(right("overlays") - bare) > 0.1
    assert judged("overlays", np.where(overlay, 0.66, bare)) is True


@pytest.mark.parametrize("name", ["graphics", "text", "overlays"])
def test_what_is_not_drawn_is_missed(name: str) -> None:
    made = MADE[name]
    assert made.state is not None
    bare = appearance.undrawn(made.image, made.state)[1].p_values
    assert judged(name, bare) is False
    assert judged(name, tripled(bare)) is False


def test_a_file_of_another_kind_is_named() -> None:
    assert judged("VOI window", b"\xff\xd8\xff\xe0 a picture with loss") is None


def secondary_capture(picture: Unit, *, bits: int = 8, photometric: str = "MONOCHROME2", native: bool = True) -> bytes:
    """An export as Secondary Capture."""
    ds, buffer = Dataset(), io.BytesIO()
    top = (1 << bits) - 1
    values = np.rint(np.clip(picture, 0, 1) * top)
    if photometric == "MONOCHROME1":
        values = top - values
    if photometric == "RGB":
        values = np.repeat(values[:, :, None], 3, axis=2)
    ds.SOPClassUID, ds.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.7", "2.25.99"
    ds.PhotometricInterpretation, ds.SamplesPerPixel = photometric, 3 if photometric == "RGB" else 1
    ds.Rows, ds.Columns, ds.PixelRepresentation = *picture.shape, 0
    ds.BitsAllocated, ds.BitsStored, ds.HighBit = (8 if bits == 8 else 16), bits, bits - 1
    if photometric == "RGB":
        ds.PlanarConfiguration = 0
    data = values.astype("u1" if bits == 8 else "<u2").tobytes()
    ds.add_new("PixelData", "OW", data if native else b"\xfe\xff\x00\xe0\x00\x00\x00\x00")
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = UID(EXPLICIT)
    ds.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("bits", "photometric"), [(8, "MONOCHROME2"), (8, "MONOCHROME1"), (12, "MONOCHROME2"), (8, "RGB")]
)
def test_a_secondary_capture_is_judged_like_a_picture(bits: int, photometric: str) -> None:
    for convention in (tripled, letterboxed):
        good = secondary_capture(convention(right("VOI window")), bits=bits, photometric=photometric)
        assert judged("VOI window", good) is True
    wrong = secondary_capture(tripled(right("presentation inverse")), bits=bits, photometric=photometric)
    assert judged("VOI window", wrong) is False


def test_a_secondary_capture_that_cannot_be_read_is_not_judged() -> None:
    assert judged("VOI window", secondary_capture(right("VOI window"), native=False)) is None
    assert judged("VOI window", secondary_capture(right("VOI window"))[:400]) is None
