"""The Studies tab: search, look into, change, delete, and what files hold."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

from pydicom.dataset import Dataset

from harness.modality import compression, wire
from harness.modality.domain import Exam
from harness.modality.elements import put, texts
from harness.modality.errors import NotFound, Refused, StoreProblem
from harness.modality.services.kernel import Kernel
from harness.modality.services.registration import judge_patient

_LIKE = {
    "patient_id": "patient_id",
    "patient_name": "patient_name",
    "study_id": "study_id",
    "description": "study_desc",
}


class Studies:
    """What we hold."""

    def __init__(self, kernel: Kernel) -> None:
        self._k = kernel

    def studies(
        self,
        patient_id: str = "",
        patient_name: str = "",
        study_id: str = "",
        description: str = "",
        accession_number: str = "",
        modality: str = "ALL",
        date_from: str = "",
        date_to: str = "",
    ) -> list[dict[str, Any]]:
        """Search the studies; texts match anywhere, dates are YYYYMMDD or YYYY-MM-DD and inclusive."""
        where, values = ["deleted_dttm IS NULL"], []
        given = {
            "patient_id": patient_id,
            "patient_name": patient_name,
            "study_id": study_id,
            "description": description,
        }
        for name, value in given.items():
            if value:
                where.append(f"{_LIKE[name]} LIKE ? ESCAPE '!'")
                values.append("%" + re.sub(r"([%_!])", r"!\1", value) + "%")
        if accession_number:
            where.append("accession_no = ?")
            values.append(accession_number)
        if modality not in {"", "ALL"}:
            where.append("EXISTS (SELECT 1 FROM Series s WHERE s.study_key = Study.study_key AND s.modality = ?)")
            values.append(modality)
        for sign, date in ((">=", date_from), ("<=", date_to)):
            if date:
                digits = date.replace("-", "")
                if not re.fullmatch(r"\d{8}", digits):
                    raise Refused(f"{date!r} is not a date: YYYYMMDD")
                where.append(f"date(study_dttm) {sign} ?")
                values.append(f"{digits[:4]}-{digits[4:6]}-{digits[6:]}")
        rows = self._k.database.rows(
            f"SELECT * FROM Study WHERE {' AND '.join(where)} ORDER BY study_dttm DESC, study_key DESC", *values
        )
        return [{**row, **self._delivery(row["study_instance_uid"])} for row in rows]

    def _delivery(self, study_uid: str) -> dict[str, Any]:
        rows = self._k.archive.instances(study_uid)
        return {
            "stored": sum(row["stored_dttm"] is not None for row in rows),
            "committed": sum(row["committed_dttm"] is not None for row in rows),
            "failed": sum(row["failure_reason"] is not None for row in rows),
        }

    def _study(self, study: str) -> dict[str, Any]:
        found = self._k.database.row("SELECT * FROM Study WHERE study_instance_uid = ? AND deleted_dttm IS NULL", study)
        if found is None:
            raise NotFound(f"there is no study {study}")
        return found

    def series(self, study: str) -> list[dict[str, Any]]:
        """List the series of a study."""
        key = self._study(study)["study_key"]
        return self._k.database.rows(
            "SELECT * FROM Series WHERE study_key = ? AND deleted_dttm IS NULL ORDER BY series_no, series_key", key
        )

    def instances(self, study: str) -> list[dict[str, Any]]:
        """List the objects of a study with what became of them."""
        self._study(study)
        return self._k.archive.instances(study)

    def related(self, study: str) -> list[dict[str, Any]]:
        """List the other studies of the same patient."""
        found = self._study(study)
        return self._k.database.rows(
            "SELECT * FROM Study WHERE patient_id = ? AND patient_id <> '' AND study_key <> ? AND deleted_dttm IS NULL "
            "ORDER BY study_dttm DESC",
            found["patient_id"], found["study_key"],
        )  # fmt: skip

    def study_modify(
        self,
        study: str,
        patient_name: str | None = None,
        patient_id: str | None = None,
        birth_date: str | None = None,
        sex: str | None = None,
        study_description: str | None = None,
    ) -> dict[str, Any]:
        """Correct an unscheduled study that has not been sent; anything else is corrected where it came from."""
        found = self._study(study)
        exams = self._k.exams_of(study)
        if any(exam.steps for exam in exams) or not exams:
            raise Refused("this study was scheduled or retrieved; have it corrected where it came from")
        if any(row["stored_dttm"] for row in self._k.archive.instances(study)):
            raise Refused("this study has been sent; have it corrected in the archive")
        patient = exams[0].patient
        patient = replace(
            patient,
            name=patient.name if patient_name is None else patient_name,
            id=patient.id if patient_id is None else patient_id,
            birth_date=patient.birth_date if birth_date is None else birth_date.replace("-", ""),
            sex=patient.sex if sex is None else sex,
        )
        judge_patient(patient, {} if study_description is None else {"study_description": study_description})
        changes = {
            "PatientName": patient_name,
            "PatientID": patient_id,
            "PatientBirthDate": birth_date.replace("-", "") if birth_date is not None else None,
            "PatientSex": sex,
            "StudyDescription": study_description,
        }
        given = {keyword: value for keyword, value in changes.items() if value is not None}
        with self._k.database.transaction():
            self._change_files(study, given)
            self._change_rows(found["study_key"], exams, given)
        self._k.log(2, "study-modified", f"study {study}: {', '.join(given)} changed by hand", changes=given)
        return self._study(study)

    def _change_files(self, study: str, given: dict[str, str]) -> None:
        # Everything is encoded before anything is written, and a disk that is full in between gets the old files back.
        changed: list[tuple[Path, Dataset, str, bytes]] = []
        usual = self._k.settings.environment.character_set
        for row in self._k.archive.instances(study):
            path = self._k.home / row["path_name"] / row["file_name"]
            dataset, syntax = wire.read_file(path)
            put(dataset, **given)
            sets = self._k.behaviour.character_set(texts(dataset), wire.sets_of(dataset), usual)
            put(dataset, SpecificCharacterSet=sets) if sets else dataset.pop("SpecificCharacterSet", None)
            wire.encode_dataset(dataset, syntax)
            changed.append((path, dataset, syntax, path.read_bytes()))
        done: list[tuple[Path, bytes]] = []
        try:
            for path, dataset, syntax, before in changed:
                done.append((path, before))
                wire.write_file(path, dataset, syntax)
        except OSError as error:
            for path, before in done:
                path.write_bytes(before)
            raise StoreProblem(f"{self._k.home}: {error.strerror or error}; nothing was changed, free space") from error

    def _change_rows(self, key: int, exams: list[Exam], given: dict[str, str]) -> None:
        columns = {"PatientName": "patient_name", "PatientID": "patient_id", "PatientSex": "patient_sex"}
        columns["StudyDescription"] = "study_desc"
        for keyword, column in columns.items():
            if keyword in given:
                self._k.database.run(f"UPDATE Study SET {column} = ? WHERE study_key = ?", given[keyword], key)
        birth = given.get("PatientBirthDate")
        if birth is not None:
            iso = f"{birth[:4]}-{birth[4:6]}-{birth[6:]}" if birth else None
            self._k.database.run("UPDATE Study SET patient_birth_dttm = ? WHERE study_key = ?", iso, key)
        self._k.database.run("UPDATE Study SET updated_dttm = ? WHERE study_key = ?", self._k.now(), key)
        for exam in exams:
            patient = replace(
                exam.patient,
                name=given.get("PatientName", exam.patient.name),
                id=given.get("PatientID", exam.patient.id),
                birth_date=given.get("PatientBirthDate", exam.patient.birth_date),
                sex=given.get("PatientSex", exam.patient.sex),
            )
            described = given.get("StudyDescription", exam.study_description)
            self._k.save(replace(exam, patient=patient, study_description=described))

    def delete(self, study: str) -> dict[str, Any]:
        """Delete a study; refused as long as the archive has not committed to each object that was made here."""
        found = self._study(study)
        rows = self._k.archive.instances(study)
        pending = [row for row in rows if row["origin"] == "acquired" and not row["committed_dttm"]]
        refusal = self._k.behaviour.deletion_refusal(len(pending))
        if refusal:
            raise Refused(f"study {study} is not deleted: {refusal}")
        self._k.archive.remove_study(found["study_key"], self._k.now())
        self._k.log(2, "study-deleted", f"study {study} deleted")
        return {"deleted": study, "objects": len(rows)}

    def purge(self) -> dict[str, Any]:
        """Remove the files of deleted objects from the disk."""
        count = 0
        for row in self._k.database.rows("SELECT path_name, file_name FROM Instance WHERE deleted_dttm IS NOT NULL"):
            path = self._k.home / row["path_name"] / row["file_name"]
            if path.is_file():
                path.unlink()
                count += 1
        return {"files": count}

    # -- what files hold ---------------------------------------------------------------------------------------

    def file_of(self, instance: str) -> Path:
        """Return the file of an object; raises NotFound."""
        row = self._k.database.row(
            "SELECT path_name, file_name FROM Instance WHERE sop_instance_uid = ? AND deleted_dttm IS NULL", instance
        )
        if row is None:
            raise NotFound(f"there is no object {instance}")
        return Path(self._k.home / row["path_name"] / row["file_name"])

    def dump(self, instance: str) -> dict[str, Any]:
        """Write an object as text, one line for each element, always in the same order."""
        dataset, syntax = wire.read_file(self.file_of(instance))
        return {"instance": instance, "transfer_syntax": syntax, "text": "\n".join(dump_lines(dataset)) + "\n"}

    def compress_report(self, instance: str) -> list[dict[str, Any]]:
        """Compare the size of an object in all transfer syntaxes that we write."""
        dataset, syntax = wire.read_file(self.file_of(instance))
        return compression.report(compression.decompress(dataset, syntax))


def dump_lines(dataset: Dataset, indent: int = 0) -> list[str]:
    """Write a data set as lines of tag, VR, value and keyword; long and binary values are summed up."""
    lines = []
    for element in dataset:
        head = f"{'  ' * indent}({element.tag.group:04x},{element.tag.element:04x}) {element.VR}"
        if element.VR == "SQ":
            lines.append(f"{head} {len(element.value or ())} item(s) # {element.keyword}")
            for nested in element.value or ():
                lines += dump_lines(nested, indent + 1)
            continue
        value = element.value
        if isinstance(value, (bytes, bytearray)):
            shown = f"{len(value)} bytes"
        elif value is None:
            shown = ""
        elif not isinstance(value, str) and hasattr(value, "__len__") and element.VM > 1:
            shown = "\\".join(str(each) for each in value)
        else:
            shown = str(value)
        shown = shown.replace("\r", "\\r").replace("\n", "\\n")
        lines.append(f"{head} [{shown if len(shown) <= 128 else shown[:125] + '...'}] # {element.keyword or 'private'}")
    return lines
