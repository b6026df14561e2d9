"""Feed damaged DICOMDIR bytes to everything that reads media.

    python -m tests.bench.fuzz_media [SECONDS] [SEED]

Prints how many inputs were read, and the slowest; ends with 1 and the seed if one took longer than a second.
"""

from __future__ import annotations

import random
import sys
import time

from harness.protocols.media.medium import HeldMedium
from harness.reporting.media_view import medium_html
from harness.validation.media import View, validate_view
from tests.unit.protocols.media import hostile

LIMIT = 1.0


def damaged(raw: bytes, source: random.Random) -> bytes:
    """Bytes replaced, inserted, cut out, repeated."""
    made = bytearray(raw)
    for _ in range(source.randint(1, 20)):
        place = source.randrange(len(made))
        piece = source.choice((source.randbytes(source.randint(1, 8)), raw[place : place + source.randint(1, 400)]))
        way = source.randrange(3)
        if way == 0:
            made[place : place + len(piece)] = piece
        elif way == 1:
            made[place:place] = piece
        else:
            del made[place : place + source.randint(1, 60)]
        if len(made) < 140:
            break
    return bytes(made)


def main(seconds: float, seed: int) -> int:
    """Read damaged directories for so long."""
    raw = hostile.directory()
    end = time.monotonic() + seconds
    slowest, count = 0.0, 0
    while time.monotonic() < end:
        content = damaged(raw, random.Random(seed))
        start = time.process_time()
        medium = HeldMedium("fuzz", {"DICOMDIR": content})
        validate_view(View(medium))
        medium_html(medium)
        took = time.process_time() - start
        slowest, count = max(slowest, took), count + 1
        if took > LIMIT:
            sys.stdout.write(f"seed {seed} took {took:.2f} s\n")
            return 1
        seed += 1
    sys.stdout.write(f"{count} directories, the slowest took {slowest * 1000:.1f} ms\n")
    return 0


if __name__ == "__main__":
    numbers = [float(word) for word in sys.argv[1:]]
    sys.exit(main(numbers[0] if numbers else 60.0, int(numbers[1]) if len(numbers) > 1 else 0))
