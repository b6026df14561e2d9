"""The matrix: how much of each profile is judged, by whom, with what result, and whether the checks can fail."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from harness.core.errors import UsageError
from harness.core.result import RunResult
from harness.core.spec import Requirement, Verification
from harness.core.verdict import Verdict
from harness.reporting.evidence import read_json


@dataclass(frozen=True, slots=True)
class MatrixRow:
    """One profile. ``requirements`` = automated + attested + unverifiable; the results count requirements too.

    ``warnings`` are unconfirmed or advisory rows that did not hold; ``not_run`` were not met by any scenario.
    ``killed`` counts automated rows for which a seeded defect was caught.
    """

    profile: str
    requirements: int
    automated: int
    attested: int
    unverifiable: int
    passed: int
    failed: int
    inconclusive: int
    killed: int
    warnings: int
    not_run: int

    def to_json(self) -> dict[str, Any]:
        """Plain data; the keys are part of the command line's contract."""
        return asdict(self)


def matrix(
    requirements: Iterable[Requirement],
    profiles: Iterable[str],
    run: RunResult | None = None,
    killed: frozenset[str] = frozenset(),
) -> tuple[MatrixRow, ...]:
    """One row per profile, in the order given; a requirement shared by two profiles counts in both."""
    rows = tuple(requirements)
    verdicts: Mapping[str, Verdict] = run.requirement_verdicts() if run else {}
    return tuple(_row(profile, [r for r in rows if profile in r.profiles], verdicts, killed) for profile in profiles)


def _row(profile: str, rows: list[Requirement], verdicts: Mapping[str, Verdict], killed: frozenset[str]) -> MatrixRow:
    def verified(how: Verification) -> int:
        return sum(1 for row in rows if row.verification is how)

    def judged(*wanted: Verdict) -> int:
        return sum(1 for row in rows if verdicts.get(row.id) in wanted)

    return MatrixRow(
        profile=profile,
        requirements=len(rows),
        automated=verified(Verification.AUTOMATED),
        attested=verified(Verification.ATTESTED),
        unverifiable=verified(Verification.NONE),
        passed=judged(Verdict.PASS),
        failed=judged(Verdict.FAIL),
        inconclusive=judged(Verdict.INCONCLUSIVE, Verdict.ERROR),
        killed=sum(1 for row in rows if row.verification is Verification.AUTOMATED and row.id in killed),
        warnings=judged(Verdict.WARNING),
        not_run=sum(1 for row in rows if verdicts.get(row.id, Verdict.NOT_APPLICABLE) is Verdict.NOT_APPLICABLE),
    )


def load_kills(path: Path) -> frozenset[str]:
    """Requirement ids that a seeded defect was seen to break.

    The file is ``{"killed": {REQUIREMENT: [DEFECT, ...]}}``, or the same with a plain list of requirement ids.
    Raises UsageError.
    """
    data = read_json(path)
    kills = data.get("killed") if isinstance(data, Mapping) else None
    if isinstance(kills, Mapping):
        return frozenset(str(requirement) for requirement, defects in kills.items() if defects)
    if isinstance(kills, list) and all(isinstance(entry, str) for entry in kills):
        return frozenset(kills)
    raise UsageError(f'{path}: no kill file; expected {{"killed": {{REQUIREMENT: [DEFECT, ...]}}}}')
