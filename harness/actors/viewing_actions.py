"""What a screen, a print composer and a report reader of ours can be asked to do when they stand for a product."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydicom.dataset import Dataset

from harness.actors.actor import SimulatedActor
from harness.actors.presentation import softcopy
from harness.actors.presentation.softcopy import SoftcopyDisplay
from harness.actors.printing.composer import PrintComposer
from harness.actors.printing.orders import FilmOrder, LutChoice
from harness.actors.printing.pictures import picture_of
from harness.actors.printing.server import PrintServer
from harness.actors.reports.reader import ReportReader
from harness.core.errors import UsageError
from harness.protocols.dicom.errors import PeerError
from harness.protocols.dicom.node import Address

Parameters = Mapping[str, Any]
_PEER = re.compile(r"(?P<title>\S+) at (?P<host>[^\s:]+):(?P<port>\d{1,5})")

#: who takes which actions of the closed list
ACTIONS: Mapping[type[SimulatedActor], tuple[str, ...]] = {
    SoftcopyDisplay: ("show-images", "measure-display"),
    PrintComposer: ("print-images",),
    PrintServer: ("measure-film", "change-printer-status"),
    ReportReader: ("query-reports", "retrieve-report"),
}


def can(actor: SimulatedActor, action: str) -> bool:
    """Whether that actor takes that action."""
    return any(isinstance(actor, kind) and action in names for kind, names in ACTIONS.items())


def perform(actor: SimulatedActor, action: str, parameters: Parameters) -> dict[str, Any]:
    """Do it; the answer says what a user would see, ``error`` is empty if all went well.

    Raises UsageError and KeyError for parameters that make no sense.
    """
    try:
        if isinstance(actor, SoftcopyDisplay):
            return softcopy.perform(actor, action, parameters)
        if isinstance(actor, PrintComposer):
            return _print(actor, parameters)
        if isinstance(actor, PrintServer):
            return _printer(actor, action, parameters)
        if isinstance(actor, ReportReader):
            done = _query(actor, parameters) if action == "query-reports" else _read(actor, parameters)
            return actor.behaviour.told(done)
    except PeerError as error:
        return {"entries": 0, "error": str(error)}
    raise ValueError(f"{actor.name} cannot {action}")


def peers(text: str) -> tuple[Address, ...]:
    """Every ``TITLE at HOST:PORT`` in a text. Raises UsageError if there is none."""
    found = tuple(Address(one["title"], one["host"], int(one["port"])) for one in _PEER.finditer(text))
    if not found:
        raise UsageError(f"{text!r} names no peer; write TITLE at HOST:PORT")
    return found


def _print(composer: PrintComposer, parameters: Parameters) -> dict[str, Any]:
    objects = [composer.kept(str(uid)) for uid in parameters["images"]]
    states = [ds for ds in objects if str(ds.Modality) == "PR"]
    pictures = tuple(picture_of(ds, _state_for(ds, states)) for ds in objects if str(ds.Modality) != "PR")
    order = FilmOrder(pictures, f"STANDARD\\1,{len(pictures)}", lut=LutChoice("IDENTITY"))
    outcome = composer.print_films(peers(str(parameters["peer"]))[0], (order,))
    return {"entries": len(pictures), "error": "; ".join(composer.shown), "printed": outcome.printed}


def _state_for(image: Dataset, states: list[Dataset]) -> Dataset | None:
    """The presentation state that names an image."""
    uid = str(image.SOPInstanceUID)
    return next((state for state in states if uid in _named(state)), None)


def _named(state: Dataset) -> Iterator[str]:
    for series in state.get("ReferencedSeriesSequence") or ():
        for item in series.get("ReferencedImageSequence") or ():
            yield str(item.get("ReferencedSOPInstanceUID", ""))


def _printer(server: PrintServer, action: str, parameters: Parameters) -> dict[str, Any]:
    if action == "measure-film":
        measured = server.measured(int(parameters.get("position") or 1))
        Path(str(parameters["table"])).write_text(measured, encoding="utf-8")
    else:
        server.change_status(str(parameters["status"]), str(parameters.get("reason", "")))
    return {}


def _query(reader: ReportReader, parameters: Parameters) -> dict[str, Any]:
    """Studies with reports, and the documents of each, from every source that is named."""
    keys = {name: value for name, value in dict(parameters.get("keys") or {}).items() if value}
    entries: list[dict[str, str]] = []
    problems: list[str] = []
    for found in reader.search(peers(str(parameters["peer"])), keys):
        if found.problem:
            problems.append(f"{found.source.ae_title}: {found.problem}")
        for study in found.studies:
            entries += [dict(one) for one in reader.documents(found.source, study["StudyInstanceUID"])]
    return {"entries": len(entries), "documents": entries, "error": "; ".join(problems)}


def _read(reader: ReportReader, parameters: Parameters) -> dict[str, Any]:
    source, wanted = peers(str(parameters["peer"]))[0], str(parameters["report"])
    listed = [
        document
        for found in reader.search((source,), {})
        for study in found.studies
        for document in reader.documents(source, study["StudyInstanceUID"])
        if document["SOPInstanceUID"] == wanted
    ]
    if not listed:
        return {"entries": 0, "error": f"{source.ae_title} has no report {wanted}"}
    page = reader.read(source, listed[0])
    return {"entries": 1 if page else 0, "page": page, "error": "" if page else "the report did not come"}
