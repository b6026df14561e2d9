"""Rules about single fields as data, and how a message is held against them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from harness.core.check import Check, Observation
from harness.profiles.journal import Journal
from harness.profiles.observe import check, judged
from harness.profiles.swf.hl7_journal import HL7Journal, Told, sent_value, trimmed
from harness.protocols.hl7.message import HL7Message


@dataclass(frozen=True, slots=True)
class Scope:
    """Which messages of the system under test a rule is about. Empty means any.

    ``form`` is "old" (v2.3.1) or "new" (v2.5.1).
    """

    transactions: tuple[str, ...] = ()
    triggers: frozenset[str] = frozenset()
    controls: frozenset[str] = frozenset()
    types: frozenset[str] = frozenset()
    form: str = ""

    def covers(self, told: Told) -> bool:
        """Whether a message is one of them."""
        return (
            (not self.transactions or told.transaction in self.transactions)
            and (not self.triggers or told.hl7.trigger in self.triggers)
            and (not self.controls or told.control in self.controls)
            and (not self.types or told.hl7.type in self.types)
            and (not self.form or told.is_old == (self.form == "old"))
        )


@dataclass(frozen=True, slots=True)
class Valued:
    """Every path has a value in every segment of that name; ``A|B`` needs one of both."""

    paths: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Empty:
    """No path has a value."""

    paths: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class OneOf:
    """The value is one of a few."""

    path: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Matches:
    """The value has a form; ``words`` says which. An empty value is not judged unless ``needed``."""

    path: str
    pattern: str
    words: str
    needed: bool = False


@dataclass(frozen=True, slots=True)
class AtMost:
    """The value is there and not longer than so many characters."""

    path: str
    characters: int


@dataclass(frozen=True, slots=True)
class Equal:
    """Two fields of one message have the same value, pair by pair where the segments repeat."""

    first: str
    second: str


Test = Valued | Empty | OneOf | Matches | AtMost | Equal


@dataclass(frozen=True, slots=True)
class Rule:
    """One check: a requirement, the messages it is about, and what must hold for each."""

    requirement: str
    scope: Scope
    tests: tuple[Test, ...]
    title: str
    why: str = ""


def checks_of(rules: tuple[Rule, ...]) -> tuple[Check, ...]:
    """A check for each rule; its id is that of the requirement with ``/fields``."""
    return tuple(_check(rule) for rule in rules)


def _check(rule: Rule) -> Check:
    def run(journal: Journal) -> Iterator[Observation]:
        for told in HL7Journal(journal).sent:
            if rule.scope.covers(told):
                for test in rule.tests:
                    yield from hold(told, test, rule.why)

    transactions = " ".join(rule.scope.transactions) or ALL
    return check(f"{rule.requirement}/fields", rule.requirement, transactions, run, rule.title)


ALL = "RAD-1 RAD-2 RAD-3 RAD-4 RAD-12 RAD-13 RAD-48"


def hold(told: Told, test: Test, why: str = "") -> Iterator[Observation]:
    """What one test finds in one message."""
    if isinstance(test, Valued):
        for path in test.paths:
            yield _valued(told, path, why)
    elif isinstance(test, Empty):
        for path in test.paths:
            for locator, value in each(told.hl7, path):
                empty = not sent_value(value)  # two double quotes say that there is none
                text = f"{locator} is {'empty' if empty else 'valued'} in {told.label}"
                yield judged(empty, text, (told.seq,), expected="no value", actual=value, locator=locator, why=why)
    elif isinstance(test, Equal):
        yield from _equal(told, test, why)
    else:
        yield from _formed(told, test, why)


def _valued(told: Told, path: str, why: str) -> Observation:
    alternatives = path.split("|")
    for alternative in alternatives:
        found = each(told.hl7, alternative)
        missing = [locator for locator, value in found if not sent_value(value)]
        if found and not missing:
            values = ", ".join(value for _, value in found[:3])
            text = f"{alternative} is valued in {told.label}"
            return judged(True, text, (told.seq,), expected="a value", actual=values, locator=alternative, why=why)
    name = " or ".join(alternatives)
    segment = alternatives[0].split("-")[0]
    what = "is empty" if segment in told.hl7 else f"is missing: there is no {segment}"
    where = next((locator for locator, value in each(told.hl7, alternatives[0]) if not sent_value(value)), name)
    text = f"{name} {what} in {told.label}"
    return judged(False, text, (told.seq,), expected="a value", actual="", locator=where, why=why)


def _equal(told: Told, test: Equal, why: str) -> Iterator[Observation]:
    first, second = each(told.hl7, test.first), each(told.hl7, test.second)
    for (one, expected), (other, actual) in zip(first, second, strict=False):
        ok = trimmed(expected, told.hl7.separators) == trimmed(actual, told.hl7.separators)
        text = f"{other} {'equals' if ok else 'differs from'} {one} in {told.label}"
        yield judged(ok, text, (told.seq,), expected=expected, actual=actual, locator=other, why=why)


def _formed(told: Told, test: OneOf | Matches | AtMost, why: str) -> Iterator[Observation]:
    found = each(told.hl7, test.path)
    if not found and not (isinstance(test, Matches) and not test.needed):
        yield _valued(told, test.path, why)
    for locator, value in found:
        if isinstance(test, OneOf):
            ok, expected = value in test.values, test.values
        elif isinstance(test, AtMost):
            ok, expected = 0 < len(sent_value(value)) <= test.characters, (f"1 to {test.characters} characters",)
        else:
            if not value and not test.needed:
                continue
            ok, expected = re.fullmatch(test.pattern, value) is not None, (test.words,)
        text = f"{locator} is {value!r} in {told.label}" if value else f"{locator} is empty in {told.label}"
        yield judged(ok, text, (told.seq,), expected=expected, actual=value, locator=locator, why=why)


def each(message: HL7Message, path: str) -> list[tuple[str, str]]:
    """The value of a path in every segment of that name, with a locator that says which."""
    name, field = path.split("-", 1)
    segments = message.all(name)
    several = len(segments) > 1
    return [
        (f"{name}[{number}]-{field}" if several else path, segment[field]) for number, segment in enumerate(segments, 1)
    ]
