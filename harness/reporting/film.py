"""The film view of a scenario: films, exported and expected pictures side by side, P-Value tables and plots."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from harness.core.message import Message
from harness.core.transcript import Transcript

#: what a picture is, in words; the order in which they are shown
ROLES: Mapping[str, str] = {
    "film": "Film as printed",
    "shown": "What the product showed",
    "expected": "What is right",
    "plot": "Measured against expected",
}
_KINDS = {"image/png": b"\x89PNG\r\n\x1a\n", "image/svg+xml": b"<svg "}
MAX_PICTURE = 600_000
MAX_PICTURES = 12
MAX_LEVELS = 32
MAX_FILMS = 4


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture; ``source`` is a data URI, "" for one that is left out with the reason in ``note``."""

    seq: int
    title: str
    name: str
    source: str
    note: str
    blob: str

    @property
    def is_plot(self) -> bool:
        """Whether it holds words and numbers that have to be read."""
        return self.source.startswith("data:image/svg")


@dataclass(frozen=True, slots=True)
class Level:
    """A grey level on a film: the stored value that was sent, its P-Value and its optical density."""

    stored: int
    row: int
    column: int
    p_value: float
    density: float

    @property
    def grey(self) -> str:
        """How the level is painted beside its numbers, as an SVG colour."""
        level = round(min(max(self.p_value, 0.0), 1.0) * 255)
        return f"rgb({level},{level},{level})"


@dataclass(frozen=True, slots=True)
class Box:
    """One image box of a film with its levels."""

    position: int
    says: str
    levels: tuple[Level, ...]


@dataclass(frozen=True, slots=True)
class Film:
    """One film: viewing conditions in words, and its image boxes."""

    display_format: str
    conditions: str
    boxes: tuple[Box, ...]


@dataclass(frozen=True, slots=True)
class FilmView:
    """Everything of a scenario that is looked at rather than read."""

    pictures: tuple[Picture, ...] = ()
    films: tuple[Film, ...] = ()

    def __bool__(self) -> bool:
        """Whether there is anything to show."""
        return bool(self.pictures or self.films)


def film_view(transcript: Transcript) -> FilmView:
    """The pictures and film tables in a transcript, bounded in number and size."""
    found = [m for m in transcript.messages if m.kind == "FILE" and m.fields.get("role") in ROLES]
    order = list(ROLES)
    found.sort(key=lambda message: (order.index(str(message.fields["role"])), message.seq))
    films = [film for fact in transcript.facts_of("FILM") if (film := _film(fact.data)) is not None]
    return FilmView(tuple(_picture(message) for message in found[:MAX_PICTURES]), tuple(films[:MAX_FILMS]))


def _picture(message: Message) -> Picture:
    kind, size = str(message.fields.get("media_type", "")), message.payload.size
    source, note = "", ""
    if kind not in _KINDS:
        note = f"{kind or 'a file of unknown kind'}; the bytes are in the evidence"
    elif size > MAX_PICTURE:
        note = f"{size:,} bytes are too many for this page; the picture is in the evidence"
    else:
        try:
            data = message.payload.bytes()
        except OSError as error:
            data, note = b"", f"the picture cannot be read: {error.strerror}"
        if data.startswith(_KINDS[kind]):
            source = f"data:{kind};base64,{base64.b64encode(data).decode()}"
        elif not note:
            note = f"the bytes are not {kind}"
    title = ROLES[str(message.fields["role"])]
    name = str(message.fields.get("name", ""))
    return Picture(message.seq, title, name, source, note, f"blobs/{message.payload.sha256}" if size else "")


def _film(data: Mapping[str, Any]) -> Film | None:
    """A film table; None for one that is not as our printer writes it (evidence may come from elsewhere)."""
    try:
        light = data["viewing"]
        conditions = (
            f"{light['medium']}, {light['illumination']:g} cd/m² on the light box, {light['ambient']:g} cd/m² ambient, "
            f"density {light['minimum_density']:.2f} to {light['maximum_density']:.2f}"
        )
        return Film(str(data["display_format"]), conditions, tuple(_box(box) for box in data["boxes"]))
    except (KeyError, TypeError, ValueError):
        return None


def _box(box: Mapping[str, Any]) -> Box:
    says = (
        f"{box['rows']} × {box['columns']} pixels of {box['bits_stored']} bits, {box['photometric_interpretation']}, "
        f"polarity {box['polarity']}, Presentation LUT {box['presentation_lut']}"
    )
    levels = tuple(
        Level(
            int(level["stored"]),
            int(level["row"]),
            int(level["column"]),
            float(level["p_value"]),
            float(level["density"]),
        )
        for level in box["levels"][:MAX_LEVELS]
    )
    return Box(int(box["position"]), says, levels)
