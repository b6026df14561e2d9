"""Large objects pass without living in memory."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from harness.core.transcript import Transcript
from harness.protocols.dicom import uids
from harness.protocols.dicom.node import Address, Node, Proposal
from harness.protocols.dicom.part10 import file_meta
from tests.bench import peers
from tests.integration.wire.conftest import TIMEOUTS

GIGABYTE = 1 << 30
LIMIT = 200 << 20


def sparse_image(path: Path, size: int) -> Path:
    """A multi-frame file of ``size`` bytes that takes no room on the disk."""
    instance = "1.2.3.99"
    with path.open("wb") as stream:
        stream.write(file_meta(uids.ENHANCED_CT_IMAGE, instance, uids.EXPLICIT_VR_LE))
        stream.write(b"\x08\0\x16\0UI\x1a\0" + b"1.2.840.10008.5.1.4.1.1.2.1"[:26])
        stream.write(b"\x08\0\x18\0UI\x08\0" + instance.encode())
        stream.write(b"\xe0\x7f\x10\0OW\0\0" + (size & ~1).to_bytes(4, "little"))
        stream.truncate(stream.tell() + (size & ~1))
    return path


@pytest.mark.slow
def test_two_gigabytes_pass_with_less_than_200_mb_of_memory(tmp_path: Path) -> None:
    path = sparse_image(tmp_path / "large.dcm", 2 * GIGABYTE)
    server = peers.ours("engine", tmp_path / "received")
    with server as port:
        forget_peak(server.pid)
        forget_peak("self")
        idle, ours_before = server.resident, resident()
        client = Node("ASKER", Transcript(), actor="a", timeouts=TIMEOUTS)
        proposals = [Proposal(uids.ENHANCED_CT_IMAGE, (uids.EXPLICIT_VR_LE,))]
        with client.connect(Address("BENCH", "127.0.0.1", port), proposals) as link:
            assert link.store(path).status == 0
        assert peak(server.pid) - idle < LIMIT
        assert peak("self") - ours_before < LIMIT
    (stored,) = (tmp_path / "received").glob("*.dcm")
    assert stored.stat().st_size > 2 * GIGABYTE
    with stored.open("rb") as stream:
        assert stream.read(132)[128:] == b"DICM"
    stored.unlink()


def resident(pid: int | str = "self") -> int:
    """Resident memory in bytes."""
    return _status("VmRSS", pid)


def forget_peak(pid: int | str) -> None:
    """What was resident before does not count."""
    Path(f"/proc/{pid}/clear_refs").write_text("5")


def peak(pid: int | str) -> int:
    """The most memory that was ever resident, in bytes."""
    return _status("VmHWM", pid)


def _status(name: str, pid: int | str) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(name))


pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="memory is read from /proc")
