"""Every sentence that a service can say to a technologist is known in Korean, and keeps its values."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import harness.modality
from harness.modality.console.words import said
from harness.modality.errors import REMEDIES, Cause, PeerProblem
from harness.modality.services.printing import WARNINGS
from harness.modality.services.retrieval import MOVE_FAILURES

PACKAGE = Path(harness.modality.__file__).parent
#: the exceptions whose words reach the console -> which argument holds them
SAYERS = {"Refused": 0, "NotFound": 0, "StoreProblem": 0, "PeerProblem": 2, "Permanent": 0, "EnvironmentFailure": 0}
#: modules that only the command line reaches
ELSEWHERE = {"cli.py", "defects.py", "script.py"}


def template(node: ast.expr) -> Iterator[str]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.JoinedStr):
        yield "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values)
    elif isinstance(node, ast.IfExp):
        yield from template(node.body)
        yield from template(node.orelse)
    elif isinstance(node, ast.BinOp):
        left, right = next(template(node.left), "{}"), next(template(node.right), "{}")
        yield left + right
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr.endswith("strip"):
        yield from template(node.func.value)


def sentences() -> set[str]:
    found: set[str] = set()
    for path in PACKAGE.rglob("*.py"):
        if path.name in ELSEWHERE:
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
                continue
            place = SAYERS.get(node.func.id)
            if place is not None and len(node.args) > place:
                found |= set(template(node.args[place]))
    return {each for each in found if len(re.findall("[a-z]{2,}", each.replace("{}", ""))) > 1}


def korean(sentence: str) -> str:
    return said("ko", sentence.replace("{}", "VALUE"))


def test_every_refusal_is_known_in_korean() -> None:
    asked = sentences()
    assert len(asked) > 90
    assert {each for each in asked if not re.search("[가-힣]", korean(each))} == set()


@pytest.mark.parametrize("sentence", [*REMEDIES.values(), *MOVE_FAILURES.values()])
def test_remedies_and_failures_are_known_in_korean(sentence: str) -> None:
    assert re.search("[가-힣]", said("ko", sentence))


def test_values_are_kept() -> None:
    known: dict[str, str] = json.loads((PACKAGE / "console" / "text" / "ko_said.json").read_text(encoding="utf-8"))
    for english, words in known.items():
        count = english.count("{}")
        places = re.findall(r"\{(\d*)\}", words)
        assert len(places) == count, english
        assert sorted(places) in ([""] * count, sorted(map(str, range(count)))), english


def test_problem_of_a_peer_is_said_as_a_whole() -> None:
    problem = str(PeerProblem(Cause.REFUSED, "mwl MWLSCP@127.0.0.1:104", "nothing listens on this port"))
    words = said("ko", problem)
    assert words.startswith("mwl MWLSCP@127.0.0.1:104: 이 포트에서")
    assert "connection-refused" in words
    assert not re.search("nothing|check", words)


def test_unknown_words_and_english_stay_as_they_are() -> None:
    assert said("ko", "a peer's own words") == "a peer's own words"
    assert said("en", "there is no exam 3") == "there is no exam 3"
    assert said("ko", "x" * 5000) == "x" * 5000
    assert len(WARNINGS) == 10
