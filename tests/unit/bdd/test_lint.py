"""Mistakes of scenario authors are found before anything runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness import resources
from harness.bdd import lint as linting
from harness.bdd.registry import StepInfo
from harness.bdd.steps import all_steps
from harness.core.errors import UsageError

TAGS = "@profile:SWF @actor:acquisition-modality @transaction:RAD-5"
GOOD = f"""{TAGS}
Feature: F
  Scenario: one
    Given the Order Filler has nothing scheduled
    Then the requirement "RAD-5-SCU-17" is met
"""


def problems(folder: Path, text: str) -> list[str]:
    path = folder / "x.feature"
    path.write_text(text, encoding="utf-8")
    found, _ = linting.lint([path], all_steps())
    return [str(problem) for problem in found]


def test_a_good_feature_has_no_problem(tmp_path: Path) -> None:
    assert problems(tmp_path, GOOD) == []


def test_the_built_in_features_have_no_problem() -> None:
    found, planned = linting.lint([resources.folder("features")], all_steps())
    assert [str(problem) for problem in found] == []
    assert len(planned) > 20


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("has nothing scheduled", "has noting scheduled", "undefined step: Given the Order Filler has noting"),
        ("@transaction:RAD-5", "", "no @transaction: tag"),
        ("@profile:SWF ", "", "no @profile: tag"),
        ("@actor:acquisition-modality", "@actor:modality", "there is no actor 'modality'"),
        ("@transaction:RAD-5", "@transaction:RAD-999", "no transaction 'RAD-999'"),
        ("  Scenario: one", "  @req:RAD-5-SCU-99\n  Scenario: one", "no req 'RAD-5-SCU-99'"),
        ("  Scenario: one", "  @slow\n  Scenario: one", "unknown tag @slow"),
        ("    Then the", "    Given the", "undefined step: Given the requirement"),
        ("Feature: F", "Featur: F", "not valid Gherkin"),
    ],
)
def test_a_mistake_is_named_with_file_and_line(tmp_path: Path, old: str, new: str, said: str) -> None:
    found = problems(tmp_path, GOOD.replace(old, new))
    assert any(said in text for text in found), found
    assert all("x.feature:" in text for text in found)


def test_a_scenario_without_then_judges_nothing(tmp_path: Path) -> None:
    text = GOOD.replace('    Then the requirement "RAD-5-SCU-17" is met\n', "")
    assert any("has no Then" in line for line in problems(tmp_path, text))


def test_two_scenarios_of_one_name_are_found_also_in_rules(tmp_path: Path) -> None:
    scenario = GOOD.split("Feature: F\n")[1]
    text = f"{TAGS}\nFeature: F\n  Rule: a\n{scenario}  Rule: b\n{scenario}"
    assert any("2 scenarios are named 'one'" in line for line in problems(tmp_path, text))


def test_every_row_of_an_outline_is_checked(tmp_path: Path) -> None:
    text = GOOD.replace("Scenario: one", "Scenario Outline: one").replace('"RAD-5-SCU-17"', "<r>")
    text += '\n    Examples:\n      | r |\n      | "RAD-5-SCU-17" |\n      | nonsense |\n'
    assert any("the requirement nonsense is met" in line for line in problems(tmp_path, text))


def test_a_folder_without_features_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"no \.feature file"):
        linting.feature_files([tmp_path])
    with pytest.raises(UsageError, match="no such file"):
        linting.feature_files([tmp_path / "nowhere"])


def test_the_step_catalogue_is_unambiguous_and_documented() -> None:
    steps = all_steps()
    assert linting.lint_steps(steps) == []
    assert all(step.doc for step in steps)
    assert len(steps) <= 100


def test_ambiguous_and_async_steps_are_found() -> None:
    async def later() -> None:
        """Never awaited."""

    def now() -> None:
        """Now."""

    found = linting.lint_steps(
        [
            StepInfo("when", "x", "", "m", now),
            StepInfo("when", "x", "", "m", now),
            StepInfo("then", "y", "", "m", later),
        ]
    )
    assert sum("more than once" in str(problem) for problem in found) == 2
    assert sum("async" in str(problem) for problem in found) == 1


OUTLINE = f"""{TAGS}
Feature: F
  Scenario Outline: one
    Given the Order Filler has nothing scheduled
    Then the requirement "<which>" is met
    Examples:
      | which |
"""


def test_an_outline_that_would_never_run_is_named(tmp_path: Path) -> None:
    assert any("has no row of Examples" in found for found in problems(tmp_path, OUTLINE))
    without = OUTLINE.partition("    Examples")[0]
    assert any("<which> is filled in by no column" in found for found in problems(tmp_path, without))
    other = OUTLINE.replace("| which |", "| other |\n      | x |")
    assert any("<which> is filled in by no column" in found for found in problems(tmp_path, other))


def test_tags_that_only_pytest_would_see_are_refused(tmp_path: Path) -> None:
    """Those of Examples are in no scenario: one with a colon would end the collection, another select nothing."""
    text = OUTLINE.replace("    Examples:", "    @req:RAD-5-SCU-17\n    Examples:") + "      | RAD-5-SCU-17 |\n"
    assert any("tags on Examples are not supported" in found for found in problems(tmp_path, text))
    assert problems(tmp_path, text.replace("    @req:RAD-5-SCU-17\n", "")) == []


def test_a_feature_without_scenarios_is_named(tmp_path: Path) -> None:
    assert any("holds no scenario" in found for found in problems(tmp_path, f"{TAGS}\nFeature: F\n"))
    assert any("holds no scenario" in found for found in problems(tmp_path, "# nothing yet\n"))


def test_a_byte_order_mark_is_called_by_its_name(tmp_path: Path) -> None:
    assert any("byte order mark" in found for found in problems(tmp_path, "\ufeff" + GOOD))


WAITING = f"""{TAGS}
Feature: F
  Scenario: one
    Given the Order Filler has scheduled these steps
      | step | patient | modality | start       |
      | S1   | kim     | DX       | today 09:00 |
    When the system under test performs "S1" with 1 image
    Then an "N-SET-RQ" reaches the "PPS Manager"
    And the exchange satisfies every "RAD-5" requirement
"""


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("PPS Manager", "PPS Manger", "no message reaches an actor 'PPS Manger'; did you mean PPS Manager?"),
        ("N-SET-RQ", "N-SET", "there is no message 'N-SET' to wait for; did you mean N-SET-RQ"),
        (
            "N-SET-RQ",
            "C-MOVE-RQ",
            "no requirement demands a C-MOVE-RQ to the PPS Manager from the Acquisition Modality",
        ),
        ('every "RAD-5"', 'every "RAD-55"', "there is no transaction 'RAD-55'"),
        ("| kim ", "| kin ", "there is no patient 'kin'"),
        ("09:00", "25:00", "is not a start like"),
        ("patient |", "person |", "unknown column person"),
        (
            "today 09:00 |",
            "today 09:00 |\n      | S1   | kim     | DX       | today 10:00 |",
            "two steps are named 'S1'",
        ),
    ],
)
def test_a_word_that_means_nothing_is_found_before_the_run(tmp_path: Path, old: str, new: str, said: str) -> None:
    found = problems(tmp_path, WAITING.replace(old, new))
    assert any(said in text and "x.feature:" in text for text in found), found
    assert problems(tmp_path, WAITING) == []


def test_a_table_that_a_step_would_not_read_is_found(tmp_path: Path) -> None:
    text = GOOD + "      | Modality | DX |\n"
    assert any("takes no data table, it would be ignored" in line for line in problems(tmp_path, text))
    text = WAITING.replace("      | step | patient | modality | start       |\n", "").replace(
        "      | S1   | kim     | DX       | today 09:00 |\n", ""
    )
    assert any("needs a data table below it" in line for line in problems(tmp_path, text))
    text = GOOD + '      """\n      what I really mean\n      """\n'
    assert any("takes no doc string, it would be ignored" in line for line in problems(tmp_path, text))


@pytest.mark.parametrize("status", ["ZZZZ", "7", "A7000"])
def test_a_status_is_four_hexadecimal_digits(tmp_path: Path, status: str) -> None:
    text = GOOD.replace("has nothing scheduled", f'answers every query with "{status}"')
    assert any(
        "is no answer of the DSS/Order Filler to every query; known: <status>" in p for p in problems(tmp_path, text)
    )
    assert problems(tmp_path, text.replace(f'"{status}"', '"A700"')) == []


def test_who_acts_is_the_product_or_an_actor_that_can(tmp_path: Path) -> None:
    text = GOOD.replace(
        "    Then the", "    When the Order Filler queries the worklist by\n      | Modality | CT |\n    Then the"
    )
    assert any(
        "cannot be 'DSS/Order Filler'; known: system under test, Acquisition" in line
        for line in problems(tmp_path, text)
    )
    for who in ("the Acquisition Modality", 'the "Acquisition Modality"', "the system under test"):
        assert problems(tmp_path, text.replace("When the Order Filler", f"When {who}")) == []
    assert any(
        "undefined step" in line for line in problems(tmp_path, text.replace("When the Order", "When our Order"))
    )


def test_what_stands_in_brackets_may_be_left_out() -> None:
    def now() -> None:
        """Now."""

    step = StepInfo("then", 'a(n) "{kind:Text}" brings {images:Count}( more) image(s)', "", "m", now)
    for text in ('an "X" brings 2 images', 'a "X" brings 1 more image'):
        assert step.matches(text)
    assert step.arguments('an "X" brings 2 more images') == {"kind": "X", "images": 2}
    assert not step.matches('any "X" brings 2 images')
    assert not step.matches('an "X" brings 2 imagess')


def test_a_step_that_two_definitions_take_is_ambiguous(tmp_path: Path) -> None:
    def anything(what: str) -> None:
        """Takes whatever."""

    extra = StepInfo("given", "the Order Filler has {what} scheduled", "", "m", anything)
    path = tmp_path / "x.feature"
    path.write_text(GOOD, encoding="utf-8")
    found, _ = linting.lint([path], [*all_steps(), extra])
    assert any("is ambiguous" in str(problem) and "x.feature:4" in str(problem) for problem in found), found


def test_and_but_and_stars_take_the_type_of_the_step_before(tmp_path: Path) -> None:
    text = (
        GOOD + '    But the requirement "RAD-5-SCU-17" is met\n    * the exchange satisfies every "RAD-5" requirement\n'
    )
    assert problems(tmp_path, text) == []
    early = GOOD.replace("nothing scheduled\n", 'nothing scheduled\n    And the requirement "RAD-5-SCU-17" is met\n')
    assert any("it exists as Then" in line for line in problems(tmp_path, early))


def test_an_empty_cell_of_an_outline_is_found(tmp_path: Path) -> None:
    text = OUTLINE + "      | |\n"
    assert any("there is no requirement ''" in line for line in problems(tmp_path, text))
    missing = OUTLINE.replace("<which>", "<witch>") + "      | RAD-5-SCU-17 |\n"
    assert any("<witch> is filled in by no column of Examples" in line for line in problems(tmp_path, missing))


KOREAN = """# language: ko
@profile:SWF @actor:acquisition-modality @transaction:RAD-5
기능: 우리 제품
  배경:
    먼저 the Order Filler has nothing scheduled
  규칙: 목록
    @req:RAD-5-SCU-17
    시나리오 개요: 빈 목록 <modality>
      만일 the system under test queries the worklist by
        | Modality | <modality> |
      그러면 the requirement "RAD-5-SCU-17" is met
      예:
        | modality |
        | CT       |
        | DX       |
"""


def test_backgrounds_rules_outlines_and_korean_are_understood(tmp_path: Path) -> None:
    path = tmp_path / "우리.feature"
    path.write_text(KOREAN, encoding="utf-8")
    found, planned = linting.lint([path], all_steps())
    assert [str(problem) for problem in found] == []
    (scenario,) = planned
    assert (scenario.examples, scenario.id.split("/")[-2]) == (2, "우리")
    assert "req:RAD-5-SCU-17" in scenario.tags
    wrong = KOREAN.replace("has nothing scheduled", "has noting scheduled")
    assert any("x.feature:5: undefined step" in line and "near: " in line for line in problems(tmp_path, wrong))
    typo = KOREAN.replace('RAD-5-SCU-17" is met', 'RAD-5-SCU-171" is met')
    assert any("did you mean RAD-5-SCU-17" in line for line in problems(tmp_path, typo))
