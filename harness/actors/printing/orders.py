"""What is to be printed, and the data sets that a composer makes of it (PS3.4 annex H)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from harness.actors.printing.pictures import PrintPicture
from harness.protocols.dicom import uids


@dataclass(frozen=True, slots=True, eq=False)
class LutChoice:
    """The Presentation LUT of a film or an image: a shape, or a table of 256 or 4096 entries of ``bits`` bits."""

    shape: str = "IDENTITY"
    entries: NDArray[np.int64] | None = None
    bits: int = 12

    def dataset(self) -> Dataset:
        """The attributes of its N-CREATE."""
        ds = Dataset()
        if self.entries is None:
            ds.PresentationLUTShape = self.shape
            return ds
        item = Dataset()
        item.add_new("LUTDescriptor", "US", [len(self.entries), 0, self.bits])
        item.LUTExplanation = "harness"
        item.add_new("LUTData", "OW", self.entries.astype("<u2").tobytes())
        ds.PresentationLUTSequence = Sequence([item])
        return ds


@dataclass(frozen=True, slots=True, eq=False)
class FilmOrder:
    """One film: densities in hundredths of optical density, light in cd/m2. ``None`` and "" are not sent."""

    pictures: tuple[PrintPicture | None, ...]
    display_format: str = "STANDARD\\1,1"
    film_size: str = ""
    orientation: str = "PORTRAIT"
    magnification: str = ""
    minimum_density: int | None = 20
    maximum_density: int | None = 300
    illumination: int | None = 2000
    ambient: int | None = 10
    lut: LutChoice | None = field(default_factory=LutChoice)
    image_luts: tuple[LutChoice | None, ...] = ()
    more: tuple[tuple[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class SessionOrder:
    """The film session."""

    copies: int = 1
    priority: str = "MED"
    medium_type: str = ""
    destination: str = ""
    label: str = ""
    #: the priority that the session is set to afterwards, "" to leave it
    then_priority: str = ""
    #: what is deleted once everything is printed, besides the session: "film box", "Presentation LUT"
    deletes: tuple[str, ...] = ()


def film_box(order: FilmOrder, session: str, lut: str) -> Dataset:
    """The attributes of the film box N-CREATE (PS3.4 Table H.4-6)."""
    ds = Dataset()
    ds.ImageDisplayFormat = order.display_format
    ds.ReferencedFilmSessionSequence = Sequence([reference(uids.BASIC_FILM_SESSION, session)])
    values: dict[str, Any] = {
        "FilmOrientation": order.orientation,
        "FilmSizeID": order.film_size,
        "MagnificationType": order.magnification,
        "MinDensity": order.minimum_density,
        "MaxDensity": order.maximum_density,
        "Illumination": order.illumination if lut else None,
        "ReflectedAmbientLight": order.ambient if lut else None,
        **dict(order.more),
    }
    for keyword, value in values.items():
        if value not in (None, ""):
            setattr(ds, keyword, value)
    if lut:
        ds.ReferencedPresentationLUTSequence = Sequence([reference(uids.PRESENTATION_LUT, lut)])
    return ds


#: attributes of a film box that a printer need not know (usage U/U in PS3.4 Table H.4-6)
_OPTIONAL = ("MinDensity", "BorderDensity", "EmptyImageDensity", "Trim", "SmoothingType", "RequestedResolutionID")


def without_optional(film: Dataset) -> Dataset | None:
    """The film box without what a printer need not know; None if there is nothing of that."""
    fewer = Dataset()
    fewer.update({element.tag: element for element in film if element.keyword not in _OPTIONAL})
    return fewer if len(fewer) < len(film) else None


def image_box(picture: PrintPicture, position: int, lut: str) -> Dataset:
    """The attributes of the image box N-SET (PS3.4 Table H.4-11)."""
    ds = Dataset()
    ds.ImageBoxPosition = position
    if picture.polarity:
        ds.Polarity = picture.polarity
    if picture.decimate_crop:
        ds.RequestedDecimateCropBehavior = picture.decimate_crop
    image = Dataset()
    allocated = 8 if picture.bits <= 8 else 16
    image.SamplesPerPixel = 1
    image.PhotometricInterpretation = "MONOCHROME1" if picture.monochrome1 else "MONOCHROME2"
    image.Rows, image.Columns = picture.pixels.shape
    image.PixelAspectRatio = list(picture.aspect or (1, 1))
    image.BitsAllocated, image.BitsStored, image.HighBit = allocated, picture.bits, picture.bits - 1
    image.PixelRepresentation = 0
    data = picture.pixels.astype(f"<u{allocated // 8}").tobytes()
    image.add_new("PixelData", "OW", data + b"\0" * (len(data) % 2))
    ds.BasicGrayscaleImageSequence = Sequence([image])
    if lut:
        ds.ReferencedPresentationLUTSequence = Sequence([reference(uids.PRESENTATION_LUT, lut)])
    return ds


def reference(sop_class: str, instance: str) -> Dataset:
    """One item of a reference sequence."""
    item = Dataset()
    item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = sop_class, instance
    return item


def film_session(order: SessionOrder) -> Dataset:
    ds = Dataset()
    ds.NumberOfCopies, ds.PrintPriority = order.copies, order.priority
    for keyword, value in (
        ("MediumType", order.medium_type),
        ("FilmDestination", order.destination),
        ("FilmSessionLabel", order.label),
    ):
        if value:
            setattr(ds, keyword, value)
    return ds
