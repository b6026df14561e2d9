"""A protected medium as it is inside: envelopes are opened into a private temporary folder when the medium is."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path

from harness.protocols.media.medium import DEFAULT_LIMITS, Medium
from harness.protocols.media.secure.envelope import SecureProblem, is_enveloped
from harness.protocols.media.secure.opening import Keys, open_file

_LARGEST = 1 << 30


class SecureMedium(Medium):
    """``inner`` with its Secure DICOM Files opened. It closes ``inner``, and removes what it decrypted.

    ``in_memory`` keeps what is decrypted in memory; nothing has to be closed then.

    ``problems`` lists by path what the security profile does not allow, and files that the keys do not open.
    """

    def __init__(self, inner: Medium, keys: Keys, *, in_memory: bool = False) -> None:
        super().__init__(inner.name)
        self.kind, self.label, self.structure, self.refusals = inner.kind, inner.label, inner.structure, inner.refusals
        self.joliet = getattr(inner, "joliet", False)
        self.entries = dict(inner.entries)
        self._inner = inner
        self._spool = None if in_memory else tempfile.TemporaryDirectory(prefix="opened-")
        self._opened: dict[str, Path | bytes] = {}
        self.enveloped: list[str] = []
        self.problems: list[tuple[str, str, str]] = []
        for entry in inner.files():
            if is_enveloped(inner.read(entry.path, 32)):
                self.enveloped.append(entry.path)
                self._open(entry.path, entry.size, keys)

    def _open(self, path: str, size: int, keys: Keys) -> None:
        if size > _LARGEST:
            self.problems.append((path, f"at most {_LARGEST} bytes", f"{size}"))
            return
        raw = self._inner.whole(path, _LARGEST)
        try:
            opened = open_file(raw, keys)
        except SecureProblem as error:
            self.problems.append((path, "a Secure DICOM File that the key opens", str(error)))
            return
        self.problems += [(path, wanted, found) for wanted, found in opened.problems]
        self._opened[path] = opened.content
        if self._spool is not None:
            place = Path(self._spool.name) / f"{len(self._opened):08d}"
            place.write_bytes(opened.content)
            self._opened[path] = place
        self.entries[path] = replace(self.entries[path], size=len(opened.content))

    def read(self, path: str, limit: int = DEFAULT_LIMITS.read, offset: int = 0) -> bytes:
        """Part of a file, decrypted if it was protected."""
        place = self._opened.get(path)
        if place is None:
            return self._inner.read(path, limit, offset)
        if isinstance(place, bytes):
            return place[offset : offset + max(0, min(limit, DEFAULT_LIMITS.read))]
        with place.open("rb") as stream:
            stream.seek(offset)
            return stream.read(max(0, min(limit, DEFAULT_LIMITS.read)))

    def close(self) -> None:
        """Forget what was decrypted, and close the medium."""
        if self._spool is not None:
            self._spool.cleanup()
        self._inner.close()
