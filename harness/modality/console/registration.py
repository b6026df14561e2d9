"""The Registration tab: the worklist and patients by hand."""

# No postponed annotations: FastAPI has to see the desk of the enclosing function in them.
from typing import Annotated

from fastapi import APIRouter, Depends, Response

from harness.core.errors import HarnessError
from harness.modality.console.dates import PLANNED, range_of
from harness.modality.console.desk import Desk, Form, back
from harness.modality.console.session import Session
from harness.modality.domain import State

FILTERS = ("date", "modality", "station", "patient_name", "patient_id", "accession_number", "requested_procedure_id")
PATIENT = (
    "patient_id", "patient_name", "birth_date", "sex", "study_id", "accession_number", "study_description", "modality",
)  # fmt: skip
MODALITIES = ("DX", "CR", "CT", "MR", "US", "SC")


def router(desk: Desk) -> APIRouter:
    """Make the routes of the tab."""
    made = APIRouter()

    @made.get("/registration")
    def show(session: Annotated[Session, Depends(desk.reader)], modify: int = 0) -> Response:
        waiting = [each for each in desk.do("exams", active=True) if each["state"] == State.REGISTERED.value]
        chosen = next((each for each in waiting if each["exam"] == modify and not each["scheduled_step_ids"]), None)
        typed = session.retyped("patient")
        if chosen is not None and not typed:
            patient = chosen["patient"]
            typed = {
                "patient_id": patient["id"], "patient_name": patient["name"], "birth_date": patient["birth_date"],
                "sex": patient["sex"], "study_id": chosen["study_id"], "accession_number": chosen["accession_number"],
                "study_description": chosen["study_description"], "modality": chosen["modality"],
            }  # fmt: skip
        return desk.page(
            "registration.html",
            session,
            tab="registration",
            rows=desk.do("worklist-rows"),
            mwl=desk.do("worklist-status"),
            cut=bool(session.found.get("worklist_cut")),
            filters=session.found.get("worklist", {}),
            waiting=waiting,
            modify=chosen["exam"] if chosen else 0,
            typed=typed,
            modalities=MODALITIES,
            presets=PLANNED,
        )

    @made.post("/registration/refresh")
    def refresh(form: Annotated[Form, Depends(desk.writer)]) -> Response:
        keys = form.typed(*FILTERS)
        try:
            if form.text("preset"):
                keys["date"] = range_of(form.text("preset"), desk.modality.kernel.clock.now().date())
            form.session.found["worklist"] = keys
            found = desk.do("worklist", **keys)
        except HarnessError as error:
            desk.fail(form.session, error)
        else:
            form.session.found["worklist_cut"] = found["cut"]
        return back("registration")

    @made.post("/registration/choose")
    def choose(form: Annotated[Form, Depends(desk.writer)]) -> Response:
        try:
            items = [int(each) for each in form.many("item") if each.isascii() and each.isdigit() and len(each) < 9]
            if not items:
                form.session.tell("warn", "Choose at least one row first")
                return back("registration")
            exam = desk.do("register", items=items)
            return begin(desk, form, exam["exam"])
        except HarnessError as error:
            desk.fail(form.session, error)
            return back("registration")

    @made.post("/registration/patient")
    def patient(form: Annotated[Form, Depends(desk.writer)]) -> Response:
        typed = form.typed(*PATIENT)
        exam = 0
        try:
            exam = form.key("exam")
            if exam:
                desk.do("modify", exam=exam, **typed)
                form.session.tell("pass", "The registration was changed")
            else:
                desk.do("register", **typed)
                form.session.tell("pass", "The patient was added")
        except HarnessError as error:
            form.session.typed["patient"] = typed
            desk.fail(form.session, error)
            return back("registration", modify=exam)
        return back("registration")

    @made.post("/registration/dismiss")
    def dismiss(form: Annotated[Form, Depends(desk.writer)]) -> Response:
        try:
            desk.do("dismiss", exam=form.key("exam"))
            form.session.tell("pass", "The registration was removed")
        except HarnessError as error:
            desk.fail(form.session, error)
        return back("registration")

    @made.post("/registration/start")
    def start(form: Annotated[Form, Depends(desk.writer)]) -> Response:
        try:
            return begin(desk, form, form.key("exam"))
        except HarnessError as error:
            desk.fail(form.session, error)
            return back("registration")

    return made


def begin(desk: Desk, form: Form, exam: int) -> Response:
    """Start a registered exam and go to the acquisition; raises HarnessError."""
    started = desk.do("start", exam=exam)
    desk.jobs_told(form.session, started, "The exam has started")
    return back("acquisition", exam=exam)
