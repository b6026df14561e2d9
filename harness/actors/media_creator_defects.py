"""Defective media, one fault each: what a creator may get wrong, to see whether importers notice and survive it."""

from __future__ import annotations

import io
import re
import struct
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Final

import pydicom
from pydicom.uid import RLELossless

from harness.actors.media_creator import MediaCreatorBehaviour
from harness.protocols.media.writing.fileset import Layout
from harness.protocols.media.writing.records import Node, element

Change = Callable[[Layout], None]
Row = tuple[str, str, str, Callable[[MediaCreatorBehaviour], MediaCreatorBehaviour]]

_NEXT, _LOWER = 16, 38  # of the value inside an item: item header 8, then 12 + 10 + 12 bytes of fixed elements
_FILE_ID: Final = 0x00041500


def _arranged(change: Change) -> Callable[[MediaCreatorBehaviour], MediaCreatorBehaviour]:
    return lambda behaviour: replace(behaviour, arrange=change)


def _finished(change: Change) -> Callable[[MediaCreatorBehaviour], MediaCreatorBehaviour]:
    return lambda behaviour: replace(behaviour, finish=change)


# -- helpers -------------------------------------------------------------------------------------------------------


def _leaves(layout: Layout) -> list[Node]:
    return [node for root in layout.directory.roots for node in root.walk() if _FILE_ID in node.elements]


def _first(layout: Layout, kind: str) -> Node:
    return next(node for root in layout.directory.roots for node in root.walk() if node.type == kind)


def _path(leaf: Node) -> str:
    return leaf.elements[_FILE_ID][8:].decode("ascii").strip().replace("\\", "/")


def _moved(layout: Layout, leaf: Node, place: str) -> None:
    """Put a file elsewhere and let its record follow."""
    layout.files[place] = layout.files.pop(_path(leaf))
    leaf.put("ReferencedFileID", place.replace("/", "\\"))


def _patch(layout: Layout, position: int, value: int) -> None:
    raw = bytearray(layout.content("DICOMDIR"))
    struct.pack_into("<I", raw, position, value)
    layout.files["DICOMDIR"] = bytes(raw)


def _replaced(path: str, old: bytes, new: bytes) -> Change:
    def change(layout: Layout) -> None:
        layout.files[path] = layout.content(path).replace(old, new, 1)

    return change


def _added(path: str, content: bytes) -> Change:
    def change(layout: Layout) -> None:
        layout.files[path] = content

    return change


def _removed(path: str) -> Change:
    def change(layout: Layout) -> None:
        layout.files.pop(path, None)

    return change


def _without(kind: str, tag: int) -> Change:
    def change(layout: Layout) -> None:
        _first(layout, kind).elements.pop(tag, None)

    return change


def _put(kind: str, keyword: str, value: str) -> Change:
    def change(layout: Layout) -> None:
        _first(layout, kind).put(keyword, value)

    return change


# -- DICOMDIR --------------------------------------------------------------------------------------------------------


def _offsets_off(layout: Layout) -> None:
    """What an edit of a name after the offsets were computed does."""
    series = _first(layout, "SERIES")
    _patch(layout, series.offset + _LOWER, series.children[0].offset + 22)


def _loop(layout: Layout) -> None:
    roots = layout.directory.roots
    _patch(layout, roots[-1].offset + _NEXT, roots[0].offset)


def _last_offset(layout: Layout) -> None:
    raw = layout.content("DICOMDIR")
    _patch(layout, raw.index(b"\x04\x00\x02\x12UL") + 8, len(raw))


def _truncated_directory(layout: Layout) -> None:
    layout.files["DICOMDIR"] = layout.content("DICOMDIR")[:-60]


def _directory_elsewhere(layout: Layout) -> None:
    layout.files["DICOM/DICOMDIR"] = layout.files.pop("DICOMDIR")


def _two_directories(layout: Layout) -> None:
    layout.files["DICOM/DICOMDIR"] = layout.files["DICOMDIR"]


def _private_record(layout: Layout) -> None:
    _leaves(layout)[0].type = "PRIVATE"


def _twice_the_patient(layout: Layout) -> None:
    """A patient with a record for each study."""
    root = next((root for root in layout.directory.roots if len(root.children) > 1), layout.directory.roots[0])
    second = Node(root.type, dict(root.elements), root.children[1:])
    if second.children:
        root.children = root.children[:1]
    layout.directory.roots.append(second)


def _twice_the_instance(layout: Layout) -> None:
    one, other = _leaves(layout)[:2]
    other.elements[0x00041511] = one.elements[0x00041511]


def _no_character_set(layout: Layout) -> None:
    for root in layout.directory.roots:
        for node in root.walk():
            node.elements.pop(0x00080005, None)


# -- files -------------------------------------------------------------------------------------------------------------


def _in_root(layout: Layout) -> None:
    _moved(layout, _leaves(layout)[0], "IM000001")


def _in_web(layout: Layout) -> None:
    _moved(layout, _leaves(layout)[0], "IHE_PDI/IM000001")


def _extension(layout: Layout) -> None:
    leaf = _leaves(layout)[0]
    _moved(layout, leaf, f"{_path(leaf)}.DCM")


def _too_deep(layout: Layout) -> None:
    _moved(layout, _leaves(layout)[0], "DICOM/A/B/C/D/E/F/G/IM000001")


def _file_missing(layout: Layout) -> None:
    layout.files.pop(_path(_leaves(layout)[0]))


def _unreferenced(layout: Layout) -> None:
    leaf = _leaves(layout)[0]
    for root in layout.directory.roots:
        for node in root.walk():
            if len(node.children) > 1 and any(child is leaf for child in node.children):
                node.children = [child for child in node.children if child is not leaf]


def _left_out(layout: Layout) -> None:
    leaf = _leaves(layout)[0]
    _unreferenced(layout)
    layout.files.pop(_path(leaf))


def _compressed(layout: Layout) -> None:
    for leaf in _leaves(layout):
        dataset = pydicom.dcmread(io.BytesIO(layout.content(_path(leaf))))
        if "PixelData" in dataset:
            dataset.compress(RLELossless, generate_instance_uid=False)
            stream = io.BytesIO()
            dataset.save_as(stream, enforce_file_format=True)
            layout.files[_path(leaf)] = stream.getvalue()
            leaf.put("ReferencedTransferSyntaxUIDInFile", str(RLELossless))
            return


def _wrong_meta(layout: Layout) -> None:
    path = _path(_leaves(layout)[0])
    dataset = pydicom.dcmread(io.BytesIO(layout.content(path)))
    stream = io.BytesIO()
    dataset.save_as(stream, enforce_file_format=True)
    stated = str(dataset.file_meta.MediaStorageSOPInstanceUID).encode()
    layout.files[path] = stream.getvalue().replace(stated, stated[:-1] + (b"1" if stated[-1:] != b"1" else b"2"), 1)


def _cut(layout: Layout) -> None:
    path = _path(_leaves(layout)[0])
    layout.files[path] = layout.content(path)[:-100]


def _enveloped(layout: Layout) -> None:
    """The beginning of a CMS envelope in the place of the object."""
    content = bytes.fromhex("06092a864886f70d010703a080") + bytes(200)
    layout.files[_path(_leaves(layout)[0])] = b"\x30\x81" + bytes([len(content) & 0x7F | 0x80]) + content


def _undated(layout: Layout) -> None:
    for path in ("README.TXT", "INDEX.HTM"):
        if path in layout.files:
            layout.files[path] = re.sub(rb"\d{4}-\d\d-\d\d", b"some day", layout.content(path))


# -- web -----------------------------------------------------------------------------------------------------------


def _study_page(layout: Layout) -> str:
    return next(path for path in layout.files if re.fullmatch(r"IHE_PDI/S\d+\.HTM", path))


def _in_page(old: bytes, new: bytes) -> Change:
    return lambda layout: _replaced(_study_page(layout), old, new)(layout)


def _png(layout: Layout) -> None:
    path = next(path for path in layout.files if path.endswith(".JPG"))
    layout.files[path] = b"\x89PNG\r\n\x1a\n" + bytes(60)


def _long_name(layout: Layout) -> None:
    path = _study_page(layout)
    layout.files[path.replace(".HTM", ".HTML")] = layout.files.pop(path)
    start, name = "IHE_PDI/START.HTM", path.rpartition("/")[2].encode()
    layout.files[start] = layout.content(start).replace(name, name + b"L")


def _wrong_case(layout: Layout) -> None:
    start, name = "IHE_PDI/START.HTM", _study_page(layout).rpartition("/")[2].encode()
    layout.files[start] = layout.content(start).replace(name, name.lower())


_BOMB: Final = (
    b'<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML Basic 1.1//EN" "x" [<!ENTITY a "aaaaaaaaaa">'
    b'<!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>'
)


def _entities(layout: Layout) -> None:
    path = _study_page(layout)
    layout.files[path] = re.sub(rb"<!DOCTYPE[^>]*>", _BOMB, layout.content(path), count=1)


_NAME_ELEMENT: Final = element(0x00100010, "PN", b"Somebody^Else")


def _other_name(layout: Layout) -> None:
    _first(layout, "PATIENT").elements[0x00100010] = _NAME_ELEMENT


def _burnt(change: Callable[[Path], None]) -> Callable[[MediaCreatorBehaviour], MediaCreatorBehaviour]:
    return lambda behaviour: replace(behaviour, burnt=change)


def _other_byte_order(target: Path) -> None:
    """The size of the volume in one byte order only; folders and ZIP files have no such field."""
    if target.suffix == ".iso":
        with target.open("r+b") as stream:
            stream.seek(16 * 2048 + 84)
            stream.write(bytes(4))


def _other_label(layout: Layout) -> None:
    """The label is what the burning program proposes; folders and ZIP files have none."""
    layout.label = "NEW_CD"


def _plain_directory(layout: Layout) -> None:
    """DICOMDIR shows names to everybody although the images are protected."""
    layout.files["DICOMDIR"] = layout.directory.encode()


MEDIA_CREATOR_DEFECTS: tuple[Row, ...] = (
    ("media-no-dicomdir", "there is no DICOMDIR", "RAD-47-PMC-02", _finished(_removed("DICOMDIR"))),
    ("media-dicomdir-elsewhere", "DICOMDIR is in a folder", "RAD-47-PMC-02", _finished(_directory_elsewhere)),
    ("media-two-dicomdirs", "a second DICOMDIR is in a folder", "RAD-47-PMC-03", _finished(_two_directories)),
    ("media-dicom-in-root", "a DICOM file is in the root", "RAD-47-PMC-04", _arranged(_in_root)),
    ("media-dicom-in-web", "a DICOM file is in IHE_PDI", "RAD-47-PMC-05 RAD-47-WEB-01", _arranged(_in_web)),
    ("media-no-readme", "there is no README.TXT", "RAD-47-PMC-06 RAD-47-WEB-06", _finished(_removed("README.TXT"))),
    (
        "media-lower-case",
        "a folder has a long name in lower case",
        "RAD-47-PMC-09",
        _finished(_added("Documents/A", b"x")),
    ),
    ("media-too-deep", "a file is nine levels deep", "RAD-47-PMC-10 RAD-47-PMC-14", _arranged(_too_deep)),
    ("media-extension", "a DICOM file has an extension", "RAD-47-PMC-11 RAD-47-PMC-14", _arranged(_extension)),
    ("media-ihe-prefix", "a name in the root begins with IHE", "RAD-47-PMC-12", _finished(_added("IHE_INFO/A", b"x"))),
    ("media-file-missing", "a record names a file that is not there", "RAD-47-PMC-13 XC-34", _finished(_file_missing)),
    ("media-unreferenced", "a DICOM file has no record", "RAD-47-PMC-13", _arranged(_unreferenced)),
    ("media-offsets", "an offset is off by 22 bytes", "RAD-47-PMC-16 RAD-47-PMC-13", _finished(_offsets_off)),
    ("media-loop", "the last patient record leads to the first", "RAD-47-PMC-16", _finished(_loop)),
    ("media-last-offset", "the offset of the last record is wrong", "RAD-47-PMC-16", _finished(_last_offset)),
    (
        "media-dicomdir-cut",
        "the end of DICOMDIR is missing",
        "RAD-47-PMC-16 RAD-47-PMC-20 RAD-47-PMC-21 RAD-47-PMC-22",
        _finished(_truncated_directory),
    ),
    (
        "media-directory-meta",
        "DICOMDIR says Implicit VR in its meta header",
        "RAD-47-PMC-15",
        _finished(_replaced("DICOMDIR", b"1.2.840.10008.1.2.1\0", b"1.2.840.10008.1.2\0\0\0")),
    ),
    ("media-private-record", "a record is PRIVATE", "RAD-47-PMC-17", _arranged(_private_record)),
    (
        "media-no-patient-id",
        "a patient record has no Patient ID",
        "RAD-47-PMC-18 RAD-47-PMC-20 RAD-47-PMC-22",
        _arranged(_put("PATIENT", "PatientID", "")),
    ),
    ("media-patient-twice", "a patient has two records", "RAD-47-PMC-18", _arranged(_twice_the_patient)),
    (
        "media-uid-twice",
        "two records have one SOP Instance UID",
        "RAD-47-PMC-19 RAD-47-PMC-22",
        _arranged(_twice_the_instance),
    ),
    ("media-key-missing", "a study record has no Study ID", "RAD-47-PMC-20", _arranged(_without("STUDY", 0x00200010))),
    (
        "media-image-type",
        "an image record has no Image Type",
        "RAD-47-PMC-21",
        _arranged(_without("IMAGE", 0x00080008)),
    ),
    ("media-other-name", "a patient record has another name than the files", "RAD-47-PMC-22", _arranged(_other_name)),
    ("media-no-character-set", "records have no character set", "RAD-47-PMC-22", _arranged(_no_character_set)),
    ("media-wrong-meta", "a file meta header names another instance", "RAD-47-PMC-23", _finished(_wrong_meta)),
    (
        "media-compressed",
        "an image is compressed by a method that no application profile allows",
        "RAD-47-PMC-24 RAD-47-PMC-25 RAD-47-PMC-26",
        _arranged(_compressed),
    ),
    ("media-iso-size", "the image states its size in one byte order", "RAD-47-PMC-01", _burnt(_other_byte_order)),
    ("media-label", "the volume label is not the File-set ID", "RAD-47-PMC-36", _arranged(_other_label)),
    (
        "media-plain-dicomdir",
        "the DICOMDIR of a protected medium is not protected",
        "RAD-47-SEC-01",
        _finished(_plain_directory),
    ),
    ("media-file-cut", "the end of a DICOM file is missing", "RAD-47-PMC-29", _finished(_cut)),
    (
        "media-encrypted",
        "a DICOM file is encrypted",
        "RAD-47-PMC-29 RAD-47-PMC-13 XC-34",
        _finished(_enveloped),
    ),
    (
        "media-extra",
        "a document lies among the DICOM files",
        "RAD-47-PMC-30",
        _finished(_added("DICOM/PA000001/ST000001/SE000001/NOTE.TXT", b"x")),
    ),
    (
        "media-autorun",
        "a program starts by itself",
        "RAD-47-PMC-31",
        _finished(_added("AUTORUN.INF", b"[autorun]\r\nopen=A.EXE\r\n")),
    ),
    (
        "media-readme-silent",
        "README.TXT says nothing",
        "RAD-47-PMC-07",
        _finished(_added("README.TXT", b"Hello 2026-01-05.\r\n")),
    ),
    (
        "media-readme-binary",
        "README.TXT is no plain text",
        "RAD-47-PMC-08",
        _finished(_replaced("README.TXT", b"Portable", b"P\x00rt\xe4bl")),
    ),
    ("media-undated", "the medium does not say when it was made", "RAD-47-PMC-34", _finished(_undated)),
    ("media-left-out", "an instance of the study is not on the medium", "XC-34", _arranged(_left_out)),
    (
        "media-web-foreign-file",
        "a program is in IHE_PDI",
        "RAD-47-WEB-01",
        _finished(_added("IHE_PDI/VIEW.EXE", b"MZ")),
    ),
    ("media-web-no-index", "there is no INDEX.HTM", "RAD-47-WEB-02 RAD-47-WEB-06", _finished(_removed("INDEX.HTM"))),
    (
        "media-web-index-silent",
        "INDEX.HTM leads nowhere",
        "RAD-47-WEB-03",
        _finished(_replaced("INDEX.HTM", b"IHE_PDI/START.HTM", b"README.TXT")),
    ),
    ("media-web-not-xhtml", "a page is no well-formed XHTML", "RAD-47-WEB-04", _finished(_in_page(b"</h1>", b"<br>"))),
    ("media-web-entities", "a page declares entities", "RAD-47-WEB-04", _finished(_entities)),
    ("media-web-png", "a picture is no JPEG", "RAD-47-WEB-05", _finished(_png)),
    (
        "media-web-wrong-case",
        "a link is written in another case than the file",
        "RAD-47-WEB-06",
        _finished(_wrong_case),
    ),
    (
        "media-web-absolute-link",
        "a link leads to the network",
        "RAD-47-WEB-06",
        _finished(_in_page(b"START.HTM", b"http://example.org/")),
    ),
    (
        "media-web-script",
        "a page has a script",
        "RAD-47-WEB-07",
        _finished(_in_page(b"</head>", b"<script>x()</script></head>")),
    ),
    (
        "media-web-stranger",
        "a page shows a study that is not on the medium",
        "RAD-47-WEB-08",
        _finished(_in_page(b"Study ", b"Study 1.2.3.4.5.6.7.8.9.10 ")),
    ),
    ("media-web-long-name", "a page has the extension HTML", "RAD-47-WEB-10", _finished(_long_name)),
)
