"""Stored evidence in the place of a product: what an earlier run saw is told again, message by message."""

from __future__ import annotations

import json
from pathlib import Path

from harness.core.errors import UsageError
from harness.core.message import Message
from harness.core.transcript import Recorder, Transcript
from harness.sut.actions import DONE, Action, Outcome, OutcomeState

_MAX_BYTES = 256 * 1024 * 1024


class ReplayDriver:
    """Answers the n-th action of a scenario with the messages that followed the n-th action of the stored one.

    Useful to try new scenario texts and checks without the product at hand. :meth:`begin` is called with the
    scenario's id before it starts; a scenario that the earlier run did not have cannot be replayed.
    """

    parallel_safe = True

    def __init__(self, run: Path) -> None:
        self._folder = run if run.is_dir() else run.parent
        path = self._folder / "run.json"
        try:
            if path.stat().st_size > _MAX_BYTES:
                raise UsageError(f"{path} is larger than any run that this program writes")
            stored = json.loads(path.read_text(encoding="utf-8"))
            self._transcripts = {str(s["id"]): str(s["transcript"]) for s in stored["scenarios"] if s.get("transcript")}
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise UsageError(f"{path} is not a run that could be replayed: {error}") from None
        self._recorder: Recorder | None = None
        self._segments: list[list[Message]] = []

    def begin(self, scenario: str, recorder: Recorder) -> None:
        """Load the stored messages of a scenario."""
        self._recorder = recorder
        self._segments = []
        relative = self._transcripts.get(scenario)
        if relative is None:
            return
        path = (self._folder / relative).resolve()
        if not path.is_relative_to(self._folder.resolve()):
            raise UsageError(f"{relative} leads out of {self._folder}")
        data = json.loads(path.read_text(encoding="utf-8"))
        stored = Transcript.from_json(data, self._folder / "blobs")
        starts = [fact.seq for fact in stored.facts_of("ACTION")]
        ends = [*starts[1:], stored.mark() + 1]
        self._segments = [
            [m for m in stored.messages if start < m.seq < end] for start, end in zip(starts, ends, strict=True)
        ]

    def perform(self, action: Action, *, timeout: float) -> Outcome:
        """Tell the next stored segment."""
        del timeout
        _ = action.kind
        if not self._segments or self._recorder is None:
            return Outcome(OutcomeState.UNSUPPORTED, "the earlier run has nothing more to replay for this scenario")
        for message in self._segments.pop(0):
            self._recorder.record(
                message.direction,
                message.protocol,
                message.kind,
                actor=message.actor,
                association=message.association,
                context=message.context,
                transfer_syntax=message.transfer_syntax,
                fields=message.fields,
                payload=message.payload,
                header=message.header,
            )
        return DONE

    def attest(self, question: str, *, timeout: float) -> Outcome:
        """What a person said is not replayed."""
        del question, timeout
        return Outcome(OutcomeState.UNSUPPORTED, "attestations are not replayed")

    def close(self) -> None:
        """Nothing to release."""
