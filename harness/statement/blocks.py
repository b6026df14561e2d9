"""The blocks that both layouts of a DICOM Conformance Statement share: tables and texts of one statement."""

from __future__ import annotations

from collections.abc import Sequence

from harness.statement import diagrams, vocabulary
from harness.statement.document import Block, Cell, Figure, Paragraph, Table, cell, code, table
from harness.statement.model import Activity, ApplicationEntity, Item, Role, SopClass, Standing, State, Statement

NONE_SEEN = Paragraph("Nothing is stated and nothing was observed.")


def standing_cell(standing: Standing) -> Cell:
    """The words of a standing with its reason and the number of scenarios behind it."""
    words = standing.state.words
    scenarios = len({(p.run, p.scenario) for p in standing.proofs})
    if scenarios:
        words += f" ({scenarios} scenario{'s' if scenarios != 1 else ''})"
    if standing.state is State.VERIFIED and not standing.declared:
        words += ", not declared"
    if standing.note:
        words += f": {standing.note}"
    return Cell(words, standing.state)


def legend() -> Table:
    """What the states mean."""
    meanings = {
        State.VERIFIED: "Seen to work in the runs that this statement names, and no requirement was broken.",
        State.ATTESTED: "A person who operated the product said so during a run.",
        State.DECLARED: "The product's documents or configuration say so; no run has shown it.",
        State.NEGOTIATED: "The product agreed to it when an association was negotiated; it was not used.",
        State.CONTRADICTED: "A run showed otherwise; the findings are listed at the end.",
    }
    rows = [(Cell(state.words, state), cell(text)) for state, text in meanings.items()]
    return table("How well each line stands", ("Mark", "Meaning"), rows)


def overview(statement: Statement) -> list[Block]:
    """What the product is and which network services it has."""
    product = statement.product
    blocks: list[Block] = [
        Paragraph(product.description or f"{product.name}: no description of the product is stated."),
        services_table(statement),
        legend(),
    ]
    return blocks


def services_table(statement: Statement) -> Table:
    """SOP classes by service with both roles, as the overview of a statement shows them."""
    by_uid: dict[str, dict[Role, SopClass]] = {}
    for entry in statement.sop_classes:
        by_uid.setdefault(entry.uid, {})[entry.role] = entry
    rows = []
    for uid, roles in by_uid.items():
        first = next(iter(roles.values()))
        rows.append((cell(first.service), cell(first.name), code(uid), _role(roles, Role.SCU), _role(roles, Role.SCP)))
    headings = ("Service", "SOP class", "UID", "User of service (SCU)", "Provider of service (SCP)")
    return table("Network services", headings, rows)


def _role(roles: dict[Role, SopClass], role: Role) -> Cell:
    entry = roles.get(role)
    if entry is None:
        return Cell("–")
    return Cell("refused" if entry.standing.state is State.CONTRADICTED else "yes", entry.standing.state)


def sop_class_table(entries: Sequence[SopClass], caption: str) -> Block:
    """SOP classes with role, transfer syntaxes and standing."""
    if not entries:
        return NONE_SEEN
    rows = [
        (cell(e.name), code(e.uid), cell(e.role.value), cell(_syntaxes(e)), standing_cell(e.standing)) for e in entries
    ]
    return table(caption, ("SOP class", "UID", "Role", "Transfer syntaxes", "Standing"), rows)


def _syntaxes(entry: SopClass) -> str:
    return "; ".join(vocabulary.name_of(uid) for uid in entry.transfer_syntaxes)


def transfer_syntax_table(statement: Statement) -> Block:
    """Every transfer syntax with its UID and where it is used."""
    used: dict[str, dict[str, None]] = {}
    for entry in statement.sop_classes:
        for uid in entry.transfer_syntaxes:
            used.setdefault(uid, {})[f"{entry.service} {entry.role.value}"] = None
    if not used:
        return Paragraph("No transfer syntax is stated and none was observed.")
    rows = [(cell(vocabulary.name_of(uid)), code(uid), cell(", ".join(where))) for uid, where in sorted(used.items())]
    return table("Transfer syntaxes", ("Transfer syntax", "UID", "Used for"), rows)


def policy_tables(entity: ApplicationEntity) -> list[Block]:
    """Association policies of one application entity."""
    policy = entity.policy
    rows = [
        (cell("AE title"), cell(entity.title)),
        (cell("Port"), cell(entity.port)),
        (cell("Application context name"), code("1.2.840.10008.3.1.1.1")),
        (cell("Initiates associations"), cell(policy.initiates)),
        (cell("Accepts associations"), cell(policy.accepts)),
        (cell("Maximum PDU size received, bytes"), cell("unlimited" if policy.max_pdu == 0 else policy.max_pdu)),
        (cell("Maximum number of simultaneous associations"), cell(policy.max_associations)),
        (cell("Implementation class UID"), code(policy.implementation_class_uid)),
        (cell("Implementation version name"), code(policy.implementation_version)),
        (cell("Refuses associations for another called AE title"), cell(policy.checks_called_title)),
        (cell("Refuses associations of unknown calling AE titles"), cell(policy.checks_calling_title)),
    ]
    return [table(f"Association policies of {entity.title}", ("Policy", "Value"), rows)]


def data_flow(statement: Statement) -> Figure:
    """The application data flow diagram."""
    lines = dict.fromkeys(f"{entry.service} {entry.role.value}" for entry in statement.sop_classes)
    return Figure("Application data flow", diagrams.data_flow(statement), "; ".join(lines) or "no service is known")


def sequencing(statement: Statement) -> Block:
    """The sequencing diagram, or a sentence if no exchange was seen."""
    lines = diagrams.steps(statement)
    if not lines:
        return Paragraph("No exchange was observed, so no sequence is shown.")
    text = "; ".join(f"{'product' if sends else 'peer'} sends {label}" for sends, label in lines)
    return Figure("Sequencing of real-world activities", diagrams.sequence(statement), text)


def activity_blocks(activity: Activity, *, statuses: bool = True) -> list[Block]:
    """What is in the messages of an activity and, unless another section says it, how they are answered."""
    who = "The product sends" if activity.initiator else "The product receives"
    text = f"{who} {activity.message} as {activity.role.value} of {vocabulary.name_of(activity.sop_class)}."
    if activity.transactions:
        text += f" IHE transactions: {', '.join(activity.transactions)}."
    words = standing_cell(activity.standing).text
    blocks: list[Block] = [Paragraph(f"{text} Standing: {words}.")]
    if activity.attributes:
        rows = [
            (code(a.tag), cell(a.keyword or "private attribute"), cell(a.presence), cell(a.filled))
            for a in activity.attributes
        ]
        caption = f"Attributes that the product sends: {activity.name}"
        blocks.append(table(caption, ("Tag", "Attribute", "Present", "With a value"), rows))
    if statuses and activity.statuses:
        blocks.append(status_table(activity))
    return blocks


def status_table(activity: Activity) -> Table:
    """The status codes of an activity and what the product does with them."""
    rows = [
        (code(s.code), cell(s.meaning), cell("the product" if s.sender == "product" else "the peer"),
         Cell(s.behaviour or ("" if s.sender == "product" else _plain_behaviour(s.code))))
        for s in activity.statuses
    ]  # fmt: skip
    headings = ("Status", "Meaning", "Sent by", "Behaviour of the product")
    return table(f"Status codes: {activity.name}", headings, rows)


def _plain_behaviour(status: str) -> str:
    return "–" if status in ("0000", "FF00", "FF01") else "not stated"


def character_sets(statement: Statement) -> list[Block]:
    """Supported character sets."""
    if not statement.character_sets:
        return [Paragraph("No character set is stated and none was observed.")]
    rows = [
        (code(c.term) if c.term else cell("(empty)"), cell(c.name), standing_cell(c.standing))
        for c in statement.character_sets
    ]
    return [table("Character sets", ("Defined term", "Repertoire", "Standing"), rows)]


def media(statement: Statement) -> list[Block]:
    """Media application profiles."""
    if not statement.media:
        return [Paragraph("No media application profile is stated.")]
    rows = [(cell(m.name), cell(", ".join(m.roles)), standing_cell(m.standing)) for m in statement.media]
    return [table("Media application profiles", ("Profile", "Roles", "Standing"), rows)]


def items(entries: Sequence[Item], caption: str, empty: str) -> list[Block]:
    """Named texts."""
    if not entries:
        return [Paragraph(empty)]
    rows = [(cell(i.name), cell(i.value), standing_cell(i.standing)) for i in entries]
    return [table(caption, ("Name", "Value", "Standing"), rows)]


def claims_table(statement: Statement) -> list[Block]:
    """IHE profiles and actors with the standing of each transaction."""
    if not statement.claims:
        return [Paragraph("No integration profile is claimed.")]
    rows = []
    for claim in statement.claims:
        rows.append((cell(claim.profile), cell(claim.actor), Cell("as a whole"), standing_cell(claim.standing)))
        for transaction in claim.transactions:
            text = f"{transaction.id} {transaction.name}"
            rows.append((cell(claim.profile), cell(claim.actor), cell(text), standing_cell(transaction.standing)))
        for option in claim.options:
            text = f"Option: {option.name}"
            rows.append((cell(claim.profile), cell(claim.actor), cell(text), standing_cell(option.standing)))
    return [table("IHE integration profiles", ("Profile", "Actor", "Transaction or option", "Standing"), rows)]


def evidence(statement: Statement) -> list[Block]:
    """Contradictions with their findings, then the runs that stand behind the marks."""
    rows = []
    named = [(f"{c.name} {c.role.value}", c.standing) for c in statement.sop_classes]
    for claim in statement.claims:
        prefix = f"{claim.profile} {claim.actor}"
        named += [(f"{prefix}, {t.id}", t.standing) for t in claim.transactions]
        named += [(f"{prefix}, {o.name}", o.standing) for o in claim.options]
    for name, standing in named:
        if standing.state is not State.CONTRADICTED:
            continue
        for proof in standing.proofs or ():
            what = proof.summary or standing.note
            if proof.waived:
                what += f" (known: {proof.waived})"
            row = (
                cell(name),
                code(proof.requirement),
                cell(what),
                Cell(proof.scenario, None, True, proof.anchor),
                code(proof.run),
            )
            rows.append(row)
    blocks: list[Block] = []
    if rows:
        headings = ("Claim", "Requirement", "Finding", "Scenario", "Run")
        blocks.append(table("Contradicted claims", headings, rows))
    else:
        blocks.append(Paragraph("No claim is contradicted by what was observed."))
    if statement.sources:
        sources = [(cell(source),) for source in statement.sources]
        blocks.append(table("Sources of this statement", ("Source",), sources))
    return blocks
