"""A medium, whatever carries it: entries by their path on the medium, and bounded reads of what they hold.

Paths are relative, separated by ``/`` and never leave the medium: what would is refused and listed, so that it can be
reported, and is not among the entries.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

_DEVICES: Final = re.compile(r"(?:CON|PRN|AUX|NUL|COM[0-9]|LPT[0-9])(?:\..*)?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Limits:
    """What is read of a medium at most."""

    entries: int = 200_000
    depth: int = 32
    #: bytes that one read returns at most
    read: int = 64 << 20
    #: a compressed entry that grows beyond this factor (and beyond 16 MB) is refused
    ratio: int = 500


DEFAULT_LIMITS: Final = Limits()


@dataclass(frozen=True, slots=True)
class Entry:
    """A file or folder: its path on the medium and its size in bytes."""

    path: str
    size: int = 0
    folder: bool = False

    @property
    def name(self) -> str:
        """The last component."""
        return self.path.rpartition("/")[2]


@dataclass(frozen=True, slots=True)
class Refusal:
    """Something on the medium that was not followed or read, and why."""

    path: str
    reason: str


class Medium(ABC):
    """Entries by path and what was refused; a context manager that closes what it opened."""

    #: "folder", "zip" or "iso"
    kind: str = ""

    def __init__(self, name: str) -> None:
        self.name = name
        self.label = ""
        self.entries: dict[str, Entry] = {}
        self.refusals: list[Refusal] = []
        #: what the file system itself breaks (ISO 9660 structures): place and problem
        self.structure: list[tuple[str, str]] = []

    @abstractmethod
    def read(self, path: str, limit: int = DEFAULT_LIMITS.read, offset: int = 0) -> bytes:
        """At most ``limit`` bytes of a file from ``offset``; empty if it cannot be read (which becomes a refusal)."""

    def whole(self, path: str, limit: int) -> bytes:
        """A file to its end, or its first ``limit`` bytes: more than one read returns."""
        entry = self.entries.get(path)
        size = min(entry.size, limit) if entry is not None else 0
        step = DEFAULT_LIMITS.read
        parts = [self.read(path, min(step, size - offset), offset) for offset in range(0, size, step)]
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def close(self) -> None:  # noqa: B027 - most media hold nothing open
        """Release what is open."""

    def __enter__(self) -> Medium:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def files(self) -> Iterator[Entry]:
        """Every file, in the order of paths."""
        return (self.entries[path] for path in sorted(self.entries) if not self.entries[path].folder)

    def refuse(self, path: str, reason: str) -> None:
        """Note that something was not followed."""
        if len(self.refusals) < 1000:
            self.refusals.append(Refusal(path[:300].encode("utf-8", "backslashreplace").decode(), reason))

    def take(self, entry: Entry, limits: Limits) -> bool:
        """Add an entry if its path is safe and there is room for it."""
        if len(self.entries) >= limits.entries:
            if not self.refusals or self.refusals[-1].reason != "too many entries":
                self.refuse(entry.path, "too many entries")
            return False
        if reason := unsafe(entry.path, limits.depth):
            self.refuse(entry.path, reason)
            return False
        if entry.path in self.entries:
            if not (entry.folder and self.entries[entry.path].folder):
                self.refuse(entry.path, "two entries of one name")
            return False
        self.entries[entry.path] = entry
        return True


class HeldMedium(Medium):
    """A medium whose files are in memory, by path: recorded evidence, or what a test makes up."""

    kind = "held"

    def __init__(self, name: str, files: Mapping[str, bytes], folders: Iterator[str] | tuple[str, ...] = ()) -> None:
        super().__init__(name)
        self._files = dict(files)
        for path in folders:
            self.take(Entry(path, folder=True), DEFAULT_LIMITS)
        for path, data in self._files.items():
            for parent in parents(path):
                self.take(Entry(parent, folder=True), DEFAULT_LIMITS)
            self.take(Entry(path, len(data)), DEFAULT_LIMITS)

    def read(self, path: str, limit: int = DEFAULT_LIMITS.read, offset: int = 0) -> bytes:
        """Part of a file."""
        return self._files.get(path, b"")[offset : offset + max(0, min(limit, DEFAULT_LIMITS.read))]


def parents(path: str) -> Iterator[str]:
    """The folders above a path, outermost first."""
    parts = path.split("/")[:-1]
    return ("/".join(parts[: number + 1]) for number in range(len(parts)))


def unsafe(path: str, depth: int = DEFAULT_LIMITS.depth) -> str:
    """Why a path must not be used as a file name on this machine, "" if it may."""
    if not path or "\0" in path or any(ord(character) < 0x20 for character in path):
        return "empty, or with control characters"
    if path.startswith(("/", "\\")) or re.match(r"[A-Za-z]:", path):
        return "an absolute path"
    if "\\" in path:
        return "a backslash in the path"
    parts = path.split("/")
    if any(part in ("", ".", "..") for part in parts):
        return "leaves the medium"
    if any(_DEVICES.fullmatch(part) for part in parts):
        return "the name of a device"
    if len(parts) > depth or len(path) > 1024:
        return f"deeper than {depth} levels or longer than 1024 characters"
    return ""
