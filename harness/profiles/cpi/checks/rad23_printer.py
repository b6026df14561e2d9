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
from harness.profiles.values import attributes_of, listed, text


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
    ("server-printer-events", "RAD-23-SCP-12", changes_reported, "the printer tells when its state changes"),
)

CHECKS: tuple[Check, ...] = tuple(check(id, row, "RAD-23", function, title) for id, row, function, title in _ROWS)
