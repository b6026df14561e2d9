"""Folders and ZIP files as media, and the choice of what a path is."""

from __future__ import annotations

import os
import stat
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

from harness.core.errors import UsageError
from harness.protocols.media.iso9660 import IsoMedium, is_iso
from harness.protocols.media.medium import DEFAULT_LIMITS, Entry, Limits, Medium, parents

_FREE_GROWTH = 16 << 20


class FolderMedium(Medium):
    """A mounted medium or a copy of one. Links are never followed, devices and pipes never opened."""

    kind = "folder"

    def __init__(self, root: Path, limits: Limits = DEFAULT_LIMITS) -> None:
        super().__init__(root.name or str(root))
        self._root, self._limits = root, limits
        for path, is_folder, size in self._walk():
            self.take(Entry(path, size, is_folder), limits)

    def _walk(self) -> Iterator[tuple[str, bool, int]]:
        pending = [""]
        seen = 0
        while pending:
            folder = pending.pop()
            try:
                with os.scandir(self._root / folder) as found:
                    children = sorted(found, key=lambda one: one.name)
            except OSError as error:
                self.refuse(folder or "/", f"cannot be listed: {error.strerror}")
                continue
            for child in children:
                path = f"{folder}/{child.name}" if folder else child.name
                seen += 1
                if seen > self._limits.entries or path.count("/") >= self._limits.depth:
                    self.refuse(path, "too many entries" if seen > self._limits.entries else "too deep")
                    return
                try:
                    mode = child.stat(follow_symlinks=False)
                except OSError as error:
                    self.refuse(path, f"cannot be read: {error.strerror}")
                    continue
                if stat.S_ISLNK(mode.st_mode):
                    self.refuse(path, "a link")
                elif stat.S_ISDIR(mode.st_mode):
                    pending.append(path)
                    yield path, True, 0
                elif stat.S_ISREG(mode.st_mode):
                    yield path, False, mode.st_size
                else:
                    self.refuse(path, "neither a file nor a folder")

    def read(self, path: str, limit: int = DEFAULT_LIMITS.read, offset: int = 0) -> bytes:
        """Part of a file."""
        entry = self.entries.get(path)
        if entry is None or entry.folder:
            return b""
        try:
            handle = os.open(self._root / path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        except OSError as error:
            self.refuse(path, f"cannot be read: {error.strerror}")
            return b""
        try:
            return _whole(handle, min(limit, self._limits.read, max(entry.size - offset, 0)), offset)
        except OSError as error:
            self.refuse(path, f"cannot be read: {error.strerror}")
            return b""
        finally:
            os.close(handle)


def _whole(handle: int, length: int, offset: int) -> bytes:
    parts: list[bytes] = []
    while length > 0:
        part = os.pread(handle, min(length, 8 << 20), offset)
        if not part:
            break
        parts.append(part)
        length -= len(part)
        offset += len(part)
    return b"".join(parts) if len(parts) != 1 else parts[0]


class ZipMedium(Medium):
    """A medium packed into a ZIP file. It is read in place and never unpacked."""

    kind = "zip"

    def __init__(self, path: Path, limits: Limits = DEFAULT_LIMITS) -> None:
        super().__init__(path.name)
        self._limits = limits
        try:
            self._zip = zipfile.ZipFile(path)
        except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
            raise UsageError(f"{path} is no readable ZIP file: {error}") from None
        self._members: dict[str, zipfile.ZipInfo] = {}
        for info in self._zip.infolist():
            self._add(info)

    def _add(self, info: zipfile.ZipInfo) -> None:
        name = info.orig_filename
        path = name.rstrip("/") if name.endswith("/") else name
        if stat.S_ISLNK(info.external_attr >> 16):
            self.refuse(path, "a link")
        elif info.flag_bits & 1:
            self.refuse(path, "encrypted")
        elif info.file_size > max(_FREE_GROWTH, info.compress_size * self._limits.ratio):
            self.refuse(path, f"grows from {info.compress_size} to {info.file_size} bytes")
        elif self.take(Entry(path, info.file_size, name.endswith("/")), self._limits):
            for parent in parents(path):
                if parent not in self.entries:
                    self.take(Entry(parent, folder=True), self._limits)
            self._members[path] = info

    def read(self, path: str, limit: int = DEFAULT_LIMITS.read, offset: int = 0) -> bytes:
        """Part of a file; never more bytes than its header promised."""
        info = self._members.get(path)
        if info is None or info.is_dir():
            return b""
        try:
            with self._zip.open(info) as stream:
                if offset:
                    stream.seek(offset)
                return stream.read(min(limit, self._limits.read, max(info.file_size - offset, 0)))
        except (zipfile.BadZipFile, zlib.error, OSError, EOFError, ValueError, NotImplementedError, RuntimeError) as e:
            self.refuse(path, f"cannot be unpacked: {e}")
            return b""

    def close(self) -> None:
        """Close the file."""
        self._zip.close()


def is_medium(path: Path, head: bytes = b"") -> bool:
    """Whether a path is a medium: a folder with a DICOMDIR or web content, a ZIP file or an ISO 9660 image."""
    if path.is_dir():
        return any((path / name).is_file() for name in ("DICOMDIR", "dicomdir")) or (path / "IHE_PDI").is_dir()
    return head[:4] == b"PK\x03\x04" or is_iso(path)


def open_medium(path: Path, limits: Limits = DEFAULT_LIMITS) -> Medium:
    """The medium at a path. Raises UsageError if it is neither a folder nor a ZIP file nor an ISO 9660 image."""
    if path.is_dir():
        return FolderMedium(path, limits)
    if not path.is_file():
        raise UsageError(f"{path} does not exist; give a folder, a ZIP file or an ISO image")
    if is_iso(path):
        return IsoMedium(path, limits)
    if zipfile.is_zipfile(path):
        return ZipMedium(path, limits)
    raise UsageError(f"{path} is neither a folder nor a ZIP file nor an ISO 9660 image")
