"""Who is logged in, and what belongs to a login: the CSRF token, the language, what is to be said next."""

from __future__ import annotations

import secrets
import threading
from dataclasses import dataclass, field
from typing import Any

COOKIE = "modality_session"
MOST = 64


@dataclass(frozen=True, slots=True)
class Notice:
    """One thing to be said on the next page: `mark` is pass, warn or fail; `words` is a key of the catalogue."""

    mark: str
    words: str
    detail: str = ""
    lines: tuple[str, ...] = ()


@dataclass(slots=True)
class Session:
    """One browser. Nothing in here is needed to finish an exam, so that it may be lost."""

    csrf: str
    language: str = ""
    notices: list[Notice] = field(default_factory=list)
    typed: dict[str, dict[str, str]] = field(default_factory=dict)
    views: dict[str, dict[str, Any]] = field(default_factory=dict)
    found: dict[str, Any] = field(default_factory=dict)
    verified: dict[str, dict[str, Any]] = field(default_factory=dict)

    def tell(self, mark: str, words: str, detail: str = "", lines: tuple[str, ...] = ()) -> None:
        """Have something said on the next page."""
        self.notices = [*self.notices[-4:], Notice(mark, words, detail, lines)]

    def heard(self) -> list[Notice]:
        """Take what is to be said; it is said once."""
        told, self.notices = self.notices, []
        return told

    def retyped(self, form: str) -> dict[str, str]:
        """Take what was typed into a form that was refused, so that nobody types it twice."""
        return self.typed.pop(form, {})


class Sessions:
    """The logins of one server; a ticket opens one login and is then used up."""

    def __init__(self, token: str) -> None:
        self._token = token
        self._lock = threading.Lock()
        self._tickets: list[str] = []
        self._open: dict[str, Session] = {}

    def ticket(self) -> str:
        """Make a ticket for one login."""
        made = secrets.token_urlsafe(24)
        with self._lock:
            self._tickets = [*self._tickets[-(MOST - 1) :], made]
        return made

    def enter(self, ticket: str = "", token: str = "") -> str:
        """Log in by a ticket or by the token of the server; return the value of the cookie, empty if refused."""
        with self._lock:
            known = [each for each in self._tickets if secrets.compare_digest(each.encode(), ticket.encode())]
            if not known and not (token and secrets.compare_digest(token.encode(), self._token.encode())):
                return ""
            self._tickets = [each for each in self._tickets if each not in known]
            while len(self._open) >= MOST:
                del self._open[next(iter(self._open))]
            made = secrets.token_urlsafe(32)
            self._open[made] = Session(secrets.token_urlsafe(24))
            return made

    def get(self, cookie: str) -> Session | None:
        """Return the session of a cookie."""
        with self._lock:
            return self._open.get(cookie)

    def leave(self, cookie: str) -> None:
        """Log out."""
        with self._lock:
            self._open.pop(cookie, None)
