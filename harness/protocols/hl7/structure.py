"""Which segments a message may have, in which order and groups: HL7 v2.3.1, v2.4 and v2.5.1.

The segment tables are hl7apy's. Its parser is not used for judging: it does not look at the order of segments,
drops what it does not expect, and finds no structure for a v2.3.1 message whose MSH-9 has no third component.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from hl7apy import load_library
from hl7apy.exceptions import ChildNotFound

from harness.protocols.hl7.message import HL7Message, Segment

VERSIONS = ("2.3.1", "2.4", "2.5.1")
MAX_ISSUES = 20

#: trigger events that use the structure of another one (HL7 table 0354), for the messages of the profiles
_ADT_OLD = {
    **dict.fromkeys(("A01", "A04", "A05", "A08", "A13"), "ADT_A01"),
    **dict.fromkeys(("A06", "A07"), "ADT_A06"),
    **dict.fromkeys(("A09", "A10", "A11"), "ADT_A09"),
    "A02": "ADT_A02",
    "A03": "ADT_A03",
    "A12": "ADT_A12",
    "A38": "ADT_A38",
    "A40": "ADT_A39",
}
_ADT_NEW = {**_ADT_OLD, "A05": "ADT_A05", "A12": "ADT_A09"}
_SIU = dict.fromkeys(("S12", "S13", "S14", "S15"), "SIU_S12")
_OTHERS = {
    ("ORM", "O01"): "ORM_O01",
    ("ORR", "O02"): "ORR_O02",
    ("OMG", "O19"): "OMG_O19",
    ("ORG", "O20"): "ORG_O20",
    ("OMI", "O23"): "OMI_O23",
    ("ORI", "O24"): "ORI_O24",
}

#: v2.3.1 prints DRG as optional in A38; hl7apy's table has it required
_OPTIONAL_ALTHOUGH_TABLED = frozenset({("2.3.1", "ADT_A38", "DRG")})


@dataclass(frozen=True, slots=True)
class Element:
    """A segment, or a group of elements; ``choice``: one of them. ``most`` None is without limit."""

    name: str
    least: int
    most: int | None
    children: tuple[Element, ...] = ()
    choice: bool = False

    @property
    def is_group(self) -> bool:
        """Whether it holds other elements."""
        return bool(self.children)


@dataclass(frozen=True, slots=True)
class Issue:
    """A segment that is missing or where it must not be. ``position`` counts from 1; 0 is the end."""

    segment: str
    position: int
    text: str


@dataclass(frozen=True, slots=True)
class Group:
    """One repetition of a group as it was found: its own segments and the groups within."""

    name: str
    segments: tuple[Segment, ...] = ()
    groups: tuple[Group, ...] = ()

    def all(self, name: str) -> tuple[Group, ...]:
        """Every group of that name, at any depth, in order."""
        found: list[Group] = []
        for group in self.groups:
            if group.name == name:
                found.append(group)
            found.extend(group.all(name))
        return tuple(found)

    def segment(self, name: str) -> Segment | None:
        """The first segment of that name in this group itself."""
        return next((segment for segment in self.segments if segment.name == name), None)


@dataclass(frozen=True, slots=True)
class Structure:
    """How a message was understood; ``name`` is empty where no structure is known for its type and version."""

    name: str
    root: Group
    issues: tuple[Issue, ...]


def structure_name(message_type: str, trigger: str, version: str) -> str:
    """The abstract message structure (``ADT_A39``) for a type, trigger and version; empty if unknown here."""
    if message_type == "ACK":
        return "ACK"
    if message_type == "ADT":
        return (_ADT_OLD if version in ("2.3.1", "2.3") else _ADT_NEW).get(trigger, "")
    if message_type == "SIU":
        return _SIU.get(trigger, "")
    return _OTHERS.get((message_type, trigger), "")


@lru_cache(maxsize=64)
def element(name: str, version: str) -> Element | None:
    """The tree of segments and groups of one structure, or None if that version has none of that name."""
    if version not in VERSIONS:
        return None
    try:
        return _element(name, load_library(version).get(name, "Message"), (1, 1), version, name)
    except ChildNotFound:
        return None


def _element(name: str, reference: Any, cardinality: tuple[int, int], version: str, message: str) -> Element:
    least, most = cardinality
    if (version, message, name) in _OPTIONAL_ALTHOUGH_TABLED:
        least = 0
    children: tuple[Element, ...] = ()
    choice = False
    if reference is not None and reference[0] in ("sequence", "choice") and (len(name) > 3 or name == message):
        choice = reference[0] == "choice" or name.endswith("_CHOICE")
        children = tuple(_element(n, sub, card, version, message) for n, sub, card, _ in reference[1])
    short = name.removeprefix(message + "_")
    return Element(short, least, None if most < 0 else most, children, choice)


def analyse(message: HL7Message) -> Structure:
    """Match a message with the structure that its type, trigger and version name. Z segments are let pass."""
    name = structure_name(message.type, message.trigger, message.version)
    tree = element(name, message.version) if name else None
    if tree is None:
        return Structure("", Group("", message.segments), ())
    segments = [segment for segment in message.segments if not segment.name.startswith("Z")]
    numbers = [n for n, segment in enumerate(message.segments, 1) if not segment.name.startswith("Z")]
    strays: list[Issue] = []
    while True:
        run = _Run(segments, numbers)
        root = run.group(tree)
        if run.position >= len(segments) or len(strays) >= MAX_ISSUES:
            return Structure(
                name, root, tuple(sorted({*strays, *run.issues}, key=lambda i: (i.position or 1e9, i.text)))
            )
        stray = segments.pop(run.position)
        number = numbers.pop(run.position)
        after = segments[run.position - 1].name if run.position else "the beginning"
        strays.append(Issue(stray.name, number, f"{stray.name} must not follow {after} in {name}"))


class _Run:
    """One pass over the segments: each element takes what it can, in order."""

    def __init__(self, segments: Sequence[Segment], numbers: Sequence[int]) -> None:
        self._segments, self._numbers = segments, numbers
        self.position = 0
        self.issues: list[Issue] = []

    def group(self, element: Element) -> Group:
        segments: list[Segment] = []
        groups: list[Group] = []
        for child in element.children:
            count = 0
            while self.position < len(self._segments) and (child.most is None or count < child.most):
                if not _begins(child, self._segments[self.position].name):
                    break
                if child.is_group:
                    groups.append(self.group(child))
                else:
                    segments.append(self._segments[self.position])
                    self.position += 1
                count += 1
                if element.choice:
                    return Group(element.name, tuple(segments), tuple(groups))
            if count < child.least and not element.choice:
                place = self._numbers[self.position] if self.position < len(self._numbers) else 0
                what = f"group {child.name}" if child.is_group else child.name
                where = f"before segment {place}" if place else "at the end"
                self.issues.append(Issue(child.name, place, f"{what} is missing {where}"))
        return Group(element.name, tuple(segments), tuple(groups))


def _begins(element: Element, name: str) -> bool:
    """Whether a segment of that name may be the first of the element."""
    if not element.is_group:
        return element.name == name
    for child in element.children:
        if _begins(child, name):
            return True
        if child.least > 0 and not element.choice:
            # a group may also be recognised by a later segment of its own when the first one is missing
            break
    return False
