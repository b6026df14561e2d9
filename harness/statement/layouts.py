"""A DICOM Conformance Statement in the classic order (PS3.2 annex A) and in that of the newer template (annex N)."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from typing import Final

from harness.statement import blocks
from harness.statement.document import UNKNOWN, Block, Document, Paragraph, Section, cell, table
from harness.statement.model import Activity, ApplicationEntity, SopClass, Statement

_ABBREVIATIONS: Final = (
    ("AE", "Application Entity"),
    ("FSC, FSR, FSU", "File-Set Creator, Reader, Updater"),
    ("IOD", "Information Object Definition"),
    ("MPPS", "Modality Performed Procedure Step"),
    ("PDU", "Protocol Data Unit"),
    ("SCU, SCP", "Service Class User, Service Class Provider"),
    ("SOP", "Service-Object Pair"),
    ("UID", "Unique Identifier"),
)


class Layout(enum.StrEnum):
    """The order of sections."""

    CLASSIC = "classic"
    ANNEX_N = "annex-n"


def dicom_document(statement: Statement, layout: Layout = Layout.CLASSIC) -> Document:
    """The DICOM Conformance Statement of a product."""
    sections = _classic(statement) if layout is Layout.CLASSIC else _annex_n(statement)
    return Document("DICOM Conformance Statement", statement.product.name, cover(statement), sections)


def cover(statement: Statement) -> tuple[tuple[str, str], ...]:
    """What stands on the first page."""
    product = statement.product
    return (
        ("Product", product.name),
        ("Version", product.version or UNKNOWN),
        ("Vendor", product.vendor or UNKNOWN),
        ("Date of publication", statement.published or UNKNOWN),
        ("Revision", statement.revision or UNKNOWN),
    )


def _introduction(statement: Statement, number: str) -> Section:
    def sub(index: int, title: str, *content: Block) -> Section:
        return Section(f"{number}.{index}", title, content)

    revision = table(
        "Revisions", ("Revision", "Date", "Remark"), [(cell(statement.revision), cell(statement.published), cell(""))]
    )
    abbreviations = [(cell(short), cell(words)) for short, words in _ABBREVIATIONS]
    return Section(
        number,
        "Introduction",
        (),
        (
            sub(1, "Revision history", revision),
            sub(2, "Audience", Paragraph("People who plan, connect, test or maintain systems that exchange DICOM.")),
            sub(
                3,
                "Remarks",
                Paragraph(
                    "A conformance statement does not promise that two products work together: compare the statements "
                    "of both and test. Lines marked verified were seen on the wire; all others rest on the product's "
                    "word. What was neither stated nor seen is shown as not stated."
                ),
            ),
            sub(4, "Terms and definitions", Paragraph("Terms are used as in DICOM PS3.1 to PS3.8.")),
            sub(
                5,
                "Basics of DICOM communication",
                Paragraph(
                    "Two application entities agree on presentation contexts when they open an association: an "
                    "abstract syntax, a transfer syntax and roles (PS3.8). Messages of a service class then travel in "
                    "one of these contexts (PS3.4, PS3.7)."
                ),
            ),
            sub(6, "Abbreviations", table("Abbreviations", ("Abbreviation", "Meaning"), abbreviations)),
            sub(7, "References", Paragraph("DICOM PS3 (NEMA); IHE Radiology Technical Framework.")),
        ),
    )


def _implementation_model(statement: Statement, number: str) -> tuple[Section, ...]:
    functions: list[Block] = [
        Paragraph(f"{entity.title}: {entity.purpose or 'no description is stated'}.") for entity in statement.entities
    ]
    return (
        Section(f"{number}.1", "Application data flow", (blocks.data_flow(statement),)),
        Section(f"{number}.2", "Functional definition of AEs", tuple(functions) or (blocks.NONE_SEEN,)),
        Section(f"{number}.3", "Sequencing of real-world activities", (blocks.sequencing(statement),)),
    )


# -- PS3.2 annex A ---------------------------------------------------------------------------------------------


def _classic(statement: Statement) -> tuple[Section, ...]:
    entities = tuple(
        _classic_entity(statement, entity, f"4.2.{number}", number == 1)
        for number, entity in enumerate(statement.entities, 1)
    )
    interfaces = Paragraph("DICOM Upper Layer over TCP/IP (PS3.8). Physical interfaces are not stated.")
    networking = Section(
        "4",
        "Networking",
        (),
        (
            Section("4.1", "Implementation model", (), _implementation_model(statement, "4.1")),
            Section("4.2", "AE specifications", () if entities else (blocks.NONE_SEEN,), entities),
            Section("4.3", "Network interfaces", (interfaces,)),
            Section("4.4", "Configuration", tuple(_configuration(statement))),
        ),
    )
    return (
        Section("1", "Conformance statement overview", (*blocks.overview(statement), *blocks.media(statement))),
        Section("2", "Table of contents"),
        _introduction(statement, "3"),
        networking,
        Section("5", "Media interchange", tuple(blocks.media(statement))),
        Section("6", "Transformation of DICOM to CDA", (Paragraph("No transformation to CDA is stated."),)),
        Section("7", "Support of character sets", tuple(blocks.character_sets(statement))),
        Section("8", "Security", tuple(_security(statement))),
        Section("9", "Annexes", (), _annexes(statement, "9.")),
    )


def _classic_entity(statement: Statement, entity: ApplicationEntity, number: str, whole: bool) -> Section:
    if not whole:
        # several titles of one product were seen as one entity: its services are described once
        text = Paragraph(f"As {statement.entities[0].title}, with this AE title.")
        return Section(number, f"{entity.title} AE specification", (text, *blocks.policy_tables(entity)))
    initiated = [a for a in statement.activities if a.initiator]
    accepted = [a for a in statement.activities if not a.initiator]
    return Section(
        number,
        f"{entity.title} AE specification",
        (),
        (
            Section(
                f"{number}.1",
                "SOP classes",
                (blocks.sop_class_table(statement.sop_classes, f"SOP classes of {entity.title}"),),
            ),
            Section(f"{number}.2", "Association policies", tuple(blocks.policy_tables(entity))),
            Section(f"{number}.3", "Association initiation policy", (), _activities(initiated, f"{number}.3")),
            Section(f"{number}.4", "Association acceptance policy", (), _activities(accepted, f"{number}.4")),
        ),
    )


def _activities(activities: Sequence[Activity], number: str) -> tuple[Section, ...]:
    if not activities:
        return (Section(f"{number}.1", "Activities", (Paragraph("No activity was observed."),)),)
    return tuple(
        Section(f"{number}.{index}", activity.name, tuple(blocks.activity_blocks(activity)))
        for index, activity in enumerate(activities, 1)
    )


def _configuration(statement: Statement) -> list[Block]:
    return [
        *blocks.items(statement.configuration, "Configuration parameters", "No configuration parameter is stated."),
        *blocks.items(statement.behaviour, "Documented behaviour", "No further behaviour is stated."),
    ]


def _security(statement: Statement) -> list[Block]:
    return blocks.items(statement.security, "Security profiles", "No security profile is stated.")


def _annexes(statement: Statement, prefix: str) -> tuple[Section, ...]:
    private = [a for activity in statement.activities for a in activity.attributes if not a.keyword]
    odd = [c for c in statement.sop_classes if c.service == "Private"]
    private_rows = [(cell(tag),) for tag in sorted({a.tag for a in private})]
    dictionary: Block = Paragraph("No private attribute was observed.")
    if private_rows:
        dictionary = table("Private attributes observed", ("Tag",), private_rows)
    extended: Block = Paragraph("No private or extended SOP class is known.")
    if odd:
        extended = blocks.sop_class_table(odd, "Private SOP classes")
    return (
        Section(
            f"{prefix}1",
            "IOD contents",
            (Paragraph("The attributes that the product was seen to send are listed with its activities."),),
        ),
        Section(f"{prefix}2", "Data dictionary of private attributes", (dictionary,)),
        Section(f"{prefix}3", "Coded terminology and templates", (Paragraph("Nothing is stated."),)),
        Section(f"{prefix}4", "Grayscale image consistency", (Paragraph("Nothing is stated."),)),
        Section(f"{prefix}5", "Standard extended, specialized and private SOP classes", (extended,)),
        Section(f"{prefix}6", "Transfer syntaxes", (blocks.transfer_syntax_table(statement),)),
        Section(f"{prefix}7", "IHE integration profiles", tuple(blocks.claims_table(statement))),
        Section(f"{prefix}8", "Evidence", tuple(blocks.evidence(statement))),
    )


# -- PS3.2 annex N ---------------------------------------------------------------------------------------------
# N.7.2 "Specifications", N.7.2.n of an AE, .1 sequencing and .2 association parameters are those of PS3.2 2025a; the
# other numbers follow a statement of a vendor after that template, since the text of the annex was not at hand.


def _annex_n(statement: Statement) -> tuple[Section, ...]:
    by_service: dict[str, list[SopClass]] = {}
    for entry in statement.sop_classes:
        by_service.setdefault(entry.service, []).append(entry)
    services = []
    for number, (service, entries) in enumerate(by_service.items(), 1):
        content: list[Block] = [blocks.sop_class_table(entries, f"{service}: SOP classes")]
        inner = tuple(
            Section(f"5.2.{number}.{index}", activity.name, tuple(blocks.activity_blocks(activity)))
            for index, activity in enumerate((a for a in statement.activities if a.service == service), 1)
        )
        services.append(Section(f"5.2.{number}", service, tuple(content), inner))
    entities = [
        (cell(e.title), cell(e.purpose), cell(e.policy.initiates), cell(e.policy.accepts)) for e in statement.entities
    ]
    ae_map = table("Application entities", ("AE title", "Purpose", "Initiates", "Accepts"), entities)
    nothing = (Paragraph("Nothing is stated."),)
    overview = Section(
        "1",
        "Overview",
        tuple(blocks.overview(statement)[:1]),
        (
            Section("1.1", "Content and transfer", (blocks.transfer_syntax_table(statement),)),
            Section("1.2", "DIMSE services", tuple(blocks.overview(statement)[1:])),
            Section("1.3", "Web services", nothing),
            Section("1.4", "Media services", tuple(blocks.media(statement))),
            Section("1.5", "Real-time video services", nothing),
            Section("1.6", "De-identification", nothing),
            Section("1.7", "Character sets", tuple(blocks.character_sets(statement))),
        ),
    )
    interoperability = Section(
        "5",
        "Service and interoperability description",
        (),
        (
            Section("5.1", "Application entity map", (ae_map,)),
            Section("5.2", "DIMSE services", () if services else (blocks.NONE_SEEN,), tuple(services)),
            Section("5.3", "Web services", nothing),
            Section("5.4", "Media services", tuple(blocks.media(statement))),
            Section("5.5", "Real-time video", nothing),
            Section("5.6", "Cross-service behaviour", nothing),
            Section("5.7", "Character sets", tuple(blocks.character_sets(statement))),
        ),
    )
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
    network = Section(
        "7",
        "Network and media communication details",
        (),
        (
            Section("7.1", "General", (Paragraph("DICOM Upper Layer over TCP/IP (PS3.8)."),)),
            Section("7.2", "Specifications", () if specifications else (blocks.NONE_SEEN,), specifications),
        ),
    )
    return (
        overview,
        Section("2", "Table of contents"),
        _introduction(statement, "3"),
        Section("4", "Implementation model", (), _implementation_model(statement, "4")),
        interoperability,
        Section("6", "Configuration", tuple(_configuration(statement))),
        network,
        Section("8", "Security", tuple(_security(statement))),
        Section("A", "Annexes", (), _annexes(statement, "A.")),
    )
