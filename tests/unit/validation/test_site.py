"""Check digits of a hospital's own: right numbers pass, one changed digit does not."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.core.errors import ConfigurationError
from harness.validation.objects import judge_part10
from harness.validation.site import read_policy
from tests.unit.validation import samples

#: EAN-13 and ISBN-10, whose check digits are known
EAN = "[check_digits.own]\nweights = [3, 1]\nmodulus = 10\n"
ISBN = "[check_digits.own]\nweights = [2, 3, 4, 5, 6, 7, 8, 9, 10]\nmodulus = 11\n"
RULE = '[attributes.PatientID]\ncheck_digit = "own"\n'


def codes(folder: Path, policy: str, value: str) -> list[str]:
    path = folder / "site.toml"
    path.write_text(policy + RULE)
    ds = samples.ct()
    ds.PatientID = value
    root = judge_part10(samples.part10(ds))[1]
    assert root is not None
    return [finding.code for finding in read_policy(path).check(root)]


@pytest.mark.parametrize(
    ("policy", "right", "wrong"),
    [
        (EAN, "4006381333931", "4006381333932"),
        (EAN, "400-6381-333931", "4006381333391"),
        (ISBN, "0306406152", "0306406153"),
        (ISBN, "080442957X", "0804429570"),
        (ISBN, "0-8044-2957-x", "X080442957"),
    ],
)
def test_a_check_digit_of_the_site(policy: str, right: str, wrong: str, tmp_path: Path) -> None:
    assert codes(tmp_path, policy, right) == []
    assert codes(tmp_path, policy, wrong) == ["SITE-CHECK-DIGIT"]


@pytest.mark.parametrize(
    ("policy", "where"),
    [
        ("[check_digits.own]\nmodulus = 10\n", "weights"),
        ('[check_digits.own]\nweights = ["3"]\nmodulus = 10\n', "weights"),
        ("[check_digits.own]\nweights = [3]\nmodulus = 97\n", "modulus"),
    ],
)
def test_a_check_digit_that_cannot_be_understood_is_refused(policy: str, where: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=where):
        codes(tmp_path, policy, "123")
