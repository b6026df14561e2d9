"""Two hundred kills at random moments lose nothing and duplicate nothing."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from harness.modality.config import to_toml
from harness.modality.domain import State
from harness.modality.service import Modality
from tests.integration.modality import mortal
from tests.integration.modality.hospital import Hospital

KILLS = 200


@pytest.mark.slow
def test_kills_lose_and_duplicate_nothing(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with Hospital(commit_where="never").open() as hospital:
        settings = hospital.settings(end_exam={"commit": True})
        file = tmp_path / "settings.toml"
        file.write_text(to_toml(settings), encoding="utf-8")
        arguments = [sys.executable, "-m", "tests.integration.modality.mortal", str(home), str(file), str(KILLS), "11"]
        done = subprocess.run(arguments, capture_output=True, text=True, timeout=300, check=False)
        assert done.returncode == 0, done.stderr[-3000:]

        with Modality(home, settings=settings) as modality:
            modality.kernel.queue.run_due(everything=True)
            while modality.examination.exams(active=True):
                mortal.step(modality)
            exams = [modality.kernel.exam(each["exam"]) for each in modality.examination.exams()]
            jobs = modality.administration.queue()
            checked = modality.administration.db_check()
            cut = modality.kernel.database.scalar("SELECT count(*) FROM JobAttempt WHERE outcome = 'interrupted'")

    assert checked == {"ok": True, "problems": []}
    assert {job["state"] for job in jobs} == {"done"}
    assert len(exams) > 5
    assert {exam.state for exam in exams} == {State.SENT}
    steps = [exam.performed for exam in exams if exam.performed]
    assert hospital.steps == {step.instance_uid: "COMPLETED" for step in steps}
    assert len({step.step_id for step in steps}) == len(exams)
    for step in steps:
        assert [kind for kind, uid, _ in hospital.messages if uid == step.instance_uid] == ["N-CREATE", "N-SET"]
    confirmed = [shot.sop_instance_uid for exam in exams for shot in exam.confirmed]
    assert set(hospital.stored) == set(confirmed)
    assert max(Counter(confirmed).values()) == 1
    transactions = [str(request.TransactionUID) for request in hospital.requests]
    assert len(set(transactions)) == len(transactions) >= len(exams)
    assert cut > 5, "the kills never hit a running job; the test proves too little"
