"""``ihe-harness simulate`` as a process of its own, against DCMTK."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.actors import objects
from harness.cli.simulate import RecentMessages
from harness.cli.simulate_places import parse_address
from harness.core.errors import UsageError
from harness.core.message import Direction, Protocol
from tests.integration.actors.tools import run

PROGRAM = """
import sys, typer
from harness.cli.simulate import simulate
from harness.core.errors import EnvironmentFailure, UsageError
app = typer.Typer()
app.command()(simulate)
try:
    sys.exit(app(standalone_mode=False))
except (UsageError, EnvironmentFailure) as error:
    sys.stderr.write(str(error))
    sys.exit(2 if isinstance(error, UsageError) else 3)
"""


@contextlib.contextmanager
def simulated(*arguments: str | Path) -> Iterator[tuple[list[dict[str, Any]], subprocess.Popen[str]]]:
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, *map(str, arguments), "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])},
    )
    with process:
        try:
            assert process.stdout is not None
            assert process.stderr is not None
            line = process.stdout.readline()
            assert line, process.stderr.read()
            ready = json.loads(line)
            assert ready["ready"] is True
            yield ready["endpoints"], process
        finally:
            process.send_signal(signal.SIGTERM)
            assert process.wait(20) == 0


@pytest.mark.peer("dcmtk")
def test_an_archive_keeps_files_and_index_over_a_restart(tmp_path: Path) -> None:
    files = tmp_path / "in"
    files.mkdir()
    samples = objects.make(objects.archive_plan()[:2], objects.uid_source(4))
    for number, sample in enumerate(samples):
        sample.dataset.save_as(files / f"{number}.dcm", enforce_file_format=True)
    storage = tmp_path / "archive"
    with simulated("image-manager", "--storage", storage) as (endpoints, _):
        assert [each["protocol"] for each in endpoints] == ["dicom", "hl7"]
        endpoint = endpoints[0]
        assert endpoint["actor"] == "image-manager"
        run("storescu", "+sd", "-aec", endpoint["ae_title"], endpoint["host"], str(endpoint["port"]), files)
    assert len(list(storage.rglob("*.dcm"))) == len(samples)
    with simulated("image-manager", "--storage", storage) as (endpoints, _):
        said = run(
            "findscu", "-S", "-k", "QueryRetrieveLevel=STUDY", "-k", "StudyInstanceUID", "-aec", "IMAGEMANAGER",
            "127.0.0.1", str(endpoints[0]["port"]), "-v",
        )  # fmt: skip
        assert said.count("Pending") == 2


@pytest.mark.peer("dcmtk")
def test_several_actors_a_worklist_and_a_defect(tmp_path: Path) -> None:
    worklist = tmp_path / "worklist.json"
    entries = [
        {
            "PatientName": f"Doe^{modality}",
            "PatientID": modality,
            "StudyInstanceUID": f"1.2.{number}",
            "Modality": modality,
            "ScheduledProcedureStepID": f"S{number}",
        }
        for number, modality in enumerate(("CT", "MR"))
    ]
    worklist.write_text(json.dumps(entries))
    arguments: list[str | Path] = ["order-filler", "image-manager", "pps-manager", "--worklist", worklist]
    with simulated(*arguments, "--defect", "filler-ignores-modality") as (endpoints, _):
        dicom = [endpoint["actor"] for endpoint in endpoints if endpoint["protocol"] == "dicom"]
        assert dicom == ["order-filler", "image-manager", "pps-manager"]
        assert len({endpoint["port"] for endpoint in endpoints}) == len(endpoints)
        said = run(
            "findscu", "-W", "-v", "-k", "PatientName", "-k", "(0040,0100)[0].Modality=CT", "-aec", "ORDERFILLER",
            "127.0.0.1", str(endpoints[0]["port"]),
        )  # fmt: skip
        assert said.count("Pending") == 2


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (("archive",), "there is no simulated actor 'archive'"),
        (("image-manager", "--defect", "nonsense"), "there is no defect 'nonsense'"),
        (("image-manager", "--defect", "filler-ignores-name"), "belongs to order-filler"),
        (("image-manager", "--peer", "X"), "write AE=HOST:PORT"),
        (("image-manager", "--ae", "A", "--ae", "B"), "2 AE titles for 1 actors"),
    ],
)
def test_wrong_arguments_are_named(arguments: tuple[str, ...], text: str) -> None:
    from harness.cli.simulate import simulate

    options: dict[str, Any] = {"actors": [], "defect": [], "peer": [], "ae": []}
    words = list(arguments)
    while words:
        word = words.pop(0)
        if word.startswith("--"):
            options[word[2:]].append(words.pop(0))
        else:
            options["actors"].append(word)
    with pytest.raises(UsageError, match=text):
        simulate(**options, port=[0])


def test_addresses_are_read_and_refused() -> None:
    assert parse_address("DISPLAY=127.0.0.1:11112").port == 11112
    assert parse_address("A=[::1]:104").host == "::1"
    for wrong in ("A=b", "=h:1", "A=h:0", "A=h:70000", "TOO_LONG_AE_TITLE_X=h:1"):
        with pytest.raises(UsageError):
            parse_address(wrong)


def test_a_standing_actor_forgets_old_messages() -> None:
    transcript = RecentMessages()
    for _ in range(4001):
        transcript.record(Direction.FROM_SUT, Protocol.DICOM, "C-ECHO-RQ")
    assert len(transcript.messages) == 2000
    assert transcript.messages[-1].seq == 4001
