"""What all services share: the database, settings, clock, UIDs, decisions, the queue, and the exams."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from harness.core.errors import ConfigurationError
from harness.modality.behaviour import Behaviour
from harness.modality.clock import Clock, Uids
from harness.modality.config import Configuration, NodeName
from harness.modality.domain import Exam, State, plain
from harness.modality.errors import Cause, NotFound, PeerProblem, Refused
from harness.modality.jobs import JobQueue
from harness.modality.network import Context, Link
from harness.modality.provider import ReportHandler, StoreHandler
from harness.modality.secure import usable
from harness.modality.signal import Signal
from harness.modality.store import documents
from harness.modality.store.archive import Archive
from harness.modality.store.database import Database
from harness.modality.traffic import Traffic
from harness.modality.workflow import ACTIVE, Event, advance

_PLACE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_. -]{0,99}")


@dataclass(slots=True)
class Kernel:
    """The shared parts. `settings` is replaced as a whole when the configuration changes."""

    home: Path
    database: Database
    clock: Clock
    uids: Uids
    behaviour: Behaviour
    settings: Configuration
    seed: int
    queue: JobQueue = field(init=False)
    archive: Archive = field(init=False)
    traffic: Traffic = field(init=False)
    news: Signal = field(default_factory=Signal)
    report_handler: ReportHandler | None = None
    listening_port: Callable[[], int] = lambda: 0
    #: id and title of each defect that was seeded on purpose
    defects: tuple[dict[str, str], ...] = ()
    #: whether others than the owner of this process may ask: they name no places outside of `home`
    served: bool = False

    def __post_init__(self) -> None:
        self.queue = JobQueue(self.database, self.clock, lambda: self.settings.background)
        self.archive = Archive(self.database)
        self.traffic = Traffic(self.now)

    # -- time and words -----------------------------------------------------------------------------------------

    def now(self) -> str:
        """Return the moment as the database keeps it."""
        return self.clock.now().isoformat(sep=" ")

    def log(self, level: int, kind: str, message: str, **data: Any) -> None:
        """Write into the event log, if the log level of the settings asks for it."""
        if level <= self.settings.environment.log_level + 2:
            self.database.log(self.now(), level, kind, message, data)

    def tell(self) -> None:
        """Wake up whoever waits for a change."""
        self.news.set()

    # -- places -------------------------------------------------------------------------------------------------

    def place(self, target: str, folder: str) -> Path:
        """Return where something may be written; over the network only below a folder of the home. Raises Refused."""
        if not self.served:
            return Path(target).expanduser()
        if not _PLACE.fullmatch(target):
            raise Refused(f"{target[:80]!r}: give a plain name; it is written below {self.home / folder}")
        return self.home / folder / target

    # -- peers --------------------------------------------------------------------------------------------------

    def link(
        self,
        name: NodeName,
        contexts: Sequence[Context],
        *,
        on_report: ReportHandler | None = None,
        on_store: StoreHandler | None = None,
    ) -> Link:
        """Open an association to one of the six nodes; raises PeerProblem."""
        node = self.settings.nodes.get(name)
        try:
            tls = usable(self.settings.tls, self.home)
        except ConfigurationError as error:
            raise PeerProblem(Cause.TLS, f"{name.value} {node.ae_title}@{node.host}:{node.port}", str(error)) from None
        return Link(
            name.value, node, contexts, calling=self.settings.local.ae_title,
            timeouts=self.settings.timeouts, on_report=on_report, on_store=on_store,
            politely=self.behaviour.leaves_politely(), watch=self.traffic.handlers(incoming=False),
            tls=tls.client_context() if tls is not None else None,
        )  # fmt: skip

    def context(self, abstract_syntax: str, preferred: str = "1.2.840.10008.1.2.1") -> Context:
        """Return the context to propose for a service."""
        return Context(abstract_syntax, self.behaviour.transfer_syntaxes(abstract_syntax, preferred))

    # -- exams --------------------------------------------------------------------------------------------------

    def add_exam(self, exam: Exam) -> Exam:
        """Keep a new exam; return it with its key."""
        now = self.now()
        with self.database.transaction():
            key = self.database.run(
                "INSERT INTO Exam (kind, state, study_instance_uid, patient_id, document, created_dttm, updated_dttm) "
                "VALUES (?, ?, ?, ?, '{}', ?, ?)",
                exam.kind.value, exam.state.value, exam.study_instance_uid, exam.patient.id, now, now,
            )  # fmt: skip
            return self.save(replace(exam, key=key))

    def save(self, exam: Exam) -> Exam:
        """Keep a changed exam."""
        self.database.run(
            "UPDATE Exam SET kind = ?, state = ?, study_instance_uid = ?, patient_id = ?, document = ?, "
            "updated_dttm = ? "
            "WHERE exam_key = ?",
            exam.kind.value, exam.state.value, exam.study_instance_uid, exam.patient.id,
            json.dumps(plain(exam), ensure_ascii=False), self.now(), exam.key,
        )  # fmt: skip
        self.tell()
        return exam

    def exam(self, key: int | None) -> Exam:
        """Return an exam by key, or the only one that is open; raises NotFound or Refused."""
        if not key:
            open_ones = self.database.rows(
                f"SELECT exam_key FROM Exam WHERE state IN ({','.join('?' * (len(ACTIVE) + 1))}) ORDER BY exam_key",
                *sorted(state.value for state in ACTIVE), State.REGISTERED.value,
            )  # fmt: skip
            if len(open_ones) != 1:
                keys = ", ".join(str(row["exam_key"]) for row in open_ones) or "none"
                raise Refused(f"say which exam; open exams: {keys}")
            key = int(open_ones[0]["exam_key"])
        row = self.database.row("SELECT document FROM Exam WHERE exam_key = ?", key)
        if row is None:
            raise NotFound(f"there is no exam {key}")
        found: Exam = documents.read(Exam, row["document"], f"exam {key}")
        return found

    def exams_of(self, study_uid: str) -> list[Exam]:
        """Return the exams of a study, oldest first."""
        rows = self.database.rows(
            "SELECT exam_key, document FROM Exam WHERE study_instance_uid = ? ORDER BY exam_key", study_uid
        )
        return [documents.read(Exam, row["document"], f"exam {row['exam_key']}") for row in rows]

    def step(self, exam: Exam, event: Event) -> Exam:
        """Move an exam along the state machine without keeping it yet; raises Refused."""
        return replace(exam, state=advance(exam.state, event))


def summary(exam: Exam) -> dict[str, Any]:
    """Tell of an exam what a list or a driver needs."""
    step = exam.performed
    return {
        "exam": exam.key,
        "state": exam.state.value,
        "kind": exam.kind.value,
        "modality": exam.modality,
        "patient": plain(exam.patient),
        "study_instance_uid": exam.study_instance_uid,
        "study_id": exam.study_id,
        "accession_number": exam.accession_number,
        "study_description": exam.study_description,
        "mpps_instance_uid": step.instance_uid if step else "",
        "performed_step_id": step.step_id if step else "",
        "mpps_status": step.status if step else "",
        "procedure": exam.procedure.name if exam.procedure else "",
        "scheduled_step_ids": [each.step_id for each in exam.steps],
        "objects": [
            {
                "number": shot.number,
                "state": shot.state.value,
                "modality": shot.modality,
                "sop_class_uid": shot.sop_class_uid,
                "sop_instance_uid": shot.sop_instance_uid,
                "series_instance_uid": shot.series_instance_uid,
                "instance_number": shot.instance_number,
                "protocol": shot.protocol_name,
            }
            for shot in exam.shots
        ],
    }
