"""Give scheduled steps to ``ihe-harness simulate order-filler``: write its file, tell it to read, wait until it has.

Parameters with ``orders`` replace its worklist; with ``accession`` they cancel the steps of that order.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import time
from pathlib import Path

_SECONDS = 10.0


def main() -> int:
    """Entry point; exit 1 if the simulated actor did not read the file in time."""
    parser = argparse.ArgumentParser(description="Schedule steps on a simulated order filler")
    parser.add_argument("--parameters", type=Path, required=True)
    parser.add_argument("--file", type=Path, required=True)
    parser.add_argument("--pid-file", type=Path, required=True)
    arguments = parser.parse_args()
    parameters = json.loads(arguments.parameters.read_text(encoding="utf-8"))
    orders = parameters.get("orders")
    if orders is None:
        orders = json.loads(arguments.file.read_text(encoding="utf-8"))
        for entry in orders:
            if entry.get("AccessionNumber") == parameters["accession"]:
                entry["State"] = "CANCELLED"
    loaded = arguments.file.with_suffix(".loaded")
    loaded.unlink(missing_ok=True)
    temporary = arguments.file.with_suffix(".part")
    temporary.write_text(json.dumps(orders, ensure_ascii=False), encoding="utf-8")
    temporary.replace(arguments.file)
    os.kill(int(arguments.pid_file.read_text(encoding="utf-8")), signal.SIGHUP)
    deadline = time.monotonic() + _SECONDS
    while not loaded.exists():
        if time.monotonic() > deadline:
            sys.stderr.write("the simulated order filler did not read its worklist\n")
            return 1
        time.sleep(0.02)  # another process offers no event to wait for
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
