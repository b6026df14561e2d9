"""What transcripts show of a product: negotiation, exchanges, statuses, attributes. Facts only, no judgement."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from pydicom.datadict import keyword_for_tag
from pydicom.dataset import Dataset

from harness.core.message import Blob, Direction, Message
from harness.core.transcript import Transcript
from harness.protocols.dicom import datasets
from harness.protocols.dicom.errors import WireError
from harness.reporting.evidence import read_blob
from harness.statement.model import Role

#: data sets larger than this are not opened, and of each activity not more than this many
MAX_DATASET: Final = 8 * 1024 * 1024
MAX_SAMPLES: Final = 60
MAX_ATTRIBUTES: Final = 400
_WARNINGS: Final = frozenset((0x0001, 0x0107, 0x0116))
_REFUSED_CLASS: Final = 3
_REFUSED_SYNTAX: Final = 4


@dataclass(slots=True)
class Support:
    """One SOP class in one role, as far as it was seen. Values are the scenarios that showed it."""

    accepted: dict[str, set[str]] = field(default_factory=dict)  # transfer syntax -> scenarios
    proposed: dict[str, set[str]] = field(default_factory=dict)  # by the product, as requestor
    refused: set[str] = field(default_factory=set)  # the class as such
    refused_syntaxes: set[str] = field(default_factory=set)
    exercised: set[str] = field(default_factory=set)  # an exchange that ended well

    @property
    def transfer_syntaxes(self) -> frozenset[str]:
        """Those the product accepted, or proposed as requestor."""
        return frozenset(self.accepted) | frozenset(self.proposed)


@dataclass(slots=True)
class Exchange:
    """One kind of message of one SOP class in one role: how often, what was in it, how it was answered."""

    initiated: int = 0  # messages that the product sent
    received: int = 0
    scenarios: set[str] = field(default_factory=set)
    statuses: dict[tuple[int, bool], int] = field(default_factory=dict)  # (status, sent by the product)
    sampled: int = 0
    attributes: dict[int, list[int]] = field(default_factory=dict)  # tag -> [present, filled]


@dataclass(slots=True)
class Observed:
    """Everything that was seen of one product."""

    supports: dict[tuple[str, Role], Support] = field(default_factory=dict)
    exchanges: dict[tuple[str, str, Role], Exchange] = field(default_factory=dict)  # (SOP class, message, role)
    titles: set[str] = field(default_factory=set)
    max_pdus: set[int] = field(default_factory=set)
    class_uids: set[str] = field(default_factory=set)
    versions: set[str] = field(default_factory=set)
    character_sets: dict[str, set[str]] = field(default_factory=dict)
    initiates: bool = False
    accepts: bool = False
    called_title_refused: bool = False
    calling_title_refused: bool = False
    foreign_called_title_accepted: bool = False
    foreign_calling_title_accepted: bool = False

    def support(self, uid: str, role: Role) -> Support:
        """The entry of a SOP class and role, made when it is first asked for."""
        return self.supports.setdefault((uid, role), Support())


@dataclass(slots=True)
class _Association:
    request: Message
    answered: bool = False
    #: abstract syntax -> roles that the product has in an open association
    requests: dict[tuple[bool, int], tuple[str, str, Role]] = field(default_factory=dict)


def observe(
    transcripts: Iterable[tuple[str, Transcript]],
    titles: frozenset[str] = frozenset(),
    strangers: frozenset[str] = frozenset(),
) -> Observed:
    """Collect what transcripts show; each is named (a scenario id).

    ``titles`` are the product's own AE titles, as far as they are known: a request for another one that is accepted
    shows that called titles are not checked. ``strangers`` are calling titles that the product cannot know.
    """
    seen = Observed()
    for name, transcript in transcripts:
        _Reader(seen, name, titles, strangers).read(transcript)
    return seen


class _Reader:
    def __init__(self, seen: Observed, name: str, titles: frozenset[str], strangers: frozenset[str]) -> None:
        self.seen, self.name, self.titles, self.strangers = seen, name, titles, strangers
        self.associations: dict[int, _Association] = {}

    def read(self, transcript: Transcript) -> None:
        for message in transcript.messages:
            kind = message.kind
            if kind == "A-ASSOCIATE-RQ":
                self.associations[message.association] = _Association(message)
                if message.direction is Direction.FROM_SUT:
                    self._user_information(message, "calling_ae")
                    self.seen.initiates = True
            elif kind == "A-ASSOCIATE-AC":
                self._accepted(message)
            elif kind == "A-ASSOCIATE-RJ":
                self._rejected(message)
            elif kind.endswith("-RQ") and kind[:2] in ("C-", "N-") and kind != "C-CANCEL-RQ":
                self._request(message)
            elif kind.endswith("-RSP") and kind[:2] in ("C-", "N-"):
                self._response(message)

    def _user_information(self, message: Message, title: str) -> None:
        fields = message.fields
        if isinstance(fields.get("max_pdu"), int):
            self.seen.max_pdus.add(fields["max_pdu"])
        for key, target in (
            ("implementation_class_uid", self.seen.class_uids),
            ("implementation_version", self.seen.versions),
            (title, self.seen.titles),
        ):
            if value := str(fields.get(key) or "").strip():
                target.add(value)

    def _accepted(self, message: Message) -> None:
        association = self.associations.get(message.association)
        if association is None:
            return
        association.answered = True
        product_accepts = message.direction is Direction.FROM_SUT
        if product_accepts:
            self.seen.accepts = True
            called = str(association.request.fields.get("called_ae", "")).strip()
            calling = str(association.request.fields.get("calling_ae", "")).strip()
            foreign = bool(self.titles) and called not in self.titles
            self.seen.foreign_called_title_accepted |= foreign
            self.seen.foreign_calling_title_accepted |= calling in self.strangers
            if not foreign:
                self._user_information(message, "called_ae")
        proposed = {c.get("id"): c for c in _contexts(association.request)}
        for context in _contexts(message):
            asked = proposed.get(context.get("id"))
            if asked is not None:
                self._context(asked, context, product_accepts)

    def _context(self, asked: Mapping[str, Any], answer: Mapping[str, Any], product_accepts: bool) -> None:
        uid, result = str(asked.get("abstract_syntax", "")), answer.get("result")
        syntaxes = [str(ts) for ts in asked.get("transfer_syntaxes") or ()]
        with_role = asked.get("scu_role") is not None or asked.get("scp_role") is not None
        if product_accepts:
            roles = [Role.SCP]
            if with_role and result == 0 and (answer.get("scu_role") is not None or answer.get("scp_role") is not None):
                roles = [r for r, ok in ((Role.SCP, answer.get("scu_role")), (Role.SCU, answer.get("scp_role"))) if ok]
            elif with_role and asked.get("scu_role") is False:
                roles = []  # the requestor asked for the SCP role alone and got no answer to it
        else:
            roles = [Role.SCU] if asked.get("scu_role") is not False else []
            if asked.get("scp_role"):
                roles.append(Role.SCP)
        for role in roles:
            support = self.seen.support(uid, role)
            if not product_accepts:
                for syntax in syntaxes:
                    support.proposed.setdefault(syntax, set()).add(self.name)
            if result == 0:
                support.accepted.setdefault(str(answer.get("transfer_syntax", "")), set()).add(self.name)
            elif product_accepts and result == _REFUSED_CLASS:
                support.refused.add(self.name)
            elif product_accepts and result == _REFUSED_SYNTAX:
                support.refused_syntaxes.update(syntaxes)

    def _rejected(self, message: Message) -> None:
        if message.direction is not Direction.FROM_SUT:
            return
        self.seen.accepts = True
        if (message.fields.get("source"), message.fields.get("reason")) == (1, 7):
            self.seen.called_title_refused = True
        if (message.fields.get("source"), message.fields.get("reason")) == (1, 3):
            self.seen.calling_title_refused = True

    def _request(self, message: Message) -> None:
        uid = _class_of(message)
        kind = message.kind.removesuffix("-RQ")
        from_product = message.direction is Direction.FROM_SUT
        role = Role.SCU if from_product is not (kind == "N-EVENT-REPORT") else Role.SCP
        exchange = self.seen.exchanges.setdefault((uid, kind, role), Exchange())
        exchange.initiated += from_product
        exchange.received += not from_product
        exchange.scenarios.add(self.name)
        association = self.associations.get(message.association)
        if association is not None:
            number = message.fields.get("MessageID")
            if isinstance(number, int):
                association.requests[(from_product, number)] = (uid, kind, role)
        if from_product:
            self._sample(exchange, message)

    def _response(self, message: Message) -> None:
        association = self.associations.get(message.association)
        number = message.fields.get("MessageIDBeingRespondedTo")
        from_product = message.direction is Direction.FROM_SUT
        if association is None or not isinstance(number, int):
            return
        key = association.requests.get((not from_product, number))
        status = message.fields.get("Status")
        if key is None or not isinstance(status, int):
            return
        uid, _kind, role = key
        exchange = self.seen.exchanges[key]
        exchange.statuses[(status, from_product)] = exchange.statuses.get((status, from_product), 0) + 1
        if status == 0 or status >> 12 == 0xB or status in _WARNINGS:
            self.seen.support(uid, role).exercised.add(self.name)
        if from_product:
            self._sample(exchange, message)

    def _sample(self, exchange: Exchange, message: Message) -> None:
        """Count attributes of what the product made, of the first few messages of a kind."""
        if exchange.sampled >= MAX_SAMPLES or not 0 < message.payload.size <= MAX_DATASET:
            return
        dataset = _decoded(message.payload, message.transfer_syntax)
        if dataset is None:
            return
        exchange.sampled += 1
        for tag, element in list(dataset.items())[:MAX_ATTRIBUTES]:
            counts = exchange.attributes.setdefault(int(tag), [0, 0])
            counts[0] += 1
            counts[1] += bool(element.value)
            if int(tag) == 0x00080005:
                for term in _terms(element.value):
                    self.seen.character_sets.setdefault(term, set()).add(self.name)


def _terms(value: Any) -> list[str]:
    """The values of Specific Character Set, decoded or not; an absent one is the default repertoire."""
    if isinstance(value, bytes):
        value = value.decode("ascii", "replace").split("\\")
    terms = [value] if isinstance(value, str) or value is None else list(value)
    return [str(term or "").strip(" \0")[:32] for term in terms] or [""]


def _contexts(message: Message) -> list[Mapping[str, Any]]:
    contexts = message.fields.get("contexts")
    return [c for c in contexts if isinstance(c, Mapping)] if isinstance(contexts, list) else []


def _class_of(message: Message) -> str:
    """The SOP class of a message: the one negotiated, else the one in its command."""
    for key in ("AbstractSyntax", "AffectedSOPClassUID", "RequestedSOPClassUID"):
        if value := str(message.fields.get(key) or "").strip("\0 "):
            return value
    return ""


def _decoded(blob: Blob, transfer_syntax: str) -> Dataset | None:
    """The elements, still raw; None for what is lost or cannot be read."""
    data = read_blob(blob, MAX_DATASET)
    if data is None:
        return None
    try:
        return datasets.decode(Blob.of(data), transfer_syntax)
    except WireError:
        return None


def presence(count: int, total: int) -> str:
    """``always``, ``sometimes`` or ``never``."""
    return "never" if count == 0 else "always" if count == total else "sometimes"


def tag_text(tag: int) -> tuple[str, str]:
    """``(0010,0010)`` and the keyword of a tag; the keyword of a private one is empty."""
    return f"({tag >> 16:04X},{tag & 0xFFFF:04X})", keyword_for_tag(tag)
