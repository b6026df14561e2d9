"""Print (RAD-23): our composer prints on a server under test, a composer under test prints on our server."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import pytest

from harness.actors.objects import SUBJECTS, Sample, Subject
from harness.actors.presentation import objects as presentation_objects
from harness.actors.presentation.parts import TestObject
from harness.actors.printing.composer import PrintComposer
from harness.actors.printing.composing import HEALTHY, PrintOutcome, Said
from harness.actors.printing.orders import FilmOrder, LutChoice, SessionOrder
from harness.actors.printing.server import FILM, PrintServer
from harness.bdd import pictures
from harness.bdd.context import ScenarioContext
from harness.bdd.guests import Guests
from harness.bdd.print_settings import STEPS, Settings, wedge
from harness.bdd.registry import then, when
from harness.bdd.tables import pairs
from harness.core.errors import UsageError
from harness.core.message import Direction
from harness.imaging.density import Viewing
from harness.imaging.luts import Shape
from harness.imaging.measured import judge_density
from harness.profiles.cpi import appearance, facts
from harness.profiles.cpi.mapping.printing import ATTRIBUTE_TOLD, INVALID_VALUE, SIMPLEST_FORMAT
from harness.profiles.values import attributes_of, text


@pytest.fixture
def guests(scenario_context: ScenarioContext) -> Iterator[Guests]:
    """Actors that this scenario needs besides those of the lab."""
    invited = Guests(scenario_context.lab)
    yield invited
    invited.close()


def _print(
    context: ScenarioContext, guests: Guests, film: FilmOrder, session: SessionOrder | None = None
) -> PrintOutcome:
    composer = guests.invite(PrintComposer, behaviour=HEALTHY)
    context.begin()
    outcome = context.converse(
        "RAD-23-SCP-01",
        "Printing",
        lambda: composer.print_films(context.lab.product, (film,), session),
    )
    context.memory["printed"] = outcome
    context.memory["film order"] = film
    return outcome


def _probe(context: ScenarioContext, kind: str, sop_class: str, purpose: str, keyword: str = "") -> None:
    """Say which of our requests was meant to meet a limit."""
    for message in context.transcript.select(kind, direction=Direction.TO_SUT, after=context.asked_at):
        if sop_class in (message.fields.get("AffectedSOPClassUID"), message.fields.get("RequestedSOPClassUID")):
            fact = {"message": message.seq, "purpose": purpose, "keyword": keyword}
            context.transcript.note(facts.PRINT_PROBE, fact)


# -- a server under test -----------------------------------------------------------------------------------------


@when('the Print Composer prints {count:Count} image(s) in the format "{display_format:Text}"')
def prints_in_format(scenario_context: ScenarioContext, guests: Guests, count: int, display_format: str) -> None:
    """Print so many step wedges on a film of an Image Display Format such as STANDARD\\2,3."""
    _print(scenario_context, guests, FilmOrder((wedge(),) * count, display_format))


@when("the Print Composer prints the step wedge with")
def prints_with(scenario_context: ScenarioContext, guests: Guests, datatable: list[list[str]]) -> None:
    """Print one film with settings: densities in hundredths, light in cd/m2, film size, Presentation LUT and so on.

    `Presentation LUTs` are one for each of several images; `images` none leaves the film empty, `images` too large are
    wider than any printer prints; `unsupported` before a setting says that no printer has that value, `unreachable`
    before a density that it lies beyond every printer. `priority changed to` sets the film session once more, `then
    deleted` removes film box or Presentation LUT after the print.
    """
    settings = Settings.read(pairs(datatable))
    _print(scenario_context, guests, settings.order(), SessionOrder(**settings.session))
    for kind, sop_class, purpose, keyword in settings.probes:
        _probe(scenario_context, kind, sop_class, purpose, keyword)


@when('the printer becomes "{status:Text}" while the Print Composer is connected', status=("WARNING", "FAILURE"))
def printer_changes(scenario_context: ScenarioContext, guests: Guests, status: str) -> None:
    """Have the printer brought into WARNING or FAILURE, wait for what it reports, and have it brought back."""
    if status not in ("WARNING", "FAILURE"):
        raise UsageError(f"there is no printer state {status!r}; known: WARNING, FAILURE")
    context, lab = scenario_context, scenario_context.lab
    composer = guests.invite(PrintComposer, behaviour=HEALTHY)

    def change(association: int) -> None:
        context.act("change-printer-status", status=status, reason="SUPPLY EMPTY")
        context.transcript.note(facts.PRINTER_CHANGED, {"status": status, "association": association})

    context.begin()
    context.converse(
        "RAD-23-SCP-12",
        "Waiting for the printer",
        lambda: composer.attend(lab.product, change, timeout=lab.sut.timeouts.exchange),
    )
    context.act("change-printer-status", status="NORMAL", reason="SUPPLY FILLED")


@when("the densities of image {position:Count} of the film are measured")
def densities_of_image_measured(scenario_context: ScenarioContext, position: int) -> None:
    """Ask for a table (CSV) of the densities of a step wedge on the last film, and plot it.

    Densities that the printer said it would use instead are those that count. A film that did not come out has none.
    """
    context = scenario_context
    film: FilmOrder = context.memory["film order"]
    if not context.memory["printed"].printed:
        return
    own = film.image_luts[position - 1] if position <= len(film.image_luts) else None
    requirement = "RAD-23-SCP-07" if own is None else "RAD-23-SCP-08"
    lut = own or film.lut or LutChoice()
    path = pictures.folder(context, "measured") / "density.csv"
    used = _densities_used(context)
    context.act("measure-film", table=str(path), position=position)
    samples, message = pictures.table(context, path, steps=STEPS)
    fact: facts.Densities = {
        "message": message.seq,
        "samples": [[one.p_value, one.measured] for one in samples],
        "illumination": float(film.illumination or 2000),
        "ambient": float(film.ambient or 10),
        "minimum_density": used.get("MinDensity", min(one.measured for one in samples)),
        "maximum_density": used.get("MaxDensity", (film.maximum_density or 300) / 100.0),
        "shape": lut.shape,
        "requirement": requirement,
    }
    context.transcript.note(facts.DENSITIES, {**fact})
    with contextlib.suppress(ValueError):  # densities that are no rising range are told by the check
        viewing = Viewing(fact["illumination"], fact["ambient"], fact["minimum_density"], fact["maximum_density"])
        curve = judge_density(samples, viewing, shape=Shape(lut.shape))
        pictures.record_plot(context, curve, f"Density of image {position}, Presentation LUT {lut.shape}")


def _densities_used(context: ScenarioContext) -> dict[str, float]:
    """Densities of the film box that was made: as the answer says, or else as it was asked for.

    A printer that knows no Min Density prints its own, which is only found by measuring.
    """
    used: dict[str, float] = {}
    for kind, direction in (("N-CREATE-RQ", Direction.TO_SUT), ("N-CREATE-RSP", Direction.FROM_SUT)):
        for message in context.transcript.select(kind, direction=direction):
            attributes = attributes_of(message)
            if "ImageDisplayFormat" in attributes or "ReferencedImageBoxSequence" in attributes:
                found = {word: text(attributes, word) for word in ("MinDensity", "MaxDensity")}
                asked = {} if kind == "N-CREATE-RQ" else used
                used = {**asked, **{word: int(value) / 100.0 for word, value in found.items() if value.isdigit()}}
    return used


@then("the film was printed")
def film_was_printed(scenario_context: ScenarioContext) -> None:
    """Every operation of our composer was answered with success or a warning.

    A display format besides STANDARD\\1,1, a film size and the like, and a Presentation LUT of an image box, may be
    refused as not supported.
    """
    outcome: PrintOutcome = scenario_context.memory["printed"]
    film: FilmOrder = scenario_context.memory["film order"]
    failed = [said for said in outcome.said if said.is_failure and not said.own]
    if failed and not _may_be_refused(failed[0], film):
        scenario_context.broken(
            "RAD-23-SCP-02" if failed[0].operation == "Presentation LUT" else "RAD-23-SCP-01",
            f"The film was not printed: {'; '.join(outcome.messages)}",
            expected=("success or a warning for every operation",),
            actual="; ".join(outcome.messages),
        )


def _may_be_refused(said: Said, film: FilmOrder) -> bool:
    """What a printer need not have; how it says so is judged elsewhere."""
    if said.operation == "film box":
        special = film.display_format != SIMPLEST_FORMAT or film.film_size or film.magnification
        return bool(special or film.orientation != "PORTRAIT") and said.status == INVALID_VALUE
    return said.operation.startswith("image ") and bool(film.image_luts) and said.status in ATTRIBUTE_TOLD


# -- a composer under test -----------------------------------------------------------------------------------------


@when('the system under test prints the test object "{name:Text}"')
def product_prints(scenario_context: ScenarioContext, guests: Guests, name: str) -> None:
    """Give the product an image with its presentation state, and have it print them on our printer.

    Several test objects, with "; " between, go on one film, in the order of their names from its first position.
    """
    context, lab = scenario_context, scenario_context.lab
    server = guests.invite(PrintServer)
    subject = _subject(context)
    objects = [
        presentation_objects.make(one, subject, lambda: f"2.25.{lab.source.getrandbits(121)}")
        for one in name.split("; ")
    ]
    send_objects(context, objects)
    images: list[str] = []
    states: list[str] = []
    for position, made in enumerate(objects, start=1):
        state, image = str(made.state.SOPInstanceUID) if made.state is not None else "", str(made.image.SOPInstanceUID)
        context.transcript.note(facts.PRINTED, {"image": image, "state": state, "position": position})
        wanted = pictures.picture_of(appearance.of(made.image, made.state, made.frame).p_values)
        name_of_file = f"position-{position}.png" if len(objects) > 1 else "expected.png"
        pictures.record(context, wanted, name_of_file, "image/png", pictures.EXPECTED)
        images.append(image)
        states += [state] if state else []
    context.memory["to print"] = objects[0]
    address = guests.address(server)
    peer = f"{address.ae_title} at {address.host}:{address.port}"
    settings = name if len(objects) == 1 else f"{name}, one film STANDARD\\1,{len(objects)} in this order"
    context.act("print-images", images=[*images, *states], peer=peer, settings=settings)


@then("a film is printed on the Print Server")
def film_comes(scenario_context: ScenarioContext) -> None:
    """Wait for the print request of the composer under test."""
    context = scenario_context
    context.expect("N-ACTION-RQ", "Print Server", demanded_by="RAD-23-SCU-10")
    context.transcript.wait_for(
        "FILE",
        timeout=context.lab.sut.timeouts.exchange,
        after=context.asked_at,
        where=lambda message: message.fields.get("role") == pictures.FILM,
    )
    made: TestObject = context.memory["to print"]
    films = context.transcript.facts_of(FILM)
    wanted = appearance.of(made.image, made.state, made.frame).p_values
    curve = pictures.film_curve(films[-1].data, wanted) if films else None
    if curve is not None:
        pictures.record_plot(context, curve, "Density on film against the P-Values of the softcopy")


def _subject(context: ScenarioContext) -> Subject:
    """A patient of this run, so that older content of a product does not disturb."""
    first = SUBJECTS[0]
    return Subject(first.name, f"CPI-{context.lab.source.getrandbits(32):08X}", first.birth_date, first.sex)


def send_objects(context: ScenarioContext, objects: list[TestObject]) -> None:
    """Store test objects into the product."""
    samples = [Sample(ds) for made in objects for ds in made.datasets]
    context.begin()
    context.converse(
        "RAD-9-SCP-01",
        "Storing images and presentation states",
        lambda: context.lab.modality.store(context.lab.product, samples),
    )
