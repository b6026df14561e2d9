"""The order of the newer template of a DICOM Conformance Statement (PS3.2 annex N, of 2024 and later).

Numbers and titles of sections 1.1, 5.2, 5.2.1, 5.2.2, 6.2, 7.2 with its parts, 7.3.2.5 to 7.3.2.8 and of the annexes
A.A, A.B and A.C are those of the published pages of 2024c to 2025a. 5.2.3 to 5.2.8 follow 7.3.2, which has the same
services in the same order; the other numbers follow a statement of a vendor after that template. What the template has
no place for (claims of IHE profiles, the evidence) is appended as A.F and A.G.
"""

from __future__ import annotations

from typing import Final

from harness.statement import blocks, sections
from harness.statement.document import Block, Paragraph, Section, cell, table
from harness.statement.model import Activity, SopClass, Statement

#: service -> its place in N.5.2 and N.7.3.2, and what the template calls it; 3 are unified procedure steps
_SERVICES: Final[dict[str, tuple[int, str]]] = {
    "Modality Worklist": (1, "Basic Worklist Management Service"),
    "Modality Performed Procedure Step": (2, "Modality Performed Procedure Step Service"),
    "Instance Availability Notification": (4, "Instance Availability Notification Service"),
    "Storage": (5, "Storage Service"),
    "Storage Commitment": (6, "Storage Commitment Service"),
    "Query/Retrieve": (7, "Query/Retrieve Service"),
    "Print Management": (8, "Print Management Service"),
}
#: of a service that the template does not number
_FIRST_OTHER: Final = 9
_NOTHING: Final = (Paragraph("Nothing is stated."),)


def annex_n(statement: Statement) -> tuple[Section, ...]:
    """All sections."""
    return (
        _overview(statement),
        Section("2", "Table of contents"),
        sections.introduction(statement, "3"),
        Section("4", "Implementation model", (), sections.implementation_model(statement, "4")),
        _interoperability(statement),
        _configuration(statement),
        _network(statement),
        Section("8", "Security", tuple(sections.security(statement))),
        Section("A", "Annexes", (), _annexes(statement)),
    )


def _places(statement: Statement) -> list[tuple[int, str, str]]:
    """Place, title and name of each service of the product, in the order of the template."""
    names = dict.fromkeys(entry.service for entry in statement.sop_classes)
    others = [name for name in names if name not in _SERVICES]
    return sorted(
        [(*_SERVICES[name], name) for name in names if name in _SERVICES]
        + [(_FIRST_OTHER + index, f"{name} Service", name) for index, name in enumerate(others)]
    )


def _overview(statement: Statement) -> Section:
    return Section(
        "1",
        "Overview",
        tuple(blocks.overview(statement)[:1]),
        (
            Section("1.1", "Content and transfer", (blocks.transfer_syntax_table(statement),)),
            Section("1.2", "DIMSE services", tuple(blocks.overview(statement)[1:])),
            Section("1.3", "Web services", _NOTHING),
            Section("1.4", "Media services", tuple(blocks.media(statement))),
            Section("1.5", "Real-time video services", _NOTHING),
            Section("1.6", "De-identification", _NOTHING),
            Section("1.7", "Character sets", tuple(blocks.character_sets(statement))),
        ),
    )


def _interoperability(statement: Statement) -> Section:
    services = tuple(_service(statement, place, title, name) for place, title, name in _places(statement))
    rows = [
        (cell(e.title), cell(e.purpose), cell(e.policy.initiates), cell(e.policy.accepts)) for e in statement.entities
    ]
    ae_map = table("Application entities", ("AE title", "Purpose", "Initiates", "Accepts"), rows)
    return Section(
        "5",
        "Service and interoperability description",
        (),
        (
            Section("5.1", "Application entity map", (ae_map,)),
            Section("5.2", "DIMSE services", () if services else (blocks.NONE_SEEN,), services),
            Section("5.3", "Web services", _NOTHING),
            Section("5.4", "Media services", tuple(blocks.media(statement))),
            Section("5.5", "Real-time video", _NOTHING),
            Section("5.6", "Cross-service behaviour", _NOTHING),
            Section("5.7", "Character sets", tuple(blocks.character_sets(statement))),
        ),
    )


def _service(statement: Statement, place: int, title: str, name: str) -> Section:
    entries: list[SopClass] = [entry for entry in statement.sop_classes if entry.service == name]
    number = f"5.2.{place}"
    inner = tuple(
        Section(f"{number}.{index}", activity.name, tuple(blocks.activity_blocks(activity, statuses=False)))
        for index, activity in enumerate(_of_service(statement, name), 1)
    )
    return Section(number, title, (blocks.sop_class_table(entries, f"{name}: SOP classes"),), inner)


def _of_service(statement: Statement, name: str) -> list[Activity]:
    return [activity for activity in statement.activities if activity.service == name]


def _configuration(statement: Statement) -> Section:
    rows = [(cell(entity.title), cell(entity.port)) for entity in statement.entities]
    local: Block = table("Local AE titles and ports", ("AE title", "Port"), rows) if rows else blocks.NONE_SEEN
    return Section(
        "6",
        "Configuration",
        (),
        (
            Section("6.1", "General configuration", tuple(sections.configuration(statement))),
            Section("6.2", "Configuration of DIMSE services", (local,)),
        ),
    )


def _network(statement: Statement) -> Section:
    specifications = tuple(
        Section(
            f"7.2.{number}",
            f"{entity.title} application entity",
            (),
            (
                Section(f"7.2.{number}.1", "Sequencing of real-world activities", (blocks.sequencing(statement),)),
                Section(f"7.2.{number}.2", "Association parameters", tuple(blocks.policy_tables(entity))),
            )
            if number == 1
            # several titles of one product were seen as one entity: its activities are drawn once
            else (Section(f"7.2.{number}.2", "Association parameters", tuple(blocks.policy_tables(entity))),),
        )
        for number, entity in enumerate(statement.entities, 1)
    )
    codes = tuple(
        Section(f"7.3.2.{place}", title, found)
        for place, title, name in _places(statement)
        if (found := tuple(blocks.status_table(a) for a in _of_service(statement, name) if a.statuses))
    )
    dimse = Section("7.3.2", "DIMSE services", () if codes else (blocks.NONE_SEEN,), codes)
    return Section(
        "7",
        "Network and media communication details",
        (),
        (
            Section("7.1", "General", (Paragraph("DICOM Upper Layer over TCP/IP (PS3.8)."),)),
            Section("7.2", "Specifications", () if specifications else (blocks.NONE_SEEN,), specifications),
            Section("7.3", "Status codes", (), (dimse,)),
        ),
    )


def _annexes(statement: Statement) -> tuple[Section, ...]:
    seen = Paragraph("The attributes that the product was seen to send are listed with its activities.")
    objects = (seen, sections.private_classes(statement), sections.private_attributes(statement))
    return (
        Section("A.A", "Information object definitions (IODs)", objects),
        Section("A.B", "Structured report content encoding", _NOTHING),
        Section("A.C", "Security details", _NOTHING),
        Section("A.D", "Attribute mapping", _NOTHING),
        Section("A.E", "Code sets", _NOTHING),
        Section("A.F", "IHE integration profiles", tuple(blocks.claims_table(statement))),
        Section("A.G", "Evidence", tuple(blocks.evidence(statement))),
    )
