"""Print management: SOP classes, what each message must hold, and what printers are asked for (PS3.4 annex H)."""

from __future__ import annotations

from typing import Final

PRINT: Final = "1.2.840.10008.5.1.1."
META: Final = "1.2.840.10008.5.1.1.9"
PRINTER: Final = "1.2.840.10008.5.1.1.16"
FILM_SESSION: Final = "1.2.840.10008.5.1.1.1"
FILM_BOX: Final = "1.2.840.10008.5.1.1.2"
IMAGE_BOX: Final = "1.2.840.10008.5.1.1.4"
PRINT_JOB: Final = "1.2.840.10008.5.1.1.14"
PRESENTATION_LUT: Final = "1.2.840.10008.5.1.1.23"

#: SOP classes that tell the state of printer, configuration and jobs, and print nothing
STATUS_CLASSES: Final = frozenset({PRINTER, PRINT_JOB, "1.2.840.10008.5.1.1.16.376"})
SHAPES: Final = frozenset({"IDENTITY", "LIN OD"})
#: entries of a table by Bits Stored of the images (PS3.4 H.4.9.2.1.1.1)
ENTRIES_BY_BITS: Final = {8: 256, 12: 4096}
BITS_PER_ENTRY: Final = range(10, 17)

#: what the item of Basic Grayscale Image Sequence must hold (PS3.4 Table H.4-11)
IMAGE: Final = (
    "SamplesPerPixel",
    "PhotometricInterpretation",
    "Rows",
    "Columns",
    "BitsAllocated",
    "BitsStored",
    "HighBit",
    "PixelRepresentation",
    "PixelData",
)

#: optional in DICOM, wanted of a composer in RAD-23
VIEWING: Final = ("MinDensity", "MaxDensity", "Illumination", "ReflectedAmbientLight")

#: attributes of a film box that a print server has to support (PS3.4 Table H.4-6)
FILM_BOX_SUPPORTED: Final = (
    "MaxDensity",
    "MagnificationType",
    "FilmOrientation",
    "FilmSizeID",
    "ConfigurationInformation",
)
#: the one format that every printer is taken to have
SIMPLEST_FORMAT: Final = "STANDARD\\1,1"
#: those of them with values that a printer may lack, and the value that every printer is taken to have
FILM_BOX_VALUES: Final = {"FilmOrientation": "PORTRAIT", "FilmSizeID": "", "MagnificationType": ""}
LIGHTING: Final = ("Illumination", "ReflectedAmbientLight")

SUCCESS: Final = 0x0000
ATTRIBUTE_LIST_ERROR: Final = 0x0107
OUT_OF_RANGE: Final = 0x0116
DENSITY_OUT_OF_RANGE: Final = 0xB605
NO_SUCH_ATTRIBUTE: Final = 0x0105
NO_SUCH_INSTANCE: Final = 0x0112
INVALID_VALUE: Final = 0x0106
#: what a printer answers to a value that it does not support, refused or replaced by its default (PS3.4 H.2.4)
VALUE_TOLD: Final = frozenset({INVALID_VALUE, OUT_OF_RANGE})
#: what it may answer besides to an attribute that both sides may leave out (usage U/U)
ATTRIBUTE_TOLD: Final = frozenset({NO_SUCH_ATTRIBUTE, ATTRIBUTE_LIST_ERROR})
#: attributes of a film box whose usage is U/U (PS3.4 Table H.4-6)
FILM_BOX_OPTIONAL: Final = frozenset(
    {"MinDensity", "BorderDensity", "EmptyImageDensity", "Trim", "SmoothingType", "RequestedResolutionID"}
)
#: a printer that has no room just now, or first wants the film before printed (PS3.7 annex C, PS3.4 H.4.2.2.1.2)
NOT_NOW: Final = frozenset({0x0213, 0xC616})
#: Event Type IDs of the Printer (PS3.4 H.4.6)
PRINTER_EVENTS: Final = {1: "NORMAL", 2: "WARNING", 3: "FAILURE"}
#: Event Type IDs of a print job (PS3.4 Table H.4-14)
JOB_EVENTS: Final = {1: "PENDING", 2: "PRINTING", 3: "DONE", 4: "FAILURE"}
#: Execution Status of a print job (PS3.3 C.13.8)
JOB_STATES: Final = frozenset({"PENDING", "PRINTING", "DONE", "FAILURE"})
#: statuses that say that a film or session is empty
EMPTY: Final = frozenset({0xB602, 0xB603, 0xC600})
#: statuses that say that an image is too large: demagnified, cropped, decimated, or refused
TOO_LARGE: Final = frozenset({0xB604, 0xB609, 0xB60A, 0xC603, 0xC613})
#: statuses that say that an image is not printed because it is too large
TOO_LARGE_REFUSED: Final = frozenset({0xC603, 0xC613})


def is_done(status: int | None) -> bool:
    """Whether an operation with that status happened: success or a warning."""
    return status is not None and (status in (SUCCESS, ATTRIBUTE_LIST_ERROR, OUT_OF_RANGE) or status & 0xF000 == 0xB000)


def box_count(display_format: str) -> int | None:
    """How many image boxes an Image Display Format has; None where the printer's configuration says so."""
    kind, _, rest = display_format.partition("\\")
    numbers = [int(part) for part in rest.split(",") if part.strip().isdigit()]
    if kind == "STANDARD" and len(numbers) == 2:
        return numbers[0] * numbers[1]
    if kind in ("ROW", "COL") and numbers:
        return sum(numbers)
    return None
