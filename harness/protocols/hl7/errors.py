"""What can go wrong on an HL7 connection, apart from what the message says."""

from __future__ import annotations

from harness.core.errors import EnvironmentFailure


class HL7PeerError(EnvironmentFailure):
    """The HL7 peer did not do its part; names the peer and what was tried."""


class PeerUnreachable(HL7PeerError):
    """No connection could be made."""


class ConnectionLost(HL7PeerError):
    """The peer closed or reset the connection before it answered."""


class AcknowledgementTimeout(HL7PeerError):
    """No acknowledgement came in time."""
