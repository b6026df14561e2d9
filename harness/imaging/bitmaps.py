"""Pictures of screens as products save them without loss: PNG, BMP and TIFF; numpy and the standard library only."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from harness.imaging import png

Picture = NDArray[np.uint8] | NDArray[np.uint16]
_MOST_PIXELS = 64 * 1024 * 1024
_MOST_ENTRIES = 4096
# TIFF 6.0: tags and field types
_WIDTH, _LENGTH, _BITS, _COMPRESSION, _PHOTOMETRIC, _OFFSETS = 256, 257, 258, 259, 262, 273
_SAMPLES, _ROWS_PER_STRIP, _COUNTS, _PLANAR, _PREDICTOR, _COLOUR_MAP = 277, 278, 279, 284, 317, 320
_FORMATS = {1: "B", 3: "H", 4: "I"}


def decode(data: bytes) -> Picture:
    """Shape (rows, columns) or (rows, columns, 3), 8 or 16 bits. Raises ValueError saying what can be read."""
    if data.startswith(b"BM"):
        return _bmp(data)
    if data[:4] in (b"II*\0", b"MM\0*"):
        return _tiff(data)
    return png.decode(data)


def _checked(rows: int, columns: int) -> None:
    if rows <= 0 or columns <= 0 or rows * columns > _MOST_PIXELS:
        raise ValueError(f"a picture of {columns} x {rows} pixels is not read")


def _bmp(data: bytes) -> Picture:
    """A bitmap of Windows without compression: 1, 4 and 8 bits with a palette, 24 and 32 bits."""
    if len(data) < 54:
        raise ValueError("the BMP ends early")
    (start,) = struct.unpack_from("<I", data, 10)
    size, columns, height, _, bits, compression = struct.unpack_from("<IiiHHI", data, 14)
    used = struct.unpack_from("<I", data, 46)[0]
    rows = abs(height)
    _checked(rows, columns)
    if bits not in (1, 4, 8, 24, 32) or compression not in ((0, 3) if bits == 32 else (0,)):
        raise ValueError(f"a BMP of {bits} bits with compression {compression} is not read; export PNG")
    line = (columns * bits + 31) // 32 * 4
    if len(data) < start + rows * line:
        raise ValueError("the BMP ends early")
    lines = np.frombuffer(data, np.uint8, rows * line, start).reshape(rows, line)
    lines = lines if height < 0 else lines[::-1]
    if bits >= 24:
        pixel = bits // 8
        return np.ascontiguousarray(lines[:, : columns * pixel].reshape(rows, columns, pixel)[:, :, 2::-1])
    count = min(used or 1 << bits, 1 << bits)
    if len(data) < 14 + size + 4 * count:
        raise ValueError("the BMP ends early")
    palette = np.frombuffer(data, np.uint8, 4 * count, 14 + size).reshape(count, 4)[:, 2::-1]
    return _from_palette(_unpacked(lines, columns, bits), palette)


def _unpacked(lines: NDArray[np.uint8], columns: int, bits: int) -> NDArray[np.uint8]:
    """One value for each pixel, ``bits`` wide, the first in the high bits of a byte."""
    if bits == 8:
        return lines[:, :columns]
    places = np.arange(8 // bits, dtype=np.uint8)[::-1] * bits
    spread = ((lines[:, :, None] >> places) & ((1 << bits) - 1)).astype(np.uint8)
    return spread.reshape(len(lines), -1)[:, :columns]


def _from_palette(indices: NDArray[np.uint8], palette: NDArray[np.uint8]) -> NDArray[np.uint8]:
    if int(indices.max()) >= len(palette):
        raise ValueError("the picture names colours that its palette does not have")
    result: NDArray[np.uint8] = palette[indices]
    return result


def _tiff(data: bytes) -> Picture:
    """The first picture of a TIFF in strips: grey, RGB or palette, plain, PackBits, LZW or Deflate."""
    order = "<" if data[:2] == b"II" else ">"
    tags = _tags(data, order)
    rows, columns = _one(tags, _LENGTH, 0), _one(tags, _WIDTH, 0)
    _checked(rows, columns)
    bits, samples = _one(tags, _BITS, 1), _one(tags, _SAMPLES, 1)
    photometric, compression = _one(tags, _PHOTOMETRIC, 1), _one(tags, _COMPRESSION, 1)
    if _OFFSETS not in tags or _one(tags, _PLANAR, 1) != 1 or bits not in (1, 4, 8, 16) or photometric > 3:
        raise ValueError("only TIFF in strips, grey, RGB or with a palette, is read; export PNG")
    if not 1 <= samples <= 4 or (samples > 1 and bits < 8):
        raise ValueError(f"a TIFF of {samples} samples of {bits} bits is not read; export PNG")
    line = (columns * samples * bits + 7) // 8
    height = min(_one(tags, _ROWS_PER_STRIP, rows) or rows, rows)
    offsets, counts = tags[_OFFSETS], tags.get(_COUNTS, ())
    if len(offsets) * height < rows or len(counts) != len(offsets):
        raise ValueError("the TIFF lacks strips")
    parts, left = [], rows
    for offset, count in zip(offsets, counts, strict=True):
        tall = min(height, left)
        if tall <= 0:
            break
        strip = _strip(data[offset : offset + count], compression, tall * line)
        if len(strip) < tall * line:
            raise ValueError("a strip of the TIFF ends early")
        parts.append(np.frombuffer(strip, np.uint8, tall * line).reshape(tall, line))
        left -= tall
    values = _values(np.concatenate(parts), columns, samples, bits, order)
    if _one(tags, _PREDICTOR, 1) == 2:  # each value is the difference to the one before, modulo its width
        np.cumsum(values, axis=1, dtype=values.dtype, out=values)
    return _meaning(values, photometric, bits, tags)


def _values(lines: NDArray[np.uint8], columns: int, samples: int, bits: int, order: str) -> Picture:
    if bits == 16:
        return np.ascontiguousarray(lines).view(f"{order}u2").astype(np.uint16).reshape(-1, columns, samples)
    if bits < 8:
        return _unpacked(lines, columns, bits)[:, :, None]
    return lines.reshape(-1, columns, samples).copy()


def _meaning(values: Picture, photometric: int, bits: int, tags: Mapping[int, Sequence[int]]) -> Picture:
    if photometric == 3:
        colours = np.array(tags.get(_COLOUR_MAP, ()), np.int64)
        if len(colours) != 3 << bits or bits > 8:
            raise ValueError("the TIFF has no palette")
        return _from_palette(values[:, :, 0].astype(np.uint8), (colours.reshape(3, -1).T >> 8).astype(np.uint8))
    if photometric == 2:
        if values.shape[2] < 3:
            raise ValueError("the TIFF has too few samples for RGB")
        return values[:, :, :3]
    grey = values[:, :, 0]
    if bits < 8:
        grey = (grey * (255 // ((1 << bits) - 1))).astype(np.uint8)
    return ~grey if photometric == 0 else grey


def _tags(data: bytes, order: str) -> dict[int, tuple[int, ...]]:
    """Whole numbers of the first directory by tag."""
    try:
        (at,) = struct.unpack_from(f"{order}I", data, 4)
        (count,) = struct.unpack_from(f"{order}H", data, at)
        found: dict[int, tuple[int, ...]] = {}
        for entry in range(min(count, _MOST_ENTRIES)):
            tag, kind, number = struct.unpack_from(f"{order}HHI", data, at + 2 + 12 * entry)
            if kind not in _FORMATS or number > len(data):
                continue
            form = f"{order}{number}{_FORMATS[kind]}"
            place = at + 2 + 12 * entry + 8
            if struct.calcsize(form) > 4:
                (place,) = struct.unpack_from(f"{order}I", data, place)
            found[tag] = struct.unpack_from(form, data, place)
    except struct.error as error:
        raise ValueError("the TIFF ends early") from error
    return found


def _one(tags: Mapping[int, Sequence[int]], tag: int, otherwise: int) -> int:
    values = tags.get(tag) or (otherwise,)
    return int(values[0])


def _strip(data: bytes, compression: int, size: int) -> bytes:
    if compression == 1:
        return data
    if compression in (8, 32946):
        try:
            return zlib.decompressobj().decompress(data, size)
        except zlib.error as error:
            raise ValueError(f"a strip of the TIFF cannot be unpacked: {error}") from error
    if compression == 5:
        return _lzw(data, size)
    if compression == 32773:
        return _packed_bits(data, size)
    raise ValueError(f"a TIFF with compression {compression} is not read; export PNG")


def _packed_bits(data: bytes, size: int) -> bytes:
    made, at = bytearray(), 0
    while at < len(data) and len(made) < size:
        head = data[at]
        if head < 128:
            made += data[at + 1 : at + 2 + head]
            at += 2 + head
        else:
            made += data[at + 1 : at + 2] * (257 - head if head > 128 else 0)
            at += 2 if head > 128 else 1
    return bytes(made)


def _lzw(data: bytes, size: int) -> bytes:
    """TIFF 6.0 section 13: codes of 9 to 12 bits, the high bits first; 256 begins anew, 257 ends."""
    table = [bytes((value,)) for value in range(256)] + [b"", b""]
    made, before = bytearray(), b""
    width, have, held = 9, 0, 0
    for byte in data:
        held, have = (held << 8) | byte, have + 8
        if have < width:
            continue
        have -= width
        code, held = held >> have, held & ((1 << have) - 1)
        if code == 257 or len(made) >= size:
            break
        if code == 256:
            del table[258:]
            width, before = 9, b""
            continue
        if code > len(table) or (code == len(table) and not before):
            raise ValueError("a strip of the TIFF has no LZW code like that")
        entry = table[code] if code < len(table) else before + before[:1]
        made += entry
        if before and len(table) < 4096:
            table.append(before + entry[:1])
        before = entry
        width = min(max((len(table) + 1).bit_length(), 9), 12)
    return bytes(made)
