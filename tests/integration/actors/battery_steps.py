"""What a tester does to an order filler or a PPS manager; only what the tester's actors saw is judged."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, cast

from harness.actors import objects, step_messages
from harness.actors.acquisition import Acquisition
from harness.actors.defects import registry as defects
from harness.actors.evidence_creator import EvidenceCreator
from harness.actors.image_manager import ImageManager
from harness.actors.objects import Sample, StudyPlan
from harness.actors.order_filler import FindReply, OrderFiller
from harness.actors.orders.values import Code, StepState
from harness.actors.pps_manager import PpsManager
from harness.actors.step_messages import INCORRECT_WORKLIST_ENTRY
from harness.actors.worklist_user import RETURN_KEYS as WORKLIST_RETURN_KEYS
from harness.actors.worklist_user import Replies
from harness.core.transcript import Transcript
from harness.profiles import facts
from tests.integration.actors.judging import LONG, SHORT, entry, illegal_steps, no_faults, worklist_answer

# -- DSS/Order Filler ------------------------------------------------------------------------------------------


ENTRIES = (
    entry(1, procedure=1),
    entry(2, procedure=1, ScheduledProcedureStepStartTime="143000"),
    entry(3, procedure=2, Modality="MR", ScheduledStationAETitle="MR1", ScheduledProcedureStepStartDate="20260106"),
    entry(4, procedure=3, korean=True, ScheduledPerformingPhysicianName="Kildare^James"),
    entry(5, procedure=4, korean=True) | {"AccessionNumber": "A3", "PatientID": "P3"},
)
#: a reason that is not of CID 9300
LOCAL_REASON = Code("17", "99LOCAL", "Lunch")
_STEP_ID = "ScheduledProcedureStepID"


class FillerTester:
    """A modality and an image manager around an order filler under test."""

    def __init__(self, transcript: Transcript, filler: OrderFiller, modality: Acquisition) -> None:
        self.transcript, self.sut, self.modality = transcript, filler, modality
        self.peer = filler.address

    def run(self) -> None:
        for values in ENTRIES:
            self.sut.schedule(values)
            self.transcript.note(facts.ORDER, {"keywords": values})
        illegal_steps(self.transcript, self.modality, self.peer)
        every = ("S1", "S2", "S3", "S4", "S5")
        self.query({}, every)
        self.query({}, every)
        for keys, expected in (
            ({"ScheduledStationAETitle": "MR1"}, ("S3",)),
            ({"ScheduledProcedureStepStartDate": "20260106"}, ("S3",)),
            ({"ScheduledProcedureStepStartDate": "20260106-20260110"}, ("S3",)),
            (
                {"ScheduledProcedureStepStartDate": "20260105", "ScheduledProcedureStepStartTime": "120000-160000"},
                ("S2",),
            ),
            ({"Modality": "MR"}, ("S3",)),
            ({"ScheduledPerformingPhysicianName": "Kil?are*"}, ("S4",)),
            ({"PatientName": "Hong*"}, ("S4", "S5")),
            ({"PatientID": "P2"}, ("S3",)),
            ({"AccessionNumber": "A2"}, ("S3",)),
            ({"RequestedProcedureID": "R1"}, ("S1", "S2")),
            ({"PatientID": "P1", "Modality": "MR"}, ()),
        ):
            self.query(keys, expected)
        self.cancel_a_query()
        self.cancel_a_step("S5", ("S1", "S2", "S3", "S4"))
        self.perform("S3", ("S1", "S2", "S4"), "after-completed")
        self.perform("S4", ("S1", "S2", "S4"), "after-wrong-entry", wrong=True)
        self.perform("S1", ("S2", "S4"), "", abandon=True)
        self.modality.perform([], self.peer, images=0, abandon=True)
        self.modality.perform([], self.peer, images=0, abandon=True, reason=LOCAL_REASON)

    def query(self, keys: dict[str, str], expected: Sequence[str], purpose: str = "") -> Replies:
        replies = self.modality.worklist.query(self.peer, keys)
        fact: dict[str, Any] = {
            "message": replies.request, "level": "STEP", "model": "WORKLIST", "keys": keys, "by": _STEP_ID,
            "expected": sorted(expected), "universe": [f"S{number}" for number in range(1, 6)],
        }  # fmt: skip
        if purpose:
            fact["purpose"] = purpose
        self.transcript.note(facts.QUERY, fact)
        return replies

    def cancel_a_query(self) -> None:
        for number in range(100, 140):
            self.sut.worklist.add(entry(number, procedure=number))
        keys = [name for name in WORKLIST_RETURN_KEYS if not name.endswith("Sequence")]
        self.sut.reply_with(FindReply(pause=0.01))
        self.modality.worklist.query(self.peer, {}, returned=keys, cancel_after=1)
        request = self.transcript.select("C-FIND-RQ")[-1].seq
        self.transcript.note(
            facts.QUERY, {"message": request, "level": "STEP", "model": "WORKLIST", "purpose": "after-cancel"}
        )
        for number in range(100, 140):
            self.sut.worklist.remove(f"S{number}")

    def cancel_a_step(self, step_id: str, left: Sequence[str]) -> None:
        self.sut.worklist.set_state(step_id, StepState.CANCELLED)
        values = next(one for one in ENTRIES if one["ScheduledProcedureStepSequence"][0][_STEP_ID] == step_id)
        self.transcript.note(facts.ORDER, {"keywords": values, "cancelled": True})
        self.query({}, left, "cancelled")

    def perform(
        self, step_id: str, left: Sequence[str], purpose: str, *, wrong: bool = False, abandon: bool = False
    ) -> None:
        entries = [
            answer
            for answer in self.modality.worklist.query(self.peer).datasets()
            if step_messages.scheduled_step(answer).get(_STEP_ID) == step_id and answer.get("StudyInstanceUID")
        ]
        if not entries:
            return
        reason = INCORRECT_WORKLIST_ENTRY if wrong else step_messages.DOCTOR_CANCELLED
        self.modality.perform(entries[:1], self.peer, abandon=wrong or abandon, reason=reason, images=1)
        self.query({}, left, purpose)


@contextmanager
def filler_under_test(ids: Sequence[str]) -> Iterator[tuple[Transcript, FillerTester]]:
    transcript, own = Transcript(), Transcript()
    with (
        Acquisition("MODALITY", transcript, uid=objects.uid_source(3)) as modality,
        OrderFiller("SUT", own, behaviour=defects.behaviour("order-filler", ids)) as filler,
        ImageManager("ARCHIVE", transcript, receivers=[filler.address]) as archive,
    ):
        yield transcript, FillerTester(transcript, filler, modality)
        modality.perform([], archive.address, archive.address, images=1)
        archive.wait_announced(LONG)
    no_faults(transcript, own)


# -- PPS Manager -----------------------------------------------------------------------------------------------


class ManagerTester:
    """A modality and an evidence creator before a PPS manager under test, two destinations behind it."""

    def __init__(
        self, transcript: Transcript, manager: PpsManager, modality: Acquisition, creator: EvidenceCreator,
        down: OrderFiller,
    ) -> None:  # fmt: skip
        self.transcript, self.sut, self.modality, self.creator, self.down = transcript, manager, modality, creator, down
        self.peer = manager.address

    def run(self) -> None:
        illegal_steps(self.transcript, self.modality, self.peer)
        dataset = objects.make([StudyPlan()], objects.uid_source(4))[0].dataset
        self.modality.perform([worklist_answer()], self.peer, images=1)
        plan = step_messages.StepPlan("EC1", str(dataset.StudyInstanceUID), "CREATOR", "OT")
        created = step_messages.creation([], plan)
        uid, _ = self.creator.create_step(self.peer, created)
        self.creator.set_step(self.peer, uid, step_messages.completion([Sample(dataset)], plan, created))
        self.sut.wait_forwarded(LONG)
        self.outage()

    def outage(self) -> None:
        port = self.down.port
        self.down.stop()
        outage = self.transcript.note(facts.FAULT_INJECTED, {"fault": "unreachable", "actor": self.down.name})
        self.modality.perform([], self.peer, images=0, abandon=True)
        self.sut.wait_forwarded(SHORT)
        self.modality.perform([], self.peer, images=0, abandon=True)
        again = OrderFiller("FILLER", self.transcript, port=port)
        back = self.transcript.mark()
        again.start()
        self.sut.retry_now()
        cast("dict[str, Any]", outage.data)["until"] = back
        self.sut.wait_forwarded(LONG)
        again.stop()


@contextmanager
def manager_under_test(ids: Sequence[str]) -> Iterator[tuple[Transcript, ManagerTester]]:
    transcript, own = Transcript(), Transcript()
    with (
        Acquisition("MODALITY", transcript, uid=objects.uid_source(3)) as modality,
        EvidenceCreator("CREATOR", transcript, uid=objects.uid_source(6)) as creator,
        OrderFiller("FILLER", transcript) as filler,
        ImageManager("ARCHIVE", transcript) as archive,
        PpsManager(
            "SUT",
            own,
            behaviour=defects.behaviour("pps-manager", ids),
            destinations=[archive.address, filler.address],
            retry=0.1,
        ) as manager,
    ):
        yield transcript, ManagerTester(transcript, manager, modality, creator, filler)
    no_faults(transcript, own)
