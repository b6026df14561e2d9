"""What users of the engine hold in their hands: addresses, proposals, requests, responses and answers."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from pydicom.dataset import Dataset

from harness.core.message import EMPTY, Blob
from harness.protocols.dicom import datasets
from harness.protocols.dicom.uids import EXPLICIT_VR_LE, IMPLICIT_VR_LE

if TYPE_CHECKING:
    from harness.protocols.dicom.association import Association

PENDING: Final = frozenset((0xFF00, 0xFF01))
SUCCESS: Final = 0x0000
CANCELLED: Final = 0xFE00
PROCESSING_FAILURE: Final = 0x0110
NO_SUCH_SOP_CLASS: Final = 0x0118
SOP_CLASS_NOT_SUPPORTED: Final = 0x0122
UNRECOGNIZED_OPERATION: Final = 0x0211


@dataclass(frozen=True, slots=True)
class Address:
    """Where an application entity is reached."""

    ae_title: str
    host: str
    port: int

    def __str__(self) -> str:
        return f"{self.ae_title} at {self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Proposal:
    """One abstract syntax to propose, with the roles of the requestor; both None: no role selection item."""

    abstract_syntax: str
    transfer_syntaxes: tuple[str, ...] = (IMPLICIT_VR_LE, EXPLICIT_VR_LE)
    scu_role: bool | None = None
    scp_role: bool | None = None


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds: to connect, for an association answer, for a DIMSE response, for a release, without any traffic."""

    connect: float = 5.0
    associate: float = 10.0
    dimse: float = 30.0
    release: float = 5.0
    idle: float = 120.0


@dataclass(frozen=True, slots=True)
class Context:
    """An accepted presentation context; the roles are those of the requestor."""

    id: int
    abstract_syntax: str
    transfer_syntax: str
    scu_role: bool = True
    scp_role: bool = False


@dataclass(frozen=True, slots=True)
class Response:
    """What a handler answers: a status, a data set (bytes go out as they are), more command elements by keyword."""

    status: int = 0
    dataset: Dataset | bytes | None = None
    fields: Mapping[str, Any] = field(default_factory=dict)


class Request:
    """A request of the peer, as a handler gets it; read-only."""

    __slots__ = (
        "abstract_syntax", "association", "cancelled", "command", "context_id", "kind", "payload", "seq",
        "transfer_syntax",
    )  # fmt: skip

    def __init__(
        self,
        kind: str,
        command: Mapping[str, Any],
        payload: Blob,
        context: Context,
        association: Association,
        seq: int,
    ) -> None:
        self.kind = kind
        self.command = command
        self.payload = payload
        self.transfer_syntax = context.transfer_syntax
        self.abstract_syntax = context.abstract_syntax
        self.context_id = context.id
        self.association = association
        self.seq = seq
        self.cancelled = threading.Event()

    def dataset(self) -> Dataset:
        """The data set, decoded now. Raises WireError if it cannot be read."""
        return datasets.decode(self.payload, self.transfer_syntax) if self.payload.size else Dataset()


@dataclass(frozen=True, slots=True)
class Answer:
    """A response of the peer; ``seq`` is its number in the transcript."""

    status: int
    command: Mapping[str, Any]
    payload: Blob = EMPTY
    transfer_syntax: str = IMPLICIT_VR_LE
    seq: int = 0

    @property
    def is_pending(self) -> bool:
        """True if more responses follow."""
        return self.status in PENDING

    def dataset(self) -> Dataset:
        """The data set, decoded now. Raises WireError if it cannot be read."""
        return datasets.decode(self.payload, self.transfer_syntax) if self.payload.size else Dataset()


Handler = Callable[[Request], Response | Iterable[Response]]


@dataclass(frozen=True, slots=True)
class Service:
    """How a node treats proposals of one abstract syntax, and who handles its requests."""

    abstract_syntax: str
    handler: Handler
    transfer_syntaxes: tuple[str, ...]
    scu_role: bool | None = None
    scp_role: bool | None = None
