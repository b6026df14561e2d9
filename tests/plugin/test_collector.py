"""What pytest-bdd gives us and what our collector adds; each test holds one thing that could silently pass."""

from __future__ import annotations

import pytest

PLUGIN = """
import pytest
from pytest_bdd import given, then
from harness.bdd import collector

def pytest_collect_file(file_path, parent):
    return collector.collect(file_path, parent)

@pytest.hookimpl(tryfirst=True)
def pytest_bdd_apply_tag(tag, function):
    pytest.mark.scenario_tag(tag)(function)
    return True

def pytest_configure(config):
    config.addinivalue_line("markers", "scenario_tag(value): a tag")

@given("nothing")
def nothing():
    pass

@then("it holds")
def holds():
    pass

@then("it breaks")
def breaks():
    raise AssertionError("broken")
"""
FEATURE = """
@req:RAD-6-SCU-04
Feature: F
  @quick
  Scenario: good one
    Given nothing
    Then it holds
  Scenario: bad one
    Given nothing
    Then it breaks
"""


@pytest.fixture
def project(pytester: pytest.Pytester) -> pytest.Pytester:
    pytester.makeconftest(PLUGIN)
    folder = pytester.mkdir("features")
    (folder / "a.feature").write_text(FEATURE, encoding="utf-8")
    return pytester


def run(project: pytest.Pytester, *arguments: str) -> pytest.RunResult:
    return project.runpytest_subprocess("-p", "no:cacheprovider", "--strict-markers", *arguments)


def test_feature_files_are_collected_without_binder_modules(project: pytest.Pytester) -> None:
    result = run(project, "features", "--collect-only", "-q")
    result.stdout.fnmatch_lines(["features/a.feature::test_good_one", "features/a.feature::test_bad_one"])


def test_scenarios_pass_and_fail_by_their_steps(project: pytest.Pytester) -> None:
    run(project, "features").assert_outcomes(passed=1, failed=1)


def test_a_tag_with_a_colon_is_a_marker_argument_and_can_select(project: pytest.Pytester) -> None:
    result = run(project, "features", "-m", "scenario_tag", "--collect-only", "-q")
    result.stdout.fnmatch_lines(["*test_good_one*", "*test_bad_one*"])


def test_an_undefined_step_fails(project: pytest.Pytester) -> None:
    path = project.path / "features" / "a.feature"
    path.write_text(FEATURE.replace("Then it holds", "Then it hols"), encoding="utf-8")
    run(project, "features").assert_outcomes(failed=2)


def test_a_second_scenario_of_the_same_name_would_be_lost(project: pytest.Pytester) -> None:
    """The reason for our lint: pytest-bdd keeps one of the two, here the failing one, and says nothing."""
    path = project.path / "features" / "a.feature"
    text = FEATURE.replace("Scenario: bad one", "Scenario: good one")
    path.write_text(text, encoding="utf-8")
    outcomes = run(project, "features").parseoutcomes()
    assert sum(outcomes.get(word, 0) for word in ("passed", "failed")) == 1


def test_invalid_gherkin_is_an_error(project: pytest.Pytester) -> None:
    (project.path / "features" / "a.feature").write_text("Feature F\n", encoding="utf-8")
    assert run(project, "features").ret != 0
