"""One print on one association: the operations in their order, and what the printer answered to each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pydicom.dataset import Dataset

from harness.actors.printing.orders import (
    FilmOrder,
    LutChoice,
    SessionOrder,
    film_box,
    film_session,
    image_box,
    without_optional,
)
from harness.actors.printing.pictures import PrintPicture
from harness.protocols.dicom import uids
from harness.protocols.dicom.errors import NoPresentationContext
from harness.protocols.dicom.node import Answer, Association

PRINT_REQUEST = "PRINT-REQUEST"
#: seconds that the first event of a print job is waited for: who leaves at once learns nothing (PS3.4 H.4.5.2.1.2)
_JOB_EVENT = 0.5

_NO_SUCH_ATTRIBUTE = 0x0105

_Pictures = tuple[PrintPicture | None, ...]


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
    arranged: Callable[[_Pictures], _Pictures] = lambda pictures: pictures
    lut_first: Callable[[], bool] = lambda: True
    prints: Callable[[], bool] = lambda: True
    deletes_session: Callable[[], bool] = lambda: True
    goes_on_after: Callable[[Said], bool] = lambda said: not said.is_failure
    tells: Callable[[PrintOutcome], tuple[str, ...]] = lambda outcome: outcome.messages


HEALTHY = PrintComposerBehaviour()


class _Stopped(Exception):
    """An operation failed, and the composer does not go on."""


class Printing:
    """One print on one association."""

    def __init__(
        self,
        association: Association,
        behaviour: PrintComposerBehaviour,
        new_uid: Callable[[], str],
        note: Callable[[str, dict[str, Any]], None],
        event_came: Callable[[float], bool],
    ) -> None:
        self._association, self._behaviour = association, behaviour
        self._new_uid, self._note, self._event_came = new_uid, note, event_came
        self._said: list[Said] = []
        self._job = ""
        self._printer = ""
        self._last = {"film box": "", "Presentation LUT": ""}
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
            answer = self._association.n_create(
                uids.BASIC_FILM_SESSION, session, film_session(order), abstract_syntax=meta
            )
            self._take("film session", answer)
            if order.then_priority:
                change = film_session(SessionOrder(order.copies, order.then_priority))
                answer = self._association.n_set(uids.BASIC_FILM_SESSION, session, change, abstract_syntax=meta)
                self._take("change of the film session", answer)
            for film in films:
                self._film(film, session)
            self._delete(order.deletes)
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
        if answer.status == _NO_SUCH_ATTRIBUTE and (fewer := without_optional(attributes)) is not None:
            uid = self._new_uid()
            answer = self._association.n_create(uids.BASIC_FILM_BOX, uid, fewer, abstract_syntax=meta)
        self._take("film box", answer)
        self._last["film box"] = uid
        if lut and not self._behaviour.lut_first():
            self._lut(lut, lut_uid)
        boxes = [
            str(item.get("ReferencedSOPInstanceUID", ""))
            for item in answer.dataset().get("ReferencedImageBoxSequence") or ()
        ]
        for position, picture in enumerate(self._behaviour.arranged(film.pictures), start=1):
            if picture is None:
                continue
            if position > len(boxes):
                self._hear(Said(f"image {position}", 0x0112, "the printer made no image box for it", own=True))
                continue
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
            self._event_came(_JOB_EVENT)

    def _lut(self, choice: LutChoice, uid: str) -> str:
        """The UID of a Presentation LUT that was created, "" if the composer leaves it out."""
        attributes = self._behaviour.lut(choice.dataset())
        if attributes is None:
            return ""
        self._take("Presentation LUT", self._association.n_create(uids.PRESENTATION_LUT, uid, attributes))
        self._last["Presentation LUT"] = uid
        return uid

    def _delete(self, what: tuple[str, ...]) -> None:
        if "film box" in what and self._last["film box"]:
            box = self._last["film box"]
            answer = self._association.n_delete(uids.BASIC_FILM_BOX, box, abstract_syntax=uids.BASIC_GRAYSCALE_PRINT)
            self._take("end of film box", answer)
        if "Presentation LUT" in what and self._last["Presentation LUT"]:
            answer = self._association.n_delete(uids.PRESENTATION_LUT, self._last["Presentation LUT"])
            self._take("end of Presentation LUT", answer)

    def _take(self, operation: str, answer: Answer) -> None:
        self._hear(Said(operation, answer.status, str(answer.command.get("ErrorComment", "") or "")))

    def _hear(self, said: Said) -> None:
        self._said.append(said)
        if not self._behaviour.goes_on_after(said):
            raise _Stopped
