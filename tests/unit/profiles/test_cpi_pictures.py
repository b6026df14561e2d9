"""Every display test object as displays of other vendors export it, and as defective ones do; films likewise."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import numpy as np
import PIL.Image
import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import UID

from harness.actors.defects import registry as defects
from harness.actors.defects.softcopy import SOFTCOPY_DEFECTS
from harness.actors.objects import SUBJECTS, uid_source
from harness.actors.presentation.objects import NAMES, make, names_for
from harness.actors.presentation.softcopy import PIXEL_MM, SoftcopyBehaviour
from harness.core.check import Declaration
from harness.core.message import Protocol
from harness.imaging import png
from harness.imaging.geometry import screened
from harness.imaging.gsdf import DisplayCurve
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


# -- files, screens and regions ------------------------------------------------------------------------------------


def saved(picture: Unit, kind: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    PIL.Image.fromarray(np.rint(np.clip(picture, 0, 1) * 255).astype(np.uint8)).save(buffer, kind, **options)
    return buffer.getvalue()


def smoothed(picture: Unit) -> Unit:
    """Enlarged between the pixels, as screens do."""
    small = PIL.Image.fromarray(np.rint(np.clip(picture, 0, 1) * 255).astype(np.uint8))
    size = (int(small.width * 3.7), int(small.height * 3.7))
    return np.asarray(small.resize(size, PIL.Image.Resampling.BICUBIC)) / 255.0


def framed(picture: Unit) -> Unit:
    """A screen with a list of patients and buttons around the picture, which begins at row 80 and column 200."""
    screen: Unit = np.full((picture.shape[0] + 250, picture.shape[1] + 320), 0.2)
    screen[:40] = 0.5
    for at in range(0, screen.shape[1] - 40, 40):
        screen[8:32, at : at + 20] = 0.8
    for at in range(60, screen.shape[0] - 30, 24):
        screen[at : at + 10, 10 : 60 + (at * 7) % 90] = 0.9
    screen[80 : 80 + picture.shape[0], 200 : 200 + picture.shape[1]] = picture
    return screen


def shown_by(defect: str, name: str) -> Unit:
    """What a defective display of ours shows of an object."""
    made, behaviour = MADE[name], defects.behaviour("softcopy-display", [defect])
    picture: Unit = behaviour.shown(made.image, made.state, made.frame)
    return picture


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("PNG", {}),
        ("BMP", {}),
        ("TIFF", {"compression": "tiff_lzw"}),
        ("JPEG", {"quality": 75}),
        ("JPEG", {"quality": 92}),
    ],
)
def test_every_usual_file_is_judged(kind: str, options: dict[str, Any]) -> None:
    for name in ("VOI window", "graphics"):
        assert judged(name, saved(smoothed(right(name)), kind, **options)) is True
    wrong = smoothed(shown_by("display-lost-window", "VOI window"))
    assert judged("VOI window", saved(wrong, kind, **options)) is False


@pytest.mark.parametrize("data", [b"\xff\xd8\xff\xe0 a picture that ends", b"GIF89a...", b"BM", b"%PDF-1.4", b""])
def test_a_file_that_cannot_be_read_is_not_judged(data: bytes) -> None:
    assert judged("VOI window", data) is None


#: cd/m2 of a panel by driving level
PANEL = [[level / 16, 0.5 + 400.0 * (level / 16) ** 2.2] for level in range(17)]


def driven(picture: Unit) -> Unit:
    """The driving levels by which that panel shows P-Values."""
    levels, light = np.array(PANEL).T
    driving: Unit = np.interp(DisplayCurve(float(light[0]), float(light[-1])).of(picture), light, levels)
    return driving


@pytest.mark.parametrize("name", ["VOI window", "VOI sigmoid", "shutters", "text", "rotation 90, flip Y"])
def test_driving_levels_are_judged_by_the_luminance_of_their_screen(name: str) -> None:
    levels = driven(tripled(right(name)))
    assert judged(name, levels, values="driving levels", characteristic=PANEL) is True
    assert judged(name, levels) is None, "nobody said what the file holds"
    assert judged(name, levels, values="P-Values") is not True
    assert judged(name, levels, values="driving levels") is None, "nobody measured the screen"


def test_a_wrong_picture_of_driving_levels_is_wrong() -> None:
    levels = driven(tripled(shown_by("display-lost-window", "VOI window")))
    assert judged("VOI window", levels, values="driving levels", characteristic=PANEL) is False
    assert judged("VOI window", levels) is False, "no screen shows two P-Values alike"
    falling = [[level, 500.0 - light] for level, light in PANEL]
    assert judged("VOI window", levels, values="driving levels", characteristic=falling) is None


@pytest.mark.parametrize("name", ["modality table", "overlays", "pixels that are not square"])
def test_a_region_that_is_wrong_is_told_from_a_display_that_is_wrong(name: str) -> None:
    picture = tripled(right(name))
    tall, wide = picture.shape
    screen = framed(picture)
    assert judged(name, screen, region=[200, 80, wide, tall]) is True
    assert judged(name, screen, region=[203, 82, wide, tall]) is True, "a few pixels beside"
    for region in ([0, 0, wide // 2, tall // 2], [230, 110, wide - 60, tall - 60]):
        assert judged(name, screen, region=region) is not False
    assert judged(name, screen) is None, "no region was told"
    assert judged(name, screen, region=[5000, 5000, 10, 10]) is None


@pytest.mark.parametrize(
    ("defect", "name"),
    [
        ("display-lost-window", "VOI window"),
        ("display-text-elsewhere", "text"),
        ("display-whole-image", "displayed area"),
        ("display-no-shutter", "shutters"),
    ],
)
def test_a_wrong_display_is_wrong_in_the_region_that_was_told(defect: str, name: str) -> None:
    picture = tripled(shown_by(defect, name))
    assert judged(name, framed(picture), region=[200, 80, picture.shape[1], picture.shape[0]]) is False
    assert judged(name, smoothed(shown_by(defect, name))) is False


@pytest.mark.parametrize("name", ["VOI window", "rotation 90, flip Y", "graphics"])
def test_a_part_of_the_image_is_no_failure(name: str) -> None:
    picture = tripled(right(name))
    tall, wide = picture.shape
    part = picture[tall // 8 : tall // 8 + tall // 2, wide // 8 : wide // 8 + wide // 2]
    assert judged(name, part) is not False


def test_sizes_are_judged_on_a_screen_whose_pixels_are_known() -> None:
    for name in ("true size", "magnify"):
        picture = right(name)
        assert judged(name, picture, pixel_mm=PIXEL_MM) is True
        assert judged(name, letterboxed(picture)[::3, ::3], pixel_mm=PIXEL_MM) is True
        assert judged(name, tripled(picture), pixel_mm=PIXEL_MM) is False
        assert judged(name, tripled(picture)) is True, "its grey values; the size is for the operator"
    assert judged("true size", tripled(right("true size")), pixel_mm=PIXEL_MM / 3) is True
    squeezed = right("pixels that are not square")[::2]
    assert judged("pixels that are not square", squeezed) is None, "a pixel for each of the image"
    assert judged("pixels that are not square", squeezed, pixel_mm=PIXEL_MM) is False


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
