"""Write scheduled steps as worklist files, for products that read a folder (wlmscpfs, Orthanc's worklist plugin).

``python -m harness.sut.adapters.worklist_folder --parameters FILE --folder FOLDER`` with the parameters of the
action ``schedule-steps``: ``{"orders": [{DICOM keyword: value, ...}, ...]}``. Files of an earlier call are removed.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import UID, ExplicitVRLittleEndian

#: DCMTK's class for worklist files; products look at the data set only
_WORKLIST_FILE_CLASS = "1.2.276.0.7230010.3.1.0.1"


def main() -> int:
    """Entry point."""
    parser = argparse.ArgumentParser(description="Write worklist files")
    parser.add_argument("--parameters", type=Path, required=True)
    parser.add_argument("--folder", type=Path, required=True)
    arguments = parser.parse_args()
    orders = json.loads(arguments.parameters.read_text(encoding="utf-8"))["orders"]
    write(orders, arguments.folder)
    return 0


def write(orders: list[Mapping[str, Any]], folder: Path) -> None:
    """Replace the worklist files of a folder; ``lockfile`` is what wlmscpfs asks for."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "lockfile").touch()
    for old in folder.glob("*.wl"):
        old.unlink()
    for number, order in enumerate(orders, 1):
        dataset = to_dataset(order)
        dataset.file_meta = FileMetaDataset()
        dataset.file_meta.MediaStorageSOPClassUID = UID(_WORKLIST_FILE_CLASS)
        dataset.file_meta.MediaStorageSOPInstanceUID = UID(f"2.25.{number}")
        dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        temporary = folder / f"{number:04d}.part"
        dataset.save_as(temporary, enforce_file_format=True)
        temporary.replace(folder / f"{number:04d}.wl")


def to_dataset(values: Mapping[str, Any]) -> Dataset:
    """A data set from values by keyword; lists of mappings are sequences."""
    dataset = Dataset()
    for keyword, value in values.items():
        if isinstance(value, list) and value and isinstance(value[0], Mapping):
            setattr(dataset, keyword, [to_dataset(item) for item in value])
        else:
            setattr(dataset, keyword, value)
    return dataset


if __name__ == "__main__":
    raise SystemExit(main())
