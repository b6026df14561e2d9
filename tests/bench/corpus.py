"""What is sent in the benchmarks: CT images of 512 KB, worklist entries, studies; all made here, nothing random."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from pydicom.dataset import Dataset

from harness.core.message import Blob
from harness.protocols.dicom import datasets, uids
from harness.protocols.dicom.elements import Element
from harness.protocols.dicom.part10 import write_part10

ROOT = "2.25.3305219"


def image(number: int, *, side: int = 512, series: int = 1, study: int = 1) -> Dataset:
    """A CT image; its pixel data are ``side`` squared words, none for 0."""
    ds = Dataset()
    ds.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    ds.SOPClassUID = uids.CT_IMAGE
    ds.SOPInstanceUID = f"{ROOT}.{study}.{series}.{number}"
    ds.StudyDate, ds.StudyTime = "20260101", "101500"
    ds.AccessionNumber = f"A{study}"
    ds.Modality = "CT"
    ds.Manufacturer = "HARNESS"
    ds.StudyDescription, ds.SeriesDescription = "BENCH", "AXIAL"
    ds.PatientName, ds.PatientID = f"BENCH^PATIENT{study:05d}", f"P{study:05d}"
    ds.PatientBirthDate, ds.PatientSex = "19700101", "O"
    ds.SliceThickness, ds.KVP = "5", "120"
    ds.StudyInstanceUID, ds.SeriesInstanceUID = f"{ROOT}.{study}", f"{ROOT}.{study}.{series}"
    ds.StudyID, ds.SeriesNumber, ds.InstanceNumber = str(study), str(series), str(number)
    ds.ImagePositionPatient, ds.ImageOrientationPatient = ["0", "0", str(number)], ["1", "0", "0", "0", "1", "0"]
    ds.FrameOfReferenceUID = f"{ROOT}.{study}.999"
    ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, "MONOCHROME2"
    ds.Rows = ds.Columns = side or 1
    ds.PixelSpacing = ["0.5", "0.5"]
    ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 16, 12, 11, 0
    ds.RescaleIntercept, ds.RescaleSlope = "-1024", "1"
    if side:
        pixels = (np.arange(side * side, dtype=np.uint32) * (number + 7) % 4096).astype("<u2")
        ds.PixelData = pixels.tobytes()
        ds["PixelData"].VR = "OW"
    return ds


def images(folder: Path, count: int, *, side: int = 512, study: int = 1) -> list[Path]:
    """Part 10 files of :func:`image`."""
    folder.mkdir(parents=True, exist_ok=True)
    result = []
    for number in range(1, count + 1):
        ds = image(number, side=side, study=study)
        path = folder / f"{number:05d}.dcm"
        data = datasets.encode(ds, uids.EXPLICIT_VR_LE)
        write_part10(path, Blob.of(data), ds.SOPClassUID, ds.SOPInstanceUID, uids.EXPLICIT_VR_LE)
        result.append(path)
    return result


def worklist_entry(number: int) -> list[Element]:
    """A worklist entry as elements, in the size that RAD-5 answers have."""
    step: list[Element] = [
        (0x00080060, "CS", b"CT"),
        (0x00400001, "AE", b"BENCH"),
        (0x00400002, "DA", b"20260101"),
        (0x00400003, "TM", b"101500"),
        (0x00400006, "PN", b"PHYSICIAN^PERFORMING"),
        (0x00400007, "LO", b"CT OF THE HEAD"),
        (0x00400009, "SH", f"SPS{number}".encode()),
        (0x00400010, "SH", b"STATION1"),
        (0x00400011, "SH", b"ROOM 1"),
    ]
    return [
        (0x00080005, "CS", b"ISO_IR 100"),
        (0x00080050, "SH", f"ACC{number}".encode()),
        (0x00080090, "PN", b"REFERRING^PHYSICIAN"),
        (0x00100010, "PN", f"BENCH^PATIENT{number:05d}".encode()),
        (0x00100020, "LO", f"P{number:05d}".encode()),
        (0x00100030, "DA", b"19700101"),
        (0x00100040, "CS", b"O"),
        (0x0020000D, "UI", f"{ROOT}.{number}".encode()),
        (0x00321060, "LO", b"CT OF THE HEAD"),
        (0x00400100, "SQ", [step]),
        (0x00401001, "SH", f"RP{number}".encode()),
        (0x00401003, "SH", b"HIGH"),
    ]


def worklist_entries(count: int) -> list[list[Element]]:
    """``count`` entries."""
    return [worklist_entry(number) for number in range(1, count + 1)]


def scheduled(number: int) -> dict[str, object]:
    """The same entry as :func:`worklist_entry`, by keyword, for a simulated order filler."""
    return {
        "AccessionNumber": f"ACC{number}",
        "ReferringPhysicianName": "REFERRING^PHYSICIAN",
        "PatientName": f"BENCH^PATIENT{number:05d}",
        "PatientID": f"P{number:05d}",
        "PatientBirthDate": "19700101",
        "PatientSex": "O",
        "StudyInstanceUID": f"{ROOT}.{number}",
        "RequestedProcedureDescription": "CT OF THE HEAD",
        "RequestedProcedureID": f"RP{number}",
        "RequestedProcedurePriority": "HIGH",
        "ScheduledProcedureStepSequence": [
            {
                "Modality": "CT",
                "ScheduledStationAETitle": "BENCH",
                "ScheduledProcedureStepStartDate": "20260101",
                "ScheduledProcedureStepStartTime": "101500",
                "ScheduledPerformingPhysicianName": "PHYSICIAN^PERFORMING",
                "ScheduledProcedureStepDescription": "CT OF THE HEAD",
                "ScheduledProcedureStepID": f"SPS{number}",
                "ScheduledStationName": "STATION1",
                "ScheduledProcedureStepLocation": "ROOM 1",
            }
        ],
    }


def archived(studies: int, instances: int) -> Iterator[Dataset]:
    """Instances without pixels; each is valid until the next is asked for."""
    template = image(1, side=0)
    for study in range(1, studies + 1):
        template.PatientName, template.PatientID = f"BENCH^PATIENT{study:05d}", f"P{study:05d}"
        template.AccessionNumber, template.StudyID = f"A{study}", str(study)
        template.StudyInstanceUID = f"{ROOT}.{study}"
        template.SeriesInstanceUID = f"{ROOT}.{study}.1"
        for number in range(1, instances + 1):
            template.SOPInstanceUID = f"{ROOT}.{study}.1.{number}"
            template.InstanceNumber = str(number)
            yield template
