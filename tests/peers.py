"""Independent programs that tests run against."""

from __future__ import annotations

import os
import shutil

import pytest


def require_program(name: str) -> str:
    """The path of a program; skips the test that needs it, or fails it where IHE_PEERS=required."""
    path = shutil.which(name)
    if path:
        return path
    message = f"the peer program {name} is not installed"
    if os.environ.get("IHE_PEERS") == "required":
        pytest.fail(message)
    pytest.skip(message)
