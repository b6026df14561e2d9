"""Puts the console into the application: login, language, static files, and the seven tabs."""

# No postponed annotations: FastAPI has to see the desk of the enclosing function in them.
from collections.abc import Iterable, Mapping
from typing import Annotated

from fastapi import APIRouter, Depends, FastAPI, Query, Request, Response
from fastapi.responses import RedirectResponse, StreamingResponse
from fastapi.staticfiles import StaticFiles

from harness.core.errors import HarnessError
from harness.modality.console import (
    acquisition,
    configure,
    conformance,
    output,
    query,
    registration,
    review,
    status,
    studies,
)
from harness.modality.console.desk import HERE, Desk, Form, back, fields_of, trouble
from harness.modality.console.guard import Guard
from harness.modality.console.session import COOKIE, Session
from harness.modality.console.words import LANGUAGES
from harness.modality.service import Modality

_TABS = (registration, acquisition, studies, output, review, query, status, configure)


def mount(app: FastAPI, modality: Modality, token: str, hosts: Iterable[str], statements: Mapping[str, str]) -> Desk:
    """Add the console below /console; return its desk, which makes login tickets."""
    desk = Desk(modality, token)
    app.add_middleware(Guard, hosts=tuple(hosts))
    app.mount("/console/static", StaticFiles(directory=HERE / "static"), name="console-static")
    routers = [_login(desk)]
    routers += [conformance.router(desk, statements), *(each.router(desk) for each in _TABS)]
    for router in routers:
        app.include_router(router, prefix="/console", include_in_schema=False)

    @app.get("/", include_in_schema=False)
    def root() -> RedirectResponse:
        return back("registration")

    return desk


def problem(desk: Desk, request: Request, error: HarnessError, status_code: int) -> Response:
    """Show an error that no tab has dealt with as a page of its own."""
    session = desk.sessions.get(request.cookies.get(COOKIE, ""))
    return desk.page(
        "problem.html", session, status=status_code, tab="", words=trouble(error), detail=str(error)
    )  # fmt: skip


def _login(desk: Desk) -> APIRouter:
    made = APIRouter()

    def entered(cookie: str) -> Response:
        if not cookie:
            return desk.page("login.html", None, status=403, tab="", refused=True)
        answer = back("registration")
        answer.set_cookie(COOKIE, cookie, httponly=True, samesite="strict", path="/console")
        return answer

    @made.get("/login")
    def login(ticket: Annotated[str, Query(max_length=200)] = "") -> Response:
        if ticket:
            cookie = desk.sessions.enter(ticket=ticket)
            if not cookie:
                return entered("")
            # A page of our own that goes on by itself: a strict cookie is not sent along a redirect that a
            # foreign page or another program has started.
            answer: Response = desk.page("entered.html", None, tab="")
            answer.set_cookie(COOKIE, cookie, httponly=True, samesite="strict", path="/console")
            return answer
        return desk.page("login.html", None, tab="", refused=False)

    @made.post("/login")
    async def with_token(request: Request) -> Response:
        return entered(desk.sessions.enter(token=(await fields_of(request)).get("token", [""])[-1].strip()))

    @made.post("/logout")
    def logout(request: Request, form: Annotated[Form, Depends(desk.writer)]) -> Response:
        desk.sessions.leave(request.cookies.get(COOKIE, ""))
        answer = back("login")
        answer.delete_cookie(COOKIE, path="/console")
        return answer

    @made.post("/language")
    def language(form: Annotated[Form, Depends(desk.writer)]) -> Response:
        chosen = form.text("language")
        form.session.language = chosen if chosen in LANGUAGES else ""
        wanted = form.text("back")
        return RedirectResponse(wanted if wanted.startswith("/console/") else "/console/registration", 303)

    @made.get("/live")
    def live(session: Annotated[Session, Depends(desk.reader)]) -> Response:
        return desk.page("part_live.html", session)

    # Not a plain function: a stream would keep a thread of the pool for itself.
    @made.get("/events")
    async def events(request: Request, session: Annotated[Session, Depends(desk.reader)]) -> Response:
        if desk.live.full:
            return Response("too many pages listen; this one asks every few seconds instead\n", 503)
        cookie = request.cookies.get(COOKIE, "")
        lines = desk.live.stream(lambda: desk.sessions.get(cookie) is session)
        return StreamingResponse(lines, media_type="text/event-stream")

    @made.get("/")
    @made.get("")
    def start() -> Response:
        return back("registration")

    return made
