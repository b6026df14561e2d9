"""Attribute matching of C-FIND (PS3.4 C.2.2.2): single value, list of UID, range, wildcard, universal, sequence.

Keys are compiled once into a predicate over records; what a client asked to be returned is kept beside it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from pydicom.dataset import Dataset

from harness.actors import records
from harness.actors.records import Record, tag_of, vr_of

Predicate = Callable[[Record], bool]
ValueTest = Callable[[str], bool]
#: which keys an actor knows, by tag; None stands for a leaf, or for a sequence with everything in it
KeyTable: TypeAlias = "Mapping[int, KeyTable | None]"

#: PS3.4 C.2.2.2.4 lists where ``*`` and ``?`` are wildcards; elsewhere they are plain characters
WILDCARD_VRS = frozenset({"AE", "CS", "LO", "LT", "PN", "SH", "ST", "UC", "UR", "UT"})
RANGE_VRS = frozenset({"DA", "TM", "DT"})
#: in every identifier, but not keys
NOT_KEYS = frozenset({0x00080005, 0x00080052, 0x00080053, 0x00080201})


@dataclass(frozen=True, slots=True)
class MatchingRules:
    """Where the standard leaves a choice or a product may err.

    ``combined`` pairs a date with a time whose ranges are one range of moments (PS3.4 K.6.1.2.2 and C.2.2.2.5).
    Name matching without regard to case is the choice PS3.4 C.2.2.2.1 leaves. ``ignored`` keys match everything.
    """

    person_name_case_sensitive: bool = False
    combined: tuple[tuple[int, int], ...] = ()
    wildcards: bool = True
    ranges: bool = True
    ignored: frozenset[int] = frozenset()


def key_table(*names: str, **sequences: Iterable[str] | None) -> dict[int, KeyTable | None]:
    """A table of leaf keywords and of sequences with the keywords in their items (None: any)."""
    table: dict[int, KeyTable | None] = {tag_of(name): None for name in names}
    for name, inner in sequences.items():
        table[tag_of(name)] = None if inner is None else key_table(*inner)
    return table


@dataclass(frozen=True, slots=True)
class Query:
    """One identifier: its keys as text, what it asks to be returned, and the predicate that its values make."""

    keys: Record
    matches: Predicate
    shape: Hashable
    #: True if a key was asked that the table lacks, private ones included (status FF01 instead of FF00)
    unsupported: bool = False
    #: True if the rules leave keys out of matching, so that an index must not narrow by them
    ignores: bool = False

    @classmethod
    def of(cls, identifier: Dataset, table: KeyTable, rules: MatchingRules) -> Query:
        """Read the keys of an identifier; hostile values match nothing and raise nothing."""
        keys = records.record_from_dataset(identifier)
        known, all_known = _within(keys, table)
        private = any(int(tag) >> 16 & 1 for tag in identifier.keys())  # noqa: SIM118 - no decoding
        return cls(known, compile_keys(known, rules), _shape(known), private or not all_known, bool(rules.ignored))

    def value(self, keyword: str) -> str:
        """The text of a key of the first level, empty if it is not asked or universal."""
        return records.text(self.keys, tag_of(keyword))


def _within(keys: Record, table: KeyTable) -> tuple[Record, bool]:
    known: Record = {}
    complete = True
    for tag, value in keys.items():
        if tag in NOT_KEYS or not tag & 0xFFFF:
            continue
        if tag not in table:
            complete = False
            continue
        inner = table[tag]
        if inner is None or vr_of(tag) != "SQ":
            known[tag] = value
            continue
        parts = [_within(part, inner) for part in value if isinstance(part, dict)]
        # an item of which nothing is known must not turn into an empty item, which asks for everything
        if parts and not any(part for part, _ in parts) and any(part for part in value if part):
            complete = False
            continue
        known[tag] = tuple(part for part, _ in parts)
        complete = complete and all(whole for _, whole in parts)
    return known, complete


def _shape(keys: Record) -> Hashable:
    return tuple(
        (tag, tuple(_shape(item) for item in records.items(keys, tag)) if vr_of(tag) == "SQ" else None)
        for tag in sorted(keys)
    )


def select(keys: Record, record: Record) -> Record:
    """What is returned: the keys asked and no others; zero length where the record has no value.

    A sequence asked without an item, or with an empty one, comes back whole (PS3.4 C.2.2.2.6).
    """
    answer: Record = {}
    for tag, asked in keys.items():
        value = record.get(tag, ())
        inner = next((part for part in asked if isinstance(part, dict)), None)
        if inner and vr_of(tag) == "SQ":
            value = tuple(select(inner, item) for item in value if isinstance(item, dict))
        answer[tag] = value
    if records.CHARACTER_SET in record:
        answer[records.CHARACTER_SET] = record[records.CHARACTER_SET]
    return answer


# -- compiling -------------------------------------------------------------------------------------------------


def compile_keys(keys: Record, rules: MatchingRules) -> Predicate:
    """A predicate that holds for a record if every key matches it."""
    tests: list[Predicate] = []
    done: set[int] = set(rules.ignored)
    for date, time in rules.combined:
        if rules.ranges and not {date, time} & done:
            moment = _moment(keys, (date, time))
            if moment is not None:
                tests.append(moment)
                done |= {date, time}
    for tag, value in keys.items():
        if tag in done:
            continue
        if vr_of(tag) == "SQ":
            inner = next((part for part in value if isinstance(part, dict)), None)
            if inner and not _universal(inner):
                tests.append(_sequence(tag, compile_keys(inner, rules)))
        else:
            wanted = tuple(part for part in value if isinstance(part, str) and part)
            if wanted:
                tests.append(_element(tag, [value_test(part, vr_of(tag), rules) for part in wanted]))
    if len(tests) == 1:
        return tests[0]
    return lambda record: all(test(record) for test in tests)


@dataclass(frozen=True, slots=True)
class Miss:
    """A key that keeps a record out of the answer: what was asked, and what the record holds (empty: no value)."""

    tag: int
    asked: str
    held: str


def misses(keys: Record, record: Record, rules: MatchingRules) -> Iterator[Miss]:
    """Every key, at any depth, that alone keeps a record out; nothing for a record that matches."""
    pairs = [pair for pair in rules.combined if rules.ranges and _moment(keys, pair) is not None]
    paired = {tag for pair in pairs for tag in pair}
    for group in (*pairs, *((tag,) for tag in keys if tag not in paired)):
        asked = {tag: keys[tag] for tag in group}
        if compile_keys(asked, rules)(record):
            continue
        for tag in group:
            if vr_of(tag) == "SQ":
                inner = next(iter(records.items(keys, tag)), {})
                yield from misses(inner, next(iter(records.items(record, tag)), {}), rules)
            elif any(keys[tag]):
                yield Miss(tag, records.text(keys, tag), records.text(record, tag))


def _universal(keys: Record) -> bool:
    return all(_universal(part) if isinstance(part, dict) else not part for value in keys.values() for part in value)


def _moment(keys: Record, pair: tuple[int, int]) -> Predicate | None:
    """The one test of a date and a time whose ranges are one range of moments; None if they are not."""
    date, time = pair
    return _combined(date, _single(keys, date), time, _single(keys, time))


def _single(keys: Record, tag: int) -> str:
    value = keys.get(tag, ())
    return value[0] if len(value) == 1 and isinstance(value[0], str) else ""


def _sequence(tag: int, matches: Predicate) -> Predicate:
    return lambda record: any(matches(item) for item in record.get(tag, ()) if isinstance(item, dict))


def _element(tag: int, tests: list[ValueTest]) -> Predicate:
    def holds(record: Record) -> bool:
        values = record.get(tag) or ("",)
        return any(test(value) for value in values if isinstance(value, str) for test in tests)

    return holds


def value_test(key: str, vr: str, rules: MatchingRules) -> ValueTest:
    """A test of one value against one key value of that value representation."""
    if vr in RANGE_VRS:
        return _moment_test(key, vr, rules)
    if vr == "PN":
        return _name_test(key, rules)
    if vr in ("IS", "DS"):
        return _number_test(key)
    if vr in WILDCARD_VRS and rules.wildcards and ("*" in key or "?" in key):
        return _glob(key)
    return key.__eq__


def _number_test(key: str) -> ValueTest:
    try:
        wanted = float(key)
    except ValueError:
        return key.__eq__

    def holds(value: str) -> bool:
        try:
            return float(value) == wanted
        except ValueError:
            return False

    return holds


def _name_test(key: str, rules: MatchingRules) -> ValueTest:
    def normal(name: str) -> list[str]:
        folded = name if rules.person_name_case_sensitive else name.casefold()
        return ["^".join(part.strip() for part in group.split("^")).rstrip("^") for group in folded.split("=")]

    def group_test(group: str) -> ValueTest:
        return _glob(group) if rules.wildcards and ("*" in group or "?" in group) else group.__eq__

    tests = [group_test(group) if group else None for group in normal(key)]
    if len(tests) == 1:
        only = tests[0]
        return lambda value: only is None or any(only(group) for group in normal(value))

    def positional(value: str) -> bool:
        groups = normal(value) + [""] * len(tests)
        return all(test is None or test(group) for test, group in zip(tests, groups, strict=False))

    return positional


def _glob(pattern: str) -> ValueTest:
    """Wildcard matching in time proportional to pattern times value, which a regular expression is not."""
    if pattern.endswith("*") and "*" not in pattern[:-1] and "?" not in pattern:
        prefix = pattern[:-1]
        return lambda value: value.startswith(prefix)

    def holds(value: str) -> bool:
        at = mark = place = 0
        star = -1
        while at < len(value):
            if place < len(pattern) and pattern[place] == "*":
                star, mark = place, at
                place += 1
            elif place < len(pattern) and pattern[place] in ("?", value[at]):
                place += 1
                at += 1
            elif star >= 0:
                place = star + 1
                mark += 1
                at = mark
            else:
                return False
        return all(letter == "*" for letter in pattern[place:])

    return holds


# -- dates and times -------------------------------------------------------------------------------------------

_DT_SINGLE = re.compile(r"\d{4,14}(\.\d{1,6})?([+-]\d{4})?")
_DT_RANGE = re.compile(r"(\d*(?:\.\d{1,6})?(?:[+-]\d{4})?)-(\d*(?:\.\d{1,6})?(?:[+-]\d{4})?)")


def split_range(key: str, vr: str) -> tuple[str, str] | None:
    """The two ends of a range key, either of them empty if open; None for a single value."""
    if vr == "DT":
        if _DT_SINGLE.fullmatch(key):
            return None
        found = _DT_RANGE.fullmatch(key)
        return (found[1], found[2]) if found else None
    if key.count("-") != 1:
        return None
    start, _, end = key.partition("-")
    return start.strip(), end.strip()


def earliest(value: str, vr: str) -> str:
    """A date, time or date-time in a form that compares as text: the first moment it may mean."""
    return _filled(value, vr, "00000101000000", "0")


def latest(value: str, vr: str) -> str:
    """As :func:`earliest`, the last moment it may mean."""
    return _filled(value, vr, "99991231235959", "9")


def _filled(value: str, vr: str, template: str, fraction: str) -> str:
    if vr == "DT":
        value = re.sub(r"[+-]\d{4}$", "", value)
    elif vr == "DA":
        return value.replace(".", "")
    else:
        value, template = value.replace(":", ""), template[8:]
    digits, _, rest = value.partition(".")
    return f"{digits}{template[len(digits) :]}.{rest.ljust(6, fraction)}"


def _moment_test(key: str, vr: str, rules: MatchingRules) -> ValueTest:
    ends = split_range(key, vr)
    if ends is None or not rules.ranges:
        wanted = earliest(key, vr)
        return lambda value: bool(value) and earliest(value, vr) == wanted
    low = earliest(ends[0], vr) if ends[0] else ""
    high = latest(ends[1], vr) if ends[1] else "~"
    return lambda value: bool(value) and low <= earliest(value, vr) <= high


def _combined(date: int, date_key: str, time: int, time_key: str) -> Predicate | None:
    days, hours = split_range(date_key, "DA"), split_range(time_key, "TM")
    if days is None or hours is None:
        return None
    low = earliest(days[0], "DA") + (earliest(hours[0], "TM") if hours[0] else "") if days[0] else ""
    high = latest(days[1], "DA") + (latest(hours[1], "TM") if hours[1] else "~") if days[1] else "~"

    def holds(record: Record) -> bool:
        day, hour = _single(record, date), _single(record, time)
        return bool(day) and low <= earliest(day, "DA") + earliest(hour or "0000", "TM") <= high

    return holds


def only_value(keys: Record, keyword: str) -> str:
    """The key's one value if it is a plain single value (no wildcard, range or list), else empty."""
    value: Any = keys.get(tag_of(keyword), ())
    if len(value) != 1 or not isinstance(value[0], str):
        return ""
    plain: str = value[0]
    vr = vr_of(tag_of(keyword))
    if vr in WILDCARD_VRS and ("*" in plain or "?" in plain):
        return ""
    return "" if vr in RANGE_VRS and "-" in plain else plain
