"""RAD-23: what a print server says of its limits, its state and its jobs (PS3.4 H.4, PS3.7 annex C)."""

from __future__ import annotations

from collections.abc import Iterator

from harness.core.check import Check, Observation
from harness.profiles.cpi import facts
from harness.profiles.cpi.checks.print_jobs import response_of
from harness.profiles.cpi.checks.rad23_scp import jobs, probe_of
from harness.profiles.cpi.mapping import printing as table
from harness.profiles.journal import FROM_SUT, TO_SUT, Journal, Operation
from harness.profiles.observe import check, judged
from harness.profiles.values import attributes_of, listed, references, text


def unsupported_values_told(j: Journal) -> Iterator[Observation]:
    for job in jobs(j):
        for operation in job.operations:
            probe = probe_of(j, operation)
            if probe.get("purpose") != facts.UNSUPPORTED_VALUE or operation.status is None:
                continue
            keyword = str(probe.get("keyword", ""))
            asked, used = text(operation.attributes, keyword), text(response_of(operation), keyword)
            status = operation.status
            ok = status in table.VALUE_REFUSED or status in table.VALUE_REPLACED
            yield judged(
                ok,
                f"{keyword} {asked} was answered with {status:04X}" + (f" and {used}" if used else ""),
                operation.evidence,
                expected="0105, 0106 or 0110, or the warning 0107 or 0116",
                actual=f"{status:04X}, {used or '(not returned)'}",
                locator=keyword,
                why="A composer that is told success believes that the film will be as it asked.",
            )


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
        for operation in prints.values():
            named = [uid for _, uid in references(response_of(operation), "ReferencedPrintJobSequence")]
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


def _job_state(j: Journal, uid: str, association: int) -> str:
    """What an N-GET said of a job: its Execution Status, "(none)" if it failed, "" if nobody asked."""
    for operation in j.operations:
        request = operation.request
        if (request.kind, operation.instance, request.association) == ("N-GET-RQ", uid, association):
            return text(response_of(operation), "ExecutionStatus") or "(none)"
    return ""


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


_ROWS = (
    ("server-unsupported-value", "RAD-23-SCP-10", unsupported_values_told, "an unsupported value is refused or told"),
    ("server-printer-status", "RAD-23-SCP-11", printer_status, "the printer tells its state when asked"),
    ("server-print-jobs", "RAD-23-SCP-13", jobs_named, "a print names its job, and the job its state"),
    ("server-printer-events", "RAD-23-SCP-12", changes_reported, "the printer tells when its state changes"),
)

CHECKS: tuple[Check, ...] = tuple(check(id, row, "RAD-23", function, title) for id, row, function, title in _ROWS)
