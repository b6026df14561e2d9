"""One captured thing: a DIMSE message, an association event, an HL7 message, a file.

The bytes are kept as they were on the wire. ``fields`` holds the header only (command set, association
parameters, MSH), as plain JSON values, so that an index is readable without any protocol library; the
payload is decoded by whoever asks for it, and not before.
"""

from __future__ import annotations

import enum
import hashlib
import io
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


class Blob:
    """Immutable bytes, in memory or in a file (from ``offset`` to its end), addressed by their SHA-256.

    The hash is computed when it is first asked for: what passes a listener at line speed is hashed by whoever
    stores it. Two blobs are equal when their hashes and sizes are.
    """

    __slots__ = ("_sha256", "data", "offset", "path", "size")

    def __init__(
        self, sha256: str, size: int, data: bytes | None = None, path: Path | None = None, offset: int = 0
    ) -> None:
        self._sha256 = sha256
        self.size = size
        self.data = data
        self.path = path
        self.offset = offset

    @classmethod
    def of(cls, data: bytes) -> Blob:
        """A blob of bytes in memory."""
        return cls("", len(data), data=data)

    @classmethod
    def at(cls, path: Path, sha256: str = "") -> Blob:
        """A blob of bytes in a file, hashed now unless the hash is known."""
        if not sha256:
            with path.open("rb") as stream:
                sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
        return cls(sha256, path.stat().st_size, path=path)

    @property
    def sha256(self) -> str:
        """The hash in hexadecimal digits. Raises FileNotFoundError if the evidence was moved away unhashed."""
        if not self._sha256:
            if self.data is not None:
                self._sha256 = hashlib.sha256(self.data).hexdigest()
            else:
                with self.open() as stream:
                    self._sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
        return self._sha256

    def open(self) -> io.BufferedReader | io.BytesIO:
        """A stream over the bytes, for what should not be read at once."""
        if self.data is not None:
            return io.BytesIO(self.data)
        assert self.path is not None
        stream = self.path.open("rb")
        stream.seek(self.offset)
        return stream

    def bytes(self) -> bytes:
        """All bytes. Raises FileNotFoundError if the evidence was moved away."""
        if self.data is not None:
            return self.data
        with self.open() as stream:
            return stream.read()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Blob) and self.size == other.size and self.sha256 == other.sha256

    def __hash__(self) -> int:
        return hash(self.sha256)

    def __repr__(self) -> str:
        return f"Blob(size={self.size}, sha256={self._sha256[:12] or 'not yet'})"


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
