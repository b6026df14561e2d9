"""Objects per second of the validator against one dciodvfy process per file, and time over size.

    python -m tests.bench.validation_speed [ROUNDS]

Prints one JSON document. The ratio that counts is ``ratio``: median of the pairs taken in turns on the same files.
"""

from __future__ import annotations

import json
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path

from harness.validation.objects import validate_file, validate_part10
from tests.integration.validation import corpus
from tests.unit.validation import samples


def speed(rounds: int) -> dict[str, object]:
    """Files per second of both sides, in turns."""
    program = shutil.which("dciodvfy")
    if program is None:
        sys.exit("dciodvfy is not installed (Debian package dicom3tools)")
    files = corpus.pydicom_files()
    validate_file(files[0])  # the tables are loaded once
    ours, theirs = [], []
    for _ in range(rounds):
        ours.append(_seconds(lambda: [validate_file(path) for path in files]))
        theirs.append(_seconds(lambda: [_run(program, path) for path in files]))
    return {
        "files": len(files),
        "ours_per_second": round(len(files) / statistics.median(ours), 1),
        "dciodvfy_per_second": round(len(files) / statistics.median(theirs), 1),
        "ratio": round(statistics.median(t / o for o, t in zip(ours, theirs, strict=True)), 2),
    }


def growth() -> dict[str, float]:
    """Milliseconds for one object with 1,000 to 8,000 items."""
    figures = {}
    for items in (1000, 2000, 4000, 8000):
        ds = samples.key_object()
        ds.ContentSequence = [samples.key_object().ContentSequence[0] for _ in range(items)]
        raw = samples.part10(ds)
        figures[str(items)] = round(1000 * _seconds(lambda raw=raw: validate_part10(raw)), 1)
    return figures


def _seconds(work: object) -> float:
    assert callable(work)
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def _run(program: str, path: Path) -> int:
    return subprocess.run([program, str(path)], capture_output=True, check=False, timeout=60).returncode


if __name__ == "__main__":
    print(json.dumps({"speed": speed(int(sys.argv[1]) if len(sys.argv) > 1 else 5), "growth_ms": growth()}, indent=2))
