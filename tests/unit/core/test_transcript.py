"""The record of a scenario: order, waiting, consuming, storing."""

from __future__ import annotations

import json
import threading
from pathlib import Path

from harness.core.message import Blob, Direction, Protocol
from harness.core.transcript import Recorder, Transcript


def say(transcript: Transcript, kind: str, direction: Direction = Direction.FROM_SUT) -> int:
    return transcript.record(direction, Protocol.DICOM, kind).seq


def test_one_message_satisfies_one_wait() -> None:
    transcript = Transcript()
    say(transcript, "C-STORE-RQ")
    assert transcript.wait_for("C-STORE-RQ", timeout=1) is not None
    assert transcript.wait_for("C-STORE-RQ", timeout=0) is None


def test_a_wait_sees_only_what_comes_after_the_mark_and_from_the_right_side() -> None:
    transcript = Transcript()
    say(transcript, "N-CREATE-RQ")
    mark = transcript.mark()
    assert transcript.wait_for("N-CREATE-RQ", after=mark, timeout=0) is None
    say(transcript, "N-CREATE-RQ", Direction.TO_SUT)
    assert transcript.wait_for("N-CREATE-RQ", after=mark, direction=Direction.FROM_SUT, timeout=0) is None
    seq = say(transcript, "N-CREATE-RQ")
    found = transcript.wait_for("N-CREATE-RQ", after=mark, direction=Direction.FROM_SUT, timeout=0)
    assert found is not None
    assert found.seq == seq


def test_a_wait_is_woken_by_the_message_itself() -> None:
    transcript = Transcript()
    threading.Timer(0.05, lambda: say(transcript, "N-SET-RQ")).start()
    assert transcript.wait_for("N-SET-RQ", timeout=30) is not None


def test_a_wait_ends_early_when_an_engine_fails() -> None:
    transcript = Transcript()
    threading.Timer(0.05, lambda: transcript.fault("handler", ValueError("x"))).start()
    assert transcript.wait_for("N-SET-RQ", timeout=30) is None
    assert transcript.faults[0].error == "ValueError: x"


def test_quiet_means_no_message_taken_or_not() -> None:
    transcript = Transcript()
    mark = transcript.mark()
    assert transcript.quiet_for("N-SET-RQ", 0.01, after=mark)
    say(transcript, "N-SET-RQ")
    assert transcript.wait_for("N-SET-RQ", timeout=0) is not None
    assert not transcript.quiet_for("N-SET-RQ", 0.01, after=mark)


def test_messages_and_facts_share_one_sequence() -> None:
    transcript = Transcript()
    first = say(transcript, "C-ECHO-RQ")
    fact = transcript.note("ORDER", {"a": 1})
    second = say(transcript, "C-ECHO-RSP")
    assert first < fact.seq < second
    assert transcript.mark() == second


def test_until_cuts_messages_and_facts() -> None:
    transcript = Transcript()
    first = say(transcript, "C-ECHO-RQ")
    transcript.note("ORDER")
    say(transcript, "C-ECHO-RSP")
    earlier = transcript.until(first)
    assert [m.kind for m in earlier.messages] == ["C-ECHO-RQ"]
    assert earlier.facts == ()


def test_what_is_stored_can_be_read_back(tmp_path: Path) -> None:
    transcript = Transcript()
    blob = Blob.of(b"bytes")
    transcript.record(Direction.FROM_SUT, Protocol.HL7, "ORM^O01", fields={"control_id": "1"}, payload=blob)
    transcript.note("ORDER", {"keywords": {"PatientID": "1"}})
    transcript.fault("x", ValueError("y"))
    (tmp_path / blob.sha256).write_bytes(b"bytes")
    again = Transcript.from_json(json.loads(json.dumps(transcript.to_json())), tmp_path)
    assert again.messages == transcript.messages
    assert again.messages[0].payload.bytes() == b"bytes"
    assert again.facts == transcript.facts
    assert again.faults == transcript.faults
    assert again.record(Direction.NONE, Protocol.FILE, "FILE").seq > transcript.mark()


def test_a_recorder_writes_into_the_transcript_that_runs_now() -> None:
    first, second = Transcript(), Transcript()
    recorder = Recorder(first)
    recorder.record(Direction.NONE, Protocol.FILE, "FILE")
    recorder.target = second
    recorder.record(Direction.NONE, Protocol.FILE, "FILE")
    recorder.fault("x", ValueError("y"))
    assert len(first.messages) == len(second.messages) == 1
    assert len(second.faults) == 1
    assert not first.faults
