"""A document as a tree of sections and blocks: what layouts make and renderers write."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.statement.model import State


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell of a table: text, the standing that it shows, the place in the page of a run that it leads to."""

    text: str
    state: State | None = None
    code: bool = False
    anchor: str = ""


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Running text."""

    text: str


@dataclass(frozen=True, slots=True)
class Table:
    """A table with a caption; every row has as many cells as there are headings."""

    caption: str
    headings: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]


@dataclass(frozen=True, slots=True)
class Figure:
    """A drawing as SVG, and the same in words for readers that show none."""

    caption: str
    svg: str
    text: str


Block = Paragraph | Table | Figure


@dataclass(frozen=True, slots=True)
class Section:
    """A numbered section. ``number`` is as in the standard's template ("4.2.1", "A")."""

    number: str
    title: str
    blocks: tuple[Block, ...] = ()
    sections: tuple[Section, ...] = ()


@dataclass(frozen=True, slots=True)
class Document:
    """A whole document with its cover."""

    title: str
    subtitle: str
    cover: tuple[tuple[str, str], ...]
    sections: tuple[Section, ...]
    foreword: tuple[Block, ...] = ()


UNKNOWN = "not stated"


def cell(text: object, state: State | None = None) -> Cell:
    """A cell of text; what is unknown is shown as unknown."""
    if text is None or text == "":
        return Cell(UNKNOWN, state)
    if isinstance(text, bool):
        return Cell("yes" if text else "no", state)
    return Cell(str(text), state)


def code(text: str) -> Cell:
    """A cell of something that is not a word, such as a UID."""
    return Cell(text or UNKNOWN, None, bool(text))


def table(caption: str, headings: tuple[str, ...], rows: Sequence[tuple[Cell, ...]]) -> Table:
    """A table. Raises ValueError for a row that does not fit its headings."""
    if any(len(row) != len(headings) for row in rows):
        raise ValueError(f"{caption}: a row does not fit the headings")
    return Table(caption, headings, tuple(rows))
