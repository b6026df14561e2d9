"""A disk that is full at any moment: an error in words, nothing half, nothing lost, and what failed can be repeated."""

from __future__ import annotations

import errno
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest

from harness.modality import wire
from harness.modality.errors import StoreProblem
from harness.modality.service import Modality
from tests.unit.modality.test_interfaces import offline

Full = Callable[[Modality], AbstractContextManager[None]]


@contextmanager
def no_room_for_files(modality: Modality) -> Iterator[None]:
    """All bytes are written, and the disk says at the end that they did not fit, as a network drive does."""
    del modality
    with pytest.MonkeyPatch.context() as patch:

        def full(_: int) -> None:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        patch.setattr("harness.modality.wire.os.fsync", full)
        yield


class Crowded:
    """A connection whose transactions do not fit on the disk; reading works."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def execute(self, sql: str, *values: Any) -> sqlite3.Cursor:
        if sql == "COMMIT":
            raise sqlite3.OperationalError("database or disk is full")
        return self._connection.execute(sql, *values)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)


@contextmanager
def no_room_for_rows(modality: Modality) -> Iterator[None]:
    """Transactions fail at their very end."""
    database = modality.kernel.database
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(database, "_connection", Crowded(database._connection))
        yield


@pytest.fixture
def modality(tmp_path: Path) -> Iterator[Modality]:
    with Modality(tmp_path / "home", settings=offline(), seed=5) as made:
        yield made


def files(modality: Modality) -> set[str]:
    folder = modality.kernel.home / "objects"
    return {str(each.relative_to(folder)) for each in folder.rglob("*") if each.is_file()}


def sound(modality: Modality) -> bool:
    return modality.administration.db_check() == {"ok": True, "problems": []}


@pytest.fixture
def sent(tmp_path: Path) -> tuple[bytes, str, str, str]:
    """An object that another modality would send."""
    with Modality(tmp_path / "other", settings=offline(), seed=6) as other:
        other.registration.register(patient_id="P1", patient_name="KIM^A")
        other.examination.start()
        other.examination.expose()
        uid = other.examination.end()["objects"][0]["sop_instance_uid"]
        return wire.read_body(other.studies.file_of(uid))


@pytest.mark.parametrize("full", [no_room_for_files, no_room_for_rows])
def test_an_object_that_a_peer_sends_is_refused_whole_and_taken_later(
    modality: Modality, sent: tuple[bytes, str, str, str], full: Full
) -> None:
    with full(modality):
        assert modality.retrieval.received(*sent) == 0xA700
        assert files(modality) == set()
        assert modality.studies.studies() == []
    if full is no_room_for_files:  # where the database is full, the log is full as well
        (said,) = [event for event in modality.administration.events() if event["kind"] == "intake"]
        assert "No space left on device" in said["message"]
        assert said["level"] == 1
    assert modality.retrieval.received(*sent) == 0
    assert len(files(modality)) == 1
    assert sound(modality)


@pytest.mark.parametrize("full", [no_room_for_files, no_room_for_rows])
def test_the_object_that_is_here_survives_one_that_does_not_fit(
    modality: Modality, sent: tuple[bytes, str, str, str], full: Full
) -> None:
    assert modality.retrieval.received(*sent) == 0
    (name,) = files(modality)
    before = (modality.kernel.home / "objects" / name).read_bytes()
    with full(modality):
        assert modality.retrieval.received(*sent) == 0xA700
    assert files(modality) == {name}
    assert (modality.kernel.home / "objects" / name).read_bytes() == before, "the same object"
    assert sound(modality)


def _no_page(*_: object, **__: object) -> int:
    raise StoreProblem("the disk is full")


@pytest.mark.parametrize("full", [no_room_for_files, no_room_for_rows])
def test_an_exposure_leaves_nothing_and_can_be_repeated(modality: Modality, full: Full) -> None:
    modality.registration.register(patient_id="P1")
    modality.examination.start()
    modality.examination.expose()
    modality.examination.ready()
    before = files(modality)
    with full(modality), pytest.raises(StoreProblem, match=r"free space"):
        modality.examination.shot()
    assert files(modality) == before
    assert modality.examination.show()["state"] == "ready"
    modality.examination.shot()
    assert len(modality.examination.confirm()["objects"]) == 2
    assert sound(modality)


def test_a_confirmation_can_be_repeated(modality: Modality) -> None:
    modality.registration.register(patient_id="P1")
    modality.examination.start()
    modality.examination.ready()
    modality.examination.shot()
    with no_room_for_rows(modality), pytest.raises(StoreProblem, match="disk is full"):
        modality.examination.confirm()
    assert modality.examination.show()["state"] == "reviewing"
    assert modality.studies.studies() == []
    modality.examination.confirm()
    assert modality.studies.studies()[0]["instance_count"] == 1
    assert sound(modality)


def test_a_cancellation_that_failed_has_dropped_no_image(modality: Modality) -> None:
    modality.registration.register(patient_id="P1")
    modality.examination.start()
    modality.examination.expose(count=2)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(modality.performed), "report_end", _no_page)
        with pytest.raises(StoreProblem):
            modality.examination.cancel(keep_objects=False)
    assert modality.examination.show()["state"] == "in-progress"
    assert modality.studies.studies()[0]["instance_count"] == 2
    assert modality.examination.cancel(exam=1, keep_objects=False)["mpps_status"] == "DISCONTINUED"
    assert [study["instance_count"] for study in modality.studies.studies()] == [0]
    assert sound(modality)
