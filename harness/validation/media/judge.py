"""All rules over one medium."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Final

from harness.core.errors import UsageError
from harness.protocols.media.secure import Keys, SecureMedium
from harness.protocols.media.sources import open_medium
from harness.validation.finding import Severity, ValidationFinding
from harness.validation.media import content, layout, records, web
from harness.validation.media.objects import judge_objects
from harness.validation.media.rules import Rule
from harness.validation.media.view import View

RULES: Final[tuple[Rule, ...]] = (*layout.RULES, *records.RULES, *content.RULES, *web.RULES)
#: one cause has thousands of consequences: more findings of one code say nothing new
MAXIMUM_FINDINGS: Final = 20


def rule(code: str) -> Rule:
    """The rule with that code. Raises LookupError."""
    for each in RULES:
        if each.code == code:
            return each
    raise LookupError(f"no media rule {code!r}")


def validate_view(view: View) -> list[ValidationFinding]:
    """Every rule that a medium breaks."""
    found: list[ValidationFinding] = []
    for each in RULES:
        problems = each.function(view).problems
        found += [
            ValidationFinding(each.code, each.severity, p.locator, p.expected, p.actual, each.clause)
            for p in problems[:MAXIMUM_FINDINGS]
        ]
        if len(problems) > MAXIMUM_FINDINGS:
            more = f"{len(problems) - MAXIMUM_FINDINGS} more of this kind"
            found.append(ValidationFinding(each.code, Severity.INFO, "medium", "none", more, each.clause))
    return found


def _hint(view: View) -> list[ValidationFinding]:
    """Say what is behind it when a folder breaks most rules because it was copied where names are shown small."""
    paths = [entry.path for entry in view.files]
    if view.medium.kind != "folder" or "dicomdir" not in paths or any(path != path.lower() for path in paths):
        return []
    said = "all in small letters, as some systems show and copy them; judge the disc itself, or an ISO image of it"
    return [ValidationFinding("MEDIA-COPIED", Severity.INFO, "medium", "names in capital letters", said, "PS3.10 8.5")]


def validate_medium(
    path: Path,
    *,
    keys: Keys | None = None,
    objects: bool = False,
    claimed: str = "",
    progress: Callable[[int, int], None] | None = None,
) -> list[ValidationFinding]:
    """Judge a folder, a ZIP file or an ISO image. Nothing is unpacked and nothing on it is run.

    ``keys`` open a protected medium, whose protection is then judged too. ``objects`` also judges each DICOM file by
    the rules of its object. ``claimed`` is the kind of medium: "CD", "DVD" or "USB".
    """
    try:
        medium = open_medium(path)
        if keys:
            medium = SecureMedium(medium, keys)
        with medium:
            total = sum(1 for _ in medium.files())
            steps = count(1)
            tell = (lambda: progress(next(steps), total)) if progress is not None else None
            view = View(medium, claimed=claimed, protected=bool(keys), progress=tell)
            return [*_hint(view), *validate_view(view), *(judge_objects(view) if objects else ())]
    except UsageError as error:
        return [
            ValidationFinding("MEDIA-UNREADABLE", Severity.ERROR, "medium", "a medium", str(error), "the file system")
        ]
