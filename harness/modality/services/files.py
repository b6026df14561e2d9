"""Objects as files for others: exported as they are, compressed, or rendered as a picture."""

from __future__ import annotations

import base64
import os
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from pydicom.uid import UID

from harness.modality import compression, wire
from harness.modality.errors import NotFound, Refused, StoreProblem
from harness.modality.services.intake import MOST, Intake, Taken
from harness.modality.services.kernel import Kernel
from harness.modality.services.review import Review

EXPORT, IMPORT = "export", "import"
_MOST_FILES = 20000


class Files:
    """What leaves the modality as a file. Over the network only plain names below the home are taken."""

    def __init__(self, kernel: Kernel, review: Review, intake: Intake) -> None:
        self._k, self._review, self._intake = kernel, review, intake

    def import_files(self, source: str) -> dict[str, Any]:
        """Take the DICOM files of a folder, or one file, into the store; what is already here in use stays as it is."""
        place = self._k.place(source, IMPORT)
        if not place.exists():
            raise NotFound(f"{place} is not there")
        studies: dict[str, None] = {}
        kept, refused = 0, []
        for path in _files_below(place):
            if path.name.upper() == "DICOMDIR":
                continue
            name = str(path.relative_to(place)) if place.is_dir() else path.name
            try:
                study, reason = self._import(path)
            except OSError as error:
                raise StoreProblem(f"{path}: {error.strerror or error}; free space or choose another place") from error
            if reason:
                refused.append({"file": name, "reason": reason})
            else:
                kept += 1
                studies[study] = None
        if not kept and not refused:
            raise NotFound(f"{place} holds no files")
        self._k.log(3, "import", f"{kept} object(s) from {place}, {len(refused)} refused")
        return {"source": str(place), "imported": kept, "studies": list(studies), "refused": refused}

    def _import(self, path: Path) -> tuple[str, str]:
        """Return the study that a file belongs to, or why it was not taken."""
        if path.stat().st_size > MOST:
            return "", str(Taken.TOO_LARGE)
        try:
            body, sop_class, sop_instance, syntax = wire.read_body(path)
        except StoreProblem:
            return "", "it is not a DICOM file"
        taken = self._intake.take(body, sop_class, sop_instance, syntax, "imported")
        if taken is not Taken.KEPT:
            return "", str(taken)
        return str(
            self._k.database.scalar(
                "SELECT study_instance_uid FROM Study JOIN Instance USING (study_key) WHERE sop_instance_uid = ?",
                sop_instance,
            )
        ), ""

    def export(self, studies: Sequence[str], target: str, syntax: str = "") -> dict[str, Any]:
        """Copy the DICOM files of studies into a new folder, as they are or in another lossless transfer syntax."""
        rows = [row for study in dict.fromkeys(studies) for row in self._k.archive.instances(study)]
        if not rows:
            raise NotFound("these studies hold no objects")
        scheme = compression.scheme(syntax) if syntax else None
        if scheme is not None and scheme.lossy:
            raise Refused(f"{scheme.name} is lossy and would make other objects; use compress for single images")
        folder = self._k.place(target, EXPORT)
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise Refused(f"{folder} is not an empty folder")
        written: list[str] = []

        def write() -> None:
            for number, row in enumerate(rows, start=1):
                file = self._k.home / row["path_name"] / row["file_name"]
                place = folder / f"{number:06d}.dcm"
                place.parent.mkdir(parents=True, exist_ok=True)
                if scheme is None:
                    shutil.copyfile(file, place)
                else:
                    dataset, own = wire.read_file(file)
                    plain = compression.decompress(dataset, own)
                    used = (
                        scheme if "PixelData" in plain or not UID(scheme.uid).is_encapsulated else compression.EXPLICIT
                    )
                    made = compression.compress(plain, used, new_uid=self._k.uids.new)
                    wire.write_file(place, made, used.uid)
                written.append(place.name)

        _on_disk(folder, write)
        return {"target": str(folder), "files": len(written)}

    def compress(self, instance: str, syntax: str, target: str, quality: int = 90) -> dict[str, Any]:
        """Write a compressed copy of an image to a new file; a lossy one is a derived object with a new UID."""
        scheme = compression.scheme(syntax)
        if not 1 <= quality <= 100:
            raise Refused("quality is 1 to 100")
        place = self._new_file(target)
        dataset, _ = self._review.load(instance)
        before = len(wire.encode_dataset(dataset, wire.EXPLICIT_VR_LE))
        made = compression.compress(dataset, scheme, new_uid=self._k.uids.new, quality=quality)
        _on_disk(place, lambda: wire.write_file(place, made, scheme.uid))
        size = len(wire.encode_dataset(made, scheme.uid))
        return {
            "target": str(place),
            "sop_instance_uid": str(made.SOPInstanceUID),
            "transfer_syntax": scheme.uid,
            "lossy": scheme.lossy,
            "bytes": size,
            "ratio": round(before / size, 2),
        }

    def render(
        self,
        instance: str,
        target: str,
        window_center: float = 0.0,
        window_width: float = 0.0,
        zoom: float = 1.0,
        pan_x: float = 0.0,
        pan_y: float = 0.0,
        flip_h: bool = False,
        flip_v: bool = False,
        rotate: int = 0,
        invert: bool = False,
        rows: int = 512,
        columns: int = 512,
    ) -> dict[str, Any]:
        """Render an image as a PNG file with window, zoom, pan, flip and rotation, exactly as the viewer shows it."""
        given = {key: value for key, value in locals().items() if key not in {"self", "target"}}
        place = self._new_file(target)
        seen = self._review.review(**given)
        raw = base64.b64decode(seen.pop("png"))

        def write() -> None:
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(raw)

        _on_disk(place, write)
        return {"target": str(place), "bytes": len(raw), **seen}

    def _new_file(self, target: str) -> Path:
        place = self._k.place(target, EXPORT)
        if place.exists() or place.is_symlink():
            raise Refused(f"{place} is there already; choose another name or remove it")
        return place


def _files_below(place: Path) -> list[Path]:
    """Return the plain files below a folder in a stable order; links are not followed. Raises Refused for too many."""
    if place.is_file():
        return [place]
    found = []
    for folder, _, names in os.walk(place):
        found += [path for path in (Path(folder, name) for name in names) if path.is_file() and not path.is_symlink()]
        if len(found) > _MOST_FILES:
            raise Refused(f"{place} holds more than {_MOST_FILES} files; take a part of it at a time")
    return sorted(found)


def _on_disk(place: Path, write: Callable[[], Any]) -> None:
    try:
        write()
    except OSError as error:
        raise StoreProblem(f"{place}: {error.strerror or error}; free space or choose another place") from error
