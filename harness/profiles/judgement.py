"""Which checks a judgement means, and what they find: the same for a running scenario and for stored evidence.

A judgement is plain data, noted in the transcript as a fact of kind ``JUDGEMENT``::

    {"scope": "transaction" | "requirement" | "message",
     "id": "RAD-6" | "RAD-6-SCU-04",
     "actor": "Acquisition Modality",      # the role that the system under test has in the scenario
     "focus": 14 | None,                   # the message that "that message" means
     "at": 31,                             # what came later than this is not judged
     "broken_only": True}                  # optional: after a failed exchange nothing passes any more
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from harness.core.check import Check, Declaration, Exchange, judge
from harness.core.finding import Finding
from harness.core.transcript import Transcript
from harness.core.verdict import Verdict
from harness.profiles import registry

FACT = "JUDGEMENT"


def applies(check: Check, actor: str, sut: Declaration) -> bool:
    """Whether a check's requirement binds that actor in a profile (and with an option) that the product declares."""
    row = registry.requirements().get(check.requirement)
    if row is None or not (actor in row.actors or "all" in row.actors or _generic(row.actors, actor)):
        return False
    if row.profiles and "all" not in row.profiles and not sut.profiles.intersection(row.profiles):
        return False
    return not row.option or row.option in sut.options


def _generic(actors: Iterable[str], actor: str) -> bool:
    """ "HL7 sender" and "HL7 receiver" bind whoever takes that role."""
    return bool(actor) and any(name in ("HL7 sender", "HL7 receiver") for name in actors)


def selected(judgement: Mapping[str, Any], sut: Declaration) -> tuple[Check, ...]:
    """The checks that a judgement means for this product, in the order of the registry."""
    checks = registry.checks_for(str(judgement["id"]))
    if judgement["scope"] == "transaction":
        return tuple(check for check in checks if applies(check, str(judgement["actor"]), sut))
    return checks


def carry_out(
    judgement: Mapping[str, Any], transcript: Transcript, sut: Declaration, *, strict: bool = False
) -> list[Finding]:
    """Judge what had been seen when the judgement was asked for.

    A check that was named by its requirement and looked at nothing leaves that requirement without a finding; the
    caller says INCONCLUSIVE of it, because nothing is never a pass.
    """
    seen = transcript.until(int(judgement["at"]))
    focus_seq = judgement.get("focus")
    focus = next((message for message in seen.messages if message.seq == focus_seq), None)
    exchange = Exchange(seen, sut, focus)
    findings: list[Finding] = []
    rows = registry.requirements()
    for check in selected(judgement, sut):
        findings.extend(judge(check, rows[check.requirement], exchange, strict=strict))
    if judgement.get("broken_only"):
        return [finding for finding in findings if finding.verdict in (Verdict.WARNING, Verdict.FAIL, Verdict.ERROR)]
    return findings
