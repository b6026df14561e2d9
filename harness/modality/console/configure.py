"""The Config tab: all settings, the six nodes with Verify, export and import."""

# No postponed annotations: FastAPI has to see the desk of the enclosing function in them.
import json
import tomllib
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Response

from harness.core.errors import HarnessError
from harness.modality.config import NodeName
from harness.modality.console.desk import Desk, Form, back
from harness.modality.console.session import Session
from harness.modality.errors import Refused
from harness.modality.secure import PROFILES

GROUPS = ("institution", "equipment", "environment", "local", "end_exam", "background", "timeouts", "tls")


def router(desk: Desk) -> APIRouter:
    """Make the routes of the tab."""
    made = APIRouter()

    @made.get("/config")
    def show(session: Annotated[Session, Depends(desk.reader)]) -> Response:
        settings = desk.do("config-get")["value"]
        return desk.page(
            "config.html", session, tab="config", settings=settings, groups=GROUPS, nodes=tuple(NodeName),
            profiles=[(name, name) for name in PROFILES],
            verified=session.verified, typed=session.retyped("config"), imported=session.retyped("import"),
        )  # fmt: skip

    @made.post("/config/save")
    def save(form: Annotated[Form, Depends(desk.writer)]) -> Response:
        group = form.text("group")
        try:
            current = desk.do("config-get", path=group)["value"]
            if not isinstance(current, dict):
                raise Refused(f"{group!r} is not a group of settings")
            wanted = {
                name: text_of(form, name, value) for name, value in current.items() if not isinstance(value, dict)
            }
            form.session.typed["config"] = {f"{group}.{name}": value for name, value in wanted.items()}
            desk.do("config-set", assignments=[f"{group}.{name}={value}" for name, value in wanted.items()])
            form.session.retyped("config")
            form.session.verified.pop(group.removeprefix("nodes."), None)
            form.session.tell("pass", "The settings were saved")
        except HarnessError as error:
            desk.fail(form.session, error)
        return Response(status_code=303, headers={"Location": f"/console/config#{group.replace('.', '-')}"})

    @made.post("/config/verify")
    def verify(form: Annotated[Form, Depends(desk.writer)]) -> Response:
        node = form.text("node")
        try:
            for result in desk.do("verify", node=node):
                form.session.verified[result["node"]] = result
        except HarnessError as error:
            desk.fail(form.session, error)
        place = "" if node == "all" else f"-{node}"
        return Response(
            status_code=303, headers={"Location": f"/console/config#nodes{place if node in set(NodeName) else ''}"}
        )

    @made.get("/config/settings.toml")
    def export(session: Annotated[Session, Depends(desk.reader)]) -> Response:
        return Response(
            desk.do("config-export")["toml"], media_type="text/plain; charset=utf-8",
            headers={"Content-Disposition": 'attachment; filename="settings.toml"'},
        )  # fmt: skip

    @made.post("/config/import")
    def take(form: Annotated[Form, Depends(desk.writer)]) -> Response:
        text = form.text("settings")
        form.session.typed["import"] = {"settings": text}
        try:
            desk.do("config-import", settings=tables(text))
            form.session.retyped("import")
            form.session.tell("pass", "The settings were imported")
        except HarnessError as error:
            desk.fail(form.session, error)
        return back("config")

    return made


def text_of(form: Form, name: str, current: Any) -> str:
    """Return what a field says as an assignment takes it; a box that is not ticked is not sent at all."""
    if isinstance(current, bool):
        return "true" if form.text(name) else "false"
    text = form.text(name)
    if not text and isinstance(current, (int, float)):
        raise Refused(f"{name.replace('_', ' ')} must not be empty")
    return text


def tables(text: str) -> dict[str, Any]:
    """Read settings in TOML or JSON; raises Refused."""
    try:
        data = json.loads(text) if text.lstrip().startswith("{") else tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise Refused(f"the settings cannot be read: {error}") from None
    if not isinstance(data, dict) or not data:
        raise Refused("the settings are empty; paste or choose an exported file")
    return data
