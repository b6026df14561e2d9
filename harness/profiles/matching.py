"""Attribute matching of C-FIND (PS3.4 C.2.2.2): whether a returned value satisfies a key."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from harness.profiles.values import Attributes, items, normal_name, normal_time, text

#: keys that control a query and match nothing
CONTROL = frozenset({"SpecificCharacterSet", "QueryRetrieveLevel", "TimezoneOffsetFromUTC", "RetrieveAETitle"})


def matching_keys(identifier: Attributes) -> dict[str, str]:
    """The keys of an identifier that ask for something: not zero length, sequences by their first item's keys."""
    keys: dict[str, str] = {}
    for keyword, value in identifier.items():
        if keyword in CONTROL or keyword.startswith("#"):
            continue
        if isinstance(value, list):
            for item in value[:1]:
                keys.update(matching_keys(item))
        elif value and value != "*":
            keys[keyword] = value
    return keys


def asked_keys(identifier: Attributes) -> set[str]:
    """Every keyword of an identifier, with those inside the first item of its sequences."""
    asked = set(identifier) - {"SpecificCharacterSet"}
    for value in identifier.values():
        if isinstance(value, list):
            for item in value[:1]:
                asked |= asked_keys(item)
    return asked


def satisfies(keyword: str, key: str, value: Any) -> bool:
    """Whether a value matches a non-empty key: single value, UID list, range or wildcard (PS3.4 C.2.2.2.1 to .5).

    Person names match without regard to case, because a product may choose; what it says is judged elsewhere.
    """
    plain = str(value)
    if keyword.endswith("UID"):
        return plain in key.split("\\")
    if keyword.endswith("Date"):
        return _in_range(key, plain, lambda part: part.replace(".", ""))
    if keyword.endswith("Time"):
        return _time_in_range(key, plain)
    if keyword == "ModalitiesInStudy":
        return any(_like(key, part) for part in plain.split("\\"))
    if keyword.endswith(("Name", "Physician")):
        return _name_matches(key, plain)
    return any(_like(key, part) for part in plain.split("\\"))


def _in_range(key: str, value: str, plain: Any) -> bool:
    value = plain(value)
    if "-" not in key:
        return bool(value == plain(key))
    low, _, high = key.partition("-")
    return bool(value) and (not low or plain(low) <= value) and (not high or value <= plain(high))


def _time_in_range(key: str, value: str) -> bool:
    if "-" not in key:
        return bool(normal_time(value)[: len(key)] == key) or normal_time(value) == normal_time(key)
    low, _, high = key.partition("-")
    time = normal_time(value)
    return bool(value) and (not low or normal_time(low) <= time) and (not high or time[: len(high)] <= high)


def _name_matches(key: str, value: str) -> bool:
    """A name key matches when any of its groups matches the same group, or the whole does (PS3.4 C.2.2.2.1)."""
    groups = normal_name(value).split("=")
    wanted = normal_name(key).split("=")
    if len(wanted) == 1:
        return any(_like(wanted[0], group, fold=True) for group in groups)
    return all(
        _like(part, group, fold=True)
        for part, group in zip(wanted, groups + [""] * len(wanted), strict=False)
        if part and part != "*"
    )


def _like(key: str, value: str, *, fold: bool = False) -> bool:
    pattern = "".join(".*" if c == "*" else "." if c == "?" else re.escape(c) for c in key)
    return re.fullmatch(pattern, value, (re.IGNORECASE if fold else 0) | re.DOTALL) is not None


def mismatches(keys: Mapping[str, str], response: Attributes) -> list[str]:
    """The keys that a response does not satisfy; a key whose attribute the response lacks is not judged."""
    wrong = []
    for keyword, key in keys.items():
        found = find(response, keyword)
        if found is not None and not satisfies(keyword, key, found):
            wrong.append(keyword)
    return wrong


def find(attributes: Attributes, keyword: str) -> str | None:
    """The text of a keyword at the root or in the first item of a sequence there; None if it is nowhere."""
    if keyword in attributes:
        return text(attributes, keyword)
    for name, value in attributes.items():
        if isinstance(value, list):
            for item in items(attributes, name)[:1]:
                if (found := find(item, keyword)) is not None:
                    return found
    return None
