"""The checks of RAD-23 over real exchanges: healthy actors pass, every seeded defect breaks what it says it breaks."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from pydicom.dataset import Dataset

from harness.actors.defects.print_composer import COMPOSER_DEFECTS, COMPOSER_VARIANTS
from harness.actors.defects.print_defect import PrintDefect
from harness.actors.defects.print_server import SERVER_DEFECTS, SERVER_VARIANTS
from harness.actors.printing.composer import PrintComposer
from harness.actors.printing.composing import HEALTHY, PrintComposerBehaviour
from harness.actors.printing.orders import FilmOrder, LutChoice, SessionOrder
from harness.actors.printing.pictures import PrintPicture, picture_of
from harness.actors.printing.server import PrintServer
from harness.actors.printing.server_behaviour import HEALTHY as HEALTHY_SERVER
from harness.actors.printing.server_behaviour import PrintServerBehaviour
from harness.core.check import Declaration, Exchange
from harness.core.message import Blob, Direction, Protocol
from harness.core.transcript import Transcript
from harness.imaging import phantoms
from harness.imaging.phantoms import PixelFormat
from harness.imaging.tables import read_table
from harness.profiles import names
from harness.profiles.cpi import facts
from harness.profiles.cpi.checks import CHECKS
from harness.profiles.facts import OUTCOME
from harness.profiles.values import attributes_of, text
from harness.protocols.dicom import datasets
from harness.protocols.dicom.uids import BASIC_FILM_BOX, BASIC_GRAYSCALE_IMAGE_BOX, EXPLICIT_VR_LE, PRESENTATION_LUT
from tests.integration.imaging import objects

LARGE = PrintPicture(np.broadcast_to(np.arange(16384) // 64, (16, 16384)).astype(np.int64), bits=8)
ROWS = {check.requirement: check for check in CHECKS if check.requirement.startswith("RAD-23")}
ROWS["CPI-ACT-05"] = next(check for check in CHECKS if check.requirement == "CPI-ACT-05")


def _state(image: Dataset, shape: str = "IDENTITY") -> Dataset:
    def change(ds: Dataset) -> None:
        ds.SoftcopyVOILUTSequence = objects.items(WindowCenter=2000, WindowWidth=3000)
        ds.PresentationLUTShape = shape

    return objects.state(image, change)


def _known(transcript: Transcript, ds: Dataset, number: int) -> None:
    transcript.record(
        Direction.TO_SUT,
        Protocol.DICOM,
        "C-STORE-RQ",
        association=999,
        transfer_syntax=EXPLICIT_VR_LE,
        fields={
            "MessageID": number,
            "AffectedSOPClassUID": str(ds.SOPClassUID),
            "AffectedSOPInstanceUID": str(ds.SOPInstanceUID),
        },
        payload=Blob.of(datasets.encode(ds, EXPLICIT_VR_LE)),
    )


def verdicts(transcript: Transcript, actor: str) -> dict[str, set[bool | None]]:
    """What the checks of one side saw, by requirement."""
    exchange = Exchange(transcript, Declaration(actors=frozenset({actor}), profiles=frozenset({"CPI"})))
    side = "RAD-23-SCU" if actor == names.PRINT_COMPOSER else "RAD-23-SCP"
    return {
        row: {seen.ok for seen in check(exchange)}
        for row, check in ROWS.items()
        if row.startswith(side) or row == "CPI-ACT-05"
    }


def composer_exchange(behaviour: PrintComposerBehaviour) -> Transcript:
    """The composer is under test: two images on a film, then one on a printer that refuses film boxes and LUTs."""
    transcript = Transcript()
    pictures = []
    for position, shape in enumerate(("IDENTITY", "INVERSE"), start=1):
        image = objects.image(phantoms.step_wedge(48, 96, steps=12, form=PixelFormat(12)))
        image.SOPInstanceUID = f"{image.SOPInstanceUID}.{position}"
        state = _state(image, shape)
        state.SOPInstanceUID = f"{state.SOPInstanceUID}.{position}"
        _known(transcript, image, 2 * position - 1)
        _known(transcript, state, 2 * position)
        asked = {"image": image.SOPInstanceUID, "state": state.SOPInstanceUID, "position": position}
        transcript.note(facts.PRINTED, asked)
        pictures.append(picture_of(image, state))
    tolerant = replace(HEALTHY_SERVER, session_reference_needed=lambda: False)
    refused = {PRESENTATION_LUT: 0x0105, BASIC_FILM_BOX: 0x0106}
    strict = replace(tolerant, scripted=lambda kind, sop_class, before: refused.get(sop_class))
    for server_behaviour, film in (
        (tolerant, FilmOrder(tuple(pictures), "STANDARD\\1,2")),
        (strict, FilmOrder((pictures[0],))),
    ):
        with (
            PrintServer("PRINTER", transcript, behaviour=server_behaviour) as server,
            PrintComposer("COMPOSER", Transcript(), behaviour=replace(behaviour)) as composer,
        ):
            composer.print_films(server.address, (film,))
            said = {"action": "print-images", "state": "done", "answers": {"error": "; ".join(composer.shown)}}
        transcript.note(OUTCOME, said)
    assert not transcript.faults
    return transcript


def server_exchange(behaviour: PrintServerBehaviour) -> Transcript:
    """The server is under test: what our composer saw of it, with every probe that the scenarios have."""
    transcript = Transcript()
    wedge = PrintPicture(phantoms.step_wedge(32, 64, form=PixelFormat(12)).pixels.astype(np.int64))
    orders: tuple[tuple[FilmOrder, str, str], ...] = (
        (FilmOrder((wedge,), film_size="8INX10IN"), "", ""),
        (FilmOrder((wedge,), lut=LutChoice("LIN OD")), "", ""),
        (FilmOrder((wedge,), lut=LutChoice(entries=np.arange(4096), bits=12)), "", ""),
        (FilmOrder((wedge, wedge), "STANDARD\\2,2", orientation="LANDSCAPE"), "", ""),
        (FilmOrder((wedge,), image_luts=(LutChoice("LIN OD"),)), "", ""),
        (FilmOrder((wedge,), maximum_density=999), facts.DENSITY_OUT_OF_RANGE, "N-CREATE-RQ"),
        (FilmOrder(()), facts.EMPTY_FILM, "N-ACTION-RQ"),
        (FilmOrder((wedge,), film_size="99INX99IN"), facts.UNSUPPORTED_VALUE, "N-CREATE-RQ"),
        (FilmOrder((LARGE,)), facts.IMAGE_TOO_LARGE, "N-SET-RQ"),
        (FilmOrder((replace(LARGE, decimate_crop="FAIL"),)), facts.IMAGE_TOO_LARGE, "N-SET-RQ"),
    )
    with (
        PrintServer("PRINTER", Transcript(), behaviour=behaviour) as server,
        PrintComposer("COMPOSER", transcript, behaviour=replace(HEALTHY, goes_on_after=lambda said: True)) as composer,
    ):
        for order, purpose, kind in orders:
            mark = transcript.mark()
            composer.print_films(server.address, (order,), SessionOrder())
            if purpose:
                sent = [
                    m
                    for m in transcript.select(kind, direction=Direction.TO_SUT, after=mark)
                    if {BASIC_FILM_BOX, BASIC_GRAYSCALE_IMAGE_BOX} & set(map(str, m.fields.values()))
                ]
                keyword = "FilmSizeID" if purpose == facts.UNSUPPORTED_VALUE else "MaxDensity"
                for message in sent[:1]:
                    fact = {"message": message.seq, "purpose": purpose, "keyword": keyword}
                    transcript.note(facts.PRINT_PROBE, fact)
        tidy = SessionOrder(then_priority="LOW", deletes=("film box", "Presentation LUT"))
        composer.print_films(server.address, (FilmOrder((wedge,)),), tidy)
        for monochrome1, polarity in ((False, "REVERSE"), (True, "NORMAL"), (True, "REVERSE")):
            inverted = monochrome1 != (polarity == "REVERSE")
            turned = replace(wedge, pixels=4095 - wedge.pixels) if inverted else wedge
            order = FilmOrder((replace(turned, monochrome1=monochrome1, polarity=polarity),))
            if composer.print_films(server.address, (order,), SessionOrder()).printed:
                _measure(transcript, server.measured(), "IDENTITY", "RAD-23-SCP-07")
        luts = (LutChoice("IDENTITY"), LutChoice("LIN OD"))
        film = FilmOrder((wedge, wedge), "STANDARD\\1,2", image_luts=luts)
        if composer.print_films(server.address, (film,), SessionOrder()).printed:
            _measure(transcript, server.measured(1), "IDENTITY", "RAD-23-SCP-07")
            _measure(transcript, server.measured(2), "LIN OD", "RAD-23-SCP-08")

        def change(association: int) -> None:
            server.change_status("WARNING", "SUPPLY LOW")
            transcript.note(facts.PRINTER_CHANGED, {"status": "WARNING", "association": association})

        composer.attend(server.address, change, timeout=1.0)
    return transcript


def _measure(transcript: Transcript, table: str, shape: str, requirement: str) -> None:
    samples = [[one.p_value, one.measured] for one in read_table(table)]
    told = [attributes_of(m) for m in transcript.select("N-CREATE-RSP", direction=Direction.FROM_SUT)]
    limits = [float(text(said, "MaxDensity")) / 100 for said in told if "MaxDensity" in said]
    maximum = limits[-1] if limits else 3.0
    light = {"illumination": 2000.0, "ambient": 10.0, "minimum_density": 0.2, "maximum_density": maximum}
    transcript.note(facts.DENSITIES, {"samples": samples, **light, "shape": shape, "requirement": requirement})


def test_a_healthy_composer_passes_every_row_and_every_row_looked_at_something() -> None:
    found = verdicts(composer_exchange(HEALTHY), names.PRINT_COMPOSER)
    found.pop("RAD-23-SCU-05")  # there is no table in this exchange
    assert found == {row: {True} for row in found}
    assert len(found) == 11


#: what shows only where a film is waited for; `ihe-harness mutants` sees them killed
SILENT = ("composer-without-meta-class", "composer-never-prints")


@pytest.mark.parametrize(
    "defect", [one for one in COMPOSER_DEFECTS if one.id not in SILENT], ids=lambda defect: defect.id
)
def test_a_defect_of_the_composer_is_found(defect: PrintDefect[PrintComposerBehaviour]) -> None:
    found = verdicts(composer_exchange(defect.apply(HEALTHY)), names.PRINT_COMPOSER)
    assert {row for row, seen in found.items() if False in seen} == defect.breaks


@pytest.mark.parametrize("variant", COMPOSER_VARIANTS, ids=lambda variant: variant.id)
def test_a_legal_composer_breaks_nothing(variant: PrintDefect[PrintComposerBehaviour]) -> None:
    found = verdicts(composer_exchange(variant.apply(HEALTHY)), names.PRINT_COMPOSER)
    assert not any(False in seen for seen in found.values())


def test_a_healthy_server_passes_every_row_and_every_row_looked_at_something() -> None:
    found = verdicts(server_exchange(HEALTHY_SERVER), names.PRINT_SERVER)
    assert found == {row: {True} for row in found}
    assert len(found) == 16


#: who does not take what images are printed with prints other densities besides, or no film at all
BESIDES: dict[str, set[str]] = {
    "server-without-luts": {"RAD-23-SCP-08"},
    "server-own-lighting": {"RAD-23-SCP-07"},
}


@pytest.mark.parametrize("defect", SERVER_DEFECTS, ids=lambda defect: defect.id)
def test_a_defect_of_the_server_is_found(defect: PrintDefect[PrintServerBehaviour]) -> None:
    found = verdicts(server_exchange(defect.apply(HEALTHY_SERVER)), names.PRINT_SERVER)
    broken = {row for row, seen in found.items() if False in seen}
    assert broken == defect.breaks | BESIDES.get(defect.id, set())


@pytest.mark.parametrize("variant", SERVER_VARIANTS, ids=lambda variant: variant.id)
def test_a_legal_server_breaks_nothing(variant: PrintDefect[PrintServerBehaviour]) -> None:
    found = verdicts(server_exchange(variant.apply(HEALTHY_SERVER)), names.PRINT_SERVER)
    assert not any(False in seen for seen in found.values())


@pytest.mark.parametrize("actor", [names.PRINT_COMPOSER, names.PRINT_SERVER])
def test_nothing_seen_is_nothing_judged(actor: str) -> None:
    assert all(not seen for seen in verdicts(Transcript(), actor).values())


def test_densities_that_do_not_follow_the_display_function_are_found() -> None:
    transcript = Transcript()
    transcript.note(facts.DENSITIES, {"samples": [[0.0, 3.0], [0.5, 1.6], [1.0, 0.2]]})
    assert verdicts(transcript, names.PRINT_SERVER)["RAD-23-SCP-07"] == {False}
    transcript = Transcript()
    transcript.note(facts.DENSITIES, {"samples": [[0.0, "x"]]})
    assert verdicts(transcript, names.PRINT_SERVER)["RAD-23-SCP-07"] == {None}
