"""P-Values that a display showed or a composer printed, against those that image and presentation state ask for.

The expected values are computed from the objects that passed, by the pipeline of PS3.4 N.2; a window that was lost or
an inversion that happened twice differs by far more than any tolerance.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from harness.core.check import Check, Observation
from harness.core.message import Message
from harness.imaging import png
from harness.imaging.luts import Unit, apply_presentation_lut
from harness.imaging.measured import CONTRAST_TOLERANCE, Sample, judge_luminance
from harness.imaging.render import Rendition
from harness.profiles.cpi import appearance, facts, reading
from harness.profiles.cpi.checks.print_jobs import FilmBox, PrintJob, print_jobs
from harness.profiles.journal import FROM_SUT, Journal, Operation, instance_of
from harness.profiles.observe import check, judged
from harness.profiles.values import references
from harness.protocols.dicom.attributes import dataset_of
from harness.protocols.dicom.errors import WireError

DISPLAY_TOLERANCE = 0.02
PRINT_TOLERANCE = 2.0 / 255.0
#: share of pixels that may differ: edges of graphics are drawn in many ways
EDGE_SHARE = 0.02
_UNREADABLE = (reading.Unreadable, WireError, IndexError)
_WHY = "The same image has to look the same on every display and on film."


def expected(j: Journal, data: Mapping[str, Any]) -> tuple[Rendition, tuple[int, ...]] | None:
    """What the image of a fact must look like, with the messages it comes from; None if it never passed.

    Raises Unreadable, WireError or IndexError for objects that cannot be rendered.
    """
    objects = {instance_of(o): o for o in (*j.ours, *j.stores, *j.deliveries)}
    image = objects.get(str(data.get("image", "")))
    if image is None:
        return None
    frame = int(data.get("frame") or 1)
    if not data.get("state"):
        return appearance.of(dataset_of(image.request), None, frame), (image.request.seq,)
    state = objects.get(str(data["state"]))
    if state is None:
        return None
    look = appearance.of(dataset_of(image.request), dataset_of(state.request), frame)
    return look, (image.request.seq, state.request.seq)


def displayed(j: Journal, requirement: str) -> Iterator[Observation]:
    """Judge every exported picture that is about this requirement."""
    for _, data in j.facts(facts.DISPLAYED):
        if data.get("requirement") == requirement:
            yield _displayed(j, data)


def _displayed(j: Journal, data: Mapping[str, Any]) -> Observation:
    message = j.by_seq.get(int(data.get("message") or 0))
    known = (message.seq,) if message is not None else ()
    try:
        wanted = expected(j, data)
        found = _picture(message, data)
    except (*_UNREADABLE, ValueError) as error:
        return judged(None, f"The exported picture cannot be judged: {error}", known)
    if wanted is None or message is None or found is None:
        return judged(None, "The picture, its image or its presentation state is not in the transcript", known)
    rendition, sources = wanted
    tolerance = float(data.get("tolerance") or DISPLAY_TOLERANCE)
    return _compared(rendition.p_values, found, tolerance, (message.seq, *sources), "The exported picture")


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
    picture = png.decode(data)
    grey = picture.mean(axis=2) if picture.ndim == 3 else picture.astype(np.float64)
    unit: Unit = grey / float(65535 if picture.dtype == np.uint16 else 255)
    return unit


def _compared(wanted: Unit, found: Unit, tolerance: float, evidence: tuple[int, ...], what: str) -> Observation:
    points = _places(wanted, found.shape)
    if points is None:
        return judged(None, f"{what} is too small to find an even area in it", evidence)
    rows, columns, y, x = points
    difference = np.abs(wanted[rows, columns] - found[y, x])
    bad = difference > tolerance
    worst = int(difference.argmax())
    ok = float(bad.mean()) <= (EDGE_SHARE if wanted.shape != found.shape else 0.0)
    return judged(
        ok,
        f"{what} was compared at {difference.size} points; {int(bad.sum())} differ by more than {tolerance:.3f}, "
        f"the largest difference is {float(difference.max()):.3f}",
        evidence,
        expected=f"P-Value {float(wanted[rows[worst], columns[worst]]):.3f}",
        actual=f"P-Value {float(found[y[worst], x[worst]]):.3f}",
        locator=f"row {int(rows[worst]) + 1}, column {int(columns[worst]) + 1} of the displayed area",
        why=_WHY,
    )


_Points = tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.intp], NDArray[np.intp]]


def _places(wanted: Unit, shape: tuple[int, ...]) -> _Points | None:
    """Where to compare: every pixel if the sizes agree, else the pixels that lie in even areas."""
    rows, columns = wanted.shape
    if wanted.shape == shape:
        y, x = np.divmod(np.arange(wanted.size), columns)
        return y, x, y, x
    if min(rows, columns) < 5:
        return None
    windows = np.lib.stride_tricks.sliding_window_view(wanted, (5, 5))
    even = (windows.max(axis=(2, 3)) - windows.min(axis=(2, 3))) < 1e-9
    r, c = np.nonzero(even)
    if r.size == 0:
        return None
    r, c = r + 2, c + 2
    y = ((r + 0.5) * shape[0] / rows).astype(np.intp)
    x = ((c + 0.5) * shape[1] / columns).astype(np.intp)
    return r, c, np.minimum(y, shape[0] - 1), np.minimum(x, shape[1] - 1)


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
        wanted, found = expected(j, data), _film_values(job, film, image, ds)
    except (*_UNREADABLE, ValueError, AttributeError) as error:
        yield judged(None, f"{image.request.label} cannot be compared: {error}", (image.request.seq,))
        return
    if wanted is None or found is None:
        yield judged(None, "The image that was to be printed is not in the transcript", image.evidence)
        return
    rendition, sources = wanted
    yield _compared(
        rendition.p_values, found, PRINT_TOLERANCE, (image.request.seq, *sources), f"The film of {image.request.label}"
    )


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
