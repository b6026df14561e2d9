"""The IHE Integration Statement (IHE Technical Frameworks, General Introduction, appendix F)."""

from __future__ import annotations

from typing import Final

from harness.statement import blocks
from harness.statement.document import UNKNOWN, Block, Cell, Document, Paragraph, Section, cell, table
from harness.statement.model import ActorClaim, State, Statement

IHE_URL: Final = "https://www.ihe.net"
SENTENCE: Final = (
    "This product implements all transactions that the IHE Technical Framework requires for the integration profiles, "
    "actors and options listed below."
)


def ihe_document(statement: Statement) -> Document:
    """Only whole actors are listed as implemented; partial and contradicted claims stand apart and say so."""
    whole = [c for c in statement.claims if c.complete and not _contradicted(c)]
    partial = [c for c in statement.claims if not c.complete]
    broken = [c for c in statement.claims if _contradicted(c) and c.complete]
    implemented: list[Block] = [_implemented(whole)] if whole else [
        Paragraph("No integration profile is claimed with all transactions that its actor needs.")
    ]  # fmt: skip
    sections = [Section("1", "Integration profiles, actors and options", tuple(implemented))]
    if partial:
        sections.append(Section("", "Transactions without a claim of the whole actor", (_partial(partial),)))
    if broken:
        sections.append(Section("", "Claims that a run contradicts", (_broken(broken),)))
    sections.append(Section("", "Links", (_links(statement),)))
    sections.append(Section("", "Standing of each transaction", tuple(blocks.claims_table(statement))))
    sections.append(Section("", "Evidence", tuple(blocks.evidence(statement))))
    product = statement.product
    numbered = tuple(
        Section(str(index), section.title, section.blocks, section.sections)
        for index, section in enumerate(sections, 1)
    )
    header = (
        ("Vendor", product.vendor or UNKNOWN),
        ("Product", product.name),
        ("Version", product.version or UNKNOWN),
        ("Date", (statement.published or UNKNOWN) + (f" ({statement.revision})" if statement.revision else "")),
        ("Framework", statement.framework or "IHE Radiology Technical Framework, revision not stated"),
    )
    foreword = (Paragraph(SENTENCE),) if whole else ()
    return Document("IHE Integration Statement", product.name, header, numbered, foreword)


def _contradicted(claim: ActorClaim) -> bool:
    return claim.standing.state is State.CONTRADICTED


def _basis(claim: ActorClaim) -> Cell:
    if claim.standing.state in (State.VERIFIED, State.ATTESTED):
        return blocks.standing_cell(claim.standing)
    reason = claim.standing.note.removeprefix("not verified: ")
    note = f" ({reason})" if reason else ""
    return Cell(f"declared by the vendor, not verified{note}", State.DECLARED)


def _implemented(claims: list[ActorClaim]) -> Block:
    rows = []
    for claim in claims:
        profile = f"{claim.profile_name} ({claim.profile})" if claim.profile_name else claim.profile
        if not claim.options:
            rows.append((cell(profile), cell(claim.actor), cell("None"), _basis(claim)))
        for option in claim.options:
            rows.append((cell(profile), cell(claim.actor), cell(option.name), _option_basis(claim, option.name)))
    headings = ("Integration profile", "Actor", "Option", "Basis")
    return table("Integration profiles implemented", headings, rows)


def _option_basis(claim: ActorClaim, name: str) -> Cell:
    option = next(o for o in claim.options if o.name == name)
    if claim.standing.state not in (State.VERIFIED, State.ATTESTED):
        return _basis(claim)
    return blocks.standing_cell(option.standing)


def _partial(claims: list[ActorClaim]) -> Block:
    rows = [
        (
            cell(claim.profile), cell(claim.actor), cell(", ".join(t.id for t in claim.transactions)),
            cell(", ".join(claim.missing)),
            Cell("partly contradicted: " + claim.standing.note if _contradicted(claim) else "no integration claim",
                 claim.standing.state),
        )
        for claim in claims
    ]  # fmt: skip
    headings = ("Profile", "Actor", "Transactions", "Required but not claimed", "Remark")
    return table("Single transactions", headings, rows)


def _broken(claims: list[ActorClaim]) -> Block:
    rows = [(cell(c.profile), cell(c.actor), blocks.standing_cell(c.standing)) for c in claims]
    return table("Contradicted", ("Profile", "Actor", "Finding"), rows)


def _links(statement: Statement) -> Block:
    product = statement.product
    rows = [
        (cell("IHE Integration Statements of the vendor"), cell(product.ihe_url)),
        (cell("DICOM Conformance Statements of the vendor"), cell(product.dicom_url)),
        (cell("HL7 conformance information of the vendor"), cell(product.hl7_url)),
        (cell("General information about IHE"), cell(IHE_URL)),
    ]
    return table("Links for further information", ("About", "Address"), rows)
