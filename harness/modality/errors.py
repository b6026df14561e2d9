"""What the modality refuses or cannot do, said so that a technologist understands it.

::

    HarnessError
    ├── UsageError
    │   ├── Refused            the button is not allowed now, or a value is not usable
    │   └── NotFound           no such exam, study, worklist row or job
    └── EnvironmentFailure
        ├── PeerProblem        a node did not answer as it should; says which cause and what to do
        └── StoreProblem       the local database or disk is full, locked or damaged
"""

from __future__ import annotations

from enum import StrEnum

from harness.core.errors import EnvironmentFailure, UsageError


class Refused(UsageError):
    """The action is not allowed in this state, or a value is not usable; the message says why."""


class NotFound(UsageError):
    """Nothing has that key, number or UID."""


class StoreProblem(EnvironmentFailure):
    """The local database or disk cannot be used; nothing that was confirmed before is lost."""


class Cause(StrEnum):
    """Why a node could not be talked to; each has its own remedy."""

    DISABLED = "disabled"
    DNS = "name-not-resolved"
    REFUSED = "connection-refused"
    UNREACHABLE = "unreachable"
    TIMEOUT = "timeout"
    TLS = "tls-not-agreed"
    REJECTED = "association-rejected"
    NO_CONTEXT = "no-presentation-context"
    ABORTED = "aborted"
    STATUS = "failure-status"
    PROTOCOL = "protocol-error"


REMEDIES = {
    Cause.DISABLED: "switch the node on in the configuration",
    Cause.DNS: "check the host name of the node, or enter its IP address",
    Cause.REFUSED: "check the port, and that the application is running there",
    Cause.UNREACHABLE: "check the network and the host address",
    Cause.TIMEOUT: "check that the peer is not overloaded and that no firewall drops the packets",
    Cause.TLS: "compare certificates, authorities and TLS profiles on both sides",
    Cause.REJECTED: "compare the AE titles on both sides",
    Cause.NO_CONTEXT: "the peer does not offer this service; ask its administrator to enable it",
    Cause.ABORTED: "look into the log of the peer",
    Cause.STATUS: "look into the log of the peer",
    Cause.PROTOCOL: "look into the log of the peer",
}


_TRANSIENT = frozenset(
    {
        Cause.DNS,
        Cause.REFUSED,
        Cause.UNREACHABLE,
        Cause.TIMEOUT,
        Cause.TLS,
        Cause.REJECTED,
        Cause.ABORTED,
        Cause.PROTOCOL,
    }
)


class PeerProblem(EnvironmentFailure):
    """A peer could not be reached or did not do what was asked; `cause` tells the kinds apart."""

    def __init__(self, cause: Cause, peer: str, detail: str, *, status: int | None = None) -> None:
        self.cause, self.peer, self.detail, self.status = cause, peer, detail, status
        # Out of resources is a state that passes; any other failure status will be the same the next time.
        self.transient = cause in _TRANSIENT or (status is not None and 0xA700 <= status <= 0xA7FF)
        super().__init__(f"{peer}: {detail} ({cause.value}); {REMEDIES[cause]}")
