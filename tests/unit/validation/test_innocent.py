"""Legal but unusual objects and messages raise nothing."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from pydicom import Dataset

from harness.validation.finding import Severity
from harness.validation.hl7 import validate_hl7
from harness.validation.hl7_files import validate_hl7_file
from harness.validation.objects import validate_dataset_bytes, validate_part10
from tests.unit.validation import samples as s
from tests.unit.validation.broken import PLACER

EXPLICIT = "1.2.840.10008.1.2.1"


def _private(ds: Dataset) -> None:
    block = ds.private_block(0x0029, "ACME HEADER", create=True)
    block.add_new(0x01, "LO", "anything")
    block.add_new(0x02, "UN", b"\x01\x02")


def _ideographic(ds: Dataset) -> None:
    ds.SpecificCharacterSet = ["", "ISO 2022 IR 87"]
    ds.ReferringPhysicianName, ds.PatientName = "", "Yamada^Tarou=山田^太郎=やまだ^たろう"


def _utf8(ds: Dataset) -> None:
    ds.SpecificCharacterSet, ds.PatientName = "ISO_IR 192", "Иванов^Иван=王^小東"


def _no_character_set(ds: Dataset) -> None:
    del ds.SpecificCharacterSet
    ds.ReferringPhysicianName = ""


def _empty_names(ds: Dataset) -> None:
    ds.PatientName, ds.PatientID, ds.PatientBirthDate, ds.PatientSex = "", "", "", ""


def _only_phonetic(ds: Dataset) -> None:
    ds.PatientName = "==Doe^Jane"


def _nested_empty(ds: Dataset) -> None:
    ds.ProcedureCodeSequence, ds.ReferencedStudySequence = [], []


def _leap_second(ds: Dataset) -> None:
    ds.StudyTime, ds.SeriesTime, ds.ContentTime = "235960", "10", "1011"


def _exponent(ds: Dataset) -> None:
    ds.SliceThickness, ds.RescaleIntercept = "1.0E0", " -1024 "


def _long_code(ds: Dataset) -> None:
    item = Dataset()
    item.LongCodeValue, item.CodingSchemeDesignator, item.CodeMeaning = "1" * 30, "SCT", "long"
    urn = Dataset()
    urn.URNCodeValue, urn.CodeMeaning = "urn:oid:1.2.3", "urn"
    ds.ProcedureCodeSequence = [item, urn]


CHANGES = [
    _private, _ideographic, _utf8, _no_character_set, _empty_names, _only_phonetic, _nested_empty, _leap_second,
    _exponent, _long_code,
]  # fmt: skip


@pytest.mark.parametrize("change", CHANGES, ids=[change.__name__.strip("_") for change in CHANGES])
def test_an_unusual_ct_raises_nothing(change: Callable[[Dataset], None]) -> None:
    ds = s.ct()
    change(ds)
    assert [f for f in validate_part10(s.part10(ds)) if f.severity is not Severity.INFO] == []


@pytest.mark.parametrize(
    ("syntax", "frames", "offsets", "extra"),
    [
        pytest.param("1.2.840.10008.1.2.4.70", [s.jpeg(12, sof=0xC3, last=1)], None, {}, id="no offsets"),
        pytest.param("1.2.840.10008.1.2.4.70", [s.jpeg(12, sof=0xC3, last=1)], [0], {}, id="offsets"),
        pytest.param("1.2.840.10008.1.2.4.70", [s.jpeg(12, sof=0xC3, last=1)[:20], s.jpeg(12, sof=0xC3, last=1)[20:]],
                     [0], {}, id="one frame in two fragments"),
        pytest.param("1.2.840.10008.1.2.4.57", [s.jpeg(12, sof=0xC3, last=6)], None, {}, id="another predictor"),
        pytest.param("1.2.840.10008.1.2.4.80", [s.jpeg(12, sof=0xF7)], None, {}, id="JPEG-LS"),
        pytest.param("1.2.840.10008.1.2.4.90", [s.jpeg2000()], None, {}, id="JPEG 2000"),
        pytest.param("1.2.840.10008.1.2.4.201", [s.jpeg2000(cap=True)], None, {}, id="HTJ2K"),
        pytest.param("1.2.840.10008.1.2.4.91", [s.jpeg2000(reversible=False)], None, {
            "LossyImageCompression": "01", "LossyImageCompressionRatio": "10",
            "LossyImageCompressionMethod": "ISO_15444_1", "ImageType": ["DERIVED", "PRIMARY", "AXIAL"],
        }, id="lossy JPEG 2000"),
    ],
)  # fmt: skip
def test_compressed_frames_that_fit_raise_nothing(
    syntax: str, frames: list[bytes], offsets: list[int] | None, extra: dict[str, object]
) -> None:
    ds = s.ct()
    for keyword, value in extra.items():
        setattr(ds, keyword, value)
    found = validate_part10(s.compressed(ds, syntax, frames, offsets))
    assert [f for f in found if f.severity is not Severity.INFO] == []


def _x_ray(ds: Dataset) -> None:
    """Enumerated numbers printed with decimals and as signed words: a DX of one sign and intercept."""
    ds.SOPClassUID, ds.Modality, ds.PresentationIntentType = "1.2.840.10008.5.1.4.1.1.1.1", "DX", "FOR PROCESSING"
    ds.PixelIntensityRelationshipSign, ds.RescaleIntercept, ds.RescaleSlope = -1, "0.0", "1.0"


def test_numbers_are_compared_as_numbers_with_their_terms() -> None:
    ds = s.ct()
    _x_ray(ds)
    codes = {f.locator for f in validate_part10(s.part10(ds)) if f.code == "IOD-ENUMERATED-VALUE"}
    assert not codes & {"(0028,1041) PixelIntensityRelationshipSign", "(0028,1052) RescaleIntercept"}
    ds.RescaleIntercept = "1.5"
    codes = {f.locator for f in validate_part10(s.part10(ds)) if f.code == "IOD-ENUMERATED-VALUE"}
    assert "(0028,1052) RescaleIntercept" in codes


MPEG2, HEVC, FRAGMENTABLE = "1.2.840.10008.1.2.4.100", "1.2.840.10008.1.2.4.107", "1.2.840.10008.1.2.4.102.1"


def _video(fragments: list[bytes], syntax: str, offsets: list[int] | None) -> set[str]:
    ds = s.ct()
    ds.NumberOfFrames = "30"
    found = validate_part10(s.compressed(ds, syntax, fragments, offsets))
    return {f.code for f in found if f.code.startswith("PX-")}


@pytest.mark.parametrize("syntax", [MPEG2, HEVC, FRAGMENTABLE])
@pytest.mark.parametrize("offsets", [None, [0]])
def test_a_video_has_fewer_fragments_than_frames(syntax: str, offsets: list[int] | None) -> None:
    assert _video([b"\0\0\1\xb3" * 4], syntax, offsets) == set()
    assert _video([b"\0\0\1\xb3", b"\0\0\1\xb5"], syntax, offsets) == set()
    assert _video([], syntax, None) == {"PX-FRAGMENTS"}
    assert "PX-FRAGMENTS" in _video([s.jpeg(12, sof=0xC3, last=1)], "1.2.840.10008.1.2.4.70", None)


def test_a_private_transfer_syntax_may_encode_as_it_likes() -> None:
    raw = s.part10(s.ct(), "1.2.840.10008.1.2")
    private = raw.replace(b"1.2.840.10008.1.2\0", b"1.2.840.113619.5.2")
    assert private != raw
    assert [f.code for f in validate_part10(private) if f.severity is Severity.ERROR] == []
    wrong = raw.replace(b"1.2.840.10008.1.2\0", b"1.2.840.10008.1.2.1\0").replace(b"UI\x12\0", b"UI\x14\0", 9)
    assert "ENC-TRANSFER-SYNTAX" in {f.code for f in validate_part10(wrong)}


@pytest.mark.parametrize("tag", [0x00280002, 0x00280006, 0x00280010, 0x00280100])
def test_a_known_number_that_is_written_as_un_keeps_its_value(tag: int) -> None:
    raw = s.part10(s.secondary_capture())
    head = tag.to_bytes(4, "big")
    place = raw.index(head[1::-1] + head[3:1:-1] + b"US\x02\0")
    unknown = raw[: place + 4] + b"UN\0\0\x02\0\0\0" + raw[place + 8 :]
    assert {f.code for f in validate_part10(unknown) if f.severity is not Severity.INFO} == {"ENC-VR-UN"}


def test_undefined_and_explicit_lengths_are_both_legal() -> None:
    inner = s.element(0x00081150, "UI", b"1.2\0") + s.element(0x00081155, "UI", b"1.3\0")
    item_end, sequence_end = b"\xfe\xff\x0d\xe0" + bytes(4), b"\xfe\xff\xdd\xe0" + bytes(4)
    for body in (
        s.element(0x00081140, "SQ", s.item(inner)),
        s.element(0x00081140, "SQ", s.item(inner + item_end, 0xFFFFFFFF) + sequence_end, 0xFFFFFFFF),
        s.element(0x00081140, "SQ", s.item(inner) + sequence_end, 0xFFFFFFFF),
        s.element(0x00081140, "SQ", b""),
        s.element(0x00081140, "SQ", s.item(b"")),
    ):
        assert validate_dataset_bytes(body, EXPLICIT, "") == []


def test_right_group_lengths_raise_nothing() -> None:
    body = s.element(0x00100020, "LO", b"A1")
    assert validate_dataset_bytes(s.element(0x00100000, "UL", b"\x0a\0\0\0") + body, EXPLICIT, "") == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"PV1|1|O", b"ZXX|anything^here~and\\T\\there\rPV1|1|O"),
        (b"Doe^Jane", b"Doe^Jane~Roe^Jane^^^^^M"),
        (b"19700101", b"1970"),
        (b"Doe^Jane", b"\\X446F65\\^Jane"),
        (b"|P|2.3.1", b"|P|2.3.1||||||8859/1"),
        (b"|123^^^HOSP|", b"|123^^^HOSP&1.2.3&ISO^MR|"),
    ],
)
def test_an_unusual_admission_raises_nothing(old: bytes, new: bytes) -> None:
    assert validate_hl7(s.HL7_ADMIT.replace(old, new)) == []


def test_declared_utf8_in_hl7_raises_nothing() -> None:
    raw = s.HL7_ADMIT.replace(b"Doe^Jane", "Дое^Яна".encode()).replace(b"|P|2.3.1", b"|P|2.3.1||||||UNICODE UTF-8")
    assert validate_hl7(raw) == []


def test_japanese_names_with_escape_sequences_in_hl7_raise_nothing() -> None:
    names = b"Yamada^Tarou^^^^^L^A~\x1b$B;3ED\x1b(B^\x1b$BB@O:\x1b(B^^^^^L^I"
    raw = s.HL7_ADMIT.replace(b"Doe^Jane", names).replace(b"|P|2.3.1", b"|P|2.3.1||||||ASCII~ISO IR87")
    assert validate_hl7(raw) == []


@pytest.mark.parametrize(
    "raw",
    [
        s.HL7_ADMIT * 2,
        b"\x0b" + s.HL7_ADMIT + b"\x1c\r" + b"\x0b" + s.HL7_ADMIT + b"\x1c\r",
        b"FHS|^~\\&|A\rBHS|^~\\&|A\r" + s.HL7_ADMIT + s.HL7_ADMIT + b"BTS|2\rFTS|1\r",
        b"BHS|^~\\&|A\r" + s.HL7_ADMIT + b"BTS\r",
    ],
)
def test_files_of_several_messages_raise_nothing(raw: bytes) -> None:
    assert validate_hl7_file(raw) == []


def test_messages_of_a_file_are_told_apart() -> None:
    raw = s.HL7_ADMIT + s.HL7_ADMIT.replace(b"19700101", b"1970-01-01")
    assert [(f.code, f.locator) for f in validate_hl7_file(raw)] == [("HL7-TYPE", "message 2: PID[1]-7")]


def test_a_named_transaction_binds_whatever_tells_transactions_apart() -> None:
    """An order of the placer judged as RAD-4 lacks what RAD-4 adds, the Z segment too."""
    missing = {f.locator for f in validate_hl7(PLACER, "RAD-4") if f.code == "HL7-IHE-REQUIRED"}
    assert {"ZDS-1", "ORC-3", "OBR-18"} <= missing
    assert validate_hl7(PLACER, "RAD-2") == []
