"""Objects about images: softcopy presentation states (PS3.3 A.33.1) and key object notes (A.35.4, TID 2010)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydicom.dataset import Dataset

from harness.modality.domain import Code
from harness.modality.elements import code_item, code_items, item, put, text

GSPS = "1.2.840.10008.5.1.4.1.1.11.1"
KEY_OBJECTS = "1.2.840.10008.5.1.4.1.1.88.59"
Point = tuple[float, float]

# CID 7010, Key Object Selection Document Titles.
TITLES: dict[str, Code] = {
    value: Code(value, "DCM", meaning)
    for value, meaning in (
        ("113000", "Of Interest"),
        ("113001", "Rejected for Quality Reasons"),
        ("113002", "For Referring Provider"),
        ("113003", "For Surgery"),
        ("113004", "For Teaching"),
        ("113005", "For Conference"),
        ("113006", "For Therapy"),
        ("113007", "For Patient"),
        ("113008", "For Peer Review"),
        ("113009", "For Research"),
        ("113010", "Quality Issue"),
    )
}


@dataclass(frozen=True, slots=True)
class View:
    """How a picture is looked at; points are (column, row) of the image counted from 1, rotation is clockwise degrees.

    `zoom` 1 fits the whole image, `pan` moves the middle of the view by (columns, rows).
    """

    center: float = 0.0
    width: float = 0.0
    zoom: float = 1.0
    pan: Point = (0.0, 0.0)
    flip_h: bool = False
    flip_v: bool = False
    rotation: int = 0
    invert: bool = False
    length: tuple[Point, ...] = ()
    angle: tuple[Point, ...] = ()

    @property
    def orientation(self) -> tuple[int, bool]:
        """Rotation, then horizontal flip: a vertical flip is a horizontal one after half a turn (PS3.3 C.10.6)."""
        return (self.rotation + (180 if self.flip_v else 0)) % 360, self.flip_h is not self.flip_v


@dataclass(frozen=True, slots=True)
class Measurement:
    """A measured length or angle and its unit as shown: mm, mm at detector, pixel or degrees."""

    value: float
    unit: str

    @property
    def label(self) -> str:
        """The text that is shown and stored."""
        return f"{self.value:.1f} {self.unit}"


def pixel_spacing(image: Dataset) -> tuple[float, float, str]:
    """Return (row, column) spacing and the unit; calibrated spacing before that of the detector."""
    for keyword, unit in (("PixelSpacing", "mm"), ("ImagerPixelSpacing", "mm at detector")):
        value = image.get(keyword)
        if value and len(value) == 2:
            return float(value[0]), float(value[1]), unit
    return 1.0, 1.0, "pixel"


def measure_length(image: Dataset, points: Sequence[Point]) -> Measurement:
    """Measure the distance of two points."""
    row, column, unit = pixel_spacing(image)
    (x1, y1), (x2, y2) = points
    return Measurement(math.hypot((x2 - x1) * column, (y2 - y1) * row), unit)


def measure_angle(image: Dataset, points: Sequence[Point]) -> Measurement:
    """Measure the angle at the second of three points, in degrees of the real geometry."""
    row, column, _ = pixel_spacing(image)
    (x1, y1), (x0, y0), (x2, y2) = points
    one = math.atan2((y1 - y0) * row, (x1 - x0) * column)
    two = math.atan2((y2 - y0) * row, (x2 - x0) * column)
    turn = abs(math.degrees(one - two)) % 360
    return Measurement(min(turn, 360 - turn), "deg")


def displayed_area(rows: int, columns: int, view: View) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return the corners (column, row), counted from 1; they may lie outside the image (PS3.3 C.10.4)."""
    half_x, half_y = columns / view.zoom / 2, rows / view.zoom / 2
    x, y = columns / 2 + view.pan[0], rows / 2 + view.pan[1]
    left, top = round(x - half_x) + 1, round(y - half_y) + 1
    return (left, top), (max(left, round(x + half_x)), max(top, round(y + half_y)))


def displayed_corners(rows: int, columns: int, view: View) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return the corners of the displayed area as they appear after rotation and flip, in image coordinates."""
    (left, top), (right, bottom) = displayed_area(rows, columns, view)
    rotation, flip = view.orientation
    # Clockwise from the top left of the image; a turn by 90 degrees brings the corner before it to the top left.
    corners = ((left, top), (right, top), (right, bottom), (left, bottom))
    first = (4 - rotation // 90) % 4
    if flip:
        return corners[(first + 1) % 4], corners[(first + 3) % 4]
    return corners[first], corners[(first + 2) % 4]


def presentation_state(common: Dataset, images: Sequence[Dataset], view: View, label: str, description: str) -> Dataset:
    """Make a presentation state over images of one study, complete in itself: what it leaves out is the identity."""
    made = Dataset()
    made.update(common)
    first = images[0]
    top_left, bottom_right = displayed_corners(int(first.Rows), int(first.Columns), view)
    area = item(
        DisplayedAreaTopLeftHandCorner=top_left,
        DisplayedAreaBottomRightHandCorner=bottom_right,
        PresentationSizeMode="SCALE TO FIT",
    )
    row, column, unit = pixel_spacing(first)
    if unit == "pixel":
        put(area, PresentationPixelAspectRatio=("1", "1"))
    else:
        put(area, PresentationPixelSpacing=(f"{row:g}", f"{column:g}"))
    rotation, flip = view.orientation
    put(
        made,
        ContentLabel=label,
        ContentDescription=description,
        PresentationCreationDate=made.ContentDate,
        PresentationCreationTime=made.ContentTime,
        ContentCreatorName=made.get("OperatorsName"),
        ReferencedSeriesSequence=_by_series(images),
        DisplayedAreaSelectionSequence=[area],
        ImageRotation=rotation,
        ImageHorizontalFlip="Y" if flip else "N",
        PresentationLUTShape="INVERSE" if view.invert else "IDENTITY",
    )
    if first.get("BodyPartExamined"):
        put(made, BodyPartExamined=first.BodyPartExamined)
    side = text(first, "Laterality") or text(first, "ImageLaterality")
    if side in {"L", "R"}:
        put(made, Laterality=side)
    if view.width > 0:
        put(made, SoftcopyVOILUTSequence=[item(WindowCenter=f"{view.center:g}", WindowWidth=f"{view.width:g}")])
    if first.get("RescaleSlope") is not None:
        put(
            made,
            RescaleIntercept=str(first.RescaleIntercept),
            RescaleSlope=str(first.RescaleSlope),
            RescaleType=text(first, "RescaleType") or "US",
        )
    _annotate(made, first, view)
    return made


def _by_series(images: Sequence[Dataset]) -> list[Dataset]:
    series: dict[str, list[Dataset]] = {}
    for image in images:
        reference = item(ReferencedSOPClassUID=image.SOPClassUID, ReferencedSOPInstanceUID=image.SOPInstanceUID)
        series.setdefault(str(image.SeriesInstanceUID), []).append(reference)
    return [item(ReferencedImageSequence=inside, SeriesInstanceUID=uid) for uid, inside in series.items()]


def _annotate(made: Dataset, image: Dataset, view: View) -> None:
    graphics, labels = [], []
    for points, measured in (
        (view.length, measure_length(image, view.length) if len(view.length) == 2 else None),
        (view.angle, measure_angle(image, view.angle) if len(view.angle) == 3 else None),
    ):
        if measured is None:
            continue
        graphics.append(
            item(
                GraphicAnnotationUnits="PIXEL",
                GraphicDimensions=2,
                NumberOfGraphicPoints=len(points),
                GraphicData=[float(value) for point in points for value in point],
                GraphicType="POLYLINE",
                GraphicFilled="N",
            )
        )
        labels.append(
            item(
                AnchorPointAnnotationUnits="PIXEL",
                UnformattedTextValue=measured.label,
                AnchorPoint=[float(value) for value in points[-1]],
                AnchorPointVisibility="N",
            )
        )
    if graphics:
        annotation = item(GraphicLayer="MEASURE", GraphicObjectSequence=graphics, TextObjectSequence=labels)
        put(made, GraphicAnnotationSequence=[annotation])
        put(made, GraphicLayerSequence=[item(GraphicLayer="MEASURE", GraphicLayerOrder=1)])


def key_object_note(
    common: Dataset,
    images: Sequence[Dataset],
    title: Code,
    words: str,
    reason: Code | None,
    requests: Sequence[Dataset],
) -> Dataset:
    """Make a key object note that refers to objects of its own study."""
    made = Dataset()
    made.update(common)
    series = [
        item(SeriesInstanceUID=each.SeriesInstanceUID, ReferencedSOPSequence=each.ReferencedImageSequence)
        for each in _by_series(images)
    ]
    content = []
    if reason is not None:
        content.append(_content("HAS CONCEPT MOD", "CODE", Code("113011", "DCM", "Document Title Modifier"), reason))
    if words:
        note = _content("CONTAINS", "TEXT", Code("113012", "DCM", "Key Object Description"))
        content.append(put(note, TextValue=words))
    for image in images:
        reference = item(ReferencedSOPClassUID=image.SOPClassUID, ReferencedSOPInstanceUID=image.SOPInstanceUID)
        content.append(item(RelationshipType="CONTAINS", ValueType="IMAGE", ReferencedSOPSequence=[reference]))
    put(
        made,
        ValueType="CONTAINER",
        ConceptNameCodeSequence=[code_item(title)],
        ContinuityOfContent="SEPARATE",
        ContentTemplateSequence=[item(MappingResource="DCMR", TemplateIdentifier="2010")],
        ContentSequence=content,
        CurrentRequestedProcedureEvidenceSequence=[
            item(StudyInstanceUID=made.StudyInstanceUID, ReferencedSeriesSequence=series)
        ],
    )
    if requests:
        put(made, ReferencedRequestSequence=requests)
    return made


def absent_from(modality: str) -> tuple[str, ...]:
    """Name attributes that images of an exam have and an object of this modality has not."""
    if modality == "PR":
        return ("ContentDate", "ContentTime")
    return (
        "ProtocolName", "OperatorsName", "PerformingPhysicianName", "RequestAttributesSequence",
        "PerformedProtocolCodeSequence", "PerformedProcedureStepID", "PerformedProcedureStepStartDate",
        "PerformedProcedureStepStartTime", "PerformedProcedureStepDescription",
    )  # fmt: skip


def referenced_requests(steps: Sequence[Any], study_uid: str) -> list[Dataset]:
    """Make the Referenced Request items of a key object note, one per scheduled step."""
    return [
        item(
            StudyInstanceUID=study_uid,
            ReferencedStudySequence=None,
            AccessionNumber=step.accession_number,
            PlacerOrderNumberImagingServiceRequest=None,
            FillerOrderNumberImagingServiceRequest=None,
            RequestedProcedureID=step.requested_procedure_id,
            RequestedProcedureDescription=step.requested_procedure_description,
            RequestedProcedureCodeSequence=code_items(step.requested_procedure_codes),
        )
        for step in steps
    ]


def _content(relationship: str, kind: str, concept: Code, value: Code | None = None) -> Dataset:
    made = item(RelationshipType=relationship, ValueType=kind, ConceptNameCodeSequence=[code_item(concept)])
    return put(made, ConceptCodeSequence=[code_item(value)]) if value is not None else made


def view_from(values: Mapping[str, Any]) -> View:
    """Build a view from plain values; points are flat lists of numbers."""

    def points(flat: Sequence[float]) -> tuple[Point, ...]:
        numbers = [float(each) for each in flat]
        return tuple(zip(numbers[::2], numbers[1::2], strict=True))

    return View(
        center=float(values.get("window_center") or 0.0),
        width=float(values.get("window_width") or 0.0),
        zoom=float(values.get("zoom") or 1.0),
        pan=(float(values.get("pan_x") or 0.0), float(values.get("pan_y") or 0.0)),
        flip_h=bool(values.get("flip_h")),
        flip_v=bool(values.get("flip_v")),
        rotation=int(values.get("rotate") or 0),
        invert=bool(values.get("invert")),
        length=points(values.get("length") or ()),
        angle=points(values.get("angle") or ()),
    )
