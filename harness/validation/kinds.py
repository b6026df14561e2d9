"""Which validator judges a file: an ordered tuple of kinds, the first that recognises the file decides."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from harness.protocols.media.sources import is_medium
from harness.validation.conversation.packets import is_capture
from harness.validation.finding import ValidationFinding
from harness.validation.hl7_files import begins_like_hl7, validate_hl7_file
from harness.validation.objects import validate_part10

#: bytes of the beginning of a file that recognition looks at
HEAD = 256


@dataclass(frozen=True, slots=True)
class Kind:
    """``recognises`` gets the path and its first 256 bytes (none for a directory); ``validate`` the path."""

    name: str
    recognises: Callable[[Path, bytes], bool]
    validate: Callable[[Path], list[ValidationFinding]]


def _is_hl7(path: Path, head: bytes) -> bool:
    return begins_like_hl7(head)


def _medium(path: Path) -> list[ValidationFinding]:
    from harness.validation.media import validate_medium  # it loads libraries that most runs never need

    return validate_medium(path)


def _is_capture(path: Path, head: bytes) -> bool:
    return is_capture(head)


def _capture(path: Path) -> list[ValidationFinding]:
    from harness.validation.conversation.judge import validate_capture  # it loads libraries that most runs never need

    return validate_capture(path)


def _is_file(path: Path, head: bytes) -> bool:
    return not path.is_dir()


KINDS: tuple[Kind, ...] = (
    Kind("hl7", _is_hl7, lambda path: validate_hl7_file(path.read_bytes())),
    Kind("conversation", _is_capture, _capture),
    Kind("media", is_medium, _medium),
    Kind("dicom", _is_file, lambda path: validate_part10(path.read_bytes())),
)


def kind_of(path: Path, kinds: tuple[Kind, ...] = KINDS) -> Kind | None:
    """The kind of a file or directory, None if no kind takes it (a directory is then walked). Raises OSError."""
    head = b""
    if not path.is_dir():
        with path.open("rb") as stream:
            head = stream.read(HEAD)
    return next((kind for kind in kinds if kind.recognises(path, head)), None)
