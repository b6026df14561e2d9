"""RAD-5 Query Modality Worklist, as the modality sends it (RAD TF-2 4.5, PS3.4 K)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from harness.core.check import Check, Observation
from harness.profiles import names
from harness.profiles.journal import FROM_SUT, IMPLICIT_LITTLE_ENDIAN, MWL_FIND, Journal, Operation
from harness.profiles.matching import asked_keys, matching_keys
from harness.profiles.observe import check, judged
from harness.profiles.swf.mapping import worklist
from harness.profiles.values import items, listed


def queries(j: Journal) -> Iterator[Operation]:
    """Worklist queries of the system under test."""
    return j.select("C-FIND-RQ", FROM_SUT, MWL_FIND)


def worklist_class_queried(j: Journal) -> Iterator[Observation]:
    for query in queries(j):
        context = str(query.request.fields.get("AbstractSyntax") or MWL_FIND)
        yield judged(
            context == MWL_FIND,
            f"{query.request.label} asks the Modality Worklist over a context of its own class",
            (query.request.seq,),
            expected=MWL_FIND,
            actual=context,
            locator="AffectedSOPClassUID",
            why="A query over another context may be answered by another service.",
        )


def implicit_little_endian_proposed(j: Journal) -> Iterator[Observation]:
    for association in j.associations.values():
        if not association.from_sut or association.request is None:
            continue
        offered = [c.get("transfer_syntaxes") or () for c in association.proposed if _is_worklist(c)]
        if not offered:
            continue
        found = sorted({syntax for syntaxes in offered for syntax in syntaxes})
        ok = IMPLICIT_LITTLE_ENDIAN in found
        yield judged(
            ok,
            f"Implicit VR Little Endian is {'' if ok else 'not '}proposed for the worklist",
            (association.request.seq,),
            expected=IMPLICIT_LITTLE_ENDIAN,
            actual=listed(found),
            locator="presentation contexts",
            why="It is the only encoding that every provider is bound to accept.",
        )


def _is_worklist(context: Mapping[str, Any]) -> bool:
    return context.get("abstract_syntax") == MWL_FIND


def one_step_item_with_step_keys(j: Journal) -> Iterator[Observation]:
    for query in queries(j):
        found = items(query.attributes, "ScheduledProcedureStepSequence")
        stray = sorted(worklist.STEP_KEYS & set(query.attributes))
        yield judged(
            len(found) == 1 and not stray,
            f"The identifier of {query.request.label} has {len(found)} item(s) in Scheduled Procedure Step Sequence"
            + (f" and step keys at its root: {listed(stray)}" if stray else ""),
            (query.request.seq,),
            expected="one item with the step keys in it",
            actual=f"{len(found)} item(s), {len(stray)} step key(s) at the root",
            locator="ScheduledProcedureStepSequence",
            why="A provider ignores step keys at the root and returns the whole worklist.",
        )


# -- which keys the operator can query by ----------------------------------------------------------------------


def _asked(j: Journal, query: Operation) -> set[str] | None:
    """The keys that the operator was asked to fill in before this query, None if that is not known."""
    action = j.action_before(query.request.seq, "query-worklist")
    latest = j.action_before(query.request.seq)
    if action is None or action is not latest:
        return None
    keys = (action.get("parameters") or {}).get("keys")
    return {str(key) for key, value in keys.items() if value} if isinstance(keys, Mapping) else None


def _queried_by(j: Journal, *combinations: frozenset[str]) -> Iterator[Observation]:
    for query in queries(j):
        asked, used = _asked(j, query), frozenset(matching_keys(query.attributes))
        if (asked if asked is not None else used) not in combinations:
            continue
        wanted = [listed(sorted(asked))] if asked else [listed(sorted(c)) for c in combinations]
        ok = used == asked if asked is not None else True
        yield judged(
            ok,
            f"{query.request.label} matches on {listed(sorted(used)) or 'nothing'}"
            + ("" if ok else f", but {listed(sorted(asked or ()))} was asked for"),
            (query.request.seq,),
            expected=wanted,
            actual=listed(sorted(used)) or "no matching key",
            locator="identifier",
            why="With other keys than the operator gave, the worklist shows too much or hides the patient.",
        )


def by_patient_name(j: Journal) -> Iterator[Observation]:
    yield from _queried_by(j, frozenset({"PatientName"}))


def by_patient_id(j: Journal) -> Iterator[Observation]:
    yield from _queried_by(j, frozenset({"PatientID"}))


def by_accession_number(j: Journal) -> Iterator[Observation]:
    yield from _queried_by(j, frozenset({"AccessionNumber"}))


def by_requested_procedure_id(j: Journal) -> Iterator[Observation]:
    yield from _queried_by(j, frozenset({"RequestedProcedureID"}))


def by_several_patient_keys(j: Journal) -> Iterator[Observation]:
    keys = worklist.PATIENT_KEYS
    combinations = [
        frozenset(key for bit, key in enumerate(keys) if number >> bit & 1) for number in range(1, 2 ** len(keys))
    ]
    yield from _queried_by(j, *(c for c in combinations if len(c) > 1))


_DATE = "ScheduledProcedureStepStartDate"
_STATION = "ScheduledStationAETitle"


def by_start_date(j: Journal) -> Iterator[Observation]:
    yield from _queried_by(j, frozenset({_DATE}))


def by_date_and_modality(j: Journal) -> Iterator[Observation]:
    yield from _queried_by(j, frozenset({_DATE, "Modality"}))


def by_date_and_station(j: Journal) -> Iterator[Observation]:
    yield from _queried_by(j, frozenset({_DATE, _STATION}), frozenset({_DATE, _STATION, "Modality"}))


def by_date_range(j: Journal) -> Iterator[Observation]:
    for query in queries(j):
        action = j.action_before(query.request.seq)
        asked = str(((action or {}).get("parameters") or {}).get("keys", {}).get(_DATE, "")) if action else ""
        used = matching_keys(query.attributes).get(_DATE, "")
        if "-" in asked or "-" in used:
            yield judged(
                "-" in used,
                f"{query.request.label} asks for the start date {used or '(none)'}",
                (query.request.seq,),
                expected="a range with a hyphen",
                actual=used,
                locator=f"ScheduledProcedureStepSequence[1]/{_DATE}",
            )


# -- return keys -----------------------------------------------------------------------------------------------


def _requested(j: Journal, keys: tuple[str, ...], why: str) -> Iterator[Observation]:
    for query in queries(j):
        asked = asked_keys(query.attributes)
        for keyword in keys:
            yield judged(
                keyword in asked,
                f"{keyword} is {'' if keyword in asked else 'not '}asked for in {query.request.label}",
                (query.request.seq,),
                expected="present in the identifier",
                actual="present" if keyword in asked else "(absent)",
                locator=keyword,
                why=why,
            )


def procedure_return_keys_requested(j: Journal) -> Iterator[Observation]:
    yield from _requested(
        j,
        (*worklist.PROCEDURE_RETURN_KEYS, *worklist.STEP_RETURN_KEYS),
        "What is not asked for is not returned, and cannot be copied into the performed step and the images.",
    )


def patient_return_keys_requested(j: Journal) -> Iterator[Observation]:
    yield from _requested(
        j, worklist.PATIENT_RETURN_KEYS, "The patient is identified by these four, on the screen and in every image."
    )


def protocol_codes_requested(j: Journal) -> Iterator[Observation]:
    if names.ASSISTED_PROTOCOL in j.sut.options:
        yield from _requested(
            j, ("ScheduledProtocolCodeSequence",), "Without the code there is nothing to set the protocol by."
        )


CHECKS: tuple[Check, ...] = (
    check("mwl-scu-class", "RAD-5-SCU-01", "RAD-5", worklist_class_queried, "The worklist class is queried"),
    check(
        "mwl-scu-implicit-vr",
        "RAD-5-SCU-02",
        "RAD-5",
        implicit_little_endian_proposed,
        "Implicit VR Little Endian is proposed",
    ),
    check("mwl-scu-one-step-item", "RAD-5-SCU-03", "RAD-5", one_step_item_with_step_keys, "Step keys are in one item"),
    check("mwl-scu-by-name", "RAD-5-SCU-04", "RAD-5", by_patient_name, "Query by Patient Name alone"),
    check("mwl-scu-by-patient-id", "RAD-5-SCU-05", "RAD-5", by_patient_id, "Query by Patient ID alone"),
    check("mwl-scu-by-accession", "RAD-5-SCU-06", "RAD-5", by_accession_number, "Query by Accession Number alone"),
    check(
        "mwl-scu-by-procedure-id",
        "RAD-5-SCU-07",
        "RAD-5",
        by_requested_procedure_id,
        "Query by Requested Procedure ID alone",
    ),
    check("mwl-scu-by-several", "RAD-5-SCU-08", "RAD-5", by_several_patient_keys, "Query by several patient keys"),
    check("mwl-scu-by-date", "RAD-5-SCU-09", "RAD-5", by_start_date, "Query by start date"),
    check("mwl-scu-by-date-modality", "RAD-5-SCU-10", "RAD-5", by_date_and_modality, "Query by date and modality"),
    check("mwl-scu-by-date-station", "RAD-5-SCU-11", "RAD-5", by_date_and_station, "Query by date and station"),
    check("mwl-scu-date-range", "RAD-5-SCU-12", "RAD-5", by_date_range, "Query by a range of dates"),
    check(
        "mwl-scu-procedure-return-keys",
        "RAD-5-SCU-13",
        "RAD-5",
        procedure_return_keys_requested,
        "Procedure and step return keys are asked for",
    ),
    check(
        "mwl-scu-patient-return-keys",
        "RAD-5-SCU-14",
        "RAD-5",
        patient_return_keys_requested,
        "Patient return keys are asked for",
    ),
    check("mwl-scu-protocol-codes", "RAD-5-SCU-21", "RAD-5", protocol_codes_requested, "Protocol codes are asked for"),
)
