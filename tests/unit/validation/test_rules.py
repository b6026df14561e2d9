"""Rules between attributes: each is broken by one change, and a change beside it breaks nothing."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy

import numpy as np
import pytest
from pydicom import Dataset

from harness.validation.finding import Severity
from harness.validation.objects import validate_part10
from tests.unit.validation import samples as s

Change = Callable[[Dataset], None]
MULTI_FRAME = "1.2.840.10008.5.1.4.1.1.4.1"


def codes(build: Callable[[], Dataset], change: Change) -> list[tuple[str, str]]:
    """Code and keyword of what is wrong after the change."""
    ds = build()
    change(ds)
    found = [f for f in validate_part10(s.part10(ds)) if f.severity is not Severity.INFO]
    return [(f.code, f.locator.rpartition(" ")[2]) for f in found]


def put(**values: object) -> Change:
    def change(ds: Dataset) -> None:
        for keyword, value in values.items():
            setattr(ds, keyword, value)

    return change


def units(image_type: list[str], rescale_type: str, **more: object) -> Change:
    return put(ImageType=image_type, RescaleType=rescale_type, **more)


def item(relationship: str, value_type: str, **values: object) -> Dataset:
    ds = Dataset()
    ds.RelationshipType, ds.ValueType = relationship, value_type
    ds.ConceptNameCodeSequence = [s.code("121071", "DCM", "Finding")]
    put(**values)(ds)
    return ds


def below_text(child: Dataset) -> Change:
    """The child under the text item of a basic text report."""

    def change(ds: Dataset) -> None:
        ds.ContentSequence[0].ContentSequence[0].ContentSequence = [child]

    return change


def by_reference(ds: Dataset) -> None:
    other = Dataset()
    other.RelationshipType, other.ReferencedContentItemIdentifier = "INFERRED FROM", [1, 1]
    below_text(other)(ds)


def frame(number: str, sop_class: str = s.CT) -> Change:
    def change(ds: Dataset) -> None:
        image = ds.ReferencedSeriesSequence[0].ReferencedImageSequence[0]
        image.ReferencedSOPClassUID, image.ReferencedFrameNumber = sop_class, number

    return change


def area(rotation: int, flip: str, first: list[int], last: list[int]) -> Change:
    def change(ds: Dataset) -> None:
        ds.ImageRotation, ds.ImageHorizontalFlip = rotation, flip
        chosen = ds.DisplayedAreaSelectionSequence[0]
        chosen.DisplayedAreaTopLeftHandCorner, chosen.DisplayedAreaBottomRightHandCorner = first, last

    return change


def spacing_too(ds: Dataset) -> None:
    ds.DisplayedAreaSelectionSequence[0].PresentationPixelSpacing = ["1", "1"]


def ratio(spacing: str | None, **values: object) -> Change:
    """A secondary capture with a pixel aspect ratio, beside a spacing attribute or alone."""

    def change(ds: Dataset) -> None:
        ds.PixelAspectRatio = ["3", "4"]
        if spacing:
            setattr(ds, spacing, ["0.5", "0.5"])
        put(**values)(ds)

    return change


def table(entries: int, bits: int, written: int | None = None) -> Dataset:
    ds = Dataset()
    ds.add_new("LUTDescriptor", "US", [entries % 65536, 0, bits])
    ds.add_new("LUTData", "OW", bytes(2 * entries if written is None else written))
    return ds


def voi(made: Dataset) -> Change:
    def change(ds: Dataset) -> None:
        holder = Dataset()
        holder.VOILUTSequence = [made]
        ds.SoftcopyVOILUTSequence = [holder]

    return change


def presentation(made: Dataset) -> Change:
    def change(ds: Dataset) -> None:
        del ds.PresentationLUTShape
        ds.PresentationLUTSequence = [made]

    return change


def modality(made: Dataset) -> Change:
    def change(ds: Dataset) -> None:
        made.ModalityLUTType = "US"
        ds.ModalityLUTSequence = [made]

    return change


def rejected(reason: tuple[str, str], title: str = "113001") -> Change:
    """A key object of rejected images, with the reason as the modifier of its title."""

    def change(ds: Dataset) -> None:
        ds.ConceptNameCodeSequence = [s.code(title, "DCM", "a title")]
        modifier = Dataset()
        modifier.RelationshipType, modifier.ValueType = "HAS CONCEPT MOD", "CODE"
        modifier.ConceptNameCodeSequence = [s.code("113011", "DCM", "Document Title Modifier")]
        modifier.ConceptCodeSequence = [s.code(*reason, "a reason")]
        ds.ContentSequence = [modifier, *ds.ContentSequence]

    return change


def contributed(purpose: str, scheme: str = "DCM") -> Change:
    def change(ds: Dataset) -> None:
        equipment = Dataset()
        equipment.PurposeOfReferenceCodeSequence = [s.code(purpose, scheme, "a purpose")]
        equipment.Manufacturer = "ACME"
        ds.ContributingEquipmentSequence = [equipment]

    return change


UTF8 = "ISO_IR 192"
ORIGINAL, LOCALIZER = ["ORIGINAL", "PRIMARY", "AXIAL"], ["ORIGINAL", "PRIMARY", "LOCALIZER"]
BROKEN: list[tuple[str, str, Callable[[], Dataset], Change]] = [
    ("IOD-RESCALE-TYPE", "RescaleType", s.ct, units(ORIGINAL, "US")),
    ("IOD-2C-MISSING", "Laterality", s.ct, put(BodyPartExamined="KNEE")),
    ("IOD-1C-NOT-ALLOWED", "PlanarConfiguration", s.ct, put(PlanarConfiguration=0)),
    *(
        ("IOD-1C-NOT-ALLOWED", "PixelAspectRatio", s.secondary_capture, ratio(spacing))
        for spacing in ("PixelSpacing", "ImagerPixelSpacing", "NominalScannedPixelSpacing")
    ),
    ("IOD-1C-NOT-ALLOWED", "PixelAspectRatio", s.ct, ratio(None)),
    ("IOD-1C-NOT-ALLOWED", "PresentationPixelAspectRatio", s.presentation_state, spacing_too),
    ("IOD-1C-NOT-ALLOWED", "VerifyingObserverSequence", s.basic_text, put(VerifyingObserverSequence=[])),
    ("IOD-SR-VALUE-TYPE", "ValueType", s.basic_text, below_text(item("INFERRED FROM", "SCOORD"))),
    (
        "IOD-SR-RELATIONSHIP",
        "RelationshipType",
        s.basic_text,
        below_text(item("CONTAINS", "TEXT", TextValue="more")),
    ),
    (
        "IOD-SR-RELATIONSHIP",
        "RelationshipType",
        s.basic_text,
        below_text(item("HAS PROPERTIES", "CONTAINER", ContinuityOfContent="SEPARATE")),
    ),
    ("IOD-SR-BY-REFERENCE", "ReferencedContentItemIdentifier", s.basic_text, by_reference),
    ("IOD-FRAME-NUMBER", "ReferencedFrameNumber", s.presentation_state, frame("1")),
    ("IOD-FRAME-NUMBER", "ReferencedFrameNumber", s.presentation_state, frame("0", MULTI_FRAME)),
    ("IOD-CONTEXT-GROUP", "ConceptCodeSequence", s.key_object, rejected(("1", "99LOCAL"))),
    ("IOD-CONTEXT-GROUP", "ConceptCodeSequence", s.key_object, rejected(("111207", "DCM"), "113013")),
    ("IOD-LUT", "LUTDescriptor", s.presentation_state, voi(table(4, 7))),
    ("IOD-LUT", "LUTDescriptor", s.presentation_state, presentation(table(256, 8))),
    ("IOD-LUT", "LUTDescriptor", s.presentation_state, modality(table(256, 12))),
    ("IOD-LUT", "LUTData", s.presentation_state, voi(table(256, 12, 500))),
    ("IOD-DISPLAYED-AREA", "DisplayedAreaTopLeftHandCorner", s.presentation_state, area(90, "N", [1, 1], [4, 4])),
    ("IOD-DISPLAYED-AREA", "DisplayedAreaTopLeftHandCorner", s.presentation_state, area(0, "Y", [1, 1], [4, 4])),
    ("IOD-DISPLAYED-AREA", "DisplayedAreaTopLeftHandCorner", s.presentation_state, area(0, "N", [1, 4], [4, 1])),
    (
        "CS-PN-ALPHABETIC",
        "PatientName",
        s.ct,
        put(SpecificCharacterSet=UTF8, PatientName="王^小東"),
    ),
]
ALLOWED: list[tuple[str, Callable[[], Dataset], Change]] = [
    ("an aspect ratio without a spacing", s.secondary_capture, ratio(None)),
    ("a spacing without an aspect ratio", s.secondary_capture, put(PixelSpacing=["0.5", "0.5"])),
    ("a reason of CID 7011", s.key_object, rejected(("111207", "DCM"))),
    ("a local modifier of a title without a group", s.key_object, rejected(("1", "99LOCAL"), "113000")),
    ("a region of our own", s.ct, put(AnatomicRegionSequence=[s.code("X1", "99LOCAL", "Our region")])),
    ("a purpose of our own", s.ct, contributed("X1", "99LOCAL")),
    ("a localizer in other units", s.ct, units(LOCALIZER, "US")),
    ("a derived image in other units", s.ct, units(["DERIVED", "PRIMARY", "AXIAL"], "US")),
    ("a knee with its side", s.ct, put(BodyPartExamined="KNEE", Laterality="L")),
    ("a knee with an empty side", s.ct, put(BodyPartExamined="KNEE", Laterality="")),
    ("a part that is no pair", s.ct, put(BodyPartExamined="ABDOMEN")),
    ("a modifier of text", s.basic_text, below_text(item("HAS CONCEPT MOD", "TEXT", TextValue="more"))),
    ("a text that infers", s.basic_text, below_text(item("INFERRED FROM", "TEXT", TextValue="more"))),
    ("a frame of a multi-frame image", s.presentation_state, frame("2", MULTI_FRAME)),
    ("a VOI table of 12 bits", s.presentation_state, voi(table(4096, 12))),
    ("a VOI table of packed bytes", s.presentation_state, voi(table(256, 8, 256))),
    ("a table of all 65536 entries", s.presentation_state, voi(table(65536, 16))),
    ("a presentation table of 10 bits", s.presentation_state, presentation(table(1024, 10))),
    ("a modality table of 16 bits", s.presentation_state, modality(table(256, 16))),
    ("kana in the alphabetic group", s.ct, put(SpecificCharacterSet=UTF8, PatientName="ヤマダ^タロウ")),
    ("ideographs in their group", s.ct, put(SpecificCharacterSet=UTF8, PatientName="Wang^Xiao=王^小東=")),
    *(
        (f"turned by {rotation}, flip {flip}", s.presentation_state, area(rotation, flip, first, last))
        for rotation, flip, first, last in (
            (0, "N", [1, 1], [4, 3]),
            (90, "N", [1, 3], [4, 1]),
            (180, "N", [4, 3], [1, 1]),
            (270, "N", [4, 1], [1, 3]),
            (0, "Y", [4, 1], [1, 3]),
            (90, "Y", [1, 1], [4, 3]),
            (180, "Y", [1, 3], [4, 1]),
            (270, "Y", [4, 3], [1, 1]),
        )
    ),
]


@pytest.mark.parametrize(
    ("code", "keyword", "build", "change"), BROKEN, ids=[f"{row[0]} {n}" for n, row in enumerate(BROKEN)]
)
def test_one_change_breaks_one_rule(code: str, keyword: str, build: Callable[[], Dataset], change: Change) -> None:
    assert (code, keyword) in codes(build, change)


@pytest.mark.parametrize(("name", "build", "change"), ALLOWED, ids=[row[0] for row in ALLOWED])
def test_a_change_beside_the_rule_breaks_nothing(name: str, build: Callable[[], Dataset], change: Change) -> None:
    assert codes(build, change) == []


def test_multi_energy_images_may_have_other_units() -> None:
    found = codes(s.ct, units(ORIGINAL, "US", MultienergyCTAcquisition="YES"))
    assert ("IOD-RESCALE-TYPE", "RescaleType") not in found


def test_corners_follow_the_pixels_of_a_turned_picture() -> None:
    """The rule agrees with pixels that are really turned: their corners are found, for all eight orientations."""
    picture = np.arange(12).reshape(3, 4)  # rows, columns
    for rotation in (0, 90, 180, 270):
        for flip in ("N", "Y"):
            shown = np.rot90(picture, -rotation // 90)
            shown = np.fliplr(shown) if flip == "Y" else shown
            first, last = ([int(v % 4) + 1, int(v // 4) + 1] for v in (shown[0, 0], shown[-1, -1]))
            assert codes(s.presentation_state, area(rotation, flip, first, last)) == []
            broken = codes(s.presentation_state, area(rotation, flip, last, first))
            assert [code for code, _ in broken] == ["IOD-DISPLAYED-AREA"]


def test_the_rules_of_a_report_do_not_bind_another_kind() -> None:
    child = item("INFERRED FROM", "IMAGE", ReferencedSOPSequence=[s.reference()])
    ds = s.basic_text()
    ds.ContentSequence[0].ContentSequence[0].ContentSequence = [deepcopy(child)]
    basic = {f.code for f in validate_part10(s.part10(ds))}
    assert "IOD-SR-RELATIONSHIP" not in basic
    note = s.key_object()
    note.ContentSequence[0].ContentSequence = [child]
    assert "IOD-SR-RELATIONSHIP" in {f.code for f in validate_part10(s.part10(note))}


def test_a_code_outside_of_a_nested_baseline_group_is_a_remark() -> None:
    def remarks(change: Change) -> list[str]:
        ds = s.ct()
        change(ds)
        return [f.locator for f in validate_part10(s.part10(ds)) if f.code == "IOD-CONTEXT-GROUP-BASELINE"]

    assert remarks(contributed("109102")) == []  # Processing Equipment
    assert [place.partition(" ")[2] for place in remarks(contributed("X1", "99LOCAL"))] == [
        "PurposeOfReferenceCodeSequence"
    ]
