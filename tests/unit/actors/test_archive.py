"""The archive: what it keeps, finds, withdraws, merges and gives back; and what it refuses."""

from __future__ import annotations

import io
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.filereader import read_dataset

from harness.actors import objects
from harness.actors.archive import Archive, Unacceptable
from harness.actors.archive_index import ArchiveIndex
from harness.actors.archive_keys import KNOWN_KEYS, Level
from harness.actors.matching import MatchingRules, Query
from harness.actors.records import Record, encode, record_from_mapping, tag_of, text
from harness.core.message import Blob
from harness.protocols.dicom.datasets import encode as encode_dataset
from harness.protocols.dicom.part10 import file_meta
from harness.protocols.dicom.uids import DEFLATED_EXPLICIT_VR_LE, EXPLICIT_VR_LE, IMPLICIT_VR_LE

SAMPLES = objects.make(objects.archive_plan(), objects.uid_source(5))


@pytest.fixture
def archive() -> Iterator[Archive]:
    archive = Archive()
    yield archive
    archive.close()


def keep(archive: Archive, sample: objects.Sample, syntax: str = EXPLICIT_VR_LE, **changed: str) -> bool:
    return archive.store(
        Blob.of(encode_dataset(sample.dataset, syntax)),
        transfer_syntax=syntax,
        sop_class=changed.get("sop_class", sample.sop_class),
        sop_instance=changed.get("sop_instance", sample.sop_instance),
        source="TEST",
    ).is_new


def select_text_of(record: Record, keyword: str) -> str:
    return text(record, tag_of(keyword))


def ask(level: Level, **keys: Any) -> Query:
    identifier = Dataset()
    for keyword, value in keys.items():
        setattr(identifier, keyword, value)
    return Query.of(identifier, KNOWN_KEYS[level], MatchingRules())


def count(archive: Archive, level: Level = Level.STUDY, **keys: Any) -> int:
    return len(archive.index.find(level, ask(level, **keys)))


@pytest.mark.parametrize("syntax", [EXPLICIT_VR_LE, IMPLICIT_VR_LE, DEFLATED_EXPLICIT_VR_LE])
def test_the_data_set_is_kept_byte_for_byte_in_a_file_that_others_can_read(archive: Archive, syntax: str) -> None:
    sample = SAMPLES[4]
    assert keep(archive, sample, syntax)
    stored = archive.index.instance(sample.sop_instance)
    assert stored is not None
    assert archive.data_set(stored) == encode_dataset(sample.dataset, syntax)
    read = pydicom.dcmread(stored.path)
    assert read.PixelData == sample.dataset.PixelData
    assert read.file_meta.TransferSyntaxUID == syntax
    assert read.file_meta.SourceApplicationEntityTitle == "TEST"


def test_the_same_instance_is_kept_once(archive: Archive) -> None:
    assert keep(archive, SAMPLES[0])
    assert not keep(archive, SAMPLES[0])
    assert archive.index.counts()["instance"] == 1


@pytest.mark.parametrize(
    ("changed", "status"), [({"sop_instance": "1.2.3"}, 0xA900), ({"sop_class": objects.SOP_CLASSES["MR"]}, 0xA900)]
)
def test_a_data_set_that_is_not_what_the_command_says_is_refused(
    archive: Archive, changed: dict[str, str], status: int
) -> None:
    with pytest.raises(Unacceptable) as refused:
        keep(archive, SAMPLES[0], **changed)
    assert refused.value.status == status


@pytest.mark.parametrize("body", [b"", b"\x08\x00", b"\xff" * 64, b"\x08\x00\x05\x00CS\xff\xff" + b"A" * 20])
def test_hostile_bytes_are_refused_and_raise_nothing_else(archive: Archive, body: bytes) -> None:
    for syntax in (EXPLICIT_VR_LE, IMPLICIT_VR_LE, DEFLATED_EXPLICIT_VR_LE):
        with pytest.raises(Unacceptable):
            archive.store(Blob.of(body), transfer_syntax=syntax, sop_class="1.2", sop_instance="1.3")


def test_a_uid_cannot_leave_the_directory(tmp_path: Path) -> None:
    archive = Archive(tmp_path / "archive")
    evil = "../../../../evil"
    record = record_from_mapping(
        {"SOPClassUID": "1.2", "SOPInstanceUID": evil, "StudyInstanceUID": "..", "SeriesInstanceUID": "/etc"}
    )
    archive.store(
        Blob.of(encode(record, implicit=True)), transfer_syntax=IMPLICIT_VR_LE, sop_class="1.2", sop_instance=evil
    )
    archive.close()
    (stored,) = tmp_path.rglob("*.dcm")
    assert stored.resolve().is_relative_to((tmp_path / "archive" / "objects").resolve())


def test_withdrawn_instances_are_neither_found_nor_counted(archive: Archive) -> None:
    for sample in SAMPLES[:4]:
        keep(archive, sample)
    study = str(SAMPLES[0].dataset.StudyInstanceUID)
    assert archive.index.hide([SAMPLES[3].sop_instance, "1.2.3"]) == 1
    (found,) = archive.index.find(Level.STUDY, ask(Level.STUDY, StudyInstanceUID=study))
    assert select_text_of(found, "NumberOfStudyRelatedInstances") == "3"
    assert select_text_of(found, "NumberOfStudyRelatedSeries") == "1"
    archive.index.hide([sample.sop_instance for sample in SAMPLES[:3]])
    assert count(archive) == 0
    assert archive.index.instance(SAMPLES[0].sop_instance) is None


def test_an_update_changes_answers_and_retrieved_objects_and_nothing_else(archive: Archive) -> None:
    for sample in SAMPLES[:4]:
        keep(archive, sample)
    assert archive.index.update_patient("P-1001", "", {"PatientName": "New^Name"})
    assert count(archive, PatientName="New*") == 1
    assert count(archive, PatientName="Adams*") == 0
    stored = archive.index.instance(SAMPLES[0].sop_instance)
    assert stored is not None
    before = SAMPLES[0].dataset
    after = read_dataset(io.BytesIO(archive.data_set(stored)), False, True)
    changed = [element.keyword for element in before if after[element.tag].value != element.value]
    assert changed == ["PatientName"]
    assert not archive.index.update_patient("NOBODY", "", {"PatientName": "X"})


def test_after_a_merge_the_retired_id_leads_nowhere_and_late_images_join_the_survivor(archive: Archive) -> None:
    for sample in SAMPLES[:6]:
        keep(archive, sample)
    keep(archive, SAMPLES[6])
    assert archive.index.merge_patients(("P-1001", ""), ("P-1002", ""), {})
    assert count(archive, PatientID="P-1001") == 0
    assert count(archive, PatientID="P-1002") == 3
    late = objects.make([objects.StudyPlan(objects.SUBJECTS[0])], objects.uid_source(9))[0]
    keep(archive, late)
    assert count(archive, PatientID="P-1001") == 0
    assert count(archive, PatientID="P-1002") == 4
    assert not archive.index.merge_patients(("NOBODY", ""), ("P-1002", ""), {})


def test_an_update_and_a_merge_before_the_first_image_are_kept_for_it(archive: Archive) -> None:
    assert not archive.index.update_patient("P-1001", "IHE", {"PatientName": "New^Name", "PatientSex": ""})
    assert archive.index.find(Level.PATIENT, ask(Level.PATIENT, PatientID="P-1001")) == []
    keep(archive, SAMPLES[0])
    (found,) = archive.index.find(Level.STUDY, ask(Level.STUDY, PatientID="P-1001"))
    assert select_text_of(found, "PatientName") == "New^Name"
    assert select_text_of(found, "PatientSex") == str(SAMPLES[0].dataset.PatientSex) != ""
    stored = archive.index.instance(SAMPLES[0].sop_instance)
    assert stored is not None
    assert read_dataset(io.BytesIO(archive.data_set(stored)), False, True).PatientName == "New^Name"

    temporary, real = ("P-1002", "IHE"), ("P-9", "IHE")
    assert not archive.index.merge_patients(temporary, real, {"PatientName": "Real^Name"})
    late = objects.make([objects.StudyPlan(objects.SUBJECTS[1])], objects.uid_source(9))[0]
    assert str(late.dataset.PatientID) == "P-1002"
    keep(archive, late)
    assert count(archive, PatientID="P-1002") == 0
    assert count(archive, PatientID="P-9", PatientName="Real*") == 1
    assert not archive.index.update_patient(*temporary, {"PatientName": "Zombie"})
    assert count(archive, PatientName="Zombie*") == 0


def test_a_survivor_that_was_itself_merged_leads_on_and_a_merge_can_be_taken_back(archive: Archive) -> None:
    one, two, three = (("P-1001", ""), ("P-1002", ""), ("P-3", ""))
    for sample in SAMPLES[:7]:
        keep(archive, sample)
    assert archive.index.merge_patients(one, two, {})
    assert not archive.index.merge_patients(three, one, {})
    assert count(archive, PatientID="P-1002") == 3
    assert archive.index.merge_patients(two, one, {"PatientName": "Back^Again"})
    assert count(archive, PatientID="P-1001", PatientName="Back*") == 3
    assert count(archive, PatientID="P-1002") == 0


def filled(studies: int, per_study: int) -> ArchiveIndex:
    index = ArchiveIndex()
    for study in range(studies):
        for number in range(per_study):
            record = record_from_mapping(
                {
                    "PatientName": f"Doe{study % (studies // 50)}^N",
                    "PatientID": f"P{study}",
                    "StudyInstanceUID": f"1.{study}",
                    "SeriesInstanceUID": f"1.{study}.1",
                    "SOPInstanceUID": f"1.{study}.1.{number}",
                    "Modality": "CT",
                }
            )
            index.add(record, sop_class="1.2", transfer_syntax=IMPLICIT_VR_LE, path=Path("x"))
    return index


@pytest.mark.slow
def test_the_time_of_a_study_query_does_not_grow_with_the_archive() -> None:
    seconds = []
    for studies in (100, 1000):
        index = filled(studies, 2)
        query = ask(Level.STUDY, PatientName="doe0^*", StudyInstanceUID="")
        best = min(_timed(index, query) for _ in range(5))
        seconds.append(best)
        index.close()
    assert seconds[1] < 3 * seconds[0] + 0.005, seconds


def _timed(index: ArchiveIndex, query: Query) -> float:
    started = time.perf_counter()
    assert len(index.find(Level.STUDY, query)) == 50
    return time.perf_counter() - started


def test_file_meta_has_a_right_group_length() -> None:
    meta = file_meta("1.2", "1.3", EXPLICIT_VR_LE, "AE")
    assert int.from_bytes(meta[140:144], "little") == len(meta) - 144
