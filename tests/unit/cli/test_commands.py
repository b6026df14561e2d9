"""The commands that need no product: what they say, and with which exit code."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from harness.cli.main import call

FEATURE = """@profile:SWF @actor:acquisition-modality @transaction:RAD-5
Feature: Ours
  Scenario: one
    Given the Order Filler has nothing scheduled
    Then the requirement "RAD-5-SCU-17" is met
"""
SUT = """
[product]
name = "P"
[[claims]]
profile = "SWF"
actor = "DSS/Order Filler"
"""


@pytest.fixture
def features(tmp_path: Path) -> Path:
    folder = tmp_path / "ours"
    folder.mkdir()
    (folder / "one.feature").write_text(FEATURE, encoding="utf-8")
    return folder


def answer(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    assert call([*arguments, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


@pytest.mark.parametrize(
    ("subject", "key", "value"),
    [
        ("profiles", "profile", "SWF.b"),
        ("actors", "actor", "Image Manager/Archive"),
        ("transactions", "transaction", "RAD-10"),
        ("requirements", "id", "RAD-7-SCU-05"),
        ("scenarios", "scenario", "A rejected image stays out of the step"),
        ("defects", "id", "image-not-reported"),
        ("actions", "action", "perform-step"),
    ],
)
def test_what_the_harness_knows_is_listed(
    capsys: pytest.CaptureFixture[str], subject: str, key: str, value: str
) -> None:
    assert value in [row[key] for row in answer(capsys, "list", subject)]


def test_lists_fit_a_terminal_of_eighty_columns(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    assert call(["list", "scenarios", "--search", "A rejected image"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert any("A rejected image stays out of the step" in line for line in lines)
    assert max(len(line) for line in lines) <= 80


@pytest.mark.parametrize(
    ("identifier", "key", "value"),
    [
        ("RAD-7-SCU-05", "requirement", "RAD-7-SCU-05"),
        ("RAD-7", "transaction", "RAD-7 Modality Procedure Step Completed/Discontinued"),
        ("MESA-241", "topic", "Abandoned exam"),
        ("image-not-reported", "defect", "image-not-reported"),
        ("perform-step", "action", "perform-step"),
        ("retrieve-report", "may answer", ["page: what the product shows of the report, text or HTML"]),
        ("0040,0270", "keyword", "ScheduledStepAttributesSequence"),
        ("IOD-2-MISSING", "meaning", "An attribute of type 2 is missing."),
    ],
)
def test_a_name_is_explained(capsys: pytest.CaptureFixture[str], identifier: str, key: str, value: Any) -> None:
    assert answer(capsys, "explain", identifier)[key] == value


@pytest.mark.parametrize(
    ("identifier", "nearest"),
    [("RAD-7-SCU-5", "RAD-7-SCU-"), ("perform-steps", "perform-step"), ("image-not-reportd", "image-not-reported")],
)
def test_an_unknown_name_is_a_usage_error_with_the_nearest(
    capsys: pytest.CaptureFixture[str], identifier: str, nearest: str
) -> None:
    assert call(["explain", identifier]) == 2
    assert f"did you mean {nearest}" in capsys.readouterr().err.replace("\n", " ")


def test_lint_names_file_and_line(capsys: pytest.CaptureFixture[str], features: Path) -> None:
    assert call(["lint", str(features)]) == 0
    (features / "one.feature").write_text(FEATURE.replace("has nothing", "has noting"), encoding="utf-8")
    assert call(["lint", str(features)]) == 2
    said = capsys.readouterr()
    assert "one.feature:4: undefined step" in "".join((said.out + said.err).splitlines())


def test_a_dry_run_says_what_would_run_and_why_not(
    capsys: pytest.CaptureFixture[str], features: Path, tmp_path: Path
) -> None:
    (plan,) = answer(capsys, "dry-run", "--features", str(features))
    assert plan["applies"] is True
    sut = tmp_path / "sut.toml"
    sut.write_text(SUT, encoding="utf-8")
    (plan,) = answer(capsys, "dry-run", "--features", str(features), "--sut", str(sut))
    assert (plan["applies"], plan["reason"]) == (False, "Acquisition Modality in SWF is not claimed")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--profile", "swf"], "there is no profile 'swf'"),
        (["--actor", "modality"], "there is no actor 'modality'"),
        (["--only", "RAD-7-SCU-5"], "did you mean RAD-7-SCU-"),
        (["--only", "RAD-5", "--only", "XYZ"], "--only XYZ: nothing was selected"),
        (["--only", "MESA-1303"], "MESA-1303 (Charge posting is no part of SWF)"),
    ],
)
@pytest.mark.parametrize("command", ["run", "dry-run"])
def test_a_selection_that_means_nothing_is_a_usage_error(
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    command: str,
    arguments: list[str],
    said: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert call([command, *arguments]) == 2
    assert said in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--defect", "no-such"], "there is no defect 'no-such'"),
        (["--sut", "ours.toml", "--defect", "image-not-reported"], "P has no seeded defects"),
        (["--sut", "none.toml"], "there is no such file"),
        (["--waivers", "none.toml"], "there is no such file"),
        (["--rerun-failed", "none"], "not a run"),
        (["--out", "."], "is not empty"),
        (["--dry-run"], "ihe-harness dry-run"),
        (["--sut", "ours.toml", "--workers", "2"], "P is one shared product"),
        (["--sut", "fixed.toml", "--workers", "2"], "the port in [harness.actors.order-filler] is fixed"),
        (["--sut", "twice.toml"], "actors.pps-manager.port is 11112, which order-filler.port has already"),
        (["--waivers", "waived.toml"], "there is no requirement 'RAD-5-SCU-99'; did you mean RAD-5-SCU-"),
    ],
)
def test_a_run_that_cannot_be_meant_starts_nothing(
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    said: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    port = "[harness.actors.{}]\nport = 11112\n"
    files = {
        "ours.toml": SUT,
        "fixed.toml": SUT + '[driver]\nkind = "silent"\n' + port.format("order-filler"),
        "twice.toml": SUT + port.format("order-filler") + port.format("pps-manager"),
        "waived.toml": '[[waivers]]\nrequirement = "RAD-5-SCU-99"\nreason = "agreed here"\nexpires = 2999-01-01\n',
    }
    for name, text in files.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    assert call(["run", *arguments]) == 2
    assert said in capsys.readouterr().err
    assert {path.name for path in tmp_path.iterdir()} == set(files)
