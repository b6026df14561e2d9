"""The Config and Status tabs: settings, verification of nodes, queue, event log, database."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from harness.modality import compression, config, images, workflow
from harness.modality.config import Configuration, NodeName
from harness.modality.domain import plain
from harness.modality.errors import NotFound, PeerProblem, Refused, StoreProblem
from harness.modality.network import VERIFICATION
from harness.modality.secure import Tls, usable
from harness.modality.services.examination import job_line
from harness.modality.services.kernel import Kernel
from harness.modality.store import schema

#: nodes that open associations to us, with the results of commitment or the images of a retrieval
_CALLERS = frozenset({NodeName.COMMITMENT, NodeName.QR})


def _is_loopback(host: str) -> bool:
    return host in {"localhost", "::1"} or host.startswith("127.")


class Administration:
    """Everything about the equipment rather than a patient."""

    def __init__(self, kernel: Kernel) -> None:
        self._k = kernel
        self.on_settings: Callable[[Configuration], None] = lambda settings: None

    # -- settings ----------------------------------------------------------------------------------------------

    def config_get(self, path: str = "") -> dict[str, Any]:
        """Return all settings, or those at a dotted path."""
        return {"path": path, "value": config.value_at(self._k.settings, path)}

    def config_set(self, assignments: Sequence[str]) -> dict[str, Any]:
        """Change settings by `table.key=value`; all of them or, if one is wrong, none."""
        return self._apply(config.assign(self._k.settings, *assignments))

    def config_import(self, settings: dict[str, Any]) -> dict[str, Any]:
        """Replace settings by those of nested tables, as `config_export` gives them."""
        return self._apply(config.from_mapping(settings, Configuration(), "import"))

    def config_export(self) -> dict[str, Any]:
        """Return all settings as tables and as TOML."""
        return {"settings": plain(self._k.settings), "toml": config.to_toml(self._k.settings)}

    def _apply(self, changed: Configuration) -> dict[str, Any]:
        before = self._k.settings
        compression.scheme(changed.end_exam.transfer_syntax)
        images.reported_modality(changed.equipment.modality)
        self._may_name(changed.tls, before.tls)
        usable(changed.tls, self._k.home)
        self._k.settings = config.check(changed)
        self._k.database.run(
            "INSERT OR REPLACE INTO Setting VALUES ('configuration', ?)", json.dumps(plain(changed), ensure_ascii=False)
        )
        if (changed.local, changed.tls) != (before.local, before.tls):
            self.on_settings(changed)
        self._k.tell()
        return {"settings": plain(changed), "dicom_port": self._k.listening_port()}

    def _may_name(self, tls: Tls, before: Tls) -> None:
        """Over the network only files below the home are named, or those that were set already. Raises Refused."""
        if not self._k.served:
            return
        for name in ("certificate", "key", "ca"):
            said = getattr(tls, name)
            if said and said != getattr(before, name):
                self._k.place(said, "tls")

    # -- nodes -------------------------------------------------------------------------------------------------

    def verify(self, node: str = "all") -> list[dict[str, Any]]:
        """Send a C-ECHO to one node or to all, tell the causes of a failure apart, and whether it can reach us."""
        try:
            names = list(NodeName) if node == "all" else [NodeName(node)]
        except ValueError:
            raise NotFound(f"no node {node!r}; there are {', '.join(NodeName)} and all") from None
        return [self._verified(name) for name in names]

    def _verified(self, name: NodeName) -> dict[str, Any]:
        settings = self._k.settings.nodes.get(name)
        made = {
            "node": name.value, "ae_title": settings.ae_title, "host": settings.host, "port": settings.port,
            "way_back": self._way_back(name),
        }  # fmt: skip
        try:
            with self._k.link(name, [self._k.context(VERIFICATION)]) as link:
                status = link.echo()
        except PeerProblem as problem:
            return {**made, "ok": False, "cause": problem.cause.value, "message": str(problem)}
        return {
            **made,
            "ok": status == 0,
            "cause": "" if status == 0 else "failure-status",
            "message": f"C-ECHO {status:04X}",
        }

    def _way_back(self, name: NodeName) -> str:
        """Say whether a node that opens associations to us has done so, and what it has to know for that."""
        if name not in _CALLERS:
            return ""
        local, port = self._k.settings.local, self._k.listening_port()
        if not port:
            return "nothing listens here now; `serve` opens our port, which this node has to reach"
        node = self._k.settings.nodes.get(name)
        for each in self._k.traffic.associations():
            if each["incoming"] and each["peer"] == node.ae_title and each["services"]:
                return f"it reached us last at {each['opened'][:19]}"
        if _is_loopback(local.host) and not _is_loopback(node.host):
            return f"we listen on {local.host} only, which no other machine can reach; change local.host"
        return f"it has not reached us yet; {local.ae_title} at {local.host}:{port} has to be entered there"

    # -- background work ---------------------------------------------------------------------------------------

    def queue(self, unfinished: bool = False) -> list[dict[str, Any]]:
        """List the jobs."""
        return self._k.queue.overview(unfinished=unfinished)

    def queue_history(self, job: int) -> list[dict[str, Any]]:
        """Show every attempt of a job."""
        return self._k.queue.history(job)

    def queue_retry(self, job: int) -> dict[str, Any]:
        """Try a job again now."""
        return job_line(self._k.queue.retry(job))

    def queue_cancel(self, job: int) -> dict[str, Any]:
        """Give a job up."""
        return job_line(self._k.queue.cancel(job))

    def queue_run(self, everything: bool = False) -> dict[str, Any]:
        """Do what is due now; with `everything`, also what waits for its retry time."""
        return {"tried": self._k.queue.run_due(everything=everything), "jobs": self._k.queue.overview(unfinished=True)}

    # -- status ------------------------------------------------------------------------------------------------

    def status(self) -> dict[str, Any]:
        """Tell how the modality is doing."""
        count = self._k.database.scalar
        return {
            "ae_title": self._k.settings.local.ae_title,
            "dicom_port": self._k.listening_port(),
            "time": self._k.now(),
            "exams": count("SELECT count(*) FROM Exam"),
            "studies": count("SELECT count(*) FROM Study WHERE deleted_dttm IS NULL"),
            "jobs_waiting": count("SELECT count(*) FROM Job WHERE state IN ('waiting', 'running')"),
            "jobs_failed": count("SELECT count(*) FROM Job WHERE state = 'failed'"),
            "commitments_open": count("SELECT count(*) FROM Commitment WHERE state = 'requested'"),
            "performed_steps": self._k.database.rows(
                "SELECT * FROM PerformedStep ORDER BY performed_key DESC LIMIT 20"
            ),
        }

    def events(self, level: int = 3, kind: str = "", limit: int = 200) -> list[dict[str, Any]]:
        """Show the event log, newest first."""
        return self._k.database.rows(
            "SELECT * FROM EventLog WHERE level <= ? AND (? = '' OR kind = ?) ORDER BY event_key DESC LIMIT ?",
            level, kind, kind, max(1, min(limit, 10000)),
        )  # fmt: skip

    def associations(self) -> list[dict[str, Any]]:
        """List the latest associations of this process, ours and those of peers, newest first."""
        return self._k.traffic.associations()

    def capture_save(self, target: str) -> dict[str, Any]:
        """Write what passed on all associations as a pcapng file for Wireshark; `serve` keeps it from its start."""
        place = self._k.place(target, "export")
        if place.exists() or place.is_symlink():
            raise Refused(f"{place} is there already; choose another name or remove it")
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
            packets = self._k.traffic.write(place)
        except OSError as error:
            raise StoreProblem(f"{place}: {error.strerror or error}; free space or choose another place") from error
        if not packets:
            raise NotFound("no traffic was kept; run `serve`, which keeps it")
        return {"target": str(place), "packets": packets}

    def db_schema(self) -> dict[str, Any]:
        """Return the DDL of the database."""
        return {"version": self._k.database.version, "ddl": schema.ddl()}

    def db_check(self) -> dict[str, Any]:
        """Check the database: the file, its counters, and that every object's file is there."""
        problems = self._k.database.check()
        for row in self._k.database.rows("SELECT path_name, file_name FROM Instance WHERE deleted_dttm IS NULL"):
            if not (self._k.home / row["path_name"] / row["file_name"]).is_file():
                problems.append(f"file missing: {Path(row['path_name']) / row['file_name']}")
        return {"ok": not problems, "problems": problems}

    def workflow(self, format: str = "mermaid") -> dict[str, Any]:
        """Return the state machine of an exam as a Mermaid diagram or a Markdown table."""
        makers = {"mermaid": workflow.mermaid, "markdown": workflow.markdown}
        if format not in makers:
            raise Refused(f"no format {format!r}; there are {', '.join(makers)}")
        return {"format": format, "text": makers[format]()}
