"""What a scripted peer is told to do: steps as plain data, and what came of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from harness.protocols.dicom import items, pdu


@dataclass(frozen=True, slots=True)
class Send:
    """Bytes as they are; in pieces of ``piece`` bytes with ``pause`` seconds between them, if it is not 0."""

    data: bytes
    piece: int = 0
    pause: float = 0.0


@dataclass(frozen=True, slots=True)
class SendPdu:
    """A PDU, well formed."""

    value: pdu.PDU


@dataclass(frozen=True, slots=True)
class Accept:
    """Answer the last A-ASSOCIATE-RQ: every context accepted, in ``prefer`` if proposed, else in the first syntax."""

    max_pdu: int = 16384
    extra: tuple[items.UserItem, ...] = ()
    prefer: str = ""


@dataclass(frozen=True, slots=True)
class Ask:
    """A DIMSE request on a context."""

    kind: str
    values: Mapping[str, Any] = field(default_factory=dict)
    data: bytes | None = None
    context_id: int = 1
    max_pdu: int = 16384


@dataclass(frozen=True, slots=True)
class Reply:
    """A response to the last request; ``values`` replace or add command elements (None removes one)."""

    status: int = 0
    values: Mapping[str, Any] = field(default_factory=dict)
    data: bytes | None = None
    context_id: int | None = None
    max_pdu: int = 16384


@dataclass(frozen=True, slots=True)
class Expect:
    """Read PDUs until one of this kind, a DIMSE kind, or ``"close"``; any whole PDU for ``""``."""

    kind: str = ""
    timeout: float = 10.0


@dataclass(frozen=True, slots=True)
class Pause:
    """Say nothing for some seconds."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Reset:
    """Break the TCP connection with RST."""


@dataclass(frozen=True, slots=True)
class Close:
    """Close the TCP connection in order."""


Step = Send | SendPdu | Accept | Ask | Reply | Expect | Pause | Reset | Close
Script = tuple[Step, ...]


@dataclass(slots=True)
class Played:
    """What happened: kinds in order, received PDUs, and the step that could not be done (None: all were)."""

    kinds: list[str] = field(default_factory=list)
    received: list[bytes] = field(default_factory=list)
    failed: Step | None = None
    reason: str = ""

    @property
    def complete(self) -> bool:
        """True if every step was done."""
        return self.failed is None


def with_titles(
    request: pdu.AssociateRQ, *, calling: bytes | None = None, called: bytes | None = None
) -> pdu.AssociateRQ:
    """A request whose AE title fields are exactly these bytes, filled with blanks or cut to 16."""
    return replace(
        request,
        calling=(request.calling if calling is None else calling)[:16].ljust(16),
        called=(request.called if called is None else called)[:16].ljust(16),
    )
