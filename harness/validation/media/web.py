"""Web content: INDEX.HTM, the folder IHE_PDI, its pages, pictures and links (RAD TF-3 4.47.4.1.2)."""

from __future__ import annotations

import re
from typing import Final

from harness.protocols.media import pages
from harness.validation.finding import Severity
from harness.validation.media.rules import Outcome, Problem, Rule, outcome
from harness.validation.media.view import DICOMDIR, INDEX, README, WEB_FOLDER, View, in_web

_NAME: Final = re.compile(r"[A-Z0-9_]{1,8}(?:\.[A-Z0-9_]{1,3})?")
_CONTENT: Final = frozenset(("HTM", "HTML", "XHTML", "JPG", "JPEG", "CSS", "ICO", "PNG", "GIF"))
_PICTURES: Final = frozenset(("JPG", "JPEG", "PNG", "GIF", "BMP", "TIF", "TIFF", "WEBP", "SVG"))
_UID: Final = re.compile(r"(?<![\d.])[12]\.\d+(?:\.\d+){5,30}(?![\d.])|(?<![\d.])2\.25\.\d{10,39}(?![\d.])")
#: UIDs that DICOM itself registers (SOP classes, transfer syntaxes): they identify no object of anybody
_REGISTERED: Final = "1.2.840.10008."
_UID_BYTES: Final = re.compile(rb"[012](?:\.\d+)+")


def _ending(path: str) -> str:
    return path.rpartition(".")[2].upper() if "." in path else ""


def _web_files(view: View) -> list[str]:
    return [entry.path for entry in view.files if in_web(entry.path)] if view.has_web else []


def _folder(view: View) -> Outcome:
    if not view.has_web:
        return outcome(0, ())
    entry = view.medium.entries.get(WEB_FOLDER)
    found = [] if entry is not None and entry.folder else [Problem(WEB_FOLDER, "a folder in the root", "(absent)")]
    files = _web_files(view)
    found += [Problem(p, "web content", _ending(p) or "no extension") for p in files if _ending(p) not in _CONTENT]
    return outcome(1 + len(files), found)


def _index(view: View) -> Outcome:
    if not view.has_web:
        return outcome(0, ())
    return outcome(1, [] if INDEX in view.medium.entries else [Problem(INDEX, "a file in the root", "(absent)")])


def _index_content(view: View) -> Outcome:
    page = view.pages.get(INDEX)
    if page is None or page.problem:
        return outcome(0, ())
    targets = [pages.target(INDEX, link.value) or "" for link in page.links]
    text = page.text.lower()
    wanted = (
        ("a link to a page in IHE_PDI", any(in_web(place) for place in targets)),
        ("a link to README.TXT", README in targets),
        ("the institution", any(word in text for word in ("institution", "hospital", "clinic", "created by"))),
        ("a disclaimer", any(word in text for word in ("disclaimer", "not intended", "not for", "liab", "responsib"))),
        ("the DICOM content that can be imported", "dicom" in text),
    )
    return outcome(len(wanted), [Problem(INDEX, what, "not found") for what, ok in wanted if not ok])


def _xhtml(view: View) -> Outcome:
    found = []
    for path, page in view.pages.items():
        if page.problem:
            found.append(Problem(path, "well-formed XHTML without entities of its own", page.problem))
        elif page.root != "html" or page.namespace != pages.NAMESPACE:
            found.append(
                Problem(path, f"html in {pages.NAMESPACE}", f"{page.root} in {page.namespace or 'no namespace'}")
            )
        elif "XHTML" not in page.doctype.upper():
            found.append(Problem(path, "a document type of XHTML", page.doctype or "none"))
    return outcome(len(view.pages), found)


def _jpeg(view: View) -> Outcome:
    pictures = [path for path in _web_files(view) if _ending(path) in _PICTURES]
    found = []
    for path in pictures:
        size = view.medium.entries[path].size
        head, tail = view.medium.read(path, 3), view.medium.read(path, 64, max(0, size - 64))
        if head != b"\xff\xd8\xff":
            found.append(Problem(path, "a JPEG picture", f"begins with {head.hex(' ')}"))
        elif b"\xff\xd9" not in tail:
            found.append(Problem(path, "a complete JPEG picture", "no end of image"))
    return outcome(len(pictures), found)


def _links(view: View) -> Outcome:
    found = []
    looked = 0
    upper = {path.upper(): path for path in view.medium.entries}
    for path, page in view.pages.items():
        for link in page.links:
            looked += 1
            place = f"{path}, line {link.line}, {link.element} {link.attribute}"
            wanted = pages.target(path, link.value)
            if wanted is None:
                if not link.value.startswith(("mailto:", "tel:")):
                    found.append(Problem(place, "a relative link inside the medium", link.value[:80]))
            elif wanted == "":
                anchor = link.value.strip().removeprefix("#")
                if anchor and anchor not in page.anchors:
                    found.append(Problem(place, f"a place {anchor!r} on the page", "none"))
            elif wanted not in view.medium.entries:
                other = upper.get(wanted.upper())
                found.append(Problem(place, other or "a file on the medium", wanted[:80]))
    return outcome(looked, found)


def _active(view: View) -> Outcome:
    found = [
        Problem(f"{path}, line {line}", "no script and no plug-in", what)
        for path, page in view.pages.items()
        for what, line in page.active
    ]
    found += [
        Problem(f"{path}, line {link.line}", "no script", link.value[:40])
        for path, page in view.pages.items()
        for link in page.links
        if link.value.strip().lower().startswith(("javascript:", "vbscript:", "data:"))
    ]
    return outcome(len(view.pages), found)


def _counterpart(view: View) -> Outcome:
    """Identifiers on pages are those of DICOM objects of the medium."""
    shown = {path: sorted(set(_UID.findall(page.text))) for path, page in view.pages.items()}
    if not any(shown.values()):
        return outcome(0, ())
    known = {
        uid.decode("ascii")
        for header in view.instances.values()
        for raw in (*header.values.values(), *header.meta.values())
        for uid in _UID_BYTES.findall(raw)
    }
    found = []
    looked = 0
    for path, identifiers in shown.items():
        for uid in identifiers:
            if uid.startswith(_REGISTERED):
                continue
            looked += 1
            if uid not in known:
                found.append(Problem(path, "identifiers of DICOM objects on the medium", uid))
    return outcome(looked, found)


def _names(view: View) -> Outcome:
    files = _web_files(view)
    found = [
        Problem(path, "A-Z, 0-9 and _; at most 8 characters, a dot and 3 more", path.rpartition("/")[2])
        for path in files
        if not _NAME.fullmatch(path.rpartition("/")[2])
    ]
    return outcome(len(files), found)


def _not_linked(view: View) -> Outcome:
    """Pages do not lead into the DICOM content: a browser cannot show it."""
    found = []
    looked = 0
    for path, page in view.pages.items():
        for link in page.links:
            place = pages.target(path, link.value)
            looked += 1
            if place and (place in view.instances or place == DICOMDIR):
                found.append(Problem(f"{path}, line {link.line}", "a link to what a browser can show", place))
    return outcome(looked, found)


_E, _W = Severity.ERROR, Severity.WARNING
_IHE: Final = "TF-3:4.47.4.1.2"
RULES: tuple[Rule, ...] = (
    Rule("WEB-FOLDER", _E, _IHE, "IHE_PDI is missing or holds something else than web content.", _folder),
    Rule("WEB-INDEX", _E, _IHE, "There is no INDEX.HTM in the root.", _index),
    Rule("WEB-INDEX-CONTENT", _W, _IHE, "INDEX.HTM leaves out something it has to say.", _index_content),
    Rule("WEB-XHTML", _E, "TF-3:4.47.4.1.2.3.2", "A page is no XHTML.", _xhtml),
    Rule("WEB-JPEG", _E, "TF-3:4.47.4.1.2.3.2", "A picture is no JPEG.", _jpeg),
    Rule("WEB-LINK", _W, "TF-3:4.47", "A link leaves the medium or leads nowhere.", _links),
    Rule("WEB-ACTIVE", _W, "TF-3:4.47", "A page needs a script or plug-in.", _active),
    Rule("WEB-COUNTERPART", _E, _IHE, "A page shows what is not among the DICOM objects.", _counterpart),
    Rule("WEB-NAME", _E, "PS3.12 F.1.2.1", "The name of a web file breaks ISO 9660 Level 1.", _names),
    Rule("WEB-DICOM-LINK", Severity.INFO, "TF-3:4.47", "A page leads to a DICOM file.", _not_linked),
)  # fmt: skip
