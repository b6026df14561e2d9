"""What the header of a compressed frame says: JPEG, JPEG-LS, JPEG 2000, RLE; bounded reading, never an exception."""

from __future__ import annotations

import itertools
import struct
from dataclasses import dataclass

_STANDALONE = frozenset({0x01, *range(0xD0, 0xD8)})
_FRAME_HEADERS = frozenset({*range(0xC0, 0xD0), 0xF7}) - {0xC4, 0xC8, 0xCC}
#: headers are at the beginning; what does not fit in this is not a header that anybody writes
MAXIMUM_HEADER = 1 << 16


@dataclass(frozen=True, slots=True)
class Codestream:
    """``family`` is jpeg, jpeg-ls, jpeg2000 or rle; ``process`` the SOF number, ``parameter`` the predictor or NEAR.

    For JPEG 2000 ``reversible`` and ``colour_transform`` come from COD; for RLE ``components`` counts segments.
    """

    family: str
    rows: int = 0
    columns: int = 0
    components: int = 0
    precision: int = 0
    process: int = -1
    parameter: int = -1
    reversible: bool | None = None
    colour_transform: bool | None = None
    high_throughput: bool = False
    problem: str = ""


def read(frame: bytes) -> Codestream:
    """The header of one frame; ``problem`` says why nothing could be read."""
    frame = frame[:MAXIMUM_HEADER]
    if frame.startswith(b"\xff\x4f"):
        return _jpeg2000(frame)
    if frame.startswith(b"\xff\xd8"):
        return _jpeg(frame)
    if frame[4:8] == b"jP  ":
        return Codestream("jp2", problem="a JP2 file instead of a bare codestream")
    return Codestream("", problem=f"begins with {frame[:4].hex(' ').upper() or 'nothing'}")


def _jpeg(frame: bytes) -> Codestream:
    position, found = 2, Codestream("jpeg", problem="no frame header")
    while position + 4 <= len(frame):
        if frame[position] != 0xFF:
            return Codestream("jpeg", problem=f"no marker at byte {position}")
        marker = frame[position + 1]
        if marker == 0xFF or marker in _STANDALONE:
            position += 1 if marker == 0xFF else 2
            continue
        (length,) = struct.unpack_from(">H", frame, position + 2)
        body = frame[position + 4 : position + 2 + length]
        if marker in _FRAME_HEADERS and len(body) >= 6:
            precision, rows, columns, components = struct.unpack_from(">BHHB", body)
            family = "jpeg-ls" if marker == 0xF7 else "jpeg"
            found = Codestream(family, rows, columns, components, precision, marker - 0xC0 if marker != 0xF7 else 55)
        elif marker == 0xDA:
            count = body[0] if body else 0
            if found.problem or len(body) < 2 + 2 * count:
                return found
            return Codestream(
                found.family, found.rows, found.columns, found.components, found.precision, found.process,
                parameter=body[1 + 2 * count],
            )  # fmt: skip
        elif marker == 0xD9 or length < 2:
            break
        position += 2 + length
    return found


def _jpeg2000(frame: bytes) -> Codestream:
    position, size, throughput = 2, None, False
    while position + 4 <= len(frame):
        marker, length = struct.unpack_from(">HH", frame, position)
        body = frame[position + 4 : position + 2 + length]
        if marker == 0xFF51 and len(body) >= 37:
            _, x, y, x0, y0 = struct.unpack_from(">HIIII", body)
            (components,) = struct.unpack_from(">H", body, 34)
            size = (y - y0, x - x0, components, (body[36] & 0x7F) + 1)
        elif marker == 0xFF50:
            throughput = True
        elif marker == 0xFF52 and size is not None and len(body) >= 10:
            return Codestream(
                "jpeg2000", *size, reversible=body[9] == 1, colour_transform=body[4] == 1, high_throughput=throughput
            )
        elif marker == 0xFF90 or length < 2:
            break
        position += 2 + length
    return Codestream("jpeg2000", problem="no SIZ and COD segments")


def read_rle(frame: bytes, length: int) -> Codestream:
    """The header of an RLE frame of ``length`` bytes (PS3.5 Annex G)."""
    if len(frame) < 64:
        return Codestream("rle", problem="shorter than its header of 64 bytes")
    count, *offsets = struct.unpack_from("<16I", frame)
    if not 1 <= count <= 15:
        return Codestream("rle", problem=f"{count} segments")
    used = offsets[:count]
    if used[0] != 64 or any(b <= a for a, b in itertools.pairwise(used)) or used[-1] >= length:
        return Codestream("rle", problem=f"segment offsets {used}")
    if any(offsets[count:]):
        return Codestream("rle", problem="offsets of unused segments are not zero")
    return Codestream("rle", components=count)
