"""Against independent stacks: DCMTK and pynetdicom, in both directions."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydicom import dcmread
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import UID
from pynetdicom import AE, build_role, evt

from harness.core.transcript import Transcript
from harness.protocols.dicom import uids
from harness.protocols.dicom.node import Address, Node, Proposal, Request, Response
from tests.bench.peers import Server, free_port
from tests.integration.wire.conftest import Actor, answer, image, save
from tests.peers import require_program


def run(*arguments: str) -> str:
    done = subprocess.run([require_program(arguments[0]), *arguments[1:]], capture_output=True, text=True, timeout=30)
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


@pytest.mark.peer("dcmtk")
def test_echoscu_storescu_findscu_getscu(actor: Actor, tmp_path: Path, transcript: Transcript) -> None:
    where = ["-aec", "ACTOR", "127.0.0.1", str(actor.node.port)]
    run("echoscu", *where)
    path = save(image(5, 1 << 18), tmp_path / "image.dcm")
    run("storescu", *where, str(path))
    assert path.read_bytes().endswith(actor.stored[0].payload.bytes())
    text = run("findscu", "-v", "-W", "-k", "PatientID", *where)
    assert text.count("Find Response:") == 3
    run("getscu", "-S", "-k", "QueryRetrieveLevel=STUDY", "-k", "StudyInstanceUID=1.2.3", "-od", str(tmp_path), *where)
    assert len(list(tmp_path.glob("CT.1.2.3*"))) == 3
    assert transcript.faults == ()
    assert transcript.select("PROTOCOL-VIOLATION") == ()


@pytest.mark.peer("dcmtk")
def test_storescp_gets_what_we_send(asker: Node, tmp_path: Path) -> None:
    port = free_port()
    (tmp_path / "in").mkdir()
    with Server([require_program("storescp"), "-od", str(tmp_path / "in"), str(port)], port):
        path = save(image(5, 1 << 20), tmp_path / "image.dcm")
        with asker.connect(Address("STORESCP", "127.0.0.1", port), [Proposal(uids.CT_IMAGE)]) as link:
            assert link.store(path).status == 0
            assert link.store(image(6, 1 << 16)).status == 0
    stored = sorted((tmp_path / "in").iterdir())
    assert [dcmread(entry).SOPInstanceUID for entry in stored] == ["1.2.3.5", "1.2.3.6"]


@pytest.mark.peer("dcmtk")
def test_storescu_cancels_nothing_when_the_peer_aborts(actor: Actor, tmp_path: Path, transcript: Transcript) -> None:
    path = save(image(5), tmp_path / "image.dcm")
    run("storescu", "--abort", "-aec", "ACTOR", "127.0.0.1", str(actor.node.port), str(path))
    assert transcript.wait_for("A-ABORT", timeout=5) is not None
    assert transcript.faults == ()


def with_meta(ds: Dataset) -> Dataset:
    """pynetdicom takes the transfer syntax from the file meta information."""
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = UID(uids.IMPLICIT_VR_LE)
    return ds


@pytest.fixture
def pynetdicom_peer() -> Iterator[Address]:
    def find(_event: Any) -> Iterator[tuple[int, Dataset | None]]:
        for number in range(3):
            yield 0xFF00, answer(str(number))

    def get(_event: Any) -> Iterator[Any]:
        yield 2
        yield 0xFF00, with_meta(image(1))
        yield 0xFF00, with_meta(image(2))

    ae = AE("PYNETDICOM")
    for uid in (uids.VERIFICATION, uids.MODALITY_WORKLIST, uids.STUDY_ROOT_GET, uids.MPPS):
        ae.add_supported_context(uid)
    ae.add_supported_context(uids.CT_IMAGE, scu_role=True, scp_role=True)
    handlers = [
        (evt.EVT_C_FIND, find),
        (evt.EVT_C_GET, get),
        (evt.EVT_C_STORE, lambda _event: 0),
        (evt.EVT_N_CREATE, lambda event: (0, event.attribute_list)),
        (evt.EVT_N_SET, lambda _event: (0x0110, None)),
    ]
    server = ae.start_server(("127.0.0.1", 0), block=False, evt_handlers=handlers)
    yield Address("PYNETDICOM", "127.0.0.1", server.server_address[1])
    server.shutdown()


def test_we_ask_pynetdicom(asker: Node, pynetdicom_peer: Address, transcript: Transcript) -> None:
    proposals = [Proposal(uid) for uid in (uids.VERIFICATION, uids.MODALITY_WORKLIST, uids.STUDY_ROOT_GET, uids.MPPS)]
    stored = []

    def store(request: Request) -> Response:
        stored.append(request.dataset().SOPInstanceUID)
        return Response()

    with asker.connect(pynetdicom_peer, [*proposals, Proposal(uids.CT_IMAGE, scp_role=True)]) as link:
        assert link.echo() == 0
        found = [
            entry.dataset().PatientID for entry in link.find(uids.MODALITY_WORKLIST, answer("")) if entry.is_pending
        ]
        assert found == ["0", "1", "2"]
        link.get(uids.STUDY_ROOT_GET, answer(""), store)
        assert link.n_create(uids.MPPS, "1.2.9", answer("x")).dataset().PatientID == "x"
        assert link.n_set(uids.MPPS, "1.2.9", answer("x")).status == 0x0110
    assert stored == ["1.2.3.1", "1.2.3.2"]
    assert transcript.select("PROTOCOL-VIOLATION") == ()


def test_pynetdicom_asks_us(actor: Actor, transcript: Transcript) -> None:
    ae = AE("PYNETDICOM")
    for uid in (uids.VERIFICATION, uids.MODALITY_WORKLIST, uids.STUDY_ROOT_GET, uids.MPPS, uids.CT_IMAGE):
        ae.add_requested_context(uid)
    stored = []

    def store(event: Any) -> int:
        stored.append(event.dataset.SOPInstanceUID)
        return 0

    link = ae.associate(
        "127.0.0.1",
        actor.node.port,
        ae_title="ACTOR",
        ext_neg=[build_role(uids.CT_IMAGE, scu_role=True, scp_role=True)],
        evt_handlers=[(evt.EVT_C_STORE, store)],
    )
    assert link.is_established
    assert link.send_c_echo().Status == 0
    found = [ds.PatientID for status, ds in link.send_c_find(answer(""), uids.MODALITY_WORKLIST) if ds]
    assert found == ["0", "1", "2"]
    sent = with_meta(image(9, 1 << 18))
    assert link.send_c_store(sent).Status == 0
    assert actor.stored[0].dataset().PixelData == sent.PixelData
    statuses = [status.Status for status, _ in link.send_c_get(answer(""), uids.STUDY_ROOT_GET)]
    assert statuses[-1] == 0
    assert stored == ["1.2.3.0", "1.2.3.1", "1.2.3.2"]
    assert link.send_n_create(answer("x"), uids.MPPS, "1.2.9")[0].Status == 0
    link.release()
    assert transcript.faults == ()
    assert transcript.select("PROTOCOL-VIOLATION") == ()
