"""A small PNG writer and the reader of what it writes: grey of 8 or 16 bits, RGB of 8 bits, no interlace."""

from __future__ import annotations

import struct
import zlib

import numpy as np
from numpy.typing import NDArray

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_MOST_PIXELS = 64 * 1024 * 1024


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
    """The picture of a PNG without interlace and palette, as a display exports it.

    An alpha channel is dropped. Raises ValueError for anything that is not such a PNG.
    """
    if not data.startswith(_SIGNATURE):
        raise ValueError("no PNG signature")
    header, body, at = b"", b"", len(_SIGNATURE)
    while at + 12 <= len(data):
        (length,) = struct.unpack_from(">I", data, at)
        kind, content = data[at + 4 : at + 8], data[at + 8 : at + 8 + length]
        if kind == b"IHDR":
            header = content
        elif kind == b"IDAT":
            body += content
        elif kind == b"IEND":
            break
        at += 12 + length
    if len(header) != 13:
        raise ValueError("the PNG has no header")
    columns, rows, depth, colour, _, _, interlace = struct.unpack(">IIBBBBB", header)
    channels = {0: 1, 2: 3, 4: 2, 6: 4}.get(colour)
    if channels is None or depth not in (8, 16) or interlace:
        raise ValueError("only 8 and 16 bit PNG without palette and interlace can be read")
    if rows * columns == 0 or rows * columns > _MOST_PIXELS:
        raise ValueError(f"a PNG of {columns} x {rows} pixels is not read")
    pixel = channels * depth // 8
    line = columns * pixel
    unpacker = zlib.decompressobj()
    try:
        raw = unpacker.decompress(body, rows * (line + 1))
    except zlib.error as error:
        raise ValueError(f"the PNG data cannot be unpacked: {error}") from error
    if len(raw) != rows * (line + 1):
        raise ValueError("the PNG data end early")
    picture = _unfiltered(np.frombuffer(raw, np.uint8).reshape(rows, line + 1), pixel)
    values = picture.view(">u2").astype(np.uint16) if depth == 16 else picture
    values = values.reshape(rows, columns, channels)
    if channels in (1, 2):
        return values[:, :, 0]
    return values[:, :, :3]


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def _unfiltered(lines: NDArray[np.uint8], pixel: int) -> NDArray[np.uint8]:
    rows, width = lines.shape[0], lines.shape[1] - 1
    result = np.zeros((rows, width), np.uint8)
    above = np.zeros(width, np.int64)
    for row in range(rows):
        kind, line = int(lines[row, 0]), lines[row, 1:].astype(np.int64)
        if kind == 1:
            line = np.cumsum(line.reshape(-1, pixel), axis=0).reshape(-1)
        elif kind == 2:
            line = line + above
        elif kind in (3, 4):
            line = _sequential(line, above, pixel, kind)
        elif kind != 0:
            raise ValueError(f"PNG filter {kind} does not exist")
        above = line & 255
        result[row] = above.astype(np.uint8)
    return result


def _sequential(line: NDArray[np.int64], above: NDArray[np.int64], pixel: int, kind: int) -> NDArray[np.int64]:
    values, up = line.tolist(), above.tolist()
    for i in range(len(values)):
        left = values[i - pixel] if i >= pixel else 0
        if kind == 3:
            values[i] = (values[i] + (left + up[i]) // 2) & 255
            continue
        corner = up[i - pixel] if i >= pixel else 0
        guess = left + up[i] - corner
        distances = abs(guess - left), abs(guess - up[i]), abs(guess - corner)
        best = (left, up[i], corner)[distances.index(min(distances))]
        values[i] = (values[i] + best) & 255
    return np.array(values, np.int64)
