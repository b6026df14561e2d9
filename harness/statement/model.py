"""The one model of a statement: every claim of a product with how well it stands.

None and empty mean unknown; nothing is filled in that neither the product's files nor the wire said. The fields and
their types are the schema: JSON, JSON Schema, XML and XSD are derived from them (:mod:`harness.statement.codec`).
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, field

SCHEMA_VERSION = 1


class State(enum.StrEnum):
    """How well a claim stands."""

    VERIFIED = "verified"
    ATTESTED = "attested"
    DECLARED = "declared"
    NEGOTIATED = "negotiated"
    CONTRADICTED = "contradicted"

    @property
    def words(self) -> str:
        """How documents say it."""
        return {
            State.VERIFIED: "verified",
            State.ATTESTED: "attested",
            State.DECLARED: "declared, not verified",
            State.NEGOTIATED: "seen in negotiation only",
            State.CONTRADICTED: "contradicted",
        }[self]


class Role(enum.StrEnum):
    """The role of the product in a service class (PS3.4)."""

    SCU = "SCU"
    SCP = "SCP"


@dataclass(frozen=True, slots=True)
class Proof:
    """Where it was seen: a run, a scenario with its place in the page of the run, and the finding if one was judged."""

    run: str
    scenario: str
    requirement: str = ""
    verdict: str = ""
    summary: str = ""
    waived: str = ""
    anchor: str = ""


@dataclass(frozen=True, slots=True)
class Standing:
    """How well one claim stands, whether the product itself makes it, and why."""

    state: State = State.DECLARED
    declared: bool = True
    note: str = ""
    proofs: tuple[Proof, ...] = ()


@dataclass(frozen=True, slots=True)
class Product:
    """What the statement is about; links are those of its vendor."""

    name: str
    version: str = ""
    vendor: str = ""
    description: str = ""
    ihe_url: str = ""
    dicom_url: str = ""
    hl7_url: str = ""


@dataclass(frozen=True, slots=True)
class AssociationPolicy:
    """What an application entity does with associations; sizes in bytes, None where nobody said or saw it."""

    max_pdu: int | None = None
    implementation_class_uid: str = ""
    implementation_version: str = ""
    max_associations: int | None = None
    checks_called_title: bool | None = None
    checks_calling_title: bool | None = None
    initiates: bool | None = None
    accepts: bool | None = None


@dataclass(frozen=True, slots=True)
class ApplicationEntity:
    """One AE of the product. ``port`` is None where it is not fixed."""

    title: str
    purpose: str = ""
    port: int | None = None
    policy: AssociationPolicy = AssociationPolicy()


@dataclass(frozen=True, slots=True)
class SopClass:
    """Support of one SOP class in one role, with the transfer syntaxes of that role."""

    uid: str
    name: str
    service: str
    role: Role
    transfer_syntaxes: tuple[str, ...] = ()
    standing: Standing = Standing()


@dataclass(frozen=True, slots=True)
class AttributeUse:
    """An attribute in the messages of an activity; tag as ``(0010,0010)``.

    ``presence``: ``always`` or ``sometimes`` in the messages seen; ``filled`` the same for a value in it, or ``never``.
    """

    tag: str
    keyword: str
    presence: str
    filled: str


@dataclass(frozen=True, slots=True)
class StatusUse:
    """A status that was sent or received; four hexadecimal digits."""

    code: str
    meaning: str
    sender: str
    behaviour: str = ""


@dataclass(frozen=True, slots=True)
class Activity:
    """A real-world activity: a DIMSE message of a SOP class, who sends it, what is in it, how it is answered."""

    name: str
    service: str
    sop_class: str
    message: str
    role: Role
    initiator: bool
    transactions: tuple[str, ...] = ()
    attributes: tuple[AttributeUse, ...] = ()
    statuses: tuple[StatusUse, ...] = ()
    standing: Standing = Standing()


@dataclass(frozen=True, slots=True)
class MediaProfile:
    """A media application profile (PS3.11) with the roles FSC, FSR, FSU."""

    name: str
    roles: tuple[str, ...] = ()
    standing: Standing = Standing()


@dataclass(frozen=True, slots=True)
class CharacterSet:
    """A value of Specific Character Set; the empty term is the default repertoire."""

    term: str
    name: str
    standing: Standing = Standing()


@dataclass(frozen=True, slots=True)
class Item:
    """A named thing with a text: security profiles, configuration, documented behaviour."""

    name: str
    value: str = ""
    standing: Standing = Standing()


@dataclass(frozen=True, slots=True)
class TransactionClaim:
    """One IHE transaction of a claimed actor."""

    id: str
    name: str
    required: bool
    standing: Standing = Standing()


@dataclass(frozen=True, slots=True)
class OptionClaim:
    """One declared option of a claimed actor."""

    name: str
    standing: Standing = Standing()


@dataclass(frozen=True, slots=True)
class ActorClaim:
    """An actor of an integration profile; ``missing`` are required transactions that the product does not claim."""

    profile: str
    profile_name: str
    actor: str
    transactions: tuple[TransactionClaim, ...] = ()
    options: tuple[OptionClaim, ...] = ()
    missing: tuple[str, ...] = ()
    standing: Standing = Standing()

    @property
    def complete(self) -> bool:
        """Whether every required transaction is claimed: only then is it an integration claim (GI appendix F)."""
        return not self.missing


@dataclass(frozen=True, slots=True)
class Statement:
    """Everything. ``published`` is a full date (2026-11-21) or empty; ``sources`` say what it was made from."""

    product: Product
    schema_version: int = SCHEMA_VERSION
    published: str = ""
    revision: str = ""
    framework: str = ""
    sources: tuple[str, ...] = ()
    entities: tuple[ApplicationEntity, ...] = ()
    sop_classes: tuple[SopClass, ...] = ()
    activities: tuple[Activity, ...] = ()
    claims: tuple[ActorClaim, ...] = ()
    media: tuple[MediaProfile, ...] = ()
    character_sets: tuple[CharacterSet, ...] = ()
    security: tuple[Item, ...] = ()
    configuration: tuple[Item, ...] = ()
    behaviour: tuple[Item, ...] = ()
    contradictions: tuple[str, ...] = field(default=())
