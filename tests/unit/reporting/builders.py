"""A run as a product would leave it: real data sets, a Korean patient, and one of everything that can happen."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydicom.dataset import Dataset
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_dataset
from pydicom.uid import ExplicitVRLittleEndian

from harness.core.check import Check, Exchange, Observation
from harness.core.finding import Basis, Finding
from harness.core.message import EMPTY, Blob, Direction, Message, Protocol
from harness.core.result import RunResult, ScenarioResult, StepResult
from harness.core.spec import Confidence, Keyword, Requirement, Transaction, Verification
from harness.core.transcript import Transcript
from harness.core.verdict import Verdict
from harness.reporting.evidence import EvidenceStore

PATIENT_NAME = "KIM^CHEOLSU=金^哲洙=김^철수"
PATIENT_ID = "SLVFR39T68A182W"
ACCESSION = "A20261120-7"
STUDY_UID = "2.25.30911122233344455566677788899900091"
MPPS_UID = "2.25.77001122334455667788990011223344556"
CT_IMAGE = "1.2.840.10008.5.1.4.1.1.2"
MPPS_CLASS = "1.2.840.10008.3.1.2.3.3"
WORKLIST = "1.2.840.10008.5.1.4.31"
COMMITMENT = "1.2.840.10008.1.20.1"
START = 1_795_164_067.0

TRANSACTIONS = {
    t.id: t
    for t in (
        Transaction("RAD-5", "Query Modality Worklist", ("Acquisition Modality",), ("DSS/Order Filler",)),
        Transaction("RAD-6", "Modality Procedure Step In Progress", ("Acquisition Modality",), ("PPS Manager",)),
        Transaction("RAD-7", "Modality Procedure Step Completed", ("Acquisition Modality",), ("PPS Manager",)),
        Transaction("RAD-8", "Modality Images Stored", ("Acquisition Modality",), ("Image Manager/Archive",)),
        Transaction("RAD-10", "Storage Commitment", ("Acquisition Modality",), ("Image Manager/Archive",)),
    )
}


def requirement(
    identifier: str,
    statement: str,
    *,
    confidence: Confidence = Confidence.HIGH,
    verification: Verification = Verification.AUTOMATED,
    keyword: Keyword = Keyword.SHALL,
    profiles: tuple[str, ...] = ("SWF", "SWF.b"),
) -> Requirement:
    """A requirement of the acquisition modality; its transaction is in its id."""
    return Requirement(
        id=identifier,
        profiles=profiles,
        transactions=("-".join(identifier.split("-")[:2]),),
        actors=("Acquisition Modality",),
        keyword=keyword,
        statement=statement,
        source="DICOM PS3.4 F.7.2.1",
        confidence=confidence,
        verification=verification,
        reason="" if verification is Verification.AUTOMATED else "depends on what the operator sees",
    )


REQUIREMENTS = {
    r.id: r
    for r in (
        requirement("RAD-5-SCU-01", "The query asks for the keys that the modality needs to fill its objects."),
        requirement("RAD-5-SCU-09", "A patient's name is shown as it came.", verification=Verification.ATTESTED),
        requirement("RAD-5-SCU-12", "Every return key is usable.", verification=Verification.NONE),
        requirement("RAD-6-SCU-04", "The step repeats the worklist's patient and study."),
        requirement("RAD-6-SCU-20", "The step names the protocol that was used.", confidence=Confidence.MEDIUM),
        requirement("RAD-7-SCU-11", "The completed step lists exactly the images that were kept and stored."),
        requirement("RAD-8-SCU-03", "Images repeat the identifiers of the worklist entry."),
        requirement("RAD-10-SCU-06", "The modality accepts the report on an association that the archive opens."),
        requirement("RAD-10-SCU-07", "The modality answers the report.", profiles=("SWF.b",)),
    )
}


def encode(dataset: Dataset) -> Blob:
    """The data set as Explicit VR Little Endian bytes, as it would come from the network."""
    buffer = DicomBytesIO()
    buffer.is_little_endian, buffer.is_implicit_VR = True, False
    write_dataset(buffer, dataset)
    return Blob.of(buffer.getvalue())


def dataset(**elements: Any) -> Dataset:
    """A data set from keywords; lists of data sets become sequences."""
    result = Dataset()
    result.SpecificCharacterSet = "ISO_IR 192"
    for keyword, value in elements.items():
        setattr(result, keyword, value)
    return result


def item(**elements: Any) -> Dataset:
    """An item of a sequence: as :func:`dataset`, without a character set of its own."""
    result = dataset(**elements)
    del result.SpecificCharacterSet
    return result


def worklist_entry(**changes: Any) -> Dataset:
    """What the worklist answers."""
    entry = dataset(
        AccessionNumber=ACCESSION,
        ReferringPhysicianName="LEE^JIWOO",
        PatientName=PATIENT_NAME,
        PatientID=PATIENT_ID,
        PatientBirthDate="19730429",
        PatientSex="M",
        StudyInstanceUID=STUDY_UID,
        RequestedProcedureID="RP-77",
        RequestedProcedureDescription="CT chest",
        ScheduledProcedureStepSequence=[
            item(Modality="CT", ScheduledProcedureStepID="SPS-77", ScheduledProcedureStepDescription="Chest plain")
        ],
    )
    for keyword, value in changes.items():
        setattr(entry, keyword, value)
    return entry


def images_of(numbers: range | tuple[int, ...]) -> list[Dataset]:
    """References to stored images."""
    return [item(ReferencedSOPClassUID=CT_IMAGE, ReferencedSOPInstanceUID=f"2.25.4000{n}") for n in numbers]


def mpps_created() -> Dataset:
    """N-CREATE, in progress; the birth date was lost on the way."""
    return dataset(
        PatientName=PATIENT_NAME,
        PatientID=PATIENT_ID,
        PatientBirthDate="",
        PatientSex="M",
        Modality="CT",
        StudyID="RP-77",
        PerformedProcedureStepID="PPS-1",
        PerformedProcedureStepStartDate="20261120",
        PerformedProcedureStepStatus="IN PROGRESS",
        ScheduledStepAttributesSequence=[
            item(
                AccessionNumber=ACCESSION,
                StudyInstanceUID=STUDY_UID,
                RequestedProcedureID="RP-77",
                ScheduledProcedureStepID="SPS-77",
            )
        ],
        PerformedSeriesSequence=[],
    )


def mpps_completed(numbers: tuple[int, ...] = (11, 12, 15)) -> Dataset:
    """N-SET, completed; one of the four images is missing by default."""
    return dataset(
        PerformedProcedureStepStatus="COMPLETED",
        PerformedProcedureStepEndDate="20261120",
        PerformedProcedureStepEndTime="104107",
        PerformedSeriesSequence=[
            item(
                PerformingPhysicianName="PARK^MINA",
                SeriesInstanceUID="2.25.5001",
                ProtocolName="Chest",
                ReferencedImageSequence=images_of(numbers),
            )
        ],
    )


def image(number: int) -> Dataset:
    """One CT image with a little pixel data."""
    instance = dataset(
        SOPClassUID=CT_IMAGE,
        SOPInstanceUID=f"2.25.4000{number}",
        AccessionNumber=ACCESSION,
        Modality="CT",
        PatientName=PATIENT_NAME,
        PatientID=PATIENT_ID,
        PatientBirthDate="19730429",
        PatientSex="M",
        StudyInstanceUID=STUDY_UID,
        SeriesInstanceUID="2.25.5001",
        StudyID="RP-77",
        ReferencedPerformedProcedureStepSequence=[
            item(ReferencedSOPClassUID=MPPS_CLASS, ReferencedSOPInstanceUID=MPPS_UID)
        ],
        RequestAttributesSequence=[item(RequestedProcedureID="RP-77", ScheduledProcedureStepID="SPS-77")],
        Rows=8,
        Columns=8,
        BitsAllocated=16,
    )
    instance.add_new(0x7FE00010, "OW", bytes(128))
    return instance


ORDER_MESSAGE = "\r".join(
    (
        "MSH|^~\\&|OF|HOSPITAL|IM|HOSPITAL|20261120101500||OMI^O23^OMI_O23|M1|P|2.5.1||||||UNICODE UTF-8",
        f"PID|1||{PATIENT_ID}^^^ADT||KIM^CHEOLSU^^^^^L^A~金^哲洙^^^^^L^I~김^철수^^^^^L^P||19730429|M",
        "PV1|1|O|||||^LEE^JIWOO",
        "ORC|NW|P-501^OP|F-902^OF",
        "OBR|1|P-501^OP|F-902^OF|71250^CT chest^C4",
        f"IPC|{ACCESSION}|RP-77|{STUDY_UID}|SPS-77|CT",
    )
)


class Ticking:
    """A clock that moves by itself, so that two runs of the tests see the same times."""

    def __init__(self, start: float = START, step: float = 0.187) -> None:
        self.now, self.step = start, step

    def __call__(self) -> float:
        self.now += self.step
        return self.now


def talk(
    transcript: Transcript,
    kind: str,
    actor: str,
    *,
    sent: bool = True,
    data: Dataset | None = None,
    association: int = 3,
    **fields: Any,
) -> Message:
    """Record one DIMSE message; ``sent`` by the system under test."""
    return transcript.record(
        Direction.FROM_SUT if sent else Direction.TO_SUT,
        Protocol.DICOM,
        kind,
        actor=actor,
        association=association,
        context=1,
        transfer_syntax=ExplicitVRLittleEndian,
        fields=fields,
        payload=encode(data) if data is not None else EMPTY,
    )


def exam_transcript(listed: tuple[int, ...] = (11, 12, 15), step: float = 0.187) -> tuple[Transcript, dict[str, int]]:
    """An exam from order to commitment; also the ``seq`` of its milestones."""
    t = Transcript(Ticking(step=step))
    at: dict[str, int] = {}
    t.note("ORDER", {"keywords": {
        "PatientID": PATIENT_ID, "PatientName": PATIENT_NAME, "PatientBirthDate": "19730429",
        "AccessionNumber": ACCESSION, "StudyInstanceUID": STUDY_UID,
        "ScheduledProcedureStepSequence": [{"ScheduledProcedureStepID": "SPS-77"}],
    }})  # fmt: skip
    t.record(Direction.FROM_SUT, Protocol.HL7, "OMI^O23", actor="Image Manager/Archive", association=1,
             payload=Blob.of(ORDER_MESSAGE.encode()))  # fmt: skip
    contexts = [{"id": 1, "abstract_syntax": WORKLIST, "transfer_syntax": ExplicitVRLittleEndian, "result": 0}]
    talk(t, "A-ASSOCIATE-RQ", "DSS/Order Filler", calling_ae="ACME_CT9", called_ae="IHE_OF", max_pdu=16384,
         contexts=contexts)  # fmt: skip
    talk(t, "A-ASSOCIATE-AC", "DSS/Order Filler", sent=False, calling_ae="ACME_CT9", called_ae="IHE_OF",
         contexts=contexts)  # fmt: skip
    talk(t, "C-FIND-RQ", "DSS/Order Filler", data=dataset(PatientID=PATIENT_ID, PatientName=""),
         AbstractSyntax=WORKLIST, MessageID=1)  # fmt: skip
    at["worklist"] = talk(t, "C-FIND-RSP", "DSS/Order Filler", sent=False, data=worklist_entry(), Status=0xFF00).seq
    talk(t, "C-FIND-RSP", "DSS/Order Filler", sent=False, Status=0)
    talk(t, "A-RELEASE-RQ", "DSS/Order Filler")
    at["create"] = talk(t, "N-CREATE-RQ", "PPS Manager", data=mpps_created(), association=4,
                        AffectedSOPInstanceUID=MPPS_UID, AffectedSOPClassUID=MPPS_CLASS).seq  # fmt: skip
    talk(t, "N-CREATE-RSP", "PPS Manager", sent=False, association=4, Status=0)
    for number in (11, 12, 13, 15):
        last = talk(t, "C-STORE-RQ", "Image Manager/Archive", data=image(number), association=5,
                    AffectedSOPInstanceUID=f"2.25.4000{number}")  # fmt: skip
        talk(t, "C-STORE-RSP", "Image Manager/Archive", sent=False, association=5, Status=0)
    at["store"] = last.seq
    at["set"] = talk(t, "N-SET-RQ", "PPS Manager", data=mpps_completed(listed), association=6,
                     RequestedSOPInstanceUID=MPPS_UID).seq  # fmt: skip
    talk(t, "N-SET-RSP", "PPS Manager", sent=False, association=6, Status=0)
    at["judged"] = t.mark()
    t.note("JUDGEMENT", {"scope": "transaction", "id": "RAD-7", "focus": None, "at": t.mark()})
    commitment = dataset(TransactionUID="2.25.6001", ReferencedSOPSequence=images_of((11, 12, 13, 15)))
    talk(t, "N-ACTION-RQ", "Image Manager/Archive", data=commitment, association=7, ActionTypeID=1)
    talk(t, "N-ACTION-RSP", "Image Manager/Archive", sent=False, association=7, Status=0)
    at["refused"] = t.record(
        Direction.FROM_SUT, Protocol.DICOM, "A-ASSOCIATE-RJ", actor="Image Manager/Archive", association=8,
        fields={"result": 1, "source": 1, "reason": 7},
    ).seq  # fmt: skip
    t.note("ORDER", {"keywords": {"PatientID": "ANOTHER-1", "PatientName": "LEE^SOOJIN", "AccessionNumber": "B-1"}})
    return t, at


# -- a check that the stored evidence can be judged again with -------------------------------------------


def _listed_images(exchange: Exchange) -> Iterator[Observation]:
    stored = [m for m in exchange.transcript.messages if m.kind == "C-STORE-RQ"]
    from harness.reporting.decode import Decoder

    for message in exchange.transcript.select("N-SET-RQ"):
        data = Decoder().dataset(message)
        assert data is not None
        listed = sum(len(s.ReferencedImageSequence) for s in data.PerformedSeriesSequence)
        yield Observation(
            ok=listed == len(stored),
            summary=f"The final step lists {listed} images; {len(stored)} were stored.",
            expected=(f"{len(stored)} references",),
            actual=f"{listed} references",
            locator="(0040,0340)[1]/(0008,1140)",
            evidence=(message.seq,),
            why="An archive that waits for the listed images calls the study complete too early.",
        )


LISTED_IMAGES = Check(
    id="swf.mpps_lists_stored_images",
    requirement="RAD-7-SCU-11",
    transactions=("RAD-7",),
    function=_listed_images,
    title="final step lists the stored images",
)


def broken_images(seq: int) -> Finding:
    """What :data:`LISTED_IMAGES` finds in :func:`exam_transcript`."""
    return Finding(
        check=LISTED_IMAGES.id,
        requirement="RAD-7-SCU-11",
        verdict=Verdict.FAIL,
        summary="The final step lists 3 images; 4 were stored.",
        expected=("4 references",),
        actual="3 references",
        locator="(0040,0340)[1]/(0008,1140)",
        evidence=(seq,),
        why="An archive that waits for the listed images calls the study complete too early.",
    )


def passed(requirement_id: str, summary: str, *evidence: int, basis: Basis = Basis.OBSERVED) -> Finding:
    """A finding of something that held."""
    return Finding(
        f"step.{requirement_id.lower()}", requirement_id, Verdict.PASS, summary, evidence=evidence, basis=basis
    )


def scenario(identifier: str, verdict: Verdict, **details: Any) -> ScenarioResult:
    """A scenario result with the usual places filled in."""
    values: dict[str, Any] = {
        "id": identifier,
        "name": identifier.replace("-", " ").capitalize(),
        "feature": "Modality procedure step",
        "path": "features/swf/rad-7.feature",
        "line": 12,
        "verdict": verdict,
        "seconds": 3.2,
        "profiles": ("SWF", "SWF.b"),
        "transactions": ("RAD-7",),
        "actor": "Acquisition Modality",
    }
    return ScenarioResult(**{**values, **details})


STEPS = (
    StepResult("Given", f"a CT step is scheduled for patient “{PATIENT_NAME}”", Verdict.PASS, 0.1),
    StepResult("When", "the system under test performs the step, rejecting one of 5 images", Verdict.PASS, 2.9),
    StepResult("Then", "an MPPS “N-SET” with a final state reaches the PPS Manager", Verdict.PASS, 0.2),
    StepResult("And", "the exchange satisfies every RAD-7 requirement", Verdict.FAIL, 0.01),
)


def build_run(folder: Path) -> RunResult:
    """Write a whole run into ``folder`` and return it."""
    store = EvidenceStore(folder)
    broken, at = exam_transcript()
    good, good_at = exam_transcript(listed=(11, 12, 13, 15), step=0.05)
    refused = Finding(
        check="swf.commitment_association_accepted",
        requirement="RAD-10-SCU-06",
        verdict=Verdict.FAIL,
        summary="The association for the report was refused: the called AE title is not recognised.",
        expected=("A-ASSOCIATE-AC",),
        actual="A-ASSOCIATE-RJ, source 1, reason 7",
        locator="A-ASSOCIATE-RJ",
        evidence=(at["refused"],),
    )
    unconfirmed = Finding(
        check="swf.mpps_protocol_named",
        requirement="RAD-6-SCU-20",
        verdict=Verdict.WARNING,
        summary="The step names no protocol code.",
        expected=("one item",),
        actual="no items",
        locator="PerformedProtocolCodeSequence",
        evidence=(at["create"],),
        unconfirmed=True,
    )
    scenarios = (
        scenario(
            "rejected-image-stays-out-of-the-step",
            Verdict.FAIL,
            transactions=("RAD-6", "RAD-7", "RAD-8", "RAD-10"),
            aliases=("MESA-211",),
            steps=STEPS,
            claims=("RAD-7-SCU-11", "RAD-10-SCU-06", "RAD-6-SCU-04"),
            findings=(
                broken_images(at["set"]),
                refused,
                unconfirmed,
                passed("RAD-6-SCU-04", "Patient and study are those of the worklist.", at["create"]),
                passed("RAD-8-SCU-03", "Accession Number is A20261120-7.", at["store"]),
            ),
            transcript=store.store_transcript("rejected-image-stays-out-of-the-step", broken),
        ),
        scenario(
            "simple-case",
            Verdict.PASS,
            aliases=("MESA-214",),
            steps=STEPS[:3],
            findings=(
                passed("RAD-8-SCU-03", "Accession Number is A20261120-7.", good_at["store"]),
                passed("RAD-5-SCU-01", "All required keys are asked for.", good_at["worklist"]),
                passed("RAD-5-SCU-09", "The name is shown in three groups.", basis=Basis.ATTESTED),
            ),
            claims=("RAD-8-SCU-03",),
            transcript=store.store_transcript("simple-case", good),
        ),
        scenario(
            "commitment-arrives-later",
            Verdict.INCONCLUSIVE,
            reason="The product has no way to be asked for a second commitment (action unsupported by its driver).",
            claims=("RAD-10-SCU-07",),
            transactions=("RAD-10",),
        ),
        scenario("append-to-a-closed-step", Verdict.NOT_APPLICABLE, reason="The product does not declare appending."),
        scenario("worklist-in-three-scripts", Verdict.WARNING, findings=(unconfirmed,), transactions=("RAD-6",)),
        scenario(
            "archive-aborts",
            Verdict.ERROR,
            faults=("image_manager.on_store: KeyError: 'AffectedSOPInstanceUID'",),
            transactions=("RAD-8",),
        ),
    )  # fmt: skip
    (store.wire / "rejected-image-stays-out-of-the-step.pcapng").write_bytes(b"\x0a\x0d\x0d\x0a" + PATIENT_ID.encode())
    run = RunResult(
        run_id="20261120-104107-a1b2",
        started="2026-11-20T10:41:07+00:00",
        seconds=372.4,
        harness_version="0.1.0",
        sut={
            "product": {"name": "CT-9", "vendor": "Acme", "version": "4.2"},
            "claims": [
                {"profile": "SWF.b", "actor": "Acquisition Modality", "options": []},
                {"profile": "CPI", "actor": "Acquisition Modality", "options": []},
            ],
        },
        scenarios=scenarios,
        options={"sut": "ct9.toml", "strict": False},
        environment={"python": "3.11.7", "pydicom": "3.0.2", "platform": "Linux"},
        waivers=(
            {
                "requirement": "RAD-6-SCU-20",
                "scenario": "worklist-*",
                "reason": "fixed in 4.3",
                "clause": "PS3.4 F.7.2.1",
                "state": "valid",
            },
        ),
    )  # fmt: skip
    store.write_run(run)
    return run
