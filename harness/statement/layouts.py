"""A DICOM Conformance Statement in the classic order (PS3.2 annex A), or in that of the newer template (annex N)."""

from __future__ import annotations

import enum
from collections.abc import Sequence

from harness.statement import blocks, sections
from harness.statement.annex_n import annex_n
from harness.statement.document import Document, Paragraph, Section
from harness.statement.model import Activity, ApplicationEntity, Statement


class Layout(enum.StrEnum):
    """The order of sections."""

    CLASSIC = "classic"
    ANNEX_N = "annex-n"


def dicom_document(statement: Statement, layout: Layout = Layout.CLASSIC) -> Document:
    """The DICOM Conformance Statement of a product."""
    body = _classic(statement) if layout is Layout.CLASSIC else annex_n(statement)
    return Document("DICOM Conformance Statement", statement.product.name, sections.cover(statement), body)


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
            Section("4.1", "Implementation model", (), sections.implementation_model(statement, "4.1")),
            Section("4.2", "AE specifications", () if entities else (blocks.NONE_SEEN,), entities),
            Section("4.3", "Network interfaces", (interfaces,)),
            Section("4.4", "Configuration", tuple(sections.configuration(statement))),
        ),
    )
    return (
        Section("1", "Conformance statement overview", (*blocks.overview(statement), *blocks.media(statement))),
        Section("2", "Table of contents"),
        sections.introduction(statement, "3"),
        networking,
        Section("5", "Media interchange", tuple(blocks.media(statement))),
        Section("6", "Transformation of DICOM to CDA", (Paragraph("No transformation to CDA is stated."),)),
        Section("7", "Support of character sets", tuple(blocks.character_sets(statement))),
        Section("8", "Security", tuple(sections.security(statement))),
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


def _annexes(statement: Statement, prefix: str) -> tuple[Section, ...]:
    return (
        Section(
            f"{prefix}1",
            "IOD contents",
            (Paragraph("The attributes that the product was seen to send are listed with its activities."),),
        ),
        Section(f"{prefix}2", "Data dictionary of private attributes", (sections.private_attributes(statement),)),
        Section(f"{prefix}3", "Coded terminology and templates", (Paragraph("Nothing is stated."),)),
        Section(f"{prefix}4", "Grayscale image consistency", (Paragraph("Nothing is stated."),)),
        Section(
            f"{prefix}5",
            "Standard extended, specialized and private SOP classes",
            (sections.private_classes(statement),),
        ),
        Section(f"{prefix}6", "Transfer syntaxes", (blocks.transfer_syntax_table(statement),)),
        Section(f"{prefix}7", "IHE integration profiles", tuple(blocks.claims_table(statement))),
        Section(f"{prefix}8", "Evidence", tuple(blocks.evidence(statement))),
    )
