"""Which requirement demands that a message comes at all: silence breaks exactly that one."""

from __future__ import annotations

import difflib

from harness.core.errors import UsageError
from harness.profiles import names

#: (message kind, actor that receives it, role of the system under test) -> requirement
_DEMANDS: dict[tuple[str, str, str], str] = {
    ("A-ASSOCIATE-RQ", names.ORDER_FILLER, names.MODALITY): "RAD-5-SCU-01",
    ("C-FIND-RQ", names.ORDER_FILLER, names.MODALITY): "RAD-5-SCU-01",
    ("N-CREATE-RQ", names.PPS_MANAGER, names.MODALITY): "RAD-6-SCU-01",
    ("N-SET-RQ", names.PPS_MANAGER, names.MODALITY): "RAD-7-SCU-01",
    ("C-STORE-RQ", names.IMAGE_MANAGER, names.MODALITY): "RAD-8-SCU-01",
    ("N-ACTION-RQ", names.IMAGE_MANAGER, names.MODALITY): "RAD-10-SCU-01",
    ("N-EVENT-REPORT-RSP", names.IMAGE_MANAGER, names.MODALITY): "RAD-10-SCU-05",
    ("A-ASSOCIATE-AC", names.ORDER_FILLER, names.ORDER_FILLER): "RAD-5-SCP-01",
    ("C-FIND-RSP", names.MODALITY, names.ORDER_FILLER): "RAD-5-SCP-20",
    ("C-STORE-RSP", names.MODALITY, names.IMAGE_MANAGER): "RAD-8-SCP-01",
    ("N-ACTION-RSP", names.MODALITY, names.IMAGE_MANAGER): "RAD-10-SCP-01",
    ("N-EVENT-REPORT-RQ", names.MODALITY, names.IMAGE_MANAGER): "RAD-10-SCP-02",
    ("C-FIND-RSP", names.IMAGE_DISPLAY, names.IMAGE_MANAGER): "RAD-14-SCP-01",
    ("C-MOVE-RSP", names.IMAGE_DISPLAY, names.IMAGE_MANAGER): "RAD-16-SCP-01",
    ("C-FIND-RQ", names.IMAGE_MANAGER, names.IMAGE_DISPLAY): "RAD-14-SCU-01",
    ("C-FIND-RQ", names.REPORT_REPOSITORY, names.REPORT_READER): "RAD-26-SCU-01",
    ("C-FIND-RQ", names.EXTERNAL_REPORT_REPOSITORY, names.REPORT_READER): "RAD-26-SCU-01",
    ("C-MOVE-RQ", names.REPORT_REPOSITORY, names.REPORT_READER): "RAD-27-SCU-01",
    ("C-STORE-RSP", names.REPORT_REPOSITORY, names.REPORT_READER): "RAD-27-SCU-01",
    ("C-MOVE-RQ", names.IMAGE_MANAGER, names.IMAGE_DISPLAY): "RAD-16-SCU-01",
    ("N-CREATE-RSP", names.MODALITY, names.PPS_MANAGER): "RAD-6-SCP-01",
    ("N-SET-RSP", names.MODALITY, names.PPS_MANAGER): "RAD-7-SCP-01",
    ("N-CREATE-RQ", names.IMAGE_MANAGER, names.PPS_MANAGER): "RAD-6-SCP-04",
    ("N-CREATE-RQ", names.ORDER_FILLER, names.PPS_MANAGER): "RAD-6-SCP-04",
    ("N-SET-RQ", names.IMAGE_MANAGER, names.PPS_MANAGER): "RAD-7-SCP-03",
    ("N-SET-RQ", names.ORDER_FILLER, names.PPS_MANAGER): "RAD-7-SCP-03",
    ("N-CREATE-RQ", names.PPS_MANAGER, names.EVIDENCE_CREATOR): "RAD-20-SCU-01",
    ("N-SET-RQ", names.PPS_MANAGER, names.EVIDENCE_CREATOR): "RAD-21-SCU-01",
    ("C-STORE-RQ", names.IMAGE_MANAGER, names.EVIDENCE_CREATOR): "RAD-18-SCU-01",
    ("N-ACTION-RQ", names.IMAGE_MANAGER, names.EVIDENCE_CREATOR): "RAD-10-SCU-01",
    ("N-EVENT-REPORT-RSP", names.IMAGE_MANAGER, names.EVIDENCE_CREATOR): "RAD-10-SCU-05",
    ("N-CREATE-RQ", names.ORDER_FILLER, names.IMAGE_MANAGER): "RAD-49-SCU-01",
}

_REGISTRATIONS = ("A01", "A04", "A05", "A11", "A38")
_UPDATES = ("A02", "A03", "A06", "A07", "A08", "A12", "A13", "A40")
_KEEPERS = (names.ORDER_PLACER, names.ORDER_FILLER)

_DEMANDS |= {(f"ADT^{event}", to, names.ADT): "RAD-1-SRC-14" for event in _REGISTRATIONS for to in _KEEPERS}
_DEMANDS |= {(f"ADT^{event}", to, names.ADT): "RAD-12-SRC-01" for event in _UPDATES for to in _KEEPERS}
_DEMANDS |= {(f"ADT^{event}", names.IMAGE_MANAGER, names.ORDER_FILLER): "RAD-12-SRC-10" for event in ("A08", "A40")}
_DEMANDS |= {
    (f"SIU^{event}", names.ORDER_PLACER, names.ORDER_FILLER): "RAD-48-SRC-01" for event in ("S12", "S13", "S15")
}
_DEMANDS |= {
    ("ORM^O01", names.ORDER_FILLER, names.ORDER_PLACER): "RAD-2-SRC-01",
    ("OMG^O19", names.ORDER_FILLER, names.ORDER_PLACER): "RAD-2-SRC-03",
    ("ORM^O01", names.ORDER_PLACER, names.ORDER_FILLER): "RAD-3-SRC-01",
    ("OMG^O19", names.ORDER_PLACER, names.ORDER_FILLER): "RAD-3-SRC-01",
    ("ORR^O02", names.ORDER_FILLER, names.ORDER_PLACER): "RAD-3-DST-01",
    ("ORG^O20", names.ORDER_FILLER, names.ORDER_PLACER): "RAD-3-DST-02",
    ("ORM^O01", names.IMAGE_MANAGER, names.ORDER_FILLER): "RAD-4-SRC-02",
    ("OMI^O23", names.IMAGE_MANAGER, names.ORDER_FILLER): "RAD-4-SRC-14",
    ("ACK", names.ADT, names.ORDER_PLACER): "HL7-GEN-02",
    ("ACK", names.ADT, names.ORDER_FILLER): "HL7-GEN-02",
    ("ACK", names.ORDER_PLACER, names.ORDER_FILLER): "HL7-GEN-02",
    ("ACK", names.ORDER_FILLER, names.ORDER_PLACER): "HL7-GEN-02",
    ("ACK", names.ORDER_FILLER, names.IMAGE_MANAGER): "HL7-GEN-02",
}


def demanded_by(kind: str, receiver: str, role: str) -> str:
    """The requirement that demands a message of ``kind`` from the system under test in ``role``.

    Raises UsageError when no row demands it, naming what is known: a scenario must not wait for what nothing demands.
    """
    try:
        return _DEMANDS[kind, receiver, role]
    except KeyError:
        require_receiver(receiver)
        raise UsageError(_undemanded(kind, receiver, role)) from None


def require_receiver(name: str) -> None:
    """Raises UsageError for an actor that no demanded message reaches, naming the nearest and all."""
    known = sorted({to for _, to, _ in _DEMANDS})
    if name not in known:
        raise UsageError(f"no message reaches an actor {name!r}{_nearest(name, known)}; known: {', '.join(known)}")


def _undemanded(kind: str, receiver: str, role: str) -> str:
    """Which of the words is the wrong one, and what would be right."""
    kinds = sorted({name for name, _, _ in _DEMANDS})
    ours = sorted({f"{name} to the {to}" for name, to, by in _DEMANDS if by == role})
    demanded = f"; demanded of the {role} are: {', '.join(ours)}" if ours else f"; nothing is demanded of the {role}"
    if kind not in kinds:
        return f"there is no message {kind!r} to wait for{_nearest(kind, kinds)}{demanded}"
    return f"no requirement demands a {kind} to the {receiver} from the {role}{demanded}"


def _nearest(word: str, known: list[str]) -> str:
    near = difflib.get_close_matches(word, known, n=2, cutoff=0.5)
    return f"; did you mean {' or '.join(near)}?" if near else ""


def demanding_requirements() -> frozenset[str]:
    """All requirements that an exchange step can break; a test holds that they exist."""
    return frozenset(_DEMANDS.values())
