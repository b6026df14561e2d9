"""Query/Retrieve as a provider: C-FIND, C-MOVE and C-GET over an archive (PS3.4 Annex C; RAD-14, RAD-16)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from pydicom.dataset import Dataset

from harness.actors import records
from harness.actors.archive import Archive
from harness.actors.archive_index import StoredInstance
from harness.actors.archive_keys import KNOWN_KEYS, Level
from harness.actors.image_manager_behaviour import PENDING, UNABLE_TO_PERFORM, ImageManagerBehaviour, SubOperations
from harness.actors.matching import Query, only_value, select
from harness.actors.records import Record, record_from_mapping, tag_of
from harness.core.message import Blob
from harness.protocols.dicom.datasets import decode, encode
from harness.protocols.dicom.errors import PeerError, WireError
from harness.protocols.dicom.node import Address, Association, Node, Payload, Proposal, Request, Response
from harness.protocols.dicom.uids import (
    PATIENT_ROOT_FIND,
    PATIENT_ROOT_GET,
    PATIENT_ROOT_MOVE,
    UNCOMPRESSED,
    encoding_of,
)

DOES_NOT_MATCH_CLASS = 0xA900
UNABLE_TO_PROCESS = 0xC000
CANCELLED = 0xFE00
_PATIENT_ROOT = frozenset({PATIENT_ROOT_FIND, PATIENT_ROOT_MOVE, PATIENT_ROOT_GET})
_LEVEL = tag_of("QueryRetrieveLevel")
#: what an association may propose (PS3.8 9.3.2: odd context IDs in one byte)
_MOST_CONTEXTS = 128


class Refused(Exception):
    """A request that is answered with a failure status and nothing else."""

    def __init__(self, status: int) -> None:
        self.status = status
        super().__init__(f"{status:04X}")


class QueryRetrieve:
    """Answers queries and retrieves of one archive; ``peers`` are the move destinations by AE title."""

    def __init__(
        self, node: Node, archive: Archive, behaviour: ImageManagerBehaviour, peers: Mapping[str, Address]
    ) -> None:
        self._node = node
        self._archive = archive
        self._behaviour = behaviour
        self._peers = peers

    # -- C-FIND --------------------------------------------------------------------------------------------

    def find(self, request: Request) -> Response | Iterator[Response]:
        """Answer a C-FIND-RQ of either root."""
        try:
            identifier, level = self._identifier(request)
            if level in self._behaviour.refused_levels:
                raise Refused(UNABLE_TO_PROCESS)
            query = Query.of(identifier, KNOWN_KEYS[level], self._behaviour.rules)
            if self._behaviour.requires_unique_keys:
                self._demand_unique_keys(query, level, request)
        except Refused as refused:
            return Response(refused.status)
        found = self._behaviour.matches(self._archive.index.find(level, query), level)
        return self._answers(request, query, level, found)

    def _answers(self, request: Request, query: Query, level: Level, found: list[Record]) -> Iterator[Response]:
        implicit = encoding_of(request.transfer_syntax)[0]
        status = self._behaviour.pending_status(query)
        always = record_from_mapping(
            {
                "QueryRetrieveLevel": level.value,
                "RetrieveAETitle": self._node.ae_title,
                "InstanceAvailability": self._behaviour.availability,
            }
        )
        for record in found:
            if self._behaviour.honours_cancel and request.cancelled.is_set():
                yield Response(CANCELLED)
                return
            answer = self._behaviour.describe(select(query.keys, record) | always, level)
            yield Response(status, self._behaviour.write(answer, implicit=implicit))
        cancelled = self._behaviour.honours_cancel and request.cancelled.is_set()
        yield Response(CANCELLED if cancelled else 0x0000)

    def _identifier(self, request: Request) -> tuple[Dataset, Level]:
        try:
            identifier = records.parse(request.payload, request.transfer_syntax)
        except WireError:
            raise Refused(UNABLE_TO_PROCESS) from None
        asked = records.text(records.record_from_dataset(identifier, frozenset({_LEVEL})), _LEVEL)
        if asked not in tuple(Level) or (asked == Level.PATIENT and request.abstract_syntax not in _PATIENT_ROOT):
            raise Refused(DOES_NOT_MATCH_CLASS)
        return identifier, Level(asked)

    def _demand_unique_keys(self, query: Query, level: Level, request: Request) -> None:
        """PS3.4 C.4.1.2.1: a hierarchical query names one entity at each level above."""
        for above in level.above:
            if above is Level.PATIENT and request.abstract_syntax not in _PATIENT_ROOT:
                continue
            if not only_value(query.keys, above.unique_key):
                raise Refused(DOES_NOT_MATCH_CLASS)

    # -- C-MOVE, C-GET -------------------------------------------------------------------------------------

    def move(self, request: Request) -> Response | Iterator[Response]:
        """Answer a C-MOVE-RQ: sub-operations on an association to the destination."""
        destination = str(request.command.get("MoveDestination", "")).strip()
        peer = self._peers.get(destination)
        if peer is None:
            return Response(self._behaviour.unknown_destination_status)
        try:
            instances = self._wanted(request)
        except Refused as refused:
            return Response(refused.status)
        return self._moved(request, peer, instances)

    def _moved(self, request: Request, peer: Address, instances: list[StoredInstance]) -> Iterator[Response]:
        if not instances:
            yield from self._suboperations(request, [], lambda instance: 0)
            return
        originator = (request.association.calling_ae, int(request.command.get("MessageID", 0)))
        try:
            association = self._node.connect(peer, proposals_for(instances))
        except PeerError:
            counts = SubOperations(0, failed=len(instances))
            yield self._counted(UNABLE_TO_PERFORM, counts, [one.sop_instance for one in instances], final=True)
            return
        with association:
            yield from self._suboperations(
                request,
                instances,
                lambda instance: self._store(
                    association, instance, originator if self._behaviour.names_originator else None
                ),
            )

    def get(self, request: Request) -> Response | Iterator[Response]:
        """Answer a C-GET-RQ: sub-operations on the same association."""
        try:
            instances = self._wanted(request)
        except Refused as refused:
            return Response(refused.status)
        return self._suboperations(request, instances, lambda one: self._store(request.association, one, None))

    def _wanted(self, request: Request) -> list[StoredInstance]:
        identifier, level = self._identifier(request)
        query = Query.of(identifier, KNOWN_KEYS[level], self._behaviour.rules)
        names: dict[Level, tuple[str, ...]] = {}
        for each in (*level.above, level):
            values = tuple(part for part in query.keys.get(tag_of(each.unique_key), ()) if isinstance(part, str))
            if values:
                names[each] = values
            elif each is not Level.PATIENT or request.abstract_syntax in _PATIENT_ROOT:
                raise Refused(DOES_NOT_MATCH_CLASS)
        return self._behaviour.selection(self._archive.index.instances(names), level)

    def _suboperations(
        self, request: Request, instances: list[StoredInstance], store: Callable[[StoredInstance], int]
    ) -> Iterator[Response]:
        counts = SubOperations(len(instances))
        failed: list[str] = []
        for instance in instances:
            if self._behaviour.honours_cancel and request.cancelled.is_set():
                yield self._counted(CANCELLED, counts, failed, final=False)
                return
            status = store(instance)
            left = counts.remaining - 1
            if status == 0x0000:
                counts = replace(counts, remaining=left, completed=counts.completed + 1)
            elif status & 0xF000 == 0xB000:
                counts = replace(counts, remaining=left, warning=counts.warning + 1)
            else:
                counts = replace(counts, remaining=left, failed=counts.failed + 1)
                failed.append(instance.sop_instance)
            if left:
                yield self._counted(PENDING, counts, (), final=False)
        yield self._counted(self._behaviour.retrieve_status(counts), counts, failed, final=True)

    def _counted(
        self, status: int, counts: SubOperations, failed: list[str] | tuple[str, ...], *, final: bool
    ) -> Response:
        shown = self._behaviour.counts(counts)
        fields = {
            "NumberOfCompletedSuboperations": shown.completed,
            "NumberOfFailedSuboperations": shown.failed,
            "NumberOfWarningSuboperations": shown.warning,
        }
        if not final:
            fields["NumberOfRemainingSuboperations"] = shown.remaining
        dataset = None
        if failed and self._behaviour.lists_failed:
            dataset = Dataset()
            dataset.FailedSOPInstanceUIDList = list(failed)
        return Response(status, dataset, fields)

    def _store(self, association: Association, instance: StoredInstance, originator: tuple[str, int] | None) -> int:
        if not self._behaviour.delivers(instance):
            return UNABLE_TO_PERFORM
        values = self._behaviour.replaced(instance)
        if values or self._behaviour.loses:
            body = self._lessened(self._archive.data_set(replace(instance, revised=values)), instance.transfer_syntax)
            source = Payload(Blob.of(body), instance.sop_class, instance.sop_instance, instance.transfer_syntax)
        else:
            source = Payload.part10(instance.path)
        try:
            return association.store(source, move_originator=originator).status
        except PeerError:
            return UNABLE_TO_PERFORM

    def _lessened(self, body: bytes, transfer_syntax: str) -> bytes:
        """The data set without what this archive loses."""
        if not self._behaviour.loses:
            return body
        dataset = decode(Blob.of(body), transfer_syntax, pixels=True)
        for keyword in self._behaviour.loses:
            dataset.pop(keyword, None)
        return encode(dataset, transfer_syntax)


def proposals_for(instances: list[StoredInstance]) -> list[Proposal]:
    """One proposal per SOP Class and stored transfer syntax; uncompressed ones may be re-encoded into another."""
    wanted = dict.fromkeys((one.sop_class, one.transfer_syntax) for one in instances)
    proposals = [
        Proposal(sop_class, tuple(dict.fromkeys((syntax, *UNCOMPRESSED))) if syntax in UNCOMPRESSED else (syntax,))
        for sop_class, syntax in wanted
    ]
    return proposals[:_MOST_CONTEXTS]
