"""RAD-47: what an importer under test says of a medium, and what it keeps of it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any

from harness.core.check import Check, Observation
from harness.core.message import Direction, Message
from harness.profiles.journal import Journal
from harness.profiles.observe import check, judged, same_set
from harness.profiles.pdi.facts import FILE, IMPORT, MEDIUM
from harness.profiles.values import listed
from harness.protocols.media.elements import read_header
from harness.protocols.media.medium import HeldMedium
from harness.protocols.media.secure import Keys, SecureProblem, is_enveloped, open_file

_ACTION = "import-media"
_PIXELS = b"\xe0\x7f\x10\x00"


def imports(j: Journal) -> Iterator[tuple[Mapping[str, Any], Mapping[str, Any]]]:
    """Each import that was asked for: what was offered, and what the product answered."""
    asked = [(seq, data) for seq, data in j.facts(IMPORT)]
    for seq, offered in asked:
        for at, action in j.actions:
            if at > seq and action.get("action") == _ACTION:
                answers = action.get("outcome", {}).get("answers", {})
                if isinstance(answers, Mapping) and "imported" in answers:
                    yield offered, answers
                break


def _evidence(j: Journal, offered: Mapping[str, Any]) -> tuple[int, ...]:
    found = (m for m in j.transcript.select(FILE) if m.fields.get("medium") == offered.get("medium"))
    first = next(found, None)
    return (first.seq,) if first is not None else ()


def _texts(data: Mapping[str, Any], key: str) -> list[str]:
    return [str(value) for value in data.get(key) or ()]


def imports_all(j: Journal) -> Iterator[Observation]:
    for offered, answers in imports(j):
        if _texts(offered, "broken") or offered.get("protected"):
            continue  # how much of a faulty medium is imported is for the product to decide
        left_out = set(_texts(offered, "unsupported"))
        yield same_set(
            [uid for uid in _texts(offered, "offered") if uid not in left_out],
            [uid for uid in _texts(answers, "imported") if uid not in left_out],
            what="Imported instances",
            evidence=_evidence(j, offered),
            locator="imported",
        )


def imports_rich(j: Journal) -> Iterator[Observation]:
    for offered, answers in imports(j):
        if offered.get("rich") and not _texts(offered, "broken"):
            wanted = set(_texts(offered, "offered")) - set(_texts(offered, "unsupported"))
            missing = wanted - set(_texts(answers, "imported"))
            yield judged(
                not missing,
                f"{len(wanted) - len(missing)} of {len(wanted)} instances are imported beside other content",
                _evidence(j, offered),
                expected=f"{len(wanted)} instances",
                actual=listed(sorted(missing)) or "all",
                locator="imported",
            )


def opens_protected(j: Journal) -> Iterator[Observation]:
    for offered, answers in imports(j):
        if offered.get("protected"):
            missing = set(_texts(offered, "offered")) - set(_texts(answers, "imported"))
            yield judged(
                not missing,
                f"Secure DICOM Files are {'not ' if missing else ''}opened with the password",
                _evidence(j, offered),
                expected=f"{len(_texts(offered, 'offered'))} instances",
                actual=f"without {listed(sorted(missing))}" if missing else "all",
                locator="imported",
            )


def names_unsupported(j: Journal) -> Iterator[Observation]:
    for offered, answers in imports(j):
        wanted = set(_texts(offered, "unsupported"))
        if wanted:
            missing = wanted - set(_texts(answers, "unsupported")) - set(_texts(answers, "imported"))
            yield judged(
                not missing,
                f"{len(wanted) - len(missing)} of {len(wanted)} instances of foreign classes are named",
                _evidence(j, offered),
                expected=listed(sorted(wanted)),
                actual=listed(_texts(answers, "unsupported")) or "none",
                locator="unsupported",
            )


def reports_errors(j: Journal) -> Iterator[Observation]:
    for offered, answers in imports(j):
        if _texts(offered, "broken"):
            said = _texts(answers, "errors")
            yield judged(
                bool(said),
                "The fault of the medium is reported" if said else "The fault of the medium is passed over in silence",
                _evidence(j, offered),
                expected="an error message",
                actual=listed(said) or "none",
                locator="errors",
            )


def keeps_objects(j: Journal) -> Iterator[Observation]:
    ours = {uid: digest for uid, digest, _ in _pixels(j, Direction.TO_SUT)}
    for uid, digest, message in _pixels(j, Direction.FROM_SUT):
        known = ours.get(uid)
        yield judged(
            known == digest if known is not None else False,
            f"Instance {uid} keeps its pixel data" if known == digest else f"Instance {uid} is not as on the medium",
            (message.seq,),
            expected=known or "an instance of the medium",
            actual=digest,
            locator=str(message.fields.get("path", "")),
        )


def _pixels(j: Journal, direction: Direction) -> Iterator[tuple[str, str, Message]]:
    """SOP Instance UID and a hash of the pixel data of every file that went in that direction around imports."""
    keys = {str(data.get("id")): Keys(str(data.get("password") or "")) for _, data in j.facts(MEDIUM)}
    for message in j.transcript.select(FILE, direction=direction):
        if direction is Direction.FROM_SUT and not message.fields.get("exported"):
            continue
        raw = message.payload.bytes()
        if is_enveloped(raw[:32]):
            try:
                raw = open_file(raw, keys.get(str(message.fields.get("medium")), Keys())).content
            except SecureProblem:
                continue
        header = read_header(HeldMedium("file", {"FILE": raw}), "FILE")
        if header is None or not header.text(0x00080018):
            continue
        place = raw.rfind(_PIXELS)
        if place >= 0:
            start = place + (12 if raw[place + 4 : place + 6].isalpha() else 8)
            yield header.text(0x00080018), hashlib.sha256(raw[start:]).hexdigest(), message


_ROWS = (
    ("import-all", "RAD-47-PMI-01", imports_all, "every instance of a claimed class is imported"),
    ("import-any-creator", "RAD-47-PMI-02", imports_rich, "media with web and other content are imported"),
    ("import-unsupported", "RAD-47-PMI-03", names_unsupported, "instances of other classes are named"),
    ("import-intact", "RAD-47-PMI-05", keeps_objects, "imported objects keep UIDs and pixel data"),
    ("import-protected", "RAD-47-SEC-01", opens_protected, "protected media are opened with the password"),
    ("import-errors", "RAD-47-PMI-06", reports_errors, "faults of a medium are reported"),
)
CHECKS: tuple[Check, ...] = tuple(check(id, row, "RAD-47", function, title) for id, row, function, title in _ROWS)
