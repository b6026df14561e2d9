"""The seven protocol data units of the upper layer (PS3.8 section 9.3), decoded exactly and bounded."""

from __future__ import annotations

import functools
import struct
from dataclasses import dataclass, field
from typing import ClassVar, Final

from harness.protocols.dicom import items
from harness.protocols.dicom.errors import WireError
from harness.protocols.dicom.uids import APPLICATION_CONTEXT

_HEAD = struct.Struct(">BBI")
MEMORABLE: Final = 32 << 10
"""Longer association PDUs are not kept in any cache."""
_FIXED = struct.Struct(">HH16s16s32s")


def ae_bytes(title: str) -> bytes:
    """The 16 bytes of an AE title: blank padded. Longer titles are cut, as the field allows no more."""
    return title.encode("latin-1", "replace")[:16].ljust(16)


def ae_text(title: bytes) -> str:
    """An AE title without its insignificant leading and trailing blanks (PS3.5 section 6.2)."""
    return title.decode("latin-1").strip(" ")


@dataclass(frozen=True, slots=True)
class AssociateRQ:
    """A-ASSOCIATE-RQ. The AE titles are the 16 bytes of the wire."""

    TYPE: ClassVar[int] = 0x01
    called: bytes
    calling: bytes
    contexts: tuple[items.ProposedContext, ...]
    user_items: tuple[items.UserItem, ...]
    application_context: str = APPLICATION_CONTEXT
    protocol_version: int = 1
    reserved: bytes = bytes(32)
    unknown: tuple[items.UnknownItem, ...] = ()

    def encode(self) -> bytes:
        """The PDU with its header."""
        body = b"".join(
            (
                _FIXED.pack(self.protocol_version, 0, self.called, self.calling, self.reserved),
                items.item(0x10, self.application_context.encode("latin-1")),
                *map(items.encode_proposed, self.contexts),
                items.item(0x50, b"".join(map(items.encode_user_item, self.user_items))),
                *(items.item(item.type, item.data) for item in self.unknown),
            )
        )
        return _HEAD.pack(self.TYPE, 0, len(body)) + body


@dataclass(frozen=True, slots=True)
class AssociateAC:
    """A-ASSOCIATE-AC. The title fields echo the request and are not to be tested (PS3.8 table 9-17)."""

    TYPE: ClassVar[int] = 0x02
    called: bytes
    calling: bytes
    contexts: tuple[items.ContextResult, ...]
    user_items: tuple[items.UserItem, ...]
    application_context: str = APPLICATION_CONTEXT
    protocol_version: int = 1
    reserved: bytes = bytes(32)
    unknown: tuple[items.UnknownItem, ...] = ()
    _encoded: list[bytes] = field(default_factory=list, init=False, compare=False, repr=False)

    def encode(self) -> bytes:
        """The PDU with its header; a node gives the same answer again and again, so it is kept."""
        if not self._encoded:
            self._encoded.append(self._encode())
        return self._encoded[0]

    def _encode(self) -> bytes:
        body = b"".join(
            (
                _FIXED.pack(self.protocol_version, 0, self.called, self.calling, self.reserved),
                items.item(0x10, self.application_context.encode("latin-1")),
                *map(items.encode_result, self.contexts),
                items.item(0x50, b"".join(map(items.encode_user_item, self.user_items))),
                *(items.item(item.type, item.data) for item in self.unknown),
            )
        )
        return _HEAD.pack(self.TYPE, 0, len(body)) + body


@dataclass(frozen=True, slots=True)
class AssociateRJ:
    """A-ASSOCIATE-RJ."""

    TYPE: ClassVar[int] = 0x03
    result: int
    source: int
    reason: int

    def encode(self) -> bytes:
        """The PDU with its header."""
        return _HEAD.pack(self.TYPE, 0, 4) + bytes((0, self.result, self.source, self.reason))


@dataclass(frozen=True, slots=True)
class ReleaseRQ:
    """A-RELEASE-RQ."""

    TYPE: ClassVar[int] = 0x05

    def encode(self) -> bytes:
        """The PDU with its header."""
        return b"\x05\0\0\0\0\4\0\0\0\0"


@dataclass(frozen=True, slots=True)
class ReleaseRP:
    """A-RELEASE-RP."""

    TYPE: ClassVar[int] = 0x06

    def encode(self) -> bytes:
        """The PDU with its header."""
        return b"\x06\0\0\0\0\4\0\0\0\0"


@dataclass(frozen=True, slots=True)
class Abort:
    """A-ABORT: source 0 service user, 2 service provider."""

    TYPE: ClassVar[int] = 0x07
    source: int
    reason: int

    def encode(self) -> bytes:
        """The PDU with its header."""
        return _HEAD.pack(self.TYPE, 0, 4) + bytes((0, 0, self.source, self.reason))


@dataclass(frozen=True, slots=True)
class PDV:
    """One presentation data value: a fragment of a command (or data) set."""

    context_id: int
    is_command: bool
    is_last: bool
    data: bytes


@dataclass(frozen=True, slots=True)
class PData:
    """P-DATA-TF. The engine streams these and builds none; tests and scripted peers do."""

    TYPE: ClassVar[int] = 0x04
    values: tuple[PDV, ...]

    def encode(self) -> bytes:
        """The PDU with its header."""
        body = b"".join(
            struct.pack(">IBB", len(pdv.data) + 2, pdv.context_id, pdv.is_command | pdv.is_last << 1) + pdv.data
            for pdv in self.values
        )
        return _HEAD.pack(self.TYPE, 0, len(body)) + body


ControlPDU = AssociateRQ | AssociateAC | AssociateRJ | ReleaseRQ | ReleaseRP | Abort
PDU = ControlPDU | PData


def decode_control(kind: int, body: bytes) -> ControlPDU:
    """A PDU other than P-DATA-TF from the bytes after its header. Raises WireError."""
    if kind in (0x01, 0x02):
        # A device asks for the same association again and again.
        return _remembered(kind, body) if len(body) <= MEMORABLE else _associate(kind, body)
    if kind not in (0x03, 0x05, 0x06, 0x07):
        raise WireError("PS3.8 9.3.1", f"PDU type {kind:02X}H does not exist")
    if len(body) < 4:
        raise WireError("PS3.8 9.3", f"a PDU of type {kind:02X}H with {len(body)} bytes instead of 4")
    match kind:
        case 0x03:
            return AssociateRJ(body[1], body[2], body[3])
        case 0x05:
            return ReleaseRQ()
        case 0x06:
            return ReleaseRP()
        case _:
            return Abort(body[2], body[3])


def decode_pdata(body: bytes) -> PData:
    """A whole P-DATA-TF from the bytes after its header. Raises WireError."""
    values, position = [], 0
    while position < len(body):
        if len(body) - position < 6:
            raise WireError("PS3.8 9.3.5.1", "less than a PDV header is left in the PDU")
        length, context_id, header = struct.unpack_from(">IBB", body, position)
        if length < 2 or length > len(body) - position - 4:
            raise WireError("PS3.8 9.3.5.1", f"a PDV length of {length} does not fit")
        values.append(PDV(context_id, bool(header & 1), bool(header & 2), body[position + 6 : position + 4 + length]))
        position += 4 + length
    return PData(tuple(values))


@functools.lru_cache(maxsize=32)
def _remembered(kind: int, body: bytes) -> AssociateRQ | AssociateAC:
    return _associate(kind, body)


def _associate(kind: int, body: bytes) -> AssociateRQ | AssociateAC:
    rule = "PS3.8 9.3.2" if kind == 1 else "PS3.8 9.3.3"
    if len(body) < _FIXED.size:
        raise WireError(rule, f"an association PDU of {len(body)} bytes; its fixed fields alone take {_FIXED.size}")
    version, _, called, calling, reserved = _FIXED.unpack_from(body)
    application = ""
    proposed: list[items.ProposedContext] = []
    results: list[items.ContextResult] = []
    user: tuple[items.UserItem, ...] = ()
    unknown: list[items.UnknownItem] = []
    for item_kind, value in items.split(body[_FIXED.size :], rule):
        if item_kind == 0x10:
            application = items.text(value)
        elif item_kind == 0x20 and kind == 1:
            proposed.append(items.proposed_context(value))
        elif item_kind == 0x21 and kind == 2:
            results.append(items.context_result(value))
        elif item_kind == 0x50:
            user += items.user_information(value)
        else:
            unknown.append(items.UnknownItem(item_kind, value))
    if kind == 1:
        return AssociateRQ(called, calling, tuple(proposed), user, application, version, reserved, tuple(unknown))
    return AssociateAC(called, calling, tuple(results), user, application, version, reserved, tuple(unknown))
