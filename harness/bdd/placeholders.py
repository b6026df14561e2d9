"""What ``{placeholders}`` in a SUT file stand for, and the ports that a product which we start is given."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from pathlib import Path

from harness.actors.actor import SimulatedActor
from harness.bdd.hospital import Hospital
from harness.sut.config import SutFile
from harness.sut.process import free_port, python


def with_ports(sut: SutFile) -> SutFile:
    """The file with a free port wherever a product that we start may choose one; else as it is."""
    if sut.process is None:
        return sut
    tables = {"dicom": sut.dicom, "hl7": sut.hl7}
    chosen = {
        name: table.model_copy(update={"port": table.port or free_port(table.host)})
        for name, table in tables.items()
        if table is not None
    }
    return sut.model_copy(update=chosen)


def values(
    sut: SutFile, path: Path, work: Path, actors: Mapping[str, SimulatedActor], hospital: Hospital | None
) -> dict[str, str]:
    """Every placeholder with its value; the ports of ``sut`` have been chosen."""
    found = {
        "work": str(work),
        "python": python(),
        "here": str(path.parent),
        "advertise": sut.harness.advertise,
    }
    for slug, actor in actors.items():
        found |= {f"{slug}.ae_title": actor.ae_title, f"{slug}.port": str(actor.port)}
    if (dicom := sut.dicom) is not None:
        found |= {"dicom.ae_title": dicom.ae_title, "dicom.host": dicom.host, "dicom.port": str(dicom.port)}
    if sut.process is not None:  # where a simulated product that we start is asked to act
        found |= {"control.port": str(free_port()), "control.token": secrets.token_hex(16)}
        found["spare.port"] = str(free_port())  # for what such a product is grouped with
    return found | _hl7(sut, hospital)


def _hl7(sut: SutFile, hospital: Hospital | None) -> dict[str, str]:
    if hospital is None or (table := sut.hl7) is None:
        return {}
    found = {
        "hl7.host": table.host,
        "hl7.port": str(table.port),
        "hl7.application": table.application,
        "hl7.facility": table.facility,
        "hl7.version": hospital.version,
    }
    for slug, end in hospital.endpoints.items():
        found[f"{slug}.hl7_port"] = str(end.port)
        found |= {f"{slug}.application": end.application.name, f"{slug}.facility": end.application.facility}
    return found
