"""Why a product cannot have found a scheduled step: the keys of its worklist query that leave the step out.

A product that queries by more keys than it means to (an optional attribute with a default value, say) sees an empty
worklist, and everything that it does not do afterwards looks like a fault of its own. The reason is one line up.
"""

from __future__ import annotations

from collections.abc import Iterator

from pydicom.datadict import keyword_for_tag

from harness.actors import records
from harness.actors.matching import Miss, Query, misses
from harness.actors.worklist import WORKLIST_KEYS, WORKLIST_RULES, WorklistItem, item_from_mapping
from harness.core.message import Direction, Message
from harness.core.transcript import Transcript
from harness.profiles import facts, names
from harness.protocols.dicom.errors import WireError
from harness.protocols.dicom.uids import MODALITY_WORKLIST

#: keys that are named at most: one is enough to mend the next run
_NAMED = 4


def reason(transcript: Transcript) -> str:
    """Why the steps that the product was last asked to perform were in no answer to it; empty if they were in one.

    The text names the query, the keys and what the step holds.
    """
    items = list(_meant(transcript))
    queries = [(message, query) for message in _queries(transcript) if (query := _query(message)) is not None]
    if not queries:
        return ""
    for item in items:
        if any(query.matches(item.record) for _, query in queries):
            continue
        message, query = queries[-1]
        found = list(misses(query.keys, item.record, WORKLIST_RULES))
        if not found:
            continue
        said = ", ".join(_words(miss) for miss in found[:_NAMED])
        return f"the product's worklist query ({message.label}) leaves the step {item.step_id} out by {said}"
    return ""


def _words(miss: Miss) -> str:
    held = f"the step has {miss.held!r}" if miss.held else "the step has no value"
    return f"{keyword_for_tag(miss.tag)} = {miss.asked!r} ({held})"


def _meant(transcript: Transcript) -> Iterator[WorklistItem]:
    """The scheduled steps that the last action names, as the worklist offers them."""
    actions = [fact.data for fact in transcript.facts_of(facts.ACTION)]
    parameters = actions[-1].get("parameters") or {} if actions else {}
    wanted = {str(step) for step in parameters.get("step_ids") or ()}
    latest = {}
    for fact in transcript.facts_of(facts.ORDER):
        item = item_from_mapping(fact.data.get("keywords") or {})
        latest[item.step_id] = (item, bool(fact.data.get("cancelled")))
    for item, cancelled in latest.values():
        if item.step_id in wanted and not cancelled:
            yield item


def _queries(transcript: Transcript) -> Iterator[Message]:
    for message in transcript.select("C-FIND-RQ", direction=Direction.FROM_SUT):
        if message.actor == names.ORDER_FILLER and message.fields.get("AbstractSyntax") == MODALITY_WORKLIST:
            yield message


def _query(message: Message) -> Query | None:
    try:
        return Query.of(records.parse(message.payload, message.transfer_syntax), WORKLIST_KEYS, WORKLIST_RULES)
    except WireError:
        return None
