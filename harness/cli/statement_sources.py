"""Where statements come from: a SUT file, a run of its product, a simulated actor, or a statement in a file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from harness.cli.rejudge import rules
from harness.cli.statement_actors import actor_statement
from harness.core.errors import UsageError
from harness.core.result import RunResult
from harness.core.transcript import Transcript
from harness.protocols.dicom.node import Address
from harness.reporting.evidence import load_run, load_transcript, run_folder
from harness.reporting.rejudge import rejudge as judge_again
from harness.statement import codec
from harness.statement.build import Declared, build, declared_from
from harness.statement.model import Statement
from harness.statement.observation import observe
from harness.sut.config import SutFile, load_sut


def statement_of(sut: Path | None, run: Path | None, actor: str | None, source: Path | None) -> Statement:
    given = [option for option, value in (("--sut", sut), ("--actor", actor), ("--from", source)) if value is not None]
    if len(given) != 1:
        found = " and ".join(given) or "none of them"
        raise UsageError(f"exactly one of --sut, --actor and --from is needed, {found} was given")
    if run is not None and sut is None:
        raise UsageError("--run belongs to --sut: give the SUT file of the product that was run")
    if source is not None:
        return codec.load_statement(source)
    if actor is not None:
        return actor_statement(actor)
    assert sut is not None
    return _of_product(sut, run)


def _of_product(path: Path, run: Path | None) -> Statement:
    sut = load_sut(path)
    declared = declared_of(sut, path)
    if run is None:
        return build(declared, sources=[f"SUT file {path.name}"])
    result, transcripts = run_of_product(run, sut, path)
    observed = observe(transcripts, titles_of(result))
    return build(declared, observed, result, sources=[f"SUT file {path.name}", when(result)])


def run_of_product(run: Path, sut: SutFile, path: Path) -> tuple[RunResult, Iterable[tuple[str, Transcript]]]:
    """A run whose evidence bears it, and its transcripts. Raises UsageError if it is of another product."""
    result, transcripts = recorded(run)
    if result.sut.get("name") != sut.product.name or result.sut.get("version") != sut.product.version:
        raise UsageError(
            f"{run} is a run of {result.sut.get('name')} {result.sut.get('version')}, {path} describes "
            f"{sut.product.name} {sut.product.version}; give a run of that product"
        )
    return result, transcripts


def when(result: RunResult) -> str:
    """How a statement names the run that it was made from."""
    return f"run {result.run_id}, started {result.started}, ihe-harness {result.harness_version}"


def declared_of(
    sut: SutFile, path: Path, more: Mapping[str, Any] | None = None, address: Address | None = None
) -> Declared:
    """What a SUT file says of its product; ``more`` are further texts, ``address`` is where it was found."""
    titles = [] if sut.dicom is None else [sut.dicom.ae_title, *sut.dicom.calling_ae_titles]
    port = sut.dicom.port if sut.dicom is not None else None
    if address is not None:
        titles, port = [address.ae_title, *titles], address.port
    return declared_from(
        sut.product.model_dump(),
        [claim.model_dump() for claim in sut.claims],
        {**sut.statement, **(more or {})},
        ae_titles=list(dict.fromkeys(titles)),
        port=port,
        file=str(path),
    )


def recorded(run: Path) -> tuple[RunResult, Iterable[tuple[str, Transcript]]]:
    """The run, and what was recorded in its scenarios."""
    folder = run_folder(run)
    result = load_run(run)
    _require_evidence(run)
    return result, (
        (scenario.id, load_transcript(folder, scenario.transcript))
        for scenario in result.scenarios
        if scenario.transcript
    )


def titles_of(result: RunResult) -> frozenset[str]:
    return frozenset(str(title) for title in result.sut.get("ae_titles") or ())


def _require_evidence(run: Path) -> None:
    """Stop if the stored messages do not lead to the stored verdicts: words of findings may change, verdicts not."""
    again = judge_again(run, rules())
    worse = [
        f"{d.scenario}, {d.requirement}: stored {d.stored or 'nothing'}, its evidence shows {d.again or 'nothing'}"
        for d in again.differences
        if d.stored.partition(":")[0] != d.again.partition(":")[0]
    ]
    if found := [*worse, *again.problems]:
        raise UsageError(
            f"{run}: its evidence does not bear its findings ({found[0]}); nothing can be verified by it. "
            "ihe-harness rejudge shows every difference; run again if the checks have changed since"
        )


def either_of(path: Path) -> Statement:
    return _of_product(path, None) if path.suffix.lower() == ".toml" else codec.load_statement(path)
