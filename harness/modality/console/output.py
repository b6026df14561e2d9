"""The dialogs of the Studies tab: film with its preview, and media with what is written on them."""

# No postponed annotations: FastAPI has to see the desk of the enclosing function in them.
import base64
import urllib.parse
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Response
from fastapi.responses import FileResponse

from harness.core.errors import HarnessError
from harness.modality.burning import Form as MediumForm
from harness.modality.console.desk import Desk, Form, back
from harness.modality.console.session import Session
from harness.modality.console.studies import images_of
from harness.modality.services.printing import FILM_SIZES

LAYOUTS = ("1x1", "1x2", "2x2", "2x3", "3x3")
MEDIA = ("BLUE FILM", "CLEAR FILM", "PAPER")
FILM = ("layout", "film_size", "orientation", "copies", "medium")


def router(desk: Desk) -> APIRouter:
    """Make the routes of both dialogs."""
    made = APIRouter()

    # -- film ----------------------------------------------------------------------------------------------------

    @made.get("/studies/print")
    def film(session: Annotated[Session, Depends(desk.reader)], study: str) -> Response:
        wanted: dict[str, Any] = session.found.get(f"film:{study}", {})
        asked = {name: wanted.get(name, "") for name in ("layout", "film_size", "orientation")}
        chosen: list[str] = wanted.get("instances", [])
        looks: list[str] = wanted.get("states", [])
        query = urllib.parse.urlencode({"instance": chosen, "state": looks, **asked}, doseq=True)
        address = f"/console/film.png?{query}"
        return desk.page(
            "print.html", session, tab="studies", study=study, images=images_of(desk, study),
            printer=desk.modality.kernel.settings.nodes.printer, layouts=LAYOUTS, sizes=tuple(FILM_SIZES), media=MEDIA,
            states=[row for row in desk.do("instances", study=study) if row["modality"] == "PR"], looks=looks,
            typed=wanted, chosen=chosen, preview=address if chosen else "", said=session.found.get("printer", {}),
        )  # fmt: skip

    def remembered(form: Form) -> dict[str, Any]:
        wanted: dict[str, Any] = {
            **form.typed(*FILM), "instances": form.many("instance"), "states": form.many("state"),
        }  # fmt: skip
        form.session.found[f"film:{form.text('study')}"] = wanted
        return wanted

    @made.post("/studies/print/preview")
    def look(form: Annotated[Form, Depends(desk.writer)]) -> Response:
        wanted = remembered(form)
        try:
            names = ("instances", "states", "layout", "film_size", "orientation")
            desk.do("print-preview", **{name: wanted[name] for name in names}, height=64)
        except HarnessError as error:
            wanted["instances"] = []
            desk.fail(form.session, error)
        return back("studies/print", study=form.text("study"))

    @made.get("/film.png")
    def sheet(
        session: Annotated[Session, Depends(desk.reader)],
        instance: Annotated[list[str], Query(max_length=81)],
        layout: str = "1x1",
        film_size: str = "8INX10IN",
        orientation: str = "PORTRAIT",
        state: Annotated[list[str], Query(max_length=81)] = [],  # noqa: B006
    ) -> Response:
        found = desk.do(
            "print-preview", instances=instance, layout=layout, film_size=film_size, orientation=orientation,
            states=state,
        )  # fmt: skip
        return Response(base64.b64decode(found["png"]), media_type="image/png")

    @made.post("/studies/print")
    def print_film(form: Annotated[Form, Depends(desk.writer)]) -> Response:
        wanted = remembered(form)
        try:
            job = desk.do("print", **{**wanted, "copies": form.key("copies")})
        except HarnessError as error:
            desk.fail(form.session, error)
        else:
            desk.jobs_told(form.session, {"jobs": [job]}, "The film was printed")
        return back("studies/print", study=form.text("study"))

    @made.post("/studies/printer")
    def printer_status(form: Annotated[Form, Depends(desk.writer)]) -> Response:
        try:
            form.session.found["printer"] = desk.do("printer-status")
        except HarnessError as error:
            form.session.found["printer"] = {}
            desk.fail(form.session, error)
        return back("studies/print", study=form.text("study"))

    # -- media ---------------------------------------------------------------------------------------------------

    @made.get("/studies/media")
    def media(session: Annotated[Session, Depends(desk.reader)], study: str) -> Response:
        related = desk.do("related", study=study)
        chosen = [study, *session.found.get(f"media:{study}", {}).get("related", [])]
        return desk.page(
            "media.html", session, tab="studies", study=study, related=related, chosen=chosen, forms=tuple(MediumForm),
            plan=desk.do("media-preview", studies=chosen), typed=session.found.get(f"media:{study}", {}),
            burned=desk.do("media-list")[:20],
        )  # fmt: skip

    @made.get("/studies/media/live")
    def live(session: Annotated[Session, Depends(desk.reader)]) -> Response:
        return desk.page("part_media.html", session, burned=desk.do("media-list")[:20])

    @made.post("/studies/media")
    def burn(form: Annotated[Form, Depends(desk.writer)]) -> Response:
        study, related = form.text("study"), form.many("related")
        typed: dict[str, Any] = {"related": related, "form": form.text("form"), "pages": bool(form.text("pages"))}
        typed["kind"] = form.text("kind", "CD")
        form.session.found[f"media:{study}"] = typed
        if form.text("press") == "preview":
            return back("studies/media", study=study)
        try:
            # The background work writes it; the page shows how far it is.
            desk.do(
                "burn", studies=[study, *related], form=typed["form"], pages=typed["pages"], kind=typed["kind"],
                password=form.text("password"), wait=False,
            )  # fmt: skip
        except HarnessError as error:
            desk.fail(form.session, error)
        else:
            form.session.tell("pass", "The medium is being written")
        return back("studies/media", study=study)

    @made.get("/media/{job}")
    def fetch(session: Annotated[Session, Depends(desk.reader)], job: int) -> Response:
        file = desk.modality.media.file_of(job)
        return FileResponse(file, filename=file.name, media_type="application/octet-stream")

    return made
