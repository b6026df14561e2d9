"""What the technologist can choose from: procedures with their protocols."""

from __future__ import annotations

from harness.modality.domain import Code, ProcedureEntry, ProtocolEntry
from harness.modality.errors import NotFound

SCHEME = "99REFMOD"
_AP = Code("399348003", "SCT", "antero-posterior")
_PA = Code("272479007", "SCT", "postero-anterior")
_LATERAL = Code("399067008", "SCT", "lateral projection")


def _protocol(code: str, name: str, view: str, view_code: Code, orientation: str = "L\\F") -> ProtocolEntry:
    return ProtocolEntry(name, Code(code, SCHEME, name), view, view_code, orientation)


PROCEDURES: tuple[ProcedureEntry, ...] = (
    ProcedureEntry(
        "Cervical", Code("C-SPINE", SCHEME, "Cervical spine radiography"), "CSPINE",
        Code("122494005", "SCT", "Cervical spine"),
        (
            _protocol("CS-AP", "AP Lower Cervical", "AP", _AP),
            _protocol("CS-OM", "AP Open Mouth", "AP", _AP),
            _protocol("CS-LAT", "Neutral Lateral", "LL", _LATERAL, "P\\F"),
        ),
        "step-wedge",
    ),
    ProcedureEntry(
        "Chest", Code("CHEST", SCHEME, "Chest radiography"), "CHEST", Code("51185008", "SCT", "Chest"),
        (
            _protocol("CH-PA", "Chest PA", "PA", _PA, "R\\F"),
            _protocol("CH-LAT", "Chest Lateral", "LL", _LATERAL, "P\\F"),
            _protocol("CH-AP", "Chest AP", "AP", _AP),
        ),
    ),
    ProcedureEntry(
        "Wrist", Code("WRIST", SCHEME, "Wrist radiography"), "WRIST", Code("74670003", "SCT", "Wrist joint"),
        (
            _protocol("WR-PA", "Wrist PA", "PA", _PA, "R\\F"),
            _protocol("WR-LAT", "Wrist Lateral", "LL", _LATERAL, "P\\F"),
        ),
        "resolution-bars",
        "L",
    ),
    ProcedureEntry(
        "Abdomen", Code("ABDOMEN", SCHEME, "Abdomen radiography"), "ABDOMEN", Code("113345001", "SCT", "Abdomen"),
        (_protocol("AB-AP", "Abdomen AP", "AP", _AP), _protocol("AB-LAT", "Abdomen Lateral", "LL", _LATERAL, "P\\F")),
        "test-pattern",
    ),
)  # fmt: skip
DEFAULT = PROCEDURES[1]


def procedure(name: str) -> ProcedureEntry:
    """Return a procedure by name or code; raise NotFound naming those that exist."""
    for entry in PROCEDURES:
        if name.lower() in {entry.name.lower(), entry.code.value.lower()}:
            return entry
    raise NotFound(f"no procedure {name!r}; there are {', '.join(entry.name for entry in PROCEDURES)}")


def protocol(name: str, within: ProcedureEntry | None = None) -> ProtocolEntry:
    """Return a protocol by name or code, from one procedure if given; raise NotFound naming those that exist."""
    entries = [p for entry in ((within,) if within else PROCEDURES) for p in entry.protocols]
    for entry in entries:
        if name.lower() in {entry.name.lower(), entry.code.value.lower()}:
            return entry
    raise NotFound(f"no protocol {name!r}; there are {', '.join(entry.name for entry in entries)}")


def of_protocol(entry: ProtocolEntry) -> ProcedureEntry:
    """Return the procedure that a protocol belongs to."""
    return next(each for each in PROCEDURES if entry in each.protocols)
