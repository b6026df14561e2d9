"""RAD-23: what a print server says when it cannot do what it was asked for (PS3.4 H.2.4, H.4; PS3.3 C.13)."""

from __future__ import annotations

from collections.abc import Iterator

from harness.core.check import Check, Observation
from harness.profiles.cpi import facts
from harness.profiles.cpi.checks.print_jobs import PrintJob, response_of
from harness.profiles.cpi.checks.rad23_scp import jobs, probe_of
from harness.profiles.cpi.mapping import printing as table
from harness.profiles.journal import Journal, Operation
from harness.profiles.observe import check, judged
from harness.profiles.values import listed, text

_TOLD = "A composer that is told success believes that the film shows everything."


def density_limit(j: Journal) -> Iterator[Observation]:
    for job in jobs(j):
        for film in job.films:
            for keyword in ("MinDensity", "MaxDensity"):
                asked = text(film.create.attributes, keyword)
                purpose = probe_of(j, film.create)
                if purpose.get("purpose") != facts.DENSITY_OUT_OF_RANGE or purpose.get("keyword") != keyword:
                    continue
                if film.refused_as_optional:
                    continue  # and asked for once more without that attribute
                status = film.create.status or 0
                used = text(response_of(film.create), keyword)
                ok = status == table.DENSITY_OUT_OF_RANGE and used != asked
                yield judged(
                    ok,
                    f"{keyword} {asked} was answered with {status:04X}, {used or 'nothing'} is used",
                    film.create.evidence,
                    expected="B605 and the limit of the printer",
                    actual=f"{status:04X}, {used or '(not returned)'}",
                    locator=keyword,
                    why="The composer has to learn that its film will look different.",
                )


def unsupported_values_told(j: Journal) -> Iterator[Observation]:
    for job in jobs(j):
        for operation in job.operations:
            probe = probe_of(j, operation)
            if probe.get("purpose") != facts.UNSUPPORTED_VALUE or operation.status is None:
                continue
            keyword = str(probe.get("keyword", ""))
            if keyword not in table.FILM_BOX_OPTIONAL and any(
                film.create is operation and film.refused_as_optional for film in job.films
            ):
                continue
            asked, used = text(operation.attributes, keyword), text(response_of(operation), keyword)
            status = operation.status
            optional = keyword in table.FILM_BOX_OPTIONAL
            ok = status in table.VALUE_TOLD or (optional and status in table.ATTRIBUTE_TOLD)
            yield judged(
                ok,
                f"{keyword} {asked} was answered with {status:04X}" + (f" and {used}" if used else ""),
                operation.evidence,
                expected="0106 or the warning 0116" + (", 0105 or the warning 0107" if optional else ""),
                actual=f"{status:04X}, {used or '(not returned)'}",
                locator=keyword,
                why="A composer that is told success believes that the film will be as it asked.",
            )


def empty_and_too_large(j: Journal) -> Iterator[Observation]:
    for job in jobs(j):
        for operation in job.operations:
            purpose = probe_of(j, operation).get("purpose")
            if purpose == facts.EMPTY_FILM and operation.status is not None:
                yield _told(operation, "An empty film", {operation.status}, table.EMPTY)
        for image in _too_large(j, job):
            if not text(image.attributes, "RequestedDecimateCropBehavior"):
                yield _told(image, "An image that is too large", _statuses(job, image), table.TOO_LARGE)


def too_large_as_asked(j: Journal) -> Iterator[Observation]:
    """Who wants the image as it is or not at all does not get it made smaller.

    For CROP and DECIMATE success is right as well: it says that the printer did as it was asked (PS3.4 H.2.5).
    """
    wanted = table.TOO_LARGE_REFUSED | table.VALUE_TOLD | table.ATTRIBUTE_TOLD
    for job in jobs(j):
        for film in job.films:
            for image in _too_large(j, job):
                if image not in film.images:
                    continue
                asked = text(image.attributes, "RequestedDecimateCropBehavior")
                magnification = text({**film.attributes, **image.attributes}, "MagnificationType")
                if asked == "FAIL" or (asked == "DECIMATE" and magnification == "NONE"):
                    yield _told(image, f"An image that is too large, with {asked},", _statuses(job, image), wanted)


def _too_large(j: Journal, job: PrintJob) -> list[Operation]:
    return [
        operation
        for operation in job.operations
        if probe_of(j, operation).get("purpose") == facts.IMAGE_TOO_LARGE and operation.status is not None
    ]


def _statuses(job: PrintJob, image: Operation) -> set[int]:
    """Of the image and of the print that it came out with: a printer may find out at either."""
    prints = [film.next_print(image) for film in job.films if image in film.images]
    return {one.status for one in (image, *prints) if one is not None and one.status is not None}


def _told(operation: Operation, what: str, statuses: set[int], wanted: frozenset[int]) -> Observation:
    found = listed(f"{status:04X}" for status in sorted(statuses))
    return judged(
        bool(statuses & wanted),
        f"{what} was answered with {found}",
        operation.evidence,
        expected=listed((f"{status:04X}" for status in sorted(wanted)), limit=12),
        actual=found,
        locator="Status",
        why=_TOLD,
    )


_ROWS = (
    ("server-density-limit", "RAD-23-SCP-06", density_limit, "a density out of range is limited and told"),
    ("server-empty-too-large", "RAD-23-SCP-09", empty_and_too_large, "empty films and too large images are told"),
    ("server-unsupported-value", "RAD-23-SCP-10", unsupported_values_told, "an unsupported value is refused or told"),
    (
        "server-large-as-asked",
        "RAD-23-SCP-15",
        too_large_as_asked,
        "no image is made smaller if it must not be",
    ),
)

CHECKS: tuple[Check, ...] = tuple(check(id, row, "RAD-23", function, title) for id, row, function, title in _ROWS)
