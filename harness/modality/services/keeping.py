"""The objects of an exam: their series and numbers, their files, and what becomes of them when the exam ends."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from pydicom.dataset import Dataset
from pydicom.uid import UID

from harness.modality import compression, objects, wire
from harness.modality.clock import date_of, time_of
from harness.modality.domain import Code, Exam, Shot, ShotState
from harness.modality.errors import StoreProblem
from harness.modality.services.kernel import Kernel

REJECTION_REASONS = {
    "113001": Code("113001", "DCM", "Rejected for Quality Reasons"),
    "113037": Code("113037", "DCM", "Rejected for Patient Safety Reasons"),
    "113038": Code("113038", "DCM", "Incorrect Modality Worklist Entry"),
}


class Keeping:
    """Keeps objects in files and studies."""

    def __init__(self, kernel: Kernel) -> None:
        self._k = kernel

    def series(self, exam: Exam, modality: str, protocol: str) -> tuple[str, int]:
        """Return UID and number of the exam's series for a protocol, new ones if there is none yet."""
        for shot in exam.shots:
            if (shot.modality, shot.protocol_name) == (modality, protocol):
                return shot.series_instance_uid, shot.series_number
        numbers = [s.series_number for each in self._k.exams_of(exam.study_instance_uid) for s in each.shots]
        earlier = [s.series_instance_uid for each in self._k.exams_of(exam.study_instance_uid) for s in each.shots]
        uid = self._k.behaviour.series_instance_uid(earlier, self._k.uids.new())
        return uid, max([*numbers, *(s.series_number for s in exam.shots), 0]) + 1

    def write(self, shot: Shot, dataset: Dataset, syntax: str = wire.EXPLICIT_VR_LE) -> int:
        """Write the file of an object; raises StoreProblem if the disk does not take it."""
        try:
            return wire.write_file(self._k.home / shot.file, dataset, syntax)
        except OSError as error:
            raise StoreProblem(
                f"{self._k.home}: the image could not be written: {error.strerror}; free space and repeat"
            ) from error

    def keep(self, exam: Exam, shot: Shot) -> None:
        """Enter a confirmed object into the studies."""
        dataset, syntax = wire.read_file(self._k.home / shot.file)
        size = (self._k.home / shot.file).stat().st_size
        self._k.archive.add(
            dataset, Path(shot.file), size, now=self._k.now(), exam=exam.key, origin="acquired", syntax=syntax
        )  # fmt: skip

    @staticmethod
    def renumbered(exam: Exam) -> Exam:
        counts: dict[str, int] = {}
        shots = []
        for shot in exam.shots:
            if shot.state is not ShotState.REJECTED:
                counts[shot.series_instance_uid] = counts.get(shot.series_instance_uid, 0) + 1
                shot = replace(shot, instance_number=counts[shot.series_instance_uid])
            shots.append(shot)
        return replace(exam, shots=tuple(shots))

    def settle(self, exam: Exam) -> Exam:
        # Headers are written once more: what was performed is known for sure only at the end. Then the encoding
        # that the settings ask for; a lossy one makes new objects.
        target = compression.scheme(self._k.settings.end_exam.transfer_syntax)
        for shot in exam.confirmed:
            path = self._k.home / shot.file
            dataset, own = wire.read_file(path)
            dataset = compression.decompress(dataset, own)
            dataset.update(self._k.behaviour.object_common(exam, shot, self._k.settings))
            if not shot.is_image:
                dataset = self._without(dataset, shot)
            encoding = target if shot.is_image or not UID(target.uid).is_encapsulated else compression.EXPLICIT
            unsuitable = compression.unsuitable(dataset, encoding)
            if unsuitable:
                self._k.log(2, "compression", f"{unsuitable}; it stays uncompressed")
                encoding = compression.EXPLICIT
            coded = compression.compress(dataset, encoding, new_uid=self._k.uids.new)
            if str(coded.SOPInstanceUID) != shot.sop_instance_uid:
                self._k.archive.remove_instance(shot.sop_instance_uid, self._k.now())
                uid = str(coded.SOPInstanceUID)
                shot = replace(shot, sop_instance_uid=uid, file=f"objects/{exam.study_instance_uid}/{uid}")
                exam = replace(exam, shots=tuple(shot if s.number == shot.number else s for s in exam.shots))
            self.write(shot, self._k.behaviour.object_finish(coded), encoding.uid)
            self.keep(exam, shot)
        return exam

    @staticmethod
    def _without(dataset: Dataset, shot: Shot) -> Dataset:
        for keyword in objects.absent_from(shot.modality):
            dataset.pop(keyword, None)
        return dataset

    def with_rejection_notes(self, exam: Exam) -> Exam:
        """Keep rejected images after all, each under a key object note that says why it was rejected."""
        rejected = exam.with_state(ShotState.REJECTED)
        if not rejected:
            return exam
        kept = tuple(replace(s, state=ShotState.CONFIRMED) if s in rejected else s for s in exam.shots)
        exam = self.renumbered(replace(exam, shots=kept))
        for reason in dict.fromkeys(shot.reason or REJECTION_REASONS["113001"] for shot in rejected):
            pictures = [wire.read_file(self._k.home / s.file)[0] for s in rejected if (s.reason or reason) == reason]
            build = self._rejection_note(pictures, reason)
            exam = self.attach(exam, "KO", objects.KEY_OBJECTS, "Rejection notes", build)
        for shot in rejected:
            self.keep(exam, next(s for s in exam.shots if s.number == shot.number))
        return exam

    @staticmethod
    def _rejection_note(pictures: Sequence[Dataset], reason: Code) -> Callable[[Dataset, Exam], Dataset]:
        def build(common: Dataset, exam: Exam) -> Dataset:
            requests = objects.referenced_requests(exam.steps, exam.study_instance_uid)
            return objects.key_object_note(common, pictures, reason, "", None, requests)

        return build

    def attach(
        self, exam: Exam, modality: str, sop_class: str, series: str, build: Callable[[Dataset, Exam], Dataset]
    ) -> Exam:
        """Add an object that is no image to an exam that goes on."""
        now = self._k.clock.now()
        uid = self._k.uids.new()
        series_uid, number = self.series(exam, modality, series)
        shot = Shot(
            number=len(exam.shots) + 1,
            state=ShotState.CONFIRMED,
            sop_class_uid=sop_class,
            sop_instance_uid=uid,
            series_instance_uid=series_uid,
            series_number=number,
            modality=modality,
            protocol_name=series,
            series_description=series,
            instance_number=len([s for s in exam.confirmed if s.series_instance_uid == series_uid]) + 1,
            date=date_of(now),
            time=time_of(now),
            file=f"objects/{exam.study_instance_uid}/{uid}",
        )
        exam = replace(exam, shots=(*exam.shots, shot))
        dataset = build(self._k.behaviour.object_common(exam, shot, self._k.settings), exam)
        self.write(shot, self._without(dataset, shot))
        with self._k.database.transaction():
            self._k.save(exam)
            self.keep(exam, shot)
        return exam
