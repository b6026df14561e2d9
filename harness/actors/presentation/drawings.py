"""What presentation states draw over images or hide of them: layers, graphics, texts, overlays and shutters."""

from __future__ import annotations

from typing import Any

import numpy as np
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from harness.actors.presentation.parts import items


def layer(ds: Dataset, name: str = "MARKS", order: int = 1, grayscale: int = 65535) -> None:
    """One more graphic layer; ``grayscale`` is its recommended P-Value of 16 bits."""
    layers = list(ds.get("GraphicLayerSequence") or ())
    layers += items(GraphicLayer=name, GraphicLayerOrder=order, GraphicLayerRecommendedDisplayGrayscaleValue=grayscale)
    ds.GraphicLayerSequence = Sequence(layers)


def graphic(kind: str, points: list[float], *, units: str = "PIXEL", filled: bool = False) -> Dataset:
    """A graphic object; ``points`` are x and y in turn."""
    return items(
        GraphicAnnotationUnits=units,
        GraphicDimensions=2,
        NumberOfGraphicPoints=len(points) // 2,
        GraphicData=points,
        GraphicType=kind,
        GraphicFilled="Y" if filled else "N",
    )[0]


def graphics(ds: Dataset) -> None:
    """One of each Graphic Type, the ellipse in units of the displayed area."""
    layer(ds)
    drawn = [
        graphic("POINT", [20.5, 20.5]),
        graphic("POLYLINE", [40, 10, 90, 10, 90, 40, 40, 40, 40, 10]),
        graphic("INTERPOLATED", [10, 60, 40, 80, 70, 60, 100, 80]),
        graphic("CIRCLE", [60, 60, 75, 60]),
        graphic("ELLIPSE", [0.2, 0.8, 0.8, 0.8, 0.5, 0.7, 0.5, 0.9], units="DISPLAY"),
    ]
    ds.GraphicAnnotationSequence = items(GraphicLayer="MARKS", GraphicObjectSequence=Sequence(drawn))


def text(ds: Dataset) -> None:
    """A text in a bounding box, another at an anchor point."""
    layer(ds)
    boxed = items(
        BoundingBoxAnnotationUnits="PIXEL",
        UnformattedTextValue="IN THE BOX",
        BoundingBoxTopLeftHandCorner=[10.0, 10.0],
        BoundingBoxBottomRightHandCorner=[110.0, 30.0],
        BoundingBoxTextHorizontalJustification="LEFT",
    )[0]
    anchored = items(
        AnchorPointAnnotationUnits="PIXEL",
        UnformattedTextValue="AT THE ANCHOR",
        AnchorPoint=[20.0, 70.0],
        AnchorPointVisibility="N",
    )[0]
    ds.GraphicAnnotationSequence = items(GraphicLayer="MARKS", TextObjectSequence=Sequence([boxed, anchored]))


def layers(ds: Dataset) -> None:
    """Two filled squares that lie over each other, named in the wrong order."""
    layer(ds, "UNDER", 1, 0x4000)
    layer(ds, "OVER", 2, 0xFFFF)
    square = [30.0, 20.0, 100.0, 20.0, 100.0, 70.0, 30.0, 70.0, 30.0, 20.0]
    notes: list[Dataset] = []
    for name, shift in (("OVER", 0.0), ("UNDER", 20.0)):
        square_here = graphic("POLYLINE", [value + shift for value in square], filled=True)
        notes += items(GraphicLayer=name, GraphicObjectSequence=Sequence([square_here]))
    ds.GraphicAnnotationSequence = Sequence(notes)


def plane(ds: Dataset, group: int, row: int, column: int, bits: np.ndarray[Any, Any]) -> None:
    """An overlay plane with data of its own, its first bit over that row and column (from 1)."""
    ds.add_new((group, 0x0010), "US", bits.shape[0])
    ds.add_new((group, 0x0011), "US", bits.shape[1])
    ds.add_new((group, 0x0040), "CS", "G")
    ds.add_new((group, 0x0050), "SS", [row, column])
    ds.add_new((group, 0x0100), "US", 1)
    ds.add_new((group, 0x0102), "US", 0)
    packed = np.packbits(bits, axis=None, bitorder="little").tobytes()
    ds.add_new((group, 0x3000), "OW", packed + b"\0" * (len(packed) % 2))


def two_overlays(ds: Dataset) -> None:
    """Two planes of the image, one below the other."""
    for group, top in ((0x6000, 11), (0x6002, 51)):
        plane(ds, group, top, 21, np.ones((24, 32), np.uint8))


def first_overlay(ds: Dataset) -> None:
    """Only the first plane of the image is activated."""
    layer(ds)
    ds.add_new((0x6000, 0x1001), "CS", "MARKS")


def overlay_of_the_state(ds: Dataset) -> None:
    """The state has a plane of the same group as the image, somewhere else: it stands for that of the image."""
    layer(ds)
    plane(ds, 0x6000, 61, 81, np.ones((16, 40), np.uint8))
    ds.add_new((0x6000, 0x1001), "CS", "MARKS")


def bitmap_shutter(ds: Dataset) -> None:
    """Everything but an oval window is hidden by a plane of the state."""
    y, x = np.mgrid[0:96, 0:128]
    plane(ds, 0x6000, 1, 1, ((y - 48) ** 2 / 40.0**2 + (x - 64) ** 2 / 56.0**2 > 1).astype(np.uint8))
    ds.ShutterShape, ds.ShutterOverlayGroup, ds.ShutterPresentationValue = "BITMAP", 0x6000, 0x8000


def shutters(ds: Dataset) -> None:
    """A rectangle, a circle and a polygon: only what lies in all three is seen."""
    ds.ShutterShape = ["RECTANGULAR", "CIRCULAR", "POLYGONAL"]
    ds.ShutterLeftVerticalEdge, ds.ShutterRightVerticalEdge = 10, 120
    ds.ShutterUpperHorizontalEdge, ds.ShutterLowerHorizontalEdge = 8, 90
    ds.CenterOfCircularShutter, ds.RadiusOfCircularShutter = [48, 64], 50
    ds.VerticesOfThePolygonalShutter = [5, 64, 90, 125, 90, 5]
    ds.ShutterPresentationValue = 0x8000
