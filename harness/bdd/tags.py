"""Tags of features and scenarios: a small vocabulary, read strictly.

====================  ===============================================================================
``@profile:SWF.b``    profiles that the scenario belongs to (at least one)
``@actor:<slug>``     the actor that the system under test plays (exactly one)
``@transaction:RAD-5``  transactions that the scenario exercises (at least one)
``@option:<slug>``    options that must be declared
``@req:RAD-5-SCU-03`` requirements that must be judged, or the scenario is not judged
``@case:<word>``      the workflow case (simple, group, append ...)
``@mesa:211``         the number of the MESA test that it descends from
``@quick``            part of the quick subset
``@manual``           needs an operator
====================  ===============================================================================
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from harness.profiles import names

ACTORS: dict[str, str] = {
    "adt": names.ADT,
    "order-placer": names.ORDER_PLACER,
    "order-filler": names.ORDER_FILLER,
    "acquisition-modality": names.MODALITY,
    "image-manager": names.IMAGE_MANAGER,
    "pps-manager": names.PPS_MANAGER,
    "image-display": names.IMAGE_DISPLAY,
    "evidence-creator": names.EVIDENCE_CREATOR,
    "print-composer": names.PRINT_COMPOSER,
    "print-server": names.PRINT_SERVER,
    "report-reader": names.REPORT_READER,
    "report-repository": names.REPORT_REPOSITORY,
    "external-report-repository": names.EXTERNAL_REPORT_REPOSITORY,
    "media-creator": names.MEDIA_CREATOR,
    "media-importer": names.MEDIA_IMPORTER,
    "display": names.DISPLAY,
}
PROFILES = ("SWF", "SWF.b", "CPI", "ARI", "PDI", "KIN", "ED")


def slug(text: str) -> str:
    """``Patient-Based Worklist Query`` -> ``patient-based-worklist-query``; letters of all scripts stay."""
    return re.sub(r"(?:[^\w.]|_)+", "-", text.lower()).strip("-")


OPTIONS: dict[str, str] = {
    slug(name): name
    for name in (
        names.PATIENT_BASED_QUERY,
        names.BROAD_QUERY,
        names.ASSISTED_PROTOCOL,
        names.PPS_EXCEPTION,
        names.GROUP_CASE,
        names.BILLING,
        names.AVAILABILITY,
        names.WORK_STATUS,
        names.APPOINTMENT,
        names.CREATOR_PPS,
        names.HL7_V251,
        names.MULTIPLE_SOURCES,
        names.WEB_CONTENT,
        names.DVD_MEDIA,
        names.USB_MEDIA,
        names.BASIC_IMAGE_REVIEW,
        names.PRIVACY_PROTECTION,
    )
}
_KINDS = ("profile", "actor", "transaction", "option", "req", "case", "mesa")
_PLAIN = ("quick", "manual")


@dataclass(frozen=True, slots=True)
class ScenarioTags:
    """The tags of one scenario with those of its feature and rule."""

    profiles: frozenset[str]
    actor: str
    transactions: frozenset[str]
    options: frozenset[str]
    requirements: tuple[str, ...]
    cases: tuple[str, ...]
    aliases: tuple[str, ...]
    quick: bool
    manual: bool
    all: tuple[str, ...]


def read(tags: Iterable[str]) -> ScenarioTags:
    """Sort tags by kind; unknown ones are reported by :func:`problems`, not here."""
    found: dict[str, list[str]] = {kind: [] for kind in _KINDS}
    ordered = sorted(set(tags))
    for tag in ordered:
        kind, colon, value = tag.partition(":")
        if colon and kind in found:
            found[kind].append(value)
    return ScenarioTags(
        profiles=frozenset(found["profile"]),
        actor=ACTORS.get(found["actor"][0], "") if len(found["actor"]) == 1 else "",
        transactions=frozenset(found["transaction"]),
        options=frozenset(OPTIONS[o] for o in found["option"] if o in OPTIONS),
        requirements=tuple(found["req"]),
        cases=tuple(found["case"]),
        aliases=tuple(f"MESA-{number}" for number in found["mesa"]),
        quick="quick" in ordered,
        manual="manual" in ordered,
        all=tuple(ordered),
    )


def problems(tags: Iterable[str], requirements: Iterable[str], transactions: Iterable[str]) -> list[str]:
    """What is wrong with the tags of one scenario, in sentences."""
    known_requirements, known_transactions = set(requirements), set(transactions)
    known: dict[str, set[str]] = {
        "profile": set(PROFILES),
        "actor": set(ACTORS),
        "transaction": known_transactions,
        "option": set(OPTIONS),
        "req": known_requirements,
    }
    said: list[str] = []
    for tag in sorted(set(tags)):
        kind, colon, value = tag.partition(":")
        if not colon:
            if tag not in _PLAIN:
                said.append(f"unknown tag @{tag}; plain tags are {', '.join('@' + p for p in _PLAIN)}")
        elif kind not in _KINDS:
            said.append(f"unknown tag @{tag}; kinds are {', '.join(_KINDS)}")
        elif kind in known and value not in known[kind]:
            said.append(f"@{tag}: there is no {kind} {value!r}{_nearest(value, known[kind])}")
    seen = read(tags)
    if not seen.profiles:
        said.append("no @profile: tag")
    if not seen.actor:
        said.append("needs exactly one @actor: tag")
    if not seen.transactions:
        said.append("no @transaction: tag")
    return said


def _nearest(value: str, known: set[str]) -> str:
    import difflib

    near = difflib.get_close_matches(value, known, n=3, cutoff=0.6)
    return f"; did you mean {', '.join(near)}?" if near else ""
