"""A DSS/Order Filler by hand on two other stacks, legal and unusual, passes; what such products get wrong is found."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.core.verdict import Verdict
from tests.conformance import unusual_department
from tests.conformance.conftest import Runner

SUT = """
[product]
name = "Unusual Department"
version = "1"
[[claims]]
profile = "{profile}"
actor = "DSS/Order Filler"
transactions = [{transactions}]
options = ["PPS Exception Management", "Availability of PPS-Referenced Instances"]
[dicom]
ae_title = "UNUSUAL"
[hl7]
application = "SIM"
facility = "HOSPITAL"
[process]
argv = [
  "{{python}}", "{program}", "{{hl7.port}}", "{{control.port}}", "{{dicom.port}}", "{{order-placer.hl7_port}}",
  "{{image-manager.hl7_port}}", {options}
]
[process.ready]
tcp = ["127.0.0.1:{{hl7.port}}", "127.0.0.1:{{control.port}}", "127.0.0.1:{{dicom.port}}"]
[timeouts]
exchange = 4.0
[driver]
kind = "http"
"""
ACTIONS = ("schedule-steps", "order-procedure", "cancel-order", "change-order", "report-status")
DICOM = ("RAD-2", "RAD-3", "RAD-4", "RAD-5", "RAD-6", "RAD-7", "RAD-13", "RAD-20", "RAD-21", "RAD-49")


def sut_file(folder: Path, *options: str, profile: str = "SWF") -> str:
    transactions = ("RAD-1", "RAD-12", *DICOM) if profile == "SWF" else DICOM
    text = SUT.format(
        profile=profile,
        transactions=", ".join(f'"{name}"' for name in transactions),
        program=unusual_department.__file__,
        options=", ".join(f'"--{option}"' for option in options),
    )
    text += "".join(f'actions.{name}.url = "http://127.0.0.1:{{control.port}}/actions/{name}"\n' for name in ACTIONS)
    path = folder / "department.toml"
    path.write_text(text, encoding="utf-8")
    return str(path)


def only(*names: str) -> list[str]:
    return [word for name in names for word in ("--only", name)]


LEGAL = {
    "SWF": (
        (),
        (
            "The administrative flow: order, schedule, worklist, exam, status",
            "A temporary record is merged into the patient's own",
            "A name in Korean from the order to the worklist",
            "Matching by requested procedure ID",
            "Neither a second beginning nor a change after the end is accepted",
        ),
    ),
    "SWF.b": (("v251",), ("The administrative flow: order, schedule, worklist, exam, status",)),
}


@pytest.mark.parametrize("profile", LEGAL)
def test_what_is_legal_passes_however_unusual(harness_run: Runner, tmp_path: Path, profile: str) -> None:
    options, selected = LEGAL[profile]
    ran = harness_run("--sut", sut_file(tmp_path, *options, profile=profile), *only(*selected))
    assert ran.code == 0, ran.error
    passed = {s.name for s in ran.result.scenarios if s.verdict is Verdict.PASS}
    assert passed >= set(selected)
    assert {s.verdict for s in ran.result.scenarios} <= {Verdict.PASS, Verdict.NOT_APPLICABLE}


FOUND = {
    ("zds-is-bare", "placer-number-lost", "wrong-control-id"): (
        ("An order becomes a schedule and a worklist entry",),
        {"RAD-4-SRC-05", "RAD-2-DST-01", "RAD-2-DST-03", "XC-02", "HL7-GEN-02"},
    ),
    (
        *("cancel-is-hidden", "merge-by-name", "rename-forwards-old", "second-create", "set-after-end"),
        *("local-zone", "utf-8-as-latin", "start-is-silent", "discontinued-is-done"),
    ): (
        (
            "A cancelled step is not offered any more",
            "A temporary record is merged into the patient's own",
            "An unidentified patient gets a name",
            "Neither a second beginning nor a change after the end is accepted",
            "Matching by a range of dates",
            "A name in Latin 1 from the order to the worklist",
            "An exam that was broken off does not complete its order",
        ),
        {
            *("RAD-5-SCP-24", "RAD-12-DST-03", "RAD-12-SRC-11", "RAD-6-SCP-03", "RAD-7-SCP-01"),
            *("RAD-5-SCP-03", "XC-01", "RAD-7-SCP-05"),
        },
    ),
}


@pytest.mark.parametrize("bugs", FOUND, ids=lambda bugs: bugs[0])
def test_what_products_get_wrong_is_found(harness_run: Runner, tmp_path: Path, bugs: tuple[str, ...]) -> None:
    assert set(bugs) <= set(unusual_department.BUGS)
    selected, wanted = FOUND[bugs]
    ran = harness_run("--sut", sut_file(tmp_path, *bugs), *only(*selected))
    assert ran.code == 1, ran.error
    verdicts = ran.result.requirement_verdicts()
    assert {name for name in wanted if verdicts.get(name) in (Verdict.FAIL, Verdict.WARNING)} == wanted
