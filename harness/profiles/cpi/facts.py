"""Facts that the checks of CPI and ARI read besides messages; plain JSON, as in ``harness.profiles.facts``."""

from __future__ import annotations

from typing import Final, TypedDict

DENSITIES: Final = "DENSITIES"
LUMINANCES: Final = "LUMINANCES"
DISPLAYED: Final = "DISPLAYED"
PRINTED: Final = "PRINTED"
PRINT_PROBE: Final = "PRINT-PROBE"

DENSITY_OUT_OF_RANGE: Final = "density-out-of-range"
EMPTY_FILM: Final = "empty-film"
IMAGE_TOO_LARGE: Final = "image-too-large"
UNSUPPORTED_VALUE: Final = "unsupported-value"
PRINTER_CHANGED: Final = "PRINTER-CHANGED"
#: noted by our print server: an exposed film, with its film box, viewing conditions, P-Values and densities
FILM: Final = "FILM"


class Densities(TypedDict, total=False):
    """DENSITIES: optical densities measured on a film or sheet of paper.

    ``samples`` are pairs of P-Value (0.0 to 1.0) and density; densities are plain, light is in cd/m2, ``medium`` is
    "film" or "paper", ``tolerance`` is in optical density. ``message`` is the FILE message of the table, if any.
    ``shape`` is the Presentation LUT Shape of the image if it is not IDENTITY, ``requirement`` the row to be judged.
    """

    message: int
    samples: list[list[float]]
    illumination: float
    ambient: float
    minimum_density: float
    maximum_density: float
    medium: str
    tolerance: float
    shape: str
    requirement: str


class PrinterChanged(TypedDict, total=False):
    """PRINTER-CHANGED: the printer under test was brought into a state while ``association`` was open."""

    status: str
    association: int


class Luminances(TypedDict, total=False):
    """LUMINANCES: what a meter read on a display, pairs of P-Value and cd/m2; ``ambient`` is added to each."""

    message: int
    samples: list[list[float]]
    ambient: float
    tolerance: float


class Displayed(TypedDict, total=False):
    """DISPLAYED: a picture that the display under test exported of an image with a presentation state.

    ``requirement`` is the row that the test object is about, ``image`` and ``state`` are SOP Instance UIDs of objects
    that we delivered (``state`` "" for none), ``message`` is the ``seq`` of the FILE message with the picture (PNG),
    ``region`` (left, top, width, height in pixels of the picture) is the displayed area in it, all of it if absent.
    ``tolerance`` is in P-Values 0.0 to 1.0. ``values`` is what the picture holds, "P-Values" or "driving levels", ""
    if nobody said; driving levels come with ``characteristic``, pairs of level (0.0 to 1.0) and measured cd/m2, to
    which ``ambient`` is added. ``pixel_mm`` is the size of a pixel on the screen, if the picture has those of it.
    """

    requirement: str
    image: str
    state: str
    frame: int
    message: int
    region: list[int]
    tolerance: float
    values: str
    characteristic: list[list[float]]
    ambient: float
    pixel_mm: float


class Printed(TypedDict, total=False):
    """PRINTED: the composer under test was asked to print an image, with a state, at a position of a film."""

    image: str
    state: str
    frame: int
    position: int


class PrintProbe(TypedDict, total=False):
    """PRINT-PROBE: a print request of ours that is meant to meet a limit: ``message`` is its ``seq``."""

    message: int
    purpose: str
    keyword: str
