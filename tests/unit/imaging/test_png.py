import zlib

import numpy as np
import pytest

from harness.imaging import phantoms, png
from harness.imaging.phantoms import PixelFormat


@pytest.mark.parametrize("bits", [8, 16])
def test_grey_pictures_come_back(bits: int) -> None:
    pixels = phantoms.noise(17, 31, form=PixelFormat(bits)).pixels
    data = png.encode(pixels.astype(np.uint8) if bits == 8 else pixels.astype(np.uint16), pixel_mm=0.5)
    assert np.array_equal(png.decode(data), pixels)


def test_colour_pictures_come_back() -> None:
    picture = np.random.default_rng(1).integers(0, 256, (6, 5, 3), dtype=np.uint8)
    assert np.array_equal(png.decode(png.encode(picture)), picture)


@pytest.mark.parametrize("kind", [1, 2, 3, 4])
def test_the_filters_of_other_writers_are_understood(kind: int) -> None:
    rows, columns = 4, 6
    raw = np.random.default_rng(kind).integers(0, 256, (rows, columns), dtype=np.uint8)
    lines = b""
    for y in range(rows):
        line = []
        for x in range(columns):
            left = int(raw[y, x - 1]) if x else 0
            up = int(raw[y - 1, x]) if y else 0
            corner = int(raw[y - 1, x - 1]) if x and y else 0
            guess = left + up - corner
            paeth = min((left, up, corner), key=lambda v: abs(guess - v))
            line.append((int(raw[y, x]) - {1: left, 2: up, 3: (left + up) // 2, 4: paeth}[kind]) & 255)
        lines += bytes([kind, *line])
    plain = png.encode(raw)
    body = png._chunk(b"IDAT", zlib.compress(lines))
    assert np.array_equal(png.decode(plain[:33] + body + png._chunk(b"IEND", b"")), raw)


@pytest.mark.parametrize("data", [b"", b"GIF89a", b"\x89PNG\r\n\x1a\n", b"\x89PNG\r\n\x1a\n" + b"\xff" * 40])
def test_what_is_no_png_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="PNG"):
        png.decode(data)


def test_a_png_that_ends_early_is_refused() -> None:
    whole = png.encode(np.zeros((8, 8), np.uint8))
    with pytest.raises(ValueError, match="PNG"):
        png.decode(whole[:45])
