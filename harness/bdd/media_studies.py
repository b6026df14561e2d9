"""What media of scenarios hold: several patients, names of all scripts, all kinds of objects."""

from __future__ import annotations

import io
from collections.abc import Callable

from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import UID

from harness.actors.objects import SUBJECTS, SeriesPlan, StudyPlan, Subject, make
from harness.actors.presentation import objects as presentation_objects
from harness.actors.reports.documents import Referenced, ReportPlan, key_object_note, report
from harness.core.errors import Unjudgeable, UsageError
from harness.protocols.dicom import uids

Deal = Callable[[], str]
_ENCAPSULATED_PDF = "1.2.840.10008.5.1.4.1.1.104.1"
_PRIVATE_CLASS = "1.2.826.0.1.3680043.10.1520.1"
_COMPRESSED = (uids.RLE_LOSSLESS, uids.JPEG_BASELINE)
_PDF = b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"


def _one_patient(deal: Deal) -> list[Dataset]:
    return _images(deal, SUBJECTS[:1], SeriesPlan("CT", 3), SeriesPlan("MR", 1))


def _two_patients(deal: Deal) -> list[Dataset]:
    return _images(deal, SUBJECTS[:2], SeriesPlan("CT", 2))


def _all_names(deal: Deal) -> list[Dataset]:
    return _images(deal, SUBJECTS, SeriesPlan("CR", 1))


def _all_objects(deal: Deal) -> list[Dataset]:
    """Images with a presentation state, key objects, a report and an encapsulated document of one study."""
    subject = SUBJECTS[0]
    pair = presentation_objects.make("VOI window", subject, deal)
    image = pair.image
    plan = ReportPlan(subject, str(image.StudyInstanceUID), images=(Referenced.of(image),), shared=image)
    made = [*pair.datasets, report(plan, deal), key_object_note(plan, deal)]
    pdf = report(plan, deal)
    for keyword in (
        "ContentSequence", "CurrentRequestedProcedureEvidenceSequence", "ContentTemplateSequence", "ValueType",
        "ContinuityOfContent", "CompletionFlag", "VerificationFlag", "VerifyingObserverSequence",
        "PerformedProcedureCodeSequence", "ReferencedPerformedProcedureStepSequence",
    ):  # fmt: skip
        if keyword in pdf:
            delattr(pdf, keyword)
    pdf.SOPClassUID, pdf.Modality = UID(_ENCAPSULATED_PDF), "DOC"
    pdf.file_meta.MediaStorageSOPClassUID = pdf.SOPClassUID
    pdf.ConversionType, pdf.BurnedInAnnotation, pdf.AcquisitionDateTime = "WSD", "NO", ""
    pdf.DocumentTitle, pdf.MIMETypeOfEncapsulatedDocument = "Letter", "application/pdf"
    pdf.EncapsulatedDocument = _PDF + b" " * (len(_PDF) % 2)
    return [*made, pdf]


def _compressed(deal: Deal) -> list[Dataset]:
    """Images in a transfer syntax of no general purpose profile, of the JPEG profiles, and uncompressed."""
    from pydicom.uid import JPEGBaseline8Bit, RLELossless

    found = _images(deal, SUBJECTS[1:2], SeriesPlan("CT", 2), SeriesPlan("SC", 1))
    found[0].compress(RLELossless, generate_instance_uid=False)
    _as_jpeg(found[-1])
    found[-1].file_meta.TransferSyntaxUID = JPEGBaseline8Bit
    return found


def _as_jpeg(dataset: Dataset) -> None:
    """An 8 bit image compressed by JPEG, with what the standard asks for then (PS3.3 C.7.6.1.1.5)."""
    try:
        from PIL import Image
    except ImportError:
        raise Unjudgeable("a compressed image to write needs Pillow; install ihe-harness[media]") from None
    from pydicom.encaps import encapsulate

    size = (int(dataset.Columns), int(dataset.Rows))
    native = len(dataset.PixelData)
    stream = io.BytesIO()
    Image.linear_gradient("L").resize(size).save(stream, "JPEG", quality=90)
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit, dataset.PixelRepresentation = 8, 8, 7, 0
    dataset.PixelData = encapsulate([stream.getvalue()])
    dataset["PixelData"].VR = "OB"
    dataset["PixelData"].is_undefined_length = True
    dataset.LossyImageCompression = "01"
    dataset.LossyImageCompressionRatio = f"{native / len(stream.getvalue()):.2f}"
    dataset.LossyImageCompressionMethod = "ISO_10918_1"


def _foreign_class(deal: Deal) -> list[Dataset]:
    found = _one_patient(deal)
    found[-1].SOPClassUID = UID(_PRIVATE_CLASS)
    found[-1].file_meta.MediaStorageSOPClassUID = found[-1].SOPClassUID
    return found


def _images(deal: Deal, subjects: tuple[Subject, ...], *series: SeriesPlan) -> list[Dataset]:
    plans = [
        StudyPlan(subject, series, study_id=f"S{number}", accession_number=f"A{number}", description="Media study")
        for number, subject in enumerate(subjects, 1)
    ]
    return [sample.dataset for sample in make(plans, deal)]


_STUDIES: dict[str, Callable[[Deal], list[Dataset]]] = {
    "one patient": _one_patient,
    "two patients": _two_patients,
    "names of all scripts": _all_names,
    "every kind of object": _all_objects,
    "compressed images": _compressed,
    "a foreign class": _foreign_class,
}


def media_study(name: str, deal: Deal) -> list[Dataset]:
    """The objects of that name, with new UIDs. Raises UsageError naming the known ones."""
    if name not in _STUDIES:
        raise UsageError(f"there is no content {name!r} for media; known: {', '.join(_STUDIES)}")
    found = _STUDIES[name](deal)
    for dataset in found:
        if not hasattr(dataset, "file_meta"):
            dataset.file_meta = FileMetaDataset()
        if str(dataset.file_meta.get("TransferSyntaxUID", "")) not in _COMPRESSED:
            dataset.file_meta.TransferSyntaxUID = UID(uids.EXPLICIT_VR_LE)
        dataset.file_meta.MediaStorageSOPClassUID = dataset.SOPClassUID
        dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    return found


def unclaimed(dataset: Dataset) -> bool:
    """Whether an object is of a class that no product can claim."""
    return str(dataset.SOPClassUID) == _PRIVATE_CLASS
