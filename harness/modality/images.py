"""Image objects of the six kinds, with phantom pixels, valid by their IODs (PS3.3 A.2, A.3, A.4, A.6, A.8, A.26)."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass

from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset

from harness.imaging import phantoms
from harness.imaging.phantoms import Phantom, PixelFormat
from harness.modality import catalogue
from harness.modality.domain import Exam, Shot
from harness.modality.elements import code_item, item, put
from harness.modality.errors import Refused


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of image: its modality, SOP class and pixel format."""

    modality: str
    sop_class_uid: str
    format: PixelFormat
    rows: int = 256
    columns: int = 256


KINDS: dict[str, Kind] = {
    kind.modality: kind
    for kind in (
        Kind("DX", "1.2.840.10008.5.1.4.1.1.1.1", PixelFormat(12)),
        Kind("CR", "1.2.840.10008.5.1.4.1.1.1", PixelFormat(12)),
        Kind("CT", "1.2.840.10008.5.1.4.1.1.2", PixelFormat(12)),
        Kind("MR", "1.2.840.10008.5.1.4.1.1.4", PixelFormat(12)),
        Kind("US", "1.2.840.10008.5.1.4.1.1.6.1", PixelFormat(8)),
        Kind("SC", "1.2.840.10008.5.1.4.1.1.7", PixelFormat(8)),
    )
}
PHANTOMS = ("chest", "step-wedge", "resolution-bars", "test-pattern", "orientation")


def kind_of(modality: str) -> Kind:
    """Return the image kind of a modality; Secondary Capture goes by SC or OT."""
    found = KINDS.get("SC" if modality == "OT" else modality)
    if found is None:
        raise Refused(f"this equipment makes no {modality or 'unnamed'} images; it makes {', '.join(KINDS)}")
    return found


def reported_modality(modality: str) -> str:
    """Return the modality as objects and reports name it; raise Refused for one that this equipment does not make."""
    kind_of(modality)
    return "OT" if modality == "SC" else modality


def draw(name: str, kind: Kind, seed: int) -> Phantom:
    """Draw a phantom by name; the same seed gives the same pixels."""
    makers: dict[str, Callable[[], Phantom]] = {
        "chest": lambda: phantoms.chest(kind.rows, kind.columns, seed=seed, form=kind.format),
        "step-wedge": lambda: phantoms.step_wedge(kind.rows, kind.columns, form=kind.format),
        "resolution-bars": lambda: phantoms.resolution_bars(kind.rows, kind.columns, form=kind.format),
        "test-pattern": lambda: phantoms.grey_patches(kind.rows, kind.columns, form=kind.format),
        "orientation": lambda: phantoms.orientation_mark(kind.rows, kind.columns, form=kind.format),
    }
    if name not in makers:
        raise Refused(f"no phantom {name!r}; there are {', '.join(makers)}")
    return makers[name]()


def build(common: Dataset, exam: Exam, shot: Shot, phantom_name: str, seed: int) -> Dataset:
    """Make one image from the attributes that all objects of the exam share."""
    kind = kind_of(exam.modality)
    entry = shot.protocol or catalogue.DEFAULT.protocols[0]
    procedure = exam.procedure or catalogue.of_protocol(entry)
    phantom = draw(phantom_name or procedure.phantom, kind, zlib.crc32(f"{seed}:{shot.number}".encode()))
    made = Dataset()
    made.update(common)
    _image_and_pixels(made, phantom, shot)
    put(made, BodyPartExamined=procedure.body_part)
    {"DX": _dx, "CR": _cr, "CT": _ct, "MR": _mr, "US": _us, "SC": _sc}[kind.modality](made, shot, phantom)
    if kind.modality == "DX":
        put(made, ImageLaterality=procedure.laterality or "U")
        if entry.view_code is not None:
            put(made, ViewCodeSequence=[put(code_item(entry.view_code), ViewModifierCodeSequence=None)])
    elif procedure.laterality:
        put(made, Laterality=procedure.laterality)
    if kind.modality in {"DX", "CR"}:
        put(made, ViewPosition=entry.view_position, PatientOrientation=tuple(entry.orientation.split("\\")))
        put(made, AnatomicRegionSequence=[code_item(procedure.body_part_code)])
    return made


def _image_and_pixels(ds: Dataset, phantom: Phantom, shot: Shot) -> None:
    form = phantom.format
    span = form.highest - form.lowest + 1
    put(
        ds,
        ImageType=("ORIGINAL", "PRIMARY"),
        AcquisitionDate=shot.date,
        AcquisitionTime=shot.time,
        AcquisitionNumber=shot.number,
        SamplesPerPixel=1,
        PhotometricInterpretation=form.photometric_interpretation,
        Rows=phantom.rows,
        Columns=phantom.columns,
        BitsAllocated=form.bits_allocated,
        BitsStored=form.bits_stored,
        HighBit=form.bits_stored - 1,
        PixelRepresentation=1 if form.signed else 0,
        WindowCenter=str(form.lowest + span // 2),
        WindowWidth=str(span),
        LossyImageCompression="00",
        BurnedInAnnotation="NO",
    )
    ds[0x7FE0, 0x0010] = DataElement(0x7FE00010, "OW" if form.bits_allocated > 8 else "OB", phantom.encoded())


def _exposure(ds: Dataset, shot: Shot) -> None:
    technique = shot.technique
    put(
        ds,
        KVP=_ds(technique.kvp),
        ExposureTime=round(technique.exposure_time),
        XRayTubeCurrent=round(technique.tube_current),
        Exposure=round(technique.exposure),
        ExposureInuAs=round(technique.exposure * 1000),
    )


def _ds(value: float) -> str:
    return f"{value:.6f}".rstrip("0").rstrip(".")[:16]


def _spacing(phantom: Phantom) -> tuple[str, str]:
    return _ds(phantom.spacing[0]), _ds(phantom.spacing[1])


def _dx(ds: Dataset, shot: Shot, phantom: Phantom) -> None:
    _exposure(ds, shot)
    put(
        ds,
        PresentationIntentType="FOR PRESENTATION",
        ImagerPixelSpacing=_spacing(phantom),
        DetectorType="SCINTILLATOR",
        DetectorID="DET0001",
        DetectorActiveDimensions=("128", "128"),
        FieldOfViewShape="RECTANGLE",
        FieldOfViewDimensions=("128", "128"),
        PositionerType="NONE",
        PixelIntensityRelationship="LOG",
        PixelIntensityRelationshipSign=-1,
        RescaleIntercept="0",
        RescaleSlope="1",
        RescaleType="US",
        PresentationLUTShape="IDENTITY",
        AcquisitionContextSequence=None,
        VOILUTFunction="LINEAR",
    )


def _cr(ds: Dataset, shot: Shot, phantom: Phantom) -> None:
    _exposure(ds, shot)
    put(ds, PlateID="0001", ImagerPixelSpacing=_spacing(phantom))


def _ct(ds: Dataset, shot: Shot, phantom: Phantom) -> None:
    put(
        ds,
        ImageType=("ORIGINAL", "PRIMARY", "AXIAL"),
        PatientPosition="HFS",
        PositionReferenceIndicator="",
        FrameOfReferenceUID=f"{shot.series_instance_uid[:60]}.1",
        PixelSpacing=_spacing(phantom),
        ImageOrientationPatient=("1", "0", "0", "0", "1", "0"),
        ImagePositionPatient=("-64", "-64", str(5 * shot.instance_number)),
        SliceThickness="5",
        SliceLocation=str(5 * shot.instance_number),
        RescaleIntercept="-1024",
        RescaleSlope="1",
        RescaleType="HU",
        KVP=_ds(shot.technique.kvp),
        ExposureTime=round(shot.technique.exposure_time),
        XRayTubeCurrent=round(shot.technique.tube_current),
        WindowCenter="1024",
        WindowWidth="4096",
    )


def _mr(ds: Dataset, shot: Shot, phantom: Phantom) -> None:
    put(
        ds,
        ImageType=("ORIGINAL", "PRIMARY", "OTHER"),
        PatientPosition="HFS",
        PositionReferenceIndicator="",
        FrameOfReferenceUID=f"{shot.series_instance_uid[:60]}.1",
        PixelSpacing=_spacing(phantom),
        ImageOrientationPatient=("1", "0", "0", "0", "1", "0"),
        ImagePositionPatient=("-64", "-64", str(5 * shot.instance_number)),
        SliceThickness="5",
        ScanningSequence="SE",
        SequenceVariant="NONE",
        ScanOptions=None,
        MRAcquisitionType="2D",
        RepetitionTime="500",
        EchoTime="15",
        EchoTrainLength="1",
        MagneticFieldStrength="1.5",
    )


def _us(ds: Dataset, shot: Shot, phantom: Phantom) -> None:
    region = item(
        RegionSpatialFormat=1,
        RegionDataType=1,
        RegionFlags=0,
        RegionLocationMinX0=0,
        RegionLocationMinY0=0,
        RegionLocationMaxX1=phantom.columns - 1,
        RegionLocationMaxY1=phantom.rows - 1,
        PhysicalUnitsXDirection=3,
        PhysicalUnitsYDirection=3,
        PhysicalDeltaX=phantom.spacing[1] / 10.0,
        PhysicalDeltaY=phantom.spacing[0] / 10.0,
    )
    put(
        ds,
        PatientOrientation=None,
        SequenceOfUltrasoundRegions=[region],
        UltrasoundColorDataPresent=0,
    )


def _sc(ds: Dataset, shot: Shot, phantom: Phantom) -> None:
    put(
        ds,
        ImageType=("DERIVED", "SECONDARY"),
        ConversionType="SYN",
        PatientOrientation=None,
        SecondaryCaptureDeviceManufacturer=ds.get("Manufacturer"),
        DateOfSecondaryCapture=shot.date,
        TimeOfSecondaryCapture=shot.time,
        NominalScannedPixelSpacing=_spacing(phantom),
        PixelSpacing=_spacing(phantom),
    )
