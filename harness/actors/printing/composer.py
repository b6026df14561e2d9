"""The simulated Print Composer (RAD-23): sends films to a printer and shows what the printer said."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import ClassVar

from pydicom.dataset import Dataset

from harness.actors.actor import SimulatedActor, sop_instance
from harness.actors.objects import uid_source
from harness.actors.printing.composing import HEALTHY, PrintComposerBehaviour, Printing, PrintOutcome
from harness.actors.printing.orders import FilmOrder, SessionOrder
from harness.core.errors import UsageError
from harness.core.message import Blob
from harness.core.transcript import Recorder, Transcript
from harness.protocols.dicom import uids
from harness.protocols.dicom.datasets import decode
from harness.protocols.dicom.node import Address, Proposal, Request, Response

_MOST_KEPT = 256
#: seconds between two questions for the state of a printer
_POLL = 0.2


class PrintComposer(SimulatedActor):
    """A workstation of ours that prints. ``shown`` holds what the user of the last print was told."""

    slug: ClassVar[str] = "print-composer"
    name: ClassVar[str] = "Print Composer"

    def __init__(
        self,
        ae_title: str,
        recorder: Transcript | Recorder,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        behaviour: PrintComposerBehaviour = HEALTHY,
        new_uid: Callable[[], str] | None = None,
        peers: dict[str, Address] | None = None,
    ) -> None:
        self.behaviour = behaviour
        self._new_uid = new_uid or uid_source()
        self.shown: tuple[str, ...] = ()
        self._kept: dict[str, tuple[Blob, str]] = {}
        self._reported = threading.Event()
        super().__init__(ae_title, recorder, host, port, peers=peers)

    def _serve(self) -> None:
        """What is to be printed comes by C-STORE."""
        self.node.serve(uids.STORAGE, self._keep)

    def _keep(self, request: Request) -> Response:
        while len(self._kept) >= _MOST_KEPT:
            del self._kept[next(iter(self._kept))]
        self._kept[sop_instance(request)] = (request.payload, request.transfer_syntax)
        return Response(0x0000)

    def kept(self, uid: str) -> Dataset:
        """An image or presentation state that was stored here. Raises UsageError if it was not."""
        if uid not in self._kept:
            raise UsageError(f"{uid} was not sent to this composer")
        payload, transfer_syntax = self._kept[uid]
        return decode(payload, transfer_syntax, pixels=True)

    def print_films(
        self, printer: Address, films: tuple[FilmOrder, ...], session: SessionOrder | None = None
    ) -> PrintOutcome:
        """Print films in one session; stops at the first failure.

        Raises PeerError (unreachable, rejected, aborted, timed out) and NoPresentationContext.
        """
        proposals = [Proposal(uid) for uid in self.behaviour.proposals()]
        association = self.node.connect(printer, proposals, handler=self._event)
        try:
            self._reported.clear()
            outcome = Printing(association, self.behaviour, self._new_uid, self.note, self._reported.wait).run(
                films, session or SessionOrder()
            )
            association.release()
        finally:
            association.close()
        self.shown = self.behaviour.tells(outcome)
        return outcome

    def attend(self, printer: Address, change: Callable[[int], None], *, timeout: float) -> bool:
        """Stay connected while ``change`` happens to the printer (it gets the number of the association).

        The state is asked for until the printer reports an event; False if none came in ``timeout`` seconds. Raises
        PeerError.
        """
        self._reported.clear()
        meta = uids.BASIC_GRAYSCALE_PRINT
        proposals = [Proposal(uid) for uid in self.behaviour.proposals()]
        with self.node.connect(printer, proposals, handler=self._event) as association:
            change(association.id)
            deadline = time.monotonic() + timeout
            while time.monotonic() < deadline:
                association.n_get(uids.PRINTER, uids.PRINTER_INSTANCE, abstract_syntax=meta)
                if self._reported.wait(_POLL):
                    return True
        return False

    def _event(self, request: Request) -> Response:
        """Printer and print job events are acknowledged; the transcript keeps them."""
        if request.kind == "N-EVENT-REPORT-RQ":
            self._reported.set()
        return Response(0x0000 if request.kind == "N-EVENT-REPORT-RQ" else 0x0211)
