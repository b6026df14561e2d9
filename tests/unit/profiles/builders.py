"""Hand-built exchanges: a story is a list of events, good as it is told; tests change one thing and judge again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pydicom import config
from pydicom.datadict import dictionary_VR
from pydicom.dataset import Dataset

from harness.core.check import Declaration, Exchange, Observation
from harness.core.message import EMPTY, Blob, Direction, Protocol
from harness.core.transcript import Transcript
from harness.profiles import CHECKS
from harness.protocols.dicom.datasets import encode
from harness.protocols.hl7.message import header_fields, kind_of

IMPLICIT = "1.2.840.10008.1.2"
EXPLICIT = "1.2.840.10008.1.2.1"
SC_IMAGE = "1.2.840.10008.5.1.4.1.1.7"
STUDY_ROOT_MOVE = "1.2.840.10008.5.1.4.1.2.2.2"
_INTEGERS = frozenset({"US", "UL", "SS", "SL", "UV", "SV"})


def dataset(attributes: Mapping[str, Any]) -> Dataset:
    """Keywords and values as a pydicom data set; lists are sequences."""
    ds = Dataset()
    for keyword, value in attributes.items():
        if isinstance(value, list):
            setattr(ds, keyword, [dataset(item) for item in value])
        elif dictionary_VR(keyword) in _INTEGERS:
            setattr(ds, keyword, int(value) if value != "" else None)
        else:
            setattr(ds, keyword, value)
            if isinstance(value, bytes):
                ds[keyword].VR = "OB"
    return ds


@dataclass
class Event:
    """One message (or fact) of a story; ``data`` is its data set by keyword."""

    name: str
    kind: str
    direction: Direction = Direction.NONE
    data: dict[str, Any] | None = None
    fields: dict[str, Any] = field(default_factory=dict)
    association: int = 1
    sop_class: str = ""
    answers: str = ""
    raw: bytes | None = None
    actor: str = ""
    protocol: Protocol = Protocol.DICOM


class Story:
    """Events in their order, by name."""

    def __init__(self, sut: Declaration | None = None) -> None:
        self.sut = sut or Declaration()
        self.events: list[Event] = []

    def __getitem__(self, name: str) -> Event:
        return next(event for event in self.events if event.name == name)

    def data(self, name: str) -> dict[str, Any]:
        """The data set of an event, to be changed."""
        found = self[name].data
        assert found is not None, name
        return found

    def add(self, event: Event, *, before: str = "", after: str = "") -> Event:
        """Append an event, or put it beside another."""
        if before or after:
            place = self.events.index(self[before or after]) + (1 if after else 0)
            self.events.insert(place, event)
        else:
            self.events.append(event)
        return event

    def drop(self, *names: str) -> None:
        """Leave events out."""
        self.events = [event for event in self.events if event.name not in names]

    def declare(self, **changes: Any) -> None:
        """Declare something else."""
        values = {
            "actors": self.sut.actors,
            "profiles": self.sut.profiles,
            "options": self.sut.options,
            "ae_titles": self.sut.ae_titles,
            "statement": self.sut.statement,
            **changes,
        }
        self.sut = Declaration(
            frozenset(values["actors"]),
            frozenset(values["profiles"]),
            frozenset(values["options"]),
            frozenset(values["ae_titles"]),
            values["statement"],
        )

    # -- telling -----------------------------------------------------------------------------------------------

    def fact(self, kind: str, /, name: str = "", **data: Any) -> Event:
        """A fact; a value ``"@name"`` stands for the ``seq`` of that event."""
        return self.add(Event(name or kind.lower(), f"#{kind}", data=data))

    def associate(
        self,
        name: str,
        direction: Direction,
        classes: Iterable[str],
        number: int,
        *,
        roles: bool = False,
        syntaxes: tuple[str, ...] = (IMPLICIT, EXPLICIT),
    ) -> None:
        """A-ASSOCIATE request and its acceptance."""
        proposed = [
            {
                "id": 2 * index + 1,
                "abstract_syntax": uid,
                "transfer_syntaxes": list(syntaxes),
                "scu_role": roles or None,
                "scp_role": roles or None,
            }
            for index, uid in enumerate(classes)
        ]
        accepted = [{"id": c["id"], "result": 0, "transfer_syntax": IMPLICIT} for c in proposed]
        items = [
            {"item": "RoleSelection", "sop_class": c["abstract_syntax"], "scu": True, "scp": True} for c in proposed
        ]
        titles = {"calling_ae": "PRODUCT" if direction is Direction.FROM_SUT else "HARNESS", "called_ae": "X"}
        self.add(Event(name, "A-ASSOCIATE-RQ", direction, fields={**titles, "contexts": proposed}, association=number))
        self.add(
            Event(
                f"{name} accepted",
                "A-ASSOCIATE-AC",
                _other(direction),
                fields={"contexts": accepted, "user_items": items if roles else []},
                association=number,
            )
        )

    def ask(
        self,
        name: str,
        kind: str,
        direction: Direction,
        sop_class: str,
        data: dict[str, Any] | None = None,
        *,
        instance: str = "",
        association: int = 1,
        status: int | None = 0,
        fields: dict[str, Any] | None = None,
        actor: str = "",
        answer_fields: dict[str, Any] | None = None,
    ) -> Event:
        """A request and, unless ``status`` is None, its final response named ``"<name> answer"``."""
        prefix = "Requested" if kind[:5] in ("N-SET", "N-ACT", "N-GET", "N-DEL") else "Affected"
        own = {f"{prefix}SOPClassUID": sop_class, "AbstractSyntax": sop_class, **(fields or {})}
        if instance:
            own[f"{prefix}SOPInstanceUID"] = instance
        event = self.add(Event(name, kind, direction, data, own, association, sop_class, actor=actor))
        if status is not None:
            self.answer(name, status, fields=answer_fields, name=f"{name} answer")
        return event

    def answer(
        self,
        request: str,
        status: int,
        data: dict[str, Any] | None = None,
        *,
        name: str = "",
        fields: dict[str, Any] | None = None,
    ) -> Event:
        """A response to a request."""
        asked = self[request]
        return self.add(
            Event(
                name or f"{request} response",
                asked.kind.replace("-RQ", "-RSP"),
                _other(asked.direction),
                data,
                {"Status": status, "AbstractSyntax": asked.sop_class, **(fields or {})},
                asked.association,
                asked.sop_class,
                answers=request,
                actor=asked.actor,
            )
        )

    def hl7(
        self, name: str, direction: Direction, lines: Iterable[str], *, actor: str = "", answer: str = "AA"
    ) -> Event:
        """An HL7 message and the acknowledgement named ``"<name> answer"`` (``answer`` "" leaves it out)."""
        raw = "\r".join(lines).encode() + b"\r"
        fields = header_fields(raw)
        event = self.add(
            Event(
                name,
                kind_of(fields["type"], fields["trigger"]),
                direction,
                fields=fields,
                raw=raw,
                actor=actor,
                protocol=Protocol.HL7,
            )
        )
        if answer:
            reply = f"MSH|^~\\&|A|B|C|D|20260102||ACK|A{name}|P|2.3.1\rMSA|{answer}|{fields['control_id']}\r".encode()
            self.add(
                Event(
                    f"{name} answer",
                    "ACK",
                    _other(direction),
                    fields=header_fields(reply),
                    raw=reply,
                    actor=actor,
                    protocol=Protocol.HL7,
                )
            )
        return event

    def rewrite(self, name: str, old: str, new: str) -> None:
        """Change the text of an HL7 message."""
        event = self[name]
        assert event.raw is not None
        assert old.encode() in event.raw, (old, event.raw)
        event.raw = event.raw.replace(old.encode(), new.encode())
        event.fields = header_fields(event.raw)
        event.kind = kind_of(event.fields["type"], event.fields["trigger"])

    def exchange(self) -> Exchange:
        """Everything recorded into a transcript."""
        transcript = Transcript(clock=lambda: 0.0)
        seqs = {event.name: number for number, event in enumerate(self.events, start=1)}
        ids = {event.name: number for number, event in enumerate(self.events, start=100)}
        for event in self.events:
            if event.kind.startswith("#"):
                transcript.note(event.kind[1:], _resolved(event.data or {}, seqs))
                continue
            fields = dict(event.fields)
            if event.kind.endswith("-RQ") and event.kind[:2] in ("C-", "N-"):
                fields.setdefault("MessageID", ids[event.name])
            if event.answers:
                fields.setdefault("MessageIDBeingRespondedTo", ids.get(event.answers, 0))
            payload = EMPTY
            if event.raw is not None:
                payload = Blob.of(event.raw)
            elif event.data is not None:
                with config.disable_value_validation():  # stories hold what products send, not what they should
                    payload = Blob.of(encode(dataset(event.data), EXPLICIT))
            transcript.record(
                event.direction,
                event.protocol,
                event.kind,
                actor=event.actor,
                association=event.association,
                transfer_syntax=EXPLICIT,
                fields=fields,
                payload=payload,
            )
        return Exchange(transcript, self.sut)


def _resolved(data: Mapping[str, Any], seqs: Mapping[str, int]) -> dict[str, Any]:
    return {k: seqs[v[1:]] if isinstance(v, str) and v.startswith("@") else v for k, v in data.items()}


def _other(direction: Direction) -> Direction:
    return Direction.TO_SUT if direction is Direction.FROM_SUT else Direction.FROM_SUT


FROM_SUT, TO_SUT = Direction.FROM_SUT, Direction.TO_SUT


# -- judging -----------------------------------------------------------------------------------------------------


def observed(check_id: str, story: Story) -> list[Observation]:
    """What one check sees in a story."""
    found = next(check for check in CHECKS if check.id == check_id)
    return list(found(story.exchange()))


def failing(check_id: str, story: Story) -> list[Observation]:
    """The observations of a check that are not good."""
    return [seen for seen in observed(check_id, story) if seen.ok is not True]
