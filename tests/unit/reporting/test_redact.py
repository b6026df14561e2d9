"""Redaction: no person is left in any byte, and the evidence still says what it said."""

from __future__ import annotations

import dataclasses
import io
import json
import random
import zipfile
import zlib
from pathlib import Path

import pydicom
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import (
    UID,
    CTImageStorage,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from harness.core.message import Blob, Direction, Protocol
from harness.core.verdict import Verdict
from harness.reporting.bundle import write_bundle
from harness.reporting.decode import parse_dataset, parse_er7
from harness.reporting.evidence import EvidenceStore, load_run, load_transcript
from harness.reporting.outputs import write_outputs
from harness.reporting.pseudonyms import Pseudonyms
from harness.reporting.redact import redact_data, redact_dicom, redact_hl7
from harness.reporting.redacted_run import redact_run
from tests.unit.reporting import builders

KEY = b"a key for tests"
#: Everything in the built run that names a person or an order.
PERSONS = ("CHEOLSU", "哲洙", "철수", builders.PATIENT_ID, "JIWOO", "MINA", builders.ACCESSION)


def pseudonyms() -> Pseudonyms:
    return Pseudonyms(KEY)


def members(bundle: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(bundle) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_nothing_of_a_person_is_left_in_any_byte_of_a_bundle(tmp_path: Path) -> None:
    source, copy, bundle = tmp_path / "run", tmp_path / "copy", tmp_path / "bundle.zip"
    write_outputs(builders.build_run(source), source)
    before = b"".join(p.read_bytes() for p in source.rglob("*") if p.is_file())
    assert all(person.encode() in before for person in PERSONS), "the test must look for what is there"
    redact_run(source, copy)
    write_outputs(load_run(copy), copy)
    write_bundle(copy, bundle)
    found = members(bundle)
    assert "report.html" in found
    for name, data in found.items():
        for person in PERSONS:
            for codec in ("utf-8", "euc_kr", "utf-16-le", "iso2022_jp_2"):
                try:
                    wanted = person.encode(codec)
                except UnicodeEncodeError:
                    continue
                assert wanted not in data, f"{person} in {name}"
            assert json.dumps(person).strip('"').encode() not in data, f"{person} escaped in {name}"


def test_captures_are_left_out_and_said_so(tmp_path: Path) -> None:
    builders.build_run(tmp_path / "run")
    done = redact_run(tmp_path / "run", tmp_path / "copy")
    assert done.left_out == (
        "wire/rejected-image-stays-out-of-the-step.pcapng: captures hold everything as it was sent",
    )
    assert not list((tmp_path / "copy" / "wire").iterdir())
    assert done.changed > 0


def test_what_was_equal_stays_equal_and_verdicts_stay(tmp_path: Path) -> None:
    run = builders.build_run(tmp_path / "run")
    redact_run(tmp_path / "run", tmp_path / "copy")
    again = load_run(tmp_path / "copy")
    assert [s.verdict for s in again.scenarios] == [s.verdict for s in run.scenarios]
    assert [[f.check for f in s.findings] for s in again.scenarios] == [
        [f.check for f in s.findings] for s in run.scenarios
    ]
    transcript = load_transcript(tmp_path / "copy", again.scenarios[0].transcript)
    datasets = [parse_dataset(m.payload.bytes(), m.transfer_syntax) for m in transcript.select("C-STORE-RQ")]
    names = {str(d.PatientName) for d in datasets if d is not None}
    order = transcript.facts_of("ORDER")[0].data["keywords"]
    worklist = parse_dataset(transcript.select("C-FIND-RSP")[0].payload.bytes(), ExplicitVRLittleEndian)
    assert worklist is not None
    assert names == {order["PatientName"]} == {str(worklist.PatientName)}
    assert order["PatientName"] != builders.PATIENT_NAME
    assert order["StudyInstanceUID"] == builders.STUDY_UID


def test_texts_of_findings_follow_the_data(tmp_path: Path) -> None:
    builders.build_run(tmp_path / "run")
    redact_run(tmp_path / "run", tmp_path / "copy")
    again = load_run(tmp_path / "copy").scenarios[0]
    order = load_transcript(tmp_path / "copy", again.transcript).facts_of("ORDER")[0].data["keywords"]
    summary = next(f.summary for f in again.findings if f.requirement == "RAD-8-SCU-03")
    assert summary == f"Accession Number is {order['AccessionNumber']}."
    assert order["PatientName"] in again.steps[0].text


def test_pixels_uids_and_the_order_of_elements_stay() -> None:
    blob = builders.encode(builders.image(11))
    data = redact_dicom(blob.bytes(), ExplicitVRLittleEndian, pseudonyms())
    assert data is not None
    assert len(data) == blob.size, "values of the same form have the same length"
    before = pydicom.filereader.read_dataset(io.BytesIO(blob.bytes()), False, True)
    after = pydicom.filereader.read_dataset(io.BytesIO(data), False, True)
    changed = {e.keyword for e in after if e != before[e.tag]}
    assert changed == {"AccessionNumber", "PatientName", "PatientID", "PatientBirthDate"}


def test_values_that_are_wrong_stay_wrong() -> None:
    # an odd length, a padding by zero and a lower-case code: all of them are the product's, not ours
    raw = b"\x08\x00\x60\x00CS\x03\x00ct\x00" + b"\x10\x00\x10\x00PN\x05\x00DOE^A"
    data = redact_dicom(raw, ExplicitVRLittleEndian, pseudonyms())
    assert data is not None
    assert data.startswith(b"\x08\x00\x60\x00CS\x03\x00ct\x00")
    assert b"DOE" not in data


def test_private_elements_go() -> None:
    dataset = builders.dataset(PatientName="DOE^JANE")
    dataset.add_new(0x00091010, "LO", "a note about Jane")
    data = redact_dicom(builders.encode(dataset).bytes(), ExplicitVRLittleEndian, pseudonyms())
    assert data is not None
    assert b"note" not in data


@pytest.mark.parametrize(
    ("charset", "name"),
    [
        ("ISO_IR 100", "BUC^JÉRÔME"),
        ("ISO_IR 144", "Люкceмбypг"),
        (["", "ISO 2022 IR 149"], "HONG^GILDONG=洪^吉洞=홍^길동"),
        (["", "ISO 2022 IR 87"], "YAMADA^TAROU=山田^太郎=やまだ^たろう"),
        ("GB18030", "WANG^XIAODONG=王^小东"),
    ],
)
def test_names_stay_in_their_character_set(charset: str | list[str], name: str) -> None:
    dataset = builders.dataset(PatientName=name)
    dataset.SpecificCharacterSet = charset
    data = redact_dicom(builders.encode(dataset).bytes(), ExplicitVRLittleEndian, pseudonyms())
    assert data is not None
    again = parse_dataset(data, ExplicitVRLittleEndian)
    assert again is not None
    new = str(again.PatientName)
    assert "?" not in new
    assert [c if c in "^=" else "x" for c in new] == [c if c in "^=" else "x" for c in name]
    assert not any(a == b for a, b in zip(new, name, strict=True) if a not in "^=")


def test_files_lose_persons_and_preamble() -> None:
    file = Dataset()
    file.file_meta = FileMetaDataset()
    file.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    file.file_meta.MediaStorageSOPClassUID = CTImageStorage
    file.file_meta.MediaStorageSOPInstanceUID = UID("2.25.1")
    file.SOPClassUID = CTImageStorage
    file.SOPInstanceUID = UID("2.25.1")
    file.PatientName = "SMITHERS^JOHN"
    buffer = io.BytesIO()
    file.preamble = b"SMITHERS" * 16
    file.save_as(buffer)
    data = redact_dicom(buffer.getvalue(), "", pseudonyms())
    assert data is not None
    assert b"SMITHERS" not in data
    assert pydicom.dcmread(io.BytesIO(data)).SOPInstanceUID == "2.25.1"


def test_deflated_data_sets() -> None:
    plain = builders.encode(builders.worklist_entry()).bytes()
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    data = redact_dicom(packer.compress(plain) + packer.flush(), DeflatedExplicitVRLittleEndian, pseudonyms())
    assert data is not None
    again = zlib.decompress(data, -zlib.MAX_WBITS)
    assert len(again) == len(plain)
    assert builders.PATIENT_ID.encode() not in again


@pytest.mark.parametrize("data", [b"\xff" * 400, b"MSH|^~\\&", b"", b"\x10\x00\x10\x00PN\xff\xff" + b"A" * 9])
def test_what_cannot_be_read_is_no_reason_to_stop(data: bytes) -> None:
    redact_dicom(data, ImplicitVRLittleEndian, pseudonyms())
    redact_dicom(data, ExplicitVRLittleEndian, pseudonyms())
    redact_hl7(data, pseudonyms())


def test_random_bytes_never_raise() -> None:
    noise = random.Random(7)
    base = builders.encode(builders.image(11)).bytes()
    for _ in range(200):
        broken = bytearray(base)
        for _ in range(noise.randrange(1, 8)):
            broken[noise.randrange(len(broken))] = noise.randrange(256)
        redact_dicom(bytes(broken), ExplicitVRLittleEndian, pseudonyms())


def test_unreadable_payloads_are_left_out(tmp_path: Path) -> None:
    transcript, _ = builders.exam_transcript()
    picture = transcript.record(Direction.FROM_SUT, Protocol.FILE, "FILE", payload=Blob.of(b"\x89PNG\xff\xfe\x00"))
    run = dataclasses.replace(builders.build_run(tmp_path / "run"), scenarios=())
    store = EvidenceStore(tmp_path / "run")
    one = builders.scenario("one", Verdict.PASS, transcript=store.store_transcript("one", transcript))
    store.write_run(dataclasses.replace(run, scenarios=(one,)))
    done = redact_run(tmp_path / "run", tmp_path / "copy")
    assert f"transcripts/one.json: payload of FILE #{picture.seq}: cannot be redacted" in done.left_out
    assert load_transcript(tmp_path / "copy", one.transcript).messages[-1].payload.size == 0


def test_hl7_names_and_numbers_go_and_codes_stay() -> None:
    p = pseudonyms()
    data = redact_hl7(builders.ORDER_MESSAGE.encode(), p)
    assert data is not None
    segments = dict(parse_er7(data))
    before = dict(parse_er7(builders.ORDER_MESSAGE.encode()))
    assert segments["MSH"] == before["MSH"]
    assert segments["PID"][3].endswith("^^^ADT")
    assert segments["PID"][5].count("^L^A~") == 1
    assert segments["IPC"][3] == builders.STUDY_UID
    assert segments["OBR"][4] == before["OBR"][4]
    text = data.decode()
    assert not [person for person in PERSONS if person in text]


def test_hl7_in_a_two_byte_character_set() -> None:
    message = "MSH|^~\\&|A|B|C|D|20261120||ADT^A01|1|P|2.5.1||||||KS X 1001\rPID|||12345678||홍^길동".encode("euc_kr")
    data = redact_hl7(message, pseudonyms())
    assert data is not None
    name = data.decode("euc_kr").rpartition("|")[2]
    assert name != "홍^길동"
    assert [len(part) for part in name.split("^")] == [1, 2]


def test_common_words_in_names_of_staff_do_not_garble_texts() -> None:
    p = pseudonyms()
    data = builders.encode(builders.dataset(OperatorsName="Tech^Reference", PatientName="LIST^DOE")).bytes()
    redacted = redact_dicom(data, ExplicitVRLittleEndian, p)
    assert redacted is not None
    assert b"Reference" not in redacted
    assert p.everywhere("ReferencedStudySequence references 3 listed, by Tech^Reference") == (
        f"ReferencedStudySequence references 3 listed, by {p.swap('Tech^Reference')}"
    )


def test_facts_by_keyword_and_by_text() -> None:
    p = pseudonyms()
    p.patient("KIM^CHEOLSU")
    data = {
        "actor": "CHEOLSU",
        "PatientID": "ABC-123",
        "note": "order of Kim Cheolsu",
        "n": [1, {"PatientName": "A^B"}],
    }
    found = redact_data(data, p)
    assert found["actor"] == "CHEOLSU", "a name of ours, whatever a patient is called"
    assert found["PatientID"] == p.swap("ABC-123")
    assert found["note"] == f"order of {p.swap('Kim')} {p.swap('Cheolsu')}"
    assert found["n"] == [1, {"PatientName": p.swap("A^B")}]


@given(st.text(max_size=40), st.text(max_size=10))
def test_what_begins_alike_still_begins_alike(start: str, rest: str) -> None:
    p = pseudonyms()
    whole = p.swap(start + rest)
    assert len(whole) == len(start + rest)
    assert whole.startswith(p.swap(start))


@given(st.text(alphabet="ABCXYZabcxyz0189가힣각金山あんア-^= ", max_size=12))
def test_different_values_stay_different(value: str) -> None:
    p = pseudonyms()
    others = {value, value + "0", "A" + value, value.swapcase()}
    assert len({p.swap(other) for other in others}) == len(others)
    assert all(a != b for a, b in zip(value, p.swap(value), strict=True) if a.isalnum())


def test_birth_dates_move_by_the_same_days_and_keep_their_form() -> None:
    p = pseudonyms()
    first, second = p.birth_date("19730429"), p.birth_date("19730430")
    assert int(second) - int(first) in (1, 70, 71, 72, 73, 8870)
    assert first != "19730429"
    assert p.birth_date("19730101-19731231").count("-") == 1
    assert p.birth_date("") == ""
    assert len(p.birth_date("99999999")) == 8


def test_syllables_stay_in_the_korean_standard() -> None:
    assert all(len(character.encode("euc_kr")) == 2 for character in pseudonyms().swap("홍길동김철수이순신" * 4))


def test_another_key_gives_other_values() -> None:
    assert Pseudonyms(b"one").swap("CHEOLSU") != Pseudonyms(b"two").swap("CHEOLSU")
