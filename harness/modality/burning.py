"""Writes a medium so that it either is there as a whole, read back and compared, or not at all."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Collection, Sequence
from enum import StrEnum
from pathlib import Path

from harness.modality import compression, wire
from harness.modality.errors import Refused, StoreProblem
from harness.protocols.media.writing import PROFILES, FileSet, Layout, MediumPlan, verify, write


class Form(StrEnum):
    """What carries the content."""

    FOLDER = "folder"
    ZIP = "zip"
    ISO = "iso"


#: how many of how many steps are done
Progress = Callable[[int, int], None]
Writer = Callable[[Layout, Path, Progress], None]


class Kind(StrEnum):
    """What the medium is meant to be, which decides the encodings that it may hold (PS3.11 annexes D, H, J)."""

    CD = "CD"
    DVD = "DVD"
    USB = "USB"


_JPEG_2000 = ("1.2.840.10008.1.2.4.90", "1.2.840.10008.1.2.4.91")


def profile_of(kind: Kind, syntaxes: Collection[str]) -> str:
    """Return the application profile for objects that are encoded like this."""
    if kind is Kind.CD:
        return "STD-GEN-CD"
    return f"STD-GEN-{kind}-{'J2K' if set(syntaxes) & set(_JPEG_2000) else 'JPEG'}"


def form_of(target: str) -> Form:
    """Tell the form from the ending of a name."""
    return {".zip": Form.ZIP, ".iso": Form.ISO}.get(Path(target).suffix.lower(), Form.FOLDER)


def staging(target: Path) -> Path:
    """Return where a medium is made before it takes its place; the ending stays, because it is the form."""
    return target.with_name(f".part-{target.name}")


def burn(
    files: Sequence[Path],
    target: Path,
    plan: MediumPlan,
    file_set_uid: str,
    progress: Progress,
    writer: Writer = write,
) -> int:
    """Write objects to a medium that was not there before; return how many files are on it.

    What an earlier attempt left is removed. Raises OSError, Refused for an object that media cannot hold, and
    StoreProblem if what was read back is not what was written.
    """
    part = staging(target)
    plain = part.with_name(part.name + ".objects")
    _remove(part)
    _remove(plain)
    try:
        plain.mkdir(parents=True)
        with FileSet(plan, file_set_uid) as file_set:
            for number, file in enumerate(files):
                problem = file_set.add(_native(file, plain / f"{number:06d}", PROFILES[plan.profile]))
                if problem:
                    raise Refused(f"{file.name} cannot be put on media: {problem}")
                progress(number + 1, 3 * len(files))
            layout = file_set.layout()
            count = len(layout.files)
            writer(layout, part, lambda done, total: progress(total + done, 3 * total))
            wrong = verify(layout, part, lambda done, total: progress(2 * total + done, 3 * total))
        if wrong:
            raise StoreProblem(f"{target}: what was written does not read back: {'; '.join(wrong[:3])}; try again")
        _settle(part)
        if target.is_dir():
            target.rmdir()
        part.rename(target)
    finally:
        _remove(part)
        _remove(plain)
    return count


def _native(file: Path, place: Path, allowed: Collection[str]) -> Path:
    # General purpose CDs hold Explicit VR Little Endian only (PS3.11 D.3.2), others some compressions as well.
    dataset, syntax = wire.read_file(file)
    if syntax in allowed:
        return file
    wire.write_file(place, compression.decompress(dataset, syntax))
    return place


def _settle(part: Path) -> None:
    for path in [part] if part.is_file() else [each for each in part.rglob("*") if each.is_file()]:
        with path.open("rb+") as stream:
            os.fsync(stream.fileno())


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
