"""Seeded defects of a Portable Media Creator, one fault each, to see whether importers notice and survive it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from harness.actors.media import faults
from harness.actors.media.creator import MediaCreatorBehaviour
from harness.actors.media.faults import Change

Row = tuple[str, str, str, Callable[[MediaCreatorBehaviour], MediaCreatorBehaviour]]


def _arranged(change: Change) -> Callable[[MediaCreatorBehaviour], MediaCreatorBehaviour]:
    return lambda behaviour: replace(behaviour, arrange=change)


def _finished(change: Change) -> Callable[[MediaCreatorBehaviour], MediaCreatorBehaviour]:
    return lambda behaviour: replace(behaviour, finish=change)


def _burnt(change: Callable[[Path], None]) -> Callable[[MediaCreatorBehaviour], MediaCreatorBehaviour]:
    return lambda behaviour: replace(behaviour, burnt=change)


MEDIA_CREATOR_DEFECTS: tuple[Row, ...] = (
    ("media-no-dicomdir", "there is no DICOMDIR", "RAD-47-PMC-02", _finished(faults.removed("DICOMDIR"))),
    (
        "media-no-objects",
        "there are pages and no DICOM content",
        "PDI-ACT-01 RAD-47-PMC-02 RAD-47-WEB-08 XC-34",
        _finished(faults.no_objects),
    ),
    ("media-dicomdir-elsewhere", "DICOMDIR is in a folder", "RAD-47-PMC-02", _finished(faults.directory_elsewhere)),
    ("media-two-dicomdirs", "a second DICOMDIR is in a folder", "RAD-47-PMC-03", _finished(faults.two_directories)),
    ("media-dicom-in-root", "a DICOM file is in the root", "RAD-47-PMC-04", _arranged(faults.in_root)),
    ("media-dicom-in-web", "a DICOM file is in IHE_PDI", "RAD-47-PMC-05 RAD-47-WEB-01", _arranged(faults.in_web)),
    (
        "media-no-readme",
        "there is no README.TXT",
        "RAD-47-PMC-06 RAD-47-WEB-06",
        _finished(faults.removed("README.TXT")),
    ),
    (
        "media-lower-case",
        "a folder has a long name in lower case",
        "RAD-47-PMC-09",
        _finished(faults.added("Documents/A", b"x")),
    ),
    ("media-too-deep", "a file is nine levels deep", "RAD-47-PMC-10 RAD-47-PMC-14", _arranged(faults.too_deep)),
    ("media-extension", "a DICOM file has an extension", "RAD-47-PMC-11 RAD-47-PMC-14", _arranged(faults.extension)),
    (
        "media-ihe-prefix",
        "a name in the root begins with IHE",
        "RAD-47-PMC-12",
        _finished(faults.added("IHE_INFO/A", b"x")),
    ),
    (
        "media-file-missing",
        "a record names a file that is not there",
        "RAD-47-PMC-13 XC-34",
        _finished(faults.file_missing),
    ),
    ("media-unreferenced", "a DICOM file has no record", "RAD-47-PMC-13", _arranged(faults.unreferenced)),
    ("media-offsets", "an offset is off by 22 bytes", "RAD-47-PMC-16 RAD-47-PMC-13", _finished(faults.offsets_off)),
    ("media-loop", "the last patient record leads to the first", "RAD-47-PMC-16", _finished(faults.loop)),
    ("media-last-offset", "the offset of the last record is wrong", "RAD-47-PMC-16", _finished(faults.last_offset)),
    (
        "media-dicomdir-cut",
        "the end of DICOMDIR is missing",
        "RAD-47-PMC-16 RAD-47-PMC-20 RAD-47-PMC-21 RAD-47-PMC-22",
        _finished(faults.truncated_directory),
    ),
    (
        "media-directory-meta",
        "DICOMDIR says Implicit VR in its meta header",
        "RAD-47-PMC-15",
        _finished(faults.replaced("DICOMDIR", b"1.2.840.10008.1.2.1\0", b"1.2.840.10008.1.2\0\0\0")),
    ),
    ("media-private-record", "a record is PRIVATE", "RAD-47-PMC-17", _arranged(faults.private_record)),
    (
        "media-no-patient-id",
        "a patient record has no Patient ID",
        "RAD-47-PMC-18 RAD-47-PMC-20 RAD-47-PMC-22",
        _arranged(faults.put("PATIENT", "PatientID", "")),
    ),
    ("media-patient-twice", "a patient has two records", "RAD-47-PMC-18", _arranged(faults.twice_the_patient)),
    (
        "media-uid-twice",
        "two records have one SOP Instance UID",
        "RAD-47-PMC-19 RAD-47-PMC-22",
        _arranged(faults.twice_the_instance),
    ),
    (
        "media-key-missing",
        "a study record has no Study ID",
        "RAD-47-PMC-20",
        _arranged(faults.without("STUDY", 0x00200010)),
    ),
    (
        "media-image-type",
        "an image record has no Image Type",
        "RAD-47-PMC-21",
        _arranged(faults.without("IMAGE", 0x00080008)),
    ),
    (
        "media-other-name",
        "a patient record has another name than the files",
        "RAD-47-PMC-22",
        _arranged(faults.other_name),
    ),
    ("media-no-character-set", "records have no character set", "RAD-47-PMC-22", _arranged(faults.no_character_set)),
    ("media-wrong-meta", "a file meta header names another instance", "RAD-47-PMC-23", _finished(faults.wrong_meta)),
    (
        "media-compressed",
        "an image is compressed by a method that no application profile allows",
        "RAD-47-PMC-24 RAD-47-PMC-25 RAD-47-PMC-26",
        _arranged(faults.compressed),
    ),
    ("media-iso-size", "the image states its size in one byte order", "RAD-47-PMC-01", _burnt(faults.other_byte_order)),
    ("media-label", "the volume label is not the File-set ID", "RAD-47-PMC-36", _arranged(faults.other_label)),
    (
        "media-plain-dicomdir",
        "the DICOMDIR of a protected medium is not protected",
        "RAD-47-SEC-01",
        _finished(faults.plain_directory),
    ),
    ("media-file-cut", "the end of a DICOM file is missing", "RAD-47-PMC-29", _finished(faults.cut)),
    (
        "media-encrypted",
        "a DICOM file is encrypted",
        "RAD-47-PMC-29 RAD-47-PMC-13 XC-34",
        _finished(faults.enveloped),
    ),
    (
        "media-extra",
        "a document lies among the DICOM files",
        "RAD-47-PMC-30",
        _finished(faults.added("DICOM/PA000001/ST000001/SE000001/NOTE.TXT", b"x")),
    ),
    (
        "media-autorun",
        "a program starts by itself",
        "RAD-47-PMC-31",
        _finished(faults.added("AUTORUN.INF", b"[autorun]\r\nopen=A.EXE\r\n")),
    ),
    (
        "media-readme-silent",
        "README.TXT says nothing",
        "RAD-47-PMC-07",
        _finished(faults.added("README.TXT", b"Hello 2026-01-05.\r\n")),
    ),
    (
        "media-readme-binary",
        "README.TXT is no plain text",
        "RAD-47-PMC-08",
        _finished(faults.replaced("README.TXT", b"Portable", b"P\x00rt\xe4bl")),
    ),
    ("media-undated", "the medium does not say when it was made", "RAD-47-PMC-34", _finished(faults.undated)),
    ("media-left-out", "an instance of the study is not on the medium", "XC-34", _arranged(faults.left_out)),
    (
        "media-web-foreign-file",
        "a program is in IHE_PDI",
        "RAD-47-WEB-01",
        _finished(faults.added("IHE_PDI/VIEW.EXE", b"MZ")),
    ),
    (
        "media-web-no-index",
        "there is no INDEX.HTM",
        "RAD-47-WEB-02 RAD-47-WEB-06",
        _finished(faults.removed("INDEX.HTM")),
    ),
    (
        "media-web-index-silent",
        "INDEX.HTM leads nowhere",
        "RAD-47-WEB-03",
        _finished(faults.replaced("INDEX.HTM", b"IHE_PDI/START.HTM", b"README.TXT")),
    ),
    (
        "media-web-not-xhtml",
        "a page is no well-formed XHTML",
        "RAD-47-WEB-04",
        _finished(faults.in_page(b"</h1>", b"<br>")),
    ),
    ("media-web-entities", "a page declares entities", "RAD-47-WEB-04", _finished(faults.entities)),
    ("media-web-png", "a picture is no JPEG", "RAD-47-WEB-05", _finished(faults.png)),
    (
        "media-web-wrong-case",
        "a link is written in another case than the file",
        "RAD-47-WEB-06",
        _finished(faults.wrong_case),
    ),
    (
        "media-web-absolute-link",
        "a link leads to the network",
        "RAD-47-WEB-06",
        _finished(faults.in_page(b"START.HTM", b"http://example.org/")),
    ),
    (
        "media-web-script",
        "a page has a script",
        "RAD-47-WEB-07",
        _finished(faults.in_page(b"</head>", b"<script>x()</script></head>")),
    ),
    (
        "media-web-stranger",
        "a page shows a study that is not on the medium",
        "RAD-47-WEB-08",
        _finished(faults.in_page(b"Study ", b"Study 1.2.3.4.5.6.7.8.9.10 ")),
    ),
    ("media-web-long-name", "a page has the extension HTML", "RAD-47-WEB-10", _finished(faults.long_name)),
)
