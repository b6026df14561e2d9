"""Media with DICOM content: a folder that can be written to a disc."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from pydicom.fileset import FileSet

from harness.modality import wire
from harness.modality.errors import NotFound, Refused, StoreProblem
from harness.modality.jobs import Job, Permanent
from harness.modality.services.examination import job_line
from harness.modality.services.kernel import Kernel

MediaWriter = Callable[[Sequence[Path], Path, str], None]


def write_file_set(files: Sequence[Path], target: Path, readme: str) -> None:
    """Write a file-set with its DICOMDIR and README.TXT into an empty folder; files are uncompressed on the way."""
    from harness.modality.compression import decompress

    work = target / ".work"
    work.mkdir(parents=True)
    file_set = FileSet()
    try:
        for number, path in enumerate(files):
            dataset, syntax = wire.read_file(path)
            plain = work / f"{number:06d}"
            wire.write_file(plain, decompress(dataset, syntax))
            file_set.add(plain)
        file_set.write(target)
    finally:
        # pydicom keeps a temporary directory for each file-set, and has no public way to let go of it.
        file_set._stage["t"].cleanup()
        for left in work.iterdir():
            left.unlink()
        work.rmdir()
    (target / "README.TXT").write_text(readme, encoding="ascii", errors="replace", newline="\r\n")


class Media:
    """Burning."""

    def __init__(self, kernel: Kernel, writer: MediaWriter = write_file_set) -> None:
        self._k, self._writer = kernel, writer
        kernel.queue.handle("media", self._write)

    def burn(self, studies: Sequence[str], target: str = "") -> dict[str, Any]:
        """Put studies on media: an empty folder, by default under the modality's home."""
        found = [row for study in studies for row in self._k.archive.instances(study)]
        if not found:
            raise NotFound("these studies hold no objects")
        number = self._k.database.next("media")
        folder = Path(target) if target else self._k.home / "media" / f"{number:05d}"
        if folder.exists() and any(folder.iterdir()):
            raise Refused(f"{folder} is not empty")
        payload = {"files": [f"{row['path_name']}/{row['file_name']}" for row in found], "folder": str(folder)}
        job = self._k.queue.run(self._k.queue.add("media", f"media:{number}", payload))[0]
        return {**job_line(job), "folder": str(folder), "objects": len(found)}

    def _write(self, job: Job) -> str:
        folder = Path(job.payload["folder"])
        if folder.exists() and any(folder.iterdir()):
            raise Permanent(f"{folder} holds an unfinished copy; remove it, then burn again")
        settings = self._k.settings
        readme = (
            f"Media created by {settings.institution.name}, {settings.institution.department}\n"
            f"with {settings.equipment.manufacturer} {settings.equipment.model} {settings.equipment.software_version}\n"
            f"on {self._k.now()[:10]}.\n\nDICOMDIR lists the DICOM objects of this medium.\n"
            "The DICOM content is meant for import by a DICOM reader; no program on this medium is needed.\n"
        )
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._writer([self._k.home / each for each in job.payload["files"]], folder, readme)
        except OSError as error:
            raise StoreProblem(f"{folder}: {error.strerror or error}") from error
        return f"{len(job.payload['files'])} object(s) in {folder}"
