"""What can go wrong between us and a DICOM peer.

::

    HarnessError
    ├── EnvironmentFailure
    │   └── PeerError                  anything that the peer or the way to it did
    │       ├── PeerUnreachable        no TCP connection
    │       │   └── TlsNotAgreed       a certificate, a version or a cipher suite did not suit
    │       ├── PeerTimeout            nothing came within the time allowed
    │       ├── AssociationRejected    A-ASSOCIATE-RJ: result, source, reason
    │       ├── AssociationAborted     A-ABORT or a closed connection: source, reason
    │       └── NoPresentationContext  the peer accepted no context that the message could travel in
    └── WireError                      bytes that break PS3.5, PS3.7 or PS3.8 (inside the engine; becomes a record)
"""

from __future__ import annotations

from harness.core.errors import EnvironmentFailure, HarnessError

_REJECT_REASONS = {
    (1, 1): "no reason given",
    (1, 2): "application context name not supported",
    (1, 3): "calling AE title not recognized",
    (1, 7): "called AE title not recognized",
    (2, 1): "no reason given",
    (2, 2): "protocol version not supported",
    (3, 1): "temporary congestion",
    (3, 2): "local limit exceeded",
}
_ABORT_REASONS = {
    0: "reason not specified",
    1: "unrecognized PDU",
    2: "unexpected PDU",
    4: "unrecognized PDU parameter",
    5: "unexpected PDU parameter",
    6: "invalid PDU parameter value",
}


class PeerError(EnvironmentFailure):
    """The peer, or the way to it, did not let the exchange happen."""

    def __init__(self, message: str, *, result: int = 0, source: int = 0, reason: int = 0) -> None:
        self.result, self.source, self.reason = result, source, reason
        super().__init__(message)


class PeerUnreachable(PeerError):
    """No TCP connection, or TLS could not be agreed."""


class TlsNotAgreed(PeerUnreachable):
    """A certificate was refused, or no version and cipher suite suits both sides."""


class PeerTimeout(PeerError):
    """Nothing came within the time allowed."""


class AssociationRejected(PeerError):
    """The peer answered A-ASSOCIATE-RJ (PS3.8 section 9.3.4)."""

    def __init__(self, peer: str, result: int, source: int, reason: int) -> None:
        kind = {1: "permanently", 2: "for now"}.get(result, f"with unknown result {result}")
        why = _REJECT_REASONS.get((source, reason), "an unknown reason")
        super().__init__(
            f"{peer} rejected the association {kind}: {why} (result {result}, source {source}, reason {reason}); "
            "check the AE titles configured on both sides",
            result=result,
            source=source,
            reason=reason,
        )

    @property
    def misaddressed(self) -> bool:
        """Whether an AE title was not recognized, ours or the one we called."""
        return (self.source, self.reason) in ((1, 3), (1, 7))


class AssociationAborted(PeerError):
    """The association ended without a release (PS3.8 section 9.3.8); source 0 user, 2 provider, -1 no A-ABORT."""

    def __init__(self, peer: str, source: int = -1, reason: int = 0) -> None:
        if source < 0:
            text = f"{peer} closed the connection without a release"
        elif source == 2:
            text = f"{peer} aborted the association: {_ABORT_REASONS.get(reason, f'unknown reason {reason}')}"
        else:
            text = f"{peer} aborted the association (source {source}, reason {reason})"
        super().__init__(text, source=source, reason=reason)


class NoPresentationContext(PeerError):
    """The peer accepted no presentation context in which this message could travel."""


class WireError(HarnessError):
    """Bytes that break the encoding rules; ``rule`` names the clause."""

    def __init__(self, rule: str, text: str) -> None:
        self.rule, self.text = rule, text
        super().__init__(f"{text} ({rule})")
