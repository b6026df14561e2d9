"""Some seeded defects on the wire, and all legal variants together; the unit tests look at every single one."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydicom.dataset import Dataset

from harness.core.errors import HarnessError
from harness.modality import defects
from harness.modality.clock import clock_from
from harness.modality.defects import VARIANTS
from harness.modality.service import Modality
from tests.integration.modality.hospital import Hospital, entry


def _entries() -> list[Dataset]:
    name = "Hong^Gildong=洪^吉洞=홍^길동"
    return [
        entry(name=name, sets=["", "ISO 2022 IR 149"]),
        entry("SPS2", accession="ACC2", procedure="RP2", study="1.2.3.4.2", name=name, sets=["", "ISO 2022 IR 149"]),
    ]


def day(home: Path, hospital: Hospital, applied: list[str]) -> list[Any]:
    """Work through exams of every kind; return all that a peer or a technologist can see."""
    said: list[Any] = []

    def note(action: Any, *parts: Any, **more: Any) -> Any:
        try:
            result = action(*parts, **more)
        except HarnessError as error:
            said.append(type(error).__name__)
            return None
        said.append(result)
        return result

    behaviour = defects.behaviour(applied)
    clock = clock_from("2026-11-21T08:00:00")
    with Modality(home, settings=hospital.settings(), behaviour=behaviour, clock=clock, seed=5) as modality:
        desk, room, post = modality.registration, modality.examination, modality.delivery

        def work(exam: Any, count: int, state: bool = False, **start: Any) -> None:
            if exam is None:
                return
            note(room.start, exam["exam"], **start)
            made = note(room.expose, exam["exam"], count=count) if count else None
            if made and state:
                note(modality.review.save_gsps, [o["sop_instance_uid"] for o in made["objects"]])

        note(desk.worklist, patient_id="PID1")
        note(desk.worklist, date="20261120-20261122")
        hospital.pending = 0xFF01
        note(desk.worklist)
        hospital.pending = 0xFF00
        hospital.find_status = 0xA700
        note(desk.worklist)
        hospital.find_status = 0
        note(desk.worklist)
        first = note(desk.register, items=[1])
        work(first, 2, True)
        if first:
            note(room.end, first["exam"])
            note(post.commit, first["exam"], wait=0)
            note(post.commit, first["exam"], wait=0)
            note(modality.studies.delete, first["study_instance_uid"])
            second = note(desk.append, first["exam"])
            work(second, 1)
            if second:
                note(room.end, second["exam"])
        group = note(desk.register, items=[1, 2])
        work(group, 1)
        if group:
            note(room.end, group["exam"])
        for images in (0, 1):
            cancelled = note(desk.register, items=[2])
            work(cancelled, images)
            if cancelled:
                note(room.cancel, cancelled["exam"], reason="110514")
        other = note(desk.register, items=[1])
        work(other, 1, procedure="Wrist")
        if other:
            hospital.store_status = {hospital.store_calls + 1: 0xC000}
            note(room.end, other["exam"])
        walk_in = note(desk.register, patient_id="P9", patient_name="Nobody^Known")
        work(walk_in, 1)
        if walk_in:
            note(room.end, walk_in["exam"])
    wire = [(kind, dataset.to_json_dict()) for kind, _, dataset in hospital.messages]
    return [said, wire, [query.to_json_dict() for query in hospital.queries], hospital.proposed]


@contextlib.contextmanager
def hospital_of() -> Iterator[Hospital]:
    with Hospital(worklist=_entries(), commit_where="never").open() as opened:
        yield opened


def test_all_variants_together_finish_every_exam(tmp_path: Path) -> None:
    with hospital_of() as hospital:
        said = day(tmp_path / "home", hospital, [each.id for each in VARIANTS])[0]
    assert sorted(hospital.steps.values()) == ["COMPLETED"] * 5 + ["DISCONTINUED"] * 2
    # the failing worklist query, and the study that may not be deleted before commitment
    assert [each for each in said if isinstance(each, str)] == ["PeerProblem", "Refused"]


@pytest.mark.filterwarnings("ignore::UserWarning")  # defective values on purpose
@pytest.mark.parametrize("defect", ["cancel-leaves-orphan", "store-failure-ignored"])
def test_defect_shows_on_the_wire(tmp_path: Path, defect: str) -> None:
    with hospital_of() as hospital:
        said = day(tmp_path / "home", hospital, [defect])[0]
    orphans = list(hospital.steps.values()).count("IN PROGRESS")
    failed = [
        each for each in said if isinstance(each, dict) and any(j["state"] == "failed" for j in each.get("jobs", ()))
    ]
    assert {"cancel-leaves-orphan": orphans == 2, "store-failure-ignored": not failed}[defect]
