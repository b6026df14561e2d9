"""What the SUT file says reaches every simulated actor, those that only some scenarios invite included."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.actors.printing.server import PrintServer
from harness.bdd.guests import Guests, expected
from harness.bdd.lab import Lab
from harness.bdd.settings import RunSettings
from harness.protocols.dicom.errors import PeerTimeout
from harness.protocols.dicom.node import Address, Proposal
from harness.protocols.dicom.uids import VERIFICATION

SUT = """
[product]
name = "Slow"
[[claims]]
profile = "SWF"
actor = "Image Manager/Archive"
[timeouts]
associate = 0.25
operator = 500.0
action = 7.0
[driver]
kind = "command"
[driver.actions.verify]
argv = ["true"]
"""


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    (tmp_path / "sut.toml").write_text(SUT, encoding="utf-8")
    made = Lab(RunSettings(sut=str(tmp_path / "sut.toml"), features=(), out=str(tmp_path / "run"), run_id="run"))
    made.start()
    yield made
    made.stop()


@pytest.fixture
def mute() -> Iterator[Address]:
    """A product that takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield Address("MUTE", "127.0.0.1", server.getsockname()[1])


def test_every_actor_waits_as_long_as_the_file_says_and_is_captured(lab: Lab, mute: Address) -> None:
    guests = Guests(lab)
    for actor in (lab.image_display, guests.invite(PrintServer)):
        with pytest.raises(PeerTimeout, match=r"within 0\.25 s"):
            actor.node.connect(mute, [Proposal(VERIFICATION)])
    guests.close()
    lab.stop()
    wire = b"".join(path.read_bytes() for path in sorted(lab.evidence.wire.rglob("*")) if path.is_file())
    assert b"IHE_ID" in wire
    assert b"IHE_PS" in wire, "what a guest said must be in the evidence, too"


def test_an_operator_has_an_operators_time_also_in_place_of_a_command(lab: Lab) -> None:
    assert lab.action_timeout("verify") == 7.0
    assert lab.action_timeout("restart") == 500.0


def test_a_product_is_told_of_the_guests_that_it_will_meet(tmp_path: Path) -> None:
    text = SUT.replace("SWF", "CPI").replace("Image Manager/Archive", "Print Composer")
    (tmp_path / "sut.toml").write_text(text + "[harness.actors.print-server]\nport = 1104\n", encoding="utf-8")
    lab = Lab(RunSettings(sut=str(tmp_path / "sut.toml"), features=(), out=str(tmp_path / "run"), run_id="run"))
    assert expected(lab) == [("Print Server", "IHE_PS", 1104)]
