"""A product with an HTTP interface: one POST per action."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import Any

from harness.sut.actions import Action, Outcome, OutcomeState
from harness.sut.config import DriverTable
from harness.sut.drivers.manual import Operator, ask, prompt
from harness.sut.process import fill

_MAX_BODY = 4_000_000


class HttpDriver:
    """POSTs the parameters as JSON to ``[driver.actions.<name>] url``; 2xx is DONE, 501 UNSUPPORTED, else FAILED.

    ``[driver] token`` is sent as a bearer token. Actions without a URL fall back to the operator.
    """

    def __init__(self, table: DriverTable, values: Mapping[str, str], operator: Operator) -> None:
        self._table, self._values, self._operator = table, dict(values), operator
        self.parallel_safe = table.parallel_safe

    def perform(self, action: Action, *, timeout: float) -> Outcome:
        """POST and wait for the answer, at most ``timeout`` seconds."""
        _ = action.kind
        command = self._table.actions.get(action.name)
        if command is None or command.url is None:
            return prompt(self._operator, action, timeout)
        url = fill(command.url, self._values)
        status, body, detail = call(
            url, dict(action.parameters), token=fill(self._table.token, self._values), timeout=timeout
        )
        if status == 501:
            return Outcome(OutcomeState.UNSUPPORTED, detail)
        if not 200 <= status < 300:
            return Outcome(OutcomeState.FAILED, detail)
        return Outcome(OutcomeState.DONE, "", body if isinstance(body, dict) else {})

    def attest(self, question: str, *, timeout: float) -> Outcome:
        """Ask the operator, if there is one."""
        return ask(self._operator, question, timeout)

    def close(self) -> None:
        """Nothing to release."""


def call(
    url: str,
    body: Mapping[str, Any] | None,
    *,
    token: str = "",
    timeout: float = 30.0,
    method: str = "POST",
    headers: Mapping[str, str] | None = None,
) -> tuple[int, Any, str]:
    """One JSON request: ``(status, decoded body, detail)``; status 0 when nothing answered."""
    if not url.startswith(("http://", "https://")):
        return 0, None, f"not an HTTP address: {url}"
    data = None if body is None else json.dumps(body, ensure_ascii=False).encode()
    sent = {"Content-Type": "application/json", "Accept": "application/json", **(headers or {})}
    if token:
        sent["Authorization"] = f"Bearer {token}"
    request = urllib.request.Request(url, data=data, headers=sent, method=method)
    try:
        with _OPENER.open(request, timeout=timeout) as response:
            return response.status, _decoded(response.read(_MAX_BODY)), ""
    except urllib.error.HTTPError as error:
        with error:
            answer = _decoded(error.read(_MAX_BODY))
        return error.code, answer, f"{method} {url} answered {error.code}: {_short(answer)}"
    except (OSError, ValueError) as error:
        return 0, None, f"{method} {url}: {error}"


#: never through a proxy: the product is on the local network and its traffic stays there
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def _decoded(raw: bytes) -> Any:
    try:
        return json.loads(raw) if raw else None
    except ValueError:
        return raw.decode(errors="replace")


def _short(value: Any) -> str:
    text = value.get("detail", value) if isinstance(value, dict) else value
    return str(text)[:500]
