"""RAD-9 and RAD-19: what a presentation state says of its images, and whether that is enough to show them."""

from __future__ import annotations

from collections.abc import Iterator

from harness.core.check import Check, Observation
from harness.imaging.presentation import BitmapShutter, PresentationState, Units
from harness.profiles.cpi import reading
from harness.profiles.cpi.checks.states import frame_count, frames_of, known_images, referenced, states
from harness.profiles.cpi.mapping import presentation as table
from harness.profiles.journal import Journal, Operation
from harness.profiles.observe import check, judged
from harness.profiles.values import Attributes, items, text, valued
from harness.protocols.dicom.attributes import dataset_of
from harness.protocols.dicom.errors import WireError

_WHY = "A display applies exactly what the state says, to exactly the images that it names."
#: frames that are counted one by one; no angiography has more
_MOST_FRAMES = 65536


def displayed_area_for_each_image(j: Journal) -> Iterator[Observation]:
    images = known_images(j)
    for store in states(j):
        areas = items(store.attributes, "DisplayedAreaSelectionSequence")
        for _, _, uid, frames in referenced(store.attributes):
            count = frame_count(images[uid][1]) if uid in images else None
            problem = _area_problems(areas, uid, frames, count)
            yield judged(
                not problem,
                f"{store.request.label} has {problem or 'a displayed area'} for image {uid}",
                (store.request.seq,),
                expected="corners, a size mode, and pixel spacing or aspect ratio",
                actual=problem or "complete",
                locator="DisplayedAreaSelectionSequence",
                why="Without it a display does not know what part of the image to show, and how large.",
            )


def _area_problems(areas: list[Attributes], uid: str, frames: tuple[int, ...], count: int | None) -> str:
    """What is wrong with the areas for these frames (none: all of ``count``, None if that is unknown)."""
    missing = set(frames) or set(range(1, min(count or 1, _MOST_FRAMES) + 1))
    covering = []
    for area in areas:
        targets = items(area, "ReferencedImageSequence")
        of_image = [frames_of(item) for item in targets if text(item, "ReferencedSOPInstanceUID") == uid]
        if targets and not of_image:
            continue
        # how many frames an image has that nobody saw is unknown: any area of it will do
        everything = not targets or () in of_image or (count is None and not frames)
        meant = missing if everything else {frame for some in of_image for frame in some}
        if everything or meant & (set(frames) or meant):
            covering.append(area)
        missing = missing - meant
    if not covering:
        return "no displayed area"
    if missing:
        return f"no displayed area for frame {min(missing)}" + (" and others" if len(missing) > 1 else "")
    return next((problem for area in covering if (problem := _area_problem(area))), "")


def _area_problem(area: Attributes) -> str:
    for corner in ("DisplayedAreaTopLeftHandCorner", "DisplayedAreaBottomRightHandCorner"):
        parts = text(area, corner).split("\\")
        if len(parts) != 2 or not all(part.strip().lstrip("-").isdigit() for part in parts):
            return f"a displayed area without {corner}"
    mode = text(area, "PresentationSizeMode")
    if mode not in table.SIZE_MODES:
        return f"a displayed area with the size mode {mode or '(none)'}"
    spacing, aspect = valued(area, "PresentationPixelSpacing"), valued(area, "PresentationPixelAspectRatio")
    if not spacing and (not aspect or mode == "TRUE SIZE"):
        return "a displayed area without pixel spacing or aspect ratio"
    if mode == "MAGNIFY" and not valued(area, "PresentationPixelMagnificationRatio"):
        return "a magnified area without its ratio"
    return ""


def one_presentation_lut(j: Journal) -> Iterator[Observation]:
    for store in states(j):
        ds = store.attributes
        tables, shape = items(ds, "PresentationLUTSequence"), text(ds, "PresentationLUTShape")
        ok = (len(tables) == 1) != bool(shape) and (not shape or shape in ("IDENTITY", "INVERSE")) and len(tables) < 2
        yield judged(
            ok,
            f"{store.request.label} has {len(tables)} Presentation LUT(s) and the shape {shape or '(none)'}",
            (store.request.seq,),
            expected=("one Presentation LUT Sequence item", "Presentation LUT Shape IDENTITY or INVERSE"),
            actual=f"{len(tables)} item(s), shape {shape or '(none)'}",
            locator="PresentationLUTSequence, PresentationLUTShape",
            why="The output of a state is P-Values, and nothing but the Presentation LUT says how they come about.",
        )


def complete_in_itself(j: Journal) -> Iterator[Observation]:
    """What the images need to be shown has to be in the state: their own transformations do not count any more."""
    images = known_images(j)
    for store in states(j):
        ds = store.attributes
        problem = _unusable(store)
        if problem:
            yield judged(
                False,
                f"{store.request.label} cannot be applied: {problem}",
                (store.request.seq,),
                expected="a presentation state that can be applied",
                actual=problem,
                locator="data set",
                why=_WHY,
            )
            continue
        for _, _, uid, _ in referenced(ds):
            if uid in images:
                yield _modality_lut(store, uid, *images[uid])


def _modality_lut(store: Operation, uid: str, seq: int, image: Attributes) -> Observation:
    ds, needs = store.attributes, _own_modality_lut(image)
    present = valued(ds, "RescaleSlope") or valued(ds, "ModalityLUTSequence")
    ok: bool | None = True if present or not needs else _meant_for_stored_values(ds, uid, image)
    doubt = "; whether its VOI LUT is meant for stored values cannot be told" if ok is None else ""
    return judged(
        ok,
        f"Image {uid} has {needs or 'no Modality LUT'}; {store.request.label} "
        f"{'has one of its own' if present else 'has none'}{doubt}",
        (store.request.seq, seq),
        expected="a Modality LUT in the state" if needs else "none needed",
        actual="present" if present else "absent",
        locator="RescaleSlope, ModalityLUTSequence",
        why="A Modality LUT that is absent from the state is the identity, whatever the image has.",
    )


def _meant_for_stored_values(ds: Attributes, uid: str, image: Attributes) -> bool | None:
    """Whether a state without Modality LUT shows an image rightly that has one; None if only its author knows.

    A state may well say nothing of the Modality LUT: then its window is one of stored values. The window of the image
    itself, or one in which no stored value lies, is not.
    """
    vois = items(ds, "SoftcopyVOILUTSequence")
    mine = [one for one in vois if _targets(one, uid)]
    if not mine:
        rising = not valued(image, "ModalityLUTSequence") and _numbers(image, "RescaleSlope")[:1] > [0.0]
        return True if rising else None
    window = (_numbers(mine[0], "WindowCenter")[:1], _numbers(mine[0], "WindowWidth")[:1])
    if not all(window):
        return None
    center, width = window[0][0], window[1][0]
    own = zip(_numbers(image, "WindowCenter"), _numbers(image, "WindowWidth"), strict=False)
    bits = min(int((_numbers(image, "BitsStored") or [16.0])[0]), 16)
    low = -(1 << (bits - 1)) if text(image, "PixelRepresentation") == "1" else 0
    outside = center + width / 2 <= low or center - width / 2 >= low + (1 << bits)
    return False if (center, width) in set(own) or outside else None


def _targets(item: Attributes, uid: str) -> bool:
    named = [text(one, "ReferencedSOPInstanceUID") for one in items(item, "ReferencedImageSequence")]
    return not named or uid in named


def _numbers(ds: Attributes, keyword: str) -> list[float]:
    try:
        return [float(part) for part in text(ds, keyword).split("\\") if part.strip()]
    except ValueError:
        return []


def _unusable(store: Operation) -> str:
    try:
        return _contradiction(reading.presentation_state(dataset_of(store.request)))
    except (reading.Unreadable, WireError) as error:
        return str(error)


def _contradiction(state: PresentationState) -> str:
    """What the state says of layers, graphics and shutters and does not hold; "" if it holds all (PS3.3 C.10)."""
    layers = {layer.name for layer in state.layers}
    for group, layer in state.activated.items():
        if layer not in layers:
            return f"overlay {group:04X} is activated in the layer {layer!r}, which the state does not define"
    planes = {plane.group for plane in state.overlays}
    for shutter in state.shutters:
        if isinstance(shutter, BitmapShutter) and shutter.group not in planes:
            return f"the bitmap shutter is overlay {shutter.group:04X}, which the state does not hold"
    for note in state.annotations:
        if note.layer not in layers:
            return f"an annotation lies in the layer {note.layer!r}, which the state does not define"
        for graphic in note.graphics:
            least, most = table.POINTS[str(graphic.kind)]
            count = len(graphic.points)
            if count < least or (most is not None and count > most):
                return f"a graphic {graphic.kind} has {count} point(s)"
            if graphic.units is Units.DISPLAY and not all(0.0 <= value <= 1.0 for xy in graphic.points for value in xy):
                return f"a graphic {graphic.kind} in units of the displayed area leaves 0.0 to 1.0"
        for words in note.texts:
            if words.box is None and words.anchor is None:
                return f"the text {words.value[:32]!r} has neither bounding box nor anchor point"
    return ""


def _own_modality_lut(image: Attributes) -> str:
    if valued(image, "ModalityLUTSequence"):
        return "a Modality LUT table"
    try:
        slope, intercept = float(text(image, "RescaleSlope") or 1), float(text(image, "RescaleIntercept") or 0)
    except ValueError:
        return ""
    return f"a rescale of {slope:g} and {intercept:g}" if (slope, intercept) != (1.0, 0.0) else ""


_ROWS = (
    ("state-displayed-areas", "RAD-9-SCU-05", displayed_area_for_each_image, "each image has a displayed area"),
    ("state-one-presentation-lut", "RAD-9-SCU-06", one_presentation_lut, "either a Presentation LUT or a shape"),
    ("state-complete-in-itself", "RAD-9-SCU-07", complete_in_itself, "a state holds all that its images need"),
)

CHECKS: tuple[Check, ...] = tuple(
    check(id, requirement, "RAD-9 RAD-19", function, title) for id, requirement, function, title in _ROWS
)
