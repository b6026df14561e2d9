"""The Registration tab: the worklist, and exams from it or by hand."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from typing import Any

from harness.modality import images
from harness.modality.clock import date_of
from harness.modality.config import NodeName
from harness.modality.decisions.worklist import WorklistQuery
from harness.modality.domain import Exam, ExamKind, Patient, ScheduledStep, State, plain
from harness.modality.elements import is_uid
from harness.modality.errors import Cause, NotFound, PeerProblem, Refused, StoreProblem
from harness.modality.network import Reply
from harness.modality.services.kernel import Kernel, summary
from harness.modality.store import documents
from harness.modality.text import choose
from harness.modality.workflow import FINISHED, Event

_LIMITS = {"patient_id": 64, "accession_number": 16, "study_id": 16, "study_description": 64}


def judge_patient(patient: Patient, values: Mapping[str, str]) -> None:
    """Judge what was typed for a patient and a study; raises Refused with all that is wrong."""
    wrong = []
    for name, value in {"patient_id": patient.id, **values}.items():
        if len(value) > _LIMITS[name]:
            wrong.append(f"{name.replace('_', ' ')} has {len(value)} characters, {_LIMITS[name]} are allowed")
        if "\\" in value:
            wrong.append(f"{name.replace('_', ' ')} must not hold a backslash")
    groups = patient.name.split("=")
    if len(groups) > 3 or any(len(group) > 64 or group.count("^") > 4 for group in groups):
        wrong.append("the patient name has at most 3 groups of 64 characters with 5 components each")
    for name, value in {"patient_id": patient.id, "patient_name": patient.name, **values}.items():
        if any(unicodedata.category(letter) == "Cc" for letter in value):
            wrong.append(f"{name.replace('_', ' ')} must not hold control characters")
    if patient.birth_date and not _is_date(patient.birth_date):
        wrong.append(f"birth date {patient.birth_date!r} is not YYYYMMDD")
    if patient.sex not in {"", "M", "F", "O"}:
        wrong.append(f"sex {patient.sex!r} is not M, F or O")
    if not patient.id and not patient.name:
        wrong.append("give a patient ID or a patient name")
    if wrong:
        raise Refused("; ".join(wrong))


def _is_date(digits: str) -> bool:
    try:
        datetime.strptime(digits, "%Y%m%d")
    except ValueError:
        return False
    return len(digits) == 8 and digits.isascii() and digits.isdigit()


class Registration:
    """Scheduled and unscheduled patients."""

    def __init__(self, kernel: Kernel) -> None:
        self._k = kernel

    # -- scheduled ----------------------------------------------------------------------------------------------

    def worklist(
        self,
        date: str = "",
        time: str = "",
        modality: str = "",
        station: str = "",
        patient_name: str = "",
        patient_id: str = "",
        accession_number: str = "",
        requested_procedure_id: str = "",
        performing_physician: str = "",
        limit: int = 500,
    ) -> dict[str, Any]:
        """Ask the worklist provider once and keep its answers; date may be `today` or a range, station may be `me`."""
        query = WorklistQuery(
            date=date_of(self._k.clock.now()) if date == "today" else date.replace("--", "-"),
            time=time,
            modality=modality,
            station_ae_title=self._k.settings.local.ae_title if station == "me" else station,
            patient_name=patient_name,
            patient_id=patient_id,
            accession_number=accession_number,
            requested_procedure_id=requested_procedure_id,
            performing_physician=performing_physician,
        )
        words = (patient_name, patient_id, performing_physician)
        query = replace(query, character_set=choose(words, self._k.settings.environment.character_set))
        answers: list[ScheduledStep] = []
        cut, limit = False, max(1, min(limit, 10000))

        def on_match(reply: Reply) -> bool:
            nonlocal cut
            if reply.dataset is not None:
                if len(answers) < limit:
                    answers.append(self._k.behaviour.scheduled_step(reply.dataset))
                else:
                    cut = True
            return not cut

        try:
            service = self._k.behaviour.worklist_class()
            with self._k.link(NodeName.MWL, [self._k.context(service)]) as link:
                final = link.find(
                    service,
                    self._k.behaviour.worklist_identifier(query),
                    on_match,
                    is_pending=self._k.behaviour.worklist_match,
                )
                if not self._k.behaviour.worklist_complete(final.status):
                    detail = f"it could not answer: status {final.status:04X} {final.comment}".strip()
                    raise PeerProblem(Cause.STATUS, link.peer, detail, status=final.status)
                if not answers and (detail := self._k.behaviour.worklist_nothing()):
                    raise PeerProblem(Cause.STATUS, link.peer, detail, status=final.status)
        except PeerProblem as problem:
            self._connection(False, str(problem))
            self._k.log(1, "worklist", str(problem))
            raise
        self._connection(True, f"{len(answers)} entries")
        answers.sort(key=lambda step: (step.start_date, step.start_time, step.step_id))
        self._keep(answers)
        self._k.log(3, "worklist", f"{len(answers)} entries", query=plain(query))
        return {"items": self.rows(), "cut": cut}

    def _keep(self, answers: Sequence[ScheduledStep]) -> None:
        with self._k.database.transaction():
            kept: dict[str, ScheduledStep] = {}
            for row in self._k.database.rows("SELECT step_id, document FROM WorklistItem"):
                with suppress(StoreProblem):  # a damaged row is replaced by the answer of now
                    kept[row["step_id"]] = documents.read(ScheduledStep, row["document"], row["step_id"])
            self._k.database.run("DELETE FROM WorklistItem")
            for position, answered in enumerate(answers, start=1):
                step = self._k.behaviour.worklist_newest(kept.get(answered.step_id), answered)
                self._k.database.run(
                    "INSERT INTO WorklistItem (position, fetched_dttm, study_instance_uid, step_id, patient_id, "
                    "document) "
                    "VALUES (?, ?, ?, ?, ?, ?)",
                    position, self._k.now(), step.study_instance_uid, step.step_id, step.patient.id,
                    json.dumps(plain(step), ensure_ascii=False),
                )  # fmt: skip
        self._k.tell()

    def _connection(self, connected: bool, reason: str) -> None:
        state = {"connected": connected, "reason": reason, "when": self._k.now()}
        self._k.database.run("INSERT OR REPLACE INTO Setting VALUES ('worklist_connection', ?)", json.dumps(state))

    def worklist_status(self) -> dict[str, Any]:
        """Tell whether the last worklist query reached its provider, and if not, why."""
        found = self._k.database.scalar("SELECT value FROM Setting WHERE name = 'worklist_connection'")
        node = self._k.settings.nodes.mwl
        state = (
            documents.value(found, "worklist connection")
            if found
            else {"connected": False, "reason": "not asked yet", "when": ""}
        )
        return {"ae_title": node.ae_title, "host": node.host, "port": node.port, **state}

    def rows(self) -> list[dict[str, Any]]:
        """Return the answers of the last query, numbered from 1, each with what makes it unusable."""
        made = []
        for row in self._k.database.rows("SELECT position, document FROM WorklistItem ORDER BY position"):
            where = f"worklist entry {row['position']}"
            step: ScheduledStep = documents.read(ScheduledStep, row["document"], where)
            problems = list(self._k.behaviour.worklist_problems(step))
            made.append({"item": row["position"], "problems": problems, **plain(step)})
        return made

    # -- registering --------------------------------------------------------------------------------------------

    def register(
        self,
        items: Sequence[int] = (),
        step_ids: Sequence[str] = (),
        patient_id: str = "",
        patient_name: str = "",
        birth_date: str = "",
        sex: str = "",
        study_id: str = "",
        accession_number: str = "",
        study_description: str = "",
        modality: str = "",
        study_instance_uid: str = "",
    ) -> dict[str, Any]:
        """Register worklist rows by number or step ID (several make a group), or an unscheduled patient by hand."""
        if items or step_ids:
            return summary(self.scheduled(items, step_ids))
        if refusal := self._k.behaviour.unscheduled_refusal(bool(self.worklist_status()["connected"])):
            raise Refused(refusal)
        patient = Patient(name=patient_name, id=patient_id, birth_date=birth_date.replace("-", ""), sex=sex)
        judge_patient(
            patient,
            {"accession_number": accession_number, "study_id": study_id, "study_description": study_description},
        )
        if study_instance_uid and not is_uid(study_instance_uid):
            raise Refused(f"{study_instance_uid[:80]!r} is not a UID")
        kind = images.reported_modality(modality or self._k.settings.equipment.modality)
        behaviour = self._k.behaviour
        exam = Exam(
            key=0,
            kind=ExamKind.UNSCHEDULED,
            state=State.REGISTERED,
            steps=(),
            patient=patient,
            modality=kind,
            study_instance_uid=study_instance_uid or behaviour.study_instance_uid((), self._k.uids.new()),
            study_id=study_id or behaviour.study_id((), self._study_id()),
            accession_number=accession_number,
            study_description=study_description,
        )
        return summary(self._k.add_exam(exam))

    def scheduled(self, items: Sequence[int], step_ids: Sequence[str] = ()) -> Exam:
        """Register one or several rows of the last worklist answer as one exam."""
        steps = self._chosen(items, step_ids)
        problems = [
            f"{step.step_id or 'row'}: {p}" for step in steps for p in self._k.behaviour.worklist_problems(step)
        ]
        if problems:
            raise Refused(
                "the worklist entry cannot be used: " + "; ".join(problems) + "; register the patient by hand"
            )
        first = steps[0]
        if any(step.patient.id != first.patient.id or step.patient.issuer != first.patient.issuer for step in steps):
            raise Refused("worklist entries of different patients cannot be done as one exam")
        modality = images.reported_modality(first.modality or self._k.settings.equipment.modality)
        behaviour = self._k.behaviour
        study_uid = behaviour.study_instance_uid(steps, self._k.uids.new())
        exam = Exam(
            key=0,
            kind=ExamKind.GROUP if len(steps) > 1 else ExamKind.SCHEDULED,
            state=State.REGISTERED,
            steps=tuple(steps),
            patient=first.patient,
            modality=modality,
            study_instance_uid=study_uid,
            study_id=behaviour.study_id(steps, self._study_id()),
            accession_number=behaviour.accession_number(steps),
            study_description=first.requested_procedure_description,
            referring_physician=first.referring_physician,
            referenced_studies=behaviour.referenced_studies(steps, study_uid),
            character_set=first.character_set,
        )
        return self._k.add_exam(exam)

    def _chosen(self, items: Sequence[int], step_ids: Sequence[str]) -> list[ScheduledStep]:
        rows = self._k.database.rows("SELECT position, step_id, document FROM WorklistItem ORDER BY position")
        chosen = []
        for wanted in dict.fromkeys([*items, *step_ids]):
            column = "position" if isinstance(wanted, int) else "step_id"
            found = next((row for row in rows if row[column] == wanted), None)
            if found is None:
                raise NotFound(f"the worklist has no entry {wanted!r}; it has {len(rows)} entries, refresh it")
            chosen.append(documents.read(ScheduledStep, found["document"], f"worklist entry {found['position']}"))
        return chosen

    def _study_id(self) -> str:
        return f"S{self._k.database.next('study_id'):06d}"

    def modify(
        self,
        exam: int = 0,
        patient_id: str | None = None,
        patient_name: str | None = None,
        birth_date: str | None = None,
        sex: str | None = None,
        study_id: str | None = None,
        accession_number: str | None = None,
        study_description: str | None = None,
        modality: str | None = None,
    ) -> dict[str, Any]:
        """Change an unscheduled registration before it starts; what came from the worklist is not changed here."""
        found = self._k.step(self._k.exam(exam), Event.MODIFY)
        if found.steps:
            raise Refused(
                "this registration came from the worklist; have it corrected where it was scheduled, then refresh"
            )
        patient = replace(
            found.patient,
            id=found.patient.id if patient_id is None else patient_id,
            name=found.patient.name if patient_name is None else patient_name,
            birth_date=found.patient.birth_date if birth_date is None else birth_date.replace("-", ""),
            sex=found.patient.sex if sex is None else sex,
        )
        values: dict[str, Any] = {
            "study_id": found.study_id if study_id is None else study_id,
            "accession_number": found.accession_number if accession_number is None else accession_number,
            "study_description": found.study_description if study_description is None else study_description,
        }
        judge_patient(patient, values)
        changed = replace(found, patient=patient, modality=images.reported_modality(modality or found.modality))
        return summary(self._k.save(replace(changed, **values)))

    def dismiss(self, exam: int = 0) -> dict[str, Any]:
        """Remove a registration that has not been started."""
        found = self._k.exam(exam)
        if found.state is not State.REGISTERED:
            raise Refused(
                f"exam {found.key} is {found.state.value}; only a registration that was not started can be removed"
            )
        return summary(self._k.save(self._k.step(found, Event.CANCEL)))

    def append(self, exam: int) -> dict[str, Any]:
        """Go on with a finished exam: the same step and study, but a new performed step and new series."""
        before = self._k.exam(exam)
        if before.state not in FINISHED:
            raise Refused(f"exam {before.key} is {before.state.value}; only a finished exam can be continued")
        made = replace(
            before, key=0, kind=ExamKind.APPEND, state=State.REGISTERED, performed=None, shots=(), procedure=None
        )
        return summary(self._k.add_exam(made))
