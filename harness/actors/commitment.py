"""Storage commitment as a provider (PS3.4 Annex J; RAD-10): the request, and its result by either way."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

from pydicom.dataset import Dataset

from harness.actors.actor import answered, sop_instance
from harness.actors.courier import Courier
from harness.actors.image_manager_behaviour import CommitmentReply, ImageManagerBehaviour, Reference, Result, Way
from harness.core.transcript import Recorder, Transcript
from harness.protocols.dicom.errors import PeerError, WireError
from harness.protocols.dicom.node import Address, Association, Node, Proposal, Request, Response
from harness.protocols.dicom.uids import STORAGE_COMMITMENT, STORAGE_COMMITMENT_INSTANCE

NO_SUCH_INSTANCE = 0x0112
INVALID_ARGUMENT = 0x0115
NO_SUCH_ACTION = 0x0123
UNRECOGNIZED_OPERATION = 0x0211
_REQUEST_COMMITMENT = 1


@dataclass(frozen=True, slots=True, eq=False)
class _Report:
    """A result on its way; ``association`` is where the request came from."""

    result: Result
    way: Way
    requester: str
    association: Association


class CommitmentProvider:
    """Takes commitment requests and reports the results; ``held`` gives the SOP Class of an archived instance."""

    def __init__(
        self,
        node: Node,
        behaviour: ImageManagerBehaviour,
        held: Callable[[str], str | None],
        peers: Mapping[str, Address],
        recorder: Transcript | Recorder,
        *,
        retry: float = 1.0,
    ) -> None:
        self._node = node
        self._behaviour = behaviour
        self._held = held
        self._peers = peers
        self._lock = threading.Lock()
        self._script: deque[CommitmentReply] = deque()
        self._transactions: set[str] = set()
        self._courier = Courier[_Report](
            f"{node.ae_title} commitment results",
            self._deliver,
            recorder.fault,
            retry=retry,
            attempts=0 if behaviour.retries_results else 1,
            ordered=False,
        )

    def start(self) -> None:
        """Begin to report results."""
        self._courier.start()

    def stop(self) -> None:
        """Stop; results that are queued are not reported."""
        self._courier.stop()

    def reply_with(self, *replies: CommitmentReply) -> None:
        """Script the next requests, one reply each."""
        with self._lock:
            self._script.extend(replies)

    def forget_script(self) -> None:
        """Drop scripted replies that no request has used."""
        with self._lock:
            self._script.clear()

    def wait_reported(self, timeout: float) -> bool:
        """True once every result is delivered; False if that takes longer than ``timeout`` seconds."""
        return self._courier.wait_idle(timeout)

    # -- the request ---------------------------------------------------------------------------------------

    def action(self, request: Request) -> Response | Iterator[Response]:
        """Answer an N-ACTION-RQ and queue its result, to be sent after the response."""
        if request.kind != "N-ACTION-RQ":
            return Response(UNRECOGNIZED_OPERATION)
        if request.command.get("ActionTypeID") != _REQUEST_COMMITMENT:
            return Response(NO_SUCH_ACTION)
        if sop_instance(request, "RequestedSOPInstanceUID") != STORAGE_COMMITMENT_INSTANCE:
            return Response(NO_SUCH_INSTANCE)
        status = self._behaviour.action_status(request)
        if status != 0x0000:
            return Response(status)
        try:
            transaction_uid, references = read_request(request.dataset())
        except (WireError, ValueError):
            return Response(INVALID_ARGUMENT)
        return self._accepted(request, transaction_uid, references)

    def _accepted(self, request: Request, transaction_uid: str, references: list[Reference]) -> Iterator[Response]:
        with self._lock:
            reply = self._script.popleft() if self._script else self._behaviour.reply
            repeated = transaction_uid in self._transactions
            self._transactions.add(transaction_uid)
        result = self._behaviour.commit(transaction_uid, references, self._held, repeated)
        result = _as_scripted(result, reply)
        report = _Report(result, reply.way, request.association.calling_ae, request.association)

        def report_it() -> None:
            for _ in range(reply.copies):
                self._courier.post(report, delay=reply.delay)

        return answered(Response(0x0000), report_it)

    # -- the result ----------------------------------------------------------------------------------------

    def _deliver(self, report: _Report) -> None:
        peer = self._peers.get(report.requester)
        same = report.way is Way.SAME_ASSOCIATION or (report.way is Way.AUTOMATIC and peer is None)
        if same:
            try:
                self._report(report.association, report.result)
                return
            except PeerError:
                # the requester may release before the result is there (PS3.4 J.3.3.1); then it is called back
                pass
        if peer is None or not self._behaviour.calls_back:
            return
        roles = (False, True) if self._behaviour.proposes_scp_role else (None, None)
        proposal = Proposal(STORAGE_COMMITMENT, scu_role=roles[0], scp_role=roles[1])
        with self._node.connect(peer, [proposal]) as association:
            self._report(association, report.result)

    def _report(self, association: Association, result: Result) -> None:
        association.n_event_report(
            STORAGE_COMMITMENT,
            STORAGE_COMMITMENT_INSTANCE,
            self._behaviour.event_type(result),
            write_result(result, self._node.ae_title),
        )


def _as_scripted(result: Result, reply: CommitmentReply) -> Result:
    moved = result.committed[: reply.failures]
    return replace(
        result,
        transaction_uid=result.transaction_uid if reply.transaction_uid is None else reply.transaction_uid,
        committed=result.committed[reply.failures :],
        failed=(*result.failed, *((reference, reply.reason) for reference in moved)),
    )


def read_request(dataset: Dataset) -> tuple[str, list[Reference]]:
    """Transaction UID and references of a commitment request. Raises ValueError if it has neither."""
    transaction_uid = str(dataset.get("TransactionUID", "") or "")
    items = dataset.get("ReferencedSOPSequence", None) or ()
    if not transaction_uid or not items:
        raise ValueError("Transaction UID or Referenced SOP Sequence is missing")
    return transaction_uid, [
        Reference(str(item.get("ReferencedSOPClassUID", "")), str(item.get("ReferencedSOPInstanceUID", "")))
        for item in items
    ]


def write_result(result: Result, retrieve_ae_title: str) -> Dataset:
    """The event information of a result (PS3.4 Tables J.3-3 and J.3-4)."""
    dataset = Dataset()
    dataset.RetrieveAETitle = retrieve_ae_title
    dataset.TransactionUID = result.transaction_uid
    if result.committed:
        dataset.ReferencedSOPSequence = [_reference(reference) for reference in result.committed]
    if result.failed:
        dataset.FailedSOPSequence = [_reference(reference, reason) for reference, reason in result.failed]
    return dataset


def write_request(transaction_uid: str, references: list[Reference]) -> Dataset:
    """The action information of a request (PS3.4 Table J.3-2)."""
    dataset = Dataset()
    dataset.TransactionUID = transaction_uid
    dataset.ReferencedSOPSequence = [_reference(reference) for reference in references]
    return dataset


def read_result(dataset: Dataset) -> Result:
    """What an N-EVENT-REPORT says."""

    def references(keyword: str) -> list[tuple[Reference, int]]:
        return [
            (
                Reference(str(item.get("ReferencedSOPClassUID", "")), str(item.get("ReferencedSOPInstanceUID", ""))),
                int(item.get("FailureReason", 0) or 0),
            )
            for item in dataset.get(keyword, None) or ()
        ]

    return Result(
        str(dataset.get("TransactionUID", "") or ""),
        tuple(reference for reference, _ in references("ReferencedSOPSequence")),
        tuple(references("FailedSOPSequence")),
    )


def _reference(reference: Reference, reason: int | None = None) -> Dataset:
    item = Dataset()
    item.ReferencedSOPClassUID = reference.sop_class
    item.ReferencedSOPInstanceUID = reference.sop_instance
    if reason is not None:
        item.FailureReason = reason
    return item
