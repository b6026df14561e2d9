"""``ihe-harness observe``: a first statement of a product that has none, from what it agrees to."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from harness.bdd.tls import tls_settings
from harness.cli import tls_options
from harness.cli.console import err
from harness.cli.statement import Format, write_statement
from harness.cli.statement_sources import declared_of, run_of_product, when
from harness.core.errors import UsageError
from harness.protocols.dicom.node import Address
from harness.statement.build import build, declared_from
from harness.statement.layouts import Layout
from harness.statement.observation import observe as read_transcripts
from harness.statement.probe import STRANGER, Limits, probe
from harness.sut.config import load_sut


def observe(
    peer: Annotated[str, typer.Argument(metavar="HOST:PORT", help="Where the product listens.")],
    ae: Annotated[str, typer.Option("--ae", metavar="TITLE", help="AE title of the product; or --sut.")] = "",
    sut: Annotated[
        Path | None, typer.Option(help="SUT file: its product, AE title, claims and texts go into the statement.")
    ] = None,
    run: Annotated[Path | None, typer.Option(help="A run of that product, to be shown beside; needs --sut.")] = None,
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
    tls: tls_options.Speaks = False,
    tls_certificate: tls_options.Shown = None,
    tls_key: tls_options.Key = None,
    tls_ca: tls_options.Authorities = None,
    tls_profile: tls_options.Profile = tls_options.PROFILES[0],
) -> int:
    """Negotiate SOP classes, transfer syntaxes, roles and AE titles with a product, and write a first statement."""
    if run is not None and sut is None:
        raise UsageError("--run needs --sut: the SUT file of the product that was run")
    product = load_sut(sut) if sut is not None else None
    title = ae or (product.dicom.ae_title if product is not None and product.dicom is not None else "")
    if not title:
        raise UsageError("the AE title of the product is needed: --ae TITLE, or --sut FILE with one in [dicom]")
    address = _address(peer, title)
    secured = tls_options.caller_settings(tls, tls_certificate, tls_key, tls_ca, tls_profile)
    if secured is None and sut is not None and product is not None and product.tls is not None and product.tls.dicom:
        secured = tls_settings(product.tls, sut)
    result, earlier = run_of_product(run, product, sut) if run is not None and product and sut else (None, ())
    console = err()
    found = probe(
        address,
        calling=calling,
        limits=Limits(associations, seconds, pause),
        progress=lambda text: console.print(f"Asking for {text}", markup=False, soft_wrap=True),
        tls=secured,
    )
    own = frozenset((address.ae_title, *(product.declaration().ae_titles if product is not None else ())))
    seen = read_transcripts([("probe", found.transcript), *earlier], own, frozenset((STRANGER,)))
    why = "the product could not be reached any more" if found.gone else "a bound was reached"
    text = {f"not asked, because {why}": found.left_out} if found.left_out else {}
    if product is not None and sut is not None:
        declared = declared_of(product, sut, text, address)
    else:
        declared = declared_from(
            {"name": name or title, "version": version}, [], text, ae_titles=[address.ae_title], port=address.port
        )
    over = " over TLS" if secured is not None else ""
    sources = [f"observed with {found.associations} associations{over} as {calling}"]
    if sut is not None:
        sources.append(f"SUT file {sut.name}")
    if result is not None:
        sources.append(when(result))
    statement = build(declared, seen, result, sources=sources)
    for what in found.left_out:
        console.print(f"Left out, because {why}: {what}", markup=False, soft_wrap=True)
    write_statement(statement, format, layout, out)
    if found.gone:
        console.print(f"The product went away in the midst of it: {found.gone}", markup=False, soft_wrap=True)
        return 3
    return 0


def _address(peer: str, title: str) -> Address:
    host, _, port = peer.rpartition(":")
    if not host or not port.isdigit() or not 0 < int(port) < 65536:
        raise UsageError(f"{peer!r} is no address; write HOST:PORT, for instance 127.0.0.1:11112")
    if not 1 <= len(title.strip()) <= 16 or not title.isascii():
        raise UsageError(f"--ae {title!r}: an AE title has 1 to 16 ASCII characters")
    return Address(title.strip(), host.strip("[]"), int(port))
