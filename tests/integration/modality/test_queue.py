"""Queued work when peers are away: retried on the clock, kept in order, taken up after a restart."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path

import pytest

from harness.modality import defects
from harness.modality.clock import ManualClock
from harness.modality.console.words import said
from harness.modality.errors import Cause, PeerProblem, Refused
from harness.modality.service import Modality
from tests.integration.modality.hospital import Hospital, entry
from tests.integration.print.dcmtk import free_port

START = datetime(2026, 11, 21, 8, 0, 0)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(START)


@pytest.fixture
def closed() -> Hospital:
    """A hospital that is not open yet, on a known port."""
    return Hospital(port=free_port(), worklist=[entry()])


@pytest.fixture
def modality(closed: Hospital, clock: ManualClock, tmp_path: Path) -> Iterator[Modality]:
    with Modality(tmp_path / "home", settings=closed.settings(), clock=clock, seed=2) as opened:
        yield opened


def done_offline(modality: Modality) -> int:
    key = int(modality.registration.register(patient_id="P1", patient_name="Doe^Jane")["exam"])
    modality.examination.start(key)
    modality.examination.expose(key)
    modality.examination.end(key)
    return key


def test_six_attempts_in_five_minutes_then_failed(modality: Modality, clock: ManualClock) -> None:
    modality.administration.config_set(["nodes.mpps.enabled=false"])
    done_offline(modality)
    (job,) = modality.administration.queue()
    assert (job["kind"], job["state"], job["attempts"]) == ("send", "waiting", 1)
    for minute in range(1, 6):
        clock.advance(59)
        assert modality.administration.queue_run()["tried"] == 0
        clock.advance(1)
        assert modality.administration.queue_run()["tried"] == 1
        (job,) = modality.administration.queue()
        assert (job["state"], job["attempts"]) == ("waiting" if minute < 5 else "failed", minute + 1)
    clock.advance(600)
    assert modality.administration.queue_run()["tried"] == 0
    history = modality.administration.queue_history(job["job_key"])
    starts = [datetime.fromisoformat(each["started_dttm"]) for each in history]
    assert [(start - START).total_seconds() for start in starts] == [0, 60, 120, 180, 240, 300]
    assert {each["outcome"] for each in history} == {"failed"}
    assert all("nothing listens" in each["message"] for each in history)


def test_final_report_never_overtakes_the_first(modality: Modality, closed: Hospital, clock: ManualClock) -> None:
    modality.administration.config_set(["nodes.storage.enabled=false", "end_exam.send=false"])
    done_offline(modality)
    create, end = modality.administration.queue()
    assert (create["attempts"], end["attempts"]) == (1, 0)
    with pytest.raises(Refused, match="waits for job"):
        modality.administration.queue_retry(end["job_key"])
    with closed.open():
        clock.advance(60)
        modality.administration.queue_run()
    assert closed.kinds() == ["N-CREATE", "N-SET"]


def test_storm_of_retries_keeps_the_order(modality: Modality, closed: Hospital, clock: ManualClock) -> None:
    """Three exams fail again and again, and everything is retried by many hands once the peer is back."""
    for _ in range(3):
        done_offline(modality)
    for _ in range(4):
        clock.advance(60)
        modality.administration.queue_run(everything=True)
    jobs = [job["job_key"] for job in modality.administration.queue(unfinished=True)]

    def retry(key: int) -> None:
        with suppress(Refused):
            modality.administration.queue_retry(key)

    with closed.open():
        hands = [threading.Thread(target=retry, args=(key,)) for key in reversed(jobs)]
        hands += [threading.Thread(target=modality.administration.queue_run, args=(True,)) for _ in range(3)]
        for hand in hands:
            hand.start()
        for hand in hands:
            hand.join(60)
        modality.administration.queue_run(everything=True)
    assert [job["state"] for job in modality.administration.queue(unfinished=True)] == []
    order = [(kind, uid) for kind, uid, _ in closed.messages if kind in ("N-CREATE", "N-SET")]
    steps = {uid for _, uid in order}
    assert len(steps) == 3
    assert len(order) == 6, "each report once"
    assert all(order.index(("N-CREATE", uid)) < order.index(("N-SET", uid)) for uid in steps)


def test_failed_first_report_holds_the_final_one_until_retried(
    modality: Modality, closed: Hospital, clock: ManualClock
) -> None:
    modality.administration.config_set(["end_exam.send=false", "background.retry_timeout=0"])
    done_offline(modality)
    create, end = modality.administration.queue()
    assert (create["state"], end["state"]) == ("failed", "waiting")
    with closed.open():
        clock.advance(3600)
        assert modality.administration.queue_run()["tried"] == 0
        assert modality.administration.queue_retry(create["job_key"])["state"] == "done"
        modality.administration.queue_run()
    assert closed.kinds() == ["N-CREATE", "N-SET"]


def test_queue_survives_a_restart(closed: Hospital, clock: ManualClock, tmp_path: Path) -> None:
    home = tmp_path / "again"
    with Modality(home, settings=closed.settings(), clock=clock) as first:
        key = done_offline(first)
    clock.advance(60)
    with closed.open(), Modality(home, settings=closed.settings(), clock=clock) as second:
        second.administration.queue_run()
        assert second.examination.show(key)["state"] == "sent"
    assert closed.kinds() == ["N-CREATE", "N-SET", "C-STORE"]


def test_background_worker_takes_up_work_by_itself(closed: Hospital, tmp_path: Path) -> None:
    settings = closed.settings(background={"retry_interval": 0.2})
    with closed.open(), Modality(tmp_path / "home", settings=settings) as modality:
        modality.work()
        modality.administration.config_set(["nodes.storage.port=1"])
        key = done_offline(modality)
        assert modality.examination.show(key)["state"] == "queued"
        modality.administration.config_set([f"nodes.storage.port={closed.port}"])
        with closed.seen:
            assert closed.seen.wait_for(lambda: closed.stored, 20)


def test_switched_off_node_is_never_contacted(modality: Modality, closed: Hospital) -> None:
    with closed.open():
        modality.administration.config_set([f"nodes.{n}.enabled=false" for n in ("mwl", "mpps", "qr", "storage")])
        done_offline(modality)
        answers = modality.administration.verify("all")
    assert closed.kinds() == []
    assert {a["cause"] for a in answers if a["node"] in {"mwl", "mpps", "qr", "storage"}} == {"disabled"}


@contextmanager
def silent() -> Iterator[int]:
    """A port that takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        held: list[socket.socket] = []

        def take() -> None:
            while True:
                try:
                    held.append(server.accept()[0])
                except OSError:
                    return

        thread = threading.Thread(target=take)
        thread.start()
        try:
            yield int(server.getsockname()[1])
        finally:
            server.shutdown(socket.SHUT_RDWR)
            thread.join(5)
            for each in held:
                each.close()


def test_verify_tells_the_causes_apart(modality: Modality, closed: Hospital) -> None:
    modality.administration.config_set(["timeouts.associate=0.5", "timeouts.connect=0.5"])

    def cause(*changes: str) -> str:
        modality.administration.config_set([f"nodes.qr.{each}" for each in changes])
        return str(modality.administration.verify("qr")[0]["cause"])

    assert cause() == "connection-refused"
    assert cause("host=no-such-host.invalid") == "name-not-resolved"
    with silent() as port:
        assert cause("host=127.0.0.1", f"port={port}") == "timeout"
    with modality_of_another_title() as (port, title):
        assert cause(f"port={port}", "ae_title=WRONG") == "association-rejected"
        assert cause(f"ae_title={title}") == ""


@contextmanager
def modality_of_another_title() -> Iterator[tuple[int, str]]:
    """A listener that checks who is called: our own."""
    from harness.modality.config import Local
    from harness.modality.listener import Listener

    listener = Listener(lambda kind, information: 0, lambda *parts: 0)
    try:
        yield listener.start(Local("RIGHT", "127.0.0.1", 0)), "RIGHT"
    finally:
        listener.stop()


def test_verify_tells_whether_the_archive_can_reach_us(closed: Hospital, tmp_path: Path) -> None:
    with closed.open(), Modality(tmp_path / "back", settings=closed.settings()) as modality:

        def way_back(node: str = "commitment") -> str:
            (found,) = modality.administration.verify(node)
            return str(found["way_back"])

        assert "nothing listens here" in way_back()
        assert way_back("mwl") == ""
        closed.modality = ("REFMOD", "127.0.0.1", modality.listen())
        assert f"REFMOD at 127.0.0.1:{modality.listener.port} has to be entered there" in way_back()
        key = done_offline(modality)
        assert modality.delivery.commit(key)["commitments"][0]["state"] == "committed"
        assert way_back().startswith("it reached us last at 20")
        modality.administration.config_set(["nodes.qr.host=192.0.2.1", "nodes.qr.enabled=false", "nodes.qr.ae_title=X"])
        assert "which no other machine can reach" in way_back("qr")
        assert "접속할 수 없습니다" in said("ko", way_back("qr"))


def test_peer_without_the_service_is_told_apart(modality: Modality) -> None:
    with modality_of_another_title() as (port, title):
        modality.administration.config_set([f"nodes.mwl.port={port}", f"nodes.mwl.ae_title={title}"])
        with pytest.raises(PeerProblem) as caught:
            modality.registration.worklist()
    assert caught.value.cause is Cause.NO_CONTEXT
    assert modality.registration.worklist_status()["connected"] is False


def test_commitment_hours_later_on_another_association(closed: Hospital, clock: ManualClock, tmp_path: Path) -> None:
    closed.commit_where = "never"
    with closed.open(), Modality(tmp_path / "late", settings=closed.settings(), clock=clock) as modality:
        closed.modality = ("REFMOD", "127.0.0.1", modality.listen())
        key = done_offline(modality)
        asked = modality.delivery.commit(key, wait=0)
        assert asked["commitments"][0]["state"] == "requested"
        with pytest.raises(Refused, match="no storage commitment yet"):
            modality.studies.delete(modality.examination.show(key)["study_instance_uid"])
        clock.advance(4 * 3600)
        closed.report(*closed.result(closed.requests[0]))
        assert modality.examination.show(key)["state"] == "committed"
        closed.report(*closed.result(closed.requests[0]))
        assert closed.report_status == [0, 0]
        stranger = closed.requests[0]
        stranger.TransactionUID = "1.2.3"
        closed.report(*closed.result(stranger))
        assert closed.report_status[-1] == 0x0115
        assert modality.studies.delete(modality.examination.show(key)["study_instance_uid"])["objects"] == 1


@pytest.mark.parametrize("defect", ["commit-no-listener", "report-refused"])
def test_commitment_defects_show_on_the_wire(closed: Hospital, tmp_path: Path, defect: str) -> None:
    behaviour = defects.behaviour([defect])
    with closed.open(), Modality(tmp_path / "bad", settings=closed.settings(), behaviour=behaviour) as modality:
        closed.modality = ("REFMOD", "127.0.0.1", modality.listen())
        modality.delivery.commit(done_offline(modality), wait=0)
        with closed.seen:
            closed.seen.wait_for(lambda: closed.report_status, 10)
    assert closed.report_status == ([-2] if defect == "commit-no-listener" else [0x0110])
