"""DIMSE status codes in words, from the tables of pynetdicom (PS3.7 annex C, PS3.4 by service class)."""

from __future__ import annotations

from typing import Any

from pynetdicom import sop_class as _sop_class
from pynetdicom import status as _status


def category(status: int) -> str:
    """``Success``, ``Pending``, ``Cancel``, ``Warning``, ``Failure`` or ``Unknown`` (PS3.7 table C.1-1)."""
    return str(_status.code_to_category(status))


def describe(status: int, sop_class: str = "") -> str:
    """``0xA700 Failure: Out of Resources``; the words of the service class where they are known."""
    table: dict[int, Any] = dict(_status.GENERAL_STATUS)
    if sop_class:
        service = _sop_class.uid_to_service_class(sop_class)
        table |= getattr(service, "statuses", {})
    kind, text = table.get(status, (category(status), ""))[:2]
    return f"0x{status:04X} {kind}" + (f": {text}" if text else "")
