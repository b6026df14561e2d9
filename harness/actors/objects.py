"""Small valid test objects (CT, MR, CR, DX, US, SC) and sets of them over patients, studies and series.

Each carries the mandatory modules of its IOD (PS3.3 Annex A) with a picture of a few hundred bytes. UIDs come from
a seedable source, so that the same plan makes the same objects.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import UID

from harness.imaging.phantoms import PixelFormat, noise
from harness.protocols.dicom import uids

UidSource = Callable[[], str]

SOP_CLASSES = {
    "CT": uids.CT_IMAGE,
    "MR": uids.MR_IMAGE,
    "CR": uids.CR_IMAGE,
    "DX": uids.DX_IMAGE,
    "US": uids.US_IMAGE,
    "SC": uids.SECONDARY_CAPTURE_IMAGE,
}


def uid_source(seed: int | None = None) -> UidSource:
    """UIDs under 2.25 (PS3.5 B.2); the same seed gives the same UIDs."""
    generator = random.Random(seed) if seed is not None else random.SystemRandom()
    return lambda: f"2.25.{generator.getrandbits(122) | 1 << 121}"


@dataclass(frozen=True, slots=True)
class Subject:
    """A patient; the name in DICOM text form."""

    name: str = "Doe^John"
    id: str = "P-1"
    birth_date: str = "19700101"
    sex: str = "M"
    character_set: tuple[str, ...] = ()
    issuer: str = ""


#: patients whose names need every kind of character set
SUBJECTS = (
    Subject("Adams^John Robert Quincy", "P-1001", "19450302", "M"),
    Subject("Yamada^Tarou=山田^太郎=やまだ^たろう", "P-1002", "19620817", "M", ("", "ISO 2022 IR 87")),
    Subject("Hong^Gildong=洪^吉洞=홍^길동", "P-1003", "19801124", "M", ("", "ISO 2022 IR 149")),
    Subject("Buc^Jérôme", "P-1004", "19750630", "M", ("ISO_IR 100",)),
    Subject("Wang^XiaoDong=王^小东", "P-1005", "19910909", "F", ("ISO_IR 192",)),
)


@dataclass(frozen=True, slots=True)
class SeriesPlan:
    """One series: how many instances of which modality (``SC`` is secondary capture of modality OT)."""

    modality: str = "CT"
    instances: int = 2
    description: str = ""
    uid: str = ""


@dataclass(frozen=True, slots=True)
class StudyPlan:
    """One study; an empty UID is dealt out when the objects are made."""

    subject: Subject = Subject()
    series: tuple[SeriesPlan, ...] = (SeriesPlan(),)
    uid: str = ""
    accession_number: str = ""
    study_id: str = ""
    date: str = "20260105"
    time: str = "101500"
    referring_physician: str = "Refer^Rita"
    description: str = "Test study"


@dataclass(frozen=True, slots=True)
class Sample:
    """One object as a data set, with the UIDs that name it."""

    dataset: Dataset = field(repr=False)

    @property
    def sop_class(self) -> str:
        """SOP Class UID."""
        return str(self.dataset.SOPClassUID)

    @property
    def sop_instance(self) -> str:
        """SOP Instance UID."""
        return str(self.dataset.SOPInstanceUID)


def archive_plan(subjects: Iterable[Subject] = SUBJECTS) -> tuple[StudyPlan, ...]:
    """Two studies for each patient, of several modalities and series: enough for every query key to have a no."""
    plans: list[StudyPlan] = []
    for number, subject in enumerate(subjects):
        plans.append(
            StudyPlan(
                subject,
                (SeriesPlan("CT", 3, "Axial"), SeriesPlan("SC", 1, "Dose report")),
                accession_number=f"ACC{number}A",
                study_id=f"ST{number}A",
                date=f"202601{number + 10:02}",
                time=f"{9 + number:02}1500",
                referring_physician="Refer^Rita",
                description="CT head",
            )
        )
        plans.append(
            StudyPlan(
                subject,
                (SeriesPlan(("MR", "CR", "DX", "US")[number % 4], 2, "Second"),),
                accession_number=f"ACC{number}B",
                study_id=f"ST{number}B",
                date=f"202602{number + 10:02}",
                time="143000",
                referring_physician="Zweig^Arnold",
                description="Follow-up",
            )
        )
    return tuple(plans)


def make(plans: Iterable[StudyPlan], uid: UidSource | None = None) -> list[Sample]:
    """All objects of the plans, study by study and series by series."""
    deal = uid or uid_source()
    return [Sample(dataset) for plan in plans for dataset in _study(plan, deal)]


def _study(plan: StudyPlan, uid: UidSource) -> Iterator[Dataset]:
    study_uid = plan.uid or uid()
    for number, series in enumerate(plan.series, 1):
        series_uid = series.uid or uid()
        frame_of_reference = uid()
        for instance in range(1, series.instances + 1):
            dataset = _common(plan, series, number, instance)
            dataset.StudyInstanceUID = study_uid
            dataset.SeriesInstanceUID = series_uid
            dataset.SOPInstanceUID = uid()
            _BUILDERS[series.modality](dataset, instance, frame_of_reference)
            _pixels(dataset, series.modality, seed=number * 1000 + instance)
            dataset.file_meta = FileMetaDataset()
            dataset.file_meta.TransferSyntaxUID = UID(uids.EXPLICIT_VR_LE)
            dataset.file_meta.MediaStorageSOPClassUID = UID(str(dataset.SOPClassUID))
            dataset.file_meta.MediaStorageSOPInstanceUID = UID(str(dataset.SOPInstanceUID))
            yield dataset


def _common(plan: StudyPlan, series: SeriesPlan, number: int, instance: int) -> Dataset:
    dataset = Dataset()
    subject = plan.subject
    if subject.character_set:
        dataset.SpecificCharacterSet = list(subject.character_set)
    dataset.SOPClassUID = SOP_CLASSES[series.modality]
    dataset.ImageType = ["ORIGINAL", "PRIMARY"]
    dataset.InstanceCreationDate = plan.date
    dataset.InstanceCreationTime = plan.time
    dataset.StudyDate = dataset.SeriesDate = dataset.ContentDate = dataset.AcquisitionDate = plan.date
    dataset.StudyTime = dataset.SeriesTime = dataset.ContentTime = dataset.AcquisitionTime = plan.time
    dataset.AccessionNumber = plan.accession_number
    dataset.Modality = "OT" if series.modality == "SC" else series.modality
    dataset.Manufacturer = "IHE harness"
    dataset.ManufacturerModelName = "Test objects"
    dataset.DeviceSerialNumber = "1"
    dataset.SoftwareVersions = "1"
    dataset.ReferringPhysicianName = plan.referring_physician
    dataset.StudyDescription = plan.description
    dataset.SeriesDescription = series.description or f"{series.modality} series"
    dataset.PatientName = subject.name
    dataset.PatientID = subject.id
    if subject.issuer:
        dataset.IssuerOfPatientID = subject.issuer
    dataset.PatientBirthDate = subject.birth_date
    dataset.PatientSex = subject.sex
    dataset.StudyID = plan.study_id
    dataset.SeriesNumber = number
    dataset.InstanceNumber = instance
    dataset.AcquisitionNumber = 1
    dataset.ProtocolName = f"{series.modality} protocol"
    return dataset


def _plane(dataset: Dataset, instance: int, frame_of_reference: str) -> None:
    dataset.FrameOfReferenceUID = frame_of_reference
    dataset.PositionReferenceIndicator = ""
    dataset.ImagePositionPatient = [-8, -8, 5 * instance]
    dataset.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    dataset.PixelSpacing = [1, 1]
    dataset.SliceThickness = 5
    dataset.SliceLocation = 5 * instance
    dataset.PatientPosition = "HFS"


def _ct(dataset: Dataset, instance: int, frame_of_reference: str) -> None:
    dataset.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    dataset.BodyPartExamined = "HEAD"
    _plane(dataset, instance, frame_of_reference)
    dataset.KVP = 120
    dataset.RescaleIntercept = -1024
    dataset.RescaleSlope = 1
    dataset.RescaleType = "HU"


def _mr(dataset: Dataset, instance: int, frame_of_reference: str) -> None:
    dataset.ImageType = ["ORIGINAL", "PRIMARY", "M"]
    dataset.BodyPartExamined = "HEAD"
    _plane(dataset, instance, frame_of_reference)
    dataset.ScanningSequence = "SE"
    dataset.SequenceVariant = "NONE"
    dataset.ScanOptions = ""
    dataset.MRAcquisitionType = "2D"
    dataset.RepetitionTime = 500
    dataset.EchoTime = 15
    dataset.EchoTrainLength = 1


def _cr(dataset: Dataset, _instance: int, _frame_of_reference: str) -> None:
    dataset.BodyPartExamined = "CHEST"
    dataset.ViewPosition = "PA"
    dataset.KVP = 90
    dataset.PlateID = "1"
    dataset.ImagerPixelSpacing = [1, 1]
    dataset.PatientOrientation = ["L", "F"]


def _dx(dataset: Dataset, _instance: int, _frame_of_reference: str) -> None:
    dataset.PresentationIntentType = "FOR PRESENTATION"
    dataset.ImageType = ["ORIGINAL", "PRIMARY", ""]
    dataset.PatientOrientation = ["L", "F"]
    dataset.ImageLaterality = "U"
    dataset.BodyPartExamined = "CHEST"
    dataset.AnatomicRegionSequence = [_code("51185008", "SCT", "Chest")]
    dataset.ViewCodeSequence = [_code("399348003", "SCT", "antero-posterior")]
    dataset.ViewCodeSequence[0].ViewModifierCodeSequence = []
    dataset.PositionerType = ""
    dataset.DetectorType = "DIRECT"
    dataset.DetectorID = "1"
    dataset.ImagerPixelSpacing = [1, 1]
    dataset.PixelIntensityRelationship = "LIN"
    dataset.PixelIntensityRelationshipSign = 1
    dataset.RescaleIntercept = 0
    dataset.RescaleSlope = 1
    dataset.RescaleType = "US"
    dataset.PresentationLUTShape = "IDENTITY"
    dataset.LossyImageCompression = "00"
    dataset.BurnedInAnnotation = "NO"
    dataset.AcquisitionContextSequence = []
    dataset.WindowCenter = 2048
    dataset.WindowWidth = 4096


def _us(dataset: Dataset, _instance: int, _frame_of_reference: str) -> None:
    dataset.ImageType = ["ORIGINAL", "PRIMARY", "ABDOMINAL", "0001"]
    dataset.BodyPartExamined = "ABDOMEN"
    dataset.PatientOrientation = ""
    dataset.LossyImageCompression = "00"


def _sc(dataset: Dataset, _instance: int, _frame_of_reference: str) -> None:
    dataset.ConversionType = "WSD"
    dataset.BodyPartExamined = "HEAD"
    dataset.ImageType = ["DERIVED", "SECONDARY"]
    dataset.PatientOrientation = ""


_BUILDERS: dict[str, Callable[[Dataset, int, str], None]] = {
    "CT": _ct,
    "MR": _mr,
    "CR": _cr,
    "DX": _dx,
    "US": _us,
    "SC": _sc,
}


def _code(value: str, scheme: str, meaning: str) -> Dataset:
    code = Dataset()
    code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = value, scheme, meaning
    return code


def _pixels(dataset: Dataset, modality: str, *, seed: int) -> None:
    form = PixelFormat(bits_stored=8 if modality in ("US", "SC") else 12)
    picture = noise(16, 16, seed=seed, form=form)
    dataset.SamplesPerPixel = 1
    dataset.PhotometricInterpretation = "MONOCHROME2"
    dataset.Rows, dataset.Columns = 16, 16
    dataset.BitsAllocated = form.bits_allocated
    dataset.BitsStored = form.bits_stored
    dataset.HighBit = form.bits_stored - 1
    dataset.PixelRepresentation = 0
    dataset.add_new(0x7FE00010, "OW" if form.bits_allocated == 16 else "OB", picture.encoded())
