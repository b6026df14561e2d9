"""Seeded defects and legal variants of print servers, each replacing one decision."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from pydicom.dataset import Dataset

from harness.actors.defects.print_defect import PrintDefect
from harness.actors.printing.server_behaviour import (
    ATTRIBUTE_LIST_ERROR,
    DEMAGNIFIED,
    IMAGE_TOO_LARGE,
    PrintServerBehaviour,
    density_status,
    effective_density,
    too_large,
)
from harness.actors.printing.server_film import Exposure
from harness.imaging.luts import Shape
from harness.protocols.dicom import uids


def _created(
    change: Callable[[str, Dataset], Dataset | None],
) -> Callable[[PrintServerBehaviour], PrintServerBehaviour]:
    return lambda behaviour: replace(behaviour, created=change)


def _without_lighting(sop_class: str, ds: Dataset) -> Dataset:
    answer = Dataset()
    answer.update(ds)
    if sop_class == uids.BASIC_FILM_BOX:
        for keyword in ("Illumination", "ReflectedAmbientLight"):
            if keyword in answer:
                setattr(answer, keyword, 1)
    return answer


def _other_size(sop_class: str, ds: Dataset) -> Dataset:
    answer = Dataset()
    answer.update(ds)
    if sop_class == uids.BASIC_FILM_BOX and "FilmSizeID" in answer:
        answer.FilmSizeID = "8INX10IN" if answer.FilmSizeID == "14INX17IN" else "14INX17IN"
    return answer


def _nothing_for_film(sop_class: str, ds: Dataset) -> Dataset | None:
    return None if sop_class == uids.BASIC_FILM_BOX else ds


def _always(value: Any) -> Callable[..., Any]:
    return lambda *given: value


def _linear_density(exposure: Exposure) -> Exposure:
    """P-Values become densities in equal steps, not by the display function."""
    return replace(exposure, lut=Shape.LIN_OD)


def _other_lut(ds: Dataset) -> Dataset:
    """The answer to an image box names another Presentation LUT than the one that was asked for."""
    answer = Dataset()
    answer.update(ds)
    if "ReferencedPresentationLUTSequence" in answer:
        item = Dataset()
        item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = (
            uids.PRESENTATION_LUT,
            "1.2.826.0.1.3680043.10.1599.7",
        )
        answer.ReferencedPresentationLUTSequence = [item]
    return answer


def _own_word(ds: Dataset) -> Dataset:
    ds.PrinterStatus = "READY"
    return ds


SERVER_DEFECTS: tuple[PrintDefect[PrintServerBehaviour], ...] = (
    PrintDefect(
        "server-without-luts",
        "The Presentation LUT SOP class is not accepted",
        frozenset({"RAD-23-SCP-01", "CPI-ACT-05"}),
        lambda behaviour: replace(behaviour, refused_classes=frozenset({uids.PRESENTATION_LUT})),
    ),
    PrintDefect(
        "server-linear-density",
        "Densities rise linearly with P-Values",
        frozenset({"RAD-23-SCP-07"}),
        lambda behaviour: replace(behaviour, exposure=_linear_density),
    ),
    PrintDefect(
        "server-takes-any-value",
        "Film sizes that do not exist are taken with success",
        frozenset({"RAD-23-SCP-10"}),
        lambda behaviour: replace(behaviour, takes_any_value=True),
    ),
    PrintDefect(
        "server-own-state-word",
        "The state of the printer is a word of its own",
        frozenset({"RAD-23-SCP-11"}),
        lambda behaviour: replace(behaviour, printer=_own_word),
    ),
    PrintDefect(
        "server-silent-state",
        "A change of its state is not reported",
        frozenset({"RAD-23-SCP-12"}),
        lambda behaviour: replace(behaviour, reports_changes=False),
    ),
    PrintDefect(
        "server-hides-job",
        "Print jobs are negotiated and then not named",
        frozenset({"RAD-23-SCP-13"}),
        lambda behaviour: replace(behaviour, printed=lambda ds: None),
    ),
    PrintDefect(
        "server-box-lut-ignored",
        "The Presentation LUT of an image box has no effect",
        frozenset({"RAD-23-SCP-08"}),
        lambda behaviour: replace(behaviour, lut_of_box=lambda of_box, of_film: of_film or Shape.IDENTITY),
    ),
    PrintDefect(
        "server-other-image-lut",
        "An image box is answered with another Presentation LUT",
        frozenset({"RAD-23-SCP-08"}),
        lambda behaviour: replace(behaviour, image_set=_other_lut),
    ),
    PrintDefect(
        "server-refuses-lin-od",
        "The Presentation LUT Shape LIN OD is refused",
        frozenset({"RAD-23-SCP-02"}),
        lambda behaviour: replace(behaviour, shapes=frozenset({"IDENTITY"})),
    ),
    PrintDefect(
        "server-one-box-too-few",
        "There is an image box less than the display format has",
        frozenset({"RAD-23-SCP-03"}),
        lambda behaviour: replace(behaviour, box_count=lambda count: count - 1),
    ),
    PrintDefect(
        "server-empty-answer",
        "The film box is answered without attributes",
        frozenset({"RAD-23-SCP-03"}),
        _created(_nothing_for_film),
    ),
    PrintDefect(
        "server-other-film-size",
        "Film Size ID is replaced in silence",
        frozenset({"RAD-23-SCP-04"}),
        _created(_other_size),
    ),
    PrintDefect(
        "server-own-lighting",
        "Illumination and ambient light are replaced in silence",
        frozenset({"RAD-23-SCP-05"}),
        _created(_without_lighting),
    ),
    PrintDefect(
        "server-silent-density",
        "A density beyond the range is taken with success",
        frozenset({"RAD-23-SCP-06"}),
        lambda behaviour: replace(behaviour, density_status=_always(0x0000)),
    ),
    PrintDefect(
        "server-empty-film-succeeds",
        "An empty film is printed with success",
        frozenset({"RAD-23-SCP-09"}),
        lambda behaviour: replace(behaviour, empty_status=_always(0x0000)),
    ),
    PrintDefect(
        "server-ignores-polarity",
        "Polarity REVERSE has no effect",
        frozenset({"RAD-23-SCP-07"}),
        lambda behaviour: replace(behaviour, exposure=lambda exposure: replace(exposure, reverse=False)),
    ),
    PrintDefect(
        "server-ignores-monochrome1",
        "MONOCHROME1 is printed as MONOCHROME2",
        frozenset({"RAD-23-SCP-07"}),
        lambda behaviour: replace(behaviour, exposure=lambda exposure: replace(exposure, monochrome1=False)),
    ),
    PrintDefect(
        "server-fogged",
        "The lightest density is 0.6 whatever is asked for",
        frozenset({"RAD-23-SCP-07", "RAD-23-SCP-08"}),
        lambda behaviour: replace(behaviour, exposure=lambda exposure: replace(exposure, minimum_density=60)),
    ),
    PrintDefect(
        "server-large-in-silence",
        "Images that are too large are made smaller and nobody is told",
        frozenset({"RAD-23-SCP-09", "RAD-23-SCP-15"}),
        lambda behaviour: replace(behaviour, too_large=_always(0x0000)),
    ),
    PrintDefect(
        "server-always-demagnifies",
        "Images that are too large are made smaller although that was forbidden",
        frozenset({"RAD-23-SCP-15"}),
        lambda behaviour: replace(behaviour, too_large=_always(DEMAGNIFIED)),
    ),
    PrintDefect(
        "server-events-of-another-job",
        "Events name a print job that nobody knows",
        frozenset({"RAD-23-SCP-13"}),
        lambda behaviour: replace(behaviour, job_event=lambda job: f"{job}.1"),
    ),
    PrintDefect(
        "server-keeps-luts",
        "A Presentation LUT cannot be deleted",
        frozenset({"RAD-23-SCP-14"}),
        lambda behaviour: replace(behaviour, tidies=lambda kind, sop_class: sop_class != uids.PRESENTATION_LUT),
    ),
    PrintDefect(
        "server-keeps-film-box",
        "A film box cannot be deleted",
        frozenset({"RAD-23-SCP-14"}),
        lambda behaviour: replace(
            behaviour, tidies=lambda kind, sop_class: (kind, sop_class) != ("N-DELETE-RQ", uids.BASIC_FILM_BOX)
        ),
    ),
    PrintDefect(
        "server-fixed-session",
        "A film session cannot be changed",
        frozenset({"RAD-23-SCP-14"}),
        lambda behaviour: replace(
            behaviour, tidies=lambda kind, sop_class: (kind, sop_class) != ("N-SET-RQ", uids.BASIC_FILM_SESSION)
        ),
    ),
)

SERVER_VARIANTS: tuple[PrintDefect[PrintServerBehaviour], ...] = (
    PrintDefect(
        "server-guesses-session",
        "A film box without reference to its session is taken",
        frozenset(),
        lambda behaviour: replace(behaviour, session_reference_needed=lambda: False),
    ),
    PrintDefect(
        "server-refuses-large",
        "Images that are too large are not printed, whatever was asked",
        frozenset(),
        lambda behaviour: replace(behaviour, too_large=_always(IMAGE_TOO_LARGE)),
    ),
    PrintDefect(
        "server-crops",
        "Images that are too large are cropped unless something else was asked",
        frozenset(),
        lambda behaviour: replace(
            behaviour, too_large=lambda asked, magnification: too_large(asked or "CROP", magnification)
        ),
    ),
    PrintDefect(
        "server-knows-no-cropping",
        "Requested Decimate/Crop Behavior is not supported, which is told; images are made smaller",
        frozenset(),
        lambda behaviour: replace(
            behaviour, too_large=lambda asked, magnification: ATTRIBUTE_LIST_ERROR if asked else DEMAGNIFIED
        ),
    ),
    PrintDefect(
        "server-one-format",
        "The printer has the format of one image only",
        frozenset(),
        lambda behaviour: replace(behaviour, offers=lambda display_format: display_format == "STANDARD\\1,1"),
    ),
    PrintDefect(
        "server-pale",
        "The printer reaches a density of 2.5 at most, and says so",
        frozenset(),
        lambda behaviour: replace(
            behaviour,
            density_status=lambda asked, printer: density_status(asked, replace(printer, maximum_density=250)),
            effective_density=lambda asked, printer: effective_density(asked, replace(printer, maximum_density=250)),
        ),
    ),
    PrintDefect(
        "server-knows-no-min-density",
        "Min Density, which is optional, is not supported",
        frozenset(),
        lambda behaviour: replace(behaviour, unknown=frozenset({"MinDensity"})),
    ),
    PrintDefect(
        "server-refuses-lut-of-box",
        "A Presentation LUT cannot be given to an image box",
        frozenset(),
        lambda behaviour: replace(behaviour, takes_lut_of_box=False),
    ),
)
