"""What a display and an evidence creator of ours can be asked to do when they stand for a product."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness.actors.actor import SimulatedActor
from harness.actors.evidence_creator import EvidenceCreator
from harness.actors.image_display import ImageDisplay
from harness.actors.reports.page import document_page
from harness.actors.worklist_user import Replies
from harness.protocols.dicom.errors import PeerError
from harness.protocols.dicom.node import Address

#: actions of the closed list that the actors of this module take
DISPLAY_ACTIONS = ("query-images", "retrieve-images")
CREATOR_ACTIONS = ("create-evidence", "create-document")

Parameters = Mapping[str, Any]
#: what the UIDs of structured reports and key object selections begin with
_DOCUMENTS = "1.2.840.10008.5.1.4.1.1.88."


def can(actor: SimulatedActor, action: str) -> bool:
    """Whether that actor takes that action."""
    return (isinstance(actor, ImageDisplay) and action in DISPLAY_ACTIONS) or (
        isinstance(actor, EvidenceCreator) and action in CREATOR_ACTIONS
    )


def perform(actor: SimulatedActor, action: str, parameters: Parameters) -> dict[str, Any]:
    """Do it; the answer says what a user would see: ``entries`` and ``error`` (empty if all went well).

    Raises UsageError for a peer that the actor does not know, KeyError for a parameter that is missing.
    """
    try:
        if isinstance(actor, ImageDisplay) and action == "query-images":
            return actor.behaviour.told(_query(actor, parameters))
        if isinstance(actor, ImageDisplay) and action == "retrieve-images":
            return actor.behaviour.told(_retrieve(actor, parameters))
        if isinstance(actor, EvidenceCreator) and action == "create-evidence":
            return _create(actor, parameters)
        if isinstance(actor, EvidenceCreator) and action == "create-document":
            return _write(actor, parameters)
    except PeerError as error:
        return {"entries": 0, "error": str(error)}
    raise ValueError(f"{actor.name} cannot {action}")


def _peer(actor: SimulatedActor, parameters: Parameters, name: str = "peer") -> Address:
    """``TITLE at HOST:PORT`` names a peer by its title: where it is has been configured."""
    return actor.peer(str(parameters[name]).partition(" at ")[0])


def _query(display: ImageDisplay, parameters: Parameters) -> dict[str, Any]:
    if not display.behaviour.asks:
        return {"entries": 0, "error": ""}
    replies = display.query(_peer(display, parameters), str(parameters["level"]), dict(parameters["keys"]))
    return {"entries": len(replies.pending), "error": _error(replies)}


def _retrieve(display: ImageDisplay, parameters: Parameters) -> dict[str, Any]:
    """The whole study in one, or each of its series as a user of a list of series does."""
    peer, study = _peer(display, parameters), {"StudyInstanceUID": str(parameters["study"])}
    level = str(parameters.get("level") or "STUDY")
    wanted = [study]
    if level == "SERIES":
        found = display.query(peer, "SERIES", study)
        wanted = [{**study, "SeriesInstanceUID": str(entry.SeriesInstanceUID)} for entry in found.datasets()]
    before, errors = len(display.received), []
    for keys in wanted:
        errors.append(_error(display.move(peer, level, keys)))
    received = display.received[before:]
    pages = {one.sop_instance: document_page(one) for one in received if one.sop_class.startswith(_DOCUMENTS)}
    answers: dict[str, Any] = {"entries": len(received), "error": "; ".join(filter(None, errors))}
    return {**answers, "pages": pages} if pages else answers


def _error(replies: Replies) -> str:
    if replies.status == 0:
        return ""
    failed = replies.final.command.get("NumberOfFailedSuboperations")
    comment = str(replies.final.command.get("ErrorComment") or "")
    count = f", {failed} failed" if failed else ""
    return f"the archive answered {replies.status:04X}{count}{': ' + comment if comment else ''}"


def _create(creator: EvidenceCreator, parameters: Parameters) -> dict[str, Any]:
    archive, manager = _peer(creator, parameters), _peer(creator, parameters, "manager")
    sources = creator.fetch(archive, str(parameters["study"]))
    if not sources:
        return {"entries": 0, "error": "the archive has no images of that study"}
    exam = creator.perform(sources, manager, archive)
    if asked := creator.evidence.to_commit(exam.samples):
        creator.request_commitment(archive, asked)
    return {"entries": len(exam.samples), "error": "" if exam.accepted else "something was refused"}


def _write(creator: EvidenceCreator, parameters: Parameters) -> dict[str, Any]:
    """``study`` is one Study Instance UID, or several with commas between."""
    studies = [uid.strip() for uid in str(parameters["study"]).split(",")]
    statuses = creator.write(_peer(creator, parameters), str(parameters["kind"]), studies)
    refused = ", ".join(f"{status:04X}" for status in statuses if status)
    if not statuses:
        return {"entries": 0, "error": "the archive has no images of that study"}
    return {"entries": len(statuses), "error": f"the archive answered {refused}" if refused else ""}
