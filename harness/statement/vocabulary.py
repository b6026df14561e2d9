"""What UIDs, services, character sets and transactions are called, and which transaction needs which SOP class."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from pydicom._uid_dict import UID_dictionary

from harness.protocols.dicom import uids
from harness.statement.model import Role

SCU, SCP = Role.SCU, Role.SCP
_UID: Final = re.compile(r"(0|[1-9]\d*)(\.(0|[1-9]\d*))+")
_DICOM_ROOT: Final = "1.2.840.10008."

_SERVICES: Final[Mapping[str, str]] = {
    uids.VERIFICATION: "Verification",
    uids.STORAGE_COMMITMENT: "Storage Commitment",
    uids.MPPS: "Modality Performed Procedure Step",
    uids.MPPS_RETRIEVE: "Modality Performed Procedure Step",
    uids.MPPS_NOTIFICATION: "Modality Performed Procedure Step",
    uids.MODALITY_WORKLIST: "Modality Worklist",
    uids.INSTANCE_AVAILABILITY: "Instance Availability Notification",
}
_QUERY: Final = "1.2.840.10008.5.1.4.1.2."
_PRINT: Final = "1.2.840.10008.5.1.1."
_STORAGE: Final = frozenset(uids.STORAGE)
STORAGE_SERVICE: Final = "Storage"


def is_uid(text: str) -> bool:
    """Whether it is a UID by PS3.5 section 9.1: at most 64 digits and dots, no leading zeros."""
    return len(text) <= 64 and _UID.fullmatch(text) is not None


@dataclass(frozen=True, slots=True)
class Registered:
    """An entry of the registry of PS3.6 annex A."""

    name: str
    kind: str
    retired: bool


@functools.lru_cache(maxsize=4096)
def registered(uid: str) -> Registered | None:
    """What PS3.6 knows of a UID, or None."""
    entry = UID_dictionary.get(uid)
    if entry is None:
        return None
    return Registered(entry[0].removesuffix(" (Retired)"), entry[1], bool(entry[3]))


def is_dicom(uid: str) -> bool:
    """Whether the UID is under the root that only the standard may give out."""
    return uid.startswith(_DICOM_ROOT)


def name_of(uid: str) -> str:
    """The registered name, or the UID itself."""
    entry = registered(uid)
    return entry.name if entry else uid


@functools.lru_cache(maxsize=4096)
def service_of(uid: str) -> str:
    """The service class that a SOP class belongs to."""
    if uid in _SERVICES:
        return _SERVICES[uid]
    if uid.startswith(_QUERY):
        return "Query/Retrieve"
    name = name_of(uid)
    if uid in _STORAGE or re.search(r"\bStorage\b", name):
        return STORAGE_SERVICE
    if uid.startswith(_PRINT):
        return "Print Management"
    return "Other" if registered(uid) else "Private"


def comparable(name: str) -> str:
    """A name without what people write differently: case, punctuation, "SOP Class", "Retired"."""
    plain = re.sub(r"\(retired\)|\bsop class\b|\bthe\b", " ", name.lower())
    return re.sub(r"[^a-z0-9]+", "", plain.replace("&", "and"))


CHARACTER_SETS: Final[Mapping[str, str]] = {
    "": "Default repertoire",
    "ISO_IR 6": "Default repertoire",
    "ISO_IR 13": "Japanese, JIS X 0201",
    "ISO_IR 100": "Latin alphabet No. 1",
    "ISO_IR 101": "Latin alphabet No. 2",
    "ISO_IR 109": "Latin alphabet No. 3",
    "ISO_IR 110": "Latin alphabet No. 4",
    "ISO_IR 126": "Greek",
    "ISO_IR 127": "Arabic",
    "ISO_IR 138": "Hebrew",
    "ISO_IR 144": "Cyrillic",
    "ISO_IR 148": "Latin alphabet No. 5",
    "ISO_IR 166": "Thai",
    "ISO_IR 192": "Unicode in UTF-8",
    "ISO_IR 203": "Latin alphabet No. 9",
    "GB18030": "GB18030",
    "GBK": "GBK",
    "ISO 2022 IR 6": "Default repertoire with code extensions",
    "ISO 2022 IR 13": "Japanese, JIS X 0201 with code extensions",
    "ISO 2022 IR 58": "Simplified Chinese",
    "ISO 2022 IR 87": "Japanese, JIS X 0208",
    "ISO 2022 IR 100": "Latin alphabet No. 1 with code extensions",
    "ISO 2022 IR 144": "Cyrillic with code extensions",
    "ISO 2022 IR 149": "Korean, KS X 1001",
    "ISO 2022 IR 159": "Japanese, JIS X 0212",
    "ISO 2022 IR 166": "Thai with code extensions",
}

_ROOT_FIND: Final = (uids.STUDY_ROOT_FIND,)
_ROOT_MOVE: Final = (uids.STUDY_ROOT_MOVE,)

#: transaction -> SOP classes that its initiator uses as SCU; storage of images depends on the product
TRANSACTION_CLASSES: Final[Mapping[str, tuple[str, ...]]] = {
    "RAD-5": (uids.MODALITY_WORKLIST,),
    "RAD-6": (uids.MPPS,),
    "RAD-7": (uids.MPPS,),
    "RAD-9": (uids.GRAYSCALE_PRESENTATION_STATE,),
    "RAD-10": (uids.STORAGE_COMMITMENT,),
    "RAD-11": _ROOT_FIND,
    "RAD-14": _ROOT_FIND,
    "RAD-15": _ROOT_FIND,
    "RAD-16": _ROOT_MOVE,
    "RAD-17": _ROOT_MOVE,
    "RAD-19": (uids.GRAYSCALE_PRESENTATION_STATE,),
    "RAD-20": (uids.MPPS,),
    "RAD-21": (uids.MPPS,),
    "RAD-23": (uids.BASIC_GRAYSCALE_PRINT, uids.PRESENTATION_LUT),
    "RAD-26": _ROOT_FIND,
    "RAD-27": _ROOT_MOVE,
    "RAD-29": (uids.KEY_OBJECT_SELECTION,),
    "RAD-30": _ROOT_FIND,
    "RAD-31": _ROOT_MOVE,
    "RAD-44": _ROOT_FIND,
    "RAD-45": _ROOT_MOVE,
    "RAD-49": (uids.INSTANCE_AVAILABILITY,),
}

#: message -> what a reader calls the activity
ACTIVITIES: Final[Mapping[str, str]] = {
    "C-ECHO": "Verify communication",
    "C-STORE": "Transfer instances",
    "C-FIND": "Query",
    "C-MOVE": "Retrieve to a destination",
    "C-GET": "Retrieve on the same association",
    "N-CREATE": "Create",
    "N-SET": "Update",
    "N-GET": "Read",
    "N-ACTION": "Request an action",
    "N-DELETE": "Delete",
    "N-EVENT-REPORT": "Report an event",
}


def activity_name(message: str, uid: str) -> str:
    """What the activity is called: ``Query (Modality Worklist)``."""
    if message == "C-ECHO":
        return ACTIVITIES[message]
    service = service_of(uid)
    by_class = service in (STORAGE_SERVICE, "Query/Retrieve", "Print Management", "Other", "Private")
    what = name_of(uid) if by_class else service
    return f"{ACTIVITIES.get(message, message)} ({what})"


def status_meaning(code: int) -> str:
    """The class of a status (PS3.7 annex C) or its name where every service means the same by it."""
    known = {
        0x0000: "Success",
        0x0001: "Warning: optional attributes not supported",
        0x0105: "Failure: no such attribute",
        0x0106: "Failure: invalid attribute value",
        0x0107: "Warning: attribute list error",
        0x0110: "Failure: processing failure",
        0x0111: "Failure: duplicate SOP instance",
        0x0112: "Failure: no such object instance",
        0x0113: "Failure: no such event type",
        0x0115: "Failure: invalid argument value",
        0x0116: "Warning: attribute value out of range",
        0x0117: "Failure: invalid object instance",
        0x0118: "Failure: no such SOP class",
        0x0119: "Failure: class-instance conflict",
        0x0120: "Failure: missing attribute",
        0x0121: "Failure: missing attribute value",
        0x0122: "Refused: SOP class not supported",
        0x0123: "Failure: no such action type",
        0x0124: "Refused: not authorized",
        0x0210: "Failure: duplicate invocation",
        0x0211: "Failure: unrecognized operation",
        0x0212: "Failure: mistyped argument",
        0x0213: "Failure: resource limitation",
        0xFE00: "Cancel",
        0xFF00: "Pending",
        0xFF01: "Pending: optional keys not supported",
    }
    if code in known:
        return known[code]
    top = code >> 12
    if top == 0xB:
        return "Warning"
    if code >> 8 == 0xA7:
        return "Refused: out of resources"
    if top == 0xA:
        return "Failure: refused or error"
    return "Failure: unable to process" if top == 0xC else "Unknown"


@functools.cache
def sop_class_uids() -> tuple[str, ...]:
    """Every SOP class that PS3.6 registers, current ones first."""
    found = [(bool(entry[3]), uid) for uid, entry in UID_dictionary.items() if "SOP Class" in entry[1]]
    return tuple(uid for _, uid in sorted(found))
