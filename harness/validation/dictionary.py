"""The data dictionary (PS3.6, PS3.7) as fast look-ups by tag number, from pydicom's tables."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from types import ModuleType

from harness.core.errors import EngineFailure


def _packaged() -> ModuleType:
    """pydicom's module of tables alone: the package around it needs a second to load what is not asked for here."""
    package = importlib.util.find_spec("pydicom")
    places = package.submodule_search_locations if package is not None else None
    if places:
        spec = importlib.util.spec_from_file_location("_pydicom_dictionary", Path(places[0]) / "_dicom_dict.py")
        if spec is not None and spec.loader is not None:
            module = importlib.util.module_from_spec(spec)
            spec.loader.exec_module(module)
            return module
    raise EngineFailure("the data dictionary of pydicom was not found; install pydicom again")


_TABLES = _packaged()
_Entry = tuple[str, str, str, str, str]
DicomDictionary: Mapping[int, _Entry] = _TABLES.DicomDictionary
RepeatersDictionary: Mapping[str, _Entry] = _TABLES.RepeatersDictionary
#: tag -> VR as the dictionary has it, alternatives joined by " or "
VR: Mapping[int, str] = {tag: entry[0] for tag, entry in DicomDictionary.items()}
VM: Mapping[int, str] = {tag: entry[1] for tag, entry in DicomDictionary.items()}
KEYWORD: Mapping[int, str] = {tag: entry[4] for tag, entry in DicomDictionary.items()}
RETIRED = frozenset(tag for tag, entry in DicomDictionary.items() if entry[3])
TAG: Mapping[str, int] = {entry[4]: tag for tag, entry in DicomDictionary.items() if entry[4]}
#: tag -> (VR, VM), one look-up for the two questions that every element is asked
RULES: Mapping[int, tuple[str, str]] = {tag: (entry[0], entry[1]) for tag, entry in DicomDictionary.items()}
SEQUENCE_TAGS = frozenset(tag for tag, vr in VR.items() if vr == "SQ")
_REPEATERS = tuple(
    (
        int("".join("0" if digit == "x" else "F" for digit in mask), 16),
        int(mask.replace("x", "0"), 16),
        (entry[0], entry[1], entry[4]),
    )
    for mask, entry in RepeatersDictionary.items()
)


@lru_cache(maxsize=1024)
def repeating(tag: int) -> tuple[str, str, str] | None:
    """VR, VM and keyword of an element of a repeating group such as (60xx,0010), or None."""
    for mask, value, entry in _REPEATERS:
        if tag & mask == value:
            return entry
    return None


def implicit_vr(tag: int) -> str:
    """The VR that a reader of implicit encoding takes: the dictionary's, UN if it has none."""
    vr = VR.get(tag)
    if vr is not None:
        return vr
    if tag & 0x10000:
        number = tag & 0xFFFF
        return "LO" if 0x10 <= number <= 0xFF else "UN"
    if not tag & 0xFFFF:
        return "UL"
    entry = repeating(tag)
    return entry[0] if entry else "UN"


def dictionary_vm(tag: int) -> str | None:
    """The dictionary's VM such as ``1``, ``2-n``, ``3-3n``; None for private and unknown elements."""
    vm = VM.get(tag)
    if vm is None and not tag & 0x10000:
        entry = repeating(tag)
        return entry[1] if entry else None
    return vm


def name(tag: int) -> str:
    """``(0010,0020) PatientID``; only the tag if the dictionary has none."""
    keyword = KEYWORD.get(tag, "")
    if not keyword and (entry := repeating(tag)):
        keyword = entry[2]
    shown = f"({tag >> 16:04X},{tag & 0xFFFF:04X})"
    return f"{shown} {keyword}" if keyword else shown
