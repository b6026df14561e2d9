"""The index of a simulated archive: patients, studies, series and instances in SQLite.

Counts are kept with the study and series, so that the cost of a study query does not depend on how many instances
the archive holds. SQL only narrows; what matches is decided by the compiled keys (PS3.4 C.2.2.2).
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.actors import records
from harness.actors.archive_keys import Level
from harness.actors.archive_schema import SCHEMA, Transaction
from harness.actors.archive_search import UP_FROM_SERIES, asks_classes, compose, dump, folded, load, narrowed
from harness.actors.matching import Query
from harness.actors.records import Record, tag_of, text

_ENTER = "INSERT OR IGNORE INTO instance (series, uid, sop_class, transfer_syntax, path, record) VALUES (?,?,?,?,?,?)"
_AT_ONCE = 16
_PLACES_KNOWN = 4096
_STUDY, _SERIES, _INSTANCE = (tag_of(name) for name in ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID"))


@dataclass(frozen=True, slots=True)
class StoredInstance:
    """One instance of the archive: where its Part 10 file lies and what it is."""

    sop_class: str
    sop_instance: str
    transfer_syntax: str
    path: Path
    #: demographics that a patient update replaced since it was stored; empty if nothing has to be changed
    revised: Record


class ArchiveIndex:
    """What the archive holds, by level. Thread-safe; ``path`` None keeps it in memory."""

    def __init__(self, path: Path | None = None) -> None:
        self._lock = threading.RLock()
        self._db = sqlite3.connect(str(path) if path else ":memory:", check_same_thread=False, isolation_level=None)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=OFF")  # it has to survive this process, not the machine
        self._db.executescript(SCHEMA)
        self._places: dict[tuple[str, str], tuple[int, int]] = {}  # study and series by their UIDs; neither ever goes
        self._uncounted: dict[tuple[int, int], int] = {}
        self._entered = 0
        self._closed = False

    def close(self) -> None:
        """Close the database; nothing may be asked afterwards."""
        with self._lock:
            if not self._closed:
                self._closed = True
                self._settle()
                self._db.close()

    # -- writing -------------------------------------------------------------------------------------------

    def add(self, record: Record, *, sop_class: str, transfer_syntax: str, path: Path) -> bool:
        """Enter one instance; False if its SOP Instance UID is there already, and nothing is changed.

        Entries are committed, and counted in their series and study, some at a time and before anybody asks.
        """
        values = (text(record, _INSTANCE), sop_class, transfer_syntax, str(path), dump(record, Level.IMAGE))
        key = text(record, _STUDY), text(record, _SERIES)
        with self._lock:
            place = self._places.get(key)
            if place is None:
                with self._transaction():
                    if self._one("SELECT 1 FROM instance WHERE uid = ?", values[0]):
                        return False
                    study = self._study(record)
                    place = study, self._series(study, record)
                    self._db.execute(_ENTER, (place[1], *values))
                if len(self._places) >= _PLACES_KNOWN:
                    self._places.clear()
                self._places[key] = place
            else:
                if not self._db.in_transaction:
                    self._db.execute("BEGIN IMMEDIATE")
                if not self._db.execute(_ENTER, (place[1], *values)).rowcount:
                    return False
            self._uncounted[place] = self._uncounted.get(place, 0) + 1
            self._entered += 1
            if self._entered >= _AT_ONCE:
                self._settle()
            return True

    def _settle(self) -> None:
        """Count and commit what was entered since (called with the lock held)."""
        if self._uncounted:
            if not self._db.in_transaction:
                self._db.execute("BEGIN IMMEDIATE")
            for (study, series), count in self._uncounted.items():
                self._db.execute("UPDATE series SET n_instances = n_instances + ? WHERE pk = ?", (count, series))
                self._db.execute("UPDATE study SET n_instances = n_instances + ? WHERE pk = ?", (count, study))
            self._uncounted.clear()
            self._entered = 0
        if self._db.in_transaction:
            self._db.execute("COMMIT")

    def _study(self, record: Record) -> int:
        uid = text(record, tag_of("StudyInstanceUID"))
        found = self._one("SELECT pk FROM study WHERE uid = ?", uid)
        if found:
            return int(found[0])
        cursor = self._db.execute(
            "INSERT INTO study (patient, uid, date, accession, study_id, modalities, record) VALUES (?,?,?,?,?,'',?)",
            (
                self._patient(record),
                uid,
                text(record, tag_of("StudyDate")).replace(".", ""),
                text(record, tag_of("AccessionNumber")),
                text(record, tag_of("StudyID")),
                dump(record, Level.STUDY),
            ),
        )
        return int(cursor.lastrowid or 0)

    def _patient(self, record: Record) -> int:
        key = (text(record, tag_of("PatientID")), text(record, tag_of("IssuerOfPatientID")))
        found = self._one("SELECT pk FROM patient WHERE patient_id = ? AND issuer = ?", *key) or self._one(
            # what still arrives under an ID that was merged away belongs to the survivor
            "SELECT patient FROM retired WHERE patient_id = ? AND (issuer = ? OR issuer = '' OR ? = '')",
            *key,
            key[1],
        )
        found = found or self._awaited(*key)
        if found:
            self._complete(int(found[0]), record)
            return int(found[0])
        return self._new_patient(record)

    def _new_patient(self, record: Record, *, revised: bool = False) -> int:
        cursor = self._db.execute(
            "INSERT INTO patient (patient_id, issuer, name1, name2, name3, revised, record) VALUES (?,?,?,?,?,?,?)",
            (
                text(record, tag_of("PatientID")),
                text(record, tag_of("IssuerOfPatientID")),
                *folded(text(record, tag_of("PatientName"))),
                int(revised),
                dump(record, Level.PATIENT),
            ),
        )
        return int(cursor.lastrowid or 0)

    def _awaited(self, patient_id: str, issuer: str) -> tuple[Any, ...] | None:
        """A patient told of before any image came; images seldom name the issuer that the message named."""
        if not patient_id:
            return None
        rows = self._db.execute(
            "SELECT pk FROM patient WHERE patient_id = ? AND (issuer = '' OR ? = '')"
            " AND NOT EXISTS (SELECT 1 FROM study WHERE study.patient = patient.pk)",
            (patient_id, issuer),
        ).fetchall()
        return rows[0] if len(rows) == 1 else None

    def _complete(self, patient: int, record: Record) -> None:
        """The first image of a patient told of before brings what the message did not say."""
        row = self._one(
            "SELECT record FROM patient WHERE pk = ?"
            " AND NOT EXISTS (SELECT 1 FROM study WHERE study.patient = patient.pk)",
            patient,
        )
        if row:
            told = {tag: value for tag, value in load(row[0]).items() if any(value)}
            self._db.execute(
                "UPDATE patient SET record = ? WHERE pk = ?", (dump(record | told, Level.PATIENT), patient)
            )

    def _series(self, study: int, record: Record) -> int:
        uid = text(record, tag_of("SeriesInstanceUID"))
        found = self._one("SELECT pk FROM series WHERE study = ? AND uid = ?", study, uid)
        if found:
            return int(found[0])
        modality = text(record, tag_of("Modality"))
        cursor = self._db.execute(
            "INSERT INTO series (study, uid, modality, record) VALUES (?,?,?,?)",
            (study, uid, modality, dump(record, Level.SERIES)),
        )
        self._db.execute("UPDATE study SET n_series = n_series + 1 WHERE pk = ?", (study,))
        self._note_modalities(study)
        return int(cursor.lastrowid or 0)

    def _note_modalities(self, study: int) -> None:
        rows = self._db.execute(
            "SELECT DISTINCT modality FROM series WHERE study = ? AND modality <> '' ORDER BY modality", (study,)
        )
        self._db.execute(
            "UPDATE study SET modalities = ? WHERE pk = ?", ("\\".join(str(row[0]) for row in rows), study)
        )

    def hide(self, sop_instances: Iterable[str]) -> int:
        """Withdraw instances from queries and retrieval; returns how many there were."""
        with self._lock, self._transaction():
            hidden = 0
            for uid in sop_instances:
                row = self._one(
                    "SELECT instance.pk, series.pk, series.study FROM instance JOIN series ON series.pk = series"
                    " WHERE instance.uid = ? AND NOT hidden",
                    uid,
                )
                if row:
                    hidden += 1
                    self._db.execute("UPDATE instance SET hidden = 1 WHERE pk = ?", (row[0],))
                    self._db.execute("UPDATE series SET n_instances = n_instances - 1 WHERE pk = ?", (row[1],))
                    left = self._one("SELECT n_instances FROM series WHERE pk = ?", row[1])
                    gone = 1 if left and left[0] == 0 else 0
                    self._db.execute(
                        "UPDATE study SET n_instances = n_instances - 1, n_series = n_series - ? WHERE pk = ?",
                        (gone, row[2]),
                    )
            return hidden

    def update_patient(self, patient_id: str, issuer: str, values: Mapping[str, Any]) -> bool:
        """Replace demographics (by keyword) of a patient, in every study of theirs.

        False if nobody has that ID yet: the values are kept for the images to come, except under a retired ID.
        """
        with self._lock, self._transaction():
            row = self._find_patient(patient_id, issuer)
            if row is None:
                if patient_id and not self._is_retired(patient_id, issuer):
                    known = {"PatientID": patient_id, "IssuerOfPatientID": issuer, **values}
                    self._new_patient(records.record_from_mapping(known), revised=True)
                return False
            record = load(row[1]) | records.record_from_mapping(values)
            if text(record, tag_of("PatientID")) != patient_id:
                self._retire((patient_id, issuer), int(row[0]))
            self._db.execute(
                "UPDATE patient SET patient_id = ?, issuer = ?, name1 = ?, name2 = ?, name3 = ?, record = ?,"
                " revised = 1 WHERE pk = ?",
                (
                    text(record, tag_of("PatientID")),
                    text(record, tag_of("IssuerOfPatientID")),
                    *folded(text(record, tag_of("PatientName"))),
                    dump(record, Level.PATIENT),
                    row[0],
                ),
            )
            return True

    def merge_patients(self, old: tuple[str, str], new: tuple[str, str], values: Mapping[str, Any]) -> bool:
        """Move every study of the old (ID, issuer) to the new one.

        False if nobody has the old ID yet: images that come under it later still join the survivor.
        """
        with self._lock, self._transaction():
            gone = self._find_patient(*old)
            survivor = self._find_patient(*new)
            if gone is not None and survivor is not None and survivor[0] == gone[0]:
                return True
            earlier = self._one("SELECT patient FROM retired WHERE patient_id = ? AND issuer = ?", *new)
            if survivor is not None:
                target = int(survivor[0])
            elif earlier is not None and (gone is None or earlier[0] != gone[0]):
                target = int(earlier[0])  # the survivor was itself merged into another before
            else:
                demographics = {**values, "PatientID": new[0], "IssuerOfPatientID": new[1]}
                before = load(gone[1]) if gone is not None else {}
                target = self._new_patient(before | records.record_from_mapping(demographics), revised=True)
            self._db.execute("UPDATE patient SET revised = 1 WHERE pk = ?", (target,))
            if gone is not None:
                self._db.execute("UPDATE study SET patient = ? WHERE patient = ?", (target, gone[0]))
                self._db.execute("UPDATE retired SET patient = ? WHERE patient = ?", (target, gone[0]))
                self._db.execute("DELETE FROM patient WHERE pk = ?", (gone[0],))
            if survivor is not None or earlier is None or (gone is not None and earlier[0] == gone[0]):
                self._db.execute("DELETE FROM retired WHERE patient_id = ? AND issuer = ?", new)
            self._retire(old, target)
            return gone is not None

    def _is_retired(self, patient_id: str, issuer: str) -> bool:
        return bool(self._one("SELECT 1 FROM retired WHERE patient_id = ? AND issuer = ?", patient_id, issuer))

    def _retire(self, key: tuple[str, str], patient: int) -> None:
        self._db.execute("INSERT OR REPLACE INTO retired (patient_id, issuer, patient) VALUES (?,?,?)", (*key, patient))

    def _find_patient(self, patient_id: str, issuer: str) -> tuple[Any, ...] | None:
        exact = self._one("SELECT pk, record FROM patient WHERE patient_id = ? AND issuer = ?", patient_id, issuer)
        # images seldom name the issuer; an issuer on one side only does not separate patients
        return exact or self._one(
            "SELECT pk, record FROM patient WHERE patient_id = ? AND (issuer = '' OR ? = '')", patient_id, issuer
        )

    # -- reading -------------------------------------------------------------------------------------------

    def find(self, level: Level, query: Query) -> list[Record]:
        """Every entity of the level that matches, as a record with the levels above it and the computed values."""
        statement, values = narrowed(level, query)
        with self._lock:
            self._settle()
            rows = self._db.execute(statement, values).fetchall()
            classes = self._classes(rows) if level is not Level.PATIENT and asks_classes(query) else {}
        found = []
        cache: dict[str, Record] = {}
        for row in rows:
            record = compose(level, row, cache)
            if classes:
                record[tag_of("SOPClassesInStudy")] = classes.get(int(row[0]), ())
            if query.matches(record):
                found.append(record)
        return found

    def _classes(self, rows: list[tuple[Any, ...]]) -> dict[int, tuple[str, ...]]:
        classes: dict[int, tuple[str, ...]] = {}
        for study in {int(row[0]) for row in rows}:
            found = self._db.execute(
                "SELECT DISTINCT sop_class FROM instance JOIN series ON series.pk = instance.series WHERE study = ?"
                " AND NOT hidden ORDER BY sop_class",
                (study,),
            )
            classes[study] = tuple(str(row[0]) for row in found)
        return classes

    def instances(self, unique_keys: Mapping[Level, tuple[str, ...]]) -> list[StoredInstance]:
        """The instances that a retrieve identifier names by unique keys (PS3.4 C.4.2.1.4), oldest first."""
        columns = {
            Level.PATIENT: "patient.patient_id",
            Level.STUDY: "study.uid",
            Level.SERIES: "series.uid",
            Level.IMAGE: "instance.uid",
        }
        where, values = ["NOT hidden"], list[str]()
        for level, wanted in unique_keys.items():
            where.append(f"{columns[level]} IN ({','.join('?' * len(wanted))})")
            values.extend(wanted)
        return self._stored(" AND ".join(where), values)

    def holds(self, sop_instance: str) -> bool:
        """Whether :meth:`instance` would find it."""
        with self._lock:
            return self._one("SELECT 1 FROM instance WHERE uid = ? AND NOT hidden", sop_instance) is not None

    def instance(self, sop_instance: str) -> StoredInstance | None:
        """The instance of that UID, or None if the archive has none or has withdrawn it."""
        return next(iter(self._stored("NOT hidden AND instance.uid = ?", [sop_instance])), None)

    def of_step(self, step_uid: str) -> list[StoredInstance]:
        """The instances whose series refer to that performed procedure step (0008,1111)."""
        needle = f'%"{step_uid}"%'
        return self._stored("NOT hidden AND series.record LIKE ?", [needle])

    def _stored(self, where: str, values: list[str]) -> list[StoredInstance]:
        with self._lock:
            rows = self._db.execute(
                "SELECT sop_class, instance.uid, transfer_syntax, path, revised, patient.record"
                f" FROM instance JOIN series ON series.pk = instance.series {UP_FROM_SERIES}"
                f" WHERE {where} ORDER BY instance.pk",
                values,
            ).fetchall()
        return [StoredInstance(row[0], row[1], row[2], Path(row[3]), load(row[5]) if row[4] else {}) for row in rows]

    def counts(self) -> dict[str, int]:
        """How many patients, studies, series and instances there are, withdrawn ones included."""
        with self._lock:
            self._settle()
            return {
                table: int((self._one(f"SELECT count(*) FROM {table}") or (0,))[0])
                for table in ("patient", "study", "series", "instance")
            }

    # -- inside --------------------------------------------------------------------------------------------

    def _one(self, statement: str, *values: object) -> tuple[Any, ...] | None:
        row: tuple[Any, ...] | None = self._db.execute(statement, values).fetchone()
        return row

    def _transaction(self) -> Transaction:
        self._settle()
        return Transaction(self._db)
