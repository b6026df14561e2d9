"""A person at the terminal: prompts that work although the test runner owns standard input."""

from __future__ import annotations

import os
import select
import sys
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext


class TerminalOperator:
    """Asks on the controlling terminal; nobody is present in a pipeline. Implements ``sut.drivers.manual.Operator``."""

    def __init__(self, aside: Callable[[], AbstractContextManager[object]] = nullcontext) -> None:
        #: held while a person is asked: a spinner would write over the question
        self._aside = aside

    @property
    def present(self) -> bool:
        """Whether standard input and output belong to a terminal."""
        return sys.stdin is not None and sys.stdin.isatty() and sys.stderr.isatty() and not os.environ.get("CI")

    def ask(self, text: str, choices: tuple[str, ...], *, timeout: float) -> str | None:
        """Show the text, take the first letter of a choice, or None when ``timeout`` seconds or the input are over."""
        letters = {choice[0]: choice for choice in choices}
        hint = " / ".join(f"[{choice[0]}]{choice[1:]}" for choice in choices)
        try:
            with self._aside(), open("/dev/tty", "r+b", buffering=0) as terminal:  # noqa: PTH123 - a device, not a path
                terminal.write(f"\n\a>>> {text}\n    {hint} (within {timeout:.0f} s): ".encode())
                deadline = time.monotonic() + timeout
                while True:
                    ready, _, _ = select.select([terminal], [], [], max(0.0, deadline - time.monotonic()))
                    line = terminal.readline() if ready else b""
                    if not line:
                        terminal.write(b"\n    no answer\n")
                        return None
                    answer = line.decode(errors="replace").strip().lower()
                    if answer[:1] in letters:
                        return letters[answer[:1]]
                    terminal.write(f"    please answer {hint}: ".encode())
        except OSError:
            return None
