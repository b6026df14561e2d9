"""The print server's objects, without a wire."""

from __future__ import annotations

import itertools
import time
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from pydicom.dataset import Dataset

from harness.actors.printing.orders import FilmOrder, LutChoice, film_box, image_box, reference
from harness.actors.printing.pictures import PrintPicture
from harness.actors.printing.server_behaviour import PrintServerBehaviour, Reply
from harness.actors.printing.server_film import Exposure, lut_input, p_values
from harness.actors.printing.server_printer import Printer, UnknownFormat
from harness.actors.printing.server_session import PrintSession
from harness.imaging import png
from harness.imaging.density import Viewing
from harness.imaging.luts import Shape
from harness.protocols.dicom import uids

RAMP = PrintPicture(np.arange(256).reshape(16, 16), bits=8)


class Desk:
    """Talks to a session as a composer would."""

    def __init__(self, **options: Any) -> None:
        numbers = itertools.count(1)
        self.session = PrintSession(options.pop("printer", Printer()), lambda: f"1.2.{next(numbers)}", **options)

    def do(self, kind: str, sop_class: str, uid: str = "", ds: Dataset | None = None, **more: Any) -> Reply:
        return self.session.handle(f"{kind}-RQ", sop_class, uid, ds or Dataset(), **more)

    def open(self) -> None:
        assert self.do("N-CREATE", uids.BASIC_FILM_SESSION, "9.1").status == 0

    def lut(self, choice: LutChoice, uid: str = "9.2") -> Reply:
        return self.do("N-CREATE", uids.PRESENTATION_LUT, uid, choice.dataset())

    def film(self, order: FilmOrder, uid: str = "9.3", lut: str = "") -> Reply:
        return self.do("N-CREATE", uids.BASIC_FILM_BOX, uid, film_box(order, "9.1", lut))

    def boxes(self, reply: Reply) -> list[str]:
        assert reply.dataset is not None
        return [str(item.ReferencedSOPInstanceUID) for item in reply.dataset.ReferencedImageBoxSequence]

    def image(self, box: str, picture: PrintPicture = RAMP, position: int = 1, lut: str = "") -> Reply:
        return self.do("N-SET", uids.BASIC_GRAYSCALE_IMAGE_BOX, box, image_box(picture, position, lut))

    def print(self, uid: str = "9.3") -> Reply:
        return self.do("N-ACTION", uids.BASIC_FILM_BOX, uid, action=1)

    def table(self) -> Any:
        ((_, sheet),) = self.session.take_sheets()
        assert png.decode(sheet.picture).size > 1000
        return sheet.table


@pytest.mark.parametrize(
    ("display_format", "count"),
    [
        ("STANDARD\\1,1", 1),
        ("STANDARD\\3,4", 12),
        ("ROW\\1,2,3", 6),
        ("COL\\2,2", 4),
        ("SLIDE", 12),
        ("SUPERSLIDE", 6),
        ("CUSTOM\\1", 3),
    ],
)
def test_every_display_format_has_as_many_boxes_as_it_says_and_they_do_not_overlap(
    display_format: str, count: int
) -> None:
    places = Printer().places(display_format)
    assert len(places) == count
    assert sum(place.height * place.width for place in places) == pytest.approx(1.0)
    covered = np.zeros((120, 120), int)
    for place in places:
        top, left = round(place.top * 120), round(place.left * 120)
        covered[top : top + round(place.height * 120), left : left + round(place.width * 120)] += 1
    assert covered.max() == 1


@pytest.mark.parametrize(
    "display_format", ["", "STANDARD", "STANDARD\\0,1", "STANDARD\\99,1", "ROW\\0", "CUSTOM\\9", "X\\1", "STANDARD\\a"]
)
def test_formats_that_do_not_exist_are_refused(display_format: str) -> None:
    with pytest.raises(UnknownFormat):
        Printer().places(display_format)


def test_a_film_is_printed_with_its_p_values() -> None:
    desk = Desk(print_job=True)
    desk.open()
    assert desk.lut(LutChoice("IDENTITY")).status == 0
    made = desk.film(FilmOrder((RAMP,)), lut="9.2")
    assert made.status == 0
    assert desk.image(desk.boxes(made)[0]).status == 0
    printed = desk.print()
    assert printed.status == 0
    assert printed.dataset is not None
    job = str(printed.dataset.ReferencedPrintJobSequence[0].ReferencedSOPInstanceUID)
    table = desk.table()
    assert [level["p_value"] for level in table["boxes"][0]["levels"]] == pytest.approx(
        [level["stored"] / 255 for level in table["boxes"][0]["levels"]], abs=1e-6
    )
    assert table["boxes"][0]["levels"][0]["density"] == 3.0
    assert table["boxes"][0]["levels"][-1]["density"] == 0.2
    answer = desk.do("N-GET", uids.PRINT_JOB, job).dataset
    assert answer is not None
    assert answer.ExecutionStatus == "DONE"


@pytest.mark.parametrize("monochrome1", [False, True])
@pytest.mark.parametrize("reverse", [False, True])
def test_photometric_interpretation_and_polarity_turn_round_once_each(monochrome1: bool, reverse: bool) -> None:
    exposure = Exposure(1, np.array([[0, 255]]), 8, monochrome1, reverse)
    assert lut_input(exposure)[[0, 255]].tolist() == ([1.0, 0.0] if monochrome1 != reverse else [0.0, 1.0])


def test_the_lut_of_an_image_box_overrides_that_of_the_film() -> None:
    desk = Desk()
    desk.open()
    desk.lut(LutChoice("IDENTITY"))
    desk.lut(LutChoice(entries=np.arange(256)[::-1] * 4, bits=10), uid="9.4")
    boxes = desk.boxes(desk.film(FilmOrder((RAMP, RAMP), "STANDARD\\1,2"), lut="9.2"))
    assert desk.image(boxes[0]).status == 0
    assert desk.image(boxes[1], position=2, lut="9.4").status == 0
    desk.print()
    first, second = desk.table()["boxes"]
    assert first["levels"][-1]["p_value"] == 1.0
    assert second["levels"][-1]["p_value"] == 0.0


def test_lin_od_prints_density_linearly() -> None:
    desk = Desk()
    desk.open()
    desk.lut(LutChoice("LIN OD"))
    desk.image(desk.boxes(desk.film(FilmOrder((RAMP,)), lut="9.2"))[0])
    desk.print()
    levels = desk.table()["boxes"][0]["levels"]
    assert [level["density"] for level in levels] == pytest.approx(
        [3.0 - 2.8 * level["stored"] / 255 for level in levels], abs=1e-3
    )


def test_a_density_out_of_range_gives_b605_and_the_limit_is_used() -> None:
    desk = Desk()
    desk.open()
    made = desk.film(FilmOrder((RAMP,), maximum_density=999))
    assert made.status == 0xB605
    assert made.dataset is not None
    assert made.dataset.MaxDensity == 320


def test_an_empty_film_is_a_warning_and_an_empty_session_a_failure() -> None:
    desk = Desk()
    desk.open()
    assert desk.do("N-ACTION", uids.BASIC_FILM_SESSION, "9.1", action=1).status == 0xC600
    desk.film(FilmOrder(()))
    assert desk.print().status == 0xB603
    assert desk.do("N-ACTION", uids.BASIC_FILM_SESSION, "9.1", action=1).status == 0xB602
    assert desk.do("N-ACTION", uids.BASIC_FILM_BOX, "9.3", action=2).status == 0x0123


def test_an_empty_image_sequence_takes_the_image_out() -> None:
    desk = Desk()
    desk.open()
    box = desk.boxes(desk.film(FilmOrder((RAMP,))))[0]
    desk.image(box)
    empty = image_box(RAMP, 1, "")
    empty.BasicGrayscaleImageSequence = []
    assert desk.do("N-SET", uids.BASIC_GRAYSCALE_IMAGE_BOX, box, empty).status == 0
    assert desk.print().status == 0xB603


def _without(ds: Dataset, keyword: str) -> Dataset:
    del ds[keyword]
    return ds


@pytest.mark.parametrize(
    ("keyword", "status"),
    [("ImageDisplayFormat", 0x0120), ("ReferencedFilmSessionSequence", 0x0120)],
)
def test_a_film_box_without_what_it_must_have_is_refused(keyword: str, status: int) -> None:
    desk = Desk()
    desk.open()
    ds = _without(film_box(FilmOrder((RAMP,)), "9.1", ""), keyword)
    assert desk.do("N-CREATE", uids.BASIC_FILM_BOX, "9.3", ds).status == status


@pytest.mark.parametrize(
    ("keyword", "value"),
    [
        ("ImageDisplayFormat", "STANDARD\\50,50"),
        ("FilmOrientation", "DIAGONAL"),
        ("FilmSizeID", "1INX1IN"),
        ("Trim", "MAYBE"),
        ("MagnificationType", "HUGE"),
    ],
)
def test_values_that_do_not_exist_are_refused(keyword: str, value: str) -> None:
    desk = Desk()
    desk.open()
    ds = film_box(FilmOrder((RAMP,)), "9.1", "")
    setattr(ds, keyword, value)
    assert desk.do("N-CREATE", uids.BASIC_FILM_BOX, "9.3", ds).status == 0x0106


@pytest.mark.parametrize("keyword", ["Rows", "PixelData", "BitsStored", "PhotometricInterpretation"])
def test_an_image_without_its_description_is_refused(keyword: str) -> None:
    desk = Desk()
    desk.open()
    box = desk.boxes(desk.film(FilmOrder((RAMP,))))[0]
    ds = image_box(RAMP, 1, "")
    del ds.BasicGrayscaleImageSequence[0][keyword]
    assert desk.do("N-SET", uids.BASIC_GRAYSCALE_IMAGE_BOX, box, ds).status == 0x0120


def test_pixels_that_are_too_few_or_too_many_are_refused() -> None:
    desk = Desk(printer=Printer(most_pixels=100))
    desk.open()
    box = desk.boxes(desk.film(FilmOrder((RAMP,))))[0]
    assert desk.image(box).status == 0xC603
    short = image_box(PrintPicture(np.zeros((4, 4), np.int64), 8), 1, "")
    short.BasicGrayscaleImageSequence[0].PixelData = b"\0\0"
    assert desk.do("N-SET", uids.BASIC_GRAYSCALE_IMAGE_BOX, box, short).status == 0x0106


@pytest.mark.parametrize(
    ("descriptor", "status"),
    [([256, 0, 10], 0), ([4096, 0, 16], 0), ([255, 0, 10], 0x0106), ([256, 1, 10], 0x0106), ([256, 0, 8], 0x0106)],
)
def test_presentation_lut_tables_have_256_or_4096_entries_of_10_to_16_bits(descriptor: list[int], status: int) -> None:
    ds = LutChoice(entries=np.zeros(4096, np.int64), bits=12).dataset()
    ds.PresentationLUTSequence[0].LUTDescriptor = descriptor
    assert Desk().do("N-CREATE", uids.PRESENTATION_LUT, "9.2", ds).status == status


def test_a_presentation_lut_is_a_table_or_a_shape_never_both_and_never_none() -> None:
    both = LutChoice(entries=np.zeros(256, np.int64)).dataset()
    both.PresentationLUTShape = "IDENTITY"
    assert Desk().do("N-CREATE", uids.PRESENTATION_LUT, "9.2", both).status == 0x0106
    assert Desk().do("N-CREATE", uids.PRESENTATION_LUT, "9.2", Dataset()).status == 0x0120
    assert Desk().lut(LutChoice("INVERSE")).status == 0x0106


def test_unknown_instances_and_operations_are_refused() -> None:
    desk = Desk()
    assert desk.do("N-SET", uids.BASIC_FILM_BOX, "1.1").status == 0x0112
    assert desk.do("N-DELETE", uids.BASIC_FILM_SESSION, "1.1").status == 0x0112
    assert desk.do("N-GET", uids.PRINTER, "1.1").status == 0x0112
    assert desk.do("N-CREATE", uids.PRINTER, "1.1").status == 0x0211
    desk.open()
    assert desk.do("N-CREATE", uids.BASIC_FILM_SESSION, "9.9").status == 0x0110


def test_a_printer_answers_what_is_asked() -> None:
    desk = Desk(printer_status=lambda: ("WARNING", "FILM LOW"))
    whole = desk.do("N-GET", uids.PRINTER, uids.PRINTER_INSTANCE).dataset
    assert whole is not None
    assert (whole.PrinterStatus, whole.PrinterStatusInfo) == ("WARNING", "FILM LOW")
    part = desk.do("N-GET", uids.PRINTER, uids.PRINTER_INSTANCE, asked=[0x21100010]).dataset
    assert part is not None
    assert [element.keyword for element in part] == ["PrinterStatus"]


@pytest.mark.parametrize("status", [0x0105, 0x0106, 0xC616])
def test_a_scripted_failure_refuses_and_a_scripted_warning_does_not(status: int) -> None:
    def scripted(code: int) -> PrintServerBehaviour:
        def answer(kind: str, sop_class: str, before: int) -> int | None:
            return code if sop_class == uids.BASIC_FILM_BOX and before == 0 else None

        return PrintServerBehaviour(scripted=answer)

    desk = Desk(behaviour=scripted(status))
    desk.open()
    assert desk.film(FilmOrder((RAMP,))).status == status
    assert desk.film(FilmOrder((RAMP,))).status == 0
    warned = Desk(behaviour=scripted(0x0116))
    warned.open()
    reply = warned.film(FilmOrder((RAMP,)))
    assert reply.status == 0x0116
    assert warned.boxes(reply)


def test_lighting_of_the_film_replaces_the_defaults() -> None:
    desk = Desk()
    desk.open()
    order = FilmOrder((RAMP,), illumination=4000, ambient=77)
    desk.lut(LutChoice())
    desk.image(desk.boxes(desk.film(order, lut="9.2"))[0])
    desk.print()
    viewing = desk.table()["viewing"]
    assert viewing == {
        "illumination": 4000.0,
        "ambient": 77.0,
        "minimum_density": 0.2,
        "maximum_density": 3.0,
        "medium": "film",
    }


def test_paper_has_its_own_default_illumination() -> None:
    assert Printer().viewing(medium_type="PAPER").illumination == 150.0
    assert Printer().viewing() == Viewing(2000.0, 10.0, 0.15, 3.2)


def test_densities_of_the_exposure_follow_the_display_function() -> None:
    exposure = Exposure(1, np.arange(256).reshape(16, 16), 8, lut=Shape.IDENTITY)
    assert p_values(exposure)[255] == 1.0


@pytest.mark.parametrize("position", [0, 2, 65535])
def test_a_position_that_is_not_that_of_the_box_is_refused(position: int) -> None:
    desk = Desk()
    desk.open()
    box = desk.boxes(desk.film(FilmOrder((RAMP,))))[0]
    assert desk.image(box, position=position).status == 0x0106


def test_a_reference_to_a_lut_that_does_not_exist_is_refused() -> None:
    desk = Desk()
    desk.open()
    ds = film_box(FilmOrder((RAMP,)), "9.1", "")
    ds.ReferencedPresentationLUTSequence = [reference(uids.PRESENTATION_LUT, "7.7")]
    assert desk.do("N-CREATE", uids.BASIC_FILM_BOX, "9.3", ds).status == 0x0106


WIDE = PrintPicture(np.broadcast_to(np.arange(6000) % 256, (4, 6000)).astype(np.int64), bits=8)


@pytest.mark.parametrize(
    ("asked", "magnification", "status", "columns"),
    [
        ("", "", 0xB604, 6000),
        ("DECIMATE", "", 0xB60A, 6000),
        ("CROP", "", 0xB609, 2560),
        ("CROP", "NONE", 0xB609, 2560),
        ("FAIL", "", 0xC603, 0),
        ("DECIMATE", "NONE", 0xC603, 0),
        ("", "NONE", 0xC603, 0),
    ],
)
def test_an_image_that_is_larger_than_its_box_is_treated_as_asked_and_told(
    asked: str, magnification: str, status: int, columns: int
) -> None:
    desk = Desk()
    desk.open()
    box = desk.boxes(desk.film(FilmOrder((WIDE,), film_size="8INX10IN", magnification=magnification)))[0]
    assert desk.image(box, replace(WIDE, decimate_crop=asked)).status == status
    desk.print()
    assert [found["columns"] for found in desk.table()["boxes"]] == ([columns] if columns else [])


def test_a_page_of_full_resolution_fits_on_its_film_and_is_exposed_at_once() -> None:
    page = PrintPicture(np.zeros((5120, 4096), np.uint8), bits=8)
    desk = Desk()
    desk.open()
    box = desk.boxes(desk.film(FilmOrder((page,), film_size="14INX17IN")))[0]
    assert desk.image(box, page).status == 0
    began = time.process_time()
    desk.print()
    assert desk.table()["boxes"][0]["rows"] == 5120
    assert time.process_time() - began < 5.0


def test_densities_of_an_image_box_override_those_of_its_film() -> None:
    desk = Desk()
    desk.open()
    made = desk.boxes(desk.film(FilmOrder((RAMP, RAMP), "STANDARD\\1,2")))
    desk.image(made[0])
    ds = image_box(RAMP, 2, "")
    ds.MinDensity, ds.MaxDensity = 50, 999
    assert desk.do("N-SET", uids.BASIC_GRAYSCALE_IMAGE_BOX, made[1], ds).status == 0xB605
    desk.print()
    ranges = [(box["minimum_density"], box["maximum_density"]) for box in desk.table()["boxes"]]
    assert ranges == [(0.2, 3.0), (0.5, 3.2)]


def test_everything_can_be_deleted_and_a_job_is_forgotten() -> None:
    desk = Desk(print_job=True)
    desk.open()
    desk.lut(LutChoice())
    made = desk.film(FilmOrder((RAMP,)), lut="9.2")
    desk.image(desk.boxes(made)[0])
    printed = desk.print().dataset
    assert printed is not None
    job = str(printed.ReferencedPrintJobSequence[0].ReferencedSOPInstanceUID)
    desk.session.forget_job(job)
    assert desk.do("N-GET", uids.PRINT_JOB, job).status == 0x0112
    for sop_class, uid in (
        (uids.BASIC_FILM_BOX, "9.3"),
        (uids.PRESENTATION_LUT, "9.2"),
        (uids.BASIC_FILM_SESSION, "9.1"),
    ):
        assert desk.do("N-DELETE", sop_class, uid).status == 0
        assert desk.do("N-DELETE", sop_class, uid).status == 0x0112


@pytest.mark.parametrize(("priority", "status"), [("LOW", 0), ("SOON", 0x0106)])
def test_a_film_session_is_changed_to_what_it_may_be(priority: str, status: int) -> None:
    desk = Desk()
    desk.open()
    change = Dataset()
    change.PrintPriority = priority
    assert desk.do("N-SET", uids.BASIC_FILM_SESSION, "9.1", change).status == status
