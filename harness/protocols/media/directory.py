"""DICOMDIR from its raw bytes: every record with its byte offset, and the tree that the offsets make.

PS3.3 Annex F: records are items of one sequence; their order means nothing, the offsets link them. Offsets count from
the first byte of the preamble. Records, links and values are bounded and loops are found, so no bytes keep it busy.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

from harness.protocols.dicom import charset
from harness.protocols.media.elements import ITEM, SEQUENCE_END, UNDEFINED, scan

FILE_SET_ID, FIRST, LAST, CONSISTENCY, RECORDS = 0x00041130, 0x00041200, 0x00041202, 0x00041212, 0x00041220
NEXT, IN_USE, LOWER, TYPE = 0x00041400, 0x00041410, 0x00041420, 0x00041430
FILE_ID, CLASS_IN_FILE, INSTANCE_IN_FILE, SYNTAX_IN_FILE = 0x00041500, 0x00041510, 0x00041511, 0x00041512
CHARACTER_SET: Final = 0x00080005
MAXIMUM_RECORDS: Final = 2_000_000
_LENGTH_KEPT: Final = 64 << 10


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong with the bytes: a rule by name, the place, what must be and what is."""

    rule: str
    where: str
    expected: str
    actual: str


@dataclass(frozen=True, slots=True)
class Record:
    """One directory record. ``values`` are raw bytes by tag, with the VR that the bytes state."""

    number: int
    offset: int
    values: Mapping[int, bytes]
    vrs: Mapping[int, str] = field(default_factory=dict)

    @property
    def type(self) -> str:
        """Directory Record Type."""
        return self.ascii(TYPE)

    @property
    def in_use(self) -> bool:
        """Whether the record counts: one that is marked as deleted is passed over (PS3.3 F.3.2.2)."""
        flag = self.values.get(IN_USE, b"")
        return len(flag) < 2 or _number(flag) != 0

    @property
    def next(self) -> int:
        """Offset of the next record of the same entity, 0 for the last."""
        return _number(self.values.get(NEXT, b""))

    @property
    def lower(self) -> int:
        """Offset of the first record of the entity below, 0 if there is none."""
        return _number(self.values.get(LOWER, b""))

    @property
    def file(self) -> str:
        """Referenced File ID as a path, "" if there is none."""
        return "/".join(self.components)

    @property
    def components(self) -> tuple[str, ...]:
        """Components of Referenced File ID."""
        text = self.values.get(FILE_ID, b"").decode("latin-1").strip(" \0")
        return tuple(part.strip(" ") for part in text.split("\\")) if text else ()

    def ascii(self, tag: int) -> str:
        """A value of the default repertoire without padding, "" if it is not there."""
        return self.values.get(tag, b"").decode("latin-1").strip(" \0")

    @property
    def character_set(self) -> tuple[str, ...]:
        """Specific Character Set of this record."""
        text = self.ascii(CHARACTER_SET)
        return tuple(part.strip() for part in text.split("\\")) if text else ()

    def text(self, tag: int, vr: str = "") -> str:
        """A value decoded by the record's own character set."""
        return decoded(self.values.get(tag, b""), self.character_set, vr or self.vrs.get(tag, "LO"))

    @property
    def where(self) -> str:
        """How findings name it."""
        return f"DICOMDIR record {self.number} ({self.type or 'no type'}) at byte {self.offset}"


def decoded(raw: bytes, terms: tuple[str, ...], vr: str) -> str:
    """A text value without its padding."""
    return charset.decode_strict(raw, terms, vr)[0].strip(" \0")


@dataclass(slots=True)
class Directory:
    """A parsed DICOMDIR; the tree follows the offsets only."""

    meta: Mapping[int, bytes] = field(default_factory=dict)
    values: Mapping[int, bytes] = field(default_factory=dict)
    records: tuple[Record, ...] = ()
    problems: list[Problem] = field(default_factory=list)

    @property
    def file_set_id(self) -> str:
        """File-set ID."""
        return self.values.get(FILE_SET_ID, b"").decode("latin-1").strip(" \0")

    def meta_text(self, tag: int) -> str:
        """A value of the file meta information."""
        return self.meta.get(tag, b"").decode("latin-1").strip(" \0")


class Tree:
    """The records as the offsets link them; a record has one parent, and loops are cut and reported.

    Records that are not in use, and what lies below them, are no part of it.
    """

    def __init__(self, directory: Directory) -> None:
        self.directory = directory
        self.problems: list[Problem] = []
        self.by_offset = {record.offset: record for record in directory.records}
        self._children: dict[int, list[Record]] = {}
        self.parent: dict[int, Record | None] = {}
        self.depth: dict[int, int] = {}
        #: offsets of records that are not in use, and of those below them
        self.inactive: set[int] = set()
        self._link()

    @property
    def roots(self) -> list[Record]:
        """Records of the root entity."""
        return self._children.get(0, [])

    def children(self, record: Record) -> list[Record]:
        """Records of the entity below a record."""
        return self._children.get(record.offset, [])

    def walk(self) -> Iterator[Record]:
        """Every record that can be reached, parents first."""
        return (self.by_offset[offset] for offset in self.parent)

    @cached_property
    def lost(self) -> list[Record]:
        """Records in use that no offset leads to."""
        return [
            record
            for record in self.directory.records
            if record.offset not in self.parent and record.offset not in self.inactive and record.in_use
        ]

    def ancestor(self, record: Record, type_: str) -> Record | None:
        """The nearest record above (or the record itself) of that type."""
        found: Record | None = record
        while found is not None and found.type != type_:
            found = self.parent.get(found.offset)
        return found

    def _link(self) -> None:
        first = _number(self.directory.values.get(FIRST, b""))
        # the last item says whether a deleted record is above
        pending: list[tuple[int, Record | None, str, bool]] = [(first, None, "(0004,1200)", False)]
        while pending:
            offset, parent, source, deleted = pending.pop()
            level: list[Record] = []
            tail: Record | None = None
            while offset:
                record = self.by_offset.get(offset)
                if record is None:
                    self.problems.append(
                        Problem("offset", source, "the first byte of a directory record", f"byte {offset}")
                    )
                    break
                if offset in self.parent or offset in self.inactive:
                    self.problems.append(Problem("loop", source, "a record that was not met before", record.where))
                    break
                tail = record
                unused = deleted or not record.in_use
                if unused:
                    self.inactive.add(offset)
                else:
                    self.parent[offset] = parent
                    self.depth[offset] = 0 if parent is None else self.depth[parent.offset] + 1
                    level.append(record)
                if record.lower:
                    below = parent if unused else record
                    pending.append((record.lower, below, f"{record.where}, (0004,1420)", unused))
                source = f"{record.where}, (0004,1400)"
                offset = record.next
            if not deleted:
                self._children.setdefault(parent.offset if parent else 0, []).extend(level)
                if parent is None:
                    self._last(tail)

    def _last(self, tail: Record | None) -> None:
        last = _number(self.directory.values.get(LAST, b""))
        right = tail.offset if tail is not None else 0
        if last != right and LAST in self.directory.values:
            self.problems.append(
                Problem("offset", "(0004,1202)", f"byte {right}, the last record of the root entity", f"byte {last}")
            )


def parse(raw: bytes) -> Directory:
    """Read a DICOMDIR; what is wrong with it is in ``problems``, and nothing raises."""
    found = Directory()
    if raw[128:132] != b"DICM":
        found.problems.append(Problem("structure", "byte 128", "DICM", repr(raw[128:132])))
        return found
    meta = scan(raw, 132, len(raw), group=2)
    found.meta = {tag: raw[e.start : min(e.end, e.start + _LENGTH_KEPT)] for tag, e in meta.elements.items()}
    if meta.problem:
        found.problems.append(Problem("structure", "file meta information", "readable elements", meta.problem))
        return found
    body = scan(raw, meta.end, len(raw))
    found.values = {
        tag: raw[e.start : e.end]
        for tag, e in body.elements.items()
        if e.end - e.start <= _LENGTH_KEPT and tag != RECORDS
    }
    if body.problem:
        found.problems.append(Problem("structure", "data set", "readable elements", body.problem))
    sequence = body.elements.get(RECORDS)
    if sequence is None:
        if not body.problem:
            found.problems.append(Problem("structure", "(0004,1220)", "Directory Record Sequence", "(absent)"))
            return found
        # the sequence is broken inside: what comes before the break is still worth reading
        start = raw.find(b"\x04\x00\x20\x12SQ\x00\x00", meta.end)
        if start < 0:
            return found
        found.records = tuple(_records(raw, start + 12, len(raw), found.problems))
        return found
    found.records = tuple(_records(raw, sequence.start, sequence.end, found.problems))
    return found


def _records(raw: bytes, position: int, end: int, problems: list[Problem]) -> Iterator[Record]:
    number = 0
    while position + 8 <= end:
        group, element, length = struct.unpack_from("<HHI", raw, position)
        tag = group << 16 | element
        if tag == SEQUENCE_END:
            return
        if tag != ITEM:
            problems.append(
                Problem("structure", f"byte {position}", "an item (FFFE,E000)", f"({group:04X},{element:04X})")
            )
            return
        number += 1
        if number > MAXIMUM_RECORDS:
            problems.append(Problem("structure", f"byte {position}", f"at most {MAXIMUM_RECORDS} records", "more"))
            return
        start = position + 8
        stop = end if length == UNDEFINED else start + length
        if stop > end:
            problems.append(Problem("structure", f"byte {position}", f"{length} bytes of a record", f"{end - start}"))
            stop = end
        item = scan(raw, start, stop, until=1 << 32, ending=length == UNDEFINED)
        if item.problem:
            problems.append(Problem("structure", f"record {number} at byte {position}", "readable", item.problem))
        elements = item.elements.items()
        yield Record(
            number,
            position,
            {tag: raw[e.start : min(e.end, e.start + _LENGTH_KEPT)] for tag, e in elements},
            {tag: e.vr for tag, e in elements},
        )
        if length == UNDEFINED and (item.problem or item.end <= start):
            return
        position = item.end if length == UNDEFINED else stop


def _number(raw: bytes) -> int:
    """A UL or US value, 0 if it is not there."""
    if len(raw) >= 4:
        return int(struct.unpack_from("<I", raw)[0])
    return int(struct.unpack_from("<H", raw)[0]) if len(raw) >= 2 else 0
