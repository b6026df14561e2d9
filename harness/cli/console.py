"""Writing to the terminal: one place that knows widths, colours and where progress goes."""

from __future__ import annotations

import io
import json
import re
import sys
from pathlib import Path
from typing import Any

from rich.console import Console, ConsoleOptions, ConsoleRenderable, RenderHook, RenderResult
from rich.segment import Segment

from harness.core.errors import UsageError
from harness.core.verdict import Verdict
from harness.reporting.evidence import write_atomically

#: colour is never the only sign: marks and words say the same
STYLES = {
    Verdict.PASS: "green",
    Verdict.WARNING: "yellow",
    Verdict.FAIL: "bold red",
    Verdict.INCONCLUSIVE: "magenta",
    Verdict.NOT_APPLICABLE: "bright_black",
    Verdict.ERROR: "bold red reverse",
}


#: what a product sent must neither move the cursor nor turn the reading direction of a terminal
_HARMFUL = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


class _Harmless(RenderHook):
    """Control and direction-changing characters of a text become visible; our own colours stay."""

    def process_renderables(self, renderables: list[ConsoleRenderable]) -> list[ConsoleRenderable]:
        """Wrap each."""
        return [_Cleaned(each) for each in renderables]


class _Cleaned:
    def __init__(self, renderable: ConsoleRenderable) -> None:
        self._renderable = renderable

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        for segment in console.render(self._renderable, options):
            if segment.control or _HARMFUL.search(segment.text) is None:
                yield segment
            else:
                from harness.reporting.decode import visible  # it loads libraries that harmless text never needs

                text = _HARMFUL.sub(lambda found: visible(found[0]), segment.text)
                yield Segment(text, segment.style, segment.control)


def out() -> Console:
    """Standard output."""
    return _harmless(Console(highlight=False, soft_wrap=False))


def err() -> Console:
    """Standard error: progress and complaints, so that ``--json`` stays clean."""
    return _harmless(Console(stderr=True, highlight=False))


def _harmless(console: Console) -> Console:
    console.push_render_hook(_Harmless())
    return console


def take_any_text() -> None:
    """A terminal or a log that cannot show a character shows a question mark, and nothing fails because of it."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def complain(text: str) -> None:
    """An error message, as plain text."""
    err().print(text, style="red", markup=False, soft_wrap=True)


def write_file(target: Path, data: bytes) -> None:
    """What ``--out`` names, or standard output for ``-``. Raises UsageError if it cannot be written."""
    if str(target) == "-":
        sys.stdout.buffer.write(data)
        sys.stdout.flush()
        return
    if not target.parent.is_dir():
        raise UsageError(f"--out {target}: the folder {target.parent} does not exist")
    try:
        write_atomically(target, data)
    except OSError as error:
        raise UsageError(f"--out {target}: {error.strerror}") from error
    err().print(f"Written: {target}", markup=False, soft_wrap=True)


def print_json(value: Any) -> None:
    """Machine-readable output, and nothing else on standard output."""
    text = json.dumps(value, ensure_ascii=False, indent=2)
    try:
        text.encode(sys.stdout.encoding or "ascii")
    except UnicodeEncodeError:  # half a character from the wire, or a log without UTF-8
        text = json.dumps(value, ensure_ascii=True, indent=2)
    sys.stdout.write(text + "\n")
    sys.stdout.flush()
