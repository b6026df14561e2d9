"""A person at the terminal: prompts that work although the test runner owns standard input."""

from __future__ import annotations

import os
import select
import sys


class TerminalOperator:
    """Asks on the controlling terminal; nobody is present in a pipeline. Implements ``sut.drivers.manual.Operator``."""

    @property
    def present(self) -> bool:
        """Whether standard input and output belong to a terminal."""
        return sys.stdin is not None and sys.stdin.isatty() and sys.stderr.isatty() and not os.environ.get("CI")

    def ask(self, text: str, choices: tuple[str, ...], *, timeout: float) -> str | None:
        """Show the text, take the first letter of a choice, or None when ``timeout`` seconds went by."""
        letters = {choice[0]: choice for choice in choices}
        hint = " / ".join(f"[{choice[0]}]{choice[1:]}" for choice in choices)
        try:
            with open("/dev/tty", "r+b", buffering=0) as terminal:  # noqa: PTH123 - a device, not a path
                terminal.write(f"\n\a>>> {text}\n    {hint} (within {timeout:.0f} s): ".encode())
                while True:
                    ready, _, _ = select.select([terminal], [], [], timeout)
                    if not ready:
                        terminal.write(b"\n    no answer\n")
                        return None
                    answer = terminal.readline().decode(errors="replace").strip().lower()
                    if answer[:1] in letters:
                        return letters[answer[:1]]
                    terminal.write(f"    please answer {hint}: ".encode())
        except OSError:
            return None
