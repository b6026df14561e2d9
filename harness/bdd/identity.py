"""The permanent id of a scenario: where its feature lies below the folder that was given, and its name."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from pytest_bdd.scenario import make_python_name


def identity(feature: Path, function: str, roots: Iterable[Path | str]) -> str:
    """``features/swf/rad_05.feature`` below ``features``, ``test_query[CT]`` -> ``swf/rad_05/query[CT]``.

    A feature directly below its root takes the name of the root's folder, so that ids have three parts at least.
    """
    path = feature.absolute().with_suffix("")
    parts = list(path.parts[-2:])
    for root in map(Path, roots):
        folder = root.absolute()
        if path.is_relative_to(folder) and len(below := path.relative_to(folder).parts) > 1:
            parts = list(below)
    return "/".join([*parts, function.removeprefix("test_")])


def planned_identity(feature: Path, name: str, roots: Iterable[Path | str]) -> str:
    """The id that a scenario of that name gets; the rows of an outline append theirs in brackets."""
    return identity(feature, make_python_name(name), roots)
