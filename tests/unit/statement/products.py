"""A small archive and a small modality: what they said on the wire, and how a run judged them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydicom.dataset import Dataset
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_dataset

from harness.core.finding import Finding
from harness.core.message import EMPTY, Blob, Direction, Protocol
from harness.core.result import RunResult, ScenarioResult
from harness.core.transcript import Transcript
from harness.core.verdict import Verdict
from harness.profiles import registry
from harness.protocols.dicom import uids
from harness.statement.build import Declared, build, declared_from
from harness.statement.model import Statement
from harness.statement.observation import observe

MODALITY = "Acquisition Modality"
ARCHIVE = "Image Manager/Archive"
TO, FROM = Direction.TO_SUT, Direction.FROM_SUT


def encoded(**values: Any) -> Blob:
    """A data set in Explicit VR Little Endian."""
    dataset = Dataset()
    for keyword, value in values.items():
        setattr(dataset, keyword, value)
    stream = DicomBytesIO()
    stream.is_little_endian, stream.is_implicit_VR = True, False
    write_dataset(stream, dataset)
    return Blob.of(stream.getvalue())


class Wire:
    """Writes associations into a transcript, as the engine would."""

    def __init__(self) -> None:
        self.transcript = Transcript(clock=lambda: 1.0)
        self._association = 0

    def associate(
        self,
        contexts: Sequence[dict[str, Any]],
        *,
        product_accepts: bool,
        called: str = "ARCHIVE",
        calling: str = "MODALITY",
        reject: tuple[int, int] | None = None,
    ) -> None:
        """One association; each context gives uid, proposed, and accepted (a syntax) or result, and roles."""
        self._association += 1
        ask, answer = (TO, FROM) if product_accepts else (FROM, TO)
        titles = {"called_ae": called, "calling_ae": calling}
        offered = [
            {
                "id": 2 * n + 1,
                "abstract_syntax": c["uid"],
                "transfer_syntaxes": list(c["proposed"]),
                "scu_role": c.get("asked", (None, None))[0],
                "scp_role": c.get("asked", (None, None))[1],
            }
            for n, c in enumerate(contexts)
        ]
        self._record(ask, "A-ASSOCIATE-RQ", {**titles, "max_pdu": 16384, "contexts": offered})
        if reject:
            self._record(answer, "A-ASSOCIATE-RJ", {"result": 1, "source": reject[0], "reason": reject[1]})
            return
        results = [
            {
                "id": 2 * n + 1,
                "abstract_syntax": c["uid"],
                "transfer_syntax": c.get("accepted", ""),
                "result": 0 if "accepted" in c else c.get("result", 3),
                "scu_role": c.get("got", (None, None))[0],
                "scp_role": c.get("got", (None, None))[1],
            }
            for n, c in enumerate(contexts)
        ]
        fields = {
            **titles, "max_pdu": 32768, "implementation_class_uid": "1.2.3", "implementation_version": "V1",
            "contexts": results,
        }  # fmt: skip
        self._record(answer, "A-ASSOCIATE-AC", fields)

    def exchange(
        self, kind: str, uid: str, *, by_product: bool, status: int = 0, payload: Blob = EMPTY, number: int = 1
    ) -> None:
        """A request and its response."""
        ask, answer = (FROM, TO) if by_product else (TO, FROM)
        command = {"AbstractSyntax": uid, "MessageID": number}
        self._record(ask, f"{kind}-RQ", command, payload)
        reply = {"AbstractSyntax": uid, "MessageIDBeingRespondedTo": number, "Status": status}
        self._record(answer, f"{kind}-RSP", reply)

    def _record(self, direction: Direction, kind: str, fields: dict[str, Any], payload: Blob = EMPTY) -> None:
        self.transcript.record(
            direction, Protocol.DICOM, kind, association=self._association, fields=fields, payload=payload,
            transfer_syntax=uids.EXPLICIT_VR_LE,
        )  # fmt: skip


def modality_wire() -> Transcript:
    """A modality that queries its worklist and stores a CT image, whose patient has a Korean name."""
    wire = Wire()
    both = (uids.EXPLICIT_VR_LE, uids.IMPLICIT_VR_LE)
    wire.associate(
        [{"uid": uids.MODALITY_WORKLIST, "proposed": both, "accepted": uids.EXPLICIT_VR_LE}], product_accepts=False
    )
    wire.exchange(
        "C-FIND", uids.MODALITY_WORKLIST, by_product=True, payload=encoded(PatientName="", PatientID="17")
    )  # fmt: skip
    wire.associate(
        [
            {"uid": uids.CT_IMAGE, "proposed": (uids.EXPLICIT_VR_LE,), "accepted": uids.EXPLICIT_VR_LE},
            {"uid": uids.MR_IMAGE, "proposed": (uids.EXPLICIT_VR_LE,), "accepted": uids.EXPLICIT_VR_LE},
        ],
        product_accepts=False,
    )
    image = encoded(SpecificCharacterSet=["", "ISO 2022 IR 149"], PatientName="HONG", Rows=2)
    wire.exchange("C-STORE", uids.CT_IMAGE, by_product=True, payload=image)
    return wire.transcript


def archive_wire() -> Transcript:
    """An archive that takes CT in one syntax, refuses MPPS, and does not look at called titles."""
    wire = Wire()
    wire.associate(
        [
            {"uid": uids.CT_IMAGE, "proposed": (uids.EXPLICIT_VR_LE,), "accepted": uids.EXPLICIT_VR_LE},
            {"uid": uids.CT_IMAGE, "proposed": (uids.JPEG_2000,), "result": 4},
            {"uid": uids.MPPS, "proposed": (uids.EXPLICIT_VR_LE,), "result": 3},
            {
                "uid": uids.STUDY_ROOT_GET, "proposed": (uids.EXPLICIT_VR_LE,), "accepted": uids.EXPLICIT_VR_LE,
            },
            {
                "uid": uids.MR_IMAGE, "proposed": (uids.EXPLICIT_VR_LE,), "accepted": uids.EXPLICIT_VR_LE,
                "asked": (True, True), "got": (False, True),
            },
        ],
        product_accepts=True,
    )  # fmt: skip
    wire.exchange("C-STORE", uids.CT_IMAGE, by_product=False)
    wire.associate(
        [{"uid": uids.VERIFICATION, "proposed": (uids.IMPLICIT_VR_LE,), "accepted": uids.IMPLICIT_VR_LE}],
        product_accepts=True,
        called="SOMEBODY",
    )
    wire.associate([], product_accepts=True, calling="STRANGER", reject=(1, 3))
    return wire.transcript


def finding(requirement: str, verdict: Verdict, summary: str = "seen") -> Finding:
    return Finding("check", requirement, verdict, summary)


def first_requirement(transaction: str, actor: str, option: str = "") -> str:
    """Any requirement of that transaction, actor and option."""
    rows = registry.requirements_for(transaction=transaction, actor=actor, option=option)
    return rows[0].id


def scenario(name: str, actor: str, transactions: Sequence[str], *findings: Finding) -> ScenarioResult:
    verdict = max((f.verdict for f in findings), default=Verdict.PASS)
    return ScenarioResult(
        name, name, "feature", "x.feature", 1, verdict, 0.1, profiles=("SWF",), transactions=tuple(transactions),
        actor=actor, findings=findings,
    )  # fmt: skip


def run_of(*scenarios: ScenarioResult, **options: Any) -> RunResult:
    waivers = tuple(options.pop("waivers", ()))
    interrupted = bool(options.pop("interrupted", False))
    return RunResult(
        "run-1", "2026-11-21T10:00:00+00:00", 1.0, "0", {"name": "Small", "version": "1"}, tuple(scenarios),
        options=options, waivers=waivers, interrupted=interrupted,
    )  # fmt: skip


def passing_run(**options: Any) -> RunResult:
    """All required transactions of a modality passed."""
    scenarios = [
        scenario(f"case {t}", MODALITY, [t], finding(first_requirement(t, MODALITY), Verdict.PASS))
        for t in ("RAD-5", "RAD-6", "RAD-7", "RAD-8", "RAD-10")
    ]
    return run_of(*scenarios, **options)


def modality(**text: Any) -> Declared:
    claims = [{"profile": "SWF", "actor": MODALITY, "options": ["Broad Worklist Query"]}]
    return declared_from({"name": "Small", "version": "1"}, claims, text, ae_titles=["MODALITY"])


def archive(**text: Any) -> Declared:
    claims = [{"profile": "SWF", "actor": ARCHIVE, "transactions": ["RAD-8"]}]
    return declared_from({"name": "Vault", "version": "2"}, claims, text, ae_titles=["ARCHIVE"])


def modality_statement(**text: Any) -> Statement:
    return build(modality(**text), observe([("case RAD-8", modality_wire())]), passing_run(), sources=["a test"])


def archive_statement(**text: Any) -> Statement:
    seen = observe([("probe", archive_wire())], frozenset({"ARCHIVE"}), frozenset({"STRANGER"}))
    return build(archive(**text), seen)
