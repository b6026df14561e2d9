"""Everything that the harness knows of the specification: profiles, transactions, requirements, checks, aliases."""

from __future__ import annotations

import difflib
import hashlib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType

from harness import validation
from harness.core.check import Check
from harness.core.errors import UsageError
from harness.core.spec import Profile, Requirement, Transaction
from harness.profiles import aliases, ari, cpi, loader, names, pdi, swf
from harness.profiles.ari import checks as ari_checks
from harness.profiles.common import conversation
from harness.profiles.cpi import checks as cpi_checks
from harness.profiles.pdi import checks as pdi_checks
from harness.profiles.swf import checks as swf_checks
from harness.profiles.swf import hl7_checks

PROFILES: tuple[Profile, ...] = (swf.SWF, swf.SWF_B, cpi.CPI, ari.ARI, pdi.PDI, ari.KIN, ari.ED)
TRANSACTIONS: Mapping[str, Transaction] = MappingProxyType({t.id: t for t in names.TRANSACTIONS})
CHECKS: tuple[Check, ...] = (
    *swf_checks.CHECKS,
    *hl7_checks.CHECKS,
    *cpi_checks.CHECKS,
    *ari_checks.CHECKS,
    *pdi_checks.CHECKS,
    *conversation.CHECKS,
)
ALIASES: Mapping[str, aliases.Alias] = aliases.ALIASES


@cache
def requirements() -> Mapping[str, Requirement]:
    """All requirements by id, in the order of the files. Read once. Raises ConfigurationError for a wrong file."""
    automated = {check.requirement for check in CHECKS}
    rows = (row for folder in loader.FOLDERS for row in loader.load(folder, PROFILES, automated))
    return MappingProxyType({row.id: row for row in rows})


def requirement(identifier: str) -> Requirement:
    """The requirement of that id. Raises UsageError naming the nearest."""
    row = requirements().get(identifier)
    if row is None:
        raise UsageError(unknown("requirement", identifier))
    return row


def unknown(what: str, identifier: str) -> str:
    """A sentence about a requirement or transaction that does not exist, with the nearest that do."""
    near = difflib.get_close_matches(identifier, requirements() if what == "requirement" else TRANSACTIONS, n=3)
    hint = f"; did you mean {', '.join(near)}?" if near else f"; `ihe-harness list {what}s` shows all"
    return f"there is no {what} {identifier!r}{hint}"


@cache
def fingerprint() -> str:
    """Twelve digits that change when a requirement, a check or a table does: runs judged by other rules say so."""
    digest = hashlib.sha256()
    packages = [Path(__file__).parent, Path(validation.__file__).parent]
    for package in packages:
        for path in sorted(package.rglob("*")):
            if path.suffix in (".py", ".toml", ".json"):
                digest.update(path.relative_to(package).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:12]


def profile(profile_id: str) -> Profile | None:
    """The profile of that id ("SWF.b"), or None."""
    return next((p for p in PROFILES if p.id == profile_id), None)


def requirements_for(
    *, transaction: str = "", actor: str = "", profile: str = "", option: str | None = None
) -> tuple[Requirement, ...]:
    """Requirements that match every given criterion; ``option=""`` means those of no option, None means any."""
    return tuple(
        row
        for row in requirements().values()
        if (not transaction or transaction in row.transactions)
        and (not actor or actor in row.actors)
        and (not profile or profile in row.profiles)
        and (option is None or row.option == option)
    )


def checks_for(key: str) -> tuple[Check, ...]:
    """Checks of a requirement id ("RAD-6-SCU-04") or of a transaction ("RAD-6")."""
    return tuple(check for check in CHECKS if check.requirement == key or key in check.transactions)
