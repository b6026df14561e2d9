"""What the modality claims: statements that the statement writer made, shown beside the console."""

# No postponed annotations: FastAPI has to see the desk of the enclosing function in them.
from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Depends, Response

from harness.modality.console.desk import Desk
from harness.modality.console.session import Session
from harness.modality.errors import NotFound

#: A document of others: its own styles, but no scripts, no forms, nothing from elsewhere, no part in our pages.
POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox; frame-ancestors 'none'"
COMMANDS = (
    "ihe-harness statement dicom --sut reference.toml --out dicom.html",
    "ihe-harness statement ihe --sut reference.toml --out ihe.html",
    "ihe-harness modality serve --statement dicom.html --statement ihe.html",
)


def router(desk: Desk, statements: Mapping[str, str]) -> APIRouter:
    """Make the routes."""
    made = APIRouter()

    @made.get("/conformance")
    def show(session: Annotated[Session, Depends(desk.reader)]) -> Response:
        return desk.page(
            "conformance.html", session, tab="config", statements=tuple(statements), commands="\n".join(COMMANDS)
        )

    @made.get("/conformance/{name}")
    def document(session: Annotated[Session, Depends(desk.reader)], name: str) -> Response:
        if name not in statements:
            raise NotFound("there is no such statement")
        return Response(
            statements[name], media_type="text/html; charset=utf-8", headers={"Content-Security-Policy": POLICY}
        )

    return made
