"""DIMSE messages: the command set as received, and the data set by the service that it belongs to (PS3.7, PS3.4)."""

from __future__ import annotations

import struct
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

from harness.core.message import Message
from harness.validation.dictionary import KEYWORD, TAG, name
from harness.validation.finding import Severity, ValidationFinding, shown
from harness.validation.objects import parse_dataset, validate_dataset_bytes
from harness.validation.services import check_final_state, check_rows, table_for
from harness.validation.values import ValueRules
from harness.validation.walker import DataSet, Syntax, Walk

IMPLICIT = "1.2.840.10008.1.2"
NO_DATASET = 0x0101
_PENDING = (0xFF00, 0xFF01)
_QUERIES = ("C-FIND-RQ", "C-MOVE-RQ", "C-GET-RQ")


@dataclass(frozen=True, slots=True)
class CommandRule:
    """What a message of one kind holds (PS3.7 9.3, 10.3)."""

    kind: str
    field: int
    required: tuple[int, ...]
    allowed: frozenset[int]
    dataset: str
    clause: str


@lru_cache(maxsize=1)
def command_rules() -> Mapping[str, CommandRule]:
    """The rules by message name."""
    data = tomllib.loads(files("harness.validation").joinpath("data/dimse.toml").read_text("utf-8"))
    common = (0x00000000, TAG["CommandField"], TAG["CommandDataSetType"])
    rules = {}
    for kind, row in data.items():
        required = (*common, *(TAG[keyword] for keyword in row["required"]))
        allowed = frozenset(required) | {TAG[keyword] for keyword in row["optional"]}
        rules[kind] = CommandRule(kind, row["field"], required, allowed, row["dataset"], row["clause"])
    return rules


def validate_command(message: Message, request: Message | None = None) -> list[ValidationFinding]:
    """Judge one recorded DIMSE message: its command set and, by service, its data set.

    ``message.header`` is the command set and ``message.payload`` the data set, both exactly as received; without a
    header only the data set is judged. With ``request``, the message that this one answers, attributes that were
    asked for and are not there are reported too. Nothing raises for any bytes.
    """
    found, command = _command_set(message) if message.header.size else ([], None)
    sop_class = _sop_class(message, command)
    if message.payload.size:
        found.extend(_check_dataset(message, command, sop_class, request))
    return found


def validate_command_set(message: Message) -> list[ValidationFinding]:
    """As :func:`validate_command`, without the data set; a message without a header has no findings."""
    return _command_set(message)[0] if message.header.size else []


def validate_final_state(states: Sequence[tuple[bytes, str]]) -> list[ValidationFinding]:
    """Judge a performed procedure step in its final state from the data sets of N-CREATE and N-SET, oldest first.

    Each entry is (bytes, transfer syntax UID). PS3.4 F.7.2.2, table F.7.2-1, column "final state".
    """
    found: list[ValidationFinding] = []
    check_final_state(found.append, [parse_dataset(raw, syntax)[0] for raw, syntax in states])
    return found


def _command_set(message: Message) -> tuple[list[ValidationFinding], DataSet | None]:
    walk = Walk(message.header.bytes(), Syntax(explicit=False))
    found = list(walk.findings)
    _check_command(found, message.kind, walk.root, message.payload.size)
    return found, walk.root


def _check_command(found: list[ValidationFinding], kind: str, command: DataSet, payload: int) -> None:
    def add(code: str, tag: int, expected: str, actual: str, clause: str, severity: Severity = Severity.ERROR) -> None:
        found.append(ValidationFinding(code, severity, name(tag), expected, actual, clause))

    rule = command_rules().get(kind)
    ValueRules(found.append).walk(command)
    length = _number(command, 0)
    first = command.elements.get(0)
    if first is not None and length != len(command.raw) - first.end:
        add("CMD-GROUP-LENGTH", 0, str(len(command.raw) - first.end), str(length), "PS3.7 6.3.1")
    for tag in command.elements:
        if tag >> 16:
            add("CMD-GROUP", tag, "elements of group 0000", "another group", "PS3.7 6.3.1")
            break
    if rule is None:
        add("CMD-FIELD", TAG["CommandField"], "a message of PS3.7", shown(kind), "PS3.7 E.1")
        return
    for tag in rule.required:
        if tag not in command.elements:
            add("CMD-MISSING", tag, f"an element of {kind}", "absent", rule.clause)
        elif command.elements[tag].end == command.elements[tag].start:
            add("CMD-EMPTY", tag, "a value", "no value", rule.clause)
    for tag in command.elements:
        if tag not in rule.allowed and not tag >> 16:
            add(
                "CMD-UNEXPECTED",
                tag,
                f"an element of {kind}",
                KEYWORD.get(tag, "unknown"),
                rule.clause,
                Severity.WARNING,
            )
    field = _number(command, TAG["CommandField"])
    if field is not None and field != rule.field:
        add("CMD-FIELD", TAG["CommandField"], f"{rule.field:04X}", f"{field:04X}", "PS3.7 E.1")
    priority = _number(command, TAG["Priority"])
    if priority is not None and priority not in (0, 1, 2):
        add("CMD-PRIORITY", TAG["Priority"], "0000, 0001 or 0002", f"{priority:04X}", "PS3.7 E.1")
    _check_presence(add, command, rule, payload)


def _check_presence(add: object, command: DataSet, rule: CommandRule, payload: int) -> None:
    assert callable(add)
    tag = TAG["CommandDataSetType"]
    declared = _number(command, tag)
    if declared is not None and (declared == NO_DATASET) != (payload == 0):
        add("CMD-DATA-SET-TYPE", tag, "0101 for no data set, another value for one", f"{declared:04X}", "PS3.7 E.1")
    status = _number(command, TAG["Status"])
    if rule.dataset == "required" and not payload:
        add("CMD-DATA-SET", tag, "a data set", "none", rule.clause)
    if rule.dataset == "none" and payload:
        add("CMD-DATA-SET", tag, "no data set", f"{payload} bytes", rule.clause)
    if rule.dataset == "pending" and (status in _PENDING) != (payload > 0):
        wanted = "a data set with a pending status and only then"
        add("CMD-DATA-SET", tag, wanted, f"status {status or 0:04X}, {payload} bytes", rule.clause)


def _check_dataset(
    message: Message, command: DataSet | None, sop_class: str, request: Message | None
) -> list[ValidationFinding]:
    raw, syntax = message.payload.bytes(), message.transfer_syntax or IMPLICIT
    if message.kind == "C-STORE-RQ":
        found = validate_dataset_bytes(raw, syntax, None)
        root, _ = parse_dataset(raw, syntax)
        for tag, keyword in ((0x00080016, "AffectedSOPClassUID"), (0x00080018, "AffectedSOPInstanceUID")):
            announced = command.text(TAG[keyword]) if command else str(message.fields.get(keyword, ""))
            if announced and root.text(tag) and announced != root.text(tag):
                found.append(
                    ValidationFinding(
                        "CMD-STORE-MISMATCH",
                        Severity.ERROR,
                        name(tag),
                        shown(announced),
                        shown(root.text(tag)),
                        "PS3.7 9.1.1.1.3, 9.1.1.1.4",
                    )
                )
        return found
    found = validate_dataset_bytes(raw, syntax, "", query=message.kind in _QUERIES)
    type_id = 0
    for keyword in ("ActionTypeID", "EventTypeID"):
        type_id = type_id or (_number(command, TAG[keyword]) if command else message.fields.get(keyword)) or 0
    table = table_for(message.kind, sop_class, type_id)
    if table is not None:
        root, _ = parse_dataset(raw, syntax)
        asked = None
        if request is not None and request.payload.size:
            asked = parse_dataset(request.payload.bytes(), request.transfer_syntax or IMPLICIT)[0]
        check_rows(found.append, root, table.rows, table.clause, as_requested=table.as_requested, request=asked)
        if message.kind in _QUERIES and sop_class.startswith("1.2.840.10008.5.1.4.1.2."):
            _check_unique_keys(found, root, message.kind)
    return found


def _check_unique_keys(found: list[ValidationFinding], root: DataSet, kind: str) -> None:
    """Keys above the level hold one value and no wildcard (PS3.4 C.4.1.1.3.1, C.4.2.1.4.1)."""
    levels = ("PATIENT", "STUDY", "SERIES", "IMAGE")
    keys = (0x00100020, 0x0020000D, 0x0020000E, 0x00080018)
    level = root.text(0x00080052)
    if level not in levels:
        return
    place = levels.index(level)
    for tag in keys[:place]:
        text = root.text(tag)
        if "\\" in text or "*" in text or "?" in text:
            found.append(
                ValidationFinding(
                    "QR-UNIQUE-KEY",
                    Severity.ERROR,
                    name(tag),
                    f"one value above level {level}",
                    shown(text),
                    "PS3.4 C.4.1.1.3.1",
                )
            )
    own = root.text(keys[place])
    if kind != "C-FIND-RQ" and ("*" in own or "?" in own):
        found.append(
            ValidationFinding(
                "QR-UNIQUE-KEY", Severity.ERROR, name(keys[place]), "no wildcard", shown(own), "PS3.4 C.4.2.1.4.1"
            )
        )


def _sop_class(message: Message, command: DataSet | None) -> str:
    """The SOP class of the message; a response may leave it to the presentation context."""
    for keyword in ("AffectedSOPClassUID", "RequestedSOPClassUID"):
        value = command.text(TAG[keyword]) if command else str(message.fields.get(keyword, ""))
        if value:
            return value
    return str(message.fields.get("AbstractSyntax", ""))


def _number(command: DataSet, tag: int) -> int | None:
    """A number of the command set, which is always implicit little endian."""
    value = command.value(tag)
    if value is None or len(value) not in (2, 4):
        return None
    return int(struct.unpack("<H" if len(value) == 2 else "<I", value)[0])
