"""The Status tab: background work, commitment, performed steps and the event log."""

# No postponed annotations: FastAPI has to see the desk of the enclosing function in them.
import tempfile
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Response

from harness.core.errors import HarnessError
from harness.modality.console.desk import Desk, Form, back
from harness.modality.console.session import Session
from harness.modality.errors import NotFound


def router(desk: Desk) -> APIRouter:
    """Make the routes of the tab."""
    made = APIRouter()

    def values(job: int, level: int, kind: str) -> dict[str, Any]:
        jobs = desk.do("queue")
        return {
            "tab": "status",
            "state": desk.do("status"),
            "jobs": list(reversed(jobs))[:100],
            "commitments": list(reversed(desk.do("commitments")))[:50],
            "events": desk.do("events", level=level, kind=kind, limit=100),
            "associations": desk.do("associations")[:50],
            "has_traffic": desk.modality.kernel.traffic.kept,
            "history": desk.do("queue-history", job=job) if job else [],
            "job": job,
            "level": level,
            "kind": kind,
        }

    @made.get("/status")
    def show(
        session: Annotated[Session, Depends(desk.reader)],
        job: Annotated[int, Query(ge=0)] = 0,
        level: Annotated[int, Query(ge=1, le=9)] = 3,
        kind: Annotated[str, Query(max_length=64)] = "",
    ) -> Response:
        return desk.page("status.html", session, **values(job, level, kind))

    @made.get("/status/live")
    def live(
        session: Annotated[Session, Depends(desk.reader)],
        job: Annotated[int, Query(ge=0)] = 0,
        level: Annotated[int, Query(ge=1, le=9)] = 3,
        kind: Annotated[str, Query(max_length=64)] = "",
    ) -> Response:
        return desk.page("part_status.html", session, **values(job, level, kind))

    @made.get("/status/traffic.pcapng")
    def traffic(session: Annotated[Session, Depends(desk.reader)]) -> Response:
        with tempfile.TemporaryDirectory(prefix="traffic-") as folder:
            place = Path(folder) / "traffic.pcapng"
            desk.modality.kernel.traffic.write(place)
            raw = place.read_bytes() if place.exists() else b""
        if not raw:
            raise NotFound("no traffic was kept; run `serve`, which keeps it")
        return Response(
            raw, media_type="application/octet-stream",
            headers={"Content-Disposition": 'attachment; filename="traffic.pcapng"'},
        )  # fmt: skip

    def pressed(form: Form, operation: str) -> Response:
        try:
            job = desk.do(operation, job=form.key("job"))
        except HarnessError as error:
            desk.fail(form.session, error)
        else:
            mark = "pass" if job["state"] in {"done", "cancelled"} else "warn"
            form.session.tell(mark, f"job.{job['state']}", job["message"])
        return back("status")

    @made.post("/status/retry")
    def retry(form: Annotated[Form, Depends(desk.writer)]) -> Response:
        return pressed(form, "queue-retry")

    @made.post("/status/cancel")
    def cancel(form: Annotated[Form, Depends(desk.writer)]) -> Response:
        return pressed(form, "queue-cancel")

    return made
