"""What may be wrong on a medium: changes of its layout before or after the directory is made."""

from __future__ import annotations

import io
import re
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pydicom
from pydicom.uid import RLELossless

from harness.protocols.media.writing.fileset import Layout
from harness.protocols.media.writing.records import Node, element

Change = Callable[[Layout], None]

_NEXT, _LOWER = 16, 38  # of the value inside an item: item header 8, then 12 + 10 + 12 bytes of fixed elements
_FILE_ID: Final = 0x00041500


# -- helpers -------------------------------------------------------------------------------------------------------


def leaves(layout: Layout) -> list[Node]:
    return [node for root in layout.directory.roots for node in root.walk() if _FILE_ID in node.elements]


def first(layout: Layout, kind: str) -> Node:
    return next(node for root in layout.directory.roots for node in root.walk() if node.type == kind)


def place_of(leaf: Node) -> str:
    return leaf.elements[_FILE_ID][8:].decode("ascii").strip().replace("\\", "/")


def moved(layout: Layout, leaf: Node, place: str) -> None:
    """Put a file elsewhere and let its record follow."""
    layout.files[place] = layout.files.pop(place_of(leaf))
    leaf.put("ReferencedFileID", place.replace("/", "\\"))


def patch(layout: Layout, position: int, value: int) -> None:
    raw = bytearray(layout.content("DICOMDIR"))
    struct.pack_into("<I", raw, position, value)
    layout.files["DICOMDIR"] = bytes(raw)


def replaced(path: str, old: bytes, new: bytes) -> Change:
    def change(layout: Layout) -> None:
        layout.files[path] = layout.content(path).replace(old, new, 1)

    return change


def added(path: str, content: bytes) -> Change:
    def change(layout: Layout) -> None:
        layout.files[path] = content

    return change


def removed(path: str) -> Change:
    def change(layout: Layout) -> None:
        layout.files.pop(path, None)

    return change


def without(kind: str, tag: int) -> Change:
    def change(layout: Layout) -> None:
        first(layout, kind).elements.pop(tag, None)

    return change


def put(kind: str, keyword: str, value: str) -> Change:
    def change(layout: Layout) -> None:
        first(layout, kind).put(keyword, value)

    return change


# -- DICOMDIR --------------------------------------------------------------------------------------------------------


def offsets_off(layout: Layout) -> None:
    """What an edit of a name after the offsets were computed does."""
    series = first(layout, "SERIES")
    patch(layout, series.offset + _LOWER, series.children[0].offset + 22)


def loop(layout: Layout) -> None:
    roots = layout.directory.roots
    patch(layout, roots[-1].offset + _NEXT, roots[0].offset)


def last_offset(layout: Layout) -> None:
    raw = layout.content("DICOMDIR")
    patch(layout, raw.index(b"\x04\x00\x02\x12UL") + 8, len(raw))


def truncated_directory(layout: Layout) -> None:
    layout.files["DICOMDIR"] = layout.content("DICOMDIR")[:-60]


def directory_elsewhere(layout: Layout) -> None:
    layout.files["DICOM/DICOMDIR"] = layout.files.pop("DICOMDIR")


def two_directories(layout: Layout) -> None:
    layout.files["DICOM/DICOMDIR"] = layout.files["DICOMDIR"]


def private_record(layout: Layout) -> None:
    leaves(layout)[0].type = "PRIVATE"


def twice_the_patient(layout: Layout) -> None:
    """A patient with a record for each study."""
    root = next((root for root in layout.directory.roots if len(root.children) > 1), layout.directory.roots[0])
    second = Node(root.type, dict(root.elements), root.children[1:])
    if second.children:
        root.children = root.children[:1]
    layout.directory.roots.append(second)


def twice_the_instance(layout: Layout) -> None:
    one, other = leaves(layout)[:2]
    other.elements[0x00041511] = one.elements[0x00041511]


def no_character_set(layout: Layout) -> None:
    for root in layout.directory.roots:
        for node in root.walk():
            node.elements.pop(0x00080005, None)


# -- files -------------------------------------------------------------------------------------------------------------


def in_root(layout: Layout) -> None:
    moved(layout, leaves(layout)[0], "IM000001")


def in_web(layout: Layout) -> None:
    moved(layout, leaves(layout)[0], "IHE_PDI/IM000001")


def extension(layout: Layout) -> None:
    leaf = leaves(layout)[0]
    moved(layout, leaf, f"{place_of(leaf)}.DCM")


def too_deep(layout: Layout) -> None:
    moved(layout, leaves(layout)[0], "DICOM/A/B/C/D/E/F/G/IM000001")


def file_missing(layout: Layout) -> None:
    layout.files.pop(place_of(leaves(layout)[0]))


def no_objects(layout: Layout) -> None:
    """Pages and README.TXT only: the DICOM content was forgotten, DICOMDIR with it."""
    for path in ("DICOMDIR", *layout.instances()):
        layout.files.pop(path)


def unreferenced(layout: Layout) -> None:
    leaf = leaves(layout)[0]
    for root in layout.directory.roots:
        for node in root.walk():
            if len(node.children) > 1 and any(child is leaf for child in node.children):
                node.children = [child for child in node.children if child is not leaf]


def left_out(layout: Layout) -> None:
    leaf = leaves(layout)[0]
    unreferenced(layout)
    layout.files.pop(place_of(leaf))


def compressed(layout: Layout) -> None:
    for leaf in leaves(layout):
        dataset = pydicom.dcmread(io.BytesIO(layout.content(place_of(leaf))))
        if "PixelData" in dataset:
            dataset.compress(RLELossless, generate_instance_uid=False)
            stream = io.BytesIO()
            dataset.save_as(stream, enforce_file_format=True)
            layout.files[place_of(leaf)] = stream.getvalue()
            leaf.put("ReferencedTransferSyntaxUIDInFile", str(RLELossless))
            return


def wrong_meta(layout: Layout) -> None:
    path = place_of(leaves(layout)[0])
    dataset = pydicom.dcmread(io.BytesIO(layout.content(path)))
    stream = io.BytesIO()
    dataset.save_as(stream, enforce_file_format=True)
    stated = str(dataset.file_meta.MediaStorageSOPInstanceUID).encode()
    layout.files[path] = stream.getvalue().replace(stated, stated[:-1] + (b"1" if stated[-1:] != b"1" else b"2"), 1)


def cut(layout: Layout) -> None:
    path = place_of(leaves(layout)[0])
    layout.files[path] = layout.content(path)[:-100]


def enveloped(layout: Layout) -> None:
    """The beginning of a CMS envelope in the place of the object."""
    content = bytes.fromhex("06092a864886f70d010703a080") + bytes(200)
    layout.files[place_of(leaves(layout)[0])] = b"\x30\x81" + bytes([len(content) & 0x7F | 0x80]) + content


def undated(layout: Layout) -> None:
    for path in ("README.TXT", "INDEX.HTM"):
        if path in layout.files:
            layout.files[path] = re.sub(rb"\d{4}-\d\d-\d\d", b"some day", layout.content(path))


# -- web -----------------------------------------------------------------------------------------------------------


def study_page(layout: Layout) -> str:
    return next(path for path in layout.files if re.fullmatch(r"IHE_PDI/S\d+\.HTM", path))


def in_page(old: bytes, new: bytes) -> Change:
    return lambda layout: replaced(study_page(layout), old, new)(layout)


def png(layout: Layout) -> None:
    path = next(path for path in layout.files if path.endswith(".JPG"))
    layout.files[path] = b"\x89PNG\r\n\x1a\n" + bytes(60)


def long_name(layout: Layout) -> None:
    path = study_page(layout)
    layout.files[path.replace(".HTM", ".HTML")] = layout.files.pop(path)
    start, name = "IHE_PDI/START.HTM", path.rpartition("/")[2].encode()
    layout.files[start] = layout.content(start).replace(name, name + b"L")


def wrong_case(layout: Layout) -> None:
    start, name = "IHE_PDI/START.HTM", study_page(layout).rpartition("/")[2].encode()
    layout.files[start] = layout.content(start).replace(name, name.lower())


_BOMB: Final = (
    b'<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML Basic 1.1//EN" "x" [<!ENTITY a "aaaaaaaaaa">'
    b'<!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>'
)


def entities(layout: Layout) -> None:
    path = study_page(layout)
    layout.files[path] = re.sub(rb"<!DOCTYPE[^>]*>", _BOMB, layout.content(path), count=1)


_NAME_ELEMENT: Final = element(0x00100010, "PN", b"Somebody^Else")


def other_name(layout: Layout) -> None:
    first(layout, "PATIENT").elements[0x00100010] = _NAME_ELEMENT


def other_byte_order(target: Path) -> None:
    """The size of the volume in one byte order only; folders and ZIP files have no such field."""
    if target.suffix == ".iso":
        with target.open("r+b") as stream:
            stream.seek(16 * 2048 + 84)
            stream.write(bytes(4))


def other_label(layout: Layout) -> None:
    """The label is what the burning program proposes; folders and ZIP files have none."""
    layout.label = "NEW_CD"


def plain_directory(layout: Layout) -> None:
    """DICOMDIR shows names to everybody although the images are protected."""
    layout.files["DICOMDIR"] = layout.directory.encode()
