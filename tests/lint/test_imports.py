"""Who may import whom: the arrows of ARCHITECTURE.md, held by reading the code."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
HARNESS = ROOT / "harness"

#: package -> packages of ours that it may import
ALLOWED: dict[str, set[str]] = {
    "core": set(),
    "protocols": {"core"},
    "imaging": set(),
    "validation": {"core", "protocols"},
    "actors": {"core", "protocols", "imaging"},
    "modality": {"core", "protocols", "imaging"},
    "profiles": {"core", "validation", "protocols", "imaging"},
    "sut": {"core"},
    "reporting": {"core", "profiles", "protocols"},
    "statement": {"core", "profiles", "protocols", "sut", "reporting"},
}
#: parts of the wire engine that the reference modality and pure judgement must not touch
ENGINE = {
    "node",
    "association",
    "channel",
    "core",
    "link",
    "serving",
    "asking",
    "fsm",
    "scripted",
    "listener",
    "transport",
}
PRINTERS = {"cli"}
EXCEPTIONS = {("modality", "cli"), ("sut", "worklist_folder")}


def modules(package: str) -> Iterator[Path]:
    yield from sorted((HARNESS / package).rglob("*.py"))


def imports(path: Path) -> Iterator[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            module = node.module or ""
            yield module
            if module.startswith("harness"):
                yield from (f"{module}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize("package", sorted(ALLOWED))
def test_arrows_point_one_way(package: str) -> None:
    wrong = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in modules(package)
        for name in imports(path)
        if name.startswith("harness.") and name.split(".")[1] not in {package, *ALLOWED[package]}
    ]
    assert wrong == []


def test_core_is_the_standard_library_only() -> None:
    wrong = [
        f"{path.name}: {name}"
        for path in modules("core")
        for name in imports(path)
        if name.split(".")[0] not in {"harness", *sys.stdlib_module_names}
    ]
    assert wrong == []


def test_imaging_is_numpy_only() -> None:
    wrong = [
        f"{path.name}: {name}"
        for path in modules("imaging")
        for name in imports(path)
        if name.split(".")[0] not in {"harness", "numpy", *sys.stdlib_module_names}
    ]
    assert wrong == []


def test_the_oracle_is_independent() -> None:
    """A table that judge and judged share would let one misreading pass on both sides."""
    for package in ("actors", "modality"):
        for path in modules(package):
            assert not [name for name in imports(path) if name.startswith("harness.profiles")], path


def test_two_independent_network_stacks() -> None:
    """The modality speaks through pynetdicom, the simulated actors through our engine: each checks the other."""
    for path in modules("modality"):
        engine = [
            name
            for name in imports(path)
            if name.startswith("harness.protocols.dicom.") and name.split(".")[3] in ENGINE
        ]
        assert engine == [], path
    for path in modules("actors"):
        assert not [name for name in imports(path) if name.split(".")[0] == "pynetdicom"], path


def test_only_the_reference_driver_knows_the_modality() -> None:
    """And it drives it from outside: no module of the modality is imported by it."""
    for path in modules("sut"):
        assert not [name for name in imports(path) if name.startswith("harness.modality")], path


def test_only_bdd_knows_pytest_and_allure() -> None:
    for path in sorted(HARNESS.rglob("*.py")):
        if path.is_relative_to(HARNESS / "bdd"):
            continue
        roots = {name.split(".")[0] for name in imports(path)}
        assert not roots & {"pytest", "pytest_bdd", "allure", "allure_commons"}, path


def test_only_the_command_line_prints() -> None:
    wrong = []
    for path in sorted(HARNESS.rglob("*.py")):
        package = path.relative_to(HARNESS).parts[0]
        if package in PRINTERS or (package, path.stem) in EXCEPTIONS:
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print":
                wrong.append(f"{path.relative_to(ROOT)}:{node.lineno}")
    assert wrong == []


def test_no_shell_anywhere() -> None:
    wrong = []
    for path in sorted(HARNESS.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.keyword) and node.arg == "shell":
                wrong.append(str(path))
            if (
                isinstance(node, ast.Attribute)
                and node.attr in ("system", "popen")
                and isinstance(node.value, ast.Name)
                and node.value.id == "os"
            ):
                wrong.append(str(path))
    assert wrong == []
