"""The languages of the console: English is the key, every other language has a catalogue."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType

LANGUAGES: Mapping[str, str] = MappingProxyType({"en": "English", "ko": "한국어"})
_TEXT = Path(__file__).parent / "text"


@lru_cache(maxsize=len(LANGUAGES))
def catalogue(language: str) -> Mapping[str, str]:
    """Return what a language says for each key; English has only the coded ones, such as ``cause.disabled``."""
    if language not in LANGUAGES:
        return MappingProxyType({})
    return MappingProxyType(json.loads((_TEXT / f"{language}.json").read_text(encoding="utf-8")))


def translator(language: str) -> Callable[..., str]:
    """Return the function that templates call `t`: an English key, and values for its {places}."""
    known = catalogue(language)

    def translate(key: str, **values: object) -> str:
        said = known.get(key, key)
        return said.format(**values) if values else said

    return translate


def title_of(value: str) -> str:
    """Turn the value of an enum or the name of a setting into the English key for it."""
    words = value.replace("_", " ").replace("-", " ").strip()
    return words[:1].upper() + words[1:]


@lru_cache(maxsize=len(LANGUAGES))
def _sentences(language: str) -> tuple[tuple[re.Pattern[str], str], ...]:
    path = _TEXT / f"{language}_said.json"
    known: dict[str, str] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    # The sentence with the most words of its own is the one that was meant.
    ordered = sorted(known, key=lambda each: -len(each.replace("{}", "")))
    return tuple(
        (re.compile("(.+?)".join(re.escape(part) for part in each.split("{}")), re.DOTALL), known[each])
        for each in ordered
    )


@lru_cache(maxsize=2048)
def said(language: str, sentence: str, depth: int = 0) -> str:
    """Say in a language what a service said in English, as far as the sentence is known; values stay as they are."""
    if not sentence or len(sentence) > 2000 or depth > 3:
        return sentence
    for pattern, words in _sentences(language):
        found = pattern.fullmatch(sentence)
        if found:
            return words.format(*(said(language, each, depth + 1) for each in found.groups()))
    parts = sentence.split("; ")
    return "; ".join(said(language, each, depth + 1) for each in parts) if len(parts) > 1 else sentence
