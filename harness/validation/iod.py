"""Modules, attributes and types of composite objects (PS3.3), judged from the compiled tables."""

from __future__ import annotations

import struct
from collections.abc import Callable

from harness.validation.dictionary import KEYWORD, name
from harness.validation.finding import Severity, ValidationFinding, shown
from harness.validation.iod_tables import Attribute, ContextGroup, Module, ObjectDefinition, Table, Tables
from harness.validation.walker import DataSet, Element

Report = Callable[[ValidationFinding], None]
_SHARED, _PER_FRAME = 0x52009229, 0x52009230
_FRAMES = 0x00280008
_NUMBERS = frozenset({"US", "SS", "US or SS", "DS", "IS"})
_TEXTUAL = frozenset(["AE", "AS", "CS", "DA", "DS", "DT", "IS", "LO", "LT", "PN", "SH", "ST", "TM", "UI", "UT", "UC"])
_CODE_VALUE, _CODE_SCHEME = 0x00080100, 0x00080102
_CONCEPT, _CONCEPT_CODE, _TITLE_MODIFIER = 0x0040A043, 0x0040A168, "113011"
_KEY_OBJECT = "key-object-selection-document"
_CONTENT, _BY_REFERENCE = 0x0040A730, 0x0040DB73
#: overlay plane attributes (60xx,eeee) of type 1 (PS3.3 C.9.2)
_OVERLAY = (0x0010, 0x0011, 0x0040, 0x0050, 0x0100, 0x0102)
#: frames beyond these are judged by count only: a study of ten thousand frames has the same mistake in each
MAXIMUM_ITEMS = 64


class ObjectRules:
    """Judges one composite object by its IOD; findings for the same place are given once."""

    def __init__(self, report: Report, known: Tables) -> None:
        self._report, self._known = report, known
        self._seen: set[tuple[str, str]] = set()
        self._unjudged: set[int] = set()
        self._module = ""
        self._certain = True
        self._shared: frozenset[int] = frozenset()

    def check(self, root: DataSet, sop_class: str) -> None:
        """All modules of the IOD of that SOP class."""
        iod = self._known.sop_classes.get(sop_class)
        if iod is None:
            self._add(
                "IOD-SOP-CLASS-UNKNOWN", "(0008,0016) SOPClassUID", "a storage SOP class of the current standard",
                shown(sop_class), "PS3.4 B.5", Severity.INFO,
            )  # fmt: skip
            return
        definition = self._known.object(iod)
        self._shared = definition.shared
        present = root.elements.keys()
        for module in definition.modules:
            self._certain = True
            if module.usage != "M":
                if module.condition is not None:
                    if not module.condition.holds(root):
                        if module.condition.exclusive and not module.signature.isdisjoint(present):
                            self._module_not_allowed(module, root)
                        continue
                elif module.signature.isdisjoint(present):
                    continue
                else:
                    self._certain = False
            self._module = module.name
            self._table(root, module.table)
        self._functional_groups(root, definition)
        self._overlays(root)
        self._contexts(root, iod)
        frames = root.number(_FRAMES)
        if frames is not None and frames > 1 and _FRAMES not in definition.tags:
            self._add("IOD-MULTI-FRAME", name(_FRAMES), f"one frame in a {iod}", str(frames), "PS3.3 A")
        self._unexpected(root, definition)
        if self._unjudged:
            places = sorted(self._unjudged)
            more = f" and {len(places) - 8} more" if len(places) > 8 else ""
            listed = ", ".join(name(tag) for tag in places[:8])
            self._add(
                "IOD-CONDITION-NOT-EVALUATED", "data set", "conditions that the bytes can decide",
                f"{len(places)} absent attributes of type 1C or 2C not judged: {listed}{more}",
                "PS3.5 7.4", Severity.INFO,
            )  # fmt: skip

    # -- tables --------------------------------------------------------------------------------------------------

    def _table(self, ds: DataSet, table: Table) -> None:
        elements = ds.elements
        if _BY_REFERENCE in elements:
            return  # a content item by reference has a relationship type and an identifier, and no macro applies
        present = elements.keys()
        if not table.must <= present:
            for tag in sorted(table.must - present):
                self._missing(ds, table.rows[tag])
        for row in table.conditional:
            condition = row.condition
            assert condition is not None
            if row.tag not in elements:
                if condition.holds(ds):
                    self._missing(ds, row)
            elif condition.exclusive and not condition.holds(ds) and (ds.path or row.tag not in self._shared):
                words = condition.words.removeprefix(f"present({KEYWORD.get(row.tag)}) and ")
                self._finding(f"IOD-{row.type}-NOT-ALLOWED", ds, row, f"not present unless {words}", "present")
        if not ds.path:
            self._unjudged |= table.unjudged - present
        for tag in table.valued & present:
            if _is_empty(ds, elements[tag]):
                row = table.rows[tag]
                self._finding(f"IOD-{row.type}-EMPTY", ds, row, "a value", "no value")
        for tag in table.looked_into & present:
            row, element = table.rows[tag], elements[tag]
            if element.items is not None and row.table >= 0:
                inner = self._known.table(row.table)
                for item in element.items[:MAXIMUM_ITEMS]:
                    self._table(item, inner)
            if row.terms:
                self._terms(ds, row, element)
        if ds.path and _CONTENT in elements and _CONTENT not in table.looked_into:
            for item in ds.items(_CONTENT)[:MAXIMUM_ITEMS]:  # content items nest without limit, the tables do not
                self._table(item, table)

    def _missing(self, ds: DataSet, row: Attribute) -> None:
        because = f" because {row.condition.words}" if row.condition is not None else ""
        self._finding(f"IOD-{row.type}-MISSING", ds, row, f"an element of type {row.type}{because}", "absent")

    def _finding(self, code: str, ds: DataSet, row: Attribute, expected: str, actual: str) -> None:
        severity = Severity.ERROR if self._certain else Severity.WARNING
        self._add(code, ds.path + name(row.tag), expected, actual, f"PS3.3 {self._module} module", severity)

    def _terms(self, ds: DataSet, row: Attribute, element: Element) -> None:
        values = _values(ds, element)
        for kind, number, words in row.terms:
            chosen = values[number - 1 : number] if number else values[:8]
            if number > len(values) > 0:
                wanted = f"at least {number} values"
                self._finding("IOD-VALUE-NUMBER", ds, row, wanted, str(len(values)))
            for value in chosen:
                if not value or value in words or (element.vr in _NUMBERS and _same_number(value, words)):
                    continue
                code = "IOD-ENUMERATED-VALUE" if kind == "E" else "IOD-DEFINED-TERM"
                listed = ", ".join(words[:8]) + (", …" if len(words) > 8 else "")
                self._add(
                    code, ds.path + name(row.tag), f"one of {listed}", shown(value), f"PS3.3 {self._module} module",
                    Severity.ERROR if kind == "E" and self._certain else Severity.WARNING,
                )  # fmt: skip
                break

    def _add(
        self, code: str, locator: str, expected: str, actual: str, clause: str, severity: Severity = Severity.ERROR
    ) -> None:
        if (code, locator) not in self._seen:
            self._seen.add((code, locator))
            self._report(ValidationFinding(code, severity, locator, expected, actual, clause))

    # -- modules and functional groups --------------------------------------------------------------------------

    def _module_not_allowed(self, module: Module, root: DataSet) -> None:
        assert module.condition is not None
        tags = sorted(module.signature & root.elements.keys())
        self._add(
            "IOD-MODULE-NOT-ALLOWED", name(tags[0]), f"no {module.name} module unless {module.condition.words}",
            "present", "PS3.3 A.1.3",
        )  # fmt: skip

    def _unexpected(self, root: DataSet, definition: ObjectDefinition) -> None:
        for tag in root.elements:
            group = tag >> 16
            if tag in definition.tags or group & 1 or not tag & 0xFFFF or 0x5000 <= group < 0x5100:
                continue
            if 0x6000 <= group < 0x6100 or group in (0x0002, 0xFFFA, 0xFFFC):
                continue
            wanted = f"an attribute of the {definition.name} IOD"
            self._add("IOD-STANDARD-EXTENDED", name(tag), wanted, "another", "PS3.2 7.3", Severity.INFO)

    def _contexts(self, root: DataSet, iod: str) -> None:
        for group in self._known.contexts(iod):
            if group.path[0] not in root.elements:
                continue
            holders = [root]
            for tag in group.path[:-1]:
                holders = [item for holder in holders for item in holder.items(tag)[:MAXIMUM_ITEMS]][:MAXIMUM_ITEMS]
            for holder in holders:
                self._codes(holder, group.path[-1], group)
        title = next(iter(root.items(_CONCEPT)), None)
        modifiers = self._known.modifiers(title.text(_CODE_VALUE)) if title and iod == _KEY_OBJECT else None
        if modifiers is not None:
            for item in root.items(_CONTENT)[:MAXIMUM_ITEMS]:
                if any(concept.text(_CODE_VALUE) == _TITLE_MODIFIER for concept in item.items(_CONCEPT)):
                    self._codes(item, _CONCEPT_CODE, modifiers)

    def _codes(self, holder: DataSet, tag: int, group: ContextGroup) -> None:
        for item in holder.items(tag)[:MAXIMUM_ITEMS]:
            code = (item.text(_CODE_SCHEME), item.text(_CODE_VALUE))
            if code[1] and code not in group.codes:
                self._add(
                    "IOD-CONTEXT-GROUP" if group.defined else "IOD-CONTEXT-GROUP-BASELINE",
                    holder.path + name(tag),
                    f"a code of CID {group.number}",
                    shown(f"{code[1]} {code[0]}"),
                    f"PS3.16 CID {group.number}",
                    Severity.WARNING if group.defined else Severity.INFO,
                )

    def _overlays(self, root: DataSet) -> None:
        for group in sorted({tag & 0xFFFF0000 for tag in root.elements if 0x6000 <= tag >> 16 <= 0x601E}):
            if group >> 16 & 1 or not any(group | number in root.elements for number in (0x10, 0x11, 0x3000)):
                continue
            for number in _OVERLAY:
                if not root.value(group | number):
                    self._add("IOD-1-MISSING", name(group | number), "a value", "absent", "PS3.3 overlay-plane module")

    def _functional_groups(self, root: DataSet, definition: ObjectDefinition) -> None:
        if _PER_FRAME not in root.elements and _SHARED not in root.elements:
            return
        shared, frames = root.items(_SHARED), root.items(_PER_FRAME)
        number = root.number(0x00280008)
        if number is not None and _PER_FRAME in root.elements and number != len(frames):
            wanted = f"{number} items, one for each frame"
            self._add("IOD-FG-FRAMES", name(_PER_FRAME), wanted, str(len(frames)), "PS3.3 C.7.6.16")
        if len(shared) > 1:
            self._add("IOD-FG-SHARED", name(_SHARED), "one item", str(len(shared)), "PS3.3 C.7.6.16")
        in_shared = shared[0].elements.keys() if shared else set()
        in_frames: set[int] = set().union(*(frame.elements.keys() for frame in frames))
        for tag in sorted(in_shared & in_frames):
            if tag >> 16 & 1 == 0:
                self._add(
                    "IOD-FG-BOTH", name(tag), "shared or per frame", "both", "PS3.3 C.7.6.16"
                )  # fmt: skip
        for tag in definition.groups:
            if tag in in_shared:
                continue
            if tag not in in_frames:
                self._add(
                    "IOD-FG-MISSING", name(tag), f"a functional group of the {definition.name} IOD", "absent",
                    "PS3.3 C.7.6.16",
                )  # fmt: skip
            else:
                lacking = [place for place, frame in enumerate(frames, 1) if tag not in frame.elements]
                if lacking:
                    self._add(
                        "IOD-FG-MISSING", name(tag), "in every frame", f"absent in frame {lacking[0]} and "
                        f"{len(lacking) - 1} others", "PS3.3 C.7.6.16",
                    )  # fmt: skip


def _is_empty(ds: DataSet, element: Element) -> bool:
    if element.items is not None:
        return not element.items
    if element.fragments is not None:
        return False
    length = element.end - element.start
    return length == 0 or (length <= 64 and not ds.raw[element.start : element.end].strip(b" \0") and _textual(element))


def _same_number(value: str, words: tuple[str, ...]) -> bool:
    """Terms of a number may be printed with a sign or leading zeros, values with decimals."""
    try:
        number = float(value)
        return any(float(word) == number for word in words)
    except ValueError:
        return False


def _textual(element: Element) -> bool:
    return element.vr in _TEXTUAL


def _values(ds: DataSet, element: Element) -> list[str]:
    if element.items is not None or element.fragments is not None or element.end - element.start > 4096:
        return []
    if element.vr in ("US", "SS", "US or SS"):
        field = ds.raw[element.start : element.end]
        count = len(field) // 2
        sign = "h" if element.vr == "SS" else "H"
        return [str(value) for value in struct.unpack_from(("<" if ds.little else ">") + f"{count}{sign}", field)]
    if not _textual(element):
        return []
    return ds.values(element.tag)
