"""What the core of an association tells whoever drives it."""

from __future__ import annotations

from dataclasses import dataclass

from harness.core.message import Blob
from harness.protocols.dicom.command import Command
from harness.protocols.dicom.pdu import ControlPDU


@dataclass(frozen=True, slots=True)
class PduArrived:
    """A PDU other than P-DATA-TF came; ``raw`` is the whole of it."""

    pdu: ControlPDU
    raw: bytes


@dataclass(frozen=True, slots=True)
class MessageArrived:
    """A whole DIMSE message came."""

    context_id: int
    command: Command
    raw_command: bytes
    payload: Blob


@dataclass(frozen=True, slots=True)
class Violation:
    """The peer broke a rule of the standard; the engine goes on unless an abort follows."""

    rule: str
    text: str


@dataclass(frozen=True, slots=True)
class Ended:
    """The association is over: ``how`` is released, rejected, aborted (by the peer), failed (by us) or lost."""

    how: str
    source: int = -1
    reason: int = 0


@dataclass(frozen=True, slots=True)
class PduSent:
    """A PDU other than P-DATA-TF was put into the output."""

    pdu: ControlPDU
    raw: bytes


CoreEvent = PduArrived | MessageArrived | Violation | Ended | PduSent
