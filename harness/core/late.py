"""Which messages belong to a scenario that is already over.

A product that retries for minutes does not know that the scenario has changed. What it sends then is recognised by
identifiers that only an earlier scenario had: study UIDs that we scheduled, SOP Instance and Transaction UIDs that were
seen, HL7 messages that come again byte by byte. When nothing tells, a message belongs to the scenario that runs.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from harness.core.message import Blob, Direction, Protocol

if TYPE_CHECKING:
    from harness.core.transcript import Transcript

#: bytes of a data set in which its identifiers are looked for: they stand far before pixels
_HEAD: Final = 32 * 1024
_INSTANCES: Final = ("AffectedSOPInstanceUID", "RequestedSOPInstanceUID")
_STANDARD: Final = "1.2.840.10008."
_COMMITMENT: Final = ("N-ACTION-RQ", "N-EVENT-REPORT-RQ")
#: an element of VR UI in little endian, explicit or implicit; what is encoded otherwise is not looked into
_VALUE: Final = rb"(?:UI..|..\x00\x00)([0-2]\.[0-9.]{1,62})"
_STUDY: Final = re.compile(rb"\x20\x00\x0d\x00" + _VALUE, re.DOTALL)
_TRANSACTION: Final = re.compile(rb"\x08\x00\x95\x11" + _VALUE, re.DOTALL)
_REFERENCED: Final = re.compile(rb"\x08\x00\x55\x11" + _VALUE, re.DOTALL)


class Earlier:
    """What the scenarios before this one were about. Not thread-safe: the recorder that owns it holds a lock."""

    def __init__(self) -> None:
        self._identifiers: set[str] = set()
        self._texts: set[str] = set()
        self._current: set[str] = set()
        self._known_until = 0

    def remember(self, transcript: Transcript) -> None:
        """A scenario is over."""
        self._current, self._known_until = set(), 0
        for fact in transcript.facts_of("ORDER"):
            self._identifiers.update(_named(fact.data, "StudyInstanceUID"))
        for message in (*transcript.messages, *transcript.late):
            if message.protocol is Protocol.HL7 and message.direction is Direction.FROM_SUT:
                self._texts.add(message.payload.sha256)
            elif message.kind.endswith("-RQ"):
                self._identifiers.update(_of_message(message.kind, message.fields, message.payload))

    def sent(self, kind: str, fields: Mapping[str, Any], payload: Blob, protocol: Protocol, now: Transcript) -> bool:
        """Whether a request names something of an earlier scenario and nothing of the one that runs ``now``."""
        if protocol is Protocol.HL7:
            return bool(payload.size) and bool(self._texts) and payload.sha256 in self._texts
        if not self._identifiers:
            return False
        named = {*_of_message(kind, fields, payload), *_uids(_STUDY, payload)}
        if named.isdisjoint(self._identifiers):
            return False
        self._learn(now)
        return named.isdisjoint(self._current)

    def _learn(self, now: Transcript) -> None:
        """Every identifier that the running scenario has to do with; what is known is not looked at again."""
        since, self._known_until = self._known_until, now.mark()
        for fact in now.facts:
            if fact.seq > since:
                self._current.update(_texts(fact.data))
        for message in now.messages:
            if message.seq > since:
                self._current.update(_of_message(message.kind, message.fields, message.payload))
                self._current.update(_uids(_STUDY, message.payload))


def _of_message(kind: str, fields: Mapping[str, Any], payload: Blob) -> Iterator[str]:
    for name in _INSTANCES:
        # commitment, the printer and other services have one instance for everybody, with a UID of the standard's own
        if (uid := fields.get(name)) and kind not in _COMMITMENT and not str(uid).startswith(_STANDARD):
            yield str(uid)
    if kind in _COMMITMENT:
        yield from _uids(_TRANSACTION, payload)
        yield from _uids(_REFERENCED, payload)


def _uids(pattern: re.Pattern[bytes], payload: Blob) -> list[str]:
    if not payload.size:
        return []
    if payload.data is not None:
        head = payload.data[:_HEAD]
    else:
        with payload.open() as stream:
            head = stream.read(_HEAD)
    return [uid.decode("ascii") for uid in pattern.findall(head)]


def _named(data: Any, key: str) -> Iterator[str]:
    if isinstance(data, Mapping):
        for name, value in data.items():
            if name == key and isinstance(value, str):
                yield value
            yield from _named(value, key)
    elif isinstance(data, list | tuple):
        for value in data:
            yield from _named(value, key)


def _texts(data: Any) -> Iterator[str]:
    if isinstance(data, str):
        yield data
    elif isinstance(data, Mapping):
        for value in data.values():
            yield from _texts(value)
    elif isinstance(data, Iterable):
        for value in data:
            yield from _texts(value)
