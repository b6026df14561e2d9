"""Seeded defects and legal variants of print composers, each replacing one decision."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from pydicom.dataset import Dataset

from harness.actors.defects.print_defect import PrintDefect
from harness.actors.printing.composing import PrintComposerBehaviour
from harness.actors.printing.orders import FilmOrder
from harness.actors.printing.pictures import PrintPicture
from harness.imaging.density import Viewing
from harness.protocols.dicom import uids


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


def _lin_od(_: Dataset) -> Dataset:
    ds = Dataset()
    ds.PresentationLUTShape = "LIN OD"
    return ds


def _as_densities(picture: PrintPicture) -> PrintPicture:
    """P-Values as shares of the way from the highest density to the lowest, by the light that a film order asks for."""
    highest, light = (1 << picture.bits) - 1, Viewing()
    density = light.printed(picture.pixels / highest)
    share = (light.maximum - density) / (light.maximum - light.minimum)
    return replace(picture, pixels=np.rint(share * highest).astype(np.int64))


def _rooted(picture: PrintPicture) -> PrintPicture:
    highest = (1 << picture.bits) - 1
    return replace(picture, pixels=np.rint(np.sqrt(picture.pixels / highest) * highest).astype(np.int64))


def _squares(_: Dataset) -> Dataset:
    item, ds = Dataset(), Dataset()
    item.add_new("LUTDescriptor", "US", [4096, 0, 16])
    item.add_new("LUTData", "OW", np.rint((np.arange(4096) / 4095) ** 2 * 65535).astype("<u2").tobytes())
    ds.PresentationLUTSequence = [item]
    return ds


def _proposing(*classes: str) -> Callable[[PrintComposerBehaviour], PrintComposerBehaviour]:
    return lambda behaviour: replace(behaviour, proposals=lambda: classes)


COMPOSER_DEFECTS: tuple[PrintDefect[PrintComposerBehaviour], ...] = (
    PrintDefect(
        "composer-without-lut-class",
        "The Presentation LUT SOP class is not proposed",
        frozenset({"RAD-23-SCU-02", "CPI-ACT-05"}),
        _proposing(uids.BASIC_GRAYSCALE_PRINT, uids.PRINT_JOB),
    ),
    PrintDefect(
        "composer-without-meta-class",
        "Printer and image box are proposed one by one, the meta SOP class is not",
        frozenset({"RAD-23-SCU-01", "RAD-23-SCU-10"}),
        _proposing(uids.BASIC_FILM_SESSION, uids.PRESENTATION_LUT),
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
        lambda behaviour: replace(behaviour, lut_first=lambda: False, goes_on_after=lambda said: not said.own),
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
    PrintDefect(
        "composer-wrong-polarity",
        "Polarity is REVERSE and the pixels are as they were",
        frozenset({"RAD-23-SCU-09"}),
        _picture(lambda picture: replace(picture, polarity="REVERSE")),
    ),
    PrintDefect(
        "composer-lin-od-for-p-values",
        "P-Values are sent with the Presentation LUT Shape LIN OD",
        frozenset({"RAD-23-SCU-09"}),
        _lut(_lin_od),
    ),
    PrintDefect(
        "composer-swaps-images",
        "The images of a film stand in each other's boxes",
        frozenset({"RAD-23-SCU-09"}),
        lambda behaviour: replace(behaviour, arranged=lambda pictures: pictures[::-1]),
    ),
    PrintDefect(
        "composer-prints-what-was-refused",
        "A refusal is not minded: films are printed that the printer did not make",
        frozenset({"RAD-23-SCU-03", "RAD-23-SCU-10"}),
        lambda behaviour: replace(behaviour, goes_on_after=lambda said: True),
    ),
    PrintDefect(
        "composer-tells-nothing",
        "The user is told nothing of what the printer answered",
        frozenset({"RAD-23-SCU-11"}),
        lambda behaviour: replace(behaviour, tells=lambda outcome: ()),
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
        "composer-lin-od",
        "Pixels are densities, with the Presentation LUT Shape LIN OD",
        frozenset(),
        lambda behaviour: replace(behaviour, lut=_lin_od, picture=_as_densities),
    ),
    PrintDefect(
        "composer-table",
        "The Presentation LUT is a table that the pixels were made for",
        frozenset(),
        lambda behaviour: replace(behaviour, lut=_squares, picture=_rooted),
    ),
    PrintDefect(
        "composer-cubic",
        "The printer is asked to magnify with CUBIC",
        frozenset(),
        _film(lambda ds: setattr(ds, "MagnificationType", "CUBIC")),
    ),
    PrintDefect(
        "composer-offers-colour",
        "Basic Color Print Management is proposed besides, and may be refused",
        frozenset(),
        _proposing(uids.BASIC_COLOR_PRINT, uids.BASIC_GRAYSCALE_PRINT, uids.PRINT_JOB, uids.PRESENTATION_LUT),
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
