"""Objects per second of the validator against one dciodvfy process per file, and time over size.

    python -m tests.bench.validation_speed [ROUNDS]

Prints one JSON document. The ratio that counts is ``ratio``: median of the pairs taken in turns on the same files.
"""

from __future__ import annotations

import json
import resource
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path

from harness.validation.consistency import SetRules
from harness.validation.objects import judge_part10, validate_file, validate_part10
from tests.integration.validation import corpus
from tests.unit.validation import samples


def speed(rounds: int) -> dict[str, object]:
    """Files per second of both sides, in turns."""
    program = shutil.which("dciodvfy")
    if program is None:
        sys.exit("dciodvfy is not installed (Debian package dicom3tools)")
    files = corpus.pydicom_files()
    validate_file(files[0])  # the tables are loaded once
    ours, theirs, cpu = [], [], []
    for _ in range(rounds):
        own = time.process_time()
        ours.append(_seconds(lambda: [validate_file(path) for path in files]))
        own = time.process_time() - own
        children = resource.getrusage(resource.RUSAGE_CHILDREN)
        theirs.append(_seconds(lambda: [_run(program, path) for path in files]))
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        used = after.ru_utime + after.ru_stime - children.ru_utime - children.ru_stime
        cpu.append(used / own)
    return {
        "files": len(files),
        "ours_per_second": round(len(files) / statistics.median(ours), 1),
        "dciodvfy_per_second": round(len(files) / statistics.median(theirs), 1),
        "cpu_ratio": round(statistics.median(cpu), 2),
        "ratio": round(statistics.median(t / o for o, t in zip(ours, theirs, strict=True)), 2),
    }


def study(instances: int = 10_000) -> dict[str, float]:
    """A study of that many headers, one after the other, compared as a set: seconds, and growth of memory in MiB."""
    rules = SetRules(lambda path, finding: None)
    template = samples.ct()
    before = 0
    start = time.perf_counter()
    for number in range(instances):
        template.SOPInstanceUID = f"{samples.UID}.77.{number}"
        _, root = judge_part10(samples.part10(template))
        assert root is not None
        rules.add(str(number), root)
        if number == instances // 10:
            before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    rules.finish()
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    return {"instances": instances, "seconds": round(time.perf_counter() - start, 1), "grown_MiB": round(grown, 1)}


GROWTH = (1000, 4000, 16000)


def growth() -> dict[str, object]:
    """Processor milliseconds for one object with 1,000, 4,000 and 16,000 items, and per item over the smallest.

    ``per_item`` near 1.0 at every size is linear growth; the square would be 4 and 16.
    """
    figures: dict[str, float] = {}
    for items in GROWTH:
        ds = samples.key_object()
        ds.ContentSequence = [ds.ContentSequence[0]] * items
        raw = samples.part10(ds)
        figures[str(items)] = round(1000 * min(_processor_seconds(raw) for _ in range(3)), 2)
    base = figures[str(GROWTH[0])] / GROWTH[0]
    return {"cpu_ms": figures, "per_item": {size: round(ms / int(size) / base, 2) for size, ms in figures.items()}}


def _processor_seconds(raw: bytes) -> float:
    start = time.process_time()
    validate_part10(raw)
    return time.process_time() - start


def _seconds(work: object) -> float:
    assert callable(work)
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def _run(program: str, path: Path) -> int:
    return subprocess.run([program, str(path)], capture_output=True, check=False, timeout=60).returncode


if __name__ == "__main__":
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    print(
        json.dumps(
            {"speed": speed(rounds), "growth": growth(), "study": study()},
            indent=2,
        )
    )
