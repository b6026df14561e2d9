"""Attribute matching as PS3.4 C.2.2.2 defines it."""

from __future__ import annotations

from typing import Any

import pytest
from pydicom.dataset import Dataset

from harness.actors.matching import MatchingRules, Query, compile_keys, key_table, only_value, select, value_test
from harness.actors.records import record_from_mapping, tag_of
from harness.actors.worklist import STEP_MOMENT, WORKLIST_KEYS, WORKLIST_RULES

RULES = MatchingRules()


def matches(keys: dict[str, Any], values: dict[str, Any], rules: MatchingRules = RULES) -> bool:
    return compile_keys(record_from_mapping(keys), rules)(record_from_mapping(values))


@pytest.mark.parametrize(
    ("key", "value", "vr", "expected"),
    [
        ("CT", "CT", "CS", True),
        ("CT", "ct", "CS", False),
        ("C?", "CT", "CS", True),
        ("C?", "C", "CS", False),
        ("*", "", "LO", True),
        ("A*C", "ABBBC", "LO", True),
        ("A*C", "ABBBD", "LO", False),
        ("*B*", "ABC", "LO", True),
        ("a*b*c*d", "a1b2c3", "LO", False),
        ("1.2.*", "1.2.3", "UI", False),
        ("1.2.3", "1.2.3", "UI", True),
        ("7", "007", "IS", True),
        ("x", "007", "IS", False),
        ("20260101", "20260101", "DA", True),
        ("20260101", "2026.01.01", "DA", True),
        ("20260101-", "20251231", "DA", False),
        ("20260101-", "20260101", "DA", True),
        ("-20260101", "20260101", "DA", True),
        ("-20260101", "20260102", "DA", False),
        ("20260101-20260103", "20260102", "DA", True),
        ("20260101-20260103", "", "DA", False),
        ("*", "20260101", "DA", False),
        ("1000", "100000", "TM", True),
        ("1000", "100001", "TM", False),
        ("1000-1200", "120030", "TM", True),
        ("1000-1200", "120100", "TM", False),
        ("-0930", "093059.999999", "TM", True),
        ("2026-", "20260101120000.5", "DT", True),
        ("20260101120000-20260101130000", "20260101123000+0100", "DT", True),
        ("20260101120000-20260101130000", "20260101140000", "DT", False),
    ],
)
def test_one_value_against_one_key(key: str, value: str, vr: str, expected: bool) -> None:
    assert value_test(key, vr, RULES)(value) is expected


@pytest.mark.parametrize(
    ("key", "name", "expected"),
    [
        ("doe*", "DOE^JOHN", True),
        ("DOE^JOHN", "Doe^John^^^", True),
        ("DOE^JOHN", "DOE^JANE", False),
        ("山田*", "Yamada^Tarou=山田^太郎=やまだ^たろう", True),
        ("Yamada*=*太郎", "Yamada^Tarou=山田^太郎=やまだ^たろう", True),
        ("Yamada*=*花子", "Yamada^Tarou=山田^太郎=やまだ^たろう", False),
        ("=山田*", "Yamada^Tarou=山田^太郎", True),
        ("=山田*", "山田^太郎", False),
        ("홍^길동", "Hong^Gildong=洪^吉洞=홍^길동", True),
    ],
)
def test_person_names_match_by_component_group(key: str, name: str, expected: bool) -> None:
    assert matches({"PatientName": key}, {"PatientName": name}) is expected


def test_person_names_may_be_case_sensitive() -> None:
    rules = MatchingRules(person_name_case_sensitive=True)
    assert not matches({"PatientName": "doe*"}, {"PatientName": "DOE^JOHN"}, rules)
    assert matches({"PatientName": "DOE*"}, {"PatientName": "DOE^JOHN"}, rules)


def test_keys_combine_with_and() -> None:
    values = {"PatientID": "1", "AccessionNumber": "A"}
    assert matches({"PatientID": "1", "AccessionNumber": "A"}, values)
    assert not matches({"PatientID": "1", "AccessionNumber": "B"}, values)


def test_zero_length_keys_match_everything() -> None:
    assert matches({"PatientID": "", "PatientName": ""}, {"PatientName": "X"})


def test_a_list_of_uids_matches_any_of_them() -> None:
    assert matches({"StudyInstanceUID": "1.2\\1.3"}, {"StudyInstanceUID": "1.3"})
    assert not matches({"StudyInstanceUID": "1.2\\1.3"}, {"StudyInstanceUID": "1.4"})


def test_any_value_of_several_matches() -> None:
    assert matches({"ModalitiesInStudy": "CT"}, {"ModalitiesInStudy": "MR\\CT"})
    assert not matches({"ModalitiesInStudy": "US"}, {"ModalitiesInStudy": "MR\\CT"})


def test_all_keys_of_a_sequence_must_match_in_one_item() -> None:
    code = "ScheduledProtocolCodeSequence"
    stored = {code: [{"CodeValue": "A", "CodingSchemeDesignator": "X"}, {"CodeValue": "B"}]}
    assert matches({code: [{"CodeValue": "A", "CodingSchemeDesignator": "X"}]}, stored)
    assert not matches({code: [{"CodeValue": "B", "CodingSchemeDesignator": "X"}]}, stored)
    assert matches({code: [{"CodeValue": ""}]}, {})
    assert not matches({code: [{"CodeValue": "A"}]}, {})


def moment(date: str, time: str, rules: MatchingRules, day: str, hour: str) -> bool:
    keys = {"ScheduledProcedureStepStartDate": date, "ScheduledProcedureStepStartTime": time}
    values = {"ScheduledProcedureStepStartDate": day, "ScheduledProcedureStepStartTime": hour}
    return matches(keys, values, rules)


def test_a_date_range_and_a_time_range_are_one_range_of_moments_on_a_worklist() -> None:
    rules = MatchingRules(combined=(STEP_MOMENT,))
    keys = ("19950705-19950707", "1000-1800")
    assert moment(*keys, rules, "19950706", "080000")
    assert not moment(*keys, rules, "19950705", "0959")
    assert moment(*keys, rules, "19950707", "180000")
    assert not moment(*keys, rules, "19950707", "180100")
    assert moment("19950705-", "1000-", rules, "19950706", "0100")
    assert not moment("19950705", "1000-1800", rules, "19950705", "0959")


def test_they_are_independent_elsewhere() -> None:
    assert not moment("19950705-19950707", "1000-1800", RULES, "19950706", "080000")


def test_a_hostile_pattern_takes_no_time() -> None:
    assert value_test("*a" * 2000 + "b", "LO", RULES)("a" * 4000) is False


def query(identifier: Dataset) -> Query:
    return Query.of(identifier, WORKLIST_KEYS, WORKLIST_RULES)


def test_only_what_was_asked_comes_back_and_whole_sequences_for_an_empty_item() -> None:
    identifier = Dataset()
    identifier.PatientName = ""
    step = Dataset()
    step.Modality = ""
    step.ScheduledProtocolCodeSequence = []
    identifier.ScheduledProcedureStepSequence = [step]
    record = record_from_mapping(
        {
            "PatientName": "A",
            "PatientID": "1",
            "ScheduledProcedureStepSequence": [
                {
                    "Modality": "CT",
                    "ScheduledProcedureStepID": "S",
                    "ScheduledProtocolCodeSequence": [{"CodeValue": "P"}],
                }
            ],
        }
    )
    expected = record_from_mapping(
        {
            "PatientName": "A",
            "ScheduledProcedureStepSequence": [
                {"Modality": "CT", "ScheduledProtocolCodeSequence": [{"CodeValue": "P"}]}
            ],
        }
    )
    assert select(query(identifier).keys, record) == expected


def test_keys_that_are_not_supported_are_noticed_and_not_returned() -> None:
    identifier = Dataset()
    identifier.PatientName = ""
    assert query(identifier).unsupported is False
    identifier.add_new(0x00091010, "LO", "private")
    assert query(identifier).unsupported is True
    other = Dataset()
    other.PatientName = ""
    other.Rows = None
    assert query(other).unsupported is True
    assert tag_of("Rows") not in query(other).keys


def test_unsupported_keys_within_a_sequence_do_not_ask_for_all_of_it() -> None:
    table = key_table("PatientID", ReferencedStudySequence=("ReferencedSOPClassUID",))
    inner = Dataset()
    inner.Rows = None
    identifier = Dataset()
    identifier.ReferencedStudySequence = [inner]
    found = Query.of(identifier, table, RULES)
    assert found.keys == {}
    assert found.unsupported


def test_only_plain_single_values_may_use_an_index() -> None:
    keys = record_from_mapping(
        {"PatientID": "1*", "AccessionNumber": "A", "StudyDate": "2026-", "StudyInstanceUID": "1\\2"}
    )
    assert only_value(keys, "AccessionNumber") == "A"
    assert [only_value(keys, name) for name in ("PatientID", "StudyDate", "StudyInstanceUID", "PatientName")] == [
        ""
    ] * 4
