"""Printing on film with a Presentation LUT (RAD-23), as a job of the queue."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Any

import numpy as np
from pydicom.dataset import Dataset

from harness.imaging import png
from harness.imaging.render import render
from harness.modality import softcopy
from harness.modality.config import NodeName
from harness.modality.elements import item, items, put, text
from harness.modality.errors import Cause, PeerProblem, Refused
from harness.modality.jobs import Job, Permanent
from harness.modality.network import Link, Reply
from harness.modality.services.examination import job_line
from harness.modality.services.kernel import Kernel
from harness.modality.services.review import Review, on_screen

META = "1.2.840.10008.5.1.1.9"
SESSION = "1.2.840.10008.5.1.1.1"
FILM_BOX = "1.2.840.10008.5.1.1.2"
IMAGE_BOX = "1.2.840.10008.5.1.1.4"
PRINTER = "1.2.840.10008.5.1.1.16"
PRINTER_INSTANCE = "1.2.840.10008.5.1.1.17"
LUT = "1.2.840.10008.5.1.1.23"
WARNINGS = {
    0x0107: "the printer does not know everything that was asked for",
    0x0116: "the printer used a value of its own instead of one that was asked for",
    0xB600: "memory allocation is not supported",
    0xB601: "film session printing is not supported",
    0xB602: "the film session has no film box",
    0xB603: "the film box has no image box with pixels",
    0xB604: "the image was made smaller to fit",
    0xB605: "the density was limited to what the printer can do",
    0xB609: "the image was cropped to fit",
    0xB60A: "the image was reduced to fit",
}
#: film sizes with width and height in mm, upright (PS3.3 C.13.3)
FILM_SIZES: dict[str, tuple[float, float]] = {
    "8INX10IN": (203.2, 254.0),
    "10INX12IN": (254.0, 304.8),
    "11INX14IN": (279.4, 355.6),
    "14INX17IN": (355.6, 431.8),
    "24CMX30CM": (240.0, 300.0),
    "A4": (210.0, 297.0),
    "A3": (297.0, 420.0),
}
ORIENTATIONS = ("PORTRAIT", "LANDSCAPE")
_USABLE = {0x0000, *WARNINGS}


class Printing:
    """Film printing."""

    def __init__(self, kernel: Kernel, review: Review) -> None:
        self._k, self._review = kernel, review
        kernel.queue.handle("print", self._print)

    def print_film(
        self,
        instances: Sequence[str],
        layout: str = "1x1",
        film_size: str = "8INX10IN",
        orientation: str = "PORTRAIT",
        copies: int = 1,
        medium: str = "BLUE FILM",
        min_density: int = 20,
        max_density: int = 300,
        illumination: int = 2000,
        reflected_light: int = 10,
        states: Sequence[str] = (),
    ) -> dict[str, Any]:
        """Print images: layout as columns x rows, densities in hundredths of OD, light in cd/m2.

        `states` are presentation states; an image that one of them names is printed as it says.
        """
        columns, rows = _sheet(instances, layout, film_size, orientation)
        if not 1 <= copies <= 99 or not 0 <= min_density < max_density <= 600:
            raise Refused("copies are 1 to 99, densities rise from 0 to 600")
        self._judge_states(instances, states)
        for each in instances:
            self._review.kept_look(each, states)
        payload = {
            "instances": list(instances), "states": list(states), "format": f"STANDARD\\{columns},{rows}",
            "film_size": film_size, "orientation": orientation, "copies": copies, "medium": medium,
            "min_density": min_density, "max_density": max_density, "illumination": illumination,
            "reflected_light": reflected_light,
        }  # fmt: skip
        key = self._k.queue.add("print", f"print:{self._k.database.next('print')}", payload)
        return job_line(self._k.queue.run(key)[0])

    def print_preview(
        self,
        instances: Sequence[str],
        layout: str = "1x1",
        film_size: str = "8INX10IN",
        orientation: str = "PORTRAIT",
        height: int = 700,
        states: Sequence[str] = (),
    ) -> dict[str, Any]:
        """Show how a film will look: the P-Values that the printer gets, in their places, as base64 PNG."""
        columns, rows = _sheet(instances, layout, film_size, orientation)
        if not 64 <= height <= 2000:
            raise Refused("a preview is 64 to 2000 pixels high")
        width_mm, height_mm = FILM_SIZES[film_size] if orientation == "PORTRAIT" else FILM_SIZES[film_size][::-1]
        width = round(height * width_mm / height_mm)
        self._judge_states(instances, states)
        film = np.zeros((height, width), np.uint8)
        gap = max(height // 200, 1)
        for place, instance in enumerate(instances):
            row, column = divmod(place, columns)
            top, bottom = row * height // rows + gap, (row + 1) * height // rows - gap
            left, right = column * width // columns + gap, (column + 1) * width // columns - gap
            film[top:bottom, left:right] = on_screen(
                *self._review.kept_look(instance, states), bottom - top, right - left
            )
        return {"width": width, "height": height, "png": base64.b64encode(png.encode(film)).decode("ascii")}

    def _judge_states(self, instances: Sequence[str], states: Sequence[str]) -> None:
        for state in states:
            if not softcopy.images_of(self._review.load(state)[0]) & set(instances):
                raise Refused(f"{state} is a presentation state for none of these images")

    def printer_status(self) -> dict[str, Any]:
        """Ask the printer how it is."""
        with self._k.link(NodeName.PRINTER, [self._k.context(META)]) as link:
            reply = link.n_get(PRINTER, PRINTER_INSTANCE, META)
            self._usable(link, reply, "printer status")
        found = reply.dataset or Dataset()
        names = ("PrinterStatus", "PrinterStatusInfo", "PrinterName", "Manufacturer", "ManufacturerModelName")
        return {name: text(found, name) for name in names}

    def _print(self, job: Job) -> str:
        if job.interrupted:
            raise Permanent("printing was cut off; look whether the film came out before it is printed again")
        asked, warnings = job.payload, []
        with self._k.link(NodeName.PRINTER, [self._k.context(META), self._k.context(LUT)]) as link:

            def usable(reply: Reply, what: str) -> Reply:
                self._usable(link, reply, what)
                if reply.status in WARNINGS:
                    warnings.append(WARNINGS[reply.status])
                return reply

            session = self._k.uids.new()
            attributes = item(
                NumberOfCopies=str(asked["copies"]),
                PrintPriority="MED",
                MediumType=asked["medium"],
                FilmDestination="PROCESSOR",
            )
            usable(link.n_create(SESSION, session, attributes, META), "film session")
            lut = ""
            if link.accepted(LUT):
                lut = self._k.uids.new()
                usable(link.n_create(LUT, lut, item(PresentationLUTShape="IDENTITY")), "Presentation LUT")
            else:
                warnings.append("the printer knows no Presentation LUT and chooses the densities itself")
            film = self._k.uids.new()
            made = usable(link.n_create(FILM_BOX, film, self._film(asked, session, lut), META), "film box")
            boxes = items(made.dataset or Dataset(), "ReferencedImageBoxSequence")
            for position, (instance, box) in enumerate(zip(asked["instances"], boxes, strict=False), start=1):
                picture = self._image(instance, asked.get("states", ()), position)
                usable(link.n_set(IMAGE_BOX, text(box, "ReferencedSOPInstanceUID"), picture, META), "image box")
            if len(boxes) < len(asked["instances"]):
                raise PeerProblem(
                    Cause.STATUS, link.peer, f"it made {len(boxes)} image boxes for {len(asked['instances'])} images"
                )
            usable(link.n_action(FILM_BOX, film, 1, None, META), "print")
            usable(link.n_delete(FILM_BOX, film, META), "removal of the film box")
        return "printed" + (f"; warnings: {'; '.join(warnings)}" if warnings else "")

    def _usable(self, link: Link, reply: Reply, what: str) -> None:
        if reply.status not in _USABLE:
            detail = f"{what} failed: status {reply.status:04X} {reply.comment}".strip()
            raise PeerProblem(Cause.STATUS, link.peer, detail, status=reply.status)

    def _film(self, asked: Any, session: str, lut: str) -> Dataset:
        made = item(
            ImageDisplayFormat=asked["format"],
            FilmOrientation=asked["orientation"],
            FilmSizeID=asked["film_size"],
            MagnificationType="REPLICATE",
            BorderDensity="BLACK",
            EmptyImageDensity="BLACK",
            MinDensity=asked["min_density"],
            MaxDensity=asked["max_density"],
            Trim="NO",
            ReferencedFilmSessionSequence=[item(ReferencedSOPClassUID=SESSION, ReferencedSOPInstanceUID=session)],
        )
        if not lut:
            return made
        # What the light is matters to a printer only that turns P-Values into densities (PS3.4 Table H.4-6).
        reference = item(ReferencedSOPClassUID=LUT, ReferencedSOPInstanceUID=lut)
        return put(
            made,
            Illumination=asked["illumination"],
            ReflectedAmbientLight=asked["reflected_light"],
            ReferencedPresentationLUTSequence=[reference],
        )

    def _image(self, instance: str, states: Sequence[str], position: int) -> Dataset:
        rendition = render(*self._review.kept_look(instance, states))
        # The printer gets P-Values of 12 bits: an identity Presentation LUT then prints what the screen shows.
        values = np.rint(np.clip(rendition.p_values, 0.0, 1.0) * 4095).astype("<u2")
        picture = item(
            SamplesPerPixel=1,
            PhotometricInterpretation="MONOCHROME2",
            Rows=values.shape[0],
            Columns=values.shape[1],
            PixelAspectRatio=_aspect(rendition.placement.pixel_shape),
            BitsAllocated=16,
            BitsStored=12,
            HighBit=11,
            PixelRepresentation=0,
        )
        picture.add_new(0x7FE00010, "OW", values.tobytes())
        return put(Dataset(), ImageBoxPosition=position, Polarity="NORMAL", BasicGrayscaleImageSequence=[picture])


def _aspect(shape: tuple[float, float]) -> tuple[str, str]:
    """Write the height and width of a pixel as whole numbers."""
    height, width = shape
    return ("1", "1") if height == width else (str(round(height / width * 1000) or 1), "1000")


def _sheet(instances: Sequence[str], layout: str, film_size: str, orientation: str) -> tuple[int, int]:
    """Judge what is wanted on one film; return columns and rows. Raises Refused."""
    columns, _, rows = layout.partition("x")
    if not (columns.isdigit() and rows.isdigit() and 1 <= int(columns) <= 9 and 1 <= int(rows) <= 9):
        raise Refused(f"layout {layout!r} is not columns x rows, for instance 2x3")
    if not 1 <= len(instances) <= int(columns) * int(rows):
        raise Refused(f"{len(instances)} images do not fit on one film of {layout}")
    if film_size not in FILM_SIZES or orientation not in ORIENTATIONS:
        raise Refused(f"film sizes are {', '.join(FILM_SIZES)}; orientations are {', '.join(ORIENTATIONS)}")
    return int(columns), int(rows)
