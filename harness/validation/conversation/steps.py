"""What belongs together across associations: the states of a procedure step, commitment and its result (PS3.4 F, J)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from harness.core.message import Message
from harness.validation.dimse import IMPLICIT, validate_final_state
from harness.validation.finding import Severity, ValidationFinding, shown
from harness.validation.objects import parse_dataset
from harness.validation.walker import DataSet

_MPPS: Final = "1.2.840.10008.3.1.2.3.3"
_COMMITMENT: Final = "1.2.840.10008.1.20.1"
_FINAL: Final = ("COMPLETED", "DISCONTINUED")
_STATUS, _TRANSACTION, _REFERENCES, _FAILED, _INSTANCE = 0x00400252, 0x00081195, 0x00081199, 0x00081198, 0x00081155
#: steps and transactions that are remembered
MAXIMUM_KEPT: Final = 10_000


@dataclass(slots=True)
class _Step:
    #: None if the N-CREATE was not seen or was refused
    states: list[tuple[bytes, str]] | None = None
    final: str = ""


@dataclass(slots=True)
class Procedures:
    """Follows performed procedure steps and commitment requests by their UIDs."""

    _steps: dict[str, _Step] = field(default_factory=dict)
    _asked: dict[str, frozenset[str]] = field(default_factory=dict)

    def see(self, message: Message, request: Message | None) -> list[ValidationFinding]:
        """What this message contradicts; ``request`` is what it answers."""
        subject = request or message
        named = subject.fields.get("AffectedSOPClassUID") or subject.fields.get("RequestedSOPClassUID")
        if named == _MPPS:
            return self._step(message, request)
        if named == _COMMITMENT and message.payload.size:
            return self._commitment(message)
        return []

    def _step(self, message: Message, request: Message | None) -> list[ValidationFinding]:
        if len(self._steps) >= MAXIMUM_KEPT:
            return []
        if message.kind == "N-SET-RQ":
            uid = str(message.fields.get("RequestedSOPInstanceUID", ""))
            step = self._steps.setdefault(uid, _Step())
            if step.final:
                return [
                    _finding(
                        "CONV-MPPS-FINAL", f"no change of a step that is {step.final}", shown(uid), "PS3.4 F.7.2.2.2"
                    )
                ]
            status = _read(message).text(_STATUS)
            if status in _FINAL and step.states is not None:
                return validate_final_state([*step.states, _state(message)])
        if request is None or message.fields.get("Status") != 0:
            return []
        if message.kind == "N-CREATE-RSP":
            affected = message.fields.get("AffectedSOPInstanceUID") or request.fields.get("AffectedSOPInstanceUID")
            self._steps[str(affected or "")] = _Step([_state(request)])
        elif message.kind == "N-SET-RSP":
            step = self._steps.setdefault(str(request.fields.get("RequestedSOPInstanceUID", "")), _Step())
            if step.states is not None:
                step.states.append(_state(request))
            status = _read(request).text(_STATUS)
            step.final = status if status in _FINAL else ""
        return []

    def _commitment(self, message: Message) -> list[ValidationFinding]:
        if message.kind not in ("N-ACTION-RQ", "N-EVENT-REPORT-RQ"):
            return []
        ds = _read(message)
        transaction = ds.text(_TRANSACTION)
        named = [item.text(_INSTANCE) for tag in (_REFERENCES, _FAILED) for item in ds.items(tag)]
        found = []
        for uid in sorted({uid for uid in named if uid and named.count(uid) > 1} if len(named) < 5000 else ()):
            found.append(_finding("CONV-COMMITMENT", "each instance once", shown(uid), "PS3.4 J.3.2, J.3.3"))
        if message.kind == "N-ACTION-RQ":
            if transaction in self._asked and self._asked[transaction] != frozenset(named):
                expected = "a Transaction UID that no other request has"
                found.append(_finding("CONV-COMMITMENT", expected, shown(transaction), "PS3.4 J.3.2.1.1"))
            if len(self._asked) < MAXIMUM_KEPT:
                self._asked[transaction] = frozenset(named)
            return found
        asked = self._asked.get(transaction)
        if asked is None:
            expected = "the Transaction UID of a request"
            finding = _finding("CONV-COMMITMENT", expected, f"{shown(transaction)}, not seen", "PS3.4 J.3.3.1.1")
            severity = Severity.WARNING if self._asked else Severity.INFO  # the recording may begin after the request
            found.append(
                ValidationFinding(
                    finding.code, severity, finding.locator, finding.expected, finding.actual, finding.clause
                )
            )
            return found
        for uids, words in ((asked - set(named), "an answer for every instance"),
                            (set(named) - asked, "only instances that were asked for")):  # fmt: skip
            if uids:
                listed = ", ".join(sorted(uids)[:3]) + (f" and {len(uids) - 3} more" if len(uids) > 3 else "")
                found.append(_finding("CONV-COMMITMENT", words, listed, "PS3.4 J.3.3.1"))
        return found


def _finding(code: str, expected: str, actual: str, clause: str) -> ValidationFinding:
    return ValidationFinding(code, Severity.ERROR, "message", expected, actual, clause)


def _state(message: Message) -> tuple[bytes, str]:
    return message.payload.bytes(), message.transfer_syntax or IMPLICIT


def _read(message: Message) -> DataSet:
    return parse_dataset(*_state(message))[0]
