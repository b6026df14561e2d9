"""RAD-23 Print Request with Presentation LUT, as the print server answers it (PS3.4 annex H)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from harness.core.check import Check, Observation
from harness.imaging.density import Medium, Viewing
from harness.imaging.luts import Shape
from harness.imaging.measured import judge_density, mirrored
from harness.imaging.tables import Sample
from harness.profiles.cpi import facts
from harness.profiles.cpi.checks.print_jobs import FilmBox, PrintJob, print_jobs, response_of
from harness.profiles.cpi.mapping import printing as table
from harness.profiles.journal import TO_SUT, Journal, Operation
from harness.profiles.observe import check, judged
from harness.profiles.values import references, text, valued


def jobs(j: Journal) -> Iterator[PrintJob]:
    """Print jobs that we sent to the server under test."""
    return print_jobs(j, TO_SUT)


def classes_accepted(j: Journal) -> Iterator[Observation]:
    for association in j.associations.values():
        if association.from_sut or association.request is None:
            continue
        reply = association.first("A-ASSOCIATE-AC") or association.first("A-ASSOCIATE-RJ")
        accepted = {context.get("id") for context in association.accepted}
        for context in association.proposed:
            uid = str(context.get("abstract_syntax"))
            if uid not in (table.META, table.PRESENTATION_LUT) or reply is None:
                continue
            ok = context.get("id") in accepted
            name = "Basic Grayscale Print Management" if uid == table.META else "Presentation LUT"
            yield judged(
                ok,
                f"{name} was {'' if ok else 'not '}accepted",
                (association.request.seq, reply.seq),
                expected="accepted",
                actual="accepted" if ok else "not accepted",
                locator=f"presentation context {context.get('id')}",
                why="A print server of the profile takes films with their Presentation LUT.",
            )


def luts_created(j: Journal) -> Iterator[Observation]:
    for job in jobs(j):
        for lut in job.luts:
            if lut.status is None or _is_negative(j, lut):
                continue
            shape = text(lut.attributes, "PresentationLUTShape")
            yield judged(
                table.is_done(lut.status),
                f"A Presentation LUT ({shape or 'table'}) was answered with {lut.status:04X}",
                lut.evidence,
                expected="0000 or a warning",
                actual=f"{lut.status:04X}",
                locator="Status",
                why="The composer relies on its Presentation LUT, whatever form it has.",
            )


def boxes_of_format(j: Journal) -> Iterator[Observation]:
    for job in jobs(j):
        for film in job.films:
            status = film.create.status
            if not valued(film.create.attributes, "ImageDisplayFormat") or status is None or probe_of(j, film.create):
                continue
            if table.is_done(status):
                yield _boxes(film)
            elif status == table.INVALID_VALUE and not _lut_failed(job, film):
                yield from _format_refused(film)


def _boxes(film: FilmBox) -> Observation:
    display_format = text(film.create.attributes, "ImageDisplayFormat")
    found = references(response_of(film.create), "ReferencedImageBoxSequence")
    # how many slides there are, and how many boxes a custom format has, says the conformance statement
    wanted = table.box_count(display_format) or max(len(found), 1)
    ok = len(found) == wanted == len({uid for _, uid in found})
    return judged(
        ok and all(sop_class == table.IMAGE_BOX for sop_class, _ in found),
        f"{display_format} has {len(found)} image box(es) in the answer",
        film.create.evidence,
        expected=f"{wanted} different grayscale image boxes",
        actual=str(len(found)),
        locator="ReferencedImageBoxSequence",
        why="A composer learns only here where its images go.",
    )


def _format_refused(film: FilmBox) -> Iterator[Observation]:
    """A printer has the formats that it has; another one it refuses as a value that it does not support (H.2.4)."""
    display_format = text(film.create.attributes, "ImageDisplayFormat")
    if display_format != table.SIMPLEST_FORMAT:
        yield judged(
            True,
            f"{display_format} is not offered and refused with {table.INVALID_VALUE:04X}",
            film.create.evidence,
            actual=f"{table.INVALID_VALUE:04X}",
            locator="ImageDisplayFormat",
        )


def _supported(j: Journal, keywords: tuple[str, ...], why: str) -> Iterator[Observation]:
    for job in jobs(j):
        for film in job.films:
            if film.create.status is None or _is_negative(j, film.create) or _lut_failed(job, film):
                continue
            if film.refused_as_optional:
                continue
            for keyword in keywords:
                if not valued(film.create.attributes, keyword):
                    continue
                yield from _attribute(film, keyword, why)


def _lut_failed(job: PrintJob, film: FilmBox) -> bool:
    """Whether the film box refers to a Presentation LUT that the printer did not create: no wonder it is refused."""
    return any(lut.instance == film.lut and not table.is_done(lut.status) for lut in job.luts)


def _attribute(film: FilmBox, keyword: str, why: str) -> Iterator[Observation]:
    """A value may be refused or replaced by a default if that is told; an attribute may not be unknown (H.2.4)."""
    status, asked = film.create.status or 0, text(film.create.attributes, keyword)
    returned = text(response_of(film.create), keyword)
    if status == table.INVALID_VALUE and keyword not in table.FILM_BOX_VALUES and film.may_be_refused:
        return  # another value was meant
    told = status in table.VALUE_TOLD and keyword in table.FILM_BOX_VALUES
    told = told or (status == table.DENSITY_OUT_OF_RANGE and keyword == "MaxDensity")
    unknown = status == table.ATTRIBUTE_LIST_ERROR or not table.is_done(status)
    yield judged(
        told or (not unknown and returned in ("", asked)),
        f"{keyword} {asked} was answered with {status:04X}" + (f" and {returned}" if returned else ""),
        film.create.evidence,
        expected=f"0000, {asked}" + ("; 0106 or 0116 if it has no such value" if told else ""),
        actual=f"{status:04X}, {returned or '(not returned)'}",
        locator=keyword,
        why=why,
    )


def attributes_supported(j: Journal) -> Iterator[Observation]:
    yield from _supported(j, table.FILM_BOX_SUPPORTED, "These are mandatory for a print server.")


def lighting_supported(j: Journal) -> Iterator[Observation]:
    yield from _supported(j, table.LIGHTING, "Densities for P-Values cannot be computed without the viewing light.")


def densities_by_display_function(j: Journal) -> Iterator[Observation]:
    yield from _densities(j, "RAD-23-SCP-07", "Equal steps of P-Values have to be equally visible on film.")


def _densities(j: Journal, requirement: str, why: str) -> Iterator[Observation]:
    for _, data in j.facts(facts.DENSITIES):
        if data.get("requirement", "RAD-23-SCP-07") != requirement:
            continue
        evidence = tuple(seq for seq in (data.get("message"),) if seq in j.by_seq)
        try:
            viewing = _viewing(data)
            samples = [Sample(float(p), float(density)) for p, density in data.get("samples") or ()]
            shape = Shape(str(data.get("shape") or "IDENTITY"))
        except (ValueError, TypeError) as error:
            yield judged(None, f"The measured densities cannot be judged: {error}", evidence)
            continue
        if len(samples) < 3:
            yield judged(None, f"{len(samples)} measured densities are too few to judge", evidence)
            continue
        curve = judge_density(samples, viewing, tolerance=float(data.get("tolerance") or 0.10), shape=shape)
        worst = curve.worst
        turned = not curve.ok and judge_density(mirrored(samples), viewing, shape=shape).ok
        yield judged(
            curve.ok,
            f"{len(samples)} densities measured; the largest deviation is {worst.deviation:+.2f} OD at P-Value "
            f"{worst.p_value:.3f}"
            + ("; they are right from the other end: inverted on film, or measured from the brightest" * turned),
            evidence,
            expected=f"{worst.expected:.2f} OD +/- {curve.tolerance:.2f}",
            actual=f"{worst.measured:.2f} OD",
            locator=f"P-Value {worst.p_value:.3f}",
            why=why,
        )


def _viewing(data: Mapping[str, Any]) -> Viewing:
    return Viewing(
        float(data.get("illumination", 2000.0)),
        float(data.get("ambient", 10.0)),
        float(data.get("minimum_density", 0.2)),
        float(data.get("maximum_density", 3.0)),
        Medium(str(data.get("medium", Medium.TRANSMISSIVE.value))),
    )


def lut_of_image_box(j: Journal) -> Iterator[Observation]:
    """A Presentation LUT at an image box is taken, or refused for a reason; measured densities show what it did."""
    yield from _densities(j, "RAD-23-SCP-08", "One film may hold images that need different Presentation LUTs.")
    for job in jobs(j):
        for film in job.films:
            for image in film.images:
                named = [uid for _, uid in references(image.attributes, "ReferencedPresentationLUTSequence")]
                if not named or image.status is None:
                    continue
                if image.status in table.ATTRIBUTE_TOLD:
                    yield judged(
                        True,
                        f"A Presentation LUT of an image box is not supported, which {image.status:04X} says",
                        image.evidence,
                        actual=f"{image.status:04X}",
                        locator="ReferencedPresentationLUTSequence",
                    )
                    continue
                returned = [uid for _, uid in references(response_of(image), "ReferencedPresentationLUTSequence")]
                if not returned and table.is_done(image.status):
                    continue  # the answer does not say; only the film does
                ok = not returned or returned == named
                yield judged(
                    ok if table.is_done(image.status) else None,
                    f"Presentation LUT {named[0]} of an image box was answered with {image.status:04X}"
                    + (f" and {returned[0]}" if returned else ""),
                    image.evidence,
                    expected=named[0],
                    actual=returned[0] if returned else f"{image.status:04X}",
                    locator="ReferencedPresentationLUTSequence",
                    why="One film may hold images that need different Presentation LUTs.",
                )


def probe_of(j: Journal, operation: Operation) -> Mapping[str, Any]:
    """What the scenario wanted to find out with this request, ``{}`` if it is an ordinary one."""
    return next((d for _, d in j.facts(facts.PRINT_PROBE) if d.get("message") == operation.request.seq), {})


def _is_negative(j: Journal, operation: Operation) -> bool:
    return bool(probe_of(j, operation))


_ROWS = (
    ("server-classes", "RAD-23-SCP-01", classes_accepted, "the grayscale meta class and Presentation LUT are accepted"),
    ("server-lut-created", "RAD-23-SCP-02", luts_created, "every form of Presentation LUT is created"),
    ("server-boxes-of-format", "RAD-23-SCP-03", boxes_of_format, "there is an image box for each place of the format"),
    ("server-film-attributes", "RAD-23-SCP-04", attributes_supported, "mandatory film attributes are supported"),
    ("server-lighting", "RAD-23-SCP-05", lighting_supported, "illumination and ambient light are supported"),
    ("server-densities", "RAD-23-SCP-07", densities_by_display_function, "densities follow the display function"),
    ("server-lut-of-image-box", "RAD-23-SCP-08", lut_of_image_box, "an image box may have its own Presentation LUT"),
)

CHECKS: tuple[Check, ...] = tuple(check(id, row, "RAD-23", function, title) for id, row, function, title in _ROWS)
