"""The part of ``validate`` that knows media: keys, objects on them, progress, and the picture of a medium for HTML."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from harness.cli.console import err
from harness.core.errors import UsageError
from harness.validation.finding import ValidationFinding


@dataclass(frozen=True, slots=True)
class MediaOptions:
    """What the command line says of media. ``kind`` is "CD", "DVD", "USB" or ""; ``keys`` are files with PEM."""

    password: str = ""
    keys: tuple[Path, ...] = ()
    kind: str = ""
    objects: bool = True
    screenshots: bool = False

    def __post_init__(self) -> None:
        if self.kind not in ("", "CD", "DVD", "USB"):
            raise UsageError(f"there is no kind of medium {self.kind!r}; known: CD, DVD, USB")


def judge_medium(path: Path, options: MediaOptions) -> list[ValidationFinding]:
    """Every rule that a medium breaks, and by default every rule that an object on it breaks."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    from harness.protocols.media.secure import Keys
    from harness.validation.media import validate_medium

    keys = Keys(options.password, tuple(key.read_bytes() for key in options.keys))
    with Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), console=err(), transient=True,
        disable=not err().is_terminal,
    ) as bar:  # fmt: skip
        task = bar.add_task(path.name, total=None)
        return validate_medium(
            path,
            keys=keys,
            objects=options.objects,
            claimed=options.kind,
            progress=lambda at, total: bar.update(task, completed=at, total=total),
        )


def picture_of(path: Path, options: MediaOptions) -> str:
    """A medium as a person wants to see it, a piece of HTML; "" if it cannot be opened."""
    from harness.protocols.media.secure import Keys, SecureMedium
    from harness.protocols.media.sources import open_medium
    from harness.reporting.media_view import installed_browser, medium_html

    keys = Keys(options.password, tuple(key.read_bytes() for key in options.keys))
    try:
        medium = open_medium(path)
    except UsageError:
        return ""
    if keys:
        medium = SecureMedium(medium, keys)
    with medium:
        return medium_html(medium, installed_browser() if options.screenshots else None)
