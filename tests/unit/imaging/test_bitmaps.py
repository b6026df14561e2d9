"""Pictures as other programs write them, read back exactly; Pillow is the other program."""

import contextlib
import io
import struct
import zlib
from typing import Any

import numpy as np
import pytest
from PIL import Image

from harness.imaging import bitmaps, png
from harness.imaging.bitmaps import decode

RANDOM = np.random.default_rng(5)
GREY = RANDOM.integers(0, 256, (37, 53), dtype=np.uint8)
SMOOTH = np.add.outer(np.arange(37), np.arange(53)).astype(np.uint8)
COLOUR = RANDOM.integers(0, 256, (37, 53, 3), dtype=np.uint8)
DEEP = RANDOM.integers(0, 65536, (37, 53), dtype=np.uint16)
TWO = GREY > 127


def saved(picture: np.ndarray[Any, Any], kind: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, kind, **options)
    return buffer.getvalue()


def palette(picture: np.ndarray[Any, Any], kind: str, colours: int = 200) -> tuple[bytes, np.ndarray[Any, Any]]:
    quantized = Image.fromarray(picture).quantize(colours)
    buffer = io.BytesIO()
    quantized.save(buffer, kind)
    return buffer.getvalue(), np.asarray(quantized.convert("RGB"))


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF"])
@pytest.mark.parametrize("picture", [GREY, SMOOTH, COLOUR, TWO], ids=["grey", "smooth", "colour", "two"])
def test_pictures_without_loss_come_back(kind: str, picture: np.ndarray[Any, Any]) -> None:
    found = decode(saved(picture, kind))
    wanted = picture.astype(np.uint8) * 255 if picture.dtype == np.bool_ else picture
    grey = found[:, :, 0] if found.ndim == 3 and wanted.ndim == 2 else found
    assert np.array_equal(grey, wanted)


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_sixteen_bits_come_back(kind: str) -> None:
    assert np.array_equal(decode(saved(DEEP, kind)), DEEP)


@pytest.mark.parametrize("compression", ["tiff_lzw", "packbits", "tiff_adobe_deflate"])
@pytest.mark.parametrize("picture", [GREY, SMOOTH, COLOUR, DEEP], ids=["grey", "smooth", "colour", "deep"])
def test_compressed_tiff_comes_back(compression: str, picture: np.ndarray[Any, Any]) -> None:
    assert np.array_equal(decode(saved(picture, "TIFF", compression=compression)), picture)


def test_long_lzw_strips_use_codes_of_all_widths() -> None:
    large = np.random.default_rng(6).integers(0, 8, (200, 300), dtype=np.uint8)
    assert np.array_equal(decode(saved(large, "TIFF", compression="tiff_lzw")), large)


def test_a_predicted_tiff_comes_back() -> None:
    data = saved(SMOOTH, "TIFF", compression="tiff_lzw", tiffinfo={317: 2})
    assert np.array_equal(decode(data), SMOOTH)


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF"])
@pytest.mark.parametrize("colours", [2, 12, 200])
def test_palettes_become_colours(kind: str, colours: int) -> None:
    data, wanted = palette(COLOUR, kind, colours)
    assert np.array_equal(decode(data), wanted)


def test_a_png_with_every_filter_is_read_quickly_and_rightly() -> None:
    large = np.cumsum(np.random.default_rng(7).integers(0, 3, (300, 700, 3)), axis=1).astype(np.uint8)
    assert np.array_equal(decode(saved(large, "PNG", optimize=True)), large)


def test_an_interlaced_png_is_read() -> None:
    rows, columns = GREY.shape
    body = b""
    for top, left, down, across in png._ADAM7:
        part = GREY[top::down, left::across]
        body += b"".join(b"\0" + line.tobytes() for line in part) if part.size else b""
    chunks = [
        png._chunk(b"IHDR", struct.pack(">IIBBBBB", columns, rows, 8, 0, 0, 0, 1)),
        png._chunk(b"IDAT", zlib.compress(body)),
        png._chunk(b"IEND", b""),
    ]
    data = png._SIGNATURE + b"".join(chunks)
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(data))), GREY), "the test writes what Pillow reads"
    assert np.array_equal(decode(data), GREY)


def test_transparency_is_left_out() -> None:
    with_alpha = np.dstack([COLOUR, GREY])
    assert np.array_equal(decode(saved(with_alpha, "PNG")), COLOUR)


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF"])
def test_damaged_files_are_refused_with_a_reason(kind: str) -> None:
    whole = saved(COLOUR, kind, **({"compression": "tiff_lzw"} if kind == "TIFF" else {}))
    random = np.random.default_rng(8)
    for length in range(0, len(whole), 97):
        with pytest.raises(ValueError, match=r"PNG|BMP|TIFF|picture"):
            decode(whole[: min(length, 2000)])
    for _ in range(300):
        broken = bytearray(whole)
        for place in random.integers(0, min(len(whole), 400), 3):
            broken[place] = int(random.integers(0, 256))
        with contextlib.suppress(ValueError):
            assert decode(bytes(broken)).size


def test_a_picture_that_claims_to_be_huge_is_refused() -> None:
    header = png._chunk(b"IHDR", struct.pack(">IIBBBBB", 1 << 30, 1 << 30, 8, 0, 0, 0, 0))
    with pytest.raises(ValueError, match="not read"):
        decode(png._SIGNATURE + header)
    whole = bytearray(saved(GREY, "BMP"))
    whole[18:22] = struct.pack("<i", 1 << 30)
    with pytest.raises(ValueError, match="not read"):
        bitmaps.decode(bytes(whole))
