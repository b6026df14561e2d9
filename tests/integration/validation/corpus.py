"""Objects for the comparison with dciodvfy: pydicom's test files, objects of other tools, and broken baselines."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pydicom
from pydicom import Dataset
from pydicom.data import get_testdata_file
from pydicom.uid import generate_uid

from harness.actors.objects import SUBJECTS, uid_source
from harness.actors.presentation import objects as presentation_objects
from tests.integration.validation import orthanc
from tests.unit.validation import samples


def pydicom_files() -> list[Path]:
    """The images and other objects that pydicom brings along for tests."""
    anchor = get_testdata_file("CT_small.dcm")
    assert isinstance(anchor, str)
    return sorted(Path(anchor).parent.glob("*.dcm"))


def more_pydicom_files() -> list[Path]:
    """Its other files: character sets, palettes, directories and what they name."""
    root = pydicom_files()[0].parents[1]
    directories = (root / "test_files" / "dicomdirtests").rglob("*")
    return [
        *sorted((root / "charset_files").glob("*.dcm")),
        *sorted((root / "palettes").glob("*.dcm")),
        *sorted(path for path in directories if path.is_file() and path.suffix in ("", ".dcm")),
    ]


def baselines() -> Iterator[tuple[str, bytes]]:
    """The conformant objects of the unit tests."""
    for name, build in samples.BASELINES.items():
        yield name, samples.part10(build())


def broken() -> Iterator[tuple[str, bytes]]:
    """Every baseline without, and with an empty value of, each of its attributes, one at a time."""
    for name, build in samples.BASELINES.items():
        for tag in [element.tag for element in build()]:
            if tag in (0x00080016, 0x00080018):
                continue  # the file could not be written any more
            without = build()
            keyword = without[tag].keyword
            del without[tag]
            yield f"{name} without {keyword}", samples.part10(without)
            empty = build()
            if empty[tag].VR in ("OB", "OW", "US", "UL", "SL"):
                continue  # nothing is learned from empty binary values
            empty[tag].value = [] if empty[tag].VR == "SQ" else ""
            yield f"{name} with empty {keyword}", samples.part10(empty)


def by_dcmtk(folder: Path) -> Iterator[Path]:
    """The CT in other encodings, its presentation state, and a document, made by DCMTK."""
    source = folder / "ct.dcm"
    source.write_bytes(samples.part10(_large_ct()))
    pdf = folder / "report.pdf"
    pdf.write_bytes(b"%PDF-1.4\n%%EOF\n")
    commands = {
        "implicit": ["dcmconv", "+ti", source],
        "big-endian": ["dcmconv", "+tb", source],
        "deflated": ["dcmconv", "+td", source],
        "rle": ["dcmcrle", source],
        "jpeg-ls": ["dcmcjpls", source],
        "jpeg-ls-near": ["dcmcjpls", "+en", "+md", "2", source],
        "jpeg-lossless": ["dcmcjpeg", "+e1", source],
        "jpeg-extended": ["dcmcjpeg", "+ee", source],
        "presentation-state": ["dcmpsmk", source],
        "pdf": ["pdf2dcm", pdf],
    }
    for name, command in commands.items():
        target = folder / f"dcmtk-{name}.dcm"
        subprocess.run([*map(str, command), str(target)], capture_output=True, timeout=30, check=True)
        yield target


def by_gdcm(folder: Path) -> Iterator[Path]:
    """The CT compressed by GDCM."""
    source = folder / "ct-for-gdcm.dcm"
    source.write_bytes(samples.part10(_large_ct()))
    for name, option in (
        ("j2k", "--j2k"),
        ("jpeg", "--jpeg"),
        ("jpegls", "--jpegls"),
        ("rle", "--rle"),
        ("raw", "--raw"),
    ):
        target = folder / f"gdcm-{name}.dcm"
        command = ["gdcmconv", option, str(source), str(target)]
        subprocess.run(command, capture_output=True, timeout=30, check=True)
        yield target


def by_orthanc(folder: Path, program: str) -> Iterator[Path]:
    """The baselines as Orthanc gives them back, and what it makes of the CT."""
    place = folder / "orthanc"
    place.mkdir()
    for name, raw in orthanc.objects(program, place, baselines()):
        target = folder / f"orthanc-{name}.dcm"
        target.write_bytes(raw)
        yield target


def by_us(folder: Path) -> Iterator[Path]:
    """The display test objects that the harness stores in a product: images and presentation states."""
    for name in presentation_objects.NAMES:
        made = presentation_objects.make(name, SUBJECTS[0], uid_source(1))
        for number, ds in enumerate(made.datasets):
            target = folder / f"display-{name.replace(' ', '-')}-{number}.dcm"
            ds.save_as(target, enforce_file_format=True)
            yield target


def by_highdicom(folder: Path) -> Iterator[Path]:
    """A key object, a segmentation and an enhanced form of a CT, written by highdicom."""
    import highdicom as hd
    from pydicom.sr.codedict import codes

    path = get_testdata_file("CT_small.dcm")
    assert isinstance(path, str)
    source = pydicom.dcmread(path)
    common = {
        "series_instance_uid": generate_uid(entropy_srcs=["series"]),
        "series_number": 5,
        "instance_number": 1,
        "manufacturer": "Acme",
    }
    key_object = hd.ko.KeyObjectSelectionDocument(
        evidence=[source],
        content=hd.ko.KeyObjectSelection(document_title=codes.DCM.OfInterest, referenced_objects=[source]),
        sop_instance_uid=generate_uid(entropy_srcs=["ko"]),
        **common,
    )
    segment = hd.seg.SegmentDescription(
        segment_number=1,
        segment_label="tissue",
        segmented_property_category=codes.SCT.Tissue,
        segmented_property_type=codes.SCT.Bone,
        algorithm_type=hd.seg.SegmentAlgorithmTypeValues.MANUAL,
    )
    mask = np.zeros((1, source.Rows, source.Columns), dtype=np.uint8)
    mask[0, 10:20, 10:20] = 1
    segmentation = hd.seg.Segmentation(
        source_images=[source],
        pixel_array=mask,
        segmentation_type=hd.seg.SegmentationTypeValues.BINARY,
        segment_descriptions=[segment],
        sop_instance_uid=generate_uid(entropy_srcs=["seg"]),
        manufacturer_model_name="M",
        software_versions="1",
        device_serial_number="1",
        **common,
    )
    enhanced = hd.legacy.LegacyConvertedEnhancedCTImage(
        [source],
        series_instance_uid=generate_uid(entropy_srcs=["enhanced"]),
        series_number=6,
        sop_instance_uid=generate_uid(entropy_srcs=["enhanced instance"]),
        instance_number=1,
    )
    mr_path, ct_common = get_testdata_file("MR_small.dcm"), {**common, "manufacturer_model_name": "M"}
    assert isinstance(mr_path, str)
    enhanced_mr = hd.legacy.LegacyConvertedEnhancedMRImage(
        [pydicom.dcmread(mr_path)],
        series_instance_uid=generate_uid(entropy_srcs=["enhanced mr"]),
        series_number=7,
        sop_instance_uid=generate_uid(entropy_srcs=["enhanced mr instance"]),
        instance_number=1,
    )
    parts = {"software_versions": "1", "device_serial_number": "1", **ct_common}
    label_map = hd.seg.Segmentation(
        source_images=[source],
        pixel_array=mask,
        segmentation_type=hd.seg.SegmentationTypeValues.LABELMAP,
        segment_descriptions=[segment],
        sop_instance_uid=generate_uid(entropy_srcs=["label map"]),
        **parts,
    )
    maps = [
        hd.pm.ParametricMap(
            [source],
            np.zeros((1, source.Rows, source.Columns), kind),
            sop_instance_uid=generate_uid(entropy_srcs=["map", kind]),
            contains_recognizable_visual_features=False,
            voi_lut_transformations=[hd.VOILUTTransformation(window_center=0.5, window_width=1.0)],
            real_world_value_mappings=[
                hd.pm.RealWorldValueMapping(
                    lut_label="1",
                    lut_explanation="value",
                    unit=codes.UCUM.NoUnits,
                    value_range=(0, 255) if kind == "uint16" else (0.0, 1.0),
                    intercept=0,
                    slope=1,
                )
            ],
            **parts,
        )
        for kind in ("float32", "float64", "uint16")
    ]
    for name, ds in (
        ("ko", key_object), ("seg", segmentation), ("enhanced-ct", enhanced), ("enhanced-mr", enhanced_mr),
        ("label-map", label_map), *((f"map-{number}", made) for number, made in enumerate(maps)),
        ("measurements", _measurements(source, common)),
    ):  # fmt: skip
        target = folder / f"highdicom-{name}.dcm"
        ds.save_as(target)
        yield target


def _measurements(source: Dataset, common: dict[str, object]) -> Dataset:
    """A comprehensive 3D report of one region with one measurement."""
    import highdicom as hd
    from pydicom.sr.codedict import codes

    tracking = hd.sr.TrackingIdentifier(identifier="lesion", uid=generate_uid(entropy_srcs=["lesion"]))
    person = hd.sr.PersonObserverIdentifyingAttributes(name="Foo^Bar")
    corners = np.array([[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 0, 0]], float)
    group = hd.sr.PlanarROIMeasurementsAndQualitativeEvaluations(
        tracking_identifier=tracking,
        referenced_region=hd.sr.ImageRegion3D(
            graphic_type=hd.sr.GraphicTypeValues3D.POLYGON,
            graphic_data=corners,
            frame_of_reference_uid=source.FrameOfReferenceUID,
        ),
        finding_type=codes.SCT.Neoplasm,
        measurements=[hd.sr.Measurement(name=codes.SCT.Area, value=1.5, unit=codes.UCUM.SquareMillimeter)],
        finding_sites=[hd.sr.FindingSite(anatomic_location=codes.SCT.Abdomen)],
    )
    report = hd.sr.MeasurementReport(
        observation_context=hd.sr.ObservationContext(
            observer_person_context=hd.sr.ObserverContext(
                observer_type=codes.DCM.Person, observer_identifying_attributes=person
            )
        ),
        procedure_reported=codes.LN.CTUnspecifiedBodyRegion,
        imaging_measurements=[group],
        title=codes.DCM.ImagingMeasurementReport,
    )
    made: Dataset = hd.sr.Comprehensive3DSR(
        evidence=[source],
        content=report,
        sop_instance_uid=generate_uid(entropy_srcs=["measurements"]),
        is_complete=True,
        is_final=True,
        is_verified=False,
        **common,
    )
    return made


def _large_ct() -> Dataset:
    """DCMTK's codecs want more than 4 by 4 pixels."""
    ds = samples.ct()
    ds.Rows = ds.Columns = 64
    ds.PixelData = (np.arange(64 * 64, dtype="<u2") % 4096).tobytes()
    return ds
