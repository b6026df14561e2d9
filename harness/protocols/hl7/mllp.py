"""HL7 over TCP: a listener and a sender on threads, every message and framing breach into the transcript.

Neither knows what a message means: a handler gets what was received and says what goes back.
"""

from __future__ import annotations

from harness.protocols.hl7.exchange import Answer, Handler, Received, Reply, Timeouts, Wire
from harness.protocols.hl7.journal import Tap
from harness.protocols.hl7.listener import MllpListener
from harness.protocols.hl7.sender import MllpSender

__all__ = [
    "Answer",
    "Handler",
    "MllpListener",
    "MllpSender",
    "Received",
    "Reply",
    "Tap",
    "Timeouts",
    "Wire",
]
