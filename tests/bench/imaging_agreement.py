"""Prints how our grayscale pipeline agrees with DCMTK: ``python -m tests.bench.imaging_agreement``."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import numpy as np

from tests.integration.imaging.cases import all_cases


def main() -> int:
    """One line for each comparison, then the totals; exit 1 if any differs by more than it is allowed to."""
    worst, pixels, differing, compared, explained, broken = 0, 0, 0, 0, 0, 0
    with tempfile.TemporaryDirectory() as folder:
        for case in all_cases():
            theirs, ours = case.theirs(Path(folder)), case.ours()
            compared += 1
            if theirs.shape != ours.shape:
                print(f"{case.tool:9} {case.name:48} shapes {theirs.shape} and {ours.shape}")
                broken += 1
                continue
            difference = np.abs(theirs - ours)
            largest, share = int(difference.max()), 100.0 * float((difference > 0).mean())
            pixels, differing = pixels + theirs.size, differing + int((difference > 0).sum())
            broken += largest > case.allowed
            if case.reason and largest > 1:
                explained += 1
            else:
                worst = max(worst, largest)
            note = f"  {case.reason}" if case.reason and largest > 1 else ""
            print(f"{case.tool:9} {case.name:48} {case.bits:2} bits  largest {largest:5}  {share:5.1f} %{note}")
    print(
        f"{compared} images compared, {pixels} pixels, {differing} of them differ; largest difference {worst} output "
        f"level(s), but for {explained} images where a rounding before the last step explains more; {broken} disagree"
    )
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
