"""RAD-23: what a print server says of its state and its jobs, and how it lets go of what it made (PS3.4 H.4)."""

from __future__ import annotations

from collections.abc import Iterator

from harness.core.check import Check, Observation
from harness.profiles.cpi import facts
from harness.profiles.cpi.checks.print_jobs import response_of
from harness.profiles.cpi.checks.rad23_scp import jobs
from harness.profiles.cpi.mapping import printing as table
from harness.profiles.journal import FROM_SUT, TO_SUT, Journal, Operation
from harness.profiles.observe import check, judged
from harness.profiles.values import attributes_of, listed, references, text


def printer_status(j: Journal) -> Iterator[Observation]:
    for operation in _printer_gets(j):
        if operation.status is None:
            continue
        answer = response_of(operation)
        status, info = text(answer, "PrinterStatus"), text(answer, "PrinterStatusInfo")
        ok = operation.status == 0 and status in table.PRINTER_EVENTS.values() and (status == "NORMAL" or bool(info))
        yield judged(
            ok,
            f"The printer answered {operation.status:04X} and says {status or '(nothing)'}"
            + (f", {info}" if info else ""),
            operation.evidence,
            expected="0000; NORMAL, or WARNING or FAILURE with its reason",
            actual=f"{operation.status:04X}, {status or '(absent)'}, {info or '(no reason)'}",
            locator="PrinterStatus",
            why="A user has to know why no film comes.",
        )


def _printer_gets(j: Journal) -> Iterator[Operation]:
    for operation in j.operations:
        request = operation.request
        if (request.kind, request.direction, operation.sop_class) == ("N-GET-RQ", TO_SUT, table.PRINTER):
            yield operation


def jobs_named(j: Journal) -> Iterator[Observation]:
    """Print jobs are optional; a server that takes their SOP class names the job of a print, and its state if asked."""
    for job in jobs(j):
        association = job.association
        prints = {o.request.seq: o for film in job.films for o in film.prints if table.is_done(o.status)}
        if association is None or not prints:
            continue
        ids = {c.get("id") for c in association.proposed if str(c.get("abstract_syntax")) == table.PRINT_JOB}
        offered = bool(ids & {context.get("id") for context in association.accepted})
        known: set[str] = set()
        for operation in prints.values():
            named = [uid for _, uid in references(response_of(operation), "ReferencedPrintJobSequence")]
            known.update(named)
            states = [_job_state(j, uid, operation.request.association) for uid in named]
            ok = not offered or (bool(named) and not set(states) - table.JOB_STATES - {""})
            yield judged(
                ok if ids else None,
                "Print jobs are not offered, as they need not be"
                if not offered
                else f"The print names {len(named)} print job(s)" + (f", {listed(states)}" if any(states) else ""),
                operation.evidence,
                expected="Referenced Print Job Sequence and one of " + listed(sorted(table.JOB_STATES)),
                actual=f"{listed(named) or 'no job'}, {listed(states) or 'no state'}",
                locator="ReferencedPrintJobSequence",
                why="A composer learns by its print job whether the film came out.",
            )
        yield from _job_events(j, association.id, known)


def _job_state(j: Journal, uid: str, association: int) -> str:
    """What an N-GET said of a job: its Execution Status, "(none)" if it failed, "" if nobody asked.

    A job that was printed, or could not be, is deleted: nothing can be said against a printer that no longer knows it.
    """
    for operation in j.operations:
        request = operation.request
        if (request.kind, operation.instance, request.association) == ("N-GET-RQ", uid, association):
            gone = operation.status == table.NO_SUCH_INSTANCE
            return "" if gone else text(response_of(operation), "ExecutionStatus") or "(none)"
    return ""


def _job_events(j: Journal, association: int, known: set[str]) -> Iterator[Observation]:
    for operation in j.operations:
        request = operation.request
        if (request.kind, request.direction, operation.sop_class, request.association) != (
            "N-EVENT-REPORT-RQ", FROM_SUT, table.PRINT_JOB, association,
        ):  # fmt: skip
            continue
        number, info = int(request.fields.get("EventTypeID") or 0), text(operation.attributes, "ExecutionStatusInfo")
        ours = operation.instance in known
        yield judged(
            ours and number in table.JOB_EVENTS and bool(info),
            f"{request.label} says {table.JOB_EVENTS.get(number, 'an unknown event')} of "
            f"{'its' if ours else 'another'} print job" + ("" if info else ", without Execution Status Info"),
            (request.seq,),
            expected=f"an event (1 to 4) of {listed(sorted(known)) or 'a named print job'}, with its information",
            actual=f"{number} of {operation.instance or '(none)'}, {info or '(none)'}",
            locator="EventTypeID",
            why="A composer follows its own film by these events.",
        )


def changes_reported(j: Journal) -> Iterator[Observation]:
    for seq, data in j.facts(facts.PRINTER_CHANGED):
        events = [
            operation
            for operation in j.operations
            if operation.request.kind == "N-EVENT-REPORT-RQ"
            and operation.request.direction is FROM_SUT
            and operation.sop_class == table.PRINTER
            and operation.request.association == data.get("association")
        ]
        told = [table.PRINTER_EVENTS.get(int(o.request.fields.get("EventTypeID") or 0), "(unknown)") for o in events]
        reasons = [text(attributes_of(o.request), "PrinterStatusInfo") for o in events]
        wanted = str(data.get("status", ""))
        ok = wanted in told and (wanted == "NORMAL" or any(reasons))
        yield judged(
            ok,
            f"The printer became {wanted}; {len(events)} event(s) came: {listed(told) or 'none'}",
            tuple(o.request.seq for o in events) or (max((m for m in j.by_seq if m <= seq), default=seq),),
            expected=f"N-EVENT-REPORT {wanted} with its reason",
            actual=listed(f"{name} ({reason or 'no reason'})" for name, reason in zip(told, reasons, strict=True))
            or "no event",
            locator="EventTypeID",
            why="A composer that waits for a film has to learn that the printer needs help.",
        )


_MANDATORY = {
    ("N-SET-RQ", table.FILM_SESSION): "change of the film session",
    ("N-DELETE-RQ", table.FILM_SESSION): "deletion of the film session",
    ("N-DELETE-RQ", table.FILM_BOX): "deletion of the last film box",
    ("N-DELETE-RQ", table.PRESENTATION_LUT): "deletion of the Presentation LUT",
}


def changed_and_deleted(j: Journal) -> Iterator[Observation]:
    for job in jobs(j):
        for operation in job.operations:
            what = _MANDATORY.get((operation.request.kind, operation.sop_class))
            if what is None or operation.status is None or operation.status in table.NOT_NOW:
                continue
            yield judged(
                table.is_done(operation.status),
                f"The {what} was answered with {operation.status:04X}",
                operation.evidence,
                expected="0000 or a warning",
                actual=f"{operation.status:04X}",
                locator="Status",
                why="These services are mandatory for a print server; composers clean up with them.",
            )


_ROWS = (
    ("server-printer-status", "RAD-23-SCP-11", printer_status, "the printer tells its state when asked"),
    ("server-print-jobs", "RAD-23-SCP-13", jobs_named, "a print names its job, and the job its state"),
    ("server-printer-events", "RAD-23-SCP-12", changes_reported, "the printer tells when its state changes"),
    ("server-lets-go", "RAD-23-SCP-14", changed_and_deleted, "a session is changed, and all that was made deleted"),
)

CHECKS: tuple[Check, ...] = tuple(check(id, row, "RAD-23", function, title) for id, row, function, title in _ROWS)
