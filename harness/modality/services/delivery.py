"""Sending objects to the archive and having it commit to them."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from pydicom.dataset import Dataset
from pydicom.uid import UID

from harness.modality import compression, wire
from harness.modality.config import NodeName
from harness.modality.decisions.delivery import COMMITMENT, COMMITMENT_INSTANCE, StoreOutcome
from harness.modality.domain import Exam, Reference
from harness.modality.errors import Cause, NotFound, PeerProblem, Refused
from harness.modality.jobs import Job, JobState
from harness.modality.network import Context, Link
from harness.modality.services.kernel import Kernel, summary
from harness.modality.workflow import FINISHED, TRANSITIONS, Event


class Delivery:
    """Storage and storage commitment."""

    def __init__(self, kernel: Kernel) -> None:
        self._k = kernel
        kernel.queue.handle("send", self._send)
        kernel.queue.handle("commit", self._request)
        kernel.queue.on_finished(self._finished)
        kernel.report_handler = self.reported

    # -- buttons -----------------------------------------------------------------------------------------------

    def send(self, exam: int = 0, study_instance_uid: str = "") -> dict[str, Any]:
        """Send the kept objects of a finished exam, or of all finished exams of a study, to the archive."""
        exams = self._finished_exams(exam, study_instance_uid)
        keys = [key for each in exams for key in self.plan(each.key, commit=False)]
        jobs = self._k.queue.run(*keys)
        return {"exams": [summary(self._k.exam(e.key)) for e in exams], "jobs": [_line(job) for job in jobs]}

    def commit(
        self,
        exam: int = 0,
        study_instance_uid: str = "",
        same_association: bool | None = None,
        wait: float | None = None,
    ) -> dict[str, Any]:
        """Ask the archive to commit to what was stored, and wait up to `wait` seconds for its answer."""
        exams = self._finished_exams(exam, study_instance_uid)
        same = self._k.settings.end_exam.commit_same_association if same_association is None else same_association
        for each in exams:
            self._k.queue.supersede(f"delivery:{each.key}")
        keys = [self._plan_commit(each.key, same) for each in exams]
        jobs = self._k.queue.run(*keys)
        transactions = [
            row["transaction_uid"]
            for key in keys
            for row in self._k.database.rows(
                "SELECT transaction_uid FROM Commitment WHERE job_key = ? ORDER BY rowid", key
            )
        ]
        if all(job.state is JobState.DONE for job in jobs):
            self.await_answers(transactions, self._k.settings.timeouts.commitment if wait is None else wait)
        return {
            "exams": [summary(self._k.exam(each.key)) for each in exams],
            "jobs": [_line(job) for job in jobs],
            "commitments": [self.commitment(uid) for uid in transactions],
        }

    def await_answers(self, transactions: Sequence[str], seconds: float) -> bool:
        """Wait until every commitment request has its answer; return whether they all came in time."""
        deadline = time.monotonic() + seconds
        while True:
            mark = self._k.news.mark()
            if all(self.commitment(uid)["state"] != "requested" for uid in transactions):
                return True
            if not self._k.news.wait(mark, deadline - time.monotonic()):
                return False

    def commitment(self, transaction_uid: str) -> dict[str, Any]:
        """Tell what became of a commitment request."""
        found = self._k.database.row("SELECT * FROM Commitment WHERE transaction_uid = ?", transaction_uid)
        if found is None:
            raise NotFound(f"there is no commitment request {transaction_uid}")
        items = self._k.database.rows(
            "SELECT sop_class_id, sop_instance_uid, state, failure_reason FROM CommitmentItem WHERE "
            "transaction_uid = ?",
            transaction_uid,
        )
        return {**found, "items": items}

    def commitments(self) -> list[dict[str, Any]]:
        """List all commitment requests."""
        uids = self._k.database.rows("SELECT transaction_uid FROM Commitment ORDER BY rowid")
        return [self.commitment(row["transaction_uid"]) for row in uids]

    def recover(self, exam: int = 0) -> dict[str, Any]:
        """Send again what the archive could not commit to, and ask again with a new transaction."""
        found = self._finished_exams(exam, "")[0]
        failed = [
            row for row in self._k.archive.instances(found.study_instance_uid) if row["failure_reason"] is not None
        ]
        if not failed:
            raise Refused("no commitment has failed for this exam")
        if self._k.behaviour.resend_failed():
            key = self._enqueue(found, [row["sop_instance_uid"] for row in failed])
            self._k.queue.run(key)
        return self.commit(found.key)

    # -- planning ----------------------------------------------------------------------------------------------

    def _finished_exams(self, exam: int, study_instance_uid: str) -> list[Exam]:
        if study_instance_uid:
            found = [each for each in self._k.exams_of(study_instance_uid) if each.state in FINISHED and each.confirmed]
            if not found:
                raise NotFound(f"no finished exam with objects in study {study_instance_uid}")
            return found
        if not exam:
            keys = self._k.database.rows("SELECT exam_key FROM Exam ORDER BY exam_key DESC")
            done = [e for e in (self._k.exam(row["exam_key"]) for row in keys) if e.state in FINISHED]
            if not done:
                raise NotFound("there is no finished exam")
            exam = done[0].key
        chosen = self._k.exam(exam)
        if chosen.state not in FINISHED:
            raise Refused(f"exam {chosen.key} is {chosen.state.value}; end it before it is sent")
        if not chosen.confirmed:
            raise Refused(f"exam {chosen.key} has no objects")
        return [chosen]

    def plan(self, exam_key: int, *, commit: bool | None = None) -> list[int]:
        """Queue the sending of an exam and, if the settings or the caller say so, the commitment request behind it."""
        exam = self._k.exam(exam_key)
        references = [Reference(s.sop_class_uid, s.sop_instance_uid) for s in exam.confirmed]
        chosen = self._k.behaviour.to_send(references)
        with self._k.database.transaction():
            keys = [self._enqueue(exam, [r.instance_uid for r in chosen])]
            if self._k.settings.end_exam.commit if commit is None else commit:
                keys.append(self._plan_commit(exam_key, self._k.settings.end_exam.commit_same_association))
        return keys

    def _enqueue(self, exam: Exam, instances: Sequence[str]) -> int:
        with self._k.database.transaction():
            self._k.save(self._k.step(self._k.exam(exam.key), Event.QUEUE))
            self._k.queue.supersede(f"delivery:{exam.key}")
            return self._k.queue.add("send", f"delivery:{exam.key}", {"instances": list(instances)}, exam.key)

    def _plan_commit(self, exam_key: int, same_association: bool) -> int:
        return self._k.queue.add("commit", f"delivery:{exam_key}", {"same_association": same_association}, exam_key)

    # -- sending -----------------------------------------------------------------------------------------------

    def _send(self, job: Job) -> str:
        marks = ",".join("?" * len(job.payload["instances"]))
        rows = self._k.database.rows(
            "SELECT i.sop_instance_uid, i.sop_class_id, i.path_name, i.file_name, d.transfer_syntax FROM Instance i "
            f"JOIN Delivery d USING (sop_instance_uid) WHERE i.sop_instance_uid IN ({marks}) AND i.deleted_dttm "
            "IS NULL "
            "AND coalesce(d.job_key, 0) <> ? ORDER BY i.instance_key",
            *job.payload["instances"], job.key,
        )  # fmt: skip
        if not rows:
            return "nothing left to send"
        order = {uid: place for place, uid in enumerate(job.payload["instances"])}
        rows.sort(key=lambda row: order[row["sop_instance_uid"]])
        contexts = self._contexts({(row["sop_class_id"], row["transfer_syntax"]) for row in rows})
        failures: list[PeerProblem] = []
        sent = 0
        with self._k.link(NodeName.STORAGE, contexts) as link:
            for row in rows:
                try:
                    status = self._store(link, row)
                except PeerProblem as problem:
                    if problem.cause is not Cause.NO_CONTEXT:
                        raise
                    failures.append(problem)
                    continue
                outcome = self._k.behaviour.store_outcome(status)
                if outcome is StoreOutcome.FAILED:
                    detail = f"it did not store {row['sop_instance_uid']}: status {status:04X}"
                    failures.append(PeerProblem(Cause.STATUS, link.peer, detail, status=status))
                    continue
                sent += 1
                self._k.database.run(
                    "UPDATE Delivery SET job_key = ?, stored_dttm = ?, stored_status = ?, failure_reason = NULL "
                    "WHERE sop_instance_uid = ?",
                    job.key, self._k.now(), status, row["sop_instance_uid"],
                )  # fmt: skip
        if failures:
            raise max(failures, key=lambda each: each.transient)
        return f"{sent} object(s) sent"

    def _contexts(self, kinds: set[tuple[str, str]]) -> list[Context]:
        made = []
        for sop_class, syntax in sorted(kinds):
            proposed = self._k.behaviour.transfer_syntaxes(sop_class, syntax)
            if UID(syntax).is_compressed and UID(syntax).is_encapsulated:
                made.append(Context(sop_class, (syntax,)))
                proposed = tuple(each for each in proposed if each != syntax)
            made.append(Context(sop_class, proposed))
        return made

    def _store(self, link: Link, row: dict[str, Any]) -> int:
        path = self._k.home / row["path_name"] / row["file_name"]
        body, sop_class, sop_instance, syntax = wire.read_body(path)
        found = link.accepted(sop_class, syntax)
        if found is None:
            raise PeerProblem(Cause.NO_CONTEXT, link.peer, f"it does not accept {UID(sop_class).name}")
        if found[1] != syntax:
            body, syntax = self._recoded(path, found[1]), found[1]
        return link.store(body, sop_class, sop_instance, syntax).status

    def _recoded(self, path: Any, syntax: str) -> bytes:
        dataset, own = wire.read_file(path)
        if UID(own).is_encapsulated:
            dataset = compression.decompress(dataset, own)
        return wire.encode_dataset(dataset, syntax)

    def _finished(self, job: Job) -> None:
        if job.kind != "send" or job.exam is None:
            return
        event = Event.SENT if job.state is JobState.DONE else Event.SEND_FAILED
        self._move(job.exam, event)

    def _move(self, exam_key: int, event: Event) -> None:
        exam = self._k.exam(exam_key)
        if (exam.state, event) in TRANSITIONS:
            self._k.save(self._k.step(exam, event))

    # -- commitment --------------------------------------------------------------------------------------------

    def _request(self, job: Job) -> str:
        if job.exam is None:
            raise Refused("a commitment request belongs to an exam")
        exam = self._k.exam(job.exam)
        rows = [row for row in self._k.archive.instances(exam.study_instance_uid) if row["exam_key"] == exam.key]
        stored = [Reference(row["sop_class_id"], row["sop_instance_uid"]) for row in rows if row["stored_dttm"]]
        references = self._k.behaviour.to_commit(stored)
        if not references:
            raise Refused("nothing of this exam has been stored yet; send it first")
        earlier = [row["transaction_uid"] for row in self._k.database.rows("SELECT transaction_uid FROM Commitment")]
        transaction = self._k.behaviour.transaction_uid(earlier, self._k.uids.new())
        self._remember(transaction, exam, job.key, references)
        request = self._k.behaviour.commitment_request(transaction, references)
        with self._k.link(NodeName.COMMITMENT, [self._k.context(COMMITMENT)], on_report=self.reported) as link:
            reply = link.n_action(COMMITMENT, COMMITMENT_INSTANCE, 1, request)
            if reply.status != 0x0000:
                detail = f"it refused the commitment request: status {reply.status:04X} {reply.comment}".strip()
                raise PeerProblem(Cause.STATUS, link.peer, detail, status=reply.status)
            if job.payload["same_association"]:
                self.await_answers([transaction], self._k.settings.timeouts.commitment)
        return f"asked for {len(references)} object(s)"

    def _remember(self, transaction: str, exam: Exam, job_key: int, references: Sequence[Reference]) -> None:
        with self._k.database.transaction():
            self._k.database.run(
                "INSERT INTO Commitment (transaction_uid, study_instance_uid, job_key, requested_dttm, state) "
                "VALUES (?, ?, ?, ?, 'requested') ON CONFLICT (transaction_uid) DO UPDATE SET state = 'requested', "
                "job_key = excluded.job_key",
                transaction, exam.study_instance_uid, job_key, self._k.now(),
            )  # fmt: skip
            for reference in references:
                self._k.database.run(
                    "INSERT OR REPLACE INTO CommitmentItem VALUES (?, ?, ?, 'requested', NULL)",
                    transaction, reference.class_uid, reference.instance_uid,
                )  # fmt: skip

    def reported(self, event_type: int, information: Dataset) -> int:
        """Take a commitment result, on whichever association it came; return the status of the answer."""
        result = self._k.behaviour.commitment_result(event_type, information)
        known = self._k.database.row("SELECT * FROM Commitment WHERE transaction_uid = ?", result.transaction_uid)
        status = self._k.behaviour.event_report_status(known is not None)
        if known is None:
            self._k.log(2, "commitment", f"result of an unknown transaction {result.transaction_uid}")
            return status
        now = self._k.now()
        with self._k.database.transaction():
            for reference in result.committed:
                self._item(result.transaction_uid, reference.instance_uid, "committed", None)
                self._k.database.run(
                    "UPDATE Delivery SET committed_dttm = ?, failure_reason = NULL "
                    "WHERE sop_instance_uid = ? AND EXISTS "
                    ""
                    "(SELECT 1 FROM CommitmentItem WHERE transaction_uid = ? AND sop_instance_uid = ?)",
                    now, reference.instance_uid, result.transaction_uid, reference.instance_uid,
                )  # fmt: skip
            for uid, reason in result.failed.items():
                self._item(result.transaction_uid, uid, "failed", reason)
                self._k.database.run(
                    "UPDATE Delivery SET committed_dttm = NULL, failure_reason = ? WHERE sop_instance_uid = ?",
                    reason,
                    uid,
                )
            open_items = self._k.database.scalar(
                "SELECT count(*) FROM CommitmentItem WHERE transaction_uid = ? AND state <> 'committed'",
                result.transaction_uid,
            )
            state = "failed" if open_items else "committed"
            self._k.database.run(
                "UPDATE Commitment SET answered_dttm = ?, state = ? WHERE transaction_uid = ?",
                now,
                state,
                result.transaction_uid,
            )
            self._follow(known["study_instance_uid"])
        self._k.log(3, "commitment", f"{len(result.committed)} committed, {len(result.failed)} failed")
        self._k.tell()
        return status

    def _item(self, transaction: str, instance: str, state: str, reason: int | None) -> None:
        self._k.database.run(
            "UPDATE CommitmentItem SET state = ?, failure_reason = ? WHERE transaction_uid = ? AND "
            "sop_instance_uid = ?",
            state, reason, transaction, instance,
        )  # fmt: skip

    def _follow(self, study_uid: str) -> None:
        rows = self._k.archive.instances(study_uid)
        for exam in self._k.exams_of(study_uid):
            mine = [row for row in rows if row["exam_key"] == exam.key]
            if not mine or exam.state not in FINISHED:
                continue
            if all(row["committed_dttm"] for row in mine):
                self._move(exam.key, Event.COMMITTED)
            elif any(row["failure_reason"] is not None for row in mine):
                self._move(exam.key, Event.COMMIT_FAILED)


def _line(job: Job) -> dict[str, Any]:
    return {
        "job": job.key,
        "kind": job.kind,
        "state": job.state.value,
        "attempts": job.attempts,
        "message": job.message,
    }
