"""How an error is told to whoever asked over HTTP or the command line; kept apart so that a verb starts fast."""

from __future__ import annotations

from typing import Any

from harness.core.errors import EnvironmentFailure, HarnessError, UsageError
from harness.modality.errors import NotFound, PeerProblem, Refused

TOKEN_HEADER = "X-Modality-Token"


def error_body(error: HarnessError) -> dict[str, Any]:
    """Tell of an error: its kind, the message for the technologist, and for a peer the cause and status."""
    made: dict[str, Any] = {"kind": type(error).__name__, "message": str(error)}
    if isinstance(error, PeerProblem):
        made |= {"cause": error.cause.value, "peer": error.peer, "status": error.status}
    return made


def status_of(error: HarnessError) -> int:
    """Choose the HTTP status of an error."""
    if isinstance(error, NotFound):
        return 404
    if isinstance(error, Refused):
        return 409
    if isinstance(error, UsageError):
        return 422
    if isinstance(error, PeerProblem):
        return 502
    return 503 if isinstance(error, EnvironmentFailure) else 500
