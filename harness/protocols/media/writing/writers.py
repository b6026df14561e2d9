"""A layout as a folder, a ZIP file or an ISO 9660 image, and the comparison of what was written with what was meant."""

from __future__ import annotations

import io
import re
import shutil
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from harness.core.errors import EnvironmentFailure, UsageError
from harness.protocols.media.sources import open_medium
from harness.protocols.media.writing.fileset import Layout

#: called with how many files are done and how many there are
Progress = Callable[[int, int], None]
_PART: Final = 8 << 20
_LEVEL_1: Final = re.compile(r"(?:[A-Z0-9_]{1,8}/){0,7}[A-Z0-9_]{1,8}(?:\.[A-Z0-9_]{1,3})?")


def check_target(target: Path) -> None:
    """Raises UsageError unless ``target`` is new, or an empty folder."""
    if target.suffix.lower() in _WRITERS:
        if target.exists():
            raise UsageError(f"{target} exists; choose another name or remove it")
        if not target.absolute().parent.is_dir():
            raise UsageError(f"{target.absolute().parent} is no folder; make it first")
    elif target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise UsageError(f"{target} is not an empty folder")


def write(layout: Layout, target: Path, progress: Progress | None = None) -> None:
    """Write ``FILE.iso``, ``FILE.zip`` or a folder. Raises UsageError for a target in use, OSError for a full disk."""
    check_target(target)
    _WRITERS.get(target.suffix.lower(), _write_folder)(layout, target, progress or (lambda done, total: None))


def verify(layout: Layout, target: Path, progress: Progress | None = None) -> list[str]:
    """Read a medium back: what differs from its layout, in words; empty if nothing does.

    Every byte is compared, at most 8 MB at a time. Raises UsageError if ``target`` is no medium at all.
    """
    wrong: list[str] = []
    with open_medium(target) as medium:
        for number, path in enumerate(sorted(layout.files), 1):
            entry = medium.entries.get(path)
            held = layout.files[path]
            size = held.stat().st_size if isinstance(held, Path) else len(held)
            if entry is None or entry.folder:
                wrong.append(f"{path} is not there")
            elif entry.size != size:
                wrong.append(f"{path} has {entry.size} bytes, not {size}")
            elif not all(
                medium.read(path, _PART, offset) == layout.part(path, offset, _PART) for offset in range(0, size, _PART)
            ):
                wrong.append(f"{path} has other bytes")
            if progress is not None:
                progress(number, len(layout.files))
        wrong += [f"{entry.path} should not be there" for entry in medium.files() if entry.path not in layout.files]
        wrong += [f"{one.path}: {one.reason}" for one in medium.refusals]
        wrong += [f"{where}: {what}" for where, what in medium.structure]
        if medium.kind == "iso" and medium.label != layout.label:
            wrong.append(f"the label is {medium.label!r}, not {layout.label!r}")
    return wrong


def _write_folder(layout: Layout, target: Path, progress: Progress) -> None:
    for folder in layout.folders:
        (target / folder).mkdir(parents=True, exist_ok=True)
    for number, (path, held) in enumerate(layout.files.items(), 1):
        place = target / path
        place.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(held, Path):
            shutil.copyfile(held, place)
        else:
            place.write_bytes(held)
        progress(number, len(layout.files))


def _write_zip(layout: Layout, target: Path, progress: Progress) -> None:
    with zipfile.ZipFile(target, "x", zipfile.ZIP_DEFLATED) as archive:
        for folder in layout.folders:
            archive.mkdir(folder)
        for number, (path, held) in enumerate(layout.files.items(), 1):
            if isinstance(held, Path):
                info = zipfile.ZipInfo(path)
                info.compress_type, info.file_size = zipfile.ZIP_DEFLATED, held.stat().st_size
                info.external_attr = 0o644 << 16
                with held.open("rb") as source, archive.open(info, "w") as stream:
                    shutil.copyfileobj(source, stream, _PART)
            else:
                archive.writestr(path, held)
            progress(number, len(layout.files))


def _write_iso(layout: Layout, target: Path, progress: Progress) -> None:
    try:
        import pycdlib
    except ImportError:
        raise EnvironmentFailure("ISO images need pycdlib; install ihe-harness[media]") from None
    image = pycdlib.PyCdlib()
    # whoever wants a faulty medium gets one: names that Level 1 forbids need a higher level
    level = 1 if all(_LEVEL_1.fullmatch(path) for path in (*layout.files, *layout.folders)) else 4
    image.new(interchange_level=level, vol_ident=layout.label)
    try:
        made = {""}
        done = 0
        for path in sorted({*layout.files, *layout.folders}):
            parts = path.split("/")
            for depth in range(1, len(parts) + (path not in layout.files)):
                folder = "/".join(parts[:depth])
                if folder not in made:
                    made.add(folder)
                    image.add_directory("/" + folder)
            if path not in layout.files:
                continue
            name = "/" + path + (";1" if "." in parts[-1] else ".;1")
            held = layout.files[path]
            if isinstance(held, Path):
                image.add_file(str(held), name)
            else:
                image.add_fp(io.BytesIO(held), len(held), name)
            done += 1
            progress(done, len(layout.files))
        image.write(str(target))
    finally:
        image.close()


_WRITERS: Final[Mapping[str, Callable[[Layout, Path, Progress], None]]] = {".zip": _write_zip, ".iso": _write_iso}
