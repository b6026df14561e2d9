"""Take persons out of evidence so that it can be shown to others and still be judged.

Follows the idea of the Basic Application Level Confidentiality Profile (PS3.15 annex E) with the options Retain UIDs,
Retain Full Dates, Retain Device Identity and Retain Patient Characteristics. Values are not emptied but replaced,
character by character, by others of the same kind: what was equal stays equal, what began alike still begins alike,
and what is wrong about a value (a length, a repertoire, a delimiter) stays wrong. The key is thrown away.
"""

from __future__ import annotations

import io
import re
import warnings
import zlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pydicom
from pydicom.datadict import dictionary_has_tag, dictionary_VR, keyword_for_tag, tag_for_keyword
from pydicom.dataset import Dataset
from pydicom.filebase import DicomBytesIO
from pydicom.filereader import read_dataset
from pydicom.filewriter import write_dataset
from pydicom.uid import UID, DeflatedExplicitVRLittleEndian, ExplicitVRBigEndian, ImplicitVRLittleEndian

from harness.reporting.decode import UNREADABLE, er7_codec
from harness.reporting.pseudonyms import LONG, Pseudonyms, has_ideographs

#: Elements that number a person or an order; replaced, and remembered to be replaced wherever else they stand.
IDENTIFIERS = frozenset(
    {
        "PatientID",
        "OtherPatientIDs",
        "AccessionNumber",
        "AdmissionID",
        "PlacerOrderNumberImagingServiceRequest",
        "FillerOrderNumberImagingServiceRequest",
        "MedicalRecordLocator",
        "ServiceEpisodeID",
    }
)
#: Elements that say where somebody lives, what they do, or what was remarked about them.
PERSONAL = frozenset(
    {
        "AdditionalPatientHistory",
        "CountryOfResidence",
        "CurrentPatientLocation",
        "EthnicGroup",
        "ImageComments",
        "ImagingServiceRequestComments",
        "InstitutionAddress",
        "InstitutionName",
        "InstitutionalDepartmentName",
        "MilitaryRank",
        "BranchOfService",
        "Occupation",
        "OrderCallbackPhoneNumber",
        "PatientAddress",
        "PatientComments",
        "PatientInstitutionResidence",
        "PatientReligiousPreference",
        "PatientTelecomInformation",
        "PatientTelephoneNumbers",
        "PersonAddress",
        "PersonTelephoneNumbers",
        "ReferringPhysicianAddress",
        "ReferringPhysicianTelephoneNumbers",
        "RegionOfResidence",
        "RequestedProcedureComments",
        "ResponsibleOrganization",
        "StudyComments",
        "VisitComments",
    }
)
PATIENT_NAMES = frozenset({"PatientName", "OtherPatientNames", "PatientBirthName", "PatientMotherBirthName"})
BIRTH_DATES = frozenset({"PatientBirthDate", "PatientBirthDateInAlternativeCalendar"})
#: Fields of HL7 v2 that do the same (chapters 3, 4 and 6), by segment: names, and numbers (their first component).
HL7_NAMES: Mapping[str, frozenset[int]] = {
    "PID": frozenset({5, 6, 9}),
    "MRG": frozenset({7}),
    "NK1": frozenset({2, 26, 30}),
    "GT1": frozenset({3, 4}),
    "IN1": frozenset({6, 16}),
    "PV1": frozenset({7, 8, 9, 17, 52}),
    "PD1": frozenset({4}),
    "ORC": frozenset({10, 11, 12, 19}),
    "OBR": frozenset({10, 16, 28, 32, 33, 34, 35}),
}
HL7_NUMBERS: Mapping[str, frozenset[int]] = {
    "PID": frozenset({2, 3, 4, 18, 19, 20, 21}),
    "MRG": frozenset({1, 2, 3, 4, 5, 6}),
    "IN1": frozenset({36, 49}),
    "PV1": frozenset({5, 19, 50}),
    "ORC": frozenset({2, 3, 4}),
    "OBR": frozenset({2, 3, 18}),
    "IPC": frozenset({1}),
}
HL7_PERSONAL: Mapping[str, frozenset[int]] = {
    "PID": frozenset({11, 12, 13, 14, 23}),
    "NK1": frozenset({4, 5, 6, 12, 13, 31, 32, 33, 37}),
    "GT1": frozenset({5, 6, 7, 12, 16, 17, 18, 19}),
    "IN1": frozenset({5, 7, 19, 44}),
    "ORC": frozenset({14}),
    "OBR": frozenset({13, 14, 17}),
}
#: Keys of facts and fields that name things of ours, whatever a patient is called.
STRUCTURAL = frozenset(
    {"action", "actor", "at", "check", "checks", "focus", "id", "kind", "requirement", "scope", "state"}
)
_BIRTH_FIELD = ("PID", 7)
#: Their names are XPN (five components of a name, then codes); elsewhere XCN, with a number before the name.
_XPN_SEGMENTS = frozenset({"PID", "MRG", "NK1", "GT1", "IN1"})
_TEXT_VRS = frozenset({"AE", "CS", "LO", "LT", "SH", "ST", "UC", "UI", "UR", "UT"})


# -- DICOM -------------------------------------------------------------------------------------------------


def redact_dicom(data: bytes, transfer_syntax: str, pseudonyms: Pseudonyms) -> bytes | None:
    """A data set or Part 10 file without persons; elements that say nothing of persons keep their bytes.

    None if it cannot be read or written: then it must be left out. Pixel data is not looked at.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if data[128:132] == b"DICM":
                file = pydicom.dcmread(io.BytesIO(data))
                _redact_dataset(file, pseudonyms)
                out = io.BytesIO()
                file.preamble = bytes(128)
                file.save_as(out, enforce_file_format=False)
                return out.getvalue()
            return _redact_plain(data, UID(transfer_syntax or ImplicitVRLittleEndian), pseudonyms)
    except UNREADABLE:
        return None


def _redact_plain(data: bytes, syntax: UID, pseudonyms: Pseudonyms) -> bytes:
    deflated = syntax == DeflatedExplicitVRLittleEndian
    if deflated:
        data = zlib.decompressobj(-zlib.MAX_WBITS).decompress(data, 256 * 1024 * 1024)
    implicit, little = syntax == ImplicitVRLittleEndian, syntax != ExplicitVRBigEndian
    dataset = read_dataset(io.BytesIO(data), is_implicit_VR=implicit, is_little_endian=little)
    _redact_dataset(dataset, pseudonyms)
    buffer = DicomBytesIO()
    buffer.is_implicit_VR, buffer.is_little_endian = implicit, little
    write_dataset(buffer, dataset)
    if not deflated:
        return buffer.getvalue()
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    packed = packer.compress(buffer.getvalue()) + packer.flush()
    return packed + b"\0" * (len(packed) % 2)


def _redact_dataset(dataset: Dataset, pseudonyms: Pseudonyms) -> None:
    for tag in list(dataset.keys()):
        if tag.is_private:
            del dataset[tag]  # nobody outside knows what is in it
            continue
        raw = dataset.get_item(tag)
        vr = raw.VR or (dictionary_VR(tag) if dictionary_has_tag(tag) else "UN")
        keyword = keyword_for_tag(tag)
        if vr == "SQ":
            for item in dataset[tag].value or ():
                _redact_dataset(item, pseudonyms)
            continue
        change: Callable[[str], str]
        if vr == "PN":
            change = pseudonyms.patient if keyword in PATIENT_NAMES else pseudonyms.staff
        elif keyword in IDENTIFIERS:
            change = pseudonyms.identifier
        elif keyword in PERSONAL:
            change = pseudonyms.swap
        elif keyword in BIRTH_DATES:
            change = pseudonyms.birth_date
        elif vr in _TEXT_VRS:
            change = pseudonyms.everywhere
        else:
            continue
        element = dataset[tag]
        before = element.value
        after = _each(before, change)
        if after == before:
            dataset[tag] = raw  # the bytes as they came, also where they are not as they should be
        else:
            element.value = after


def _each(value: Any, change: Callable[[str], str]) -> Any:
    if value is None or value == "":
        return value
    if isinstance(value, bytes):
        return change(value.decode("latin-1"))
    if isinstance(value, str) or hasattr(value, "components") or not hasattr(value, "__iter__"):
        return change(str(value))
    return [change(str(part)) for part in value]


# -- HL7 ---------------------------------------------------------------------------------------------------


def redact_hl7(data: bytes, pseudonyms: Pseudonyms) -> bytes | None:
    """An ER7 message without persons; None if it is not one or its text cannot be decoded."""
    start = data.find(b"MSH")
    if start not in (0, 1) or len(data) < start + 8:
        return None
    frame, body = data[:start], data[start:]
    codec = er7_codec(body)
    try:
        text = body.decode(codec)
        separator = text[3]
        redacted = "".join(_redact_segment(part, separator, pseudonyms) for part in re.split(r"([\r\n]+)", text))
        return frame + redacted.encode(codec)
    except (UnicodeError, IndexError):
        return None


def _redact_segment(segment: str, separator: str, pseudonyms: Pseudonyms) -> str:
    name = segment[:3]
    if not segment.strip() or name == "MSH":
        return segment
    fields = segment.split(separator)
    for number in range(1, len(fields)):
        value = fields[number]
        if (name, number) == _BIRTH_FIELD:
            fields[number] = pseudonyms.birth_date(value)
        elif number in HL7_NAMES.get(name, ()):
            fields[number] = _name_field(name, value, pseudonyms)
        elif number in HL7_NUMBERS.get(name, ()):
            fields[number] = _components(value, pseudonyms.identifier, 1)
        elif number in HL7_PERSONAL.get(name, ()):
            fields[number] = pseudonyms.swap(value)
        else:
            fields[number] = pseudonyms.everywhere(value)
    return separator.join(fields)


def _name_field(segment: str, value: str, pseudonyms: Pseudonyms) -> str:
    if segment in ("PID", "MRG"):
        return _components(value, pseudonyms.patient, 5)
    return _components(value, pseudonyms.swap, 5 if segment in _XPN_SEGMENTS else 6)


def _components(field_text: str, change: Callable[[str], str], count: int) -> str:
    """Change the first components of every repetition; what follows them are codes and authorities."""
    repetitions = []
    for repetition in field_text.split("~"):
        parts = repetition.split("^")
        repetitions.append("^".join([*("&".join(map(change, p.split("&"))) for p in parts[:count]), *parts[count:]]))
    return "~".join(repetitions)


# -- plain data ----------------------------------------------------------------------------------------------


def redact_data(value: Any, pseudonyms: Pseudonyms, keyword: str = "") -> Any:
    """JSON data: by the DICOM keyword it is stored under, else by the values met before."""
    if isinstance(value, Mapping):
        return {key: redact_data(entry, pseudonyms, str(key)) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [redact_data(entry, pseudonyms, keyword) for entry in value]
    if not isinstance(value, str):
        return value
    if keyword in STRUCTURAL:
        return value
    if keyword in IDENTIFIERS:
        return pseudonyms.identifier(value)
    if keyword in PERSONAL:
        return pseudonyms.swap(value)
    tag = tag_for_keyword(keyword)
    if tag is not None and dictionary_VR(tag) == "PN":
        return pseudonyms.patient(value) if keyword in PATIENT_NAMES else pseudonyms.staff(value)
    if keyword in BIRTH_DATES:
        return pseudonyms.birth_date(value)
    return pseudonyms.everywhere_and_dates(value)


def leftovers(data: bytes, pseudonyms: Pseudonyms) -> Iterator[str]:
    """Original values (long or ideographic ones) that are still in some bytes, in any usual encoding."""
    for value in pseudonyms.seen:
        if len(value) < LONG and not (has_ideographs(value) and len(value) > 1):
            continue
        for codec in ("utf-8", "latin-1", "utf-16-le", "euc_kr", "iso2022_jp", "gb18030"):
            try:
                if value.encode(codec) in data:
                    yield value
                    break
            except UnicodeEncodeError:
                continue
