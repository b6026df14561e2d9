"""A strict, bounded reader of ISO 9660 images: names exactly as the primary volume descriptor records them.

Extensions (Joliet, Rock Ridge) only repeat the tree with other names; readers of interchange media rely on the
primary one (ECMA-119 sections 7 to 9).
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import BinaryIO, Final

from harness.core.errors import UsageError
from harness.protocols.media.medium import DEFAULT_LIMITS, Entry, Limits, Medium

SECTOR: Final = 2048
_FIRST_DESCRIPTOR: Final = 16
_DESCRIPTORS: Final = 32
_FOLDER_BYTES: Final = 16 << 20
_FOLDER, _MULTI_EXTENT = 0x02, 0x80


def is_iso(path: Path) -> bool:
    """Whether a file begins like an ISO 9660 image."""
    try:
        with path.open("rb") as stream:
            stream.seek(_FIRST_DESCRIPTOR * SECTOR)
            return stream.read(6)[1:] == b"CD001"
    except OSError:
        return False


class IsoMedium(Medium):
    """An image of a CD or DVD. ``structure`` lists what breaks ISO 9660."""

    kind = "iso"

    def __init__(self, path: Path, limits: Limits = DEFAULT_LIMITS) -> None:
        super().__init__(path.name)
        self._limits = limits
        self._extents: dict[str, tuple[int, int]] = {}
        self._size = path.stat().st_size
        self._stream: BinaryIO = path.open("rb")
        #: whether the image carries a Joliet tree beside the primary one
        self.joliet = False
        try:
            self._descriptors(path)
        except BaseException:
            self._stream.close()
            raise

    def _descriptors(self, path: Path) -> None:
        primary = b""
        for number in range(_FIRST_DESCRIPTOR, _FIRST_DESCRIPTOR + _DESCRIPTORS):
            sector = self._at(number * SECTOR, SECTOR)
            if len(sector) < SECTOR or sector[1:6] != b"CD001":
                self.structure.append((f"sector {number}", "the list of volume descriptors has no end"))
                break
            if sector[0] == 1 and not primary:
                primary = sector
            elif sector[0] == 2 and sector[88:91] in (b"%/@", b"%/C", b"%/E"):
                self.joliet = True
            elif sector[0] == 255:
                break
        if not primary:
            raise UsageError(f"{path} has no primary volume descriptor; it is no ISO 9660 image")
        self.label = primary[40:72].decode("ascii", "replace").rstrip(" \0")
        blocks, other = struct.unpack_from("<I", primary, 80)[0], struct.unpack_from(">I", primary, 84)[0]
        if blocks != other:
            self.structure.append(("volume space size", f"{blocks} and {other} in the two byte orders"))
        if blocks * SECTOR > self._size:
            self.structure.append(("volume space size", f"{blocks * SECTOR} bytes in a file of {self._size}"))
        if struct.unpack_from("<H", primary, 128)[0] != SECTOR:
            self.structure.append(("logical block size", str(struct.unpack_from("<H", primary, 128)[0])))
        self._folders(primary[156:190])

    def _at(self, offset: int, length: int) -> bytes:
        try:
            self._stream.seek(offset)
            return self._stream.read(length)
        except (OSError, OverflowError, ValueError):
            return b""

    def _folders(self, root: bytes) -> None:
        pending = [("", *struct.unpack_from("<I", root, 2), *struct.unpack_from("<I", root, 10))]
        seen: set[int] = set()
        while pending:
            path, extent, size = pending.pop()
            if extent in seen:
                self.structure.append((path or "/", "a folder that is its own ancestor, or two folders in one place"))
                continue
            seen.add(extent)
            if size > _FOLDER_BYTES or extent * SECTOR + size > self._size:
                self.structure.append((path or "/", f"a folder of {size} bytes at sector {extent} is outside"))
                continue
            for name, place, length, flags in self._records(path, self._at(extent * SECTOR, size)):
                child = f"{path}/{name}" if path else name
                if flags & _MULTI_EXTENT:
                    self.structure.append((child, "a file in several extents, which Level 1 forbids"))
                if not self.take(Entry(child, 0 if flags & _FOLDER else length, bool(flags & _FOLDER)), self._limits):
                    continue
                if flags & _FOLDER:
                    pending.append((child, place, length))
                    continue
                if place * SECTOR + length > self._size:
                    self.structure.append((child, f"{length} bytes at sector {place} are outside of the image"))
                self._extents[child] = (place * SECTOR, length)

    def _records(self, path: str, raw: bytes) -> list[tuple[str, int, int, int]]:
        found: list[tuple[str, int, int, int]] = []
        position = 0
        while position < len(raw):
            length = raw[position]
            if length == 0:
                position = (position // SECTOR + 1) * SECTOR
                continue
            record = raw[position : position + length]
            position += length
            if len(record) < 34 or 33 + record[32] > len(record):
                self.structure.append((path or "/", "a directory record is cut off"))
                break
            name = record[33 : 33 + record[32]]
            if name in (b"\0", b"\1"):
                continue
            place, length_of_file = struct.unpack_from("<I", record, 2)[0], struct.unpack_from("<I", record, 10)[0]
            if (
                place != struct.unpack_from(">I", record, 6)[0]
                or length_of_file != struct.unpack_from(">I", record, 14)[0]
            ):
                self.structure.append((f"{path}/{name!r}", "the two byte orders of a directory record differ"))
            flags = record[25]
            text = name.decode("ascii", "backslashreplace")
            if not flags & _FOLDER:
                text, separator, version = text.partition(";")
                if not separator or not version.isdigit():
                    self.structure.append((f"{path}/{text}", "a file identifier without version number"))
                text = text.removesuffix(".")
            found.append((text, place, length_of_file, flags))
        return found

    def read(self, path: str, limit: int = DEFAULT_LIMITS.read, offset: int = 0) -> bytes:
        """Part of a file."""
        place = self._extents.get(path)
        if place is None:
            return b""
        start, length = place
        return self._at(start + offset, max(0, min(limit, self._limits.read, length - offset)))

    def close(self) -> None:
        """Close the image."""
        self._stream.close()
