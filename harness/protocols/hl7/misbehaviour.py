"""What a conforming HL7 stack does not send, as data: bytes for a listener, and answers for a sender."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from harness.protocols.hl7.exchange import Wire
from harness.protocols.hl7.framing import frame
from harness.protocols.hl7.message import HL7Message


@dataclass(frozen=True, slots=True)
class Sent:
    """Bytes that go to a listener, ``pause`` seconds between them, and whether the connection is then reset."""

    name: str
    breaks: str
    pieces: tuple[bytes, ...]
    pause: float = 0.0
    reset: bool = False


@dataclass(frozen=True, slots=True)
class Answered:
    """What a sender gets instead of an acknowledgement."""

    name: str
    breaks: str
    answers: Callable[[HL7Message], tuple[Wire, ...]]


def message(
    *,
    kind: str = "ADT^A04",
    version: str = "2.3.1",
    control_id: str = "MIS1",
    receiver: str = "SUT|HOSPITAL",
    more: str = "PID|||MIS1^^^IHE||MISBEHAVIOUR^TEST",
) -> bytes:
    """An unframed message of a patient that does not exist."""
    head = f"MSH|^~\\&|SCRIPTED|IHE|{receiver}|20260101120000||{kind}|{control_id}|P|{version}"
    return f"{head}\r{more}\r".encode()


#: MLLP (HL7 2.3.1 and 2.5.1, appendix C) and the clauses of chapter 2
_MLLP: Final = "MLLP: start block, message, end block, carriage return"
_CHAPTER: Final = "HL7 chapter 2"


def messages(receiver: str = "SUT|HOSPITAL") -> Mapping[str, Sent]:
    """Misbehaving senders. ``receiver`` is MSH-5 and MSH-6, joined by ``|``."""
    whole = message(receiver=receiver)
    framed = frame(whole)
    middle = len(framed) // 2
    catalogue = (
        Sent("no-frame", _MLLP, (whole,)),
        Sent("no-end-block", _MLLP, (b"\x0b" + whole,)),
        Sent("end-block-without-return", _MLLP, (framed[:-1],)),
        Sent("empty-block", _MLLP, (b"\x0b\x1c\r",)),
        Sent("block-in-block", _MLLP, (b"\x0b" + whole[:40] + framed,)),
        Sent("bytes-before-the-block", _MLLP, (b"\r\n\0junk" + framed,)),
        Sent("noise", _MLLP, (bytes(range(0x80, 0x100)) * 64,)),
        Sent("noise-in-a-block", _CHAPTER, (frame(bytes(range(0x80, 0x100)) * 8),)),
        Sent("half-a-message", _MLLP, (framed[:middle],)),
        Sent("reset-in-the-middle", "none", (framed[:middle],), reset=True),
        Sent("pause-in-the-middle", "none", (framed[:middle], framed[middle:]), 1.0),
        Sent("slow-bytes", "none", tuple(framed[n : n + 1] for n in range(len(framed))), 0.01),
        Sent("two-in-one-segment", "none", (framed + frame(message(control_id="MIS2", receiver=receiver)),)),
        Sent("no-message-type", _CHAPTER, (frame(message(kind="", receiver=receiver)),)),
        Sent("no-control-id", _CHAPTER, (frame(message(control_id="", receiver=receiver)),)),
        Sent("unknown-type", _CHAPTER, (frame(message(kind="ZZZ^Z01", receiver=receiver)),)),
        Sent("unknown-trigger", _CHAPTER, (frame(message(kind="ADT^Z99", receiver=receiver)),)),
        Sent("unknown-version", _CHAPTER, (frame(message(version="9.9", receiver=receiver)),)),
        Sent("header-only", _CHAPTER, (frame(message(more="", receiver=receiver)),)),
        Sent("header-cut-short", _CHAPTER, (frame(b"MSH|^~"),)),
        Sent("no-header", _CHAPTER, (frame(b"PID|||MIS1^^^IHE||MISBEHAVIOUR^TEST\r"),)),
        Sent("line-feeds", _CHAPTER, (frame(whole.replace(b"\r", b"\n")),)),
        Sent("wrong-characters", _CHAPTER, (frame(message(more="PID|||MIS1||M\xfcller^\u4e00", receiver=receiver)),)),
        Sent("field-of-a-megabyte", "none", (frame(message(more="PID|||MIS1||" + "X" * (1 << 20))),)),
        Sent("acknowledgement-of-nothing", _CHAPTER, (frame(message(kind="ACK", more="MSA|AA|NEVER-SENT")),)),
    )
    return {entry.name: entry for entry in catalogue}


def _acknowledgement(asked: HL7Message, *, code: str = "AA", control_id: str | None = None) -> bytes:
    named = asked.control_id if control_id is None else control_id
    text = (
        f"MSH|^~\\&|SCRIPTED|IHE|{asked['MSH-3']}|{asked['MSH-4']}|20260101120000||ACK|A{asked.control_id}|P|"
        f"{asked['MSH-12'] or '2.3.1'}\rMSA|{code}|{named}\r"
    )
    return text.encode("utf-8", "replace")


def answers(seconds: float = 2.0) -> Mapping[str, Answered]:
    """Misbehaving listeners; ``seconds`` is how long they dawdle."""
    ack = _acknowledgement
    catalogue = (
        Answered("no-acknowledgement", _CHAPTER, lambda asked: ()),
        Answered("close-instead", _CHAPTER, lambda asked: (Wire(close=True),)),
        Answered("late", "none", lambda asked: (Wire(frame(ack(asked)), delay=seconds),)),
        Answered("twice", _CHAPTER, lambda asked: (Wire(frame(ack(asked)) * 2),)),
        Answered("wrong-control-id", _CHAPTER, lambda asked: (Wire(frame(ack(asked, control_id="NOT-YOURS"))),)),
        Answered("no-control-id", _CHAPTER, lambda asked: (Wire(frame(ack(asked, control_id=""))),)),
        Answered("unknown-code", _CHAPTER, lambda asked: (Wire(frame(ack(asked, code="XX"))),)),
        Answered("error", "none", lambda asked: (Wire(frame(ack(asked, code="AE"))),)),
        Answered("reject", "none", lambda asked: (Wire(frame(ack(asked, code="AR"))),)),
        Answered("without-msa", _CHAPTER, lambda asked: (Wire(frame(ack(asked).split(b"\r")[0] + b"\r")),)),
        Answered("without-frame", _MLLP, lambda asked: (Wire(ack(asked)),)),
        Answered("without-end-block", _MLLP, lambda asked: (Wire(b"\x0b" + ack(asked)),)),
        Answered("half-and-close", _MLLP, lambda asked: (Wire(frame(ack(asked))[:30], close=True),)),
        Answered("noise", _MLLP, lambda asked: (Wire(bytes(range(0x80, 0x100)) * 8),)),
        Answered("echo", _CHAPTER, lambda asked: (Wire(frame(asked.raw)),)),
    )
    return {entry.name: entry for entry in catalogue}
