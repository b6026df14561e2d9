"""Media into transcripts: every file as a message, and the fact that says what the medium is."""

from __future__ import annotations

from pathlib import Path

from harness.core.message import Blob, Direction, Protocol
from harness.core.transcript import Transcript
from harness.profiles.pdi import facts
from harness.protocols.media.elements import Header, read_header
from harness.protocols.media.medium import Medium
from harness.protocols.media.sources import open_medium

#: bytes of one file that are kept as evidence at most
_LARGEST = 1 << 30
_TYPES = {"HTM": "application/xhtml+xml", "JPG": "image/jpeg", "TXT": "text/plain"}


def record_medium(
    transcript: Transcript,
    path: Path,
    identifier: str,
    *,
    actor: str,
    claimed: str = "",
    by_us: bool = False,
    password: str = "",
) -> tuple[Header, ...]:
    """Record a folder, ZIP file or ISO image; the headers of its DICOM files. Raises UsageError if it is no medium.

    Protected files are recorded as they are, with the password that checks open them by.
    """
    headers: list[Header] = []
    with open_medium(path) as medium:
        for entry in medium.files():
            _record_file(transcript, medium, entry.path, identifier, actor, by_us)
            header = read_header(medium, entry.path) if entry.name.upper() != "DICOMDIR" else None
            if header is not None:
                headers.append(header)
        fact: facts.MediumFact = {
            "id": identifier,
            "name": medium.name,
            "kind": medium.kind,
            "label": medium.label,
            "claimed": claimed,
            "folders": sorted(entry.path for entry in medium.entries.values() if entry.folder),
            "refused": [[one.path, one.reason] for one in medium.refusals],
            "structure": [list(one) for one in medium.structure],
            "password": password,
        }
        transcript.note(facts.MEDIUM, {**fact, "made_by": "harness" if by_us else "sut"})
    return tuple(headers)


def _record_file(transcript: Transcript, medium: Medium, path: str, identifier: str, actor: str, by_us: bool) -> None:
    media_type = _TYPES.get(path.rpartition(".")[2].upper() if "." in path else "", "application/octet-stream")
    transcript.record(
        Direction.TO_SUT if by_us else Direction.FROM_SUT,
        Protocol.FILE,
        facts.FILE,
        actor=actor,
        fields={"path": path, "name": path.rpartition("/")[2], "medium": identifier, "media_type": media_type},
        payload=Blob.of(medium.whole(path, _LARGEST)),
    )


def record_export(transcript: Transcript, folder: Path, *, actor: str) -> int:
    """Record the files that an importer gave back; how many. Links are not followed."""
    count = 0
    with open_medium(folder) as medium:
        for entry in medium.files():
            transcript.record(
                Direction.FROM_SUT,
                Protocol.FILE,
                facts.FILE,
                actor=actor,
                fields={"path": entry.path, "name": entry.name, "exported": True},
                payload=Blob.of(medium.whole(entry.path, _LARGEST)),
            )
            count += 1
    return count
