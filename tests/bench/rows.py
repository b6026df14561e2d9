"""What is measured: for each row a way to take one value of ours and one of each peer, and the ratio wanted."""

from __future__ import annotations

import contextlib
import resource
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from pydicom.dataset import Dataset

from harness.core.message import Blob
from harness.core.transcript import Transcript
from harness.protocols.dicom import datasets, part10, uids
from harness.protocols.dicom.elements import encode_elements
from harness.protocols.dicom.fragments import Payload
from harness.protocols.dicom.node import Address, Node, Proposal
from tests.bench import corpus, peers
from tests.bench.peers import TITLE, Server

Take = Callable[[], float]


@dataclass(frozen=True)
class Row:
    """One line of the table: ``ours`` over ``theirs``, both higher is better, in ``unit``."""

    key: str
    work: str
    unit: str
    wanted: dict[str, float]
    takers: dict[str, Take]
    notes: str = ""
    values: dict[str, list[float]] = field(default_factory=dict)


class Bench:
    """Makes the rows in a working folder; servers that hold data are kept running between the measurements."""

    def __init__(self, folder: Path, *, seconds: float, quick: bool) -> None:
        self.folder = folder
        self._seconds = seconds
        self._images = 40 if quick else 200
        self._studies = 1000
        self._modalities = 16 if quick else 64
        self._stack = contextlib.ExitStack()
        self._counter = 0
        #: milliseconds of processor time for an item, by whose they are: what a busy machine does not change much
        self.costs: dict[str, list[float]] = {}

    def _costing(self, name: str, items: int, clock: Callable[[], float]) -> contextlib.ExitStack:
        """Around work on so many items: notes what ``clock`` advanced."""
        stack = contextlib.ExitStack()
        before = clock()
        stack.callback(lambda: self.costs.setdefault(name, []).append((clock() - before) / items * 1e3))
        return stack

    def close(self) -> None:
        """Stop everything."""
        self._stack.close()

    def _scratch(self) -> Path:
        self._counter += 1
        path = self.folder / f"run{self._counter}"
        path.mkdir(parents=True)
        return path

    @contextlib.contextmanager
    def _fresh(self, make: Callable[[Path], Server]) -> Iterator[tuple[Server, int, Path]]:
        folder = self._scratch()
        server = make(folder)
        try:
            with server as port:
                yield server, port, folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    # -- rows --------------------------------------------------------------------------------------------------

    def receive(self) -> Row:
        """Image Manager receives images."""
        files = [str(path) for path in corpus.images(self.folder / "images", self._images)]

        def take(name: str, make: Callable[[Path], Server]) -> Take:
            def run() -> float:
                with self._fresh(make) as (server, port, folder):
                    with self._costing(name, len(files), lambda: server.processor):
                        spent = peers.client("storescu", "-aec", TITLE, "-R", "127.0.0.1", str(port), *files)
                    stored = _images_in(folder)
                    if stored != len(files):
                        raise RuntimeError(f"{stored} of {len(files)} images were stored")
                    return len(files) / spent

            return run

        return Row(
            "receive",
            f"Image Manager receives {len(files)} × 512 KB, written to disk, capture on",
            "images/s",
            {"storescp": 1.0},
            {
                "ours": take("ours", lambda folder: peers.ours("receiver", folder)),
                "engine alone": take("engine alone", lambda folder: peers.ours("engine", folder)),
                "storescp": take("storescp", peers.storescp),
            },
            "All are fed by storescu, whose start is included. Ours is the simulated actor with its archive and index.",
        )

    def capture(self) -> Row:
        """What the capture costs."""
        row = self.receive()
        with_it = row.takers["ours"]

        def without() -> float:
            with self._fresh(lambda folder: peers.ours("receiver-plain", folder)) as (server, port, _):
                files = [str(path) for path in sorted((self.folder / "images").iterdir())]
                with self._costing("no capture", len(files), lambda: server.processor):
                    return len(files) / peers.client("storescu", "-aec", TITLE, "-R", "127.0.0.1", str(port), *files)

        return Row(
            "capture",
            "The same with capture, against without",
            row.unit,
            {"no capture": 0.9},
            {"ours": with_it, "no capture": without},
            "Every byte is kept; data sets that go to files anyway are pointed to.",
        )

    def send(self) -> Row:
        """SCU sends images to storescp."""
        paths = corpus.images(self.folder / "images", self._images)
        files = [str(path) for path in paths]

        def ours() -> float:
            with self._fresh(peers.storescp) as (_, port, _), self._costing("ours", len(files), time.process_time):
                node = Node("MODALITY", Transcript(), actor="acquisition_modality")
                begin = time.perf_counter()
                proposals = [Proposal(uids.CT_IMAGE, (uids.EXPLICIT_VR_LE,))]
                with node.connect(Address(TITLE, "127.0.0.1", port), proposals) as association:
                    for path in paths:
                        if association.store(path).status:
                            raise RuntimeError(f"{path} was refused")
                spent = time.perf_counter() - begin
                node.stop()
                return len(files) / spent

        def theirs() -> float:
            with self._fresh(peers.storescp) as (_, port, _), self._costing("dcmsend", len(files), _children):
                return len(files) / peers.client("dcmsend", "-aec", TITLE, "127.0.0.1", str(port), *files)

        return Row(
            "send",
            f"SCU sends {len(files)} × 512 KB to storescp",
            "images/s",
            {"dcmsend": 1.0},
            {"ours": ours, "dcmsend": theirs},
            "dcmsend: the whole process, which starts in some 15 ms; ours: from connect to release.",
        )

    def worklist(self) -> Row:
        """A worklist query with 1,000 answers."""
        folder = self.folder / "worklist"
        target = folder / TITLE
        target.mkdir(parents=True)
        (target / "lockfile").touch()
        for number, entry in enumerate(corpus.worklist_entries(1000), start=1):
            data = encode_elements(entry, uids.EXPLICIT_VR_LE)
            (target / f"{number:04d}.wl").write_bytes(
                part10.file_meta(uids.MODALITY_WORKLIST, f"{corpus.ROOT}.8.{number}", uids.EXPLICIT_VR_LE) + data
            )
        keys = [
            "AccessionNumber", "PatientName", "PatientID", "PatientBirthDate", "PatientSex", "StudyInstanceUID",
            "RequestedProcedureDescription", "RequestedProcedureID",
            *(
                f"ScheduledProcedureStepSequence[0].{name}"
                for name in (
                    "Modality", "ScheduledStationAETitle", "ScheduledProcedureStepStartDate",
                    "ScheduledProcedureStepStartTime", "ScheduledProcedureStepID",
                    "ScheduledProcedureStepDescription",
                )
            ),
        ]  # fmt: skip
        arguments = [argument for key in keys for argument in ("-k", key)]
        servers = {"ours": peers.ours("worklist", self._scratch()), "wlmscpfs -s": peers.wlmscpfs(folder)}
        ports = {name: self._stack.enter_context(server) for name, server in servers.items()}
        identifier = Dataset()
        identifier.PatientName = ""
        identifier.ScheduledProcedureStepSequence = [Dataset()]
        for port in ports.values():
            self._expect(port, uids.MODALITY_WORKLIST, identifier, 1000)

        def take(name: str) -> Take:
            def run() -> float:
                with self._costing(name, 1000, lambda: servers[name].processor):
                    where = ("127.0.0.1", str(ports[name]))
                    return 1000 / peers.client("findscu", "-q", "-W", "-aec", TITLE, *arguments, *where)

            return run

        return Row(
            "worklist",
            "Worklist of 1,000 entries",
            "entries/s",
            {"wlmscpfs -s": 1.0},
            {name: take(name) for name in servers},
            "Asked by findscu, start included. Ours is the simulated Order Filler, in memory; wlmscpfs reads files.",
        )

    def query(self) -> Row:
        """A study query in an archive of 20,000 instances."""
        servers = {
            "ours": peers.ours("archive", self._scratch()),
            "Orthanc": peers.orthanc(self.folder / "orthanc-query"),
        }
        ports = {name: self._stack.enter_context(server) for name, server in servers.items()}
        self._fill(ports["Orthanc"])
        identifier = Dataset()
        identifier.QueryRetrieveLevel = "STUDY"
        for keyword in ("StudyDate", "AccessionNumber", "ModalitiesInStudy", "PatientName", "PatientID",
                        "StudyInstanceUID", "NumberOfStudyRelatedInstances"):  # fmt: skip
            setattr(identifier, keyword, "")
        arguments = ["-k", "QueryRetrieveLevel=STUDY"]
        for element in identifier:
            if element.keyword != "QueryRetrieveLevel":
                arguments += ["-k", element.keyword]
        for port in ports.values():
            self._expect(port, uids.STUDY_ROOT_FIND, identifier, self._studies)

        def take(name: str) -> Take:
            def run() -> float:
                with self._costing(name, self._studies, lambda: servers[name].processor):
                    where = ("127.0.0.1", str(ports[name]))
                    return self._studies / peers.client("findscu", "-q", "-S", "-aec", TITLE, *arguments, *where)

            return run

        return Row(
            "query",
            f"Study query of {self._studies:,} matches in an archive of {self._studies * 20:,} instances",
            "matches/s",
            {"Orthanc": 1.0},
            {name: take(name) for name in servers},
            "Asked by findscu, whose start is included. Ours is the simulated Image Manager/Archive, index on disk.",
        )

    def _fill(self, port: int) -> None:
        node = Node("FILLER", Transcript(), actor="load")
        with node.connect(Address(TITLE, "127.0.0.1", port), [Proposal(uids.CT_IMAGE, (uids.EXPLICIT_VR_LE,))]) as link:
            for dataset in corpus.archived(self._studies, 20):
                answer = link.store(Payload(
                    Blob.of(datasets.encode(dataset, uids.EXPLICIT_VR_LE)), uids.CT_IMAGE,
                    str(dataset.SOPInstanceUID), uids.EXPLICIT_VR_LE,
                ))  # fmt: skip
                if answer.status:
                    raise RuntimeError(f"Orthanc refused an instance with {answer.status:04X}")
        node.stop()

    @staticmethod
    def _expect(port: int, model: str, identifier: Dataset, count: int) -> None:
        node = Node("CHECK", Transcript(), actor="load")
        with node.connect(Address(TITLE, "127.0.0.1", port), [Proposal(model)]) as association:
            found = sum(answer.is_pending for answer in association.find(model, identifier))
        node.stop()
        if found != count:
            raise RuntimeError(f"{found} answers instead of {count}: there is nothing to compare")

    def echo(self) -> Row:
        """Associations with one C-ECHO."""
        servers = {
            "ours": peers.ours("echo", self._scratch()),
            "Orthanc": peers.orthanc(self.folder / "orthanc-echo"),
            "pynetdicom": peers.ours("pynetdicom", self._scratch()),
        }
        return Row(
            "echo",
            "Associations with one C-ECHO, 20 contexts offered",
            "associations/s",
            {"Orthanc": 0.5, "pynetdicom": 10.0},
            {name: self._load("echo", name, server) for name, server in servers.items()},
            "One raw-socket client, one association after the other.",
        )

    def hl7(self) -> Row:
        """HL7 orders with acknowledgement."""
        servers = {
            "ours": peers.ours("hl7", self._scratch()),
            "python-hl7": peers.ours("python-hl7", self._scratch()),
        }
        return Row(
            "hl7",
            "HL7 orders with acknowledgement",
            "messages/s",
            {"python-hl7": 1.0},
            {name: self._load("hl7", name, server) for name, server in servers.items()},
            "One raw-socket client, one connection.",
        )

    def _load(self, kind: str, name: str, server: Server) -> Take:
        port = self._stack.enter_context(server)
        arguments = [sys.executable, "-m", "tests.bench.clients", kind, str(port), str(self._seconds)]

        def run() -> float:
            before = server.processor
            rate = float(subprocess.run(arguments, check=True, capture_output=True, text=True).stdout)
            self.costs.setdefault(name, []).append((server.processor - before) / (rate * self._seconds) * 1e3)
            return rate

        return run

    def crowd(self) -> Row:
        """64 modalities at once."""
        paths = [
            corpus.images(self.folder / f"crowd{study}", 20, study=1000 + study) for study in range(self._modalities)
        ]
        total = self._modalities * 20

        def take(name: str, make: Callable[[Path], Server], count: Callable[[Path], int] | None) -> Take:
            def run() -> float:
                with self._fresh(make) as (server, port, folder):
                    failures: list[BaseException] = []

                    def one(files: list[Path]) -> None:
                        try:
                            peers.client("storescu", "-aec", TITLE, "127.0.0.1", str(port), *map(str, files))
                        except subprocess.CalledProcessError as problem:
                            failures.append(problem)

                    threads = [threading.Thread(target=one, args=(files,)) for files in paths]
                    begin = time.perf_counter()
                    with self._costing(name, total, lambda: server.processor):
                        for thread in threads:
                            thread.start()
                        for thread in threads:
                            thread.join()
                    spent = time.perf_counter() - begin
                    if failures:
                        raise RuntimeError(f"{len(failures)} modalities failed: {failures[0]}")
                    if count is not None and count(folder) != total:
                        raise RuntimeError(f"{count(folder)} of {total} images arrived")
                    return total / spent

            return run

        return Row(
            "crowd",
            f"{self._modalities} modalities at once, each 20 × 512 KB",
            "images/s",
            {"Orthanc": 1.0},
            {
                "ours": take("ours", lambda folder: peers.ours("receiver", folder), _images_in),
                "Orthanc": take("Orthanc", peers.orthanc, None),
            },
            "As many storescu processes; every image that was sent must be there.",
        )


def _children() -> float:
    """Processor time of the programs that have ended, in seconds."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def _images_in(folder: Path) -> int:
    """Images that a receiver stored: in its archive, or in the folder itself."""
    archive = folder / "archive" / "objects"
    found = archive.rglob("*.dcm") if archive.exists() else folder.iterdir()
    return sum(1 for entry in found if entry.is_file() and entry.stat().st_size)


ROWS = ("receive", "capture", "send", "worklist", "query", "echo", "crowd", "hl7")
