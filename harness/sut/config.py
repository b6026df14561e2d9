"""The SUT file (``sut.toml``): what a product claims, where it is, how it is asked to act, how it is started."""

from __future__ import annotations

import difflib
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from harness.core.check import Declaration
from harness.core.errors import ConfigurationError
from harness.sut import documented
from harness.sut.actions import ACTION_KINDS

#: Simulated actors that a SUT file may give an address, by slug.
ACTOR_SLUGS: tuple[str, ...] = (
    "adt",
    "order-placer",
    "order-filler",
    "pps-manager",
    "image-manager",
    "image-display",
    "acquisition-modality",
    "evidence-creator",
    "report-repository",
    "external-report-repository-access",
    "report-reader",
    "print-composer",
    "print-server",
)

DRIVER_KINDS = ("manual", "command", "http", "reference", "replay", "silent")


def _ae_title(value: str) -> str:
    """PS3.5 6.2 AE: 1 to 16 characters of the default repertoire, no backslash or control character."""
    if not 1 <= len(value) <= 16 or not value.strip():
        raise ValueError("an AE title has 1 to 16 characters")
    if any(ch == "\\" or not 0x20 <= ord(ch) < 0x7F for ch in value):
        raise ValueError("an AE title holds printable ASCII without backslash")
    return value


def _probe(value: str) -> str:
    """``host:port``; the port may be a placeholder such as ``{dicom.port}``."""
    port = value.rpartition(":")[2]
    if ":" not in value or not (port.startswith("{") or (port.isdigit() and 0 < int(port) <= 65535)):
        raise ValueError('a probe is "host:port", for instance "127.0.0.1:{dicom.port}"')
    return value


def _documented(table: dict[str, Any]) -> dict[str, Any]:
    if wrong := documented.problems(table):
        raise ValueError("; ".join(wrong))
    return table


AeTitle = Annotated[str, AfterValidator(_ae_title)]
Port = Annotated[int, Field(ge=0, le=65535)]
Seconds = Annotated[float, Field(gt=0, le=86400)]
Documented = Annotated[dict[str, Any], AfterValidator(_documented)]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Product(_Table):
    """``[product]``: how reports name the system under test."""

    name: str = Field(min_length=1)
    version: str = ""
    vendor: str = ""


class Claim(_Table):
    """``[[claims]]``: one actor of one profile; ``transactions`` limits the claim to those, for a partial product."""

    profile: Literal["SWF", "SWF.b", "CPI", "ARI", "PDI", "KIN", "ED"]
    actor: str
    transactions: list[str] | None = None
    options: list[str] = []


class DicomEndpoint(_Table):
    """``[dicom]``: the product's application entity. Port 0: a free one is chosen for a product we start."""

    ae_title: AeTitle
    host: str = "127.0.0.1"
    port: Port = 0
    calling_ae_titles: list[AeTitle] = []


class Hl7Endpoint(_Table):
    """``[hl7]``: where the product listens for HL7, and its MSH-5 and MSH-6."""

    host: str = "127.0.0.1"
    port: Port = 0
    application: str = "SUT"
    facility: str = "HOSPITAL"


class TlsTable(_Table):
    """``[tls]``: TLS with the product, both ways; PEM files, relative to this file. Without the table: plain TCP.

    ``certificate`` and ``key`` are what our actors show, to who calls them and to whom they call; ``ca`` holds what
    the product's certificates are checked against. ``key`` may be left out if it is in the certificate file.
    The reference modality shows the same certificate: ``ca`` has to vouch for it.
    """

    profile: Literal["non-downgrading", "extended", "downgrading", "outdated", "static-rsa"] = "non-downgrading"
    certificate: str = Field(min_length=1)
    key: str = ""
    ca: str = ""
    client_certificate_required: bool = True
    check_host_name: bool = False
    dicom: bool = True
    hl7: bool = True

    @model_validator(mode="after")
    def _authorities(self) -> TlsTable:
        if not self.ca and self.client_certificate_required:
            raise ValueError("tls needs ca to check client certificates, or client_certificate_required = false")
        if not self.ca and self.check_host_name:
            raise ValueError("tls.check_host_name needs ca: a name proves nothing in a certificate that is not checked")
        return self


class DisplayTable(_Table):
    """``[display]``: what the pictures hold that an Image Display exports, and of which screen they are.

    ``export``: P-Values, or the driving levels of a calibrated screen; these need ``characteristic``, a table (CSV) of
    driving level and measured cd/m2, relative to this file. ``ambient`` in cd/m2 is added to whatever was measured.
    ``pixel_mm``: the size of a pixel of the screen, if the pictures have its pixels; then sizes are judged too.
    """

    export: Literal["P-Values", "driving levels"] | None = None
    characteristic: str = ""
    ambient: Annotated[float, Field(ge=0, le=4000)] = 0.0
    pixel_mm: Annotated[float, Field(gt=0, le=10)] | None = None

    @model_validator(mode="after")
    def _measured(self) -> DisplayTable:
        if (self.export == "driving levels") != bool(self.characteristic):
            raise ValueError("export = 'driving levels' and characteristic need each other")
        return self


class ActorEndpoint(_Table):
    """``[harness.actors.<slug>]``: AE title and ports of one simulated actor; 0 takes a free port."""

    ae_title: AeTitle | None = None
    port: Port = 0
    hl7_port: Port = 0


class HarnessSide(_Table):
    """``[harness]``: the address we bind and the one that we tell the product (they differ behind NAT)."""

    bind: str = "127.0.0.1"
    advertise: str = "127.0.0.1"
    actors: dict[str, ActorEndpoint] = {}

    @model_validator(mode="after")
    def _known_actors(self) -> HarnessSide:
        for slug in self.actors:
            if slug not in ACTOR_SLUGS:
                raise ValueError(f"there is no simulated actor {slug!r}; known: {', '.join(ACTOR_SLUGS)}")
        return self

    @model_validator(mode="after")
    def _own_ports(self) -> HarnessSide:
        taken: dict[int, str] = {}
        for slug, end in self.actors.items():
            for key, port in (("port", end.port), ("hl7_port", end.hl7_port)):
                if port and (other := taken.setdefault(port, f"{slug}.{key}")) != f"{slug}.{key}":
                    raise ValueError(f"actors.{slug}.{key} is {port}, which {other} has already")
        return self


class Timeouts(_Table):
    """``[timeouts]``, in seconds. ``exchange``: until a message that a requirement demands has come."""

    connect: Seconds = 5.0
    associate: Seconds = 10.0
    dimse: Seconds = 30.0
    exchange: Seconds = 20.0
    commitment: Seconds = 30.0
    action: Seconds = 60.0
    operator: Seconds = 600.0
    quiet: Seconds = 0.3


class ActionCommand(_Table):
    """``[driver.actions.<action>]``: an argument list (never a shell) or a URL to POST the parameters to."""

    argv: list[str] | None = None
    #: appended to ``argv`` once for each seeded defect, as in ``[process]``
    defect_argv: list[str] = []
    url: str | None = None


class DriverTable(_Table):
    """``[driver]``: how the product is asked to act where it starts the conversation."""

    kind: Literal["manual", "command", "http", "reference", "replay", "silent"] = "manual"
    actions: dict[str, ActionCommand] = {}
    token: str = ""
    defects: list[str] = []
    variants: list[str] = []
    replay: str = ""
    parallel_safe: bool = False
    attest: bool = True

    @model_validator(mode="after")
    def _known_actions(self) -> DriverTable:
        for name, command in self.actions.items():
            if name not in ACTION_KINDS:
                near = difflib.get_close_matches(name, ACTION_KINDS, n=3) or sorted(ACTION_KINDS)
                raise ValueError(f"there is no action {name!r}; near: {', '.join(near)}")
            needed = {"command": "argv", "http": "url"}.get(self.kind)
            if needed is not None and not getattr(command, needed):
                raise ValueError(f"the action {name!r} needs {needed}: this is what the {self.kind} driver uses")
        return self


class ProcessFile(_Table):
    """``[[process.files]]``: a file that the product needs before it starts; placeholders are filled in."""

    path: str
    text: str


class ReadyProbe(_Table):
    """``[process.ready]``: when the product counts as started."""

    tcp: list[Annotated[str, AfterValidator(_probe)]] = []
    timeout: Seconds = 20.0


class ProcessTable(_Table):
    """``[process]``: how to start and stop a product that runs on this machine. No shell is involved."""

    argv: list[str] = Field(min_length=1)
    #: appended once for each seeded defect, for products that can be defective on purpose: ``["--defect", "{defect}"]``
    defect_argv: list[str] = []
    environment: dict[str, str] = {}
    folders: list[str] = []
    files: list[ProcessFile] = []
    prepare: list[list[str]] = []
    ready: ReadyProbe = ReadyProbe()
    stop: Literal["SIGTERM", "SIGINT", "SIGKILL"] = "SIGTERM"
    stop_timeout: Seconds = 5.0
    requires: list[str] = []


class SutFile(_Table):
    """The whole file."""

    product: Product
    claims: list[Claim] = Field(min_length=1)
    dicom: DicomEndpoint | None = None
    hl7: Hl7Endpoint | None = None
    tls: TlsTable | None = None
    harness: HarnessSide = HarnessSide()
    timeouts: Timeouts = Timeouts()
    driver: DriverTable = DriverTable()
    display: DisplayTable = DisplayTable()
    process: ProcessTable | None = None
    statement: Documented = {}
    expectations: str = ""

    def declaration(self) -> Declaration:
        """What checks may know of the product."""
        titles: set[str] = set()
        if self.dicom is not None:
            titles = {self.dicom.ae_title, *self.dicom.calling_ae_titles}
        return Declaration(
            actors=frozenset(claim.actor for claim in self.claims),
            profiles=frozenset(claim.profile for claim in self.claims),
            options=frozenset(option for claim in self.claims for option in claim.options),
            ae_titles=frozenset(titles),
            statement=dict(self.statement),
        )

    def supports(
        self, profiles: frozenset[str], actor: str, transactions: frozenset[str], options: frozenset[str]
    ) -> str:
        """Why a scenario does not apply to this product, or an empty string if it does."""
        claims = [claim for claim in self.claims if claim.actor == actor and claim.profile in profiles]
        if not claims:
            return f"{actor} in {' or '.join(sorted(profiles))} is not claimed"
        reasons = []
        for claim in claims:
            if claim.transactions is not None and (missing := transactions - set(claim.transactions)):
                reasons.append(f"{', '.join(sorted(missing))} is not among the claimed transactions")
            elif missing_options := options - set(claim.options):
                reasons.append(f"the option {', '.join(sorted(missing_options))} is not declared")
            else:
                return ""
        return reasons[0]


def load_sut(path: Path) -> SutFile:
    """Read a SUT file.

    Raises ConfigurationError naming file, table, key and the expected values; every problem is listed at once.
    """
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigurationError(path, "", "there is no such file") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(path, "", f"cannot be read: {error}") from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(path, "", f"is not valid TOML: {error}") from None
    try:
        return SutFile.model_validate(data)
    except ValidationError as error:
        problems = [(_where(e["loc"]), _problem(e)) for e in error.errors()]
        first = problems[0]
        rest = "".join(f"\n{path}: {where}: {problem}" for where, problem in problems[1:])
        raise ConfigurationError(path, first[0], first[1] + rest) from None


def _where(location: tuple[int | str, ...]) -> str:
    """``("claims", 0, "profile")`` -> ``[[claims]] number 1, key profile``."""
    if not location:
        return "top level"
    *tables, key = location
    if not tables:
        return f"table or key [{key}]"
    parts: list[str] = []
    for table in tables:
        if isinstance(table, int):
            parts[-1] += f"#{table + 1}"
        else:
            parts.append(str(table))
    if isinstance(key, int):
        return f"[{'.'.join(parts)}], entry {key + 1}"
    return f"[{'.'.join(parts)}], key {key}"


def _problem(error: Any) -> str:
    kind, given = error["type"], error.get("input")
    model = _model_at(error["loc"][:-1])
    if kind == "extra_forbidden":
        known = f"; known here: {', '.join(sorted(model.model_fields))}" if model else ""
        return f"unknown key{known}"
    if kind == "missing":
        return "is missing and has no default"
    message = str(error["msg"]).removeprefix("Value error, ")
    shown = repr(given)
    return f"{message[0].lower()}{message[1:]} (found {shown if len(shown) <= 60 else shown[:57] + '...'})"


def _model_at(location: tuple[int | str, ...]) -> type[BaseModel] | None:
    """The table model at a place in the file, to name the keys that are known there."""
    model: type[BaseModel] = SutFile
    by_key: dict[str, type[BaseModel]] = {
        "product": Product,
        "claims": Claim,
        "dicom": DicomEndpoint,
        "hl7": Hl7Endpoint,
        "tls": TlsTable,
        "harness": HarnessSide,
        "timeouts": Timeouts,
        "display": DisplayTable,
        "driver": DriverTable,
        "process": ProcessTable,
        "files": ProcessFile,
        "ready": ReadyProbe,
    }
    previous = ""
    for part in location:
        if isinstance(part, int):
            continue
        if previous == "actors" and model is HarnessSide:
            model = ActorEndpoint
        elif previous == "actions":
            model = ActionCommand
        elif part in by_key:
            model = by_key[part]
        previous = part
    return model
