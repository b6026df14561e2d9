"""The Acquisition tab: from Start to End Exam or Cancel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from harness.modality import catalogue, compression, images, wire
from harness.modality.clock import date_of, time_of
from harness.modality.decisions import performed as steps
from harness.modality.domain import (
    Code,
    Exam,
    PerformedStep,
    Shot,
    ShotState,
    State,
    Technique,
    plain,
)
from harness.modality.elements import texts
from harness.modality.errors import NotFound, Refused, StoreProblem
from harness.modality.jobs import Job
from harness.modality.services.delivery import Delivery
from harness.modality.services.keeping import REJECTION_REASONS, Keeping
from harness.modality.services.kernel import Kernel, summary
from harness.modality.services.performed import PerformedSteps
from harness.modality.services.registration import Registration
from harness.modality.workflow import ACTIVE, Event


class Examination:
    """Acquisition with its performed step."""

    def __init__(
        self,
        kernel: Kernel,
        keeping: Keeping,
        reports: PerformedSteps,
        delivery: Delivery,
        registration: Registration,
    ) -> None:
        self._k, self._keeping, self._reports = kernel, keeping, reports
        self._delivery, self._registration = delivery, registration

    # -- starting ----------------------------------------------------------------------------------------------

    def start(self, exam: int = 0, procedure: str = "", protocol: str = "", operator: str = "") -> dict[str, Any]:
        """Start an exam: make the performed step and report it; another procedure or protocol may be chosen."""
        found = self._k.step(self._k.exam(exam), Event.START)
        now = self._k.clock.now()
        earlier = [each for each in self._k.exams_of(found.study_instance_uid) if each.performed is not None]
        first = earlier[0] if earlier else None
        found = replace(
            found,
            operator=operator or self._k.settings.environment.operator,
            study_date=first.study_date if first else date_of(now),
            study_time=first.study_time if first else time_of(now),
        )
        found = self._choose(found, procedure, protocol)
        uid = self._k.behaviour.performed_instance_uid(
            [each.performed.instance_uid for each in earlier if each.performed], self._k.uids.new()
        )
        step_id = self._k.behaviour.performed_step_id(date_of(now), self._k.database.next("performed_step"))
        found = self._describe(
            replace(found, performed=PerformedStep(uid, step_id, date_of(now), time_of(now))), protocol
        )
        found = self._with_character_set(found)
        with self._k.database.transaction():
            self._k.save(found)
            self._k.database.run(
                "INSERT INTO PerformedStep (exam_key, sop_instance_uid, step_id, status, started_dttm) "
                "VALUES (?, ?, ?, 'IN PROGRESS', ?) ON CONFLICT (sop_instance_uid) DO NOTHING",
                found.key, uid, step_id, self._k.now(),
            )  # fmt: skip
            jobs = self._reports.report_start(found) if self._k.behaviour.creates_before_images() else []
        return self._outcome(found.key, self._k.queue.run(*jobs))

    def _choose(self, exam: Exam, procedure: str, protocol: str) -> Exam:
        if procedure:
            return replace(exam, procedure=catalogue.procedure(procedure))
        if protocol and exam.procedure is None and not exam.steps:
            return replace(exam, procedure=catalogue.of_protocol(catalogue.protocol(protocol)))
        if not exam.steps and exam.procedure is None:
            return replace(exam, procedure=catalogue.DEFAULT)
        return exam

    def _describe(self, exam: Exam, protocol: str = "") -> Exam:
        # What was performed: the plan, unless the technologist chose otherwise.
        used = [shot.protocol for shot in exam.confirmed if shot.protocol is not None]
        if protocol and not used:
            used = [catalogue.protocol(protocol, exam.procedure)]
        elif exam.procedure is not None and not used:
            used = [exam.procedure.protocols[0]]
        behaviour = self._k.behaviour
        step = replace(
            steps.performed(exam),
            procedure_codes=behaviour.procedure_codes(exam.steps, exam.procedure),
            protocol_codes=behaviour.protocol_codes(exam.steps, used),
            description=behaviour.description(exam.steps, exam.procedure),
        )
        return replace(exam, performed=step)

    def _with_character_set(self, exam: Exam) -> Exam:
        words = [*texts(steps.created(exam, self._k.settings)), exam.operator, exam.study_description]
        words += [exam.referring_physician, *(step.performing_physician for step in exam.steps)]
        words += list(plain(self._k.settings.institution).values())
        chosen = self._k.behaviour.character_set(words, exam.character_set, self._k.settings.environment.character_set)
        return replace(exam, performed=replace(steps.performed(exam), character_set=tuple(chosen)))

    def select(self, exam: int = 0, procedure: str = "", protocol: str = "") -> dict[str, Any]:
        """Choose another procedure or protocol for the next exposures."""
        found = self._k.step(self._k.exam(exam), Event.SELECT)
        return summary(self._k.save(self._describe(self._choose(found, procedure, protocol), protocol)))

    # -- exposing ----------------------------------------------------------------------------------------------

    def ready(self, exam: int = 0) -> dict[str, Any]:
        """Make the equipment ready for one exposure."""
        return summary(self._k.save(self._k.step(self._k.exam(exam), Event.READY)))

    def shot(
        self,
        exam: int = 0,
        protocol: str = "",
        kvp: float = 70.0,
        tube_current: float = 110.0,
        exposure_time: float = 100.0,
        phantom: str = "",
    ) -> dict[str, Any]:
        """Release one exposure (only when ready): kV, mA and ms; the picture then waits to be confirmed or rejected."""
        found = self._k.step(self._k.exam(exam), Event.SHOT)
        if not (0 < kvp <= 200 and 0 < tube_current <= 2000 and 0 < exposure_time <= 10000):
            raise Refused("technique out of range: up to 200 kV, 2000 mA and 10000 ms")
        entry = catalogue.protocol(protocol) if protocol else found.procedure.protocols[0] if found.procedure else None
        if protocol and entry is not None and found.procedure is not None and entry not in found.procedure.protocols:
            found = replace(found, procedure=catalogue.of_protocol(entry))
        name = entry.name if entry is not None else self._planned_protocol(found)
        now = self._k.clock.now()
        kind = images.kind_of(found.modality)
        series_uid, series_number = self._keeping.series(found, found.modality, name)
        uid = self._k.uids.new()
        made = Shot(
            number=len(found.shots) + 1,
            state=ShotState.TAKEN,
            sop_class_uid=kind.sop_class_uid,
            sop_instance_uid=uid,
            series_instance_uid=series_uid,
            series_number=series_number,
            modality=found.modality,
            protocol_name=name,
            series_description=name,
            instance_number=len([s for s in found.confirmed if s.series_instance_uid == series_uid]) + 1,
            date=date_of(now),
            time=time_of(now),
            file=f"objects/{found.study_instance_uid}/{uid}",
            technique=Technique(kvp, tube_current, exposure_time),
            protocol=entry,
        )
        common = self._k.behaviour.object_common(found, made, self._k.settings)
        dataset = images.build(common, found, made, phantom, self._k.seed)
        self._keeping.write(made, dataset)
        try:
            return summary(self._k.save(replace(found, shots=(*found.shots, made))))
        except StoreProblem:
            (self._k.home / made.file).unlink(missing_ok=True)  # nothing knows this file
            raise

    def _planned_protocol(self, exam: Exam) -> str:
        for step in exam.steps:
            for code in step.protocol_codes:
                if code.meaning:
                    return code.meaning
            if step.step_description:
                return step.step_description
        return "Standard"

    def confirm(self, exam: int = 0) -> dict[str, Any]:
        """Keep the exposure that waits."""
        found = self._k.step(self._k.exam(exam), Event.CONFIRM)
        waiting = found.with_state(ShotState.TAKEN)[-1]
        kept = replace(waiting, state=ShotState.CONFIRMED)
        found = replace(found, shots=tuple(kept if s.number == kept.number else s for s in found.shots))
        with self._k.database.transaction():
            self._k.save(self._describe(found))
            self._keeping.keep(found, kept)
        return summary(self._k.exam(found.key))

    def expose(
        self,
        exam: int = 0,
        count: int = 1,
        protocol: str = "",
        kvp: float = 70.0,
        tube_current: float = 110.0,
        exposure_time: float = 100.0,
        phantom: str = "",
        confirm: bool = True,
    ) -> dict[str, Any]:
        """Scan: ready, shot and confirm, `count` times; with confirm off, the last one waits to be looked at."""
        if not 1 <= count <= 1000:
            raise Refused("1 to 1000 exposures")
        made: dict[str, Any] = {}
        for number in range(1, count + 1):
            if self._k.exam(exam).state is not State.READY:
                self.ready(exam)
            made = self.shot(exam, protocol, kvp, tube_current, exposure_time, phantom)
            if confirm or number < count:
                made = self.confirm(exam)
        return made

    def reject(self, exam: int = 0, number: int = 0, reason: str = "113001") -> dict[str, Any]:
        """Discard the exposure that waits, or a confirmed one by its number; it is never reported nor sent."""
        if reason not in REJECTION_REASONS:
            raise Refused(f"no rejection reason {reason!r}; there are {', '.join(REJECTION_REASONS)}")
        before = self._k.exam(exam)
        found = self._k.step(before, Event.REJECT)
        candidates = found.with_state(ShotState.TAKEN, ShotState.CONFIRMED)
        if before.state is State.REVIEWING:
            candidates = found.with_state(ShotState.TAKEN)
        chosen = [shot for shot in candidates if not number or shot.number == number]
        if not chosen:
            raise NotFound(f"there is no exposure {number} to reject" if number else "there is no exposure to reject")
        gone = replace(chosen[-1], state=ShotState.REJECTED, reason=REJECTION_REASONS[reason])
        found = replace(found, shots=tuple(gone if s.number == gone.number else s for s in found.shots))
        with self._k.database.transaction():
            self._k.save(self._describe(self._keeping.renumbered(found)))
            self._k.archive.remove_instance(gone.sop_instance_uid, self._k.now())
        return summary(self._k.exam(found.key))

    # -- finishing ---------------------------------------------------------------------------------------------

    def end(self, exam: int = 0) -> dict[str, Any]:
        """End the exam: report COMPLETED with all that was kept, then store only or send, as the settings say."""
        found = self._k.step(self._k.exam(exam), Event.END)
        if not found.confirmed:
            raise Refused("nothing was confirmed; expose and confirm, or cancel the exam with a reason")
        return self._finish(found, discontinued=False, reason=None)

    def cancel(self, exam: int = 0, reason: str = "110513", keep_objects: bool = True) -> dict[str, Any]:
        """Cancel the exam with a coded reason: report DISCONTINUED with what exists; before Start just remove it."""
        if reason not in steps.REASONS:
            raise Refused(f"no discontinuation reason {reason!r}; there are {', '.join(steps.REASONS)}")
        found = self._k.step(self._k.exam(exam), Event.CANCEL)
        if found.state is State.DISMISSED:
            return self._outcome(self._k.save(found).key, [])
        dropped = {ShotState.TAKEN} if keep_objects else {ShotState.TAKEN, ShotState.CONFIRMED}
        why = REJECTION_REASONS["113001"]
        shots = tuple(
            replace(s, state=ShotState.REJECTED, reason=why) if s.state in dropped else s for s in found.shots
        )  # fmt: skip
        return self._finish(
            self._keeping.renumbered(replace(found, shots=shots)),
            discontinued=True,
            reason=steps.REASONS[reason],
            gone=[shot.sop_instance_uid for shot in found.shots if shot.state in dropped],
        )

    def _finish(
        self, exam: Exam, *, discontinued: bool, reason: Code | None, gone: Sequence[str] = ()
    ) -> dict[str, Any]:
        now = self._k.clock.now()
        exam = self._describe(exam)
        begun = steps.performed(exam)
        # A clock that was set back in between must not let a step end before it began.
        moment = max((date_of(now), time_of(now)), (begun.start_date, begun.start_time))
        step = replace(
            begun,
            status=self._k.behaviour.final_status(discontinued),
            end_date=moment[0],
            end_time=moment[1],
            reason=reason,
        )
        exam = replace(exam, performed=step)
        with self._k.database.transaction():
            for uid in gone:
                self._k.archive.remove_instance(uid, self._k.now())
            if self._k.settings.end_exam.send_rejected:
                exam = self._keeping.with_rejection_notes(exam)
            exam = self._keeping.settle(exam)
            self._k.save(exam)
            self._k.database.run(
                "UPDATE PerformedStep SET status = ?, ended_dttm = ? WHERE sop_instance_uid = ?",
                step.status, self._k.now(), step.instance_uid,
            )  # fmt: skip
            jobs = [] if self._k.behaviour.creates_before_images() else self._reports.report_start(exam)
            ended = self._reports.report_end(exam, discontinued)
            sent: list[int] = []
            if self._k.settings.end_exam.send and exam.confirmed:
                sent = self._delivery.plan(exam.key)
            jobs += [*ended, *sent] if self._k.behaviour.ends_before_transfer() else [*sent, *ended]
        return self._outcome(exam.key, self._k.queue.run(*jobs))

    def _outcome(self, key: int, jobs: Sequence[Job]) -> dict[str, Any]:
        return {**summary(self._k.exam(key)), "jobs": [job_line(job) for job in jobs]}

    def reassign(self, exam: int, items: Sequence[int] = (), step_ids: Sequence[str] = ()) -> dict[str, Any]:
        """Do a cancelled exam anew on the right worklist entry: a new performed step, images under new identifiers."""
        wrong = self._k.exam(exam)
        if wrong.performed is None or wrong.performed.status != "DISCONTINUED":
            raise Refused(
                f"exam {wrong.key} is {wrong.state.value}; cancel it first with reason {steps.WRONG_WORKLIST_ENTRY}"
            )
        right = self._registration.scheduled(items, step_ids)
        self.start(right.key)
        for shot in wrong.confirmed:
            if not shot.is_image:
                continue
            target = self._k.exam(right.key)
            series_uid, series_number = self._keeping.series(target, shot.modality, shot.protocol_name)
            uid = self._k.behaviour.moved_instance_uid(shot.sop_instance_uid, self._k.uids.new())
            moved = replace(
                shot,
                number=len(target.shots) + 1,
                sop_instance_uid=uid,
                series_instance_uid=series_uid,
                series_number=series_number,
                instance_number=len([s for s in target.confirmed if s.series_instance_uid == series_uid]) + 1,
                file=f"objects/{target.study_instance_uid}/{uid}",
            )
            target = replace(target, shots=(*target.shots, moved))
            dataset, own = wire.read_file(self._k.home / shot.file)
            dataset = compression.decompress(dataset, own)
            for keyword in ("RequestAttributesSequence", "ReferencedStudySequence", "ProcedureCodeSequence"):
                dataset.pop(keyword, None)
            dataset.update(self._k.behaviour.object_common(target, moved, self._k.settings))
            self._keeping.write(moved, dataset)
            with self._k.database.transaction():
                self._k.save(target)
                self._keeping.keep(target, moved)
        return self.end(right.key)

    # -- looking -----------------------------------------------------------------------------------------------

    def show(self, exam: int = 0) -> dict[str, Any]:
        """Show one exam with all its data."""
        found = self._k.exam(exam)
        return {**summary(found), "document": plain(found)}

    def exams(self, active: bool = False) -> list[dict[str, Any]]:
        """List the exams."""
        keys = [row["exam_key"] for row in self._k.database.rows("SELECT exam_key FROM Exam ORDER BY exam_key")]
        found = [self._k.exam(key) for key in keys]
        return [summary(e) for e in found if not active or e.state in ACTIVE or e.state is State.REGISTERED]


def job_line(job: Job) -> dict[str, Any]:
    """Tell what became of a job."""
    return {
        "job": job.key,
        "kind": job.kind,
        "state": job.state.value,
        "attempts": job.attempts,
        "message": job.message,
    }
