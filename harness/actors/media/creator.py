"""A simulated Portable Media Creator (RAD-47): DICOM files, DICOMDIR, README.TXT and web content.

A defect changes the layout of the medium, or its bytes, before anything is written.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from pydicom.dataset import Dataset

from harness.actors.objects import UidSource, uid_source
from harness.core.errors import UsageError
from harness.protocols.media.writing import PROFILES, FileSet, Layout, MediumPlan, check_target, write

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class MediaCreatorBehaviour:
    """How a medium is made.

    ``plan`` changes what is made, ``arrange`` the layout before DICOMDIR is encoded, ``finish`` afterwards, ``burnt``
    the bytes that were written.
    """

    plan: Callable[[MediumPlan], MediumPlan] | None = None
    arrange: Callable[[Layout], None] | None = None
    finish: Callable[[Layout], None] | None = None
    burnt: Callable[[Path], None] | None = None


@dataclass(frozen=True, slots=True)
class Written:
    """What was put on a medium; ``skipped`` lists files that are no DICOM objects, with the reason."""

    target: Path
    instances: tuple[str, ...]
    skipped: tuple[tuple[str, str], ...]
    files: int


class MediaCreator:
    """Makes media of files or data sets. ``uid`` deals out the UID of the file-set."""

    slug = "media-creator"
    name = "Portable Media Creator"

    def __init__(
        self,
        plan: MediumPlan | None = None,
        behaviour: MediaCreatorBehaviour | None = None,
        uid: UidSource | None = None,
    ) -> None:
        self.plan = plan or MediumPlan()
        self.behaviour = behaviour or MediaCreatorBehaviour()
        self._uid = uid or uid_source()
        if self.plan.profile not in PROFILES:
            raise UsageError(f"there is no application profile {self.plan.profile!r}; known: {', '.join(PROFILES)}")

    def create(self, studies: Path, target: Path, progress: Progress | None = None) -> Written:
        """Write the DICOM files below ``studies`` to ``target``: a folder, ``*.zip`` or ``*.iso``."""
        sources = [studies] if studies.is_file() else sorted(p for p in studies.rglob("*") if p.is_file())
        if not sources:
            raise UsageError(f"{studies} holds no files")
        return self.write((path for path in sources), target, progress, len(sources))

    def write(
        self, sources: Iterable[Path | Dataset], target: Path, progress: Progress | None = None, total: int = 0
    ) -> Written:
        """Write objects to a medium. Raises UsageError if there is none, or if the target is not empty."""
        check_target(target)
        own = self.behaviour
        plan = own.plan(self.plan) if own.plan is not None else self.plan
        skipped: list[tuple[str, str]] = []
        with FileSet(plan, self._uid()) as file_set:
            for number, source in enumerate(sources, 1):
                problem = file_set.add(source)
                if problem:
                    skipped.append((str(source) if isinstance(source, Path) else "data set", problem))
                if progress is not None:
                    progress(number, total)
            if not file_set.instances:
                reasons = "; ".join(reason for _, reason in skipped[:3])
                raise UsageError("none of the files is a DICOM object that media can hold: " + reasons)
            layout = file_set.layout(own.arrange, own.finish)
            write(layout, target)
            if own.burnt is not None:
                own.burnt(target)
            return Written(target, tuple(file_set.instances), tuple(skipped), len(layout.files))
