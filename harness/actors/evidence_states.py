"""Presentation states that an evidence creator makes of images which others acquired (RAD-19)."""

from __future__ import annotations

from collections.abc import Sequence

from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence as Items
from pydicom.uid import UID

from harness.actors.objects import UidSource
from harness.actors.presentation.parts import items
from harness.protocols.dicom.uids import EXPLICIT_VR_LE, GRAYSCALE_PRESENTATION_STATE

#: what a state takes over from its images: patient and study are shared (PS3.3 A.1.2)
_SHARED = (
    "SpecificCharacterSet",
    "PatientName",
    "PatientID",
    "IssuerOfPatientID",
    "PatientBirthDate",
    "PatientSex",
    "StudyInstanceUID",
    "StudyID",
    "StudyDate",
    "StudyTime",
    "StudyDescription",
    "AccessionNumber",
    "ReferringPhysicianName",
)
_RESCALE = ("RescaleIntercept", "RescaleSlope", "RescaleType")


def presentation_state(images: Sequence[Dataset], uid: UidSource) -> Dataset:
    """A state over the images of a study that share their rescale with the first one, complete in itself."""
    first = images[0]
    meant = [image for image in images if _rescale(image) == _rescale(first)]
    ds = Dataset()
    for keyword in (*_SHARED, *_RESCALE):
        if keyword in first:
            ds[keyword] = first[keyword]
    ds.SOPClassUID, ds.SOPInstanceUID = UID(GRAYSCALE_PRESENTATION_STATE), UID(uid())
    ds.SeriesInstanceUID, ds.SeriesNumber, ds.InstanceNumber, ds.Modality = UID(uid()), 901, 1, "PR"
    ds.Manufacturer = "IHE harness"
    ds.PresentationCreationDate, ds.PresentationCreationTime = "20260105", "113000"
    ds.ContentLabel, ds.ContentDescription, ds.ContentCreatorName = "EVIDENCE", "As the creator saw it", "Evans^Eve"
    ds.ReferencedSeriesSequence = Items(
        items(SeriesInstanceUID=series, ReferencedImageSequence=_references(_of(meant, series)))[0]
        for series in dict.fromkeys(str(image.SeriesInstanceUID) for image in meant)
    )
    ds.DisplayedAreaSelectionSequence = Items(
        items(
            ReferencedImageSequence=_references([image for image in meant if (image.Rows, image.Columns) == size]),
            DisplayedAreaTopLeftHandCorner=[1, 1],
            DisplayedAreaBottomRightHandCorner=[int(size[1]), int(size[0])],
            PresentationSizeMode="SCALE TO FIT",
            PresentationPixelAspectRatio=[1, 1],
        )[0]
        for size in dict.fromkeys((image.Rows, image.Columns) for image in meant)
    )
    ds.GraphicLayerSequence = items(GraphicLayer="FINDING", GraphicLayerOrder=1)
    ds.GraphicAnnotationSequence = items(GraphicLayer="FINDING", GraphicObjectSequence=_circle())
    ds.PresentationLUTShape = "IDENTITY"
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = UID(EXPLICIT_VR_LE)
    ds.file_meta.MediaStorageSOPClassUID, ds.file_meta.MediaStorageSOPInstanceUID = ds.SOPClassUID, ds.SOPInstanceUID
    return ds


def _rescale(image: Dataset) -> tuple[str, ...]:
    return tuple(str(image.get(keyword, "")) for keyword in _RESCALE)


def _of(images: Sequence[Dataset], series: str) -> list[Dataset]:
    return [image for image in images if str(image.SeriesInstanceUID) == series]


def _references(images: Sequence[Dataset]) -> Items:
    return Items(
        items(ReferencedSOPClassUID=image.SOPClassUID, ReferencedSOPInstanceUID=image.SOPInstanceUID)[0]
        for image in images
    )


def _circle() -> Items:
    return items(
        GraphicAnnotationUnits="DISPLAY",
        GraphicDimensions=2,
        NumberOfGraphicPoints=2,
        GraphicData=[0.5, 0.5, 0.6, 0.5],
        GraphicType="CIRCLE",
        GraphicFilled="N",
    )
