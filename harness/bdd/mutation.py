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
from harness.actors.defects import registry as actor_defects
from harness.core.errors import EngineFailure
from harness.core.result import RunResult
from harness.core.verdict import Verdict
from harness.modality import defects as modality_defects
from harness.sut.misdeclared import MISDECLARATIONS, Misdeclaration

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
    #: the product is healthy, its SUT file says something wrong
    declared: Misdeclaration | None = None

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
    found += [Mutant(d.id, d.title, d.actor, (), variant=True) for d in actor_defects.VARIANTS]
    found += [Mutant(d.id, d.title, d.product, tuple(sorted(d.breaks)), declared=d) for d in MISDECLARATIONS]
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


@dataclass(frozen=True, slots=True)
class Coverage:
    """Which scenarios judged which requirement on the healthy product, the quickest first."""

    by_requirement: dict[str, tuple[str, ...]]

    @classmethod
    def of(cls, run: RunResult) -> Coverage:
        """Read it off a run."""
        found: dict[str, list[tuple[float, str]]] = {}
        for scenario in run.scenarios:
            for requirement in {finding.requirement for finding in scenario.findings}:
                found.setdefault(requirement, []).append((scenario.seconds, scenario.id))
        return cls({requirement: tuple(name for _, name in sorted(rows)) for requirement, rows in found.items()})

    def few(self, requirements: Sequence[str]) -> list[str]:
        """A few quick scenarios that judge all of these."""
        chosen: list[str] = []
        for requirement in requirements:
            names = self.by_requirement.get(requirement, ())
            if names and not set(names).intersection(chosen):
                chosen.append(names[0])
        return chosen

    def every(self, requirements: Sequence[str]) -> list[str]:
        """All scenarios that judge one of these."""
        return sorted({name for requirement in requirements for name in self.by_requirement.get(requirement, ())})


def healthy(product: str) -> RunResult:
    """One run of the product without a defect. Raises EngineFailure if it is not healthy itself."""
    sut_file = Mutant("", "", product, ()).sut_file
    code, run = _run(sut_file, [])
    if run is None or code != 0:
        raise EngineFailure(f"the healthy {product} does not pass its scenarios (exit code {code}); mend that first")
    return run


def run_all(mutants: Sequence[Mutant], workers: int, *, full: bool = False) -> Iterator[MutantResult]:
    """Run them, several at a time; results in the order given.

    Not ``full``: a defect runs against a few scenarios that judge what it breaks, and against all of those if it
    survives the few; what it breaks elsewhere is then not looked at.
    """
    coverage = {product: Coverage.of(healthy(product)) for product in sorted({m.product for m in mutants})}
    with ThreadPoolExecutor(workers) as pool:
        yield from pool.map(lambda mutant: run_one(mutant, coverage[mutant.product], full=full), mutants)


def run_one(mutant: Mutant, coverage: Coverage, *, full: bool = False) -> MutantResult:
    """Put one defect to the test, in processes of its own."""

    def run(*names: str) -> MutantResult:
        defect = () if mutant.declared else ("--defect", mutant.id)
        return _judge(mutant, *_run(mutant.sut_file, [*defect, *_only(names)], mutant.declared))

    unseen = set(mutant.breaks) - set(coverage.by_requirement)
    if full or mutant.variant or unseen:  # only the defect makes a product do what these rows judge
        return run()
    few, every = coverage.few(mutant.breaks), coverage.every(mutant.breaks)
    result = run(*few) if few else None
    if (result is None or result.survived) and set(every) - set(few):
        result = run(*every)
    return result or _judge(mutant, 2, None)  # pragma: no cover - what is judged has a scenario


def _only(names: Sequence[str]) -> list[str]:
    return [word for name in names for word in ("--only", name)]


def _run(
    sut_file: Path, arguments: Sequence[str], declared: Misdeclaration | None = None
) -> tuple[int, RunResult | None]:
    with tempfile.TemporaryDirectory(prefix="ihe-mutant-") as folder:
        out = Path(folder) / "run"
        if declared is not None:
            text = declared.applied(sut_file.read_text(encoding="utf-8"))
            sut_file = Path(folder) / sut_file.name
            sut_file.write_text(text, encoding="utf-8")
        argv = [sys.executable, "-m", "harness.cli.main", "run", "--sut", str(sut_file), "--out", str(out), *arguments]
        argv.append("--no-screenshots")
        try:
            done = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, timeout=_SECONDS, check=False)
            return done.returncode, RunResult.from_json(json.loads((out / "run.json").read_text(encoding="utf-8")))
        except (subprocess.TimeoutExpired, OSError, ValueError):
            return 4, None


def _judge(mutant: Mutant, code: int, run: RunResult | None) -> MutantResult:
    failed = broken(run) if run is not None else set()
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
