"""What the tests against independent programs share."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from tests.peers import require_program

#: DCMTK and Orthanc delay every small segment by 40 ms without this
PEER_ENVIRONMENT = {**os.environ, "TCP_NODELAY": "1"}


def run(*argv: str | Path, expect: int | None = 0) -> str:
    """Run a program to its end and return what it said; ``expect`` is its exit code, None for any."""
    said = subprocess.run(
        [require_program(str(argv[0])), *map(str, argv[1:])],
        capture_output=True,
        timeout=60,
        check=False,
        env=PEER_ENVIRONMENT,
    )
    output = (said.stdout + said.stderr).decode("utf-8", "replace")
    if expect is not None:
        assert said.returncode == expect, output
    return output
