"""The persistent queue: jobs that survive a crash, are retried on the clock, and never overtake one another.

Jobs with the same subject run in the order in which they were added: an N-SET waits for its N-CREATE, a commitment
request for the transfer before it.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from harness.core.errors import HarnessError
from harness.modality.clock import Clock, elapsed_seconds
from harness.modality.config import Background
from harness.modality.errors import Cause, NotFound, PeerProblem, Refused, StoreProblem
from harness.modality.signal import Signal
from harness.modality.store import documents
from harness.modality.store.database import Database

#: a year: no due time lies farther ahead
_MOST_SECONDS = 366 * 86400.0


class JobState(StrEnum):
    """Where a job stands."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Job:
    """One piece of work; `interrupted` says that an earlier attempt was cut off and may have taken effect.

    `damage` says why its payload cannot be read.
    """

    key: int
    kind: str
    subject: str
    exam: int | None
    payload: Mapping[str, Any]
    state: JobState
    attempts: int
    message: str
    interrupted: bool = False
    damage: str = ""


class Permanent(HarnessError):
    """A job failed in a way that a retry does not mend."""


Handler = Callable[[Job], str]
_TRANSIENT = frozenset(
    {Cause.DNS, Cause.REFUSED, Cause.UNREACHABLE, Cause.TIMEOUT, Cause.REJECTED, Cause.ABORTED, Cause.PROTOCOL}
)


class JobQueue:
    """Runs jobs one at a time, in the caller's thread or in the background worker's."""

    def __init__(self, database: Database, clock: Clock, settings: Callable[[], Background]) -> None:
        self._db, self._clock, self._settings = database, clock, settings
        self._handlers: dict[str, Handler] = {}
        self._finished: Callable[[Job], None] = lambda job: None
        self._running = threading.RLock()
        self._progress: dict[int, tuple[int, int]] = {}
        #: called when a job starts or gets on, which is nothing to wake the worker for
        self.moved = Signal()
        self.changed = Signal()

    def handle(self, kind: str, handler: Handler) -> None:
        """Say who does the jobs of a kind."""
        self._handlers[kind] = handler

    def on_finished(self, hook: Callable[[Job], None]) -> None:
        """Say who is told, within the transaction, when a job is done or has failed for good."""
        self._finished = hook

    def _now(self) -> str:
        return self._clock.now().isoformat(sep=" ")

    def _later(self, seconds: float) -> str:
        return (self._clock.now() + timedelta(seconds=min(seconds, _MOST_SECONDS))).isoformat(sep=" ")

    # -- adding and looking --------------------------------------------------------------------------------------

    def add(self, kind: str, subject: str, payload: Mapping[str, Any], exam: int | None = None) -> int:
        """Add a job that may run at once; return its key."""
        now = self._now()
        key = self._db.run(
            "INSERT INTO Job (kind, subject, exam_key, payload, state, created_dttm, next_dttm) VALUES (?, ?, ?, "
            "?, ?, ?, ?)",
            kind, subject, exam, json.dumps(dict(payload), ensure_ascii=False), JobState.WAITING.value, now, now,
        )  # fmt: skip
        self.changed.set()
        return key

    def get(self, key: int) -> Job:
        """Return a job; raise NotFound."""
        row = self._db.row(
            "SELECT *, EXISTS (SELECT 1 FROM JobAttempt a WHERE a.job_key = Job.job_key "
            "AND a.outcome IN ('interrupted', 'unanswered')) AS cut FROM Job WHERE job_key = ?",
            key,
        )
        if row is None:
            raise NotFound(f"there is no job {key}")
        payload, damage = {}, ""
        try:
            payload = documents.value(row["payload"], f"job {key}")
        except StoreProblem as error:
            damage = str(error)
        return Job(
            row["job_key"], row["kind"], row["subject"], row["exam_key"], payload,
            JobState(row["state"]), row["attempts"], row["message"], bool(row["cut"]), damage,
        )  # fmt: skip

    def overview(self, *, unfinished: bool = False) -> list[dict[str, Any]]:
        """Return jobs with their state, newest last."""
        where = "WHERE state NOT IN ('done', 'cancelled')" if unfinished else ""
        rows = self._db.rows(
            "SELECT job_key, kind, subject, exam_key, state, attempts, created_dttm, next_dttm, ended_dttm, message "
            f"FROM Job {where} ORDER BY job_key"
        )
        return [{**row, "progress": self.progress(row["job_key"])} for row in rows]

    def report(self, key: int, done: int, total: int) -> None:
        """Remember how far a running job is; it is not kept over a restart, because the job then starts anew."""
        self._progress[key] = (done, total)
        self.moved.set()

    def progress(self, key: int) -> str:
        """Tell how far a running job is, such as ``3/12``; empty if it does not run or does not say."""
        done, total = self._progress.get(key, (0, 0))
        return f"{done}/{total}" if total else ""

    def history(self, key: int) -> list[dict[str, Any]]:
        """Return the attempts of a job."""
        return self._db.rows("SELECT * FROM JobAttempt WHERE job_key = ? ORDER BY number", self.get(key).key)

    def next_due(self) -> datetime | None:
        """Return when the next waiting job may run."""
        found = self._db.scalar("SELECT min(next_dttm) FROM Job WHERE state = 'waiting'")
        if not found:
            return None
        latest = self._clock.now() + timedelta(seconds=min(self._settings().retry_interval, _MOST_SECONDS))
        return min(datetime.fromisoformat(found), latest)

    # -- running -------------------------------------------------------------------------------------------------

    def recover(self) -> int:
        """Put jobs that were running when the process died back in line; return how many."""
        with self._db.transaction():
            self._db.run(
                "UPDATE JobAttempt SET outcome = 'interrupted', ended_dttm = ? WHERE outcome = 'running'", self._now()
            )
            count = int(self._db.scalar("SELECT count(*) FROM Job WHERE state = 'running'"))
            self._db.run("UPDATE Job SET state = 'waiting', next_dttm = ? WHERE state = 'running'", self._now())
        return count

    def run_due(self, *, everything: bool = False) -> int:
        """Run every job that is due and not held up by an earlier one; return how many were tried."""
        tried: set[int] = set()
        self._unstick()
        while True:
            key = self._pick(tried, everything)
            if key is None:
                return len(tried)
            tried.add(key)
            self._attempt(key)

    def run(self, *keys: int) -> list[Job]:
        """Run these jobs now, in order, as far as earlier jobs of their subjects allow; return what became of them."""
        self._unstick()
        for key in keys:
            # The background worker may have been faster; holding the lock waits until it is done with the job.
            with self._running:
                if self._blocker(self.get(key)) is None:
                    self._attempt(key)
        return [self.get(key) for key in keys]

    def _unstick(self) -> None:
        # Only the holder of this lock runs jobs: one that is "running" all the same lost its end, to a full disk say.
        with self._running:
            if self._db.scalar("SELECT count(*) FROM Job WHERE state = 'running'"):
                self.recover()

    def _pick(self, tried: set[int], everything: bool) -> int | None:
        now = self._now()
        # Nothing waits longer than an interval: a time beyond that is from before the clock was set back.
        latest = self._later(self._settings().retry_interval + 1)
        for row in self._db.rows("SELECT job_key, next_dttm FROM Job WHERE state = 'waiting' ORDER BY job_key"):
            due = everything or row["next_dttm"] <= now or row["next_dttm"] > latest
            if due and row["job_key"] not in tried and self._blocker(self.get(row["job_key"])) is None:
                return int(row["job_key"])
        return None

    def _blocker(self, job: Job) -> int | None:
        key: int | None = self._db.scalar(
            "SELECT job_key FROM Job WHERE subject = ? AND job_key < ? AND state NOT IN ('done', 'cancelled') LIMIT 1",
            job.subject, job.key,
        )  # fmt: skip
        return key

    def _attempt(self, key: int) -> None:
        with self._running:
            job = self.get(key)
            if job.state is not JobState.WAITING:
                return
            number = self._begin(job)
            self.moved.set()
            try:
                if job.damage:
                    raise Permanent(job.damage)
                message = self._handlers[job.kind](job)
            except PeerProblem as error:
                self._failed(
                    job,
                    number,
                    str(error),
                    retry=error.transient,
                    unanswered=error.cause in {Cause.TIMEOUT, Cause.ABORTED},
                )
            except HarnessError as error:
                self._failed(job, number, str(error), retry=False)
            else:
                self._done(job, number, message)
            finally:
                self._progress.pop(key, None)
        self.changed.set()

    def _begin(self, job: Job) -> int:
        now = self._now()
        with self._db.transaction():
            number = job.attempts + 1
            self._db.run(
                "UPDATE Job SET state = 'running', attempts = ?, first_dttm = coalesce(first_dttm, ?) WHERE job_key "
                "= ?",
                number, now, job.key,
            )  # fmt: skip
            self._db.run(
                "INSERT INTO JobAttempt (job_key, number, started_dttm, outcome) VALUES (?, ?, ?, 'running')",
                job.key,
                number,
                now,
            )
        return number

    def _done(self, job: Job, number: int, message: str) -> None:
        with self._db.transaction():
            self._close(job, number, "done", message)
            self._db.run(
                "UPDATE Job SET state = 'done', ended_dttm = ?, message = ? WHERE job_key = ?",
                self._now(), message, job.key,
            )  # fmt: skip
            # In the same transaction: what follows from a job must not be lost if the process dies now.
            self._finished(self.get(job.key))

    def _close(self, job: Job, number: int, outcome: str, message: str) -> None:
        self._db.run(
            "UPDATE JobAttempt SET ended_dttm = ?, outcome = ?, message = ? WHERE job_key = ? AND number = ?",
            self._now(), outcome, message, job.key, number,
        )  # fmt: skip

    def _failed(self, job: Job, number: int, message: str, *, retry: bool, unanswered: bool = False) -> None:
        settings, now = self._settings(), self._clock.now()
        first = datetime.fromisoformat(self._db.scalar("SELECT first_dttm FROM Job WHERE job_key = ?", job.key))
        elapsed = elapsed_seconds(first, now)
        again = retry and elapsed < settings.retry_timeout
        with self._db.transaction():
            self._close(job, number, "unanswered" if unanswered else "failed", message)
            if elapsed < 0:  # the clock was set back: the period begins anew, so that it ends
                self._db.run("UPDATE Job SET first_dttm = ? WHERE job_key = ?", self._now(), job.key)
            self._db.run(
                "UPDATE Job SET state = ?, next_dttm = ?, ended_dttm = ?, message = ? WHERE job_key = ?",
                "waiting" if again else "failed",
                self._later(settings.retry_interval), None if again else self._now(), message, job.key,
            )  # fmt: skip
            if not again:
                self._finished(self.get(job.key))
            self._db.log(
                self._now(), 2 if again else 1, f"job-{job.kind}", message, {"job": job.key, "attempt": number}
            )

    # -- the technologist's buttons ------------------------------------------------------------------------------

    def retry(self, key: int) -> Job:
        """Start a job anew, with a new retry period, and run it now; raise Refused for a finished one."""
        job = self.get(key)
        if job.state in {JobState.DONE, JobState.RUNNING}:
            raise Refused(f"job {key} is {job.state.value}; only waiting, failed or cancelled jobs can be retried")
        blocker = self._blocker(job)
        if blocker is not None:
            raise Refused(f"job {key} waits for job {blocker}; retry that one first")
        self._db.run(
            "UPDATE Job SET state = 'waiting', first_dttm = NULL, next_dttm = ?, ended_dttm = NULL WHERE job_key = ?",
            self._now(), key,
        )  # fmt: skip
        return self.run(key)[0]

    def supersede(self, subject: str) -> None:
        """Give up the failed jobs of a subject, because the technologist starts the same work anew."""
        self._db.run(
            "UPDATE Job SET state = 'cancelled', message = message || '; started anew' WHERE subject = ? AND "
            "state = 'failed'",
            subject,
        )

    def cancel(self, key: int) -> Job:
        """Give up a waiting or failed job; raise Refused for any other."""
        job = self.get(key)
        if job.state not in {JobState.WAITING, JobState.FAILED}:
            raise Refused(f"job {key} is {job.state.value}; only waiting or failed jobs can be cancelled")
        self._db.run("UPDATE Job SET state = 'cancelled', ended_dttm = ? WHERE job_key = ?", self._now(), key)
        return self.get(key)
