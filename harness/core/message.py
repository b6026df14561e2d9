"""One captured thing: a DIMSE message, an association event, an HL7 message, a file.

The bytes are kept as they were on the wire. ``fields`` holds the header only (command set, association
parameters, MSH), as plain JSON values, so that an index is readable without any protocol library; the
payload is decoded by whoever asks for it, and not before.
"""

from __future__ import annotations

import enum
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


class Direction(enum.StrEnum):
    """Who sent it, as seen from the system under test."""

    FROM_SUT = "from-sut"
    TO_SUT = "to-sut"
    NONE = "none"


class Protocol(enum.StrEnum):
    """The protocol that carried the message."""

    DICOM = "dicom"
    HL7 = "hl7"
    FILE = "file"
    HTTP = "http"


@dataclass(frozen=True, slots=True)
class Blob:
    """Immutable bytes, in memory or in a file, addressed by their SHA-256."""

    sha256: str
    size: int
    data: bytes | None = field(default=None, repr=False, compare=False)
    path: Path | None = field(default=None, compare=False)

    @classmethod
    def of(cls, data: bytes) -> Blob:
        """A blob of bytes in memory."""
        return cls(hashlib.sha256(data).hexdigest(), len(data), data=data)

    @classmethod
    def at(cls, path: Path, sha256: str = "") -> Blob:
        """A blob of bytes in a file, hashed now unless the hash is known."""
        if not sha256:
            with path.open("rb") as stream:
                sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
        return cls(sha256, path.stat().st_size, path=path)

    def bytes(self) -> bytes:
        """All bytes. Raises FileNotFoundError if the evidence was moved away."""
        if self.data is not None:
            return self.data
        assert self.path is not None
        return self.path.read_bytes()


EMPTY = Blob.of(b"")


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a transcript.

    ``kind`` is the name that the standard uses: ``C-FIND-RQ``, ``N-CREATE-RSP``, ``A-ASSOCIATE-AC``,
    ``A-ABORT``, ``ORM^O01``, ``ACK``, ``FILE``. ``time`` is seconds since the epoch. ``association`` numbers
    the connection within the run. ``actor`` is the simulated actor that sent or received it. ``payload`` is
    the data set (or ER7 text, or file) exactly as received, encoded in ``transfer_syntax``.
    """

    seq: int
    time: float
    direction: Direction
    protocol: Protocol
    kind: str
    actor: str = ""
    association: int = 0
    context: int = 0
    transfer_syntax: str = ""
    fields: Mapping[str, Any] = field(default_factory=dict)
    payload: Blob = EMPTY
    header: Blob = EMPTY

    @property
    def label(self) -> str:
        """How findings and reports name it: ``N-SET-RQ #14``."""
        return f"{self.kind} #{self.seq}"

    def to_json(self) -> dict[str, Any]:
        """Plain data; blobs by hash and size."""
        return {
            "seq": self.seq,
            "time": self.time,
            "direction": self.direction.value,
            "protocol": self.protocol.value,
            "kind": self.kind,
            "actor": self.actor,
            "association": self.association,
            "context": self.context,
            "transfer_syntax": self.transfer_syntax,
            "fields": dict(self.fields),
            "payload": {"sha256": self.payload.sha256, "size": self.payload.size},
            "header": {"sha256": self.header.sha256, "size": self.header.size},
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any], blobs: Path) -> Message:
        """Read back what ``to_json`` wrote; ``blobs`` is the folder of files named by SHA-256."""

        def blob(entry: Mapping[str, Any]) -> Blob:
            if entry["size"] == 0:
                return EMPTY
            return Blob(entry["sha256"], entry["size"], path=blobs / str(entry["sha256"]))

        return cls(
            seq=data["seq"],
            time=data["time"],
            direction=Direction(data["direction"]),
            protocol=Protocol(data["protocol"]),
            kind=data["kind"],
            actor=data["actor"],
            association=data["association"],
            context=data["context"],
            transfer_syntax=data["transfer_syntax"],
            fields=data["fields"],
            payload=blob(data["payload"]),
            header=blob(data["header"]),
        )
