"""Our archive, dcmqrscp and Orthanc hold the same and are asked the same by pynetdicom and DCMTK: one answer."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pydicom
import pynetdicom
import pytest
from pydicom.charset import convert_encodings
from pydicom.dataset import Dataset
from pydicom.uid import UID
from pydicom.valuerep import PersonName
from pynetdicom import evt

from harness.actors import objects
from harness.actors.acquisition import Acquisition
from harness.actors.image_manager import ImageManager
from harness.core.transcript import Transcript
from harness.protocols.dicom.node import Address
from tests.integration.actors.tools import free_port, run, serving

pytestmark = [pytest.mark.peer("dcmtk"), pytest.mark.peer("orthanc")]

SAMPLES = objects.make(objects.archive_plan(), objects.uid_source(31))
CLASSES = sorted({sample.sop_class for sample in SAMPLES})
UNIQUE = {"PATIENT": "PatientID", "STUDY": "StudyInstanceUID", "SERIES": "SeriesInstanceUID", "IMAGE": "SOPInstanceUID"}
ROOT = {"P": "1.2.840.10008.5.1.4.1.2.1.", "S": "1.2.840.10008.5.1.4.1.2.2."}
FIND, MOVE, GET = "1", "2", "3"
#: required keys of each level (PS3.4 Tables C.6-1 to C.6-5), as every archive returns them
REQUIRED = {
    "PATIENT": ("PatientName", "PatientID"),
    "STUDY": ("StudyDate", "StudyTime", "AccessionNumber", "StudyID", "StudyInstanceUID"),
    "SERIES": ("Modality", "SeriesNumber", "SeriesInstanceUID"),
    "IMAGE": ("InstanceNumber", "SOPInstanceUID"),
}
KOREAN, JAPANESE = ["", "ISO 2022 IR 149"], ["", "ISO 2022 IR 87"]


def uids(keyword: str, **values: str) -> list[str]:
    """Distinct values of a keyword in the samples of which the other values are these, in order."""
    found = [s.dataset for s in SAMPLES if all(str(s.dataset[k].value) == v for k, v in values.items())]
    return list(dict.fromkeys(str(ds[keyword].value) for ds in found))


FIRST, SECOND = uids("StudyInstanceUID", PatientID="P-1001")
CT = uids("SeriesInstanceUID", StudyInstanceUID=FIRST, Modality="CT")[0]
IMAGES = uids("SOPInstanceUID", SeriesInstanceUID=CT)
IN_STUDY = {"StudyInstanceUID": FIRST}
IN_SERIES = {**IN_STUDY, "SeriesInstanceUID": CT}

#: root, level, keys, character set, number of matches
QUESTIONS: list[tuple[str, str, dict[str, str], list[str], int]] = [
    ("P", "PATIENT", {}, [], 5),
    ("P", "PATIENT", {"PatientName": "Adams*"}, [], 1),
    ("P", "PATIENT", {"PatientName": "?ong^*"}, [], 1),
    ("P", "PATIENT", {"PatientID": "P-1004"}, [], 1),
    ("P", "STUDY", {"PatientID": "P-1001"}, [], 2),
    ("P", "STUDY", {"PatientID": "P-1001", "StudyID": "ST0B"}, [], 1),
    ("P", "SERIES", {"PatientID": "P-1001", **IN_STUDY}, [], 2),
    ("P", "IMAGE", {"PatientID": "P-1001", **IN_SERIES}, [], 3),
    ("S", "STUDY", {}, [], 10),
    ("S", "STUDY", {"PatientID": "P-1003"}, [], 2),
    ("S", "STUDY", {"PatientID": "NOBODY"}, [], 0),
    ("S", "STUDY", {"PatientName": "*Tarou*"}, [], 2),
    ("S", "STUDY", {"PatientName": "*홍^길동*"}, KOREAN, 2),
    ("S", "STUDY", {"PatientName": "*山田^太郎*"}, JAPANESE, 2),
    ("S", "STUDY", {"PatientName": "*たろう*"}, JAPANESE, 2),
    ("S", "STUDY", {"PatientName": "*Jérôme*"}, ["ISO_IR 100"], 2),
    ("S", "STUDY", {"PatientName": "*王^小东*"}, ["ISO_IR 192"], 2),
    ("S", "STUDY", {"AccessionNumber": "ACC3B"}, [], 1),
    ("S", "STUDY", {"AccessionNumber": "ACC*A"}, [], 5),
    ("S", "STUDY", {"StudyID": "ST2?"}, [], 2),
    ("S", "STUDY", {"StudyDate": "20260112"}, [], 1),
    ("S", "STUDY", {"StudyDate": "20260110-20260112"}, [], 3),
    ("S", "STUDY", {"StudyDate": "20260201-"}, [], 5),
    ("S", "STUDY", {"StudyDate": "-20260111"}, [], 2),
    ("S", "STUDY", {"StudyTime": "100000-115959"}, [], 2),
    ("S", "STUDY", {"StudyInstanceUID": f"{FIRST}\\{SECOND}"}, [], 2),
    ("S", "STUDY", {"StudyInstanceUID": FIRST, "PatientID": "P-1002"}, [], 0),
    ("S", "SERIES", IN_STUDY, [], 2),
    ("S", "SERIES", {**IN_STUDY, "Modality": "OT"}, [], 1),
    ("S", "SERIES", {**IN_STUDY, "SeriesNumber": "2"}, [], 1),
    ("S", "SERIES", {"StudyInstanceUID": "1.2.3"}, [], 0),
    ("S", "IMAGE", IN_SERIES, [], 3),
    ("S", "IMAGE", {**IN_SERIES, "InstanceNumber": "2"}, [], 1),
    ("S", "IMAGE", {**IN_SERIES, "SOPInstanceUID": "\\".join(IMAGES[:2])}, [], 2),
]
#: root, level, keys, how many instances
RETRIEVES: list[tuple[str, str, dict[str, str], int]] = [
    ("P", "PATIENT", {"PatientID": "P-1001"}, 6),
    ("P", "STUDY", {"PatientID": "P-1001", **IN_STUDY}, 4),
    ("S", "STUDY", IN_STUDY, 4),
    ("S", "STUDY", {"StudyInstanceUID": f"{FIRST}\\{SECOND}"}, 6),
    ("S", "SERIES", IN_SERIES, 3),
    ("S", "IMAGE", {**IN_SERIES, "SOPInstanceUID": IMAGES[1]}, 1),
    ("S", "IMAGE", {**IN_SERIES, "SOPInstanceUID": "\\".join(IMAGES[1:])}, 2),
]


class Receiver:
    """A storage provider on pynetdicom, where C-MOVE and C-GET deliver to."""

    def __init__(self) -> None:
        self.arrived: list[str] = []
        self.entity = pynetdicom.AE("RECEIVER")
        for uid in CLASSES:
            self.entity.add_supported_context(uid)
        self.handlers: list[Any] = [(evt.EVT_C_STORE, self._store)]
        self.server = self.entity.start_server(("127.0.0.1", 0), block=False, evt_handlers=self.handlers)
        assert self.server is not None
        self.port = int(self.server.server_address[1])

    def _store(self, event: Any) -> int:
        self.arrived.append(str(event.request.AffectedSOPInstanceUID))
        return 0x0000

    def taken(self) -> list[str]:
        found, self.arrived = sorted(self.arrived), []
        return found


@dataclass(frozen=True)
class Archives:
    """Every archive by name, with the receiver that all of them know."""

    addresses: Mapping[str, Address]
    receiver: Receiver


@contextlib.contextmanager
def _dcmqrscp(folder: Path, receiver: Receiver) -> Iterator[Address]:
    port = free_port()
    (folder / "db").mkdir(parents=True)
    configuration = folder / "dcmqrscp.cfg"
    configuration.write_text(
        f"NetworkTCPPort = {port}\nMaxPDUSize = 16384\nMaxAssociations = 16\n"
        f"HostTable BEGIN\nreceiver = (RECEIVER, 127.0.0.1, {receiver.port})\nHostTable END\n"
        "VendorTable BEGIN\nVendorTable END\n"
        f"AETable BEGIN\nARCHIVE {folder / 'db'} RW (200, 100mb) ANY\nAETable END\n"
    )
    with serving("dcmqrscp", "-c", configuration, port=port, cwd=folder):
        yield Address("ARCHIVE", "127.0.0.1", port)


@contextlib.contextmanager
def _orthanc(folder: Path, receiver: Receiver) -> Iterator[Address]:
    port = free_port()
    folder.mkdir()
    configuration = folder / "orthanc.json"
    told = {
        "StorageDirectory": str(folder / "db"),
        "IndexDirectory": str(folder / "db"),
        "DicomAet": "ARCHIVE",
        "DicomPort": port,
        "HttpServerEnabled": False,
        "DefaultEncoding": "Utf8",
        "DicomAlwaysAllowGet": True,
        "DicomAlwaysAllowFind": True,
        "DicomAlwaysAllowMove": True,
        "CaseSensitivePN": True,
        "DicomModalities": {"receiver": ["RECEIVER", "127.0.0.1", receiver.port]},
        "Plugins": [],
    }
    configuration.write_text(json.dumps(told))
    with serving("Orthanc", configuration, port=port, cwd=folder):
        yield Address("ARCHIVE", "127.0.0.1", port)


@pytest.fixture(scope="module")
def archives(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Archives]:
    folder, transcript, receiver = tmp_path_factory.mktemp("archives"), Transcript(), Receiver()
    with contextlib.ExitStack() as stack:
        assert receiver.server is not None
        stack.callback(receiver.server.shutdown)
        modality = stack.enter_context(Acquisition("MODALITY", transcript))
        ours = stack.enter_context(ImageManager("ARCHIVE", transcript))
        ours.know(Address("RECEIVER", "127.0.0.1", receiver.port))
        found = {
            "ours": ours.address,
            "dcmqrscp": stack.enter_context(_dcmqrscp(folder / "dcmqrscp", receiver)),
            "orthanc": stack.enter_context(_orthanc(folder / "orthanc", receiver)),
        }
        for address in found.values():
            assert {answer.status for answer in modality.store(address, SAMPLES)} == {0}
        yield Archives(found, receiver)
    assert transcript.faults == ()


def _identifier(level: str, keys: Mapping[str, str], terms: list[str], *returned: str) -> Dataset:
    ds = Dataset()
    if terms:
        ds.SpecificCharacterSet = terms
    ds.QueryRetrieveLevel = level
    for keyword in dict.fromkeys((*returned, *keys)):
        setattr(ds, keyword, keys.get(keyword) or None)
    if terms:  # escape sequences after the wildcard, as in the value that is compared byte by byte
        encodings = convert_encodings(terms)
        inner = PersonName(keys["PatientName"].strip("*")).encode(encodings)
        ds.PatientName = PersonName(b"*" + inner + b"*", encodings)
    return ds


@contextlib.contextmanager
def _associated(address: Address, root: str, service: str, receiver: Receiver) -> Iterator[pynetdicom.Association]:
    entity = pynetdicom.AE("ASKER")
    entity.add_requested_context(ROOT[root] + service)
    roles, handlers = [], []
    if service == GET:
        handlers = receiver.handlers
        for uid in CLASSES:
            entity.add_requested_context(uid)
            roles.append(pynetdicom.build_role(UID(uid), scp_role=True))
    association = entity.associate(
        address.host, address.port, ae_title=address.ae_title, ext_neg=roles, evt_handlers=handlers
    )
    assert association.is_established
    try:
        yield association
    finally:
        association.release()


def _found(address: Address, receiver: Receiver, root: str, level: str, question: Dataset) -> dict[str, list[str]]:
    """Required keys of every match, by unique key."""
    matches: dict[str, list[str]] = {}
    with _associated(address, root, FIND, receiver) as association:
        for status, answer in association.send_c_find(question, ROOT[root] + FIND):
            assert status.Status in (0x0000, 0xFF00, 0xFF01), f"{status.Status:04X}"
            if answer is not None:
                unique = str(answer[UNIQUE[level]].value)
                assert unique not in matches
                kept = [keyword for each in REQUIRED.values() for keyword in each if keyword in question]
                matches[unique] = [str(answer[keyword].value) for keyword in kept]
    return matches


@pytest.mark.parametrize(
    ("root", "level", "keys", "terms", "count"), QUESTIONS, ids=[f"{q[0]}-{q[1]}-{n}" for n, q in enumerate(QUESTIONS)]
)
def test_a_question_has_one_answer(
    archives: Archives, root: str, level: str, keys: dict[str, str], terms: list[str], count: int
) -> None:
    returned = (*REQUIRED[level], *(REQUIRED["PATIENT"] if (root, level) == ("S", "STUDY") else ()))
    question = _identifier(level, keys, terms, *returned)
    answers = {
        name: _found(address, archives.receiver, root, level, question) for name, address in archives.addresses.items()
    }
    assert len(answers["ours"]) == count
    assert answers["dcmqrscp"] == answers["ours"]
    assert answers["orthanc"] == answers["ours"]


@pytest.mark.parametrize("service", [MOVE, GET], ids=["move", "get"])
@pytest.mark.parametrize(
    ("root", "level", "keys", "count"), RETRIEVES, ids=[f"{r[0]}-{r[1]}-{n}" for n, r in enumerate(RETRIEVES)]
)
def test_a_retrieve_brings_the_same(
    archives: Archives, service: str, root: str, level: str, keys: dict[str, str], count: int
) -> None:
    question, outcomes = _identifier(level, keys, []), {}
    for name, address in archives.addresses.items():
        with _associated(address, root, service, archives.receiver) as association:
            model = ROOT[root] + service
            answers = (
                association.send_c_move(question, "RECEIVER", model)
                if service == MOVE
                else association.send_c_get(question, model)
            )
            final = [status for status, _ in answers][-1]
        done = (final.Status, final.NumberOfCompletedSuboperations, final.get("NumberOfFailedSuboperations") or 0)
        outcomes[name] = (done, archives.receiver.taken())
    assert outcomes["ours"][0] == (0x0000, count, 0)
    assert len(outcomes["ours"][1]) == count
    assert outcomes["dcmqrscp"] == outcomes["ours"]
    assert outcomes["orthanc"] == outcomes["ours"]


@pytest.mark.parametrize("level", ["STUDY", "SERIES", "IMAGE"])
def test_dcmtk_finds_moves_and_gets_the_same(archives: Archives, level: str, tmp_path: Path) -> None:
    keys = {"STUDY": IN_STUDY, "SERIES": IN_SERIES, "IMAGE": {**IN_SERIES, "SOPInstanceUID": IMAGES[0]}}[level]
    given = [
        part for key in (f"QueryRetrieveLevel={level}", *(f"{k}={v}" for k, v in keys.items())) for part in ("-k", key)
    ]
    outcomes = {}
    for name, address in archives.addresses.items():
        to = ("-aec", address.ae_title, address.host, str(address.port))
        out = {program: tmp_path / f"{name}-{program}" for program in ("found", "got")}
        for folder in out.values():
            folder.mkdir()
        run("findscu", "-S", "-X", "-od", out["found"], *given, *to)
        found = [pydicom.dcmread(path, force=True) for path in sorted(out["found"].iterdir())]
        run("movescu", "-S", "-aem", "RECEIVER", *given, *to)
        moved = archives.receiver.taken()
        run("getscu", "-S", "-od", out["got"], *given, *to)
        got = sorted(str(pydicom.dcmread(path).SOPInstanceUID) for path in out["got"].iterdir())
        outcomes[name] = ([str(ds[UNIQUE[level]].value) for ds in found], moved, got)
    assert outcomes["ours"][1] == outcomes["ours"][2] != []
    assert outcomes["dcmqrscp"] == outcomes["ours"]
    assert outcomes["orthanc"] == outcomes["ours"]
