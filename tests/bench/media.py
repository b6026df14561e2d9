"""Ten thousand instances on a medium: made, judged and imported, against DCMTK that rebuilds the same DICOMDIR.

    python -m tests.bench.media [INSTANCES]

Prints one JSON document: processor seconds of both sides, ``ratio`` of dcmmkdir to our judgement (higher than 1:
ours is faster), and the peak of memory in MiB of making, judging and importing, each in a process of its own.
"""

from __future__ import annotations

import io
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from harness.actors.media.creator import MediaCreator
from harness.actors.media.importer import MediaImporter
from harness.actors.objects import archive_plan, make, uid_source
from harness.protocols.media.writing import MediumPlan
from harness.validation.finding import Severity
from harness.validation.media import validate_medium

_PER_SERIES = 250


def instances(number: int) -> Iterator[bytes]:
    """So many CT images of 40 series, as Part 10 files."""
    dataset = make(archive_plan(), uid_source(1))[0].dataset
    for index in range(number):
        series, image = divmod(index, _PER_SERIES)
        dataset.SeriesInstanceUID, dataset.SeriesNumber = f"1.2.3.{series}", series
        dataset.SOPInstanceUID, dataset.InstanceNumber = f"1.2.3.{series}.{image}", image
        dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
        stream = io.BytesIO()
        dataset.save_as(stream, enforce_file_format=True)
        yield stream.getvalue()


def apart(work: Callable[[], object]) -> tuple[float, float]:
    """Processor seconds and peak MiB of something in a process of its own."""
    child = os.fork()
    if child == 0:
        work()
        os._exit(0)
    _, status, used = os.wait4(child, 0)
    if status:
        sys.exit("a part of the measurement failed")
    return used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


def main(number: int) -> dict[str, float]:
    """Measure."""
    program = shutil.which("dcmmkdir")
    if program is None:
        sys.exit("dcmmkdir is not installed (Debian package dcmtk)")
    with tempfile.TemporaryDirectory() as name:
        source, medium = Path(name) / "source", Path(name) / "medium"
        source.mkdir()
        for index, content in enumerate(instances(number)):
            (source / f"{index:06d}").write_bytes(content)
        creator = MediaCreator(MediumPlan(web=False), uid=uid_source(2))
        made, made_memory = apart(lambda: creator.create(source, medium))
        found: list[str] = []

        def judge() -> None:
            found.extend(one.code for one in validate_medium(medium) if one.severity is Severity.ERROR)
            assert found == []

        judged, judged_memory = apart(judge)
        imported, imported_memory = apart(lambda: MediaImporter(Path(name) / "store").load(medium))
        shutil.copy(medium / "DICOMDIR", Path(name) / "DICOMDIR")
        (medium / "DICOMDIR").unlink()
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([program, "-Pgp", "+r", "+id", ".", "DICOM"], cwd=medium, check=True, capture_output=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        peer = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {
        "instances": number,
        "create_seconds": round(made, 1),
        "judge_seconds": round(judged, 1),
        "import_seconds": round(imported, 1),
        "dcmmkdir_seconds": round(peer, 1),
        "ratio": round(peer / judged, 2),
        "create_mib": round(made_memory),
        "judge_mib": round(judged_memory),
        "import_mib": round(imported_memory),
    }


if __name__ == "__main__":
    sys.stdout.write(json.dumps(main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000), indent=1) + "\n")
