"""How checks say what they saw: short constructors of observations, and of checks."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from harness.core.check import Check, CheckFunction, Exchange, Observation
from harness.core.message import Message
from harness.profiles.journal import Journal
from harness.profiles.values import UNREADABLE, Attributes, attributes_of, equal, listed, shown, valued
from harness.validation.objects import parse_dataset

_SIZE_LIMIT = 16 << 20
_FATAL = frozenset({"ENC-VR-UNKNOWN", "ENC-TRUNCATED"})

JournalFunction = Callable[[Journal], Iterator[Observation]]


def check(id: str, requirement: str, transactions: str, function: JournalFunction, title: str) -> Check:
    """A check over the journal of an exchange; ``transactions`` are separated by blanks.

    With a focus, only observations that rest on that message remain.
    """
    return Check(id, requirement, tuple(transactions.split()), _over_exchange(function), title)


def _over_exchange(function: JournalFunction) -> CheckFunction:
    @functools.wraps(function)
    def run(exchange: Exchange) -> Iterator[Observation]:
        journal = Journal(exchange)
        for seen in function(journal):
            # facts share the numbering of messages, but evidence is what can be shown: messages
            evidence = tuple(dict.fromkeys(seq for seq in seen.evidence if seq in journal.by_seq))
            if exchange.focus is None or exchange.focus.seq in evidence:
                yield dataclasses.replace(seen, evidence=evidence)

    return run


def passed(summary: str, evidence: Sequence[int], *, actual: str = "", locator: str = "", why: str = "") -> Observation:
    """Something that is as it must be."""
    return Observation(True, summary, actual=actual, locator=locator, evidence=tuple(evidence), why=why)


def judged(
    ok: bool | None,
    summary: str,
    evidence: Sequence[int],
    *,
    expected: str | Iterable[str] = (),
    actual: str = "",
    locator: str = "",
    why: str = "",
) -> Observation:
    """An observation with all it may say; one expected value may be given as text."""
    values = (expected,) if isinstance(expected, str) else tuple(expected)
    return Observation(ok, summary, values, actual, locator, tuple(evidence), why)


def all_valued(
    attributes: Attributes, keywords: Iterable[str], message: Message, *, where: str = "", why: str = ""
) -> Iterator[Observation]:
    """One observation for every keyword: it is there and not empty."""
    for keyword in keywords:
        ok = valued(attributes, keyword)
        state = "" if ok else " is empty" if keyword in attributes else " is missing"
        yield judged(
            ok,
            f"{where}{keyword} is valued in {message.label}" if ok else f"{where}{keyword}{state} in {message.label}",
            (message.seq,),
            expected="a value",
            actual=shown(attributes.get(keyword)),
            locator=f"{where}{keyword}",
            why=why,
        )


def all_present(
    attributes: Attributes, keywords: Iterable[str], message: Message, *, where: str = "", why: str = ""
) -> Iterator[Observation]:
    """One observation for every keyword: it is there, with a value or without."""
    for keyword in keywords:
        ok = keyword in attributes
        yield judged(
            ok,
            f"{where}{keyword} is {'present' if ok else 'missing'} in {message.label}",
            (message.seq,),
            expected="present, with a value or zero length",
            actual="present" if ok else "(absent)",
            locator=f"{where}{keyword}",
            why=why,
        )


def same(
    keyword: str,
    expected: Any,
    actual: Any,
    *,
    source: str,
    target: str,
    evidence: Sequence[int],
    locator: str = "",
    why: str = "",
) -> Observation:
    """Whether a value arrived: ``source`` and ``target`` name the two places in words."""
    ok = equal(keyword, expected if expected is not None else "", actual if actual is not None else "")
    return judged(
        ok,
        f"{keyword} of {target} equals that of {source}" if ok else f"{keyword} of {target} differs from {source}",
        evidence,
        expected=shown(expected),
        actual=shown(actual),
        locator=locator or keyword,
        why=why,
    )


def same_set(
    expected: Iterable[str], actual: Iterable[str], *, what: str, evidence: Sequence[int], locator: str, why: str = ""
) -> Observation:
    """Whether two sets are equal; says what is missing and what is too much."""
    wanted, found = set(expected), set(actual)
    missing, extra = sorted(wanted - found), sorted(found - wanted)
    parts = []
    if missing:
        parts.append(f"{len(missing)} missing: {listed(missing)}")
    if extra:
        parts.append(f"{len(extra)} not expected: {listed(extra)}")
    return judged(
        not parts,
        f"{what}: " + ("; ".join(parts) if parts else f"all {len(wanted)} agree"),
        evidence,
        expected=listed(sorted(wanted)) or "none",
        actual=listed(sorted(found)) or "none",
        locator=locator,
        why=why,
    )


def _broken_structure(message: Message) -> str | None:
    """The first place where the bytes are no data set; a reader that forgives would only see less of it."""
    if not 0 < message.payload.size <= _SIZE_LIMIT:
        return None
    _, found = parse_dataset(message.payload.bytes(), message.transfer_syntax)
    fatal = next((finding for finding in found if finding.code in _FATAL), None)
    return f"{fatal.code} at {fatal.locator}" if fatal is not None else None


def unreadable(message: Message) -> Observation | None:
    """Not judged, because the data set cannot be decoded; None if it can.

    For checks that something is absent: nothing is absent from what nobody can read.
    """
    problem = attributes_of(message).get(UNREADABLE) or _broken_structure(message)
    if problem is None:
        return None
    return Observation(None, f"{message.label} cannot be decoded: {problem}", evidence=(message.seq,))
