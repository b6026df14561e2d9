"""Defective importers, one decision each: what they leave out, change, or pass over in silence."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from harness.actors.media.importer import MediaImporterBehaviour, Report
from harness.protocols.media.directory import Record
from harness.protocols.media.medium import Medium
from harness.protocols.media.secure import Keys

Row = tuple[str, str, str, Callable[[MediaImporterBehaviour], MediaImporterBehaviour]]
_STORAGE: Final = "1.2.840.10008.5.1.4.1.1."
_PIXELS: Final = b"\xe0\x7f\x10\x00"


def _known(record: Record) -> bool:
    return record.ascii(0x00041510).startswith(_STORAGE)


def _first_only(medium: Medium, records: list[Record]) -> list[Record]:
    """Whoever stops after the first image."""
    return records[:1]


def _dicom_only(medium: Medium, records: list[Record]) -> list[Record]:
    """A medium with pages for a browser is taken for no DICOM medium."""
    return [] if "INDEX.HTM" in medium.entries else records


def _until_unknown(medium: Medium, records: list[Record]) -> list[Record]:
    """Everything or nothing: one object that it does not know, and the import is called off."""
    return records if all(_known(record) for record in records) else []


def _flipped(content: bytes) -> bytes:
    """The pixel data with the first sample changed, as a lossy store would."""
    place = content.rfind(_PIXELS) + 12
    return content[:place] + bytes((content[place] ^ 1,)) + content[place + 1 :] if place > 12 else content


def _new_uid(content: bytes) -> bytes:
    """Every instance with another UID of the same length."""
    place = content.find(b"\x08\x00\x18\x00UI")
    if place < 0:
        return content
    length = int.from_bytes(content[place + 6 : place + 8], "little")
    uid = content[place + 8 : place + 8 + length].rstrip(b"\0")
    return content.replace(uid, uid[:-1] + (b"1" if uid[-1:] != b"1" else b"2"))


def _no_errors(report: Report) -> Report:
    return replace(report, errors=[])


def _no_unsupported(report: Report) -> Report:
    return replace(report, unsupported=[])


class _Crash(Exception):
    """What brings it down."""


def _crashing(report: Report) -> Report:
    if report.errors:
        raise _Crash("an importer that does not survive a faulty medium")
    return report


MEDIA_IMPORTER_DEFECTS: tuple[Row, ...] = (
    (
        "importer-first-only",
        "only the first object is imported",
        "RAD-47-PMI-01 RAD-47-PMI-02 RAD-47-PMI-06 RAD-47-SEC-01",
        lambda own: replace(own, choose=_first_only),
    ),
    (
        "importer-no-web",
        "a medium with web content is not imported",
        "RAD-47-PMI-01 RAD-47-PMI-02 RAD-47-PMI-03",
        lambda own: replace(own, choose=_dicom_only),
    ),
    (
        "importer-all-or-nothing",
        "one object of an unknown class stops the import",
        "RAD-47-PMI-01 RAD-47-PMI-02 RAD-47-PMI-03",
        lambda own: replace(own, choose=_until_unknown),
    ),
    (
        "importer-silent-classes",
        "objects of unknown classes are left out in silence",
        "RAD-47-PMI-03",
        lambda own: replace(own, tell=_no_unsupported),
    ),
    ("importer-pixels", "pixel data are changed", "RAD-47-PMI-05", lambda own: replace(own, keep=_flipped)),
    ("importer-new-uids", "objects get new UIDs", "RAD-47-PMI-05", lambda own: replace(own, keep=_new_uid)),
    (
        "importer-silent-errors",
        "faults of a medium are passed over",
        "RAD-47-PMI-06",
        lambda own: replace(own, tell=_no_errors),
    ),
    (
        "importer-crashes",
        "a fault of a medium ends the program",
        "RAD-47-PMI-06",
        lambda own: replace(own, tell=_crashing),
    ),
    (
        "importer-no-password",
        "protected media are not opened",
        "RAD-47-SEC-01",
        lambda own: replace(own, keys=lambda keys: Keys()),
    ),
)
