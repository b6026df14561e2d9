"""A small PNG writer (grey of 8 or 16 bits, RGB of 8 bits) and a reader of every PNG, as displays export them."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_MOST_PIXELS = 64 * 1024 * 1024
#: first row, first column, step down and across of the seven passes of an interlaced picture
_WHOLE = ((0, 0, 1, 1),)
_ADAM7 = ((0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1))
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
_DEPTHS = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}
_PALETTE = 3
#: rows whose filters are undone together
_BAND = 256


def encode(picture: NDArray[np.uint8] | NDArray[np.uint16], *, pixel_mm: float | None = None) -> bytes:
    """PNG bytes of a picture of shape (rows, columns) or (rows, columns, 3).

    ``pixel_mm`` writes the physical pixel size. Raises ValueError for other shapes and types.
    """
    if picture.dtype not in (np.uint8, np.uint16) or picture.size == 0:
        raise ValueError("a PNG needs a picture of 8 or 16 bit unsigned values that is not empty")
    if picture.ndim == 2:
        colour = 0
    elif picture.ndim == 3 and picture.shape[2] == 3 and picture.dtype == np.uint8:
        colour = 2
    else:
        raise ValueError(f"a PNG of shape {picture.shape} and type {picture.dtype} is not supported")
    rows, columns = picture.shape[:2]
    depth = picture.dtype.itemsize * 8
    whole = np.ascontiguousarray(picture, f">u{picture.dtype.itemsize}")  # a turned picture is not contiguous
    lines = whole.reshape(rows, -1).view(np.uint8)
    raw = np.concatenate([np.zeros((rows, 1), np.uint8), lines], axis=1).tobytes()
    chunks = [_chunk(b"IHDR", struct.pack(">IIBBBBB", columns, rows, depth, colour, 0, 0, 0))]
    if pixel_mm:
        per_metre = round(1000.0 / pixel_mm)
        chunks.append(_chunk(b"pHYs", struct.pack(">IIB", per_metre, per_metre, 1)))
    chunks += [_chunk(b"IDAT", zlib.compress(raw, 6)), _chunk(b"IEND", b"")]
    return _SIGNATURE + b"".join(chunks)


def decode(data: bytes) -> NDArray[np.uint8] | NDArray[np.uint16]:
    """The picture of a PNG: (rows, columns) or (rows, columns, 3), 8 or 16 bits; fewer bits are spread over 8.

    An alpha channel is dropped. Raises ValueError for anything that is no PNG, or too large.
    """
    if not data.startswith(_SIGNATURE):
        raise ValueError("no PNG signature")
    header, body, palette = b"", b"", b""
    for kind, content in _chunks(data):
        if kind == b"IHDR":
            header = content
        elif kind == b"PLTE":
            palette = content
        elif kind == b"IDAT":
            body += content
    if len(header) != 13:
        raise ValueError("the PNG has no header")
    columns, rows, depth, colour, _, _, interlace = struct.unpack(">IIBBBBB", header)
    if depth not in _DEPTHS.get(colour, ()) or interlace > 1:
        raise ValueError(f"colour type {colour} of {depth} bits is no PNG")
    if rows * columns == 0 or rows * columns > _MOST_PIXELS:
        raise ValueError(f"a PNG of {columns} x {rows} pixels is not read")
    channels = _CHANNELS[colour]
    passes = [
        (place, len(range(place[0], rows, place[2])), len(range(place[1], columns, place[3])))
        for place in (_ADAM7 if interlace else _WHOLE)
    ]
    passes = [one for one in passes if one[1] and one[2]]
    sizes = [tall * (_line(wide, channels, depth) + 1) for _, tall, wide in passes]
    try:
        raw = zlib.decompressobj().decompress(body, sum(sizes))
    except zlib.error as error:
        raise ValueError(f"the PNG data cannot be unpacked: {error}") from error
    if len(raw) != sum(sizes):
        raise ValueError("the PNG data end early")
    picture = np.zeros((rows, columns, channels), np.uint16 if depth == 16 else np.uint8)
    at = 0
    for ((top, left, down, across), tall, wide), size in zip(passes, sizes, strict=True):
        lines = np.frombuffer(raw, np.uint8, size, at).reshape(tall, -1)
        picture[top::down, left::across] = _samples(lines, wide, channels, depth)
        at += size
    if colour == _PALETTE:
        return _coloured(picture[:, :, 0], palette)
    if depth < 8:
        picture = (picture * (255 // ((1 << depth) - 1))).astype(np.uint8)
    return picture[:, :, 0] if channels <= 2 else picture[:, :, :3]


def pixel_mm(data: bytes) -> float | None:
    """The physical size of a pixel that a PNG states, None if it states none or pixels are not square."""
    for kind, content in _chunks(data):
        if kind == b"pHYs" and len(content) == 9:
            across, down, unit = struct.unpack(">IIB", content)
            return 1000.0 / across if unit == 1 and across == down and across else None
    return None


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = len(_SIGNATURE)
    while at + 12 <= len(data):
        (length,) = struct.unpack_from(">I", data, at)
        kind = data[at + 4 : at + 8]
        if kind == b"IEND":
            return
        yield kind, data[at + 8 : at + 8 + length]
        at += 12 + length


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def _line(columns: int, channels: int, depth: int) -> int:
    """Bytes of a line without its filter."""
    return (columns * channels * depth + 7) // 8


def _samples(lines: NDArray[np.uint8], columns: int, channels: int, depth: int) -> NDArray[Any]:
    """Values of shape (rows, columns, channels) of filtered lines."""
    plain = _unfiltered(lines, max(channels * depth // 8, 1))
    if depth == 16:
        return plain.view(">u2").reshape(-1, columns, channels)
    if depth < 8:
        places = np.arange(8 // depth, dtype=np.uint8)[::-1] * depth
        spread = (plain[:, :, None] >> places) & ((1 << depth) - 1)
        return spread.reshape(plain.shape[0], -1)[:, :columns, None]
    return plain.reshape(-1, columns, channels)


def _coloured(indices: NDArray[np.uint8], palette: bytes) -> NDArray[np.uint8]:
    colours = np.frombuffer(palette[: len(palette) // 3 * 3], np.uint8).reshape(-1, 3)
    if not len(colours) or int(indices.max()) >= len(colours):
        raise ValueError("the PNG names colours that its palette does not have")
    result: NDArray[np.uint8] = colours[indices]
    return result


def _unfiltered(lines: NDArray[np.uint8], pixel: int) -> NDArray[np.uint8]:
    """Lines without their filters, ``pixel`` bytes for each pixel, one diagonal of a band after the other.

    A byte depends on those to the left, above, and above to the left, so that all of one diagonal are known at once.
    """
    kinds = lines[:, 0]
    if kinds.max(initial=0) > 4:
        raise ValueError(f"PNG filter {int(kinds.max())} does not exist")
    rows, columns = lines.shape[0], (lines.shape[1] - 1) // pixel
    plain = lines[:, 1:].reshape(rows, columns, pixel).astype(np.int16)
    if not (kinds > 2).any():
        return _simple(plain, kinds).astype(np.uint8).reshape(rows, -1)
    above = np.zeros((columns + 1, pixel), np.int16)
    for first in range(0, rows, _BAND):
        band = plain[first : first + _BAND]
        above[1:] = _diagonals(band, kinds[first : first + _BAND], above)
    return plain.astype(np.uint8).reshape(rows, -1)


def _simple(plain: NDArray[np.int16], kinds: NDArray[np.uint8]) -> NDArray[np.int16]:
    """Lines of which none is filtered by averages or Paeth."""
    for row in range(len(plain)):
        if kinds[row] == 1:
            plain[row] = np.cumsum(plain[row], axis=0, dtype=np.int64) & 255
        elif kinds[row] == 2 and row:
            plain[row] = (plain[row] + plain[row - 1]) & 255
    return plain


def _diagonals(band: NDArray[np.int16], kinds: NDArray[np.uint8], above: NDArray[np.int16]) -> NDArray[np.int16]:
    """Undo the filters of a band in place; ``above`` begins with a pixel of zeros. Its last line."""
    rows, columns, pixel = band.shape
    whole = np.zeros((rows + 1, columns + 1, pixel), np.int16)
    whole[0], whole[1:, 1:] = above, band
    kind = kinds[:, None]
    for diagonal in range(rows + columns - 1):
        r = np.arange(max(0, diagonal - columns + 1), min(rows, diagonal + 1))
        c = diagonal - r
        left, up, corner = whole[r + 1, c], whole[r, c + 1], whole[r, c]
        guess = left + up - corner
        to_left, to_up, to_corner = abs(guess - left), abs(guess - up), abs(guess - corner)
        paeth = np.where((to_left <= to_up) & (to_left <= to_corner), left, np.where(to_up <= to_corner, up, corner))
        k = kind[r]
        base = np.select([k == 1, k == 2, k == 3, k == 4], [left, up, (left + up) >> 1, paeth], 0)
        whole[r + 1, c + 1] = (whole[r + 1, c + 1] + base) & 255
    band[:] = whole[1:, 1:]
    return whole[-1, 1:]
