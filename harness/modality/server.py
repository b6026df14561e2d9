"""Serves the HTTP interface on a port that is bound before anything is announced."""

from __future__ import annotations

import secrets
import socket
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import uvicorn

from harness.core.errors import EnvironmentFailure, UsageError
from harness.modality.api import create_app
from harness.modality.console.live import Live
from harness.modality.console.session import Sessions
from harness.modality.service import Modality


class _Server(uvicorn.Server):
    """Ends the streams of open consoles first: they would hold the others up until they are cut off."""

    def __init__(self, settings: uvicorn.Config, live: Live) -> None:
        super().__init__(settings)
        self._live = live

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._live.close()
        await super().shutdown(sockets)


class Server:
    """One modality with its web interface; `run` returns after `stop`."""

    def __init__(
        self, modality: Modality, host: str, port: int, token: str = "", statements: Sequence[Path] = ()
    ) -> None:
        self._modality = modality
        self.token = token or secrets.token_urlsafe(24)
        self._socket = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            self._socket.bind((host, port))
            self._socket.listen(64)
        except OSError as error:
            self._socket.close()
            raise EnvironmentFailure(
                f"cannot listen on {host}:{port}: {error.strerror}; choose another --port"
            ) from None
        bound = self._socket.getsockname()
        self.url = f"http://{f'[{bound[0]}]' if ':' in bound[0] else bound[0]}:{bound[1]}"
        modality.open_to_others()
        try:
            documents = {path.stem: path.read_text(encoding="utf-8") for path in statements}
        except (OSError, UnicodeDecodeError) as error:
            self._socket.close()
            raise UsageError(f"the statement cannot be read: {error}") from None
        app = create_app(modality, self.token, [host], documents)
        self._sessions: Sessions = app.state.desk.sessions
        settings = uvicorn.Config(
            app, log_level="warning", lifespan="off", timeout_graceful_shutdown=5
        )  # fmt: skip
        self._server = _Server(settings, app.state.desk.live)

    def run(self, on_ready: Callable[[dict[str, Any]], Any]) -> None:
        """Open the DICOM port, announce, serve, and come back when told to stop."""
        try:
            port = self._modality.listen()
            self._modality.work()
            # The socket listens already: a client that connects from now on is served as soon as the loop runs.
            on_ready(
                {
                    "ready": True,
                    "url": self.url,
                    "token": self.token,
                    "console": self.ticket(),
                    "ae_title": self._modality.kernel.settings.local.ae_title,
                    "dicom_port": port,
                }
            )
            self._server.run(sockets=[self._socket])
        finally:
            self._socket.close()

    def ticket(self) -> str:
        """Return the address that logs a browser in to the console, once."""
        return f"{self.url}/console/login?ticket={self._sessions.ticket()}"

    def stop(self) -> None:
        """Ask the server to end."""
        self._server.should_exit = True
