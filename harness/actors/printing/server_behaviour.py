"""What the simulated print server decides, as pure functions that a scenario or a defect may replace (PS3.4 H)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pydicom.dataset import Dataset

from harness.actors.printing.server_film import Exposure
from harness.actors.printing.server_printer import Printer
from harness.imaging.luts import PresentationLut, Shape

# PS3.7 annex C and PS3.4 annex H
SUCCESS = 0x0000
INVALID_ATTRIBUTE_VALUE = 0x0106
ATTRIBUTE_LIST_ERROR = 0x0107
PROCESSING_FAILURE = 0x0110
DUPLICATE_INSTANCE = 0x0111
NO_SUCH_INSTANCE = 0x0112
NO_SUCH_ATTRIBUTE = 0x0105
NO_SUCH_SOP_CLASS = 0x0118
MISSING_ATTRIBUTE = 0x0120
MISSING_VALUE = 0x0121
NO_SUCH_ACTION = 0x0123
UNRECOGNIZED_OPERATION = 0x0211
EMPTY_SESSION = 0xB602
EMPTY_PAGE = 0xB603
DENSITY_OUT_OF_RANGE = 0xB605
NO_FILM_BOX = 0xC600
IMAGE_TOO_LARGE = 0xC603
DEMAGNIFIED, CROPPED, DECIMATED = 0xB604, 0xB609, 0xB60A


class Refused(Exception):
    """The operation fails with this status; the text goes into Error Comment."""

    def __init__(self, status: int, text: str) -> None:
        self.status, self.text = status, text
        super().__init__(text)


@dataclass(frozen=True, slots=True)
class Reply:
    """Status, data set and more command elements of a response."""

    status: int = SUCCESS
    dataset: Dataset | None = None
    fields: Mapping[str, Any] = field(default_factory=dict)


def density_status(requested: int | None, printer: Printer) -> int:
    """B605 for a density that the printer cannot reach (PS3.4 H.4.2.2.1.2)."""
    if requested is None or printer.minimum_density <= requested <= printer.maximum_density:
        return SUCCESS
    return DENSITY_OUT_OF_RANGE


def effective_density(requested: int, printer: Printer) -> int:
    """The density that is used: the limit of the printer if what was asked for lies beyond."""
    return min(max(requested, printer.minimum_density), printer.maximum_density)


def too_large(asked: str, magnification: str) -> int:
    """What happens to an image that is larger than its box (PS3.3 C.13.5, PS3.4 H.4.3.1.2.1.3).

    ``asked`` is its Requested Decimate/Crop Behavior, "" if it has none: then it is made smaller.
    """
    if asked == "FAIL" or magnification == "NONE":
        return IMAGE_TOO_LARGE if asked != "CROP" else CROPPED
    return {"": DEMAGNIFIED, "CROP": CROPPED}.get(asked, DECIMATED)


@dataclass(frozen=True, slots=True)
class PrintServerBehaviour:
    """Every decision of the print server; the defaults are what PS3.4 annex H wants.

    ``scripted`` may answer an operation (kind, SOP class, how many of these before) with a status of its own: a
    warning status lets the operation happen, a failure refuses it.
    """

    scripted: Callable[[str, str, int], int | None] = lambda kind, sop_class, before: None
    box_count: Callable[[int], int] = lambda count: count
    offers: Callable[[str], bool] = lambda display_format: True
    #: whether an image box may have a Presentation LUT of its own, which is optional
    takes_lut_of_box: bool = True
    density_status: Callable[[int | None, Printer], int] = density_status
    effective_density: Callable[[int, Printer], int] = effective_density
    too_large: Callable[[str, str], int] = too_large
    empty_status: Callable[[bool], int] = lambda whole_session: EMPTY_SESSION if whole_session else EMPTY_PAGE
    session_reference_needed: Callable[[], bool] = lambda: True
    #: attributes of a film box that the printer does not know
    unknown: frozenset[str] = frozenset()
    #: SOP classes that are not offered
    refused_classes: frozenset[str] = frozenset()
    #: whether values are taken that the printer does not have
    takes_any_value: bool = False
    #: what the printer says of itself
    printer: Callable[[Dataset], Dataset] = lambda dataset: dataset
    reports_changes: bool = True
    #: what the answer to a print says besides its status
    printed: Callable[[Dataset], Dataset | None] = lambda dataset: dataset
    #: the print job that an event is about
    job_event: Callable[[str], str] = lambda job: job
    #: whether an operation that tidies up (kind, SOP class) is carried out
    tidies: Callable[[str, str], bool] = lambda kind, sop_class: True
    image_set: Callable[[Dataset], Dataset | None] = lambda dataset: dataset
    shapes: frozenset[str] = frozenset({"IDENTITY", "LIN OD"})
    created: Callable[[str, Dataset], Dataset | None] = lambda sop_class, dataset: dataset
    lut_of_box: Callable[[PresentationLut | None, PresentationLut | None], PresentationLut] = lambda of_box, of_film: (
        of_box or of_film or Shape.IDENTITY
    )
    lighting: Callable[[int | None], int | None] = lambda asked: asked
    exposure: Callable[[Exposure], Exposure] = lambda exposure: exposure


HEALTHY = PrintServerBehaviour()


def is_warning(status: int) -> bool:
    """Whether an operation with this status happened all the same."""
    return status & 0xF000 == 0xB000 or status in (0x0000, ATTRIBUTE_LIST_ERROR, 0x0116)


def comment(text: str) -> dict[str, str]:
    """Error Comment, cut to its 64 characters."""
    return {"ErrorComment": text[:64]}


def needed(ds: Dataset, keyword: str) -> None:
    """Raises Refused if an attribute is missing or empty."""
    if keyword not in ds:
        raise Refused(MISSING_ATTRIBUTE, f"{keyword} is missing")
    value = ds[keyword].value
    if value is None or (not isinstance(value, int) and len(value) == 0):
        raise Refused(MISSING_VALUE, f"{keyword} is empty")


def check(ds: Dataset, keyword: str, allowed: Iterable[str]) -> None:
    """Raises Refused if an attribute has a value that is not allowed; no value is."""
    value = str(ds.get(keyword, "") or "")
    if value and value not in allowed:
        raise Refused(INVALID_ATTRIBUTE_VALUE, f"{keyword} is {value}")


def optional(ds: Dataset, keyword: str) -> int | None:
    """A number that may be left out."""
    value = ds.get(keyword)
    return None if value is None or value == "" else int(value)
