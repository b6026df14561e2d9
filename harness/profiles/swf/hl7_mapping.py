"""Which HL7 fields the transactions of SWF and SWF.b demand, as data.

Sources are named by each requirement; here stand only the fields. Nothing of this is shared with simulated actors.
"""

from __future__ import annotations

from harness.profiles.swf.hl7_rules import AtMost, Empty, Equal, Matches, OneOf, Rule, Scope, Valued

_ENCOUNTER = "PID-18.1|PV1-19.1"
_NEW = frozenset({"NW"})
_ORDER = frozenset({"NW", "CA"})
_SCHEDULING = ("RAD-4", "RAD-13")

#: HL7 table 0001, v2.3.1 and v2.5.1
SEX = ("F", "M", "O", "U", "A", "N")
#: DICOM CID 29 and the retired and display ones that a department may still schedule
MODALITY = r"[A-Z][A-Z0-9]{1,15}"
UID = r"(?=.{1,64}$)(0|[1-9]\d*)(\.(0|[1-9]\d*))+"
TIME_STAMP = (
    r"\d{4}((0[1-9]|1[0-2])((0[1-9]|[12]\d|3[01])(([01]\d|2[0-3])([0-5]\d([0-5]\d(\.\d{1,4})?)?)?)?)?)?([+-]\d{4})?"
)
TIME_STAMP_WORDS = "YYYY[MM[DD[HH[MM[SS[.S...]]]]]][+/-ZZZZ]"

#: fields of type TS, DTM or DT in the messages of these transactions
TIME_FIELDS = (
    "MSH-7.1",
    "EVN-2.1",
    "PID-7.1",
    "PV1-44.1",
    "PV1-45.1",
    "ORC-7.4",
    "ORC-9.1",
    "OBR-27.4",
    "TQ1-7.1",
    "SCH-11.4",
    "SCH-11.5",
    "AIS-4.1",
)

#: coded fields: path of the identifier, path of the scheme
CODED_FIELDS = (
    ("OBR-4.1", "OBR-4.3"),
    ("OBR-4.4", "OBR-4.6"),
    ("OBR-44.1", "OBR-44.3"),
    ("IPC-6.1", "IPC-6.3"),
    ("AIS-3.1", "AIS-3.3"),
)

#: what else Patient's Sex may say of a code that DICOM does not have (PS3.3 C.7.1.1: M, F, O, or unknown)
SEX_IN_DICOM = {"U": ("", "O"), "A": ("O", ""), "N": ("O", "")}

#: HL7 path to worklist attribute: patient and order level (TF-2 appendix B)
WORKLIST_MAP = (
    ("PID-3.1", "PatientID"),
    ("PID-7.1", "PatientBirthDate"),
    ("PID-8", "PatientSex"),
    ("ORC-2.1", "PlacerOrderNumberImagingServiceRequest"),
    ("ORC-3.1", "FillerOrderNumberImagingServiceRequest"),
    ("OBR-18|IPC-1.1", "AccessionNumber"),
    ("OBR-19|IPC-2.1", "RequestedProcedureID"),
    ("ZDS-1.1|IPC-3.1", "StudyInstanceUID"),
)

#: fields that a filler passes on unchanged with RAD-12
FORWARDED = ("PID-3.1", "PID-3.4.1", "PID-5", "PID-7.1", "PID-8", "MRG-1.1", "MRG-1.4.1")

HEADER_RULES = (
    Rule(
        "HL7-GEN-04",
        Scope(),
        (Valued(("MSH-3", "MSH-4", "MSH-5", "MSH-6")),),
        "Sending and receiving application and facility are valued",
    ),
    Rule("HL7-GEN-07", Scope(), (OneOf("MSH-11.1", ("P",)),), "The processing ID is P"),
)

REGISTRATION_RULES = (
    Rule("RAD-1-SRC-03", Scope(("RAD-1",)), (Valued(("EVN-2",)),), "The recorded date and time is valued"),
    Rule(
        "RAD-1-SRC-04",
        Scope(("RAD-1",)),
        (Valued(("PID-3.1", "PID-3.4")),),
        "The patient ID has a value and an assigning authority",
    ),
    Rule("RAD-1-SRC-05", Scope(("RAD-1",)), (Valued(("PID-5",)),), "The patient name is valued"),
    Rule("RAD-1-SRC-06", Scope(("RAD-1",)), (OneOf("PID-8", SEX),), "The sex is a code of table 0001"),
    Rule("RAD-1-SRC-09", Scope(("RAD-1",)), (Valued((_ENCOUNTER,)),), "The encounter is identified"),
    Rule("RAD-1-SRC-10", Scope(("RAD-1",)), (Valued(("PV1-2",)),), "The patient class is valued"),
    Rule(
        "RAD-1-SRC-11",
        Scope(("RAD-1",), frozenset({"A01"})),
        (Valued(("PV1-3", "PV1-7", "PV1-10", "PV1-17")),),
        "An admission names location, attending doctor, service and admitting doctor",
    ),
    Rule(
        "RAD-1-SRC-12",
        Scope(("RAD-1",), frozenset({"A04", "A05"})),
        (Valued(("PV1-8",)),),
        "A registration names the referring doctor",
    ),
)

UPDATE_RULES = (
    Rule(
        "RAD-12-SRC-06",
        Scope(("RAD-12",), frozenset({"A06"})),
        (OneOf("PV1-2", ("I",)),),
        "A06 shows the class inpatient",
    ),
    Rule(
        "RAD-12-SRC-07",
        Scope(("RAD-12",), frozenset({"A02"})),
        (Valued(("PV1-3", "PV1-6")),),
        "A transfer names the new and the prior location",
    ),
)

ORDER_RULES = (
    Rule(
        "RAD-2-SRC-04",
        Scope(("RAD-2",)),
        (Valued(("PID-3.1", "PID-5", "PV1-2", _ENCOUNTER)),),
        "Patient, class and encounter are valued",
    ),
    Rule(
        "RAD-2-SRC-05",
        Scope(("RAD-2",)),
        (AtMost("ORC-2.1", 22), Valued(("ORC-2.2|ORC-2.3",))),
        "The placer number is short enough and has its application",
    ),
    Rule("RAD-2-SRC-06", Scope(("RAD-2",), controls=_NEW), (Empty(("ORC-3",)),), "A new order has no filler number"),
    Rule(
        "RAD-2-SRC-07",
        Scope(("RAD-2",), controls=_NEW, form="old"),
        (Valued(("ORC-7",)), Equal("ORC-7", "OBR-27")),
        "Quantity and timing are the same in ORC and OBR",
    ),
    Rule(
        "RAD-2-SRC-08",
        Scope(("RAD-2",), controls=_NEW, form="new"),
        (Valued(("TQ1-7",)), Empty(("ORC-7", "OBR-27"))),
        "The timing is in TQ1 alone",
    ),
    Rule(
        "RAD-2-SRC-09",
        Scope(("RAD-2",), controls=_ORDER),
        (Valued(("ORC-9", "ORC-12", "ORC-17")),),
        "Transaction time, ordering provider and entering organisation are valued",
    ),
    Rule(
        "RAD-2-SRC-10",
        Scope(("RAD-2",), controls=_NEW),
        (Equal("ORC-2", "OBR-2"), Empty(("OBR-3",))),
        "OBR repeats the placer number and has no filler number",
    ),
    Rule(
        "RAD-2-SRC-11",
        Scope(("RAD-2",), controls=_NEW),
        (Valued(("OBR-4.1", "OBR-4.3")),),
        "The ordered service has a code and a scheme",
    ),
    Rule(
        "RAD-2-SRC-12",
        Scope(("RAD-2",), controls=_NEW),
        (Valued(("OBR-16",)), Equal("ORC-12", "OBR-16")),
        "The ordering provider is the same in ORC and OBR",
    ),
    Rule(
        "RAD-2-SRC-14", Scope(("RAD-2",)), (OneOf("ORC-1", ("NW", "CA")),), "The order control is new order or cancel"
    ),
)

FILLER_RULES = (
    Rule(
        "RAD-3-SRC-01",
        Scope(("RAD-3",), controls=frozenset({"SN"})),
        (Valued(("ORC-3.1",)), Empty(("ORC-2.1",))),
        "An order of the filler has a filler number and no placer number",
    ),
    Rule(
        "RAD-3-SRC-03",
        Scope(("RAD-3",), controls=frozenset({"SN"})),
        (Valued(("ORC-9", "ORC-12", "ORC-17", "OBR-4", "OBR-16", "OBR-31")),),
        "An order of the filler carries time, providers, service and reason",
    ),
    Rule(
        "RAD-3-SRC-04",
        Scope(("RAD-3",)),
        (AtMost("ORC-3.1", 22), Valued(("ORC-3.2|ORC-3.3",))),
        "The filler number is short enough and has its application",
    ),
    Rule(
        "RAD-3-SRC-05",
        Scope(("RAD-3",), controls=frozenset({"SC"})),
        (Valued(("ORC-2.1", "ORC-3.1")),),
        "A status update carries both order numbers",
    ),
    Rule(
        "RAD-3-SRC-06",
        Scope(("RAD-3",), controls=frozenset({"SC"})),
        (OneOf("ORC-5", ("IP", "CM", "DC", "CD")),),
        "A status update says in progress, completed or discontinued",
    ),
    Rule(
        "RAD-3-SRC-09",
        Scope(("RAD-3",), controls=frozenset({"OC"})),
        (Valued(("ORC-2.1", "ORC-3.1")),),
        "A cancel of the filler carries both order numbers",
    ),
)

SCHEDULE_RULES = (
    Rule("RAD-4-SRC-02", Scope(("RAD-4",), form="old"), (OneOf("ORC-5", ("SC",)),), "A new procedure has status SC"),
    Rule(
        "RAD-4-SRC-05",
        Scope(_SCHEDULING, form="old"),
        (
            Matches("ZDS-1.1", UID, "a UID of at most 64 characters", needed=True),
            OneOf("ZDS-1.3", ("Application",)),
            OneOf("ZDS-1.4", ("DICOM",)),
        ),
        "ZDS-1 is a Study Instance UID as a reference pointer",
    ),
    Rule(
        "RAD-4-SRC-06",
        Scope(("RAD-4",)),
        (Valued(("ORC-3.1", "OBR-3.1")), Equal("ORC-2", "OBR-2"), Equal("ORC-3", "OBR-3")),
        "Order numbers are valued and the same in ORC and OBR",
    ),
    Rule("RAD-4-SRC-07", Scope(("RAD-4",), form="old"), (AtMost("OBR-18", 16),), "OBR-18 fits an Accession Number"),
    Rule("RAD-4-SRC-08", Scope(("RAD-4",), form="old"), (AtMost("OBR-19", 16),), "OBR-19 fits its DICOM attribute"),
    Rule("RAD-4-SRC-09", Scope(("RAD-4",), form="old"), (AtMost("OBR-20", 16),), "OBR-20 fits its DICOM attribute"),
    Rule(
        "RAD-4-SRC-10",
        Scope(("RAD-4",), form="old"),
        (Matches("OBR-24", MODALITY, "a DICOM modality", needed=True),),
        "OBR-24 is a modality code",
    ),
    Rule(
        "RAD-4-SRC-11",
        Scope(("RAD-4",), form="old"),
        (Valued(("OBR-4.1", "OBR-4.4")),),
        "OBR-4 holds the service and the protocol code of the step",
    ),
    Rule(
        "RAD-4-SRC-12",
        Scope(("RAD-4",), form="old"),
        (Valued(("OBR-44.1", "OBR-44.3")),),
        "OBR-44 holds the requested procedure with its scheme",
    ),
    Rule(
        "RAD-4-SRC-13",
        Scope(("RAD-4",), form="old"),
        (Valued(("ORC-7.4", "OBR-27.4")), Equal("ORC-7.4", "OBR-27.4")),
        "ORC-7.4 and OBR-27.4 hold the scheduled start",
    ),
    Rule(
        "RAD-4-SRC-16",
        Scope(_SCHEDULING, form="new"),
        (Valued(("IPC-1.1", "IPC-2.1", "IPC-3.1", "IPC-4.1", "IPC-5.1")),),
        "IPC names accession, procedure, study, step and modality",
    ),
    Rule("RAD-4-SRC-18", Scope(("RAD-4",), form="new"), (Valued(("IPC-6.1",)),), "IPC-6 holds the protocol code"),
    Rule("RAD-4-SRC-19", Scope(("RAD-4",), form="new"), (Valued(("TQ1-7", "TQ1-9")),), "TQ1 holds start and priority"),
    Rule(
        "RAD-4-SRC-20", Scope(_SCHEDULING, form="new"), (Empty(("ORC-7", "OBR-27")),), "ORC-7 and OBR-27 are not used"
    ),
    Rule(
        "RAD-13-SRC-01",
        Scope(("RAD-13",), controls=frozenset({"CA"})),
        (OneOf("ORC-5", ("CA",)),),
        "A cancelled procedure has status CA",
    ),
    Rule(
        "RAD-13-SRC-04",
        Scope(("RAD-13",), controls=frozenset({"DC"})),
        (OneOf("ORC-5", ("CA",)),),
        "A discontinued procedure has status CA",
    ),
)

APPOINTMENT_RULES = (
    Rule(
        "RAD-48-SRC-03",
        Scope(("RAD-48",)),
        (
            Valued(("SCH-2.1", "SCH-6", "SCH-11", "SCH-16", "SCH-26.1", "SCH-27.1")),
            Valued(("RGS-1", "AIS-1", "AIS-3", "AIS-4")),
        ),
        "Appointment, order numbers, timing, contact, service and start are valued",
    ),
)

FIELD_RULES = (
    *HEADER_RULES,
    *REGISTRATION_RULES,
    *UPDATE_RULES,
    *ORDER_RULES,
    *FILLER_RULES,
    *SCHEDULE_RULES,
    *APPOINTMENT_RULES,
)
