"""Bytes in, PDUs out: finds PDU and PDV boundaries in a TCP stream however it is cut.

P-DATA-TF is never assembled: the fragment of a PDV is handed on as far as it has come, as a view of the receive
buffer. Everything else is small, and its length is checked before a byte of it is kept.
"""

from __future__ import annotations

import struct
from typing import Final, Protocol

from harness.protocols.dicom.errors import WireError

_PDU_HEAD = struct.Struct(">BBI")
_PDV_HEAD = struct.Struct(">IBB")
_KNOWN: Final = frozenset((0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07))

MAX_CONTROL_PDU: Final = 1 << 20


class StreamUser(Protocol):
    """Who takes what the reader finds."""

    def on_control(self, kind: int, body: bytes) -> None:
        """A whole PDU other than P-DATA-TF."""

    def on_data_pdu(self, length: int) -> None:
        """The header of a P-DATA-TF."""

    def on_fragment(self, context_id: int, header: int, data: memoryview, complete: bool) -> None:
        """A part of a PDV; ``complete`` with its last byte. The view is valid during the call only."""


class PduReader:
    """An incremental parser. Raises WireError from :meth:`feed` when the stream cannot be followed any more."""

    __slots__ = (
        "_carry",
        "_context",
        "_header",
        "_kind",
        "_need",
        "_pdu_left",
        "_pdv_left",
        "_user",
        "position",
        "stopped",
    )

    def __init__(self, user: StreamUser) -> None:
        self._user = user
        self._carry = bytearray()
        self._need = 0  # bytes of a control PDU that are awaited, when _kind is set
        self._kind = 0
        self._pdu_left = 0  # bytes of the current P-DATA-TF that have not come yet
        self._pdv_left = -1  # bytes of the current PDV; -1 when a PDV header comes next
        self._context = 0
        self._header = 0
        self.stopped = False
        self.position = 0  # where the fragment that is handed on begins in the bytes fed

    def feed(self, data: memoryview) -> None:
        """Take the next bytes of the stream."""
        position, end = 0, len(data)
        carry = self._carry
        on_fragment = self._user.on_fragment
        while position < end and not self.stopped:
            if self._pdv_left >= 0:  # inside a PDV
                left = self._pdv_left
                self.position = position
                available = end - position
                if available >= left:
                    self._pdv_left = -1
                    self._pdu_left -= left
                    on_fragment(self._context, self._header, data[position : position + left], True)
                    position += left
                else:
                    self._pdv_left = left - available
                    self._pdu_left -= available
                    on_fragment(self._context, self._header, data[position:end], False)
                    position = end
            elif self._kind:  # inside a control PDU
                take = min(self._need - len(carry), end - position)
                carry += data[position : position + take]
                position += take
                if len(carry) == self._need:
                    self._control()
            elif carry or end - position < 6:  # a header that was cut
                take = min(6 - len(carry), end - position)
                carry += data[position : position + take]
                position += take
                if len(carry) == 6:
                    head = bytes(carry)
                    carry.clear()
                    self._head(head, 0)
            else:
                self._head(data, position)
                position += 6

    @property
    def is_between_pdus(self) -> bool:
        """True if the stream could end here without cutting a PDU."""
        return not (self._carry or self._kind or self._pdu_left)

    def _head(self, data: bytes | memoryview, position: int) -> None:
        if self._pdu_left:
            self._pdv_head(data, position)
            return
        kind, _, length = _PDU_HEAD.unpack_from(data, position)
        if kind == 0x04:
            self._user.on_data_pdu(length)
            if length < 6:
                raise WireError("PS3.8 9.3.5.1", f"a P-DATA-TF of {length} bytes holds no PDV")
            self._pdu_left = length
            return
        if kind not in _KNOWN:
            raise WireError("PS3.8 9.3.1", f"PDU type {kind:02X}H does not exist")
        if length > MAX_CONTROL_PDU:
            raise WireError(
                "PS3.8 9.3", f"a PDU of type {kind:02X}H says {length} bytes; {MAX_CONTROL_PDU} are allowed"
            )
        self._kind, self._need = kind, length
        if length == 0:
            self._control()

    def _pdv_head(self, data: bytes | memoryview, position: int) -> None:
        length, self._context, self._header = _PDV_HEAD.unpack_from(data, position)
        self._pdu_left -= 6
        if length < 2:
            raise WireError("PS3.8 9.3.5.1", f"a PDV length of {length} leaves no message control header")
        length -= 2
        left = self._pdu_left - length
        if left < 0:
            raise WireError("PS3.8 9.3.5.1", f"a PDV length of {length + 2} exceeds its PDU by {-left} bytes")
        if 0 < left < 6:
            raise WireError("PS3.8 9.3.5.1", f"{left} bytes would be left after the PDV, less than a PDV header")
        if length == 0:
            self._user.on_fragment(self._context, self._header, memoryview(b""), True)
        else:
            self._pdv_left = length

    def _control(self) -> None:
        kind, body = self._kind, bytes(self._carry)
        self._kind = 0
        self._carry.clear()
        self._user.on_control(kind, body)
