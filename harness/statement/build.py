"""A statement from what a product declares (its SUT file) and from what was observed (runs, probes, configuration)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from harness.core.errors import UsageError
from harness.core.result import RunResult
from harness.core.verdict import Verdict
from harness.profiles import registry
from harness.statement import vocabulary
from harness.statement.claims import Claimed, claimed, judge_claims
from harness.statement.model import (
    Activity,
    ApplicationEntity,
    AssociationPolicy,
    AttributeUse,
    CharacterSet,
    Item,
    MediaProfile,
    Product,
    Proof,
    Role,
    SopClass,
    Standing,
    State,
    Statement,
    StatusUse,
)
from harness.statement.observation import Exchange, Observed, presence, tag_text

#: keys of ``[statement]`` that have a place of their own; others are shown as documented behaviour
KNOWN_KEYS: Final = frozenset(
    (
        "description", "published", "revision", "framework", "ihe_url", "dicom_url", "hl7_url", "sop_classes",
        "storage_sop_classes", "display_sop_classes", "transfer_syntaxes", "character_sets", "media", "security",
        "configuration", "max_pdu", "max_associations", "checks_called_title", "checks_calling_title", "purpose",
    )
)  # fmt: skip
_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}")


@dataclass(frozen=True, slots=True)
class Declared:
    """What a product says of itself. ``sop_classes``: (UID, role) -> transfer syntaxes; ``text``: ``[statement]``."""

    product: Product
    ae_titles: tuple[str, ...] = ()
    port: int | None = None
    claims: tuple[Claimed, ...] = ()
    text: Mapping[str, Any] = field(default_factory=dict)
    sop_classes: Mapping[tuple[str, Role], tuple[str, ...]] = field(default_factory=dict)


def declared_from(
    product: Mapping[str, Any],
    claims: Iterable[Mapping[str, Any]],
    text: Mapping[str, Any],
    *,
    ae_titles: Sequence[str] = (),
    port: int | None = None,
    file: str = "",
) -> Declared:
    """From the tables of a SUT file. Raises UsageError for a ``[statement]`` that cannot be understood."""
    wrong = f"{file}: [statement]" if file else "[statement]"
    claim_list = claimed(claims)
    return Declared(
        product=Product(
            str(product.get("name", "")),
            str(product.get("version", "")),
            str(product.get("vendor", "")),
            *(str(text.get(key, "")) for key in ("description", "ihe_url", "dicom_url", "hl7_url")),
        ),
        ae_titles=tuple(ae_titles),
        port=port or None,
        claims=claim_list,
        text=dict(text),
        sop_classes={**_implied(claim_list), **_named(text, wrong)},
    )


def _implied(claims: Sequence[Claimed]) -> dict[tuple[str, Role], tuple[str, ...]]:
    """SOP classes that claimed transactions need."""
    result: dict[tuple[str, Role], tuple[str, ...]] = {}
    for claim in claims:
        profile = registry.profile(claim.profile)
        actor = profile.actor(claim.actor) if profile else None
        for number in claim.transactions if claim.transactions is not None else (actor.required if actor else ()):
            transaction = registry.TRANSACTIONS.get(number)
            if transaction is None:
                continue
            for uid in vocabulary.TRANSACTION_CLASSES.get(number, ()):
                if claim.actor in transaction.initiators:
                    result[(uid, Role.SCU)] = ()
                if claim.actor in transaction.responders:
                    result[(uid, Role.SCP)] = ()
    return result


def _named(text: Mapping[str, Any], wrong: str) -> dict[tuple[str, Role], tuple[str, ...]]:
    """SOP classes that the product lists: ``sop_classes = [{uid, role, transfer_syntaxes}]`` and two lists of UIDs."""
    common = tuple(str(ts) for ts in text.get("transfer_syntaxes") or ())
    result: dict[tuple[str, Role], tuple[str, ...]] = {}
    for key in ("storage_sop_classes", "display_sop_classes"):
        for uid in text.get(key) or ():
            result[(str(uid), Role.SCP)] = common
    for number, entry in enumerate(text.get("sop_classes") or (), 1):
        try:
            uid, roles = str(entry["uid"]), str(entry["role"]).upper().replace("/", " ").split()
            for role in roles:
                result[(uid, Role(role))] = tuple(str(ts) for ts in entry.get("transfer_syntaxes") or common)
        except (KeyError, TypeError, ValueError, AttributeError):
            raise UsageError(
                f"{wrong} sop_classes, entry {number}: expected a table with uid, role (SCU, SCP or both) and "
                "transfer_syntaxes"
            ) from None
    return result


def build(
    declared: Declared, observed: Observed | None = None, run: RunResult | None = None, *, sources: Sequence[str] = ()
) -> Statement:
    """The statement of a product. What neither was declared nor seen is unknown."""
    seen = observed or Observed()
    run_id = run.run_id if run is not None else "probe"
    maker = _Maker(declared, seen, run_id, run)
    claims = judge_claims(declared.claims, run)
    sop_classes = maker.sop_classes()
    text = declared.text
    return Statement(
        product=declared.product,
        published=_published(text),
        revision=str(text.get("revision", "")),
        framework=str(text.get("framework", "")),
        sources=tuple(sources),
        entities=maker.entities(),
        sop_classes=sop_classes,
        activities=maker.activities(),
        claims=claims,
        media=maker.media(),
        character_sets=maker.character_sets(),
        security=_items(text.get("security")),
        configuration=_items(text.get("configuration")),
        behaviour=tuple(
            Item(key.replace("_", " "), _shown(value), Standing(State.DECLARED))
            for key, value in sorted(text.items())
            if key not in KNOWN_KEYS
        ),
        contradictions=tuple(
            f"{c.name} as {c.role}: {c.standing.note}" for c in sop_classes if c.standing.state is State.CONTRADICTED
        )
        + tuple(
            f"{claim.actor} ({claim.profile}), {t.id} {t.name}: {t.standing.note}"
            for claim in claims
            for t in claim.transactions
            if t.standing.state is State.CONTRADICTED
        ),
    )


class _Maker:
    def __init__(self, declared: Declared, seen: Observed, run_id: str, run: RunResult | None = None) -> None:
        self.declared, self.seen, self.run_id, self.run = declared, seen, run_id, run

    def entities(self) -> tuple[ApplicationEntity, ...]:
        titles = list(dict.fromkeys((*self.declared.ae_titles, *sorted(self.seen.titles))))
        policy = self._policy()
        purpose = str(self.declared.text.get("purpose", ""))
        return tuple(
            ApplicationEntity(title, purpose, self.declared.port if number == 0 else None, policy)
            for number, title in enumerate(titles)
        )

    def _policy(self) -> AssociationPolicy:
        seen, text = self.seen, self.declared.text
        refused = {"called": seen.called_title_refused, "calling": seen.calling_title_refused}
        foreign = {
            "called": seen.foreign_called_title_accepted,
            "calling": seen.foreign_calling_title_accepted,
        }

        def checks(which: str) -> bool | None:
            if refused[which]:
                return True
            if foreign[which]:
                return False
            stated = text.get(f"checks_{which}_title")
            return stated if isinstance(stated, bool) else None

        return AssociationPolicy(
            max_pdu=_number(min(seen.max_pdus)) if seen.max_pdus else _number(text.get("max_pdu")),
            implementation_class_uid=", ".join(sorted(seen.class_uids)),
            implementation_version=", ".join(sorted(seen.versions)),
            max_associations=_number(text.get("max_associations")),
            checks_called_title=checks("called"),
            checks_calling_title=checks("calling"),
            # what was not seen may still happen: unknown, not "no"
            initiates=seen.initiates or None,
            accepts=seen.accepts or None,
        )

    def sop_classes(self) -> tuple[SopClass, ...]:
        keys = set(self.declared.sop_classes) | {
            key for key, s in self.seen.supports.items() if s.accepted or s.proposed or s.exercised
        }
        result = []
        for uid, role in keys:
            service = vocabulary.service_of(uid)
            syntaxes = dict.fromkeys(self.declared.sop_classes.get((uid, role), ()))
            if (support := self.seen.supports.get((uid, role))) is not None:
                syntaxes |= dict.fromkeys(sorted(support.transfer_syntaxes, key=_uid_key))
            result.append(
                SopClass(uid, vocabulary.name_of(uid), service, role, tuple(syntaxes), self._class_standing(uid, role))
            )
        return tuple(sorted(result, key=lambda c: (c.service != "Verification", c.service, _uid_key(c.uid), c.role)))

    def _class_standing(self, uid: str, role: Role) -> Standing:
        is_declared = (uid, role) in self.declared.sop_classes
        support = self.seen.supports.get((uid, role))
        if support is None:
            return Standing(State.DECLARED, is_declared)
        if support.exercised:
            if broken := self._broken(uid, support.exercised):
                note = f"used, but requirements were broken: {', '.join(broken)}"
                state = State.DECLARED if is_declared else State.NEGOTIATED
                return Standing(state, is_declared, note, self._proofs(support.exercised))
            return Standing(State.VERIFIED, is_declared, proofs=self._proofs(support.exercised))
        if support.refused and not support.accepted:
            where = self._proofs(support.refused)
            return Standing(State.CONTRADICTED, is_declared, "the product refused this SOP class", where)
        state = State.DECLARED if is_declared else State.NEGOTIATED
        if support.accepted:
            note = "agreed in negotiation, not exercised" if is_declared else ""
            if role is Role.SCU and not support.proposed:
                note = "as user of an association that the peer opens (role selection)"
            return Standing(state, is_declared, note, self._proofs(set().union(*support.accepted.values())))
        return Standing(state, is_declared, "proposed by the product" if support.proposed else "")

    def _broken(self, uid: str, scenarios: set[str]) -> list[str]:
        """Requirements that the product broke where it used that SOP class, of transactions that use it."""
        rows = registry.requirements()
        return sorted(
            {
                finding.requirement
                for scenario in (self.run.scenarios if self.run is not None else ())
                if scenario.id in scenarios
                for finding in scenario.findings
                if finding.verdict is Verdict.FAIL and (row := rows.get(finding.requirement)) is not None
                for number in row.transactions
                if (transaction := registry.TRANSACTIONS.get(number)) is not None
                and _uses(number, transaction.service, uid)
            }
        )

    def _proofs(self, scenarios: Iterable[str]) -> tuple[Proof, ...]:
        return tuple(Proof(self.run_id, name) for name in sorted(scenarios))

    def activities(self) -> tuple[Activity, ...]:
        result = []
        for (uid, message, role), exchange in self.seen.exchanges.items():
            support = self.seen.supports.get((uid, role))
            shared = support.exercised & exchange.scenarios if support is not None else set()
            good = bool(shared) and not self._broken(uid, shared)
            result.append(
                Activity(
                    name=vocabulary.activity_name(message, uid),
                    service=vocabulary.service_of(uid),
                    sop_class=uid,
                    message=message,
                    role=role,
                    initiator=exchange.initiated > 0,
                    transactions=self._transactions(uid, message, role),
                    attributes=_attributes(exchange),
                    statuses=_statuses(exchange, self._behaviour(message)),
                    standing=Standing(
                        State.VERIFIED if good else State.NEGOTIATED,
                        (uid, role) in self.declared.sop_classes,
                        proofs=self._proofs(exchange.scenarios),
                    ),
                )
            )
        return tuple(sorted(result, key=lambda a: (a.service, _uid_key(a.sop_class), a.message, a.role)))

    def _behaviour(self, message: str) -> str:
        key = {"C-STORE": "store_failure", "N-ACTION": "commitment_failure", "N-EVENT-REPORT": "commitment_failure"}
        return str(self.declared.text.get(key.get(message, ""), ""))

    def _transactions(self, uid: str, message: str, role: Role) -> tuple[str, ...]:
        """The claimed transactions that this message belongs to."""
        claimed_ids: dict[str, None] = {}
        for claim in self.declared.claims:
            profile = registry.profile(claim.profile)
            actor = profile.actor(claim.actor) if profile else None
            ids = claim.transactions if claim.transactions is not None else (actor.required if actor else ())
            for number in ids:
                transaction = registry.TRANSACTIONS.get(number)
                if transaction is None:
                    continue
                side = transaction.initiators if role is Role.SCU else transaction.responders
                if claim.actor in side and _belongs(number, transaction.service, uid, message):
                    claimed_ids[number] = None
        return tuple(claimed_ids)

    def media(self) -> tuple[MediaProfile, ...]:
        result = []
        for entry in self.declared.text.get("media") or ():
            if isinstance(entry, Mapping):
                roles = entry.get("roles") or ()
                result.append(MediaProfile(str(entry.get("profile", "")), tuple(str(role) for role in roles)))
            else:
                result.append(MediaProfile(str(entry)))
        return tuple(result)

    def character_sets(self) -> tuple[CharacterSet, ...]:
        declared = [str(term) for term in self.declared.text.get("character_sets") or ()]
        result = []
        for term in dict.fromkeys((*declared, *sorted(self.seen.character_sets))):
            scenarios = self.seen.character_sets.get(term)
            standing = Standing(State.DECLARED)
            if scenarios:
                standing = Standing(State.VERIFIED, term in declared, proofs=self._proofs(scenarios))
            result.append(CharacterSet(term, vocabulary.CHARACTER_SETS.get(term, ""), standing))
        return tuple(result)


def _uses(number: str, service: str, uid: str) -> bool:
    """Whether a transaction travels in this SOP class."""
    exact = vocabulary.TRANSACTION_CLASSES.get(number, ())
    return uid in exact or ("C-STORE" in service and not exact and vocabulary.service_of(uid) == "Storage")


def _belongs(number: str, service: str, uid: str, message: str) -> bool:
    if "C-STORE" in service:
        exact = vocabulary.TRANSACTION_CLASSES.get(number)
        return message == "C-STORE" and (uid in exact if exact else vocabulary.service_of(uid) == "Storage")
    if uid not in vocabulary.TRANSACTION_CLASSES.get(number, ()):
        return False
    return not service.split()[-1].startswith("N-") or service.endswith(message)


def _attributes(exchange: Exchange) -> tuple[AttributeUse, ...]:
    result = []
    for tag, (present, filled) in sorted(exchange.attributes.items()):
        text, keyword = tag_text(tag)
        result.append(AttributeUse(text, keyword, presence(present, exchange.sampled), presence(filled, present)))
    return tuple(result)


def _statuses(exchange: Exchange, behaviour: str) -> tuple[StatusUse, ...]:
    return tuple(
        StatusUse(
            f"{code:04X}",
            vocabulary.status_meaning(code),
            "product" if by_product else "peer",
            behaviour if not by_product and code not in (0, 0xFF00, 0xFF01) else "",
        )
        for code, by_product in sorted(exchange.statuses)
    )


def _items(value: Any) -> tuple[Item, ...]:
    """``[{name, value}]``, ``{name = value}`` or a list of texts."""
    if isinstance(value, Mapping):
        return tuple(Item(str(name), _shown(text)) for name, text in sorted(value.items()))
    result = []
    for entry in value or ():
        if isinstance(entry, Mapping):
            result.append(Item(str(entry.get("name", "")), _shown(entry.get("value", entry.get("text", "")))))
        else:
            result.append(Item(str(entry)))
    return tuple(result)


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ", ".join(str(v) for v in value) if isinstance(value, list | tuple) else str(value)


def _number(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def _published(text: Mapping[str, Any]) -> str:
    value = str(text.get("published", ""))
    if value and not _DATE.fullmatch(value):
        raise UsageError(f"[statement] published: a full date such as 2026-11-21 is expected, {value!r} was found")
    return value


def _uid_key(uid: str) -> tuple[tuple[int, str], ...]:
    return tuple((len(part), part) for part in uid.split("."))
