"""A strict walk over the bytes of a data set: elements with their places, and every rule of encoding that is broken.

Nothing is decoded and nothing is repaired beyond finding the next element. Lengths are never trusted, depth and
number of elements are bounded, and no bytes make it raise (PS3.5 section 7, Annex A).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from harness.validation.dictionary import SEQUENCE_TAGS, implicit_vr
from harness.validation.finding import Severity, ValidationFinding, shown

UNDEFINED = 0xFFFFFFFF
ITEM, ITEM_END, SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD
MAXIMUM_DEPTH = 32
MAXIMUM_ELEMENTS = 500_000
#: a broken file has one cause and thousands of consequences; more of one code say nothing new
MAXIMUM_FINDINGS = 10

LONG_VRS = frozenset({"OB", "OD", "OF", "OL", "OV", "OW", "SQ", "SV", "UC", "UN", "UR", "UT", "UV"})
SHORT_VRS = frozenset(
    {"AE", "AS", "AT", "CS", "DA", "DS", "DT", "FD", "FL", "IS", "LO", "LT", "PN", "SH", "SL", "SS", "ST", "TM", "UI"}
) | {"UL", "US"}
_VR_BYTES = {vr.encode("ascii"): vr for vr in LONG_VRS | SHORT_VRS}


class Element:
    """One element: where its value lies in ``DataSet.raw``; ``items`` of a sequence, ``fragments`` of pixel data."""

    __slots__ = ("end", "fragments", "items", "start", "tag", "vr")

    def __init__(self, tag: int, vr: str, start: int, end: int) -> None:
        self.tag, self.vr, self.start, self.end = tag, vr, start, end
        self.items: list[DataSet] | None = None
        self.fragments: list[tuple[int, int]] | None = None


class DataSet:
    """The elements of a data set or item by tag, in the order they came; ``raw`` is shared by the whole tree."""

    __slots__ = ("elements", "little", "parent", "path", "raw")

    def __init__(self, raw: bytes, path: str, little: bool, parent: DataSet | None) -> None:
        self.raw, self.path, self.little, self.parent = raw, path, little, parent
        self.elements: dict[int, Element] = {}

    def value(self, tag: int) -> bytes | None:
        """The raw value field, None if the element is not there; an empty one is ``b""``."""
        element = self.elements.get(tag)
        return None if element is None else self.raw[element.start : element.end]

    def text(self, tag: int) -> str:
        """A value of the default repertoire without its padding, empty if it is not there."""
        return (self.value(tag) or b"").decode("ascii", errors="replace").strip(" \0")

    def values(self, tag: int) -> list[str]:
        """As :meth:`text`, split at the backslash."""
        text = self.text(tag)
        return [part.strip(" ") for part in text.split("\\")] if text else []

    def number(self, tag: int) -> int | None:
        """The first value of a US or UL element, or of an IS; None if it is not there or is no number."""
        element = self.elements.get(tag)
        if element is None:
            return None
        field = self.raw[element.start : min(element.end, element.start + 16)]
        order = "<" if self.little else ">"
        # whoever writes UN for a known element leaves the value as it was (PS3.5 6.2.2)
        vr = implicit_vr(tag) if element.vr == "UN" else element.vr
        if vr in ("US", "US or SS", "SS") and len(field) >= 2:
            return int(struct.unpack_from(order + ("h" if vr == "SS" else "H"), field)[0])
        if vr == "UL" and len(field) >= 4:
            return int(struct.unpack_from(order + "I", field)[0])
        text = field.decode("ascii", errors="replace").strip(" \0").split("\\")[0]
        return int(text) if text.lstrip("+-").isdecimal() and text.isascii() and text.count("-") < 2 else None

    def unsigned(self, tag: int) -> tuple[int, ...]:
        """The numbers of a value of VR UL, none if it is not there or broken."""
        field = self.value(tag) or b""
        return struct.unpack(f"{'<' if self.little else '>'}{len(field) // 4}I", field) if len(field) % 4 == 0 else ()

    def items(self, tag: int) -> list[DataSet]:
        """The items of a sequence, none if it is not there."""
        element = self.elements.get(tag)
        return element.items or [] if element is not None else []


@dataclass(frozen=True, slots=True)
class Syntax:
    """How a transfer syntax encodes the data set."""

    explicit: bool = True
    little: bool = True


class Walk:
    """One pass over ``raw[start:]``; the result is :attr:`root` and :attr:`findings`."""

    def __init__(self, raw: bytes, syntax: Syntax, start: int = 0, *, stop_after_group: int | None = None) -> None:
        self.raw, self.syntax = raw, syntax
        self.findings: list[ValidationFinding] = []
        self._reported: dict[str, int] = {}
        self.count = 0
        self.stopped = False
        self.stop_after_group = stop_after_group
        self.position = start
        order = "<" if syntax.little else ">"
        self._head = struct.Struct(order + "HH2sH").unpack_from
        self._tag_length = struct.Struct(order + "HHI").unpack_from
        self._long = struct.Struct(order + "I").unpack_from
        self.root = DataSet(raw, "", syntax.little, None)
        self.position = self._elements(self.root, start, len(raw), undefined=False, depth=0, explicit=syntax.explicit)

    def report(
        self,
        code: str,
        locator: str,
        expected: str,
        actual: str,
        clause: str,
        severity: Severity = Severity.ERROR,
    ) -> None:
        seen = self._reported[code] = self._reported.get(code, 0) + 1
        if seen <= MAXIMUM_FINDINGS:
            self.findings.append(ValidationFinding(code, severity, locator, expected, actual, clause))

    def _truncated(self, where: str, needed: int, left: int) -> None:
        self.stopped = True
        self.report("ENC-TRUNCATED", where, f"{needed} more bytes", f"{left} are left", "PS3.5 7.1")

    def _elements(self, ds: DataSet, position: int, end: int, *, undefined: bool, depth: int, explicit: bool) -> int:
        """Read elements into ``ds`` up to ``end`` (or to the item delimiter if the item has undefined length)."""
        raw, previous = self.raw, -1
        head, tag_length, elements = self._head, self._tag_length, ds.elements
        while position < end and not self.stopped:
            if end - position < 8:
                if depth == 0 and not any(raw[position:end]):
                    self.report(
                        "ENC-TRAILING", f"byte {position}", "nothing after the last element",
                        f"{end - position} zeros", "PS3.5 7.1",
                    )  # fmt: skip
                    self.stopped = True
                else:
                    self._truncated(f"byte {position}", 8, end - position)
                return end
            if explicit:
                group, number, code, length = head(raw, position)
            else:
                group, number, length = tag_length(raw, position)
                code = b""
            tag = group << 16 | number
            if group == 0xFFFE:
                length = tag_length(raw, position)[2]
                if tag == ITEM_END and undefined:
                    if length:
                        self.report("ENC-DELIMITER", f"byte {position}", "length 0", str(length), "PS3.5 7.5.1")
                    return position + 8
                self.report(
                    "ENC-DELIMITER", f"byte {position}", "a data element", f"({group:04X},{number:04X})", "PS3.5 7.5"
                )  # fmt: skip
                position += 8
                if undefined:
                    return position - 8 if tag == SEQUENCE_END else position
                continue
            if self.stop_after_group is not None and group != self.stop_after_group and depth == 0:
                return position
            self.count += 1
            if self.count > MAXIMUM_ELEMENTS:
                self.stopped = True
                self.report(
                    "ENC-TOO-MANY",
                    ds.path or "data set",
                    f"at most {MAXIMUM_ELEMENTS} elements",
                    "more",
                    "a limit of this tool",
                )
                return end
            header = 8
            if explicit:
                vr = _VR_BYTES.get(code, "")
                if not vr:
                    vr, length, header = self._unknown_vr(ds, tag, code, position)
                elif vr in LONG_VRS:
                    if end - position < 12:
                        self._truncated(_place(ds, tag), 12, end - position)
                        return end
                    if length:
                        self.report("ENC-RESERVED", _place(ds, tag), "0000", f"{length:04X}", "PS3.5 7.1.2")
                    (length,) = self._long(raw, position + 8)
                    header = 12
            else:
                vr = implicit_vr(tag)
            if tag <= previous:
                if tag in elements:
                    self.report("ENC-DUPLICATE", _place(ds, tag), "one element of this tag", "another", "PS3.5 7.1")
                else:
                    self.report(
                        "ENC-ORDER", _place(ds, tag), f"a tag above ({previous >> 16:04X},{previous & 0xFFFF:04X})",
                        f"({group:04X},{number:04X})", "PS3.5 7.1",
                    )  # fmt: skip
            else:
                previous = tag
            start = position + header
            element = Element(tag, vr, start, start)
            if length == UNDEFINED:
                position = self._undefined(ds, element, start, end, depth, explicit)
            elif start + length > end:
                element.end = end
                self._truncated(_place(ds, tag), length, end - start)
                if vr != "SQ":
                    elements.setdefault(tag, element)
                return end
            else:
                position = element.end = start + length
                if length & 1:
                    self.report("ENC-ODD-LENGTH", _place(ds, tag), "an even length", str(length), "PS3.5 7.1.1")
                if vr == "SQ":
                    self._sequence(ds, element, start, position, depth, explicit, undefined=False)
            elements.setdefault(tag, element)
        if undefined and not self.stopped:
            self._truncated(ds.path or "data set", 8, 0)
        return position

    def _unknown_vr(self, ds: DataSet, tag: int, code: bytes, position: int) -> tuple[str, int, int]:
        """An unreadable VR: either implicit encoding or nonsense; read on as far as the next element is plausible."""
        (length,) = self._long(self.raw, position + 4)
        if position + 8 + length <= len(self.raw) or length == UNDEFINED:
            self.report("ENC-VR-UNKNOWN", _place(ds, tag), "a value representation", shown(code), "PS3.5 7.1.2")
            return implicit_vr(tag), length, 8
        self.stopped = True
        self.report("ENC-VR-UNKNOWN", _place(ds, tag), "a value representation", shown(code), "PS3.5 7.1.2")
        return "UN", 0, 8

    def _undefined(self, ds: DataSet, element: Element, start: int, end: int, depth: int, explicit: bool) -> int:
        if element.tag == 0x7FE00010 and element.vr in ("OB", "OW", "OB or OW"):
            return self._fragments(ds, element, start, end)
        if element.vr == "UN":
            explicit = False  # PS3.5 6.2.2: the content of a UN of undefined length is implicit little endian
        elif element.vr != "SQ":
            self.report(
                "ENC-UNDEFINED-LENGTH", _place(ds, element.tag), "an explicit length",
                f"undefined, VR {element.vr}", "PS3.5 7.1",
            )  # fmt: skip
        return self._sequence(ds, element, start, end, depth, explicit, undefined=True)

    def _sequence(
        self, ds: DataSet, element: Element, position: int, end: int, depth: int, explicit: bool, *, undefined: bool
    ) -> int:
        items: list[DataSet] = []
        element.items = items
        if depth >= MAXIMUM_DEPTH:
            self.stopped = True
            self.report(
                "ENC-DEPTH", _place(ds, element.tag), f"at most {MAXIMUM_DEPTH} levels", "more", "a limit of this tool"
            )
            return end
        prefix = f"{ds.path}({element.tag >> 16:04X},{element.tag & 0xFFFF:04X})"
        while position < end and not self.stopped:
            if end - position < 8:
                self._truncated(prefix, 8, end - position)
                return end
            group, number, length = self._tag_length(self.raw, position)
            tag = group << 16 | number
            position += 8
            if tag == SEQUENCE_END and undefined:
                if length:
                    self.report("ENC-DELIMITER", prefix, "length 0", str(length), "PS3.5 7.5.2")
                element.end = position - 8
                return position
            if tag != ITEM:
                self.report("ENC-ITEM", prefix, "an item (FFFE,E000)", f"({group:04X},{number:04X})", "PS3.5 7.5")
                self.stopped = undefined
                return end
            item = DataSet(self.raw, f"{prefix}[{len(items) + 1}].", self.syntax.little, ds)
            items.append(item)
            if length == UNDEFINED:
                position = self._elements(item, position, end, undefined=True, depth=depth + 1, explicit=explicit)
            elif position + length > end:
                self._truncated(item.path.rstrip("."), length, end - position)
                return end
            else:
                self._elements(
                    item, position, position + length, undefined=False, depth=depth + 1, explicit=explicit
                )  # fmt: skip
                position += length
        if undefined and not self.stopped:
            self._truncated(prefix, 8, 0)
        element.end = position
        return position

    def _fragments(self, ds: DataSet, element: Element, position: int, end: int) -> int:
        element.fragments = fragments = []
        element.start = position
        where = _place(ds, element.tag)
        while position < end:
            if end - position < 8:
                break
            group, number, length = self._tag_length(self.raw, position)
            tag = group << 16 | number
            if tag == SEQUENCE_END:
                element.end = position
                if length:
                    self.report("ENC-DELIMITER", where, "length 0", str(length), "PS3.5 A.4")
                return position + 8
            if tag != ITEM or length == UNDEFINED:
                self.stopped = True
                self.report(
                    "ENC-ITEM", where, "a fragment or the delimiter", f"({group:04X},{number:04X})", "PS3.5 A.4"
                )
                element.end = position
                return end
            if position + 8 + length > end:
                fragments.append((position + 8, end))
                break
            if length & 1:
                self.report(
                    "ENC-ODD-LENGTH", f"{where} fragment {len(fragments)}", "an even length", str(length), "PS3.5 A.4"
                )
            fragments.append((position + 8, position + 8 + length))
            self.count += 1
            if self.count > MAXIMUM_ELEMENTS:
                break
            position += 8 + length
        element.end = end
        self._truncated(where, 8, max(0, end - position))
        return end


def _place(ds: DataSet, tag: int) -> str:
    return f"{ds.path}({tag >> 16:04X},{tag & 0xFFFF:04X})"


def looks_implicit(raw: bytes, start: int = 0) -> bool | None:
    """Whether the first element is implicit VR (little endian); None if it is neither implicit nor explicit."""
    if len(raw) - start < 8:
        return None
    if raw[start + 4 : start + 6] in _VR_BYTES:
        return False
    group, number, length = struct.unpack_from("<HHI", raw, start)
    plausible = start + 8 + length <= len(raw) or (length == UNDEFINED and (group << 16 | number) in SEQUENCE_TAGS)
    return True if plausible and group < 0x100 else None
