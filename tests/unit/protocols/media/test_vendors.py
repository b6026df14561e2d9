"""Media as vendors make them: what is legal, though unusual, breaks no rule; what is not legal does."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.uid import JPEGBaseline8Bit

from harness.actors.media.creator import MediaCreator, MediaCreatorBehaviour
from harness.actors.objects import SUBJECTS, SeriesPlan, StudyPlan, make, uid_source
from harness.bdd.media_studies import media_study
from harness.protocols.media.directory import FILE_ID, IN_USE
from harness.protocols.media.writing import MediumPlan
from harness.protocols.media.writing.fileset import Layout
from harness.protocols.media.writing.records import Node, element
from harness.validation.finding import Severity
from harness.validation.media import tables, validate_medium

Change = Callable[[Layout], None]


def datasets() -> list[Dataset]:
    plans = [
        StudyPlan(SUBJECTS[0], (SeriesPlan("CT", 2),), study_id="A", accession_number="1"),
        StudyPlan(SUBJECTS[1], (SeriesPlan("MR", 2),), study_id="B", accession_number="2"),
    ]
    return [sample.dataset for sample in make(plans, uid_source(5))]


def codes(target: Path, change: Change | None = None, *, early: bool = False, claimed: str = "CD") -> set[str]:
    """Rules that a medium breaks after a change: ``early`` before DICOMDIR is encoded."""
    behaviour = MediaCreatorBehaviour(arrange=change) if early else MediaCreatorBehaviour(finish=change)
    MediaCreator(None, behaviour, uid_source(6)).write(datasets(), target)
    return broken(target, claimed)


def broken(target: Path, claimed: str = "CD") -> set[str]:
    return {f.code for f in validate_medium(target, claimed=claimed) if f.severity is not Severity.INFO}


def leaves(layout: Layout) -> list[Node]:
    return [node for root in layout.directory.roots for node in root.walk() if FILE_ID in node.elements]


def path_of(leaf: Node) -> str:
    return leaf.elements[FILE_ID][8:].decode("ascii").strip().replace("\\", "/")


def page_of(layout: Layout) -> str:
    return next(path for path in layout.files if re.fullmatch(r"IHE_PDI/S\d+\.HTM", path))


def put(path: str, content: bytes) -> Change:
    return lambda layout: layout.files.__setitem__(path, content)


def in_page(old: bytes, new: bytes) -> Change:
    def change(layout: Layout) -> None:
        path = page_of(layout)
        assert old in layout.content(path)
        layout.files[path] = layout.content(path).replace(old, new, 1)

    return change


# -- legal -------------------------------------------------------------------------------------------------------------


def deleted_record(layout: Layout) -> None:
    """A file-set updater deleted an instance: its file is gone, its record stays, without keys that were valid."""
    leaf = leaves(layout)[0]
    layout.files.pop(path_of(leaf))
    leaf.elements[IN_USE] = element(IN_USE, "US", b"\0\0")
    leaf.elements.pop(0x00200013)


def deleted_patient(layout: Layout) -> None:
    root = layout.directory.roots[-1]
    root.elements[IN_USE] = element(IN_USE, "US", b"\0\0")
    root.elements[0x00100020] = layout.directory.roots[0].elements[0x00100020]
    for leaf in root.walk():
        if FILE_ID in leaf.elements:
            layout.files.pop(path_of(leaf))
    without_pages(layout)


def without_pages(layout: Layout) -> None:
    for path in [path for path in layout.files if path.startswith(("IHE_PDI", "INDEX"))]:
        layout.files.pop(path)


def private_attributes(layout: Layout) -> None:
    for root in layout.directory.roots:
        root.elements[0x00110010] = element(0x00110010, "LO", b"VENDOR 1.0")
        root.elements[0x00111001] = element(0x00111001, "LO", b"something")


def clinical_document(layout: Layout) -> None:
    """A CDA document stands below its patient and is no DICOM file (PS3.3 F.5.32)."""
    layout.files["DOCS/REPORT"] = b"<?xml version='1.0'?><ClinicalDocument/>"
    node = Node(tables.DOCUMENT, {0x0040E001: element(0x0040E001, "ST", b"1.2.3^4")})
    node.put("ReferencedFileID", "DOCS\\REPORT")
    layout.directory.roots[0].children.append(node)


def shift_jis(layout: Layout) -> None:
    path = page_of(layout)
    text = layout.content(path).decode("utf-8")
    text = re.sub(r"^<\?xml[^>]*\?>", "", text)
    head = '<?xml version="1.0" encoding="Shift_JIS"?>'
    layout.files[path] = (head + text.replace("</h1>", " 山田^花子</h1>", 1)).encode("shift_jis", "xmlcharrefreplace")


LEGAL: dict[str, tuple[Change, bool]] = {
    "a deleted record": (deleted_record, True),
    "a deleted patient": (deleted_patient, True),
    "private attributes in records": (private_attributes, True),
    "an HL7 document": (clinical_document, True),
    "a file-set of several volumes": (put("VOLUME2/CONTENTS.TXT", b"Volume 2 of 3"), False),
    "a viewer beside the content": (put("VIEWER/START.EXE", b"MZ"), False),
    "autorun with an icon only": (put("AUTORUN.INF", b"[autorun]\r\nicon=V.ICO\r\n;open=A.EXE\r\n"), False),
    "a page in Shift_JIS": (shift_jis, False),
    "a page with a named entity of XHTML": (in_page(b"</h1>", b"&nbsp;</h1>"), False),
    "a page that names a SOP class": (in_page(b"</h1>", b" 1.2.840.10008.5.1.4.1.1.2 and</h1>"), False),
    "no web content": (without_pages, True),
}  # fmt: skip


@pytest.mark.parametrize("name", LEGAL)
@pytest.mark.parametrize("form", ["m", "m.iso"])
def test_unusual_but_legal_media_break_no_rule(name: str, form: str, tmp_path: Path) -> None:
    change, early = LEGAL[name]
    assert codes(tmp_path / form, change, early=early) == set()


def test_a_page_that_names_the_frame_of_reference_shows_nothing_foreign(tmp_path: Path) -> None:
    uid = str(datasets()[0].FrameOfReferenceUID)
    assert "WEB-COUNTERPART" not in codes(tmp_path / "m", in_page(b"</h1>", f" {uid}</h1>".encode()))


def test_names_in_three_character_sets_and_objects_of_all_kinds(tmp_path: Path) -> None:
    for number, study in enumerate(("names of all scripts", "every kind of object")):
        uid = uid_source(number)
        MediaCreator(None, None, uid).write(media_study(study, uid), tmp_path / f"{number}.iso")
        assert broken(tmp_path / f"{number}.iso") == set()


def test_keys_that_need_a_value_may_be_made_up_where_the_files_have_none(tmp_path: Path) -> None:
    """Study ID may be empty in an image, not in its record (PS3.11 D.3.3.1)."""

    def invent(layout: Layout) -> None:
        for root in layout.directory.roots:
            for node in root.walk():
                if node.type == "STUDY":
                    node.put("StudyID", "1")

    made = datasets()
    for dataset in made:
        dataset.StudyID = ""
    MediaCreator(None, MediaCreatorBehaviour(arrange=invent), uid_source(6)).write(made, tmp_path / "m")
    assert broken(tmp_path / "m") == set()


@pytest.mark.parametrize(
    ("sop_class", "kind"),
    [
        ("1.2.840.10008.5.1.4.1.1.2", "IMAGE"),
        ("1.2.840.10008.5.1.4.1.1.481.1", "IMAGE"),
        ("1.2.840.10008.5.1.4.1.1.77.1.4.1", "IMAGE"),
        ("1.2.840.10008.5.1.4.1.1.88.59", "KEY OBJECT DOC"),
        # types of their own, or none that can be told from the class
        ("1.2.840.10008.5.1.4.1.1.77.1.5.3", ""),
        ("1.2.840.10008.5.1.4.1.1.79.1", ""),
        ("1.2.840.10008.5.1.4.1.1.90.1", ""),
        ("1.2.840.10008.5.1.4.1.1.91.1", ""),
        ("1.2.826.0.1.3680043.10", ""),
    ],
)
def test_only_what_is_an_image_must_have_an_image_record(sop_class: str, kind: str) -> None:
    assert tables.record_type(sop_class) == kind


# -- not legal -----------------------------------------------------------------------------------------------------


def renamed(old: str, new: str) -> Change:
    return lambda layout: layout.files.__setitem__(new, layout.files.pop(old))


def deep_folder(layout: Layout) -> None:
    layout.folders.append("A/B/C/D/E/F/G/H")


def html5(layout: Layout) -> None:
    layout.files["INDEX.HTM"] = b"<!DOCTYPE html>\n<html><head><title>CD</title></head><body><p>Hello<br></body></html>"


def not_in_its_encoding(layout: Layout) -> None:
    path = page_of(layout)
    text = re.sub(rb"^<\?xml[^>]*\?>", b'<?xml version="1.0" encoding="Shift_JIS"?>', layout.content(path))
    layout.files[path] = text.replace(b"</h1>", b"\xff\xfe</h1>", 1)


ILLEGAL: dict[str, tuple[Change, str]] = {
    "README in another casing": (renamed("README.TXT", "Readme.txt"), "MEDIA-README"),
    "an index of HTML5": (html5, "WEB-XHTML"),
    "a page that is not in its encoding": (not_in_its_encoding, "WEB-XHTML"),
    "an index with the extension HTML": (renamed("INDEX.HTM", "INDEX.HTML"), "WEB-INDEX"),
    "a viewer with long names": (put("Viewer/Start Viewer.exe", b"MZ"), "MEDIA-NAME"),
    "a viewer that starts by itself": (put("AUTORUN.INF", b"[autorun]\r\nopen=V.EXE\r\n"), "MEDIA-AUTORUN"),
    "a folder on the ninth level": (deep_folder, "MEDIA-DEPTH"),
    "a folder of the vendor that begins with IHE": (put("IHE_VIEW/V.EXE", b"MZ"), "MEDIA-IHE-PREFIX"),
}


@pytest.mark.parametrize("name", ILLEGAL)
def test_what_is_not_legal_is_found(name: str, tmp_path: Path) -> None:
    change, code = ILLEGAL[name]
    assert code in codes(tmp_path / "m", change)


def test_a_deleted_record_does_not_hide_a_file_that_is_still_there(tmp_path: Path) -> None:
    def delete(layout: Layout) -> None:
        leaves(layout)[0].elements[IN_USE] = element(IN_USE, "US", b"\0\0")

    assert codes(tmp_path / "m", delete, early=True) == {"MEDIA-FILE-UNREFERENCED"}


def test_fragments_without_their_end_are_found(tmp_path: Path) -> None:
    """Pixel data of undefined length say nothing of their size: the delimiter does."""
    uid = uid_source(2)
    compressed = [d for d in media_study("compressed images", uid) if d.file_meta.TransferSyntaxUID == JPEGBaseline8Bit]
    MediaCreator(MediumPlan("STD-GEN-DVD-JPEG"), None, uid).write(compressed, tmp_path / "m")
    assert broken(tmp_path / "m", "DVD") == set()
    path = next(path for path in tmp_path.rglob("IM*") if path.is_file())
    path.write_bytes(path.read_bytes()[:-20])
    assert broken(tmp_path / "m", "DVD") == {"MEDIA-FILE-BROKEN"}


def test_data_behind_fragments_are_no_fault(tmp_path: Path) -> None:
    uid = uid_source(2)
    compressed = [d for d in media_study("compressed images", uid) if d.file_meta.TransferSyntaxUID == JPEGBaseline8Bit]
    for dataset in compressed:
        dataset.add_new(0xFFFCFFFC, "OB", bytes(5000))
    MediaCreator(MediumPlan("STD-GEN-DVD-JPEG"), None, uid).write(compressed, tmp_path / "m")
    assert pydicom.dcmread(next(p for p in tmp_path.rglob("IM*") if p.is_file()))[0xFFFCFFFC].VM == 1
    assert broken(tmp_path / "m", "DVD") == set()


@pytest.mark.parametrize(("claimed", "expected"), [("CD", {"MEDIA-LABEL"}), ("DVD", set())])
def test_the_label_of_a_cd_is_the_file_set_id(claimed: str, expected: set[str], tmp_path: Path) -> None:
    def other(layout: Layout) -> None:
        layout.label = "PATIENT_CD"

    assert codes(tmp_path / "m.iso", other, early=True, claimed=claimed) == expected
