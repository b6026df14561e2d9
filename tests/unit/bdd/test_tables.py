"""Data tables and the vocabulary of values."""

from __future__ import annotations

import datetime
import random

import pytest

from harness.bdd import tables
from harness.bdd.orders import Scheduler, Vocabulary
from harness.core.errors import UsageError

ROW = {"step": "S1", "patient": "doe", "modality": "CT", "start": "today 09:00"}


def scheduler() -> Scheduler:
    return Scheduler(random.Random(1), datetime.date(2026, 11, 20), "STATION")


def test_rows_by_column_name() -> None:
    assert tables.rows([["a", "b"], ["1", "2"]], required=("a",), optional=("b",)) == [{"a": "1", "b": "2"}]


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ([], "needs a data table"),
        ([["a", "c"], ["1", "2"]], "unknown column c"),
        ([["b"], ["1"]], "lacks the column a"),
        ([["a"]], "no rows"),
    ],
)
def test_a_wrong_table_is_named(table: list[list[str]], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        tables.rows(table, required=("a",), optional=("b",))


def test_pairs_need_two_columns() -> None:
    assert tables.pairs([["a", "1"], ["b", ""]]) == {"a": "1", "b": ""}
    with pytest.raises(UsageError):
        tables.pairs([["a", "b", "c"]])


def test_steps_share_what_their_rows_share() -> None:
    rows = [
        {**ROW, "order": "O1", "procedure": "P1"},
        {**ROW, "step": "S2", "order": "O1", "procedure": "P1"},
        {**ROW, "step": "S3", "order": "O1", "procedure": "P2"},
        {**ROW, "step": "S4"},
    ]
    s1, s2, s3, s4 = scheduler().steps(rows)
    assert s1.entry["StudyInstanceUID"] == s2.entry["StudyInstanceUID"] != s3.entry["StudyInstanceUID"]
    assert s1.entry["AccessionNumber"] == s3.entry["AccessionNumber"] != s4.entry["AccessionNumber"]
    assert len({s.step_id for s in (s1, s2, s3, s4)}) == 4
    assert s1.sps["ScheduledProcedureStepStartDate"] == "20261120"
    assert s1.sps["ScheduledStationAETitle"] == "STATION"


def test_identifiers_fit_their_value_representation() -> None:
    (step,) = scheduler().steps([ROW])
    for keyword in ("AccessionNumber", "RequestedProcedureID", "AdmissionID"):
        assert 0 < len(step.entry[keyword]) <= 16
    assert len(step.entry["StudyInstanceUID"]) <= 64


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("today", "20261120"),
        ("today-tomorrow", "20261120-20261121"),
        ("tomorrow-", "20261121-"),
        ("-yesterday", "-20261119"),
        ("this", "STATION"),
        ("DO*", "DO*"),
        ("", ""),
        ("100000-140000", "100000-140000"),
    ],
)
def test_words_become_dicom_values(text: str, value: str) -> None:
    made = scheduler()
    (step,) = made.steps([ROW])
    assert Vocabulary(made, {"S1": step}).value(text, "STATION") == value


def test_values_of_a_step() -> None:
    made = scheduler()
    (step,) = made.steps([ROW])
    words = Vocabulary(made, {"S1": step})
    assert words.value("accession of S1", "") == step.entry["AccessionNumber"]
    assert words.value("name of S1", "") == "DOE^JANE^Q"
    with pytest.raises(UsageError, match="S1"):
        words.value("name of S9", "")


@pytest.mark.parametrize(
    "change", [{"patient": "nobody"}, {"modality": "XX"}, {"start": "someday"}, {"start": "noon 09:00"}]
)
def test_a_wrong_row_is_named(change: dict[str, str]) -> None:
    with pytest.raises(UsageError):
        scheduler().steps([{**ROW, **change}])
