"""What modalities and evidence creators have in common: they store, ask for commitment and report steps.

RAD-8 and RAD-18 (PS3.4 Annex B), RAD-10 as user (Annex J, results on either association), RAD-6, 7, 20, 21 (F.7).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydicom.dataset import Dataset

from harness.actors.actor import SimulatedActor, answered
from harness.actors.commitment import read_result, write_request
from harness.actors.image_manager_behaviour import Reference, Result
from harness.actors.objects import Sample, UidSource, uid_source
from harness.actors.worklist_user import last_sent
from harness.core.transcript import Recorder, Transcript
from harness.protocols.dicom.errors import WireError
from harness.protocols.dicom.node import Address, Answer, Payload, Proposal, Request, Response
from harness.protocols.dicom.uids import (
    MPPS,
    MPPS_RETRIEVE,
    STORAGE_COMMITMENT,
    STORAGE_COMMITMENT_INSTANCE,
    UNCOMPRESSED,
)

_MOST_CONTEXTS = 128
_REQUEST_COMMITMENT = 1


@dataclass(frozen=True, slots=True)
class SenderBehaviour:
    """How a sender treats commitment results: the status it answers them with."""

    event_status: Callable[[Request], int] = lambda request: 0x0000


@dataclass(frozen=True, slots=True)
class CommitmentRequest:
    """A commitment request that was sent: its transaction, the answer, and the ``seq`` of the N-ACTION-RQ."""

    transaction_uid: str
    answer: Answer
    request: int


class Sender(SimulatedActor):
    """Sends objects and steps, and listens for commitment results."""

    def __init__(
        self,
        ae_title: str,
        recorder: Transcript | Recorder,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        behaviour: SenderBehaviour | None = None,
        peers: Mapping[str, Address] | None = None,
        uid: UidSource | None = None,
    ) -> None:
        self.behaviour = behaviour or SenderBehaviour()
        self.uid = uid or uid_source()
        self._reported = threading.Condition()
        self._results: dict[str, list[Result]] = {}
        super().__init__(ae_title, recorder, host, port, peers=peers)

    def _serve(self) -> None:
        self.node.serve([STORAGE_COMMITMENT], self._event, scp_role=True)

    def reset(self) -> None:
        """Forget commitment results of earlier scenarios."""
        with self._reported:
            self._results.clear()

    # -- storage -------------------------------------------------------------------------------------------

    def store(self, peer: Address, sources: Sequence[Sample | Dataset | Path]) -> list[Answer]:
        """Store objects over one association, in order; files go out as they are. Raises PeerError."""
        contents = [_content(source) for source in sources]
        with self.node.connect(peer, storage_proposals(contents)) as association:
            return [association.store(content) for content in contents]

    # -- storage commitment --------------------------------------------------------------------------------

    def request_commitment(
        self,
        peer: Address,
        references: Sequence[Reference | Sample],
        *,
        wait: float = 0.0,
        transaction_uid: str | None = None,
    ) -> CommitmentRequest:
        """Ask for commitment; ``wait`` keeps the association open for the result, so many seconds at most.

        With ``wait`` 0 it is released at once and the result has to come on another one. Raises PeerError.
        """
        transaction = transaction_uid or self.uid()
        named = [_reference(one) for one in references]
        with self.node.connect(peer, [Proposal(STORAGE_COMMITMENT)], handler=self._event) as association:
            answer = association.n_action(
                STORAGE_COMMITMENT, STORAGE_COMMITMENT_INSTANCE, _REQUEST_COMMITMENT, write_request(transaction, named)
            )
            request = last_sent(self.recorder, "N-ACTION-RQ", association)
            if wait and answer.status == 0:
                self.wait_result(transaction, wait)
        return CommitmentRequest(transaction, answer, request)

    def wait_result(self, transaction_uid: str, timeout: float) -> Result | None:
        """The first result of a transaction, or None when ``timeout`` seconds are over."""
        with self._reported:
            self._reported.wait_for(lambda: transaction_uid in self._results, timeout)
            return next(iter(self._results.get(transaction_uid, ())), None)

    def results(self, transaction_uid: str) -> tuple[Result, ...]:
        """Every result that came for a transaction."""
        with self._reported:
            return tuple(self._results.get(transaction_uid, ()))

    def _event(self, request: Request) -> Response | Iterator[Response]:
        if request.kind != "N-EVENT-REPORT-RQ":
            return Response(0x0211)
        try:
            result = read_result(request.dataset())
        except (WireError, ValueError):
            return Response(0x0110)
        # whoever waits for the result may release the association, which must not cut off the response
        return answered(Response(self.behaviour.event_status(request)), lambda: self._keep(result))

    def _keep(self, result: Result) -> None:
        with self._reported:
            self._results.setdefault(result.transaction_uid, []).append(result)
            self._reported.notify_all()

    # -- performed procedure steps -------------------------------------------------------------------------

    def create_step(self, peer: Address, dataset: Dataset, uid: str | None = None) -> tuple[str, Answer]:
        """N-CREATE of a performed procedure step; its UID (that of the peer if it assigned another) and the answer."""
        wanted = uid or self.uid()
        with self.node.connect(peer, [Proposal(MPPS)]) as association:
            answer = association.n_create(MPPS, wanted, dataset)
        return str(answer.command.get("AffectedSOPInstanceUID") or wanted), answer

    def set_step(self, peer: Address, uid: str, dataset: Dataset) -> Answer:
        """N-SET of a performed procedure step. Raises PeerError."""
        with self.node.connect(peer, [Proposal(MPPS)]) as association:
            return association.n_set(MPPS, uid, dataset)

    def get_step(self, peer: Address, uid: str, attributes: Sequence[int] = ()) -> Answer:
        """N-GET of a performed procedure step by the retrieve SOP Class. Raises PeerError."""
        with self.node.connect(peer, [Proposal(MPPS_RETRIEVE)]) as association:
            return association.n_get(MPPS_RETRIEVE, uid, attributes)


def storage_proposals(contents: Sequence[Dataset | Payload]) -> list[Proposal]:
    """One proposal per SOP Class and encoding; uncompressed objects may travel in either uncompressed syntax."""
    wanted: dict[tuple[str, tuple[str, ...]], None] = {}
    for content in contents:
        if isinstance(content, Payload):
            own, sop_class = content.transfer_syntax, content.sop_class
        else:
            meta = getattr(content, "file_meta", None)
            own = str(meta.get("TransferSyntaxUID", "")) if meta is not None else ""
            sop_class = str(content.SOPClassUID)
        syntaxes = UNCOMPRESSED if not own or own in UNCOMPRESSED else (own,)
        wanted[sop_class, syntaxes] = None
    return [Proposal(sop_class, syntaxes) for sop_class, syntaxes in wanted][:_MOST_CONTEXTS]


def _content(source: Sample | Dataset | Path) -> Dataset | Payload:
    if isinstance(source, Sample):
        return source.dataset
    return Payload.part10(source) if isinstance(source, Path) else source


def _reference(source: Reference | Sample) -> Reference:
    return source if isinstance(source, Reference) else Reference(source.sop_class, source.sop_instance)
