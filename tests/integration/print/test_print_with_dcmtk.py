"""RAD-23 against DCMTK in both directions: our composer with dcmprscp, dcmprscu with our server."""

import json
import subprocess
from pathlib import Path

import numpy as np
import pytest
from pydicom import dcmwrite
from pydicom.dataset import Dataset

from harness.actors.printing.composer import PrintComposer
from harness.actors.printing.orders import FilmOrder, LutChoice, SessionOrder
from harness.actors.printing.pictures import PrintPicture, picture_of
from harness.actors.printing.server import FILM, PrintServer
from harness.core.message import Direction
from harness.core.transcript import Transcript
from harness.imaging import phantoms
from harness.imaging.luts import quantized
from harness.imaging.phantoms import PixelFormat
from harness.imaging.render import render
from harness.profiles.cpi import reading
from harness.protocols.dicom.node import Address
from tests.integration.imaging import objects
from tests.integration.print import dcmtk
from tests.peers import require_program

WEDGE = PrintPicture(phantoms.step_wedge(64, 128, form=PixelFormat(12)).pixels.astype(np.int64))


def _answers(transcript: Transcript) -> list[tuple[str, int]]:
    return [
        (message.kind, message.fields["Status"])
        for message in transcript.messages
        if message.direction is Direction.FROM_SUT and "Status" in message.fields
    ]


@pytest.mark.peer("dcmtk")
@pytest.mark.parametrize(
    ("printer", "lut"),
    [
        ("IHEFULL", LutChoice("IDENTITY")),
        ("IHEFULL", LutChoice("LIN OD")),
        ("IHEFULL", LutChoice(entries=np.arange(4096) * 16, bits=16)),
        # no table on IHERESTRICTED: it takes implicit VR only, and dcmprscp 3.6.7 finds no LUT Data in implicit VR
        ("IHERESTRICTED", LutChoice("IDENTITY")),
        ("IHERESTRICTED", LutChoice("LIN OD")),
    ],
    ids=["full-identity", "full-lin-od", "full-table", "restricted-identity", "restricted-lin-od"],
)
def test_composer_prints_on_dcmprscp(tmp_path: Path, printer: str, lut: LutChoice) -> None:
    transcript = Transcript()
    full = printer == "IHEFULL"
    film = FilmOrder(
        (WEDGE, WEDGE) if full else (WEDGE,),
        display_format="STANDARD\\1,2" if full else "STANDARD\\1,1",
        film_size="8INX10IN",
        minimum_density=20 if full else None,
        lut=lut,
    )
    with dcmtk.print_scp(tmp_path, printer) as port, PrintComposer("COMPOSER", transcript) as composer:
        outcome = composer.print_films(Address(printer, "127.0.0.1", port), (film,))
    assert outcome.printed, outcome.messages
    assert [status for _, status in _answers(transcript)] == [0] * len(_answers(transcript))
    assert ("N-ACTION-RSP", 0) in _answers(transcript)
    assert not transcript.faults
    kept = sorted((tmp_path / "db").glob("HG_*"))
    assert len(kept) == (2 if full else 1)


@pytest.mark.peer("dcmtk")
def test_a_refusal_of_dcmprscp_is_shown_and_ends_the_print(tmp_path: Path) -> None:
    transcript = Transcript()
    film = FilmOrder((WEDGE,), film_size="99INX99IN")
    with dcmtk.print_scp(tmp_path, "IHERESTRICTED") as port, PrintComposer("COMPOSER", transcript) as composer:
        outcome = composer.print_films(Address("IHERESTRICTED", "127.0.0.1", port), (film,))
    assert not outcome.printed
    assert outcome.said[-1].operation == "film box"
    assert outcome.said[-1].status == 0x0106
    assert composer.shown == outcome.messages != ()
    assert "N-ACTION-RQ" not in {message.kind for message in transcript.messages}


@pytest.mark.peer("dcmtk")
def test_what_dcmprscp_does_not_know_and_need_not_is_left_out_the_second_time(tmp_path: Path) -> None:
    transcript = Transcript()
    film = FilmOrder((WEDGE,), film_size="8INX10IN", minimum_density=20, more=(("BorderDensity", "BLACK"),))
    with dcmtk.print_scp(tmp_path, "IHERESTRICTED") as port, PrintComposer("COMPOSER", transcript) as composer:
        outcome = composer.print_films(Address("IHERESTRICTED", "127.0.0.1", port), (film,))
    assert outcome.printed, outcome.messages
    assert [status for kind, status in _answers(transcript) if status] == [0x0105]
    assert ("N-ACTION-RSP", 0) in _answers(transcript)


@pytest.mark.peer("dcmtk")
@pytest.mark.parametrize("monochrome1", [False, True])
@pytest.mark.parametrize("lut", ["IDENTITY", "INVERSE", "table"])
def test_dcmprscu_prints_on_our_server_what_the_state_wants(tmp_path: Path, lut: str, monochrome1: bool) -> None:
    spooler = require_program("dcmpsprt")
    sender = require_program("dcmprscu")
    transcript = Transcript()
    image = objects.image(phantoms.step_wedge(40, 64, steps=8, form=PixelFormat(12, monochrome1=monochrome1)))

    def change(ds: Dataset) -> None:
        ds.SoftcopyVOILUTSequence = objects.items(WindowCenter=2000, WindowWidth=3000)
        if lut == "table":
            del ds.PresentationLUTShape
            ds.PresentationLUTSequence = objects.table(0, (np.arange(4096) ** 2) // 4096, 12)
        else:
            ds.PresentationLUTShape = lut

    state = objects.state(image, change)
    for name, ds in (("image", image), ("state", state)):
        dcmwrite(tmp_path / f"{name}.dcm", ds, enforce_file_format=True)
    with PrintServer("PRINTER", transcript) as server:
        settings = str(dcmtk.configuration(tmp_path, "IHEFULL", server.port, ae_title="PRINTER"))
        options = ["-c", settings, "-p", "IHEFULL", "--filmsize", "8INX10IN"]
        files = ["+p", str(tmp_path / "state.dcm"), str(tmp_path / "image.dcm")]
        subprocess.run([spooler, *options, *files], check=True, capture_output=True, timeout=30)
        jobs = [str(path) for path in (tmp_path / "db").glob("SP_*.dcm")]
        done = subprocess.run(
            [sender, "-c", settings, "-p", "IHEFULL", *jobs], check=True, capture_output=True, timeout=30
        )
    assert b"E:" not in done.stderr
    assert not transcript.faults
    (film,) = transcript.facts_of(FILM)
    (box,) = film.data["boxes"]
    wanted = render(reading.image(image), reading.presentation_state(state, image=image))
    for level in box["levels"]:
        expected = wanted.p_values[level["row"], level["column"]]
        assert level["p_value"] == pytest.approx(expected, abs=2.5 / 4095)
    assert len(box["levels"]) >= 6


@pytest.mark.parametrize("monochrome1", [False, True])
def test_the_film_of_our_pair_equals_the_softcopy(monochrome1: bool) -> None:
    transcript = Transcript()
    image = objects.image(phantoms.chest(64, 64, form=PixelFormat(12, monochrome1=monochrome1)))

    def change(ds: Dataset) -> None:
        ds.SoftcopyVOILUTSequence = objects.items(WindowCenter=2000, WindowWidth=3000)
        ds.ImageRotation, ds.ImageHorizontalFlip = 90, "Y"
        ds.PresentationLUTShape = "INVERSE" if monochrome1 else "IDENTITY"

    state = objects.state(image, change)
    with PrintServer("PRINTER", transcript) as server, PrintComposer("COMPOSER", transcript) as composer:
        outcome = composer.print_films(
            server.address, (FilmOrder((picture_of(image, state),), film_size="14INX17IN"),), SessionOrder(label="A")
        )
    assert outcome.printed
    wanted = render(reading.image(image), reading.presentation_state(state, image=image)).p_values
    (film,) = transcript.facts_of(FILM)
    for level in film.data["boxes"][0]["levels"]:
        assert level["stored"] == quantized(wanted, 12)[level["row"], level["column"]]
        assert level["p_value"] == pytest.approx(wanted[level["row"], level["column"]], abs=1 / 4095)


def test_a_printer_that_stands_alone_keeps_its_films(tmp_path: Path) -> None:
    with (
        PrintServer("PRINTER", Transcript(), storage=tmp_path / "films") as server,
        PrintComposer("COMPOSER", Transcript()) as composer,
    ):
        assert composer.print_films(server.address, (FilmOrder((WEDGE,)), FilmOrder((WEDGE,)))).printed
    kept = sorted(path.name for path in (tmp_path / "films").iterdir())
    assert kept == ["film-0001.json", "film-0001.png", "film-0002.json", "film-0002.png"]
    table = json.loads((tmp_path / "films" / "film-0002.json").read_text(encoding="utf-8"))
    assert [level["density"] for level in table["boxes"][0]["levels"]][:1] == [3.0]
