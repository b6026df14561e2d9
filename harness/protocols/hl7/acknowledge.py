"""Acknowledgements: original and enhanced mode (HL7 v2.5 sections 2.9.2 and 2.9.3). Pure functions."""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence

from harness.core.errors import UsageError
from harness.protocols.hl7.message import HL7Message, compose


class Code(enum.StrEnum):
    """HL7 table 0008 (MSA-1)."""

    ACCEPT = "AA"
    ERROR = "AE"
    REJECT = "AR"
    COMMIT_ACCEPT = "CA"
    COMMIT_ERROR = "CE"
    COMMIT_REJECT = "CR"


class Condition(enum.IntEnum):
    """HL7 table 0357, the part that is used here: why a message was not accepted."""

    SEGMENT_SEQUENCE = 100
    REQUIRED_FIELD = 101
    DATA_TYPE = 102
    TABLE_VALUE = 103
    UNSUPPORTED_TYPE = 200
    UNSUPPORTED_EVENT = 201
    UNSUPPORTED_PROCESSING_ID = 202
    UNSUPPORTED_VERSION = 203
    UNKNOWN_KEY = 204
    DUPLICATE_KEY = 205
    INTERNAL_ERROR = 207


def is_enhanced(message: HL7Message) -> bool:
    """Whether the sender asks for enhanced mode: MSH-15 or MSH-16 is valued."""
    return bool(message["MSH-15"] or message["MSH-16"])


def wants(condition: str, *, good: bool) -> bool:
    """Whether HL7 table 0155 (AL, NE, ER, SU) asks for an answer to a good or bad message; empty means never."""
    return condition == "AL" or (condition == "ER" and not good) or (condition == "SU" and good)


def acknowledge(
    message: HL7Message,
    code: Code,
    *,
    control_id: str,
    time: str,
    text: str = "",
    location: str = "",
    condition: Condition | None = None,
    kind: str = "ACK",
    segments: Sequence[tuple[str, Mapping[str, str]]] = (),
    acknowledged_id: str | None = None,
) -> bytes:
    """The answer to ``message``: MSH and MSA, an ERR segment where ``condition`` says what was wrong, and more.

    Sender and receiver are swapped; version, processing ID and character set are those of the message. ``kind``
    is ``ACK`` or an application answer such as ``ORR^O02``. ``time`` is an HL7 time stamp. ``location`` is a path
    (``PID-5``). MSA-2 is the control ID of ``message`` unless ``acknowledged_id`` says otherwise.
    """
    version = message.version or "2.3.1"
    trigger = message.trigger
    answer_type, _, answer_trigger = kind.partition("^")
    named = version not in ("2.1", "2.2", "2.3", "2.3.1")
    header: dict[str, str] = {
        "9.1": answer_type,
        "9.2": answer_trigger or trigger,
        "9.3": (kind.replace("^", "_") if named else ""),
        "7": time,
        "10": control_id,
        "11": message["MSH-11.1"] or "P",
        "12": version,
    }
    for ours, theirs in ((3, 5), (4, 6), (5, 3), (6, 4)):
        for component in (1, 2, 3):
            header[f"{ours}.{component}"] = message[f"MSH-{theirs}.{component}"]
    names = message.character_sets
    for number, name in enumerate(names, 1):
        header[f"18[{number}]"] = name
    parts: list[tuple[str, Mapping[str, str]]] = [("MSH", header)]
    parts.append(
        ("MSA", {"1": code.value, "2": message.control_id if acknowledged_id is None else acknowledged_id, "3": text})
    )
    if condition is not None:
        parts.append(("ERR", _error(version, condition, location, text)))
    everything = _clean([*parts, *segments])
    try:
        return compose(everything, character_sets=names or ("UNICODE UTF-8",))
    except UsageError:  # a set that is not known, or a text of ours outside it: the answer must go out all the same
        plain = [(n, {k: v.encode("ascii", "replace").decode("ascii") for k, v in f.items()}) for n, f in everything]
        return compose(plain)


def _clean(
    segments: Sequence[tuple[str, Mapping[str, str]]],
) -> list[tuple[str, Mapping[str, str]]]:
    # what was read from hostile bytes must be writable again: no replacement characters, no control characters
    return [
        (name, {path: "".join(c for c in value if c != "\ufffd" and c >= " ") for path, value in fields.items()})
        for name, fields in segments
    ]


def _error(version: str, condition: Condition, location: str, text: str) -> dict[str, str]:
    segment, _, field = location.partition("-")
    if version in ("2.1", "2.2", "2.3", "2.3.1", "2.4"):
        # ERR-1: segment ID, sequence, field position, code
        return {"1.1": segment, "1.2": "1" if segment else "", "1.3": field.split(".")[0], "1.4": str(condition.value)}
    field, _, component = field.partition(".")
    return {
        "2.1": segment,
        "2.2": "1" if segment else "",
        "2.3": field,
        "2.4": "1" if component else "",
        "2.5": component,
        "3.1": str(condition.value),
        "3.2": condition.name.replace("_", " ").lower(),
        "3.3": "HL70357",
        "4": "E",
        "8": text,
    }
