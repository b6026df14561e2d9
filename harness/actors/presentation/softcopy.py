"""A simulated Image Display with a screen: it applies presentation states and exports what it shows as PNG."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from harness.actors.image_display import ImageDisplay, ImageDisplayBehaviour
from harness.actors.presentation import reading as display_reading
from harness.core.errors import UsageError
from harness.core.transcript import Recorder, Transcript
from harness.imaging import png
from harness.imaging.geometry import Placement, screened
from harness.imaging.gsdf import DisplayCurve
from harness.imaging.luts import Unit
from harness.imaging.presentation import PresentationState
from harness.imaging.render import Image, render
from harness.protocols.dicom.node import Address

#: darkest and brightest luminance of the simulated screen, cd/m2, ambient light included
SCREEN = (0.8, 450.0)
#: as many steps as the usual test patterns have
PATCHES = 18
#: the size of a pixel of the simulated screen, as wide as high
PIXEL_MM = 0.25


def own_look(image: Image, dataset: Dataset) -> PresentationState:
    """An image without presentation state goes through its own pipeline."""
    del image
    return display_reading.own_presentation(dataset)


def look_of_state(image: Image, dataset: Dataset, state: Dataset, frame: int) -> PresentationState:
    """A presentation state replaces everything that the image says, for the images and frames that it names."""
    wanted = display_reading.presentation(state, dataset)
    return wanted if wanted.covers(image.sop_instance_uid, frame) else own_look(image, dataset)


def _rendered(image: Image, look: PresentationState, frame: int) -> Unit:
    return render(image, look, frame=frame).p_values


def on_the_screen(values: Unit, placement: Placement) -> Unit:
    """As large as asked, in square pixels of the screen."""
    result: Unit = screened(values, placement, PIXEL_MM)
    return result


def standard_luminance(p_value: float) -> float:
    """The luminance of a P-Value 0.0 to 1.0 by the standard display function."""
    return float(DisplayCurve(*SCREEN).of(p_value))


@dataclass(frozen=True, slots=True)
class SoftcopyBehaviour:
    """Every decision of the screen, and how the display queries; a defective one replaces one of them."""

    archive: ImageDisplayBehaviour = field(default_factory=ImageDisplayBehaviour)
    own_look: Callable[[Image, Dataset], PresentationState] = own_look
    look: Callable[[Image, Dataset, Dataset, int], PresentationState] = look_of_state
    rendered: Callable[[Image, PresentationState, int], Unit] = _rendered
    sized: Callable[[Unit, Placement], Unit] = on_the_screen
    luminance: Callable[[float], float] = standard_luminance

    def shown(self, dataset: Dataset, state: Dataset | None, frame: int) -> Unit:
        """P-Values on the screen of an image, with or without a presentation state. Raises UsageError, ValueError."""
        image = display_reading.picture(dataset)
        look = self.own_look(image, dataset) if state is None else self.look(image, dataset, state, frame)
        rows, columns = image.frame(frame).shape
        placement = Placement((rows, columns), look.orientation, look.area(image.sop_instance_uid, frame))
        return self.sized(self.rendered(image, look, frame), placement)


class SoftcopyDisplay(ImageDisplay):
    """Shows what it was sent."""

    slug = "softcopy-display"
    name = "Image Display"

    def __init__(
        self,
        ae_title: str,
        recorder: Transcript | Recorder,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        behaviour: SoftcopyBehaviour | None = None,
        peers: Mapping[str, Address] | None = None,
    ) -> None:
        self.screen = behaviour or SoftcopyBehaviour()
        super().__init__(ae_title, recorder, host, port, behaviour=self.screen.archive, peers=peers)

    def show(self, image: str, state: str = "", frame: int = 1) -> Unit:
        """P-Values of an image, with a presentation state if it is named, by SOP Instance UID.

        Raises UsageError for objects that were never sent here or cannot be shown.
        """
        dataset = self._sent(image)
        return self.screen.shown(dataset, self._sent(state) if state else None, frame)

    def export(self, values: Unit, folder: Path) -> Path:
        """Write a picture of 16 bits into a folder; its path."""
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / "screen.png"
        levels: NDArray[np.uint16] = np.rint(np.clip(values, 0.0, 1.0) * 65535).astype(np.uint16)
        path.write_bytes(png.encode(levels))
        return path

    def measured(self) -> str:
        """What a meter in front of the screen reads at equal steps of P-Values, as a table (CSV)."""
        lines = [f"{step},{self.screen.luminance(step / (PATCHES - 1)):.4f}" for step in range(PATCHES)]
        return "\n".join(["step,cd/m2", *lines, ""])

    def _sent(self, uid: str) -> Dataset:
        for one in reversed(self.received):
            if one.sop_instance == uid:
                return one.dataset()
        raise UsageError(f"{uid} was not sent to this display")


def perform(display: SoftcopyDisplay, action: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """``show-images`` and ``measure-display`` as a user would carry them out."""
    if action == "measure-display":
        Path(str(parameters["table"])).write_text(display.measured(), encoding="utf-8")
        return {}
    values = display.show(str(parameters["image"]), str(parameters.get("state", "")), int(parameters.get("frame") or 1))
    return {"picture": str(display.export(values, Path(str(parameters["export"]))))}
