"""Facts of media exchanges: names and JSON shapes, and media rebuilt from what a transcript recorded."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, TypedDict

from harness.core.message import Blob, Message
from harness.core.transcript import Transcript
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
        yield rebuilt(j.transcript, fact)


def rebuilt(transcript: Transcript, fact: dict[str, Any]) -> Recorded:
    """The medium that a fact announces."""
    messages = {
        str(message.fields["path"]): message
        for message in transcript.select(FILE)
        if message.fields.get("medium") == fact.get("id") and "path" in message.fields
    }
    key = _Key(
        tuple((path, message.payload) for path, message in messages.items()),
        tuple(str(path) for path in fact.get("folders", ())),
        str(fact.get("name", "medium")),
        str(fact.get("kind", "folder")),
        str(fact.get("label", "")),
        tuple((str(path), str(reason)) for path, reason in fact.get("refused", ())),
        tuple((str(where), str(what)) for where, what in fact.get("structure", ())),
        str(fact.get("password") or ""),
    )
    return Recorded(_medium(key), fact, messages)


@dataclass(frozen=True, slots=True)
class _Key:
    """All that a medium is made of; media with equal keys are the same."""

    files: tuple[tuple[str, Blob], ...]
    folders: tuple[str, ...]
    name: str
    kind: str
    label: str
    refused: tuple[tuple[str, str], ...]
    structure: tuple[tuple[str, str], ...]
    password: str


@lru_cache(maxsize=2)
def _medium(key: _Key) -> Medium:
    """Some forty checks look at one medium: it is read, and decrypted, once."""
    medium = HeldMedium(key.name, {path: blob.bytes() for path, blob in key.files}, key.folders)
    medium.kind, medium.label = key.kind, key.label
    medium.refusals.extend(Refusal(path, reason) for path, reason in key.refused)
    medium.structure.extend(key.structure)
    return SecureMedium(medium, Keys(key.password), in_memory=True) if key.password else medium
