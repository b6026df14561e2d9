"""The database: the published columns, migrations, counters, the owner's lock, damage told in words."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydicom.dataset import Dataset

from harness.modality.elements import item
from harness.modality.errors import StoreProblem
from harness.modality.store import schema
from harness.modality.store.archive import Archive
from harness.modality.store.database import Database

STUDY = (
    "study_key study_instance_uid study_size patient_id patient_name patient_sex patient_birth_dttm patient_age "
    "patient_size patient_weight study_id study_dttm study_desc accession_no modalities series_count instance_count "
    "created_dttm updated_dttm deleted_dttm"
)
SERIES = (
    "series_key study_key series_instance_uid series_size modality series_no series_dttm series_desc bodypart "
    "instance_count created_dttm deleted_dttm"
)
INSTANCE = (
    "instance_key study_key series_key sop_instance_uid sop_class_id instance_size instance_no windowing_center "
    "windowing_width path_name file_name content_dttm created_dttm deleted_dttm"
)


def thing(study: int, series: int, number: int) -> Dataset:
    return item(
        StudyInstanceUID=f"1.{study}", SeriesInstanceUID=f"1.{study}.{series}", Modality="DX",
        SOPInstanceUID=f"1.{study}.{series}.{number}", SOPClassUID="1.2.5", InstanceNumber=number, PatientID="P",
    )  # fmt: skip


def add(archive: Archive, study: int, series: int, number: int) -> None:
    path = Path(f"objects/1.{study}/{series}.{number}")
    archive.add(
        thing(study, series, number), path, 100 + number, now="2026", exam=None, origin="acquired", syntax="1.2"
    )


@pytest.mark.parametrize(("table", "columns"), [("Study", STUDY), ("Series", SERIES), ("Instance", INSTANCE)])
def test_published_columns_exactly(tmp_path: Path, table: str, columns: str) -> None:
    with Database(tmp_path / "m.sqlite") as database:
        assert [row["name"] for row in database.rows(f"PRAGMA table_info({table})")] == columns.split()
        names = {row["name"] for row in database.rows(f"PRAGMA index_list({table})")}
    assert f"sqlite_autoindex_{table}_1" in names


def test_bare_published_schema_is_migrated_with_its_rows(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "m.sqlite") as bare:
        bare.executescript(schema.BASE)
        bare.execute("INSERT INTO Study (study_instance_uid) VALUES ('1.1')")
        bare.execute("INSERT INTO Series (study_key, series_instance_uid) VALUES (1, '1.1.1')")
        bare.execute("INSERT INTO Instance (study_key, series_key, sop_instance_uid) VALUES (1, 1, '1.1.1.1')")
    bare.close()
    with Database(tmp_path / "m.sqlite") as database:
        assert database.version == len(schema.MIGRATIONS)
        assert len(Archive(database).instances("1.1")) == 1
    with Database(tmp_path / "m.sqlite") as again:
        assert again.scalar("SELECT count(*) FROM Delivery") == 1


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.tuples(st.sampled_from("aadrs"), st.integers(1, 2), st.integers(1, 3), st.integers(1, 3)), max_size=30)
)
def test_counters_equal_the_rows(tmp_path: Path, deeds: list[tuple[str, int, int, int]]) -> None:
    (tmp_path / "m.sqlite").unlink(missing_ok=True)
    with Database(tmp_path / "m.sqlite") as database:
        archive = Archive(database)
        for deed, study, series, number in deeds:
            if deed == "a":
                add(archive, study, series, number)
            elif deed == "d":
                archive.remove_instance(f"1.{study}.{series}.{number}", "2026")
            elif deed == "s":
                key = database.scalar("SELECT study_key FROM Study WHERE study_instance_uid = ?", f"1.{study}")
                if key:
                    archive.remove_study(key, "2026")
        assert database.check() == []


def test_wrong_counter_is_found(tmp_path: Path) -> None:
    with Database(tmp_path / "m.sqlite") as database:
        add(Archive(database), 1, 1, 1)
        database.run("UPDATE Study SET instance_count = 7")
        assert database.check() == ["study 1: counters say (1, 7, 101), rows say (1, 1, 101)"]


def test_transaction_is_undone_as_a_whole(tmp_path: Path) -> None:
    with Database(tmp_path / "m.sqlite") as database:

        def half() -> None:
            with database.transaction():
                add(Archive(database), 1, 1, 1)
                raise RuntimeError("stop")

        with pytest.raises(RuntimeError, match="stop"):
            half()
        assert database.scalar("SELECT count(*) FROM Study") == 0


def test_second_owner_is_refused(tmp_path: Path) -> None:
    with Database(tmp_path / "m.sqlite"), pytest.raises(StoreProblem, match="in use by another modality"):
        Database(tmp_path / "m.sqlite")


def test_damage_is_told_in_words(tmp_path: Path) -> None:
    (tmp_path / "m.sqlite").write_bytes(b"this is not a database at all" * 100)
    with pytest.raises(StoreProblem, match="damaged"):
        Database(tmp_path / "m.sqlite")


def test_full_disk_is_told_in_words_and_loses_nothing(tmp_path: Path) -> None:
    with Database(tmp_path / "m.sqlite") as database:
        add(Archive(database), 1, 1, 1)
        pages = database.scalar("PRAGMA page_count")
        database.rows(f"PRAGMA max_page_count = {pages}")
        with pytest.raises(StoreProblem, match="disk is full"):
            database.log("2026", 1, "x", "y" * 1_000_000)
        assert database.check() == []
        assert database.scalar("SELECT instance_count FROM Study") == 1


def test_newer_database_is_refused(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "m.sqlite") as newer:
        newer.execute("PRAGMA user_version = 99")
    newer.close()
    with pytest.raises(StoreProblem, match="newer version"):
        Database(tmp_path / "m.sqlite")
