"""Which scenarios a run means: every word selects what it names and nothing else, in all scripts."""

from __future__ import annotations

from pathlib import Path

from harness import resources
from harness.bdd import lint as linting
from harness.bdd import selection
from harness.bdd.lint import PlannedScenario
from harness.bdd.settings import RunSettings
from harness.bdd.steps import all_steps
from harness.bdd.tags import read, slug
from harness.profiles.aliases import ALIASES

TEXT = """# language: ko
@profile:SWF @actor:acquisition-modality @transaction:RAD-5
기능: 우리 제품
  시나리오: 첫째
    먼저 the Order Filler has nothing scheduled
    그러면 the requirement "RAD-5-SCU-17" is met
  시나리오: 둘째
    먼저 the Order Filler has nothing scheduled
    그러면 the requirement "RAD-5-SCU-17" is met
"""


def planned(folder: Path) -> list[linting.PlannedScenario]:
    path = folder / "ours.feature"
    path.write_text(TEXT, encoding="utf-8")
    problems, found = linting.lint([path], all_steps())
    assert problems == []
    return found


def chosen(folder: Path, *only: str) -> list[str]:
    settings = RunSettings("", (), "", "", only=only)
    return [s.name for s in planned(folder) if selection.wanted(s.id, s.name, read(s.tags), settings)]


def test_a_korean_name_selects_its_scenario_only(tmp_path: Path) -> None:
    assert chosen(tmp_path, "둘째") == ["둘째"]
    assert chosen(tmp_path, "셋째") == []
    assert chosen(tmp_path, "ours") == chosen(tmp_path, "ours.feature") == ["첫째", "둘째"]


def test_names_of_scenarios_and_tags_are_written_alike() -> None:
    assert slug("Patient-Based Worklist Query") == "patient-based-worklist-query"
    assert slug("HL7 v2.5.1") == "hl7-v2.5.1"
    assert slug("A rejected image") == slug("a_rejected_image")


def test_a_word_that_selects_nothing_is_found(tmp_path: Path) -> None:
    assert selection.unmatched(["RAD-5", "둘째"], planned(tmp_path)) == []
    assert selection.unmatched(["RAD-5", "셋째"], planned(tmp_path)) == ["셋째"]
    folder = tmp_path.name
    assert selection.unmatched([f"{folder}/ours/둘째[x]"], planned(tmp_path)) == []


def test_an_example_is_selected_by_the_name_a_person_reads(tmp_path: Path) -> None:
    settings = RunSettings("", (), "", "", only=("A Korean name is kept",))
    tags = read(("profile:SWF",))
    assert selection.wanted("x/a_language_name[Korean]", "A Korean name is kept", tags, settings)
    assert not selection.wanted("x/a_language_name[Greek]", "A Greek name is kept", tags, settings)
    outline = PlannedScenario("x/a", tmp_path, 1, "F", "A <language> name is kept", (), (), 2)
    assert selection.unmatched(["A Korean name is kept", "A <language> name is kept"], [outline]) == []
    assert selection.unmatched(["A Korean name is lost"], [outline]) == ["A Korean name is lost"]


def test_features_of_one_name_in_different_folders_have_ids_of_their_own(tmp_path: Path) -> None:
    text = TEXT.replace("시나리오: 둘째", "시나리오: 셋째")
    for folder in ("a/swf", "b/swf", "swf"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "x.feature").write_text(text, encoding="utf-8")
    problems, found = linting.lint([tmp_path], all_steps())
    assert problems == []
    assert [s.id for s in found][::2] == ["a/swf/x/첫째", "b/swf/x/첫째", "swf/x/첫째"]
    # the folder itself, or a file of it, gives the id that it has below its parent
    for given in (tmp_path / "swf", tmp_path / "swf" / "x.feature"):
        assert linting.lint([given], all_steps())[1][0].id == "swf/x/첫째"


def test_two_scenarios_of_one_id_are_a_mistake(tmp_path: Path) -> None:
    path = tmp_path / "x.feature"
    path.write_text(TEXT.replace("첫째", "A b").replace("둘째", "A, b"), encoding="utf-8")
    problems, _ = linting.lint([path], all_steps())
    assert ["has the id" in str(problem) for problem in problems] == [True]
    assert "x.feature:4" in str(problems[0])


#: every number that a user of MESA may ask for; the rest of the old numbers are explained instead
NUMBERS = [
    "101",
    "103",
    "104",
    "105",
    "107",
    "109",
    "131",
    "132",
    "133",
    "134",
    "141",
    "142",
    "151",
    "152",
    "153",
    "211",
    "213",
    "214",
    "215",
    "216",
    "218",
    "221",
    "222",
    "231",
    "241",
    "242",
    "251",
    "271",
    "401",
    "402",
    "403",
    "404",
    "405",
]


def test_every_former_number_of_the_scheduled_workflow_has_a_scenario() -> None:
    _, everything = linting.lint([resources.folder("features")], all_steps())
    worn = {alias for each in everything for alias in read(each.tags).aliases}
    assert [number for number in NUMBERS if f"MESA-{number}" not in worn] == []
    assert worn <= set(ALIASES)
