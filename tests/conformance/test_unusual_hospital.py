"""A product by hand on another HL7 stack that is legal and unusual in everything passes; its one mistake is found."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.core.verdict import Verdict
from tests.conformance import unusual_hospital
from tests.conformance.conftest import Runner

SUT = """
[product]
name = "Unusual Hospital"
version = "1"
[[claims]]
profile = "SWF"
actor = "{actor}"
transactions = [{transactions}]
options = [{options}]
[hl7]
application = "SIM"
facility = "HOSPITAL"
[process]
argv = ["{{python}}", "{program}", "{{hl7.port}}", "{{control.port}}", {peers}{more}]
[process.ready]
tcp = ["127.0.0.1:{{hl7.port}}", "127.0.0.1:{{control.port}}"]
[driver]
kind = "http"
"""
ACTIONS = ("register-patient", "update-patient", "place-order", "withdraw-order")
PEERS = {
    "ADT": '"{order-placer.hl7_port}", "{order-filler.hl7_port}"',
    "Order Placer": '"0", "{order-filler.hl7_port}"',
}
TRANSACTIONS = {"ADT": '"RAD-1", "RAD-12"', "Order Placer": '"RAD-1", "RAD-2", "RAD-3", "RAD-12", "RAD-48"'}


def sut_file(folder: Path, actor: str, more: str = "") -> str:
    text = SUT.format(
        actor=actor,
        transactions=TRANSACTIONS[actor],
        options='"Departmental Appointment Notification"' if actor == "Order Placer" else "",
        program=unusual_hospital.__file__,
        peers=PEERS[actor],
        more=f', "{more}"' if more else "",
    )
    text += "".join(
        f'actions.{name}.url = "http://127.0.0.1:{{control.port}}/actions/{name}"\n'
        for name in (ACTIONS[:2] if actor == "ADT" else ACTIONS[2:])
    )
    path = folder / "unusual.toml"
    path.write_text(text, encoding="utf-8")
    return str(path)


@pytest.mark.parametrize(("actor", "scenarios"), [("ADT", 22), ("Order Placer", 34)])
def test_what_is_legal_passes_however_unusual(harness_run: Runner, tmp_path: Path, actor: str, scenarios: int) -> None:
    ran = harness_run("--sut", sut_file(tmp_path, actor))
    assert ran.code == 0, ran.error
    assert ran.answer["scenarios"]["passed"] >= scenarios
    assert {s.verdict for s in ran.result.scenarios} <= {Verdict.PASS, Verdict.NOT_APPLICABLE}


def test_names_read_in_the_wrong_character_set_are_found(harness_run: Runner, tmp_path: Path) -> None:
    ran = harness_run("--sut", sut_file(tmp_path, "Order Placer", "--one-character-set"), "--only", "MESA-141")
    assert ran.code == 1, ran.error
    assert ran.result.requirement_verdicts()["RAD-1-DST-01"] is Verdict.FAIL
    failed = {s.name.rpartition(" in ")[2] for s in ran.result.scenarios if s.verdict is Verdict.FAIL}
    assert failed == {"Latin 1", "Korean", "Chinese, GB18030", "Japanese"}
