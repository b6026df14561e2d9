"""HL7 v2 messages in ER7: a reader that never fails on hostile bytes.

The reader keeps the bytes, decodes them by MSH-18 and splits by the separators of MSH-1 and MSH-2 (HL7 v2.5
chapter 2). Paths name what is read: ``PID-5`` (the whole field), ``PID-3[2].4.1`` (second repetition, fourth
component, first subcomponent), ``IPC[2]-5`` (second IPC segment). What is not there reads as an empty text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cached_property, lru_cache

from harness.core.errors import UsageError
from harness.protocols.hl7.compose import compose
from harness.protocols.hl7.header import header_fields, kind_of
from harness.protocols.hl7.reading import read_text
from harness.protocols.hl7.separators import STANDARD, Separators

__all__ = [
    "MAX_SEGMENTS",
    "NULL",
    "STANDARD",
    "HL7Message",
    "Segment",
    "Separators",
    "compose",
    "header_fields",
    "kind_of",
]

NULL = '""'
"""A field with this value deletes what the receiver stored; an empty field leaves it (HL7 v2.5 section 2.5.3)."""

MAX_SEGMENTS = 20_000

_PATH = re.compile(
    r"(?P<segment>[A-Z][A-Z0-9]{2})(?:\[(?P<nth>\d+)\])?"
    r"(?:-(?P<field>\d+)(?:\[(?P<repetition>\d+)\])?(?:\.(?P<component>\d+)(?:\.(?P<sub>\d+))?)?)?"
)
_FIELD_PATH = re.compile(r"(?P<field>\d+)(?:\[(?P<repetition>\d+)\])?(?:\.(?P<component>\d+)(?:\.(?P<sub>\d+))?)?")


class Segment:
    """One segment: ``segment["5.1"]``, ``segment.field(5)``; ``segment.text`` is its ER7 text."""

    __slots__ = ("_fields", "name", "names", "separators", "text")

    def __init__(self, text: str, separators: Separators = STANDARD, names: Sequence[str] = ()) -> None:
        self.text, self.separators, self.names = text, separators, names
        self.name = text[:3]
        self._fields: list[str] | None = None

    def __repr__(self) -> str:
        return f"Segment({self.text!r})"

    @property
    def fields(self) -> list[str]:
        """ER7 text by field number; index 0 is the name. MSH-1 is the separator itself."""
        if self._fields is None:
            parts = self.text.split(self.separators.field)
            if self.name in ("MSH", "FHS", "BHS"):
                parts.insert(1, self.separators.field)
            self._fields = parts
        return self._fields

    def field(self, number: int) -> str:
        """ER7 text of a field, all repetitions."""
        fields = self.fields
        return fields[number] if 0 <= number < len(fields) else ""

    def repetitions(self, number: int) -> list[str]:
        """ER7 text of each repetition of a field; none if it is empty."""
        text = self.field(number)
        if not text:
            return []
        if self.name == "MSH" and number in (1, 2):
            return [text]
        return text.split(self.separators.repetition)

    def __getitem__(self, path: str | int) -> str:
        number, nth, component, sub = _address(str(path))
        text = self.field(number)
        if not text or (self.name == "MSH" and number in (1, 2)):
            return text
        separators = self.separators
        if nth is not None or component is not None:
            repetitions = text.split(separators.repetition)
            index = (nth or 1) - 1
            text = repetitions[index] if 0 <= index < len(repetitions) else ""
        if component is not None:
            text = _part(text, separators.component, component)
        if sub is not None:
            text = _part(text, separators.subcomponent, sub)
        return self._value(text)

    def components(self, number: int, repetition: int = 1) -> list[str]:
        """Unescaped components of one repetition of a field, without empty ones at the end."""
        repetitions = self.repetitions(number)
        if not 0 < repetition <= len(repetitions):
            return []
        values = [self._value(part) for part in repetitions[repetition - 1].split(self.separators.component)]
        while values and not values[-1]:
            values.pop()
        return values

    def _value(self, text: str) -> str:
        s = self.separators
        if s.escape not in text or s.component in text or s.repetition in text or s.subcomponent in text:
            return text  # a composite is given as it stands: its parts are unescaped one by one
        return s.unescape(text, self.names)


class HL7Message:
    """One message, read tolerantly from ER7 bytes without MLLP framing. ``problems`` says what was wrong."""

    def __init__(self, raw: bytes) -> None:
        self.raw = raw

    @cached_property
    def _read(self) -> tuple[str, Separators, tuple[str, ...], tuple[Segment, ...], tuple[str, ...]]:
        return _read(self.raw)

    @property
    def text(self) -> str:
        """The decoded text; what could not be decoded is U+FFFD."""
        return self._read[0]

    @property
    def separators(self) -> Separators:
        """MSH-1 and MSH-2 as the message has them."""
        return self._read[1]

    @property
    def character_sets(self) -> tuple[str, ...]:
        """The repetitions of MSH-18."""
        return self._read[2]

    @property
    def segments(self) -> tuple[Segment, ...]:
        """All segments in order."""
        return self._read[3]

    @property
    def problems(self) -> tuple[str, ...]:
        """What was not as chapter 2 of the standard wants it, in plain sentences."""
        return self._read[4]

    @cached_property
    def _by_name(self) -> dict[str, list[Segment]]:
        index: dict[str, list[Segment]] = {}
        for segment in self.segments:
            index.setdefault(segment.name, []).append(segment)
        return index

    def all(self, name: str) -> tuple[Segment, ...]:
        """All segments of that name in order."""
        return tuple(self._by_name.get(name, ()))

    def segment(self, name: str, nth: int = 1) -> Segment | None:
        """The nth segment of that name, or None."""
        found = self._by_name.get(name, [])
        return found[nth - 1] if 0 < nth <= len(found) else None

    def __contains__(self, name: object) -> bool:
        return name in self._by_name

    def __getitem__(self, path: str) -> str:
        name, nth, within = _message_path(path)
        segment = self.segment(name, nth)
        if segment is None:
            return ""
        return segment[within] if within else segment.text

    def values(self, path: str) -> list[str]:
        """The value in every segment and every repetition that has one, e.g. ``OBR-20`` or ``PID-3.4.1``."""
        match = _PATH.fullmatch(path)
        if match is None or match["field"] is None:
            raise UsageError(f"{path!r} is no HL7 field path")
        number = match["field"]
        rest = f".{match['component']}" if match["component"] else ""
        rest += f".{match['sub']}" if match["sub"] else ""
        out = []
        for segment in self.all(match["segment"]):
            for nth in range(1, len(segment.repetitions(int(number))) + 1):
                value = segment[f"{number}[{nth}]{rest}"]
                if value:
                    out.append(value)
        return out

    @property
    def type(self) -> str:
        """MSH-9.1."""
        return self["MSH-9.1"]

    @property
    def trigger(self) -> str:
        """MSH-9.2."""
        return self["MSH-9.2"]

    @property
    def kind(self) -> str:
        """``ORM^O01``, or ``ACK`` for a general acknowledgement whatever its trigger."""
        return kind_of(self.type, self.trigger)

    @property
    def version(self) -> str:
        """MSH-12.1."""
        return self["MSH-12.1"]

    @property
    def control_id(self) -> str:
        """MSH-10."""
        return self["MSH-10"]

    def __iter__(self) -> Iterator[Segment]:
        return iter(self.segments)


@lru_cache(maxsize=4096)
def _address(path: str) -> tuple[int, int | None, int | None, int | None]:
    """Field, repetition, component and subcomponent of a path within a segment."""
    match = _FIELD_PATH.fullmatch(path)
    if match is None:
        raise UsageError(f"{path!r} is no field path; write for instance 5, 5.1 or 3[2].4.1")
    nth, component, sub = (None if part is None else int(part) for part in match.groups()[1:])
    return int(match["field"]), nth, component, sub


@lru_cache(maxsize=4096)
def _message_path(path: str) -> tuple[str, int, str]:
    """Segment name, which of them, and the path within it ("" for the whole segment)."""
    match = _PATH.fullmatch(path)
    if match is None:
        raise UsageError(f"{path!r} is no HL7 path; write for instance PID-5, PID-3[2].4.1 or IPC[2]-5")
    return match["segment"], int(match["nth"] or 1), "" if match["field"] is None else path.split("-", 1)[1]


def _part(text: str, separator: str, number: int) -> str:
    parts = text.split(separator)
    return parts[number - 1] if 0 < number <= len(parts) else ""


def _read(
    raw: bytes,
) -> tuple[str, Separators, tuple[str, ...], tuple[Segment, ...], tuple[str, ...]]:
    text, names, problems = read_text(raw)
    if not text.startswith("MSH"):
        problems.append("the message does not begin with MSH")
    if text and not text.endswith("\r"):
        problems.append("the last segment has no carriage return")
    separators = Separators.of(text.split("\r", 1)[0]) if text.startswith("MSH") else STANDARD
    lines = [line for line in text.split("\r") if line]
    if len(lines) > MAX_SEGMENTS:
        problems.append(f"more than {MAX_SEGMENTS} segments; the rest was not read")
        lines = lines[:MAX_SEGMENTS]
    for line in lines:
        if not re.match(r"[A-Z][A-Z0-9]{2}(?:\W|$)", line):
            problems.append(f"{line[:8]!r} is no segment name")
    return text, separators, names, tuple(Segment(line, separators, names) for line in lines), tuple(problems)
