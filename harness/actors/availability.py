"""Instance availability (PS3.4 Annex R; RAD-49): which steps wait for images, and the notification itself."""

from __future__ import annotations

import threading

from pydicom.dataset import Dataset

from harness.actors.performed_steps import PerformedStep
from harness.protocols.dicom.uids import MPPS


class AwaitedInstances:
    """Final performed steps some of whose instances are not archived yet; thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._missing: dict[str, set[str]] = {}
        self._steps: dict[str, PerformedStep] = {}

    def expect(self, step: PerformedStep, missing: set[str]) -> None:
        """Wait for these SOP Instance UIDs before the step is announced."""
        with self._lock:
            self._steps[step.uid] = step
            self._missing[step.uid] = set(missing)

    def arrived(self, sop_instance: str) -> list[PerformedStep]:
        """Note an archived instance; returns the steps that are complete by it, each once."""
        with self._lock:
            for missing in self._missing.values():
                missing.discard(sop_instance)
            complete = [uid for uid, missing in self._missing.items() if not missing]
            for uid in complete:
                del self._missing[uid]
            return [self._steps.pop(uid) for uid in complete]


def notifications(step: PerformedStep, retrieve_ae_title: str, availability: str = "ONLINE") -> list[Dataset]:
    """One notification per study of the step, with every instance the step lists (PS3.4 Table R.3.2-1)."""
    performed = Dataset()
    performed.ReferencedSOPClassUID = MPPS
    performed.ReferencedSOPInstanceUID = step.uid
    performed.PerformedWorkitemCodeSequence = []
    series: dict[str, list[Dataset]] = {}
    for series_uid, sop_class, sop_instance in step.instances:
        item = Dataset()
        item.ReferencedSOPClassUID = sop_class
        item.ReferencedSOPInstanceUID = sop_instance
        item.InstanceAvailability = availability
        item.RetrieveAETitle = retrieve_ae_title
        series.setdefault(series_uid, []).append(item)
    found = []
    for study_uid in dict.fromkeys(step.study_uids):
        notice = Dataset()
        notice.ReferencedPerformedProcedureStepSequence = [performed]
        notice.StudyInstanceUID = study_uid
        notice.ReferencedSeriesSequence = []
        for series_uid, items in series.items():
            entry = Dataset()
            entry.SeriesInstanceUID = series_uid
            entry.ReferencedSOPSequence = items
            notice.ReferencedSeriesSequence.append(entry)
        found.append(notice)
    return found
