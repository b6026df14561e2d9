"""What happened at a printer, in order: the film boxes of an association with their Presentation LUTs and images."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from harness.core.message import Direction
from harness.profiles.cpi.mapping import printing as table
from harness.profiles.journal import Association, Journal, Operation
from harness.profiles.values import Attributes, attributes_of, items, references, text, valued


@dataclass(slots=True)
class FilmBox:
    """One film box N-CREATE with what follows it."""

    create: Operation
    image_boxes: tuple[str, ...] = ()
    changes: list[Operation] = field(default_factory=list)
    images: list[Operation] = field(default_factory=list)
    prints: list[Operation] = field(default_factory=list)

    @property
    def uid(self) -> str:
        """Its SOP Instance UID."""
        return self.create.instance

    @property
    def attributes(self) -> Attributes:
        """What it was created with and later set to."""
        merged = dict(self.create.attributes)
        for change in self.changes:
            merged.update(change.attributes)
        return merged

    @property
    def lut(self) -> str:
        """The Presentation LUT that the film box refers to, "" if none."""
        return next((uid for _, uid in references(self.attributes, "ReferencedPresentationLUTSequence")), "")

    @property
    def refused_as_optional(self) -> bool:
        """Whether it was refused for an attribute that the printer need not know (PS3.4 H.2.4, usage U/U)."""
        optional = any(valued(self.create.attributes, keyword) for keyword in table.FILM_BOX_OPTIONAL)
        return optional and self.create.status == table.NO_SUCH_ATTRIBUTE

    @property
    def may_be_refused(self) -> bool:
        """Whether it asks for a format, size or the like that a printer need not have (PS3.4 H.2.4)."""
        asked = self.create.attributes
        return text(asked, "ImageDisplayFormat") != table.SIMPLEST_FORMAT or any(
            text(asked, keyword) not in ("", usual) for keyword, usual in table.FILM_BOX_VALUES.items()
        )

    def next_print(self, image: Operation) -> Operation | None:
        """The print that an image came out with."""
        return next((one for one in self.prints if one.request.seq > image.request.seq), None)


@dataclass(slots=True)
class PrintJob:
    """The print operations of one association, ``operations`` in their order."""

    association: Association | None
    operations: list[Operation] = field(default_factory=list)
    sessions: list[Operation] = field(default_factory=list)
    luts: list[Operation] = field(default_factory=list)
    films: list[FilmBox] = field(default_factory=list)

    @property
    def may_use_luts(self) -> bool:
        """Whether the printer did not turn the Presentation LUT SOP class down."""
        if self.association is None:
            return True
        uid = table.PRESENTATION_LUT
        ids = {one.get("id") for one in self.association.proposed if one.get("abstract_syntax") == uid}
        return not ids or bool(ids & {one.get("id") for one in self.association.accepted})


def print_jobs(j: Journal, direction: Direction) -> Iterator[PrintJob]:
    """Print jobs that the composer in ``direction`` sent: FROM_SUT for a composer under test, TO_SUT for a server."""
    jobs: dict[int, PrintJob] = {}
    for operation in j.operations:
        kind = operation.request.kind
        if not kind.startswith("N-") or operation.request.direction is not direction:
            continue
        if str(operation.request.fields.get("AbstractSyntax", "")) not in (table.META, table.PRESENTATION_LUT):
            continue
        number = operation.request.association
        job = jobs.setdefault(number, PrintJob(j.associations.get(number)))
        job.operations.append(operation)
        _sort(job, operation, kind)
    yield from jobs.values()


def film_associations(j: Journal) -> list[tuple[Association, set[str]]]:
    """Associations of a composer under test that are for films, each with the SOP classes proposed.

    One that asks for the state of the printer only need not be fit for printing; nor need one that was given up, if
    films went to the printer on another.
    """
    created = {o.request.association for o in j.operations if o.request.kind == "N-CREATE-RQ"}
    found = []
    for association in j.associations.values():
        if not association.from_sut:
            continue
        classes = {str(context.get("abstract_syntax")) for context in association.proposed}
        if any(uid.startswith(table.PRINT) for uid in classes - table.STATUS_CLASSES):
            found.append((association, classes))
    return [one for one in found if one[0].id in created] or found


def _sort(job: PrintJob, operation: Operation, kind: str) -> None:
    match kind, operation.sop_class:
        case "N-CREATE-RQ", table.FILM_SESSION:
            job.sessions.append(operation)
        case "N-CREATE-RQ", table.PRESENTATION_LUT:
            job.luts.append(operation)
        case "N-CREATE-RQ", table.FILM_BOX:
            job.films.append(FilmBox(operation, _image_boxes(operation)))
        case "N-SET-RQ", table.IMAGE_BOX:
            for film in job.films:
                if operation.instance in film.image_boxes:
                    film.images.append(operation)
        case "N-SET-RQ", table.FILM_BOX:
            for film in job.films:
                if film.uid == operation.instance:
                    film.changes.append(operation)
        case "N-ACTION-RQ", table.FILM_BOX:
            for film in job.films:
                if film.uid == operation.instance:
                    film.prints.append(operation)
        case "N-ACTION-RQ", table.FILM_SESSION:
            for film in job.films:
                film.prints.append(operation)


def _image_boxes(create: Operation) -> tuple[str, ...]:
    from_printer = create.final
    if from_printer is None:
        return ()
    return tuple(uid for _, uid in references(response_of(create), "ReferencedImageBoxSequence"))


def response_of(operation: Operation) -> dict[str, object]:
    """The data set of the final response as plain values, ``{}`` without one."""
    return dict(attributes_of(operation.final)) if operation.final is not None else {}


def bits_stored(image: Operation) -> int | None:
    """Bits Stored of the picture of an image box, None if it does not say."""
    for item in items(image.attributes, "BasicGrayscaleImageSequence"):
        value = text(item, "BitsStored")
        return int(value) if value.isdigit() else None
    return None
