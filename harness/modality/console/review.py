"""The Review tab: up to nine pictures, each with its own window, zoom, pan, flips, rotation and measurements."""

# No postponed annotations: FastAPI has to see the desk of the enclosing function in them.
import base64
import urllib.parse
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response

from harness.core.errors import HarnessError
from harness.modality.console.desk import Desk, Form, back
from harness.modality.console.pointing import of_view
from harness.modality.console.session import Session
from harness.modality.console.studies import images_of
from harness.modality.errors import Refused
from harness.modality.objects import TITLES
from harness.modality.services.review import QUALITY_REASONS

LAYOUTS: dict[str, tuple[int, int]] = {
    "1x1": (1, 1), "1x2": (1, 2), "2x1": (2, 1), "2x2": (2, 2), "2x3": (2, 3), "3x3": (3, 3),
}  # fmt: skip
NUMBERS = ("window_center", "window_width", "zoom", "pan_x", "pan_y")
FLAGS = ("flip_h", "flip_v", "invert")
POINTS = ("length", "angle")
SIZE = 512


def address(instance: str, view: dict[str, Any]) -> str:
    """Return the address of a picture: everything that decides its pixels is in it."""
    given = {k: v for k, v in view.items() if k in (*NUMBERS, "rotate") or (k in FLAGS and v)}
    return f"/console/image/{instance}.png?{urllib.parse.urlencode(given)}"


def router(desk: Desk) -> APIRouter:
    """Make the routes of the tab."""
    made = APIRouter()

    def looked(instance: str, view: dict[str, Any]) -> dict[str, Any]:
        return dict(desk.do("review", instance=instance, rows=16, columns=16, **view))

    def tile(session: Session, row: dict[str, Any], active: bool) -> dict[str, Any]:
        uid = row["sop_instance_uid"]
        view = session.views.get(uid, {})
        try:
            seen = looked(uid, view)
            shown = {**view, **{name: seen[name] for name in ("window_center", "window_width", "zoom")}}
            tile_: dict[str, Any] = {
                "uid": uid, "row": row, "view": shown, "active": active, "problem": "", "place": None, "lines": {},
                "seen": {"length": None, "angle": None, **seen}, "src": address(uid, view),
            }  # fmt: skip
            if active or seen.get("length") or seen.get("angle"):
                place = of_view(desk.modality, uid, view, SIZE)
                tile_["place"] = place
                tile_["lines"] = {
                    name: [
                        tuple(round(each * SIZE, 1) for each in place.to_screen((x, y)))
                        for x, y in zip(view.get(name, [])[::2], view.get(name, [])[1::2], strict=False)
                    ]
                    for name in POINTS
                }
            return tile_
        except HarnessError as error:
            return {"uid": uid, "row": row, "active": active, "problem": str(error), "view": view}

    @made.get("/review")
    def show(
        session: Annotated[Session, Depends(desk.reader)],
        study: str = "",
        layout: str = "2x2",
        active: str = "",
        first: Annotated[int, Query(ge=0, le=100000)] = 0,
    ) -> Response:
        if not study:
            return desk.page("review_none.html", session, tab="review", found=desk.do("studies"))
        layout = layout if layout in LAYOUTS else "2x2"
        down, across = LAYOUTS[layout]
        images = images_of(desk, study)
        if first >= len(images):
            first = 0
        shown = images[first : first + down * across]
        uids = [row["sop_instance_uid"] for row in shown]
        if active not in uids:
            active = uids[0] if uids else ""
        tiles = [tile(session, row, row["sop_instance_uid"] == active) for row in shown]
        return desk.page(
            "review.html", session, tab="review", study=study, layout=layout, layouts=tuple(LAYOUTS), tiles=tiles,
            current=next((each for each in tiles if each["active"]), None), first=first, total=len(images),
            step=down * across, tool=session.found.get("tool", "window"),
            titles=tuple(TITLES), reasons=tuple(QUALITY_REASONS),
        )  # fmt: skip

    @made.get("/image/{instance}.png")
    def image(request: Request, session: Annotated[Session, Depends(desk.reader)], instance: str) -> Response:
        form = Form(session, {key: [value] for key, value in request.query_params.items()})
        view: dict[str, Any] = {name: form.number(name) for name in NUMBERS if form.text(name)}
        view |= {name: form.text(name) in {"1", "true", "True"} for name in FLAGS}
        view["rotate"] = int(form.number("rotate"))
        size = int(form.number("size", SIZE))
        found = desk.do("review", instance=instance, rows=size, columns=size, **view)
        return Response(
            base64.b64decode(found["png"]), media_type="image/png", headers={"Cache-Control": "private, max-age=60"}
        )

    @made.post("/review/view")
    def change(form: Annotated[Form, Depends(desk.writer)]) -> Response:
        instance = form.text("instance")
        try:
            form.session.found["tool"] = form.text("tool", "window")
            view = changed(desk, form, instance)
            looked(instance, view)
            form.session.views = {**dict(list(form.session.views.items())[-500:]), instance: view}
        except HarnessError as error:
            desk.fail(form.session, error)
        return returned(form)

    @made.post("/review/save")
    def save(form: Annotated[Form, Depends(desk.writer)]) -> Response:
        instance = form.text("instance")
        try:
            done = desk.do(
                "save-gsps", instances=[instance], label=form.text("label", "REVIEW"),
                description=form.text("description"), **form.session.views.get(instance, {}),
            )  # fmt: skip
        except HarnessError as error:
            desk.fail(form.session, error)
        else:
            desk.jobs_told(form.session, done, "The presentation state was saved")
        return returned(form)

    @made.post("/review/note")
    def note(form: Annotated[Form, Depends(desk.writer)]) -> Response:
        try:
            done = desk.do(
                "key-note", instances=form.many("marked"), title=form.text("title"),
                description=form.text("description"), reason=form.text("reason"),
            )  # fmt: skip
        except HarnessError as error:
            desk.fail(form.session, error)
        else:
            desk.jobs_told(form.session, done, "The key images were noted")
        return returned(form)

    @made.post("/review/leave")
    def leave(form: Annotated[Form, Depends(desk.writer)]) -> Response:
        kept = {row["sop_instance_uid"] for row in images_of(desk, form.text("study"))}
        form.session.views = {uid: view for uid, view in form.session.views.items() if uid not in kept}
        return back("studies", study=form.text("study"))

    return made


def returned(form: Form) -> Response:
    """Go back to the same pictures."""
    return back(
        "review", study=form.text("study"), layout=form.text("layout"), active=form.text("instance"),
        first=form.text("first") if form.text("first") != "0" else "",
    )  # fmt: skip


def changed(desk: Desk, form: Form, instance: str) -> dict[str, Any]:
    """Return the view that a button makes of the fields; raises Refused."""
    press = form.text("press", "apply")
    if press == "reset":
        return {}
    before = form.session.views.get(instance, {})
    view: dict[str, Any] = {name: form.number(name, 1.0 if name == "zoom" else 0.0) for name in NUMBERS}
    view |= {name: bool(form.text(name)) for name in FLAGS}
    view["rotate"] = int(form.number("rotate"))
    view |= {name: form.numbers(name) for name in POINTS}
    if press in FLAGS:
        view[press] = not before.get(press, False)
    elif press == "rotate_right":
        view["rotate"] = (view["rotate"] + 90) % 360
    elif press == "rotate_left":
        view["rotate"] = (view["rotate"] + 270) % 360
    elif press == "zoom_in":
        view["zoom"] = round(view["zoom"] * 1.25, 4)
    elif press == "zoom_out":
        view["zoom"] = round(view["zoom"] / 1.25, 4)
    elif press == "clear":
        view |= {name: [] for name in POINTS}
    elif press in POINTS:
        wanted = 2 if press == "length" else 3
        clicked = form.numbers("clicked")
        if len(clicked) != 2 * wanted:
            raise Refused(f"{press}: {wanted} points are needed")
        place = of_view(desk.modality, instance, before, SIZE)
        points = [place.to_image(each) for each in zip(clicked[::2], clicked[1::2], strict=True)]
        view[press] = [round(value, 2) for point in points for value in point]
    elif press != "apply":
        raise Refused(f"there is no tool {press!r}")
    return view
