"""Items of the association PDUs: presentation contexts and user information (PS3.8 section 9.3, PS3.7 annex D.3).

Decoding is exact and bounded: an item that does not fit raises :class:`WireError`, one of unknown type is kept
as :class:`UnknownItem` with its bytes.
"""

from __future__ import annotations

import functools
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from harness.protocols.dicom.errors import WireError

_HEAD = struct.Struct(">BBH")
MAX_ITEMS: Final = 1024
"""A PDU or item with more items in it is refused; 128 contexts with three sub-items each are fewer."""
_MEMORABLE: Final = 1024  # longer items are not kept in any cache


@dataclass(frozen=True, slots=True)
class UnknownItem:
    """An item of a type that PS3.8 and PS3.7 do not define, as it came."""

    type: int
    data: bytes


@dataclass(frozen=True, slots=True)
class MaximumLength:
    """Sub-item 51H: the largest P-DATA-TF variable field that the sender wants to get; 0 is no limit."""

    value: int


@dataclass(frozen=True, slots=True)
class ImplementationClass:
    """Sub-item 52H."""

    uid: str


@dataclass(frozen=True, slots=True)
class AsynchronousOperations:
    """Sub-item 53H: operations that may be outstanding; 0 is no limit."""

    invoked: int
    performed: int


@dataclass(frozen=True, slots=True)
class RoleSelection:
    """Sub-item 54H: which roles the requestor takes (proposed or accepted) for a SOP class."""

    sop_class: str
    scu: bool
    scp: bool


@dataclass(frozen=True, slots=True)
class ImplementationVersion:
    """Sub-item 55H."""

    name: str


@dataclass(frozen=True, slots=True)
class ExtendedNegotiation:
    """Sub-item 56H: service class application information, in the bytes that the service class defines."""

    sop_class: str
    information: bytes


@dataclass(frozen=True, slots=True)
class CommonExtendedNegotiation:
    """Sub-item 57H."""

    sop_class: str
    service_class: str
    related: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class UserIdentity:
    """Sub-item 58H: type 1 user name, 2 with passcode, 3 Kerberos ticket, 4 SAML, 5 JSON web token."""

    type: int
    response_requested: bool
    primary: bytes
    secondary: bytes = b""


@dataclass(frozen=True, slots=True)
class UserIdentityResponse:
    """Sub-item 59H."""

    response: bytes


UserItem = (
    MaximumLength
    | ImplementationClass
    | AsynchronousOperations
    | RoleSelection
    | ImplementationVersion
    | ExtendedNegotiation
    | CommonExtendedNegotiation
    | UserIdentity
    | UserIdentityResponse
    | UnknownItem
)


@dataclass(frozen=True, slots=True)
class ProposedContext:
    """Item 20H: one abstract syntax, one or more transfer syntaxes; an absent abstract syntax is an empty string."""

    id: int
    abstract_syntax: str
    transfer_syntaxes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ContextResult:
    """Item 21H: 0 acceptance, 1 user rejection, 2 no reason, 3 abstract syntax, 4 transfer syntaxes not supported."""

    id: int
    result: int
    transfer_syntax: str


# -- reading ---------------------------------------------------------------------------------------------------


def split(data: bytes, rule: str) -> Iterator[tuple[int, bytes]]:
    """The (type, value) of every item in ``data``. Raises WireError if the last one does not fit."""
    position, end, count = 0, len(data), 0
    while position < end:
        count += 1
        if count > MAX_ITEMS:
            raise WireError(rule, f"more than {MAX_ITEMS} items in one")
        if end - position < 4:
            raise WireError(rule, f"{end - position} bytes are left where an item header of 4 bytes must be")
        kind, _, length = _HEAD.unpack_from(data, position)
        position += 4
        if length > end - position:
            raise WireError(rule, f"item {kind:02X}H says {length} bytes, {end - position} are left")
        yield kind, data[position : position + length]
        position += length


def text(data: bytes) -> str:
    """A UID or name as it came; trailing NULs and blanks are padding of senders that pad."""
    return data.decode("latin-1").rstrip("\0 ")


def proposed_context(data: bytes) -> ProposedContext:
    """The value of an item 20H."""
    return _proposed_context(data) if len(data) <= _MEMORABLE else _proposed_context.__wrapped__(data)


def context_result(data: bytes) -> ContextResult:
    """The value of an item 21H."""
    return _context_result(data) if len(data) <= _MEMORABLE else _context_result.__wrapped__(data)


@functools.lru_cache(maxsize=2048)
def _proposed_context(data: bytes) -> ProposedContext:
    rule = "PS3.8 9.3.2.2"
    if len(data) < 4:
        raise WireError(rule, f"a presentation context item of {len(data)} bytes")
    abstract, transfers = "", []
    for kind, value in split(data[4:], rule):
        if kind == 0x30:
            abstract = text(value)
        elif kind == 0x40:
            transfers.append(text(value))
    return ProposedContext(data[0], abstract, tuple(transfers))


@functools.lru_cache(maxsize=2048)
def _context_result(data: bytes) -> ContextResult:
    rule = "PS3.8 9.3.3.2"
    if len(data) < 4:
        raise WireError(rule, f"a presentation context item of {len(data)} bytes")
    transfer = ""
    for kind, value in split(data[4:], rule):
        if kind == 0x40:
            transfer = text(value)
    return ContextResult(data[0], data[2], transfer)


def user_information(data: bytes) -> tuple[UserItem, ...]:
    """The sub-items of an item 50H, in their order."""
    return tuple(_user_item(kind, value) for kind, value in split(data, "PS3.8 9.3.2.3"))


def _user_item(kind: int, value: bytes) -> UserItem:
    try:
        return _decode_user_item(kind, value)
    except (struct.error, IndexError):
        raise WireError("PS3.7 D.3.3", f"user information sub-item {kind:02X}H of {len(value)} bytes") from None


def _counted(data: bytes, position: int) -> tuple[bytes, int]:
    (length,) = struct.unpack_from(">H", data, position)
    position += 2
    if length > len(data) - position:
        raise IndexError
    return data[position : position + length], position + length


def _decode_user_item(kind: int, value: bytes) -> UserItem:
    match kind:
        case 0x51:
            return MaximumLength(struct.unpack(">I", value)[0])
        case 0x52:
            return ImplementationClass(text(value))
        case 0x53:
            return AsynchronousOperations(*struct.unpack(">HH", value))
        case 0x54:
            uid, position = _counted(value, 0)
            return RoleSelection(text(uid), bool(value[position]), bool(value[position + 1]))
        case 0x55:
            return ImplementationVersion(text(value))
        case 0x56:
            uid, position = _counted(value, 0)
            return ExtendedNegotiation(text(uid), value[position:])
        case 0x57:
            uid, position = _counted(value, 0)
            service, position = _counted(value, position)
            related_bytes, _ = _counted(value, position)
            related, position = [], 0
            while position < len(related_bytes):
                entry, position = _counted(related_bytes, position)
                related.append(text(entry))
            return CommonExtendedNegotiation(text(uid), text(service), tuple(related))
        case 0x58:
            primary, position = _counted(value, 2)
            secondary, _ = _counted(value, position)
            return UserIdentity(value[0], bool(value[1]), primary, secondary)
        case 0x59:
            return UserIdentityResponse(_counted(value, 0)[0])
        case _:
            return UnknownItem(kind, value)


# -- writing ---------------------------------------------------------------------------------------------------


def item(kind: int, value: bytes) -> bytes:
    """Header and value of any item."""
    return _HEAD.pack(kind, 0, len(value)) + value


def _count(value: bytes) -> bytes:
    return struct.pack(">H", len(value)) + value


def encode_proposed(context: ProposedContext) -> bytes:
    """Item 20H."""
    body = item(0x30, context.abstract_syntax.encode("latin-1")) + b"".join(
        item(0x40, uid.encode("latin-1")) for uid in context.transfer_syntaxes
    )
    return item(0x20, bytes((context.id, 0, 0, 0)) + body)


def encode_result(context: ContextResult) -> bytes:
    """Item 21H."""
    return item(0x21, bytes((context.id, 0, context.result, 0)) + item(0x40, context.transfer_syntax.encode("latin-1")))


def encode_user_item(value: UserItem) -> bytes:
    """One sub-item of item 50H."""
    match value:
        case MaximumLength():
            return item(0x51, struct.pack(">I", value.value))
        case ImplementationClass():
            return item(0x52, value.uid.encode("latin-1"))
        case AsynchronousOperations():
            return item(0x53, struct.pack(">HH", value.invoked, value.performed))
        case RoleSelection():
            return item(0x54, _count(value.sop_class.encode("latin-1")) + bytes((value.scu, value.scp)))
        case ImplementationVersion():
            return item(0x55, value.name.encode("latin-1"))
        case ExtendedNegotiation():
            return item(0x56, _count(value.sop_class.encode("latin-1")) + value.information)
        case CommonExtendedNegotiation():
            related = b"".join(_count(uid.encode("latin-1")) for uid in value.related)
            head = _count(value.sop_class.encode("latin-1")) + _count(value.service_class.encode("latin-1"))
            return item(0x57, head + _count(related))
        case UserIdentity():
            flags = bytes((value.type, value.response_requested))
            return item(0x58, flags + _count(value.primary) + _count(value.secondary))
        case UserIdentityResponse():
            return item(0x59, _count(value.response))
        case UnknownItem():
            return item(value.type, value.data)


def as_json(value: UserItem) -> dict[str, Any]:
    """Plain data for the transcript; bytes in hexadecimal digits, but never a passcode."""
    result: dict[str, Any] = {"item": type(value).__name__}
    for name in value.__slots__:
        entry = getattr(value, name)
        if isinstance(value, UserIdentity) and name == "secondary":
            entry = f"{len(entry)} bytes"
        result[name] = entry.hex() if isinstance(entry, bytes) else list(entry) if isinstance(entry, tuple) else entry
    return result
