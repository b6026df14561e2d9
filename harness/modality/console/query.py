"""The Query/Retrieve tab: look into an archive, and have objects sent to us or to another AE title."""

# No postponed annotations: FastAPI has to see the desk of the enclosing function in them.
import re
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Response

from harness.core.errors import HarnessError
from harness.modality.console.dates import PAST, range_of
from harness.modality.console.desk import Desk, Form, back
from harness.modality.console.registration import MODALITIES
from harness.modality.console.session import Session

KEYS = (
    "level", "model", "patient_name", "patient_id", "study_date", "accession_number", "study_id", "modality",
    "study_instance_uid", "series_instance_uid",
)  # fmt: skip
COLUMNS: dict[str, tuple[str, ...]] = {
    "PATIENT": ("PatientName", "PatientID", "PatientBirthDate", "PatientSex"),
    "STUDY": (
        "PatientName", "PatientID", "StudyDate", "AccessionNumber", "StudyDescription", "ModalitiesInStudy",
        "NumberOfStudyRelatedInstances",
    ),
    "SERIES": ("Modality", "SeriesNumber", "SeriesDescription", "NumberOfSeriesRelatedInstances"),
    "IMAGE": ("InstanceNumber", "SOPClassUID", "Rows", "Columns"),
}  # fmt: skip


def router(desk: Desk) -> APIRouter:
    """Make the routes of the tab."""
    made = APIRouter()

    @made.get("/query")
    def show(session: Annotated[Session, Depends(desk.reader)]) -> Response:
        keys = session.found.get("query", {"level": "STUDY", "model": "study"})
        result = session.found.get("matches")
        level = session.found.get("matches_level", "STUDY")
        return desk.page(
            "query.html", session, tab="query", keys=keys, result=result, level=level, columns=COLUMNS[level],
            levels=tuple(COLUMNS), modalities=MODALITIES, presets=PAST, node=desk.modality.kernel.settings.nodes.qr,
            own=desk.modality.kernel.settings.local.ae_title, retrieved=session.found.get("retrieved"),
        )  # fmt: skip

    @made.post("/query/find")
    def find(form: Annotated[Form, Depends(desk.writer)]) -> Response:
        keys = {name: value for name, value in form.typed(*KEYS).items() if value}
        if keys.get("level") == "PATIENT":
            keys["model"] = "patient"
        form.session.found["query"] = keys
        form.session.found.pop("matches", None)
        form.session.found.pop("retrieved", None)
        try:
            if form.text("preset"):
                keys["study_date"] = range_of(form.text("preset"), desk.modality.kernel.clock.now().date())
            asked = {**keys, "study_date": _range(keys.get("study_date", ""))}
            form.session.found["matches"] = desk.do("find", **asked)
            form.session.found["matches_level"] = keys.get("level", "STUDY")
        except HarnessError as error:
            desk.fail(form.session, error)
        return back("query")

    @made.post("/query/retrieve")
    def retrieve(form: Annotated[Form, Depends(desk.writer)]) -> Response:
        uids = form.typed("study_instance_uid", "series_instance_uid", "sop_instance_uid")
        try:
            if form.text("how") == "get":
                done: dict[str, Any] = desk.do("get", **uids)
            else:
                done = desk.do("move", destination=form.text("destination"), **uids)
        except HarnessError as error:
            desk.fail(form.session, error)
        else:
            form.session.found["retrieved"] = done
            failed, got = int(done.get("failed", 0)), int(done.get("completed", 0))
            words = "Some objects were not retrieved" if failed else "The objects were retrieved"
            form.session.tell("warn" if failed else "pass", words, f"{got} / {got + failed}")
        return back("query")

    return made


def _range(typed: str) -> str:
    """Return a DA matching key: YYYY-MM-DD or YYYYMMDD, or two of them with a blank or a hyphen between."""
    days = [each.replace("-", "") for each in re.findall(r"\d{4}-\d{2}-\d{2}|\d{8}", typed)]
    return "-".join(days[:2]) if days else typed
