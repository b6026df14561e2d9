"""DICOMDIR as it is written: records from the bytes of the files, linked by byte offsets (PS3.3 F).

Text values are copied as they are in the file, with the Specific Character Set beside them, so that nothing is
encoded anew.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from io import BytesIO
from typing import Final

from pydicom.charset import convert_encodings
from pydicom.datadict import dictionary_VR
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_data_element
from pydicom.tag import Tag

from harness.protocols.dicom.negotiation import IMPLEMENTATION_CLASS, IMPLEMENTATION_VERSION

MEDIA_DIRECTORY: Final = "1.2.840.10008.1.3.10"
EXPLICIT: Final = "1.2.840.10008.1.2.1"
_LONG: Final = ("OB", "OD", "OF", "OL", "OV", "OW", "SQ", "UC", "UN", "UR", "UT")

_STUDY = ("StudyDate", "StudyTime", "AccessionNumber", "StudyDescription", "StudyInstanceUID", "StudyID")
_LEAVES: Final[dict[str, tuple[str, ...]]] = {
    "IMAGE": ("ImageType", "ReferencedImageSequence", "InstanceNumber"),
    "SR DOCUMENT": (
        "ContentDate", "ContentTime", "InstanceNumber", "VerificationDateTime", "ConceptNameCodeSequence",
        "CompletionFlag", "VerificationFlag",
    ),
    "KEY OBJECT DOC": ("ContentDate", "ContentTime", "InstanceNumber", "ConceptNameCodeSequence"),
    "PRESENTATION": (
        "ReferencedSeriesSequence", "InstanceNumber", "ContentLabel", "ContentDescription", "PresentationCreationDate",
        "PresentationCreationTime", "ContentCreatorName",
    ),
    "ENCAP DOC": (
        "ContentDate", "ContentTime", "InstanceNumber", "ConceptNameCodeSequence", "DocumentTitle",
        "MIMETypeOfEncapsulatedDocument",
    ),
    "WAVEFORM": ("ContentDate", "ContentTime", "InstanceNumber"),
}  # fmt: skip
_UPPER: Final[dict[str, tuple[str, ...]]] = {
    "PATIENT": ("PatientName", "PatientID", "PatientBirthDate", "PatientSex"),
    "STUDY": _STUDY,
    "SERIES": ("Modality", "SeriesInstanceUID", "SeriesNumber"),
}
CHARACTER_SET: Final = 0x00080005
_TAGS: Final = {
    keyword: (int(Tag(keyword)), str(dictionary_VR(keyword)))
    for keywords in (*_LEAVES.values(), *_UPPER.values())
    for keyword in keywords
}
_REPEATED: Final = ((CHARACTER_SET, "CS"), *sorted(set(_TAGS.values())))
#: keys that must be there even where the object has none
_ALWAYS: Final = frozenset(
    ("PatientName", "AccessionNumber", "StudyDescription", "ContentDescription", "ContentCreatorName", "DocumentTitle")
)


def leaf_type(sop_class: str) -> str:
    """The record type of an object; anything that has none of its own is an image."""
    tail = sop_class.removeprefix("1.2.840.10008.5.1.4.1.1.")
    if tail == "88.59":
        return "KEY OBJECT DOC"
    for beginning, kind in (("88.", "SR DOCUMENT"), ("11.", "PRESENTATION"), ("104.", "ENCAP DOC"), ("9.", "WAVEFORM")):
        if tail.startswith(beginning):
            return kind
    return "IMAGE"


@dataclass(slots=True)
class Node:
    """One record with its encoded elements by tag, and the records below."""

    type: str
    elements: dict[int, bytes] = field(default_factory=dict)
    children: list[Node] = field(default_factory=list)
    offset: int = 0

    def put(self, keyword: str, value: str) -> None:
        """Set a text element of the default repertoire."""
        tag, vr = int(Tag(keyword)), str(dictionary_VR(keyword))
        self.elements[tag] = element(tag, vr, value.encode("latin-1"))

    def walk(self) -> Iterator[Node]:
        """This record and all below, depth first."""
        yield self
        for child in self.children:
            yield from child.walk()


def element(tag: int, vr: str, value: bytes) -> bytes:
    """One element in Explicit VR Little Endian."""
    if len(value) & 1:
        value += b"\0" if vr in ("UI", "OB") else b" "
    head = struct.pack("<HH2s", tag >> 16, tag & 0xFFFF, vr.encode())
    return head + (struct.pack("<HI", 0, len(value)) if vr in _LONG else struct.pack("<H", len(value))) + value


def snapshot(dataset: Dataset) -> dict[int, bytes]:
    """What records may repeat of an object, encoded in Explicit VR Little Endian, by tag.

    Texts are the bytes of the file if the data set was just read and no value of it was looked at yet.
    """
    taken = {tag: copied(dataset, tag, vr) for tag, vr in _REPEATED if tag in dataset}
    return {tag: encoded for tag, encoded in taken.items() if encoded is not None}


def copied(dataset: Dataset, tag: int, vr: str) -> bytes | None:
    """An element as it is in the file, None if it is not there."""
    if tag not in dataset:
        return None
    raw = dataset.get_item(tag)
    if isinstance(raw, RawDataElement) and raw.value is not None and vr != "SQ":
        return element(tag, vr, bytes(raw.value))
    stream = DicomBytesIO()
    stream.is_little_endian, stream.is_implicit_VR = True, False
    write_data_element(stream, dataset[tag], convert_encodings(dataset.get("SpecificCharacterSet", "")))
    return stream.getvalue()


def record(kind: str, elements: Mapping[int, bytes], keywords: Sequence[str]) -> Node:
    """A record with these keys of an object."""
    node = Node(kind)
    if CHARACTER_SET in elements:
        node.elements[CHARACTER_SET] = elements[CHARACTER_SET]
    for keyword in keywords:
        tag, vr = _TAGS[keyword]
        if tag in elements:
            node.elements[tag] = elements[tag]
        elif keyword in _ALWAYS:
            node.elements[tag] = element(tag, vr, b"")
    return node


@dataclass(slots=True)
class DirectoryBuilder:
    """Collects objects into patients, studies and series, and writes the file."""

    file_set_id: str = "IHE_HARNESS"
    instance_uid: str = ""
    roots: list[Node] = field(default_factory=list)
    _patients: dict[str, Node] = field(default_factory=dict)
    _studies: dict[str, Node] = field(default_factory=dict)
    _series: dict[str, Node] = field(default_factory=dict)

    def add(
        self, dataset: Dataset, elements: Mapping[int, bytes] | None, file_id: Sequence[str], transfer_syntax: str
    ) -> Node:
        """The record of one object; those above it are made when they are first needed.

        ``elements`` is its :func:`snapshot`; None takes one now.
        """
        if elements is None:
            elements = snapshot(dataset)
        identifier = str(dataset.get("PatientID", ""))
        patient = _above(self._patients, identifier, self.roots, "PATIENT", elements)
        study = _above(self._studies, str(dataset.StudyInstanceUID), patient.children, "STUDY", elements)
        series = _above(self._series, str(dataset.SeriesInstanceUID), study.children, "SERIES", elements)
        kind = leaf_type(str(dataset.SOPClassUID))
        leaf = record(kind, elements, _LEAVES[kind])
        leaf.put("ReferencedFileID", "\\".join(file_id))
        leaf.put("ReferencedSOPClassUIDInFile", str(dataset.SOPClassUID))
        leaf.put("ReferencedSOPInstanceUIDInFile", str(dataset.SOPInstanceUID))
        leaf.put("ReferencedTransferSyntaxUIDInFile", transfer_syntax)
        series.children.append(leaf)
        return leaf

    def encode(self) -> bytes:
        """The whole file."""
        head = self._head()
        # the fixed elements before the sequence: File-set ID, two offsets, the consistency flag
        identifier = element(0x00041130, "CS", self.file_set_id.encode("ascii"))
        start = len(head) + len(identifier) + 12 + 12 + 10 + 12
        nodes = [node for root in self.roots for node in root.walk()]
        place = start
        for node in nodes:
            node.offset = place
            place += 8 + len(_body(node, 0, 0))
        nexts, lowers = self._links()
        items = b"".join(
            struct.pack("<HHI", 0xFFFE, 0xE000, len(body)) + body
            for node in nodes
            for body in (_body(node, nexts[id(node)], lowers[id(node)]),)
        )
        first = self.roots[0].offset if self.roots else 0
        last = self.roots[-1].offset if self.roots else 0
        return b"".join(
            (
                head,
                identifier,
                element(0x00041200, "UL", struct.pack("<I", first)),
                element(0x00041202, "UL", struct.pack("<I", last)),
                element(0x00041212, "US", struct.pack("<H", 0)),
                struct.pack("<HH2sHI", 0x0004, 0x1220, b"SQ", 0, len(items)),
                items,
            )
        )

    def _links(self) -> tuple[dict[int, int], dict[int, int]]:
        nexts: dict[int, int] = {}
        lowers: dict[int, int] = {}
        levels = [self.roots]
        while levels:
            level = levels.pop()
            for node, following in zip(level, [*level[1:], None], strict=True):
                nexts[id(node)] = following.offset if following is not None else 0
                lowers[id(node)] = node.children[0].offset if node.children else 0
                if node.children:
                    levels.append(node.children)
        return nexts, lowers

    def _head(self) -> bytes:
        body = b"".join(
            (
                element(0x00020001, "OB", b"\0\1"),
                element(0x00020002, "UI", MEDIA_DIRECTORY.encode()),
                element(0x00020003, "UI", self.instance_uid.encode()),
                element(0x00020010, "UI", EXPLICIT.encode()),
                element(0x00020012, "UI", IMPLEMENTATION_CLASS.encode()),
                element(0x00020013, "SH", IMPLEMENTATION_VERSION.encode()),
            )
        )
        return bytes(128) + b"DICM" + element(0x00020000, "UL", struct.pack("<I", len(body))) + body


def _above(known: dict[str, Node], key: str, level: list[Node], kind: str, elements: Mapping[int, bytes]) -> Node:
    if key not in known:
        known[key] = record(kind, elements, _UPPER[kind])
        level.append(known[key])
    return known[key]


def _body(node: Node, following: int, lower: int) -> bytes:
    elements = {
        0x00041400: element(0x00041400, "UL", struct.pack("<I", following)),
        0x00041410: element(0x00041410, "US", b"\xff\xff"),
        0x00041420: element(0x00041420, "UL", struct.pack("<I", lower)),
        0x00041430: element(0x00041430, "CS", node.type.encode("ascii")),
        **node.elements,
    }
    stream = BytesIO()
    for tag in sorted(elements):
        stream.write(elements[tag])
    return stream.getvalue()
