"""RAD-23 Print Request with Presentation LUT, as the composer sends it (PS3.4 annex H)."""

from __future__ import annotations

from collections.abc import Iterator

from harness.core.check import Check, Observation
from harness.profiles.cpi.checks.print_jobs import PrintJob, bits_stored, film_associations, print_jobs
from harness.profiles.cpi.mapping import printing as table
from harness.profiles.facts import OUTCOME
from harness.profiles.journal import FROM_SUT, Journal, Operation
from harness.profiles.observe import all_present, all_valued, check, judged
from harness.profiles.values import Attributes, items, listed, references, shown, text

_LUT_WHY = "Without the Presentation LUT the printer decides on its own how the pixels become densities."


def jobs(j: Journal) -> Iterator[PrintJob]:
    """Print jobs of the composer under test."""
    return print_jobs(j, FROM_SUT)


def _proposed(j: Journal) -> Iterator[tuple[int, set[str]]]:
    for association, classes in film_associations(j):
        if association.request is not None:
            yield association.request.seq, classes


def meta_class_proposed(j: Journal) -> Iterator[Observation]:
    for seq, classes in _proposed(j):
        yield judged(
            table.META in classes,
            f"Basic Grayscale Print Management is {'' if table.META in classes else 'not '}proposed",
            (seq,),
            expected=table.META,
            actual=listed(sorted(classes)),
            locator="presentation contexts",
            why="Every printer of the profile takes grayscale films by the meta SOP class.",
        )


def presentation_lut_proposed_and_used(j: Journal) -> Iterator[Observation]:
    for seq, classes in _proposed(j):
        yield judged(
            table.PRESENTATION_LUT in classes,
            f"The Presentation LUT SOP class is {'' if table.PRESENTATION_LUT in classes else 'not '}proposed",
            (seq,),
            expected=table.PRESENTATION_LUT,
            actual=listed(sorted(classes)),
            locator="presentation contexts",
            why=_LUT_WHY,
        )
    for job in jobs(j):
        if not job.may_use_luts or not any(film.prints for film in job.films):
            continue
        last = job.operations[-1]
        yield judged(
            bool(job.luts),
            f"{len(job.luts)} Presentation LUT(s) created for {len(job.films)} film box(es)",
            (job.luts[0] if job.luts else last).evidence,
            expected="an N-CREATE of a Presentation LUT",
            actual=str(len(job.luts)),
            locator="N-CREATE",
            why=_LUT_WHY,
        )


def lut_before_use(j: Journal) -> Iterator[Observation]:
    for job in jobs(j):
        created = {lut.instance: lut.request.seq for lut in job.luts if table.is_done(lut.status)}
        for user in (*(film.create for film in job.films), *(image for film in job.films for image in film.images)):
            for _, uid in references(user.attributes, "ReferencedPresentationLUTSequence"):
                seq = created.get(uid)
                ok = seq is not None and seq < user.request.seq
                yield judged(
                    ok,
                    f"Presentation LUT {uid} was {'created before' if ok else 'not created before'} "
                    f"{user.request.label} refers to it",
                    (user.request.seq, *([seq] if seq is not None else [])),
                    expected="an N-CREATE before the reference",
                    actual=uid,
                    locator="ReferencedPresentationLUTSequence",
                    why="A printer cannot refer to what it does not have.",
                )


def table_or_shape(j: Journal) -> Iterator[Observation]:
    for job in jobs(j):
        for lut in job.luts:
            ds = lut.attributes
            tables, shape = items(ds, "PresentationLUTSequence"), text(ds, "PresentationLUTShape")
            ok = bool(tables) != bool(shape) and (not shape or shape in table.SHAPES)
            yield judged(
                ok,
                f"{lut.request.label} has {len(tables)} table(s) and the shape {shape or '(none)'}",
                (lut.request.seq,),
                expected=("one table", "the shape IDENTITY or LIN OD"),
                actual=f"{len(tables)} table(s), shape {shape or '(none)'}",
                locator="PresentationLUTSequence, PresentationLUTShape",
                why="The two say different things about the same film.",
            )


def descriptor_fits(j: Journal) -> Iterator[Observation]:
    for job in jobs(j):
        for lut in job.luts:
            for item in items(lut.attributes, "PresentationLUTSequence"):
                yield _descriptor(lut, item, _bits_of_users(job, lut.instance))


def _bits_of_users(job: PrintJob, uid: str) -> set[int]:
    found = set()
    for film in job.films:
        for image in film.images:
            own = [one for _, one in references(image.attributes, "ReferencedPresentationLUTSequence")]
            if (own or [film.lut])[0] == uid and (bits := bits_stored(image)) is not None:
                found.add(bits)
    return found


def _descriptor(lut: Operation, item: Attributes, bits_used: set[int]) -> Observation:
    parts = [part.strip() for part in text(item, "LUTDescriptor").split("\\")]
    numbers = [int(part) for part in parts if part.lstrip("-").isdigit()]
    allowed = {table.ENTRIES_BY_BITS[bits] for bits in bits_used if bits in table.ENTRIES_BY_BITS}
    allowed = allowed or set(table.ENTRIES_BY_BITS.values())
    ok = len(numbers) == 3 and numbers[0] in allowed and numbers[1] == 0 and numbers[2] in table.BITS_PER_ENTRY
    return judged(
        ok,
        f"{lut.request.label} describes its table as {text(item, 'LUTDescriptor') or '(nothing)'}"
        + (f", for images of {listed(map(str, sorted(bits_used)))} bits" if bits_used else ""),
        (lut.request.seq,),
        expected=f"{' or '.join(map(str, sorted(allowed)))} entries, first 0, 10 to 16 bits",
        actual=shown(item.get("LUTDescriptor")),
        locator="PresentationLUTSequence.LUTDescriptor",
        why="The table has to have an entry for every pixel value, and no other.",
    )


def film_box_complete(j: Journal) -> Iterator[Observation]:
    for job in jobs(j):
        sessions = {session.instance for session in job.sessions}
        created = {lut.instance for lut in job.luts}
        for film in job.films:
            ds, message = film.create.attributes, film.create.request
            why = "The printer makes the image boxes from the format, within the session."
            yield from all_valued(ds, ("ImageDisplayFormat",), message, why=why)
            named = [uid for _, uid in references(ds, "ReferencedFilmSessionSequence")]
            yield judged(
                len(named) == 1 and named[0] in sessions,
                f"{message.label} refers to film session {listed(named) or '(none)'}",
                (message.seq,),
                expected=listed(sorted(sessions)) or "the film session of this association",
                actual=listed(named) or "(absent)",
                locator="ReferencedFilmSessionSequence",
                why="Tolerant printers guess the session, others refuse the film box.",
            )
            if created:
                of_images = [
                    uid
                    for image in film.images
                    for _, uid in references(image.attributes, "ReferencedPresentationLUTSequence")
                ]
                ok = film.lut in created or (bool(film.images) and len(of_images) == len(film.images))
                yield judged(
                    ok,
                    f"{message.label} refers to Presentation LUT {film.lut or '(none)'}",
                    (message.seq,),
                    expected=listed(sorted(created)),
                    actual=film.lut or "(absent)",
                    locator="ReferencedPresentationLUTSequence",
                    why=_LUT_WHY,
                )


def viewing_parameters(j: Journal) -> Iterator[Observation]:
    for job in jobs(j):
        if job.luts:
            for film in job.films:
                yield from all_valued(
                    film.attributes,
                    table.VIEWING,
                    film.create.request,
                    why="Densities follow from these; without them the film looks different on every printer.",
                )


def image_described(j: Journal) -> Iterator[Observation]:
    for job in jobs(j):
        for film in job.films:
            for image in film.images:
                ds = image.attributes
                yield from all_valued(ds, ("ImageBoxPosition",), image.request)
                pictures = items(ds, "BasicGrayscaleImageSequence")
                if "BasicGrayscaleImageSequence" in ds and not pictures:
                    continue  # an empty sequence takes the image out of the box
                if not pictures:
                    yield from all_present(ds, ("BasicGrayscaleImageSequence",), image.request)
                for picture in pictures[:1]:
                    yield from all_valued(picture, table.IMAGE, image.request, where="BasicGrayscaleImageSequence.")
                    yield _pixel_format(image, picture)


def _pixel_format(image: Operation, picture: Attributes) -> Observation:
    wanted = {"8": ("8", "7"), "12": ("16", "11")}
    stored = text(picture, "BitsStored")
    found = (text(picture, "BitsAllocated"), text(picture, "HighBit"))
    photometric = text(picture, "PhotometricInterpretation")
    ok = (
        wanted.get(stored) == found
        and photometric in ("MONOCHROME1", "MONOCHROME2")
        and text(picture, "PixelRepresentation") == "0"
        and text(picture, "SamplesPerPixel") == "1"
    )
    return judged(
        ok,
        f"{image.request.label} has {stored or 'no'} bits stored of {found[0] or 'none'}, {photometric or '(none)'}",
        (image.request.seq,),
        expected=("8 of 8 bits, high bit 7, unsigned", "12 of 16 bits, high bit 11, unsigned"),
        actual=f"{stored} of {found[0]} bits, high bit {found[1]}, {photometric}",
        locator="BasicGrayscaleImageSequence",
        why="Print knows two pixel formats and no other (PS3.3 C.13.5).",
    )


def order_of_operations(j: Journal) -> Iterator[Observation]:
    for job in jobs(j):
        if not job.films and not job.sessions:
            continue
        problems = sorted(set(_problems(job)))
        yield judged(
            not problems,
            "Film session, film box, images and print follow each other"
            if not problems
            else f"The order is wrong: {listed(problems)}",
            tuple(operation.request.seq for operation in job.operations),
            expected="film session, film box, its images, print",
            actual=listed(problems) or "as expected",
            locator="order of operations",
            why="The printer makes the image boxes when it makes the film box, and knows the last film box only.",
        )


def _problems(job: PrintJob) -> Iterator[str]:
    created = {film.create.request.seq: film for film in job.films}
    session, last = False, None
    for operation in job.operations:
        match operation.request.kind, operation.sop_class:
            case "N-CREATE-RQ", table.FILM_SESSION:
                session = session or operation.status is None or table.is_done(operation.status)
            case "N-CREATE-RQ", table.FILM_BOX:
                if not session:
                    yield "a film box before the film session"
                if table.is_done(operation.status):
                    last = created[operation.request.seq]
            case "N-SET-RQ", table.IMAGE_BOX:
                owner = next((film for film in job.films if operation.instance in film.image_boxes), None)
                if owner is None:
                    yield "an image for a box that the printer did not make"
                elif owner.create.final is None or owner.create.final.seq > operation.request.seq:
                    yield "an image before its film box was answered"
                elif owner is not last:
                    yield "an image for a film box that is not the last one"
            case "N-ACTION-RQ", table.FILM_BOX:
                made = [film for film in job.films if film.uid == operation.instance]
                if not any(table.is_done(film.create.status) for film in made):
                    yield "a print of a film box that the printer did not make"
                elif last not in made:
                    yield "a print of a film box that is not the last one"
    for film in job.films:
        if film.prints and any(film.next_print(image) is None for image in film.images):
            yield "an image after its film was printed"


def told_to_user(j: Journal) -> Iterator[Observation]:
    """Where the driver sees what the product tells its user; otherwise the operator is asked."""
    said = [o for job in jobs(j) for o in job.operations if o.status and o.final is not None]
    for seq, data in j.facts(OUTCOME):
        answers = data.get("answers")
        if data.get("action") != "print-images" or not isinstance(answers, dict) or "error" not in answers:
            continue
        before = [o for o in said if o.request.seq < seq]
        if not before:
            continue
        answered = listed(f"{o.status:04X} to {o.request.label}" for o in before)
        told = str(answers["error"])
        yield judged(
            bool(told),
            f"The printer answered {answered}; the user was {'told so' if told else 'told nothing'}",
            tuple(number for o in before for number in o.evidence),
            expected="a message to the user",
            actual=told or "nothing",
            locator="Status",
            why="A film that looks different, or never comes, must not be a surprise.",
        )


_ROWS = (
    ("print-meta-class", "RAD-23-SCU-01", meta_class_proposed, "Basic Grayscale Print Management is proposed"),
    ("print-lut-used", "RAD-23-SCU-02", presentation_lut_proposed_and_used, "a Presentation LUT is proposed and used"),
    ("print-lut-before-use", "RAD-23-SCU-03", lut_before_use, "a Presentation LUT is created before it is used"),
    ("print-lut-table-or-shape", "RAD-23-SCU-04", table_or_shape, "a Presentation LUT is a table or a shape"),
    ("print-lut-descriptor", "RAD-23-SCU-05", descriptor_fits, "the table fits the pixels"),
    ("print-film-box", "RAD-23-SCU-06", film_box_complete, "a film box has format, session and Presentation LUT"),
    ("print-viewing", "RAD-23-SCU-07", viewing_parameters, "densities and light are given"),
    ("print-image-described", "RAD-23-SCU-08", image_described, "an image box describes its pixels"),
    ("print-order", "RAD-23-SCU-10", order_of_operations, "print operations come in their order"),
    ("print-told", "RAD-23-SCU-11", told_to_user, "the user learns what the printer answered"),
)

CHECKS: tuple[Check, ...] = tuple(check(id, row, "RAD-23", function, title) for id, row, function, title in _ROWS)
