"""Which segments make up a message that the simulated actors send, in the order of the Technical Framework."""

from __future__ import annotations

from dataclasses import dataclass, field

from harness.actors.orders.hl7 import HL7_231


@dataclass(frozen=True, slots=True)
class Layout:
    """Which segments make a message; ``repeated`` ones come once for each step, ``last`` after them."""

    type: str
    trigger: str
    structure: str
    segments: tuple[str, ...]
    repeated: tuple[str, ...] = ()
    last: tuple[str, ...] = field(default=())


_ADT_STRUCTURE = {
    "A01": "ADT_A01",
    "A04": "ADT_A01",
    "A05": "ADT_A05",
    "A08": "ADT_A01",
    "A11": "ADT_A09",
    "A38": "ADT_A38",
    "A02": "ADT_A02",
    "A03": "ADT_A03",
    "A06": "ADT_A06",
    "A07": "ADT_A06",
    "A12": "ADT_A09",
    "A13": "ADT_A01",
}


def adt_layout(trigger: str) -> Layout:
    """Layout of an ADT message, the same in both versions but for the name of the structure."""
    if trigger == "A40":
        return Layout("ADT", "A40", "ADT_A39", ("EVN", "PID", "MRG"))
    return Layout("ADT", trigger, _ADT_STRUCTURE[trigger], ("EVN", "PID", "PV1"))


def order_layout(version: str) -> Layout:
    """RAD-2 and RAD-3."""
    if version == HL7_231:
        return Layout("ORM", "O01", "ORM_O01", ("PID", "PV1", "ORC", "OBR"))
    return Layout("OMG", "O19", "OMG_O19", ("PID", "PV1", "ORC", "TQ1", "OBR"))


def answer_layout(version: str) -> Layout:
    """The placer's answer to an order of the filler."""
    if version == HL7_231:
        return Layout("ORR", "O02", "ORR_O02", ("MSA", "PID", "ORC", "OBR"))
    return Layout("ORG", "O20", "ORG_O20", ("MSA", "PID", "ORC", "OBR"))


def schedule_layout(version: str) -> Layout:
    """RAD-4 and RAD-13."""
    if version == HL7_231:
        return Layout("ORM", "O01", "ORM_O01", ("PID", "PV1"), ("ORC", "OBR"), ("ZDS",))
    return Layout("OMI", "O23", "OMI_O23", ("PID", "PV1", "ORC", "TQ1", "OBR"), ("IPC",))


def appointment_layout(trigger: str) -> Layout:
    """RAD-48."""
    return Layout("SIU", trigger, "SIU_S12", ("SCH", "PID", "PV1", "RGS", "AIS"))
