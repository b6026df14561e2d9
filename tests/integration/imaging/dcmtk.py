"""Runs the renderers of DCMTK and reads the bitmaps they write."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom import dcmread, dcmwrite
from pydicom.dataset import Dataset

PRINTER_CONFIGURATION = """\
[[GENERAL]]
[DATABASE]
Directory = {database}
[[PRINT]]
[RESOLUTION]
MaxColumns = 4096
MaxRows = 4096
MinColumns = 1
MinRows = 1
MaxPreviewColumns = 256
MaxPreviewRows = 256
[[COMMUNICATION]]
[PRINTER]
Aetitle = PRINTER
Description = for tests
Hostname = localhost
Port = 10005
Type = LOCALPRINTER
DisplayFormat = 1,1
FilmSizeID = 8INX10IN
MagnificationType = REPLICATE\\BILINEAR\\CUBIC\\NONE
MaxDensity = 320
MediumType = PAPER
Supports12Bit = true
SupportsPresentationLUT = true
"""


def pgm(data: bytes) -> NDArray[np.int64]:
    """The values of a binary or text PGM bitmap."""
    header = re.match(rb"(P[25])\s+(?:#[^\n]*\n\s*)*(\d+)\s+(\d+)\s+(\d+)\s", data)
    if header is None:
        raise ValueError("no PGM bitmap")
    columns, rows, top = (int(header.group(n)) for n in (2, 3, 4))
    if header.group(1) == b"P2":
        values = np.array(data[header.end() :].split(), np.int64)
    else:
        kind = ">u2" if top > 255 else "u1"
        values = np.frombuffer(data, kind, rows * columns, header.end()).astype(np.int64)
    return values.reshape(rows, columns)


def dcm2pnm(folder: Path, image: Dataset, *options: str, bits: int = 16) -> NDArray[np.int64]:
    """The picture of an image without presentation state, ``bits`` wide."""
    source, target = folder / "image.dcm", folder / "picture.pgm"
    dcmwrite(source, image, enforce_file_format=True)
    _run("dcm2pnm", *options, "--write-n-bit-pnm", str(bits), str(source), str(target))
    return pgm(target.read_bytes())


def dcmp2pgm(folder: Path, image: Dataset, state: Dataset, *, frame: int = 1) -> NDArray[np.int64]:
    """The picture of an image with a presentation state, 8 bits."""
    source, look, target = folder / "image.dcm", folder / "state.dcm", folder / "picture.pgm"
    dcmwrite(source, image, enforce_file_format=True)
    dcmwrite(look, state, enforce_file_format=True)
    _run("dcmp2pgm", "-f", str(frame), "-p", str(look), str(source), str(target))
    return pgm(target.read_bytes())


def dcmpsprt(folder: Path, image: Dataset, state: Dataset, *options: str) -> tuple[NDArray[np.int64], Dataset]:
    """The hardcopy bitmap (12 bits) that goes to a printer, and the stored print object."""
    source, look, database = folder / "image.dcm", folder / "state.dcm", folder / "db"
    database.mkdir(exist_ok=True)
    for old in database.iterdir():
        old.unlink()
    dcmwrite(source, image, enforce_file_format=True)
    dcmwrite(look, state, enforce_file_format=True)
    configuration = folder / "print.cfg"
    configuration.write_text(PRINTER_CONFIGURATION.format(database=database), encoding="ascii")
    _run("dcmpsprt", "-c", str(configuration), *options, "+p", str(look), str(source))
    bitmaps = [dcmread(path) for path in sorted(database.glob("HG_*.dcm"))]
    prints = [dcmread(path) for path in sorted(database.glob("SP_*.dcm"))]
    if len(bitmaps) != 1 or len(prints) != 1:
        raise ValueError(f"dcmpsprt wrote {sorted(path.name for path in database.iterdir())}")
    return bitmaps[0].pixel_array.astype(np.int64), prints[0]


def _run(*arguments: str) -> subprocess.CompletedProcess[Any]:
    done = subprocess.run(arguments, capture_output=True, timeout=30, check=False)
    if done.returncode:
        raise RuntimeError(f"{arguments[0]} failed: {done.stderr.decode(errors='replace')[:500]}")
    return done
