"""What two products share and what would fail between them: SOP classes by role, syntaxes, transactions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from harness.profiles import registry
from harness.statement import vocabulary
from harness.statement.model import ActorClaim, Role, SopClass, State, Statement


@dataclass(frozen=True, slots=True)
class Link:
    """One SOP class with ``user`` as SCU and ``provider`` as SCP; ``problem`` is empty if it can work."""

    service: str
    uid: str
    name: str
    user: str
    provider: str
    transfer_syntaxes: tuple[str, ...] = ()
    problem: str = ""


@dataclass(frozen=True, slots=True)
class TransactionLink:
    """One IHE transaction between two products; ``problem`` is empty if both sides claim it."""

    id: str
    name: str
    initiator: str
    responder: str
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Comparison:
    """The answer. ``remarks`` are differences that break nothing by themselves."""

    links: tuple[Link, ...]
    transactions: tuple[TransactionLink, ...]
    shared_character_sets: tuple[str, ...]
    only_first: tuple[str, ...]
    only_second: tuple[str, ...]
    remarks: tuple[str, ...]

    @property
    def problems(self) -> tuple[str, ...]:
        """What would fail, one sentence each."""
        classes = [f"{link.user} → {link.provider}, {link.name}: {link.problem}" for link in self.links if link.problem]
        ihe = [
            f"{t.initiator} → {t.responder}, {t.id} {t.name}: {t.problem}" for t in self.transactions if t.problem
        ]  # fmt: skip
        return (*classes, *ihe)


def compare(first: Statement, second: Statement) -> Comparison:
    """Hold two statements against each other, in both directions."""
    names = _names(first, second)
    a, b = ({c.term or "ISO_IR 6" for c in s.character_sets} for s in (first, second))
    return Comparison(
        links=(*_links(first, second, *names), *_links(second, first, names[1], names[0])),
        transactions=(*_transactions(first, second, *names), *_transactions(second, first, names[1], names[0])),
        shared_character_sets=tuple(sorted(a & b)),
        only_first=tuple(sorted(a - b)) if a and b else (),
        only_second=tuple(sorted(b - a)) if a and b else (),
        remarks=tuple(_remarks(first, second, *names)),
    )


def _names(first: Statement, second: Statement) -> tuple[str, str]:
    """How the two are called; a product compared with itself is told apart by version."""
    a, b = first.product, second.product
    if a.name != b.name:
        return a.name, b.name
    left, right = f"{a.name} {a.version}".strip(), f"{b.name} {b.version}".strip()
    return (left, right) if left != right else (f"{left} (A)", f"{right} (B)")


def _links(user: Statement, provider: Statement, user_name: str, provider_name: str) -> Iterator[Link]:
    """What the user asks for, where the provider has anything of that service."""
    offered = {c.uid: c for c in provider.sop_classes if c.role is Role.SCP and _works(c)}
    services = {c.service for c in offered.values()}
    for wanted in user.sop_classes:
        if wanted.role is not Role.SCU or not _works(wanted) or wanted.service not in services:
            continue
        found = offered.get(wanted.uid)
        link = Link(wanted.service, wanted.uid, wanted.name, user_name, provider_name)
        if found is None:
            problem = f"{provider_name} is not known to provide this SOP class"
        elif not wanted.transfer_syntaxes or not found.transfer_syntaxes:
            problem = ""
        elif not (shared := _shared(wanted, found)):
            problem = "no transfer syntax in common"
        else:
            yield Link(*_head(link), shared)
            continue
        yield Link(*_head(link), (), problem)


def _head(link: Link) -> tuple[str, str, str, str, str]:
    return link.service, link.uid, link.name, link.user, link.provider


def _works(entry: SopClass) -> bool:
    return entry.standing.state is not State.CONTRADICTED


def _shared(wanted: SopClass, found: SopClass) -> tuple[str, ...]:
    return tuple(uid for uid in wanted.transfer_syntaxes if uid in found.transfer_syntaxes)


def _transactions(
    initiator: Statement, responder: Statement, initiator_name: str, responder_name: str
) -> Iterator[TransactionLink]:
    seen: set[tuple[str, str]] = set()
    for claim in initiator.claims:
        for transaction in claim.transactions:
            known = registry.TRANSACTIONS.get(transaction.id)
            if known is None or claim.actor not in known.initiators or (claim.profile, known.id) in seen:
                continue
            partners = [
                other
                for other in responder.claims
                if other.profile == claim.profile and other.actor in known.responders
            ]
            if not partners:
                continue
            seen.add((claim.profile, known.id))
            link = TransactionLink(known.id, f"{known.name} ({claim.profile})", initiator_name, responder_name)
            problem = _problem(partners, known.id, responder_name)
            if transaction.standing.state is State.CONTRADICTED:
                problem = f"{initiator_name} broke it: {transaction.standing.note}"
            yield TransactionLink(link.id, link.name, link.initiator, link.responder, problem)


def _problem(partners: list[ActorClaim], number: str, responder_name: str) -> str:
    for partner in partners:
        for transaction in partner.transactions:
            if transaction.id == number:
                if transaction.standing.state is State.CONTRADICTED:
                    return f"{responder_name} broke it: {transaction.standing.note}"
                return ""
    return f"{responder_name} does not claim it"


def _remarks(first: Statement, second: Statement, first_name: str, second_name: str) -> Iterator[str]:
    for statement, name in ((first, first_name), (second, second_name)):
        if not statement.character_sets:
            yield f"{name} states no character sets: names that are not ASCII may be damaged"
        for entity in statement.entities:
            if entity.policy.checks_called_title:
                yield f"{name} refuses associations that do not call it {entity.title}"
            if entity.policy.checks_calling_title:
                yield f"{name} refuses AE titles that it does not know: enter the other side's title there"
    for sender, receiver, name, other in (
        (first, second, first_name, second_name),
        (second, first, second_name, first_name),
    ):
        stated = {c.term for c in receiver.character_sets}
        beyond = sorted({c.term for c in sender.character_sets if c.term} - stated)
        # the default repertoire is a part of every other one
        if stated and beyond:
            yield f"{name} sends text in {', '.join(beyond)}, which {other} does not state: names may be damaged there"
    compressed = {
        uid
        for statement in (first, second)
        for entry in statement.sop_classes
        for uid in entry.transfer_syntaxes
        if vocabulary.registered(uid) is None
    }
    for uid in sorted(compressed):
        yield f"{uid} is no transfer syntax of the standard"
