"""A medium as a person wants to see it: what is on it, what each reader would see of it, pictures, pages.

Everything on a medium is hostile: sizes, counts and times are bounded, text is escaped, and no script of a page runs.
"""

from __future__ import annotations

import base64
import io
import shutil
import subprocess
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from html import escape
from pathlib import Path
from typing import Final

import pydicom
from pydicom.dataset import Dataset

from harness.core.errors import EnvironmentFailure
from harness.protocols.dicom import uids
from harness.protocols.media import pages
from harness.protocols.media.directory import Record, Tree, parse
from harness.protocols.media.medium import Medium
from harness.protocols.media.writing.site import jpeg

#: shows a page (of a folder) as a PNG; empty if it cannot
Browser = Callable[[Path, str], bytes]
_STORAGE: Final = "1.2.840.10008.5.1.4.1.1."
_THUMBNAILS: Final = 24
_PAGES: Final = 4
_FILES: Final = 400
_LINES: Final = 300
_DIRECTORY_BYTES: Final = 256 << 20
_IMAGE_BYTES: Final = 16 << 20
_PIXELS: Final = 16 << 20
_SECONDS: Final = 30.0
_WEB_BYTES: Final = 64 << 20
_UNREADABLE: Final = (
    ValueError, RuntimeError, AttributeError, NotImplementedError, KeyError, TypeError, OSError, EOFError, IndexError,
    pydicom.errors.InvalidDicomError, EnvironmentFailure, ArithmeticError, MemoryError,
)  # fmt: skip


def medium_html(
    medium: Medium, browser: Browser | None = None, *, style: bool = True, thumbnails: int = _THUMBNAILS
) -> str:
    """A piece of HTML; ``browser`` adds screenshots of the first pages.

    Without ``style`` the page around it has to bring :data:`STYLE`.
    """
    entry = medium.entries.get("DICOMDIR")
    raw = medium.whole("DICOMDIR", _DIRECTORY_BYTES) if entry is not None and not entry.folder else b""
    tree = Tree(parse(raw)) if raw else None
    leaves = [record for record in tree.walk() if record.file] if tree is not None else []
    web = [e.path for e in medium.files() if e.path.startswith("IHE_PDI/")]
    parts = [
        f'<section class="medium">{f"<style>{STYLE}</style>" if style else ""}',
        f"<p>{escape(_forms(medium))}. Label: <b>{escape(medium.label or '(none)')}</b>. "
        f"Content: <b>{'DICOM PLUS WEB' if 'INDEX.HTM' in medium.entries else 'DICOM ONLY'}</b>.</p>",
        "<h3>Patients, studies, series</h3>",
        _tree(medium, tree, thumbnails) if tree is not None else "<p>There is no DICOMDIR that could be read.</p>",
        "<h3>What each reader would see</h3>",
        _readers(medium, leaves, web),
        _screens(medium, web, browser),
        "<h3>Files</h3>",
        _files(medium),
        "</section>",
    ]
    return "".join(parts)


#: of the piece
STYLE: Final = (
    ".medium figure{display:inline-block;margin:.3rem;max-width:11rem;vertical-align:top}"
    ".medium figure img{max-width:11rem;max-height:11rem;min-width:5rem;display:block;image-rendering:pixelated}"
    ".medium .page img{image-rendering:auto}"
    ".medium figcaption{font-size:.8rem;overflow-wrap:anywhere}.medium .page img{max-width:24rem;border:1px solid #999}"
    ".medium .page{max-width:24rem}.medium ul{list-style:none;padding-left:1.2rem}.medium li{margin:.15rem 0}"
    ".medium .path{font-family:ui-monospace,monospace;font-size:.85rem;overflow-wrap:anywhere}"
)


def _forms(medium: Medium) -> str:
    files = list(medium.files())
    size = sum(entry.size for entry in files)
    kind = {"folder": "A folder", "zip": "A ZIP file", "iso": "An ISO 9660 image"}.get(medium.kind, medium.kind)
    shown = f"{size / 1e6:.1f} MB" if size >= 1e6 else f"{size / 1e3:.1f} kB"
    return f"{kind} with {len(files)} files, {shown}"


def _tree(medium: Medium, tree: Tree, thumbnails: int) -> str:
    room = [thumbnails]
    lines: list[str] = []

    def level(records: list[Record], depth: int) -> None:
        lines.append("<ul>")
        for record in records:
            if len(lines) > 4 * _LINES or depth > 8:
                lines.append("<li>… and more</li>")
                break
            lines.append(f"<li>{_line(tree, record)}")
            children = tree.children(record)
            if record.type == "SERIES":
                lines.append(_pictures(medium, children, room))
            elif children:
                level(children, depth + 1)
            lines.append("</li>")
        lines.append("</ul>")

    level(tree.roots, 0)
    return "".join(lines)


def _line(tree: Tree, record: Record) -> str:
    texts = {
        "PATIENT": (record.text(0x00100010, "PN"), record.text(0x00100020, "LO")),
        "STUDY": (record.ascii(0x00080020), record.text(0x00081030, "LO")),
        "SERIES": (record.ascii(0x00080060), record.ascii(0x00200011), _count(len(tree.children(record)), "object")),
    }.get(record.type, (record.file,))
    shown = " · ".join(escape(text[:200]) for text in texts if text) or "(empty)"
    return f"<b>{escape(record.type.capitalize())}</b> {shown}"


def _pictures(medium: Medium, records: list[Record], room: list[int]) -> str:
    found = []
    for record in records[:3]:
        if room[0] <= 0:
            break
        picture = _thumbnail(medium, record.file)
        if picture:
            room[0] -= 1
            found.append(
                f'<figure><img alt="{escape(record.file)}" src="data:image/jpeg;base64,{_base64(picture)}">'
                f"<figcaption>{escape(record.file)}</figcaption></figure>"
            )
    kinds = Counter(record.type for record in records)
    others = ", ".join(f"{number} × {kind}" for kind, number in kinds.items() if kind != "IMAGE")
    return "".join(found) + (f"<p>{escape(others)}</p>" if others else "")


def _thumbnail(medium: Medium, path: str) -> bytes:
    entry = medium.entries.get(path)
    if entry is None or entry.folder or entry.size > _IMAGE_BYTES:
        return b""
    try:
        dataset = pydicom.dcmread(io.BytesIO(medium.read(path)))
        return jpeg(dataset) or b"" if _small(dataset) else b""
    except _UNREADABLE:
        return b""


def _small(dataset: Dataset) -> bool:
    frames = int(dataset.get("NumberOfFrames", 1) or 1)
    return 0 < int(dataset.get("Rows", 0)) * int(dataset.get("Columns", 0)) * frames <= _PIXELS


def _readers(medium: Medium, leaves: list[Record], web: list[str]) -> str:
    there = [record for record in leaves if record.file in medium.entries]
    images = [record for record in there if record.type == "IMAGE"]
    reports = [record for record in there if record.type in ("SR DOCUMENT", "KEY OBJECT DOC")]
    strange = [record for record in there if not record.ascii(0x00041510).startswith(_STORAGE)]
    named = {record.file for record in leaves}
    lost = [entry.path for entry in medium.files() if entry.path.startswith("DICOM/") and entry.path not in named]
    missing = len(leaves) - len(there)
    classes = Counter(uids.name_of(record.ascii(0x00041510)) for record in there)
    browser_sees = "nothing: there is no INDEX.HTM"
    if "INDEX.HTM" in medium.entries:
        html = sum(path.upper().endswith((".HTM", ".HTML")) for path in web)
        browser_sees = f"INDEX.HTM, {_count(html, 'page')} and {_count(len(web) - html, 'other file')} in IHE_PDI"
    rows = (
        ("Portable Media Importer", f"{_count(len(there), 'object')}: {_several(classes)}"),
        ("Image Display", f"{_count(len(images), 'image')}" + _states(there)),
        ("Report Reader", _count(len(reports), "structured report or key object note", "structured reports or notes")),
        ("Print Composer", f"{_count(len(images), 'image')} to print"),
        ("Display (a web browser)", browser_sees),
        ("Nobody through DICOMDIR", _several(Counter(lost)) if lost else "every file of the folder DICOM has a record"),
        ("Named, but not on the medium", _count(missing, "object")),
        ("Of classes that few know", _several(Counter(r.ascii(0x00041510) for r in strange)) if strange else "none"),
    )
    lines = "".join(f"<tr><th>{escape(who)}<td>{escape(what)}</tr>" for who, what in rows)
    return f"<table>{lines}</table>"


def _states(there: list[Record]) -> str:
    number = sum(record.type == "PRESENTATION" for record in there)
    return f", {_count(number, 'presentation state')}" if number else ""


def _several(found: Counter[str]) -> str:
    shown = [f"{number} × {name}" if number > 1 else name for name, number in found.most_common(8)]
    return ", ".join(shown) + (" …" if len(found) > 8 else "")


def _count(number: int, one: str, many: str = "") -> str:
    return f"{number} {one if number == 1 else many or one + 's'}"


def _screens(medium: Medium, web: list[str], browser: Browser | None) -> str:
    if "INDEX.HTM" not in medium.entries:
        return ""
    chosen = ["INDEX.HTM", *sorted(path for path in web if path.upper().endswith((".HTM", ".HTML")))][:_PAGES]
    figures = []
    shots = dict(_shots(medium, web, chosen, browser)) if browser is not None else {}
    for path in chosen:
        page = pages.parse(path, medium.read(path, pages.MAXIMUM_SIZE + 1))
        body = (
            f'<img alt="{escape(path)}" src="data:image/png;base64,{_base64(shots[path])}">'
            if shots.get(path)
            else f"<p>{escape((page.problem or page.text)[:400])}</p>"
        )
        caption = f"{path}: {page.title or '(no title)'}, {_count(len(page.links), 'link')}"
        figures.append(f'<figure class="page">{body}<figcaption>{escape(caption[:200])}</figcaption></figure>')
    return "<h3>Pages</h3>" + "".join(figures)


def _shots(medium: Medium, web: list[str], chosen: list[str], browser: Browser) -> Iterator[tuple[str, bytes]]:
    """The pages are copied to a folder of their own first: a browser sees nothing else."""
    room = _WEB_BYTES
    with tempfile.TemporaryDirectory(prefix="pages-") as name:
        for path in ("INDEX.HTM", "README.TXT", *web):
            entry = medium.entries.get(path)
            if entry is None or entry.folder or entry.size > room:
                continue
            room -= entry.size
            place = Path(name) / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(medium.read(path))
        for path in chosen:
            yield path, browser(Path(name), path)


def installed_browser() -> Browser | None:
    """Chromium or Chrome if either is installed."""
    program = shutil.which("chromium") or shutil.which("google-chrome")
    return browser_of(program) if program else None


def browser_of(program: str) -> Browser:
    """Chromium without scripts, network and history."""

    def show(folder: Path, page: str) -> bytes:
        with tempfile.TemporaryDirectory(prefix="shot-") as work:
            shot, frame = Path(work) / "shot.png", Path(work) / "frame.html"
            # a sandboxed frame runs no script, opens no window and sends no form
            address = escape((folder / page).resolve().as_uri())
            frame.write_text(
                f"<!doctype html><style>*{{margin:0;border:0}}</style>"
                f'<iframe sandbox src="{address}" style="width:100vw;height:100vh"></iframe>'
            )
            argv = [
                program, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
                "--host-resolver-rules=MAP * ~NOTFOUND", "--proxy-server=127.0.0.1:9",
                f"--user-data-dir={work}", f"--screenshot={shot}", "--window-size=800,600",
                "--virtual-time-budget=5000", frame.as_uri(),
            ]  # fmt: skip
            try:
                subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, timeout=_SECONDS, check=False)
                return shot.read_bytes()
            except (OSError, subprocess.TimeoutExpired):
                return b""

    return show


def _files(medium: Medium) -> str:
    listed = [f"{entry.path} ({entry.size} bytes)" for entry in medium.files()]
    lines = "".join(f'<li class="path">{escape(line)}</li>' for line in listed[:_FILES])
    more = f"<li>… and {len(listed) - _FILES} more</li>" if len(listed) > _FILES else ""
    refused = "".join(
        f'<li class="path">not followed: {escape(one.path)} ({escape(one.reason)})</li>' for one in medium.refusals[:50]
    )
    return f"<details><summary>{len(listed)} files</summary><ul>{lines}{more}{refused}</ul></details>"


def _base64(raw: bytes) -> str:
    return base64.b64encode(raw).decode("ascii")
