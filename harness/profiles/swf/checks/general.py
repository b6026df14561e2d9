"""What every data set of the system under test must keep: UID syntax and the lengths of values (PS3.5 6.2 and 9)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pydicom.datadict import dictionary_VR

from harness.core.check import Check, Observation
from harness.core.message import Message, Protocol
from harness.profiles import names
from harness.profiles.journal import FROM_SUT, Journal
from harness.profiles.observe import check, judged
from harness.profiles.values import Attributes, attributes_of, listed

_UID = re.compile(r"(0|[1-9]\d*)(\.(0|[1-9]\d*))*")
#: characters of each value, except where PS3.5 Table 6.2-1 counts bytes of text that is ASCII anyway
_LENGTHS = {
    "AE": 16,
    "AS": 4,
    "CS": 16,
    "DA": 8,
    "DS": 16,
    "DT": 26,
    "IS": 12,
    "LO": 64,
    "LT": 10240,
    "PN": 64,
    "SH": 16,
    "ST": 1024,
    "TM": 14,
    "UI": 64,
}
_ONE_VALUE = frozenset({"LT", "ST"})


def walk(attributes: Attributes, prefix: str = "") -> Iterator[tuple[str, str, str]]:
    """Path, keyword and text of every value, inside sequences too."""
    for keyword, value in attributes.items():
        if keyword.startswith("#"):
            continue
        if isinstance(value, list):
            for number, item in enumerate(value, start=1):
                yield from walk(item, f"{prefix}{keyword}[{number}]/")
        elif value:
            yield prefix + keyword, keyword, str(value)


def _messages(j: Journal) -> Iterator[Message]:
    for message in j.messages:
        if message.direction is FROM_SUT and message.protocol is Protocol.DICOM:
            yield message


def uids_well_formed(j: Journal) -> Iterator[Observation]:
    for message in _messages(j):
        found = [(path, v) for path, keyword, v in walk(attributes_of(message)) if keyword.endswith("UID")]
        found += [(key, str(v)) for key, v in message.fields.items() if key.endswith("UID") and v]
        if not found:
            continue
        bad = [
            (path, value)
            for path, joined in found
            for value in joined.split("\\")
            if len(value) > 64 or not _UID.fullmatch(value)
        ]
        yield judged(
            not bad,
            f"{message.label} holds {len(found)} UID(s)"
            + (f", {len(bad)} of them malformed: {listed((v for _, v in bad), 3)}" if bad else ", all well formed"),
            (message.seq,),
            expected="at most 64 characters, digits and dots, no leading zero in a component",
            actual=listed((value for _, value in bad), 3) or "well formed",
            locator=listed((path for path, _ in bad), 3) or "every UID",
            why="A strict receiver refuses the object; a lenient one cannot find it again.",
        )


def _vr(keyword: str) -> str:
    try:
        return dictionary_VR(keyword)
    except (KeyError, ValueError):
        return ""


def _too_long(keyword: str, value: str) -> bool:
    vr = _vr(keyword)
    limit = _LENGTHS.get(vr)
    if limit is None:
        return False
    for part in [value] if vr in _ONE_VALUE else value.split("\\"):
        groups = part.split("=") if vr == "PN" else [part]
        if any(len(group) > limit for group in groups):
            return True
    return False


def values_within_their_length(j: Journal) -> Iterator[Observation]:
    for message in _messages(j):
        if message.kind not in ("N-CREATE-RQ", "N-SET-RQ", "C-STORE-RQ") or not attributes_of(message):
            continue
        if j.maker(message.seq) != names.MODALITY:
            continue
        bad = [(path, value) for path, keyword, value in walk(attributes_of(message)) if _too_long(keyword, value)]
        yield judged(
            not bad,
            f"{message.label} "
            + (f"has too long a value in {listed(path for path, _ in bad)}" if bad else "keeps every length"),
            (message.seq,),
            expected="no value longer than its VR allows",
            actual=listed((f"{value[:40]} ({len(value)})" for _, value in bad), 3) or "within the limits",
            locator=listed((path for path, _ in bad), 3) or "every value",
            why="Databases cut what is too long, and the cut value matches nothing.",
        )


CHECKS: tuple[Check, ...] = (
    check(
        "uids-well-formed",
        "XC-35",
        "RAD-5 RAD-6 RAD-7 RAD-8 RAD-10 RAD-11 RAD-14 RAD-16 RAD-18 RAD-20 RAD-21 RAD-49",
        uids_well_formed,
        "UIDs are well formed",
    ),
    check(
        "values-within-length",
        "XC-28",
        "RAD-6 RAD-7 RAD-8",
        values_within_their_length,
        "Values keep the length of their VR",
    ),
)
