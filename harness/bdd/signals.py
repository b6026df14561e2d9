"""How a run ends when something outside wants it to."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any


@contextmanager
def end_like_interrupt() -> Iterator[None]:
    """A pipeline's time-out (SIGTERM) and a closed terminal (SIGHUP) end the run as Ctrl-C does.

    That is: with a report and no process left. Only the first of these signals counts, because a terminal that goes
    away often sends more than one; and after SIGHUP nothing is written to a terminal that is no longer there.
    """
    terminals = [number for number in (0, 1, 2) if os.isatty(number)]
    told = False

    def interrupt(number: int, frame: FrameType | None) -> None:
        nonlocal told
        if number == signal.SIGHUP:
            _let_go(terminals)
        if not told:
            told = True
            raise KeyboardInterrupt

    earlier: dict[int, Any] = {}
    try:
        for number in (signal.SIGTERM, signal.SIGHUP):
            # who started us with nohup wants us to go on
            if signal.getsignal(number) is not signal.SIG_IGN:
                earlier[number] = signal.signal(number, interrupt)
    except ValueError:  # not in the main thread: whoever called us handles signals
        pass
    try:
        yield
    finally:
        for old, handler in earlier.items():
            signal.signal(old, handler)


def _let_go(terminals: list[int]) -> None:
    nothing = os.open(os.devnull, os.O_RDWR)
    for number in terminals:
        os.dup2(nothing, number)
    os.close(nothing)
