"""The film view: pictures as data, tables of P-Values, and evidence that is not as it should be."""

from __future__ import annotations

import numpy as np

from harness.core.message import Blob, Direction, Protocol
from harness.core.transcript import Transcript
from harness.imaging import png
from harness.reporting import film

PICTURE = png.encode(np.zeros((4, 4), np.uint8))
TABLE = {
    "display_format": "STANDARD\\1,1",
    "viewing": {
        "medium": "film",
        "illumination": 2000.0,
        "ambient": 10.0,
        "minimum_density": 0.2,
        "maximum_density": 3.0,
    },
    "boxes": [
        {
            "position": 1,
            "rows": 4,
            "columns": 4,
            "bits_stored": 12,
            "photometric_interpretation": "MONOCHROME2",
            "polarity": "NORMAL",
            "presentation_lut": "IDENTITY",
            "levels": [{"stored": 0, "row": 0, "column": 0, "p_value": 0.0, "density": 3.0}] * 40,
        }
    ],
}


def file_message(transcript: Transcript, data: bytes, media_type: str, role: str) -> None:
    fields = {"name": "x", "media_type": media_type, "role": role}
    transcript.record(Direction.NONE, Protocol.FILE, "FILE", actor="Print Server", fields=fields, payload=Blob.of(data))


def test_a_film_its_table_and_its_plot_are_shown_in_order() -> None:
    transcript = Transcript()
    file_message(transcript, b"<svg xmlns=''></svg>", "image/svg+xml", "plot")
    file_message(transcript, PICTURE, "image/png", "film")
    transcript.note("FILM", TABLE)
    view = film.film_view(transcript)
    assert [picture.title for picture in view.pictures] == [film.ROLES["film"], film.ROLES["plot"]]
    assert all(picture.source.startswith("data:image/") for picture in view.pictures)
    (shown,) = view.films
    assert "2000 cd/m" in shown.conditions
    assert len(shown.boxes[0].levels) == film.MAX_LEVELS
    assert shown.boxes[0].levels[0].grey == "rgb(0,0,0)"


def test_what_is_no_picture_is_said_and_not_embedded() -> None:
    transcript = Transcript()
    file_message(transcript, b"<html>", "image/png", "shown")
    file_message(transcript, b"x" * 10, "application/octet-stream", "shown")
    file_message(transcript, PICTURE[:8] + b"\0" * (film.MAX_PICTURE + 1), "image/png", "shown")
    file_message(transcript, PICTURE, "image/png", "table")
    transcript.note("FILM", {"boxes": 3})
    view = film.film_view(transcript)
    assert [picture.source for picture in view.pictures] == ["", "", ""]
    assert [bool(picture.note) for picture in view.pictures] == [True, True, True]
    assert view.films == ()


def test_a_scenario_without_pictures_has_no_view() -> None:
    assert not film.film_view(Transcript())
