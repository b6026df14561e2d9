"""Part 10 files around data sets that stay as they were received (PS3.10 section 7.1)."""

from __future__ import annotations

import functools
import os
import struct
import threading
from pathlib import Path

from harness.core.message import Blob
from harness.protocols.dicom.negotiation import IMPLEMENTATION_CLASS, IMPLEMENTATION_VERSION

_COPY = 4 << 20


def file_meta(sop_class: str, sop_instance: str, transfer_syntax: str, source_ae: str = "") -> bytes:
    """Preamble, prefix and file meta information; the data set follows."""
    elements = [
        _long(0x0001, b"OB", b"\0\1"),
        _short(0x0002, b"UI", sop_class),
        _short(0x0003, b"UI", sop_instance),
        _short(0x0010, b"UI", transfer_syntax),
        _short(0x0012, b"UI", IMPLEMENTATION_CLASS),
        _short(0x0013, b"SH", IMPLEMENTATION_VERSION),
    ]
    if source_ae:
        elements.append(_short(0x0016, b"AE", source_ae))
    body = b"".join(elements)
    return bytes(128) + b"DICM" + struct.pack("<HH2sHI", 2, 0, b"UL", 4, len(body)) + body


@functools.lru_cache(maxsize=512)
def _short(element: int, vr: bytes, text: str) -> bytes:
    value = text.encode("latin-1", "replace")
    if len(value) & 1:
        value += b"\0" if vr == b"UI" else b" "
    return struct.pack("<HH2sH", 2, element, vr, len(value)) + value


def _long(element: int, vr: bytes, value: bytes) -> bytes:
    return struct.pack("<HH2sHI", 2, element, vr, 0, len(value)) + value


def write_part10(
    path: Path, payload: Blob, sop_class: str, sop_instance: str, transfer_syntax: str, source_ae: str = ""
) -> int:
    """Write a file around the payload, byte for byte; its size. An existing file is replaced.

    A payload that came from the network into a file of its own is such a file already: it gets a second name.
    """
    if payload.path is not None and payload.offset > 132 and _link(payload, path, sop_instance, transfer_syntax):
        return payload.offset + payload.size
    head = file_meta(sop_class, sop_instance, transfer_syntax, source_ae)
    # Never into an existing file: it may be another name of the payload itself.
    # The name is that of the thread: two associations may bring the same instance.
    partial = path.with_name(f"{path.name}.{threading.get_ident()}.part")
    partial.unlink(missing_ok=True)
    handle = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
    try:
        if payload.data is not None:
            _write(handle, [head, payload.data])
        else:
            _write(handle, [head])
            with payload.open() as stream:
                while portion := stream.read(_COPY):
                    _write(handle, [portion])
    except OSError:
        partial.unlink(missing_ok=True)  # half a file is no instance
        raise
    finally:
        os.close(handle)
    partial.replace(path)
    return len(head) + payload.size


def _link(payload: Blob, path: Path, sop_instance: str, transfer_syntax: str) -> bool:
    """Give the file of the payload a second name if it is a Part 10 file of that instance; False to copy instead."""
    assert payload.path is not None
    handle = os.open(payload.path, os.O_RDONLY)
    try:
        head = os.pread(handle, payload.offset, 0)
    finally:
        os.close(handle)
    if head[128:132] != b"DICM" or any(text.encode("latin-1") not in head for text in (sop_instance, transfer_syntax)):
        return False
    try:
        os.link(payload.path, path)
    except FileExistsError:
        path.unlink()
        return _link(payload, path, sop_instance, transfer_syntax)
    except OSError:
        return False  # another file system
    return True


def _write(handle: int, buffers: list[bytes]) -> None:
    pending: list[bytes | memoryview] = list(buffers)
    while pending:
        written = os.writev(handle, pending)
        while pending and written >= len(pending[0]):
            written -= len(pending.pop(0))
        if pending and written:
            pending[0] = memoryview(pending[0])[written:]
