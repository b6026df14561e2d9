"""The DICOM files of a medium: referenced, complete, equal to their records, in the transfer syntax of the profile."""

from __future__ import annotations

from functools import cache
from typing import Final

from pydicom._uid_dict import UID_dictionary

from harness.protocols.dicom import uids
from harness.protocols.media.directory import CHARACTER_SET, Record, decoded
from harness.protocols.media.elements import Header
from harness.validation.dictionary import implicit_vr
from harness.validation.dictionary import name as tag_name
from harness.validation.finding import Severity, shown
from harness.validation.media import tables
from harness.validation.media.rules import Outcome, Problem, Rule, outcome
from harness.validation.media.view import View

#: attributes of records that must say what the files say, by the type of the record
_COMPARED: Final = {
    tables.PATIENT: (tables.NAME, tables.PATIENT_ID, 0x00100030, 0x00100040),
    tables.STUDY: (0x00080020, 0x00080030, 0x00080050, 0x00081030, tables.STUDY_UID, 0x00200010),
    tables.SERIES: (0x00080060, tables.SERIES_UID, 0x00200011, 0x0008103E),
}
_COMPARED_LEAF: Final = (
    tables.IMAGE_TYPE, 0x00200013, 0x00080023, 0x00080033, 0x0040A491, 0x0040A493, 0x00700080, 0x00700081, 0x00700084,
    0x00700082, 0x00700083, 0x00420010, 0x00420012,
)  # fmt: skip
_REFERENCE: Final = ((0x00041510, 0x00080016), (0x00041511, 0x00080018))


def _missing(view: View) -> Outcome:
    found = [
        Problem(f"{record.where}, (0004,1500)", "a file on the medium", path)
        for path, record in view.referenced.items()
        if path not in view.medium.entries or view.medium.entries[path].folder
    ]
    found += [
        Problem(path, "a DICOM file", "something else")
        for path, record in view.referenced.items()
        if path in view.medium.entries and not view.medium.entries[path].folder and path not in view.instances
        if record.type != tables.DOCUMENT
    ]
    return outcome(len(view.referenced), found)


def _unreferenced(view: View) -> Outcome:
    if not view.directories:
        return outcome(0, ())
    found = [Problem(path, "a record in DICOMDIR", "none") for path in view.instances if path not in view.referenced]
    return outcome(len(view.instances), found)


def _values(view: View) -> Outcome:
    """Keys of the record of a file, and of all records above it, equal the values in the file."""
    tree = view.tree
    if tree is None:
        return outcome(0, ())
    found: list[Problem] = []
    looked = 0
    told: set[tuple[int, int]] = set()
    for path, leaf in view.referenced.items():
        header = view.instances.get(path)
        if header is None or not header.values:
            continue
        record: Record | None = leaf
        while record is not None:
            tags = _COMPARED.get(record.type, _COMPARED_LEAF)
            for tag in tags:
                if tag in record.values:
                    looked += 1
                    if (record.offset, tag) not in told and (problem := _differs(record, header, tag)) is not None:
                        told.add((record.offset, tag))
                        found.append(problem)
            record = tree.parent.get(record.offset)
        for stated, actual in _REFERENCE:
            looked += 1
            if leaf.ascii(stated) != header.text(actual):
                place = f"{leaf.where}, {tag_name(stated)}"
                found.append(Problem(place, shown(header.text(actual)), shown(leaf.ascii(stated))))
        if leaf.ascii(0x00041512) != header.transfer_syntax:
            place = f"{leaf.where}, {tag_name(0x00041512)}"
            found.append(Problem(place, header.transfer_syntax, shown(leaf.ascii(0x00041512))))
    return outcome(looked, found)


def _differs(record: Record, header: Header, tag: int) -> Problem | None:
    stated = record.values[tag].rstrip(b" \0")
    actual = header.values.get(tag, b"").rstrip(b" \0")
    if not actual and (tag, 1) in tables.KEYS.get(record.type, ()):
        return None  # a key that needs a value, of an attribute that may be empty in the file: the creator makes one up
    sets = record.values.get(CHARACTER_SET, b""), header.values.get(CHARACTER_SET, b"")
    if stated == actual and (stated.isascii() or sets[0].strip(b" \0") == sets[1].strip(b" \0")):
        return None
    vr = record.vrs.get(tag) or implicit_vr(tag)
    terms = tuple(part.strip() for part in header.text(CHARACTER_SET).split("\\")) if header.text(CHARACTER_SET) else ()
    one, other = decoded(stated, record.character_set, vr), decoded(actual, terms, vr)
    if one == other or (vr == "PN" and one.rstrip("^=") == other.rstrip("^=")):
        return None
    if vr in ("IS", "TM") and _normal(one, vr) == _normal(other, vr):
        return None
    return Problem(f"{record.where}, {tag_name(tag)}", f"{shown(other)} as in {header.path}", shown(one))


def _normal(text: str, vr: str) -> str:
    if vr == "IS":
        return str(int(text)) if text.lstrip("+-").isdecimal() and text.isascii() else text
    return text.rstrip("0").rstrip(".") if "." in text else text.ljust(6, "0")


def _meta(view: View) -> Outcome:
    found = []
    for path, header in view.instances.items():
        if not header.has_meta:
            found.append(Problem(path, "file meta information", "none"))
            continue
        if header.meta.get(0x00020001) != b"\0\1":
            found.append(Problem(f"{path} {tag_name(0x00020001)}", "00 01", header.meta.get(0x00020001, b"").hex(" ")))
        for tag, own in ((0x00020002, 0x00080016), (0x00020003, 0x00080018)):
            if header.values and header.meta_text(tag) != header.text(own):
                found.append(Problem(f"{path} {tag_name(tag)}", shown(header.text(own)), shown(header.meta_text(tag))))
        found += [
            Problem(f"{path} {tag_name(tag)}", "a value", "absent or empty")
            for tag in (0x00020010, 0x00020012)
            if not header.meta_text(tag)
        ]
    return outcome(len(view.instances), found)


def _readable(view: View) -> Outcome:
    found = [
        Problem(path, "a file that can be read to its end", header.problem)
        for path, header in view.instances.items()
        if header.problem and header.has_meta
    ]
    return outcome(len(view.instances), found)


def _profile(view: View) -> Outcome:
    """All files are in a transfer syntax of one application profile of the kind of medium."""
    used = {header.transfer_syntax for header in view.instances.values() if header.transfer_syntax}
    if not used:
        return outcome(0, ())
    kinds = (view.claimed,) if view.claimed in tables.PROFILES else tuple(tables.PROFILES)
    profiles = {name: allowed for kind in kinds for name, allowed in tables.PROFILES[kind].items()}
    if any(used <= allowed for allowed in profiles.values()):
        return outcome(len(view.instances), ())
    best = max(profiles.values(), key=lambda allowed: len(used & allowed))
    found = [
        Problem(path, f"a transfer syntax of {' or '.join(profiles)}", uids.name_of(header.transfer_syntax))
        for path, header in view.instances.items()
        if header.transfer_syntax not in best
    ]
    return outcome(len(view.instances), found)


def _references(view: View) -> Outcome:
    found = []
    looked = 0
    for header, referred in view.referring():
        looked += len(referred)
        missing = sorted(uid for uid in referred if uid not in view.by_instance)
        if missing:
            found.append(
                Problem(header.path, "what it refers to is on the medium", f"not there: {', '.join(missing[:3])}")
            )
    return outcome(looked, found)


@cache
def _retired() -> frozenset[str]:
    return frozenset(uid for uid, entry in UID_dictionary.items() if entry[1] == "SOP Class" and entry[3] == "Retired")


def _classes(view: View) -> Outcome:
    found = []
    for path, header in view.instances.items():
        sop_class = header.text(0x00080016)
        if sop_class in _retired():
            found.append(Problem(path, "a SOP class in force", f"retired: {uids.name_of(sop_class)}"))
        elif sop_class and not sop_class.startswith("1.2.840.10008."):
            found.append(Problem(path, "a standard SOP class", f"private: {sop_class[:64]}"))
    return outcome(len(view.instances), found)


_E, _W = Severity.ERROR, Severity.WARNING
RULES: tuple[Rule, ...] = (
    Rule("MEDIA-FILE-MISSING", _E, "PS3.10 8.6", "A record names a file that is not there or no DICOM file.", _missing),
    Rule("MEDIA-FILE-UNREFERENCED", _E, "PS3.11 D.3.3", "A DICOM file has no record in DICOMDIR.", _unreferenced),
    Rule("MEDIA-KEY-VALUE", _E, "PS3.3 F.3.2.2", "A key of a record differs from the file.", _values),
    Rule("MEDIA-FILE-META", _E, "PS3.10 7.1", "File meta information is missing or contradicts the data set.", _meta),
    Rule("MEDIA-FILE-BROKEN", _E, "PS3.10 7", "A DICOM file cannot be read to its end.", _readable),
    Rule("MEDIA-PROFILE", _E, "PS3.11 D, H, J", "A transfer syntax is not of the application profile.", _profile),
    Rule("MEDIA-REFERENCE", _W, "TF-3:4.47", "An object refers to an instance that is not on the medium.", _references),
    Rule("MEDIA-CLASS", _W, "TF-3:4.47", "A SOP class is retired or private.", _classes),
)  # fmt: skip
