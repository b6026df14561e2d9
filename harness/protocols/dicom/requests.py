"""The DIMSE services by name, on top of the one generic request (PS3.7 chapters 9 and 10)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydicom.dataset import Dataset

from harness.core.errors import UsageError
from harness.protocols.dicom import datasets
from harness.protocols.dicom.errors import NoPresentationContext
from harness.protocols.dicom.fragments import Payload
from harness.protocols.dicom.model import Answer, Context, Handler
from harness.protocols.dicom.uids import UNCOMPRESSED, VERIFICATION, name_of

if TYPE_CHECKING:
    from harness.protocols.dicom.association import Operation

Content = Dataset | bytes | None


class Services:
    """What an association can ask of its peer; mixed into Association, which sends and waits."""

    contexts: dict[int, Context]
    handlers: Any

    if TYPE_CHECKING:

        def request(
            self,
            kind: str,
            command: Mapping[str, Any],
            dataset: Dataset | bytes | Path | Payload | None = None,
            *,
            abstract_syntax: str,
            transfer_syntax: str | None = None,
            timeout: float | None = None,
        ) -> Operation: ...

        def context_for(self, abstract_syntax: str, transfer_syntax: str | None = None) -> Context: ...

    def _one(
        self, kind: str, command: Mapping[str, Any], dataset: Content, abstract_syntax: str, timeout: float | None
    ) -> Answer:
        return next(self.request(kind, command, dataset, abstract_syntax=abstract_syntax, timeout=timeout))

    # -- composite ---------------------------------------------------------------------------------------------

    def echo(self, *, timeout: float | None = None) -> int:
        """C-ECHO; the status."""
        return self._one("C-ECHO-RQ", {}, None, VERIFICATION, timeout).status

    def store(
        self,
        source: Dataset | Path | Payload,
        *,
        move_originator: tuple[str, int] | None = None,
        timeout: float | None = None,
    ) -> Answer:
        """C-STORE of a data set or a Part 10 file, whose bytes go out as they are stored.

        ``move_originator`` is the AE title and message id of the C-MOVE this belongs to. A file travels in its own
        transfer syntax, or re-encoded between the uncompressed ones. Raises NoPresentationContext.
        """
        content: Dataset | Payload
        if isinstance(source, Dataset):
            sop_class, instance = str(source.SOPClassUID), str(source.SOPInstanceUID)
            content, own = source, self._syntax_of(source)
            compressed = own is not None and own not in UNCOMPRESSED
            context = self.context_for(sop_class, own if compressed else None)
        else:
            payload = source if isinstance(source, Payload) else Payload.part10(source)
            sop_class, instance, own = payload.sop_class, payload.sop_instance, payload.transfer_syntax
            content, context = self._fitting(payload)
        command: dict[str, Any] = {"AffectedSOPClassUID": sop_class, "AffectedSOPInstanceUID": instance}
        if move_originator is not None:
            command["MoveOriginatorApplicationEntityTitle"], command["MoveOriginatorMessageID"] = move_originator
        return next(
            self.request(
                "C-STORE-RQ",
                command,
                content,
                abstract_syntax=sop_class,
                transfer_syntax=context.transfer_syntax,
                timeout=timeout,
            )
        )

    @staticmethod
    def _syntax_of(ds: Dataset) -> str | None:
        meta = getattr(ds, "file_meta", None)
        uid = meta.get("TransferSyntaxUID") if meta is not None else None
        return str(uid) if uid else None

    def _fitting(self, payload: Payload) -> tuple[Payload | Dataset, Context]:
        try:
            return payload, self.context_for(payload.sop_class, payload.transfer_syntax)
        except NoPresentationContext:
            if payload.transfer_syntax not in UNCOMPRESSED:
                raise
        for transfer_syntax in UNCOMPRESSED:
            for context in self.contexts.values():
                if (context.abstract_syntax, context.transfer_syntax) == (payload.sop_class, transfer_syntax):
                    return datasets.decode(payload.blob, payload.transfer_syntax, pixels=True), context
        raise NoPresentationContext(self._no_context(payload.sop_class, payload.transfer_syntax))

    def _no_context(self, abstract_syntax: str, transfer_syntax: str | None) -> str:
        wanted = name_of(abstract_syntax) + (f" in {name_of(transfer_syntax)}" if transfer_syntax else "")
        have = ", ".join(
            f"{name_of(context.abstract_syntax)} in {name_of(context.transfer_syntax)}"
            for context in self.contexts.values()
        )
        return f"no presentation context was accepted for {wanted}; accepted: {have or 'none at all'}"

    def find(self, model_uid: str, identifier: Dataset | bytes, *, timeout: float | None = None) -> list[Answer]:
        """C-FIND; all responses, the final one last."""
        return list(self.find_iter(model_uid, identifier, timeout=timeout))

    def find_iter(self, model_uid: str, identifier: Dataset | bytes, *, timeout: float | None = None) -> Operation:
        """C-FIND; responses as they come, with ``cancel()``."""
        return self.request("C-FIND-RQ", {}, identifier, abstract_syntax=model_uid, timeout=timeout)

    def move(
        self, model_uid: str, identifier: Dataset | bytes, destination: str, *, timeout: float | None = None
    ) -> list[Answer]:
        """C-MOVE to an AE title; all responses, the final one last."""
        return list(self.move_iter(model_uid, identifier, destination, timeout=timeout))

    def move_iter(
        self, model_uid: str, identifier: Dataset | bytes, destination: str, *, timeout: float | None = None
    ) -> Operation:
        """C-MOVE; responses as they come, with ``cancel()``."""
        command = {"MoveDestination": destination}
        return self.request("C-MOVE-RQ", command, identifier, abstract_syntax=model_uid, timeout=timeout)

    def get(
        self, model_uid: str, identifier: Dataset | bytes, on_store: Handler, *, timeout: float | None = None
    ) -> list[Answer]:
        """C-GET; ``on_store`` handles the C-STORE sub-operations that come on this association meanwhile."""
        before = self.handlers
        try:
            return list(self.get_iter(model_uid, identifier, on_store, timeout=timeout))
        finally:
            self.handlers = before

    def get_iter(
        self, model_uid: str, identifier: Dataset | bytes, on_store: Handler, *, timeout: float | None = None
    ) -> Operation:
        """C-GET; responses as they come, with ``cancel()``. ``on_store`` stays for as long as the association."""
        before = self.handlers
        self.handlers = lambda context: on_store if context.scp_role else before(context)
        return self.request("C-GET-RQ", {}, identifier, abstract_syntax=model_uid, timeout=timeout)

    # -- normalized --------------------------------------------------------------------------------------------

    def n_create(
        self,
        sop_class: str,
        sop_instance: str | None,
        dataset: Content = None,
        *,
        abstract_syntax: str | None = None,
        timeout: float | None = None,
    ) -> Answer:
        """N-CREATE; without an instance UID the peer assigns one. ``abstract_syntax`` for Meta SOP classes."""
        command = {"AffectedSOPClassUID": sop_class, "AffectedSOPInstanceUID": sop_instance}
        return self._one("N-CREATE-RQ", command, dataset, abstract_syntax or sop_class, timeout)

    def n_set(
        self,
        sop_class: str,
        sop_instance: str,
        dataset: Content,
        *,
        abstract_syntax: str | None = None,
        timeout: float | None = None,
    ) -> Answer:
        """N-SET."""
        return self._one(
            "N-SET-RQ", _requested(sop_class, sop_instance), dataset, abstract_syntax or sop_class, timeout
        )

    def n_get(
        self,
        sop_class: str,
        sop_instance: str,
        attributes: Sequence[int] = (),
        *,
        abstract_syntax: str | None = None,
        timeout: float | None = None,
    ) -> Answer:
        """N-GET of some attributes (tags as integers), or of all."""
        command: dict[str, Any] = _requested(sop_class, sop_instance)
        if attributes:
            command["AttributeIdentifierList"] = [int(tag) for tag in attributes]
        return self._one("N-GET-RQ", command, None, abstract_syntax or sop_class, timeout)

    def n_action(
        self,
        sop_class: str,
        sop_instance: str,
        action_type: int,
        dataset: Content = None,
        *,
        abstract_syntax: str | None = None,
        timeout: float | None = None,
    ) -> Answer:
        """N-ACTION."""
        command = {**_requested(sop_class, sop_instance), "ActionTypeID": action_type}
        return self._one("N-ACTION-RQ", command, dataset, abstract_syntax or sop_class, timeout)

    def n_delete(
        self, sop_class: str, sop_instance: str, *, abstract_syntax: str | None = None, timeout: float | None = None
    ) -> Answer:
        """N-DELETE."""
        return self._one(
            "N-DELETE-RQ", _requested(sop_class, sop_instance), None, abstract_syntax or sop_class, timeout
        )

    def n_event_report(
        self,
        sop_class: str,
        sop_instance: str,
        event_type: int,
        dataset: Content = None,
        *,
        abstract_syntax: str | None = None,
        timeout: float | None = None,
    ) -> Answer:
        """N-EVENT-REPORT."""
        if not 0 <= event_type <= 0xFFFF:
            raise UsageError(f"event type {event_type} does not fit in 16 bits")
        command = {
            "AffectedSOPClassUID": sop_class,
            "AffectedSOPInstanceUID": sop_instance,
            "EventTypeID": event_type,
        }
        return self._one("N-EVENT-REPORT-RQ", command, dataset, abstract_syntax or sop_class, timeout)


def _requested(sop_class: str, sop_instance: str) -> dict[str, Any]:
    return {"RequestedSOPClassUID": sop_class, "RequestedSOPInstanceUID": sop_instance}
