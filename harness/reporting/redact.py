"""Take persons out of evidence so that it can be shown to others and still be judged.

Follows the idea of the Basic Application Level Confidentiality Profile (PS3.15 annex E) with the options Retain UIDs,
Retain Full Dates, Retain Device Identity and Retain Patient Characteristics. Values are not emptied but replaced,
character by character, by others of the same kind: what was equal stays equal, what began alike still begins alike,
and what is wrong about a value (a length, a repertoire, a delimiter) stays wrong. The key is thrown away.
"""

from __future__ import annotations

import hashlib
import hmac
import io
import re
import unicodedata
import warnings
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cache
from typing import Any

import pydicom
from pydicom.charset import decode_element
from pydicom.dataset import Dataset
from pydicom.filebase import DicomBytesIO
from pydicom.filereader import read_dataset
from pydicom.filewriter import write_dataset
from pydicom.uid import UID, DeflatedExplicitVRLittleEndian, ExplicitVRBigEndian, ImplicitVRLittleEndian

from harness.reporting.decode import UNREADABLE, er7_codec

#: Elements besides person names that say who somebody is, where they live or how they are billed.
IDENTIFYING = frozenset(
    """
    PatientID OtherPatientIDs IssuerOfPatientID PatientAddress PatientTelephoneNumbers PatientMotherBirthName
    PatientTelecomInformation CountryOfResidence RegionOfResidence MilitaryRank BranchOfService EthnicGroup Occupation
    PatientInsurancePlanCodeSequence PatientReligiousPreference MedicalRecordLocator PatientComments
    AdditionalPatientHistory AccessionNumber AdmissionID ServiceEpisodeID PlacerOrderNumberImagingServiceRequest
    FillerOrderNumberImagingServiceRequest InstitutionName InstitutionAddress InstitutionalDepartmentName
    ReferringPhysicianAddress ReferringPhysicianTelephoneNumbers PersonAddress PersonTelephoneNumbers
    OrderCallbackPhoneNumber ResponsibleOrganization CurrentPatientLocation PatientInstitutionResidence
    VisitComments ImageComments RequestedProcedureComments ImagingServiceRequestComments StudyComments
    """.split()
)
BIRTH_DATES = frozenset({"PatientBirthDate", "PatientBirthDateInAlternativeCalendar"})
#: Fields of HL7 v2 that do the same (chapters 3, 4 and 6), by segment.
HL7_FIELDS: Mapping[str, frozenset[int]] = {
    "PID": frozenset({2, 3, 4, 5, 6, 9, 11, 12, 13, 14, 18, 19, 20, 21, 23}),
    "MRG": frozenset({1, 2, 3, 4, 5, 6, 7}),
    "NK1": frozenset({2, 4, 5, 6, 7, 12, 13, 26, 30, 31, 32, 33, 37}),
    "GT1": frozenset({2, 3, 4, 5, 6, 7, 12, 16, 17, 18, 19}),
    "IN1": frozenset({2, 4, 5, 6, 7, 8, 16, 18, 19, 36, 44, 49}),
    "PD1": frozenset({3, 4}),
    "PV1": frozenset({5, 7, 8, 9, 17, 19, 50, 52}),
    "ORC": frozenset({2, 3, 4, 10, 11, 12, 14, 19}),
    "OBR": frozenset({2, 3, 10, 13, 14, 16, 17, 18, 28, 32, 33, 34, 35}),
    "IPC": frozenset({1}),
    "QPD": frozenset({3}),
}
_BIRTH_FIELD = ("PID", 7)
_TOKEN_SPLIT = re.compile(r"[\s^=~&\\|/,;:]+")
_DATE = re.compile(r"\d{8}")
MIN_TOKEN = 3


@dataclass(slots=True)
class Pseudonyms:
    """One secret and everything that was replaced with it; values met anywhere are replaced everywhere."""

    key: bytes
    #: whole values and parts of names that must not be left anywhere
    seen: set[str] = field(default_factory=set)
    #: birth dates, which are replaced only where the element is one
    dates: set[str] = field(default_factory=set)

    def text(self, value: str) -> str:
        """The replacement of an identifying value; remembers the value and its words."""
        value_plain = value.strip()
        if len(value_plain) >= MIN_TOKEN and any(c.isalnum() for c in value_plain):
            self.seen.add(value_plain)
            self.seen.update(t for t in _TOKEN_SPLIT.split(value_plain) if len(t) >= MIN_TOKEN or _ideographs(t))
        return self.swap(value)

    def swap(self, value: str) -> str:
        """Replace every letter and digit by its successor at a distance that the word so far decides."""
        out: list[str] = []
        word = ""
        for character in value:
            alphabet = _alphabet(character)
            if not alphabet:
                out.append(character)
                if not character.isalnum():
                    word = ""
                continue
            digest = hmac.new(self.key, word.encode("utf-8", "replace"), hashlib.sha256).digest()
            distance = 1 + int.from_bytes(digest[:4], "big") % (len(alphabet) - 1)
            place = alphabet.find(character)
            out.append(alphabet[(place + distance) % len(alphabet)])
            word += character.casefold()
        return "".join(out)

    def birth_date(self, value: str) -> str:
        """Another day, the same distance for everybody; ranges and wrong dates keep their form."""

        def moved(match: re.Match[str]) -> str:
            text = match[0]
            self.dates.add(text)
            try:
                day = date(int(text[:4]), int(text[4:6]), int(text[6:]))
                distance = 200 + int.from_bytes(hmac.new(self.key, b"birth", hashlib.sha256).digest()[:2], "big") % 3000
                return f"{day - timedelta(days=distance):%Y%m%d}"
            except (ValueError, OverflowError):
                return self.swap(text)

        return _DATE.sub(moved, value)

    def everywhere(self, text: str) -> str:
        """Replace all values met so far wherever they stand as words in a text, or anywhere if they are long."""
        pattern = self._pattern()
        return pattern.sub(lambda match: self.swap(match[0]), text) if pattern else text

    def _pattern(self) -> re.Pattern[str] | None:
        wanted = sorted(self.seen, key=len, reverse=True)
        if not wanted:
            return None
        parts = [re.escape(value) if len(value) >= 6 or _ideographs(value) else _as_word(value) for value in wanted]
        return re.compile("|".join(parts), re.IGNORECASE)


def _as_word(value: str) -> str:
    return rf"(?<![\w.]){re.escape(value)}(?!\w)"


def _ideographs(text: str) -> bool:
    return any(ord(character) >= 0x2E80 for character in text)


# -- alphabets ---------------------------------------------------------------------------------------------

_UPPER, _LOWER, _DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz", "0123456789"
_REPERTOIRES = ("latin-1", "iso8859-2", "iso8859-5", "iso8859-7", "iso2022_jp", "euc_kr", "gb2312", "shift_jis")


def _alphabet(character: str) -> str:
    """Characters that may stand for this one: of the same kind and in the same repertoires; empty for a delimiter."""
    for plain in (_UPPER, _LOWER, _DIGITS):
        if character in plain:
            return plain
    code = ord(character)
    if code < 0x80 or not character.isalnum():
        return ""
    start, stop = _block(code)
    alphabet = _alphabets(start, stop).get(_signature(character), "")
    return alphabet if len(alphabet) > 1 else ""


def _block(code: int) -> tuple[int, int]:
    for start, stop in ((0x3041, 0x3097), (0x30A1, 0x30FB), (0x4E00, 0xA000), (0xAC00, 0xD7A4), (0xFF66, 0xFF9E)):
        if start <= code < stop:
            return start, stop
    return code & ~0x7F, (code & ~0x7F) + 0x80


@cache
def _alphabets(start: int, stop: int) -> Mapping[tuple[bool | str, ...], str]:
    groups: dict[tuple[bool | str, ...], list[str]] = {}
    for code in range(start, stop):
        character = chr(code)
        if character.isalnum():
            groups.setdefault(_signature(character), []).append(character)
    return {signature: "".join(characters) for signature, characters in groups.items()}


def _signature(character: str) -> tuple[bool | str, ...]:
    return (unicodedata.category(character), *(_has(name, character) for name in _REPERTOIRES))


def _has(codec: str, character: str) -> bool:
    try:
        character.encode(codec)
    except UnicodeEncodeError:
        return False
    return True


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


def _redact_dataset(dataset: Dataset, pseudonyms: Pseudonyms, inherited: Any = None) -> None:
    charset = dataset.get("SpecificCharacterSet") or inherited or "ISO_IR 6"
    for tag in list(dataset.keys()):
        if tag.is_private:
            del dataset[tag]  # nobody outside knows what is in it
            continue
        if tag >= 0x7FE00000:
            continue
        element = dataset[tag]
        if element.VR == "SQ":
            for item in element.value or ():
                _redact_dataset(item, pseudonyms, charset)
        elif element.VR == "PN" or element.keyword in IDENTIFYING:
            decode_element(element, charset)
            element.value = _each(element.value, pseudonyms.text)
        elif element.keyword in BIRTH_DATES:
            element.value = _each(element.value, pseudonyms.birth_date)
        elif element.VR in ("LT", "ST", "UT", "LO", "UC", "SH") and element.value:
            # free text is replaced where a value met before stands in it
            decode_element(element, charset)
            text = _each(element.value, pseudonyms.everywhere)
            if text != element.value:
                element.value = text


def _each(value: Any, change: Any) -> Any:
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
    wanted = HL7_FIELDS.get(name, frozenset())
    for number in range(1, len(fields)):
        if (name, number) == _BIRTH_FIELD:
            fields[number] = pseudonyms.birth_date(fields[number])
        elif number in wanted:
            fields[number] = _redact_field(fields[number], pseudonyms)
        elif fields[number]:
            fields[number] = pseudonyms.everywhere(fields[number])
    return separator.join(fields)


def _redact_field(value: str, pseudonyms: Pseudonyms) -> str:
    """All components but the codes of types at the end of names and identifiers, which are one or two letters."""
    parts = re.split(r"([\^~&])", value)
    return "".join(
        part if len(part) < 3 and part.isascii() and part.isalpha() else pseudonyms.text(part) for part in parts
    )


# -- plain data ----------------------------------------------------------------------------------------------


def redact_data(value: Any, pseudonyms: Pseudonyms, keyword: str = "") -> Any:
    """JSON data: by the DICOM keyword it is stored under, else by the values met before."""
    if isinstance(value, Mapping):
        return {key: redact_data(entry, pseudonyms, str(key)) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [redact_data(entry, pseudonyms, keyword) for entry in value]
    if not isinstance(value, str):
        return value
    if keyword in IDENTIFYING or keyword.endswith(("PatientName", "PhysicianName", "OperatorsName")):
        return pseudonyms.text(value)
    if keyword in BIRTH_DATES:
        return pseudonyms.birth_date(value)
    return pseudonyms.everywhere(value)


def leftovers(data: bytes, pseudonyms: Pseudonyms) -> Iterator[str]:
    """Original values of six or more characters, or ideographic ones, that are still in some bytes, in any usual encoding."""
    for value in pseudonyms.seen:
        if len(value) < 6 and not (_ideographs(value) and len(value) > 1):
            continue
        for codec in ("utf-8", "latin-1", "utf-16-le", "euc_kr", "iso2022_jp", "gb18030"):
            try:
                if value.encode(codec) in data:
                    yield value
                    break
            except UnicodeEncodeError:
                continue
