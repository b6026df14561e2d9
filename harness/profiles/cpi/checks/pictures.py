"""P-Values that a display showed or a composer printed, against those that image and presentation state ask for.

The expected values are computed from the objects that passed, by the pipeline of PS3.4 N.2; a window that was lost or
an inversion that happened twice differs by far more than any tolerance.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

import numpy as np
from pydicom.dataset import Dataset

from harness.core.check import Check, Observation
from harness.core.message import Message
from harness.imaging import likeness, png
from harness.imaging.luts import Unit, apply_presentation_lut
from harness.imaging.measured import CONTRAST_TOLERANCE, Sample, judge_luminance
from harness.profiles.cpi import appearance, drawings, facts, reading
from harness.profiles.cpi.checks.print_jobs import FilmBox, PrintJob, print_jobs
from harness.profiles.journal import FROM_SUT, Journal, Operation, instance_of
from harness.profiles.observe import check, judged
from harness.profiles.values import references
from harness.protocols.dicom.attributes import dataset_of
from harness.protocols.dicom.errors import WireError

DISPLAY_TOLERANCE = 0.02
PRINT_TOLERANCE = 2.0 / 255.0
_DRAWN_ROWS = frozenset({"CPI-DISP-10", "CPI-DISP-11", "CPI-DISP-14"})
_EXPORTED = "The exported picture"
_UNREADABLE = (reading.Unreadable, WireError, IndexError)
_OTHER_FILES = (
    (b"\xff\xd8", "a JPEG"),
    (b"BM", "a BMP"),
    (b"GIF8", "a GIF"),
    (b"II*\0", "a TIFF"),
    (b"MM\0*", "a TIFF"),
)
_WHY = "The same image has to look the same on every display and on film."


_Objects = tuple[Dataset, Dataset | None, int, tuple[int, ...]]


def _objects(j: Journal, data: Mapping[str, Any]) -> _Objects | None:
    """Image, presentation state and frame of a fact, with their messages; None if they never passed.

    Raises Unreadable and WireError for objects that cannot be decoded.
    """
    passed = {instance_of(o): o for o in (*j.ours, *j.stores, *j.deliveries)}
    image = passed.get(str(data.get("image", "")))
    if image is None:
        return None
    frame = int(data.get("frame") or 1)
    if not data.get("state"):
        return dataset_of(image.request), None, frame, (image.request.seq,)
    state = passed.get(str(data["state"]))
    if state is None:
        return None
    return dataset_of(image.request), dataset_of(state.request), frame, (image.request.seq, state.request.seq)


def displayed(j: Journal, requirement: str) -> Iterator[Observation]:
    """Judge every exported picture that is about this requirement."""
    for _, data in j.facts(facts.DISPLAYED):
        if data.get("requirement") == requirement:
            yield _displayed(j, data)


def _displayed(j: Journal, data: Mapping[str, Any]) -> Observation:
    message = j.by_seq.get(int(data.get("message") or 0))
    known = (message.seq,) if message is not None else ()
    try:
        objects = _objects(j, data)
        found = _picture(message, data)
        if objects is None or message is None or found is None:
            return judged(None, "The picture, its image or its presentation state is not in the transcript", known)
        image, state, frame, sources = objects
        seen = _drawn(data, image, state, frame, found) or _shown(data, image, state, frame, found)
    except (*_UNREADABLE, ValueError) as error:
        return judged(None, f"The exported picture cannot be judged: {error}", known)
    return _observation(seen, float(data.get("tolerance") or DISPLAY_TOLERANCE), (message.seq, *sources), _EXPORTED)


def _shown(
    data: Mapping[str, Any], image: Dataset, state: Dataset | None, frame: int, found: Unit
) -> likeness.Likeness:
    """The grey values of the displayed area."""
    wanted = appearance.of(image, state, frame)
    return likeness.compare(
        wanted.p_values,
        found,
        float(data.get("tolerance") or DISPLAY_TOLERANCE),
        pixel=wanted.placement.pixel_shape,
        may_stretch=data.get("requirement") != "CPI-DISP-09",
        mistakes=appearance.mistakes(image, state, frame),
    )


def _drawn(
    data: Mapping[str, Any], image: Dataset, state: Dataset | None, frame: int, found: Unit
) -> likeness.Likeness | None:
    """Graphics, overlays and texts: every display draws them with lines, greys and letters of its own.

    They have to be where the state puts them and nowhere else; None where the whole picture can be compared.
    """
    if state is None or data.get("requirement") not in _DRAWN_ROWS:
        return None
    look, bare = appearance.undrawn(image, state, frame)
    wanted, tolerance = appearance.of(image, state, frame).p_values, float(data.get("tolerance") or DISPLAY_TOLERANCE)
    as_drawn_here = wanted.shape == found.shape and float(np.abs(wanted - found).max()) <= tolerance
    if as_drawn_here or not (look.annotations or look.activated):
        return None
    texts = [text for note in look.annotations for text in note.texts]
    if texts:
        return drawings.written(bare, texts, found, tolerance)
    return drawings.marked(bare, wanted, found, tolerance)


def _picture(message: Message | None, data: Mapping[str, Any]) -> Unit | None:
    if message is None:
        return None
    raw = message.payload.bytes()
    unit = appearance.captured(raw) if message.fields.get("media_type") == "application/dicom" else _decoded(raw)
    region = data.get("region")
    if region:
        left, top, width, height = (int(value) for value in region)
        unit = unit[max(top, 0) : top + height, max(left, 0) : left + width]
    if unit.size == 0:
        raise ValueError("the region of the displayed area lies outside the picture")
    return unit


def _decoded(data: bytes) -> Unit:
    for start, kind in _OTHER_FILES:
        if data.startswith(start):
            raise ValueError(f"the file is {kind}; export PNG or Secondary Capture, which lose nothing")
    picture = png.decode(data)
    grey = picture.mean(axis=2) if picture.ndim == 3 else picture.astype(np.float64)
    unit: Unit = grey / float(65535 if picture.dtype == np.uint16 else 255)
    return unit


def _observation(seen: likeness.Likeness, tolerance: float, evidence: tuple[int, ...], what: str) -> Observation:
    if seen.ok is None:
        return judged(None, f"{what} cannot be judged: {seen.why}", evidence)
    return judged(
        seen.ok,
        f"{what} was compared at {seen.points} points; {seen.bad} differ by more than {tolerance:.3f}, "
        f"the largest difference is {seen.largest:.3f}" + (f": {seen.why}" if seen.why else ""),
        evidence,
        expected=f"P-Value {seen.wanted:.3f}",
        actual=f"P-Value {seen.found:.3f}",
        locator=f"row {seen.row + 1}, column {seen.column + 1} of the displayed area",
        why=_WHY,
    )


def printed_as_softcopy(j: Journal) -> Iterator[Observation]:
    """RAD-23: what the composer sent, through its own Presentation LUT, is what the presentation state asks for."""
    asked = j.facts(facts.PRINTED)
    for job in print_jobs(j, FROM_SUT):
        for film in job.films:
            for image in film.images:
                yield from _printed(j, job, film, image, asked)


def _printed(
    j: Journal, job: PrintJob, film: FilmBox, image: Operation, asked: list[tuple[int, Mapping[str, Any]]]
) -> Iterator[Observation]:
    try:
        ds = dataset_of(image.request)
        position = int(ds.get("ImageBoxPosition", 0) or 0)
        # the last request before the film that names this position is the one that it answers
        matching = [(seq, d) for seq, d in asked if d.get("position", 1) == position and seq < image.request.seq]
        if not matching:
            return
        data = matching[-1][1]
        objects, found = _objects(j, data), _film_values(job, film, image, ds)
        if objects is None or found is None:
            yield judged(None, "The image that was to be printed is not in the transcript", image.evidence)
            return
        picture, state, frame, sources = objects
        wanted = appearance.of(picture, state, frame)
        seen = likeness.compare(
            wanted.p_values,
            found,
            PRINT_TOLERANCE,
            pixel=wanted.placement.pixel_shape,
            found_pixel=_aspect(ds),
            may_stretch=False,
            alone=True,
            mistakes=appearance.mistakes(picture, state, frame),
        )
    except (*_UNREADABLE, ValueError, AttributeError) as error:
        yield judged(None, f"{image.request.label} cannot be compared: {error}", (image.request.seq,))
        return
    evidence = (image.request.seq, *sources)
    yield _observation(seen, PRINT_TOLERANCE, evidence, f"The film of {image.request.label}")


def _aspect(ds: Dataset) -> tuple[float, float]:
    """Height and width of a printed pixel (Pixel Aspect Ratio), square without."""
    aspect = ds.BasicGrayscaleImageSequence[0].get("PixelAspectRatio") or (1, 1)
    tall, wide = (max(float(value), 1e-6) for value in aspect)
    return tall / wide, 1.0


def _film_values(job: PrintJob, film: FilmBox, image: Operation, ds: Dataset) -> Unit | None:
    pictures = ds.get("BasicGrayscaleImageSequence")
    if not pictures:
        return None
    picture = reading.image(pictures[0])
    unit: Unit = picture.frame() / float(picture.format.highest)
    reverse = str(ds.get("Polarity", "") or "NORMAL") == "REVERSE"
    if picture.format.monochrome1 != reverse:
        unit = 1.0 - unit
    named = [uid for _, uid in references(image.attributes, "ReferencedPresentationLUTSequence")] or [film.lut]
    for lut in job.luts:
        if lut.instance == named[0]:
            return apply_presentation_lut(unit, reading.presentation_lut(dataset_of(lut.request)))
    return unit


def luminances(j: Journal) -> Iterator[Observation]:
    """CPI-DISP-01: measured luminances against the standard display function."""
    for _, data in j.facts(facts.LUMINANCES):
        evidence = tuple(seq for seq in (data.get("message"),) if seq in j.by_seq)
        try:
            samples = [Sample(float(p), float(value)) for p, value in data.get("samples") or ()]
            curve = judge_luminance(
                samples,
                ambient=float(data.get("ambient") or 0.0),
                tolerance=float(data.get("tolerance") or CONTRAST_TOLERANCE),
            )
        except (ValueError, TypeError, IndexError) as error:
            yield judged(None, f"The measured luminances cannot be judged: {error}", evidence)
            continue
        worst = curve.worst
        yield judged(
            curve.ok,
            f"{len(samples)} luminances measured; the contrast deviates by up to {abs(worst.deviation):.0%}, "
            f"at P-Value {worst.p_value:.3f}",
            evidence,
            expected=f"{worst.expected:.2f} cd/m2, contrast within {curve.tolerance:.0%}",
            actual=f"{worst.measured:.2f} cd/m2",
            locator=f"P-Value {worst.p_value:.3f}",
            why="Equal steps of P-Values have to be equally visible.",
        )


_DISPLAY_ROWS = (
    ("CPI-DISP-02", "RAD-16", "an image without a state goes through its own pipeline"),
    ("CPI-DISP-03", "RAD-17", "Photometric Interpretation is ignored with a state"),
    ("CPI-DISP-04", "RAD-17", "the Modality LUT of the state replaces that of the image"),
    ("CPI-DISP-05", "RAD-17", "the mask is subtracted"),
    ("CPI-DISP-06", "RAD-17", "the VOI LUT of the state is applied"),
    ("CPI-DISP-07", "RAD-17", "the Presentation LUT of the state is applied"),
    ("CPI-DISP-08", "RAD-17", "the image is rotated, then flipped"),
    ("CPI-DISP-09", "RAD-17", "the displayed area and its size mode are honoured"),
    ("CPI-DISP-10", "RAD-17", "graphics lie where the state puts them"),
    ("CPI-DISP-11", "RAD-17", "text lies where the state puts it"),
    ("CPI-DISP-12", "RAD-17", "graphic layers cover each other in their order"),
    ("CPI-DISP-13", "RAD-17", "shutters hide what lies outside"),
    ("CPI-DISP-14", "RAD-17", "overlays are shown only if the state activates them"),
    ("CPI-DISP-15", "RAD-17", "a state touches only the images and frames that it names"),
)

CHECKS: tuple[Check, ...] = (
    check("display-luminance", "CPI-DISP-01", "RAD-16 RAD-17", luminances, "luminances follow the display function"),
    *(
        check(f"display-{row[-2:]}", row, rads, partial(displayed, requirement=row), title)
        for row, rads, title in _DISPLAY_ROWS
    ),
    check("print-as-softcopy", "RAD-23-SCU-09", "RAD-23", printed_as_softcopy, "the film equals the softcopy"),
)
