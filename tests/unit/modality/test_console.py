"""The console without a browser: every page in both languages, logins, forged forms, foreign hosts, and its words."""

from __future__ import annotations

import contextlib
import json
import re
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from html.parser import HTMLParser
from http.cookiejar import CookieJar
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harness.imaging import png
from harness.imaging.geometry import Placement
from harness.imaging.presentation import DisplayedArea, Orientation
from harness.modality import config
from harness.modality.catalogue import PROCEDURES
from harness.modality.console import dates, desk, words
from harness.modality.console.guard import host_name
from harness.modality.console.pointing import affine
from harness.modality.console.query import COLUMNS
from harness.modality.decisions.performed import REASONS
from harness.modality.domain import ExamKind, ShotState, State, plain
from harness.modality.errors import Cause
from harness.modality.jobs import JobState
from harness.modality.server import Server
from harness.modality.service import Modality
from harness.modality.services.keeping import REJECTION_REASONS
from tests.unit.modality.test_interfaces import offline

CONSOLE = Path(desk.__file__).parent
TEMPLATES = sorted((CONSOLE / "templates").glob("*.html"))
CSS = (CONSOLE / "static" / "console.css").read_text(encoding="utf-8")


class NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        return None


@dataclass
class Visitor:
    """A browser without scripts: it keeps cookies, follows redirects, and sends forms with their CSRF field."""

    url: str
    jar: CookieJar = field(default_factory=CookieJar)
    known: str = ""

    def open(
        self, path: str, data: dict[str, Any] | None = None, host: str = "", follow: bool = True
    ) -> tuple[int, str, Any]:
        handlers: list[Any] = [urllib.request.HTTPCookieProcessor(self.jar), *([] if follow else [NoRedirect()])]
        body = urllib.parse.urlencode(data, doseq=True).encode() if data is not None else None
        request = urllib.request.Request(f"{self.url}{path}", body, {"Host": host} if host else {})
        try:
            with urllib.request.build_opener(*handlers).open(request, timeout=20) as answer:
                raw = answer.read()
                return answer.status, raw.decode("utf-8", "replace"), (answer.headers, raw)
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode("utf-8", "replace"), (error.headers, b"")

    def csrf(self) -> str:
        if not self.known:
            found = re.search(r'name="csrf" value="([\w-]+)"', self.open("/console/acquisition")[1])
            assert found
            self.known = found.group(1)
        return self.known

    def press(self, path: str, **values: Any) -> str:
        status, text, _ = self.open(f"/console/{path}", {"csrf": self.csrf(), **values})
        assert status == 200, text
        return text


@dataclass
class Place:
    modality: Modality
    server: Server
    visitor: Visitor


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    with served(tmp_path / "home") as made:
        yield made


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """One console for the tests that only try to get in."""
    with served(tmp_path_factory.mktemp("door")) as made:
        yield made


@contextlib.contextmanager
def served(home: Path, statements: Sequence[Path] = (), seeded: Sequence[Mapping[str, str]] = ()) -> Iterator[Place]:
    with Modality(home, settings=offline(), seed=1, seeded=seeded) as modality:
        server, ready = Server(modality, "127.0.0.1", 0, "t", statements), threading.Event()
        told: dict[str, Any] = {}

        def announce(values: dict[str, Any]) -> None:
            told.update(values)
            ready.set()

        thread = threading.Thread(target=server.run, args=(announce,))
        thread.start()
        try:
            assert ready.wait(20)
            visitor = Visitor(server.url)
            assert visitor.open(told["console"].removeprefix(server.url))[0] == 200
            yield Place(modality, server, visitor)
        finally:
            server.stop()
            thread.join(20)


def with_study(place: Place) -> tuple[str, str]:
    place.modality.registration.register(patient_id="P1", patient_name="HONG^GIL DONG", modality="DX")
    place.modality.examination.start()
    place.modality.examination.expose(count=2)
    done = place.modality.examination.end()
    return done["study_instance_uid"], done["objects"][0]["sop_instance_uid"]


# -- who gets in ----------------------------------------------------------------------------------------------------


def test_ticket_opens_one_login_only(door: Place) -> None:
    ticket = door.server.ticket().removeprefix(door.server.url)
    first, second = Visitor(door.server.url), Visitor(door.server.url)
    assert first.open(ticket)[0] == 200
    assert "Scheduled" in first.open("/console/registration")[1]
    assert second.open(ticket)[0] == 403
    assert "Scheduled" not in second.open("/console/registration")[1]


def test_cookie_is_kept_from_scripts_and_other_sites(door: Place) -> None:
    _, _, (headers, _) = door.visitor.open(door.server.ticket().removeprefix(door.server.url))
    cookie = headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie


def test_token_logs_in_and_a_wrong_one_does_not(door: Place) -> None:
    stranger = Visitor(door.server.url)
    status, text, _ = stranger.open("/console/login", {"token": "wrong"})
    assert (status, "Not logged in" in text) == (403, True)
    assert "Scheduled" in stranger.open("/console/login", {"token": "t"})[1]


def test_without_login_every_page_leads_to_the_login(door: Place) -> None:
    stranger = Visitor(door.server.url)
    for path in (
        *desk.TABS,
        "studies/print?study=1",
        "image/1.png",
        "acquisition/1/1.png",
        "config/settings.toml",
        "live",
        "events",
    ):
        status, _, (headers, _) = stranger.open(f"/console/{path}", follow=False)
        assert (path, status, headers["location"]) == (path, 303, "/console/login")


def test_changes_are_told_as_they_happen_and_hold_nobody_up(tmp_path: Path) -> None:
    with served(tmp_path) as place:
        opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(place.visitor.jar))
        with opener.open(f"{place.server.url}/console/events", timeout=10) as stream:
            assert stream.headers["content-type"].startswith("text/event-stream")
            assert b"retry" in stream.readline()
            place.modality.administration.config_set(["institution.name=Changed"])
            assert b"event: changed\n" in iter(stream.readline, b"")
            began = time.monotonic()
            place.server.stop()
            assert stream.read() in (b"", b"data: 1\n\n", b"\n")
            # an open page would hold the server up until it is cut off, after five seconds
            assert time.monotonic() - began < 4


def test_too_many_pages_that_listen_are_told_to_ask(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("harness.modality.console.live.MOST", 0)
    with served(tmp_path) as place:
        assert place.visitor.open("/console/events")[0] == 503


def test_every_button_refuses_a_forged_form(door: Place) -> None:
    sources = "".join(path.read_text(encoding="utf-8") for path in CONSOLE.glob("*.py"))
    buttons = {f"/console{path}" for path in re.findall(r'@made\.post\("([^"]+)"\)', sources)}
    pressed = sorted(buttons - {"/console/login"})
    assert len(pressed) > 25
    for path in pressed:
        status, text, _ = door.visitor.open(path, {"csrf": "guessed", "exam": "1"})
        assert (path, status) == (path, 403)
        assert "another session" in text


def test_foreign_host_is_refused_everywhere(door: Place) -> None:
    for path in ("/console/login", "/healthz", "/api/status"):
        assert door.visitor.open(path, host="evil.example")[0] == 400
        assert door.visitor.open(path, host="localhost:80")[0] == 200
    assert host_name("[::1]:8080") == "[::1]"


def test_pages_allow_nothing_from_elsewhere(door: Place) -> None:
    _, text, (headers, _) = door.visitor.open("/console/registration")
    assert headers["content-security-policy"].startswith("default-src 'self';")
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["cache-control"] == "no-store"
    assert "style=" not in text
    assert not re.search(r"(src|href|action)=\"(https?:)?//", text)


def test_form_that_is_too_large_is_refused(door: Place) -> None:
    assert door.visitor.open("/console/login", {"token": "x" * 1_100_000})[0] == 413


# -- what pages say -------------------------------------------------------------------------------------------------


class Outline(HTMLParser):
    """Finds controls without a name that a screen reader could say, and tags that are not closed."""

    VOID = frozenset({"meta", "link", "input", "img", "br"})

    def __init__(self) -> None:
        super().__init__()
        self.stack: list[str] = []
        self.wrong: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        hidden = values.get("type") == "hidden"
        control = tag in {"input", "select", "textarea"} and not hidden
        if control and "label" not in self.stack and "aria-label" not in values:
            self.wrong.append(f"{tag} {values.get('name')} has no label")
        if tag in {"form", "div", "table", "ul"} and "p" in self.stack:
            self.wrong.append(f"{tag} inside of a paragraph, which a browser ends there")
        if tag == "img" and "alt" not in values:
            self.wrong.append("img without alt")
        if tag not in self.VOID:
            self.stack.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        return

    def handle_endtag(self, tag: str) -> None:
        if tag in self.VOID or not self.stack or self.stack.pop() != tag:
            self.wrong.append(f"</{tag}> closes nothing")


def pages(study: str) -> list[str]:
    tails = ["print", "media"]
    return [
        *desk.TABS, f"studies?study={study}", f"review?study={study}", f"review?study={study}&layout=3x3",
        *(f"studies/{tail}?study={study}" for tail in tails), "acquisition?exam=1",
    ]  # fmt: skip


@pytest.mark.parametrize("language", list(words.LANGUAGES))
def test_every_page_is_whole_in_every_language(place: Place, language: str) -> None:
    empty = [place.visitor.open(f"/console/{tab}") for tab in desk.TABS]
    study, _ = with_study(place)
    place.visitor.press("language", language=language)
    for status, text, _ in [*empty, *(place.visitor.open(f"/console/{path}") for path in pages(study))]:
        outline = Outline()
        outline.feed(text)
        assert (status, outline.wrong, outline.stack) == (200, [], [])
    assert f'<html lang="{language}">' in place.visitor.open("/console/status")[1]


def spoken() -> set[str]:
    """Every key that pages and tabs ask the catalogue for, the coded ones from the enums behind them."""
    keys: set[str] = set()
    for path in TEMPLATES:
        keys |= set(re.findall(r"\bt\('((?:[^'\\]|\\.)*)'[,)]", path.read_text(encoding="utf-8")))
    for path in CONSOLE.glob("*.py"):
        text = path.read_text(encoding="utf-8")
        keys |= set(re.findall(r'\.tell\(\s*(?:"\w+"|[^,"]+), "([^"]+)"', text))
        keys |= {key for key in re.findall(r'[,=e] ?"([A-Z][a-z]+ [^"]+)"', text) if not key.endswith(".")}
    keys |= {
        *desk.TAB_WORDS.values(),
        *dates.PLANNED.values(),
        *dates.PAST.values(),
        *(entry.name for entry in PROCEDURES),
        "Not possible",
        "That did not work",
    }
    settings = plain(config.Configuration())
    names = {key for group, values in settings.items() if group != "nodes" for key in values}
    coded: dict[str, Any] = {
        "cause": Cause, "state": State, "kind": ExamKind, "shot": ShotState, "job": JobState, "node": config.NodeName,
        "work": ("send", "mpps", "commit", "print", "media"), "commitment": ("requested", "committed", "failed"),
        "link": ("open", "released", "aborted", "rejected", "connected", "closed", "not-agreed"),
        "outcome": ("done", "failed", "running", "interrupted", "unanswered"),
        "reason": (*REASONS, *REJECTION_REASONS), "field": names | set(plain(config.NodeSettings())),
        "group": set(plain(config.Configuration())) - {"nodes"},
        "column": {name for level in COLUMNS.values() for name in level},
    }  # fmt: skip
    return keys | {f"{prefix}.{value}" for prefix, values in coded.items() for value in values}


def test_no_key_is_untranslated_and_none_is_left_over() -> None:
    asked = spoken()
    assert len(asked) > 250
    korean, english = words.catalogue("ko"), words.catalogue("en")
    assert {key for key in asked if key not in korean} == set()
    assert {key for key in asked if re.match(r"[a-z]+\.", key)} - set(english) == set()
    assert set(korean) - asked == set()
    assert set(english) - asked == set()
    for key, said in korean.items():
        assert sorted(re.findall(r"\{\w+\}", said)) == sorted(re.findall(r"\{\w+\}", key)), key
        assert re.search("[가-힣]", said), f"{key} is not Korean: {said}"


def test_templates_hold_no_words_of_their_own() -> None:
    allowed = {
        "kVp",
        "mA",
        "ms",
        "mAs",
        "UID",
        "W/L",
        "W/W",
        "Family",
        "Given",
        "YYYY",
        "MM",
        "DD",
        "YYYYMMDD",
        "X",
        "Y",
    }
    for path in TEMPLATES:
        text = re.sub(r"\{%.*?%\}|\{\{.*?\}\}|<[^>]*>|&\w+;", " ", path.read_text(encoding="utf-8"), flags=re.S)
        assert set(re.findall(r"[A-Za-z]{2,}(?:/[A-Z])?", text)) - allowed == set(), path.name


def _luminance(colour: str) -> float:
    full = colour if len(colour) == 7 else "#" + "".join(each * 2 for each in colour[1:])
    parts = [int(full[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, two: str) -> float:
    """The contrast ratio of WCAG 2.2, 1.4.3."""
    light, dark = sorted((_luminance(one), _luminance(two)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("scheme", [0, 1])
def test_colours_have_enough_contrast(scheme: int) -> None:
    block = re.findall(r":root\{([^}]*)\}", CSS)[scheme]
    colour = dict(re.findall(r"--([\w-]+):(#[0-9a-f]{3,6})", block))
    pairs = [(name, f"{name}-bg") for name in ("pass", "warn", "fail", "inc", "na")]
    pairs += [(text, ground) for text in ("ink", "soft", "accent", "fail") for ground in ("paper", "wash")]
    pairs += [("on-accent", "accent"), ("soft", "na-bg"), ("ink", "na-bg")]
    low = {pair: round(contrast(colour[pair[0]], colour[pair[1]]), 2) for pair in pairs}
    assert {pair: value for pair, value in low.items() if value < 4.5} == {}
    assert contrast(colour["edge"], colour["paper"]) >= 3


# -- what buttons do ------------------------------------------------------------------------------------------------


def test_refused_patient_is_told_and_not_typed_twice(place: Place) -> None:
    text = place.visitor.press("registration/patient", patient_id="P", patient_name="KIM^A", accession_number="A" * 17)
    assert "accession number has 17 characters, 16 are allowed" in text
    assert 'value="KIM^A"' in text
    assert place.modality.examination.exams() == []


def test_worklist_that_is_not_there_says_why(place: Place) -> None:
    place.modality.administration.config_set(["nodes.mwl.enabled=true", "nodes.mwl.port=1"])
    text = place.visitor.press("registration/refresh", date="today")
    assert "NOT connected" in text
    assert "The port refuses the connection" in text
    assert "connection-refused" in text


def test_exam_by_hand_through_forms_alone(place: Place) -> None:
    press = place.visitor.press
    assert "HONG GIL DONG" in press(
        "registration/patient", patient_id="17796376", patient_name="HONG^GIL DONG", sex="M"
    )
    press("registration/start", exam=1)
    assert "not everything reached" not in press("acquisition/select", exam=1, protocol="Wrist|Wrist PA")
    refused = press("acquisition/shot", exam=1)
    assert "is not possible while the exam is in-progress" in refused
    press("acquisition/ready", exam=1, kvp="72", tube_current="200", exposure_time="50")
    shown = press("acquisition/shot", exam=1, kvp="72", tube_current="200", exposure_time="50")
    assert ">10.000</output>" in shown
    assert "Wrist PA" in shown
    status, _, (headers, raw) = place.visitor.open("/console/acquisition/1/1.png")
    assert (status, headers["content-type"], png.decode(raw).shape) == (200, "image/png", (512, 512))
    press("acquisition/reject", exam=1, number=0, reason="113001")
    press("acquisition/ready", exam=1)
    press("acquisition/shot", exam=1)
    press("acquisition/confirm", exam=1)
    press("acquisition/end", exam=1)
    exam = place.modality.examination.show(1)
    assert exam["mpps_status"] == "COMPLETED"
    assert [each["state"] for each in exam["objects"]] == ["rejected", "confirmed"]
    assert place.modality.administration.status()["studies"] == 1


def test_cancel_reports_the_chosen_reason(place: Place) -> None:
    place.modality.registration.register(patient_id="P")
    place.modality.examination.start()
    place.visitor.press("acquisition/cancel", exam=1, reason="110514", keep="1")
    document = place.modality.examination.show(1)["document"]
    assert (document["performed"]["status"], document["performed"]["reason"]["value"]) == ("DISCONTINUED", "110514")


def test_study_is_found_changed_and_not_deleted_too_early(place: Place) -> None:
    study, _ = with_study(place)
    assert "HONG GIL DONG" in place.visitor.open("/console/studies?patient_name=GIL")[1]
    assert "No study is here" in place.visitor.open("/console/studies?patient_name=KIM")[1]
    assert "no storage commitment yet" in place.visitor.press("studies/delete", study=study)
    place.visitor.press(
        "studies/modify", study=study, patient_id="P1", patient_name="HONG^GILDONG", birth_date="", sex="M"
    )
    assert place.modality.studies.studies()[0]["patient_name"] == "HONG^GILDONG"
    assert "press Start" in place.visitor.press("studies/scan", study=study)


def test_what_a_patient_is_called_is_text_and_nothing_else(place: Place) -> None:
    name = "<script>alert(1)</script>^\"'><img src=x>"
    text = place.visitor.press("registration/patient", patient_id="P", patient_name=name)
    assert "<script>alert" not in text
    assert "<img src=x" not in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text


def test_settings_are_saved_and_a_wrong_one_names_its_place(place: Place) -> None:
    place.visitor.press(
        "config/save", group="institution", name="서울대병원", department="R", station="S", location="L"
    )
    assert place.modality.kernel.settings.institution.name == "서울대병원"
    text = place.visitor.press("config/save", group="nodes.mwl", enabled="1", ae_title="A", host="h", port="70000")
    assert "70000 is not a port" in text
    assert place.modality.kernel.settings.nodes.mwl.enabled is False
    exported = place.visitor.open("/console/config/settings.toml")[1]
    assert "settings were imported" in place.visitor.press("config/import", settings=exported.replace("ROOM1", "R"))
    assert "cannot be read" in place.visitor.press("config/import", settings="not = = toml")
    assert "unknown key" in place.visitor.press("config/import", settings=json.dumps({"nope": {}}))


def test_verify_tells_causes_apart(place: Place) -> None:
    place.modality.administration.config_set(["nodes.qr.enabled=true", "nodes.qr.port=1"])
    place.modality.administration.config_set(["nodes.mpps.enabled=true", "nodes.mpps.host=no.such.invalid"])
    text = place.visitor.press("config/verify", node="all")
    for said in ("The node is switched off", "The port refuses the connection", "The host name is not known"):
        assert said in text


# -- viewer ---------------------------------------------------------------------------------------------------------


def shown_pictures(text: str) -> list[str]:
    return [each.replace("&amp;", "&") for each in re.findall(r'src="(/console/image/[^"]+)"', text)]


def test_picture_in_the_viewer_is_the_rendering_of_the_service(place: Place) -> None:
    study, image = with_study(place)
    asked: dict[str, Any] = {
        "window_center": 1500,
        "window_width": 900,
        "zoom": 2,
        "pan_x": 30,
        "pan_y": -40,
        "rotate": 90,
    }
    given = {"study": study, "layout": "2x2", "instance": image, "press": "flip_v", **asked}
    text = place.visitor.press("review/view", **given)
    _, _, (_, raw) = place.visitor.open(shown_pictures(text)[0])
    wanted = place.modality.review.review(image, **asked, flip_v=True)
    dataset, _ = place.modality.review.load(image)
    view = place.modality.review.view({**asked, "flip_v": True}, dataset)
    assert np.array_equal(png.decode(raw), place.modality.review.picture(dataset, view, 512, 512))
    assert "W/L 1500 · W/W 900" in text
    assert wanted["window_center"] == 1500
    plain_text = place.visitor.press("review/view", **{**given, "press": "reset"})
    _, _, (_, first) = place.visitor.open(shown_pictures(plain_text)[0])
    assert not np.array_equal(png.decode(first), png.decode(raw))


def test_four_rotations_and_two_flips_are_nothing(place: Place) -> None:
    study, image = with_study(place)
    given: dict[str, Any] = {"study": study, "layout": "1x1", "instance": image}
    start = place.visitor.open(shown_pictures(place.visitor.press("review/view", **given, zoom=1))[0])[2][1]
    turn = 0
    for press in ("rotate_right",) * 4 + ("flip_h",):
        text = place.visitor.press("review/view", **given, press=press, zoom=1, rotate=turn)
        turn = (turn + 90) % 360 if press == "rotate_right" else turn
    assert place.visitor.open(shown_pictures(text)[0])[2][1] != start
    text = place.visitor.press("review/view", **given, press="flip_h", zoom=1, rotate=0, flip_h=1)
    assert place.visitor.open(shown_pictures(text)[0])[2][1] == start


def test_bad_view_is_refused_and_the_old_one_stays(place: Place) -> None:
    study, image = with_study(place)
    text = place.visitor.press("review/view", study=study, instance=image, zoom=1000)
    assert "zoom is 0.01 to 100" in text
    assert "Zoom 100 %" in text


def test_saved_view_is_a_presentation_state(place: Place) -> None:
    study, image = with_study(place)
    place.visitor.press("review/view", study=study, instance=image, window_center=1000, window_width=500, zoom=1)
    assert "presentation state was saved" in place.visitor.press("review/save", study=study, instance=image, label="A")
    state = next(row for row in place.modality.studies.instances(study) if row["modality"] == "PR")
    dump = place.modality.studies.dump(state["sop_instance_uid"])["text"]
    assert "DS [1000] # WindowCenter" in dump


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
@pytest.mark.parametrize("flip", [False, True])
def test_points_go_to_the_screen_and_back(rotation: int, flip: bool) -> None:
    area = DisplayedArea((11, 21), (70, 80))
    place_ = Placement((100, 80), Orientation(rotation, flip), area)
    made = affine(place_, (512, 512))
    picture = np.zeros((100, 80), np.float64)
    picture[40, 30] = 1.0
    row, column = (int(each) for each in np.argwhere(place_.cut(picture, 0.0) == 1.0)[0])
    scale = 512 / 60
    x, y = made.to_screen((30.5, 40.5))
    assert (x * 512, y * 512) == pytest.approx(((column + 0.5) * scale, (row + 0.5) * scale))
    assert made.to_image((x, y)) == pytest.approx((30.5, 40.5))
