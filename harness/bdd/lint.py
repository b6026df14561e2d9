"""What can be wrong with feature files, found before anything is run."""

from __future__ import annotations

import codecs
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pytest_bdd.exceptions import GherkinParseError
from pytest_bdd.parser import Feature, FeatureParser, ScenarioTemplate, Step

from harness.bdd import tags as tag_rules
from harness.bdd import wording
from harness.bdd.identity import planned_identity
from harness.bdd.registry import StepInfo
from harness.core.errors import UsageError
from harness.profiles import registry

_PLACEHOLDER = re.compile(r"<[^<>\s\"]+>")


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake of an author: where, what, and what would be right."""

    path: Path
    line: int
    text: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.text}"


@dataclass(frozen=True, slots=True)
class PlannedScenario:
    """One scenario (or outline) as the author wrote it."""

    id: str
    path: Path
    line: int
    feature: str
    name: str
    tags: tuple[str, ...]
    steps: tuple[str, ...]
    examples: int


def feature_files(paths: Iterable[Path]) -> list[Path]:
    """All feature files below these paths, sorted. Raises UsageError for a path that holds none."""
    found: list[Path] = []
    for path in paths:
        if path.is_file() and path.suffix == ".feature":
            found.append(path)
        elif path.is_dir():
            found.extend(sorted(path.rglob("*.feature")))
        elif not path.exists():
            raise UsageError(f"{path}: there is no such file or folder")
    if not found:
        raise UsageError(f"no .feature file below {', '.join(str(path) for path in paths)}")
    return found


def lint(paths: Iterable[Path], steps: Sequence[StepInfo]) -> tuple[list[Problem], list[PlannedScenario]]:
    """Problems of the steps and of every feature file, and the scenarios that were found."""
    roots = tuple(paths)
    problems = lint_steps(steps)
    planned: list[PlannedScenario] = []
    for path in feature_files(roots):
        try:
            if path.read_bytes().startswith(codecs.BOM_UTF8):
                problems.append(Problem(path, 1, "starts with a byte order mark: save it as UTF-8 without one"))
                continue
            feature = FeatureParser(str(path.parent), path.name, "utf-8").parse()
        except GherkinParseError as error:
            problems.append(Problem(path, getattr(error, "line", 0) or 0, f"not valid Gherkin: {error.message}"))
            continue
        except KeyError:  # how the parser takes a file without "Feature:"
            problems.append(Problem(path, 1, "holds no scenario"))
            continue
        except (OSError, UnicodeDecodeError, ValueError) as error:
            problems.append(Problem(path, 0, f"cannot be read as UTF-8: {error}"))
            continue
        if not feature.scenarios:
            problems.append(Problem(path, 1, "holds no scenario"))
        _lint_feature(path, roots, feature, steps, problems, planned)
    problems.extend(_same_id(planned))
    return problems, planned


def _same_id(planned: Iterable[PlannedScenario]) -> Iterator[Problem]:
    """Results, evidence and waivers are kept by id: two scenarios must not share one."""
    first: dict[str, PlannedScenario] = {}
    for scenario in planned:
        other = first.setdefault(scenario.id, scenario)
        if other is not scenario:
            text = f"scenario {scenario.name!r} has the id {scenario.id} of {other.path}:{other.line}: rename one"
            yield Problem(scenario.path, scenario.line, text)


def lint_steps(steps: Sequence[StepInfo]) -> list[Problem]:
    """Two definitions of one text, and steps that would never be awaited."""
    problems = []
    seen = Counter((step.kind, step.pattern) for step in steps)
    for step in steps:
        here = Path(step.function.__code__.co_filename), step.function.__code__.co_firstlineno
        if seen[step.kind, step.pattern] > 1:
            problems.append(Problem(*here, f"the step {step.kind} {step.pattern!r} is defined more than once"))
        if step.is_async:
            problems.append(Problem(*here, f"the step {step.pattern!r} is async: it would never be awaited"))
    return problems


def _lint_feature(
    path: Path,
    roots: Sequence[Path],
    feature: Feature,
    steps: Sequence[StepInfo],
    problems: list[Problem],
    planned: list[PlannedScenario],
) -> None:
    names = Counter(_scenario_names(path))
    for name, times in names.items():
        if times > 1:
            problems.append(Problem(path, 0, f"{times} scenarios are named {name!r}: only the last would run"))
    background = feature.background.steps if feature.background else []
    for scenario in feature.scenarios.values():
        all_tags = set(feature.tags) | set(scenario.tags) | (set(scenario.rule.tags) if scenario.rule else set())
        for examples in scenario.examples:
            if examples.tags:
                line = examples.line_number or scenario.line_number
                problems.append(Problem(path, line, "tags on Examples are not supported: put them on the scenario"))
        for text in tag_rules.problems(all_tags, registry.requirements(), registry.TRANSACTIONS):
            problems.append(Problem(path, scenario.line_number, f"scenario {scenario.name!r}: {text}"))
        role = tag_rules.read(all_tags).actor
        texts = _lint_steps_of(path, scenario, background, steps, role, problems)
        planned.append(
            PlannedScenario(
                planned_identity(path, scenario.name, roots),
                path,
                scenario.line_number,
                feature.name or path.stem,
                scenario.name,
                tuple(sorted(all_tags)),
                texts,
                sum(len(list(examples.as_contexts())) for examples in scenario.examples) or 1,
            )
        )


def _lint_steps_of(
    path: Path,
    scenario: ScenarioTemplate,
    background: Sequence[Step],
    steps: Sequence[StepInfo],
    role: str,
    problems: list[Problem],
) -> tuple[str, ...]:
    contexts = [dict(c) for examples in scenario.examples for c in examples.as_contexts()] or [{}]
    if scenario.examples and contexts == [{}]:
        text = f"scenario {scenario.name!r} has no row of Examples: it would never run"
        problems.append(Problem(path, scenario.line_number, text))
    texts: list[str] = []
    has_then = False
    for context in contexts:
        rendered = scenario.render(context)
        for step in rendered.steps:
            has_then = has_then or step.type == "then"
            matching = [info for info in steps if info.kind == step.type and info.matches(step.name)]
            line = step.line_number
            if empty := _PLACEHOLDER.findall(step.name):
                problems.append(Problem(path, line, f"{', '.join(empty)} is filled in by no column of Examples"))
            if context is contexts[0] and step not in background:
                texts.append(f"{step.keyword.strip()} {step.name}")
            if not matching:
                problems.append(Problem(path, line, undefined(step.type, step.name, steps)))
            elif len(matching) > 1:
                patterns = " and ".join(repr(info.pattern) for info in matching)
                problems.append(Problem(path, line, f"the step {step.name!r} is ambiguous: {patterns} match"))
            else:
                table = [[cell.value for cell in row.cells] for row in step.datatable.rows] if step.datatable else None
                said = wording.mistakes(matching[0], step.name, table, step.docstring, role)
                problems.extend(Problem(path, line, text) for text in said)
    if not has_then:
        problems.append(
            Problem(path, scenario.line_number, f"scenario {scenario.name!r} has no Then: it would judge nothing")
        )
    return tuple(texts)


def undefined(kind: str, name: str, steps: Sequence[StepInfo]) -> str:
    """A sentence for a step that nobody defined, with the nearest ones."""
    import difflib

    candidates = {info.example: info for info in steps if info.kind == kind}
    near = difflib.get_close_matches(name, candidates, n=3, cutoff=0.4)
    other = [info for info in steps if info.kind != kind and info.matches(name)]
    text = f"undefined step: {kind.title()} {name}"
    if other:
        return f"{text}; it exists as {' and '.join(sorted({info.kind.title() for info in other}))}"
    return text + (f"; near: {' | '.join(near)}" if near else "; `ihe-harness list steps` shows all")


def _scenario_names(path: Path) -> list[str]:
    """Names as they stand in the file: the parser keeps only one of two scenarios with the same name."""
    from gherkin.parser import Parser

    document = Parser().parse(path.read_text(encoding="utf-8"))
    names: list[str] = []

    def walk(children: Iterable[object]) -> None:
        for child in children:
            if isinstance(child, dict):
                if "scenario" in child:
                    names.append(child["scenario"]["name"])
                if "rule" in child:
                    walk(child["rule"]["children"])

    feature = document.get("feature")
    walk(feature["children"] if feature else [])
    return names
