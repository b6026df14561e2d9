"""How an association writes to the transcript."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness.core.message import EMPTY, Blob, Direction, Protocol
from harness.core.transcript import Recorder, Transcript
from harness.protocols.dicom.model import Context


class Recording:
    """Knows the recorder, the actor that it records for, and the number of the association."""

    def __init__(self, recorder: Transcript | Recorder, actor: str, number: int) -> None:
        self.id = number
        self._recorder = recorder
        self._actor = actor

    @staticmethod
    def _fields(values: Mapping[str, Any], context: Context) -> dict[str, Any]:
        return {**values, "AbstractSyntax": context.abstract_syntax}

    def _note_violation(self, rule: str, text: str) -> None:
        self._record(Direction.FROM_SUT, "PROTOCOL-VIOLATION", {"rule": rule, "text": text})

    def _record(
        self,
        direction: Direction,
        kind: str,
        fields: Mapping[str, Any],
        context: Context | None = None,
        *,
        payload: Blob = EMPTY,
        header: Blob = EMPTY,
    ) -> int:
        return self._recorder.record(
            direction,
            Protocol.DICOM,
            kind,
            actor=self._actor,
            association=self.id,
            context=context.id if context else 0,
            transfer_syntax=context.transfer_syntax if context and payload.size else "",
            fields=fields,
            payload=payload,
            header=header,
        ).seq
