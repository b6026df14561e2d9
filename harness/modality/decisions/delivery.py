"""RAD-8 and RAD-10: what is sent, when it counts as stored, what is asked to be kept, what may be deleted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from pydicom.dataset import Dataset

from harness.modality.domain import Reference
from harness.modality.elements import item, reference_items, references_of, text

COMMITMENT = "1.2.840.10008.1.20.1"
COMMITMENT_INSTANCE = "1.2.840.10008.1.20.1.1"


class StoreOutcome(StrEnum):
    """What a C-STORE response means for our copy."""

    STORED = "stored"
    STORED_WITH_WARNING = "warning"
    FAILED = "failed"


def transfer_syntaxes(abstract_syntax: str, preferred: str) -> tuple[str, ...]:
    """Propose the wanted encoding, and Implicit VR Little Endian always (PS3.5 10.1)."""
    return tuple(dict.fromkeys((preferred, "1.2.840.10008.1.2.1", "1.2.840.10008.1.2")))


def to_send(references: Sequence[Reference]) -> tuple[Reference, ...]:
    """Choose what is sent of a study: each object that was kept."""
    return tuple(references)


def store_outcome(status: int) -> StoreOutcome:
    """Read a C-STORE status: 0000 stored, Bxxx and 0001 and 0107 and 0116 stored with a warning, all else failed."""
    if status == 0x0000:
        return StoreOutcome.STORED
    if status & 0xF000 == 0xB000 or status in {0x0001, 0x0107, 0x0116}:
        return StoreOutcome.STORED_WITH_WARNING
    return StoreOutcome.FAILED


def transaction_uid(earlier: Sequence[str], fresh: str) -> str:
    """Identify a commitment request: a new UID for every request, also when it repeats one (PS3.4 J.3.2)."""
    return fresh


def to_commit(stored: Sequence[Reference]) -> tuple[Reference, ...]:
    """Choose what commitment is asked for: each object that was stored, once."""
    return tuple(dict.fromkeys(stored))


def commitment_request(transaction: str, references: Sequence[Reference]) -> Dataset:
    """Make the N-ACTION information of a commitment request (PS3.4 Table J.3-1)."""
    return item(TransactionUID=transaction, ReferencedSOPSequence=reference_items(references))


@dataclass(frozen=True, slots=True)
class CommitmentResult:
    """What an N-EVENT-REPORT says."""

    transaction_uid: str
    committed: tuple[Reference, ...]
    failed: Mapping[str, int]


def commitment_result(event_type: int, information: Dataset) -> CommitmentResult:
    """Read a commitment result (PS3.4 Table J.3-2)."""
    failed = {
        text(each, "ReferencedSOPInstanceUID"): int(each.get("FailureReason") or 0x0110)
        for each in information.get("FailedSOPSequence") or ()
    }
    return CommitmentResult(
        text(information, "TransactionUID"), references_of(information, "ReferencedSOPSequence"), failed
    )


def event_report_status(known: bool) -> int:
    """Answer a commitment result: success if the transaction is ours, else no such action or attribute is known."""
    return 0x0000 if known else 0x0115


def accepts_reverse_role() -> bool:
    """Say whether an archive that connects to us may take the SCP role of the commitment service."""
    return True


def resend_failed() -> bool:
    """Say whether instances that an archive could not commit to are sent again before the next request."""
    return True


def deletion_refusal(pending: int) -> str:
    """Say why a study may not be deleted; empty if it may. `pending` counts objects without commitment."""
    return f"{pending} object(s) have no storage commitment yet" if pending else ""


def leaves_politely() -> bool:
    """Say whether an association ends by A-RELEASE after the last response."""
    return True
