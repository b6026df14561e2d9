"""Gherkin steps and evidence for Allure, through allure-pytest (which knows nothing of steps by itself)."""

from __future__ import annotations

import json
import uuid
from pathlib import Path
from typing import Any

import allure_commons
from allure_commons.types import AttachmentType

from harness.bdd.record import ScenarioRecord
from harness.core.result import RunResult, ScenarioResult, StepResult
from harness.core.verdict import Verdict
from harness.reporting.evidence import write_atomically

#: label that names a scenario by its id
_LABEL = "scenario"


class _StepFailed(AssertionError):
    """Allure calls a step failed for an AssertionError and broken for anything else."""


class _StepBroken(Exception):
    """See above."""


def name(title: str) -> None:
    """Show the scenario under this name."""
    allure_commons.plugin_manager.hook.add_title(test_title=title)


def start(record: ScenarioRecord, step: Any) -> None:
    """Open a step."""
    identifier = str(uuid.uuid4())
    record.allure_open.append(identifier)
    parameters = {}
    if step.datatable:
        parameters["table"] = (
            "\n".join(" | ".join(row) for row in step.raw_datatable_rows())
            if hasattr(step, "raw_datatable_rows")
            else str(step.datatable)
        )
    title = f"{str(step.keyword).strip()} {step.name}"
    allure_commons.plugin_manager.hook.start_step(uuid=identifier, title=title, params=parameters)


def stop(record: ScenarioRecord, done: StepResult) -> None:
    """Close the step that is open."""
    if not record.allure_open:
        return
    error: BaseException | None = None
    if done.verdict is Verdict.FAIL:
        error = _StepFailed(done.message or "a requirement was broken")
    elif done.verdict in (Verdict.INCONCLUSIVE, Verdict.ERROR):
        error = _StepBroken(done.message or done.verdict.word)
    allure_commons.plugin_manager.hook.stop_step(
        uuid=record.allure_open.pop(), exc_type=type(error) if error else None, exc_val=error, exc_tb=None
    )


def close_leftovers(record: ScenarioRecord) -> None:
    """A skip inside a step calls neither hook; whatever is still open is closed here."""
    while record.allure_open:
        allure_commons.plugin_manager.hook.stop_step(
            uuid=record.allure_open.pop(), exc_type=None, exc_val=None, exc_tb=None
        )


def attach(record: ScenarioRecord, result: ScenarioResult) -> None:
    """Put the findings beside the scenario, and its id among the labels."""
    allure_commons.plugin_manager.hook.add_label(label_type=_LABEL, labels=[result.id])
    if not result.findings:
        return
    findings = json.dumps([finding.to_json() for finding in result.findings], ensure_ascii=False, indent=1)
    allure_commons.plugin_manager.hook.attach_data(
        body=findings, name="findings", attachment_type=AttachmentType.JSON, extension="json"
    )
    del record


def accept(folder: Path, run: RunResult, since: float) -> int:
    """Waivers are applied when a run is over: results written ``since`` then pass as they do elsewhere, and say why.

    Returns how many were changed; a file that is no result of ours stays as it is.
    """
    reasons: dict[str, list[str]] = {}
    for waiver in run.waivers:
        if waiver.get("state") == "valid":
            text = f"{waiver.get('requirement')} accepted as known: {waiver.get('reason')}"
            reasons.setdefault(str(waiver.get("scenario")), []).append(text)
    relieved = {name for name, verdict in run.accepted.items() if verdict <= Verdict.WARNING}
    changed = 0
    for path in sorted(folder.glob("*-result.json")):
        if path.stat().st_mtime < since:
            continue
        stored = json.loads(path.read_text(encoding="utf-8"))
        names = {label.get("value") for label in stored.get("labels", ()) if label.get("name") == _LABEL}
        for name in names & relieved:
            message = "\n".join(dict.fromkeys(reasons.get(str(name), ["accepted as known"])))
            stored.update(status="passed", statusDetails={"known": True, "message": message})
            write_atomically(path, json.dumps(stored, ensure_ascii=False).encode())
            changed += 1
    return changed
