"""The console as a visitor without a browser sees it: a served place, a cookie, pages and forms."""

from __future__ import annotations

import contextlib
import re
import threading
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from html.parser import HTMLParser
from http.cookiejar import CookieJar
from pathlib import Path
from typing import Any

from harness.modality.console import desk
from harness.modality.server import Server
from harness.modality.service import Modality
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
