"""Small conformant objects and messages, to be broken in one place by each test."""

from __future__ import annotations

import struct
from collections.abc import Callable
from io import BytesIO

from pydicom import Dataset, FileDataset, Sequence
from pydicom.dataset import FileMetaDataset
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_dataset
from pydicom.uid import UID as UIDType
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian

CT = "1.2.840.10008.5.1.4.1.1.2"
UID = "1.2.826.0.1.3680043.8.498.1"


def code(value: str, scheme: str, meaning: str) -> Dataset:
    ds = Dataset()
    ds.CodeValue, ds.CodingSchemeDesignator, ds.CodeMeaning = value, scheme, meaning
    return ds


def reference(sop_class: str = CT, uid: str = UID + ".9") -> Dataset:
    ds = Dataset()
    ds.ReferencedSOPClassUID, ds.ReferencedSOPInstanceUID = sop_class, uid
    return ds


def composite(sop_class: str, modality: str) -> Dataset:
    """Patient, study, series, equipment and SOP common modules."""
    ds = Dataset()
    ds.SpecificCharacterSet = "ISO_IR 100"
    ds.SOPClassUID, ds.SOPInstanceUID = sop_class, UID + ".3"
    ds.StudyDate, ds.StudyTime, ds.AccessionNumber = "20260102", "101112", "A1"
    ds.Modality, ds.Manufacturer = modality, "Acme"
    ds.ReferringPhysicianName = "Müller^Änne"
    ds.PatientName, ds.PatientID, ds.PatientBirthDate, ds.PatientSex = "Doe^Jane", "4711", "19700101", "F"
    ds.StudyInstanceUID, ds.SeriesInstanceUID = UID + ".1", UID + ".2"
    ds.StudyID, ds.SeriesNumber, ds.InstanceNumber = "S1", "1", "1"
    return ds


def ct() -> Dataset:
    """A CT image of 4 by 4 pixels."""
    ds = composite(CT, "CT")
    ds.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    ds.AcquisitionNumber, ds.KVP, ds.PatientPosition = "1", "120", "HFS"
    ds.PositionReferenceIndicator, ds.FrameOfReferenceUID = "", UID + ".4"
    ds.SliceThickness, ds.ImagePositionPatient = "1.0", ["0", "0", "0"]
    ds.ImageOrientationPatient, ds.PixelSpacing = ["1", "0", "0", "0", "1", "0"], ["0.5", "0.5"]
    ds.RescaleIntercept, ds.RescaleSlope, ds.RescaleType = "-1024", "1", "HU"
    ds.SamplesPerPixel, ds.PhotometricInterpretation, ds.Rows, ds.Columns = 1, "MONOCHROME2", 4, 4
    ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 16, 12, 11, 0
    ds.PixelData = bytes(32)
    return ds


def secondary_capture() -> Dataset:
    ds = composite("1.2.840.10008.5.1.4.1.1.7", "OT")
    ds.ConversionType, ds.PatientOrientation = "WSD", ""
    ds.SamplesPerPixel, ds.PhotometricInterpretation, ds.Rows, ds.Columns = 3, "RGB", 2, 2
    ds.PlanarConfiguration, ds.BitsAllocated, ds.BitsStored, ds.HighBit = 0, 8, 8, 7
    ds.PixelRepresentation, ds.PixelData = 0, bytes(12)
    return ds


def key_object() -> Dataset:
    ds = composite("1.2.840.10008.5.1.4.1.1.88.59", "KO")
    ds.ReferencedPerformedProcedureStepSequence = []
    ds.ContentDate, ds.ContentTime, ds.ValueType, ds.ContinuityOfContent = "20260102", "101112", "CONTAINER", "SEPARATE"
    ds.ConceptNameCodeSequence = [code("113000", "DCM", "Of Interest")]
    template = Dataset()
    template.MappingResource, template.TemplateIdentifier = "DCMR", "2010"
    ds.ContentTemplateSequence = [template]
    item = Dataset()
    item.RelationshipType, item.ValueType, item.ReferencedSOPSequence = "CONTAINS", "IMAGE", [reference()]
    ds.ContentSequence = [item]
    series = Dataset()
    series.SeriesInstanceUID, series.ReferencedSOPSequence = UID + ".8", [reference()]
    study = Dataset()
    study.StudyInstanceUID, study.ReferencedSeriesSequence = UID + ".1", [series]
    ds.CurrentRequestedProcedureEvidenceSequence = [study]
    return ds


def presentation_state() -> Dataset:
    ds = composite("1.2.840.10008.5.1.4.1.1.11.1", "PR")
    ds.ContentLabel, ds.ContentDescription, ds.ContentCreatorName = "READ", "", "Doe^John"
    ds.PresentationCreationDate, ds.PresentationCreationTime = "20260102", "101112"
    series = Dataset()
    series.SeriesInstanceUID, series.ReferencedImageSequence = UID + ".8", [reference()]
    ds.ReferencedSeriesSequence = [series]
    area = Dataset()
    area.DisplayedAreaTopLeftHandCorner, area.DisplayedAreaBottomRightHandCorner = [1, 1], [4, 4]
    area.PresentationSizeMode, area.PresentationPixelAspectRatio = "SCALE TO FIT", ["1", "1"]
    ds.DisplayedAreaSelectionSequence = [area]
    ds.PresentationLUTShape = "IDENTITY"
    return ds


def basic_text() -> Dataset:
    ds = composite("1.2.840.10008.5.1.4.1.1.88.11", "SR")
    ds.ReferencedPerformedProcedureStepSequence = []
    ds.ContentDate, ds.ContentTime, ds.ValueType, ds.ContinuityOfContent = "20260102", "101112", "CONTAINER", "SEPARATE"
    ds.CompletionFlag, ds.VerificationFlag, ds.PerformedProcedureCodeSequence = "COMPLETE", "UNVERIFIED", []
    ds.ConceptNameCodeSequence = [code("18748-4", "LN", "Diagnostic imaging study")]
    text = Dataset()
    text.RelationshipType, text.ValueType, text.TextValue = "CONTAINS", "TEXT", "Nothing found."
    text.ConceptNameCodeSequence = [code("121071", "DCM", "Finding")]
    section = Dataset()
    section.RelationshipType, section.ValueType, section.ContinuityOfContent = "CONTAINS", "CONTAINER", "SEPARATE"
    section.ConceptNameCodeSequence = [code("121070", "DCM", "Findings")]
    section.ContentSequence = [text]
    ds.ContentSequence = [section]
    return ds


def encapsulated_pdf() -> Dataset:
    ds = composite("1.2.840.10008.5.1.4.1.1.104.1", "DOC")
    ds.ConversionType, ds.ContentDate, ds.ContentTime, ds.AcquisitionDateTime = "WSD", "20260102", "101112", ""
    ds.BurnedInAnnotation, ds.DocumentTitle, ds.ConceptNameCodeSequence = "YES", "Report", []
    ds.MIMETypeOfEncapsulatedDocument, ds.EncapsulatedDocument = "application/pdf", b"%PDF-1.4\n"
    ds.EncapsulatedDocumentLength = 9
    return ds


BASELINES: dict[str, Callable[[], Dataset]] = {
    "CT": ct,
    "SC": secondary_capture,
    "KO": key_object,
    "PR": presentation_state,
    "SR": basic_text,
    "PDF": encapsulated_pdf,
}


def encoded(ds: Dataset, transfer_syntax: str = str(ExplicitVRLittleEndian)) -> bytes:
    """The data set without meta information."""
    buffer = DicomBytesIO()
    buffer.is_little_endian, buffer.is_implicit_VR = True, transfer_syntax == ImplicitVRLittleEndian
    write_dataset(buffer, ds)
    return buffer.getvalue()


def part10(ds: Dataset, transfer_syntax: str = str(ExplicitVRLittleEndian)) -> bytes:
    """The data set as a Part 10 file."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = ds.SOPClassUID, ds.SOPInstanceUID
    meta.TransferSyntaxUID, meta.ImplementationClassUID = UIDType(transfer_syntax), UIDType(UID + ".99")
    file = FileDataset("", ds, file_meta=meta, preamble=bytes(128))
    buffer = BytesIO()
    file.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


def element(tag: int, vr: str, value: bytes, length: int | None = None) -> bytes:
    """One explicit little endian element, however wrong."""
    size = len(value) if length is None else length
    head = struct.pack("<HH2s", tag >> 16, tag & 0xFFFF, vr.encode())
    if vr in ("OB", "OW", "SQ", "UN", "UT", "UC", "UR"):
        return head + struct.pack("<HI", 0, size) + value
    return head + struct.pack("<H", size) + value


def item(value: bytes, length: int | None = None) -> bytes:
    return struct.pack("<HHI", 0xFFFE, 0xE000, len(value) if length is None else length) + value


def encapsulated(frames: list[bytes], offsets: list[int] | None = None) -> bytes:
    """Encapsulated pixel data with a basic offset table (empty unless given)."""
    table = b"".join(struct.pack("<I", offset) for offset in offsets or [])
    body = item(table) + b"".join(item(frame + b"\0" * (len(frame) % 2)) for frame in frames)
    return element(0x7FE00010, "OB", body + struct.pack("<HHI", 0xFFFE, 0xE0DD, 0), 0xFFFFFFFF)


def compressed(ds: Dataset, transfer_syntax: str, frames: list[bytes], offsets: list[int] | None = None) -> bytes:
    """A Part 10 file with these frames as they are."""
    copy = Dataset(ds)
    del copy.PixelData
    return part10(copy, transfer_syntax) + encapsulated(frames, offsets)


def jpeg(
    precision: int = 8, rows: int = 4, columns: int = 4, components: int = 1, sof: int = 0xC0, last: int = 0
) -> bytes:
    """The headers of a JPEG or JPEG-LS frame; ``last`` is the predictor or NEAR."""
    frame = struct.pack(">BHHB", precision, rows, columns, components) + bytes(3 * components)
    scan = bytes([components]) + bytes(2 * components) + bytes([last, 0, 0])
    head = b"\xff\xd8" + struct.pack(">BBH", 0xFF, sof, len(frame) + 2) + frame
    return head + struct.pack(">BBH", 0xFF, 0xDA, len(scan) + 2) + scan + b"\x11\x22\xff\xd9"


def jpeg2000(
    reversible: bool = True, transform: bool = False, precision: int = 12, components: int = 1, cap: bool = False
) -> bytes:
    """The main header of a JPEG 2000 codestream of 4 by 4."""
    size = struct.pack(">HIIIIIIIIH", 0, 4, 4, 0, 0, 4, 4, 0, 0, components) + bytes([precision - 1, 1, 1]) * components
    cod = bytes([0, 0, 0, 1, transform, 1, 4, 4, 0, reversible])
    extra = struct.pack(">HHIH", 0xFF50, 8, 0, 0) if cap else b""
    return (
        b"\xff\x4f\xff\x51" + struct.pack(">H", len(size) + 2) + size + extra
        + b"\xff\x52" + struct.pack(">H", len(cod) + 2) + cod + b"\xff\x90\x00\x0a" + bytes(8) + b"\xff\xd9"
    )  # fmt: skip


def scheduled_step() -> Dataset:
    ds = Dataset()
    ds.StudyInstanceUID, ds.ReferencedStudySequence, ds.AccessionNumber = UID + ".1", [], "A1"
    ds.RequestedProcedureID, ds.RequestedProcedureDescription = "RP1", ""
    ds.ScheduledProcedureStepID, ds.ScheduledProcedureStepDescription, ds.ScheduledProtocolCodeSequence = "S1", "", []
    return ds


def performed_step() -> Dataset:
    """The attribute list of an N-CREATE."""
    ds = Dataset()
    ds.ScheduledStepAttributesSequence = Sequence([scheduled_step()])
    ds.PatientName, ds.PatientID, ds.PatientBirthDate, ds.PatientSex = "Doe^Jane", "4711", "", ""
    ds.ReferencedPatientSequence = []
    ds.PerformedProcedureStepID, ds.PerformedStationAETitle, ds.PerformedStationName = "P1", "MOD", ""
    ds.PerformedLocation, ds.PerformedProcedureStepStartDate, ds.PerformedProcedureStepStartTime = (
        "",
        "20260102",
        "1011",
    )
    ds.PerformedProcedureStepStatus, ds.PerformedProcedureStepDescription = "IN PROGRESS", ""
    ds.PerformedProcedureTypeDescription, ds.ProcedureCodeSequence = "", []
    ds.PerformedProcedureStepEndDate, ds.PerformedProcedureStepEndTime = "", ""
    ds.Modality, ds.StudyID, ds.PerformedProtocolCodeSequence, ds.PerformedSeriesSequence = "CT", "", [], []
    return ds


HL7_ADMIT = (
    b"MSH|^~\\&|ADT|HOSP|OF|RAD|20260101120000||ADT^A04|1|P|2.3.1\r"
    b"EVN|A04|20260101120000\r"
    b"PID|1||123^^^HOSP||Doe^Jane||19700101|F||||||||||ACC1\r"
    b"PV1|1|O||||||1234^Ref^Dr\r"
)
HL7_ORDER = (
    b"MSH|^~\\&|OF|RAD|IM|RAD|20260101120000||OMI^O23^OMI_O23|2|P|2.5.1\r"
    b"PID|||123^^^HOSP||Doe^Jane||19700101|F\r"
    b"PV1||O\r"
    b"ORC|NW|P1^HIS|F1^RIS||SC||||20260101120000|||1^Who^Dr|||||HIS\r"
    b"TQ1|||||||20260101130000||R\r"
    b"OBR|1|P1^HIS|F1^RIS|CTCH^CT chest^L\r"
    b"IPC|A1|RP1|1.2.3.4|S1|CT\r"
)
