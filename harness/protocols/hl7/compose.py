"""Writing ER7 from paths and values."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from harness.core.errors import UsageError
from harness.protocols.hl7 import charset
from harness.protocols.hl7.separators import STANDARD, Separators

_FIELD_PATH = re.compile(r"(?P<field>\d+)(?:\[(?P<repetition>\d+)\])?(?:\.(?P<component>\d+)(?:\.(?P<sub>\d+))?)?")


def compose(
    segments: Sequence[tuple[str, Mapping[str, str]]],
    *,
    character_sets: Sequence[str] = (),
    separators: Separators = STANDARD,
) -> bytes:
    """ER7 bytes of segments given as ``("PID", {"3.1": "4711", "5[2].1": "山田"})``; values are unescaped text.

    A path without component (``"8"``) takes its value as one component. Each segment ends with CR. Raises UsageError
    where a character is not in the character sets.
    """
    lines = [_compose_segment(name, fields, separators) for name, fields in segments]
    return charset.encode("".join(line + "\r" for line in lines), character_sets)


def _compose_segment(name: str, fields: Mapping[str, str], separators: Separators) -> str:
    tree: dict[int, dict[int, dict[int, dict[int, str]]]] = {}
    for path, value in fields.items():
        match = _FIELD_PATH.fullmatch(path)
        if match is None:
            raise UsageError(f"{name}-{path}: no field path; write for instance 5, 5.1 or 3[2].4.1")
        if value == "":
            continue
        number, repetition = int(match["field"]), int(match["repetition"] or 1)
        component, sub = int(match["component"] or 1), int(match["sub"] or 1)
        tree.setdefault(number, {}).setdefault(repetition, {}).setdefault(component, {})[sub] = value
    parts = [name]
    for number in range(1, max(tree, default=0) + 1):
        repetitions = tree.get(number, {})
        parts.append(
            _joined(
                separators.repetition,
                {
                    r: _joined(
                        separators.component,
                        {
                            c: _joined(separators.subcomponent, {s: separators.escape_text(v) for s, v in subs.items()})
                            for c, subs in components.items()
                        },
                    )
                    for r, components in repetitions.items()
                },
            )
        )
    if name == "MSH":
        parts[1:3] = [separators.encoding_characters]
    return separators.field.join(parts)


def _joined(separator: str, parts: Mapping[int, str]) -> str:
    return separator.join(parts.get(number, "") for number in range(1, max(parts, default=0) + 1))
