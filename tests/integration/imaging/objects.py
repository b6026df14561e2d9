"""Images and presentation states written from plain objects, for programs that read DICOM."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import UID, ExplicitVRLittleEndian

from harness.imaging.phantoms import Phantom

SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"
COMPUTED_RADIOGRAPHY = "1.2.840.10008.5.1.4.1.1.1"
GRAYSCALE_PRESENTATION_STATE = "1.2.840.10008.5.1.4.1.1.11.1"
ROOT = "1.2.826.0.1.3680043.10.99999"
Change = Callable[[Dataset], None]


def _composite(sop_class: str, number: int, modality: str) -> Dataset:
    ds = Dataset()
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    ds.file_meta.MediaStorageSOPClassUID = ds.SOPClassUID = UID(sop_class)
    ds.file_meta.MediaStorageSOPInstanceUID = ds.SOPInstanceUID = UID(f"{ROOT}.1.{number}")
    ds.StudyInstanceUID, ds.SeriesInstanceUID = f"{ROOT}.2", f"{ROOT}.3.{modality == 'PR':d}"
    ds.Modality, ds.PatientName, ds.PatientID, ds.PatientBirthDate, ds.PatientSex = modality, "Film^Test", "F1", "", ""
    ds.StudyDate, ds.StudyTime, ds.AccessionNumber, ds.ReferringPhysicianName, ds.StudyID = (
        "20240102",
        "1200",
        "",
        "",
        "",
    )
    ds.SeriesNumber, ds.InstanceNumber, ds.Manufacturer = 1, number, "Test"
    return ds


def image(phantom: Phantom, change: Change | None = None, *, number: int = 1) -> Dataset:
    """A computed radiograph of the phantom; ``change`` adds what a test is about."""
    ds = _composite(COMPUTED_RADIOGRAPHY, number, "CR")
    ds.BodyPartExamined, ds.ViewPosition, ds.PatientOrientation = "CHEST", "PA", ["L", "F"]
    ds.ImageType = ["ORIGINAL", "PRIMARY"]
    ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, phantom.format.photometric_interpretation
    ds.Rows, ds.Columns = phantom.rows, phantom.columns
    ds.BitsAllocated, ds.BitsStored = phantom.format.bits_allocated, phantom.format.bits_stored
    ds.HighBit, ds.PixelRepresentation = phantom.format.bits_stored - 1, int(phantom.format.signed)
    ds.PixelSpacing = list(phantom.spacing)
    ds.PixelData = phantom.encoded()
    ds["PixelData"].VR = "OB" if phantom.format.bits_allocated == 8 else "OW"
    if change:
        change(ds)
    return ds


def state(of: Dataset, change: Change | None = None, *, number: int = 100) -> Dataset:
    """A presentation state of the whole image, IDENTITY everywhere; ``change`` adds what a test is about."""
    ds = _composite(GRAYSCALE_PRESENTATION_STATE, number, "PR")
    ds.PresentationCreationDate, ds.PresentationCreationTime = "20240102", "120000"
    ds.ContentLabel, ds.ContentDescription, ds.ContentCreatorName = "TEST", "", ""
    reference = items(ReferencedSOPClassUID=of.SOPClassUID, ReferencedSOPInstanceUID=of.SOPInstanceUID)
    ds.ReferencedSeriesSequence = items(SeriesInstanceUID=of.SeriesInstanceUID, ReferencedImageSequence=reference)
    ds.DisplayedAreaSelectionSequence = items(
        DisplayedAreaTopLeftHandCorner=[1, 1],
        DisplayedAreaBottomRightHandCorner=[int(of.Columns), int(of.Rows)],
        PresentationSizeMode="SCALE TO FIT",
        PresentationPixelAspectRatio=[1, 1],
    )
    ds.PresentationLUTShape = "IDENTITY"
    if change:
        change(ds)
    return ds


def items(**values: Any) -> Sequence:
    """A sequence of one item."""
    item = Dataset()
    for keyword, value in values.items():
        setattr(item, keyword, value)
    return Sequence([item])


def table(first: int, entries: np.ndarray[Any, Any], bits: int, *, packed: bool = False, **more: Any) -> Sequence:
    """A LUT sequence; ``packed`` puts entries of 8 bits into bytes."""
    made = items(**more)
    ds = made[0]
    ds.add_new("LUTDescriptor", "US", [len(entries) % 65536, first % 65536, bits])
    ds.add_new("LUTData", "OW", entries.astype("u1" if packed else "<u2").tobytes())
    return made
