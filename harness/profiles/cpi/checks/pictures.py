"""P-Values that a display showed or a composer printed, against those that image and presentation state ask for.

The expected values are computed from the objects that passed, by the pipeline of PS3.4 N.2; a window that was lost or
an inversion that happened twice differs by far more than any tolerance.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from pydicom.dataset import Dataset

from harness.core.check import Check, Observation
from harness.core.message import Message
from harness.imaging import likeness
from harness.imaging.density import Medium, Viewing
from harness.imaging.luts import Shape, Unit, apply_presentation_lut
from harness.imaging.measured import CONTRAST_TOLERANCE, judge_luminance
from harness.imaging.placing import Region
from harness.imaging.presentation import SizeMode
from harness.imaging.tables import Sample
from harness.profiles.cpi import appearance, drawings, exports, facts, reading
from harness.profiles.cpi.checks.print_jobs import FilmBox, PrintJob, print_jobs
from harness.profiles.journal import FROM_SUT, Journal, Operation, instance_of
from harness.profiles.observe import check, judged
from harness.profiles.values import references, text
from harness.protocols.dicom.attributes import dataset_of
from harness.protocols.dicom.errors import WireError

DISPLAY_TOLERANCE = 0.02
PRINT_TOLERANCE = 2.0 / 255.0
_AREA_ROW = "CPI-DISP-09"
_DRAWN_ROWS = frozenset({"CPI-DISP-10", "CPI-DISP-11", "CPI-DISP-14"})
_EXPORTED = "The exported picture"
_UNREADABLE = (reading.Unreadable, WireError, IndexError)
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
        decoded = _decoded(message, data)
        if objects is None or message is None or decoded is None:
            return judged(None, "The picture, its image or its presentation state is not in the transcript", known)
        asked = _Asked(data, *objects[:3], decoded[1])
        seen = asked.judged(decoded[0])
    except (*_UNREADABLE, ValueError) as error:
        return judged(None, f"The exported picture cannot be judged: {error}", known)
    return _observation(seen, decoded[1], (message.seq, *objects[3]), _EXPORTED)


@dataclass(frozen=True, slots=True)
class _Asked:
    """What a display was asked to show; ``data`` is the DISPLAYED fact, ``tolerance`` is in P-Values."""

    data: Mapping[str, Any]
    image: Dataset
    state: Dataset | None
    frame: int
    tolerance: float

    def judged(self, picture: Unit) -> likeness.Likeness:
        """The displayed area in the region that was told; a region that shows something else is told from a defect."""
        region = self.data.get("region")
        seen = self._compared(_in_region(picture, region) if region else picture)
        if region and not seen.ok and not seen.named:
            wanted = appearance.of(self.image, self.state, self.frame)
            place = likeness.found_at(wanted.p_values, picture, self.tolerance, wanted.placement.pixel_shape)
            if place is not None and _far(place, region):
                left, top, width, height = (round(value) for value in (place[1], place[0], place[3], place[2]))
                why = f"the region that was told is wrong; the image seems to lie at [{left}, {top}, {width}, {height}]"
                return replace(seen, ok=None, why=why)
        return self._sized(seen)

    def _compared(self, found: Unit) -> likeness.Likeness:
        return self._drawn(found) or self._shown(found)

    def _shown(self, found: Unit) -> likeness.Likeness:
        """The grey values of the displayed area."""
        wanted = appearance.of(self.image, self.state, self.frame)
        pixels_of_image = not self.data.get("pixel_mm") and wanted.p_values.shape == found.shape
        seen = likeness.compare(
            wanted.p_values,
            found,
            self.tolerance,
            pixel=wanted.placement.pixel_shape,
            may_stretch=self.data.get("requirement") != _AREA_ROW or pixels_of_image,
            may_be_levels=not self.data.get("values"),
            mistakes=appearance.mistakes(self.image, self.state, self.frame),
        )
        height, width = wanted.placement.pixel_shape
        if seen.ok and pixels_of_image and height != width and self.data.get("requirement") == _AREA_ROW:
            return replace(seen, ok=None, why="a pixel for each of the image; export what the screen makes of them")
        return seen

    def _drawn(self, found: Unit) -> likeness.Likeness | None:
        """Graphics, overlays and texts: every display draws them with lines, greys and letters of its own.

        They have to be where the state puts them and nowhere else; None where the whole picture can be compared.
        """
        if self.state is None or self.data.get("requirement") not in _DRAWN_ROWS:
            return None
        look, bare = appearance.undrawn(self.image, self.state, self.frame)
        wanted = appearance.of(self.image, self.state, self.frame).p_values
        as_drawn_here = wanted.shape == found.shape and float(np.abs(wanted - found).max()) <= self.tolerance
        if as_drawn_here or not (look.annotations or look.activated):
            return None
        unknown = not self.data.get("values")
        texts = [text for note in look.annotations for text in note.texts]
        if texts:
            return drawings.written(bare, texts, found, self.tolerance, may_be_levels=unknown)
        return drawings.marked(bare, wanted, found, self.tolerance, may_be_levels=unknown)

    def _sized(self, seen: likeness.Likeness) -> likeness.Likeness:
        """TRUE SIZE and MAGNIFY: as large as asked, where pixels of the picture are those of the screen."""
        pixel_mm = float(self.data.get("pixel_mm") or 0.0)
        if self.data.get("requirement") != _AREA_ROW or not seen.ok:
            return seen
        placement = appearance.of(self.image, self.state, self.frame).placement
        if placement.area is None or placement.area.mode is SizeMode.SCALE_TO_FIT:
            return seen
        if not pixel_mm:
            return replace(seen, why="its size on the screen is not known from the picture")
        scale = placement.scale((1, 1), screen_pixel_mm=pixel_mm)
        wanted = [size * factor for size, factor in zip(placement.size, scale, strict=True)]
        off = max(abs(found - size) - 1.5 - 0.02 * size for found, size in zip(seen.region[2:], wanted, strict=True))
        if off <= 0.0:
            return seen
        sizes = f"{seen.region[2]:.0f} x {seen.region[3]:.0f} pixels of the screen"
        return replace(seen, ok=False, why=f"it is {sizes} large, not {wanted[0]:.0f} x {wanted[1]:.0f}")


def _decoded(message: Message | None, data: Mapping[str, Any]) -> tuple[Unit, float] | None:
    """P-Values of the exported file, and how far they may be off because of how it was exported."""
    if message is None:
        return None
    export = exports.read(message.payload.bytes())
    tolerance = float(data.get("tolerance") or DISPLAY_TOLERANCE) + exports.half_a_level(data)
    return exports.p_values(export, data), max(tolerance, exports.LOSSY_TOLERANCE if export.lossy else 0.0)


def _far(place: Region, region: Any) -> bool:
    """Whether the image lies somewhere else than was told."""
    told = (region[1], region[0], region[3], region[2])
    return any(abs(one - other) > 0.04 * max(place[2:]) for one, other in zip(place, told, strict=True))


def _in_region(picture: Unit, region: Any) -> Unit:
    left, top, width, height = (int(value) for value in region)
    unit = picture[max(top, 0) : max(top + height, 0), max(left, 0) : max(left + width, 0)]
    if unit.size == 0:
        raise ValueError("the region of the displayed area lies outside the picture")
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
        if not job.may_use_luts:
            continue  # what the pixels mean to such a printer is known to its maker only
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
        objects, found = _objects(j, data), _film_values(j, job, film, image, ds)
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
    except (*_UNREADABLE, ValueError, AttributeError, KeyError, TypeError) as error:
        yield judged(None, f"{image.request.label} cannot be compared: {error}", (image.request.seq,))
        return
    evidence = (image.request.seq, *sources)
    yield _observation(seen, PRINT_TOLERANCE, evidence, f"The film of {image.request.label}")


def _aspect(ds: Dataset) -> tuple[float, float]:
    """Height and width of a printed pixel (Pixel Aspect Ratio), square without."""
    aspect = ds.BasicGrayscaleImageSequence[0].get("PixelAspectRatio") or (1, 1)
    tall, wide = (max(float(value), 1e-6) for value in aspect)
    return tall / wide, 1.0


def _film_values(j: Journal, job: PrintJob, film: FilmBox, image: Operation, ds: Dataset) -> Unit | None:
    pictures = ds.get("BasicGrayscaleImageSequence")
    if not pictures:
        return None
    picture = reading.image(pictures[0])
    unit: Unit = picture.frame() / float(picture.format.highest)
    reverse = str(ds.get("Polarity", "") or "NORMAL") == "REVERSE"
    if picture.format.monochrome1 != reverse:
        unit = 1.0 - unit
    named = [uid for _, uid in references(image.attributes, "ReferencedPresentationLUTSequence")] or [film.lut]
    used = next((lut for lut in job.luts if lut.instance == named[0]), None)
    if used is None:
        return unit
    lut = reading.presentation_lut(dataset_of(used.request))
    if lut is not Shape.LIN_OD:
        return apply_presentation_lut(unit, lut)
    # these pixels say densities, not P-Values: what the eye sees of them depends on the light (PS3.3 C.11.4)
    viewing = _viewing(j, film)
    values: Unit = viewing.p_value(viewing.printed(unit, Shape.LIN_OD))
    return values


def _viewing(j: Journal, film: FilmBox) -> Viewing:
    """How our printer says that the film is looked at, or else as the film box wants it (PS3.4 H.4.2.2.1.1)."""
    for _, data in j.facts(facts.FILM):
        light = data.get("viewing")
        if data.get("film_box") == film.uid and isinstance(light, Mapping):
            return Viewing(
                float(light["illumination"]),
                float(light["ambient"]),
                float(light["minimum_density"]),
                float(light["maximum_density"]),
                Medium(light["medium"]),
            )
    asked, usual = film.attributes, Viewing()
    return Viewing(
        float(text(asked, "Illumination") or usual.illumination),
        float(text(asked, "ReflectedAmbientLight") or usual.ambient),
        float(text(asked, "MinDensity") or usual.minimum * 100) / 100,
        float(text(asked, "MaxDensity") or usual.maximum * 100) / 100,
    )


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
    check(
        "display-applies-state",
        "RAD-17-SCU-01",
        "RAD-17",
        partial(displayed, requirement="RAD-17-SCU-01"),
        "a state is applied",
    ),
    check(
        "display-supports-all",
        "RAD-17-SCU-02",
        "RAD-17",
        partial(displayed, requirement="RAD-17-SCU-02"),
        "all that a state says is applied together",
    ),
    *(
        check(f"display-{row[-2:]}", row, rads, partial(displayed, requirement=row), title)
        for row, rads, title in _DISPLAY_ROWS
    ),
    check("print-as-softcopy", "RAD-23-SCU-09", "RAD-23", printed_as_softcopy, "the film equals the softcopy"),
)
