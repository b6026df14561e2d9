"""What lies where on the medium, and how files and folders are named (PS3.10 section 8, PS3.12 F.1.2.1)."""

from __future__ import annotations

import re
from typing import Final

from harness.protocols.media.secure import SecureMedium, is_enveloped
from harness.validation.finding import Severity
from harness.validation.media.rules import Outcome, Problem, Rule, outcome
from harness.validation.media.view import DICOMDIR, INDEX, README, WEB_FOLDER, View, in_web

_NAME: Final = re.compile(r"[A-Z0-9_]{1,8}(?:\.[A-Z0-9_]{1,3})?")
_FOLDER_NAME: Final = re.compile(r"[A-Z0-9_]{1,8}")
_DEPTH: Final = 8
_IHE: Final = "TF-3:4.47.4.1.2"
_DATE: Final = re.compile(
    r"(?:19|20)\d\d ?年 ?\d{1,2} ?月 ?\d{1,2} ?日|(?:19|20)\d\d ?년 ?\d{1,2} ?월 ?\d{1,2} ?일"
    r"|\b(?:19|20)\d\d[-/. ]?(?:0?[1-9]|1[0-2])[-/. ]?(?:[0-2]?\d|3[01])\b"
    r"|\b[0-3]?\d[-/. ](?:[01]?\d|[A-Za-z]{3,9})[-/. ,]+(?:19|20)\d\d\b|\b[A-Za-z]{3,9} \d{1,2}, ?(?:19|20)\d\d\b"
)
#: what README.TXT has to speak of, and words that show that it does
_SUBJECTS: Final = (
    ("the institution and how to reach it", ("institution", "hospital", "clinic", "contact", "phone", "tel")),
    ("the product that made the medium", ("created by", "created with", "product", "software", "version", "vendor")),
    ("how the medium is laid out", ("dicomdir", "folder", "directory", "layout")),
    ("additional applications, or that there are none", ("application", "program", "viewer", "software")),
    ("a disclaimer", ("disclaimer", "not intended", "not for", "no warranty", "liab", "responsib")),
)


def _structure(view: View) -> Outcome:
    found = [Problem(where, "the structure that ISO 9660 gives", what) for where, what in view.medium.structure]
    return outcome(1 if view.medium.kind == "iso" else 0, found)


def _label(view: View) -> Outcome:
    """The volume identifier of a CD is the File-set ID, padded with blanks."""
    if view.medium.kind != "iso" or view.directory is None or view.claimed not in ("", "CD"):
        return outcome(0, ())
    wanted, label = view.directory.file_set_id, view.medium.label
    problem = Problem("volume identifier", f"the File-set ID {wanted!r}", repr(label)[:80])
    return outcome(1, [] if label == wanted else [problem])


def _refused(view: View) -> Outcome:
    found = [Problem(one.path, "a file or folder inside the medium", one.reason) for one in view.medium.refusals]
    return outcome(len(view.medium.entries) + len(found), found)


def _directory_in_root(view: View) -> Outcome:
    ok = DICOMDIR in view.medium.entries and not view.medium.entries[DICOMDIR].folder
    return outcome(
        1, [] if ok else [Problem(DICOMDIR, "a file in the root", ", ".join(view.directories) or "(absent)")]
    )


def _one_directory(view: View) -> Outcome:
    found = [Problem(path, "one DICOMDIR", "another one") for path in view.directories[1:]]
    return outcome(len(view.directories), found)


def _no_dicom_in_root(view: View) -> Outcome:
    root = [entry.path for entry in view.files if "/" not in entry.path and entry.path.upper() != DICOMDIR]
    return outcome(len(root) + 1, [Problem(p, "no DICOM file in the root", "one") for p in root if view.is_dicom(p)])


def _no_dicom_in_web(view: View) -> Outcome:
    inside = [entry.path for entry in view.files if in_web(entry.path)]
    return outcome(len(inside), [Problem(p, "no DICOM file in IHE_PDI", "one") for p in inside if view.is_dicom(p)])


def _readme(view: View) -> Outcome:
    ok = README in view.medium.entries and view.medium.entries[README].size > 0
    return outcome(1, [] if ok else [Problem(README, "a file in the root", "(absent or empty)")])


def _readme_content(view: View) -> Outcome:
    text = view.text(README).lower()
    if not text:
        return outcome(0, ())
    found = [Problem(README, subject, "not found") for subject, words in _SUBJECTS if not any(w in text for w in words)]
    return outcome(len(_SUBJECTS), found)


def _readme_plain(view: View) -> Outcome:
    if README not in view.medium.entries:
        return outcome(0, ())
    raw = view.medium.read(README, 1 << 20)
    bad = next(
        (number for number, byte in enumerate(raw) if byte > 0x7E or (byte < 0x20 and byte not in b"\t\r\n")), -1
    )
    return outcome(1, [] if bad < 0 else [Problem(f"{README}, byte {bad}", "ASCII text", f"{raw[bad]:02X}")])


def _names(view: View) -> Outcome:
    found = [
        Problem(entry.path, "A-Z, 0-9 and _; at most 8 characters, a dot and 3 more", repr(entry.name)[:80])
        for entry in view.medium.entries.values()
        if not (_FOLDER_NAME if entry.folder else _NAME).fullmatch(entry.name)
        and not (in_web(entry.path) and not entry.folder)
    ]
    return outcome(len(view.medium.entries), found)


def _depth(view: View) -> Outcome:
    # the root is the first level, so that a folder is one deeper than its path has components (PS3.12 F.1.2.1)
    levels = ((entry.path, entry.path.count("/") + 1 + entry.folder) for entry in view.medium.entries.values())
    found = [Problem(path[:120], f"at most {_DEPTH} levels", f"{level}") for path, level in levels if level > _DEPTH]
    return outcome(len(view.medium.entries), found)


def _no_extension(view: View) -> Outcome:
    found = [Problem(path, "a file name without extension", path) for path in view.instances if "." in path]
    return outcome(len(view.instances), found)


def _prefix(view: View) -> Outcome:
    root = [path for path in view.medium.entries if "/" not in path]
    found = [
        Problem(p, "no other name that begins with IHE", p)
        for p in root
        if p.upper().startswith("IHE") and p != WEB_FOLDER
    ]
    return outcome(len(root), found)


def _secure(view: View) -> Outcome:
    if view.protected:
        return outcome(0, ())
    chosen = [path for path in (*view.referenced, *view.directories) if path in view.medium.entries]
    found = [
        Problem(path, "a plain DICOM file", "CMS enveloped data: a password or key is needed to read it")
        for path in chosen
        if path not in view.instances and is_enveloped(view.medium.read(path, 32))
    ]
    return outcome(len(chosen), found)


def _protected(view: View) -> Outcome:
    """With Privacy Protection each DICOM file, DICOMDIR included, is a Secure DICOM File that the key opens."""
    medium = view.medium
    if not view.protected or not isinstance(medium, SecureMedium):
        return outcome(0, ())
    sealed = set(medium.enveloped)
    wanted = sorted({*view.directories, *view.instances, *(path for path in view.referenced if path in medium.entries)})
    found = [
        Problem(path, "a Secure DICOM File", "a file that anybody can read") for path in wanted if path not in sealed
    ]
    found += [Problem(path, must, what) for path, must, what in medium.problems]
    return outcome(len(wanted) + len(medium.problems), found)


def _extras(view: View) -> Outcome:
    """Folders that hold DICOM files hold nothing else."""
    folders = {path.rpartition("/")[0] for path in view.instances} - {""}
    others = [
        entry.path
        for entry in view.files
        if entry.path.rpartition("/")[0] in folders and entry.path not in view.instances and not in_web(entry.path)
    ]
    found = [
        Problem(path, "additional content outside of the folders of DICOM files", "among DICOM files")
        for path in others
        if path not in view.referenced
    ]
    return outcome(len(folders), found)


def _autorun(view: View) -> Outcome:
    found = []
    for entry in view.files:
        if entry.path.upper() == "AUTORUN.INF":
            lines = [line.replace(" ", "") for line in view.text(entry.path).lower().splitlines()]
            if any(line.startswith(("open=", "shellexecute=", "shell\\")) for line in lines):
                found.append(Problem(entry.path, "no program that starts by itself", "open= or shellexecute="))
    return outcome(1, found)


def _dated(view: View) -> Outcome:
    texts = [view.text(path) for path in (README, INDEX) if path in view.medium.entries]
    if not texts:
        return outcome(0, ())
    ok = any(_DATE.search(text) for text in texts)
    return outcome(1, [] if ok else [Problem(f"{README}, {INDEX}", "the date when the medium was made", "no date")])


_E, _W = Severity.ERROR, Severity.WARNING
RULES: tuple[Rule, ...] = (
    Rule("MEDIA-ISO", _E, "PS3.12 F.1.2.1, ECMA-119", "The image breaks ISO 9660 Level 1.", _structure),
    Rule("MEDIA-LABEL", _E, "PS3.12 F.1.1", "The volume label is not the File-set ID.", _label),
    Rule("MEDIA-REFUSED", _E, "PS3.10 8", "A path, link or entry that no reader may follow.", _refused),
    Rule("MEDIA-DICOMDIR-ROOT", _E, "PS3.10 8.6", "There is no DICOMDIR in the root.", _directory_in_root),
    Rule("MEDIA-DICOMDIR-ONE", _E, "PS3.10 8.6", "There is more than one DICOMDIR.", _one_directory),
    Rule("MEDIA-ROOT-DICOM", _E, _IHE, "A DICOM file lies in the root.", _no_dicom_in_root),
    Rule("MEDIA-WEB-DICOM", _E, _IHE, "A DICOM file lies in IHE_PDI.", _no_dicom_in_web),
    Rule("MEDIA-README", _E, _IHE, "There is no README.TXT in the root.", _readme),
    Rule("MEDIA-README-CONTENT", _W, "TF-3:4.47", "README.TXT leaves out something it has to say.", _readme_content),
    Rule("MEDIA-README-TEXT", _W, "TF-3:4.47", "README.TXT is no plain text.", _readme_plain),
    Rule("MEDIA-NAME", _E, "PS3.10 8.5, PS3.12 F.1.2.1", "A name breaks ISO 9660 Level 1.", _names),
    Rule("MEDIA-DEPTH", _E, "PS3.12 F.1.2.1", "Folders are nested deeper than 8 levels.", _depth),
    Rule("MEDIA-DICOM-EXTENSION", _E, "PS3.12 F.1.2.1", "A DICOM file has an extension.", _no_extension),
    Rule("MEDIA-IHE-PREFIX", _E, "TF-3:4.47.4.1.2.2.3", "A name in the root begins with IHE.", _prefix),
    Rule("MEDIA-SECURE", _E, "PS3.11 D.3.5", "A file is encrypted on a medium without that claim.", _secure),
    Rule("MEDIA-PROTECTED", _E, "PS3.11 D.3.5, PS3.15 D.1.1", "A file is not protected.", _protected),
    Rule("MEDIA-EXTRA", _E, _IHE, "Additional content lies among DICOM files.", _extras),
    Rule("MEDIA-AUTORUN", _W, "TF-3:4.47", "A program is meant to start by itself.", _autorun),
    Rule("MEDIA-DATE", _W, "TF-3:4.47", "The medium does not say when it was made.", _dated),
)  # fmt: skip
