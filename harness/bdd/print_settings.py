"""What a scenario asks our Print Composer to print: a step wedge, or one too large, and the settings of its film."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from harness.actors.printing.orders import FilmOrder, LutChoice
from harness.actors.printing.pictures import PrintPicture
from harness.core.errors import UsageError
from harness.imaging import phantoms
from harness.imaging.phantoms import PixelFormat
from harness.profiles.cpi import facts
from harness.protocols.dicom import uids

#: steps of the wedge
STEPS = 16
#: what a film may be asked for: field of the order, attribute of the film box
_SETTINGS = {
    "minimum density": ("minimum_density", "MinDensity"),
    "maximum density": ("maximum_density", "MaxDensity"),
    "illumination": ("illumination", "Illumination"),
    "reflected ambient light": ("ambient", "ReflectedAmbientLight"),
    "film size": ("film_size", "FilmSizeID"),
    "orientation": ("orientation", "FilmOrientation"),
    "magnification": ("magnification", "MagnificationType"),
}
_LIMITS = {"unsupported": facts.UNSUPPORTED_VALUE, "unreachable": facts.DENSITY_OUT_OF_RANGE}
_NUMBERS = ("minimum_density", "maximum_density", "illumination", "ambient")
#: wider than any film printer prints, and no larger than it has to be (PS3.4 H.4.3.1.2.1.2)
_TOO_LARGE = PrintPicture(np.broadcast_to(np.arange(16384) // 64, (16, 16384)).astype(np.int64), bits=8)
_POLARITIES = ("NORMAL", "REVERSE")
_PHOTOMETRICS = ("MONOCHROME1", "MONOCHROME2")


def wedge(polarity: str = "", photometric: str = "MONOCHROME2") -> PrintPicture:
    """Black on the left, white on the right, however its pixels say so."""
    picture = _plain_wedge()
    inverted = (polarity == "REVERSE") != (photometric == "MONOCHROME1")
    return replace(
        picture,
        pixels=4095 - picture.pixels if inverted else picture.pixels,
        polarity=polarity,
        monochrome1=photometric == "MONOCHROME1",
    )


def _plain_wedge() -> PrintPicture:
    return PrintPicture(phantoms.step_wedge(128, 256, steps=STEPS, form=PixelFormat(12)).pixels.astype(np.int64))


def _lut(name: str) -> LutChoice:
    if name in ("IDENTITY", "LIN OD"):
        return LutChoice(name)
    if name == "table":
        return LutChoice(entries=np.arange(4096) * 16, bits=16)
    raise UsageError(f"there is no Presentation LUT {name!r}; known: IDENTITY, LIN OD, table")


@dataclass(slots=True)
class Settings:
    """What a table of settings asks for."""

    film: dict[str, Any] = field(default_factory=dict)
    session: dict[str, Any] = field(default_factory=dict)
    polarity: str = ""
    photometric: str = "MONOCHROME2"
    count: int = 1
    too_large: bool = False
    decimate_crop: str = ""
    #: kind of request, SOP class, purpose, keyword
    probes: list[tuple[str, str, str, str]] = field(default_factory=list)

    @classmethod
    def read(cls, rows: Mapping[str, str]) -> Settings:
        """The settings of a table of two columns. Raises UsageError for what there is not."""
        settings = cls()
        for said, value in rows.items():
            if said in _SPECIAL:
                _SPECIAL[said](settings, value)
                continue
            limit, _, rest = said.partition(" ")
            name = rest if limit in _LIMITS else said
            if name not in _SETTINGS:
                raise UsageError(f"there is no print setting {name!r}; known: {', '.join((*_SPECIAL, *_SETTINGS))}")
            attribute, keyword = _SETTINGS[name]
            settings.film[attribute] = _number(value) if attribute in _NUMBERS else value
            if limit in _LIMITS:
                settings.probes.append(("N-CREATE-RQ", uids.BASIC_FILM_BOX, _LIMITS[limit], keyword))
        return settings

    def order(self) -> FilmOrder:
        """The film that is asked for."""
        picture = _TOO_LARGE if self.too_large else wedge(self.polarity, self.photometric)
        pictures_of_film = (replace(picture, decimate_crop=self.decimate_crop),) * self.count
        return FilmOrder(pictures_of_film, **self.film)


def _images(settings: Settings, value: str) -> None:
    if value == "none":
        settings.count = 0
        settings.probes.append(("N-ACTION-RQ", uids.BASIC_FILM_BOX, facts.EMPTY_FILM, ""))
        return
    settings.too_large = _known(value, ("none", "too large")) == "too large"
    settings.probes.append(("N-SET-RQ", uids.BASIC_GRAYSCALE_IMAGE_BOX, facts.IMAGE_TOO_LARGE, ""))


def _luts(settings: Settings, value: str) -> None:
    luts = tuple(_lut(part.strip()) for part in value.split(","))
    settings.count = len(luts)
    settings.film |= {"image_luts": luts, "display_format": f"STANDARD\\1,{len(luts)}"}


def _number(value: str) -> int:
    if not value.isdigit() or int(value) > 65535:
        raise UsageError(f"{value!r} is no density or light; write hundredths of optical density, or cd/m2")
    return int(value)


def _known(value: str, words: tuple[str, ...]) -> str:
    if value not in words:
        raise UsageError(f"there is no print setting {value!r}; known: {', '.join(words)}")
    return value


def _words(value: str, words: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(_known(part.strip(), words) for part in value.split(","))


#: settings that are more than one attribute of the film box
_SPECIAL: dict[str, Callable[[Settings, str], None]] = {
    "images": _images,
    "Presentation LUT": lambda settings, value: settings.film.update(lut=_lut(value)),
    "Presentation LUTs": _luts,
    "polarity": lambda settings, value: setattr(settings, "polarity", _known(value, _POLARITIES)),
    "photometric interpretation": lambda settings, value: setattr(
        settings, "photometric", _known(value, _PHOTOMETRICS)
    ),
    "decimate/crop behavior": lambda settings, value: setattr(
        settings, "decimate_crop", _known(value, ("DECIMATE", "CROP", "FAIL"))
    ),
    "then deleted": lambda settings, value: settings.session.update(
        deletes=_words(value, ("film box", "Presentation LUT"))
    ),
    "priority changed to": lambda settings, value: settings.session.update(
        then_priority=_known(value, ("HIGH", "MED", "LOW"))
    ),
}
