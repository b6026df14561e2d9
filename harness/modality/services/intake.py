"""Objects that were made elsewhere: judged, written and entered, whether a peer sent them or a folder holds them."""

from __future__ import annotations

import contextlib
from enum import StrEnum
from pathlib import Path

from pydicom.dataset import Dataset
from pydicom.uid import UID

from harness.modality import wire
from harness.modality.elements import is_uid, text
from harness.modality.listener import STORED_SYNTAXES
from harness.modality.services.kernel import Kernel
from harness.modality.workflow import ACTIVE

#: bytes of one object
MOST = 64 * 1024 * 1024


class Taken(StrEnum):
    """What became of an object; each but the first two says what is wrong with it."""

    KEPT = "kept"
    OURS = "our own of that UID is not committed yet and was kept"
    TOO_LARGE = "larger than 64 MB"
    SYNTAX = "its transfer syntax is not taken here"
    UNREADABLE = "the data set cannot be read"
    MISMATCH = "its identifiers are missing, wrong, or not those that were announced"


class Intake:
    """Takes objects into the store."""

    def __init__(self, kernel: Kernel) -> None:
        self._k = kernel

    def take(self, body: bytes, sop_class: str, sop_instance: str, syntax: str, origin: str) -> Taken:
        """Keep an encoded object; raises OSError or StoreProblem if the disk does not take it."""
        if len(body) > MOST:
            return Taken.TOO_LARGE
        if syntax not in STORED_SYNTAXES:
            return Taken.SYNTAX
        if not is_uid(sop_instance):
            return Taken.MISMATCH
        try:
            dataset = wire.decode_dataset(body, syntax)
        except ValueError:
            return Taken.UNREADABLE
        study, series = text(dataset, "StudyInstanceUID"), text(dataset, "SeriesInstanceUID")
        same = (text(dataset, "SOPInstanceUID"), text(dataset, "SOPClassUID")) == (sop_instance, sop_class)
        if not (same and is_uid(study) and is_uid(series)):
            return Taken.MISMATCH
        if self._is_unsafe(sop_instance):
            self._k.log(2, "intake", f"{sop_instance}: {Taken.OURS}")
            return Taken.OURS
        relative = Path("objects") / study / sop_instance
        self._keep(dataset, relative, body, syntax, origin)
        self._k.tell()
        return Taken.KEPT

    def _keep(self, dataset: Dataset, relative: Path, body: bytes, syntax: str, origin: str) -> None:
        """Write and enter an object: both or, if the disk is full, neither."""
        place = self._k.home / relative
        known = place.exists()
        with contextlib.ExitStack() as stack:
            # rolled back before this file is removed, whatever fails
            stack.push(lambda kind, error, trace: None if kind is None or known else place.unlink(missing_ok=True))

            def enter(size: int) -> None:
                stack.enter_context(self._k.database.transaction())
                self._k.archive.add(
                    dataset, relative, size, now=self._k.now(), exam=None, origin=origin, syntax=syntax
                )  # fmt: skip

            wire.write_bytes(place, wire.file_meta(dataset, UID(syntax)), body, enter)

    def _is_unsafe(self, sop_instance: str) -> bool:
        # What was made here and is kept nowhere else must not be replaced by what a peer calls the same.
        active = ",".join("?" * len(ACTIVE))
        return bool(
            self._k.database.scalar(
                "SELECT (SELECT count(*) FROM Delivery d JOIN Instance i USING (sop_instance_uid) WHERE "
                "sop_instance_uid = ? AND d.origin = 'acquired' AND d.committed_dttm IS NULL AND i.deleted_dttm IS "
                f"NULL) + (SELECT count(*) FROM Exam WHERE state IN ({active}) AND document LIKE ?)",
                sop_instance, *sorted(state.value for state in ACTIVE), f'%"{sop_instance}"%',
            )
        )  # fmt: skip
