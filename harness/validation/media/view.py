"""A medium as its rules look at it: parsed when it is first asked for, each part once."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import cached_property
from typing import Final

from harness.protocols.dicom import uids
from harness.protocols.media import directory, pages
from harness.protocols.media.directory import Directory, Record, Tree
from harness.protocols.media.elements import Header, looks_like_dicom, read_header
from harness.protocols.media.medium import Entry, Medium

DICOMDIR: Final = "DICOMDIR"
README: Final = "README.TXT"
INDEX: Final = "INDEX.HTM"
WEB_FOLDER: Final = "IHE_PDI"
PAGE_ENDINGS: Final = (".HTM", ".HTML", ".XHTML")
_DIRECTORY_BYTES: Final = 512 << 20
_MAXIMUM_PAGES: Final = 5000
_EXPLICIT_REFERENCE: Final = re.compile(rb"\x08\x00\x55\x11UI(..)", re.DOTALL)
_IMPLICIT_REFERENCE: Final = re.compile(rb"\x08\x00\x55\x11(..)\0\0", re.DOTALL)
#: sequences by which presentation states, key objects and reports refer to instances
REFERRING: Final = (0x00081115, 0x0040A375, 0x0040A730)


class View:
    """``claimed`` is the kind of medium that a creator says it made: "CD", "DVD", "USB" or "" if nobody said.

    ``web`` says whether web content must be there; None: judge it if it is. ``protected`` says that Privacy Protection
    is claimed; ``medium`` is then a ``SecureMedium``, whose files are read decrypted.
    """

    def __init__(
        self,
        medium: Medium,
        *,
        claimed: str = "",
        web: bool | None = None,
        protected: bool = False,
        progress: Callable[[], None] | None = None,
    ) -> None:
        self.medium, self.claimed, self._web, self._progress = medium, claimed, web, progress
        self.protected = protected

    @cached_property
    def files(self) -> tuple[Entry, ...]:
        """Every file, by path."""
        return tuple(self.medium.files())

    @cached_property
    def directories(self) -> tuple[str, ...]:
        """Paths of files that are named like a DICOMDIR."""
        return tuple(entry.path for entry in self.files if entry.name.upper() == DICOMDIR)

    @cached_property
    def raw_directory(self) -> bytes:
        """The bytes of the DICOMDIR in the root; of the first one elsewhere if there is none."""
        place = DICOMDIR if DICOMDIR in self.directories else next(iter(self.directories), "")
        return self.medium.whole(place, _DIRECTORY_BYTES) if place else b""

    @cached_property
    def directory(self) -> Directory | None:
        """The parsed DICOMDIR, None if there is none."""
        return directory.parse(self.raw_directory) if self.directories else None

    @cached_property
    def tree(self) -> Tree | None:
        """The records as the offsets link them."""
        return Tree(self.directory) if self.directory is not None else None

    def records(self) -> tuple[Record, ...]:
        """Records that can be reached, or none."""
        return tuple(self.tree.walk()) if self.tree is not None else ()

    @cached_property
    def referenced(self) -> dict[str, Record]:
        """Records with a file, by the path of the file."""
        found: dict[str, Record] = {}
        for record in self.records():
            if record.file:
                found.setdefault(record.file, record)
        return found

    @cached_property
    def instances(self) -> dict[str, Header]:
        """Headers of all DICOM files but DICOMDIR, by path. Big media are read once, a header at a time."""
        found: dict[str, Header] = {}
        for entry in self.files:
            if entry.path in self.directories:
                continue
            header = read_header(self.medium, entry.path)
            if header is not None and header.meta_text(0x00020002) != uids_media_directory():
                found[entry.path] = header
            if self._progress is not None:
                self._progress()
        return found

    @cached_property
    def by_instance(self) -> dict[str, Header]:
        """Headers by SOP Instance UID."""
        return {header.text(0x00080018): header for header in self.instances.values() if header.text(0x00080018)}

    @cached_property
    def has_web(self) -> bool:
        """Whether web content must be judged."""
        if self._web is not None:
            return self._web
        return WEB_FOLDER in self.medium.entries or INDEX in self.medium.entries

    @cached_property
    def pages(self) -> dict[str, pages.Page]:
        """INDEX.HTM and the pages of IHE_PDI, by path."""
        if not self.has_web:
            return {}
        chosen = [
            entry.path
            for entry in self.files
            if entry.path == INDEX or (in_web(entry.path) and entry.name.upper().endswith(PAGE_ENDINGS))
        ]
        return {
            path: pages.parse(path, self.medium.read(path, pages.MAXIMUM_SIZE + 1)) for path in chosen[:_MAXIMUM_PAGES]
        }

    def text(self, path: str) -> str:
        """A small text file, "" if it is not there."""
        return self.medium.read(path, 1 << 20).decode("utf-8", "replace") if path in self.medium.entries else ""

    def is_dicom(self, path: str) -> bool:
        """Whether a file is a DICOM file, DICOMDIR included."""
        return path in self.instances or looks_like_dicom(self.medium.read(path, 140))

    def referring(self) -> Iterator[tuple[Header, set[str]]]:
        """Presentation states, key objects and reports with the SOP Instance UIDs that they refer to."""
        for header in self.instances.values():
            found: set[str] = set()
            for tag in REFERRING:
                found |= referenced_instances(header.values.get(tag, b""), header.transfer_syntax)
            if found and 0x00280010 not in header.values:
                yield header, found


def uids_media_directory() -> str:
    """SOP Class UID of the basic directory (PS3.4 Annex I)."""
    return "1.2.840.10008.1.3.10"


def in_web(path: str) -> bool:
    """Whether a path is inside the web folder."""
    return path.startswith(WEB_FOLDER + "/")


def referenced_instances(raw: bytes, transfer_syntax: str) -> set[str]:
    """Every Referenced SOP Instance UID inside the bytes of a sequence."""
    implicit = transfer_syntax == uids.IMPLICIT_VR_LE
    pattern = _IMPLICIT_REFERENCE if implicit else _EXPLICIT_REFERENCE
    found = set()
    for match in pattern.finditer(raw):
        length = int.from_bytes(match[1], "little")
        uid = raw[match.end() : match.end() + length].decode("latin-1").strip(" \0")
        if uid and len(uid) <= 64 and set(uid) <= set("0123456789."):
            found.add(uid)
    return found
