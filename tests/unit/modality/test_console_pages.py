"""Every page of the console in both languages: whole, translated, readable."""

from __future__ import annotations

import re
from typing import Any

import pytest

from harness.modality import config
from harness.modality.catalogue import PROCEDURES
from harness.modality.console import dates, desk, words
from harness.modality.console.query import COLUMNS
from harness.modality.decisions.performed import REASONS
from harness.modality.domain import ExamKind, ShotState, State, plain
from harness.modality.errors import Cause
from harness.modality.jobs import JobState
from harness.modality.objects import TITLES
from harness.modality.services.keeping import REJECTION_REASONS
from harness.modality.services.review import QUALITY_REASONS
from tests.unit.modality.visitor import CONSOLE, CSS, TEMPLATES, Outline, Place, pages, with_study


@pytest.mark.parametrize("language", list(words.LANGUAGES))
def test_every_page_is_whole_in_every_language(place: Place, language: str) -> None:
    empty = [place.visitor.open(f"/console/{tab}") for tab in desk.TABS]
    study, _ = with_study(place)
    place.visitor.press("language", language=language)
    for status, text, _ in [*empty, *(place.visitor.open(f"/console/{path}") for path in pages(study))]:
        outline = Outline()
        outline.feed(text)
        assert (status, outline.wrong, outline.stack) == (200, [], [])
    assert f'<html lang="{language}">' in place.visitor.open("/console/status")[1]


def spoken() -> set[str]:
    """Every key that pages and tabs ask the catalogue for, the coded ones from the enums behind them."""
    keys: set[str] = set()
    for path in TEMPLATES:
        keys |= set(re.findall(r"\bt\('((?:[^'\\]|\\.)*)'[,)]", path.read_text(encoding="utf-8")))
    for path in CONSOLE.glob("*.py"):
        text = path.read_text(encoding="utf-8")
        keys |= set(re.findall(r'\.tell\(\s*(?:"\w+"|[^,"]+), "([^"]+)"', text))
        keys |= {key for key in re.findall(r'[,=e] ?"([A-Z][a-z]+ [^"]+)"', text) if not key.endswith(".")}
    keys |= {
        *desk.TAB_WORDS.values(),
        *dates.PLANNED.values(),
        *dates.PAST.values(),
        *(entry.name for entry in PROCEDURES),
        "Not possible",
        "That did not work",
    }
    settings = plain(config.Configuration())
    names = {key for group, values in settings.items() if group != "nodes" for key in values}
    coded: dict[str, Any] = {
        "cause": Cause, "state": State, "kind": ExamKind, "shot": ShotState, "job": JobState, "node": config.NodeName,
        "work": ("send", "mpps", "commit", "print", "media"), "commitment": ("requested", "committed", "failed"),
        "link": ("open", "released", "aborted", "rejected", "connected", "closed", "not-agreed"),
        "outcome": ("done", "failed", "running", "interrupted", "unanswered"),
        "reason": (*REASONS, *REJECTION_REASONS, *QUALITY_REASONS), "title": TITLES,
        "field": names | set(plain(config.NodeSettings())),
        "group": set(plain(config.Configuration())) - {"nodes"},
        "column": {name for level in COLUMNS.values() for name in level},
    }  # fmt: skip
    return keys | {f"{prefix}.{value}" for prefix, values in coded.items() for value in values}


def test_no_key_is_untranslated_and_none_is_left_over() -> None:
    asked = spoken()
    assert len(asked) > 250
    korean, english = words.catalogue("ko"), words.catalogue("en")
    assert {key for key in asked if key not in korean} == set()
    assert {key for key in asked if re.match(r"[a-z]+\.", key)} - set(english) == set()
    assert set(korean) - asked == set()
    assert set(english) - asked == set()
    for key, said in korean.items():
        assert sorted(re.findall(r"\{\w+\}", said)) == sorted(re.findall(r"\{\w+\}", key)), key
        assert re.search("[가-힣]", said), f"{key} is not Korean: {said}"


def test_templates_hold_no_words_of_their_own() -> None:
    allowed = {
        "kVp",
        "mA",
        "ms",
        "mAs",
        "UID",
        "W/L",
        "W/W",
        "Family",
        "Given",
        "YYYY",
        "MM",
        "DD",
        "YYYYMMDD",
        "X",
        "Y",
    }
    for path in TEMPLATES:
        text = re.sub(r"\{%.*?%\}|\{\{.*?\}\}|<[^>]*>|&\w+;", " ", path.read_text(encoding="utf-8"), flags=re.S)
        assert set(re.findall(r"[A-Za-z]{2,}(?:/[A-Z])?", text)) - allowed == set(), path.name


def _luminance(colour: str) -> float:
    full = colour if len(colour) == 7 else "#" + "".join(each * 2 for each in colour[1:])
    parts = [int(full[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, two: str) -> float:
    """The contrast ratio of WCAG 2.2, 1.4.3."""
    light, dark = sorted((_luminance(one), _luminance(two)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("scheme", [0, 1])
def test_colours_have_enough_contrast(scheme: int) -> None:
    block = re.findall(r":root\{([^}]*)\}", CSS)[scheme]
    colour = dict(re.findall(r"--([\w-]+):(#[0-9a-f]{3,6})", block))
    pairs = [(name, f"{name}-bg") for name in ("pass", "warn", "fail", "inc", "na")]
    pairs += [(text, ground) for text in ("ink", "soft", "accent", "fail") for ground in ("paper", "wash")]
    pairs += [("on-accent", "accent"), ("soft", "na-bg"), ("ink", "na-bg")]
    low = {pair: round(contrast(colour[pair[0]], colour[pair[1]]), 2) for pair in pairs}
    assert {pair: value for pair, value in low.items() if value < 4.5} == {}
    assert contrast(colour["edge"], colour["paper"]) >= 3
