"""A DSS/Order Filler on python-hl7 and pynetdicom, written by hand: everything it does is legal, little of it is usual.

    python unusual_department.py HL7-PORT CONTROL-PORT DICOM-PORT PLACER-PORT MANAGER-PORT [--v251] [--BUG ...]

It numbers steps, orders and studies itself whatever it is told, tells the schedule before it acknowledges the order,
and the status before it answers the modality, each message over a connection of its own. Its messages have segments
nobody asked for, a second patient identifier, local codes, times without seconds; its worklist returns attributes
nobody asked for, another character set for each name, and marks matches as FF01. ``BUGS`` are such as products have.
"""

from __future__ import annotations

import itertools
import json
import re
import socket
import sys
import threading
from collections.abc import Iterator, Mapping
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import hl7
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pynetdicom import AE, evt
from pynetdicom.sop_class import (
    InstanceAvailabilityNotification,
    ModalityPerformedProcedureStep,
    ModalityWorklistInformationFind,
)

Values = Mapping[str, Any]
Entry = dict[str, Any]
START, END = b"\x0b", b"\x1c\r"
CODECS = {
    "8859/1": "latin-1", "ISO IR87": "iso2022_jp", "KS X 1001": "euc_kr", "GB 18030-2000": "gb18030",
}  # fmt: skip
#: what of a service is done: procedure, modality and steps
CATALOGUE = {
    "CT-TRUNK": (("CHEST", "CT", 1), ("ABDOMEN", "CT", 1)),
    "CT-HEAD": (("HEAD", "CT", 1),),
    "MR-BRAIN": (("BRAIN", "MR", 2),),
    "US-ABDOMEN": (("SONO", "US", 1),),
}
STATIONS = {"CT": "CT_ROOM2", "MR": "MR_NORTH", "US": "US_3"}
BUGS = {
    "local-zone": "ranges of dates are compared in UTC: the last day is lost",
    "upper-key": "names are stored in capitals and compared with wildcards as they are",
    "utf-8-as-latin": "the worklist says ISO_IR 100 and holds UTF-8",
    "study-per-step": "each step of a procedure gets a study of its own",
    "cancel-is-hidden": "a cancel is told to the archive and stays on the worklist",
    "merge-by-name": "a merge renames and keeps the old patient ID",
    "start-is-silent": "the placer learns of an exam when it is completed",
    "discontinued-is-done": "a discontinued exam is told as completed",
    "zds-is-bare": "ZDS-1 holds the UID alone",
    "placer-number-lost": "messages to the archive have the filler number as placer number",
    "wrong-control-id": "MSA-2 is a counter of its own",
    "rename-forwards-old": "an update is passed on with the name before it",
    "second-create": "an MPPS of a UID that exists overwrites the first",
    "set-after-end": "an N-SET after COMPLETED is accepted",
    "strict-segments": "a message with a Z segment is refused",
}


def escaped(text: str) -> str:
    """Delimiters as escape sequences."""
    for character, sequence in (("\\", "\\E\\"), ("|", "\\F\\"), ("^", "\\S\\"), ("~", "\\R\\"), ("&", "\\T\\")):
        text = text.replace(character, sequence)
    return text


def segment(name: str, fields: Mapping[int, str]) -> str:
    return "|".join([name, *(fields.get(number, "") for number in range(1, max(fields) + 1))])


def names_out(name: str) -> str:
    """A DICOM name as repetitions of PID-5."""
    found = []
    for sign, group in zip("AIP", name.split("="), strict=False):
        family, given, middle, prefix, suffix = (group.split("^") + [""] * 5)[:5]
        found.append(f"{family}^{given}^{middle}^{suffix}^{prefix}^^L^{sign}")
    return "~".join(found)


def names_in(field: str) -> str:
    groups = [(each.split("^") + [""] * 5)[:5] for each in field.split("~")]
    return "=".join("^".join((g[0], g[1], g[2], g[4], g[3])).rstrip("^") for g in groups)


class Department:
    """Patients, worklist entries and performed steps, under one lock."""

    def __init__(self, placer: int, manager: int, own_ae: str, options: frozenset[str]) -> None:
        self.placer, self.manager, self.own_ae, self.options = placer, manager, own_ae, options
        self.new = "v251" in options
        self.numbers = itertools.count(int(datetime.now().timestamp()) % 100_000_00)
        self.entries: list[Entry] = []
        self.patients: dict[str, dict[str, str]] = {}
        self.orders: dict[str, dict[str, Any]] = {}
        self.cancelled_visits: set[str] = set()
        self.performed: dict[str, tuple[str, list[str]]] = {}
        self.lock = threading.RLock()

    def number(self, letter: str) -> str:
        return f"{letter}{next(self.numbers)}"

    def study(self) -> str:
        return f"1.2.276.0.99.{int(datetime.now().timestamp() * 1000)}.{next(self.numbers)}"

    # -- writing HL7 -----------------------------------------------------------------------------------------------

    def header(self, to: str, kind: str) -> str:
        kinds = {"ORM^O01": "OMG^O19^OMG_O19", "ORM^O01/Z": "OMI^O23^OMI_O23", "ORR^O02": "ORG^O20^ORG_O20"}
        kind = kinds.get(kind, kind) if self.new else kind.removesuffix("/Z")
        now = f"{datetime.now().astimezone():%Y%m%d%H%M%S.000%z}"
        version = "2.5.1" if self.new else "2.3.1^DEU"
        own = f"MSH|^~\\&|SIM|HOSPITAL^1.2.3^ISO|{to}|IHE|{now}||{kind}|{self.number('C')}|P|{version}"
        return f"{own}||||||UNICODE UTF-8"

    def pid(self, patient: Values, name: str = "") -> str:
        return segment("PID", {
            1: "1", 3: f"{patient['id']}^^^{patient['issuer']}^MR~{patient['id']}7^^^&2.16.840&ISO^NI",
            5: names_out(name or patient["name"]), 7: patient["birth"], 8: patient["sex"], 18: patient["account"],
        })  # fmt: skip

    def order_segments(self, order: Values, control: str, status: str) -> list[str]:
        """ORC to OBR of RAD-3."""
        timing = f"^^^{order['start'][:12]}^^R"
        placer = f"{order['placer']}^IHE_OP" if order["placer"] else ""
        orc = {
            1: control, 2: placer, 3: f"{order['filler']}^RIS&1.2.3&ISO", 5: status, 7: "" if self.new else timing,
            9: f"{datetime.now():%Y%m%d%H%M%S}", 10: "17^CLERK^CARL", 12: order["doctor"], 17: "RAD^Radiology^99LOC",
        }  # fmt: skip
        obr = {
            1: "1", 2: placer, 3: f"{order['filler']}^RIS&1.2.3&ISO", 4: order["service"], 16: order["doctor"],
            27: "" if self.new else timing, 31: order["reason"],
        }  # fmt: skip
        timed = [f"TQ1|1||||||{order['start'][:12]}||R^Routine"] if self.new else []
        return [segment("ORC", orc), *timed, segment("OBR", obr), "ZRI|internal|42"]

    def tell_placer(self, order: Values, control: str, status: str) -> str:
        patient = self.patients[order["patient"]]
        lines = [self.header("IHE_OP", "ORM^O01"), self.pid(patient), self.pv1(patient), "ZPI|free parking"]
        return self.send(self.placer, [*lines, *self.order_segments(order, control, status)])

    def pv1(self, patient: Values) -> str:
        return segment("PV1", {1: "1", 2: patient["class"], 3: "RAD", 8: patient["referring"], 19: patient["visit"]})

    def tell_manager(self, order: Values, control: str, status: str) -> None:
        """RAD-4 and RAD-13: one message for each requested procedure."""
        patient = self.patients[order["patient"]]
        mine = [entry for entry in self.entries if entry["order"] is order]
        placer = order["filler"] if "placer-number-lost" in self.options else order["placer"]
        placer = f"{placer}^IHE_OP" if placer else ""
        filler = f"{order['filler']}^RIS&1.2.3&ISO"
        for procedure in dict.fromkeys(entry["procedure"] for entry in mine):
            steps = [entry for entry in mine if entry["procedure"] == procedure]
            lines = [self.header("IHE_IM", "ORM^O01/Z"), self.pid(patient), "PD1||||9^FAMILY^DOC", self.pv1(patient)]
            first = steps[0]
            for number, entry in enumerate(steps[:1] if self.new else steps, 1):
                timing = "" if self.new else f"1^^^{entry['start'][:12]}^^R"
                fields = {1: control, 2: placer, 3: filler, 5: status, 7: timing, 9: f"{datetime.now():%Y%m%d%H%M}"}
                lines.append(segment("ORC", {**fields, 12: order["doctor"], 17: "RAD^Radiology^99LOC"}))
                if self.new:
                    lines.append(f"TQ1|1||||||{entry['start'][:12]}||R")
                protocol = "" if self.new else f"^{entry['protocol']}^{entry['protocol']} local^99LOC"
                fields = {1: str(number), 2: placer, 3: filler, 4: order["service"] + protocol, 16: order["doctor"]}
                if not self.new:
                    fields |= {18: entry["accession"], 19: procedure, 20: entry["step"], 24: entry["modality"]}
                    fields |= {27: timing, 34: "4&TECH&TINA"}
                lines.append(segment("OBR", {**fields, 44: f"{entry['code']}^{entry['code']} local^99LOC"}))
            if self.new:
                for entry in steps:
                    protocol = f"{entry['protocol']}^{entry['protocol']} local^99LOC"
                    lines.append(
                        f"IPC|{entry['accession']}^RIS|{procedure}|{entry['study']}|{entry['step']}|"
                        f"{entry['modality']}|{protocol}|ROOM 2||{entry['station']}"
                    )
            else:
                pointer = "" if "zds-is-bare" in self.options else "^^Application^DICOM"
                lines.append(f"ZDS|{first['study']}{pointer}")
            self.send(self.manager, lines)

    def send(self, port: int, lines: list[str]) -> str:
        """Send over a connection of its own, twice if nothing is answered; the answer."""
        for _ in range(2):
            data = b""
            with socket.create_connection(("127.0.0.1", port), 5) as line:
                line.settimeout(5)
                line.sendall(START + ("\r".join(lines) + "\r").encode() + END)
                try:
                    while END not in data and (more := line.recv(65536)):
                        data += more
                except OSError:
                    data = b""
            if data:
                return data.strip(START + END).decode("utf-8", "replace")
        return ""

    # -- scheduling ------------------------------------------------------------------------------------------------

    def schedule(self, order: dict[str, Any], study: str = "") -> None:
        accession = self.number("A")
        self.orders[order["filler"]] = order
        value = order["service"].split("^")[0]
        for code, modality, count in CATALOGUE.get(value, ((value[:10], "OT", 1),)):
            procedure, uid = self.number("R"), study or self.study()
            study = ""
            for step in range(count):
                self.entries.append({
                    "order": order, "accession": accession, "procedure": procedure, "code": code,
                    "study": self.study() if step and "study-per-step" in self.options else uid,
                    "step": self.number("S"), "modality": modality, "protocol": f"{code}-{step + 1}",
                    "station": STATIONS.get(modality, "ANYWHERE"), "start": order["start"], "state": "scheduled",
                })  # fmt: skip

    def adopt(self, values: Values) -> None:
        """An entry that was given by DICOM keyword: the numbers are ours all the same."""
        item = values["ScheduledProcedureStepSequence"][0]
        number = values["PatientID"]
        self.patients[number] = {
            "id": number, "issuer": "IHE", "name": values["PatientName"], "birth": values["PatientBirthDate"],
            "sex": values["PatientSex"], "account": "", "class": "O", "visit": "", "referring": "",
        }  # fmt: skip
        key = (values["AccessionNumber"], "given")
        order = self.orders.setdefault(str(key), {
            "placer": "", "filler": self.number("F"), "patient": number, "service": "X^X^99LOC", "doctor": "",
            "reason": "", "start": "", "accession": self.number("A"), "procedures": {},
        })  # fmt: skip
        mine = order["procedures"].setdefault(values["RequestedProcedureID"], (self.number("R"), self.study()))
        given = values["RequestedProcedureCodeSequence"][0], item["ScheduledProtocolCodeSequence"][0]
        self.entries.append({
            "order": order, "accession": order["accession"], "procedure": mine[0], "code": given[0]["CodeValue"],
            "study": mine[1], "step": self.number("S"), "modality": item["Modality"], "given": given,
            "protocol": given[1]["CodeValue"], "station": item["ScheduledStationAETitle"],
            "physician": item["ScheduledPerformingPhysicianName"], "state": "scheduled",
            "description": item["ScheduledProcedureStepDescription"],
            "start": item["ScheduledProcedureStepStartDate"] + item["ScheduledProcedureStepStartTime"],
        })  # fmt: skip

    def of(self, accession: str) -> dict[str, Any]:
        found: dict[str, Any] = next(e["order"] for e in self.entries if e["accession"] == accession)
        return found

    def withdraw(self, order: Values) -> None:
        for entry in self.entries:
            if entry["order"] is order and entry["state"] != "done" and "cancel-is-hidden" not in self.options:
                entry["state"] = "cancelled"

    # -- what it is asked for --------------------------------------------------------------------------------------

    def do(self, action: str, given: Values) -> dict[str, Any]:
        if action == "schedule-steps":
            self.entries.clear()  # an empty book each morning
            for values in given["orders"]:
                self.adopt(values)
            return {"numbers": "worklist"}
        if action == "order-procedure":
            return {"accession": self.own_order(given["order"])}
        order = self.of(given["accession"])
        if action == "cancel-order":
            self.withdraw(order)
            if order["service"] != "X^X^99LOC":
                self.tell_placer(order, "OC", "CA")
                self.tell_manager(order, "CA", "CA")
        elif action == "change-order" and "Start" in given["change"]:
            done = all(entry["state"] == "done" for entry in self.entries if entry["order"] is order)
            for entry in self.entries:
                if entry["order"] is order:
                    entry["start"] = given["change"]["Start"]
            self.tell_manager(order, "XO", "CM" if done else "SC")
        elif action == "change-order":
            self.withdraw(order)
            self.tell_placer(order, "OC", "CA")
            self.tell_manager(order, "CA", "CA")
            service = given["change"]["Service"]["CodeValue"]
            new = {**order, "placer": "", "filler": self.number("F"), "service": f"{service}^{service}^99LOC"}
            return {"accession": self.placed(new)}
        elif action == "report-status":
            state = {"IP": "started", "CM": "done", "DC": "discontinued"}[given["status"]]
            for entry in self.entries:
                if entry["order"] is order:
                    entry["state"] = state
            self.tell_placer(order, "SC", given["status"])
            if given["status"] == "DC":
                self.tell_manager(order, "DC", "CA")
        return {}

    def own_order(self, values: Values) -> str:
        patient = values["patient"]
        number = patient["PatientID"]
        known = {
            "id": number, "issuer": patient["IssuerOfPatientID"], "name": patient["PatientName"],
            "birth": patient["PatientBirthDate"], "sex": patient["PatientSex"], "account": patient["AccountNumber"],
            "class": "O", "visit": patient["AdmissionID"], "referring": "8^WELBY^MARCUS",
        }  # fmt: skip
        self.patients.setdefault(number, known)
        service = values["Service"]["CodeValue"]
        return self.placed(
            {
                "placer": "", "filler": self.number("F"), "patient": number, "service": f"{service}^{service}^99LOC",
                "doctor": "5^KILDARE^JAMES", "reason": "^because", "start": values["Start"],
            },
            values.get("StudyInstanceUID", ""),
        )  # fmt: skip

    def placed(self, order: dict[str, Any], study: str = "") -> str:
        answer = self.tell_placer(order, "SN", "")
        found = re.search(r"\rORC\|NA\|([^|^]+)", answer)
        order["placer"] = found[1] if found else ""
        self.schedule(order, study)
        self.tell_manager(order, "NW", "SC")
        return str(self.entries[-1]["accession"])

    # -- reading HL7 -----------------------------------------------------------------------------------------------

    def answer(self, data: bytes) -> str:
        """The acknowledgement of a message; nothing for what is none."""
        fields = data.split(b"\r")[0].split(b"|")
        if fields[0] != b"MSH" or len(fields) < 12:
            return ""
        declared = fields[17].decode("ascii", "replace").split("~")[-1] if len(fields) > 17 else ""
        message = hl7.parse(data.decode(CODECS.get(declared, "utf-8"), "replace"))
        header = message.segment("MSH")
        kind, trigger = [*str(header[9]).split("^"), ""][:2]
        try:
            result, text = self.take(message, kind, trigger, str(header[12]))
        except (KeyError, IndexError) as error:
            result, text = "AE", f"{error} is missing"
        code = "wrong-control-id" in self.options and self.number("X")
        lines = [self.header(str(header[3]), f"ACK^{trigger}" + ("^ACK" if self.new else ""))]
        return "\r".join([*lines, f"MSA|{result}|{code or header[10]}|{escaped(text)}", "ZAK|1"]) + "\r"

    def take(self, message: hl7.Message, kind: str, trigger: str, version: str) -> tuple[str, str]:
        if version.split("^")[0] not in ("2.3.1", "2.5.1"):
            return "AR", f"version {version}"
        if kind not in ("ADT", "ORM", "OMG") or (kind == "ADT" and not re.fullmatch(r"A(0\d|1[123]|38|40)", trigger)):
            return "AR", f"{kind}^{trigger} is not taken here"
        if "strict-segments" in self.options and any(str(each[0]).startswith("Z") for each in message):
            return "AE", "unknown segment"
        pid = message.segment("PID")
        number = str(pid[3]).split("~")[0].split("^")[0]
        if not number:
            return "AE", "PID-3 is empty"
        before = dict(self.patients.get(number, {}))
        if kind == "ADT" and trigger == "A40":
            return self.merge(message, number)
        seen = self.learn(message, number) if kind != "ADT" or before or trigger in ("A01", "A04", "A05") else before
        if kind == "ADT":
            self.cancelled_visits.discard(number)
            if trigger in ("A11", "A38"):
                self.cancelled_visits.add(number)
            if trigger == "A08" and any(e["order"]["patient"] == number for e in self.entries):
                name = before["name"] if "rename-forwards-old" in self.options else ""
                event = f"EVN|A08|{datetime.now():%Y%m%d%H%M%S}"
                structure = "ADT^A08^ADT_A01" if self.new else "ADT^A08"
                lines = [self.header("IHE_IM", structure), event, self.pid(seen, name), self.pv1(seen), "ZUP|1"]
                self.send(self.manager, lines)
            return "AA", ""
        return self.take_order(message, number)

    def learn(self, message: hl7.Message, number: str) -> dict[str, str]:
        pid = message.segment("PID")
        known = self.patients.setdefault(number, {})
        name = names_in(str(pid[5]))
        known.update({
            "id": number, "issuer": str(pid[3]).split("~")[0].split("^")[3], "birth": str(pid[7])[:8],
            "name": name.upper() if "upper-key" in self.options else name, "sex": str(pid[8]),
            "account": str(pid[18]),
        })  # fmt: skip
        visit = next((each for each in message if str(each[0]) == "PV1"), None)
        padded = [*(str(field) for field in visit), *[""] * 20] if visit is not None else [""] * 20
        known.update({"class": padded[2] or "O", "visit": padded[19], "referring": padded[8]})
        return known

    def merge(self, message: hl7.Message, number: str) -> tuple[str, str]:
        retired = str(message.segment("MRG")[1]).split("^")[0]
        old = self.patients.get(retired, {})
        self.learn(message, number)
        if "merge-by-name" in self.options:
            old["name"] = self.patients[number]["name"]
        else:
            for order in self.orders.values():
                if order["patient"] == retired:
                    order["patient"] = number
        structure = "ADT^A40^ADT_A39" if self.new else "ADT^A40"
        event = f"EVN||{datetime.now():%Y%m%d%H%M%S}"
        merged = f"MRG|{retired}^^^{self.patients[number]['issuer']}||||||{names_out(old.get('name', ''))}"
        self.send(self.manager, [self.header("IHE_IM", structure), event, self.pid(self.patients[number]), merged])
        return "AA", ""

    def take_order(self, message: hl7.Message, number: str) -> tuple[str, str]:
        orc, obr = message.segment("ORC"), message.segment("OBR")
        control, placer = str(orc[1]), str(orc[2]).split("^")[0]
        if control == "CA":
            order = next((o for o in self.orders.values() if o["placer"] == placer), None)
            if order is None:
                return "AE", "no such order"
            if any(e["order"] is order and e["state"] not in ("scheduled", "cancelled") for e in self.entries):
                return "AE", "too late: the exam has begun"
            self.withdraw(order)
            self.tell_manager(order, "CA", "CA")
            return "AA", ""
        if control != "NW":
            return "AE", f"ORC-1 {control!r}"
        if number in self.cancelled_visits:
            return "AE", "this visit was cancelled"
        timing = [str(t[7]) for t in message if str(t[0]) == "TQ1"] or [str(orc[7]).split("^")[3]]
        order = {
            "placer": placer, "filler": self.number("F"), "patient": number, "service": str(obr[4]),
            "doctor": str(orc[12]), "reason": str(obr[31]), "start": timing[0], "danger": str(obr[12]),
            "alerts": str(obr[13]), "transport": str(obr[30]),
        }  # fmt: skip
        self.schedule(order)
        self.tell_manager(order, "NW", "SC")  # and only then it is acknowledged
        return "AA", ""

    # -- DICOM -----------------------------------------------------------------------------------------------------

    def dataset(self, entry: Entry) -> Dataset:
        patient = self.patients[entry["order"]["patient"]]
        made = Dataset()
        name = patient["name"]
        for term, codec in (("", "ascii"), ("ISO_IR 100", "latin-1"), ("GB18030", "gb18030")):
            if term == "GB18030" or _fits(name, codec):
                made.SpecificCharacterSet = term
                break
        if "=" in name:
            script = next((s for s in ("iso2022_jp", "euc_kr") if _fits(name, s)), "")
            made.SpecificCharacterSet = {"iso2022_jp": ["", "ISO 2022 IR 87"], "euc_kr": ["", "ISO 2022 IR 149"]}.get(
                script, "ISO_IR 192"
            )
        made.AccessionNumber, made.RequestedProcedureID = entry["accession"], entry["procedure"]
        made.StudyInstanceUID, made.PatientName, made.PatientID = entry["study"], name, patient["id"]
        made.PatientBirthDate, made.PatientSex = patient["birth"], patient["sex"]
        order = entry["order"]
        made.ReferringPhysicianName = _doctor(patient["referring"])
        made.RequestingPhysician = _doctor(order["doctor"])
        made.PatientTransportArrangements = order.get("transport", "")
        made.ReasonForTheRequestedProcedure = order["reason"].strip("^")
        made.PatientState, made.MedicalAlerts = order.get("danger", "").strip("^"), order.get("alerts", "")
        made.PatientSize = "1.7"  # nobody asks for it
        made.InstitutionName = "Unusual Hospital"
        made.PlacerOrderNumberImagingServiceRequest = f"{entry['order']['placer']}^IHE_OP"
        made.FillerOrderNumberImagingServiceRequest = entry["order"]["filler"]
        made.RequestedProcedureDescription = f"{entry['code']} procedure"
        study = Dataset()
        study.ReferencedSOPClassUID, study.ReferencedSOPInstanceUID = "1.2.840.10008.3.1.2.3.1", entry["study"]
        made.ReferencedStudySequence = Sequence([study] if "given" in entry else [])
        made.RequestedProcedureCodeSequence = Sequence([_code(entry, 0)])
        item = Dataset()
        item.ScheduledStationAETitle, item.Modality = [entry["station"], "SPARE"], entry["modality"]
        item.ScheduledProcedureStepStartDate = entry["start"][:8]
        item.ScheduledProcedureStepStartTime = entry["start"][8:12]
        item.ScheduledPerformingPhysicianName = entry.get("physician", "")
        item.ScheduledProcedureStepDescription = entry.get("description", f"{entry['protocol']} step")
        item.ScheduledProcedureStepID, item.ScheduledProcedureStepStatus = entry["step"], "SCHEDULED"
        item.ScheduledProtocolCodeSequence = Sequence([_code(entry, 1)])
        if "given" in entry:
            made.RequestedProcedureDescription = entry["given"][0]["CodeMeaning"]
        made.ScheduledProcedureStepSequence = Sequence([item])
        if "utf-8-as-latin" in self.options and made.SpecificCharacterSet == "ISO_IR 100":
            made.PatientName = name.encode().decode("latin-1")
        return made

    def matches(self, entry: Entry, made: Dataset, keys: Dataset) -> bool:
        """Whether all keys with a value are satisfied."""
        for key in keys:
            if key.keyword in ("SpecificCharacterSet", "TimezoneOffsetFromUTC") or key.tag.is_private:
                continue
            if key.VR == "SQ":
                inner = made.get(key.keyword) or []
                if key.value and not any(self.matches(entry, each, key.value[0]) for each in inner):
                    return False
                continue
            wanted = str(key.value or "")
            if wanted in ("", "*"):
                continue
            element = made.get(key.tag)
            held = str(element.value) if element is not None else ""
            several = [str(v) for v in element.value] if element is not None and element.VM > 1 else [held]
            if key.VR in ("DA", "TM") and "-" in wanted:
                low, _, high = wanted.partition("-")
                held = held.ljust(6, "0") if key.VR == "TM" else held
                late = bool(high) and (held >= high if "local-zone" in self.options else held > high)
                if (low and held < low) or late:
                    return False
            elif key.VR == "PN":
                if not _alike(wanted, held, fold="upper-key" not in self.options):
                    return False
            elif not any(_alike(wanted, value, fold=False) for value in several):
                return False
        return True

    def find(self, event: evt.Event) -> Iterator[tuple[int, Dataset | None]]:
        keys = event.identifier
        with self.lock:
            open_ = [entry for entry in self.entries if entry["state"] in ("scheduled", "started")]
            made = [(entry, self.dataset(entry)) for entry in open_]
        asked = {element.keyword for element in keys}
        for entry, answer in made:
            if event.is_cancelled:
                yield 0xFE00, None
                return
            if self.matches(entry, answer, keys):
                for element in keys:
                    if element.keyword and element.keyword not in answer:
                        setattr(answer, element.keyword, [] if element.VR == "SQ" else "")
                item = answer.ScheduledProcedureStepSequence[0]
                for wanted in keys.get("ScheduledProcedureStepSequence") or []:
                    for element in wanted:
                        if element.keyword and element.keyword not in item:
                            setattr(item, element.keyword, [] if element.VR == "SQ" else "")
                yield 0xFF01 if "MedicalAlerts" in asked else 0xFF00, answer

    def create(self, event: evt.Event) -> tuple[int, Dataset | None]:
        given, uid = event.attribute_list, str(event.request.AffectedSOPInstanceUID)
        if uid in self.performed and "second-create" not in self.options:
            return 0x0111, None
        if given.get("PerformedProcedureStepStatus") != "IN PROGRESS":
            return 0x0106, None
        steps = [str(i.get("ScheduledProcedureStepID") or "") for i in given.ScheduledStepAttributesSequence]
        with self.lock:
            self.performed[uid] = ("IN PROGRESS", steps)
            begun = []
            for entry in self.entries:
                if entry["step"] in steps and entry["state"] == "scheduled":
                    order = entry["order"]
                    if all(e["state"] == "scheduled" for e in self.entries if e["order"] is order):
                        begun.append(order)
                    entry["state"] = "started"
            for order in begun:
                if order["service"] != "X^X^99LOC" and "start-is-silent" not in self.options:
                    self.tell_placer(order, "SC", "IP")
        made = Dataset()
        made.PerformedProcedureStepStatus = "IN PROGRESS"
        return 0, made

    def change(self, event: evt.Event) -> tuple[int | Dataset, Dataset | None]:
        uid, given = str(event.request.RequestedSOPInstanceUID), event.modification_list
        if uid not in self.performed:
            return 0x0112, None
        state, steps = self.performed[uid]
        if state != "IN PROGRESS" and "set-after-end" not in self.options:
            refusal = Dataset()
            refusal.Status, refusal.ErrorID, refusal.ErrorComment = 0x0110, 0xA710, "no longer"
            return refusal, None
        state = str(given.get("PerformedProcedureStepStatus", state))
        reasons = given.get("PerformedProcedureStepDiscontinuationReasonCodeSequence") or []
        wrong = any(item.get("CodeValue") == "110514" for item in reasons)
        with self.lock:
            self.performed[uid] = (state, steps)
            for entry in self.entries:
                if entry["step"] in steps and state == "DISCONTINUED":
                    entry["state"] = "scheduled" if wrong else "discontinued"
                    if "discontinued-is-done" in self.options:
                        self.tell_placer(entry["order"], "SC", "CM")
                elif entry["step"] in steps and state == "COMPLETED" and entry["state"] != "done":
                    entry["state"] = "done"
                    order = entry["order"]
                    done = all(e["state"] == "done" for e in self.entries if e["order"] is order)
                    if done and order["service"] != "X^X^99LOC":
                        self.tell_placer(order, "SC", "CM")
        return 0, given


def _doctor(field: str) -> str:
    return "^".join(field.split("~")[0].split("^")[1:3])


def _fits(text: str, codec: str) -> bool:
    try:
        text.encode(codec)
    except UnicodeEncodeError:
        return False
    return True


def _code(entry: Entry, number: int) -> Dataset:
    """A code of the department's own, where it was not given another."""
    made = Dataset()
    given = entry["given"][number] if "given" in entry else {}
    made.CodeValue = given.get("CodeValue", entry["protocol" if number else "code"])
    made.CodingSchemeDesignator = given.get("CodingSchemeDesignator", "99LOC")
    made.CodeMeaning = given.get("CodeMeaning", f"{made.CodeValue} local")
    return made


def _alike(wanted: str, held: str, *, fold: bool) -> bool:
    pattern = "".join(".*" if c == "*" else "." if c == "?" else re.escape(c) for c in wanted.rstrip("^"))
    return (
        re.fullmatch(pattern + r"[\^=]*.*" if "=" in held else pattern, held.rstrip("^"), re.I if fold else 0)
        is not None
    )


def listen(department: Department, server: socket.socket) -> None:
    def talk(line: socket.socket) -> None:
        data = b""
        with line:
            while more := line.recv(65536):
                data += more
                while END in data:
                    block, _, data = data.partition(END)
                    with department.lock:
                        answer = department.answer(block[block.rfind(START) + 1 :])
                    if answer:
                        line.sendall(START + answer.encode() + END)

    while True:
        line, _ = server.accept()
        threading.Thread(target=talk, args=(line,), daemon=True).start()


def control(department: Department) -> type[BaseHTTPRequestHandler]:
    class Control(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            given = json.loads(self.rfile.read(int(self.headers["Content-Length"])) or b"{}")
            with department.lock:
                body = json.dumps(department.do(self.path.rsplit("/", 1)[-1], given)).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    return Control


def main() -> None:
    own, steered, dicom, placer, manager = map(int, sys.argv[1:6])
    options = frozenset(word.removeprefix("--") for word in sys.argv[6:])
    department = Department(placer, manager, "UNUSUAL", options)
    entity = AE(ae_title="UNUSUAL")
    for context in (ModalityWorklistInformationFind, ModalityPerformedProcedureStep, InstanceAvailabilityNotification):
        entity.add_supported_context(context)
    handlers = [
        (evt.EVT_C_FIND, department.find),
        (
            evt.EVT_N_CREATE,
            lambda e: department.create(e) if "Performed" in str(e.request.AffectedSOPClassUID.name) else (0, None),
        ),
        (evt.EVT_N_SET, department.change),
    ]
    entity.start_server(("127.0.0.1", dicom), block=False, evt_handlers=handlers)
    server = socket.create_server(("127.0.0.1", own))
    threading.Thread(target=listen, args=(department, server), daemon=True).start()
    ThreadingHTTPServer(("127.0.0.1", steered), control(department)).serve_forever()


if __name__ == "__main__":
    main()
