"""How our actors answer otherwise than a product would like, or are away."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from harness.actors.objects import SOP_CLASSES
from harness.actors.order_filler import MIXED_PENDING, FindReply
from harness.actors.printing.server import PrintServer
from harness.actors.printing.server_behaviour import PrintServerBehaviour
from harness.actors.printing.server_printer import Printer
from harness.bdd import answers
from harness.bdd.cast import SIMULATED
from harness.bdd.context import ScenarioContext
from harness.bdd.guests import Guests
from harness.bdd.ordered import hospital_of
from harness.bdd.registry import given, when
from harness.profiles import facts, names
from harness.protocols.hl7.acknowledge import Code
from harness.protocols.hl7.mllp import Received, Reply, Wire

#: how many queries a scripted answer lasts: a product may ask more than once for one action
_LASTING: Final = 20


@given('{who:Party} answers {what:Text} with "{answer:Text}"', who=tuple(answers.ANSWERS))
def we_answer(scenario_context: ScenarioContext, guests: Guests, who: str, what: str, answer: str) -> None:
    """Have an actor of ours answer a request, the next, the first or every one, like this.

    Image Manager: `the next image` with a status, `A-ABORT` or `0000 after 3 seconds`, `the next retrieve` with
    `B000 for 1 image`, `every retrieve` with `A801`. Order Filler: `every query` with a status (no match then) or
    `FF00 and FF01 in turn`. Image Display: `every MR object` with `A700`. Print Server: `the first film box` (film
    session, image box, Presentation LUT, print) with a status. Whoever speaks HL7: `the next message` with `AE`, `AR`
    or `nothing`.
    """
    answers.require_answer(who, what, answer)
    if what == "the next message":
        _answer_message(scenario_context, who, answer)
    elif who == names.PRINT_SERVER:
        _answer_print(scenario_context, guests, what.removeprefix("the first "), answer)
    else:
        _DICOM[who](scenario_context, what, answer)


def _answer_query(context: ScenarioContext, what: str, answer: str) -> None:
    del what
    if answer == answers.MIXED:
        context.lab.order_filler.reply_with(*[MIXED_PENDING] * _LASTING)
        return
    status = int(answer, 16)
    context.lab.order_filler.reply_with(*[FindReply(final=status, limit=0)] * _LASTING)
    context.transcript.note(facts.FAULT_INJECTED, {"fault": "find-failed", "status": status})


def _answer_archive(context: ScenarioContext, what: str, answer: str) -> None:
    lab, note = context.lab, context.transcript.note
    if what == "every retrieve":
        forgotten = lab.forget_product_at_archive()
        note(facts.FAULT_INJECTED, {"fault": "destination-unknown", "actor": forgotten})
    elif (count := answers.lost(answer)) is not None:
        lab.delivery_faults.lose_next(count)
        note(facts.FAULT_INJECTED, {"fault": "delivery-failed", "count": count})
    elif answer == answers.ABORT:
        lab.refusals.abort_next()
        note(facts.FAULT_INJECTED, {"fault": "store-aborted"})
    elif (seconds := answers.late(answer)) is not None:
        lab.refusals.stall_next(seconds)
        context.memory["stalled"] = seconds
    else:
        lab.refusals.refuse_next(int(answer, 16))
        note(facts.FAULT_INJECTED, {"fault": "store-refused", "status": int(answer, 16)})


def _answer_delivery(context: ScenarioContext, what: str, answer: str) -> None:
    del answer
    refused = SOP_CLASSES[what.removeprefix("every ").removesuffix(" object")]
    context.lab.display_refusals.refuse_class(refused)
    context.memory["refused class"] = refused


_DICOM: Final[Mapping[str, Callable[[ScenarioContext, str, str], None]]] = {
    names.ORDER_FILLER: _answer_query,
    names.IMAGE_MANAGER: _answer_archive,
    names.IMAGE_DISPLAY: _answer_delivery,
}


def _answer_message(context: ScenarioContext, actor: str, answer: str) -> None:
    endpoint = hospital_of(context).end_of(actor)

    def reply(received: Received) -> Reply:
        fault = "acknowledgement-withheld" if answer == answers.NOTHING else f"acknowledgement-{answer}"
        context.transcript.note(facts.FAULT_INJECTED, {"fault": fault, "actor": actor, "message": received.record.seq})
        if answer == answers.NOTHING:
            return Wire(close=True)
        return endpoint.refusal(received.message, Code(answer), "refused by the harness on purpose")

    endpoint.reply_once(reply)


def _answer_print(context: ScenarioContext, guests: Guests, operation: str, answer: str) -> None:
    code, wanted = int(answer, 16), answers.PRINT_OPERATIONS[operation]

    def scripted(kind: str, sop_class: str, before: int) -> int | None:
        return code if (kind, sop_class) == wanted and before == 0 else None

    note = {"fault": "print-answered", "operation": operation, "status": code}
    context.transcript.note(facts.FAULT_INJECTED, note)
    guests.invite(PrintServer, behaviour=PrintServerBehaviour(scripted=scripted))


@given("the Print Server supports no Presentation LUT")
def server_without_lut(scenario_context: ScenarioContext, guests: Guests) -> None:
    """Our printer takes grayscale films but does not know the Presentation LUT SOP class."""
    guests.invite(PrintServer, printer=Printer(supports_presentation_lut=False))


# -- storage commitment --------------------------------------------------------------------------------------------


@given("the Image Manager reports commitment {way:Text}")
def commitment_reported(scenario_context: ScenarioContext, way: str) -> None:
    """How our archive reports: `on the same association`, `on a new association`, `twice` and so on.

    `on a new association` (also `... 2 seconds later`) it calls back and proposes the SCP role for itself (PS3.4
    J.3.3), `twice` on one association each. `with 1 failed instance` the report is of event type 2.
    """
    reply = answers.commitment(way)
    scenario_context.memory["commitment"] = reply
    scenario_context.lab.image_manager.commit_with(reply)


# -- being away ----------------------------------------------------------------------------------------------------


@given('the "{actor:Text}" is down')
def actor_down(scenario_context: ScenarioContext, guests: Guests, actor: str) -> None:
    """A simulated actor of ours closes its port and every connection."""
    if actor not in SIMULATED:
        guests.named(actor).node.leave()
        scenario_context.transcript.note(facts.FAULT_INJECTED, {"fault": "source-away", "actor": actor})
        return
    scenario_context.lab.take_away(actor)
    scenario_context.transcript.note(facts.FAULT_INJECTED, {"fault": "unreachable", "actor": actor})


@when('the "{actor:Text}" is up again')
def actor_up(scenario_context: ScenarioContext, actor: str) -> None:
    """It listens again, on the same port."""
    scenario_context.transcript.note(facts.FAULT_INJECTED, {"fault": "reachable-again", "actor": actor})
    scenario_context.lab.bring_back(actor)
