"""The wire engine against other programs: ``python -m tests.bench.wire [--rows ...] [--out FOLDER]``.

Each row takes its values in turns (ours, theirs, theirs, ours), so that a slow moment of the machine meets both;
medians and their ratios are printed, and written as ``wire.json`` and ``wire.svg``. DCMTK and Orthanc run with
TCP_NODELAY=1: without it they are an order of magnitude slower and any comparison is an artefact.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.bench.growth import growth
from tests.bench.picture import picture
from tests.bench.rows import ROWS, Bench, Row


def measure(row: Row, repeat: int, costs: dict[str, list[float]]) -> dict[str, Any]:
    """Take every value in turns; medians and ratios. ``costs`` fills with processor time meanwhile."""
    values: dict[str, list[float]] = {name: [] for name in row.takers}
    order = list(row.takers)
    for number in range(repeat):
        for name in order if number % 2 == 0 else reversed(order):
            values[name].append(row.takers[name]())
    medians = {name: statistics.median(taken) for name, taken in values.items()}
    ratios = {
        peer: {
            "ratio": medians["ours"] / medians[peer],
            "wanted": wanted,
            "reached": medians["ours"] / medians[peer] >= wanted,
        }
        for peer, wanted in row.wanted.items()
    }
    return {
        "key": row.key, "work": row.work, "unit": row.unit, "medians": medians, "values": values, "ratios": ratios,
        "processor_ms_per_item": {name: statistics.median(taken) for name, taken in costs.items()},
        "notes": row.notes,
    }  # fmt: skip


def show(result: dict[str, Any]) -> None:
    """Print one row."""
    print(f"\n{result['work']}")
    for name, median in result["medians"].items():
        taken = result["values"][name]
        cost = result["processor_ms_per_item"].get(name)
        processor = f"   {cost:.3f} ms of processor time each" if cost is not None else ""
        print(f"  {name:12} {median:10,.1f} {result['unit']}   ({min(taken):,.1f} to {max(taken):,.1f}){processor}")
    for peer, entry in result["ratios"].items():
        mark = "reached" if entry["reached"] else "NOT reached"
        print(f"  ours/{peer}: {entry['ratio']:.2f} (wanted {entry['wanted']:g}: {mark})")


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--rows", nargs="*", choices=(*ROWS, "growth"), default=[*ROWS, "growth"])
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2.0, help="length of each timed load")
    parser.add_argument("--quick", action="store_true", help="fewer images and modalities")
    parser.add_argument("--out", type=Path, default=Path("reports/bench"))
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="ihe-bench-"))
    results: list[dict[str, Any]] = []
    before = os.getloadavg()
    print(f"Load average {before[0]:.1f} on {os.cpu_count()} processors: figures of a busy machine say little.")
    print("TCP_NODELAY=1 is set for DCMTK and Orthanc.")
    try:
        for key in options.rows:
            if key == "growth":
                continue
            bench = Bench(folder / key, seconds=options.seconds, quick=options.quick)
            try:
                result = measure(getattr(bench, key)(), options.repeat, bench.costs)
            finally:
                bench.close()
                shutil.rmtree(folder / key, ignore_errors=True)
            show(result)
            results.append(result)
        grown = growth(folder / "growth", quick=options.quick) if "growth" in options.rows else []
        for entry in grown:
            print(f"\n{entry['work']}: " + ", ".join(f"{n:,}: {t:.1f} µs" for n, t in entry["points"]))
            print(f"  spread {entry['spread']:.0%} (wanted ±20 %)")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    options.out.mkdir(parents=True, exist_ok=True)
    report = {
        "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "machine": {"processors": os.cpu_count(), "python": platform.python_version(), "system": platform.platform()},
        "tcp_nodelay": True,
        "load_average": {"before": before, "after": os.getloadavg()},
        "repeat": options.repeat,
        "rows": results,
        "growth": grown,
    }
    (options.out / "wire.json").write_text(json.dumps(report, indent=1) + "\n")
    (options.out / "wire.svg").write_text(picture(results))
    print(f"\nwritten: {options.out / 'wire.json'}, {options.out / 'wire.svg'}")


if __name__ == "__main__":
    main()
