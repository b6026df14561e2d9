"""What a print server keeps of one association: film session, film boxes, image boxes, Presentation LUTs (PS3.4 H).

Pure state: operations come as kind, SOP class, instance and data set, and go back as status and data set. The sheets
that were exposed are handed over by :meth:`PrintSession.take_sheets`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from harness.actors.printing import server_film as film
from harness.actors.printing.server_behaviour import (
    DUPLICATE_INSTANCE,
    HEALTHY,
    INVALID_ATTRIBUTE_VALUE,
    MISSING_ATTRIBUTE,
    NO_FILM_BOX,
    NO_SUCH_ACTION,
    NO_SUCH_ATTRIBUTE,
    NO_SUCH_INSTANCE,
    PROCESSING_FAILURE,
    SUCCESS,
    UNRECOGNIZED_OPERATION,
    PrintServerBehaviour,
    Refused,
    Reply,
    check,
    comment,
    is_warning,
    needed,
    optional,
)
from harness.actors.printing.server_film import Exposure, Sheet
from harness.actors.printing.server_objects import (
    exposure_of,
    fitted,
    got,
    job_of,
    reference,
    shade,
    table_of,
    without_pixels,
)
from harness.actors.printing.server_printer import BoxPlace, Printer, UnknownFormat
from harness.imaging.luts import PresentationLut, Shape
from harness.protocols.dicom import uids

_MOST_FILMS, _MOST_LUTS = 64, 64


@dataclass(slots=True)
class _Film:
    uid: str
    attributes: Dataset
    places: tuple[BoxPlace, ...]
    boxes: dict[str, int]
    lut: PresentationLut | None
    images: dict[int, Exposure] = field(default_factory=dict)
    box_luts: dict[int, PresentationLut] = field(default_factory=dict)


class PrintSession:
    """The print objects of one association."""

    def __init__(
        self,
        printer: Printer,
        new_uid: Callable[[], str],
        *,
        behaviour: PrintServerBehaviour = HEALTHY,
        printer_status: Callable[[], tuple[str, str]] = lambda: ("NORMAL", ""),
        print_job: bool = False,
    ) -> None:
        self.printer, self.behaviour = printer, behaviour
        self._new_uid, self._printer_status, self._print_job = new_uid, printer_status, print_job
        self._session: tuple[str, Dataset] | None = None
        self._films: dict[str, _Film] = {}
        self._luts: dict[str, PresentationLut] = {}
        self._jobs: dict[str, Dataset] = {}
        self._sheets: list[tuple[str, Sheet]] = []
        self._seen: dict[tuple[str, str], int] = {}

    def handle(
        self, kind: str, sop_class: str, instance: str, dataset: Dataset, action: int = 0, asked: Any = ()
    ) -> Reply:
        """Carry out one operation; ``asked`` is the Attribute Identifier List of an N-GET."""
        before = self._seen.get((kind, sop_class), 0)
        self._seen[kind, sop_class] = before + 1
        scripted = self.behaviour.scripted(kind, sop_class, before)
        if scripted is not None and not is_warning(scripted):
            return Reply(scripted, None, comment("scripted by the scenario"))
        try:
            reply = self._carry_out(kind, sop_class, instance, dataset, action, asked)
        except Refused as refusal:
            return Reply(refusal.status, None, comment(refusal.text))
        except (ValueError, TypeError, AttributeError, IndexError, KeyError, NotImplementedError) as error:
            # pydicom raises these for values that cannot be what they claim to be
            return Reply(INVALID_ATTRIBUTE_VALUE, None, comment(str(error)))
        if scripted is not None:
            return Reply(scripted, reply.dataset, reply.fields)
        return reply

    def take_sheets(self) -> list[tuple[str, Sheet]]:
        """Print job UID and sheet of every film exposed since the last call."""
        sheets, self._sheets = self._sheets, []
        return sheets

    def _carry_out(self, kind: str, sop_class: str, instance: str, ds: Dataset, action: int, asked: Any) -> Reply:
        if kind in ("N-SET-RQ", "N-DELETE-RQ") and not self.behaviour.tidies(kind, sop_class):
            raise Refused(UNRECOGNIZED_OPERATION, f"{kind} is not supported for {sop_class}")
        match kind, sop_class:
            case "N-CREATE-RQ", uids.BASIC_FILM_SESSION:
                return self._create_session(instance, ds)
            case "N-CREATE-RQ", uids.BASIC_FILM_BOX:
                return self._create_film(instance, ds)
            case "N-CREATE-RQ", uids.PRESENTATION_LUT:
                return self._create_lut(instance, ds)
            case "N-SET-RQ", uids.BASIC_FILM_SESSION:
                return self._set_session(instance, ds)
            case "N-SET-RQ", uids.BASIC_FILM_BOX:
                return self._set_film(instance, ds)
            case "N-SET-RQ", uids.BASIC_GRAYSCALE_IMAGE_BOX:
                return self._set_image(instance, ds)
            case "N-ACTION-RQ", uids.BASIC_FILM_SESSION | uids.BASIC_FILM_BOX:
                if action != 1:
                    raise Refused(NO_SUCH_ACTION, f"Action Type ID {action}: only 1 (Print) exists")
                return self._print(sop_class == uids.BASIC_FILM_SESSION, instance)
            case "N-DELETE-RQ", _:
                return self._delete(sop_class, instance)
            case "N-GET-RQ", uids.PRINTER:
                return self._get_printer(instance, asked)
            case "N-GET-RQ", uids.PRINT_JOB:
                return self._get_job(instance, asked)
            case _:
                raise Refused(UNRECOGNIZED_OPERATION, f"{kind} is not supported for {sop_class}")

    # -- creating ----------------------------------------------------------------------------------------------

    def _create_session(self, instance: str, ds: Dataset) -> Reply:
        if self._session is not None:
            raise Refused(PROCESSING_FAILURE, "there is a film session on this association already")
        self._check_session(ds)
        uid = instance or self._new_uid()
        self._session = (uid, ds)
        return self._made(uids.BASIC_FILM_SESSION, uid, ds)

    def _create_film(self, instance: str, ds: Dataset) -> Reply:
        session = self._referenced_session(ds)
        needed(ds, "ImageDisplayFormat")
        if not self.behaviour.offers(str(ds.ImageDisplayFormat)):
            raise Refused(INVALID_ATTRIBUTE_VALUE, f"{ds.ImageDisplayFormat} is not offered")
        try:
            places = self.printer.places(str(ds.ImageDisplayFormat))
        except UnknownFormat as error:
            raise Refused(INVALID_ATTRIBUTE_VALUE, str(error)) from error
        if len(self._films) >= _MOST_FILMS:
            raise Refused(0x0213, "too many film boxes in this session")
        self._check_film(ds)
        uid = instance or self._new_uid()
        if uid in self._films:
            raise Refused(DUPLICATE_INSTANCE, f"film box {uid} exists")
        lut = self._referenced_lut(ds)
        count = min(max(self.behaviour.box_count(len(places)), 0), len(places) + 8)
        boxes = {self._new_uid(): position for position in range(1, count + 1)}
        status, answer = self._densities(ds)
        answer.ReferencedImageBoxSequence = Sequence([reference(uids.BASIC_GRAYSCALE_IMAGE_BOX, box) for box in boxes])
        if session and "ReferencedFilmSessionSequence" not in answer:
            answer.ReferencedFilmSessionSequence = Sequence([reference(uids.BASIC_FILM_SESSION, session)])
        self._films[uid] = _Film(uid, answer, places, boxes, lut)
        return self._made(uids.BASIC_FILM_BOX, uid, answer, status)

    def _create_lut(self, instance: str, ds: Dataset) -> Reply:
        table, shape = ds.get("PresentationLUTSequence"), str(ds.get("PresentationLUTShape", "") or "")
        if bool(table) == bool(shape):
            status = INVALID_ATTRIBUTE_VALUE if table else MISSING_ATTRIBUTE
            raise Refused(status, "a Presentation LUT has either a sequence or a shape")
        if len(self._luts) >= _MOST_LUTS:
            raise Refused(0x0213, "too many Presentation LUTs")
        lut: PresentationLut
        if shape:
            if shape not in self.behaviour.shapes:
                raise Refused(INVALID_ATTRIBUTE_VALUE, f"Presentation LUT Shape {shape} is not supported")
            lut = Shape(shape)
        else:
            lut = table_of(table)
        uid = instance or self._new_uid()
        self._luts[uid] = lut
        return self._made(uids.PRESENTATION_LUT, uid, ds)

    def _made(self, sop_class: str, uid: str, ds: Dataset, status: int = SUCCESS) -> Reply:
        fields = {"AffectedSOPClassUID": sop_class, "AffectedSOPInstanceUID": uid}
        return Reply(status, self.behaviour.created(sop_class, ds), fields)

    # -- setting -----------------------------------------------------------------------------------------------

    def _set_session(self, instance: str, ds: Dataset) -> Reply:
        session = self._the_session(instance)
        self._check_session(ds)
        session.update(ds)
        return Reply(SUCCESS, session)

    def _set_film(self, instance: str, ds: Dataset) -> Reply:
        film_box = self._the_film(instance)
        self._check_film(ds)
        lut = self._referenced_lut(ds)
        status, changed = self._densities(ds)
        film_box.attributes.update(changed)
        film_box.lut = lut or film_box.lut
        return Reply(status, changed)

    def _set_image(self, instance: str, ds: Dataset) -> Reply:
        owner = next((one for one in self._films.values() if instance in one.boxes), None)
        if owner is None:
            raise Refused(NO_SUCH_INSTANCE, f"no image box {instance}")
        needed(ds, "ImageBoxPosition")
        position = int(ds.ImageBoxPosition)
        if position != owner.boxes[instance]:
            raise Refused(INVALID_ATTRIBUTE_VALUE, f"Image Box Position {position} is not that of {instance}")
        images = ds.get("BasicGrayscaleImageSequence")
        if images is None:
            raise Refused(MISSING_ATTRIBUTE, "BasicGrayscaleImageSequence is missing")
        if len(images) == 0:  # PS3.4 H.4.3.1.2.1: an empty sequence takes the image out
            owner.images.pop(position, None)
            return Reply(SUCCESS, without_pixels(ds))
        lut = self._referenced_lut(ds)
        if lut is not None and not self.behaviour.takes_lut_of_box:
            raise Refused(NO_SUCH_ATTRIBUTE, "an image box has no Presentation LUT of its own")
        asked = str(ds.get("RequestedDecimateCropBehavior", "") or "")
        magnification = str(ds.get("MagnificationType") or owner.attributes.get("MagnificationType", "") or "")
        status, answer = self._densities(without_pixels(ds))
        too_large, exposure = fitted(
            exposure_of(self.printer, position, images[0], answer),
            self.printer.box_pixels(owner.places[position - 1], *self._film_mm(owner)),
            lambda: self.behaviour.too_large(asked, magnification),
        )
        owner.images[position] = exposure
        if lut is not None:
            owner.box_luts[position] = lut
        return Reply(too_large or status, self.behaviour.image_set(answer))

    # -- printing and deleting ---------------------------------------------------------------------------------

    def _print(self, whole_session: bool, instance: str) -> Reply:
        if whole_session:
            self._the_session(instance)
            films: Iterable[_Film] = tuple(self._films.values())
            if not films:
                raise Refused(NO_FILM_BOX, "the film session has no film box")
        else:
            films = (self._the_film(instance),)
        job = self._new_uid()
        status = SUCCESS
        for one in films:
            if not one.images:
                status = self.behaviour.empty_status(whole_session)
            self._sheets.append((job, self._expose(one)))
        self._jobs[job] = job_of(self.printer, self._session[1] if self._session else Dataset())
        if not self._print_job:
            return Reply(status)
        answer = Dataset()
        answer.ReferencedPrintJobSequence = Sequence([reference(uids.PRINT_JOB, job)])
        return Reply(status, self.behaviour.printed(answer))

    def _expose(self, one: _Film) -> Sheet:
        of_film, session = one.attributes, self._session[1] if self._session else Dataset()
        viewing = self.printer.viewing(
            minimum=optional(of_film, "MinDensity"),
            maximum=optional(of_film, "MaxDensity"),
            illumination=self.behaviour.lighting(optional(of_film, "Illumination")),
            ambient=self.behaviour.lighting(optional(of_film, "ReflectedAmbientLight")),
            medium_type=str(session.get("MediumType", "") or ""),
        )
        exposures = tuple(
            self.behaviour.exposure(
                replace(exposure, lut=self.behaviour.lut_of_box(one.box_luts.get(position), one.lut))
            )
            for position, exposure in sorted(one.images.items())
        )
        facts = {"film_box": one.uid, "display_format": str(of_film.get("ImageDisplayFormat", ""))}
        return film.expose(
            exposures,
            one.places,
            self._film_mm(one),
            viewing,
            facts=facts,
            empty_density=shade(of_film, "EmptyImageDensity", viewing.minimum, viewing.maximum),
            border_density=shade(of_film, "BorderDensity", viewing.minimum, viewing.maximum),
            label=str(session.get("FilmSessionLabel", "") or ""),
        )

    def _film_mm(self, one: _Film) -> tuple[float, float]:
        size, orientation = (str(one.attributes.get(word, "") or "") for word in ("FilmSizeID", "FilmOrientation"))
        return self.printer.film_mm(size, orientation)

    def forget_job(self, job: str) -> None:
        """A job whose end was told is deleted (PS3.4 H.4.5.2.1.2)."""
        self._jobs.pop(job, None)

    def _delete(self, sop_class: str, instance: str) -> Reply:
        if sop_class == uids.BASIC_FILM_SESSION:
            self._the_session(instance)
            self._session = None
            self._films.clear()
        elif sop_class == uids.BASIC_FILM_BOX:
            self._the_film(instance)
            del self._films[instance]
        elif sop_class == uids.PRESENTATION_LUT:
            if self._luts.pop(instance, None) is None:
                raise Refused(NO_SUCH_INSTANCE, f"no Presentation LUT {instance}")
        else:
            raise Refused(UNRECOGNIZED_OPERATION, f"N-DELETE is not supported for {sop_class}")
        return Reply()

    # -- reading -----------------------------------------------------------------------------------------------

    def _get_printer(self, instance: str, asked: Any) -> Reply:
        if instance != uids.PRINTER_INSTANCE:
            raise Refused(NO_SUCH_INSTANCE, "the printer has the well-known instance UID")
        ds = Dataset()
        ds.PrinterStatus, ds.PrinterStatusInfo = self._printer_status()
        ds.PrinterName, ds.Manufacturer = self.printer.name, self.printer.manufacturer
        ds.ManufacturerModelName = self.printer.model
        return got(uids.PRINTER, instance, self.behaviour.printer(ds), asked)

    def _get_job(self, instance: str, asked: Any) -> Reply:
        if instance not in self._jobs:
            raise Refused(NO_SUCH_INSTANCE, f"no print job {instance}")
        return got(uids.PRINT_JOB, instance, self._jobs[instance], asked)

    # -- looking up --------------------------------------------------------------------------------------------

    def _the_session(self, instance: str) -> Dataset:
        if self._session is None or self._session[0] != instance:
            raise Refused(NO_SUCH_INSTANCE, f"no film session {instance}")
        return self._session[1]

    def _the_film(self, instance: str) -> _Film:
        if instance not in self._films:
            raise Refused(NO_SUCH_INSTANCE, f"no film box {instance}")
        return self._films[instance]

    def _referenced_session(self, ds: Dataset) -> str:
        if not self.behaviour.session_reference_needed():
            return self._session[0] if self._session else ""
        needed(ds, "ReferencedFilmSessionSequence")
        uid = str(ds.ReferencedFilmSessionSequence[0].get("ReferencedSOPInstanceUID", ""))
        if self._session is None or uid != self._session[0]:
            raise Refused(INVALID_ATTRIBUTE_VALUE, f"the referenced film session {uid} does not exist")
        return uid

    def _referenced_lut(self, ds: Dataset) -> PresentationLut | None:
        items = ds.get("ReferencedPresentationLUTSequence")
        if not items:
            return None
        uid = str(items[0].get("ReferencedSOPInstanceUID", ""))
        if uid not in self._luts:
            raise Refused(INVALID_ATTRIBUTE_VALUE, f"the referenced Presentation LUT {uid} does not exist")
        return self._luts[uid]

    def _check_session(self, ds: Dataset) -> None:
        check(ds, "PrintPriority", ("HIGH", "MED", "LOW"))
        check(ds, "MediumType", self.printer.medium_types)
        check(ds, "FilmDestination", self.printer.destinations)

    def _check_film(self, ds: Dataset) -> None:
        for keyword in sorted(self.behaviour.unknown):
            if keyword in ds:
                raise Refused(NO_SUCH_ATTRIBUTE, f"{keyword} is not supported")
        if self.behaviour.takes_any_value:
            return
        check(ds, "FilmOrientation", ("PORTRAIT", "LANDSCAPE"))
        check(ds, "FilmSizeID", self.printer.film_sizes)
        check(ds, "MagnificationType", self.printer.magnifications)
        check(ds, "Trim", ("YES", "NO"))

    def _densities(self, ds: Dataset) -> tuple[int, Dataset]:
        """The worst density status, and the film attributes with the densities that will be used."""
        status, answer = SUCCESS, Dataset()
        answer.update(ds)
        for keyword in ("MinDensity", "MaxDensity"):
            asked = optional(ds, keyword)
            if asked is None:
                continue
            status = max(status, self.behaviour.density_status(asked, self.printer))
            setattr(answer, keyword, self.behaviour.effective_density(asked, self.printer))
        return status, answer
