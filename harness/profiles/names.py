"""Names of actors, options and transactions as the Technical Framework spells them."""

from __future__ import annotations

from harness.core.spec import Transaction

ADT = "ADT"
ORDER_PLACER = "Order Placer"
ORDER_FILLER = "DSS/Order Filler"
MODALITY = "Acquisition Modality"
IMAGE_MANAGER = "Image Manager/Archive"
PPS_MANAGER = "PPS Manager"
IMAGE_DISPLAY = "Image Display"
EVIDENCE_CREATOR = "Evidence Creator"
PRINT_COMPOSER = "Print Composer"
PRINT_SERVER = "Print Server"
REPORT_READER = "Report Reader"
REPORT_REPOSITORY = "Report Repository"
EXTERNAL_REPORT_REPOSITORY = "External Report Repository Access"
REPORT_MANAGER = "Report Manager"
REPORT_CREATOR = "Report Creator"
POST_PROCESSING_MANAGER = "Post-Processing Manager"
CHARGE_PROCESSOR = "Charge Processor"
MEDIA_CREATOR = "Portable Media Creator"
MEDIA_IMPORTER = "Portable Media Importer"
DISPLAY = "Display"

PATIENT_BASED_QUERY = "Patient-Based Worklist Query"
BROAD_QUERY = "Broad Worklist Query"
ASSISTED_PROTOCOL = "Assisted Acquisition Protocol Setting"
PPS_EXCEPTION = "PPS Exception Management"
GROUP_CASE = "Modality Group Case"
BILLING = "Billing and Material Management"
AVAILABILITY = "Availability of PPS-Referenced Instances"
WORK_STATUS = "Performed Work Status Update - Receive"
APPOINTMENT = "Departmental Appointment Notification"
CREATOR_PPS = "Creator Performed Procedure Step"
HL7_V251 = "HL7 v2.5.1"
MULTIPLE_SOURCES = "Multiple Sources"
WEB_CONTENT = "Web Content"
DVD_MEDIA = "DVD Media"
USB_MEDIA = "USB Media"
BASIC_IMAGE_REVIEW = "Basic Image Review"
PRIVACY_PROTECTION = "Privacy Protection"


def _row(number: int, name: str, initiators: tuple[str, ...], responders: tuple[str, ...], service: str) -> Transaction:
    return Transaction(f"RAD-{number}", name, initiators, responders, service)


_PPS_RECEIVERS = (PPS_MANAGER, IMAGE_MANAGER, ORDER_FILLER)
_MAKERS = (MODALITY, EVIDENCE_CREATOR)
_REPOSITORIES = (REPORT_REPOSITORY, EXTERNAL_REPORT_REPOSITORY)

TRANSACTIONS: tuple[Transaction, ...] = (
    _row(1, "Patient Registration", (ADT,), (ORDER_PLACER, ORDER_FILLER), "HL7 ADT"),
    _row(2, "Placer Order Management", (ORDER_PLACER,), (ORDER_FILLER,), "HL7 ORM or OMG"),
    _row(3, "Filler Order Management", (ORDER_FILLER,), (ORDER_PLACER,), "HL7 ORM and ORR, or OMG and ORG"),
    _row(4, "Procedure Scheduled", (ORDER_FILLER,), (IMAGE_MANAGER, REPORT_MANAGER), "HL7 ORM or OMI"),
    _row(5, "Query Modality Worklist", (MODALITY,), (ORDER_FILLER,), "DICOM Modality Worklist"),
    _row(6, "Modality Procedure Step In Progress", (MODALITY,), _PPS_RECEIVERS, "DICOM MPPS N-CREATE"),
    _row(7, "Modality Procedure Step Completed/Discontinued", (MODALITY,), _PPS_RECEIVERS, "DICOM MPPS N-SET"),
    _row(8, "Modality Images Stored", (MODALITY,), (IMAGE_MANAGER,), "DICOM C-STORE"),
    _row(9, "Modality Presentation State Stored", (MODALITY,), (IMAGE_MANAGER,), "DICOM C-STORE"),
    _row(10, "Storage Commitment", _MAKERS, (IMAGE_MANAGER,), "DICOM Storage Commitment Push Model"),
    _row(11, "Images Availability Query", (ORDER_FILLER, REPORT_MANAGER), (IMAGE_MANAGER,), "DICOM C-FIND"),
    _row(12, "Patient Update", (ADT, ORDER_FILLER), (ORDER_PLACER, ORDER_FILLER, IMAGE_MANAGER), "HL7 ADT"),
    _row(13, "Procedure Updated", (ORDER_FILLER,), (IMAGE_MANAGER, REPORT_MANAGER), "HL7 ORM or OMI"),
    _row(14, "Query Images", (IMAGE_DISPLAY,), (IMAGE_MANAGER,), "DICOM C-FIND"),
    _row(15, "Query Presentation States", (IMAGE_DISPLAY,), (IMAGE_MANAGER,), "DICOM C-FIND"),
    _row(16, "Retrieve Images", (IMAGE_DISPLAY,), (IMAGE_MANAGER,), "DICOM C-MOVE"),
    _row(17, "Retrieve Presentation States", (IMAGE_DISPLAY,), (IMAGE_MANAGER,), "DICOM C-MOVE"),
    _row(18, "Creator Images Stored", (EVIDENCE_CREATOR,), (IMAGE_MANAGER,), "DICOM C-STORE"),
    _row(19, "Creator Presentation State Stored", (EVIDENCE_CREATOR,), (IMAGE_MANAGER,), "DICOM C-STORE"),
    _row(20, "Creator Procedure Step In Progress", (EVIDENCE_CREATOR,), _PPS_RECEIVERS, "DICOM MPPS N-CREATE"),
    _row(21, "Creator Procedure Step Completed", (EVIDENCE_CREATOR,), _PPS_RECEIVERS, "DICOM MPPS N-SET"),
    _row(23, "Print Request with Presentation LUT", (PRINT_COMPOSER,), (PRINT_SERVER,), "DICOM Basic Grayscale Print"),
    _row(24, "Report Submission", (REPORT_CREATOR,), (REPORT_MANAGER,), "DICOM C-STORE"),
    _row(25, "Report Issuing", (REPORT_MANAGER,), (REPORT_REPOSITORY,), "DICOM C-STORE"),
    _row(26, "Query Reports", (REPORT_READER,), _REPOSITORIES, "DICOM C-FIND"),
    _row(27, "Retrieve Reports", (REPORT_READER,), _REPOSITORIES, "DICOM C-MOVE"),
    _row(29, "Key Image Note Stored", _MAKERS, (IMAGE_MANAGER,), "DICOM C-STORE"),
    _row(30, "Query Key Image Notes", (IMAGE_DISPLAY,), (IMAGE_MANAGER,), "DICOM C-FIND"),
    _row(31, "Retrieve Key Image Notes", (IMAGE_DISPLAY,), (IMAGE_MANAGER,), "DICOM C-MOVE"),
    _row(35, "Charge Posted", (ORDER_FILLER,), (CHARGE_PROCESSOR,), "HL7 DFT"),
    _row(36, "Account Management", (ADT,), (CHARGE_PROCESSOR,), "HL7 BAR"),
    _row(
        42,
        "Performed Work Status Update",
        (POST_PROCESSING_MANAGER, REPORT_MANAGER),
        (ORDER_FILLER, IMAGE_MANAGER),
        "DICOM General Purpose PPS (retired)",
    ),
    _row(43, "Evidence Document Stored", _MAKERS, (IMAGE_MANAGER,), "DICOM C-STORE"),
    _row(44, "Query Evidence Documents", (IMAGE_DISPLAY,), (IMAGE_MANAGER,), "DICOM C-FIND"),
    _row(45, "Retrieve Evidence Documents", (IMAGE_DISPLAY,), (IMAGE_MANAGER,), "DICOM C-MOVE"),
    _row(
        47,
        "Distribute Imaging Information on Media",
        (MEDIA_CREATOR,),
        (MEDIA_IMPORTER, IMAGE_DISPLAY, REPORT_READER, PRINT_COMPOSER, DISPLAY),
        "DICOM media and web content",
    ),
    _row(48, "Appointment Notification", (ORDER_FILLER,), (ORDER_PLACER,), "HL7 SIU"),
    _row(
        49,
        "Instance Availability Notification",
        (IMAGE_MANAGER,),
        (ORDER_FILLER, REPORT_MANAGER),
        "DICOM Instance Availability Notification",
    ),
)
