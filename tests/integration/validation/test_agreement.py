"""Every difference from dciodvfy is explained in ``agreement.toml``, and every explanation is needed."""

from __future__ import annotations

import re
import subprocess
import tomllib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from harness.validation.finding import Severity
from harness.validation.objects import validate_file
from tests.integration.validation import corpus
from tests.peers import require_program

TABLE = Path(__file__).parent / "agreement.toml"


@dataclass(frozen=True, slots=True)
class Difference:
    """One side says something that the other does not."""

    side: str
    text: str
    file: str


def objects(folder: Path, orthanc: str) -> Iterator[Path]:
    """The whole corpus as files."""
    yield from corpus.pydicom_files()
    yield from corpus.more_pydicom_files()
    yield from corpus.by_dcmtk(folder)
    yield from corpus.by_gdcm(folder)
    yield from corpus.by_highdicom(folder)
    yield from corpus.by_orthanc(folder, orthanc)
    yield from corpus.by_us(folder)
    for number, (name, raw) in enumerate([*corpus.baselines(), *corpus.broken()]):
        path = folder / f"{number:03} {name}.dcm"
        path.write_bytes(raw)
        yield path


def differences(program: str, path: Path) -> Iterator[Difference]:
    """Errors of one side without a counterpart about the same element."""
    done = subprocess.run([program, str(path)], capture_output=True, timeout=30, check=False)
    verdict = done.returncode in (0, 1)  # it aborts on some legal files
    lines = (done.stderr + done.stdout).decode("utf-8", errors="replace").splitlines() if verdict else []
    theirs = [(line.strip(), _element(line)) for line in lines if line.startswith("Error")]
    ours = [
        (f"{finding.code} {_keyword(finding.locator)}", _keyword(finding.locator))
        for finding in validate_file(path)
        if finding.severity is Severity.ERROR
    ]
    named_by_us, named_by_them = {keyword for _, keyword in ours}, {element for _, element in theirs}
    for line, element in theirs:
        if element not in named_by_us:
            yield Difference("theirs", line, path.name)
    if verdict:
        for text, keyword in ours:
            if keyword not in named_by_them:
                yield Difference("ours", text, path.name)


def _element(line: str) -> str:
    found = re.search(r"Element=<(\w+)>", line)
    return found[1] if found else ""


def _keyword(locator: str) -> str:
    return locator.rpartition(" ")[2] or locator


@pytest.mark.peer("dciodvfy")
def test_every_difference_is_explained(tmp_path: Path) -> None:
    program = require_program("dciodvfy")
    for other in ("dcmconv", "dcmpsmk", "gdcmconv"):
        require_program(other)
    orthanc = require_program("Orthanc")
    table = tomllib.loads(TABLE.read_text("utf-8"))["difference"]
    patterns = [(row["side"], re.compile(row["pattern"])) for row in table]
    used: Counter[int] = Counter()
    unexplained: list[Difference] = []
    judged = 0
    for path in objects(tmp_path, orthanc):
        judged += 1
        for difference in differences(program, path):
            matching = [
                place for place, (side, pattern) in enumerate(patterns)
                if side == difference.side and pattern.search(difference.text)
            ]  # fmt: skip
            used.update(matching[:1])
            if not matching:
                unexplained.append(difference)
    assert judged > 500
    assert unexplained == []
    assert [table[place]["pattern"] for place in range(len(table)) if not used[place]] == []


def test_every_explanation_has_a_clause_and_a_verdict() -> None:
    for row in tomllib.loads(TABLE.read_text("utf-8"))["difference"]:
        assert row["side"] in ("ours", "theirs")
        assert row["right"] in ("ours", "theirs", "both", "defensible")
        assert row["clause"]
        assert row["why"]
