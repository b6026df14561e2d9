"""Ways to be wrong with queries and retrieves that archives, repositories and their readers share (PS3.4 C.4)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

from pydicom.dataset import Dataset

from harness.actors.archive_keys import Level
from harness.actors.defects.having import having
from harness.actors.image_display import ImageDisplayBehaviour
from harness.actors.image_manager_behaviour import (
    PENDING_UNSUPPORTED_KEYS,
    SUB_OPERATIONS_FAILED,
    ImageManagerBehaviour,
    SubOperations,
)
from harness.actors.records import CHARACTER_SET, Record, tag_of

Archive = Callable[[ImageManagerBehaviour], ImageManagerBehaviour]
Reader = Callable[[ImageDisplayBehaviour], ImageDisplayBehaviour]


_archive = partial(having, ImageManagerBehaviour)
_reader = partial(having, ImageDisplayBehaviour)


def _ascii_only(record: Record, level: Level) -> Record:
    """Letters beyond ASCII become question marks."""
    return {tag: tuple(_plain(part) for part in value) for tag, value in record.items() if tag != CHARACTER_SET}


def _plain(part: Any) -> Any:
    return part.encode("ascii", "replace").decode() if isinstance(part, str) else part


def _without_study_id(record: Record, level: Level) -> Record:
    return {tag: value for tag, value in record.items() if tag != tag_of("StudyID")}


def _nothing_remains(counts: SubOperations) -> SubOperations:
    return replace(counts, remaining=0)


IGNORES_CANCEL = _archive(honours_cancel=False)
GARBLES = _archive(describe=_ascii_only)

#: an Image Manager/Archive as the scenarios of workflow meet it
ARCHIVE_RETRIEVAL_DEFECTS: tuple[tuple[str, str, str, Archive], ...] = (
    ("archive-ignores-cancel", "C-CANCEL has no effect", "RAD-14-SCP-16 RAD-16-SCP-09", IGNORES_CANCEL),
    ("archive-garbles-names", "Names come back with question marks beyond ASCII", "RAD-14-SCP-02", GARBLES),
    (
        "archive-leaves-out-study-id",
        "Study ID is taken for an optional key: not returned, with FF01",
        "RAD-14-SCP-02",
        _archive(describe=_without_study_id, pending_status=lambda query: PENDING_UNSUPPORTED_KEYS),
    ),
    (
        "archive-always-warns",
        "Every retrieve ends with B000, also one without a failure",
        "RAD-16-SCP-02 RAD-16-SCP-08",
        _archive(retrieve_status=lambda counts: SUB_OPERATIONS_FAILED),
    ),
    (
        "archive-nothing-remains",
        "Pending responses say that nothing remains to be done",
        "RAD-16-SCP-02 RAD-16-SCP-08",
        _archive(counts=_nothing_remains),
    ),
    (
        "archive-lists-no-failures",
        "The response does not say which instances could not be delivered",
        "RAD-16-SCP-04",
        _archive(lists_failed=False),
    ),
)

REPOSITORY_RETRIEVAL_DEFECTS: tuple[tuple[str, str, str, Archive], ...] = (
    ("repository-ignores-cancel", "C-CANCEL has no effect", "RAD-27-SCP-05", IGNORES_CANCEL),
    ("repository-garbles-names", "Names come back with question marks beyond ASCII", "RAD-26-SCP-03", GARBLES),
)
EXTERNAL_RETRIEVAL_DEFECTS: tuple[tuple[str, str, str, Archive], ...] = (
    ("external-ignores-cancel", "C-CANCEL has no effect", "RAD-27-SCP-05", IGNORES_CANCEL),
)


def _relational(identifier: Dataset) -> Dataset:
    """Documents are asked for without saying of which series."""
    if identifier.QueryRetrieveLevel == "IMAGE":
        identifier.SeriesInstanceUID = None
    return identifier


READER_RETRIEVAL_DEFECTS: tuple[tuple[str, str, str, Reader], ...] = (
    (
        "reader-relational",
        "Asks for documents without their series, and gets none",
        "RAD-26-SCU-03 RAD-27-SCU-01 ARI-SRC-01",
        _reader(asked=_relational),
    ),
    (
        "reader-moves-elsewhere",
        "Has reports delivered to an AE title that is not its own",
        "RAD-27-SCU-05 RAD-27-SCU-01 ARI-ACT-03",
        _reader(destination=lambda own: "ELSEWHERE"),
    ),
)
