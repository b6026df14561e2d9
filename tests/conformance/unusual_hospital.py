"""An ADT and Order Placer on python-hl7, written by hand: everything it says is legal, little of it is usual.

    python unusual_hospital.py HL7-PORT CONTROL-PORT PLACER-PORT FILLER-PORT [--one-character-set]

It always declares UTF-8, gives time stamps every precision, repeats identifiers, names and providers, sends segments
of its own, notes and many optional fields, deletes with two double quotes, escapes delimiters, leaves empty components
at the end, names structures, and sends each message over a connection of its own in small pieces. With
``--one-character-set`` it reads every message as UTF-8, whatever MSH-18 says: the one thing that is not legal.
"""

from __future__ import annotations

import itertools
import json
import socket
import sys
import threading
from collections.abc import Mapping
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import hl7

Values = Mapping[str, Any]
START, END = b"\x0b", b"\x1c\r"
STRUCTURES = {
    "A02": "A02", "A03": "A03", "A06": "A06", "A07": "A06", "A11": "A09", "A12": "A12", "A38": "A38", "A40": "A39",
}  # fmt: skip
CODECS = {
    "8859/1": "latin-1", "ISO IR87": "iso2022_jp", "KS X 1001": "euc_kr", "GB 18030-2000": "gb18030",
}  # fmt: skip


def escaped(text: str) -> str:
    """Delimiters as escape sequences."""
    for character, sequence in (("\\", "\\E\\"), ("|", "\\F\\"), ("^", "\\S\\"), ("~", "\\R\\"), ("&", "\\T\\")):
        text = text.replace(character, sequence)
    return text


def names(text: str) -> str:
    """PID-5: each representation of the name as a repetition with its type and representation code."""
    found = []
    for sign, group in zip("AIP", text.split("="), strict=False):
        family, given, middle, prefix, suffix = (group.split("^") + [""] * 5)[:5]
        found.append(f"{family}^{given}^{middle}^{suffix}^{prefix}^^L^{sign}")
    return "~".join(found)


def provider(text: str) -> str:
    return f"7\\T\\7^{text}^^^^~8^SECOND^DOCTOR" if text else ""


def code(values: Values) -> str:
    return f"{values['CodeValue']}^{escaped(values['CodeMeaning'])}^{values['CodingSchemeDesignator']}"


def segment(name: str, fields: Mapping[int, str]) -> str:
    return "|".join([name, *(fields.get(number, "") for number in range(1, max(fields) + 1))])


class Hospital:
    """Patients, orders and the messages about them."""

    def __init__(self, ports: Mapping[str, int], *, one_character_set: bool = False) -> None:
        self.ports, self.one_character_set = ports, one_character_set
        self.numbers = itertools.count(1)
        self.orders: dict[str, Values] = {}
        self.known: dict[str, dict[str, str]] = {}
        self.lock = threading.RLock()

    # -- writing ---------------------------------------------------------------------------------------------------

    def number(self, letter: str) -> str:
        return f"{letter}{next(self.numbers):06d}"

    def header(self, to: str, kind: str) -> str:
        now = f"{datetime.now().astimezone():%Y%m%d%H%M%S.0000%z}"
        own = f"MSH|^~\\&|SIM^1.2.3^ISO|HOSPITAL|{to}|IHE|{now}||{kind}|{self.number('C')}|P^T|2.3.1^DEU^2.3.1"
        return f"{own}||||||UNICODE UTF-8|de^German^ISO639"

    def pid(self, patient: Values) -> str:
        number, issuer = patient["PatientID"], patient["IssuerOfPatientID"]
        race = '""' if "PID-10" in patient.get("delete", ()) else patient["EthnicGroup"]
        return segment("PID", {
            1: "1", 2: '""', 3: f"{number}^^^{issuer}^PI^HOSPITAL~{number}-9^^^&1.2.826.0.99&ISO^SS",
            5: names(patient["PatientName"]), 6: '""', 7: f"{patient['PatientBirthDate']}000000",
            8: patient["PatientSex"], 10: race, 11: f"{patient['PatientAddress']}^^^H~Second Street^^Shelbyville",
            18: f"{patient['AccountNumber']}^^^{issuer}", 19: '""', 30: "N",
        })  # fmt: skip

    def pv1(self, patient: Values) -> str:
        doctors = {7: "Attending", 8: "Referring", 17: "Admitting"}
        return segment("PV1", {
            1: "1", 2: patient["PatientClass"], 3: f"{patient['CurrentPatientLocation']}^^^^^^",
            6: patient.get("PriorLocation", ""), 10: patient["HospitalService"],
            **{field: provider(patient[f"{kind}PhysicianName"]) for field, kind in doctors.items()},
            19: f"{patient['AdmissionID']}^^^{patient['IssuerOfPatientID']}",
        })  # fmt: skip

    # -- sending ---------------------------------------------------------------------------------------------------

    def send(self, to: str, segments: list[str]) -> None:
        """Send over a connection of its own, in small pieces; once more, under a new time, if no answer came."""
        for _ in range(2):
            data = START + ("\r".join(segments) + "\r").encode() + END
            with socket.create_connection(("127.0.0.1", self.ports[to]), 5) as line:
                line.settimeout(4)
                for position in range(0, len(data), 97):
                    line.sendall(data[position : position + 97])
                if answered(line):
                    return
            segments[0] = segments[0].replace(".0000", ".1000")

    def tell(self, event: str, patient: Values) -> dict[str, Any]:
        structure = STRUCTURES.get(event, "A01")
        patient = {**patient, "PatientClass": {"A06": "I", "A07": "O"}.get(event, patient["PatientClass"])}
        if event == "A02":
            patient["PriorLocation"] = patient["CurrentPatientLocation"]
            patient["CurrentPatientLocation"] = patient["NewLocation"]
        for to, name in (("placer", "OP"), ("filler", "OF")):
            segments = [
                self.header(name, f"ADT^{event}^ADT_{structure}"),
                f'EVN|{event}|{datetime.now():%Y%m%d%H%M}||""',
                self.pid(patient),
            ]
            if event == "A40":
                retired = f"{patient['RetiredPatientID']}^^^{patient['IssuerOfPatientID']}^PI"
                segments.append(f"MRG|{retired}||||||{names(patient.get('RetiredName', ''))}")
            else:
                segments += ["NK1|1|MILLER^OTTO|SPO"] if structure == "A01" else []
                segments.append(self.pv1(patient))
            self.send(to, [*segments, "ZLO|1|local ^ value"])
        return {}

    def order(self, control: str, number: str, order: Values) -> list[str]:
        patient = {**order["patient"], **self.known.get(order["patient"]["PatientID"], {})}
        doctor, timing = provider(order["RequestingPhysician"]), f"1^ONCE^^{order['Start'][:12]}^^R"
        return [
            self.header("OF", "ORM^O01^ORM_O01"),
            "NTE|1|P|a note before the patient",
            self.pid(patient),
            "PD1||||7^FAMILY^DOCTOR",
            self.pv1(patient),
            "AL1|1|DA|PEN^Penicillin^99X|SV",
            segment("ORC", {
                1: control, 2: f"{number}^OP&&", 3: '""', 4: "G1^OP", 6: "N", 7: timing,
                9: f"{datetime.now():%Y%m%d%H%M}", 10: provider(order["OrderEnteredBy"]), 11: '""', 12: doctor,
                17: code(order["EnteringOrganization"]),
            }),
            segment("OBR", {
                1: "1", 2: f"{number}^OP", 3: '""', 4: code(order["Service"]), 6: '""',
                12: f"^{order['DangerCode']}", 13: order["RelevantClinicalInformation"], 15: "^^^CHEST",
                16: f"{doctor}^^", 27: f"{timing}^^", 30: order["PatientTransportArrangements"],
                31: f"^{order['ReasonForTheRequestedProcedure']}",
            }),
            "NTE|1||a note \\.br\\on two lines",
            "DG1|1||R51^Headache^I10",
            "OBX|1|NM|29463-7^Weight^LN||71|kg|||||F",
            "ZOR|local",
        ]  # fmt: skip

    def place(self, order: Values) -> dict[str, Any]:
        number = self.number("P")
        self.orders[number] = order
        self.send("filler", self.order("NW", number, order))
        return {"placer_number": number}

    def withdraw(self, number: str) -> dict[str, Any]:
        self.send("filler", self.order("CA", number, self.orders[number]))
        return {}

    # -- receiving -------------------------------------------------------------------------------------------------

    def answer(self, data: bytes) -> str:
        """The acknowledgement of a message; nothing for what is none."""
        fields = data.split(b"\r")[0].split(b"|")
        if fields[0] != b"MSH" or len(fields) < 12:
            return ""
        declared = fields[17].decode("ascii", "replace").split("~")[-1] if len(fields) > 17 else ""
        codec = "utf-8" if self.one_character_set else CODECS.get(declared, "utf-8")
        message = hl7.parse(data.decode(codec, "replace"))
        header = message.segment("MSH")
        kind, trigger = [*str(header[9]).split("^"), ""][:2]
        result, more = "AA", []
        if not str(header[12]).startswith("2.") or (kind, trigger[:1]) not in (
            ("ADT", "A"),
            ("ORM", "O"),
            ("SIU", "S"),
        ):
            result = "AR"
        elif not str(message.segment("PID")[3]):
            result = "AE"
        elif kind == "ADT":
            self.learn(message)
        elif kind == "ORM" and str(message.segment("ORC")[1]) == "SN":
            more = [f"ORC|NA|{self.number('P')}^OP^^|{message.segment('ORC')[3]}"]
        name = "ORR^O02" if more else f"ACK^{trigger}^ACK"
        segments = [self.header(str(header[3]), name), f"MSA|{result}|{header[10]}|taken\\T\\kept", *more, "ZAK|x"]
        return "\r".join(segments) + "\r"

    def learn(self, message: hl7.Message) -> None:
        pid = message.segment("PID")
        groups = [(str(each).split("^") + [""] * 5)[:5] for each in str(pid[5]).split("~")]
        name = "=".join("^".join((g[0], g[1], g[2], g[4], g[3])).rstrip("^") for g in groups)
        self.known[str(pid[3]).split("~")[0].split("^")[0]] = {"PatientName": name}


def answered(line: socket.socket) -> bool:
    data = b""
    try:
        while END not in data:
            more = line.recv(65536)
            if not more:
                return False
            data += more
    except OSError:
        return False
    return True


def listen(hospital: Hospital, server: socket.socket) -> None:
    def talk(line: socket.socket) -> None:
        data = b""
        with line:
            while more := line.recv(65536):
                data += more
                while END in data:
                    block, _, data = data.partition(END)
                    with hospital.lock:
                        answer = hospital.answer(block[block.find(START) + 1 :])
                    if answer:
                        line.sendall(START + answer.encode() + END)

    while True:
        line, _ = server.accept()
        threading.Thread(target=talk, args=(line,), daemon=True).start()


def control(hospital: Hospital) -> type[BaseHTTPRequestHandler]:
    class Control(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            given = json.loads(self.rfile.read(int(self.headers["Content-Length"])) or b"{}")
            action = self.path.rsplit("/", 1)[-1]
            if action in ("register-patient", "update-patient"):
                answer = hospital.tell(given["event"], given["patient"])
            elif action == "place-order":
                answer = hospital.place(given["order"])
            else:
                answer = hospital.withdraw(given["placer_number"])
            body = json.dumps(answer).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    return Control


def main() -> None:
    own, steered, placer, filler = map(int, sys.argv[1:5])
    hospital = Hospital({"placer": placer, "filler": filler}, one_character_set="--one-character-set" in sys.argv)
    server = socket.create_server(("127.0.0.1", own))
    threading.Thread(target=listen, args=(hospital, server), daemon=True).start()
    ThreadingHTTPServer(("127.0.0.1", steered), control(hospital)).serve_forever()


if __name__ == "__main__":
    main()
