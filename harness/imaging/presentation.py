"""A grayscale softcopy presentation state as data (PS3.3 A.33): what it says, without how it was encoded.

Coordinates are as the standard has them: rows and columns of pixels count from 1, graphic points are (x, y) with the
outer corner of the first pixel at (0, 0), P-Values of layers and shutters have 16 bits.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from harness.imaging.luts import IDENTITY_RESCALE, ModalityLut, PresentationLut, Shape, VoiLut
from harness.imaging.pipeline import Grayscale


@dataclass(frozen=True, slots=True)
class ImageReference:
    """One image, or some frames of it; no frame numbers means all frames."""

    sop_instance_uid: str
    frames: tuple[int, ...] = ()

    def covers(self, sop_instance_uid: str, frame: int = 1) -> bool:
        """Whether that frame (from 1) of that image is meant."""
        return self.sop_instance_uid == sop_instance_uid and (not self.frames or frame in self.frames)


Targets = tuple[ImageReference, ...]


class _Targeted(Protocol):
    @property
    def applies_to(self) -> Targets: ...


_Item = TypeVar("_Item", bound=_Targeted)


def applicable(items: Iterable[_Item], sop_instance_uid: str, frame: int = 1) -> tuple[_Item, ...]:
    """Items for that frame: those without references are for every image of the state."""
    return tuple(
        item
        for item in items
        if not item.applies_to or any(target.covers(sop_instance_uid, frame) for target in item.applies_to)
    )


@dataclass(frozen=True, slots=True)
class VoiItem:
    """One item of Softcopy VOI LUT Sequence (0028,3110)."""

    transform: VoiLut
    applies_to: Targets = ()


class SizeMode(enum.StrEnum):
    """Presentation Size Mode (0070,0100)."""

    SCALE_TO_FIT = "SCALE TO FIT"
    TRUE_SIZE = "TRUE SIZE"
    MAGNIFY = "MAGNIFY"


@dataclass(frozen=True, slots=True)
class DisplayedArea:
    """One item of Displayed Area Selection Sequence (0070,005A).

    Corners are (column, row) in the image before rotation and flip; ``spacing`` is (row, column) in millimetres,
    ``aspect`` is (vertical, horizontal), ``magnification`` the displayed pixels per image pixel.
    """

    top_left: tuple[int, int]
    bottom_right: tuple[int, int]
    mode: SizeMode = SizeMode.SCALE_TO_FIT
    spacing: tuple[float, float] | None = None
    aspect: tuple[int, int] | None = None
    magnification: float | None = None
    applies_to: Targets = ()

    @property
    def pixel_shape(self) -> tuple[float, float]:
        """Relative height and width of a pixel of the image; (1, 1) if it is square or unknown."""
        if self.spacing:
            return self.spacing
        return (float(self.aspect[0]), float(self.aspect[1])) if self.aspect else (1.0, 1.0)


@dataclass(frozen=True, slots=True)
class Orientation:
    """Image Rotation (clockwise, first) and Image Horizontal Flip (afterwards), PS3.3 C.10.6."""

    rotation: int = 0
    flip: bool = False

    def __post_init__(self) -> None:
        if self.rotation not in (0, 90, 180, 270):
            raise ValueError(f"Image Rotation is 0, 90, 180 or 270, not {self.rotation}")


@dataclass(frozen=True, slots=True)
class RectangularShutter:
    """Edges in columns and rows of the image; the edges themselves stay visible."""

    left: int
    right: int
    upper: int
    lower: int


@dataclass(frozen=True, slots=True)
class CircularShutter:
    """Centre (row, column) and radius, in pixels along a row."""

    row: int
    column: int
    radius: int


@dataclass(frozen=True, slots=True)
class PolygonalShutter:
    """Vertices (row, column); the polygon closes itself."""

    vertices: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class BitmapShutter:
    """Hides every pixel that is set in the overlay of that group."""

    group: int


Shutter = RectangularShutter | CircularShutter | PolygonalShutter | BitmapShutter


@dataclass(frozen=True, slots=True)
class Layer:
    """A graphic layer; ``grayscale`` is its recommended P-Value of 16 bits."""

    name: str
    order: int
    grayscale: int = 0xFFFF
    description: str = ""


class Units(enum.StrEnum):
    """Graphic Annotation Units (0070,0005)."""

    PIXEL = "PIXEL"
    DISPLAY = "DISPLAY"


class GraphicKind(enum.StrEnum):
    """Graphic Type (0070,0023)."""

    POINT = "POINT"
    POLYLINE = "POLYLINE"
    INTERPOLATED = "INTERPOLATED"
    CIRCLE = "CIRCLE"
    ELLIPSE = "ELLIPSE"


@dataclass(frozen=True, slots=True)
class Graphic:
    """One graphic object; points are (x, y)."""

    kind: GraphicKind
    points: tuple[tuple[float, float], ...]
    units: Units = Units.PIXEL
    filled: bool = False


@dataclass(frozen=True, slots=True)
class Text:
    """One text object with a bounding box (top left, bottom right) or an anchor point, each (x, y)."""

    value: str
    box: tuple[tuple[float, float], tuple[float, float]] | None = None
    box_units: Units = Units.PIXEL
    justification: str = "LEFT"
    anchor: tuple[float, float] | None = None
    anchor_units: Units = Units.PIXEL
    anchor_visible: bool = False


@dataclass(frozen=True, slots=True)
class Annotation:
    """One item of Graphic Annotation Sequence (0070,0001)."""

    layer: str
    graphics: tuple[Graphic, ...] = ()
    texts: tuple[Text, ...] = ()
    applies_to: Targets = ()


@dataclass(frozen=True, slots=True, eq=False)
class Overlay:
    """An overlay plane: set bits of shape (rows, columns), origin (row, column) counted from 1."""

    group: int
    bits: NDArray[np.bool_]
    origin: tuple[int, int] = (1, 1)
    roi: bool = False
    label: str = ""

    @classmethod
    def decode(cls, group: int, rows: int, columns: int, data: bytes, origin: tuple[int, int] = (1, 1)) -> Overlay:
        """An overlay from packed Overlay Data (60xx,3000); raises ValueError if they are too short."""
        if len(data) * 8 < rows * columns:
            raise ValueError(
                f"Overlay Data of group {group:04X} has {len(data) * 8} bits, too few for {rows} x {columns}"
            )
        bits = np.unpackbits(np.frombuffer(data, np.uint8), bitorder="little")[: rows * columns]
        return cls(group, bits.reshape(rows, columns).astype(np.bool_), origin)


@dataclass(frozen=True, slots=True)
class Mask:
    """Mask subtraction AVG_SUB: mask frames (from 1) and the shift (rows, columns) in pixels."""

    frames: tuple[int, ...]
    shift: tuple[float, float] = (0.0, 0.0)


@dataclass(frozen=True, slots=True)
class PresentationState:
    """Everything a grayscale softcopy presentation state may say; what it does not say is the identity."""

    references: Targets = ()
    modality: ModalityLut = IDENTITY_RESCALE
    mask: Mask | None = None
    voi: tuple[VoiItem, ...] = ()
    presentation: PresentationLut = Shape.IDENTITY
    orientation: Orientation = Orientation()
    areas: tuple[DisplayedArea, ...] = ()
    shutters: tuple[Shutter, ...] = ()
    shutter_value: int = 0
    layers: tuple[Layer, ...] = ()
    annotations: tuple[Annotation, ...] = ()
    overlays: tuple[Overlay, ...] = ()
    #: overlay group, of the image or of the state, and the layer that activates it
    activated: Mapping[int, str] = field(default_factory=dict)

    def grayscale(self, sop_instance_uid: str = "", frame: int = 1) -> Grayscale:
        """The grayscale transformations for that frame; Photometric Interpretation has no say (PS3.4 N.2)."""
        voi = applicable(self.voi, sop_instance_uid, frame)
        return Grayscale(self.modality, voi[0].transform if voi else None, self.presentation)

    def area(self, sop_instance_uid: str = "", frame: int = 1) -> DisplayedArea | None:
        """The displayed area for that frame, or None if the state has none."""
        areas = applicable(self.areas, sop_instance_uid, frame)
        return areas[0] if areas else None

    def covers(self, sop_instance_uid: str, frame: int = 1) -> bool:
        """Whether the state may be applied to that frame at all."""
        return any(target.covers(sop_instance_uid, frame) for target in self.references)
