"""Studies, series and instances: rows whose counters always equal what they count."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydicom.dataset import Dataset

from harness.modality.elements import text
from harness.modality.store.database import Database


def moment(date: str, time: str = "") -> str | None:
    """Turn DA and TM values into an ISO text as SQLite has it; None if there is no usable date."""
    digits = date.replace("-", "").replace(".", "")
    if len(digits) != 8 or not digits.isdigit():
        return None
    clock = (time + "000000")[:6]
    made = f"{digits[:4]}-{digits[4:6]}-{digits[6:]}"
    return f"{made} {clock[:2]}:{clock[2:4]}:{clock[4:]}" if time else made


class Archive:
    """The three published tables, and per instance what became of it."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def add(
        self, dataset: Dataset, path: Path, size: int, *, now: str, exam: int | None, origin: str, syntax: str
    ) -> int:
        """Insert or replace one instance with its study and series; return its key."""
        with self._db.transaction():
            study = self._study(dataset, now)
            series = self._series(dataset, study, now)
            self._db.run(
                "INSERT INTO Instance (study_key, series_key, sop_instance_uid, sop_class_id, instance_size, "
                "instance_no, "
                "windowing_center, windowing_width, path_name, file_name, content_dttm, created_dttm) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (sop_instance_uid) DO UPDATE SET "
                "instance_size = excluded.instance_size, instance_no = excluded.instance_no, deleted_dttm = NULL, "
                "path_name = excluded.path_name, file_name = excluded.file_name",
                study, series, text(dataset, "SOPInstanceUID"), text(dataset, "SOPClassUID"), size,
                _integer(dataset.get("InstanceNumber")), _integer(dataset.get("WindowCenter")),
                _integer(dataset.get("WindowWidth")), str(path.parent), path.name,
                moment(text(dataset, "ContentDate"), text(dataset, "ContentTime")), now,
            )  # fmt: skip
            self._db.run(
                "INSERT INTO Delivery (sop_instance_uid, exam_key, origin, transfer_syntax) VALUES (?, ?, ?, ?) "
                "ON CONFLICT (sop_instance_uid) DO UPDATE SET transfer_syntax = excluded.transfer_syntax",
                text(dataset, "SOPInstanceUID"), exam, origin, syntax,
            )  # fmt: skip
            self.recount(study, now)
            return int(
                self._db.scalar(
                    "SELECT instance_key FROM Instance WHERE sop_instance_uid = ?", text(dataset, "SOPInstanceUID")
                )
            )

    def _study(self, ds: Dataset, now: str) -> int:
        uid = text(ds, "StudyInstanceUID")
        self._db.run(
            "INSERT INTO Study (study_instance_uid, patient_id, patient_name, patient_sex, patient_birth_dttm, "
            "patient_age, "
            "patient_size, patient_weight, study_id, study_dttm, study_desc, accession_no, created_dttm, updated_dttm) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "
            "ON CONFLICT (study_instance_uid) DO UPDATE SET deleted_dttm = NULL",
            uid, text(ds, "PatientID"), text(ds, "PatientName"), text(ds, "PatientSex"),
            moment(text(ds, "PatientBirthDate")), text(ds, "PatientAge"),
            text(ds, "PatientSize"), text(ds, "PatientWeight"),
            text(ds, "StudyID"), moment(text(ds, "StudyDate"), text(ds, "StudyTime")), text(ds, "StudyDescription"),
            text(ds, "AccessionNumber"), now, now,
        )  # fmt: skip
        return int(self._db.scalar("SELECT study_key FROM Study WHERE study_instance_uid = ?", uid))

    def _series(self, ds: Dataset, study: int, now: str) -> int:
        uid = text(ds, "SeriesInstanceUID")
        self._db.run(
            "INSERT INTO Series (study_key, series_instance_uid, modality, series_no, series_dttm, series_desc, "
            "bodypart, "
            "created_dttm) VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (series_instance_uid) DO UPDATE SET "
            "deleted_dttm = NULL",
            study, uid, text(ds, "Modality"), _integer(ds.get("SeriesNumber")),
            moment(text(ds, "SeriesDate"), text(ds, "SeriesTime")), text(ds, "SeriesDescription"),
            text(ds, "BodyPartExamined"), now,
        )  # fmt: skip
        return int(self._db.scalar("SELECT series_key FROM Series WHERE series_instance_uid = ?", uid))

    def recount(self, study: int, now: str) -> None:
        """Set the counters of a study and its series from the rows, and retire series without instances."""
        live = "FROM Instance i WHERE i.series_key = Series.series_key AND i.deleted_dttm IS NULL"
        with self._db.transaction():
            self._db.run(
                f"UPDATE Series SET instance_count = (SELECT count(*) {live}), "
                f"series_size = (SELECT coalesce(sum(instance_size), 0) {live}) WHERE study_key = ?",
                study,
            )
            self._db.run("UPDATE Series SET deleted_dttm = ? WHERE study_key = ? AND instance_count = 0", now, study)
            kinds = self._db.rows(
                "SELECT DISTINCT modality FROM Series WHERE study_key = ? AND deleted_dttm IS NULL ORDER BY modality",
                study,
            )
            self._db.run(
                "UPDATE Study SET updated_dttm = ?, modalities = ?, "
                "series_count = (SELECT count(*) FROM Series s WHERE s.study_key = Study.study_key AND deleted_dttm "
                "IS NULL), "
                "instance_count = (SELECT count(*) FROM Instance i WHERE i.study_key = Study.study_key "
                "AND deleted_dttm IS NULL), study_size = (SELECT coalesce(sum(instance_size), 0) FROM Instance i "
                "WHERE i.study_key = Study.study_key AND deleted_dttm IS NULL) WHERE study_key = ?",
                now, "\\".join(row["modality"] or "" for row in kinds)[:8], study,
            )  # fmt: skip

    def remove_instance(self, sop_instance_uid: str, now: str) -> None:
        """Mark one instance as deleted."""
        with self._db.transaction():
            self._db.run("UPDATE Instance SET deleted_dttm = ? WHERE sop_instance_uid = ?", now, sop_instance_uid)
            study = self._db.scalar("SELECT study_key FROM Instance WHERE sop_instance_uid = ?", sop_instance_uid)
            if study is not None:
                self.recount(int(study), now)

    def remove_study(self, study: int, now: str) -> None:
        """Mark a study and all in it as deleted; the files stay until they are purged."""
        with self._db.transaction():
            self._db.run(
                "UPDATE Instance SET deleted_dttm = ? WHERE study_key = ? AND deleted_dttm IS NULL", now, study
            )
            self.recount(study, now)
            self._db.run("UPDATE Study SET deleted_dttm = ? WHERE study_key = ?", now, study)

    def instances(self, study_uid: str) -> list[dict[str, Any]]:
        """Return the live instances of a study with their delivery, in the order of series and instance number."""
        return self._db.rows(
            "SELECT i.*, s.series_instance_uid, s.modality, s.series_no, t.study_instance_uid, d.exam_key, d.origin, "
            "d.transfer_syntax, d.stored_dttm, d.stored_status, d.committed_dttm, d.failure_reason "
            "FROM Instance i JOIN Series s USING (series_key) JOIN Study t ON t.study_key = i.study_key "
            "JOIN Delivery d USING (sop_instance_uid) "
            "WHERE t.study_instance_uid = ? AND i.deleted_dttm IS NULL ORDER BY s.series_no, i.instance_no, "
            "i.instance_key",
            study_uid,
        )


def _integer(value: Any) -> int | None:
    if value is None or value == "":
        return None
    if isinstance(value, (list, tuple)) or (hasattr(value, "__iter__") and not isinstance(value, str)):
        value = next(iter(value), None)
    try:
        return round(float(value)) if value is not None else None
    except (TypeError, ValueError):
        return None
