"""Peers that speak wrongly: whatever the bytes are, they are told in a few sentences and the next one is served."""

from __future__ import annotations

import contextlib
import socket
import struct
from pathlib import Path

import pytest

from harness.core.message import Direction
from harness.core.transcript import Transcript
from harness.protocols.dicom import command, items, pdu, uids
from harness.protocols.dicom.errors import PeerError
from harness.protocols.dicom.fragments import command_pdus
from harness.protocols.dicom.misbehaviour import raw_pdata
from harness.protocols.dicom.node import Node, Proposal, Request, Response, Timeouts
from harness.protocols.dicom.script import Accept, Ask, Expect, Reply, Send, SendPdu
from harness.protocols.dicom.scripted import ScriptedListener
from tests.integration.wire.conftest import TIMEOUTS, Actor, answer
from tests.integration.wire.hostile import ECHO, REQUEST, alive, ask, associated, dial, until


@pytest.mark.parametrize(
    ("user", "refused"),
    [
        ([items.UnknownItem(0x60, bytes(60_000))] * 10, False),
        ([items.UnknownItem(0x60, b"")] * 200_000, True),
        ([items.ExtendedNegotiation("1.2.3", bytes(65_000))], False),
        ([items.UserIdentity(2, True, bytes(30_000), bytes(30_000))], False),
    ],
    ids=["large items", "very many items", "large extended negotiation", "large identity"],
)
def test_giant_user_information(
    user: list[items.UserItem], refused: bool, actor: Actor, asker: Node, transcript: Transcript
) -> None:
    encoded = [items.encode_user_item(item) for item in user]
    body = b"".join(encoded) if refused else b"".join(items.item(0x50, one) for one in encoded)
    plain = REQUEST.encode()[6:]
    request = b"\x01\0" + struct.pack(">I", len(plain) + len(body)) + plain + body
    with dial(actor.node) as sock:
        sock.settimeout(5)
        sock.sendall(request)
        assert sock.recv(6, socket.MSG_WAITALL)[0] == (7 if refused else 2)
    assert alive(asker, actor.node)
    assert transcript.faults == ()


def test_pdvs_of_one_byte_and_of_none(transcript: Transcript, asker: Node) -> None:
    got: list[Request] = []
    node = Node("ACTOR", transcript, actor="a", timeouts=TIMEOUTS, spool_threshold=64)

    def handle(request: Request) -> Response:
        got.append(request)
        return Response()

    node.serve([uids.VERIFICATION], handle)
    data = bytes(range(200))
    pieces = [raw_pdata(1, 0, data[i : i + 1]) + raw_pdata(1, 0, b"") for i in range(200)]
    head = b"".join(command_pdus(1, command.encode(
        {"CommandField": 0x30, "MessageID": 1, "AffectedSOPClassUID": uids.VERIFICATION, "CommandDataSetType": 1}
    ), 16384))  # fmt: skip
    with node:
        with associated(node) as sock:
            sock.sendall(head + b"".join(pieces) + raw_pdata(1, 2, b""))
            assert until(lambda: bool(got))
            sock.sendall(raw_pdata(1, 1, b"") * 5000)  # a command set that never grows
            sock.sendall(ask("C-ECHO-RQ", uids.VERIFICATION, 2))
            assert until(lambda: len(got) == 2)
        assert got[0].payload.bytes() == data
        assert alive(asker, node)


def test_a_command_set_full_of_faults_is_told_in_a_few_sentences(actor: Actor, transcript: Transcript) -> None:
    elements = b"".join(struct.pack("<HHI", 0x0008, 0xFFFF - number % 7, 0) for number in range(20_000))
    with associated(actor.node) as sock:
        sock.sendall(raw_pdata(1, 3, elements))
        assert until(lambda: bool(transcript.select("PROTOCOL-VIOLATION")))
    assert until(lambda: not actor.node.associations)
    told = transcript.select("PROTOCOL-VIOLATION")
    assert 10 < len(told) < 40
    assert any("more" in str(entry.fields["text"]) for entry in told)


def test_what_was_accepted_without_being_proposed_is_told_and_cannot_be_used(transcript: Transcript) -> None:
    node = Node("ASKER", transcript, actor="a", timeouts=Timeouts(dimse=0.5, associate=1, release=0.3))
    result = pdu.AssociateAC(
        REQUEST.called,
        REQUEST.calling,
        (items.ContextResult(1, 0, uids.IMPLICIT_VR_LE), items.ContextResult(201, 0, uids.IMPLICIT_VR_LE)),
        (items.MaximumLength(0),),
    )
    script = (Expect("A-ASSOCIATE-RQ"), SendPdu(result), Ask("C-ECHO-RQ", {}, None, 201), Expect("close"))
    with ScriptedListener([script], Transcript()) as listener, pytest.raises(PeerError):
        node.connect(listener.address, ECHO).echo()
    texts = [str(entry.fields["text"]) for entry in transcript.select("PROTOCOL-VIOLATION")]
    assert any("201 was accepted, but never proposed" in text for text in texts)
    node.stop()


@pytest.mark.parametrize("last", [pdu.ReleaseRQ(), pdu.Abort(0, 0)])
def test_everything_in_one_segment(last: pdu.PDU, transcript: Transcript, tmp_path: Path) -> None:
    """Acceptance, a store towards us and the end arrive before anything of it was acted on."""
    node = Node("ASKER", transcript, actor="a", timeouts=TIMEOUTS, spool=tmp_path)
    accepted = pdu.AssociateAC(
        REQUEST.called, REQUEST.calling, (items.ContextResult(1, 0, uids.IMPLICIT_VR_LE),), (items.MaximumLength(0),)
    )
    everything = accepted.encode() + ask("C-STORE-RQ", uids.CT_IMAGE, 1, bytes(100)) + last.encode()
    script = (Expect("A-ASSOCIATE-RQ"), Send(everything), Expect("close", 3))
    with ScriptedListener([script], Transcript()) as listener, contextlib.suppress(PeerError):
        node.connect(listener.address, [Proposal(uids.CT_IMAGE)]).release()
    node.stop()
    assert transcript.faults == ()
    assert len(transcript.select("C-STORE-RQ", direction=Direction.FROM_SUT)) == 1


def test_a_transfer_syntax_that_nobody_knows(transcript: Transcript) -> None:
    node = Node("ASKER", transcript, actor="a", timeouts=TIMEOUTS)
    accepted = pdu.AssociateAC(
        REQUEST.called, REQUEST.calling, (items.ContextResult(1, 0, "1.2.3.4.5"),), (items.MaximumLength(0),)
    )
    script = (Expect("A-ASSOCIATE-RQ"), SendPdu(accepted), Expect("C-FIND-RQ"), Reply(), Expect("A-RELEASE-RQ"),
              SendPdu(pdu.ReleaseRP()))  # fmt: skip
    with ScriptedListener([script], Transcript()) as listener:
        link = node.connect(listener.address, [Proposal(uids.MODALITY_WORKLIST)])
        with contextlib.suppress(PeerError):
            link.find(uids.MODALITY_WORKLIST, answer(""))
        link.abort()
    assert transcript.faults == ()


def test_an_acceptor_that_answers_at_once_with_everything(transcript: Transcript) -> None:
    node = Node("ASKER", transcript, actor="a", timeouts=TIMEOUTS)
    script = (Expect("A-ASSOCIATE-RQ"), Accept(), Expect("C-ECHO-RQ"), Reply(), Send(b"\x00" * 64), Expect("close", 3))
    with ScriptedListener([script], Transcript()) as listener:
        link = node.connect(listener.address, ECHO)
        with contextlib.suppress(PeerError):
            link.echo()
        assert until(lambda: not link.is_open)
        node.stop()
    assert transcript.select("PROTOCOL-VIOLATION")
