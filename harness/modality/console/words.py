"""The languages of the console: English is the key, every other language has a catalogue."""

from __future__ import annotations

import json
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
