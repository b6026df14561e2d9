"""Order messages exchanged with HL7 stacks of others, in both directions: python-hl7, and simple-hl7 from npm."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import hl7
import hl7.client
import hl7.mllp
import pytest

from harness.actors.orders.endpoint import Destination, HL7Endpoint
from harness.actors.orders.filler import ORDER_FILLER
from harness.actors.orders.hl7 import Application
from harness.actors.orders.placer import ORDER_PLACER, OrderPlacer
from harness.actors.orders.values import Numbering
from harness.core.message import Direction
from harness.core.transcript import Transcript
from harness.protocols.hl7.message import HL7Message
from tests.integration.hl7.department import ORDER, PATIENT, QUICK, VISIT, department

BOTH = pytest.mark.parametrize("version", ["2.3.1", "2.5.1"])


class PythonHL7Server:
    """A listener of python-hl7 on a thread of its own; keeps what it parsed and answers by ``create_ack``."""

    def __init__(self) -> None:
        self.received: list[hl7.Message] = []
        self.port = 0
        self._ready = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> PythonHL7Server:
        self._thread.start()
        assert self._ready.wait(5)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(5)

    def _run(self) -> None:
        self._loop.run_until_complete(self._serve())
        self._loop.close()

    async def _serve(self) -> None:
        self._stop = asyncio.Event()
        server = await hl7.mllp.start_hl7_server(self._converse, host="127.0.0.1", port=0, encoding="utf-8")
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        async with server:
            await self._stop.wait()

    async def _converse(self, reader: hl7.mllp.HL7StreamReader, writer: hl7.mllp.HL7StreamWriter) -> None:
        try:
            while True:
                message = await reader.readmessage()
                self.received.append(message)
                writer.writemessage(message.create_ack())
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


def orders_to(port: int, version: str, transcript: Transcript) -> tuple[str, str]:
    """Place and cancel one order at that port; the two acknowledgement codes."""
    endpoint = HL7Endpoint(
        transcript, actor=ORDER_PLACER, application=Application("OP1", "HOSP"), version=version, timeouts=QUICK
    )
    filler = Destination(ORDER_FILLER, "127.0.0.1", port, Application("PEER", "RAD"))
    with OrderPlacer(endpoint, filler, Numbering(lambda: "1.2.3")) as placer:
        order, first = placer.place(PATIENT, VISIT, ORDER)
        first.wait(5)
        _, second = placer.cancel(order)
        second.wait(5)
        return first.code, second.code


@BOTH
def test_python_hl7_understands_and_acknowledges_our_orders(version: str) -> None:
    transcript = Transcript()
    with PythonHL7Server() as server:
        assert orders_to(server.port, version, transcript) == ("AA", "AA")
    new, cancel = server.received
    assert str(new.segment("ORC")[1]) == "NW"
    assert str(cancel.segment("ORC")[1]) == "CA"
    assert str(new.segment("PID")[5]) == "Miller^Anna^Maria^^Dr"
    assert str(new.segment("OBR")[4]) == "MR-BRAIN^MR of the brain^99HARNESS"
    assert not transcript.select("PROTOCOL-VIOLATION")


@BOTH
def test_our_order_filler_takes_orders_of_python_hl7(version: str) -> None:
    kind = "ORM^O01" if version == "2.3.1" else "OMG^O19^OMG_O19"
    timing = "|||^^^20260102^^R" if version == "2.3.1" else "|||"
    tq1 = "" if version == "2.3.1" else "TQ1|1||||||20260102||R\r"
    text = (
        f"MSH|^~\\&|PY|HL7|OF1|HOSP|20260102||{kind}|1|P|{version}\r"
        "PID|||77^^^PY||Päule^Anton||19600101|M\rPV1||O\r"
        f"ORC|NW|P1^PY{timing}||20260102|||D^Doc\r{tq1}OBR|1|P1^PY||CT-HEAD^CT of the head^99HARNESS\r"
    ).replace("|P|" + version, f"|P|{version}||||||UNICODE UTF-8")
    with department(version) as d, hl7.client.MLLPClient("127.0.0.1", d.filler.endpoint.port) as client:
        answer = hl7.parse(client.send_message(hl7.parse(text)).strip(b"\x0b\x1c\r").decode("utf-8"))
        assert str(answer.segment("MSA")[1]) == "AA"
        assert str(answer.segment("MSA")[2]) == "1"
        d.settle()
        (order,) = d.filler.book.orders
        assert str(d.filler.book.patients[0].name) == "Päule^Anton"
        assert order.placer_number.value == "P1"
        assert d.manager.procedure(order.procedures[0].study_uid) is not None


# -- npm ---------------------------------------------------------------------------------------------------------------

SERVER = """
const hl7 = require('simple-hl7');
const app = hl7.tcp();
app.use((req, res, next) => {
  const orc = req.msg.getSegment('ORC'), pid = req.msg.getSegment('PID');
  const family = pid.getComponent(5, 1);
  console.log(JSON.stringify({control: orc.getField(1), number: orc.getComponent(2, 1), family}));
  next();
});
app.use((req, res, next) => { res.end(); next(); });
app.use((err, req, res, next) => { console.log(JSON.stringify({error: String(err)})); res.end(); });
app.start(Number(process.argv[2]));
console.log(JSON.stringify({ready: true}));
"""
CLIENT = """
const hl7 = require('simple-hl7');
const fs = require('fs');
const client = hl7.Server.createTcpClient('127.0.0.1', Number(process.argv[2]));
const parser = new hl7.Parser();
const message = parser.parse(fs.readFileSync(process.argv[3], 'utf8'));
client.send(message, (err, ack) => {
  const msa = err ? null : ack.getSegment('MSA');
  console.log(JSON.stringify(err ? {error: String(err)} : {code: msa.getField(1), id: msa.getField(2)}));
  process.exit(0);
});
"""


@pytest.fixture(scope="module")
def simple_hl7(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder where node finds simple-hl7; skipped by name where npm cannot install it."""
    folder = tmp_path_factory.mktemp("npm")
    problem = ""
    if shutil.which("node") is None or shutil.which("npm") is None:
        problem = "node and npm are not installed"
    else:
        done = subprocess.run(
            ["npm", "install", "--no-audit", "--no-fund", "--silent", "simple-hl7@3.3.0"],
            cwd=folder, capture_output=True, timeout=120, check=False,
        )  # fmt: skip
        if done.returncode:
            problem = f"npm cannot install simple-hl7: {done.stderr.decode(errors='replace')[-200:]}"
    if problem:
        if os.environ.get("IHE_PEERS") == "required":
            pytest.fail(problem)
        pytest.skip(problem)
    (folder / "server.js").write_text(SERVER)
    (folder / "client.js").write_text(CLIENT)
    return folder


@contextmanager
def node_server(folder: Path) -> Iterator[tuple[int, subprocess.Popen[str]]]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = int(free.getsockname()[1])
    process = subprocess.Popen(["node", "server.js", str(port)], cwd=folder, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        assert json.loads(process.stdout.readline()) == {"ready": True}
        yield port, process
    finally:
        process.kill()
        process.stdout.close()
        process.wait(5)


@BOTH
@pytest.mark.peer("simple-hl7")
def test_simple_hl7_understands_and_acknowledges_our_orders(simple_hl7: Path, version: str) -> None:
    transcript = Transcript()
    with node_server(simple_hl7) as (port, process):
        assert orders_to(port, version, transcript) == ("AA", "AA")
        assert process.stdout is not None
        new, cancel = (json.loads(process.stdout.readline()) for _ in range(2))
    assert (new["control"], cancel["control"]) == ("NW", "CA")
    assert new["number"] == cancel["number"] == "P1001"
    assert new["family"] == "Miller"
    # what its acknowledgement does otherwise is read, not repaired
    ack = transcript.select("ACK", direction=Direction.FROM_SUT)[0]
    assert HL7Message(ack.payload.bytes())["MSA-1"] == "AA"


@BOTH
@pytest.mark.peer("simple-hl7")
def test_our_order_filler_takes_orders_of_simple_hl7(simple_hl7: Path, version: str, tmp_path: Path) -> None:
    placer_side = Transcript()
    with PythonHL7Server() as recorder:
        orders_to(recorder.port, version, placer_side)
    sent = placer_side.select(direction=Direction.TO_SUT)[0]
    path = tmp_path / "order.hl7"
    path.write_bytes(sent.payload.bytes())
    with department(version) as d:
        done = subprocess.run(
            ["node", "client.js", str(d.filler.endpoint.port), str(path)],
            cwd=simple_hl7, capture_output=True, text=True, timeout=20, check=True,
        )  # fmt: skip
        answer = json.loads(done.stdout.splitlines()[-1])
        assert answer == {"code": "AA", "id": sent.fields["control_id"]}
        d.settle()
        assert [order.placer_number.value for order in d.filler.book.orders] == ["P1001"]
