"""The settings of the modality, from the institution to the six nodes; TOML and JSON; each error names its place."""

from __future__ import annotations

import dataclasses
import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import Any

from harness.core.errors import ConfigurationError
from harness.modality.console.words import LANGUAGES
from harness.modality.domain import plain
from harness.modality.secure import Tls
from harness.modality.secure import check as check_tls
from harness.modality.text import KNOWN


class NodeName(StrEnum):
    """The six peers of the console."""

    MWL = "mwl"
    MPPS = "mpps"
    QR = "qr"
    STORAGE = "storage"
    COMMITMENT = "commitment"
    PRINTER = "printer"


@dataclass(frozen=True, slots=True)
class Institution:
    """Who runs the equipment."""

    name: str = "Reference Hospital"
    department: str = "Radiology"
    station: str = "ROOM1"
    location: str = "X-RAY 1"


@dataclass(frozen=True, slots=True)
class Equipment:
    """What the equipment is."""

    manufacturer: str = "IHE Harness"
    model: str = "Reference Modality"
    serial: str = "0001"
    software_version: str = "0.1.0"
    modality: str = "DX"


@dataclass(frozen=True, slots=True)
class Environment:
    """Text and log settings; `character_set` is used for new objects whose text is not ASCII."""

    character_set: tuple[str, ...] = ("ISO_IR 192",)
    log_level: int = 1
    language: str = "en"
    operator: str = "Tech^Reference"


@dataclass(frozen=True, slots=True)
class Local:
    """Our own listener; port 0 takes a free one."""

    ae_title: str = "REFMOD"
    host: str = "127.0.0.1"
    port: int = 11112


@dataclass(frozen=True, slots=True)
class EndExam:
    """What happens after an exam was ended."""

    send: bool = True
    commit: bool = False
    send_rejected: bool = False
    commit_same_association: bool = False
    transfer_syntax: str = "1.2.840.10008.1.2.1"


@dataclass(frozen=True, slots=True)
class Background:
    """Retry of queued work; seconds."""

    retry_timeout: float = 300.0
    retry_interval: float = 60.0


@dataclass(frozen=True, slots=True)
class Timeouts:
    """How long we wait for a peer; seconds."""

    connect: float = 5.0
    associate: float = 10.0
    response: float = 30.0
    commitment: float = 10.0


@dataclass(frozen=True, slots=True)
class NodeSettings:
    """One peer."""

    enabled: bool = True
    ae_title: str = ""
    host: str = "127.0.0.1"
    port: int = 0


@dataclass(frozen=True, slots=True)
class Nodes:
    """The six peers of the console."""

    mwl: NodeSettings = NodeSettings(ae_title="MWLSCP")
    mpps: NodeSettings = NodeSettings(ae_title="MPPSSCP")
    qr: NodeSettings = NodeSettings(ae_title="ARCHIVE")
    storage: NodeSettings = NodeSettings(ae_title="ARCHIVE")
    commitment: NodeSettings = NodeSettings(ae_title="ARCHIVE")
    printer: NodeSettings = NodeSettings(enabled=False, ae_title="PRINTER")

    def get(self, name: NodeName | str) -> NodeSettings:
        """Return one peer by name."""
        found: NodeSettings = getattr(self, str(NodeName(name)))
        return found


@dataclass(frozen=True, slots=True)
class Configuration:
    """All settings."""

    institution: Institution = Institution()
    equipment: Equipment = Equipment()
    environment: Environment = Environment()
    local: Local = Local()
    end_exam: EndExam = EndExam()
    background: Background = Background()
    timeouts: Timeouts = Timeouts()
    tls: Tls = field(default_factory=Tls)
    nodes: Nodes = field(default_factory=Nodes)


def _convert(kind: str, value: Any, source: str, where: str) -> Any:
    if kind == "bool":
        if isinstance(value, str) and value.lower() in {"true", "false", "yes", "no", "1", "0"}:
            return value.lower() in {"true", "yes", "1"}
        if isinstance(value, bool):
            return value
        raise ConfigurationError(source, where, f"{value!r} is not true or false")
    if kind in {"int", "float"}:
        try:
            if isinstance(value, bool):
                raise ValueError
            return int(value) if kind == "int" else float(value)
        except (TypeError, ValueError):
            raise ConfigurationError(source, where, f"{value!r} is not a number") from None
    if kind.startswith("tuple"):
        if isinstance(value, str):
            value = value.split("\\")
        if not isinstance(value, (list, tuple)) or not all(isinstance(each, str) for each in value):
            raise ConfigurationError(source, where, f"{value!r} is not a list of texts")
        return tuple(value)
    if not isinstance(value, str):
        raise ConfigurationError(source, where, f"{value!r} is not a text")
    return value


def merge(base: Any, data: Mapping[str, Any], source: str = "settings", where: str = "") -> Any:
    """Return `base` with the values of a nested mapping; raise ConfigurationError naming file, key and what fits."""
    known = {f.name: f for f in dataclasses.fields(base)}
    changes: dict[str, Any] = {}
    for key, value in data.items():
        place = f"{where}.{key}" if where else key
        if key not in known:
            raise ConfigurationError(source, place, f"unknown key; known here: {', '.join(known)}")
        current = getattr(base, key)
        if dataclasses.is_dataclass(current):
            if not isinstance(value, Mapping):
                raise ConfigurationError(source, place, "is a table, not a value")
            changes[key] = merge(current, value, source, place)
        else:
            changes[key] = _convert(str(known[key].type), value, source, place)
    return replace(base, **changes)


def check(configuration: Configuration, source: str = "settings") -> Configuration:
    """Return the configuration if its values can be used, else raise ConfigurationError."""
    titles = {"local.ae_title": configuration.local.ae_title}
    ports = {"local.port": configuration.local.port}
    for name in NodeName:
        node = configuration.nodes.get(name)
        ports[f"nodes.{name}.port"] = node.port
        titles[f"nodes.{name}.ae_title"] = node.ae_title
    for where, title in titles.items():
        if (
            not title.strip()
            or len(title.strip()) > 16
            or "\\" in title
            or not title.isascii()
            or not title.isprintable()
        ):
            raise ConfigurationError(source, where, f"{title!r} is not an AE title: 1 to 16 printable ASCII characters")
    for where, port in ports.items():
        if not 0 <= port <= 65535:
            raise ConfigurationError(source, where, f"{port} is not a port: 0 to 65535")
    for term in configuration.environment.character_set:
        if term and term not in KNOWN:
            raise ConfigurationError(source, "environment.character_set", f"{term!r} is not a defined term")
    if configuration.environment.language not in LANGUAGES:
        said = f"there is no language {configuration.environment.language!r}; there are {', '.join(LANGUAGES)}"
        raise ConfigurationError(source, "environment.language", said)
    for group in ("background", "timeouts"):
        for name, seconds in plain(getattr(configuration, group)).items():
            if not 0 <= seconds <= 86400 * 366 or (group == "timeouts" and not seconds):
                raise ConfigurationError(source, f"{group}.{name}", f"{seconds} is not a usable number of seconds")
    if configuration.background.retry_interval <= 0 or configuration.background.retry_timeout < 0:
        raise ConfigurationError(source, "background", "the retry interval must be positive")
    check_tls(configuration.tls, source)
    return configuration


def from_mapping(data: Mapping[str, Any], base: Configuration | None = None, source: str = "settings") -> Configuration:
    """Build a configuration from nested tables over `base`."""
    merged: Configuration = merge(base or Configuration(), data, source)
    return check(merged, source)


def from_file(path: Path, base: Configuration | None = None) -> Configuration:
    """Read a TOML or JSON file."""
    try:
        raw = path.read_text(encoding="utf-8")
        data = json.loads(raw) if path.suffix.lower() == ".json" else tomllib.loads(raw)
    except (OSError, UnicodeDecodeError, json.JSONDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigurationError(path, "", str(error)) from None
    if not isinstance(data, dict):
        raise ConfigurationError(path, "", "the file must hold tables")
    return from_mapping(data, base, str(path))


def assign(configuration: Configuration, *assignments: str) -> Configuration:
    """Apply `table.key=value` assignments, all before their values are checked: some only make sense together."""
    for assignment in assignments:
        path, sign, value = assignment.partition("=")
        if not sign:
            raise ConfigurationError("--set", assignment, "expected table.key=value")
        nested: Any = value
        for part in reversed(path.strip().split(".")):
            nested = {part: nested}
        configuration = merge(configuration, nested, "--set")
    return check(configuration, "--set")


def value_at(configuration: Configuration, path: str) -> Any:
    """Return the plain value or table at a dotted path; raise ConfigurationError if there is none."""
    found: Any = plain(configuration)
    for part in filter(None, path.split(".")):
        if not isinstance(found, dict) or part not in found:
            raise ConfigurationError("settings", path, "there is no such setting")
        found = found[part]
    return found


def to_toml(configuration: Configuration) -> str:
    """Write all settings as TOML that :func:`from_file` reads back."""
    lines: list[str] = []

    def table(name: str, values: Mapping[str, Any]) -> None:
        lines.append(f"[{name}]")
        lines.extend(f"{k} = {json.dumps(v, ensure_ascii=False)}" for k, v in values.items() if not isinstance(v, dict))
        lines.append("")
        for key, nested in values.items():
            if isinstance(nested, dict):
                table(f"{name}.{key}", nested)

    for key, value in plain(configuration).items():
        table(key, value)
    return "\n".join(lines)
