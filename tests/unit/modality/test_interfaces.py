"""Every button is one service function, one verb and one endpoint; settings and scripts say what is wrong with them."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
import threading
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from harness.core.errors import ConfigurationError
from harness.modality import config, console, script
from harness.modality.answers import TOKEN_HEADER
from harness.modality.cli import GROUPS, app
from harness.modality.operations import BY_NAME, OPERATIONS
from harness.modality.server import Server
from harness.modality.service import Modality

OFFLINE = [f"nodes.{name}.enabled=false" for name in config.NodeName] + ["end_exam.send=false", "local.port=0"]


def offline() -> config.Configuration:
    made = config.Configuration()
    for each in OFFLINE:
        made = config.assign(made, each)
    return made


@dataclass
class Answer:
    status_code: int
    body: Any

    def json(self) -> Any:
        return self.body


@dataclass
class Browser:
    """A small HTTP client; nothing but the standard library."""

    url: str

    def get(self, path: str, params: dict[str, Any] | None = None) -> Answer:
        query = f"?{urllib.parse.urlencode(params, doseq=True)}" if params else ""
        return self._ask(urllib.request.Request(f"{self.url}{path}{query}"))

    def post(self, path: str, json: dict[str, Any], headers: dict[str, str] | None = None) -> Answer:
        head = {"Content-Type": "application/json", **(headers or {})}
        return self._ask(urllib.request.Request(f"{self.url}{path}", _dumps(json), head))

    def _ask(self, request: urllib.request.Request) -> Answer:
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                return Answer(answer.status, json.load(answer))
        except urllib.error.HTTPError as error:
            with error:
                return Answer(error.code, json.load(error))


def _dumps(values: dict[str, Any]) -> bytes:
    return json.dumps(values).encode()


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Browser]:
    with Modality(tmp_path / "home", settings=offline(), seed=1) as modality:
        server = Server(modality, "127.0.0.1", 0, "t")
        thread = threading.Thread(target=server.run, args=(lambda ready: None,))
        thread.start()
        yield Browser(server.url)
        server.stop()
        thread.join(20)


def run(home: Path, *arguments: str) -> tuple[int, Any]:
    verb = list(arguments)
    options = [part for each in OFFLINE for part in ("--set", each)]
    result = CliRunner().invoke(app, [*verb, "--home", str(home), "--json", "--seed", "1", *options])
    return result.exit_code, json.loads(result.stdout) if result.stdout.strip() else None


def test_each_operation_has_one_verb_and_one_endpoint(client: Browser) -> None:
    commands: dict[str, Any] = getattr(typer.main.get_command(app), "commands")  # noqa: B009
    verbs = set()
    for name, command in commands.items():
        if name in GROUPS:
            verbs |= {name if verb == "list" else f"{name}-{verb}" for verb in command.commands}
        else:
            verbs.add(name)
    paths = client.get("/openapi.json").json()["paths"]
    endpoints = {
        path.removeprefix("/api/"): next(iter(verb)) for path, verb in paths.items() if path.startswith("/api/")
    }
    assert set(endpoints) == set(BY_NAME)
    assert verbs == set(BY_NAME) | {"serve", "run", "defects"}
    assert {name: "post" if BY_NAME[name].writes else "get" for name in BY_NAME} == endpoints


#: verbs that no button of the console presses, and why
NO_BUTTON = {
    "expose": "the buttons are Ready, Shot and Confirm",
    "queue-run": "the background work of `serve` does it",
    "export": "for files", "compress": "for files", "render": "for files", "dump": "for files",
    "compress-report": "for files", "capture-save": "the Status tab hands the capture to the browser",
    "purge": "housekeeping", "db-check": "housekeeping", "db-schema": "documentation", "workflow": "documentation",
}  # fmt: skip


def test_every_button_of_the_console_is_an_operation_and_what_has_no_button_is_known() -> None:
    pressed: set[str] = set()
    for path in Path(console.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                pressed |= {node.value} & set(BY_NAME)
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "do":
                name = node.args[0]
                assert not isinstance(name, ast.Constant) or name.value in BY_NAME, f"{path.name}: {ast.unparse(node)}"
    assert set(BY_NAME) - pressed == set(NO_BUTTON)


def test_every_operation_says_what_it_does() -> None:
    assert all(operation.summary.endswith((".", ";")) for operation in OPERATIONS)


def test_exam_over_http(client: Browser) -> None:
    head = {TOKEN_HEADER: "t"}
    assert client.post("/api/register", json={"patient_id": "P"}).status_code == 403
    exam = client.post("/api/register", json={"patient_id": "P"}, headers=head).json()["exam"]
    refused = client.post("/api/shot", json={"exam": exam}, headers=head)
    assert refused.status_code == 409
    assert "possible: modify, start, cancel" in refused.json()["error"]["message"]
    client.post("/api/start", json={"exam": exam}, headers=head)
    client.post("/api/expose", json={"exam": exam, "count": 2}, headers=head)
    ended = client.post("/api/end", json={"exam": exam}, headers=head).json()
    assert (ended["state"], ended["mpps_status"]) == ("ended", "COMPLETED")
    (study,) = client.get("/api/studies", params={"patient_id": "P"}).json()
    assert (study["series_count"], study["instance_count"]) == (1, 2)
    uid = ended["objects"][0]["sop_instance_uid"]
    seen = client.get("/api/review", params={"instance": uid, "length": [1, 1, 11, 1]}).json()
    assert seen["length"] == {"value": 5.0, "unit": "mm at detector"}
    assert client.get("/api/show", params={"exam": 99}).status_code == 404
    assert client.post("/api/register", json={"nonsense": 1}, headers=head).status_code == 422
    assert client.get("/healthz").json()["ok"] is True


def test_exam_over_the_command_line(tmp_path: Path) -> None:
    home = tmp_path / "home"
    assert run(home, "register", "--patient-id", "P", "--patient-name", "Doe^Jo")[0] == 0
    assert run(home, "start")[0] == 0
    assert run(home, "expose", "--count", "2")[0] == 0
    assert run(home, "reject", "--number", "1")[0] == 0
    code, ended = run(home, "end")
    assert (code, ended["state"]) == (0, "ended")
    assert run(home, "db", "check") == (0, {"ok": True, "problems": []})
    code, error = run(home, "end", "--exam", "1")
    assert code == 2
    assert error["error"]["kind"] == "Refused"
    code, error = run(home, "worklist")
    assert (code, error["error"]["cause"]) == (3, "disabled")


def test_same_seed_and_clock_make_the_same_exam(tmp_path: Path) -> None:
    made = []
    for name in ("a", "b"):
        steps = [("register", "--patient-id", "P"), ("start",), ("expose",), ("end",)]
        made.append([run(tmp_path / name, *step, "--clock", "2026-11-21T08:00:00") for step in steps])
    assert made[0] == made[1]


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"patient_id": "P", "accession_number": "A" * 17}, "17 characters, 16 are allowed"),
        ({"patient_id": "P", "sex": "X"}, "not M, F or O"),
        ({"patient_id": "P", "birth_date": "1970"}, "not YYYYMMDD"),
        ({}, "patient ID or a patient name"),
        ({"patient_id": "P", "modality": "XA"}, "makes no XA images"),
    ],
)
def test_bad_registration_is_told_in_words(client: Browser, values: dict[str, str], said: str) -> None:
    answer = client.post("/api/register", json=values, headers={TOKEN_HEADER: "t"})
    assert answer.status_code == 409
    assert said in answer.json()["error"]["message"]


def test_study_that_waits_for_commitment_is_not_deleted(client: Browser) -> None:
    head = {TOKEN_HEADER: "t"}
    exam = client.post("/api/register", json={"patient_id": "P"}, headers=head).json()
    for verb in ("start", "expose", "end"):
        client.post(f"/api/{verb}", json={"exam": exam["exam"]}, headers=head)
    refused = client.post("/api/delete", json={"study": exam["study_instance_uid"]}, headers=head)
    assert refused.status_code == 409
    assert "no storage commitment yet" in refused.json()["error"]["message"]


def test_sizes_come_in_the_published_order(client: Browser) -> None:
    head = {TOKEN_HEADER: "t"}
    exam = client.post("/api/register", json={"patient_id": "P"}, headers=head).json()["exam"]
    for verb in ("start", "expose"):
        made = client.post(f"/api/{verb}", json={"exam": exam}, headers=head).json()
    rows = client.get("/api/compress-report", params={"instance": made["objects"][0]["sop_instance_uid"]}).json()
    size = {row["name"]: row["bytes"] for row in rows}
    assert size["explicit"] >= size["jpeg-lossless"] >= size["jpeg-extended"] >= size["jpeg-baseline"]


def test_technique_is_in_the_image(client: Browser) -> None:
    head = {TOKEN_HEADER: "t"}
    exam = client.post("/api/register", json={"patient_id": "P"}, headers=head).json()["exam"]
    client.post("/api/start", json={"exam": exam}, headers=head)
    made = client.post("/api/expose", json={"exam": exam}, headers=head).json()
    uid = made["objects"][0]["sop_instance_uid"]
    dump = client.get("/api/dump", params={"instance": uid}).json()["text"]
    for line in ("DS [70] # KVP", "IS [110] # XRayTubeCurrent", "IS [100] # ExposureTime", "IS [11] # Exposure"):
        assert line in dump
    assert dump == client.get("/api/dump", params={"instance": uid}).json()["text"]


# -- settings and scripts -------------------------------------------------------------------------------------------


def test_settings_round_trip_through_toml(tmp_path: Path) -> None:
    made = config.assign(offline(), "institution.name=서울대병원")
    path = tmp_path / "settings.toml"
    path.write_text(config.to_toml(made), encoding="utf-8")
    assert config.from_file(path) == made


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({"nodes": {"mwl": {"prot": 1}}}, "nodes.mwl.prot: unknown key; known here: enabled, ae_title, host, port"),
        ({"local": {"port": "x"}}, "local.port: 'x' is not a number"),
        ({"local": {"port": 70000}}, "70000 is not a port"),
        ({"local": {"ae_title": "A" * 17}}, "is not an AE title"),
        ({"environment": {"character_set": ["ISO_IR 149"]}}, "'ISO_IR 149' is not a defined term"),
        ({"local": 5}, "local: is a table, not a value"),
    ],
)
def test_wrong_setting_names_its_place(data: dict[str, object], said: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        config.from_mapping(data)
    assert said in str(caught.value)


def test_day_is_worked_through(tmp_path: Path) -> None:
    day = tmp_path / "day.yaml"
    day.write_text(
        "steps:\n- do: worklist\n  may_fail: true\n- do: register\n  with: {patient_id: P}\n- start\n- expose\n- end\n",
        encoding="utf-8",
    )
    with Modality(tmp_path / "home", settings=offline()) as modality:
        done = script.perform(modality, script.load(day))
    assert [each["ok"] for each in done] == [False, True, True, True, True]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("steps: []", "expected a list of steps"),
        ("- do: fly", "step 1: unknown verb 'fly'"),
        ("- do: start\n  with: {speed: 1}", "step 1: start takes exam, operator, procedure, protocol"),
        ("- {do: start, when: now}", "expected a verb"),
        ("!!python/object/apply:os.system [ls]", "could not determine a constructor"),
    ],
)
def test_wrong_day_names_its_step(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "day.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigurationError) as caught:
        script.load(path)
    assert said in str(caught.value)


def test_verb_does_not_load_the_web_framework() -> None:
    """It would cost a second at each verb."""
    code = "import sys, harness.modality.cli; print(sorted({'fastapi', 'uvicorn', 'jinja2'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
