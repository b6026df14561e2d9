"""A modality that works until it is killed, again and again: `python -m tests.integration.modality.mortal`.

Each life is a fork of this warmed-up process, so that a life costs milliseconds and death is a real SIGKILL.
Arguments: home directory, settings file, number of kills, seed of the moments of death.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import time
import traceback
from pathlib import Path

from harness.modality.config import from_file
from harness.modality.domain import State
from harness.modality.service import Modality


def live(home: Path, settings: Path) -> None:
    """Recover, do what is queued, and go on with exams for ever."""
    with Modality(home, settings=from_file(settings)) as modality:
        modality.kernel.queue.run_due(everything=True)
        while True:
            step(modality)


def step(modality: Modality) -> None:
    """Press the next button of the open exam."""
    exams = modality.examination
    open_ones = exams.exams(active=True)
    if not open_ones:
        modality.registration.register(patient_id="P1", patient_name="Doe^Jane")
        return
    exam = modality.kernel.exam(open_ones[0]["exam"])
    if exam.state is State.REGISTERED:
        exams.start(exam.key)
    elif exam.state is State.REVIEWING:
        exams.confirm(exam.key)
    elif exam.state is State.READY:
        exams.shot(exam.key, phantom="step-wedge")
    elif len(exam.confirmed) < 2:
        exams.ready(exam.key)
    else:
        exams.end(exam.key)


def await_moment(child: int, seconds: float) -> None:
    """Wait until a life has lasted so long; on a busy machine, until it had the processor for half of that.

    The moment of death is by chance and must be no event of the life: that is what these sleeps are for.
    """
    began = time.monotonic()
    time.sleep(seconds)
    clock = (~child << 3) | 2  # the processor time of another process, as clock_getcpuclockid(3) has it on Linux
    while sys.platform == "linux" and time.monotonic() - began < 20 * seconds:
        try:
            if time.clock_gettime(clock) >= seconds / 2:
                return
        except OSError:
            return  # it has ended by itself
        time.sleep(0.002)


def main() -> None:
    """Live and die."""
    home, settings, kills, seed = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
    chance = random.Random(seed)
    for _ in range(kills):
        child = os.fork()
        if child == 0:
            try:
                live(home, settings)
            finally:
                traceback.print_exc()
                sys.stderr.flush()
                os._exit(3)  # only an error brings a life to its own end
        await_moment(child, chance.uniform(0.005, 0.2))
        time.sleep(chance.uniform(0, 0.02))  # the moment may also be one in which it waits
        os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        if not os.WIFSIGNALED(status):
            sys.exit(f"a life ended by itself: {status}")


if __name__ == "__main__":
    main()
