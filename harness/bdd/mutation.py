"""Seeded defects put to the test: each one must fail exactly what it breaks, each legal variant nothing."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from harness import resources
from harness.actors import defects as actor_defects
from harness.core.result import RunResult
from harness.core.verdict import Verdict
from harness.modality import defects as modality_defects

_SECONDS = 600
MODALITY = "modality"


@dataclass(frozen=True, slots=True)
class Mutant:
    """One defect (or legal variant) of one product."""

    id: str
    title: str
    product: str
    breaks: tuple[str, ...]
    variant: bool = False

    @property
    def sut_file(self) -> Path:
        """The SUT file of the product that carries it."""
        name = "reference" if self.product == MODALITY else f"simulated-{self.product}"
        return resources.folder("fixtures") / "sut" / f"{name}.toml"


@dataclass(frozen=True, slots=True)
class MutantResult:
    """What a run with the defect found."""

    defect: str
    product: str
    title: str
    breaks: tuple[str, ...]
    killed: tuple[str, ...]
    survived: tuple[str, ...]
    unexpected: tuple[str, ...]
    exit_code: int
    variant: bool = False

    @property
    def ok(self) -> bool:
        """Whether the run failed exactly what the defect breaks, and the harness itself was healthy."""
        return self.exit_code in (0, 1, 5) and not self.survived and not self.unexpected

    @property
    def summary(self) -> str:
        """One line for progress."""
        if self.exit_code not in (0, 1, 5):
            return f"the run ended with exit code {self.exit_code}"
        parts = [f"killed by {', '.join(self.killed)}" if self.killed else "broke nothing"]
        if self.survived:
            parts.append(f"not seen by {', '.join(self.survived)}")
        if self.unexpected:
            parts.append(f"also failed {', '.join(self.unexpected)}")
        return "; ".join(parts)

    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        return {**asdict(self), "ok": self.ok}


def all_mutants() -> tuple[Mutant, ...]:
    """Every defect and variant of the reference modality and of the simulated actors."""
    found = [Mutant(d.id, d.title, MODALITY, tuple(sorted(d.breaks))) for d in modality_defects.DEFECTS]
    found += [Mutant(d.id, d.title, MODALITY, (), variant=True) for d in modality_defects.VARIANTS]
    found += [Mutant(d.id, d.title, d.actor, tuple(sorted(d.breaks))) for d in actor_defects.DEFECTS]
    return tuple(found)


def select(identifiers: Sequence[str], product: str = "", *, variants: bool = False) -> list[Mutant]:
    """Those that were asked for and whose product can be put under test."""
    return [
        mutant
        for mutant in all_mutants()
        if (not identifiers or mutant.id in identifiers)
        and (not product or mutant.product == product)
        and (variants or not mutant.variant)
        and mutant.sut_file.is_file()
    ]


def run_all(mutants: Sequence[Mutant], workers: int) -> Iterator[MutantResult]:
    """Run them, several at a time; results in the order given."""
    with ThreadPoolExecutor(workers) as pool:
        yield from pool.map(run_one, mutants)


def run_one(mutant: Mutant) -> MutantResult:
    """One run of all scenarios of its product, in a process of its own."""
    with tempfile.TemporaryDirectory(prefix="ihe-mutant-") as folder:
        out = Path(folder) / "run"
        argv = [
            sys.executable, "-m", "harness.cli.main", "run", "--sut", str(mutant.sut_file), "--out", str(out),
            "--defect", mutant.id, "--json",
        ]  # fmt: skip
        try:
            done = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, timeout=_SECONDS, check=False)
            code = done.returncode
            run = RunResult.from_json(json.loads((out / "run.json").read_text(encoding="utf-8")))
        except (subprocess.TimeoutExpired, OSError, ValueError):
            return MutantResult(
                mutant.id, mutant.product, mutant.title, mutant.breaks, (), mutant.breaks, (), 4, mutant.variant
            )
    failed = broken(run)
    return MutantResult(
        mutant.id,
        mutant.product,
        mutant.title,
        mutant.breaks,
        tuple(sorted(failed.intersection(mutant.breaks))),
        tuple(sorted(set(mutant.breaks) - failed)),
        tuple(sorted(failed - set(mutant.breaks))),
        code,
        mutant.variant,
    )


def broken(run: RunResult) -> set[str]:
    """Requirements that a run found broken, warnings for unconfirmed clauses included."""
    return {
        finding.requirement
        for scenario in run.scenarios
        for finding in scenario.findings
        if finding.verdict in (Verdict.FAIL, Verdict.WARNING)
        or (finding.check == "exchange" and finding.verdict is Verdict.INCONCLUSIVE)
    }
