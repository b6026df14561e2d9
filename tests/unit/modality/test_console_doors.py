"""Who comes into the console: logins, forged forms, foreign hosts, pages that listen."""

from __future__ import annotations

import re
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

import pytest

from harness.modality.console import desk
from harness.modality.console.guard import host_name
from tests.unit.modality.visitor import CONSOLE, Place, Visitor, served


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
