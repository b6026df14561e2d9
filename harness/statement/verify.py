"""Where a statement and what was observed differ."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from harness.statement import vocabulary
from harness.statement.model import ActorClaim, AssociationPolicy, Role, SopClass, State, Statement
from harness.statement.observation import Observed

_TOLD_SINGLY: Final = 3


@dataclass(frozen=True, slots=True)
class Difference:
    """One place where the statement says another thing than the product did; ``where`` names scenarios."""

    subject: str
    stated: str
    seen: str
    where: tuple[str, ...] = ()


def differences(statement: Statement, seen: Statement, observed: Observed) -> tuple[Difference, ...]:
    """``seen`` is a statement built from the run with the claims of ``statement``; ``observed`` is the same run."""
    return (
        *_grouped(_sop_classes(statement, observed)),
        *_policies(statement, seen),
        *_character_sets(statement, observed),
        *_claims(statement.claims, seen.claims),
    )


def _sop_classes(statement: Statement, observed: Observed) -> Iterator[Difference]:
    stated: Mapping[tuple[str, Role], SopClass] = {(c.uid, c.role): c for c in statement.sop_classes}
    for (uid, role), entry in stated.items():
        support = observed.supports.get((uid, role))
        if support is None:
            continue
        subject = f"{entry.name} as {role}"
        if support.refused and not support.accepted:
            yield Difference(subject, "supported", "refused", _names(support.refused))
            continue
        for syntax in entry.transfer_syntaxes:
            if syntax in support.refused_syntaxes and syntax not in support.accepted:
                yield Difference(subject, f"accepts {vocabulary.name_of(syntax)}", "refused")
        if entry.transfer_syntaxes:
            for syntax in sorted(support.transfer_syntaxes - set(entry.transfer_syntaxes)):
                scenarios = support.accepted.get(syntax) or support.proposed.get(syntax) or set()
                yield Difference(subject, "not stated", f"uses {vocabulary.name_of(syntax)}", _names(scenarios))
    for (uid, role), support in sorted(observed.supports.items()):
        if (uid, role) not in stated and support.exercised:
            name = vocabulary.name_of(uid)
            yield Difference(f"{name} as {role}", "not stated", "was used", _names(support.exercised))


def _grouped(found: Iterable[Difference]) -> Iterator[Difference]:
    """The same difference of many SOP classes in one role is told once."""
    groups: dict[tuple[str, str, tuple[str, ...], str], list[Difference]] = {}
    for difference in found:
        role = difference.subject.rpartition(" as ")[2]
        groups.setdefault((difference.stated, difference.seen, difference.where, role), []).append(difference)
    for (stated, seen, where, role), members in groups.items():
        if len(members) <= _TOLD_SINGLY:
            yield from members
            continue
        names = ", ".join(member.subject.rpartition(" as ")[0] for member in members[:_TOLD_SINGLY])
        yield Difference(f"{len(members)} SOP classes as {role} ({names} and others)", stated, seen, where)


def _policies(statement: Statement, seen: Statement) -> Iterator[Difference]:
    if not seen.entities:
        return
    title = seen.entities[0].title
    mine = next((e for e in statement.entities if e.title == title), None)
    if mine is None:
        if statement.entities:
            stated = ", ".join(e.title for e in statement.entities)
            yield Difference("AE title", stated, ", ".join(e.title for e in seen.entities))
        return
    words = {
        "max_pdu": "Maximum PDU size",
        "implementation_class_uid": "Implementation class UID",
        "implementation_version": "Implementation version name",
        "checks_called_title": "Refuses other called AE titles",
        "checks_calling_title": "Refuses unknown calling AE titles",
    }
    for name, subject in words.items():
        left, right = _policy(mine.policy, name), _policy(seen.entities[0].policy, name)
        if left and right and left != right:
            yield Difference(f"{subject} of {title}", left, right)


def _policy(policy: AssociationPolicy, name: str) -> str:
    value = getattr(policy, name)
    return "" if value is None else str(value)


def _character_sets(statement: Statement, observed: Observed) -> Iterator[Difference]:
    stated = {c.term for c in statement.character_sets}
    if not stated:
        return
    for term, scenarios in sorted(observed.character_sets.items()):
        if term and term not in stated:
            name = vocabulary.CHARACTER_SETS.get(term) or "unknown"
            yield Difference(f"Character set {term}", "not stated", f"was used ({name})", _names(scenarios))


def _claims(stated: tuple[ActorClaim, ...], seen: tuple[ActorClaim, ...]) -> Iterator[Difference]:
    for claim in seen:
        subject = f"{claim.profile} {claim.actor}"
        for transaction in claim.transactions:
            if transaction.standing.state is State.CONTRADICTED:
                where = tuple(f"{p.scenario} ({p.requirement})" for p in transaction.standing.proofs)
                seen_text = f"broken: {transaction.standing.note}"
                yield Difference(f"{subject}, {transaction.id} {transaction.name}", "supported", seen_text, where)
        for option in claim.options:
            if option.standing.state is State.CONTRADICTED:
                where = tuple(f"{p.scenario} ({p.requirement})" for p in option.standing.proofs)
                yield Difference(f"{subject}, {option.name}", "supported", f"broken: {option.standing.note}", where)
        mine = next((c for c in stated if (c.profile, c.actor) == (claim.profile, claim.actor)), None)
        if mine is None:
            continue
        verified = State.VERIFIED
        if mine.standing.state is verified and claim.standing.state is not verified:
            note = claim.standing.note or claim.standing.state.words
            yield Difference(subject, "verified as a whole", f"not so in this run: {note}")


def _names(scenarios: set[str]) -> tuple[str, ...]:
    return tuple(sorted(scenarios)[:5])
