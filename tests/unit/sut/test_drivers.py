"""What drivers say of what they did."""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from harness.core.errors import UsageError
from harness.sut.actions import ACTION_KINDS, Action, OutcomeState
from harness.sut.config import ActionCommand, DriverTable
from harness.sut.drivers import reference
from harness.sut.drivers.command import CommandDriver
from harness.sut.drivers.http import HttpDriver
from harness.sut.drivers.manual import ManualDriver, Nobody
from harness.sut.drivers.silent import SilentDriver

ACTION = Action("cancel-order", {"accession": "A1"})


class Says:
    """An operator with one answer."""

    present = True

    def __init__(self, answer: str | None) -> None:
        self.answer, self.asked = answer, ""

    def ask(self, text: str, choices: tuple[str, ...], *, timeout: float) -> str | None:
        del choices, timeout
        self.asked = text
        return self.answer


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        ("done", OutcomeState.DONE),
        ("not possible", OutcomeState.UNSUPPORTED),
        ("failed", OutcomeState.FAILED),
        (None, OutcomeState.DECLINED),
    ],
)
def test_an_operator_is_told_in_words_and_believed(answer: str | None, state: OutcomeState) -> None:
    operator = Says(answer)
    assert ManualDriver(operator).perform(ACTION, timeout=1).state is state
    assert operator.asked == "Cancel the order with accession number A1."


def test_without_an_operator_nothing_is_done() -> None:
    assert ManualDriver(Nobody()).perform(ACTION, timeout=1).state is OutcomeState.UNSUPPORTED
    assert ManualDriver(Nobody()).attest("Seen?", timeout=1).state is OutcomeState.UNSUPPORTED


@pytest.mark.parametrize(
    ("answer", "state"), [("yes", OutcomeState.DONE), ("no", OutcomeState.DECLINED), (None, OutcomeState.UNSUPPORTED)]
)
def test_an_attestation_is_yes_no_or_nothing(answer: str | None, state: OutcomeState) -> None:
    assert ManualDriver(Says(answer)).attest("Seen?", timeout=1).state is state


@pytest.mark.parametrize(
    ("code", "state"),
    [
        ("print('{\"entries\": 2}')", OutcomeState.DONE),
        ("raise SystemExit(3)", OutcomeState.UNSUPPORTED),
        ("raise SystemExit('broken')", OutcomeState.FAILED),
        ("import time; time.sleep(30)", OutcomeState.FAILED),
    ],
)
def test_a_command_is_an_argument_list(tmp_path: Path, code: str, state: OutcomeState) -> None:
    table = DriverTable(kind="command", actions={"cancel-order": ActionCommand(argv=[sys.executable, "-c", code])})
    outcome = CommandDriver(table, {}, tmp_path, Nobody()).perform(ACTION, timeout=2)
    assert outcome.state is state
    if state is OutcomeState.DONE:
        assert outcome.answers == {"entries": 2}


@pytest.mark.parametrize(
    ("wait", "state"), [("", OutcomeState.DONE), ("; import time; time.sleep(30)", OutcomeState.FAILED)]
)
def test_a_command_that_leaves_a_program_behind_holds_nobody_up(tmp_path: Path, wait: str, state: OutcomeState) -> None:
    """A script that starts the product in the background: it has our output open for as long as it lives."""
    behind = "import subprocess, sys; subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(8)'])"
    table = DriverTable(
        kind="command", actions={"cancel-order": ActionCommand(argv=[sys.executable, "-c", behind + wait])}
    )
    started = time.monotonic()
    assert CommandDriver(table, {}, tmp_path, Nobody()).perform(ACTION, timeout=1.5).state is state
    assert time.monotonic() - started < 6


def test_a_command_that_cannot_be_started_is_not_our_fault(tmp_path: Path) -> None:
    script = tmp_path / "drive.sh"
    script.write_text("#!/bin/sh\n", encoding="utf-8")
    script.chmod(0o600)
    for argv, said in ((str(script), "cannot be started: Permission denied"), ("./no.sh", "write {here}/")):
        table = DriverTable(kind="command", actions={"cancel-order": ActionCommand(argv=[argv])})
        outcome = CommandDriver(table, {}, tmp_path, Nobody()).perform(ACTION, timeout=1)
        assert outcome.state is OutcomeState.UNSUPPORTED
        assert said in outcome.detail


def test_a_command_gets_its_parameters_as_values_and_as_a_file(tmp_path: Path) -> None:
    code = "import sys,json; print(json.dumps({'value': sys.argv[1], 'file': json.load(open(sys.argv[2]))}))"
    argv = [sys.executable, "-c", code, "{accession}; rm -rf /", "{parameters}"]
    table = DriverTable(kind="command", actions={"cancel-order": ActionCommand(argv=argv)})
    answers = CommandDriver(table, {}, tmp_path, Nobody()).perform(ACTION, timeout=5).answers
    assert answers == {"value": "A1; rm -rf /", "file": {"accession": "A1"}}


class _Product(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        status = {"/ok": 200, "/cannot": 501}.get(self.path, 500)
        answer = json.dumps({"got": body, "token": self.headers.get("Authorization")}).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *args: object) -> None:
        """Quiet."""


@pytest.fixture
def product() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), _Product)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.mark.parametrize(
    ("path", "state"),
    [("/ok", OutcomeState.DONE), ("/cannot", OutcomeState.UNSUPPORTED), ("/broken", OutcomeState.FAILED)],
)
def test_http_statuses_are_outcomes(product: str, path: str, state: OutcomeState) -> None:
    table = DriverTable(kind="http", token="secret", actions={"cancel-order": ActionCommand(url=product + path)})
    outcome = HttpDriver(table, {}, Nobody()).perform(ACTION, timeout=5)
    assert outcome.state is state
    if state is OutcomeState.DONE:
        assert outcome.answers == {"got": {"accession": "A1"}, "token": "Bearer secret"}


def test_a_product_that_does_not_answer_failed() -> None:
    table = DriverTable(kind="http", actions={"cancel-order": ActionCommand(url="http://127.0.0.1:1/")})
    assert HttpDriver(table, {}, Nobody()).perform(ACTION, timeout=2).state is OutcomeState.FAILED


def test_the_silent_driver_claims_everything_and_attests_nothing() -> None:
    assert SilentDriver().perform(ACTION, timeout=1).state is OutcomeState.DONE
    assert SilentDriver().attest("Seen?", timeout=1).state is OutcomeState.UNSUPPORTED


def test_the_list_of_actions_is_closed() -> None:
    with pytest.raises(UsageError, match="known"):
        _ = Action("make-coffee").kind
    with pytest.raises(UsageError, match="sugar"):
        _ = Action("cancel-order", {"sugar": 1}).kind


@pytest.mark.parametrize("name", sorted(ACTION_KINDS))
def test_every_action_can_be_worded_without_parameters(name: str) -> None:
    assert len(Action(name).wording()) > 10


@pytest.mark.parametrize(
    ("said", "state"),
    [
        ("burn: web content needs Pillow; install ihe-harness[media]", OutcomeState.UNSUPPORTED),
        ("burn: the study is not there", OutcomeState.FAILED),
    ],
)
def test_what_a_lean_installation_lacks_is_not_held_against_the_product(
    monkeypatch: pytest.MonkeyPatch, said: str, state: OutcomeState
) -> None:
    driver = object.__new__(reference.ReferenceDriver)

    def refuse(*_: object) -> None:
        raise reference._Failed(422, said)

    monkeypatch.setattr(reference.ReferenceDriver, "_create_media", refuse)
    outcome = driver.perform(Action("create-media", {}), timeout=1.0)
    assert (outcome.state, outcome.detail) == (state, said)
