"""All measurements, one after the other: ``python -m tests.bench [NAME ...]``; some half an hour for all."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

#: what a module is called, and what it measures
MEASUREMENTS = {
    "wire": "the DICOM engine and the simulated actors against DCMTK, Orthanc and pynetdicom",
    "hl7": "the HL7 engine and actors against python-hl7",
    "validation_speed": "objects judged per second against dciodvfy",
    "imaging_agreement": "the grayscale pipeline against DCMTK, pixel by pixel",
    "media": "media written and judged against dcmmkdir",
}


def main(names: list[str]) -> int:
    """Run these measurements, all without a name; the first exit code that is not 0."""
    folder = Path(__file__).parent
    known = [name for name in MEASUREMENTS if (folder / f"{name}.py").exists()]
    if unknown := sorted(set(names) - set(known)):
        sys.stderr.write(f"there is no measurement {', '.join(unknown)}; known: {', '.join(known)}\n")
        return 2
    for name in names or known:
        sys.stdout.write(f"\n== {name}: {MEASUREMENTS[name]}\n")
        sys.stdout.flush()
        code = subprocess.run([sys.executable, "-m", f"tests.bench.{name}"], check=False).returncode
        if code:
            return code
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
