"""A copy of a run folder without persons: every payload, every fact and every text about them."""

from __future__ import annotations

import json
import os.path
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.core.errors import UsageError
from harness.core.message import EMPTY, Blob, Message, Protocol
from harness.core.result import RunResult
from harness.reporting import evidence
from harness.reporting.pseudonyms import Pseudonyms
from harness.reporting.redact import leftovers, redact_data, redact_dicom, redact_hl7

#: Said in the manifest of a redacted bundle.
METHOD = (
    "Names, numbers of persons and orders, addresses, remarks and birth dates are replaced by values of the same form"
    " under a key that was thrown away; private elements and captures are left out. UIDs, dates of the examination,"
    " devices and characteristics such as sex and weight are kept. Pixel data is not looked at. After PS3.15 annex E."
)
#: Larger payloads cannot be redacted in memory and are left out.
MAX_BLOB = 1024 * 1024 * 1024
#: Texts of a scenario result that speak about messages; ids, verdicts and paths stay as they are.
_TEXTS = frozenset({"name", "text", "message", "summary", "expected", "actual", "locator", "why", "reason", "faults"})


@dataclass(frozen=True, slots=True)
class Redaction:
    """What was done: how many payloads were changed, and what was left out, with the reason."""

    changed: int
    left_out: tuple[str, ...]


def redact_run(source: Path, target: Path, key: bytes | None = None) -> Redaction:
    """Write a redacted copy of the run in folder ``source`` to the new or empty folder ``target``.

    ``key`` makes it repeatable for tests; without it a random one is used and forgotten. Raises UsageError.
    """
    if target.exists() and any(target.iterdir()):
        raise UsageError(f"{target}: is not empty; name a new folder for the redacted run")
    run = evidence.load_run(source)
    pseudonyms = Pseudonyms(key if key is not None else secrets.token_bytes(32))
    work = _Work(evidence.run_folder(source), evidence.EvidenceStore(target), pseudonyms)
    names = list(dict.fromkeys(s.transcript for s in run.scenarios if s.transcript))
    # The first pass only learns what has to be replaced: a text may speak of a name that a later message brings.
    for name in names:
        work.learn(name)
    for name in names:
        work.copy(name)
    work.left_out += [f"{path}: captures hold everything as it was sent" for path in evidence.captures(work.source)]
    work.target.write_run(_redact_result(run, pseudonyms))
    return Redaction(work.changed, tuple(work.left_out))


class _Work:
    """One redaction in progress."""

    def __init__(self, source: Path, target: evidence.EvidenceStore, pseudonyms: Pseudonyms) -> None:
        self.source, self.target, self.pseudonyms = source, target, pseudonyms
        self.changed = 0
        self.left_out: list[str] = []
        self._done: dict[tuple[str, str, str], Blob | None] = {}

    def learn(self, name: str) -> None:
        """Meet every value of a transcript once."""
        transcript = evidence.load_transcript(self.source, name)
        for fact in transcript.facts:
            redact_data(fact.data, self.pseudonyms)
        for message in (*transcript.messages, *transcript.late):
            if message.payload.size:
                self._redact(message)

    def copy(self, name: str) -> None:
        """Write the transcript and its bytes, redacted."""
        transcript = evidence.load_transcript(self.source, name)
        data = transcript.to_json()
        entries = [*data["messages"], *data["late"]]
        for entry, message in zip(entries, (*transcript.messages, *transcript.late), strict=True):
            entry["fields"] = redact_data(entry["fields"], self.pseudonyms)
            entry["payload"] = self._stored(name, message, "payload", message.payload)
            entry["header"] = self._stored(name, message, "header", message.header)
        for fact in data["facts"]:
            fact["data"] = redact_data(fact["data"], self.pseudonyms)
        for fault in data["faults"]:
            fault.update(redact_data(fault, self.pseudonyms))
        evidence.write_atomically(self.target.folder / name, evidence.to_json_bytes(data))

    def _stored(self, name: str, message: Message, part: str, blob: Blob) -> dict[str, Any]:
        if blob.size == 0:
            return _entry(EMPTY)
        key = (blob.sha256, message.protocol.value + part, message.transfer_syntax)
        if key not in self._done:
            self._done[key] = self._clean(message, part, blob)
        clean = self._done[key]
        if clean is None:
            self.left_out.append(f"{name}: {part} of {message.label}: cannot be redacted")
            return _entry(EMPTY)
        self.target.store_blob(clean)
        self.changed += clean.sha256 != blob.sha256
        return _entry(clean)

    def _clean(self, message: Message, part: str, blob: Blob) -> Blob | None:
        data = self._redact(message) if part == "payload" else evidence.read_blob(blob, MAX_BLOB)
        if data is None or any(True for _ in leftovers(data, self.pseudonyms)):
            return None
        return Blob.of(data)

    def _redact(self, message: Message) -> bytes | None:
        if message.payload.size > MAX_BLOB:
            return None
        data = evidence.read_blob(message.payload, MAX_BLOB)
        if data is None:
            return None
        if message.protocol is Protocol.HL7:
            return redact_hl7(data, self.pseudonyms)
        if message.protocol is Protocol.DICOM and not message.kind.startswith("A-"):
            return redact_dicom(data, message.transfer_syntax, self.pseudonyms)
        if data[128:132] == b"DICM":
            return redact_dicom(data, "", self.pseudonyms)
        return self._redact_text(data)

    def _redact_text(self, data: bytes) -> bytes | None:
        """Plain text by the values met before; anything else (pictures, disc images) cannot be redacted."""
        try:
            text = data.decode("utf-8")
        except UnicodeDecodeError:
            return None
        return None if "\0" in text else self.pseudonyms.everywhere_and_dates(text).encode()


def _entry(blob: Blob) -> dict[str, Any]:
    return {"sha256": blob.sha256, "size": blob.size}


def _redact_result(run: RunResult, pseudonyms: Pseudonyms) -> RunResult:
    data = json.loads(json.dumps(run.to_json()))
    data["scenarios"] = [_texts(scenario, pseudonyms) for scenario in data["scenarios"]]
    data["waivers"] = redact_data(data["waivers"], pseudonyms)
    for table in ("sut", "options"):
        for key in ("file", "sut", "out"):
            if isinstance(data[table].get(key), str):
                data[table][key] = os.path.basename(data[table][key])  # noqa: PTH119 - of any system, not of this one
    data["options"]["redacted"] = True
    return RunResult.from_json(data)


def _texts(value: Any, pseudonyms: Pseudonyms, key: str = "") -> Any:
    if isinstance(value, Mapping):
        return {name: _texts(entry, pseudonyms, name) for name, entry in value.items()}
    if isinstance(value, list):
        return [_texts(entry, pseudonyms, key) for entry in value]
    return pseudonyms.everywhere_and_dates(value) if isinstance(value, str) and key in _TEXTS else value
