"""A bounded fuzz job: 100,000 mutated real files and messages through the validator.

    python -m tests.bench.validation_fuzz [COUNT] [SECONDS]

Prints one JSON line: inputs, exceptions (with the input as hexadecimal), slowest input in milliseconds of processor
time. Exit 1 on any exception or on an input that takes longer than a second.
"""

from __future__ import annotations

import json
import sys
import time

from tests.integration.validation import corpus
from tests.unit.validation import fuzz
from tests.unit.validation.test_hostile import SEEDS

SLOW = 1.0


def main(count: int, seconds: float) -> int:
    """Run the job; stops at ``seconds``."""
    real = [path.read_bytes() for path in corpus.pydicom_files() if path.stat().st_size < 20_000]
    deadline = time.monotonic() + seconds
    done, slowest, failures = 0, 0.0, []
    for raw in fuzz.mutations(SEEDS + real, count, seed=20260102):
        started = time.process_time()
        try:
            fuzz.judge(raw)
        except Exception as error:  # noqa: BLE001 - the job counts them
            failures.append({"error": f"{type(error).__name__}: {error}", "input": raw[:400].hex()})
        slowest = max(slowest, time.process_time() - started)
        done += 1
        if time.monotonic() > deadline or len(failures) >= 5:
            break
    print(json.dumps({"inputs": done, "failures": failures, "slowest_ms": round(slowest * 1000, 1)}))
    return 1 if failures or slowest > SLOW else 0


if __name__ == "__main__":
    arguments = sys.argv[1:]
    sys.exit(main(int(arguments[0]) if arguments else 100_000, float(arguments[1]) if len(arguments) > 1 else 900.0))
