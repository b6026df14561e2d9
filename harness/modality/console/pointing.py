"""Between points of an image and points of the picture on the screen, both ways, by the renderer's own placement."""

from __future__ import annotations

from dataclasses import dataclass

from harness.imaging.geometry import Placement
from harness.modality.service import Modality

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Affine:
    """Maps (x, y) of the image to fractions of the screen: origin, and the steps along columns and rows."""

    origin: Point
    along_x: Point
    along_y: Point

    def to_screen(self, point: Point) -> Point:
        """Return where a point of the image, counted from its outer corner, lies on the screen (0 to 1)."""
        x, y = point
        return (
            self.origin[0] + x * self.along_x[0] + y * self.along_y[0],
            self.origin[1] + x * self.along_x[1] + y * self.along_y[1],
        )

    def to_image(self, point: Point) -> Point:
        """Return the point of the image at a fraction of the screen."""
        x, y = point[0] - self.origin[0], point[1] - self.origin[1]
        size = self.along_x[0] * self.along_y[1] - self.along_x[1] * self.along_y[0]
        return (
            (x * self.along_y[1] - y * self.along_y[0]) / size,
            (y * self.along_x[0] - x * self.along_x[1]) / size,
        )


def affine(placement: Placement, viewport: tuple[int, int]) -> Affine:
    """Return the map of a placement on a viewport of (rows, columns)."""
    down, across = placement.scale(viewport)
    rows, columns = placement.size
    top, left = (viewport[0] - rows * down) / 2, (viewport[1] - columns * across) / 2

    def at(x: float, y: float) -> Point:
        shown = placement.point(x, y)
        return (left + shown[0] * across) / viewport[1], (top + shown[1] * down) / viewport[0]

    origin, right, below = at(0, 0), at(1, 0), at(0, 1)
    return Affine(
        origin, (right[0] - origin[0], right[1] - origin[1]), (below[0] - origin[0], below[1] - origin[1])
    )  # fmt: skip


def of_view(modality: Modality, instance: str, values: dict[str, object], size: int = 512) -> Affine:
    """Return the map for an image under a view; raises HarnessError."""
    dataset, _ = modality.review.load(instance)
    _, state = modality.review.prepared(dataset, modality.review.view(dict(values), dataset))
    shape = (int(dataset.Rows), int(dataset.Columns))
    return affine(Placement(shape, state.orientation, state.area(instance)), (size, size))
