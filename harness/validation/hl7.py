"""HL7 v2 messages: characters, encoding, structure by trigger, fields, and what IHE Radiology adds to them.

Structure and field tables are hl7apy's (v2.3.1, v2.4, v2.5.1); IHE's usage is data. No bytes make it raise.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from importlib.resources import files
from typing import Any

from harness.core.errors import HarnessError
from harness.protocols.dicom.charset import code_extension, decode_with
from harness.protocols.hl7.charset import decode, known, to_dicom
from harness.protocols.hl7.message import HL7Message
from harness.protocols.hl7.structure import VERSIONS, analyse
from harness.validation.finding import Severity, ValidationFinding, shown
from harness.validation.hl7_fields import check_segment

MAXIMUM_MESSAGE = 8 << 20
MAXIMUM_FINDINGS = 200


@dataclass(frozen=True, slots=True)
class Usage:
    """What one transaction asks of the fields of a message (see ``data/hl7_usage.toml``)."""

    transaction: str
    kinds: tuple[str, ...]
    when: Mapping[str, Any]
    required: tuple[str, ...]
    one_of: tuple[tuple[str, ...], ...]
    empty: tuple[str, ...]
    values: Mapping[str, Sequence[str]]
    longest: Mapping[str, int]


@lru_cache(maxsize=1)
def usages() -> tuple[Usage, ...]:
    """All usage tables in the order of the data file."""
    data = tomllib.loads(files("harness.validation").joinpath("data/hl7_usage.toml").read_text("utf-8"))
    return tuple(
        Usage(
            row["transaction"],
            tuple(row["kinds"]),
            row.get("when", {}),
            tuple(row["required"]),
            tuple(tuple(places) for places in row["one_of"]),
            tuple(row.get("empty", ())),
            row.get("values", {}),
            row.get("longest", {}),
        )
        for row in data["usage"]
    )


class _Collector:
    def __init__(self) -> None:
        self.findings: list[ValidationFinding] = []

    def __call__(
        self,
        code: str,
        locator: str,
        expected: str,
        actual: str,
        clause: str,
        severity: Severity = Severity.ERROR,
    ) -> None:
        if len(self.findings) < MAXIMUM_FINDINGS:
            self.findings.append(ValidationFinding(code, severity, locator, expected, actual, clause))


def validate_hl7(raw: bytes, transaction: str = "") -> list[ValidationFinding]:
    """Judge one ER7 message (an MLLP frame around it is taken off).

    ``transaction`` (``RAD-4``) makes the usage of that transaction binding; without it the usage that type, trigger
    and order control suggest is applied, and what it misses is a warning.
    """
    add = _Collector()
    raw = raw.removeprefix(b"\x0b").removesuffix(b"\r").removesuffix(b"\x1c")
    if len(raw) > MAXIMUM_MESSAGE:
        add("HL7-SIZE", "message", f"at most {MAXIMUM_MESSAGE} bytes", str(len(raw)), "a limit of this tool")
        return add.findings
    if raw[:3] != b"MSH" or len(raw) < 9:
        add("HL7-MSH", "MSH", "a message that begins with MSH", shown(raw[:8]), "HL7 2.5.1 2.15.9")
        return add.findings
    if not raw.endswith(b"\r"):
        raw += b"\r"
    try:
        message = HL7Message(raw)
        _check_encoding(add, raw, message)
        _check_structure(add, message)
    except HarnessError as error:
        add("HL7-UNREADABLE", "message", "a message that can be read", str(error)[:200], "HL7 2.5.1 2.15.9")
        return add.findings
    _check_usage(add, message, transaction)
    return add.findings


def _check_encoding(add: _Collector, raw: bytes, message: HL7Message) -> None:
    if b"\n" in raw:
        add("HL7-TERMINATOR", "message", "CR alone after each segment", "LF", "HL7 2.5.1 2.5.4")
    characters = message.separators.encoding_characters
    special = message.separators.field + characters[-4:]
    if len(set(special)) != len(special) or any(c.isalnum() for c in special):
        add(
            "HL7-SEPARATORS",
            "MSH-2",
            "five different characters, no letters or digits",
            shown(special),
            "HL7 2.5.1 2.5.4",
        )
    for name in message.character_sets:
        if not known(name):
            add("HL7-CHARSET", "MSH-18", "a value of table 0211", shown(name), "HL7 2.5.1 2.15.9.18")
    if not decode(raw, message.character_sets)[1]:
        declared = "~".join(message.character_sets) or "ASCII"
        offset = next((place for place, byte in enumerate(raw) if byte > 0x7F), 0)
        add("HL7-CHARACTERS", "MSH-18", f"bytes of {declared}", f"others, from byte {offset}", "HL7 2.5.1 2.15.9.18")
    if b"\x1b" in raw:
        _check_escapes(add, raw, message)
    for place, byte in enumerate(raw):
        if byte < 0x20 and byte not in (0x0D, 0x0A, 0x1B, 0x09):
            add("HL7-CONTROL", f"byte {place}", "no control characters", f"{byte:02X}", "HL7 2.5.1 2.7")
            break
    if not raw.isascii() and not message.character_sets and _is_utf8(raw):
        expected = "UNICODE UTF-8 in MSH-18"
        add("HL7-CHARSET-UTF8", "MSH-18", expected, "empty, and bytes of UTF-8", "HL7 2.5.1 2.15.9.18")


def _check_escapes(add: _Collector, raw: bytes, message: HL7Message) -> None:
    """Code extension by ISO 2022: declared sets only, and back to the first one before every separator."""
    terms = to_dicom(message.character_sets)
    clause = "HL7 2.5.1 2.15.9.18, 2.15.9.20"
    if terms is None or len(message.character_sets) < 2:
        add("HL7-ISO2022", "MSH-18", "more than one character set where escape sequences are used", "one", clause)
        return
    separators = message.separators
    special = separators.field + separators.component + separators.repetition + separators.subcomponent
    rules = replace(
        code_extension(terms, "LO"),
        delimiters=frozenset(special.encode("ascii", errors="ignore")),
        controls=frozenset(b"\r\n\t"),
    )
    for problem in decode_with(rules, raw)[1]:
        declared = "~".join(message.character_sets)
        add("HL7-ISO2022", f"byte {problem.offset}", f"text in {declared}", problem.detail, clause)


def _is_utf8(raw: bytes) -> bool:
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _check_structure(add: _Collector, message: HL7Message) -> None:
    version = message.version
    if version not in VERSIONS:
        expected = ", ".join(VERSIONS)
        if not version:
            add("HL7-FIELD-MISSING", "MSH[1]-12", "version id is required", "empty", "HL7 2.5.1 2.15.9.12")
        found = f"{shown(version)}; structure and fields are not judged"
        add("HL7-VERSION", "MSH-12", expected, found, "RAD TF-2 Table 2.4-1", Severity.WARNING)
        return
    structure = analyse(message)
    if not structure.name and message.type != "ACK":
        found = f"{message.type}^{message.trigger}"
        expected = "a type and trigger of the profiles"
        add("HL7-TYPE-UNKNOWN", "MSH-9", expected, shown(found), "HL7 2.5.1 table 0354", Severity.WARNING)
    for issue in structure.issues:
        where = f"{issue.segment} (segment {issue.position})" if issue.position else issue.segment
        add("HL7-STRUCTURE", where, f"the structure {structure.name}", issue.text, f"HL7 {version} table 0354")
    stated = message["MSH-9.3"]
    if stated and structure.name and stated != structure.name:
        add("HL7-STRUCTURE-ID", "MSH-9.3", structure.name, shown(stated), f"HL7 {version} table 0354")
    numbers: dict[str, int] = {}
    for segment in message.segments:
        numbers[segment.name] = numbers.get(segment.name, 0) + 1
        check_segment(add, segment, numbers[segment.name], version, message.separators)


def _check_usage(add: _Collector, message: HL7Message, transaction: str) -> None:
    usage = next((row for row in usages() if _applies(row, message, transaction)), None)
    if usage is None:
        if transaction:
            found = f"{message.type}^{message.trigger}, ORC-1 {_value(message, 'ORC-1') or 'absent'}"
            known_as = sorted({kind for row in usages() if row.transaction == transaction for kind in row.kinds})
            expected = f"a message whose field usage is known: {', '.join(known_as)}"
            clause = f"RAD TF-2 4.{transaction.removeprefix('RAD-')}"
            add("HL7-IHE-TRANSACTION", "MSH-9", expected, f"{found}; not judged", clause, Severity.WARNING)
        return
    severity = Severity.ERROR if transaction else Severity.WARNING
    clause = f"RAD TF-2 4.{usage.transaction.removeprefix('RAD-')}"
    for place in usage.required:
        if not _value(message, place):
            add("HL7-IHE-REQUIRED", place, f"a value, by {usage.transaction}", "empty", clause, severity)
    for places in usage.one_of:
        if not any(_value(message, place) for place in places):
            add(
                "HL7-IHE-REQUIRED",
                places[0],
                f"{' or '.join(places)}, by {usage.transaction}",
                "empty",
                clause,
                severity,
            )
    for place in usage.empty:
        if _value(message, place):
            add(
                "HL7-IHE-EMPTY",
                place,
                f"no value, by {usage.transaction}",
                shown(_value(message, place)),
                clause,
                severity,
            )
    for place, allowed in usage.values.items():
        found = _value(message, place)
        if found and found not in allowed:
            add("HL7-IHE-VALUE", place, " or ".join(allowed), shown(found), clause, severity)
    for place, most in usage.longest.items():
        found = _value(message, place)
        if len(found) > most:
            add("HL7-IHE-LENGTH", place, f"at most {most} characters", str(len(found)), clause, severity)


def _applies(usage: Usage, message: HL7Message, transaction: str) -> bool:
    if f"{message.type}^{message.trigger}" not in usage.kinds or (transaction and usage.transaction != transaction):
        return False
    for place, wanted in usage.when.items():
        if wanted in ("absent", "present"):
            there = place in message if "-" not in place else bool(_value(message, place))
            # a named transaction says what the message is, so what tells transactions apart may be wrong
            if there != (wanted == "present") and not transaction:
                return False
        elif _value(message, place) not in wanted:
            return False
    return True


def _value(message: HL7Message, place: str) -> str:
    segment, _, _ = place.partition("-")
    return message[place] if segment in message else ""
