"""Reports of performed steps to the PPS manager, through the queue so that none is lost or out of order."""

from __future__ import annotations

from pydicom.dataset import Dataset

from harness.modality import wire
from harness.modality.config import NodeName
from harness.modality.decisions.performed import MPPS, performed
from harness.modality.domain import Exam
from harness.modality.errors import Cause, PeerProblem
from harness.modality.jobs import Job
from harness.modality.services.kernel import Kernel


class PerformedSteps:
    """N-CREATE and N-SET of the modality performed procedure step."""

    def __init__(self, kernel: Kernel) -> None:
        self._k = kernel
        kernel.queue.handle("mpps", self._send)

    def report_start(self, exam: Exam) -> list[int]:
        """Queue the N-CREATE; nothing if the node is switched off."""
        return self._queue(exam, "create", self._k.behaviour.performed_created(exam, self._k.settings))

    def report_end(self, exam: Exam, discontinued: bool) -> list[int]:
        """Queue the final N-SET; nothing if the node is switched off."""
        behaviour = self._k.behaviour
        if not behaviour.reports_end(discontinued):
            return []
        shots = behaviour.reported(exam.confirmed)
        changes = behaviour.performed_ended(exam, behaviour.series_items(exam, shots, self._k.uids.new()))
        changes.update(behaviour.billing(exam))
        keys: list[int] = []
        for _ in range(behaviour.progress_reports()):
            progress = Dataset()
            progress.update(
                {e.tag: e for e in changes if e.keyword in {"SpecificCharacterSet", "PerformedSeriesSequence"}}
            )
            keys += self._queue(exam, "progress", progress)
        for _ in range(behaviour.final_reports()):
            keys += self._queue(exam, "end", behaviour.final_changes(changes))
        return keys

    def _queue(self, exam: Exam, operation: str, dataset: Dataset) -> list[int]:
        if not self._k.settings.nodes.mpps.enabled:
            return []
        uid = performed(exam).instance_uid
        payload = {
            "operation": operation,
            "instance": uid,
            "dataset": wire.encode_dataset(dataset, wire.EXPLICIT_VR_LE).hex(),
        }
        return [self._k.queue.add("mpps", f"mpps:{uid}", payload, exam.key)]

    def _send(self, job: Job) -> str:
        operation, uid = job.payload["operation"], job.payload["instance"]
        dataset = wire.decode_dataset(bytes.fromhex(job.payload["dataset"]), wire.EXPLICIT_VR_LE)
        with self._k.link(NodeName.MPPS, [self._k.context(MPPS)]) as link:
            if operation == "create":
                reply = link.n_create(MPPS, uid, dataset)
                accepted = self._k.behaviour.create_accepted(reply.status, job.interrupted)
            else:
                reply = link.n_set(MPPS, uid, dataset)
                accepted = self._k.behaviour.set_accepted(reply.status, job.interrupted)
            if not accepted:
                detail = f"it refused the performed step: status {reply.status:04X} {reply.comment}".strip()
                raise PeerProblem(Cause.STATUS, link.peer, detail, status=reply.status)
        column = "created_at_peer" if operation == "create" else "ended_at_peer"
        self._k.database.run(f"UPDATE PerformedStep SET {column} = ? WHERE sop_instance_uid = ?", self._k.now(), uid)
        return f"{'N-CREATE' if operation == 'create' else 'N-SET'} {reply.status:04X}"
