"""Files of HL7 messages: one, several after each other, in MLLP blocks, or in the envelopes of the batch protocol."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Final

from harness.validation.finding import Severity, ValidationFinding, shown
from harness.validation.hl7 import validate_hl7

_BOM: Final = b"\xef\xbb\xbf"
_START: Final = re.compile(rb"(?:^|(?<=[\r\n\x0b]))(MSH|FHS|BHS|BTS|FTS)(?=[^A-Za-z0-9]|$)")
_ENVELOPE: Final = {b"FHS": b"FTS", b"BHS": b"BTS"}
#: messages of one file that are judged
MAXIMUM_MESSAGES: Final = 1000
MAXIMUM_FINDINGS: Final = 2000


def begins_like_hl7(head: bytes) -> bool:
    """Whether a file is one of HL7 messages."""
    return head.removeprefix(_BOM).lstrip(b"\x0b\r\n")[:3] in (b"MSH", b"FHS", b"BHS")


def validate_hl7_file(raw: bytes, transaction: str = "") -> list[ValidationFinding]:
    """Judge every message of a file as :func:`validate_hl7` does; several are told apart as ``message 2: PID[1]-5``."""
    found: list[ValidationFinding] = []
    if raw.startswith(_BOM):
        found.append(
            _finding("HL7-BOM", "byte 0", "MSH at once", "a byte order mark of UTF-8", "HL7 2.5.1 2.15.9")
        )  # fmt: skip
        raw = raw.removeprefix(_BOM)
    starts = list(_START.finditer(raw))
    pieces = [
        (match[1], raw[match.start() : starts[place + 1].start() if place + 1 < len(starts) else len(raw)])
        for place, match in enumerate(starts)
    ]
    messages = [text for name, text in pieces if name == b"MSH"]
    if len(pieces) <= 1 and (not pieces or messages):
        return [*found, *validate_hl7(raw, transaction)]
    found += _envelopes(pieces)
    for number, text in enumerate(messages[:MAXIMUM_MESSAGES], 1):
        # what separates it from the next message belongs to neither
        for finding in validate_hl7(text.rstrip(b"\x0b\n"), transaction):
            where = f"message {number}: {finding.locator}" if len(messages) > 1 else finding.locator
            found.append(replace(finding, locator=where))
    if len(messages) > MAXIMUM_MESSAGES or len(found) > MAXIMUM_FINDINGS:
        actual = f"{len(messages)} messages, {len(found)} findings"
        wanted = f"at most {MAXIMUM_MESSAGES} messages and {MAXIMUM_FINDINGS} findings"
        found[MAXIMUM_FINDINGS:] = [_finding("HL7-SIZE", "file", wanted, actual, "a limit of this tool")]
    return found


def _envelopes(pieces: list[tuple[bytes, bytes]]) -> list[ValidationFinding]:
    """Headers and trailers pair, and the counts in trailers are those of the file."""
    found: list[ValidationFinding] = []
    open_: list[bytes] = []
    batches = inside = 0
    for name, text in pieces:
        if name == b"MSH":
            inside += 1
        elif name in _ENVELOPE:
            if name in open_:
                found.append(_batch(name, f"{_name(_ENVELOPE[name])} before another {_name(name)}", "none"))
            open_.append(name)
            if name == b"BHS":
                batches, inside = batches + 1, 0
        else:
            header = next(head for head, trailer in _ENVELOPE.items() if trailer == name)
            if header not in open_:
                found.append(_batch(name, f"{_name(header)} before it", "none"))
                continue
            open_ = open_[: open_.index(header)]
            stated = text.strip(b"\r\n\x0b\x1c").split(text[3:4])[1:2]
            actual = inside if name == b"BTS" else batches
            if stated and stated[0].strip() and stated[0].strip() != str(actual).encode():
                what = "messages of the batch" if name == b"BTS" else "batches of the file"
                found.append(_batch(name, f"{actual}, the {what}", shown(stated[0]), f"{_name(name)}-1"))
    found += [_batch(name, f"{_name(_ENVELOPE[name])} at its end", "none") for name in open_]
    if not any(name == b"MSH" for name, _ in pieces):
        found.append(_finding("HL7-MSH", "MSH", "a message that begins with MSH", "none", "HL7 2.5.1 2.15.9"))
    return found


def _name(segment: bytes) -> str:
    return segment.decode("ascii")


def _batch(segment: bytes, expected: str, actual: str, locator: str = "") -> ValidationFinding:
    return _finding("HL7-BATCH", locator or _name(segment), expected, actual, "HL7 2.5.1 2.10.3, 2.15.2 to 2.15.7")


def _finding(code: str, locator: str, expected: str, actual: str, clause: str) -> ValidationFinding:
    return ValidationFinding(code, Severity.ERROR, locator, expected, actual, clause)
