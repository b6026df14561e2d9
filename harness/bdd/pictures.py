"""Pictures and tables beside the messages of a scenario: what was exported or measured, and what is right."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from harness.actors.presentation.parts import TestObject
from harness.bdd.context import ScenarioContext
from harness.core.errors import Unjudgeable
from harness.core.message import Blob, Direction, Message, Protocol
from harness.imaging import measured, plots, png, tables
from harness.imaging.density import Medium, Viewing
from harness.imaging.geometry import screened
from harness.imaging.luts import Unit
from harness.imaging.measured import JudgedCurve
from harness.profiles.cpi import appearance, exports

#: what a film, a screen or a reference picture is called in the evidence
FILM, SHOWN, EXPORT, EXPECTED, PLOT, TABLE = "film", "shown", "export", "expected", "plot", "table"
_LARGEST = 64 << 20
_MOST_POINTS = 4096
_USUAL_PIXEL_MM = 0.25
_PNG = b"\x89PNG"
_KINDS = ((b"\xff\xd8", "image/jpeg"), (b"BM", "image/bmp"), (b"II*\0", "image/tiff"), (b"MM\0*", "image/tiff"))


def folder(context: ScenarioContext, kind: str) -> Path:
    """A fresh folder of this scenario for what the product exports."""
    place = Path(context.lab.settings.out).resolve() / "work" / kind / secrets.token_hex(8)
    place.mkdir(parents=True)
    return place


def record(
    context: ScenarioContext, data: bytes, name: str, media_type: str, role: str, direction: Direction = Direction.NONE
) -> Message:
    """A file as a message of the scenario."""
    return context.transcript.record(
        direction,
        Protocol.FILE,
        "FILE",
        actor="Harness",
        fields={"name": name, "media_type": media_type, "role": role},
        payload=Blob.of(data),
    )


def exported(context: ScenarioContext, answers: Mapping[str, Any], place: Path) -> Message | None:
    """The picture that a product left in the folder, or named in its answer; None if there is none.

    Raises Unjudgeable for a file that is too large to be a picture of a screen.
    """
    said = answers.get("picture")
    found = [Path(str(said))] if said else sorted(path for path in place.iterdir() if path.is_file())
    if not found or not found[0].is_file():
        return None
    path = found[0]
    if path.stat().st_size > _LARGEST:
        raise Unjudgeable(f"{path} is larger than {_LARGEST >> 20} MB; export a picture of the screen")
    data = path.read_bytes()
    if data.startswith(_PNG):
        return record(context, data, path.name, "image/png", SHOWN, Direction.FROM_SUT)
    with contextlib.suppress(ValueError):  # what cannot be read is said by its check
        record(context, picture_of(exports.read(data).values), f"{path.name}.png", "image/png", SHOWN)
    return record(context, data, path.name, _media_type(data), EXPORT, Direction.FROM_SUT)


def _media_type(data: bytes) -> str:
    if data[128:132] == b"DICM":
        return "application/dicom"
    return next((kind for start, kind in _KINDS if data.startswith(start)), "application/octet-stream")


def record_expected(context: ScenarioContext, made: TestObject) -> Path:
    """The picture that the test object asks for, so that the report shows it beside what came; a file of it."""
    rendition = appearance.of(made.image, made.state, made.frame)
    pixel_mm = context.lab.sut.display.pixel_mm or _USUAL_PIXEL_MM
    data = picture_of(screened(rendition.p_values, rendition.placement, pixel_mm))
    record(context, data, "expected.png", "image/png", EXPECTED)
    path = folder(context, "expected") / "expected.png"
    path.write_bytes(data)
    return path


def picture_of(values: Unit) -> bytes:
    """P-Values as a PNG of 8 bits."""
    return png.encode(np.rint(np.clip(values, 0.0, 1.0) * 255).astype(np.uint8))


def record_plot(context: ScenarioContext, curve: JudgedCurve, title: str) -> None:
    """Measured against expected, as SVG."""
    svg = plots.plot(curve, title=title)
    record(context, svg.encode(), "plot.svg", "image/svg+xml", PLOT)


def table(
    context: ScenarioContext, path: Path, *, steps: int | None = None
) -> tuple[tuple[tables.Sample, ...], Message]:
    """The measured points of a CSV file, of so many steps if that is known.

    Raises Unjudgeable naming the file and the line that is wrong.
    """
    try:
        data = path.read_bytes()[:_LARGEST]
        samples = tables.read_table(text_of(data), steps=steps)
    except (OSError, ValueError) as error:
        raise Unjudgeable(f"{path} holds no table of measurements: {error}") from error
    if len(samples) > _MOST_POINTS:
        raise Unjudgeable(f"{path} has {len(samples)} measured points; at most {_MOST_POINTS} are judged")
    return samples, record(context, data, path.name, "text/csv", TABLE, Direction.FROM_SUT)


def text_of(data: bytes) -> str:
    """The text of a table as meters and spreadsheets save it. Raises ValueError."""
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return data.decode("utf-16")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252")


def film_curve(film: Mapping[str, Any], wanted: Unit) -> JudgedCurve | None:
    """The densities of the first box of a film over the P-Values that the softcopy has at the same pixels."""
    boxes = film.get("boxes") or ()
    if not boxes:
        return None
    box, light = boxes[0], film["viewing"]
    if (box["rows"], box["columns"]) != wanted.shape:
        return None
    samples = {
        round(float(wanted[level["row"], level["column"]]), 6): float(level["density"]) for level in box["levels"]
    }
    if len(samples) < 2:
        return None
    viewing = Viewing(
        light["illumination"],
        light["ambient"],
        light["minimum_density"],
        light["maximum_density"],
        Medium(light["medium"]),
    )
    points = [tables.Sample(p_value, density) for p_value, density in sorted(samples.items())]
    return measured.judge_density(points, viewing)
