"""The page: everything found is on it, nothing on it can run or fetch, and it stays small."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import re
import time
from pathlib import Path
from typing import Any

import pytest
from lxml import html

from harness.core.message import Blob, Direction, Protocol
from harness.core.result import RunResult, StepResult
from harness.core.transcript import Transcript
from harness.core.verdict import Verdict
from harness.reporting.evidence import EvidenceStore
from harness.reporting.html import render_html
from tests.unit.reporting import builders

HOSTILE = "<script>alert(1)</script>\"'&{{7*7}}</style>\u202egnp.exe\x00\x1b[31m"


@pytest.fixture
def run(tmp_path: Path) -> RunResult:
    return builders.build_run(tmp_path)


@pytest.fixture
def page(run: RunResult, tmp_path: Path) -> str:
    return render(run, tmp_path)


def render(run: RunResult, folder: Path | None) -> str:
    return render_html(run, folder, builders.REQUIREMENTS, builders.TRANSACTIONS)


def text_of(page: str, selector: str) -> str:
    return " ".join(" ".join(node.itertext()) for node in html.fromstring(page).xpath(selector))


def test_overview_says_product_verdict_and_five_numbers(page: str) -> None:
    assert text_of(page, "//h1") == "Acme CT-9, version 4.2"
    banner = text_of(page, '//div[contains(@class,"banner")]')
    assert "✕" in banner
    assert "Not conforming: 2 requirements broken" in banner
    tiles = [" ".join(t.text_content().split()) for t in html.fromstring(page).xpath('//div[@class="tile"]')]
    assert tiles == ["Requirements judged7 of 8", "Passed✓ 4", "Broken✕ 2", "Warnings! 1", "Not judged? 1"]


def test_what_to_fix_first_puts_broken_before_warnings(page: str) -> None:
    shown = [" ".join(li.text_content().split()) for li in html.fromstring(page).xpath('//ol[@class="fixes"]/li')]
    assert [re.findall(r"RAD-\d+-SCU-\d\d", entry)[0] for entry in shown] == [
        "RAD-10-SCU-06",
        "RAD-7-SCU-11",
        "RAD-6-SCU-20",
    ]


def test_a_finding_shows_values_place_requirement_and_source(page: str) -> None:
    finding = text_of(page, '//div[@id="s1f1"]')
    for expected in (
        "The final step lists 3 images; 4 were stored.",
        "RAD-7-SCU-11",
        "The completed step lists exactly the images that were kept and stored.",
        "(0040,0340)[1]/(0008,1140)",
        "N-SET-RQ #19",
        "An archive that waits for the listed images",
        "DICOM PS3.4 F.7.2.1",
        "confidence high",
        "swf.mpps_lists_stored_images",
    ):
        assert expected in finding


def test_the_row_that_a_finding_names_is_marked(page: str) -> None:
    rows = html.fromstring(page).xpath('//details[@id="s1m19"]//tr[@class="bad"]')
    assert [" ".join(row.text_content().split()) for row in rows] == ["✕ (0008,1140)Referenced Image SequenceSQ3 items"]


def test_every_link_inside_the_page_leads_somewhere(page: str) -> None:
    tree = html.fromstring(page)
    ids = [node.get("id") for node in tree.xpath("//*[@id]")]
    assert len(ids) == len(set(ids))
    for link in tree.xpath("//a/@href"):
        if link.startswith("#"):
            assert link[1:] in ids, link


def test_every_link_out_of_the_page_is_evidence_that_is_there(page: str, tmp_path: Path) -> None:
    links = [link for link in html.fromstring(page).xpath("//a/@href") if not link.startswith("#")]
    assert links
    for link in links:
        assert (tmp_path / link).is_file(), link


def test_nothing_runs_and_nothing_is_fetched(page: str) -> None:
    tree = html.fromstring(page)
    assert not tree.xpath(
        "//script|//link|//img|//iframe|//object|//form|//*[@style]|//*[@*[starts-with(name(),'on')]]"
    )
    assert "url(" not in page
    assert not re.search(r"https?://", page)


def test_the_policy_names_the_only_style(page: str) -> None:
    tree = html.fromstring(page)
    policy = tree.xpath('//meta[@http-equiv="Content-Security-Policy"]/@content')[0]
    styles = re.findall(r"<style>(.*?)</style>", page, re.S)
    assert len(styles) == 1
    digest = base64.b64encode(hashlib.sha256(styles[0].encode()).digest()).decode()
    assert (
        policy == f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; base-uri 'none'; form-action 'none'"
    )


def test_a_verdict_is_never_colour_alone(page: str) -> None:
    for tag in html.fromstring(page).xpath('//span[contains(concat(" ",@class," ")," tag ")]'):
        text = tag.text_content()
        plain = text in ("clause unconfirmed", "said by the operator", "accepted as known") or text.startswith(
            "waived: "
        )
        assert plain or text[0] in "✓!✕?–‼", text


def test_ladder_has_the_product_leftmost_and_the_offender_marked(page: str) -> None:
    ladder = html.fromstring(page).xpath('//details[@id="s1"]//svg[@class="ladder"]')[0]
    heads = [(int(t.get("x")), t.text) for t in ladder.xpath('.//text[starts-with(@class,"head")]')]
    assert heads[0][1] == "CT-9"
    assert heads[0][0] == min(x for x, _ in heads)
    assert {name for _, name in heads[1:]} == {"DSS/Order Filler", "PPS Manager", "Image Manager/Archive"}
    bad = [" ".join(g.text_content().split()) for g in ladder.xpath('.//g[@class="bad"]')]
    assert len(bad) == 2
    assert "#19 N-SET step completed" in bad[0]
    assert "#24 association 8 rejected" in bad[1]


def test_attested_unconfirmed_and_waived_are_said(page: str) -> None:
    assert "said by the operator" in text_of(page, '//details[@id="s2"]')
    assert "clause unconfirmed" in text_of(page, '//details[@id="s1"]')
    assert "waived: fixed in 4.3" in text_of(page, '//details[@id="s5"]')


def test_every_kind_of_verdict_is_explained(page: str) -> None:
    assert "has no way to be asked" in text_of(page, '//details[@id="s3"]')
    assert "does not declare appending" in text_of(page, '//details[@id="s4"]')
    assert "KeyError: 'AffectedSOPInstanceUID'" in text_of(page, '//details[@id="s6"]')


def test_accepted_deviations_are_not_held_against_the_product(run: RunResult, tmp_path: Path) -> None:
    accepted = tuple(
        {"requirement": name, "scenario": "*", "reason": "known", "state": "valid"}
        for name in ("RAD-7-SCU-11", "RAD-10-SCU-06")
    )
    known = dataclasses.replace(run, scenarios=run.scenarios[:2], waivers=accepted)
    page = render(known, tmp_path)
    banner = text_of(page, '//div[contains(@class,"banner")]')
    assert "Conforming in everything else that was judged; 2 broken requirements accepted as known" in banner
    assert "✕" not in banner
    assert text_of(page, '//ol[@class="fixes"]').count("accepted as known") == 2
    stale = render(dataclasses.replace(known, waivers=({**accepted[0], "state": "expired"},)), tmp_path)
    assert "Not conforming: 2 requirements broken" in stale


def test_reproduction_is_a_command_for_a_shell(run: RunResult, tmp_path: Path) -> None:
    odd = builders.scenario("it's; rm -rf /", Verdict.PASS)
    page = render(dataclasses.replace(run, scenarios=(odd,)), tmp_path)
    assert text_of(page, '//code[@class="cmd"]') == """ihe-harness run --sut ct9.toml --only 'it'"'"'s; rm -rf /'"""


def test_hostile_values_are_text(run: RunResult, tmp_path: Path) -> None:
    transcript = Transcript(builders.Ticking())
    evil = builders.dataset(PatientName="A", PatientID=HOSTILE.replace("\\", ""))
    builders.talk(transcript, "N-SET-RQ", HOSTILE, data=evil, calling_ae=HOSTILE)
    transcript.record(Direction.TO_SUT, Protocol.HL7, HOSTILE, payload=Blob.of(b"MSH|^~\\&|" + HOSTILE.encode()))
    transcript.record(Direction.NONE, Protocol.FILE, "FILE", fields={"path": "../" + HOSTILE}, payload=Blob.of(b"\xff"))
    finding = dataclasses.replace(
        builders.broken_images(1),
        summary=HOSTILE,
        expected=(HOSTILE,),
        actual=HOSTILE + "x",
        locator=HOSTILE,
        why=HOSTILE,
    )
    scenario = builders.scenario(
        "hostile",
        Verdict.FAIL,
        name=HOSTILE,
        feature=HOSTILE,
        reason=HOSTILE,
        aliases=(HOSTILE,),
        faults=(HOSTILE,),
        steps=(StepResult(HOSTILE, HOSTILE, Verdict.FAIL, 0.1, HOSTILE),),
        findings=(finding,),
        transcript=EvidenceStore(tmp_path).store_transcript("hostile", transcript),
    )
    hostile_run = dataclasses.replace(
        run,
        scenarios=(scenario,),
        sut={"name": HOSTILE, "version": HOSTILE, "claims": [{"actor": HOSTILE, "profile": HOSTILE}, 7]},
        environment={HOSTILE: HOSTILE},
        options={HOSTILE: HOSTILE},
        waivers=({"requirement": HOSTILE, "reason": HOSTILE},),
    )
    page = render(hostile_run, tmp_path)
    tree = html.fromstring(page)
    assert not tree.xpath("//script")
    assert len(re.findall(r"<style>", page)) == 1
    assert "{{7*7}}" in page
    assert "49" not in text_of(page, "//h1")
    body = page.split("</style>", 1)[1]
    assert "\u202e" not in text_of(body, '//details[@id="s1"]//table')


def test_without_evidence_the_findings_are_still_there(run: RunResult, tmp_path: Path) -> None:
    page = render(run, None)
    assert "The final step lists 3 images; 4 were stored." in page
    assert "The evidence is not at hand" in page
    (tmp_path / run.scenarios[0].transcript).write_text("{}")
    assert "The evidence cannot be shown" in render(run, tmp_path)


def test_an_empty_run_says_so(run: RunResult, tmp_path: Path) -> None:
    page = render(dataclasses.replace(run, scenarios=(), interrupted=True), tmp_path)
    assert "Nothing was run, so nothing was shown (the run was interrupted)" in page
    assert "The selection matched no scenario" in page


def test_what_needs_attention_comes_first_and_what_does_not_apply_last(run: RunResult, tmp_path: Path) -> None:
    many = [builders.scenario(f"other-{n}", Verdict.NOT_APPLICABLE) for n in range(5)]
    tree = html.fromstring(render(dataclasses.replace(run, scenarios=(*many, *run.scenarios)), tmp_path))
    order = [node.get("id") for node in tree.xpath('//details[starts-with(@class,"scn")]')]
    assert order == ["s11", "s6", "s8", "s10", "s7", "s1", "s2", "s3", "s4", "s5", "s9"]
    (rest,) = tree.xpath('//details[starts-with(@class,"rest")]')
    assert rest.get("open") is None
    assert "6 scenarios that the product does not claim" in rest.text_content()


def test_two_hundred_scenarios_stay_quick_and_small(run: RunResult, tmp_path: Path) -> None:
    store = EvidenceStore(tmp_path)
    scenarios = []
    for number in range(200):
        transcript, at = builders.exam_transcript(step=0.01)
        bad = number % 10 == 0
        scenarios.append(
            builders.scenario(
                f"scenario-{number}",
                Verdict.FAIL if bad else Verdict.PASS,
                findings=(builders.broken_images(at["set"]),) if bad else (builders.passed("RAD-8-SCU-03", "Held."),),
                transcript=store.store_transcript(f"scenario-{number}", transcript),
                steps=builders.STEPS,
            )
        )
    long_run = dataclasses.replace(run, scenarios=tuple(scenarios))
    started = time.process_time()
    page = render(long_run, tmp_path)
    assert time.process_time() - started < 5
    assert len(page) < 8_000_000
    tree = html.fromstring(page)
    assert len(tree.xpath('//details[starts-with(@class,"scn")]')) == 200
    assert len(tree.xpath('//details[starts-with(@class,"scn")][@open]')) == 3
    assert "Left out to keep this page small" in page
    assert tree.xpath('//details[@id="s191"]//tr[@class="bad"]'), "broken scenarios get their data sets first"


# -- the style ----------------------------------------------------------------------------------------------


def colours(page: str, dark: bool) -> dict[str, str]:
    style = page.split("<style>")[1].split("</style>")[0]
    blocks = re.findall(r":root\{([^}]*)\}", style)
    values = dict(re.findall(r"--([\w-]+):(#[0-9a-f]{3,6})", blocks[0]))
    if dark:
        values |= dict(re.findall(r"--([\w-]+):(#[0-9a-f]{3,6})", blocks[1]))
    return values


def luminance(colour: str) -> float:
    digits = colour.lstrip("#")
    if len(digits) == 3:
        digits = "".join(2 * d for d in digits)
    channels = [int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("dark", [False, True])
def test_text_stands_out_from_its_ground(page: str, dark: bool) -> None:
    c = colours(page, dark)
    grounds = ("paper", "wash", "card")
    pairs = [(ink, ground) for ink in ("ink", "soft", "accent") for ground in grounds]
    pairs += [(verdict, ground) for verdict in ("pass", "warn", "fail", "inc", "na", "err") for ground in grounds]
    pairs += [(verdict, f"{verdict}-bg") for verdict in ("pass", "warn", "fail", "inc", "na", "err")]
    weak = [
        (pair, round(contrast(c[pair[0]], c[pair[1]]), 2)) for pair in pairs if contrast(c[pair[0]], c[pair[1]]) < 4.5
    ]
    assert not weak


def test_accepted_warnings_and_scenarios_are_marked_too(run: RunResult, tmp_path: Path) -> None:
    warned = next(s for s in run.scenarios if s.verdict is Verdict.WARNING)
    known = dataclasses.replace(run, scenarios=(warned,), accepted={warned.id: Verdict.PASS})
    page = render(known, tmp_path)
    assert "Conforming; 1 warning accepted as known" in text_of(page, '//div[contains(@class,"banner")]')
    for place in ('//ol[@class="fixes"]', '//details[@id="s1"]/summary', '//tr[@id="r-RAD-6-SCU-20"]'):
        assert "accepted as known" in text_of(page, place), place
    other = {**run.waivers[0], "verdict": "WARNING", "summary": "Something else was seen"}
    page = render(dataclasses.replace(known, waivers=(other,), accepted={}), tmp_path)
    assert "accepted as known" not in page, "a waiver of one finding does not cover another of the same requirement"


def test_what_ended_a_run_stands_at_its_top(run: RunResult, tmp_path: Path) -> None:
    failure = {"kind": "environment", "text": "CT-9 does not answer on 10.0.0.9:104 <b>"}
    page = render(dataclasses.replace(run, scenarios=(), failure=failure), tmp_path)
    banner = text_of(page, '//div[contains(@class,"banner")]')
    assert "the run did not take place" in banner
    assert "CT-9 does not answer on 10.0.0.9:104 <b>" in banner


def test_what_came_late_is_shown_apart(run: RunResult, tmp_path: Path) -> None:
    transcript = Transcript()
    details: dict[str, Any] = {"actor": "PPS Manager", "association": 4, "fields": {"RequestedSOPInstanceUID": "1.2.3"}}
    transcript.record(Direction.FROM_SUT, Protocol.DICOM, "N-SET-RQ", late=True, **details)
    transcript.record(Direction.TO_SUT, Protocol.DICOM, "N-SET-RSP", late=True, **details)
    stored = EvidenceStore(tmp_path).store_transcript("late", transcript)
    page = render(
        dataclasses.replace(run, scenarios=(builders.scenario("late", Verdict.PASS, transcript=stored),)), tmp_path
    )
    said = text_of(page, '//details[@id="s1"]')
    assert "Put aside 1 message of an earlier scenario came late; not judged here" in " ".join(said.split())
    assert "N-SET-RQ #1 to the PPS Manager" in said


def test_a_reason_that_only_repeats_findings_is_not_told_twice(run: RunResult, tmp_path: Path) -> None:
    broken = next(s for s in run.scenarios if s.verdict is Verdict.FAIL)
    first = broken.findings[0]
    again = dataclasses.replace(
        broken,
        verdict=Verdict.ERROR,
        reason=f"HarnessError: {first.requirement}: {first.summary}\nbecause so",
        faults=("boom",),
    )
    page = render(dataclasses.replace(run, scenarios=(again,)), tmp_path)
    assert "HarnessError" not in page
    assert "boom" in text_of(page, '//h2[@id="unjudged"]/following-sibling::div[1]')
    other = dataclasses.replace(again, reason="the cable was pulled")
    assert "the cable was pulled" in render(dataclasses.replace(run, scenarios=(other,)), tmp_path)
