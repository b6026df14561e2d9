"""How a scenario may have our actors answer: what is answered, and with what."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from harness.actors.image_manager_behaviour import CommitmentReply, Way
from harness.actors.objects import SOP_CLASSES
from harness.core.errors import UsageError
from harness.profiles import names
from harness.protocols.dicom import uids

_STATUS: Final = "<status>"
#: not the final status of a response, but one of two kinds of matches
MIXED: Final = "FF00 and FF01 in turn"
ABORT: Final = "A-ABORT"
_LATE: Final = "0000 after <seconds> seconds"
_LOST: Final = "B000 for <count> image(s)"
NOTHING: Final = "nothing"
UNKNOWN_DESTINATION: Final = "A801"
NO_RESOURCES: Final = "A700"

#: operations of a print server: the message and the SOP class
PRINT_OPERATIONS: Final[Mapping[str, tuple[str, str]]] = {
    "film session": ("N-CREATE-RQ", uids.BASIC_FILM_SESSION),
    "film box": ("N-CREATE-RQ", uids.BASIC_FILM_BOX),
    "image box": ("N-SET-RQ", uids.BASIC_GRAYSCALE_IMAGE_BOX),
    "Presentation LUT": ("N-CREATE-RQ", uids.PRESENTATION_LUT),
    "print": ("N-ACTION-RQ", uids.BASIC_FILM_BOX),
}

#: actor -> what it answers -> answers it may give
ANSWERS: Final[Mapping[str, Mapping[str, tuple[str, ...]]]] = {
    names.ORDER_FILLER: {
        "every query": (_STATUS, MIXED),
        "the next message": ("AE", "AR", NOTHING),
    },
    names.IMAGE_MANAGER: {
        "the next image": (_STATUS, ABORT, _LATE),
        "every retrieve": (UNKNOWN_DESTINATION,),
        "the next retrieve": (_LOST,),
        "the next message": ("AE", "AR", NOTHING),
    },
    names.ORDER_PLACER: {"the next message": ("AE", "AR", NOTHING)},
    names.ADT: {"the next message": ("AE", "AR", NOTHING)},
    names.IMAGE_DISPLAY: {f"every {kind} object": (NO_RESOURCES,) for kind in SOP_CLASSES},
    names.PRINT_SERVER: {f"the first {operation}": (_STATUS,) for operation in PRINT_OPERATIONS},
}


def require_answer(who: str, what: str, answer: str) -> None:
    """Raises UsageError for an answer that nobody can give, naming those that can be."""
    if who not in ANSWERS:
        raise UsageError(f"the {who} answers nothing otherwise than it should; known: {', '.join(ANSWERS)}")
    if what not in ANSWERS[who]:
        raise UsageError(f"the {who} is not asked {what!r}; known: {', '.join(ANSWERS[who])}")
    known = ANSWERS[who][what]
    if not any(_means(pattern, answer) for pattern in known):
        raise UsageError(f"{answer!r} is no answer of the {who} to {what}; known: {', '.join(known)}")


def _means(pattern: str, answer: str) -> bool:
    if pattern == _STATUS:
        return re.fullmatch("[0-9A-Fa-f]{4}", answer) is not None
    if pattern == _LATE:
        return late(answer) is not None
    return lost(answer) is not None if pattern == _LOST else pattern == answer


def late(answer: str) -> float | None:
    """The seconds of an answer that comes so much later; None for another answer."""
    found = re.fullmatch(r"0000 after (\d+(?:\.\d+)?) seconds", answer)
    return float(found[1]) if found else None


def lost(answer: str) -> int | None:
    """How many sub-operations fail of a retrieve that is answered so; None for another answer."""
    found = re.fullmatch(r"B000 for (\d+) images?", answer)
    return int(found[1]) if found else None


_WAYS: Final[Mapping[str, CommitmentReply]] = {
    "on a new association": CommitmentReply(Way.SEPARATE_ASSOCIATION),
    "on the same association": CommitmentReply(Way.SAME_ASSOCIATION),
    "twice": CommitmentReply(Way.SEPARATE_ASSOCIATION, copies=2),
}


def commitment(way: str) -> CommitmentReply:
    """How our archive reports commitment. Raises UsageError for a way that it does not know."""
    if found := re.fullmatch(r"on a new association (\d+(?:\.\d+)?) seconds later", way):
        return CommitmentReply(Way.SEPARATE_ASSOCIATION, delay=float(found[1]))
    if found := re.fullmatch(r"with (\d+) failed instances?", way):
        return CommitmentReply(failures=int(found[1]))
    if way not in _WAYS:
        known = ", ".join((*_WAYS, "on a new association <seconds> seconds later", "with <count> failed instance(s)"))
        raise UsageError(f"commitment is not reported {way!r}; known: {known}")
    return _WAYS[way]
