"""Conversations as bytes: who sent which PDU, written as pcap the way capture programs do."""

from __future__ import annotations

import ipaddress
import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from pydicom import Dataset

from harness.protocols.dicom import command, pdu
from harness.protocols.dicom.items import (
    AsynchronousOperations,
    ContextResult,
    MaximumLength,
    ProposedContext,
    RoleSelection,
)
from harness.protocols.hl7.framing import frame
from harness.validation.conversation.judge import validate_capture
from harness.validation.finding import ValidationFinding
from tests.unit.validation import samples as s

EXPLICIT = "1.2.840.10008.1.2.1"
MPPS, COMMITMENT, STUDY_FIND = "1.2.840.10008.3.1.2.3.3", "1.2.840.10008.1.20.1", "1.2.840.10008.5.1.4.1.2.2.1"
COMMITMENT_INSTANCE = "1.2.840.10008.1.20.1.1"
CONTEXTS = {1: s.CT, 3: MPPS, 5: COMMITMENT, 7: STUDY_FIND}
STEP = "1.2.826.0.1.3680043.9.9.1"
#: what one side sends at once
Sent = tuple[bool, bytes]


@dataclass(frozen=True)
class Script:
    """One connection: True is the client."""

    sent: tuple[Sent, ...] = ()
    fields: dict[str, int] = field(default_factory=dict)

    def client(self, data: bytes) -> Script:
        return replace(self, sent=(*self.sent, (True, data)))

    def server(self, data: bytes) -> Script:
        return replace(self, sent=(*self.sent, (False, data)))

    def then(self, other: Script) -> Script:
        return replace(self, sent=(*self.sent, *other.sent))


def request(*, roles: Sequence[RoleSelection] = (), maximum: int = 0, window: tuple[int, int] | None = None) -> bytes:
    extra = [AsynchronousOperations(*window)] if window else []
    contexts = tuple(ProposedContext(number, uid, (EXPLICIT,)) for number, uid in CONTEXTS.items())
    return pdu.AssociateRQ(
        pdu.ae_bytes("ARCHIVE"), pdu.ae_bytes("MOD"), contexts, (MaximumLength(maximum), *extra, *roles)
    ).encode()


def accept(
    *,
    roles: Sequence[RoleSelection] = (),
    maximum: int = 0,
    window: tuple[int, int] | None = None,
    refused: int = 0,
) -> bytes:
    extra = [AsynchronousOperations(*window)] if window else []
    contexts = tuple(ContextResult(number, 3 if number == refused else 0, EXPLICIT) for number in CONTEXTS)
    return pdu.AssociateAC(
        pdu.ae_bytes("ARCHIVE"), pdu.ae_bytes("MOD"), contexts, (MaximumLength(maximum), *extra, *roles)
    ).encode()


def message(context: int, kind: str, ds: Dataset | None = None, *, cut: int = 0, **values: Any) -> bytes:
    """A DIMSE message; with ``cut`` its data set travels in fragments of that size."""
    data = s.encoded(ds) if ds is not None else b""
    fields: dict[str, Any] = {
        "CommandField": command.FIELDS[kind],
        "CommandDataSetType": 0 if data else 0x0101,
        **values,
    }
    parts = [pdu.PDV(context, True, True, command.encode(fields))]
    size = cut or max(1, len(data))
    for start in range(0, len(data), size):
        parts.append(pdu.PDV(context, False, start + size >= len(data), data[start : start + size]))
    return b"".join(pdu.PData((part,)).encode() for part in parts)


OPEN = Script().client(request()).server(accept())
CLOSE = Script().client(pdu.ReleaseRQ().encode()).server(pdu.ReleaseRP().encode())


def store(number: int = 1, **changed: Any) -> bytes:
    uid = f"{s.UID}.3"
    values: dict[str, Any] = {"AffectedSOPClassUID": s.CT, "AffectedSOPInstanceUID": uid, "Priority": 0}
    return message(1, "C-STORE-RQ", s.ct(), cut=300, **{**values, "MessageID": number, **changed})


def stored(number: int = 1, *, context: int = 1, kind: str = "C-STORE-RSP", **changed: Any) -> bytes:
    values: dict[str, Any] = {"AffectedSOPClassUID": s.CT, "AffectedSOPInstanceUID": f"{s.UID}.3", "Status": 0}
    return message(context, kind, **{**values, "MessageIDBeingRespondedTo": number, **changed})


def created(status: int = 0) -> Script:
    values: dict[str, Any] = {"AffectedSOPClassUID": MPPS, "AffectedSOPInstanceUID": STEP}
    return (
        Script()
        .client(message(3, "N-CREATE-RQ", s.performed_step(), MessageID=2, **values))
        .server(message(3, "N-CREATE-RSP", MessageIDBeingRespondedTo=2, Status=status, **values))
    )


def ended() -> Dataset:
    ds = Dataset()
    ds.PerformedProcedureStepStatus = "COMPLETED"
    ds.PerformedProcedureStepEndDate, ds.PerformedProcedureStepEndTime = "20260102", "1030"
    series = Dataset()
    series.PerformingPhysicianName, series.ProtocolName, series.OperatorsName = "", "CHEST", ""
    series.SeriesInstanceUID, series.SeriesDescription, series.RetrieveAETitle = "1.2.3", "", ""
    series.ReferencedImageSequence, series.ReferencedNonImageCompositeSOPInstanceSequence = [s.reference()], []
    ds.PerformedSeriesSequence = [series]
    return ds


def described() -> Dataset:
    ds = Dataset()
    ds.PerformedProcedureStepDescription = "Chest"
    return ds


def set_(ds: Dataset, number: int = 3) -> Script:
    asked: dict[str, Any] = {"RequestedSOPClassUID": MPPS, "RequestedSOPInstanceUID": STEP}
    answer: dict[str, Any] = {"AffectedSOPClassUID": MPPS, "AffectedSOPInstanceUID": STEP}
    return (
        Script()
        .client(message(3, "N-SET-RQ", ds, MessageID=number, **asked))
        .server(message(3, "N-SET-RSP", MessageIDBeingRespondedTo=number, Status=0, **answer))
    )


def references(*uids: str, transaction: str = "1.2.3.4") -> Dataset:
    ds = Dataset()
    ds.TransactionUID = transaction
    ds.ReferencedSOPSequence = []
    for uid in uids:
        item = s.reference()
        item.ReferencedSOPInstanceUID = uid
        ds.ReferencedSOPSequence.append(item)
    return ds


def asked(ds: Dataset, number: int = 4) -> Script:
    values: dict[str, Any] = {
        "RequestedSOPClassUID": COMMITMENT,
        "RequestedSOPInstanceUID": COMMITMENT_INSTANCE,
        "ActionTypeID": 1,
    }
    answer: dict[str, Any] = {
        "AffectedSOPClassUID": COMMITMENT,
        "AffectedSOPInstanceUID": COMMITMENT_INSTANCE,
        "ActionTypeID": 1,
    }
    return (
        Script()
        .client(message(5, "N-ACTION-RQ", ds, MessageID=number, **values))
        .server(message(5, "N-ACTION-RSP", MessageIDBeingRespondedTo=number, Status=0, **answer))
    )


def told(ds: Dataset, *, by_client: bool = False) -> Script:
    values: dict[str, Any] = {
        "AffectedSOPClassUID": COMMITMENT,
        "AffectedSOPInstanceUID": COMMITMENT_INSTANCE,
        "EventTypeID": 1,
    }
    event = message(5, "N-EVENT-REPORT-RQ", ds, MessageID=9, **values)
    answer = message(5, "N-EVENT-REPORT-RSP", MessageIDBeingRespondedTo=9, Status=0, **values)
    return Script(((by_client, event), (not by_client, answer)))


WHOLE = (
    OPEN.client(store())
    .server(stored())
    .then(created())
    .then(set_(ended()))
    .then(asked(references("1.2.5", "1.2.6")))
    .then(told(references("1.2.6", "1.2.5")))
    .then(CLOSE)
)


def hl7(*sent: Sent) -> Script:
    return Script(tuple((by_client, frame(data)) for by_client, data in sent))


def acknowledgement(of: str = "1") -> bytes:
    return f"MSH|^~\\&|OF|RAD|OP|HOSP|20260101120001||ACK|A1|P|2.3.1\rMSA|AA|{of}\r".encode()


# -- packets ---------------------------------------------------------------------------------------------------


def packets(
    scripts: Iterable[Script], *, size: int = 1000, addresses: tuple[str, str] = ("10.0.0.1", "10.0.0.2")
) -> list[bytes]:
    """IP packets of these connections, one after the other, with handshake and end."""
    found: list[bytes] = []
    client_ip, server_ip = (ipaddress.ip_address(text) for text in addresses)
    for number, script in enumerate(scripts):
        ports = (40000 + number, 104)
        numbers = [0xFFFFFF00, 5000]  # the client's wrap around soon

        def packet(
            by_client: bool, flags: int, data: bytes = b"", numbers: list[int] = numbers, ports: tuple[int, int] = ports
        ) -> bytes:
            own, peer = (0, 1) if by_client else (1, 0)
            tcp = struct.pack(
                ">HHIIBBHHH",
                ports[own],
                ports[peer],
                numbers[own] % 2**32,
                numbers[peer] % 2**32,
                80,
                flags,
                65535,
                0,
                0,
            )
            numbers[own] += len(data) + (1 if flags & 3 else 0)
            source, target = (client_ip, server_ip) if by_client else (server_ip, client_ip)
            body = tcp + data
            if client_ip.version == 6:
                return struct.pack(">IHBB", 6 << 28, len(body), 6, 64) + source.packed + target.packed + body
            return (
                struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(body), 0, 0, 64, 6, 0) + source.packed + target.packed + body
            )

        found += [packet(True, 2), packet(False, 18), packet(True, 16)]
        for by_client, data in script.sent:
            found += [packet(by_client, 24, data[start : start + size]) for start in range(0, len(data), size)]
        found += [packet(True, 17), packet(False, 17)]
    return found


def ethernet(packet: bytes, *, vlan: bool = False) -> bytes:
    kind = b"\x86\xdd" if packet[0] >> 4 == 6 else b"\x08\x00"
    return bytes(12) + (b"\x81\x00\x00\x05" if vlan else b"") + kind + packet


def pcap(
    frames: Iterable[bytes], *, order: str = "<", link: int = 1, snap: int = 1 << 18, magic: int = 0xA1B2C3D4
) -> bytes:
    body = struct.pack(f"{order}IHHiIII", magic, 2, 4, 0, 0, snap, link)
    for number, content in enumerate(frames):
        body += (
            struct.pack(f"{order}IIII", 1767261600 + number, 5, min(len(content), snap), len(content)) + content[:snap]
        )
    return body


def judged(folder: Path, *scripts: Script, size: int = 1000) -> list[ValidationFinding]:
    """The findings of these connections as a capture."""
    path = folder / "traffic.pcap"
    path.write_bytes(pcap(map(ethernet, packets(scripts, size=size))))
    return validate_capture(path)
