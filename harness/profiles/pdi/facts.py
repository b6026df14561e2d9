"""Facts of media exchanges: names and JSON shapes, and media rebuilt from what a transcript recorded."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, TypedDict

from harness.core.message import Message
from harness.profiles.journal import Journal
from harness.protocols.media.medium import HeldMedium, Medium, Refusal
from harness.protocols.media.secure import Keys, SecureMedium

#: noted for each medium that is recorded; its files are messages of kind FILE whose field ``medium`` has its id
MEDIUM: Final = "MEDIUM"
#: noted for each import that was asked for
IMPORT: Final = "IMPORT"
#: noted when it is known what a medium must hold
EXPECTED: Final = "MEDIUM-EXPECTED"
FILE: Final = "FILE"


class MediumFact(TypedDict, total=False):
    """MEDIUM: ``kind`` is "folder", "zip" or "iso"; ``claimed`` "CD", "DVD", "USB" or "".

    ``password`` is that of a protected medium (one made for the test), "" if it is not protected.
    """

    id: str
    name: str
    kind: str
    label: str
    claimed: str
    folders: list[str]
    refused: list[list[str]]
    structure: list[list[str]]
    password: str


class ImportFact(TypedDict, total=False):
    """IMPORT: SOP Instance UIDs on the medium and those of classes that no product claims.

    ``broken`` names the faults of the medium; ``rich`` says that it has web and other content besides; ``protected``
    that its files are Secure DICOM Files.
    """

    medium: str
    offered: list[str]
    unsupported: list[str]
    broken: list[str]
    rich: bool
    protected: bool


@dataclass(frozen=True, slots=True)
class Recorded:
    """A medium of the transcript: its content, the fact, and the messages by path."""

    medium: Medium
    fact: dict[str, Any]
    messages: dict[str, Message]

    def evidence(self, locator: str) -> tuple[int, ...]:
        """The message of the file that a locator names; that of DICOMDIR, or any, if it names none."""
        path = locator.split(",")[0].split(" ")[0]
        for wanted in (path, "DICOMDIR", next(iter(self.messages), "")):
            if wanted in self.messages:
                return (self.messages[wanted].seq,)
        return ()


def recorded(j: Journal) -> Iterator[Recorded]:
    """Every medium of the exchange that the system under test made."""
    for _, data in j.facts(MEDIUM):
        fact = dict(data)
        if fact.get("made_by", "sut") != "sut":
            continue
        yield rebuilt(j, fact)


def rebuilt(j: Journal, fact: dict[str, Any]) -> Recorded:
    """The medium that a fact announces."""
    messages = {
        str(message.fields["path"]): message
        for message in j.transcript.select(FILE)
        if message.fields.get("medium") == fact.get("id") and "path" in message.fields
    }
    medium = HeldMedium(
        str(fact.get("name", "medium")),
        {path: message.payload.bytes() for path, message in messages.items()},
        tuple(str(path) for path in fact.get("folders", ())),
    )
    medium.kind = str(fact.get("kind", "folder"))
    medium.label = str(fact.get("label", ""))
    medium.refusals.extend(Refusal(str(path), str(reason)) for path, reason in fact.get("refused", ()))
    medium.structure.extend((str(where), str(what)) for where, what in fact.get("structure", ()))
    if fact.get("password"):
        return Recorded(SecureMedium(medium, Keys(str(fact["password"])), in_memory=True), fact, messages)
    return Recorded(medium, fact, messages)
