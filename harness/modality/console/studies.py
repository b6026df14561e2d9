"""The Studies tab: what we hold, and what is done with it."""

# No postponed annotations: FastAPI has to see the desk of the enclosing function in them.
from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response

from harness.core.errors import HarnessError
from harness.modality.console.desk import Desk, Form, back
from harness.modality.console.registration import MODALITIES
from harness.modality.console.session import Session
from harness.modality.errors import Refused

FILTERS = ("patient_id", "patient_name", "study_id", "description", "modality", "date_from", "date_to")
CHANGES = ("patient_id", "patient_name", "birth_date", "sex", "study_description")
NO_IMAGES = frozenset({"PR", "KO", "SR"})


def images_of(desk: Desk, study: str) -> list[dict[str, Any]]:
    """Return the objects of a study that are pictures."""
    return [row for row in desk.do("instances", study=study) if row["modality"] not in NO_IMAGES]


def router(desk: Desk) -> APIRouter:
    """Make the routes of the tab."""
    made = APIRouter()

    @made.get("/studies")
    def show(request: Request, session: Annotated[Session, Depends(desk.reader)], study: str = "") -> Response:
        filters = {name: request.query_params.get(name, "").strip() for name in FILTERS}
        problem = ""
        try:
            found = desk.do("studies", **{k: v for k, v in filters.items() if v})
        except HarnessError as error:
            found, problem = [], str(error)
        chosen = next((row for row in found if row["study_instance_uid"] == study), None)
        detail: dict[str, Any] = {"series": [], "related": [], "objects": [], "images": []}
        if chosen is not None:
            objects = desk.do("instances", study=study)
            detail = {
                "series": desk.do("series", study=study),
                "related": desk.do("related", study=study),
                "objects": objects,
                "images": [row for row in objects if row["modality"] not in NO_IMAGES],
            }
        return desk.page(
            "studies.html", session, tab="studies", found=found, chosen=chosen, filters=filters, problem=problem,
            modalities=MODALITIES, typed=session.retyped("study"), **detail,
            import_place=str(desk.modality.kernel.home / "import"),
            imported=session.retyped("import-files").get("source", ""),
        )  # fmt: skip

    def pressed(form: Form, press: Callable[[str], Response | None]) -> Response:
        study = form.text("study")
        try:
            answer = press(study)
        except HarnessError as error:
            desk.fail(form.session, error)
            answer = None
        return answer if answer is not None else back("studies", study=study)

    @made.post("/studies/scan")
    def scan(form: Annotated[Form, Depends(desk.writer)]) -> Response:
        def press(study: str) -> Response:
            exams = [row["exam_key"] for row in desk.do("instances", study=study) if row["exam_key"]]
            if not exams:
                raise Refused("this study was not made here; register the patient to make new images")
            exam = desk.do("append", exam=exams[-1])["exam"]
            form.session.tell("pass", "The study is open again; press Start")
            return back("acquisition", exam=exam)

        return pressed(form, press)

    @made.post("/studies/modify")
    def modify(form: Annotated[Form, Depends(desk.writer)]) -> Response:
        def press(study: str) -> None:
            typed = form.typed(*CHANGES)
            form.session.typed["study"] = typed
            desk.do("study-modify", study=study, **typed)
            form.session.retyped("study")
            form.session.tell("pass", "The study was changed")

        return pressed(form, press)

    @made.post("/studies/import")
    def take(form: Annotated[Form, Depends(desk.writer)]) -> Response:
        def press(study: str) -> Response | None:
            form.session.typed["import-files"] = form.typed("source")
            taken = desk.do("import", source=form.text("source"))
            form.session.retyped("import-files")
            lines = tuple(f"{each['file']}: {each['reason']}" for each in taken["refused"][:20])
            words = "Everything was imported" if not lines else "Not everything was imported"
            form.session.tell("warn" if lines else "pass", words, str(taken["imported"]), lines)
            return back("studies", study=taken["studies"][0]) if taken["studies"] else None

        return pressed(form, press)

    @made.post("/studies/delete")
    def delete(form: Annotated[Form, Depends(desk.writer)]) -> Response:
        def press(study: str) -> Response:
            desk.do("delete", study=study)
            form.session.tell("pass", "The study was deleted")
            return back("studies")

        return pressed(form, press)

    @made.post("/studies/store")
    def store(form: Annotated[Form, Depends(desk.writer)]) -> Response:
        def press(study: str) -> None:
            desk.jobs_told(form.session, desk.do("send", study_instance_uid=study), "The study was sent")

        return pressed(form, press)

    @made.post("/studies/recover")
    def recover(form: Annotated[Form, Depends(desk.writer)]) -> Response:
        def press(study: str) -> None:
            rows = desk.do("instances", study=study)
            exams = [row["exam_key"] for row in rows if row["failure_reason"] is not None and row["exam_key"]]
            if not exams:
                raise Refused("no commitment has failed for this exam")
            for exam in dict.fromkeys(exams):
                desk.jobs_told(
                    form.session, desk.do("recover", exam=exam), "What had failed was sent and asked for again"
                )

        return pressed(form, press)

    @made.post("/studies/commit")
    def commit(form: Annotated[Form, Depends(desk.writer)]) -> Response:
        def press(study: str) -> None:
            result = desk.do("commit", study_instance_uid=study)
            states = {each["state"] for each in result["commitments"]}
            if states == {"committed"}:
                form.session.tell("pass", "The archive has committed to all objects")
            elif "requested" in states:
                form.session.tell("warn", "The archive was asked; its answer has not come yet")
            else:
                desk.jobs_told(form.session, result, "The archive has answered; see the marks of the objects")

        return pressed(form, press)

    return made
