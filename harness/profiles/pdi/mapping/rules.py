"""Requirement -> codes of the media rules that judge it (see ``ihe-harness validate --explain CODE``)."""

from __future__ import annotations

#: check id, requirement, rule codes, what holds when it passes
CREATOR: tuple[tuple[str, str, tuple[str, ...], str], ...] = (
    ("media-iso", "RAD-47-PMC-01", ("MEDIA-ISO",), "the image is ISO 9660 Level 1"),
    ("media-label", "RAD-47-PMC-36", ("MEDIA-LABEL",), "the label of the volume is the File-set ID"),
    ("media-directory-root", "RAD-47-PMC-02", ("MEDIA-DICOMDIR-ROOT",), "DICOMDIR is in the root"),
    ("media-directory-one", "RAD-47-PMC-03", ("MEDIA-DICOMDIR-ONE",), "there is one DICOMDIR"),
    ("media-root-dicom", "RAD-47-PMC-04", ("MEDIA-ROOT-DICOM",), "no DICOM file is in the root"),
    ("media-web-dicom", "RAD-47-PMC-05", ("MEDIA-WEB-DICOM",), "no DICOM file is in IHE_PDI"),
    ("media-readme", "RAD-47-PMC-06", ("MEDIA-README",), "README.TXT is in the root"),
    ("media-readme-content", "RAD-47-PMC-07", ("MEDIA-README-CONTENT",), "README.TXT says what it has to"),
    ("media-readme-text", "RAD-47-PMC-08", ("MEDIA-README-TEXT",), "README.TXT is plain text"),
    ("media-names", "RAD-47-PMC-09", ("MEDIA-NAME", "MEDIA-REFUSED"), "names are those of ISO 9660 Level 1"),
    ("media-depth", "RAD-47-PMC-10", ("MEDIA-DEPTH",), "folders are at most 8 levels deep"),
    ("media-extension", "RAD-47-PMC-11", ("MEDIA-DICOM-EXTENSION",), "DICOM files have no extension"),
    ("media-prefix", "RAD-47-PMC-12", ("MEDIA-IHE-PREFIX",), "names that begin with IHE are reserved"),
    (
        "media-references",
        "RAD-47-PMC-13",
        ("MEDIA-FILE-MISSING", "MEDIA-FILE-UNREFERENCED"),
        "DICOMDIR names all DICOM files, and they are there",
    ),
    ("media-file-id", "RAD-47-PMC-14", ("MEDIA-FILE-ID",), "file identifiers are well formed"),
    ("media-directory-meta", "RAD-47-PMC-15", ("MEDIA-DICOMDIR-META",), "the meta header of DICOMDIR is right"),
    (
        "media-directory-tree",
        "RAD-47-PMC-16",
        ("MEDIA-DICOMDIR-STRUCTURE", "MEDIA-OFFSETS", "MEDIA-LOOP", "MEDIA-RECORD-LOST", "MEDIA-HIERARCHY"),
        "records make a tree by offsets that lead to records",
    ),
    ("media-record-type", "RAD-47-PMC-17", ("MEDIA-RECORD-TYPE",), "record types fit the objects"),
    ("media-patient-id", "RAD-47-PMC-18", ("MEDIA-PATIENT-ID",), "each patient has a Patient ID of its own"),
    ("media-uid", "RAD-47-PMC-19", ("MEDIA-UID-UNIQUE",), "UIDs of records are unique"),
    ("media-keys", "RAD-47-PMC-20", ("MEDIA-RECORD-KEY",), "records have their keys"),
    ("media-image-keys", "RAD-47-PMC-21", ("MEDIA-IMAGE-KEY",), "image records have the keys that the images have"),
    (
        "media-values",
        "RAD-47-PMC-22",
        ("MEDIA-KEY-VALUE", "MEDIA-CHARACTER-SET"),
        "records say what the files say",
    ),
    ("media-file-meta", "RAD-47-PMC-23", ("MEDIA-FILE-META",), "file meta headers agree with the data sets"),
    ("media-references-inside", "RAD-47-PMC-27", ("MEDIA-REFERENCE",), "what objects refer to is on the medium"),
    ("media-classes", "RAD-47-PMC-28", ("MEDIA-CLASS",), "SOP classes are standard ones in force"),
    ("media-plain", "RAD-47-PMC-29", ("MEDIA-SECURE", "MEDIA-FILE-BROKEN"), "DICOM files are plain and complete"),
    ("media-extra", "RAD-47-PMC-30", ("MEDIA-EXTRA",), "additional content is apart from DICOM files"),
    ("media-autorun", "RAD-47-PMC-31", ("MEDIA-AUTORUN",), "nothing starts by itself"),
    ("media-date", "RAD-47-PMC-34", ("MEDIA-DATE",), "the medium says when it was made"),
    ("media-protected", "RAD-47-SEC-01", ("MEDIA-PROTECTED",), "DICOMDIR and all DICOM files are Secure DICOM Files"),
    ("web-folder", "RAD-47-WEB-01", ("WEB-FOLDER",), "IHE_PDI holds the web content and nothing else"),
    ("web-index", "RAD-47-WEB-02", ("WEB-INDEX",), "INDEX.HTM is in the root"),
    ("web-index-content", "RAD-47-WEB-03", ("WEB-INDEX-CONTENT",), "INDEX.HTM says what it has to"),
    ("web-xhtml", "RAD-47-WEB-04", ("WEB-XHTML",), "pages are XHTML"),
    ("web-jpeg", "RAD-47-WEB-05", ("WEB-JPEG",), "pictures are JPEG"),
    ("web-links", "RAD-47-WEB-06", ("WEB-LINK",), "links are relative and lead to files of the medium"),
    ("web-active", "RAD-47-WEB-07", ("WEB-ACTIVE",), "pages need neither scripts nor plug-ins"),
    ("web-counterpart", "RAD-47-WEB-08", ("WEB-COUNTERPART",), "pages show what is among the DICOM objects"),
    ("web-names", "RAD-47-WEB-10", ("WEB-NAME",), "web files have names of ISO 9660 Level 1"),
)
#: the same for the application profile of each kind of medium
PROFILES: tuple[tuple[str, str, str], ...] = (
    ("media-profile-cd", "RAD-47-PMC-24", "CD"),
    ("media-profile-dvd", "RAD-47-PMC-25", "DVD"),
    ("media-profile-usb", "RAD-47-PMC-26", "USB"),
)
