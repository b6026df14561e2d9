"""The HTTP interface: POST /api/NAME for what changes something (with the token), GET /api/NAME for what only looks."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends, FastAPI, Header, HTTPException, Query, Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, ConfigDict, create_model

from harness.core.errors import HarnessError
from harness.modality.answers import TOKEN_HEADER, error_body, status_of
from harness.modality.console.mount import mount, problem
from harness.modality.operations import OPERATIONS, Operation
from harness.modality.service import Modality


def create_app(
    modality: Modality, token: str, hosts: Iterable[str] = (), statements: Mapping[str, str] | None = None
) -> FastAPI:
    """Make the application; every write needs the header X-Modality-Token with `token`, or a login to the console.

    `hosts` are names besides the loopback's under which it is reached; `statements` are pages about conformance by
    name, which others wrote; `app.state.desk` makes login tickets.
    """
    app = FastAPI(title="Reference acquisition modality", version=modality.kernel.settings.equipment.software_version)

    def authorised(x_modality_token: Annotated[str, Header(alias=TOKEN_HEADER)] = "") -> None:
        if not secrets.compare_digest(x_modality_token.encode(), token.encode()):
            raise HTTPException(403, f"the header {TOKEN_HEADER} is missing or wrong")

    router = APIRouter(prefix="/api")
    for operation in OPERATIONS:
        _add(router, operation, modality, authorised)
    app.include_router(router)

    @app.get("/healthz")
    def health() -> dict[str, Any]:
        """Tell that the modality is up."""
        return {"ok": True, "ae_title": modality.kernel.settings.local.ae_title, "dicom_port": modality.listener.port}

    desk = mount(app, modality, token, hosts, statements or {})
    app.state.desk = desk

    @app.exception_handler(HarnessError)
    def failed(request: Request, error: HarnessError) -> Response:
        if request.url.path.startswith("/console"):
            return problem(desk, request, error, status_of(error))
        return JSONResponse({"error": error_body(error)}, status_code=status_of(error))

    return app


def _add(router: APIRouter, operation: Operation, modality: Modality, authorised: Callable[..., None]) -> None:
    fields: dict[str, Any] = {
        p.name: (p.kind | None if p.optional else p.kind, ... if p.required else p.default)
        for p in operation.parameters()
    }
    title = operation.name.replace("-", "_")
    model: type[BaseModel] = create_model(f"{title}_arguments", __config__=ConfigDict(extra="forbid"), **fields)
    common: dict[str, Any] = {"name": title, "summary": operation.summary, "tags": [operation.part]}

    # Plain functions run in the thread pool, so a slow peer does not block the other requests.
    if operation.writes:
        needed = any(p.required for p in operation.parameters())

        def write(arguments: Any = Body() if needed else Body(default_factory=model)) -> Any:  # noqa: B008
            return operation.call(modality, arguments.model_dump())

        write.__annotations__ = {"arguments": model, "return": Any}
        router.post(f"/{operation.name}", dependencies=[Depends(authorised)], **common)(write)
    else:

        def read(arguments: Any = Query()) -> Any:  # noqa: B008
            return operation.call(modality, arguments.model_dump())

        read.__annotations__ = {"arguments": model, "return": Any}
        router.get(f"/{operation.name}", **common)(read)
