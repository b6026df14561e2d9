"""RAD-5 Query Modality Worklist, as the order filler answers it (RAD TF-2 4.5, PS3.4 K)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from harness.core.check import Check, Observation
from harness.profiles import facts
from harness.profiles.journal import IMPLICIT_LITTLE_ENDIAN, MWL_FIND, TO_SUT, Journal, Operation
from harness.profiles.matching import asked_keys
from harness.profiles.observe import all_present, all_valued, check, judged, same, same_set
from harness.profiles.steps import Entry, entry_of
from harness.profiles.swf.mapping import worklist
from harness.profiles.values import attributes_of, code, items, listed, normal, shown, text, valued


def queries(j: Journal) -> Iterator[Operation]:
    """Worklist queries that we sent."""
    return j.select("C-FIND-RQ", TO_SUT, MWL_FIND)


def entries(query: Operation) -> list[Entry]:
    """The matches that came back."""
    return [entry_of(attributes_of(message), message.seq) for message in query.pending]


def fact_of(j: Journal, query: Operation) -> Mapping[str, Any]:
    return next((data for _, data in j.facts(facts.QUERY) if data.get("message") == query.request.seq), {})


def orders(j: Journal, before: int) -> dict[str, Entry]:
    """Steps that the product was asked to schedule and not to cancel before ``before``, by step id."""
    known: dict[str, Entry] = {}
    for seq, data in j.facts(facts.ORDER):
        if seq < before:
            entry = entry_of(data.get("keywords") or {}, seq)
            if data.get("cancelled"):
                known.pop(entry.step_id, None)
            else:
                known[entry.step_id] = entry
    return known


def implicit_little_endian_accepted(j: Journal) -> Iterator[Observation]:
    for association in j.associations.values():
        if association.from_sut or association.request is None:
            continue
        answers = {context.get("id"): context for context in association.accepted}
        for context in association.proposed:
            offered = list(context.get("transfer_syntaxes") or ())
            if context.get("abstract_syntax") != MWL_FIND or IMPLICIT_LITTLE_ENDIAN not in offered:
                continue
            answer = answers.get(context.get("id"))
            reply = association.first("A-ASSOCIATE-AC") or association.first("A-ASSOCIATE-RJ")
            if reply is None:
                continue
            syntax = answer.get("transfer_syntax") if answer is not None else None
            if answer is not None and syntax != IMPLICIT_LITTLE_ENDIAN and len(offered) > 1:
                continue  # it chose another encoding, which says nothing of this one
            yield judged(
                answer is not None,
                f"The worklist context with {listed(offered, 3)} was "
                + (f"accepted with {syntax}" if answer is not None else "not accepted"),
                (association.request.seq, reply.seq),
                expected=IMPLICIT_LITTLE_ENDIAN if len(offered) == 1 else offered,
                actual=str(syntax or "not accepted"),
                locator=f"presentation context {context.get('id')}",
                why="Implicit VR Little Endian is the encoding that both sides are bound to know.",
            )


# -- what comes back -------------------------------------------------------------------------------------------


def one_step_in_each_response(j: Journal) -> Iterator[Observation]:
    for query in queries(j):
        for message in query.pending:
            number = len(items(attributes_of(message), "ScheduledProcedureStepSequence"))
            yield judged(
                number == 1,
                f"{message.label} has {number} item(s) in Scheduled Procedure Step Sequence",
                (query.request.seq, message.seq),
                expected="1",
                actual=str(number),
                locator="ScheduledProcedureStepSequence",
                why="A modality takes the first item; further steps would be lost.",
            )


def type_1_keys_valued(j: Journal) -> Iterator[Observation]:
    for query in queries(j):
        asked = asked_keys(query.attributes)
        for message in query.pending:
            flat = entry_of(attributes_of(message), message.seq).attributes
            yield from all_valued(
                flat, (k for k in worklist.TYPE_1 if k in asked), message, why="The key is of return type 1."
            )


def _either(j: Journal, words: str, coded: str) -> Iterator[Observation]:
    for query in queries(j):
        if not {words, coded} <= asked_keys(query.attributes):
            continue
        for message in query.pending:
            flat = entry_of(attributes_of(message), message.seq).attributes
            ok = valued(flat, words) or any(code(item)[0] for item in items(flat, coded))
            yield judged(
                ok,
                f"{message.label} describes it in {words} or {coded}"
                if ok
                else f"{message.label} has a value neither in {words} nor in {coded}",
                (query.request.seq, message.seq),
                expected=(words, coded),
                actual=f"{shown(flat.get(words))} / {shown(flat.get(coded))}",
                locator=f"{words} or {coded}",
                why="Without either nobody knows what is to be done.",
            )


def step_described(j: Journal) -> Iterator[Observation]:
    yield from _either(j, "ScheduledProcedureStepDescription", "ScheduledProtocolCodeSequence")


def procedure_described(j: Journal) -> Iterator[Observation]:
    yield from _either(j, "RequestedProcedureDescription", "RequestedProcedureCodeSequence")


def type_2_keys_present(j: Journal) -> Iterator[Observation]:
    for query in queries(j):
        asked = asked_keys(query.attributes)
        for message in query.pending:
            flat = entry_of(attributes_of(message), message.seq).attributes
            yield from all_present(
                flat,
                (k for k in worklist.TYPE_2 if k in asked),
                message,
                why="The key is of return type 2: asked for, it comes back, empty if unknown.",
            )


def ihe_keys_supplied(j: Journal) -> Iterator[Observation]:
    for query in queries(j):
        asked, known = asked_keys(query.attributes), orders(j, query.request.seq)
        for entry in entries(query):
            order = known.get(entry.step_id)
            for keyword in worklist.SUPPLIED:
                if order is None or keyword not in asked or not valued(order.attributes, keyword):
                    continue
                yield same(
                    keyword,
                    order.attributes[keyword],
                    entry.attributes.get(keyword),
                    source=f"the order of step {entry.step_id}",
                    target="the worklist",
                    evidence=(order.seq, entry.seq),
                    why="IHE binds the order filler to supply this key, not only to accept it.",
                )


def codes_complete(j: Journal) -> Iterator[Observation]:
    for query in queries(j):
        for entry in entries(query):
            for keyword in worklist.CODE_SEQUENCES:
                for number, item in enumerate(items(entry.attributes, keyword)):
                    value, scheme, meaning = code(item)
                    if not item:
                        continue
                    yield judged(
                        bool(value and scheme and meaning),
                        f"{keyword} item {number + 1} is {shown([item])}",
                        (query.request.seq, entry.seq),
                        expected="code value, coding scheme designator and code meaning",
                        actual=shown([item]),
                        locator=f"{keyword}[{number + 1}]",
                        why="A value without its scheme is no code.",
                    )


def final_response_is_bare_success(j: Journal) -> Iterator[Observation]:
    for query in queries(j):
        if query.final is None or fact_of(j, query).get("purpose") == "after-cancel" or j.cancelled_at(query):
            continue
        size = query.final.payload.size
        yield judged(
            query.status == 0 and size == 0,
            f"The last answer of {query.request.label} has status {query.status:04X}"
            + (f" and {size} bytes of identifier" if size else " and no identifier"),
            query.evidence,
            expected="0000 without identifier",
            actual=f"{query.status:04X}, {size} bytes",
            locator="Status",
            why="The final response ends the list; what it carries besides is taken for a match or an error.",
        )


def character_set_declared(j: Journal) -> Iterator[Observation]:
    for query in queries(j):
        for message in query.pending:
            flat = entry_of(attributes_of(message), message.seq).attributes
            beyond = sorted(k for k, v in flat.items() if isinstance(v, str) and not v.startswith("#") and _beyond(v))
            if not beyond:
                continue
            declared = text(flat, "SpecificCharacterSet")
            yield judged(
                bool(declared),
                f"{message.label} holds text beyond ASCII in {listed(beyond, 3)} and declares {declared or 'nothing'}",
                (query.request.seq, message.seq),
                expected="a Specific Character Set",
                actual=declared or "(absent)",
                locator="SpecificCharacterSet",
                why="Without it a modality reads the bytes as ASCII and shows another name.",
            )


def _beyond(value: str) -> bool:
    return not value.isascii() or "\x1b" in value


def steps_of_one_procedure_agree(j: Journal) -> Iterator[Observation]:
    for query in queries(j):
        groups: dict[tuple[str, str], list[Entry]] = {}
        for entry in entries(query):
            if procedure := entry.text("RequestedProcedureID"):
                groups.setdefault((entry.text("PatientID"), procedure), []).append(entry)
        for (_, procedure), group in groups.items():
            if len(group) < 2:
                continue
            studies = {entry.text("StudyInstanceUID") for entry in group}
            accessions = {entry.text("AccessionNumber") for entry in group}
            steps = {entry.step_id for entry in group}
            yield judged(
                len(studies) == 1 and len(accessions) == 1 and len(steps) == len(group),
                f"The {len(group)} steps of procedure {procedure} have {len(studies)} Study Instance UID(s), "
                f"{len(accessions)} accession number(s) and {len(steps)} step ids",
                (query.request.seq, *(entry.seq for entry in group)),
                expected=f"1 Study Instance UID, 1 accession number, {len(group)} step ids",
                actual=f"{len(studies)}, {len(accessions)}, {len(steps)}",
                locator="StudyInstanceUID, AccessionNumber, ScheduledProcedureStepID",
                why="The images of one procedure belong into one study.",
            )


def procedures_of_one_order_differ(j: Journal) -> Iterator[Observation]:
    for query in queries(j):
        groups: dict[str, dict[str, str]] = {}
        seqs: dict[str, list[int]] = {}
        for entry in entries(query):
            if (accession := entry.text("AccessionNumber")) and (procedure := entry.text("RequestedProcedureID")):
                groups.setdefault(accession, {})[procedure] = entry.text("StudyInstanceUID")
                seqs.setdefault(accession, []).append(entry.seq)
        for accession, studies in groups.items():
            if len(studies) < 2:
                continue
            yield judged(
                len(set(studies.values())) == len(studies),
                f"Order {accession} has {len(studies)} procedures and {len(set(studies.values()))} Study Instance UIDs",
                (query.request.seq, *seqs[accession]),
                expected=f"{len(studies)} different Study Instance UIDs",
                actual=listed(sorted(set(studies.values()))),
                locator="StudyInstanceUID",
                why="The Study Instance UID belongs to the requested procedure.",
            )


def cancelled_steps_gone(j: Journal) -> Iterator[Observation]:
    for query in queries(j):
        cancelled = {
            entry_of(data.get("keywords") or {}, seq).step_id: seq
            for seq, data in j.facts(facts.ORDER)
            if data.get("cancelled") and seq < query.request.seq
        }
        current = orders(j, query.request.seq)
        found = {entry.step_id: entry.seq for entry in entries(query)}
        for step_id, seq in cancelled.items():
            if step_id in current or query.status != 0:
                continue
            ok = step_id not in found
            yield judged(
                ok,
                f"The cancelled step {step_id} is {'no longer' if ok else 'still'} on the worklist",
                (*query.evidence, *([found[step_id]] if not ok else [])) or (seq,),
                expected="not returned",
                actual="not returned" if ok else "returned",
                locator="ScheduledProcedureStepID",
                why="A cancelled exam that is still offered gets done.",
            )


def _after(j: Journal, purpose: str, why: str) -> Iterator[Observation]:
    for query in queries(j):
        fact = fact_of(j, query)
        if fact.get("purpose") != purpose or query.status != 0 or "expected" not in fact:
            continue
        by = str(fact.get("by") or "ScheduledProcedureStepID")
        found = [entry.text(by) for entry in entries(query)]
        universe = set(fact["universe"]) if fact.get("universe") else None
        yield same_set(
            fact["expected"],
            [value for value in found if universe is None or value in universe],
            what="The worklist",
            evidence=(*query.evidence, *(message.seq for message in query.pending)),
            locator=by,
            why=why,
        )


def wrongly_picked_step_offered_again(j: Journal) -> Iterator[Observation]:
    yield from _after(j, "after-wrong-entry", "The order that was picked by mistake is still to be done.")


def completed_step_gone(j: Journal) -> Iterator[Observation]:
    yield from _after(j, "after-completed", "What is done is not offered again.")


def cancel_honoured(j: Journal) -> Iterator[Observation]:
    for query in queries(j):
        at = j.cancelled_at(query)
        if not at or query.status is None:
            continue
        later = [message for message in query.pending if message.seq > at]
        if query.status != 0xFE00 and not later:
            continue  # everything was sent before the cancel could arrive
        yield judged(
            query.status == 0xFE00,
            f"After the cancel came {len(later)} match(es) and the final status {query.status:04X}",
            (query.request.seq, at, *([query.final.seq] if query.final is not None else [])),
            expected="FE00",
            actual=f"{query.status:04X}",
            locator="Status",
            why="Who asked for too much should not have to wait for all of it.",
        )


def identifiers_stable(j: Journal) -> Iterator[Observation]:
    seen: dict[str, Entry] = {}
    for query in queries(j):
        for entry in entries(query):
            earlier = seen.get(entry.step_id)
            seen[entry.step_id] = entry
            if earlier is None or not entry.step_id:
                continue
            changed = [
                keyword
                for keyword in ("StudyInstanceUID", "RequestedProcedureID", "AccessionNumber")
                if earlier.text(keyword)
                and entry.text(keyword)
                and normal(keyword, earlier.text(keyword)) != normal(keyword, entry.text(keyword))
            ]
            yield judged(
                not changed,
                f"Step {entry.step_id} came again with "
                + (f"another {listed(changed)}" if changed else "the same identifiers"),
                (earlier.seq, entry.seq),
                expected=tuple(earlier.text(k) for k in changed),
                actual=listed(entry.text(k) for k in changed),
                locator=listed(changed) or "StudyInstanceUID",
                why="A study that was started under one UID is not found under another.",
            )


_TITLES: tuple[tuple[str, str, Callable[[Journal], Iterator[Observation]], str], ...] = (
    ("mwl-scp-implicit-vr", "RAD-5-SCP-01", implicit_little_endian_accepted, "Implicit VR Little Endian is accepted"),
    ("mwl-scp-one-step", "RAD-5-SCP-13", one_step_in_each_response, "One response for each step"),
    ("mwl-scp-type-1", "RAD-5-SCP-14", type_1_keys_valued, "Return keys of type 1 are valued"),
    ("mwl-scp-step-described", "RAD-5-SCP-15", step_described, "The step has a description or a protocol code"),
    ("mwl-scp-procedure-described", "RAD-5-SCP-16", procedure_described, "The procedure has a description or a code"),
    ("mwl-scp-type-2", "RAD-5-SCP-17", type_2_keys_present, "Return keys of type 2 are present"),
    ("mwl-scp-keys-supplied", "RAD-5-SCP-18", ihe_keys_supplied, "The return keys of IHE are supplied"),
    ("mwl-scp-codes", "RAD-5-SCP-19", codes_complete, "Codes have value, scheme and meaning"),
    ("mwl-scp-final", "RAD-5-SCP-20", final_response_is_bare_success, "The final response is a bare success"),
    ("mwl-scp-charset", "RAD-5-SCP-21", character_set_declared, "The character set is declared"),
    ("mwl-scp-same-procedure", "RAD-5-SCP-22", steps_of_one_procedure_agree, "Steps of one procedure share a study"),
    ("mwl-scp-same-order", "RAD-5-SCP-23", procedures_of_one_order_differ, "Procedures of one order differ in study"),
    ("mwl-scp-cancelled", "RAD-5-SCP-24", cancelled_steps_gone, "Cancelled steps are gone"),
    ("mwl-scp-wrong-pick", "RAD-5-SCP-25", wrongly_picked_step_offered_again, "A wrong pick is offered again"),
    ("mwl-scp-completed", "RAD-5-SCP-26", completed_step_gone, "Completed steps are gone"),
    ("mwl-scp-cancel", "RAD-5-SCP-27", cancel_honoured, "A cancel is honoured"),
    ("mwl-scp-stable", "RAD-5-SCP-28", identifiers_stable, "Identifiers are the same in every query"),
)

CHECKS: tuple[Check, ...] = tuple(
    check(id, requirement, "RAD-5", function, title) for id, requirement, function, title in _TITLES
)
