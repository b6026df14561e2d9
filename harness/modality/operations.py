"""Every button once: name, the service function behind it, and whether it changes anything.

The command line and the HTTP interface are both made from this table, so that they cannot drift apart.
"""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from harness.modality.service import Modality
from harness.modality.services.administration import Administration
from harness.modality.services.delivery import Delivery
from harness.modality.services.examination import Examination
from harness.modality.services.files import Files
from harness.modality.services.media import Media
from harness.modality.services.printing import Printing
from harness.modality.services.registration import Registration
from harness.modality.services.retrieval import Retrieval
from harness.modality.services.review import Review
from harness.modality.services.studies import Studies


@dataclass(frozen=True, slots=True)
class Parameter:
    """One argument of an operation; `kind` is str, int, float, bool, dict, or a list of str or int."""

    name: str
    kind: Any
    default: Any
    optional: bool

    @property
    def required(self) -> bool:
        """Say whether the caller has to give it."""
        return self.default is inspect.Parameter.empty


@dataclass(frozen=True, slots=True)
class Operation:
    """One button. `needs_port` says that a peer may have to reach our listener while it runs."""

    name: str
    part: str
    function: Callable[..., Any]
    writes: bool = True
    needs_port: bool = False

    @property
    def summary(self) -> str:
        """The first paragraph of the function's documentation."""
        return " ".join((inspect.getdoc(self.function) or "").split("\n\n")[0].split())

    def parameters(self) -> tuple[Parameter, ...]:
        """Return the arguments besides the service itself."""
        hints = typing.get_type_hints(self.function)
        made = []
        for name, parameter in list(inspect.signature(self.function).parameters.items())[1:]:
            kind, optional = hints[name], False
            if type(None) in typing.get_args(kind):
                kind, optional = next(a for a in typing.get_args(kind) if a is not type(None)), True
            if typing.get_origin(kind) is Sequence or (typing.get_origin(kind) is not None and kind is not dict):
                origin = typing.get_origin(kind)
                kind = dict if origin is dict else list[typing.get_args(kind)[0]]  # type: ignore[misc]
            default = list(parameter.default) if isinstance(parameter.default, tuple) else parameter.default
            made.append(Parameter(name, kind, default, optional))
        return tuple(made)

    def call(self, modality: Modality, arguments: dict[str, Any]) -> Any:
        """Do it."""
        return self.function(getattr(modality, self.part), **arguments)


def _of(part: str, *entries: tuple[str, Callable[..., Any], str]) -> tuple[Operation, ...]:
    return tuple(Operation(name, part, function, "w" in flags, "p" in flags) for name, function, flags in entries)


OPERATIONS: tuple[Operation, ...] = (
    *_of(
        "registration",
        ("worklist", Registration.worklist, "w"),
        ("worklist-status", Registration.worklist_status, ""),
        ("worklist-rows", Registration.rows, ""),
        ("register", Registration.register, "w"),
        ("modify", Registration.modify, "w"),
        ("dismiss", Registration.dismiss, "w"),
        ("append", Registration.append, "w"),
    ),
    *_of(
        "examination",
        ("start", Examination.start, "w"),
        ("select", Examination.select, "w"),
        ("ready", Examination.ready, "w"),
        ("shot", Examination.shot, "w"),
        ("expose", Examination.expose, "w"),
        ("confirm", Examination.confirm, "w"),
        ("reject", Examination.reject, "w"),
        ("end", Examination.end, "wp"),
        ("cancel", Examination.cancel, "wp"),
        ("reassign", Examination.reassign, "wp"),
        ("exams", Examination.exams, ""),
        ("show", Examination.show, ""),
    ),
    *_of(
        "delivery",
        ("send", Delivery.send, "w"),
        ("commit", Delivery.commit, "wp"),
        ("recover", Delivery.recover, "wp"),
        ("commitments", Delivery.commitments, ""),
    ),
    *_of(
        "studies",
        ("studies", Studies.studies, ""),
        ("series", Studies.series, ""),
        ("instances", Studies.instances, ""),
        ("related", Studies.related, ""),
        ("study-modify", Studies.study_modify, "w"),
        ("delete", Studies.delete, "w"),
        ("purge", Studies.purge, "w"),
        ("dump", Studies.dump, ""),
        ("compress-report", Studies.compress_report, ""),
    ),
    *_of(
        "review",
        ("review", Review.review, ""),
        ("preview", Review.preview, ""),
        ("save-gsps", Review.save_gsps, "wp"),
        ("key-note", Review.key_note, "wp"),
    ),
    *_of(
        "retrieval",
        ("find", Retrieval.find, "w"),
        ("move", Retrieval.move, "wp"),
        ("get", Retrieval.get, "w"),
    ),
    *_of(
        "printing",
        ("print", Printing.print_film, "w"),
        ("print-preview", Printing.print_preview, ""),
        ("printer-status", Printing.printer_status, "w"),
    ),
    *_of(
        "media",
        ("burn", Media.burn, "w"),
        ("media-preview", Media.media_preview, ""),
        ("media-list", Media.media_list, ""),
    ),
    *_of(
        "files",
        ("import", Files.import_files, "w"),
        ("export", Files.export, "w"),
        ("compress", Files.compress, "w"),
        ("render", Files.render, "w"),
    ),
    *_of(
        "administration",
        ("verify", Administration.verify, "w"),
        ("status", Administration.status, ""),
        ("queue", Administration.queue, ""),
        ("queue-history", Administration.queue_history, ""),
        ("queue-retry", Administration.queue_retry, "w"),
        ("queue-cancel", Administration.queue_cancel, "w"),
        ("queue-run", Administration.queue_run, "w"),
        ("events", Administration.events, ""),
        ("associations", Administration.associations, ""),
        ("capture-save", Administration.capture_save, "w"),
        ("config-get", Administration.config_get, ""),
        ("config-set", Administration.config_set, "w"),
        ("config-import", Administration.config_import, "w"),
        ("config-export", Administration.config_export, ""),
        ("db-schema", Administration.db_schema, ""),
        ("db-check", Administration.db_check, ""),
        ("workflow", Administration.workflow, ""),
    ),
)
BY_NAME = {operation.name: operation for operation in OPERATIONS}
