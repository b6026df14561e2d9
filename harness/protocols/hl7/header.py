"""What a transcript index shows of a message, from its bytes: cheap, and whatever they are."""

from __future__ import annotations

from typing import Any

from harness.protocols.hl7.reading import read_text

_FIRST = 65536  # bytes in which an MSH segment is looked for


def kind_of(message_type: str, trigger: str) -> str:
    """How a transcript names a message of that type and trigger."""
    if message_type in ("ACK", "") or not trigger:
        return message_type or "UNKNOWN"
    return f"{message_type}^{trigger}"


def header_fields(raw: bytes) -> dict[str, Any]:
    """What a transcript index shows of a message: MSH and MSA, as plain text. Reads the first segments only."""
    end = raw.find(b"\r")
    msh = raw[: end if end >= 0 else min(len(raw), 2048)][:4096]
    if not msh.startswith(b"MSH"):
        text, _, _ = read_text(raw[:_FIRST])
        msh = next((line for line in text.split("\r") if line), "").encode("utf_8")
        if not msh.startswith(b"MSH"):
            return {"control_id": "", "type": "", "trigger": "", "structure": "", "version": "", "character_set": ""}
    text = msh.decode("utf_8", "replace")
    fields = text.split(text[3:4] or "|")
    fields += [""] * (20 - len(fields))
    component = fields[1][:1] or "^"
    kind = [*fields[8].split(component), "", "", ""]
    seen: dict[str, Any] = {
        "control_id": fields[9],
        "type": kind[0],
        "trigger": kind[1],
        "structure": kind[2],
        "version": fields[11].split(component)[0],
        "character_set": fields[17],
        "sending_application": fields[2],
        "sending_facility": fields[3],
        "receiving_application": fields[4],
        "receiving_facility": fields[5],
        "processing_id": fields[10],
    }
    if fields[14] or fields[15]:
        seen["accept_acknowledgement"], seen["application_acknowledgement"] = fields[14], fields[15]
    start = raw.find(b"\rMSA")
    if start >= 0:
        stop = raw.find(b"\r", start + 1)
        msa = raw[start + 1 : stop if stop >= 0 else len(raw)][:4096].decode("utf_8", "replace")
        parts = [*msa.split(text[3:4] or "|"), "", "", ""]
        seen["acknowledgement"], seen["acknowledged_id"], seen["text"] = parts[1], parts[2], parts[3]
    return seen
