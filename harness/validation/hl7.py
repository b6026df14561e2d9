"""HL7 v2 messages: characters, encoding, structure by trigger, fields, data types and table values.

The structure and the field tables are hl7apy's (v2.3.1, v2.4, v2.5.1); what IHE Radiology adds to them is data in
``hl7_usage``. No bytes make it raise.
"""

from __future__ import annotations

from harness.core.errors import HarnessError
from harness.protocols.hl7.charset import decode, known
from harness.protocols.hl7.message import HL7Message
from harness.protocols.hl7.structure import analyse
from harness.validation.finding import Severity, ValidationFinding, shown

MAXIMUM_MESSAGE = 8 << 20


def validate_hl7(raw: bytes) -> list[ValidationFinding]:
    """Judge one ER7 message without its MLLP frame (a frame around it is taken off)."""
    found: list[ValidationFinding] = []

    def add(
        code: str, locator: str, expected: str, actual: str, clause: str, severity: Severity = Severity.ERROR
    ) -> None:
        if len(found) < 200:
            found.append(ValidationFinding(code, severity, locator, expected, actual, clause))

    raw = raw.removeprefix(b"\x0b").removesuffix(b"\x1c\r").removesuffix(b"\x1c")
    if len(raw) > MAXIMUM_MESSAGE:
        add("HL7-SIZE", "message", f"at most {MAXIMUM_MESSAGE} bytes", str(len(raw)), "a limit of this tool")
        return found
    if not raw.startswith(b"MSH") or len(raw) < 9:
        add("HL7-MSH", "MSH", "a message that begins with MSH", shown(raw[:8]), "HL7 2.5.1 2.15.9")
        return found
    if b"\n" in raw:
        add("HL7-TERMINATOR", "message", "CR alone after each segment", "LF", "HL7 2.5.1 2.5")
    try:
        message = HL7Message(raw)
        structure = analyse(message)
    except HarnessError as error:
        add("HL7-UNREADABLE", "message", "a message that can be read", str(error), "HL7 2.5.1 2.15.9")
        return found
    for name in message.character_sets:
        if not known(name):
            add("HL7-CHARSET", "MSH-18", "a value of table 0211", shown(name), "HL7 2.5.1 2.15.9.18")
    if not decode(raw, message.character_sets)[1]:
        declared = "~".join(message.character_sets) or "ASCII"
        add("HL7-CHARACTERS", "MSH-18", f"bytes of {declared}", "others", "HL7 2.5.1 2.15.9.18")
    for problem in structure.issues:
        add(
            "HL7-STRUCTURE",
            f"{problem.segment} (segment {problem.position})",
            structure.name,
            problem.text,
            "HL7 2.5.1 3, 4",
        )
    return found
