"""DICOMDIR: structure, offsets, record types, keys (PS3.3 Annex F, PS3.10 section 8, PS3.11 D.3.3)."""

from __future__ import annotations

import re
from collections import defaultdict
from typing import Final

from harness.protocols.dicom import charset, uids
from harness.protocols.media.directory import (
    CHARACTER_SET,
    FILE_ID,
    INSTANCE_IN_FILE,
    Record,
    Tree,
)
from harness.validation.dictionary import implicit_vr
from harness.validation.dictionary import name as tag_name
from harness.validation.finding import Severity, shown
from harness.validation.media import tables
from harness.validation.media.rules import Outcome, Problem, Rule, outcome
from harness.validation.media.view import View, uids_media_directory

_COMPONENT: Final = re.compile(r"[A-Z0-9_]{1,8}")
_TEXT_VRS: Final = frozenset(("LO", "LT", "PN", "SH", "ST", "UC", "UT"))


def _meta(view: View) -> Outcome:
    directory = view.directory
    if directory is None:
        return outcome(0, ())
    found = [
        Problem(f"DICOMDIR {tag_name(tag)}", expected, shown(directory.meta_text(tag)))
        for tag, expected in ((0x00020002, uids_media_directory()), (0x00020010, uids.EXPLICIT_VR_LE))
        if directory.meta_text(tag) != expected
    ]
    if directory.meta.get(0x00020001) != b"\0\1":
        found.append(Problem(f"DICOMDIR {tag_name(0x00020001)}", "00 01", directory.meta.get(0x00020001, b"").hex(" ")))
    found += [
        Problem(f"DICOMDIR {tag_name(tag)}", "a value", "absent or empty")
        for tag in (0x00020003, 0x00020012)
        if not directory.meta_text(tag)
    ]
    return outcome(5, found)


def _structure(view: View) -> Outcome:
    if view.directory is None:
        return outcome(0, ())
    found = [Problem(f"DICOMDIR {p.where}", p.expected, p.actual) for p in view.directory.problems]
    return outcome(1 + len(view.directory.records), found)


def _links(view: View, rule: str) -> Outcome:
    if view.tree is None or view.directory is None:
        return outcome(0, ())
    found = [Problem(p.where, p.expected, p.actual) for p in view.tree.problems if p.rule == rule]
    return outcome(1 + 2 * len(view.directory.records), found)


def _offsets(view: View) -> Outcome:
    return _links(view, "offset")


def _loops(view: View) -> Outcome:
    return _links(view, "loop")


def _lost(view: View) -> Outcome:
    if view.tree is None or view.directory is None:
        return outcome(0, ())
    found = [Problem(record.where, "an offset that leads to it", "none") for record in view.tree.lost]
    return outcome(len(view.directory.records), found)


def _hierarchy(view: View) -> Outcome:
    tree = view.tree
    if tree is None:
        return outcome(0, ())
    parents = {tables.STUDY: (tables.PATIENT,), tables.SERIES: (tables.STUDY,), tables.DOCUMENT: (tables.PATIENT,)}
    found = []
    looked = 0
    for record in tree.walk():
        looked += 1
        above = tree.parent[record.offset]
        kind = record.type
        wanted = ("",) if kind in tables.ROOT_TYPES else parents.get(kind, (tables.SERIES,))
        if (above.type if above else "") not in wanted and kind not in tables.FORBIDDEN_TYPES:
            found.append(Problem(record.where, wanted[0] or "the root entity", above.where if above else "root entity"))
        if kind in (tables.PATIENT, tables.STUDY, tables.SERIES):
            if not tree.children(record):
                found.append(Problem(record.where, "at least one record below", "none"))
            if record.file:
                found.append(Problem(record.where, "no file", record.file))
    return outcome(looked, found)


def _types(view: View) -> Outcome:
    known = tables.LEAF_TYPES | tables.ROOT_TYPES | {tables.STUDY, tables.SERIES}
    found = []
    unused = view.tree.inactive if view.tree is not None else set()
    records = [r for r in (view.directory.records if view.directory is not None else ()) if r.offset not in unused]
    for record in records:
        if record.type not in known:
            found.append(Problem(record.where, "a type that media for interchange use", record.type or "(none)"))
            continue
        wanted = tables.record_type(record.ascii(0x00041510)) if record.file else ""
        if wanted and record.type != wanted:
            found.append(Problem(record.where, wanted, f"{record.type} for {uids.name_of(record.ascii(0x00041510))}"))
    return outcome(len(records), found)


def _patient_ids(view: View) -> Outcome:
    seen: dict[str, Record] = {}
    found = []
    patients = [record for record in view.records() if record.type == tables.PATIENT]
    for record in patients:
        identifier = record.text(tables.PATIENT_ID, "LO")
        if not identifier:
            found.append(Problem(record.where, "a Patient ID", "absent or empty"))
        elif identifier in seen:
            found.append(Problem(record.where, f"another Patient ID than {seen[identifier].where}", shown(identifier)))
        seen.setdefault(identifier, record)
    return outcome(len(patients), found)


def _unique(view: View) -> Outcome:
    keys = {tables.STUDY: tables.STUDY_UID, tables.SERIES: tables.SERIES_UID}
    seen: dict[tuple[int, str], Record] = {}
    found = []
    looked = 0
    for record in view.records():
        tag = keys.get(record.type, INSTANCE_IN_FILE if record.file else 0)
        uid = record.ascii(tag) if tag else ""
        if uid:
            looked += 1
            first = seen.setdefault((tag, uid), record)
            if first is not record:
                found.append(Problem(record.where, f"another {tag_name(tag)} than {first.where}", uid))
    return outcome(looked, found)


def _keys(view: View) -> Outcome:
    found = []
    looked = 0
    for record in view.records():
        wanted = tables.KEYS.get(record.type, ())
        if record.type in tables.LEAF_TYPES:
            # a document that is no DICOM file has a path, but neither class nor instance
            own = tables.FILE_KEYS[:1] if record.type == tables.DOCUMENT else tables.FILE_KEYS
            wanted = (*wanted, *((tag, 1) for tag in own))
        for tag, kind in wanted:
            looked += 1
            if tag not in record.values:
                found.append(Problem(f"{record.where}, {tag_name(tag)}", f"an element of type {kind}", "absent"))
            elif kind == 1 and not record.values[tag].strip(b" \0"):
                found.append(Problem(f"{record.where}, {tag_name(tag)}", "a value", "empty"))
    return outcome(looked, found)


def _image_keys(view: View) -> Outcome:
    """Image Type and Referenced Image Sequence are repeated when the image has them."""
    found = []
    looked = 0
    for path, record in view.referenced.items():
        header = view.instances.get(path)
        if record.type != "IMAGE" or header is None:
            continue
        for tag in (tables.IMAGE_TYPE, tables.REFERENCED_IMAGES):
            if header.values.get(tag):
                looked += 1
                if tag not in record.values:
                    found.append(Problem(f"{record.where}, {tag_name(tag)}", "as in the image", "absent"))
    return outcome(looked, found)


def _file_ids(view: View) -> Outcome:
    found = []
    referring = [record for record in view.records() if FILE_ID in record.values]
    for record in referring:
        parts = record.components
        if not 1 <= len(parts) <= 8 or not all(_COMPONENT.fullmatch(part) for part in parts):
            place = f"{record.where}, {tag_name(FILE_ID)}"
            found.append(
                Problem(place, "1 to 8 components of 1 to 8 characters A-Z 0-9 _", shown(record.values[FILE_ID]))
            )
    if view.directory is not None:
        identifier = view.directory.file_set_id
        if len(identifier) > 16 or not re.fullmatch(r"[A-Z0-9_ ]*", identifier):
            found.append(Problem("DICOMDIR (0004,1130)", "up to 16 characters A-Z 0-9 _", shown(identifier)))
    return outcome(len(referring) + (view.directory is not None), found)


def _character_sets(view: View) -> Outcome:
    """Texts of a record are read by the character set of the same record."""
    found = []
    looked = 0
    for record in view.records():
        looked += 1
        terms = record.character_set
        if CHARACTER_SET in record.values:
            for problem in charset.check_terms(terms):
                found.append(Problem(f"{record.where}, {tag_name(CHARACTER_SET)}", "defined terms", problem.detail))
        for tag, raw in record.values.items():
            if raw.isascii() and b"\x1b" not in raw:
                continue
            vr = record.vrs.get(tag) or implicit_vr(tag)
            if vr in _TEXT_VRS:
                _, problems = charset.decode_strict(raw, terms, vr)
                if problems:
                    place = f"{record.where}, {tag_name(tag)}"
                    found.append(Problem(place, f"text in {', '.join(terms) or 'ISO-IR 6'}", problems[0].detail))
    return outcome(looked, found)


def leaves(tree: Tree) -> dict[str, list[Record]]:
    """Records with a file, by the path of the file."""
    found: dict[str, list[Record]] = defaultdict(list)
    for record in tree.walk():
        if record.file:
            found[record.file].append(record)
    return found


_E = Severity.ERROR
RULES: tuple[Rule, ...] = (
    Rule("MEDIA-DICOMDIR-META", _E, "PS3.10 7.1, 8.6", "The file meta information of DICOMDIR is wrong.", _meta),
    Rule("MEDIA-DICOMDIR-STRUCTURE", _E, "PS3.5 7, PS3.3 F.3", "DICOMDIR cannot be read in full.", _structure),
    Rule("MEDIA-OFFSETS", _E, "PS3.3 F.2.2", "An offset does not lead to the first byte of a record.", _offsets),
    Rule("MEDIA-LOOP", _E, "PS3.3 F.2.2", "Offsets lead in a circle, or twice to one record.", _loops),
    Rule("MEDIA-RECORD-LOST", _E, "PS3.3 F.2.2", "No offset leads to a record that is in use.", _lost),
    Rule("MEDIA-HIERARCHY", _E, "PS3.3 F.4", "A record is misplaced in the tree, or leads to nothing.", _hierarchy),
    Rule("MEDIA-RECORD-TYPE", _E, "TF-3:4.47.4.1.2.3.1.2", "A record type is obsolete, private or unfit.", _types),
    Rule("MEDIA-PATIENT-ID", _E, "PS3.11 D.3.3", "A Patient ID is empty or that of two records.", _patient_ids),
    Rule("MEDIA-UID-UNIQUE", _E, "PS3.3 F.5", "Two records of one level have the same UID.", _unique),
    Rule("MEDIA-RECORD-KEY", _E, "PS3.3 F.5, PS3.11 D.3.3.1", "A key of a record is missing or empty.", _keys),
    Rule("MEDIA-IMAGE-KEY", _E, "PS3.11 D.3.3.2", "A key that the image has is not in its record.", _image_keys),
    Rule("MEDIA-FILE-ID", _E, "PS3.10 8.2", "A file or file-set identifier is malformed.", _file_ids),
    Rule("MEDIA-CHARACTER-SET", _E, "PS3.3 F.3.2.2, PS3.5 6.1", "A text is not in its character set.", _character_sets),
)  # fmt: skip
