"""From compiled keys to SQL that narrows, and from rows to records: the reading half of the archive's index."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from harness.actors.archive_keys import KEPT, Level
from harness.actors.matching import Query, only_value, split_range
from harness.actors.records import CHARACTER_SET, Record, tag_of

_UIDS_PER_STATEMENT = 500

UP_FROM_SERIES = "JOIN study ON study.pk = series.study JOIN patient ON patient.pk = study.patient"
_SELECT = {
    Level.PATIENT: (
        "SELECT patient.pk, patient.record, count(*), sum(n_series), sum(n_instances)"
        " FROM patient JOIN study ON study.patient = patient.pk"
    ),
    Level.STUDY: (
        "SELECT study.pk, patient.record, study.record, study.modalities, study.n_series, study.n_instances"
        " FROM study JOIN patient ON patient.pk = study.patient"
    ),
    Level.SERIES: (
        "SELECT study.pk, patient.record, study.record, study.modalities, study.n_series, study.n_instances,"
        f" series.record, series.n_instances FROM series {UP_FROM_SERIES}"
    ),
    Level.IMAGE: (
        "SELECT study.pk, patient.record, study.record, study.modalities, study.n_series, study.n_instances,"
        " series.record, series.n_instances, instance.record, instance.transfer_syntax"
        f" FROM instance JOIN series ON series.pk = instance.series {UP_FROM_SERIES}"
    ),
}
_PRESENT = {
    Level.PATIENT: "n_instances > 0",
    Level.STUDY: "study.n_instances > 0",
    Level.SERIES: "series.n_instances > 0",
    Level.IMAGE: "NOT hidden",
}
_ORDER = {
    Level.PATIENT: " GROUP BY patient.pk ORDER BY patient.pk",
    Level.STUDY: " ORDER BY study.pk",
    Level.SERIES: " ORDER BY series.pk",
    Level.IMAGE: " ORDER BY instance.pk",
}
_UID_COLUMNS = {Level.STUDY: "study.uid", Level.SERIES: "series.uid", Level.IMAGE: "instance.uid"}


def narrowed(level: Level, query: Query) -> tuple[str, list[str]]:
    """The statement whose rows are a superset of the matches, with its values."""
    where, values = [_PRESENT[level]], list[str]()
    if not query.ignores:
        for each in (*level.above, level):
            column = _UID_COLUMNS.get(each)
            uids = [part for part in query.keys.get(tag_of(each.unique_key), ()) if isinstance(part, str)]
            if column and uids and len(uids) <= _UIDS_PER_STATEMENT:
                where.append(f"{column} IN ({','.join('?' * len(uids))})")
                values.extend(uids)
        plain = {"PatientID": "patient.patient_id"}
        if level is not Level.PATIENT:
            plain |= {"AccessionNumber": "study.accession", "StudyID": "study.study_id"}
            _narrow_date(query.value("StudyDate"), where, values)
        for keyword, column in plain.items():
            value = only_value(query.keys, keyword)
            if value:
                where.append(f"{column} = ?")
                values.append(value)
        _narrow_name(query.value("PatientName"), where, values)
    return f"{_SELECT[level]} WHERE {' AND '.join(where)}{_ORDER[level]}", values


def _narrow_date(key: str, where: list[str], values: list[str]) -> None:
    ends = split_range(key, "DA") or (key, key)
    for operator, end in ((">=", ends[0]), ("<=", ends[1])):
        if len(end) == 8 and end.isdigit():
            where.append(f"study.date {operator} ?")
            values.append(end)


def _narrow_name(key: str, where: list[str], values: list[str]) -> None:
    if "=" in key or "\\" in key:
        return
    prefix = folded(key.split("*")[0].split("?")[0])[0].rstrip("^ ")
    if prefix:
        where.append("(" + " OR ".join(f"name{n} >= ? AND name{n} < ?" for n in (1, 2, 3)) + ")")
        values.extend([prefix, prefix + "\U0010ffff"] * 3)


def folded(name: str) -> tuple[str, str, str]:
    """The three component groups of a name as they are indexed."""
    groups = ["^".join(part.strip() for part in group.split("^")) for group in name.casefold().split("=")]
    one, two, three = [*groups, "", ""][:3]
    return one, two, three


def asks_classes(query: Query) -> bool:
    """Whether SOP Classes in Study are asked, which are not kept with the study."""
    return tag_of("SOPClassesInStudy") in query.keys


def compose(level: Level, row: tuple[Any, ...], cache: dict[str, Record]) -> Record:
    """One row as a record with the levels above it; ``cache`` holds what was unpacked."""

    def loaded(column: int) -> Record:
        packed: str = row[column]
        if packed not in cache:
            cache[packed] = load(packed)
        return cache[packed]

    if level is Level.PATIENT:
        return loaded(1) | _numbers(
            NumberOfPatientRelatedStudies=row[2],
            NumberOfPatientRelatedSeries=row[3],
            NumberOfPatientRelatedInstances=row[4],
        )
    record = loaded(1) | loaded(2)
    record |= _numbers(NumberOfStudyRelatedSeries=row[4], NumberOfStudyRelatedInstances=row[5])
    record[_MODALITIES] = tuple(str(row[3]).split("\\")) if row[3] else ()
    if level in (Level.SERIES, Level.IMAGE):
        record |= loaded(6) | _numbers(NumberOfSeriesRelatedInstances=row[7])
    if level is Level.IMAGE:
        record |= load(row[8])
        record[_SYNTAX] = (str(row[9]),)
    return record


_MODALITIES = tag_of("ModalitiesInStudy")
_SYNTAX = tag_of("AvailableTransferSyntaxUID")


def _numbers(**values: int) -> Record:
    return {tag_of(keyword): (str(value),) for keyword, value in values.items()}


def dump(record: Record, level: Level) -> str:
    """What is kept of a record at that level, packed for a column."""
    kept = {tag: value for tag, value in record.items() if tag in KEPT[level] or tag == CHARACTER_SET}
    return json.dumps(kept, ensure_ascii=False, separators=(",", ":"))


def load(packed: str) -> Record:
    """A record from its packed form."""
    return _unpack(json.loads(packed))


def _unpack(plain: Mapping[str, Any]) -> Record:
    return {
        int(tag): tuple(_unpack(part) if isinstance(part, dict) else part for part in value)
        for tag, value in plain.items()
    }
