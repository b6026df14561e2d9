"""The reference modality: started as a process of its own and driven from outside, over HTTP, like any product."""

from __future__ import annotations

import json
import os
import queue
import re
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

from harness.core.errors import EnvironmentFailure
from harness.sut.actions import Action, Outcome, OutcomeState
from harness.sut.config import DicomEndpoint, SutFile, TlsTable
from harness.sut.drivers.http import call

_START_SECONDS = 30.0
_STOP_SECONDS = 8.0
_NODES = {
    "mwl": "order-filler",
    "mpps": "pps-manager",
    "storage": "image-manager",
    "commitment": "image-manager",
    "qr": "image-manager",
}
#: worklist keys by DICOM keyword -> argument of the modality's worklist operation
_WORKLIST_KEYS = {
    "ScheduledProcedureStepStartDate": "date",
    "ScheduledProcedureStepStartTime": "time",
    "Modality": "modality",
    "ScheduledStationAETitle": "station",
    "PatientName": "patient_name",
    "PatientID": "patient_id",
    "AccessionNumber": "accession_number",
    "RequestedProcedureID": "requested_procedure_id",
    "ScheduledPerformingPhysicianName": "performing_physician",
}
_LAYOUT = re.compile(r"STANDARD\\1,(?P<rows>[1-9])")
_PEER = re.compile(r"(?P<ae_title>.{1,16}) at (?P<host>.+):(?P<port>[0-9]+)")
_BAD_GATEWAY = 502


class _Failed(Exception):
    """The modality answered a request with an error."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status = status


def _tls(table: TlsTable | None, here: Path) -> dict[str, str]:
    """The settings of ``[tls]`` for the modality: it shows the certificate that our actors show."""
    if table is None or not table.dicom:
        return {}
    settings = {f"tls.{name}": str(here / path) for name in ("certificate", "key", "ca")
                if (path := getattr(table, name))}  # fmt: skip
    settings["tls.profile"] = table.profile
    for name in ("client_certificate_required", "check_host_name"):
        settings[f"tls.{name}"] = str(getattr(table, name)).lower()
    return settings


class ReferenceDriver:
    """Starts ``python -m harness.modality serve`` with the simulated actors as its six nodes."""

    parallel_safe = True

    def __init__(self, sut: SutFile, values: Mapping[str, str], work: Path) -> None:
        self._work, self._home = work, work / "modality"
        self._url = ""
        self._token = ""
        self._last_exam = 0
        self._last_objects: list[dict[str, Any]] = []
        self._by_step: dict[str, int] = {}
        self._process: subprocess.Popen[bytes] | None = None
        self._log: IO[bytes] | None = None
        title = sut.dicom.ae_title if sut.dicom is not None else "REFMOD"
        self.endpoint = DicomEndpoint(ae_title=title, port=self._start(sut, values, title))

    # -- the process -----------------------------------------------------------------------------------------

    def _start(self, sut: SutFile, values: Mapping[str, str], title: str) -> int:
        settings = {"local.ae_title": title, "local.port": "0", "background.retry_interval": "1"}
        for node, actor in _NODES.items():
            settings[f"nodes.{node}.ae_title"] = values[f"{actor}.ae_title"]
            settings[f"nodes.{node}.host"] = values["advertise"]
            settings[f"nodes.{node}.port"] = values[f"{actor}.port"]
        settings |= _tls(sut.tls, Path(values["here"]).resolve())
        argv = [
            sys.executable,
            "-m",
            "harness.modality",
            "serve",
            "--home",
            str(self._home),
            "--port",
            "0",
        ]
        for name, value in settings.items():
            argv += ["--set", f"{name}={value}"]
        for defect in (*sut.driver.defects, *sut.driver.variants):
            argv += ["--defect", defect]
        self._log = (self._work / "modality.log").open("ab")
        environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
        self._process = subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=self._log,
            env=environment,
            start_new_session=True,
        )
        try:
            ready = self._ready_line()
        except BaseException:  # Ctrl-C leaves no process behind, either
            self.close()
            raise
        self._url, self._token = str(ready["url"]), str(ready["token"])
        return int(ready["dicom_port"])

    def _ready_line(self) -> dict[str, Any]:
        assert self._process is not None
        stdout = self._process.stdout
        assert stdout is not None
        lines: queue.Queue[bytes] = queue.Queue()
        reader = threading.Thread(target=lambda: lines.put(stdout.readline()), daemon=True)
        reader.start()
        try:
            line = lines.get(timeout=_START_SECONDS)
            answer = json.loads(line)
        except (queue.Empty, ValueError):
            text = (self._work / "modality.log").read_bytes()[-800:].decode(errors="replace").strip()
            raise EnvironmentFailure(f"the reference modality did not start: {text or 'it printed nothing'}") from None
        if not isinstance(answer, dict) or not answer.get("ready"):
            raise EnvironmentFailure(f"the reference modality did not start: {line!r}")
        return answer

    def close(self) -> None:
        """End the process and whatever it started."""
        process, self._process = self._process, None
        if process is not None:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
            with suppress(subprocess.TimeoutExpired):
                process.wait(_STOP_SECONDS)
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            if process.stdout is not None:
                process.stdout.close()
        if self._log is not None:
            self._log.close()
            self._log = None

    # -- actions ---------------------------------------------------------------------------------------------

    def perform(self, action: Action, *, timeout: float) -> Outcome:
        """Press the buttons that the action means."""
        _ = action.kind
        perform: Callable[[Mapping[str, Any], float], Outcome] | None = {
            "query-worklist": self._query_worklist,
            "perform-step": self._perform_step,
            "perform-unscheduled": self._perform_unscheduled,
            "append-to-step": self._append,
            "reassign-step": self._reassign,
            "start-step": self._start_step,
            "finish-step": self._finish_step,
            "store-again": self._store_again,
            "request-commitment": self._request_commitment,
            "verify": self._verify,
            "create-presentation-state": self._create_presentation_state,
            "create-media": self._create_media,
            "print-images": self._print_images,
        }.get(action.name)
        if perform is None:
            return Outcome(OutcomeState.UNSUPPORTED, f"the reference modality cannot {action.name}")
        try:
            return perform(action.parameters, timeout)
        except _Failed as error:
            # a lean installation cannot do everything that the modality claims: its lack is not the product's fault
            lacking = "install ihe-harness[" in str(error)
            return Outcome(OutcomeState.UNSUPPORTED if lacking else OutcomeState.FAILED, str(error))

    def attest(self, question: str, *, timeout: float) -> Outcome:
        """Nobody looks at the reference modality in a pipeline."""
        del question, timeout
        return Outcome(OutcomeState.UNSUPPORTED, "the reference modality runs without an operator")

    def _query_worklist(self, parameters: Mapping[str, Any], timeout: float) -> Outcome:
        keys: Mapping[str, str] = parameters["keys"]
        if unknown := set(keys) - set(_WORKLIST_KEYS):
            return Outcome(
                OutcomeState.UNSUPPORTED, f"its worklist dialog has no field for {', '.join(sorted(unknown))}"
            )
        try:
            answer = self._post("worklist", {_WORKLIST_KEYS[name]: value for name, value in keys.items()}, timeout)
        except _Failed as error:
            if error.status != _BAD_GATEWAY:
                raise
            # the modality shows the provider's failure to its operator: that is what it should do
            return Outcome(OutcomeState.DONE, str(error), {"error": str(error)})
        return Outcome(OutcomeState.DONE, "", {"entries": len(answer["items"]), "error": ""})

    def _perform_step(self, parameters: Mapping[str, Any], timeout: float) -> Outcome:
        exam = self._open(parameters, timeout)
        other = {"procedure": "Wrist"} if parameters.get("protocol") == "other" else {}
        self._post("start", {"exam": exam, **other}, timeout)
        return self._finish(exam, parameters, timeout)

    def _perform_unscheduled(self, parameters: Mapping[str, Any], timeout: float) -> Outcome:
        registered = self._post(
            "register",
            {
                "patient_id": parameters.get("patient_id", ""),
                "patient_name": parameters.get("patient", ""),
                "modality": parameters.get("modality", ""),
            },
            timeout,
        )
        exam = self._last_exam = int(registered["exam"])
        self._post("start", {"exam": exam}, timeout)
        return self._finish(exam, parameters, timeout)

    def _append(self, parameters: Mapping[str, Any], timeout: float) -> Outcome:
        step_ids: Sequence[str] = parameters.get("step_ids") or [""]
        before = self._by_step.get(step_ids[0], self._last_exam)
        appended = self._post("append", {"exam": before}, timeout)
        exam = self._last_exam = int(appended["exam"])
        self._post("start", {"exam": exam}, timeout)
        return self._finish(exam, parameters, timeout)

    def _reassign(self, parameters: Mapping[str, Any], timeout: float) -> Outcome:
        """Do the cancelled exam anew on another row of the worklist."""
        step_ids = list(parameters["step_ids"])
        self._post("worklist", {"date": "today"}, timeout)
        ended = self._post("reassign", {"exam": self._last_exam, "step_ids": step_ids}, timeout)
        exam = self._last_exam = int(ended["exam"])
        self._last_objects = ended.get("objects", [])
        for step_id in step_ids:
            self._by_step[step_id] = exam
        return self._commit(exam, timeout) if parameters.get("commit") else Outcome(OutcomeState.DONE)

    def _start_step(self, parameters: Mapping[str, Any], timeout: float) -> Outcome:
        exam = self._open(parameters, timeout)
        self._post("start", {"exam": exam}, timeout)
        self._expose(exam, parameters, timeout)
        return Outcome(OutcomeState.DONE)

    def _finish_step(self, parameters: Mapping[str, Any], timeout: float) -> Outcome:
        return self._finish(self._last_exam, parameters, timeout)

    def _store_again(self, parameters: Mapping[str, Any], timeout: float) -> Outcome:
        del parameters
        self._post("send", {"exam": self._last_exam}, timeout)
        return Outcome(OutcomeState.DONE)

    def _request_commitment(self, parameters: Mapping[str, Any], timeout: float) -> Outcome:
        del parameters
        return self._commit(self._last_exam, timeout)

    def _create_presentation_state(self, parameters: Mapping[str, Any], timeout: float) -> Outcome:
        """Save how the last image is looked at, and ask commitment for it."""
        del parameters
        images = [each["sop_instance_uid"] for each in self._last_objects if each["modality"] not in ("PR", "KO", "SR")]
        if not images:
            raise _Failed(0, "there is no image to make a presentation state of")
        view = {"window_center": 2048.0, "window_width": 4096.0, "rotate": 90, "flip_h": True, "invert": True}
        made = self._post("save-gsps", {"instances": images[-1:], "label": "HARNESS", **view}, timeout)
        return self._commit(int(made["exam"]), timeout)

    def _create_media(self, parameters: Mapping[str, Any], timeout: float) -> Outcome:
        """Hand it the files as a drive would, have them imported and burned, and take the medium out."""
        kind = str(parameters.get("kind", "CD")).removeprefix("protected ")
        password = str(parameters.get("password", ""))
        target = Path(f"{parameters['folder']}.iso")
        name = f"{target.parent.parent.name}-{target.parent.name}"
        shutil.copytree(parameters["files"], self._home / "import" / name)
        taken = self._post("import", {"source": name}, timeout)
        if taken["refused"]:
            raise _Failed(0, "import: " + "; ".join(f"{one['file']}: {one['reason']}" for one in taken["refused"]))
        burned = self._post(
            "burn", {"studies": taken["studies"], "target": f"{name}.iso", "kind": kind, "password": password}, timeout
        )
        if burned["state"] != "done":
            raise _Failed(0, f"burn: {burned['message']}")
        shutil.copyfile(burned["target"], target)
        return Outcome(OutcomeState.DONE, "", {"medium": str(target)})

    def _print_images(self, parameters: Mapping[str, Any], timeout: float) -> Outcome:
        """Enter the printer, then print: images first, one unless the settings say more, then presentation states."""
        printer = _PEER.fullmatch(str(parameters["peer"]))
        if printer is None:
            raise _Failed(0, f"{parameters['peer']!r} is not an AE title at a host and port")
        node = {"enabled": "true", **printer.groupdict()}
        assignments = [f"nodes.printer.{key}={value}" for key, value in node.items()]
        self._post("config-set", {"assignments": assignments}, timeout)
        layout = _LAYOUT.search(str(parameters.get("settings", "")))
        count = int(layout["rows"]) if layout else 1
        images, states = parameters["images"][:count], parameters["images"][count:]
        asked = {"instances": images, "states": states, "layout": f"1x{count}"}
        job = self._post("print", asked, timeout)
        said = str(job["message"])
        told = said if job["state"] != "done" else said.partition("warnings: ")[2]
        return Outcome(OutcomeState.DONE, said, {"error": told})

    def _verify(self, parameters: Mapping[str, Any], timeout: float) -> Outcome:
        del parameters
        answer = self._post("verify", {}, timeout)
        return Outcome(OutcomeState.DONE, "", {"nodes": answer})

    # -- parts of an examination -------------------------------------------------------------------------------

    def _open(self, parameters: Mapping[str, Any], timeout: float) -> int:
        """Query the worklist broadly, take the rows, register them as one exam."""
        step_ids = list(parameters["step_ids"])
        self._post("worklist", {"date": "today"}, timeout)
        registered = self._post("register", {"step_ids": step_ids}, timeout)
        exam = self._last_exam = int(registered["exam"])
        for step_id in step_ids:
            self._by_step[step_id] = exam
        return exam

    def _expose(self, exam: int, parameters: Mapping[str, Any], timeout: float) -> None:
        images, reject = int(parameters.get("images", 1)), int(parameters.get("reject", 0))
        if images:
            self._post("expose", {"exam": exam, "count": images}, timeout)
        for _ in range(reject):
            self._post("reject", {"exam": exam}, timeout)

    def _finish(self, exam: int, parameters: Mapping[str, Any], timeout: float) -> Outcome:
        self._expose(exam, parameters, timeout)
        if parameters.get("end", "completed") == "discontinued":
            self._post("cancel", {"exam": exam, "reason": parameters.get("reason") or "110513"}, timeout)
        else:
            self._last_objects = self._post("end", {"exam": exam}, timeout).get("objects", [])
        if parameters.get("commit") and int(parameters.get("images", 1)) > int(parameters.get("reject", 0)):
            return self._commit(exam, timeout, stay=bool(parameters.get("stay")))
        return Outcome(OutcomeState.DONE)

    def _commit(self, exam: int, timeout: float, *, stay: bool = False) -> Outcome:
        answer = self._post("commit", {"exam": exam, "same_association": stay}, timeout)
        return Outcome(OutcomeState.DONE, "", {"commitments": answer.get("commitments", [])})

    def _post(self, operation: str, arguments: Mapping[str, Any], timeout: float) -> Any:
        status, answer, detail = call(
            f"{self._url}/api/{operation}", arguments, timeout=timeout, headers={"X-Modality-Token": self._token}
        )
        if 200 <= status < 300:
            return answer
        if isinstance(answer, dict) and isinstance(answer.get("error"), dict):
            detail = str(answer["error"].get("message", detail))
        raise _Failed(status, f"{operation}: {detail}")
