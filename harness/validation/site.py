"""A hospital's own policy as a small TOML file, judged on each object and on the set.

::

    [attributes.AccessionNumber]
    required = true
    pattern = "[0-9]{8}"
    check_digit = "luhn"            # luhn, mod11 or mod97
    [attributes.Modality]
    values = ["CT", "MR"]
    [codes.ProcedureCodeSequence]
    schemes = ["LOCAL"]
    [study]
    maximum_images = 2000
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from harness.core.errors import ConfigurationError
from harness.validation.dictionary import TAG, name
from harness.validation.finding import Severity, ValidationFinding, shown
from harness.validation.walker import DataSet


def _luhn(digits: str) -> bool:
    total = 0
    for place, digit in enumerate(reversed(digits)):
        doubled = int(digit) * (1 + place % 2)
        total += doubled - 9 if doubled > 9 else doubled
    return total % 10 == 0


def _mod11(digits: str) -> bool:
    weights = (2 + place % 6 for place in range(len(digits) - 1))
    remainder = sum(int(digit) * weight for digit, weight in zip(reversed(digits[:-1]), weights, strict=True)) % 11
    return (11 - remainder) % 11 % 10 == int(digits[-1])


def _mod97(digits: str) -> bool:
    return int(digits) % 97 == 1


CHECK_DIGITS: Mapping[str, Callable[[str], bool]] = {"luhn": _luhn, "mod11": _mod11, "mod97": _mod97}


@dataclass(frozen=True, slots=True)
class AttributeRule:
    """What the site asks of one attribute of the data set."""

    tag: int
    required: bool = False
    pattern: re.Pattern[str] | None = None
    check_digit: str = ""
    values: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SitePolicy:
    """A site's rules; ``file`` is named as the clause."""

    file: str
    attributes: tuple[AttributeRule, ...] = ()
    schemes: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    maximum_images: int = 0

    def check(self, root: DataSet) -> list[ValidationFinding]:
        """Judge one object."""
        found: list[ValidationFinding] = []

        def add(code: str, tag: int, expected: str, actual: str) -> None:
            found.append(ValidationFinding(code, Severity.ERROR, name(tag), expected, actual, self.file))

        for rule in self.attributes:
            value = root.text(rule.tag)
            if not value:
                if rule.required:
                    add("SITE-REQUIRED", rule.tag, "a value", "none")
                continue
            if rule.pattern is not None and not rule.pattern.fullmatch(value):
                add("SITE-PATTERN", rule.tag, rule.pattern.pattern, shown(value))
            elif rule.check_digit:
                digits = re.sub(r"\D", "", value)
                if len(digits) < 2 or not CHECK_DIGITS[rule.check_digit](digits):
                    add("SITE-CHECK-DIGIT", rule.tag, f"a valid {rule.check_digit} check digit", shown(value))
            if rule.values and value not in rule.values:
                add("SITE-VALUE", rule.tag, " or ".join(rule.values), shown(value))
        for tag, schemes in self.schemes.items():
            for item in root.items(tag):
                scheme = item.text(0x00080102)
                if scheme not in schemes:
                    add("SITE-CODING-SCHEME", tag, " or ".join(schemes), shown(scheme))
        return found

    def check_study(self, images: Mapping[str, int]) -> list[tuple[str, ValidationFinding]]:
        """Judge the number of images of each study: pairs of Study Instance UID and finding."""
        most = self.maximum_images
        wanted = f"at most {most} images"
        return [
            (uid, ValidationFinding("SITE-STUDY-SIZE", Severity.ERROR, uid, wanted, str(count), self.file))
            for uid, count in images.items()
            if most and count > most
        ]


def read_policy(path: Path) -> SitePolicy:
    """Read a policy; ConfigurationError says which table and key are wrong."""
    try:
        data = tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigurationError(path, "", f"cannot be read: {error}") from error
    for table in data.keys() - {"attributes", "codes", "study"}:
        raise ConfigurationError(path, table, "unknown table; there are attributes, codes and study")
    rules = []
    for keyword, row in data.get("attributes", {}).items():
        where = f"attributes.{keyword}"
        unknown = row.keys() - {"required", "pattern", "check_digit", "values"}
        if unknown:
            raise ConfigurationError(path, where, f"unknown key {sorted(unknown)[0]!r}")
        check = row.get("check_digit", "")
        if check and check not in CHECK_DIGITS:
            raise ConfigurationError(path, f"{where}.check_digit", f"one of {', '.join(CHECK_DIGITS)}, not {check!r}")
        try:
            pattern = re.compile(row["pattern"]) if "pattern" in row else None
        except re.error as error:
            raise ConfigurationError(path, f"{where}.pattern", f"no regular expression: {error}") from error
        tag = _tag(path, where, keyword)
        rules.append(AttributeRule(tag, bool(row.get("required")), pattern, check, tuple(row.get("values", ()))))
    schemes = {
        _tag(path, f"codes.{keyword}", keyword): tuple(row.get("schemes", ()))
        for keyword, row in data.get("codes", {}).items()
    }
    return SitePolicy(path.name, tuple(rules), schemes, int(data.get("study", {}).get("maximum_images", 0)))


def _tag(path: Path, where: str, keyword: str) -> int:
    if keyword not in TAG:
        raise ConfigurationError(path, where, f"{keyword!r} is no attribute of the data dictionary")
    return TAG[keyword]
