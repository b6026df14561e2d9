"""What all tabs share: reading a form, pressing a button, showing a page."""

from __future__ import annotations

import secrets
import urllib.parse
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from fastapi import HTTPException, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from harness.core.errors import HarnessError
from harness.modality.console.live import Live
from harness.modality.console.session import COOKIE, Session, Sessions
from harness.modality.console.words import LANGUAGES, said, title_of, translator
from harness.modality.errors import PeerProblem, Refused
from harness.modality.operations import BY_NAME
from harness.modality.service import Modality

HERE = Path(__file__).parent
MOST_BYTES = 1024 * 1024
TABS = ("registration", "acquisition", "studies", "review", "query", "status", "config")
TAB_WORDS: Mapping[str, str] = {
    "registration": "Registration",
    "acquisition": "Acquisition",
    "studies": "Studies",
    "review": "Review",
    "query": "Query/Retrieve",
    "status": "Status",
    "config": "Config",
}


@dataclass(frozen=True, slots=True)
class Form:
    """What was sent with a button, and by whom."""

    session: Session
    values: Mapping[str, list[str]]

    def text(self, name: str, default: str = "") -> str:
        """Return one value."""
        return self.values.get(name, [default])[-1].strip()

    def many(self, name: str) -> list[str]:
        """Return all values of a name."""
        return list(self.values.get(name, []))

    def number(self, name: str, default: float = 0.0) -> float:
        """Return one value as a number; raises Refused."""
        text = self.text(name)
        try:
            return float(text) if text else default
        except ValueError:
            raise Refused(f"{title_of(name)}: {text!r} is not a number") from None

    def key(self, name: str) -> int:
        """Return one value as the key of an exam, job or row; raises Refused."""
        text = self.text(name) or "0"
        if not text.isascii() or not text.isdigit() or len(text) > 12:
            raise Refused(f"{title_of(name)}: {text!r} is not a whole number")
        return int(text)

    def numbers(self, name: str) -> list[float]:
        """Return a list of numbers that commas or blanks separate; raises Refused."""
        try:
            return [float(each) for each in self.text(name).replace(",", " ").split()][:64]
        except ValueError:
            raise Refused(f"{title_of(name)}: numbers, with commas between them") from None

    def typed(self, *names: str) -> dict[str, str]:
        """Return what was typed into these fields."""
        return {name: self.text(name) for name in names}


class Desk:
    """The modality as its console sees it: through the table of operations."""

    def __init__(self, modality: Modality, token: str) -> None:
        self.modality = modality
        self.sessions = Sessions(token)
        kernel = modality.kernel
        self.live = Live((kernel.news, kernel.queue.changed, kernel.queue.moved, kernel.traffic.changed))
        self._pages = Environment(
            loader=FileSystemLoader(HERE / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._pages.globals["zip_pairs"] = lambda values: [(str(each), str(each)) for each in values]
        self._pages.filters["title_of"] = title_of
        self._pages.filters["date"] = shown_date
        self._pages.filters["time"] = shown_time
        self._pages.filters["name"] = shown_name
        self._pages.filters["said_in"] = lambda words, language: said(language, words)
        self._pages.filters["query"] = urllib.parse.urlencode

    # -- pressing ----------------------------------------------------------------------------------------------

    def do(self, operation: str, **arguments: Any) -> Any:
        """Press a button; raises HarnessError."""
        return BY_NAME[operation].call(self.modality, arguments)

    def fail(self, session: Session, error: HarnessError) -> None:
        """Say what went wrong, in words for its kind and with what the service said."""
        session.tell("fail", trouble(error), str(error))

    def jobs_told(self, session: Session, result: Mapping[str, Any], done: str) -> None:
        """Say how it went, and which of its jobs did not get through yet."""
        left = [job for job in result.get("jobs", ()) if job["state"] not in {"done", "cancelled"}]
        if left:
            say, t = partial(said, self.language(session)), translator(self.language(session))
            lines = tuple(f"{t('work.' + job['kind'])} #{job['job']}: {say(job['message'])}" for job in left)
            session.tell("warn", "Done here, but not everything reached its peer; it will be tried again", "", lines)
        else:
            session.tell("pass", done)

    # -- who asks ----------------------------------------------------------------------------------------------

    def reader(self, request: Request) -> Session:
        """Return the session of a request, or send the browser to the login."""
        session = self.sessions.get(request.cookies.get(COOKIE, ""))
        if session is None:
            raise HTTPException(303, "log in first", {"Location": "/console/login"})
        return session

    async def writer(self, request: Request) -> Form:
        """Return the form of a request that may change something; refuses strangers and forged forms."""
        session = self.reader(request)
        values = await fields_of(request)
        sent = values.get("csrf", [""])[-1]
        if not secrets.compare_digest(sent.encode(), session.csrf.encode()):
            raise HTTPException(403, "the form is from another session; load the page again")
        return Form(session, values)

    # -- showing -----------------------------------------------------------------------------------------------

    def language(self, session: Session | None) -> str:
        """Return the language of a session, or that of the settings."""
        chosen = (session.language if session else "") or self.modality.kernel.settings.environment.language
        return chosen if chosen in LANGUAGES else "en"

    def page(self, template: str, session: Session | None, *, status: int = 200, **values: Any) -> HTMLResponse:
        """Show a page."""
        language = self.language(session)
        made = self._pages.get_template(template).render(
            t=translator(language),
            tell=partial(said, language),
            defects=self.modality.kernel.defects,
            language=language,
            languages=LANGUAGES,
            tabs=TAB_WORDS,
            form_key=session.csrf if session else "",
            notices=session.heard() if session and not template.startswith("part_") else [],
            live=self.do("status") if session else None,
            **values,
        )
        return HTMLResponse(made, status)


def back(path: str, **query: Any) -> RedirectResponse:
    """Send the browser to a page of the console after a button."""
    given = {key: value for key, value in query.items() if value not in ("", None, 0, [])}
    tail = f"?{urllib.parse.urlencode(given, doseq=True)}" if given else ""
    return RedirectResponse(f"/console/{path}{tail}", 303)


async def fields_of(request: Request) -> dict[str, list[str]]:
    """Read a URL-encoded form of bounded size; raises HTTPException."""
    length = request.headers.get("content-length", "")
    if not length.isdigit() or int(length) > MOST_BYTES:
        # Hear the sender out, within bounds: one that is cut off in the middle never sees the answer.
        heard = 0
        async for part in request.stream():
            heard += len(part)
            if heard > 16 * MOST_BYTES:
                break
        raise HTTPException(413, f"a form has at most {MOST_BYTES} bytes and says how many")
    body = await request.body()
    try:
        return urllib.parse.parse_qs(body.decode("utf-8"), keep_blank_values=True, max_num_fields=2000)
    except ValueError:
        raise HTTPException(400, "the form cannot be read") from None


def trouble(error: HarnessError) -> str:
    """Name the kind of an error in words of the catalogue."""
    if isinstance(error, PeerProblem):
        return f"cause.{error.cause.value}"
    return "Not possible" if isinstance(error, Refused) else "That did not work"


def shown_date(value: str | None) -> str:
    """Write a DA value as YYYY-MM-DD; anything else as it is."""
    text = (value or "").strip()
    return f"{text[:4]}-{text[4:6]}-{text[6:]}" if len(text) == 8 and text.isdigit() else text


def shown_time(value: str | None) -> str:
    """Write a TM value as HH:MM; anything else as it is."""
    text = (value or "").strip()
    return f"{text[:2]}:{text[2:4]}" if len(text) >= 4 and text[:4].isdigit() else text


def shown_name(value: str | None) -> str:
    """Write a PN value with its groups one after the other, family name first, without the component signs."""
    groups = [" ".join(filter(None, group.split("^"))) for group in (value or "").split("=")]
    return " · ".join(filter(None, groups))
