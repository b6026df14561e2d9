"""What display test objects are made of: composite data sets, pictures of phantoms, presentation states, LUTs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import UID

from harness.actors.objects import Subject, UidSource
from harness.imaging.phantoms import Phantom
from harness.protocols.dicom.uids import EXPLICIT_VR_LE, GRAYSCALE_PRESENTATION_STATE

Change = Callable[[Dataset], None]


@dataclass(frozen=True, slots=True)
class TestObject:
    """An image and the state that goes with it (None: it is shown as it is); ``requirement`` is what it is about."""

    __test__ = False

    name: str
    requirement: str
    question: str
    image: Dataset
    state: Dataset | None
    #: the frame that is to be looked at
    frame: int = 1
    #: further objects that have to be there
    others: tuple[Dataset, ...] = ()

    @property
    def is_sized(self) -> bool:
        """Whether the state asks for a size on the screen."""
        areas = self.state.get("DisplayedAreaSelectionSequence") if self.state is not None else None
        return any(area.PresentationSizeMode != "SCALE TO FIT" for area in areas or ())

    @property
    def datasets(self) -> tuple[Dataset, ...]:
        """Everything that has to be stored."""
        return (*self.others, self.image, *((self.state,) if self.state is not None else ()))


def items(**values: Any) -> Sequence:
    """A sequence of one item."""
    item = Dataset()
    for keyword, value in values.items():
        setattr(item, keyword, value)
    return Sequence([item])


def lut(first: int, entries: np.ndarray[Any, Any], bits: int, **more: Any) -> Sequence:
    """A LUT sequence of one table."""
    made = items(**more)
    made[0].add_new("LUTDescriptor", "US", [len(entries) % 65536, first % 65536, bits])
    made[0].add_new("LUTData", "OW", entries.astype("<u2").tobytes())
    return made


def state_of(image: Dataset, change: Change, subject: Subject, uid: UidSource, label: str) -> Dataset:
    """A presentation state of an image, with a change."""
    ds = composite(GRAYSCALE_PRESENTATION_STATE, "PR", subject, str(image.StudyInstanceUID), uid)
    ds.PresentationCreationDate, ds.PresentationCreationTime = "20260105", "101500"
    ds.ContentLabel = "".join(c if c.isalnum() else "_" for c in label.upper())[:16]
    ds.ContentDescription, ds.ContentCreatorName = label, "Harness^Test"
    reference = items(ReferencedSOPClassUID=image.SOPClassUID, ReferencedSOPInstanceUID=image.SOPInstanceUID)
    ds.ReferencedSeriesSequence = items(SeriesInstanceUID=image.SeriesInstanceUID, ReferencedImageSequence=reference)
    ds.DisplayedAreaSelectionSequence = items(
        DisplayedAreaTopLeftHandCorner=[1, 1],
        DisplayedAreaBottomRightHandCorner=[int(image.Columns), int(image.Rows)],
        PresentationSizeMode="SCALE TO FIT",
        PresentationPixelAspectRatio=[1, 1],
    )
    ds.PresentationLUTShape = "IDENTITY"
    change(ds)
    return ds


def composite(sop_class: str, modality: str, subject: Subject, study: str, uid: UidSource) -> Dataset:
    """Patient, study, series and equipment of an object."""
    ds = Dataset()
    if subject.character_set:
        ds.SpecificCharacterSet = list(subject.character_set)
    ds.SOPClassUID, ds.SOPInstanceUID = UID(sop_class), UID(uid())
    ds.StudyInstanceUID, ds.SeriesInstanceUID = UID(study), UID(uid())
    ds.PatientName, ds.PatientID = subject.name, subject.id
    ds.PatientBirthDate, ds.PatientSex = subject.birth_date, subject.sex
    ds.StudyDate, ds.StudyTime, ds.StudyID, ds.AccessionNumber = "20260105", "101500", "CPI", "CPI1"
    ds.ReferringPhysicianName, ds.Modality = "Refer^Rita", modality
    ds.SeriesNumber, ds.InstanceNumber, ds.Manufacturer = 1 if modality == "CR" else 2, 1, "IHE harness"
    ds.ManufacturerModelName, ds.DeviceSerialNumber, ds.SoftwareVersions = "Display test objects", "1", "1"
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = UID(EXPLICIT_VR_LE)
    ds.file_meta.MediaStorageSOPClassUID, ds.file_meta.MediaStorageSOPInstanceUID = ds.SOPClassUID, ds.SOPInstanceUID
    return ds


def picture(ds: Dataset, phantom: Phantom) -> None:
    """Put the picture of a phantom into an image."""
    ds.ImageType, ds.BodyPartExamined, ds.ViewPosition = ["DERIVED", "SECONDARY"], "CHEST", "PA"
    ds.PatientOrientation, ds.PixelSpacing = ["L", "F"], list(phantom.spacing)
    ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, phantom.format.photometric_interpretation
    ds.Rows, ds.Columns = phantom.rows, phantom.columns
    ds.BitsAllocated, ds.BitsStored = phantom.format.bits_allocated, phantom.format.bits_stored
    ds.HighBit, ds.PixelRepresentation = phantom.format.bits_stored - 1, int(phantom.format.signed)
    ds.add_new("PixelData", "OW", phantom.encoded())
