"""Numbers of the retired MESA test suite as other names of requirements.

Scenarios carry the same numbers as tags, so that who knows the old number finds both."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Alias:
    """A former test: its topic and the requirements that it judged (the ones known, not all of them)."""

    title: str
    requirements: tuple[str, ...]


ALIASES: Mapping[str, Alias] = MappingProxyType(
    {
        "MESA-101": Alias("Unidentified patient, case 5: temporary identity at the modality", ("EX-16",)),
        "MESA-103": Alias(
            "Unidentified patient, case 1: registered, ordered, renamed later",
            (
                "SWF-ACT-01",
                "SWF-ACT-03",
                "SWF-ACT-05",
                "RAD-1-SRC-14",
                "XC-24",
                "EX-12",
            ),
        ),
        "MESA-104": Alias("Unidentified patient, case 4", ("EX-15",)),
        "MESA-105": Alias("Unidentified patient, case 3: performed before the order", ("EX-14",)),
        "MESA-107": Alias(
            "Order status updates",
            (
                "SWF-ACT-03",
                "RAD-3-SRC-07",
                "RAD-3-SRC-08",
                "RAD-3-DST-03",
                "RAD-7-SCP-04",
            ),
        ),
        "MESA-109": Alias(
            "Wrong worklist entry, images already stored",
            (
                "EX-07",
                "RAD-7-SCP-06",
                "SWF-OPT-03",
            ),
        ),
        "MESA-110": Alias(
            "Billing and material management",
            (
                "RAD-7-SCU-14",
                "RAD-7-SCU-15",
            ),
        ),
        "MESA-111": Alias("Performed work status update", ("SWF-OPT-07",)),
        "MESA-131": Alias(
            "Administrative flow from registration to the final status",
            (
                "SWF-ACT-01",
                "SWF-ACT-02",
                "SWF-ACT-03",
                "SWF-ACT-05",
                "RAD-1-SRC-14",
                "RAD-1-DST-01",
                "RAD-2-DST-01",
            ),
        ),
        "MESA-132": Alias(
            "Order changed by the filler",
            (
                "SWF-ACT-02",
                "SWF-ACT-03",
                "RAD-3-SRC-02",
                "RAD-3-DST-03",
                "RAD-3-SRC-10",
                "RAD-13-SRC-07",
                "EX-02",
            ),
        ),
        "MESA-133": Alias(
            "Unidentified patient, case 2: merged later",
            (
                "SWF-ACT-02",
                "RAD-3-SRC-02",
                "XC-24",
                "EX-13",
            ),
        ),
        "MESA-134": Alias(
            "Availability of the instances of a performed step",
            (
                "SWF-OPT-06",
                "RAD-49-SCU-05",
            ),
        ),
        "MESA-141": Alias(
            "Japanese variant of the administrative flow",
            (
                "XC-26",
                "XC-27",
            ),
        ),
        "MESA-142": Alias(
            "Japanese variant of the administrative flow",
            (
                "XC-26",
                "XC-27",
            ),
        ),
        "MESA-151": Alias(
            "Appointment made",
            (
                "SWF-OPT-08",
                "RAD-48-DST-01",
            ),
        ),
        "MESA-152": Alias(
            "Appointment moved",
            (
                "SWF-OPT-08",
                "RAD-48-DST-01",
                "EX-28",
            ),
        ),
        "MESA-153": Alias(
            "Appointment cancelled",
            (
                "SWF-OPT-08",
                "RAD-48-DST-01",
            ),
        ),
        "MESA-161": Alias("Instance availability", ("RAD-49-SCU-01",)),
        "MESA-162": Alias("Instance availability", ("RAD-49-SCU-01",)),
        "MESA-201": Alias(
            "Unscheduled exam",
            (
                "RAD-6-SCU-10",
                "EX-17",
            ),
        ),
        "MESA-211": Alias(
            "Scheduled exam, simple case",
            (
                "RAD-5-SCU-20",
                "RAD-6-SCU-06",
                "RAD-7-SCU-01",
                "RAD-8-SCU-05",
                "SWF-ACT-04",
            ),
        ),
        "MESA-213": Alias(
            "Scheduled exam, two steps",
            (
                "RAD-6-SCU-06",
                "RAD-6-SCU-08",
            ),
        ),
        "MESA-214": Alias(
            "Scheduled exam, two steps",
            (
                "RAD-6-SCU-06",
                "RAD-6-SCU-08",
            ),
        ),
        "MESA-215": Alias(
            "Another procedure performed than scheduled",
            (
                "RAD-6-SCU-14",
                "EX-18",
            ),
        ),
        "MESA-216": Alias(
            "Assisted acquisition protocol",
            (
                "SWF-OPT-02",
                "RAD-6-SCU-15",
            ),
        ),
        "MESA-218": Alias(
            "Billing and material management at the modality",
            (
                "SWF-OPT-05",
                "RAD-7-SCU-14",
            ),
        ),
        "MESA-221": Alias(
            "Group case, one requested procedure",
            (
                "SWF-OPT-04",
                "RAD-6-SCU-11",
                "EX-20",
            ),
        ),
        "MESA-222": Alias(
            "Group case, two requested procedures",
            (
                "SWF-OPT-04",
                "RAD-6-SCU-12",
                "EX-21",
            ),
        ),
        "MESA-231": Alias(
            "Append case",
            (
                "RAD-6-SCU-13",
                "EX-19",
            ),
        ),
        "MESA-241": Alias(
            "Abandoned exam",
            (
                "RAD-7-SCU-10",
                "EX-04",
            ),
        ),
        "MESA-242": Alias(
            "Wrong worklist entry at the modality",
            (
                "RAD-7-SCU-12",
                "RAD-7-SCU-13",
                "SWF-OPT-03",
            ),
        ),
        "MESA-251": Alias(
            "Storage commitment at the modality",
            (
                "EX-22",
                "RAD-10-SCU-01",
                "RAD-10-SCU-05",
                "RAD-10-SCU-06",
                "SWF-ACT-04",
            ),
        ),
        "MESA-271": Alias("Evidence Creator items", ("EX-10",)),
        "MESA-281": Alias("Further modality items", ("RAD-8-SCU-18",)),
        "MESA-282": Alias("Further modality items", ("RAD-8-SCU-18",)),
        "MESA-283": Alias("Further modality items", ("RAD-8-SCU-18",)),
        "MESA-284": Alias("Further modality items", ("RAD-8-SCU-18",)),
        "MESA-401": Alias(
            "Archive query keys",
            (
                "RAD-14-SCP-02",
                "RAD-14-SCP-03",
                "SWF-ACT-05",
            ),
        ),
        "MESA-402": Alias(
            "Archive query counts",
            (
                "SWF-ACT-05",
                "XC-21",
            ),
        ),
        "MESA-403": Alias(
            "Archive query",
            (
                "RAD-14-SCP-07",
                "SWF-ACT-05",
            ),
        ),
        "MESA-404": Alias(
            "Archive query, image level",
            (
                "SWF-ACT-05",
                "RAD-14-SCP-11",
            ),
        ),
        "MESA-405": Alias(
            "Storage commitment at the archive",
            (
                "RAD-10-SCP-02",
                "RAD-10-SCP-03",
                "RAD-4-DST-02",
                "RAD-8-SCP-04",
                "SWF-ACT-05",
            ),
        ),
        "MESA-411": Alias(
            "Query presentation states",
            (
                "CPI-ACT-03",
                "RAD-9-SCP-01",
                "RAD-15-SCP-01",
            ),
        ),
        "MESA-412": Alias(
            "Retrieve",
            (
                "CPI-ACT-03",
                "RAD-16-SCP-01",
                "RAD-9-SCP-01",
                "RAD-17-SCP-01",
                "XC-21",
            ),
        ),
        "MESA-414": Alias(
            "Query key image notes",
            (
                "RAD-30-SCP-01",
                "RAD-29-OBJ-01",
            ),
        ),
        "MESA-501": Alias(
            "Image Display query",
            (
                "SWF-ACT-08",
                "RAD-14-SCU-02",
            ),
        ),
        "MESA-502": Alias("Image Display", ("RAD-14-SCU-03",)),
        "MESA-503": Alias("Image Display", ("RAD-14-SCU-04",)),
        "MESA-504": Alias("Image Display", ("RAD-14-SCU-05",)),
        "MESA-511": Alias("Key image note objects", ("RAD-29-OBJ-01",)),
        "MESA-523": Alias("Print Server", ("RAD-23-SCP-01",)),
        "MESA-801": Alias(
            "Report query by the reader",
            (
                "ARI-ACT-04",
                "RAD-26-SCU-01",
            ),
        ),
        "MESA-802": Alias(
            "Report query, study level",
            (
                "ARI-ACT-04",
                "RAD-26-SCP-01",
            ),
        ),
        "MESA-804": Alias(
            "Report query, instance level",
            (
                "ARI-ACT-04",
                "RAD-26-SCP-02",
            ),
        ),
        "MESA-901": Alias(
            "Report Reader",
            (
                "ARI-ACT-03",
                "RAD-26-SCU-01",
                "RAD-27-SCU-01",
            ),
        ),
        "MESA-902": Alias("Report Reader", ("ARI-ACT-03",)),
        "MESA-1001": Alias("External report access", ("ARI-ACT-05",)),
        "MESA-1011": Alias("External report access", ("ARI-ACT-05",)),
        "MESA-1303": Alias("Charge posting is no part of SWF", ("SWF-ACT-11",)),
        "MESA-1701": Alias("Performed step of an Evidence Creator", ("RAD-20-SCU-01",)),
        "MESA-1900": Alias("Media Creator: the image is ISO 9660", ("RAD-47-PMC-01",)),
        "MESA-1901": Alias("Media Creator: DICOMDIR at the mount point", ("RAD-47-PMC-02", "RAD-47-PMC-03")),
        "MESA-1902": Alias("Media Creator: general disk format (MESA never judged it)", ("RAD-47-PMC-01",)),
        "MESA-1903": Alias(
            "Media Creator: file conventions",
            ("RAD-47-PMC-04", "RAD-47-PMC-09", "RAD-47-PMC-10", "RAD-47-PMC-11"),
        ),
        "MESA-1904": Alias(
            "Media Creator: content of DICOMDIR",
            (
                "RAD-47-PMC-13",
                "RAD-47-PMC-14",
                "RAD-47-PMC-15",
                "RAD-47-PMC-16",
                "RAD-47-PMC-17",
                "RAD-47-PMC-18",
                "RAD-47-PMC-19",
                "RAD-47-PMC-20",
                "RAD-47-PMC-21",
                "RAD-47-PMC-22",
            ),
        ),
        "MESA-1905": Alias("Media Creator: DICOM objects", ("RAD-47-PMC-23", "RAD-47-PMC-24")),
        "MESA-1910": Alias(
            "Media Creator: basic web content",
            ("RAD-47-PMC-06", "RAD-47-WEB-01", "RAD-47-WEB-02"),
        ),
        "MESA-1911": Alias("Media Creator: naming conflicts in IHE_PDI", ("RAD-47-PMC-05",)),
        "MESA-1912": Alias("Media Creator: the reserved prefix IHE", ("RAD-47-PMC-12",)),
        "MESA-1931": Alias(
            "Media readers: open a reference medium and show it",
            ("RAD-47-PMI-01", "RAD-47-IDP-01", "RAD-47-RRD-01", "RAD-47-PCO-01"),
        ),
        "MESA-1932": Alias(
            "Media readers: read media of other creators",
            ("RAD-47-PMI-02", "RAD-47-PMI-03", "RAD-47-IDP-02", "RAD-47-RRD-02"),
        ),
    }
)
