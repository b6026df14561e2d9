"""What a battery has in common: what was found, worklist entries, and the messages that must be refused."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pydicom.dataset import Dataset

from harness.actors import step_messages
from harness.actors.acquisition import Acquisition
from harness.actors.objects import SOP_CLASSES
from harness.actors.records import encode
from harness.actors.worklist import item_from_mapping
from harness.core.check import Declaration, Exchange, judge
from harness.core.transcript import Transcript
from harness.core.verdict import Verdict
from harness.profiles import facts, judgement, registry
from harness.protocols.dicom.datasets import decode
from harness.protocols.dicom.node import Address

LONG, SHORT = 3.0, 0.3


@dataclass
class Outcome:
    """What was found: requirements that were judged, and those that were broken (unconfirmed ones included)."""

    judged: set[str]
    broken: dict[str, str]


def found(transcript: Transcript, actor: str, *, case_sensitive: bool = False) -> Outcome:
    """Judge everything that binds that actor by what was seen."""
    sut = Declaration(
        actors=frozenset({actor}),
        profiles=frozenset({"SWF", "SWF.b"}),
        options=frozenset({"Availability of PPS-Referenced Instances", "PPS Exception Management"}),
        ae_titles=frozenset({"SUT"}),
        statement={"person_name_case_sensitive": case_sensitive, "storage_sop_classes": sorted(SOP_CLASSES.values())},
    )
    rows = registry.requirements()
    outcome = Outcome(set(), {})
    for check in registry.CHECKS:
        # what is declared is not the matter here
        if not judgement.applies(check, actor, sut) or check.requirement.startswith("SWF-"):
            continue
        for finding in judge(check, rows[check.requirement], Exchange(transcript, sut), strict=True):
            assert finding.verdict is not Verdict.ERROR, f"{check.id}: {finding.summary}"
            if finding.verdict in (Verdict.PASS, Verdict.WARNING, Verdict.FAIL):
                outcome.judged.add(check.requirement)
            if finding.verdict in (Verdict.WARNING, Verdict.FAIL):
                outcome.broken.setdefault(check.requirement, finding.summary)
    return outcome


def no_faults(*transcripts: Transcript) -> None:
    """Nothing went wrong inside our own actors."""
    faults = [f"{fault.where}: {fault.error}\n{fault.traceback}" for one in transcripts for fault in one.faults]
    assert not faults, "\n".join(faults)


def entry(number: int, *, procedure: int, korean: bool = False, **step: Any) -> dict[str, Any]:
    """A worklist entry of that step and procedure; patients alternate."""
    return {
        "SpecificCharacterSet": ["", "ISO 2022 IR 149"] if korean else "",
        "PatientName": "Hong^Gildong=洪^吉洞=홍^길동" if korean else f"Doe^John{procedure}",
        "PatientID": f"P{procedure}",
        "PatientBirthDate": "19700101",
        "PatientSex": "M",
        "AccessionNumber": f"A{procedure}",
        "ReferringPhysicianName": "Welby^Marcus",
        "StudyInstanceUID": f"1.2.826.0.1.{procedure}",
        "RequestedProcedureID": f"R{procedure}",
        "RequestedProcedureDescription": "Head",
        "RequestedProcedureCodeSequence": [
            {"CodeValue": f"C{procedure}", "CodingSchemeDesignator": "L", "CodeMeaning": "Head"}
        ],
        "RequestedProcedurePriority": "ROUTINE",
        "ScheduledProcedureStepSequence": [
            {
                "Modality": "CT",
                "ScheduledStationAETitle": "CT1",
                "ScheduledProcedureStepStartDate": "20260105",
                "ScheduledProcedureStepStartTime": "100000",
                "ScheduledPerformingPhysicianName": "House^Gregory",
                "ScheduledProcedureStepDescription": "Native",
                "ScheduledProtocolCodeSequence": [
                    {"CodeValue": f"T{number}", "CodingSchemeDesignator": "L", "CodeMeaning": "Native"}
                ],
                "ScheduledProcedureStepID": f"S{number}",
                **step,
            }
        ],
    }


def worklist_answer() -> Dataset:
    """A worklist answer as a data set; the step it names is on no worklist."""
    return decode(encode(item_from_mapping(entry(9, procedure=9)).record, implicit=True), "1.2.840.10008.1.2")


def illegal_steps(transcript: Transcript, modality: Acquisition, peer: Address) -> None:
    """The messages that a provider of performed procedure steps must refuse, and one that it must not."""

    def note(rule: str, kind: str, statuses: list[int]) -> None:
        transcript.note(
            facts.NEGATIVE, {"message": transcript.select(kind)[-1].seq, "rule": rule, "statuses": statuses}
        )

    plan = modality.plan()
    created = step_messages.creation([worklist_answer()], plan)
    created.PerformedProcedureStepStatus = "COMPLETED"
    modality.create_step(peer, created)
    note("create-status", "N-CREATE-RQ", [0x0106])
    created.PerformedProcedureStepStatus = "IN PROGRESS"
    uid, _ = modality.create_step(peer, created)
    modality.create_step(peer, created, uid)
    note("create-duplicate", "N-CREATE-RQ", [0x0111])
    final = step_messages.discontinuation([], plan, created)
    modality.set_step(peer, "1.2.3.4.5", final)
    note("set-unknown", "N-SET-RQ", [0x0112])
    modality.set_step(peer, uid, final)
    modality.set_step(peer, uid, final)
    note("set-final", "N-SET-RQ", [0x0110])
