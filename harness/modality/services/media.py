"""CD Burn: studies on a folder, a ZIP file or an ISO image, as a job of the queue that reads back what it wrote."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from harness.modality.burning import Form, Kind, Writer, burn, form_of, profile_of
from harness.modality.errors import NotFound, Refused, StoreProblem
from harness.modality.jobs import Job, Permanent
from harness.modality.services.examination import job_line
from harness.modality.services.kernel import Kernel
from harness.modality.store import documents
from harness.protocols.media.writing import MediumPlan, write


class Media:
    """Burning."""

    def __init__(self, kernel: Kernel, writer: Writer = write) -> None:
        self._k, self._writer = kernel, writer
        #: by subject of the job; passwords are never written down
        self._passwords: dict[str, str] = {}
        kernel.queue.handle("media", self._write)

    def burn(
        self,
        studies: Sequence[str],
        target: str = "",
        form: str = "",
        pages: bool = True,
        kind: str = "CD",
        password: str = "",
        wait: bool = True,
    ) -> dict[str, Any]:
        """Put studies on media: a new folder, ZIP file or ISO image, by default under the modality's home.

        Without `form` the ending of `target` says which. `kind` is CD, DVD or USB. `pages` adds pages for a browser;
        with a `password` there are none, and every DICOM file is encrypted. What was written is read back and compared
        with what was meant.
        """
        found = self._objects(studies)
        if form and form not in set(Form):
            raise Refused(f"no form {form!r}; there are {', '.join(Form)}")
        if kind not in set(Kind):
            raise Refused(f"no kind of medium {kind!r}; there are {', '.join(Kind)}")
        protection(password)
        chosen = Form(form) if form else form_of(target)
        number = self._k.database.next("media")
        ending = "" if chosen is Form.FOLDER else f".{chosen}"
        place = self._k.place(target, "media") if target else self._k.home / "media" / f"{number:05d}{ending}"
        if form and target and form_of(target) is not chosen:
            raise Refused(f"{target} does not end as a {chosen} does; use .zip, .iso, or no such ending for a folder")
        place = place.absolute()
        _check_free(place, chosen)
        payload = {
            "files": [f"{row['path_name']}/{row['file_name']}" for row in found],
            "target": str(place),
            "form": chosen.value,
            "pages": pages and not password,
            "profile": profile_of(Kind(kind), {row["transfer_syntax"] for row in found}),
            "protected": bool(password),
            "file_set": self._k.uids.new(),
        }
        if password:
            self._passwords[f"media:{number}"] = password
        key = self._k.queue.add("media", f"media:{number}", payload)
        job = self._k.queue.run(key)[0] if wait else self._k.queue.get(key)
        return {**job_line(job), "target": str(place), "form": chosen.value, "objects": len(found)}

    def _objects(self, studies: Sequence[str]) -> list[dict[str, Any]]:
        found = [row for study in dict.fromkeys(studies) for row in self._k.archive.instances(study)]
        if not found:
            raise NotFound("these studies hold no objects")
        return found

    def media_preview(self, studies: Sequence[str]) -> dict[str, Any]:
        """Tell what burning these studies would put on a medium: patients, studies, series, objects and bytes."""
        tree = []
        for study in dict.fromkeys(studies):
            rows = self._k.archive.instances(study)
            about = self._k.database.row("SELECT * FROM Study WHERE study_instance_uid = ?", study)
            if about is None or not rows:
                continue
            series: dict[str, dict[str, Any]] = {}
            for row in rows:
                entry = series.setdefault(
                    row["series_instance_uid"],
                    {"modality": row["modality"], "number": row["series_no"], "objects": 0, "bytes": 0},
                )
                entry["objects"] += 1
                entry["bytes"] += row["instance_size"]
            tree.append(
                {
                    "study_instance_uid": study,
                    "patient_id": about["patient_id"],
                    "patient_name": about["patient_name"],
                    "date": about["study_dttm"],
                    "description": about["study_desc"],
                    "series": list(series.values()),
                }
            )
        listed = [entry for study in tree for entry in study["series"]]
        return {
            "items": tree,
            "objects": sum(entry["objects"] for entry in listed),
            "bytes": sum(entry["bytes"] for entry in listed),
        }

    def media_list(self) -> list[dict[str, Any]]:
        """List the media that were asked for, newest first, with what became of each."""
        rows = self._k.database.rows("SELECT job_key, payload, state, message, created_dttm FROM MediaJob")
        made = []
        for row in reversed(rows):
            payload = documents.value(row.pop("payload"), f"job {row['job_key']}")
            progress = self._k.queue.progress(row["job_key"])
            about = {
                "objects": len(payload["files"]), "form": payload["form"], "target": payload["target"],
                "profile": payload.get("profile", "STD-GEN-CD"), "protected": payload.get("protected", False),
            }  # fmt: skip
            made.append({"job": row.pop("job_key"), **row, **about, "progress": progress})
        return made

    def file_of(self, job: int) -> Path:
        """Return the ZIP file or ISO image that a finished job made below the home; raises NotFound."""
        found = self._k.queue.get(job)
        target = Path(str(found.payload.get("target", "")))
        ours = (self._k.home / "media").resolve()
        if found.kind != "media" or not target.is_file() or not target.resolve().is_relative_to(ours):
            raise NotFound(f"job {job} made no file that can be fetched here")
        return target

    def _write(self, job: Job) -> str:
        target, form = Path(job.payload["target"]), Form(job.payload["form"])
        files = [self._k.home / each for each in job.payload["files"]]
        done = f"{len(files)} object(s) in {target}, read back and compared"
        if job.interrupted and target.exists() and (form is not Form.FOLDER or any(target.iterdir())):
            # It only takes its place after the comparison, so the attempt that was cut off had finished.
            return done
        try:
            _check_free(target, form)
            target.parent.mkdir(parents=True, exist_ok=True)
            burn(
                files, target, self._plan(job), job.payload["file_set"],
                lambda done, total: self._k.queue.report(job.key, done, total), self._writer,
            )  # fmt: skip
        except OSError as error:
            raise StoreProblem(
                f"{target}: {error.strerror or error}; nothing was left there: free space or choose another place, "
                "then retry"
            ) from error
        except Refused as error:
            raise Permanent(str(error)) from None
        self._passwords.pop(job.subject, None)
        return done

    def _plan(self, job: Job) -> MediumPlan:
        password = self._passwords.get(job.subject, "")
        if job.payload.get("protected") and not password:
            raise Permanent("the password was kept in memory only and is gone; write the medium anew")
        settings = self._k.settings
        maker = settings.equipment
        return MediumPlan(
            profile=str(job.payload.get("profile", "STD-GEN-CD")),
            web=bool(job.payload["pages"]),
            protect=protection(password),
            label="REFMODALITY",
            institution=settings.institution.name,
            today=self._k.clock.now().date(),
            contact=f"{settings.institution.department} of the institution",
            product=f"{maker.manufacturer} {maker.model}, version {maker.software_version}",
            vendor_contact=maker.manufacturer,
        )


def protection(password: str) -> Callable[[bytes], bytes] | None:
    """What encrypts files by a password, None without one. Raises UsageError for one that media cannot have."""
    if not password:
        return None
    # not before it is needed: cryptography is slow to load, and not in every installation
    from harness.protocols.media.secure import Protection

    return Protection(password)


def _check_free(target: Path, form: Form) -> None:
    if form is Form.FOLDER and target.is_dir() and not any(target.iterdir()):
        return
    if target.exists() or target.is_symlink():
        raise Refused(f"{target} is there already; choose another name or remove it")
