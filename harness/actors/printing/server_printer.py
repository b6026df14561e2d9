"""What the simulated printer can do: display formats and where their image boxes lie, film sizes, densities."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from harness.imaging.density import Medium, Viewing

_MOST_BOXES = 256
_FORMAT = re.compile(r"[A-Z0-9]{1,16}(\\[0-9]{1,3}(,[0-9]{1,3})*)?")

#: millimetres (width, height) of Film Size ID, portrait (PS3.3 C.13.3)
FILM_SIZES: Mapping[str, tuple[float, float]] = MappingProxyType(
    {
        "8INX10IN": (203.2, 254.0),
        "8_5INX11IN": (215.9, 279.4),
        "10INX12IN": (254.0, 304.8),
        "10INX14IN": (257.0, 364.0),
        "11INX14IN": (279.4, 355.6),
        "11INX17IN": (279.4, 431.8),
        "14INX14IN": (355.6, 355.6),
        "14INX17IN": (355.6, 431.8),
        "24CMX24CM": (240.0, 240.0),
        "24CMX30CM": (240.0, 300.0),
        "A4": (210.0, 297.0),
        "A3": (297.0, 420.0),
    }
)


class UnknownFormat(ValueError):
    """The Image Display Format is none that this printer knows."""


@dataclass(frozen=True, slots=True)
class BoxPlace:
    """An image box as shares of the film: top, left, height, width, each 0.0 to 1.0."""

    top: float
    left: float
    height: float
    width: float


@dataclass(frozen=True, slots=True)
class Printer:
    """Capabilities of one printer; densities in hundredths of optical density, as print attributes carry them."""

    name: str = "HARNESS PRINTER"
    manufacturer: str = "IHE harness"
    model: str = "Simulated film printer"
    supports_presentation_lut: bool = True
    supports_print_job: bool = True
    film_sizes: tuple[str, ...] = tuple(FILM_SIZES)
    standard_limit: tuple[int, int] = (10, 10)
    slides: int = 12
    superslides: int = 6
    custom: Mapping[int, tuple[BoxPlace, ...]] = field(
        default_factory=lambda: {
            1: (BoxPlace(0.0, 0.0, 0.7, 1.0), BoxPlace(0.7, 0.0, 0.3, 0.5), BoxPlace(0.7, 0.5, 0.3, 0.5))
        }
    )
    minimum_density: int = 15
    maximum_density: int = 320
    illumination: int = 2000
    ambient: int = 10
    paper_illumination: int = 150
    medium_types: tuple[str, ...] = ("CLEAR FILM", "BLUE FILM", "PAPER")
    destinations: tuple[str, ...] = ("MAGAZINE", "PROCESSOR", "BIN_1", "BIN_2")
    magnifications: tuple[str, ...] = ("REPLICATE", "BILINEAR", "CUBIC", "NONE")
    bits: tuple[int, ...] = (8, 12)
    most_pixels: int = 8192 * 8192
    #: printable pixels, 320 to the inch: some 4k x 5k on 14INX17IN (PS3.3 Table C.13-3, Requested Resolution ID)
    pixels_per_mm: float = 320 / 25.4

    def places(self, display_format: str) -> tuple[BoxPlace, ...]:
        """The image boxes of an Image Display Format (2010,0010), in the order of their positions.

        Raises UnknownFormat for what is no format, or none of this printer.
        """
        text = display_format.strip().upper()
        if not _FORMAT.fullmatch(text):
            raise UnknownFormat(f"{display_format!r} is no Image Display Format")
        kind, _, rest = text.partition("\\")
        numbers = [int(part) for part in rest.split(",")] if rest else []
        if kind == "STANDARD" and len(numbers) == 2:
            columns, rows = numbers
            if not (1 <= columns <= self.standard_limit[0] and 1 <= rows <= self.standard_limit[1]):
                raise UnknownFormat(f"{text}: this printer has up to STANDARD\\{self.standard_limit}")
            return _grid(columns, rows)
        if kind in ("ROW", "COL") and numbers and all(numbers) and sum(numbers) <= _MOST_BOXES:
            return _bands(numbers, by_row=kind == "ROW")
        if kind == "SLIDE" and not numbers:
            return _grid(3, self.slides // 3)
        if kind == "SUPERSLIDE" and not numbers:
            return _grid(2, self.superslides // 2)
        if kind == "CUSTOM" and len(numbers) == 1 and numbers[0] in self.custom:
            return self.custom[numbers[0]]
        raise UnknownFormat(f"{text} is not offered by this printer")

    def film_mm(self, film_size: str, orientation: str) -> tuple[float, float]:
        """Height and width of a film in millimetres; the first film size if none is asked for."""
        width, height = FILM_SIZES.get(film_size or self.film_sizes[0], FILM_SIZES[self.film_sizes[0]])
        return (width, height) if orientation == "LANDSCAPE" else (height, width)

    def box_pixels(self, place: BoxPlace, height_mm: float, width_mm: float) -> tuple[int, int]:
        """Rows and columns that an image box of a film of that size can show."""
        rows, columns = place.height * height_mm * self.pixels_per_mm, place.width * width_mm * self.pixels_per_mm
        return max(int(rows), 1), max(int(columns), 1)

    def viewing(
        self,
        *,
        minimum: int | None = None,
        maximum: int | None = None,
        illumination: int | None = None,
        ambient: int | None = None,
        medium_type: str = "",
    ) -> Viewing:
        """Viewing conditions of a film: what was asked for, within the range of the printer, else its defaults."""
        paper = medium_type == "PAPER"
        low = min(max(minimum if minimum is not None else self.minimum_density, self.minimum_density), 400)
        high = min(maximum if maximum is not None else self.maximum_density, self.maximum_density)
        high = max(high, low + 1)
        return Viewing(
            float(illumination or (self.paper_illumination if paper else self.illumination)),
            float(self.ambient if ambient is None else ambient),
            low / 100.0,
            high / 100.0,
            Medium.REFLECTIVE if paper else Medium.TRANSMISSIVE,
        )


def _grid(columns: int, rows: int) -> tuple[BoxPlace, ...]:
    return tuple(
        BoxPlace(row / rows, column / columns, 1 / rows, 1 / columns)
        for row in range(rows)
        for column in range(columns)
    )


def _bands(counts: list[int], *, by_row: bool) -> tuple[BoxPlace, ...]:
    """ROW: so many boxes in each row; COL: so many in each column, numbered from top to bottom, column by column."""
    bands = len(counts)
    places = []
    for band, count in enumerate(counts):
        for place in range(count):
            if by_row:
                places.append(BoxPlace(band / bands, place / count, 1 / bands, 1 / count))
            else:
                places.append(BoxPlace(place / count, band / bands, 1 / count, 1 / bands))
    return tuple(places)
