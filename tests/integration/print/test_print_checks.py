"""The checks of RAD-23 over real exchanges: healthy actors pass, every seeded defect breaks what it says it breaks."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from pydicom.dataset import Dataset

from harness.actors.print_composer import (
    HEALTHY,
    FilmOrder,
    LutChoice,
    PrintComposer,
    PrintComposerBehaviour,
    SessionOrder,
)
from harness.actors.print_composer_pictures import PrintPicture, picture_of
from harness.actors.print_defects import (
    COMPOSER_DEFECTS,
    COMPOSER_VARIANTS,
    SERVER_DEFECTS,
    SERVER_VARIANTS,
    PrintDefect,
)
from harness.actors.print_server import PrintServer
from harness.actors.print_server_behaviour import HEALTHY as HEALTHY_SERVER
from harness.actors.print_server_behaviour import PrintServerBehaviour
from harness.core.check import Declaration, Exchange
from harness.core.message import Blob, Direction, Protocol
from harness.core.transcript import Transcript
from harness.imaging import phantoms
from harness.imaging.tables import read_table
from harness.imaging.phantoms import PixelFormat
from harness.profiles import names
from harness.profiles.cpi import facts
from harness.profiles.cpi.checks import CHECKS
from harness.protocols.dicom import datasets
from harness.protocols.dicom.uids import EXPLICIT_VR_LE
from tests.integration.imaging import objects

ROWS = {check.requirement: check for check in CHECKS if check.requirement.startswith("RAD-23")}
ROWS["CPI-ACT-05"] = next(check for check in CHECKS if check.requirement == "CPI-ACT-05")


def _state(image: Dataset) -> Dataset:
    def change(ds: Dataset) -> None:
        ds.SoftcopyVOILUTSequence = objects.items(WindowCenter=2000, WindowWidth=3000)

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
    """The composer is under test: what our server saw of it."""
    transcript = Transcript()
    image = objects.image(phantoms.step_wedge(48, 96, steps=12, form=PixelFormat(12)))
    state = _state(image)
    _known(transcript, image, 1)
    _known(transcript, state, 2)
    transcript.note(facts.PRINTED, {"image": image.SOPInstanceUID, "state": state.SOPInstanceUID, "position": 1})
    picture = picture_of(image, state)
    films = (FilmOrder((picture,)),)
    with (
        PrintServer(
            "PRINTER", transcript, behaviour=replace(HEALTHY_SERVER, session_reference_needed=lambda: False)
        ) as s,
        PrintComposer("COMPOSER", Transcript(), behaviour=replace(behaviour)) as composer,
    ):
        composer.print_films(s.address, films)
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
                    if "1.2.840.10008.5.1.1.2" in map(str, m.fields.values())
                ]
                keyword = "FilmSizeID" if purpose == facts.UNSUPPORTED_VALUE else "MaxDensity"
                transcript.note(facts.PRINT_PROBE, {"message": sent[0].seq, "purpose": purpose, "keyword": keyword})
        luts = (LutChoice("IDENTITY"), LutChoice("LIN OD"))
        composer.print_films(
            server.address, (FilmOrder((wedge, wedge), "STANDARD\\1,2", image_luts=luts),), SessionOrder()
        )
        _measure(transcript, server.measured(1), "IDENTITY", "RAD-23-SCP-07")
        _measure(transcript, server.measured(2), "LIN OD", "RAD-23-SCP-08")

        def change(association: int) -> None:
            server.change_status("WARNING", "SUPPLY LOW")
            transcript.note(facts.PRINTER_CHANGED, {"status": "WARNING", "association": association})

        composer.attend(server.address, change, timeout=1.0)
    return transcript


def _measure(transcript: Transcript, table: str, shape: str, requirement: str) -> None:
    if table.count("\n") < 5:
        return  # a film that was not printed has nothing to measure
    samples = [[one.p_value, one.measured] for one in read_table(table)]
    light = {"illumination": 2000.0, "ambient": 10.0, "minimum_density": 0.2, "maximum_density": 3.0}
    transcript.note(facts.DENSITIES, {"samples": samples, **light, "shape": shape, "requirement": requirement})


def test_a_healthy_composer_passes_every_row_and_every_row_looked_at_something() -> None:
    found = verdicts(composer_exchange(HEALTHY), names.PRINT_COMPOSER)
    found.pop("RAD-23-SCU-05")  # there is no table in this exchange
    assert found == {row: {True} for row in found}
    assert len(found) == 10


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
    assert len(found) == 14


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
