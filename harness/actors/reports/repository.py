"""The simulated Report Repository and External Report Repository Access (RAD-26, RAD-27)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pydicom.dataset import Dataset

from harness.actors.image_manager import ImageManager
from harness.actors.reports.documents import (
    BASIC_TEXT_SR,
    COMPREHENSIVE_SR,
    ENHANCED_SR,
    KEY_OBJECT_SELECTION,
)
from harness.core.message import Blob
from harness.protocols.dicom.datasets import encode
from harness.protocols.dicom.uids import EXPLICIT_VR_LE

DOCUMENT_CLASSES = (BASIC_TEXT_SR, ENHANCED_SR, COMPREHENSIVE_SR, KEY_OBJECT_SELECTION)


class ReportRepository(ImageManager):
    """An archive of structured reports; filled by C-STORE or with :meth:`preload`."""

    slug = "report-repository"
    name = "Report Repository"

    def __init__(self, *given: Any, storage_classes: Sequence[str] = DOCUMENT_CLASSES, **more: Any) -> None:
        super().__init__(*given, storage_classes=storage_classes, **more)

    def preload(self, documents: Iterable[Dataset]) -> tuple[Mapping[str, str], ...]:
        """Put documents into the repository without a message; their identifiers. Raises Unacceptable."""
        kept = []
        for ds in documents:
            self.archive.store(
                Blob.of(encode(ds, EXPLICIT_VR_LE)),
                transfer_syntax=EXPLICIT_VR_LE,
                sop_class=str(ds.SOPClassUID),
                sop_instance=str(ds.SOPInstanceUID),
                source=self.ae_title,
            )
            kept.append({"study": str(ds.StudyInstanceUID), "instance": str(ds.SOPInstanceUID)})
        return tuple(kept)


class ExternalReportRepositoryAccess(ReportRepository):
    """The same services for reports that come from elsewhere."""

    slug = "external-report-repository-access"
    name = "External Report Repository Access"


class PresentationArchive(ImageManager):
    """An Image Manager/Archive as those see it who show images: states, notes and evidence documents beside images."""

    slug = "presentation-archive"
