"""Every message of a conversation by its own rules, and by what was said before it (PS3.7, PS3.8, HL7 2.9)."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final

from harness.core.message import Direction, Message, Protocol
from harness.validation.conversation.packets import CaptureError, segments
from harness.validation.conversation.rules import Associations
from harness.validation.conversation.steps import Procedures
from harness.validation.conversation.streams import chunks
from harness.validation.conversation.wire import Dialogue, Event
from harness.validation.dimse import validate_command
from harness.validation.finding import Severity, ValidationFinding
from harness.validation.hl7 import validate_hl7

#: of one conversation; a report with more is not read by anybody
MAXIMUM_FINDINGS: Final = 2000
#: times that the same finding about messages of one kind is told; the rest is counted
TOLD: Final = 3


def validate_capture(path: Path) -> list[ValidationFinding]:
    """Judge all DICOM and HL7 in a capture (pcap or pcapng). Raises OSError if it cannot be read."""
    return judge_messages(_events(path))


def judge_messages(events: Iterable[Event], only: Direction | None = None) -> list[ValidationFinding]:
    """Judge messages in the order they passed; with ``only``, what the other side sent is context and not judged."""
    report = _Report(only)
    associations, procedures = Associations(), Procedures()
    for event in events:
        if isinstance(event, ValidationFinding):
            report.plain(event)
            continue
        if event.protocol not in (Protocol.DICOM, Protocol.HL7):
            continue
        for said in associations.see(event):
            report.say(said.message, said.finding, said.by)
        if event.protocol is Protocol.HL7:
            if event.payload.size:
                report.message(event, validate_hl7(event.payload.bytes()), "")
        elif event.kind[:2] in ("C-", "N-") or event.kind.startswith("UNKNOWN-"):
            title = associations.title_of(event)
            if only in (None, event.direction):
                report.message(event, validate_command(event, associations.request_of(event)), title)
            report.message(event, procedures.see(event, associations.request_of(event)), title)
            associations.done(event)
    for said in associations.finish():
        report.say(said.message, said.finding, said.by)
    return report.result()


def _events(path: Path) -> Iterator[Event]:
    counter = itertools.count(1)
    dialogues: dict[int, Dialogue] = {}
    with path.open("rb") as stream:
        try:
            for chunk in chunks(segments(stream)):
                dialogue = dialogues.get(chunk.connection)
                if dialogue is None:
                    dialogue = dialogues[chunk.connection] = Dialogue(chunk, counter)
                yield from dialogue.feed(chunk)
        except CaptureError as error:
            yield ValidationFinding(
                "CONV-CAPTURE", Severity.ERROR, "file", "a capture (pcap, pcapng) that can be read to its end",
                str(error), "pcap, pcapng",
            )  # fmt: skip
            return
    if not any(dialogue.kind in ("dicom", "hl7") for dialogue in dialogues.values()):
        yield ValidationFinding(
            "CONV-EMPTY", Severity.WARNING, "file", "a conversation in DICOM or HL7",
            f"{len(dialogues)} connections, none of them", "PS3.8 9.1, HL7 MLLP",
        )  # fmt: skip


class _Report:
    def __init__(self, only: Direction | None) -> None:
        self._only = only
        self._findings: list[ValidationFinding] = []
        self._told: dict[tuple[str, str, str, str], int] = {}
        self._left_out = 0

    def plain(self, finding: ValidationFinding) -> None:
        if len(self._findings) < MAXIMUM_FINDINGS:
            self._findings.append(finding)
        else:
            self._left_out += 1

    def message(self, message: Message, findings: Iterable[ValidationFinding], title: str) -> None:
        for finding in findings:
            self.say(message, finding, message.direction, title)

    def say(self, message: Message, finding: ValidationFinding, by: Direction, title: str = "") -> None:
        if self._only is not None and by is not self._only:
            return
        key = (finding.code, message.kind, title, finding.locator)
        times = self._told[key] = self._told.get(key, 0) + 1
        if times <= TOLD:
            sender = f" of {title}" if title else ""
            self.plain(replace(finding, locator=f"{message.label}{sender}: {finding.locator}"))

    def result(self) -> list[ValidationFinding]:
        """Everything, and how often what was told three times came again."""
        for (code, kind, title, locator), times in self._told.items():
            if times > TOLD:
                sender = f" of {title}" if title else ""
                self._findings.append(
                    ValidationFinding(
                        "CONV-REPEATED",
                        Severity.INFO,
                        f"{kind}{sender}: {locator}",
                        f"no {code}",
                        f"{times - TOLD} more",
                        "a limit of this tool",
                    )
                )
        if self._left_out:
            self._findings.append(
                ValidationFinding(
                    "CONV-LIMIT",
                    Severity.INFO,
                    "conversation",
                    f"at most {MAXIMUM_FINDINGS} findings",
                    f"{self._left_out} more",
                    "a limit of this tool",
                )
            )
        return self._findings
