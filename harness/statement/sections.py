"""Sections that both layouts of a DICOM Conformance Statement share."""

from __future__ import annotations

from typing import Final

from harness.statement import blocks
from harness.statement.document import UNKNOWN, Block, Paragraph, Section, cell, table
from harness.statement.model import Statement

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


def introduction(statement: Statement, number: str) -> Section:
    """Revision history, audience, remarks, terms, abbreviations and references."""

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


def implementation_model(statement: Statement, number: str) -> tuple[Section, ...]:
    """Data flow, what each AE does, and the sequence of activities."""
    functions: list[Block] = [
        Paragraph(f"{entity.title}: {entity.purpose or 'no description is stated'}.") for entity in statement.entities
    ]
    return (
        Section(f"{number}.1", "Application data flow", (blocks.data_flow(statement),)),
        Section(f"{number}.2", "Functional definition of AEs", tuple(functions) or (blocks.NONE_SEEN,)),
        Section(f"{number}.3", "Sequencing of real-world activities", (blocks.sequencing(statement),)),
    )


def configuration(statement: Statement) -> list[Block]:
    """Configuration parameters and documented behaviour."""
    return [
        *blocks.items(statement.configuration, "Configuration parameters", "No configuration parameter is stated."),
        *blocks.items(statement.behaviour, "Documented behaviour", "No further behaviour is stated."),
    ]


def security(statement: Statement) -> list[Block]:
    """Security profiles."""
    return blocks.items(statement.security, "Security profiles", "No security profile is stated.")


def private_attributes(statement: Statement) -> Block:
    """The private attributes that were seen."""
    private = [a for activity in statement.activities for a in activity.attributes if not a.keyword]
    rows = [(cell(tag),) for tag in sorted({a.tag for a in private})]
    if not rows:
        return Paragraph("No private attribute was observed.")
    return table("Private attributes observed", ("Tag",), rows)


def private_classes(statement: Statement) -> Block:
    """Standard extended, specialized and private SOP classes, as far as the registry does not know them."""
    odd = [c for c in statement.sop_classes if c.service == "Private"]
    if not odd:
        return Paragraph("No private or extended SOP class is known.")
    return blocks.sop_class_table(odd, "Private SOP classes")
