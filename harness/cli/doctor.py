"""``ihe-harness doctor``: what to enter on the product, and whether both ways of the network work."""

from __future__ import annotations

import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from harness.bdd import claims, guests, introduction, tls
from harness.bdd.lab import Lab
from harness.bdd.settings import RunSettings
from harness.cli.console import STYLES, out, print_json
from harness.core.errors import EnvironmentFailure
from harness.core.message import Direction
from harness.core.transcript import Transcript
from harness.core.verdict import Verdict
from harness.protocols.dicom.errors import PeerError
from harness.protocols.dicom.node import Proposal
from harness.protocols.dicom.sockets import greet
from harness.protocols.dicom.uids import VERIFICATION
from harness.sut.actions import Action, OutcomeState
from harness.sut.config import TlsTable, load_sut


def doctor(
    sut: Annotated[Path, typer.Option(help="SUT file of the product.")],
    wait: Annotated[float, typer.Option(help="Seconds to wait for a C-ECHO from the product.")] = 20.0,
    json_output: Annotated[bool, typer.Option("--json", help="Print as JSON.")] = False,
) -> int:
    """Print what to configure on the product, then test TCP, C-ECHO to it, and C-ECHO back."""
    claims.require_known(load_sut(sut), sut)
    with tempfile.TemporaryDirectory(prefix="ihe-doctor-") as folder:
        settings = RunSettings(str(sut.resolve()), (), folder, f"doctor-{secrets.token_hex(3)}")
        lab = Lab(settings)
        findings: list[dict[str, str]] = []
        sheet: list[dict[str, Any]] = []
        with _running(lab, findings):
            sheet = _sheet(lab)
            if not json_output:
                _print_sheet(lab, sheet)
            if not findings:
                findings += _examine(lab, wait, json_output)
    bad = any(finding["state"] == "failed" for finding in findings)
    if json_output:
        print_json({"configure": sheet, "findings": findings, "healthy": not bad})
    else:
        _print_findings(findings)
    return 3 if bad else 0


@contextmanager
def _running(lab: Lab, findings: list[dict[str, str]]) -> Iterator[None]:
    try:
        lab.start(introduce=False)  # every title is tried below, and told on its own
    except EnvironmentFailure as error:
        findings.append(_finding("TCP connection to the product", "failed", str(error)))
    try:
        yield
    finally:
        lab.stop()


def _sheet(lab: Lab) -> list[dict[str, Any]]:
    """What the product has to know of us."""
    host = lab.sut.harness.advertise
    dicom = [
        {"actor": name, "protocol": "DICOM", "ae_title": title, "host": host, "port": port}
        for name, title, port in (*lab.endpoints(), *guests.expected(lab))
    ]
    hl7 = [
        {"actor": actor, "protocol": "HL7", "application": name, "facility": facility, "host": host, "port": port}
        for actor, name, facility, port in lab.hl7_endpoints()
    ]
    return [*dicom, *hl7]


def _print_sheet(lab: Lab, sheet: list[dict[str, Any]]) -> None:
    console = out()
    console.print(Text(f"Enter this on {lab.sut.product.name}", style="bold"))
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("Simulated actor", "AE title / application|facility", "Host", "Port"):
        table.add_column(heading, justify="right" if heading == "Port" else "left")
    for row in sheet:
        title = row["ae_title"] if row["protocol"] == "DICOM" else f"HL7 {row['application']}|{row['facility']}"
        table.add_row(row["actor"], Text(title), row["host"], str(row["port"] or "free"))
    console.print(table)
    endpoint, hl7 = lab.sut.dicom, lab.sut.hl7
    if endpoint is not None:
        where = f"{endpoint.host}:{endpoint.port or 'a free port'}{_over(lab, 'dicom')}"
        console.print(Text(f"We call the product {endpoint.ae_title} at {where}."))
    if hl7 is not None:
        where = f"{hl7.host}:{hl7.port or 'a free port'}{_over(lab, 'hl7')}"
        console.print(Text(f"We send HL7 {lab.hospital.version} to {hl7.application}|{hl7.facility} at {where}."))
    if lab.sut.tls is not None:
        console.print(Text(f"It calls us {_expects(lab.sut.tls)}."))
    if lab.moving:
        console.print(
            Text(
                "Port 0 took free ports, other ones next time: fix them in [harness.actors.…] for a product.", "yellow"
            )
        )
    console.print()


def _over(lab: Lab, protocol: str) -> str:
    return " over TLS" if lab.tls_for(protocol) is not None else ""


def _expects(table: TlsTable) -> str:
    """What a product has to do about TLS when it calls our actors."""
    served = " and ".join(name for name, on in (("DICOM", table.dicom), ("HL7", table.hl7)) if on) or "nothing"
    client = "with" if table.client_certificate_required else "with or without"
    return (
        f"over TLS for {served} ({table.profile}), {client} a certificate of its own; "
        f"our actors show {table.certificate}, which it has to trust"
    )


def _examine(lab: Lab, wait: float, quiet: bool) -> list[dict[str, str]]:
    findings = []
    if lab.callable:
        over = _over(lab, "dicom")
        findings.append(_finding("TCP connection to the product", "ok", f"{lab.product}{over}"))
        findings.append(_echo_there(lab))
        for refusal in introduction.refusals(lab):
            findings.append(_finding(f"AE title {refusal.actor.ae_title}", "failed", refusal.sentence(lab)))
    else:
        findings.append(_finding("TCP connection to the product", "not tried", "the SUT file gives no port in [dicom]"))
    findings.append(_echo_back(lab, wait, quiet))
    if lab.sut.hl7 is not None:
        findings.append(_hl7_there(lab))
    return findings


def _hl7_there(lab: Lab) -> dict[str, str]:
    """A connection only: any message would leave something in the product."""
    title = "TCP connection to the product for HL7"
    table = lab.sut.hl7
    if table is None or not table.port:
        return _finding(title, "not tried", "the SUT file gives no port in [hl7]")
    try:
        greet(table.host, table.port, lab.sut.timeouts.connect, lab.tls_for("hl7"))
        return _finding(title, "ok", f"{table.host}:{table.port}{_over(lab, 'hl7')}")
    except (OSError, PeerError) as error:
        return _finding(title, "failed", f"{table.host}:{table.port}: {error}")


def _echo_there(lab: Lab) -> dict[str, str]:
    title = "C-ECHO to the product"
    try:
        association = lab.modality.node.connect(lab.product, [Proposal(VERIFICATION)])
        try:
            status = association.echo()
        finally:
            association.release()
    except PeerError as error:
        return _finding(title, "failed", str(error))
    return _finding(title, "ok" if status == 0 else "failed", f"status {status:04X}")


def _echo_back(lab: Lab, wait: float, quiet: bool) -> dict[str, str]:
    """The reverse path: commitment reports, C-MOVE and MPPS fail without it, mostly because of a firewall."""
    title = "Association from the product"
    transcript = Transcript()
    lab.recorder.target = transcript
    outcome = lab.driver.perform(Action("verify", {"peer": lab.image_manager.ae_title}), timeout=wait)
    seconds = wait if outcome.state is OutcomeState.DONE else min(wait, 1.0)
    if not quiet and outcome.state is OutcomeState.UNSUPPORTED:
        out().print("Press Verify on the product now, if it has such a button.")
        seconds = wait if lab.attended else seconds
    came = transcript.wait_for("A-ASSOCIATE-RQ", timeout=seconds, direction=Direction.FROM_SUT)
    if came is not None:
        calling = str(came.fields.get("calling_ae", "")).strip()
        return _finding(title, "ok", f"{calling} called {str(came.fields.get('called_ae', '')).strip()}")
    if trouble := tls.refused(transcript):
        return _finding(title, "failed", trouble)
    if outcome.state is OutcomeState.UNSUPPORTED:
        return _finding(title, "not tried", "the driver cannot make the product send a C-ECHO; try it by hand")
    return _finding(title, "failed", f"nothing came within {seconds:g} s; check host, port and firewall on the product")


def _finding(what: str, state: str, detail: str) -> dict[str, str]:
    return {"what": what, "state": state, "detail": detail}


def _print_findings(findings: list[dict[str, str]]) -> None:
    marks = {"ok": Verdict.PASS, "failed": Verdict.FAIL, "not tried": Verdict.INCONCLUSIVE}
    for finding in findings:
        verdict = marks[finding["state"]]
        text = Text.assemble((f" {verdict.mark} ", STYLES[verdict]), f"{finding['what']}: {finding['state']}")
        out().print(Text.assemble(text, f" — {finding['detail']}" if finding["detail"] else ""))
