"""Pixel data against its description: lengths, frames, offset tables, codestreams (PS3.3 C.7.6.3, PS3.5 8, A.4)."""

from __future__ import annotations

import re
import struct
from collections.abc import Callable
from dataclasses import dataclass

from harness.validation.codestream import Codestream, read, read_rle
from harness.validation.dictionary import name
from harness.validation.finding import Severity, ValidationFinding
from harness.validation.walker import DataSet, Element

Report = Callable[[ValidationFinding], None]
PIXEL_DATA = 0x7FE00010
MAXIMUM_FRAMES_READ = 16
_SOFS: dict[str, frozenset[int]] = {
    "1.2.840.10008.1.2.4.50": frozenset({0}),
    "1.2.840.10008.1.2.4.51": frozenset({0, 1}),
    "1.2.840.10008.1.2.4.57": frozenset({3}),
    "1.2.840.10008.1.2.4.70": frozenset({3}),
}
_JPEG_LS = {"1.2.840.10008.1.2.4.80": True, "1.2.840.10008.1.2.4.81": False}
_J2K = {"1.2.840.10008.1.2.4.90": True, "1.2.840.10008.1.2.4.91": False}
_HTJ2K = {"1.2.840.10008.1.2.4.201": True, "1.2.840.10008.1.2.4.202": True, "1.2.840.10008.1.2.4.203": False}
_RLE = "1.2.840.10008.1.2.5"
#: MPEG-2, H.264 and H.265: one stream for all frames, whose fragments and offsets say nothing of frames (PS3.5 8.2.5)
_VIDEO = re.compile(r"1\.2\.840\.10008\.1\.2\.4\.10[0-8](\.1)?")
_SAMPLES = {
    "MONOCHROME1": 1, "MONOCHROME2": 1, "PALETTE COLOR": 1, "RGB": 3, "YBR_FULL": 3, "YBR_FULL_422": 3,
    "YBR_PARTIAL_420": 3, "YBR_PARTIAL_422": 3, "YBR_ICT": 3, "YBR_RCT": 3, "HSV": 3, "ARGB": 4, "CMYK": 4, "XYB": 3,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Shape:
    """The description of the pixels in the header."""

    rows: int
    columns: int
    samples: int
    allocated: int
    stored: int
    frames: int
    photometric: str


class PixelRules:
    """Judges Pixel Data of one data set."""

    def __init__(self, report: Report) -> None:
        self._report = report

    def check(self, ds: DataSet, transfer_syntax: str, compressed: bool) -> None:
        """All rules; nothing is said if there is no Pixel Data."""
        element = ds.elements.get(PIXEL_DATA)
        if element is None:
            return
        shape = self._shape(ds)
        if compressed and element.fragments is None:
            self._add(
                "PX-ENCAPSULATION", "fragments, for the transfer syntax is compressed", "native pixel data", "PS3.5 A.4"
            )
        elif not compressed and element.fragments is not None:
            self._add("PX-ENCAPSULATION", "native pixel data", "fragments", "PS3.5 8.1.1")
        elif element.fragments is None:
            self._native(ds, element, shape)
        else:
            self._encapsulated(ds, element, shape, transfer_syntax)

    def _add(
        self, code: str, expected: str, actual: str, clause: str, tag: int = PIXEL_DATA, warn: bool = False
    ) -> None:
        severity = Severity.WARNING if warn else Severity.ERROR
        self._report(ValidationFinding(code, severity, name(tag), expected, actual, clause))

    def _shape(self, ds: DataSet) -> _Shape | None:
        wanted = (0x00280010, 0x00280011, 0x00280002, 0x00280100, 0x00280101)
        numbers = [ds.number(tag) for tag in wanted]
        if any(number is None for number in numbers):
            return None
        rows, columns, samples, allocated, stored = (number or 0 for number in numbers)
        frames = ds.number(0x00280008) if 0x00280008 in ds.elements else 1
        shape = _Shape(rows, columns, samples, allocated, stored, max(1, frames or 1), ds.text(0x00280004))
        if allocated != 1 and (allocated % 8 or not allocated):
            self._add("PX-BITS", "1 or a multiple of 8", str(allocated), "PS3.5 8.1.1", 0x00280100)
        if not 0 < stored <= allocated:
            self._add("PX-BITS", f"1 to {allocated}", str(stored), "PS3.5 8.1.1", 0x00280101)
        high = ds.number(0x00280102)
        if high is not None and high != stored - 1:
            self._add("PX-BITS", f"{stored - 1}, one less than Bits Stored", str(high), "PS3.5 8.1.1", 0x00280102)
        expected = _SAMPLES.get(shape.photometric)
        if expected is not None and expected != samples:
            self._add(
                "PX-SAMPLES", f"{expected} for {shape.photometric}", str(samples), "PS3.3 C.7.6.3.1.2", 0x00280002
            )
        planar = ds.number(0x00280006)
        if samples > 1 and planar not in (0, 1):
            self._add(
                "PX-PLANAR", "0 or 1", "absent" if planar is None else str(planar), "PS3.3 C.7.6.3.1.3", 0x00280006
            )
        if frames is not None and frames < 1:
            self._add("PX-FRAMES", "at least one frame", str(frames), "PS3.3 C.7.6.6.1.1", 0x00280008)
        return shape

    def _native(self, ds: DataSet, element: Element, shape: _Shape | None) -> None:
        if shape is None:
            return
        if element.vr == "OB" and shape.allocated > 8:
            self._add("PX-VR", f"VR OW for {shape.allocated} bits allocated", "VR OB", "PS3.5 8.1.2")
        bits = shape.rows * shape.columns * shape.samples * shape.allocated * shape.frames
        if shape.photometric == "YBR_FULL_422":
            bits = bits * 2 // 3
        expected = (bits + 7) // 8
        expected += expected & 1
        actual = element.end - element.start
        if actual != expected:
            self._add("PX-LENGTH", f"{expected} bytes", f"{actual} bytes", "PS3.5 8.1.1")

    def _encapsulated(self, ds: DataSet, element: Element, shape: _Shape | None, transfer_syntax: str) -> None:
        fragments = element.fragments or []
        if element.vr != "OB":
            self._add("PX-VR", "VR OB for encapsulated frames", f"VR {element.vr}", "PS3.5 A.4")
        if not fragments:
            self._add("PX-OFFSET-TABLE", "a first item for the offset table", "no item", "PS3.5 A.4")
            return
        table, data = fragments[0], fragments[1:]
        if _VIDEO.fullmatch(transfer_syntax):
            if not data:
                self._add("PX-FRAGMENTS", "the stream of all frames in a fragment", "none", "PS3.5 8.2.5, A.4")
            return
        number = shape.frames if shape is not None else 1
        starts = self._offsets(ds, table, data, number)
        if starts is None:
            if len(data) < number or (transfer_syntax == _RLE and len(data) != number):
                self._add("PX-FRAGMENTS", f"{number} frames in at least as many fragments", str(len(data)), "PS3.5 A.4")
            starts = list(range(len(data))) if len(data) == number else [0] if data else []
        for place, first in enumerate(starts[:MAXIMUM_FRAMES_READ]):
            following = starts[place + 1] if place + 1 < len(starts) else len(data)
            pieces = data[first : max(following, first + 1)]
            head = b"".join(ds.raw[start : min(end, start + (1 << 16))] for start, end in pieces[:4])
            length = sum(end - start for start, end in pieces)
            if not self._frame(ds, head, length, shape, transfer_syntax, place + 1):
                break

    def _offsets(
        self, ds: DataSet, table: tuple[int, int], data: list[tuple[int, int]], number: int
    ) -> list[int] | None:
        """For each frame the index of its first fragment; None if there is no offset table or it is wrong."""
        origin = data[0][0] - 8 if data else 0
        places = {start - 8 - origin: index for index, (start, _) in enumerate(data)}
        extended = ds.value(0x7FE00001)
        if extended is not None:
            if table[1] > table[0]:
                self._add(
                    "PX-OFFSET-TABLE", "an empty basic offset table beside the extended one", "entries", "PS3.5 A.4"
                )
            offsets = struct.unpack_from(f"<{len(extended) // 8}Q", extended)
        elif table[1] == table[0]:
            return None
        else:
            if (table[1] - table[0]) % 4:
                self._add("PX-OFFSET-TABLE", "a multiple of 4 bytes", str(table[1] - table[0]), "PS3.5 A.4")
            offsets = struct.unpack_from(f"<{(table[1] - table[0]) // 4}I", ds.raw, table[0])
        if len(offsets) != number:
            self._add("PX-OFFSET-TABLE", f"{number} offsets, one for each frame", str(len(offsets)), "PS3.5 A.4")
            return None
        for frame, offset in enumerate(offsets, 1):
            if offset not in places:
                self._add(
                    "PX-OFFSET-TABLE", "the place of a fragment", f"{offset} for frame {frame}", "PS3.5 A.4"
                )  # fmt: skip
                return None
        starts = [places[offset] for offset in offsets]
        if starts != sorted(set(starts)) or (starts and starts[0] != 0):
            self._add("PX-OFFSET-TABLE", "ascending offsets from 0", str(list(offsets[:8])), "PS3.5 A.4")
            return None
        return starts

    # -- codestreams ---------------------------------------------------------------------------------------------

    def _frame(
        self, ds: DataSet, head: bytes, length: int, shape: _Shape | None, transfer_syntax: str, number: int
    ) -> bool:
        """Judge one frame; False ends the reading because the next ones would only repeat it."""
        if transfer_syntax == _RLE:
            stream = read_rle(head[:64], length)
        elif transfer_syntax in _SOFS or transfer_syntax in _JPEG_LS or transfer_syntax in _J2K | _HTJ2K:
            stream = read(head)
        else:
            return False
        where = f"frame {number}: "
        if stream.problem:
            self._add("PX-CODESTREAM", "a readable codestream header", where + stream.problem, "PS3.5 8.2")
            return False
        before = _Counter(self._report)
        rules = PixelRules(before)
        rules._process(stream, transfer_syntax, where)
        if shape is not None:
            rules._shape_of(stream, shape, where)
        if number == 1:
            rules._colour(stream, shape)
            rules._lossy(ds, stream, transfer_syntax)
        return before.count == 0

    def _process(self, stream: Codestream, transfer_syntax: str, where: str) -> None:
        clause = "PS3.5 8.2"
        if transfer_syntax in _SOFS:
            sofs = _SOFS[transfer_syntax]
            if stream.family != "jpeg" or stream.process not in sofs:
                wanted = " or ".join(f"SOF{number}" for number in sorted(sofs))
                self._add("PX-PROCESS", f"{wanted} for {transfer_syntax}", f"{where}{_kind(stream)}", clause)
            elif transfer_syntax.endswith(".70") and stream.parameter != 1:
                self._add("PX-PROCESS", "selection value 1", f"{where}{stream.parameter}", "PS3.5 A.4.1")
            elif transfer_syntax.endswith(".50") and stream.precision != 8:
                self._add("PX-PRECISION", "8 bits for JPEG Baseline", f"{where}{stream.precision}", "PS3.5 8.2.1")
        elif transfer_syntax in _JPEG_LS:
            if stream.family != "jpeg-ls":
                self._add("PX-PROCESS", "JPEG-LS (SOF55)", f"{where}{_kind(stream)}", "PS3.5 8.2.3")
            elif _JPEG_LS[transfer_syntax] and stream.parameter > 0:
                self._add("PX-PROCESS", "NEAR 0 for lossless JPEG-LS", f"{where}NEAR {stream.parameter}", "PS3.5 8.2.3")
        elif transfer_syntax in _J2K | _HTJ2K:
            if stream.family != "jpeg2000" or stream.high_throughput != (transfer_syntax in _HTJ2K):
                wanted = "HTJ2K" if transfer_syntax in _HTJ2K else "JPEG 2000 Part 1"
                self._add("PX-PROCESS", wanted, f"{where}{_kind(stream)}", "PS3.5 8.2.4")
            elif (_J2K | _HTJ2K)[transfer_syntax] and not stream.reversible:
                self._add("PX-PROCESS", "the reversible 5-3 transform", f"{where}irreversible 9-7", "PS3.5 A.4.4")

    def _shape_of(self, stream: Codestream, shape: _Shape, where: str) -> None:
        if stream.family == "rle":
            segments = shape.samples * ((shape.allocated + 7) // 8)
            if stream.components != segments:
                self._add("PX-COMPONENTS", f"{segments} RLE segments", f"{where}{stream.components}", "PS3.5 G.2")
            return
        if (stream.rows, stream.columns) != (shape.rows, shape.columns):
            expected = f"{shape.rows} rows and {shape.columns} columns"
            self._add("PX-SIZE", expected, f"{where}{stream.rows} and {stream.columns}", "PS3.5 8.2")
        if stream.components != shape.samples:
            self._add("PX-COMPONENTS", f"{shape.samples} components", f"{where}{stream.components}", "PS3.5 8.2")
        if stream.precision != shape.stored:
            # a codestream may carry more bits than Bits Stored says are used, never more than are allocated, nor fewer
            grave = stream.precision > shape.allocated or stream.precision < shape.stored
            expected = f"{shape.stored} bits (Bits Stored)"
            self._add("PX-PRECISION", expected, f"{where}{stream.precision}", "PS3.5 8.2", warn=not grave)

    def _colour(self, stream: Codestream, shape: _Shape | None) -> None:
        if shape is None or stream.family == "rle" or stream.components != 3:
            return
        if stream.family == "jpeg2000":
            if stream.colour_transform:
                wanted = {"YBR_RCT"} if stream.reversible else {"YBR_ICT"}
            else:
                wanted = {"RGB", "YBR_FULL"}
        elif stream.family == "jpeg" and stream.process in (0, 1):
            wanted = {"YBR_FULL_422", "RGB", "YBR_PARTIAL_420"}
        else:
            return
        if shape.photometric not in wanted:
            self._add(
                "PX-PHOTOMETRIC", " or ".join(sorted(wanted)), shape.photometric, "PS3.5 8.2", 0x00280004, warn=True
            )  # fmt: skip

    def _lossy(self, ds: DataSet, stream: Codestream, transfer_syntax: str) -> None:
        lossy = (
            (stream.family == "jpeg" and stream.process in (0, 1))
            or (stream.family == "jpeg-ls" and stream.parameter > 0)
            or (stream.family == "jpeg2000" and stream.reversible is False)
        )
        declared = ds.text(0x00282110)
        if lossy and declared != "01":
            self._add(
                "PX-LOSSY", "01, for the codestream is lossy", declared or "absent", "PS3.3 C.7.6.1.1.5", 0x00282110
            )  # fmt: skip


class _Counter:
    """Passes findings on and counts them."""

    def __init__(self, report: Report) -> None:
        self._target, self.count = report, 0

    def __call__(self, finding: ValidationFinding) -> None:
        self.count += 1
        self._target(finding)


def _kind(stream: Codestream) -> str:
    if stream.family == "jpeg":
        return f"SOF{stream.process}"
    return {"jpeg-ls": "JPEG-LS", "jpeg2000": "HTJ2K" if stream.high_throughput else "JPEG 2000"}.get(
        stream.family, stream.family
    )
