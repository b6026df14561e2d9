"""Our own service provider: verification, commitment results on associations of the archive, objects we asked for."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable, Sequence
from typing import Any

from pydicom.uid import UID
from pynetdicom import AE, evt

from harness.core.errors import EnvironmentFailure
from harness.modality import wire
from harness.modality.config import Local
from harness.modality.connection import settle_socket
from harness.modality.decisions.delivery import COMMITMENT
from harness.modality.network import VERIFICATION
from harness.modality.provider import ReportHandler, StoreHandler, serve_report, serve_store
from harness.modality.secure import listening

RETRIEVABLE = (
    "1.2.840.10008.5.1.4.1.1.1",
    "1.2.840.10008.5.1.4.1.1.1.1",
    "1.2.840.10008.5.1.4.1.1.1.1.1",
    "1.2.840.10008.5.1.4.1.1.2",
    "1.2.840.10008.5.1.4.1.1.4",
    "1.2.840.10008.5.1.4.1.1.6.1",
    "1.2.840.10008.5.1.4.1.1.7",
    "1.2.840.10008.5.1.4.1.1.11.1",
    "1.2.840.10008.5.1.4.1.1.88.11",
    "1.2.840.10008.5.1.4.1.1.88.22",
    "1.2.840.10008.5.1.4.1.1.88.59",
    "1.2.840.10008.5.1.4.1.1.12.1",
    "1.2.840.10008.5.1.4.1.1.1.2",
)
STORED_SYNTAXES = (
    "1.2.840.10008.1.2.1",
    "1.2.840.10008.1.2",
    "1.2.840.10008.1.2.1.99",
    "1.2.840.10008.1.2.4.50",
    "1.2.840.10008.1.2.4.51",
    "1.2.840.10008.1.2.4.70",
    "1.2.840.10008.1.2.4.80",
    "1.2.840.10008.1.2.4.90",
    "1.2.840.10008.1.2.4.91",
    "1.2.840.10008.1.2.5",
)


class Listener:
    """Listens for peers; start and stop may be repeated, for instance when the settings change."""

    def __init__(
        self,
        on_report: ReportHandler,
        on_store: StoreHandler,
        *,
        reverse_role: bool = True,
        watch: Sequence[tuple[Any, ...]] = (),
        on_refused: Callable[[tuple[str, int], str], None] = lambda address, why: None,
    ) -> None:
        self._on_report, self._on_store, self._reverse_role = on_report, on_store, reverse_role
        self._watch, self._on_refused = watch, on_refused
        self._server: Any = None
        self._ae: Any = None
        self.port = 0

    def start(self, local: Local, tls: ssl.SSLContext | None = None) -> int:
        """Bind and listen, with a context for TLS only; return the port.

        Raises EnvironmentFailure if the port is taken or not allowed.
        """
        self.stop()
        ae = AE(ae_title=local.ae_title)
        ae.require_called_aet = True
        ae.maximum_associations = 20
        ae.network_timeout = 120
        ae.implementation_class_uid = UID(wire.IMPLEMENTATION_CLASS_UID)
        ae.implementation_version_name = wire.IMPLEMENTATION_VERSION
        ae.add_supported_context(VERIFICATION, ["1.2.840.10008.1.2.1", "1.2.840.10008.1.2"])
        if self._reverse_role:
            ae.add_supported_context(
                COMMITMENT, ["1.2.840.10008.1.2.1", "1.2.840.10008.1.2"], scu_role=False, scp_role=True
            )
        for uid in RETRIEVABLE:
            ae.add_supported_context(uid, list(STORED_SYNTAXES))
        handlers = [
            (evt.EVT_CONN_OPEN, settle_socket),
            (evt.EVT_C_ECHO, lambda event: 0x0000),
            (evt.EVT_N_EVENT_REPORT, lambda event: serve_report(event, self._on_report)),
            (evt.EVT_C_STORE, lambda event: serve_store(event, self._on_store)),
            *self._watch,
        ]
        try:
            if tls is None:
                self._server = ae.start_server((local.host, local.port), block=False, evt_handlers=handlers)
            else:
                kind = listening(tls, self._on_refused)
                server = ae.make_server((local.host, local.port), evt_handlers=handlers, server_class=kind)
                threading.Thread(target=server.serve_forever, name="dicom-listener", daemon=True).start()
                ae._servers.append(server)  # as start_server does; AE.shutdown stops them
                self._server = server
        except OSError as error:
            raise EnvironmentFailure(
                f"cannot listen on {local.host}:{local.port}: {error.strerror or error}; "
                "choose another port (local.port), those below 1024 need administrator rights"
            ) from None
        self._ae = ae
        self.port = int(self._server.server_address[1])
        return self.port

    @property
    def running(self) -> bool:
        """Say whether the port is open."""
        return self._server is not None

    def stop(self) -> None:
        """Close the port and end the associations of peers."""
        if self._ae is not None:
            self._ae.shutdown()
        self._server = self._ae = None
        self.port = 0
