"""The result of a run: all that a report may use. ``run.json`` is the truth, everything else a rendering."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from harness.core.finding import Finding
from harness.core.verdict import Verdict, roll_up

SCHEMA_VERSION = 1


@dataclass(frozen=True, slots=True)
class StepResult:
    """One Gherkin step as it was run."""

    keyword: str
    text: str
    verdict: Verdict
    seconds: float
    message: str = ""


@dataclass(frozen=True, slots=True)
class ScenarioResult:
    """One scenario: its steps, what was judged, and where its transcript lies (relative to ``run.json``)."""

    id: str
    name: str
    feature: str
    path: str
    line: int
    verdict: Verdict
    seconds: float
    tags: tuple[str, ...] = ()
    profiles: tuple[str, ...] = ()
    transactions: tuple[str, ...] = ()
    actor: str = ""
    aliases: tuple[str, ...] = ()
    claims: tuple[str, ...] = ()
    steps: tuple[StepResult, ...] = ()
    findings: tuple[Finding, ...] = ()
    faults: tuple[str, ...] = ()
    transcript: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class RunResult:
    """Everything one run found out.

    ``failure`` says what ended it before its end, if anything did: ``{"kind": "environment" | "usage" | "harness",
    "text": ...}``. ``accepted`` holds, by scenario id, the verdicts that remain after waivers, where they differ.
    ``selected`` holds the ids of all scenarios that were meant to be run, those of a run that ended early included.
    """

    run_id: str
    started: str
    seconds: float
    harness_version: str
    sut: Mapping[str, Any]
    scenarios: tuple[ScenarioResult, ...]
    options: Mapping[str, Any] = field(default_factory=dict)
    environment: Mapping[str, Any] = field(default_factory=dict)
    waivers: tuple[Mapping[str, Any], ...] = ()
    interrupted: bool = False
    failure: Mapping[str, str] = field(default_factory=dict)
    accepted: Mapping[str, Verdict] = field(default_factory=dict)
    selected: tuple[str, ...] = ()
    schema_version: int = SCHEMA_VERSION

    @property
    def verdict(self) -> Verdict:
        """The gravest verdict of all scenarios.

        A run of nothing is INCONCLUSIVE, and one that did not come to its end is no better than that: what was left
        out was not judged. It is an ERROR if the harness or a scenario ended it, not the surroundings.
        """
        return roll_up([*(scenario.verdict for scenario in self.scenarios), *self._cut_short()])

    @property
    def accepted_verdict(self) -> Verdict:
        """As :attr:`verdict`, with what waivers accept set aside."""
        return roll_up([*(self.accepted.get(s.id, s.verdict) for s in self.scenarios), *self._cut_short()])

    def _cut_short(self) -> list[Verdict]:
        if self.failure:
            return [Verdict.INCONCLUSIVE if self.failure["kind"] == "environment" else Verdict.ERROR]
        return [Verdict.INCONCLUSIVE] if self.interrupted else []

    @property
    def not_run(self) -> tuple[str, ...]:
        """Ids of scenarios that were selected and of which nothing is known, because the run ended before them."""
        run = {scenario.id for scenario in self.scenarios}
        return tuple(identifier for identifier in self.selected if identifier not in run)

    def requirement_verdicts(self) -> dict[str, Verdict]:
        """The gravest verdict by requirement id, over all scenarios."""
        by_id: dict[str, list[Verdict]] = {}
        for scenario in self.scenarios:
            for finding in scenario.findings:
                by_id.setdefault(finding.requirement, []).append(finding.verdict)
        return {requirement: roll_up(verdicts) for requirement, verdicts in sorted(by_id.items())}

    def counts(self) -> dict[str, int]:
        """Scenarios by outcome; a warning counts as passed, because no confirmed SHALL was broken."""
        names = {
            Verdict.PASS: "passed",
            Verdict.WARNING: "passed",
            Verdict.FAIL: "failed",
            Verdict.INCONCLUSIVE: "inconclusive",
            Verdict.NOT_APPLICABLE: "not_applicable",
            Verdict.ERROR: "error",
        }
        counts = dict.fromkeys(("passed", "failed", "inconclusive", "not_applicable", "error"), 0)
        for scenario in self.scenarios:
            counts[names[scenario.verdict]] += 1
        return counts

    def to_json(self) -> dict[str, Any]:
        """Plain data for ``run.json``."""
        return {
            "schema_version": self.schema_version,
            "run_id": self.run_id,
            "started": self.started,
            "seconds": round(self.seconds, 3),
            "harness_version": self.harness_version,
            "verdict": self.verdict.name,
            "interrupted": self.interrupted,
            "failure": dict(self.failure) or None,
            "accepted": {name: verdict.name for name, verdict in self.accepted.items()},
            "counts": self.counts(),
            "sut": dict(self.sut),
            "options": dict(self.options),
            "environment": dict(self.environment),
            "waivers": [dict(waiver) for waiver in self.waivers],
            "selected": list(self.selected),
            "scenarios": [scenario_to_json(scenario) for scenario in self.scenarios],
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> RunResult:
        """Read back what :meth:`to_json` wrote. Raises ValueError for another schema version."""
        if data.get("schema_version") != SCHEMA_VERSION:
            raise ValueError(
                f"run.json has schema version {data.get('schema_version')}, this program reads {SCHEMA_VERSION}"
            )
        return cls(
            run_id=data["run_id"],
            started=data["started"],
            seconds=data["seconds"],
            harness_version=data["harness_version"],
            sut=data["sut"],
            options=data["options"],
            environment=data["environment"],
            waivers=tuple(data["waivers"]),
            interrupted=data["interrupted"],
            failure=data.get("failure") or {},
            accepted={name: Verdict[verdict] for name, verdict in data.get("accepted", {}).items()},
            selected=tuple(data.get("selected", ())),
            scenarios=tuple(scenario_from_json(entry) for entry in data["scenarios"]),
        )


def scenario_to_json(scenario: ScenarioResult) -> dict[str, Any]:
    """One scenario as plain data."""
    return {
        "id": scenario.id,
        "name": scenario.name,
        "feature": scenario.feature,
        "path": scenario.path,
        "line": scenario.line,
        "verdict": scenario.verdict.name,
        "seconds": round(scenario.seconds, 3),
        "tags": list(scenario.tags),
        "profiles": list(scenario.profiles),
        "transactions": list(scenario.transactions),
        "actor": scenario.actor,
        "aliases": list(scenario.aliases),
        "claims": list(scenario.claims),
        "steps": [
            {
                "keyword": step.keyword,
                "text": step.text,
                "verdict": step.verdict.name,
                "seconds": round(step.seconds, 3),
                "message": step.message,
            }
            for step in scenario.steps
        ],
        "findings": [finding.to_json() for finding in scenario.findings],
        "faults": list(scenario.faults),
        "transcript": scenario.transcript,
        "reason": scenario.reason,
    }


def scenario_from_json(data: Mapping[str, Any]) -> ScenarioResult:
    """Read back what :func:`scenario_to_json` wrote."""
    return ScenarioResult(
        id=data["id"],
        name=data["name"],
        feature=data["feature"],
        path=data["path"],
        line=data["line"],
        verdict=Verdict[data["verdict"]],
        seconds=data["seconds"],
        tags=tuple(data["tags"]),
        profiles=tuple(data["profiles"]),
        transactions=tuple(data["transactions"]),
        actor=data["actor"],
        aliases=tuple(data["aliases"]),
        claims=tuple(data["claims"]),
        steps=tuple(
            StepResult(s["keyword"], s["text"], Verdict[s["verdict"]], s["seconds"], s["message"])
            for s in data["steps"]
        ),
        findings=tuple(Finding.from_json(entry) for entry in data["findings"]),
        faults=tuple(data["faults"]),
        transcript=data["transcript"],
        reason=data["reason"],
    )
