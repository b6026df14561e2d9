"""The Acquisition tab: technique, exposures, and the end of an exam."""

# No postponed annotations: FastAPI has to see the desk of the enclosing function in them.
import base64
from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Response

from harness.core.errors import HarnessError
from harness.modality import workflow
from harness.modality.catalogue import PROCEDURES
from harness.modality.console.desk import Desk, Form, back
from harness.modality.console.session import Session
from harness.modality.decisions.performed import REASONS
from harness.modality.domain import ShotState, State
from harness.modality.services.keeping import REJECTION_REASONS

TECHNIQUE = {"kvp": 70.0, "tube_current": 110.0, "exposure_time": 100.0}


def router(desk: Desk) -> APIRouter:
    """Make the routes of the tab."""
    made = APIRouter()

    @made.get("/acquisition")
    def show(session: Annotated[Session, Depends(desk.reader)], exam: int = 0) -> Response:
        open_ones = desk.do("exams", active=True)
        active = [each for each in open_ones if each["state"] != State.REGISTERED.value]
        key = exam or (active[-1]["exam"] if active else 0)
        if not key:
            return desk.page("acquisition_none.html", session, tab="acquisition", open_ones=open_ones)
        found = desk.do("show", exam=key)
        document = found["document"]
        shots = [shot for shot in document["shots"] if shot["modality"] not in {"PR", "KO"}]
        last = shots[-1] if shots else None
        kept = [shot for shot in shots if shot["state"] == ShotState.CONFIRMED.value]
        technique = {**TECHNIQUE, **(last["technique"] if last else {}), **session.found.get(f"technique:{key}", {})}
        return desk.page(
            "acquisition.html",
            session,
            tab="acquisition",
            open_ones=open_ones,
            exam=found,
            document=document,
            shots=shots,
            last=last,
            kept=len(kept),
            can={event.value for event in workflow.allowed(State(found["state"]))},
            technique=technique,
            mas=round(technique["tube_current"] * technique["exposure_time"] / 1000.0, 3),
            chosen=session.found.get(f"protocol:{key}", ""),
            procedures=PROCEDURES,
            reject_reasons=REJECTION_REASONS.values(),
            cancel_reasons=REASONS.values(),
            active={state.value for state in workflow.ACTIVE},
            anew=[row for row in desk.do("worklist-rows") if not row["problems"]] if doable_anew(found) else [],
        )

    @made.get("/acquisition/{exam}/{number}.png")
    def preview(
        session: Annotated[Session, Depends(desk.reader)], exam: int, number: int, size: int = 512
    ) -> Response:  # fmt: skip
        found = desk.do("preview", exam=exam, number=number, rows=size, columns=size)
        return Response(base64.b64decode(found["png"]), media_type="image/png")

    def pressed(form: Form, press: Callable[[int], Any]) -> Response:
        exam = 0
        try:
            exam = form.key("exam")
            press(exam)
        except HarnessError as error:
            desk.fail(form.session, error)
        return back("acquisition", exam=exam)

    def technique_of(form: Form, exam: int) -> dict[str, float]:
        values = {name: form.number(name, usual) for name, usual in TECHNIQUE.items()}
        form.session.found[f"technique:{exam}"] = values
        return values

    @made.post("/acquisition/select")
    def select(form: Annotated[Form, Depends(desk.writer)]) -> Response:
        def press(exam: int) -> None:
            procedure, _, protocol = form.text("protocol").partition("|")
            desk.do("select", exam=exam, procedure=procedure, protocol=protocol)
            form.session.found[f"protocol:{exam}"] = form.text("protocol")

        return pressed(form, press)

    @made.post("/acquisition/ready")
    def ready(form: Annotated[Form, Depends(desk.writer)]) -> Response:
        def press(exam: int) -> None:
            technique_of(form, exam)
            desk.do("ready", exam=exam)

        return pressed(form, press)

    @made.post("/acquisition/shot")
    def shot(form: Annotated[Form, Depends(desk.writer)]) -> Response:
        def press(exam: int) -> None:
            _, _, protocol = str(form.session.found.get(f"protocol:{exam}", "")).partition("|")
            desk.do("shot", exam=exam, protocol=protocol, **technique_of(form, exam))

        return pressed(form, press)

    @made.post("/acquisition/confirm")
    def confirm(form: Annotated[Form, Depends(desk.writer)]) -> Response:
        return pressed(form, lambda exam: desk.do("confirm", exam=exam))

    @made.post("/acquisition/reject")
    def reject(form: Annotated[Form, Depends(desk.writer)]) -> Response:
        return pressed(
            form, lambda exam: desk.do("reject", exam=exam, number=form.key("number"), reason=form.text("reason"))
        )

    @made.post("/acquisition/end")
    def end(form: Annotated[Form, Depends(desk.writer)]) -> Response:
        return pressed(
            form, lambda exam: desk.jobs_told(form.session, desk.do("end", exam=exam), "The exam was completed")
        )

    @made.post("/acquisition/cancel")
    def cancel(form: Annotated[Form, Depends(desk.writer)]) -> Response:
        def press(exam: int) -> None:
            done = desk.do("cancel", exam=exam, reason=form.text("reason"), keep_objects=bool(form.text("keep")))
            desk.jobs_told(form.session, done, "The exam was cancelled")

        return pressed(form, press)

    @made.post("/acquisition/reassign")
    def reassign(form: Annotated[Form, Depends(desk.writer)]) -> Response:
        exam = 0
        try:
            exam = form.key("exam")
            done = desk.do("reassign", exam=exam, items=[form.key("item")])
            desk.jobs_told(form.session, done, "The exam was done anew on the other worklist entry")
            exam = done["exam"]
        except HarnessError as error:
            desk.fail(form.session, error)
        return back("acquisition", exam=exam)

    return made


def doable_anew(exam: dict[str, Any]) -> bool:
    """Say whether an exam was cancelled after images of it were confirmed."""
    images = (each for each in exam["objects"] if each["modality"] not in {"PR", "KO"})
    return exam["mpps_status"] == "DISCONTINUED" and any(each["state"] == ShotState.CONFIRMED.value for each in images)
