"""What a product declares against the tables of the profile: actors, options, groupings, coverage (RAD TF-1 3, 34)."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from harness.core.check import Check, Observation
from harness.core.message import Message, Protocol
from harness.core.spec import Profile
from harness.profiles import names
from harness.profiles.ari import ARI, ED, KIN
from harness.profiles.cpi import CPI
from harness.profiles.hl7_messages import field, first
from harness.profiles.journal import (
    COMMITMENT,
    FROM_SUT,
    MPPS,
    MWL_FIND,
    QUERY_FINDS,
    RETRIEVE_MOVES,
    TO_SUT,
    Journal,
    Operation,
)
from harness.profiles.observe import check, judged
from harness.profiles.pdi import PDI
from harness.profiles.steps import Steps
from harness.profiles.swf import SWF, SWF_B
from harness.profiles.values import listed, text

_PROFILES: tuple[Profile, ...] = (SWF, SWF_B, CPI, ARI, PDI, KIN, ED)


def _claimed(j: Journal, *ids: str) -> list[Profile]:
    return [p for p in _PROFILES if p.id in j.sut.profiles and (not ids or p.id in ids)]


def _allowed(j: Journal) -> set[str]:
    return {option.name for p in _claimed(j) for option in p.options if set(option.actors) & j.sut.actors}


def options_belong_to_declared_actors(j: Journal) -> Iterator[Observation]:
    if not j.sut.profiles:
        return
    allowed = _allowed(j)
    for option in sorted(j.sut.options):
        yield judged(
            option in allowed,
            f"The option {option} is {'one' if option in allowed else 'none'} of the declared actors",
            (),
            expected=sorted(allowed) or "no option at all",
            actual=option,
            locator="declared options",
            why="A buyer takes the statement at its word.",
        )


def worklist_option_declared(j: Journal) -> Iterator[Observation]:
    if names.MODALITY not in j.sut.actors or not _claimed(j, "SWF", "SWF.b"):
        return
    wanted = {names.PATIENT_BASED_QUERY, names.BROAD_QUERY}
    found = sorted(wanted & j.sut.options)
    yield judged(
        bool(found),
        f"The modality declares {listed(found) or 'neither kind of worklist query'}",
        (),
        expected=sorted(wanted),
        actual=listed(found) or "neither",
        locator="declared options",
        why="One of the two is what every modality can do.",
    )


def manager_is_grouped(j: Journal) -> Iterator[Observation]:
    if names.PPS_MANAGER not in j.sut.actors:
        return
    grouped = sorted({names.IMAGE_MANAGER, names.ORDER_FILLER} & j.sut.actors)
    yield judged(
        bool(grouped),
        f"The PPS Manager is grouped with {listed(grouped) or 'nobody'}",
        (),
        expected=(names.IMAGE_MANAGER, names.ORDER_FILLER),
        actual=listed(grouped) or "none",
        locator="declared actors",
        why="A manager alone is no use to anybody.",
    )


def _option_in_table(j: Journal, option: str) -> Iterator[Observation]:
    if option not in j.sut.options:
        return
    may = {a for p in _claimed(j) for o in p.options if o.name == option for a in o.actors}
    found = sorted(may & j.sut.actors)
    yield judged(
        bool(found),
        f"{option} is declared by {listed(found) or 'an actor that has no such option'}",
        (),
        expected=sorted(may),
        actual=listed(sorted(j.sut.actors)),
        locator="declared options",
    )


def assisted_protocol_option(j: Journal) -> Iterator[Observation]:
    yield from _option_in_table(j, names.ASSISTED_PROTOCOL)


def exception_option(j: Journal) -> Iterator[Observation]:
    yield from _option_in_table(j, names.PPS_EXCEPTION)


def group_option(j: Journal) -> Iterator[Observation]:
    yield from _option_in_table(j, names.GROUP_CASE)


def billing_option(j: Journal) -> Iterator[Observation]:
    yield from _option_in_table(j, names.BILLING)


def availability_option(j: Journal) -> Iterator[Observation]:
    yield from _option_in_table(j, names.AVAILABILITY)


def work_status_option(j: Journal) -> Iterator[Observation]:
    yield from _option_in_table(j, names.WORK_STATUS)


def appointment_option(j: Journal) -> Iterator[Observation]:
    yield from _option_in_table(j, names.APPOINTMENT)


def hl7_option(j: Journal) -> Iterator[Observation]:
    yield from _option_in_table(j, names.HL7_V251)


def creator_option(j: Journal) -> Iterator[Observation]:
    yield from _option_in_table(j, names.CREATOR_PPS)
    if names.CREATOR_PPS in j.sut.options or names.EVIDENCE_CREATOR not in j.sut.actors:
        return
    for step in Steps(j).by(names.EVIDENCE_CREATOR):
        yield judged(
            False,
            f"{step.label} of the Evidence Creator came although the option is not declared",
            step.evidence,
            expected=names.CREATOR_PPS,
            actual="not declared",
            locator="declared options",
        )


# -- coverage --------------------------------------------------------------------------------------------------


def _first(operations: Iterator[Operation]) -> Message | None:
    return next((operation.request for operation in operations), None)


def _whole(j: Journal, needed: dict[str, Message | None], actor: str, trigger: bool) -> Iterator[Observation]:
    """Whether a run that was meant to be whole exercised every transaction of an actor."""
    if not trigger:
        return
    missing = [name for name, message in needed.items() if message is None]
    yield judged(
        not missing,
        f"The {actor} " + (f"was not seen to do {listed(missing)}" if missing else "did all of its transactions"),
        tuple(message.seq for message in needed.values() if message is not None),
        expected=listed(needed),
        actual=f"missing: {listed(missing)}" if missing else "all",
        locator="transactions",
        why="A claim of a profile covers all required transactions of the actor.",
    )


def modality_does_all(j: Journal) -> Iterator[Observation]:
    """Only where a whole scheduled exam with commitment was asked for."""
    asked = [
        data
        for _, data in j.actions
        if data.get("action") == "perform-step"
        and (data.get("parameters") or {}).get("commit") not in (False, "no", "false")
        and str((data.get("parameters") or {}).get("end") or "completed").lower() == "completed"
        and (data.get("outcome") or {}).get("state", "done") == "done"
    ]
    refused = any(True for _ in j.facts("FAULT-INJECTED"))
    final = (
        o for o in j.select("N-SET-RQ", FROM_SUT, MPPS) if text(o.attributes, "PerformedProcedureStepStatus") != ""
    )
    needed = {
        "RAD-5": _first(j.select("C-FIND-RQ", FROM_SUT, MWL_FIND)),
        "RAD-6": _first(j.select("N-CREATE-RQ", FROM_SUT, MPPS)),
        "RAD-7": _first(final),
        "RAD-8": _first(iter(j.stores)),
        "RAD-10": _first(j.select("N-ACTION-RQ", FROM_SUT, COMMITMENT)),
    }
    yield from _whole(j, needed, names.MODALITY, bool(asked) and not refused)


def _answered(operations: Iterator[Operation]) -> Message | None:
    return next((o.final for o in operations if o.final is not None), None)


def archive_answers_all(j: Journal) -> Iterator[Observation]:
    """Only where store, commitment, query and retrieve were all tried."""
    tried = {
        "RAD-8": list(j.ours),
        "RAD-10": list(j.select("N-ACTION-RQ", TO_SUT, COMMITMENT)),
        "RAD-14": list(j.select("C-FIND-RQ", TO_SUT, QUERY_FINDS)),
        "RAD-16": list(j.select("C-MOVE-RQ", TO_SUT, RETRIEVE_MOVES)),
    }
    needed = {name: _answered(iter(found)) for name, found in tried.items()}
    services = {"RAD-10": (COMMITMENT,), "RAD-14": QUERY_FINDS, "RAD-16": RETRIEVE_MOVES}
    whole = names.IMAGE_MANAGER in j.sut.actors and all(
        found or _refused(j, services.get(name, ())) for name, found in tried.items()
    )
    yield from _whole(j, needed, names.IMAGE_MANAGER, whole)


def _refused(j: Journal, classes: Collection[str]) -> bool:
    """Whether we tried to use a service and got no presentation context for it."""
    return any(
        context.get("abstract_syntax") in classes
        for association in j.associations.values()
        if not association.from_sut and association.request is not None
        for context in association.proposed
    )


def display_does_all(j: Journal) -> Iterator[Observation]:
    asked = {str(data.get("action")) for _, data in j.actions}
    needed = {
        "RAD-14": _first(j.select("C-FIND-RQ", FROM_SUT, QUERY_FINDS)),
        "RAD-16": _first(j.select("C-MOVE-RQ", FROM_SUT, RETRIEVE_MOVES)),
    }
    trigger = names.IMAGE_DISPLAY in j.sut.actors and {"query-images", "retrieve-images"} <= asked
    yield from _whole(j, needed, names.IMAGE_DISPLAY, trigger)


def creator_does_all(j: Journal) -> Iterator[Observation]:
    stores = j.stores_of(names.EVIDENCE_CREATOR)
    needed = {
        "RAD-18": stores[0].request if stores else None,
        "RAD-10": _first(j.select("N-ACTION-RQ", FROM_SUT, COMMITMENT)),
    }
    asked = any(data.get("action") == "create-evidence" for _, data in j.actions)
    yield from _whole(j, needed, names.EVIDENCE_CREATOR, names.EVIDENCE_CREATOR in j.sut.actors and asked)


def availability_query_answered(j: Journal) -> Iterator[Observation]:
    if names.IMAGE_MANAGER not in j.sut.actors or not _claimed(j, "SWF"):
        return
    for query in j.select("C-FIND-RQ", TO_SUT, QUERY_FINDS):
        if text(query.attributes, "QueryRetrieveLevel") != "IMAGE" or query.final is None:
            continue
        if not text(query.attributes, "SeriesInstanceUID") or j.cancelled_at(query):
            continue
        yield judged(
            query.status == 0,
            f"An image level query for availability was answered {query.status:04X} with "
            f"{len(query.pending)} instance(s)",
            query.evidence,
            expected="0000",
            actual=f"{query.status:04X}",
            locator="Status",
            why="The order filler has no other way to know in original SWF.",
        )


def filler_does_all(j: Journal) -> Iterator[Observation]:
    """Only in a flow from order to completion: an order came, a step was reported, the worklist was asked."""
    if names.ORDER_FILLER not in j.sut.actors:
        return
    sent = [m for m in j.messages if m.protocol is Protocol.HL7 and m.direction is FROM_SUT]
    ordered = any(m.protocol is Protocol.HL7 and m.direction is TO_SUT and _is_new_order(m) for m in j.messages)
    tried = {
        "RAD-5": list(j.select("C-FIND-RQ", TO_SUT, MWL_FIND)),
        "RAD-6": list(j.select("N-CREATE-RQ", TO_SUT, MPPS)),
        "RAD-7": list(j.select("N-SET-RQ", TO_SUT, MPPS)),
    }
    needed: dict[str, Message | None] = {name: _answered(iter(found)) for name, found in tried.items()}
    needed["RAD-4"] = next((m for m in sent if first(m, "ZDS") or first(m, "IPC")), None)
    if any(m.actor == names.ORDER_PLACER for m in j.messages):
        told = (m for m in sent if m.actor == names.ORDER_PLACER and m.kind.startswith(("ORM", "OMG")))
        needed["RAD-3"] = next(told, None)
    yield from _whole(j, needed, names.ORDER_FILLER, ordered and all(tried.values()))


def _is_new_order(message: Message) -> bool:
    orc = first(message, "ORC")
    return bool(orc) and field(orc, 1) == "NW" and message.kind.startswith(("ORM", "OMG"))


# checks of coverage belong to the last transaction of the flow: judged earlier, the rest would seem to be missing
_ROWS = (
    ("declared-filler", "SWF-ACT-03", "RAD-7", filler_does_all, "The order filler does its part"),
    ("declared-modality", "SWF-ACT-04", "RAD-10", modality_does_all, "A modality does it all"),
    ("declared-archive", "SWF-ACT-05", "RAD-16", archive_answers_all, "An archive answers all"),
    ("declared-availability-query", "SWF-ACT-06", "RAD-11", availability_query_answered, "Availability is answered"),
    ("declared-manager", "SWF-ACT-07", "RAD-6 RAD-7", manager_is_grouped, "A PPS Manager is grouped"),
    ("declared-display", "SWF-ACT-08", "RAD-16", display_does_all, "A display queries and retrieves"),
    ("declared-creator", "SWF-ACT-09", "RAD-10", creator_does_all, "A creator stores and asks commitment"),
    ("declared-creator-option", "SWF-ACT-10", "RAD-20 RAD-21", creator_option, "A creator's steps are an option"),
    ("declared-worklist-option", "SWF-OPT-01", "RAD-5", worklist_option_declared, "A worklist option is declared"),
    ("declared-assisted", "SWF-OPT-02", "RAD-5 RAD-6", assisted_protocol_option, "The option fits the actor"),
    ("declared-exception", "SWF-OPT-03", "RAD-6 RAD-7", exception_option, "The option fits the actor"),
    ("declared-group", "SWF-OPT-04", "RAD-6 RAD-7 RAD-8", group_option, "The option fits the actor"),
    ("declared-billing", "SWF-OPT-05", "RAD-7", billing_option, "The option fits the actor"),
    ("declared-availability", "SWF-OPT-06", "RAD-49", availability_option, "The option fits the actor"),
    ("declared-work-status", "SWF-OPT-07", "RAD-42", work_status_option, "The option fits the actor"),
    ("declared-appointment", "SWF-OPT-08", "RAD-48", appointment_option, "The option fits the actor"),
    ("declared-hl7", "SWF-OPT-09", "RAD-1 RAD-2 RAD-3 RAD-4 RAD-12 RAD-13", hl7_option, "The option fits the actor"),
    ("declared-options", "SWF-OPT-10", "RAD-5 RAD-6 RAD-49", options_belong_to_declared_actors, "Options fit actors"),
)

CHECKS: tuple[Check, ...] = tuple(check(id, req, rads, function, title) for id, req, rads, function, title in _ROWS)
