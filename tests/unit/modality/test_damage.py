"""Rows that cannot be read, clocks that jump, and disks that are full in the background: told, and nothing lost."""

from __future__ import annotations

import datetime
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.core.errors import HarnessError
from harness.modality import config
from harness.modality.clock import ManualClock, elapsed_seconds
from harness.modality.errors import Refused, StoreProblem
from harness.modality.service import Modality
from tests.unit.modality.test_interfaces import offline


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(datetime.datetime(2026, 3, 1, 9, 0))


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def modality(home: Path, clock: ManualClock) -> Iterator[Modality]:
    with Modality(home, settings=offline(), seed=4, clock=clock) as made:
        yield made


def sent_nowhere(modality: Modality) -> int:
    """An exam whose images wait for an archive that does not answer."""
    modality.administration.config_set(["nodes.storage.enabled=true", "nodes.storage.port=1", "end_exam.send=true"])
    exam = int(modality.registration.register(patient_id="P1")["exam"])
    modality.examination.start(exam)
    modality.examination.expose(exam)
    modality.examination.end(exam)
    return exam


@pytest.mark.parametrize(
    ("sql", "ask"),
    [
        ("UPDATE Exam SET document = '{\"key\": '", lambda m: m.examination.show(1)),
        ("UPDATE Exam SET document = '[]'", lambda m: m.examination.show(1)),
        ("UPDATE Exam SET document = '{}'", lambda m: m.examination.exams()),
        ("UPDATE Setting SET value = 'x' WHERE name = 'configuration'", lambda m: None),
        ("UPDATE Setting SET value = '{\"local\": 3}' WHERE name = 'configuration'", lambda m: None),
        ("DROP TABLE Study", lambda m: m.studies.studies()),
        ("DROP TABLE Series", lambda m: m.administration.db_check()),
        ("DROP TABLE Instance", lambda m: m.administration.db_check()),
        ("DROP TABLE Delivery", lambda m: m.kernel.archive.instances("1.2")),
        ("DROP TABLE Exam", lambda m: m.examination.exams()),
        ("DROP TABLE Job", lambda m: m.administration.queue()),
        ("DROP TABLE Commitment", lambda m: m.delivery.commitments()),
        ("DROP TABLE EventLog", lambda m: m.administration.events()),
        ("DROP TABLE WorklistItem", lambda m: m.registration.rows()),
        ("DROP TABLE PerformedStep", lambda m: m.administration.status()),
        ("DROP TABLE Counter", lambda m: m.registration.register(patient_id="P")),
    ],
)
def test_damaged_table_is_told_in_words(home: Path, sql: str, ask: Callable[[Modality], Any]) -> None:
    with Modality(home, settings=offline(), seed=4) as modality:
        modality.administration.config_set(["institution.name=X"])
        modality.registration.register(patient_id="P1")
    with sqlite3.connect(home / "modality.sqlite") as raw:
        raw.execute(sql)
    raw.close()
    with pytest.raises(HarnessError, match=r"damaged|is a table"), Modality(home) as modality:
        ask(modality)


def test_damaged_job_fails_and_the_others_go_on(modality: Modality, clock: ManualClock) -> None:
    first, second = sent_nowhere(modality), sent_nowhere(modality)
    assert first != second
    jobs = [job for job in modality.administration.queue(unfinished=True) if job["kind"] == "send"]
    modality.kernel.database.run("UPDATE Job SET payload = '{' WHERE job_key = ?", jobs[0]["job_key"])
    clock.advance(60)
    assert modality.administration.queue_run()["tried"] == 2
    after = {job["job_key"]: job for job in modality.administration.queue()}
    assert after[jobs[0]["job_key"]]["state"] == "failed"
    assert "damaged" in after[jobs[0]["job_key"]]["message"]
    assert (after[jobs[1]["job_key"]]["state"], after[jobs[1]["job_key"]]["attempts"]) == ("waiting", 2)
    assert modality.administration.queue_cancel(jobs[0]["job_key"])["state"] == "cancelled"


def test_clock_set_back_a_day_delays_no_retry(modality: Modality, clock: ManualClock) -> None:
    sent_nowhere(modality)
    (job,) = modality.administration.queue(unfinished=True)
    clock.advance(-86400)
    assert modality.administration.queue_run()["tried"] == 1
    due = modality.kernel.queue.next_due()
    assert due is not None
    assert (due - clock.now()).total_seconds() <= 60
    for _ in range(6):
        clock.advance(60)
        modality.administration.queue_run()
    (job,) = modality.administration.queue(unfinished=True)
    assert job["state"] == "failed", "the period of retries still ends"


def test_step_never_ends_before_it_began(modality: Modality, clock: ManualClock) -> None:
    exam = int(modality.registration.register(patient_id="P1")["exam"])
    modality.examination.start(exam)
    modality.examination.expose(exam)
    clock.advance(-3600)
    modality.examination.end(exam)
    step = modality.kernel.exam(exam).performed
    assert step is not None
    assert (step.end_date, step.end_time) == (step.start_date, step.start_time)


@pytest.mark.parametrize(("earlier", "later", "seconds"), [((1, 59), (3, 0), 60.0), ((0, 30), (1, 30), 3600.0)])
def test_hour_that_daylight_saving_takes_is_no_time(
    monkeypatch: pytest.MonkeyPatch, earlier: tuple[int, int], later: tuple[int, int], seconds: float
) -> None:
    import time

    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    try:
        day = (2026, 3, 29)
        found = elapsed_seconds(datetime.datetime(*day, *earlier), datetime.datetime(*day, *later))
    finally:
        monkeypatch.undo()
        time.tzset()
    assert found == seconds


def test_full_disk_after_an_attempt_is_made_good_by_the_next(
    modality: Modality, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    queue = modality.kernel.queue
    monkeypatch.setattr(queue, "_failed", lambda *_, **__: (_ for _ in ()).throw(StoreProblem("the disk is full")))
    modality.administration.config_set(["nodes.storage.enabled=true", "nodes.storage.port=1", "end_exam.send=true"])
    modality.registration.register(patient_id="P1")
    modality.examination.start()
    modality.examination.expose()
    with pytest.raises(StoreProblem, match="full"):
        modality.examination.end()
    assert [job["state"] for job in modality.administration.queue()] == ["running"]
    monkeypatch.undo()
    assert modality.administration.queue_run()["tried"] == 1
    (job,) = modality.administration.queue()
    assert (job["state"], job["attempts"]) == ("waiting", 2)


def test_background_work_outlives_a_full_disk(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import threading

    settings = config.assign(offline(), "background.retry_interval=0.05")
    with Modality(home, settings=settings) as modality:
        done, calls = threading.Event(), []
        run_due = modality.kernel.queue.run_due

        def sometimes(**given: Any) -> int:
            calls.append(1)
            if len(calls) < 3:
                raise StoreProblem("the disk is full")
            done.set()
            return run_due(**given)

        monkeypatch.setattr(modality.kernel.queue, "run_due", sometimes)
        modality.work()
        assert done.wait(10), "the worker has ended"


@pytest.mark.parametrize(
    "assignment",
    [
        "timeouts.connect=nan", "timeouts.associate=-1", "timeouts.response=0", "background.retry_interval=inf",
        "background.retry_timeout=nan", "environment.language=xx", "end_exam.transfer_syntax=zip",
        "equipment.modality=QQ",
    ],
)  # fmt: skip
def test_unusable_setting_is_refused_and_not_kept(modality: Modality, assignment: str) -> None:
    before = modality.administration.config_get()
    with pytest.raises(HarnessError):
        modality.administration.config_set([assignment])
    assert modality.administration.config_get() == before


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"patient_id": "P", "study_instance_uid": "evil/../../x"}, "is not a UID"),
        ({"patient_id": "P", "birth_date": "20261399"}, "is not YYYYMMDD"),
        ({"patient_id": "P", "patient_name": "Doe\x01"}, "control characters"),
        ({"patient_id": "P\n1"}, "control characters"),
    ],
)
def test_hostile_registration_is_refused(modality: Modality, values: dict[str, Any], said: str) -> None:
    with pytest.raises(Refused, match=said):
        modality.registration.register(**values)
    assert modality.examination.exams() == []
