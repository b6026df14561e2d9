"""A hospital's own policy as a small TOML file, judged on each object and on the set.

::

    [attributes.AccessionNumber]
    required = true
    pattern = "[0-9]{8}"
    check_digit = "luhn"            # luhn, mod11, mod97 or one of your own:
    [check_digits.house]            # sum of digit x weight from the right, the check digit itself left out
    weights = [3, 1]                # taken again from the first when there are more digits
    modulus = 10                    # check digit = modulus - sum % modulus; "X" stands for 10
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


def weighted(weights: tuple[int, ...], modulus: int) -> Callable[[str], bool]:
    """A check digit of a site: weighted sum from the right, complement to the modulus; 10 is written as X."""

    def check(digits: str) -> bool:
        rest, last = digits[:-1], digits[-1]
        if "X" in rest:
            return False
        total = sum(int(digit) * weights[place % len(weights)] for place, digit in enumerate(reversed(rest)))
        return (modulus - total % modulus) % modulus == (10 if last == "X" else int(last))

    return check


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
    check_digits: Mapping[str, Callable[[str], bool]] = field(default_factory=lambda: CHECK_DIGITS)

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
                own = rule.check_digit not in CHECK_DIGITS
                digits = re.sub(r"[^0-9X]" if own else r"[^0-9]", "", value.upper())
                if len(digits) < 2 or not self.check_digits[rule.check_digit](digits):
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
    for table in data.keys() - {"attributes", "check_digits", "codes", "study"}:
        raise ConfigurationError(path, table, "unknown table; there are attributes, check_digits, codes and study")
    check_digits = dict(CHECK_DIGITS)
    for title, row in data.get("check_digits", {}).items():
        check_digits[title] = _own_check_digit(path, f"check_digits.{title}", row)
    rules = []
    for keyword, row in data.get("attributes", {}).items():
        where = f"attributes.{keyword}"
        unknown = row.keys() - {"required", "pattern", "check_digit", "values"}
        if unknown:
            raise ConfigurationError(path, where, f"unknown key {sorted(unknown)[0]!r}")
        check = row.get("check_digit", "")
        if check and check not in check_digits:
            raise ConfigurationError(path, f"{where}.check_digit", f"one of {', '.join(check_digits)}, not {check!r}")
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
    most = int(data.get("study", {}).get("maximum_images", 0))
    return SitePolicy(path.name, tuple(rules), schemes, most, check_digits)


def _own_check_digit(path: Path, where: str, row: object) -> Callable[[str], bool]:
    weights = row.get("weights") if isinstance(row, dict) else None
    modulus = row.get("modulus") if isinstance(row, dict) else None
    if not isinstance(weights, list) or not weights or not all(isinstance(weight, int) for weight in weights):
        raise ConfigurationError(path, f"{where}.weights", "a list of whole numbers")
    if not isinstance(modulus, int) or not 2 <= modulus <= 11:
        raise ConfigurationError(path, f"{where}.modulus", f"a whole number from 2 to 11, not {modulus!r}")
    return weighted(tuple(weights), modulus)


def _tag(path: Path, where: str, keyword: str) -> int:
    if keyword not in TAG:
        raise ConfigurationError(path, where, f"{keyword!r} is no attribute of the data dictionary")
    return TAG[keyword]
