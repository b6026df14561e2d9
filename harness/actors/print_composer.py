"""The simulated Print Composer (RAD-23): sends films to a printer and shows what the printer said."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from harness.actors.actor import SimulatedActor, sop_instance
from harness.actors.objects import uid_source
from harness.actors.print_composer_pictures import PrintPicture
from harness.core.errors import UsageError
from harness.core.message import Blob
from harness.core.transcript import Recorder, Transcript
from harness.protocols.dicom import uids
from harness.protocols.dicom.datasets import decode
from harness.protocols.dicom.errors import NoPresentationContext
from harness.protocols.dicom.node import Address, Answer, Association, Proposal, Request, Response

PRINT_REQUEST = "PRINT-REQUEST"
_MOST_KEPT = 256
#: seconds between two questions for the state of a printer
_POLL = 0.2


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


@dataclass(frozen=True, slots=True)
class Said:
    """What the printer answered to one operation, as the user is shown it."""

    operation: str
    status: int
    comment: str = ""
    #: found out by the composer itself; the printer said nothing of the kind
    own: bool = False

    @property
    def is_failure(self) -> bool:
        """Neither success nor warning."""
        return not (self.status in (0, 0x0107, 0x0116) or self.status & 0xF000 == 0xB000)

    @property
    def text(self) -> str:
        """One line for the user."""
        kind = "failed" if self.is_failure else "warning" if self.status else "done"
        return f"{self.operation}: {kind} ({self.status:04X}{', ' + self.comment if self.comment else ''})"


@dataclass(frozen=True, slots=True)
class PrintOutcome:
    """All answers of one print, oldest first; the print job if the printer named one."""

    said: tuple[Said, ...]
    job: str = ""
    printer: str = ""

    @property
    def printed(self) -> bool:
        """Whether no operation failed."""
        return bool(self.said) and not any(one.is_failure for one in self.said)

    @property
    def messages(self) -> tuple[str, ...]:
        """What the user is told: every warning and failure."""
        return tuple(one.text for one in self.said if one.status)


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


def image_box(picture: PrintPicture, position: int, lut: str) -> Dataset:
    """The attributes of the image box N-SET (PS3.4 Table H.4-11)."""
    ds = Dataset()
    ds.ImageBoxPosition = position
    if picture.polarity:
        ds.Polarity = picture.polarity
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


@dataclass(frozen=True, slots=True)
class PrintComposerBehaviour:
    """Every decision of the print composer; the defaults are what PS3.4 annex H and RAD-23 want."""

    proposals: Callable[[], tuple[str, ...]] = lambda: (
        uids.BASIC_GRAYSCALE_PRINT,
        uids.PRESENTATION_LUT,
        uids.PRINT_JOB,
    )
    lut: Callable[[Dataset], Dataset | None] = lambda dataset: dataset
    film_box: Callable[[FilmOrder, str, str], Dataset] = film_box
    image_box: Callable[[PrintPicture, int, str], Dataset] = image_box
    picture: Callable[[PrintPicture], PrintPicture] = lambda picture: picture
    lut_first: Callable[[], bool] = lambda: True
    prints: Callable[[], bool] = lambda: True
    deletes_session: Callable[[], bool] = lambda: True
    goes_on_after: Callable[[Said], bool] = lambda said: not said.is_failure
    tells: Callable[[PrintOutcome], tuple[str, ...]] = lambda outcome: outcome.messages


HEALTHY = PrintComposerBehaviour()


class PrintComposer(SimulatedActor):
    """A workstation of ours that prints. ``shown`` holds what the user of the last print was told."""

    slug: ClassVar[str] = "print-composer"
    name: ClassVar[str] = "Print Composer"

    def __init__(
        self,
        ae_title: str,
        recorder: Transcript | Recorder,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        behaviour: PrintComposerBehaviour = HEALTHY,
        new_uid: Callable[[], str] | None = None,
        peers: dict[str, Address] | None = None,
    ) -> None:
        self.behaviour = behaviour
        self._new_uid = new_uid or uid_source()
        self.shown: tuple[str, ...] = ()
        self._kept: dict[str, tuple[Blob, str]] = {}
        self._reported = threading.Event()
        super().__init__(ae_title, recorder, host, port, peers=peers)

    def _serve(self) -> None:
        """What is to be printed comes by C-STORE."""
        self.node.serve(uids.STORAGE, self._keep)

    def _keep(self, request: Request) -> Response:
        while len(self._kept) >= _MOST_KEPT:
            del self._kept[next(iter(self._kept))]
        self._kept[sop_instance(request)] = (request.payload, request.transfer_syntax)
        return Response(0x0000)

    def kept(self, uid: str) -> Dataset:
        """An image or presentation state that was stored here. Raises UsageError if it was not."""
        if uid not in self._kept:
            raise UsageError(f"{uid} was not sent to this composer")
        payload, transfer_syntax = self._kept[uid]
        return decode(payload, transfer_syntax, pixels=True)

    def print_films(
        self, printer: Address, films: tuple[FilmOrder, ...], session: SessionOrder | None = None
    ) -> PrintOutcome:
        """Print films in one session; stops at the first failure.

        Raises PeerError (unreachable, rejected, aborted, timed out) and NoPresentationContext.
        """
        proposals = [Proposal(uid) for uid in self.behaviour.proposals()]
        association = self.node.connect(printer, proposals, handler=self._event)
        try:
            outcome = _Printing(association, self.behaviour, self._new_uid, self.note).run(
                films, session or SessionOrder()
            )
            association.release()
        finally:
            association.close()
        self.shown = self.behaviour.tells(outcome)
        return outcome

    def attend(self, printer: Address, change: Callable[[int], None], *, timeout: float) -> bool:
        """Stay connected while ``change`` happens to the printer (it gets the number of the association).

        The state is asked for until the printer reports an event; False if none came in ``timeout`` seconds. Raises
        PeerError.
        """
        self._reported.clear()
        meta = uids.BASIC_GRAYSCALE_PRINT
        proposals = [Proposal(uid) for uid in self.behaviour.proposals()]
        with self.node.connect(printer, proposals, handler=self._event) as association:
            change(association.id)
            deadline = time.monotonic() + timeout
            while time.monotonic() < deadline:
                association.n_get(uids.PRINTER, uids.PRINTER_INSTANCE, abstract_syntax=meta)
                if self._reported.wait(_POLL):
                    return True
        return False

    def _event(self, request: Request) -> Response:
        """Printer and print job events are acknowledged; the transcript keeps them."""
        if request.kind == "N-EVENT-REPORT-RQ":
            self._reported.set()
        return Response(0x0000 if request.kind == "N-EVENT-REPORT-RQ" else 0x0211)


class _Stopped(Exception):
    """An operation failed, and the composer does not go on."""


class _Printing:
    """One print on one association."""

    def __init__(
        self,
        association: Association,
        behaviour: PrintComposerBehaviour,
        new_uid: Callable[[], str],
        note: Callable[[str, dict[str, Any]], None],
    ) -> None:
        self._association, self._behaviour = association, behaviour
        self._new_uid, self._note = new_uid, note
        self._said: list[Said] = []
        self._job = ""
        self._printer = ""
        accepted = {context.abstract_syntax for context in association.accepted}
        if uids.BASIC_GRAYSCALE_PRINT not in accepted:
            raise NoPresentationContext("the printer does not accept Basic Grayscale Print Management")
        self._with_luts = uids.PRESENTATION_LUT in accepted
        self._with_jobs = uids.PRINT_JOB in accepted

    def run(self, films: tuple[FilmOrder, ...], order: SessionOrder) -> PrintOutcome:
        meta = uids.BASIC_GRAYSCALE_PRINT
        try:
            printer = self._association.n_get(uids.PRINTER, uids.PRINTER_INSTANCE, abstract_syntax=meta)
            self._take("printer status", printer)
            self._printer = str(printer.dataset().get("PrinterStatus", ""))
            session = self._new_uid()
            answer = self._association.n_create(uids.BASIC_FILM_SESSION, session, _session(order), abstract_syntax=meta)
            self._take("film session", answer)
            for film in films:
                self._film(film, session)
            if self._behaviour.deletes_session():
                answer = self._association.n_delete(uids.BASIC_FILM_SESSION, session, abstract_syntax=meta)
                self._take("end of film session", answer)
        except _Stopped:
            pass
        return PrintOutcome(tuple(self._said), self._job, self._printer)

    def _film(self, film: FilmOrder, session: str) -> None:
        meta = uids.BASIC_GRAYSCALE_PRINT
        lut_uid, lut = (self._new_uid(), film.lut) if film.lut and self._with_luts else ("", None)
        if lut and self._behaviour.lut_first():
            lut_uid = self._lut(lut, lut_uid)
        uid = self._new_uid()
        attributes = self._behaviour.film_box(film, session, lut_uid)
        answer = self._association.n_create(uids.BASIC_FILM_BOX, uid, attributes, abstract_syntax=meta)
        self._take("film box", answer)
        if lut and not self._behaviour.lut_first():
            self._lut(lut, lut_uid)
        boxes = [
            str(item.get("ReferencedSOPInstanceUID", ""))
            for item in answer.dataset().get("ReferencedImageBoxSequence") or ()
        ]
        for position, picture in enumerate(film.pictures, start=1):
            if picture is None:
                continue
            if position > len(boxes):
                self._say(Said(f"image {position}", 0x0112, "the printer made no image box for it", own=True))
                raise _Stopped
            of_image = film.image_luts[position - 1] if position <= len(film.image_luts) else None
            image_lut = self._lut(of_image, self._new_uid()) if of_image and self._with_luts else ""
            prepared = self._behaviour.picture(picture)
            self._note(
                PRINT_REQUEST,
                {"film_box": uid, "image_box": boxes[position - 1], "position": position, "source": picture.source},
            )
            answer = self._association.n_set(
                uids.BASIC_GRAYSCALE_IMAGE_BOX,
                boxes[position - 1],
                self._behaviour.image_box(prepared, position, image_lut),
                abstract_syntax=meta,
            )
            self._take(f"image {position}", answer)
        if not self._behaviour.prints():
            return
        answer = self._association.n_action(uids.BASIC_FILM_BOX, uid, 1, abstract_syntax=meta)
        self._take("print", answer)
        for item in answer.dataset().get("ReferencedPrintJobSequence") or ():
            self._job = str(item.get("ReferencedSOPInstanceUID", ""))
        if self._job and self._with_jobs:
            # what became of it is the user's to know, not a reason to stop
            self._association.n_get(uids.PRINT_JOB, self._job, abstract_syntax=uids.PRINT_JOB)

    def _lut(self, choice: LutChoice, uid: str) -> str:
        """The UID of a Presentation LUT that was created, "" if the composer leaves it out."""
        attributes = self._behaviour.lut(choice.dataset())
        if attributes is None:
            return ""
        self._take("Presentation LUT", self._association.n_create(uids.PRESENTATION_LUT, uid, attributes))
        return uid

    def _take(self, operation: str, answer: Answer) -> None:
        said = Said(operation, answer.status, str(answer.command.get("ErrorComment", "") or ""))
        self._say(said)
        if not self._behaviour.goes_on_after(said):
            raise _Stopped

    def _say(self, said: Said) -> None:
        self._said.append(said)


def _session(order: SessionOrder) -> Dataset:
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
