"""The Query/Retrieve tab, and what arrives at our own storage service."""

from __future__ import annotations

import contextlib
from typing import Any

from pydicom.dataset import Dataset

from harness.modality.config import NodeName
from harness.modality.elements import put, text
from harness.modality.errors import Cause, PeerProblem, Refused, StoreProblem
from harness.modality.listener import RETRIEVABLE, STORED_SYNTAXES
from harness.modality.network import Context, Reply
from harness.modality.services.intake import Intake, Taken
from harness.modality.services.kernel import Kernel
from harness.modality.text import choose

FIND = {"patient": "1.2.840.10008.5.1.4.1.2.1.1", "study": "1.2.840.10008.5.1.4.1.2.2.1"}
MOVE = {"patient": "1.2.840.10008.5.1.4.1.2.1.2", "study": "1.2.840.10008.5.1.4.1.2.2.2"}
GET = {"patient": "1.2.840.10008.5.1.4.1.2.1.3", "study": "1.2.840.10008.5.1.4.1.2.2.3"}
_PATIENT = ("PatientName", "PatientID", "PatientBirthDate", "PatientSex")
_LEVELS: dict[str, tuple[str, ...]] = {
    "PATIENT": _PATIENT,
    "STUDY": (
        *_PATIENT, "StudyDate", "StudyTime", "AccessionNumber", "StudyID", "StudyInstanceUID", "StudyDescription",
        "ModalitiesInStudy", "ReferringPhysicianName", "NumberOfStudyRelatedSeries", "NumberOfStudyRelatedInstances",
    ),
    "SERIES": (
        "StudyInstanceUID", "SeriesInstanceUID", "Modality", "SeriesNumber", "SeriesDescription",
        "NumberOfSeriesRelatedInstances", "PerformedProcedureStepStartDate", "PerformedProcedureStepStartTime",
    ),
    "IMAGE": (
        "StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "SOPClassUID", "InstanceNumber", "Rows", "Columns",
        "BitsAllocated", "NumberOfFrames",
    ),
}  # fmt: skip
STORE_STATUS = {
    Taken.KEPT: 0x0000,
    Taken.OURS: 0x0000,
    Taken.TOO_LARGE: 0xA900,
    Taken.SYNTAX: 0xC000,
    Taken.UNREADABLE: 0xC000,
    Taken.MISMATCH: 0xA900,
}
MOVE_FAILURES = {
    0xA701: "the peer is out of resources and cannot count the matches",
    0xA702: "the peer is out of resources and cannot send",
    0xA801: "the peer does not know the destination AE title; have it entered there with our host and port",
    0xA900: "the identifier does not match the service",
}


class Retrieval:
    """Query and retrieve from an archive."""

    def __init__(self, kernel: Kernel, intake: Intake) -> None:
        self._k, self._intake = kernel, intake

    def find(
        self,
        level: str = "STUDY",
        model: str = "study",
        patient_name: str = "",
        patient_id: str = "",
        study_date: str = "",
        accession_number: str = "",
        study_id: str = "",
        modality: str = "",
        study_instance_uid: str = "",
        series_instance_uid: str = "",
        limit: int = 500,
    ) -> dict[str, Any]:
        """Query the archive at PATIENT, STUDY, SERIES or IMAGE level; empty keys match everything."""
        self._judge(level, model)
        given = {
            "PatientName": patient_name, "PatientID": patient_id, "StudyDate": study_date,
            "AccessionNumber": accession_number, "StudyID": study_id, "StudyInstanceUID": study_instance_uid,
            "SeriesInstanceUID": series_instance_uid, "ModalitiesInStudy" if level == "STUDY" else "Modality": modality,
        }  # fmt: skip
        identifier = Dataset()
        sets = choose([patient_name, patient_id], self._k.settings.environment.character_set)
        if sets:
            put(identifier, SpecificCharacterSet=sets)
        put(identifier, QueryRetrieveLevel=level)
        for keyword in _LEVELS[level]:
            put(identifier, **{keyword: given.get(keyword) or None})
        for keyword, value in given.items():
            if value and keyword not in identifier:
                put(identifier, **{keyword: value})
        matches: list[dict[str, Any]] = []
        limit = max(1, min(limit, 10000))

        def on_match(reply: Reply) -> bool:
            if reply.dataset is not None and len(matches) < limit:
                matches.append({key: text(reply.dataset, key) for key in _LEVELS[level]})
            return len(matches) < limit

        with self._k.link(NodeName.QR, [self._k.context(FIND[model])]) as link:
            final = link.find(FIND[model], identifier, on_match)
            if final.status not in {0x0000, 0xFE00}:
                detail = f"it could not answer: status {final.status:04X} {final.comment}".strip()
                raise PeerProblem(Cause.STATUS, link.peer, detail, status=final.status)
        return {"items": matches, "cut": final.status == 0xFE00}

    def _judge(self, level: str, model: str) -> None:
        if level not in _LEVELS or model not in FIND or (level == "PATIENT" and model != "patient"):
            raise Refused(
                "levels are PATIENT (patient model only), STUDY, SERIES and IMAGE; models are patient and study"
            )

    def move(
        self,
        study_instance_uid: str,
        series_instance_uid: str = "",
        sop_instance_uid: str = "",
        destination: str = "",
        model: str = "study",
        patient_id: str = "",
    ) -> dict[str, Any]:
        """Have the archive send a study, series or object to us, or to another AE title."""
        target = destination or self._k.settings.local.ae_title
        identifier = self._retrieve_key(model, patient_id, study_instance_uid, series_instance_uid, sop_instance_uid)
        last: dict[str, int] = {}

        def on_pending(reply: Reply) -> bool:
            last.update(_counts(reply))
            return True

        with self._k.link(NodeName.QR, [self._k.context(MOVE[model])]) as link:
            final = link.move(MOVE[model], identifier, target, on_pending)
            peer = link.peer
        return self._retrieved(final, last, peer, destination=target)

    def get(
        self, study_instance_uid: str, series_instance_uid: str = "", sop_instance_uid: str = "", model: str = "study"
    ) -> dict[str, Any]:
        """Fetch a study, series or object on the same association."""
        identifier = self._retrieve_key(model, "", study_instance_uid, series_instance_uid, sop_instance_uid)
        last: dict[str, int] = {}

        def on_pending(reply: Reply) -> bool:
            last.update(_counts(reply))
            return True

        storage = [Context(uid, STORED_SYNTAXES[:2], scp_role=True) for uid in RETRIEVABLE]
        with self._k.link(NodeName.QR, [self._k.context(GET[model]), *storage], on_store=self.received) as link:
            final = link.get(GET[model], identifier, on_pending)
            peer = link.peer
        return self._retrieved(final, last, peer)

    def _retrieve_key(self, model: str, patient: str, study: str, series: str, instance: str) -> Dataset:
        level = "IMAGE" if instance else "SERIES" if series else "STUDY"
        self._judge(level, model)
        identifier = put(Dataset(), QueryRetrieveLevel=level, StudyInstanceUID=study)
        if series:
            put(identifier, SeriesInstanceUID=series)
        if instance:
            put(identifier, SOPInstanceUID=instance)
        return put(identifier, PatientID=patient) if model == "patient" else identifier

    def _retrieved(self, final: Reply, last: dict[str, int], peer: str, **more: Any) -> dict[str, Any]:
        counts = {**last, **_counts(final)}
        if final.status not in {0x0000, 0xB000, 0xFE00}:
            said = MOVE_FAILURES.get(final.status, final.comment or "the retrieval failed")
            raise PeerProblem(Cause.STATUS, peer, f"{said}: status {final.status:04X}", status=final.status)
        return {"status": f"{final.status:04X}", **more, **counts}

    # -- our own storage service -------------------------------------------------------------------------------

    def received(self, body: bytes, sop_class: str, sop_instance: str, syntax: str) -> int:
        """Keep an object that a peer sends; return the C-STORE status."""
        try:
            taken = self._intake.take(body, sop_class, sop_instance, syntax, "retrieved")
        except (OSError, StoreProblem) as error:
            said = error.strerror or error if isinstance(error, OSError) else error
            with contextlib.suppress(StoreProblem):  # the log is on the same disk
                self._k.log(1, "intake", f"{sop_instance} was refused, the sender has to send it again: {said}")
            return 0xA700
        return STORE_STATUS[taken]


def _counts(reply: Reply) -> dict[str, int]:
    made = {}
    for name in ("Remaining", "Completed", "Failed", "Warning"):
        value = getattr(reply.primitive, f"NumberOf{name}Suboperations", None)
        if value is not None:
            made[name.lower()] = int(value)
    return made
