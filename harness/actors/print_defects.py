"""Seeded defects of print composers and print servers, each replacing one decision; legal variants break nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar

import numpy as np
from pydicom.dataset import Dataset

from harness.actors.print_composer import FilmOrder, PrintComposerBehaviour
from harness.actors.print_composer_pictures import PrintPicture
from harness.actors.print_server_behaviour import PrintServerBehaviour
from harness.actors.print_server_film import Exposure
from harness.imaging.luts import Shape
from harness.protocols.dicom import uids

_Behaviour = TypeVar("_Behaviour", PrintComposerBehaviour, PrintServerBehaviour)


@dataclass(frozen=True, slots=True)
class PrintDefect(Generic[_Behaviour]):
    """One way to be wrong: ``breaks`` names the requirements that must be found broken, none for a legal variant."""

    id: str
    title: str
    breaks: frozenset[str]
    apply: Callable[[_Behaviour], _Behaviour]


# -- the composer --------------------------------------------------------------------------------------------------


def _film(change: Callable[[Dataset], None]) -> Callable[[PrintComposerBehaviour], PrintComposerBehaviour]:
    def apply(behaviour: PrintComposerBehaviour) -> PrintComposerBehaviour:
        def film_box(order: FilmOrder, session: str, lut: str) -> Dataset:
            ds = behaviour.film_box(order, session, lut)
            change(ds)
            return ds

        return replace(behaviour, film_box=film_box)

    return apply


def _image(change: Callable[[Dataset], None]) -> Callable[[PrintComposerBehaviour], PrintComposerBehaviour]:
    def apply(behaviour: PrintComposerBehaviour) -> PrintComposerBehaviour:
        def image_box(picture: PrintPicture, position: int, lut: str) -> Dataset:
            ds = behaviour.image_box(picture, position, lut)
            change(ds)
            return ds

        return replace(behaviour, image_box=image_box)

    return apply


def _lut(change: Callable[[Dataset], Dataset | None]) -> Callable[[PrintComposerBehaviour], PrintComposerBehaviour]:
    return lambda behaviour: replace(behaviour, lut=change)


def _picture(
    change: Callable[[PrintPicture], PrintPicture],
) -> Callable[[PrintComposerBehaviour], PrintComposerBehaviour]:
    return lambda behaviour: replace(behaviour, picture=change)


def _drop(*keywords: str) -> Callable[[Dataset], None]:
    def change(ds: Dataset) -> None:
        for keyword in keywords:
            ds.pop(keyword, None)

    return change


def _drop_from_picture(keyword: str) -> Callable[[Dataset], None]:
    return lambda ds: _drop(keyword)(ds.BasicGrayscaleImageSequence[0])


def _with_shape(ds: Dataset) -> Dataset:
    """A table besides the shape: two answers to one question."""
    item = Dataset()
    item.add_new("LUTDescriptor", "US", [4096, 0, 12])
    item.add_new("LUTData", "OW", np.arange(4096, dtype="<u2").tobytes())
    ds.PresentationLUTSequence = [item]
    ds.PresentationLUTShape = "IDENTITY"
    return ds


def _short_table(_: Dataset) -> Dataset:
    item, ds = Dataset(), Dataset()
    item.add_new("LUTDescriptor", "US", [256, 0, 12])
    item.add_new("LUTData", "OW", (np.arange(256) * 16).astype("<u2").tobytes())
    ds.PresentationLUTSequence = [item]
    return ds


def _inverted(picture: PrintPicture) -> PrintPicture:
    return replace(picture, pixels=((1 << picture.bits) - 1) - picture.pixels)


def _flattened(picture: PrintPicture) -> PrintPicture:
    """The window was lost: contrast is half of what it should be."""
    return replace(picture, pixels=picture.pixels // 2 + (1 << (picture.bits - 2)))


def _as_monochrome1(picture: PrintPicture) -> PrintPicture:
    return replace(_inverted(picture), monochrome1=True)


def _twice_reversed(picture: PrintPicture) -> PrintPicture:
    return replace(_inverted(picture), polarity="REVERSE")


def _sixteen_bits(ds: Dataset) -> None:
    picture = ds.BasicGrayscaleImageSequence[0]
    picture.BitsStored, picture.HighBit = 16, 15


_SINGLE_CLASSES: Callable[[], tuple[str, ...]] = lambda: (uids.BASIC_FILM_SESSION, uids.PRESENTATION_LUT)  # noqa: E731
_META_ONLY: Callable[[], tuple[str, ...]] = lambda: (uids.BASIC_GRAYSCALE_PRINT, uids.PRINT_JOB)  # noqa: E731

COMPOSER_DEFECTS: tuple[PrintDefect[PrintComposerBehaviour], ...] = (
    PrintDefect(
        "composer-without-lut-class",
        "The Presentation LUT SOP class is not proposed",
        frozenset({"RAD-23-SCU-02", "CPI-ACT-05"}),
        lambda behaviour: replace(behaviour, proposals=_META_ONLY),
    ),
    PrintDefect(
        "composer-without-meta-class",
        "Printer and image box are proposed one by one, the meta SOP class is not",
        frozenset({"RAD-23-SCU-01", "RAD-23-SCU-10"}),
        lambda behaviour: replace(behaviour, proposals=_SINGLE_CLASSES),
    ),
    PrintDefect(
        "composer-never-prints",
        "The film is composed and then not printed",
        frozenset({"RAD-23-SCU-10"}),
        lambda behaviour: replace(behaviour, prints=lambda: False),
    ),
    PrintDefect(
        "composer-never-creates-lut",
        "The Presentation LUT is negotiated and then not used",
        frozenset({"RAD-23-SCU-02"}),
        _lut(lambda ds: None),
    ),
    PrintDefect(
        "composer-lut-too-late",
        "The film box refers to a Presentation LUT that is created afterwards",
        frozenset({"RAD-23-SCU-03"}),
        lambda behaviour: replace(behaviour, lut_first=lambda: False, goes_on_after=lambda said: True),
    ),
    PrintDefect(
        "composer-lut-table-and-shape",
        "A Presentation LUT has a table and a shape",
        frozenset({"RAD-23-SCU-04"}),
        _lut(_with_shape),
    ),
    PrintDefect(
        "composer-lut-too-short",
        "A table of 256 entries for images of 12 bits",
        frozenset({"RAD-23-SCU-05"}),
        _lut(_short_table),
    ),
    PrintDefect(
        "composer-without-session-reference",
        "The film box does not refer to its film session",
        frozenset({"RAD-23-SCU-06"}),
        _film(_drop("ReferencedFilmSessionSequence")),
    ),
    PrintDefect(
        "composer-without-lut-reference",
        "The film box does not refer to the Presentation LUT",
        frozenset({"RAD-23-SCU-06"}),
        _film(_drop("ReferencedPresentationLUTSequence")),
    ),
    PrintDefect(
        "composer-without-viewing",
        "Illumination and ambient light are not given",
        frozenset({"RAD-23-SCU-07"}),
        _film(_drop("Illumination", "ReflectedAmbientLight")),
    ),
    PrintDefect(
        "composer-image-without-polarity-of-pixels",
        "An image box lacks Photometric Interpretation",
        frozenset({"RAD-23-SCU-08"}),
        _image(_drop_from_picture("PhotometricInterpretation")),
    ),
    PrintDefect(
        "composer-sixteen-bits",
        "Images claim 16 bits, which print does not know, and so print much too dark",
        frozenset({"RAD-23-SCU-08", "RAD-23-SCU-09"}),
        _image(_sixteen_bits),
    ),
    PrintDefect(
        "composer-double-inversion",
        "Pixels are inverted once too often",
        frozenset({"RAD-23-SCU-09"}),
        _picture(_inverted),
    ),
    PrintDefect(
        "composer-crops",
        "A quarter of the image is cut off",
        frozenset({"RAD-23-SCU-09"}),
        _picture(lambda picture: replace(picture, pixels=picture.pixels[:, : picture.pixels.shape[1] * 3 // 4])),
    ),
    PrintDefect(
        "composer-wrong-aspect",
        "Pixels are declared twice as high as wide",
        frozenset({"RAD-23-SCU-09"}),
        _picture(lambda picture: replace(picture, aspect=(2, 1))),
    ),
    PrintDefect(
        "composer-lost-window",
        "The window is not applied to the pixels",
        frozenset({"RAD-23-SCU-09"}),
        _picture(_flattened),
    ),
)

COMPOSER_VARIANTS: tuple[PrintDefect[PrintComposerBehaviour], ...] = (
    PrintDefect("composer-monochrome1", "Pixels are sent as MONOCHROME1", frozenset(), _picture(_as_monochrome1)),
    PrintDefect("composer-reverse", "Pixels are sent with Polarity REVERSE", frozenset(), _picture(_twice_reversed)),
    PrintDefect(
        "composer-enlarges",
        "Images are enlarged to the pixels of the printer",
        frozenset(),
        _picture(lambda picture: replace(picture, pixels=np.repeat(np.repeat(picture.pixels, 3, 0), 3, 1))),
    ),
    PrintDefect(
        "composer-pads",
        "Images stand between black bars that fill the film",
        frozenset(),
        _picture(lambda picture: replace(picture, pixels=np.pad(picture.pixels, ((0, 0), (16, 16))))),
    ),
    PrintDefect(
        "composer-eight-bits",
        "Images are printed with 8 bits",
        frozenset(),
        _picture(
            lambda picture: replace(picture, pixels=np.rint(picture.pixels / 4095 * 255).astype(np.int64), bits=8)
        ),
    ),
    PrintDefect(
        "composer-keeps-session",
        "The film session ends with the association, without N-DELETE",
        frozenset(),
        lambda behaviour: replace(behaviour, deletes_session=lambda: False),
    ),
    PrintDefect(
        "composer-explains-film",
        "A film box with attributes that are optional for both sides",
        frozenset(),
        _film(lambda ds: ds.update(_optional_attributes())),
    ),
)


def _optional_attributes() -> Dataset:
    ds = Dataset()
    ds.BorderDensity, ds.EmptyImageDensity, ds.Trim = "BLACK", "BLACK", "NO"
    return ds


# -- the server ----------------------------------------------------------------------------------------------------


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
)

SERVER_VARIANTS: tuple[PrintDefect[PrintServerBehaviour], ...] = (
    PrintDefect(
        "server-guesses-session",
        "A film box without reference to its session is taken",
        frozenset(),
        lambda behaviour: replace(behaviour, session_reference_needed=lambda: False),
    ),
)
