"""One broken object or message for each finding code; the baselines raise nothing, so the change is the cause."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from unittest.mock import patch

from pydicom import Dataset

from harness.core.message import Blob, Direction, Message, Protocol
from harness.validation.dimse import validate_command, validate_final_state
from harness.validation.finding import ValidationFinding
from harness.validation.hl7 import validate_hl7
from harness.validation.hl7_files import validate_hl7_file
from harness.validation.objects import validate_dataset_bytes, validate_part10
from tests.unit.validation import samples as s

EXPLICIT, IMPLICIT = "1.2.840.10008.1.2.1", "1.2.840.10008.1.2"
MPPS, COMMITMENT, STUDY_FIND = "1.2.840.10008.3.1.2.3.3", "1.2.840.10008.1.20.1", "1.2.840.10008.5.1.4.1.2.2.1"
STUDY_MOVE = "1.2.840.10008.5.1.4.1.2.2.2"
Findings = Callable[[], list[ValidationFinding]]
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


def _twice(ds: Dataset) -> None:
    ds.SharedFunctionalGroupsSequence = [*ds.SharedFunctionalGroupsSequence, Dataset()]


def _both(ds: Dataset) -> None:
    ds.PerFrameFunctionalGroupsSequence[0].PixelMeasuresSequence = ds.SharedFunctionalGroupsSequence[
        0
    ].PixelMeasuresSequence


def command_set(elements: dict[int, bytes]) -> bytes:
    body = b"".join(struct.pack("<HHI", 0, tag, len(content)) + content for tag, content in sorted(elements.items()))
    return struct.pack("<HHII", 0, 0, 4, len(body)) + body


def _us(number: int) -> bytes:
    return struct.pack("<H", number)


def store(change: dict[int, bytes | None] | None = None, payload: bytes | None = None) -> Message:
    """A C-STORE-RQ of the CT."""
    elements: dict[int, bytes] = {
        0x0002: s.CT.encode() + b"\0",
        0x0100: _us(1),
        0x0110: _us(1),
        0x0700: _us(0),
        0x0800: _us(1),
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
        0x0100: _us(0x0140),
        0x0110: _us(1),
        0x0800: _us(1),
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
        elements = {0x0002: sop_class.encode() + b"\0" * (len(sop_class) % 2), 0x0100: _us(field), 0x0110: _us(1)}
        elements |= {0x0700: _us(0), 0x0800: _us(1)}
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


def _nested(depth: int) -> bytes:
    body = b""
    for _ in range(depth):
        body = s.element(0x00081140, "SQ", s.item(body))
    return body


def rle(segments: int) -> bytes:
    offsets = [64 + 4 * n for n in range(segments)] + [0] * (15 - segments)
    return struct.pack("<16I", segments, *offsets) + bytes(4 * segments)


def _text_without_value() -> Dataset:
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
_TWO = ["1.2", "1.3"]
_JAPANESE = s.HL7_ADMIT.replace(b"Doe^Jane", b"Yamada^Tarou~\x1b$B;3ED\x1b(B^\x1b$BB@O:\x1b(B^^^^^L^I")
_META_LENGTH = 132 + 8
_VERSION = s.element(0x00020001, "OB", b"\0\1")
_RESCALE: dict[str, object] = {"RescaleIntercept": "0", "RescaleSlope": "1", "RescaleType": "HU"}
_LATIN = b"ISO 2022 IR 100\\ISO 2022 IR 126 "
_KANJI = b"\\ISO 2022 IR 87 "
_KOREAN = b"\\ISO 2022 IR 149"

CASES: list[tuple[str, Findings]] = [
    ("FILE-PREAMBLE", lambda: validate_part10(s.encoded(s.ct()))),
    ("FILE-NOT-DICOM", lambda: validate_part10(b"GIF89a" + bytes(200))),
    ("FILE-META-MISSING", file(lambda f: f.replace(s.element(0x00020010, "UI", b"1.2.840.10008.1.2.1\0"), b""))),
    ("FILE-META-LENGTH", file(lambda f: f[:_META_LENGTH] + struct.pack("<I", 9) + f[_META_LENGTH + 4 :])),
    ("FILE-META-VERSION", file(lambda f: f.replace(_VERSION, _VERSION[:-2] + b"\1\0"))),
    ("FILE-META-MISMATCH", file(lambda f: f.replace(s.UID.encode() + b".3", s.UID.encode() + b".7", 1))),
    ("FILE-TRANSFER-SYNTAX", file(lambda f: f.replace(b"1.2.840.10008.1.2.1\0", b"1.2.841.10008.1.2.1\0"))),
    ("ENC-TRUNCATED", raw(s.element(0x00100020, "LO", b"A1", 40))),
    ("ENC-TRUNCATED", raw(s.element(0x00081140, "SQ", s.item(b"", 0xFFFFFFFF), 0xFFFFFFFF))),
    ("ENC-TRAILING", raw(s.element(0x00100020, "LO", b"A1") + bytes(4))),
    ("ENC-ORDER", raw(s.element(0x00100020, "LO", b"A1") + s.element(0x00100010, "PN", b"A^"))),
    ("ENC-DUPLICATE", raw(s.element(0x00100020, "LO", b"A1") * 2)),
    ("ENC-ODD-LENGTH", raw(s.element(0x00100020, "LO", b"A12"))),
    ("ENC-RESERVED", raw(b"\x08\x00\x40\x11SQ\x01\x00" + bytes(4))),
    ("ENC-VR-UNKNOWN", raw(s.element(0x00080060, "CS", b"CT") + s.element(0x00100020, "ZZ", b""))),
    ("ENC-VR-DICTIONARY", raw(s.element(0x00100020, "SH", b"A1"))),
    ("ENC-VR-UN", raw(s.element(0x00100020, "UN", b"A1"))),
    ("ENC-UNDEFINED-LENGTH", raw(s.element(0x00189810, "UT", s.item(b""), 0xFFFFFFFF))),
    ("ENC-DELIMITER", raw(struct.pack("<HHI", 0xFFFE, 0xE00D, 0) + s.element(0x00100020, "LO", b"A1"))),
    ("ENC-ITEM", raw(s.element(0x00081140, "SQ", s.element(0x00100020, "LO", b"A1")))),
    ("ENC-DEPTH", raw(_nested(40))),
    ("ENC-TOO-MANY", too_many),
    ("ENC-GROUP", raw(s.element(0x00020010, "UI", b"1.2\0"))),
    ("ENC-GROUP-LENGTH", raw(s.element(0x00100000, "UL", struct.pack("<I", 99)) + s.element(0x00100020, "LO", b"A1"))),
    ("ENC-TAG-UNKNOWN", raw(s.element(0x00100099, "LO", b"A1"))),
    ("ENC-PRIVATE-GROUP", raw(s.element(0x00070010, "LO", b"A1"))),
    ("ENC-PRIVATE-BLOCK", raw(s.element(0x00091001, "LO", b"A1"))),
    ("ENC-TRANSFER-SYNTAX", lambda: validate_dataset_bytes(s.encoded(s.ct(), IMPLICIT), EXPLICIT, None)),
    ("ENC-DEFLATE", raw(b"\xff\xff\xff", "1.2.840.10008.1.2.1.99")),
    ("ENC-DEFLATE", raw(zlib.compress(s.encoded(s.ct()), wbits=-15)[:-5], "1.2.840.10008.1.2.1.99")),
    ("VR-PADDING", value(0x00081030, "LO", b"ABC\0")),
    ("VR-PADDING", value(0x0020000D, "UI", b"1.2 ")),
    ("VM-COUNT", value(0x00080060, "CS", b"CT\\MR ")),
    ("VR-AE-LENGTH", value(0x00080055, "AE", b"A" * 18)),
    ("VR-AE-VALUE", value(0x00080055, "AE", b"A\tB ")),
    ("VR-AS-VALUE", value(0x00101010, "AS", b"42Y ")),
    ("VR-AT-LENGTH", value(0x00280009, "AT", b"\0\0")),
    ("VR-CS-LENGTH", value(0x00080060, "CS", b"C" * 18)),
    ("VR-CS-VALUE", value(0x00080060, "CS", b"ct")),
    ("VR-DA-LENGTH", value(0x00080020, "DA", b"1997.04.24")),
    ("VR-DA-VALUE", value(0x00080020, "DA", b"20260230")),
    ("VR-DA-VALUE", value(0x00080020, "DA", b"20261301")),
    ("VR-DS-LENGTH", value(0x00180050, "DS", b"1.2345678901234567")),
    ("VR-DS-VALUE", value(0x00180050, "DS", b"1,25")),
    ("VR-DT-VALUE", value(0x0008002A, "DT", b"2026-01-02")),
    ("VR-FD-LENGTH", value(0x00189073, "FD", b"\0\0")),
    ("VR-IS-LENGTH", value(0x00200013, "IS", b"12345678901234")),
    ("VR-IS-VALUE", value(0x00200013, "IS", b"1.00")),
    ("VR-IS-VALUE", value(0x00200013, "IS", b"99999999999 ")),
    ("VR-LO-LENGTH", value(0x00081030, "LO", b"x" * 66)),
    ("VR-LT-LENGTH", value(0x00104000, "LT", b"x" * 10242)),
    ("VR-SH-LENGTH", value(0x00080050, "SH", b"x" * 18)),
    ("VR-ST-LENGTH", value(0x00080081, "ST", b"x" * 1026)),
    ("VR-TM-LENGTH", value(0x00080030, "TM", b"10:11:12.345678 ")),
    ("VR-TM-VALUE", value(0x00080030, "TM", b"10:11 ")),
    ("VR-UI-LENGTH", value(0x0020000D, "UI", b"1." + b"2" * 64)),
    ("VR-UI-VALUE", value(0x0020000D, "UI", b"1.02")),
    ("VR-UR-VALUE", value(0x00081190, "UR", b"http://a b")),
    ("VR-US-LENGTH", value(0x00280010, "US", b"\0\0\0")),
    ("VR-PN-GROUPS", value(0x00100010, "PN", b"A=B=C=D ")),
    ("VR-PN-COMPONENTS", value(0x00100010, "PN", b"A^B^C^D^E^F ")),
    ("VR-PN-LENGTH", value(0x00100010, "PN", b"A" * 66)),
    ("CS-TERM-UNKNOWN", text(b"x ", b"ISO-IR 100")),
    ("CS-TERM-COMBINATION", text(b"x ", b"ISO_IR 100\\ISO 2022 IR 87")),
    ("CS-TERM-SINGLE", text(b"x ", b"ISO 2022 IR 100 ")),
    ("CS-TERM-FIRST", text(b"x ", b"ISO 2022 IR 87\\ISO 2022 IR 100")),
    ("CS-TERM-REPEATED", text(b"x ", b"ISO 2022 IR 100\\ISO 2022 IR 100 ")),
    ("CS-BYTE-UNDECLARED", raw(s.element(0x00100010, "PN", b"M\xfcller"))),
    ("CS-BYTE-UNASSIGNED", text(b"\xd2 ", b"ISO_IR 126")),
    ("CS-MULTIBYTE-TRUNCATED", text(b"\x1b$B\x3b\x33\x3b\x1b(B ", _KANJI)),
    ("CS-UTF8-INVALID", text(b"M\xfcller", b"ISO_IR 192")),
    ("CS-UTF8-MISLABELLED", text("Müller ".encode())),
    ("CS-UTF8-BOM", text(b"\xef\xbb\xbfx", b"ISO_IR 192")),
    ("CS-GB-INVALID", text(b"a\xff", b"GB18030 ")),
    ("CS-ESC-UNKNOWN", text(b"\x1bZ", _KANJI)),
    ("CS-ESC-UNDECLARED", text(b"\x1b$)C\xb1\xe8", _KANJI)),
    ("CS-ESC-FORBIDDEN", text(b"\x1b-A\xe9")),
    ("CS-ISO2022-NO-RESET", text(b"x=\x1b$B\x3b\x33^\x1b$B\x42\x40\x1b(B", _KANJI, "PN")),
    ("CS-ISO2022-NOT-REPEATED", text(b"x=\x1b$)C\xfb\xf3^\xd1\xce ", _KOREAN, "PN")),
    ("CS-PN-FIRST-GROUP", text(b"\x1b$B\x3b\x33\x1b(B=x", _KANJI, "PN")),
    ("CS-CONTROL", text(b"a\tb ")),
    ("CS-VR-DEFAULT", value(0x00080060, "CS", b"C\xc4")),
    ("IOD-1-MISSING", changed(s.ct, SamplesPerPixel=None)),
    ("IOD-1-EMPTY", changed(s.ct, StudyInstanceUID="")),
    ("IOD-2-MISSING", changed(s.ct, PatientID=None)),
    ("IOD-1C-MISSING", changed(s.secondary_capture, PatientIdentityRemoved="YES")),
    ("IOD-1C-MISSING", changed(s.basic_text, ContentSequence=[_text_without_value()])),
    ("IOD-1C-EMPTY", changed(s.secondary_capture, PixelAspectRatio="")),
    ("IOD-2C-MISSING", changed(s.ct, PatientPosition=None)),
    ("IOD-1C-NOT-ALLOWED", changed(s.presentation_state, **_RESCALE, ModalityLUTSequence=[])),
    ("IOD-ENUMERATED-VALUE", changed(s.ct, PatientSex="X")),
    ("IOD-ENUMERATED-VALUE", changed(s.ct, BitsAllocated=8)),
    ("IOD-DEFINED-TERM", changed(s.secondary_capture, ConversionType="XYZ")),
    (
        "IOD-CONTEXT-GROUP-BASELINE",
        changed(s.ct, AnatomicRegionSequence=[s.code("X1", "99LOCAL", "Our region")]),
    ),
    ("IOD-SOP-CLASS-UNKNOWN", changed(s.ct, SOPClassUID="1.2.3.4")),
    ("IOD-STANDARD-EXTENDED", changed(s.key_object, Rows=4)),
    ("IOD-CONDITION-NOT-EVALUATED", changed(s.ct)),
    ("IOD-FG-MISSING", enhanced(lambda ds: None)),
    ("IOD-FG-BOTH", enhanced(_both)),
    ("IOD-FG-FRAMES", enhanced(lambda ds: setattr(ds, "NumberOfFrames", "3"))),
    ("IOD-FG-SHARED", enhanced(_twice)),
    ("IOD-CONTEXT-GROUP", changed(s.key_object, ConceptNameCodeSequence=[s.code("121071", "DCM", "Finding")])),
    ("IOD-VALUE-NUMBER", changed(s.ct, ImageType=["ORIGINAL", "PRIMARY"])),
    ("IOD-MULTI-FRAME", changed(s.secondary_capture, NumberOfFrames="2")),
    ("IOD-UID-REUSED", changed(s.ct, FrameOfReferenceUID=s.UID + ".1")),
    ("IOD-SR-EVIDENCE", changed(s.key_object, CurrentRequestedProcedureEvidenceSequence=[])),
    ("VR-UI-VALUE", value(0x0020000D, "UI", b"3.4\0")),
    ("PX-LENGTH", changed(s.ct, PixelData=bytes(30))),
    ("PX-BITS", changed(s.ct, HighBit=15)),
    ("PX-BITS", changed(s.ct, BitsStored=17)),
    ("PX-SAMPLES", changed(s.secondary_capture, PhotometricInterpretation="MONOCHROME2")),
    ("PX-PLANAR", changed(s.secondary_capture, PlanarConfiguration=None)),
    ("PX-FRAMES", changed(s.secondary_capture, NumberOfFrames="0")),
    ("PX-VR", file(lambda f: f.replace(b"\xe0\x7f\x10\x00OW", b"\xe0\x7f\x10\x00OB"))),
    ("PX-ENCAPSULATION", file(lambda f: f.replace(b"1.2.840.10008.1.2.1\0", b"1.2.840.10008.1.2.5\0"))),
    ("PX-OFFSET-TABLE", frames(JPEG_SV1, [s.jpeg(12, sof=0xC3, last=1)], [8])),
    ("PX-FRAGMENTS", frames(JPEG_SV1, [s.jpeg(12, sof=0xC3, last=1)], NumberOfFrames="2")),
    ("PX-CODESTREAM", frames(JPEG_SV1, [b"no JPEG at all"])),
    ("PX-CODESTREAM", frames(J2K, [b"\0\0\0\x0cjP  \r\n\x87\n"])),
    ("PX-CODESTREAM", frames(RLE, [bytes(64)])),
    ("PX-PROCESS", frames(JPEG_SV1, [s.jpeg(12, sof=0xC0)])),
    ("PX-PROCESS", frames(JPEG_SV1, [s.jpeg(12, sof=0xC3, last=6)])),
    ("PX-PROCESS", frames(JPEG_LS, [s.jpeg(12, sof=0xF7, last=2)])),
    ("PX-PROCESS", frames(J2K, [s.jpeg2000(reversible=False)])),
    ("PX-PROCESS", frames(J2K, [s.jpeg2000(cap=True)])),
    ("PX-PRECISION", frames(JPEG_SV1, [s.jpeg(8, sof=0xC3, last=1)])),
    ("PX-SIZE", frames(JPEG_SV1, [s.jpeg(12, rows=5, sof=0xC3, last=1)])),
    ("PX-COMPONENTS", frames(JPEG_SV1, [s.jpeg(12, components=3, sof=0xC3, last=1)])),
    ("PX-COMPONENTS", frames(RLE, [rle(1)])),
    (
        "PX-PHOTOMETRIC",
        frames(J2K, [s.jpeg2000(transform=True, components=3)], SamplesPerPixel=3, PhotometricInterpretation="RGB"),
    ),
    ("PX-LOSSY", frames(JPEG_BASELINE, [s.jpeg()])),
    ("CMD-GROUP-LENGTH", lambda: validate_command(_with_length(store(), 7))),
    ("CMD-GROUP", group_0008_in_command),
    ("CMD-MISSING", dimse({0x0110: None})),
    ("CMD-EMPTY", dimse({0x1000: b""})),
    ("CMD-UNEXPECTED", dimse({0x0900: _us(0)})),
    ("CMD-FIELD", dimse({0x0100: _us(0x20)})),
    ("CMD-PRIORITY", dimse({0x0700: _us(7)})),
    ("CMD-DATA-SET-TYPE", dimse({0x0800: _us(0x0101)})),
    ("CMD-DATA-SET", dimse({0x0800: _us(0x0101)}, b"")),
    ("CMD-STORE-MISMATCH", dimse({0x1000: b"1.2.3.4\0"})),
    ("SERVICE-1-MISSING", performed(PerformedProcedureStepID=None)),
    ("SERVICE-1-EMPTY", performed(PerformedStationAETitle="")),
    ("SERVICE-2-MISSING", performed(StudyID=None)),
    ("SERVICE-1C-MISSING", identifier("C-FIND-RQ", STUDY_FIND, 0x20, QueryRetrieveLevel="SERIES")),
    ("SERVICE-1C-EMPTY", identifier("C-FIND-RQ", STUDY_FIND, 0x20, QueryRetrieveLevel="SERIES", StudyInstanceUID="")),
    ("SERVICE-NOT-ALLOWED", lambda: _set(PatientName="Doe^Jane")),
    ("SERVICE-VALUE", performed(PerformedProcedureStepStatus="COMPLETED")),
    ("QR-UNIQUE-KEY", identifier("C-FIND-RQ", STUDY_FIND, 0x20, QueryRetrieveLevel="SERIES", StudyInstanceUID=_TWO)),
    ("HL7-BOM", lambda: validate_hl7_file(b"\xef\xbb\xbf" + s.HL7_ADMIT)),
    ("HL7-BATCH", lambda: validate_hl7_file(b"BHS|^~\\&|A\r" + s.HL7_ADMIT + b"BTS|2\r")),
    ("HL7-BATCH", lambda: validate_hl7_file(b"FHS|^~\\&|A\r" + s.HL7_ADMIT)),
    ("HL7-BATCH", lambda: validate_hl7_file(s.HL7_ADMIT + b"BTS|1\r")),
    ("HL7-IHE-TRANSACTION", lambda: validate_hl7(s.HL7_ADMIT, "RAD-4")),
    ("HL7-FIELD-MISSING", hl7(b"|P|2.3.1", b"|P|")),
    ("HL7-SIZE", lambda: validate_hl7(s.HL7_ADMIT + b"ZZZ|" + b"x" * (8 << 20))),
    ("HL7-MSH", lambda: validate_hl7(b"PID|1")),
    ("HL7-TERMINATOR", hl7(b"\r", b"\r\n")),
    ("HL7-SEPARATORS", hl7(b"^~\\&", b"^^\\&")),
    ("HL7-CHARSET", hl7(b"|P|2.3.1", b"|P|2.3.1||||||LATIN1")),
    ("HL7-CHARSET-UTF8", hl7(b"Doe", "Döe".encode())),
    ("HL7-CHARACTERS", hl7(b"Doe", b"D\xf6e")),
    ("HL7-ISO2022", hl7(b"Doe^Jane", b"\x1b$B;3ED\x1b(B")),
    ("HL7-ISO2022", hl7(b"|P|2.3.1", b"|P|2.3.1||||||ASCII~ISO IR87", _JAPANESE.replace(b"ED\x1b(B", b"ED"))),
    ("HL7-CONTROL", hl7(b"Doe", b"D\x07e")),
    ("HL7-VERSION", hl7(b"2.3.1", b"2.9")),
    ("HL7-TYPE-UNKNOWN", hl7(b"ADT^A04", b"ADT^Q99")),
    ("HL7-STRUCTURE", hl7(b"PV1|1|O||||||1234^Ref^Dr\r", b"")),
    ("HL7-STRUCTURE-ID", hl7(b"OMI_O23", b"OMG_O19", s.HL7_ORDER)),
    ("HL7-FIELD-MISSING", hl7(b"|Doe^Jane|", b"||")),
    ("HL7-FIELD-EXTRA", hl7(b"EVN|A04|20260101120000", b"EVN|A04|20260101120000||||||||||||x")),
    ("HL7-REPETITION", hl7(b"|F|", b"|F~M|")),
    ("HL7-COMPONENTS", hl7(b"EVN|A04|", b"EVN|A04^x|")),
    ("HL7-TYPE", hl7(b"19700101", b"1970-01-01")),
    ("HL7-TABLE", hl7(b"|P|2.5.1", b"|Q|2.5.1", s.HL7_ORDER)),
    ("HL7-ESCAPE", hl7(b"Doe", b"D\\Q\\e")),
    ("HL7-ESCAPE", hl7(b"Doe", b"D\\e")),
    ("HL7-IHE-REQUIRED", hl7(b"||||||1234^Ref^Dr", b"", transaction="RAD-1")),
    ("HL7-IHE-VALUE", hl7(b"||SC||", b"||CM||", s.HL7_ORDER, "RAD-4")),
    ("HL7-IHE-LENGTH", hl7(b"IPC|A1|", b"IPC|A1234567890123456|", s.HL7_ORDER, "RAD-4")),
    ("HL7-IHE-EMPTY", lambda: validate_hl7(PLACER.replace(b"OBR|1|P1|", b"OBR|1|P1|F1"), "RAD-2")),
]  # fmt: skip


def _set(**attributes: object) -> list[ValidationFinding]:
    """An MPPS N-SET."""
    ds = Dataset()
    ds.PerformedProcedureStepStatus = "IN PROGRESS"
    for keyword, content in attributes.items():
        setattr(ds, keyword, content)
    elements = {0x0003: MPPS.encode() + b"\0" * (len(MPPS) % 2), 0x0100: _us(0x0120), 0x0110: _us(1), 0x0800: _us(1)}
    elements[0x1001] = b"1.2.3.4\0"
    return validate_command(message("N-SET-RQ", elements, None, s.encoded(ds)))


def _with_length(whole: Message, length: int) -> Message:
    header = whole.header.bytes()
    return Message(
        1, 0.0, Direction.FROM_SUT, Protocol.DICOM, whole.kind, transfer_syntax=EXPLICIT, payload=whole.payload,
        header=Blob.of(header[:8] + struct.pack("<I", length) + header[12:]),
    )  # fmt: skip


def final_state(*states: Dataset) -> list[ValidationFinding]:
    return validate_final_state([(s.encoded(state), EXPLICIT) for state in states])
