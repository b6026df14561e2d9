"""``ihe-harness observe``: a first statement of a product that has none, from what it agrees to."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from harness.cli.console import err
from harness.cli.statement import Format, write_statement
from harness.core.errors import UsageError
from harness.protocols.dicom.node import Address
from harness.statement.build import build, declared_from
from harness.statement.layouts import Layout
from harness.statement.observation import observe as read_transcripts
from harness.statement.probe import STRANGER, Limits, probe


def observe(
    peer: Annotated[str, typer.Argument(metavar="HOST:PORT", help="Where the product listens.")],
    ae: Annotated[str, typer.Option("--ae", metavar="TITLE", help="AE title of the product.")],
    out: Annotated[Path, typer.Option(help="File to write, or - for standard output.")] = Path("-"),
    format: Annotated[Format, typer.Option(help="json can be read back by statement verify and compare.")] = (
        Format.JSON
    ),
    layout: Annotated[Layout, typer.Option(help="Order of sections.")] = Layout.CLASSIC,
    calling: Annotated[str, typer.Option(metavar="TITLE", help="Our AE title.")] = "IHE_OBSERVER",
    name: Annotated[str, typer.Option(help="Name of the product.")] = "",
    version: Annotated[str, typer.Option(help="Version of the product.")] = "",
    associations: Annotated[int, typer.Option(min=1, max=500, help="At most this many associations.")] = 80,
    seconds: Annotated[float, typer.Option(min=1, max=3600, help="At most this long.")] = 180.0,
    pause: Annotated[float, typer.Option(min=0, max=60, help="Seconds between two associations.")] = 0.05,
) -> int:
    """Negotiate SOP classes, transfer syntaxes, roles and AE titles with a product, and write a first statement."""
    address = _address(peer, ae)
    console = err()
    result = probe(
        address,
        calling=calling,
        limits=Limits(associations, seconds, pause),
        progress=lambda text: console.print(f"Asking for {text}", markup=False, soft_wrap=True),
    )
    own = frozenset((address.ae_title,))
    seen = read_transcripts([("probe", result.transcript)], own, frozenset((STRANGER,)))
    text = {"not asked, because a bound was reached": result.left_out} if result.left_out else {}
    declared = declared_from(
        {"name": name or ae, "version": version}, [], text, ae_titles=[address.ae_title], port=address.port
    )
    source = f"observed with {result.associations} associations as {calling}"
    statement = build(declared, seen, sources=[source])
    for what in result.left_out:
        console.print(f"Left out, because a bound was reached: {what}", markup=False, soft_wrap=True)
    write_statement(statement, format, layout, out)
    return 0


def _address(peer: str, title: str) -> Address:
    host, _, port = peer.rpartition(":")
    if not host or not port.isdigit() or not 0 < int(port) < 65536:
        raise UsageError(f"{peer!r} is no address; write HOST:PORT, for instance 127.0.0.1:11112")
    if not 1 <= len(title.strip()) <= 16 or not title.isascii():
        raise UsageError(f"--ae {title!r}: an AE title has 1 to 16 ASCII characters")
    return Address(title.strip(), host.strip("[]"), int(port))
