"""Compressed transfer syntaxes: a lossy copy is a new, declared object; a lossless one stays the same object."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate, generate_frames
from pydicom.pixels.encoders.base import get_encoder
from pydicom.uid import UID

from harness.core.errors import EnvironmentFailure
from harness.modality import wire
from harness.modality.elements import put
from harness.modality.errors import Refused

Pixels = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True, slots=True)
class Scheme:
    """A transfer syntax that we can write; `method` names the lossy compression (PS3.3 C.7.6.1.1.5.1)."""

    name: str
    uid: str
    lossy: bool = False
    method: str = ""
    bits: int = 16


SCHEMES: tuple[Scheme, ...] = (
    Scheme("implicit", "1.2.840.10008.1.2"),
    Scheme("explicit", "1.2.840.10008.1.2.1"),
    Scheme("deflated", "1.2.840.10008.1.2.1.99"),
    Scheme("rle", "1.2.840.10008.1.2.5"),
    Scheme("jpeg-baseline", "1.2.840.10008.1.2.4.50", True, "ISO_10918_1", 8),
    Scheme("jpeg-extended", "1.2.840.10008.1.2.4.51", True, "ISO_10918_1", 12),
    Scheme("jpeg-lossless", "1.2.840.10008.1.2.4.70"),
    Scheme("jpeg-ls", "1.2.840.10008.1.2.4.80"),
    Scheme("jpeg2000-lossless", "1.2.840.10008.1.2.4.90"),
    Scheme("jpeg2000", "1.2.840.10008.1.2.4.91", True, "ISO_15444_1"),
)
EXPLICIT = SCHEMES[1]
#: PS3.3 C.8.2.1.1 and C.8.3.1.1 allow no other Bits Allocated
_SIXTEEN_BITS = frozenset({"CT", "MR"})
_BY_KEY = {key: scheme for scheme in SCHEMES for key in (scheme.name, scheme.uid)}


def scheme(name: str) -> Scheme:
    """Return a scheme by name or UID; raise Refused naming those that exist."""
    if name not in _BY_KEY:
        raise Refused(f"no compression {name!r}; there are {', '.join(each.name for each in SCHEMES)}")
    return _BY_KEY[name]


def _codecs() -> Any:
    try:
        return importlib.import_module("imagecodecs")
    except ImportError:
        raise EnvironmentFailure(
            "this compression needs the extra `codecs`: pip install 'ihe-harness[codecs]'"
        ) from None


def pixels_of(dataset: Dataset) -> Pixels:
    """Return the native grey pixels of a single frame, shape (rows, columns)."""
    kind = ("i" if dataset.PixelRepresentation else "u") + str(int(dataset.BitsAllocated) // 8)
    rows, columns = int(dataset.Rows), int(dataset.Columns)
    if int(dataset.get("SamplesPerPixel") or 1) != 1 or int(dataset.get("NumberOfFrames") or 1) != 1:
        raise Refused("only single-frame grey images can be compressed here")
    return np.frombuffer(dataset.PixelData, f"<{kind}", rows * columns).reshape(rows, columns)


def unsuitable(dataset: Dataset, target: Scheme) -> str:
    """Say why an object cannot have this transfer syntax; empty if it can."""
    if target.bits <= 8 and str(dataset.get("Modality")) in _SIXTEEN_BITS and "PixelData" in dataset:
        return f"{dataset.Modality} images have 16 bits allocated, which {target.name} cannot hold"
    return ""


def compress(dataset: Dataset, target: Scheme, *, new_uid: Callable[[], str], quality: int = 90) -> Dataset:
    """Return a copy of an uncompressed object for the target transfer syntax.

    A lossy copy has a new SOP Instance UID, is DERIVED, and says method and ratio (PS3.3 C.7.6.1.1.5).
    """
    made = Dataset()
    made.update({element.tag: element for element in dataset})
    if "PixelData" not in made or not UID(target.uid).is_encapsulated:
        return made
    problem = unsuitable(dataset, target)
    if problem:
        raise Refused(problem)
    pixels = pixels_of(dataset)
    native = pixels.nbytes
    if target.lossy and target.bits < int(made.BitsStored):
        pixels = _narrowed(made, pixels, target.bits)
    frame = _encoded(pixels, made, target, quality)
    made[0x7FE0, 0x0010] = DataElement(0x7FE00010, "OB", encapsulate([frame]), is_undefined_length=True)
    if target.lossy:
        _declare(made, dataset, target, native / len(frame), new_uid())
    return made


def _narrowed(made: Dataset, pixels: Pixels, bits: int) -> Pixels:
    shift = int(made.BitsStored) - bits
    for keyword in ("WindowCenter", "WindowWidth"):
        if made.get(keyword) is not None:
            put(made, **{keyword: f"{max(float(made[keyword].value) / (1 << shift), 1.0):g}"})
    if made.get("RescaleSlope") is not None and made.get("RescaleType") != "US":
        put(made, RescaleSlope=f"{float(made.RescaleSlope) * (1 << shift):g}")
    put(made, BitsAllocated=8 if bits <= 8 else 16, BitsStored=bits, HighBit=bits - 1, PixelRepresentation=0)
    return (pixels >> shift).astype(np.uint8 if bits <= 8 else np.uint16)


def _encoded(pixels: Pixels, made: Dataset, target: Scheme, quality: int) -> bytes:
    stored = int(made.BitsStored)
    unsigned = pixels.view(f"u{pixels.dtype.itemsize}") if pixels.dtype.kind == "i" else pixels
    if target.name == "jpeg-baseline":
        return bytes(_codecs().jpeg8_encode(np.ascontiguousarray(unsigned.astype(np.uint8)), level=quality))
    if target.name == "jpeg-extended" and stored <= 8:
        return _as_extended(_codecs().jpeg8_encode(np.ascontiguousarray(unsigned.astype(np.uint8)), level=quality))
    if target.name == "jpeg-extended":
        return bytes(
            _codecs().jpeg8_encode(np.ascontiguousarray(unsigned.astype(np.uint16)), level=quality, bitspersample=12)
        )
    if target.name == "jpeg-lossless":
        # Without bitspersample, 16 bit data would be cut to 12 silently; predictor 1 is what SV1 means.
        bits = 8 if unsigned.dtype.itemsize == 1 else 12 if stored <= 12 and not made.PixelRepresentation else 16
        return bytes(
            _codecs().jpeg8_encode(np.ascontiguousarray(unsigned), lossless=True, predictor=1, bitspersample=bits)
        )
    encoder = get_encoder(target.uid)
    if not encoder.is_available:
        raise EnvironmentFailure(f"{target.name} needs the extra `codecs`: pip install 'ihe-harness[codecs]'")
    options: dict[str, Any] = {
        "rows": pixels.shape[0],
        "columns": pixels.shape[1],
        "samples_per_pixel": 1,
        "number_of_frames": 1,
        "bits_allocated": int(made.BitsAllocated),
        "bits_stored": stored,
        "pixel_representation": int(made.PixelRepresentation),
        "photometric_interpretation": str(made.PhotometricInterpretation),
    }
    if target.name == "jpeg2000":
        options["j2k_cr"] = [10]
    return bytes(encoder.encode(pixels, **options))


def _as_extended(stream: bytes) -> bytes:
    """Declare a baseline stream as extended sequential of 8 bits (process 2), of which it is a special case."""
    position = 2
    while stream[position] == 0xFF and stream[position + 1] != 0xDA:
        if stream[position + 1] == 0xC0:
            return bytes(stream[: position + 1]) + b"\xc1" + bytes(stream[position + 2 :])
        position += 2 + int.from_bytes(stream[position + 2 : position + 4], "big")
    return bytes(stream)


def _declare(made: Dataset, source: Dataset, target: Scheme, ratio: float, uid: str) -> None:
    kinds = list(source.get("ImageType") or ["ORIGINAL", "PRIMARY"])
    put(
        made,
        SOPInstanceUID=uid,
        ImageType=("DERIVED", *kinds[1:]),
        LossyImageCompression="01",
        LossyImageCompressionRatio=f"{ratio:.3f}",
        LossyImageCompressionMethod=target.method,
        DerivationDescription=f"Lossy compression, {target.name}",
    )


def decompress(dataset: Dataset, syntax: str) -> Dataset:
    """Return a copy with native pixels; the same object if it is not encapsulated."""
    if not UID(syntax).is_encapsulated or "PixelData" not in dataset:
        return dataset
    if int(dataset.get("SamplesPerPixel") or 1) != 1 or int(dataset.get("NumberOfFrames") or 1) != 1:
        # The fragments of several frames, or colours of another model, must not be taken for one grey frame.
        raise Refused("only single-frame grey images can be decompressed here")
    frame = next(generate_frames(dataset.PixelData, number_of_frames=1))
    bits = int(dataset.BitsAllocated)
    kind = f"<{'i' if dataset.PixelRepresentation else 'u'}{bits // 8}"
    if syntax in {"1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.51", "1.2.840.10008.1.2.4.70"}:
        values = np.asarray(_codecs().jpeg8_decode(frame))
        values = values.astype(f"u{bits // 8}").view(kind)
    else:
        whole = Dataset()
        whole.update({element.tag: element for element in dataset})
        whole.file_meta = FileMetaDataset()
        whole.file_meta.TransferSyntaxUID = UID(syntax)
        values = whole.pixel_array.astype(kind)
    made = Dataset()
    made.update({element.tag: element for element in dataset})
    raw = np.ascontiguousarray(values).tobytes()
    made[0x7FE0, 0x0010] = DataElement(0x7FE00010, "OW" if bits > 8 else "OB", raw + b"\0" * (len(raw) % 2))
    return made


def report(dataset: Dataset) -> list[dict[str, Any]]:
    """Compare the sizes in bytes of an object in every transfer syntax that we write; a missing codec is said."""
    rows: list[dict[str, Any]] = []
    original = len(wire.encode_dataset(dataset, "1.2.840.10008.1.2.1"))
    for each in SCHEMES:
        row: dict[str, Any] = {"name": each.name, "uid": each.uid, "lossy": each.lossy}
        try:
            made = compress(dataset, each, new_uid=lambda: "2.25.1")
            size = len(wire.encode_dataset(made, each.uid))
        except (EnvironmentFailure, Refused) as error:
            rows.append({**row, "bytes": None, "ratio": None, "note": str(error)})
            continue
        rows.append({**row, "bytes": size, "ratio": round(original / size, 2), "note": ""})
    return rows
