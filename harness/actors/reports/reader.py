"""The simulated Report Reader (RAD-26, RAD-27): finds reports in several repositories, fetches and shows them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.actors.archive_keys import Level
from harness.actors.image_display import ImageDisplay, Received
from harness.actors.reports.page import document_page
from harness.actors.reports.repository import DOCUMENT_CLASSES
from harness.protocols.dicom.errors import PeerError
from harness.protocols.dicom.node import Address

#: what a reader asks of each document (RAD TF-2 4.26)
DOCUMENT_KEYS = (
    "SOPClassUID",
    "SOPInstanceUID",
    "InstanceNumber",
    "CompletionFlag",
    "VerificationFlag",
    "ContentDate",
    "ContentTime",
    "ConceptNameCodeSequence",
)


@dataclass(frozen=True, slots=True)
class Found:
    """What one source said: matching studies by Study Instance UID, or why it said nothing."""

    source: Address
    studies: tuple[Mapping[str, str], ...] = ()
    problem: str = ""


class ReportReader(ImageDisplay):
    """Reads reports; ``shown`` holds the pages that its user saw last."""

    slug = "report-reader"
    name = "Report Reader"

    def __init__(self, *given: Any, storage_classes: Sequence[str] = DOCUMENT_CLASSES, **more: Any) -> None:
        super().__init__(*given, storage_classes=storage_classes, **more)

    def search(self, sources: Sequence[Address], keys: Mapping[str, Any]) -> tuple[Found, ...]:
        """Studies with reports in every source; a source that fails hides nothing of the others."""
        found = []
        for source in sources:
            try:
                replies = self.query(source, Level.STUDY, {"ModalitiesInStudy": "SR", **keys})
            except PeerError as problem:
                found.append(Found(source, problem=str(problem)))
                continue
            status = replies.final.status
            studies = tuple(
                {
                    keyword: str(answer.dataset().get(keyword, "") or "")
                    for keyword in ("StudyInstanceUID", "PatientName", "PatientID", "AccessionNumber", "StudyDate")
                }
                for answer in replies.pending
            )
            found.append(Found(source, studies, f"the query failed with {status:04X}" if status else ""))
        return tuple(found)

    def documents(self, source: Address, study: str) -> tuple[Mapping[str, str], ...]:
        """The reports of a study with their flags, by series and instance queries."""
        listed = []
        series = self.query(source, Level.SERIES, {"StudyInstanceUID": study, "Modality": "SR"})
        for one in series.pending:
            keys = {"StudyInstanceUID": study, "SeriesInstanceUID": str(one.dataset().SeriesInstanceUID)}
            for answer in self.query(source, Level.IMAGE, keys, returned=DOCUMENT_KEYS).pending:
                ds = answer.dataset()
                values = {keyword: str(ds.get(keyword, "") or "") for keyword in DOCUMENT_KEYS[:-1]}
                listed.append({**keys, **values})
        return tuple(listed)

    def read(self, source: Address, document: Mapping[str, str], *, timeout: float = 10.0) -> str:
        """Fetch one document and show it; the page as HTML, "" if it did not come in ``timeout`` seconds."""
        before = len(self.received)
        keys = {k: document[k] for k in ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID")}
        self.move(source, Level.IMAGE, keys)
        if not self.wait_for(before + 1, timeout):
            return ""
        return self.page(self.received[before])

    def page(self, received: Received) -> str:
        """What the user sees of a document; of one that cannot be read, why."""
        return document_page(received)
