"""Who agrees on what: presentation contexts, roles, and how both are shown in the transcript (PS3.7 annex D.3)."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import Any, Final

from harness.core.errors import UsageError
from harness.protocols.dicom import items
from harness.protocols.dicom.items import ContextResult, ProposedContext, RoleSelection
from harness.protocols.dicom.model import Context, Proposal, Service
from harness.protocols.dicom.pdu import (
    MEMORABLE,
    Abort,
    AssociateAC,
    AssociateRJ,
    AssociateRQ,
    ControlPDU,
    ReleaseRP,
    ReleaseRQ,
    ae_bytes,
    ae_text,
    decode_control,
)
from harness.protocols.dicom.uids import IMPLICIT_VR_LE

IMPLEMENTATION_CLASS: Final = "2.25.199466437203546321908537263186540873261"
IMPLEMENTATION_VERSION: Final = "IHE_HARNESS_01"


def request_for(
    calling: str,
    called: str,
    proposals: Sequence[Proposal],
    max_pdu: int,
    extra: Sequence[items.UserItem] = (),
) -> AssociateRQ:
    """The A-ASSOCIATE-RQ of these proposals. Raises UsageError for none or more than 128."""
    if not 1 <= len(proposals) <= 128:
        raise UsageError(f"an association needs 1 to 128 proposals, {len(proposals)} were given; split them")
    roles = {
        proposal.abstract_syntax: RoleSelection(
            proposal.abstract_syntax, proposal.scu_role is not False, bool(proposal.scp_role)
        )
        for proposal in proposals
        if proposal.scu_role is not None or proposal.scp_role is not None
    }
    return AssociateRQ(
        called=ae_bytes(called),
        calling=ae_bytes(calling),
        contexts=tuple(
            ProposedContext(2 * index + 1, proposal.abstract_syntax, proposal.transfer_syntaxes)
            for index, proposal in enumerate(proposals)
        ),
        user_items=(
            items.MaximumLength(max_pdu),
            items.ImplementationClass(IMPLEMENTATION_CLASS),
            *extra,
            *roles.values(),
            items.ImplementationVersion(IMPLEMENTATION_VERSION),
        ),
    )


def answer_for(
    request: AssociateRQ,
    services: Mapping[str, Service],
    max_pdu: int,
    extra: Sequence[items.UserItem] = (),
) -> AssociateAC:
    """The A-ASSOCIATE-AC of a node with these services: its own order of transfer syntaxes decides."""
    results = tuple(_result(context, services.get(context.abstract_syntax)) for context in request.contexts)
    roles = []
    for proposed in (item for item in request.user_items if isinstance(item, RoleSelection)):
        service = services.get(proposed.sop_class)
        if service is not None:
            scu = proposed.scu and service.scu_role is not False
            roles.append(RoleSelection(proposed.sop_class, scu, proposed.scp and bool(service.scp_role)))
    return AssociateAC(
        called=request.called,
        calling=request.calling,
        contexts=results,
        user_items=(
            items.MaximumLength(max_pdu),
            items.ImplementationClass(IMPLEMENTATION_CLASS),
            *extra,
            *roles,
            items.ImplementationVersion(IMPLEMENTATION_VERSION),
        ),
        reserved=request.reserved,
    )


def _result(context: ProposedContext, service: Service | None) -> ContextResult:
    first = context.transfer_syntaxes[0] if context.transfer_syntaxes else IMPLICIT_VR_LE
    if context.id % 2 == 0:
        return ContextResult(context.id, 2, first)
    if service is None:
        return ContextResult(context.id, 3, first)
    for transfer_syntax in service.transfer_syntaxes:
        if transfer_syntax in context.transfer_syntaxes:
            return ContextResult(context.id, 0, transfer_syntax)
    return ContextResult(context.id, 4, first)


def agreed(request: AssociateRQ, answer: AssociateAC) -> dict[int, Context]:
    """The accepted contexts by id, with the roles of the requestor (default: SCU only)."""
    proposed = {context.id: context.abstract_syntax for context in request.contexts}
    asked = {item.sop_class for item in request.user_items if isinstance(item, RoleSelection)}
    roles = {item.sop_class: item for item in answer.user_items if isinstance(item, RoleSelection)}
    result = {}
    for context in answer.contexts:
        if context.result != 0 or context.id not in proposed:
            continue
        abstract = proposed[context.id]
        role = roles.get(abstract) if abstract in asked else None
        result[context.id] = Context(
            context.id, abstract, context.transfer_syntax, role.scu if role else True, role.scp if role else False
        )
    return result


@functools.lru_cache(maxsize=32)
def _agreed_by(request: bytes, answer: bytes) -> dict[int, Context]:
    return agreed(_decoded(request), _decoded(answer))  # type: ignore[arg-type]


def contexts_of(request: bytes, answer: bytes) -> dict[int, Context]:
    """As :func:`agreed`, from the PDUs as they were on the wire."""
    if len(request) + len(answer) > MEMORABLE:
        return agreed(_decoded(request), _decoded(answer))  # type: ignore[arg-type]
    return dict(_agreed_by(request, answer))


def _decoded(raw: bytes) -> ControlPDU:
    return decode_control(raw[0], raw[6:])


def maximum_length(user_items: Sequence[items.UserItem]) -> int:
    """The maximum length that the sender of these items announced; 0 is no limit."""
    return next((item.value for item in user_items if isinstance(item, items.MaximumLength)), 0)


def operations_window(user_items: Sequence[items.UserItem]) -> items.AsynchronousOperations | None:
    """The asynchronous operations window among these items."""
    return next((item for item in user_items if isinstance(item, items.AsynchronousOperations)), None)


# -- how it is shown -------------------------------------------------------------------------------------------


def kind_of(pdu: ControlPDU) -> str:
    """``A-ASSOCIATE-RQ`` and so on."""
    return _KINDS[type(pdu)]


_KINDS: Final = {
    AssociateRQ: "A-ASSOCIATE-RQ",
    AssociateAC: "A-ASSOCIATE-AC",
    AssociateRJ: "A-ASSOCIATE-RJ",
    ReleaseRQ: "A-RELEASE-RQ",
    ReleaseRP: "A-RELEASE-RP",
    Abort: "A-ABORT",
}


def shown(raw: bytes, request: bytes = b"") -> Mapping[str, Any]:
    """What the transcript shows of a control PDU as it was on the wire; do not change it."""
    if len(raw) + len(request) > MEMORABLE:
        return _shown.__wrapped__(raw, request)
    return _shown(raw, request)


@functools.lru_cache(maxsize=64)
def _shown(raw: bytes, request: bytes) -> Mapping[str, Any]:
    asked = _decoded(request) if request else None
    return fields_of(_decoded(raw), asked if isinstance(asked, AssociateRQ) else None)


def fields_of(pdu: ControlPDU, request: AssociateRQ | None = None) -> dict[str, Any]:
    """What the transcript shows of an association PDU, as plain data; an answer is shown beside its request."""
    if isinstance(pdu, AssociateRJ):
        return {"result": pdu.result, "source": pdu.source, "reason": pdu.reason}
    if isinstance(pdu, Abort):
        return {"source": pdu.source, "reason": pdu.reason}
    if isinstance(pdu, ReleaseRQ | ReleaseRP):
        return {}
    roles = {item.sop_class: item for item in pdu.user_items if isinstance(item, RoleSelection)}
    contexts: list[dict[str, Any]] = []
    for context in pdu.contexts:
        if isinstance(context, ProposedContext):
            role = roles.get(context.abstract_syntax)
            contexts.append(
                {
                    "id": context.id,
                    "abstract_syntax": context.abstract_syntax,
                    "transfer_syntaxes": list(context.transfer_syntaxes),
                    "scu_role": role.scu if role else None,
                    "scp_role": role.scp if role else None,
                }
            )
        else:
            abstract = next((c.abstract_syntax for c in request.contexts if c.id == context.id), "") if request else ""
            role = roles.get(abstract)
            contexts.append(
                {
                    "id": context.id,
                    "abstract_syntax": abstract,
                    "transfer_syntax": context.transfer_syntax,
                    "result": context.result,
                    "scu_role": role.scu if role else None,
                    "scp_role": role.scp if role else None,
                }
            )
    return {
        "calling_ae": ae_text(pdu.calling),
        "called_ae": ae_text(pdu.called),
        "protocol_version": pdu.protocol_version,
        "application_context": pdu.application_context,
        "max_pdu": maximum_length(pdu.user_items),
        "implementation_class_uid": next(
            (item.uid for item in pdu.user_items if isinstance(item, items.ImplementationClass)), ""
        ),
        "implementation_version": next(
            (item.name for item in pdu.user_items if isinstance(item, items.ImplementationVersion)), ""
        ),
        "contexts": contexts,
        "user_items": [
            items.as_json(item)
            for item in pdu.user_items
            if not isinstance(item, items.MaximumLength | items.ImplementationClass | items.ImplementationVersion)
        ],
        "unknown_items": [items.as_json(item) for item in pdu.unknown],
    }
