"""The values of elements: length and grammar by value representation, multiplicity, padding, text (PS3.5 6.2, 6.4)."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import lru_cache

from harness.protocols.dicom.charset import LINE_VRS, decode_strict
from harness.validation.dictionary import RETIRED, RULES, dictionary_vm, name, repeating
from harness.validation.finding import Severity, ValidationFinding, shown
from harness.validation.walker import DataSet, Element

_NUMBER = rb" *[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)? *"
_DATE = rb"\d{4}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])"
_TIME = rb"(?:[01]\d|2[0-3])(?:[0-5]\d(?:(?:[0-5]\d|60)(?:\.\d{1,6})?)?)?"
_ZONE = rb"(?:[+-](?:0\d|1[0-4])[0-5]\d)?"
_MOMENT = rb"\d{4}(?:(?:0[1-9]|1[0-2])(?:(?:0[1-9]|[12]\d|3[01])(?:" + _TIME + rb")?)?)?" + _ZONE
_UID = rb"(?:[01]\.[1-3]?\d|2\.(?:0|[1-9]\d*))(?:\.(?:0|[1-9]\d*))*"

#: VR -> (longest value in bytes, grammar of one value, the grammar in words)
_GRAMMAR: dict[str, tuple[int, re.Pattern[bytes], str]] = {
    "AE": (16, re.compile(rb"[ -\[\]-~]*"), "printable characters of the default repertoire, no backslash"),
    "AS": (4, re.compile(rb"\d{3}[DWMY]"), "nnnD, nnnW, nnnM or nnnY"),
    "CS": (16, re.compile(rb"[A-Z0-9 _]*"), "uppercase letters, digits, space and underscore"),
    "DA": (8, re.compile(_DATE), "YYYYMMDD"),
    "DS": (16, re.compile(_NUMBER), "a decimal or floating point number"),
    "DT": (26, re.compile(_MOMENT), "YYYYMMDDHHMMSS.FFFFFF&ZZXX, or the beginning of it"),
    "IS": (12, re.compile(rb" *[+-]?\d+ *"), "an integer"),
    "TM": (14, re.compile(_TIME), "HHMMSS.FFFFFF, or the beginning of it"),
    "UI": (64, re.compile(_UID), "a root of 0, 1 or 2 and components without leading zeros, joined by dots"),
}
_QUERY_GRAMMAR: dict[str, re.Pattern[bytes]] = {
    "AS": re.compile(rb"\d{3}[DWMY]"),
    "CS": re.compile(rb"[A-Z0-9 _*?]*"),
    "DA": re.compile(rb"(?:%s)?-?(?:%s)?" % (_DATE, _DATE)),
    "TM": re.compile(rb"(?:%s)?-?(?:%s)?" % (_TIME, _TIME)),
    "DT": re.compile(rb"(?:%s)?-?(?:%s)?" % (_MOMENT, _MOMENT)),
}
#: a whole field of ordinary values, so that the common case costs one match
_PLAIN: dict[str, re.Pattern[bytes]] = {
    "AE": re.compile(rb"[ -\[\]-~]{1,16}"),
    "CS": re.compile(rb"[A-Z0-9 _]{1,16}(?:\\[A-Z0-9 _]{1,16})*"),
    "DA": re.compile(rb"\d{4}(?:0[1-9]|1[0-2])(?:0[1-9]|1\d|2[0-8])"),
    "DS": re.compile(rb"-?\d{1,9}(?:\.\d{1,5})?(?:\\-?\d{1,9}(?:\.\d{1,5})?)* ?"),
    "IS": re.compile(rb"-?\d{1,9}(?:\\-?\d{1,9})* ?"),
    "TM": re.compile(rb"(?:[01]\d|2[0-3])[0-5]\d[0-5]\d(?:\.\d{6} ?)?"),
    "UI": re.compile(rb"(?:1\.[1-3]?\d|2\.[1-9]\d{0,3})(?:\.(?:0|[1-9]\d{0,12})){1,12}\0?"),
}
#: VR -> bytes of one value
_WIDTH = {"AT": 4, "FL": 4, "FD": 8, "SL": 4, "SS": 2, "UL": 4, "US": 2, "SV": 8, "UV": 8}
_WIDTH |= {"US or SS": 2, "OW": 2, "OF": 4, "OL": 4, "OD": 8, "OV": 8}
_TEXT_LIMIT = {"SH": 16, "LO": 64, "ST": 1024, "LT": 10240}
_TEXT = frozenset({"SH", "LO", "UC", "ST", "LT", "UT", "PN"})
_PADDED_WITH_SPACE = frozenset({"AE", "AS", "CS", "DA", "DS", "DT", "IS", "TM"})
_PRINTABLE = re.compile(rb"[ -~]*")
_LINES = re.compile(rb"[ -~\t\n\f\r]*")
_ONE_VALUE = LINE_VRS | {"UR", "OB", "OW", "OD", "OF", "OL", "OV", "UN", "SQ", "OB or OW"}

_CHARSET_CLAUSES = {
    "CS-TERM": "PS3.3 C.12.1.1.2",
    "CS-ISO2022": "PS3.5 6.1.2.5.3",
    "CS-ESC": "PS3.5 6.1.2.5.2",
    "CS-PN": "PS3.5 6.2.1.2",
    "CS-CONTROL": "PS3.5 6.1.3",
    "CS-VR": "PS3.5 6.1.2.2",
}
_CHARSET_WARNINGS = frozenset({"CS-UTF8-MISLABELLED", "CS-TERM-SINGLE", "CS-UTF8-BOM"})

#: longer values are bulk data, whatever their VR says
MAXIMUM_TEXT = 1 << 22

Report = Callable[[ValidationFinding], None]


class ValueRules:
    """Checks every value of a data set tree and reports findings; ``query``: ranges and wildcards are legal."""

    def __init__(self, report: Report, *, query: bool = False) -> None:
        self._report = report
        self._query = query

    def walk(self, ds: DataSet, terms: Sequence[str] = ()) -> None:
        """Check ``ds`` and its items; ``terms`` are inherited from the enclosing data set (PS3.3 C.12.1.1.2)."""
        own = ds.elements.get(0x00080005)
        if own is not None:
            raw = ds.raw[own.start : own.end]
            text = raw.decode("ascii", errors="replace").rstrip(" \0")
            terms = [term.strip(" ") for term in text.split("\\")] if text else []
        raw = ds.raw
        lengths: dict[int, int | None] = {}
        for tag, element in ds.elements.items():
            vr = element.vr
            entry = RULES.get(tag)
            if entry is not None:
                expected, vm = entry
                if expected != vr and vr not in expected:
                    self._other_vr(ds, tag, vr, expected)
            else:
                vm = self._outside_dictionary(ds, tag, element, lengths)
            if element.items is not None:
                for item in element.items:
                    self.walk(item, terms)
                continue
            start, end = element.start, element.end
            if end == start or end - start > MAXIMUM_TEXT or element.fragments is not None:
                continue
            field = raw[start:end]
            plain = _PLAIN.get(vr)
            width = _WIDTH.get(vr)
            if plain is not None and plain.fullmatch(field):
                pass
            elif width is not None:
                if len(field) % width:
                    wanted, found = f"a multiple of {width} bytes", f"{len(field)} bytes"
                    self._add(f"VR-{vr[:2]}-LENGTH", ds, tag, wanted, found, "PS3.5 6.2")
            elif vr in _TEXT:
                self._text(ds, element, field, terms)
            elif vr in _GRAMMAR:
                self._string(ds, element, field)
            elif vr == "UR":
                self._uri(ds, tag, field)
            if vm == "1":
                if width is not None and vr not in _ONE_VALUE:
                    if len(field) // width > 1:
                        self._multiplicity(ds, element, field)
                elif b"\\" in field and vr not in _ONE_VALUE:
                    self._multiplicity(ds, element, field)
            elif vm and vm != "1-n":
                self._multiplicity(ds, element, field)

    # -- one rule each -------------------------------------------------------------------------------------------

    def _add(
        self,
        code: str,
        ds: DataSet,
        tag: int,
        expected: str,
        actual: str,
        clause: str,
        severity: Severity = Severity.ERROR,
    ) -> None:
        self._report(ValidationFinding(code, severity, ds.path + name(tag), expected, actual, clause))

    def _outside_dictionary(self, ds: DataSet, tag: int, element: Element, lengths: dict[int, int | None]) -> str:
        """Private, group length, repeating and unknown elements; returns the VM, empty if there is none."""
        if tag >> 16 & 1:
            self._private(ds, tag, element)
            return ""
        if not tag & 0xFFFF:
            self._group_length(ds, tag, element, lengths)
            return ""
        entry = repeating(tag)
        if entry is None:
            if element.items is None:
                expected = "an element of the data dictionary"
                self._add("ENC-TAG-UNKNOWN", ds, tag, expected, "no such element", "PS3.6 6", Severity.WARNING)
            return ""
        if entry[0] != element.vr and element.vr not in entry[0]:
            self._other_vr(ds, tag, element.vr, entry[0])
        return entry[1]

    def _other_vr(self, ds: DataSet, tag: int, vr: str, expected: str) -> None:
        if vr == "UN":
            self._add("ENC-VR-UN", ds, tag, f"VR {expected}", "VR UN", "PS3.5 6.2.2", Severity.WARNING)
        elif tag != 0x7FE00010 and not (vr == "OW" and "OW" in expected):
            severity = Severity.WARNING if tag in RETIRED else Severity.ERROR
            self._add("ENC-VR-DICTIONARY", ds, tag, f"VR {expected}", f"VR {vr}", "PS3.6 6", severity)

    def _private(self, ds: DataSet, tag: int, element: Element) -> None:
        number = tag & 0xFFFF
        group = tag >> 16
        if group in (1, 3, 5, 7, 0xFFFF):
            self._add("ENC-PRIVATE-GROUP", ds, tag, "an odd group from 0009", f"group {group:04X}", "PS3.5 7.8.1")
        elif 0x01 <= number < 0x10:
            self._add(
                "ENC-PRIVATE-BLOCK", ds, tag, "a private creator or block", f"element {number:04X}", "PS3.5 7.8.1"
            )
        elif number >= 0x1000:
            creator = ds.elements.get(tag & 0xFFFF0000 | number >> 8)
            if creator is None:
                wanted = f"a private creator ({group:04X},{number >> 8:04X})"
                self._add("ENC-PRIVATE-BLOCK", ds, tag, wanted, "none", "PS3.5 7.8.1")
            elif creator.vr not in ("LO", "UN"):
                self._add(
                    "ENC-PRIVATE-BLOCK", ds, creator.tag, "a creator of VR LO", f"VR {creator.vr}", "PS3.5 7.8.1"
                )  # fmt: skip
        elif 0x100 <= number < 0x1000:
            self._add("ENC-PRIVATE-BLOCK", ds, tag, "elements from (gggg,1000)", f"{number:04X}", "PS3.5 7.8.1")

    def _group_length(self, ds: DataSet, tag: int, element: Element, lengths: dict[int, int | None]) -> None:
        if tag <= 0x00020000:
            return
        if not lengths:
            lengths.update(_group_ends(ds))
        stated, end = ds.number(tag), lengths[tag >> 16]
        if stated is not None and end is not None and stated != end - element.end:
            expected = str(end - element.end)
            self._add("ENC-GROUP-LENGTH", ds, tag, expected, str(stated), "PS3.5 7.2", Severity.WARNING)

    def _multiplicity(self, ds: DataSet, element: Element, field: bytes) -> None:
        vm = dictionary_vm(element.tag)
        vr = element.vr
        if vm is None or vr in _ONE_VALUE:
            return
        if vr in _WIDTH:
            number = len(field) // _WIDTH[vr]
        elif vr in _TEXT and (not field.isascii() or b"\x1b" in field):
            return  # counted in the decoded text: a byte of a two-byte character may look like a backslash
        else:
            number = field.count(b"\\") + 1
        if not _allowed(vm, number):
            self._add("VM-COUNT", ds, element.tag, f"{vm} values", str(number), "PS3.5 6.4")

    def _string(self, ds: DataSet, element: Element, field: bytes) -> None:
        vr, tag = element.vr, element.tag
        if not field.isascii() or b"\x1b" in field:
            expected = f"the default repertoire, the only one of VR {vr}"
            self._add("CS-VR-DEFAULT", ds, tag, expected, shown(field), _charset_clause("CS-VR-DEFAULT"))
            return
        longest, grammar, words = _GRAMMAR[vr]
        if self._query:
            grammar = _QUERY_GRAMMAR.get(vr, grammar)
            longest = 2 * longest + 2 if vr in ("DA", "TM", "DT") else longest
        if vr == "UI":
            stripped = field[:-1] if field.endswith(b"\0") and len(field) % 2 == 0 else field
            if stripped.endswith((b" ", b"\0")):
                self._add(
                    "VR-PADDING", ds, tag, "one NUL to make the length even", shown(field[-4:]), "PS3.5 6.2"
                )  # fmt: skip
                stripped = stripped.rstrip(b" \0")
        else:
            stripped = field
            if b"\0" in field:
                self._add("VR-PADDING", ds, tag, "padding with SPACE", shown(field[-8:]), "PS3.5 6.2")
                stripped = field.rstrip(b"\0")
            if not stripped.strip(b" "):
                return
        values = stripped.split(b"\\")
        for value in values[:64] if vr != "UI" else values[:4096]:
            bare = value.rstrip(b" ") if vr in ("DA", "TM", "DT", "AS") else value
            if vr in ("AE", "CS", "DS", "IS"):
                bare = value.strip(b" ") if len(value) > longest else value
            if not bare.strip(b" "):
                continue
            if len(bare) > longest:
                found = f"{len(bare)}: {shown(bare)}"
                self._add(f"VR-{vr}-LENGTH", ds, tag, f"at most {longest} characters", found, "PS3.5 6.2")
            elif not grammar.fullmatch(bare):
                self._add(f"VR-{vr}-VALUE", ds, tag, words, shown(bare), "PS3.5 6.2" if vr != "UI" else "PS3.5 9.1")
            elif vr == "IS" and not -(2**31) <= int(bare) < 2**31:
                self._add("VR-IS-VALUE", ds, tag, "a value of 32 bits", shown(bare), "PS3.5 6.2")
            elif vr == "DA" and not self._query and not _day_exists(bare):
                self._add("VR-DA-VALUE", ds, tag, "a day of the calendar", shown(bare), "PS3.5 6.2")
            else:
                continue
            break

    def _text(self, ds: DataSet, element: Element, field: bytes, terms: Sequence[str]) -> None:
        vr, tag = element.vr, element.tag
        plain = (_LINES if vr in LINE_VRS else _PRINTABLE).fullmatch(field)
        if plain:
            text = field.decode("ascii")
            if terms and terms[0].endswith("IR 13") and vr in LINE_VRS:
                text = text.replace("\\", "¥")
        else:
            if field.endswith(b"\0"):
                self._add("VR-PADDING", ds, tag, "padding with SPACE", shown(field[-8:]), "PS3.5 6.2")
                field = field.rstrip(b"\0")
            text, problems = decode_strict(field, terms, vr)
            for problem in problems:
                if not problem.code.startswith("CS-TERM"):
                    self._add(
                        problem.code,
                        ds,
                        tag,
                        f"text in {chr(92).join(terms) or 'the default repertoire'}",
                        f"{problem.detail} (byte {problem.offset})",
                        _charset_clause(problem.code),
                        Severity.WARNING if problem.code in _CHARSET_WARNINGS else Severity.ERROR,
                    )
        if vr == "PN":
            self._person_name(ds, tag, text)
        limit = _TEXT_LIMIT.get(vr)
        if limit is None:
            return
        values = [text.rstrip(" ")] if vr in LINE_VRS else text.split("\\")
        for value in values[:256]:
            length = len(value) if vr in LINE_VRS else len(value.strip(" "))
            if length > limit:
                self._add(
                    f"VR-{vr}-LENGTH", ds, tag, f"at most {limit} characters", f"{length}: {shown(value)}", "PS3.5 6.2"
                )  # fmt: skip
                break
        if not plain and vr not in LINE_VRS:
            vm = dictionary_vm(tag)
            if vm is not None and not _allowed(vm, len(values)):
                self._add("VM-COUNT", ds, tag, f"{vm} values", str(len(values)), "PS3.5 6.4")

    def _person_name(self, ds: DataSet, tag: int, text: str) -> None:
        for value in text.split("\\")[:64]:
            groups = value.rstrip(" ").split("=")
            if len(groups) > 3:
                self._add("VR-PN-GROUPS", ds, tag, "at most 3 component groups", str(len(groups)), "PS3.5 6.2.1")
            for group in groups:
                if len(group) > 64:
                    self._add(
                        "VR-PN-LENGTH", ds, tag, "at most 64 characters in a group", str(len(group)), "PS3.5 6.2.1"
                    )  # fmt: skip
                if group.count("^") > 4:
                    self._add(
                        "VR-PN-COMPONENTS", ds, tag, "at most 5 components", str(group.count("^") + 1), "PS3.5 6.2.1"
                    )  # fmt: skip

    def _uri(self, ds: DataSet, tag: int, field: bytes) -> None:
        if field.startswith(b" ") or not re.fullmatch(rb"[!-\[\]-~]*", field.rstrip(b" ")):
            self._add("VR-UR-VALUE", ds, tag, "a URI without spaces or backslashes", shown(field), "PS3.5 6.2")


def _group_ends(ds: DataSet) -> dict[int, int | None]:
    """Where the last element of each group ends; None where a delimiter of unknown presence follows it."""
    ends: dict[int, int | None] = {}
    for element in ds.elements.values():
        delimited = element.items is not None or element.fragments is not None
        ends[element.tag >> 16] = None if delimited else element.end
    return ends


def _charset_clause(code: str) -> str:
    family = "-".join(code.split("-")[:2])
    return _CHARSET_CLAUSES.get(family, "PS3.5 6.1.2.3")


@lru_cache(maxsize=64)
def _multiples(vm: str) -> tuple[int, int | None, int]:
    low, _, high = vm.replace(" or ", "-").partition("-")
    least = int(low) if low.isdecimal() else 1
    if not high:
        return least, least, 1
    if high.endswith("n"):
        step = int(high[:-1]) if high[:-1].isdecimal() else 1
        return least, None, step
    return least, int(high) if high.isdecimal() else None, 1


def _allowed(vm: str, number: int) -> bool:
    """Whether ``number`` values fit a VM such as ``1-n``, ``2-2n`` or ``3``."""
    least, most, step = _multiples(vm)
    if number < least or (most is not None and number > most):
        return False
    return (number - least) % step == 0 if most is None and step > 1 else True


def _day_exists(value: bytes) -> bool:
    year, month, day = int(value[:4]), int(value[4:6]), int(value[6:8])
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    return day <= (29 if month == 2 and leap else (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)[month - 1])
