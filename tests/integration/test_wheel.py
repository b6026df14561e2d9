"""What pip installs holds everything that a run needs, and works from an empty directory."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
#: pip and a new environment answer in seconds; a busy machine takes longer
_SECONDS = 300


def run(*argv: str, cwd: Path, path: str = "") -> str:
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        argv,
        cwd=cwd,
        env={**environment, **({"PYTHONPATH": path} if path else {})},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this tree; built with the tools of this environment if they are here, else with pip's own."""
    folder = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "build", "--wheel", "--outdir", str(folder), str(ROOT), cwd=folder)
    (built,) = folder.glob("*.whl")
    return built


@pytest.mark.slow
def test_the_wheel_holds_features_and_sut_files_and_nothing_of_ours(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    for kind in ("features", "fixtures"):
        here = {
            path.relative_to(ROOT).as_posix()
            for path in (ROOT / kind).rglob("*")
            if path.is_file() and path.suffix in (".feature", ".toml")
        }
        assert here
        assert {f"harness/_data/{name}" for name in here} <= set(names)
    assert not [name for name in names if name.startswith(("tests/", "tools/", "reports/"))]


@pytest.mark.slow
def test_it_runs_from_an_empty_directory(wheel: Path, tmp_path: Path) -> None:
    home = tmp_path / "venv"
    venv.create(home, with_pip=False)
    (site,) = home.glob("lib/python*/site-packages")
    run(
        sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--target", str(site), str(wheel),
        cwd=tmp_path,
    )  # fmt: skip
    empty = tmp_path / "empty"
    empty.mkdir()
    libraries = sysconfig.get_paths()["purelib"]
    # the libraries of this environment, behind what was installed: only the wheel's own harness may be found
    path = os.pathsep.join((str(site), libraries))
    python = str(home / "bin" / "python")
    command = (python, "-m", "harness.cli.main")
    where = run(python, "-c", "import harness; print(harness.__file__)", cwd=empty, path=path).strip()
    assert Path(where).is_relative_to(home)
    listed = json.loads(run(*command, "list", "scenarios", "--json", cwd=empty, path=path))
    assert len(listed) > 50
    run(*command, "lint", cwd=empty, path=path)
    outcome = json.loads(run(*command, "run", "--json", "--only", "Nothing is scheduled", cwd=empty, path=path))
    assert outcome["verdict"] == "PASS"
    assert Path(outcome["report"]).is_relative_to(empty)
