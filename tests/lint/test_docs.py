"""The reference pages tell what the program is today."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from harness.cli.main import COMMANDS, ONE_SHOT, application

ROOT = Path(__file__).resolve().parents[2]


def test_the_reference_pages_are_up_to_date_in_every_home(tmp_path: Path) -> None:
    """In a process of its own: other tests put steps of their own into the catalogue."""
    done = subprocess.run(
        [sys.executable, "-m", "tools.docs", "--check"],
        cwd=ROOT,
        env=os.environ | {"HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]


@pytest.mark.parametrize("page", PAGES, ids=[page.name for page in PAGES])
def test_every_command_and_option_that_a_page_names_exists(page: Path) -> None:
    known = typer.main.get_command(application())
    named = re.findall(r"`(?:pip install )?ihe-harness ([a-z][^`\n]*)`", page.read_text(encoding="utf-8"))
    assert named or page.name == "CONTRIBUTING.md"
    for words in (line.split() for line in named):
        path = [*ONE_SHOT.get(tuple(words[:2]), tuple(words[:2]))]
        command = getattr(known, "commands", {}).get(path[0])
        assert command is not None, words
        if path[0] not in COMMANDS:
            for verb in path[1].split("|") if len(path) > 1 else ():
                assert verb in command.commands, words
            command = command.commands[path[1].split("|")[0]] if len(path) > 1 else command
        options = {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}
        assert {word.split("=")[0] for word in words if word.startswith("--") and word != "--help"} <= options, words
