"""What broken objects and messages are made of: raw elements, changed samples, encapsulated pixels, DIMSE messages."""

from __future__ import annotations

import struct
from collections.abc import Callable
from unittest.mock import patch

from pydicom import Dataset

from harness.core.message import Blob, Direction, Message, Protocol
from harness.validation.dimse import validate_command
from harness.validation.finding import ValidationFinding
from harness.validation.hl7 import validate_hl7
from harness.validation.objects import validate_dataset_bytes, validate_part10
from tests.unit.validation import samples as s

Findings = Callable[[], list[ValidationFinding]]

EXPLICIT, IMPLICIT = "1.2.840.10008.1.2.1", "1.2.840.10008.1.2"
MPPS, COMMITMENT, STUDY_FIND = "1.2.840.10008.3.1.2.3.3", "1.2.840.10008.1.20.1", "1.2.840.10008.5.1.4.1.2.2.1"
STUDY_MOVE = "1.2.840.10008.5.1.4.1.2.2.2"
JPEG_BASELINE, JPEG_SV1, JPEG_LS, J2K = (f"1.2.840.10008.1.2.4.{n}" for n in (50, 70, 80, 90))
RLE = "1.2.840.10008.1.2.5"


def raw(body: bytes, syntax: str = EXPLICIT) -> Findings:
    """A data set of these bytes, judged without an IOD."""
    return lambda: validate_dataset_bytes(body, syntax, "")


def value(tag: int, vr: str, content: bytes, terms: bytes = b"ISO_IR 100") -> Findings:
    """A data set of a character set and one element."""
    return raw(s.element(0x00080005, "CS", terms) + s.element(tag, vr, content))


def text(content: bytes, terms: bytes = b"ISO_IR 100", vr: str = "LO", tag: int = 0x00104000) -> Findings:
    tags = {"LO": 0x00081030, "PN": 0x00100010, "LT": 0x00104000}
    return value(tags.get(vr, tag), vr, content, terms)


def file(change: Callable[[bytes], bytes]) -> Findings:
    return lambda: validate_part10(change(s.part10(s.ct())))


def changed(build: Callable[[], Dataset], **attributes: object) -> Findings:
    """A baseline with attributes set, or removed (None)."""

    def run() -> list[ValidationFinding]:
        ds = build()
        for keyword, content in attributes.items():
            if content is None:
                delattr(ds, keyword)
            else:
                setattr(ds, keyword, content)
        return validate_part10(s.part10(ds))

    return run


def frames(syntax: str, streams: list[bytes], offsets: list[int] | None = None, **attributes: object) -> Findings:
    """A CT with these compressed frames."""

    def run() -> list[ValidationFinding]:
        ds = s.ct()
        for keyword, content in attributes.items():
            setattr(ds, keyword, content)
        return validate_part10(s.compressed(ds, syntax, streams, offsets))

    return run


def enhanced(change: Callable[[Dataset], None]) -> Findings:
    """An enhanced MR with two frames and one shared functional group."""

    def run() -> list[ValidationFinding]:
        ds = s.composite("1.2.840.10008.5.1.4.1.1.4.1", "MR")
        ds.NumberOfFrames = "2"
        measures, orientation = Dataset(), Dataset()
        measures.PixelSpacing, measures.SliceThickness = ["1", "1"], "1"
        orientation.ImageOrientationPatient = ["1", "0", "0", "0", "1", "0"]
        shared = Dataset()
        shared.PixelMeasuresSequence, shared.PlaneOrientationSequence = [measures], [orientation]
        ds.SharedFunctionalGroupsSequence = [shared]
        ds.PerFrameFunctionalGroupsSequence = [Dataset(), Dataset()]
        change(ds)
        return validate_dataset_bytes(s.encoded(ds), EXPLICIT, None)

    return run


def twice(ds: Dataset) -> None:
    ds.SharedFunctionalGroupsSequence = [*ds.SharedFunctionalGroupsSequence, Dataset()]


def both(ds: Dataset) -> None:
    ds.PerFrameFunctionalGroupsSequence[0].PixelMeasuresSequence = ds.SharedFunctionalGroupsSequence[
        0
    ].PixelMeasuresSequence


def command_set(elements: dict[int, bytes]) -> bytes:
    body = b"".join(struct.pack("<HHI", 0, tag, len(content)) + content for tag, content in sorted(elements.items()))
    return struct.pack("<HHII", 0, 0, 4, len(body)) + body


def us(number: int) -> bytes:
    return struct.pack("<H", number)


def store(change: dict[int, bytes | None] | None = None, payload: bytes | None = None) -> Message:
    """A C-STORE-RQ of the CT."""
    elements: dict[int, bytes] = {
        0x0002: s.CT.encode() + b"\0",
        0x0100: us(1),
        0x0110: us(1),
        0x0700: us(0),
        0x0800: us(1),
        0x1000: (s.UID + ".3").encode() + b"\0" * (len(s.UID + ".3") % 2),
    }
    return message("C-STORE-RQ", elements, change, s.encoded(s.ct()) if payload is None else payload)


def message(kind: str, elements: dict[int, bytes], change: dict[int, bytes | None] | None, payload: bytes) -> Message:
    changed_elements = {tag: content for tag, content in {**elements, **(change or {})}.items() if content is not None}
    return Message(
        seq=1,
        time=0.0,
        direction=Direction.FROM_SUT,
        protocol=Protocol.DICOM,
        kind=kind,
        transfer_syntax=EXPLICIT,
        payload=Blob.of(payload),
        header=Blob.of(command_set(changed_elements)),
    )


def create(ds: Dataset) -> list[ValidationFinding]:
    """An MPPS N-CREATE."""
    elements = {
        0x0002: MPPS.encode() + b"\0" * (len(MPPS) % 2),
        0x0100: us(0x0140),
        0x0110: us(1),
        0x0800: us(1),
        0x1000: b"1.2.3.4\0",
    }
    return validate_command(message("N-CREATE-RQ", elements, None, s.encoded(ds)))


def performed(**attributes: object) -> Findings:
    def run() -> list[ValidationFinding]:
        ds = s.performed_step()
        for keyword, content in attributes.items():
            if content is None:
                delattr(ds, keyword)
            else:
                setattr(ds, keyword, content)
        return create(ds)

    return run


def identifier(kind: str, sop_class: str, field: int, **attributes: object) -> Findings:
    """A query or retrieval by the study root model."""

    def run() -> list[ValidationFinding]:
        ds = Dataset()
        for keyword, content in attributes.items():
            setattr(ds, keyword, content)
        elements = {0x0002: sop_class.encode() + b"\0" * (len(sop_class) % 2), 0x0100: us(field), 0x0110: us(1)}
        elements |= {0x0700: us(0), 0x0800: us(1)}
        if kind == "C-MOVE-RQ":
            elements[0x0600] = b"ARCHIVE "
        return validate_command(message(kind, elements, None, s.encoded(ds)))

    return run


def dimse(change: dict[int, bytes | None] | None = None, payload: bytes | None = None) -> Findings:
    return lambda: validate_command(store(change, payload))


def group_0008_in_command() -> list[ValidationFinding]:
    whole = store()
    extra = struct.pack("<HHI", 8, 5, 0)
    header = Blob.of(whole.header.bytes() + extra)
    return validate_command(
        Message(1, 0.0, Direction.FROM_SUT, Protocol.DICOM, "C-STORE-RQ", transfer_syntax=EXPLICIT, header=header)
    )


def hl7(old: bytes, new: bytes, base: bytes = s.HL7_ADMIT, transaction: str = "") -> Findings:
    assert old in base
    return lambda: validate_hl7(base.replace(old, new), transaction)


def too_many() -> list[ValidationFinding]:
    with patch("harness.validation.walker.MAXIMUM_ELEMENTS", 10):
        return validate_part10(s.part10(s.ct()))


def nested(depth: int) -> bytes:
    body = b""
    for _ in range(depth):
        body = s.element(0x00081140, "SQ", s.item(body))
    return body


def rle(segments: int) -> bytes:
    offsets = [64 + 4 * n for n in range(segments)] + [0] * (15 - segments)
    return struct.pack("<16I", segments, *offsets) + bytes(4 * segments)


def text_without_value() -> Dataset:
    ds = Dataset()
    ds.RelationshipType, ds.ValueType = "CONTAINS", "TEXT"
    ds.ConceptNameCodeSequence = [s.code("121071", "DCM", "Finding")]
    return ds


PLACER = (
    b"MSH|^~\\&|OP|HOSP|OF|RAD|20260101120000||ORM^O01|1|P|2.3.1\r"
    b"PID|1||123^^^HOSP||Doe^Jane||19700101|F||||||||||ACC1\r"
    b"PV1|1|O\r"
    b"ORC|NW|P1|||||^^^^^R||20260101|||1^Who|||||HIS\r"
    b"OBR|1|P1||CTCH^CT chest^L||||||||||||1^Who|||||||||||^^^^^R\r"
)
