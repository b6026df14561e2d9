"""What is wrong with a statement, or with a plain list of SOP classes, without looking at the product."""

from __future__ import annotations

import csv
import enum
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.core.errors import UsageError
from harness.profiles import names, registry
from harness.statement import codec, vocabulary
from harness.statement.model import ActorClaim, Statement

_MAX_ROWS = 5000


class Severity(enum.StrEnum):
    """How grave it is: an error makes the statement wrong, a warning makes a reader ask."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong, where, and what to do."""

    code: str
    severity: Severity
    where: str
    text: str


@dataclass(frozen=True, slots=True)
class Row:
    """A line of a list of SOP classes: the name as the author wrote it, the UID, the role if there is one."""

    name: str
    uid: str
    role: str = ""
    where: str = ""


def lint_file(path: Path) -> tuple[Problem, ...]:
    """Problems of a statement (our JSON or XML) or of a list ``name,UID[,role]`` (CSV). Raises UsageError."""
    data = codec.read_bounded(path)
    if data.lstrip()[:1] in (b"{", b"<"):
        return lint_statement(codec.parse_statement(data, str(path)))
    return tuple(lint_rows(_rows(data, path)))


def _rows(data: bytes, path: Path) -> list[Row]:
    try:
        lines = list(csv.reader(io.StringIO(data.decode("utf-8-sig"))))
    except (UnicodeDecodeError, csv.Error) as error:
        raise UsageError(f"{path}: neither a statement of this program nor a list name,UID[,role]: {error}") from error
    rows = []
    for number, cells in enumerate(lines[:_MAX_ROWS], 1):
        values = [cell.strip() for cell in cells]
        if not any(values) or values[0].startswith("#") or [v.lower() for v in values[:2]] == ["name", "uid"]:
            continue
        if len(values) < 2:
            raise UsageError(f"{path}, line {number}: expected name,UID[,role]")
        rows.append(Row(values[0], values[1], values[2] if len(values) > 2 else "", f"line {number}"))
    if not rows:
        raise UsageError(f"{path}: no line of name,UID[,role] was found")
    return rows


def lint_statement(statement: Statement) -> tuple[Problem, ...]:
    """Problems of a statement: its list of SOP classes, its sections, its claims."""
    rows = [Row(c.name, c.uid, c.role.value, f"SOP class {n}") for n, c in enumerate(statement.sop_classes, 1)]
    return (
        *lint_rows(rows),
        *_transfer_syntaxes(statement),
        *_sections(statement),
        *(problem for claim in statement.claims for problem in _claim(claim)),
        *_grouping(statement),
    )


# -- UIDs and names --------------------------------------------------------------------------------------------


def lint_rows(rows: Sequence[Row]) -> Iterator[Problem]:
    """Wrong UIDs, names that are not those of the UID, retired classes, duplicates."""
    first: dict[tuple[str, str], Row] = {}
    for row in rows:
        yield from _row(row)
        roles = row.role.upper().replace("/", " ").split() or [""]
        earlier = [first.setdefault((row.uid, role), row) for role in roles]
        for before in dict.fromkeys(one for one in earlier if one is not row):
            if vocabulary.is_uid(row.uid):
                yield Problem(
                    "duplicate-uid", Severity.ERROR, row.where,
                    f"{row.uid} stands for {row.name!r} here and for {before.name!r} in {before.where}; "
                    f"{_right_uid(row)}",
                )  # fmt: skip


def _row(row: Row) -> Iterator[Problem]:
    if not vocabulary.is_uid(row.uid):
        yield Problem("bad-uid", Severity.ERROR, row.where, f"{row.uid!r} is no UID (PS3.5 section 9.1)")
        return
    entry = vocabulary.registered(row.uid)
    if entry is None:
        if vocabulary.is_dicom(row.uid):
            text = f"{row.uid} is under the root of the standard and not registered in PS3.6; {_right_uid(row)}"
            yield Problem("unknown-uid", Severity.ERROR, row.where, text)
        return
    if "SOP Class" not in entry.kind:
        text = f"{row.uid} is {entry.name}, a {entry.kind.lower()}, no SOP class"
        yield Problem("not-a-sop-class", Severity.ERROR, row.where, text)
        return
    if row.name and row.name != row.uid and not _same(row.name, entry.name):
        text = f"{row.name!r} has the UID {row.uid}, which is {entry.name}; {_right_uid(row)}"
        yield Problem("name-mismatch", Severity.ERROR, row.where, text)
    if entry.retired:
        text = f"{entry.name} ({row.uid}) is retired; say so, or name what replaces it"
        yield Problem("retired", Severity.WARNING, row.where, text)


def _same(stated: str, registered: str) -> bool:
    """Whether two names mean one class; people shorten "Computed Radiography Image Storage" to its first words."""
    left, right = vocabulary.comparable(stated), vocabulary.comparable(registered)
    if left == right:
        return True
    # people leave away "Image", "Storage" and "Model"; what tells two classes apart they may not leave away
    short = [text.replace("storage", "").replace("image", "").replace("digital", "d") for text in (left, right)]
    return short[0] == short[1] or f"{short[0]}class" == short[1] or f"{left}model" == right


def _right_uid(row: Row) -> str:
    wanted = vocabulary.comparable(row.name)
    for uid in vocabulary.sop_class_uids():
        if vocabulary.comparable(vocabulary.name_of(uid)) == wanted:
            return f"{row.name} is {uid}"
    return "look both up in PS3.6 annex A"


def _transfer_syntaxes(statement: Statement) -> Iterator[Problem]:
    reported: set[str] = set()
    for entry in statement.sop_classes:
        for uid in entry.transfer_syntaxes:
            known = vocabulary.registered(uid)
            if uid in reported:
                continue
            reported.add(uid)
            if not vocabulary.is_uid(uid):
                yield Problem("bad-uid", Severity.ERROR, entry.name, f"transfer syntax {uid!r} is no UID")
            elif known is None and vocabulary.is_dicom(uid):
                yield Problem("unknown-uid", Severity.ERROR, entry.name, f"{uid} is no registered transfer syntax")
            elif known is not None and known.kind != "Transfer Syntax":
                text = f"{uid} is {known.name}, no transfer syntax"
                yield Problem("not-a-transfer-syntax", Severity.ERROR, entry.name, text)
            elif known is not None and known.retired:
                text = f"the transfer syntax {known.name} is retired"
                yield Problem("retired", Severity.WARNING, entry.name, text)
        default = "1.2.840.10008.1.2"
        # what was observed is only a part of what is accepted; what is written must be complete
        written = entry.transfer_syntaxes if not entry.standing.proofs else ()
        if written and default not in written and entry.service not in ("Storage", "Private"):
            text = "Implicit VR Little Endian is missing, which everybody must offer (PS3.5 section 10.1)"
            yield Problem("default-syntax", Severity.WARNING, f"{entry.name} {entry.role}", text)


# -- sections --------------------------------------------------------------------------------------------------


def _sections(statement: Statement) -> Iterator[Problem]:
    product = statement.product
    required = {
        "product name": product.name,
        "product version": product.version,
        "vendor": product.vendor,
        "date of publication": statement.published,
        "application entities": statement.entities,
        "SOP classes": statement.sop_classes,
        "character sets": statement.character_sets,
    }
    for name, value in required.items():
        if not value:
            yield Problem("missing", Severity.ERROR, name, "is not stated (PS3.2)")
    wanted = {"security": statement.security, "configuration": statement.configuration}
    for name, value in wanted.items():
        if not value:
            yield Problem("missing", Severity.WARNING, name, "is not stated; say so if there is none (PS3.2)")
    if statement.claims:
        links = {"IHE statements": product.ihe_url, "DICOM statements": product.dicom_url}
        for name, value in links.items():
            if not value:
                text = "the address is not stated (IHE General Introduction, appendix F)"
                yield Problem("missing-link", Severity.WARNING, name, text)
    for entity in statement.entities:
        if not 1 <= len(entity.title) <= 16 or not entity.title.isascii() or "\\" in entity.title:
            yield Problem("bad-title", Severity.ERROR, entity.title, "an AE title has 1 to 16 ASCII characters")


# -- IHE tables ------------------------------------------------------------------------------------------------


def _claim(claim: ActorClaim) -> Iterator[Problem]:
    where = f"{claim.profile} {claim.actor}"
    profile = registry.profile(claim.profile)
    if profile is None:
        known = ", ".join(p.id for p in registry.PROFILES)
        yield Problem("unknown-profile", Severity.ERROR, where, f"no profile of that name is known; known: {known}")
        return
    actor = profile.actor(claim.actor)
    if actor is None:
        known = ", ".join(a.name for a in profile.actors)
        yield Problem("unknown-actor", Severity.ERROR, where, f"{profile.id} has no such actor; it has {known}")
        return
    claimed = {t.id for t in claim.transactions}
    if missing := [number for number in actor.required if number not in claimed]:
        text = f"the actor needs {', '.join(missing)} too: this is no integration claim (General Introduction, F)"
        yield Problem("incomplete-actor", Severity.WARNING, where, text)
    for number in sorted(claimed - set(actor.required) - set(actor.optional)):
        yield Problem("foreign-transaction", Severity.ERROR, where, f"{number} is no transaction of this actor")
    allowed = [option.name for option in profile.options if claim.actor in option.actors]
    seen: set[str] = set()
    for option in claim.options:
        if option.name not in allowed:
            text = f"{option.name!r} is no option of this actor; it has {', '.join(allowed) or 'none'}"
            yield Problem("unknown-option", Severity.ERROR, where, text)
        if option.name in seen:
            yield Problem("duplicate-option", Severity.ERROR, where, f"{option.name!r} is listed twice")
        seen.add(option.name)
    queries = {names.PATIENT_BASED_QUERY, names.BROAD_QUERY}
    if claim.actor == names.MODALITY and claim.profile.startswith("SWF") and not seen & queries:
        text = (
            f"one of the options {names.PATIENT_BASED_QUERY} and {names.BROAD_QUERY} is needed (RAD TF-1 Table 3.2-1)"
        )
        yield Problem("missing-option", Severity.ERROR, where, text)


def _grouping(statement: Statement) -> Iterator[Problem]:
    for claim in statement.claims:
        if claim.actor != names.PPS_MANAGER:
            continue
        beside = {c.actor for c in statement.claims if c.profile == claim.profile}
        if not beside & {names.IMAGE_MANAGER, names.ORDER_FILLER}:
            text = f"a {names.PPS_MANAGER} is grouped with an {names.IMAGE_MANAGER} or a {names.ORDER_FILLER}"
            yield Problem("grouping", Severity.ERROR, f"{claim.profile} {claim.actor}", text)
