"""What a request has to have before the console listens to it: a host we know, small forms, and careful answers."""

from __future__ import annotations

from collections.abc import Iterable

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LOOPBACK = frozenset({"127.0.0.1", "localhost", "[::1]"})
ANYWHERE = frozenset({"0.0.0.0", "::"})
POLICY = (
    "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)
ANSWER_HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    # Not no-referrer: that would make browsers send Origin: null with our own forms.
    "Referrer-Policy": "same-origin",
    "X-Frame-Options": "DENY",
}


def host_name(header: str) -> str:
    """Return the host of a Host header without its port, in small letters."""
    name = header.strip().lower()
    if name.startswith("["):
        return name.partition("]")[0] + "]"
    return name.partition(":")[0]


class Guard:
    """Refuses a foreign Host, so that no name that was pointed at the loopback address gets in (DNS rebinding)."""

    def __init__(self, app: ASGIApp, hosts: Iterable[str] = ()) -> None:
        given = {host.lower() for host in hosts}
        self._app = app
        self._any = bool(given & ANYWHERE)
        self._hosts = LOOPBACK | {f"[{host}]" if ":" in host else host for host in given}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Judge the host, then pass on; pages of the console get their headers on the way back."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        host = host_name(Headers(scope=scope).get("host", ""))
        if not self._any and host not in self._hosts:
            answer = PlainTextResponse("this host name is not served here; use the address that was printed\n", 400)
            await answer(scope, receive, send)
            return
        if not str(scope["path"]).startswith("/console"):
            await self._app(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in ANSWER_HEADERS.items():
                    headers.setdefault(name, value)
                if "cache-control" not in headers:
                    headers["Cache-Control"] = "no-store"
            await send(message)

        await self._app(scope, receive, with_headers)
