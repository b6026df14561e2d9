"""Consistency between HL7 and the worklist: registration, order, schedule, scheduled step (RAD TF-2 Appendix B)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from harness.core.check import Check, Observation
from harness.core.message import Message
from harness.profiles import names
from harness.profiles.journal import MWL_FIND, TO_SUT, Journal
from harness.profiles.observe import check, judged
from harness.profiles.steps import Entry, entry_of
from harness.profiles.swf.hl7_journal import HL7Journal, Told, day_of, sent_value
from harness.profiles.swf.hl7_patients import name_in_dicom, written_names
from harness.profiles.values import attributes_of, codes, equal, listed, normal_time

_WHY = "What one system calls it and what the next one calls it are joined by these values alone."
_TAKEN = ("AA", "CA", "")


@dataclass(frozen=True, slots=True)
class Announced:
    """One scheduled step as a scheduling message announced it, by worklist keyword."""

    told: Told
    values: Mapping[str, str]
    procedure: tuple[str, str]
    protocol: tuple[str, str]
    start: str


def announced_steps(told: Told) -> Iterator[Announced]:
    """The steps of a RAD-4 or RAD-13 message: each IPC, or each OBR with its ORC and the ZDS."""
    study = told.hl7["ZDS-1.1"]
    order, timing, request = "", "", None
    for segment in told.hl7:
        if segment.name == "ORC":
            order = segment["7.4"]
        elif segment.name == "TQ1":
            timing = segment["7.1"]
        elif segment.name == "OBR":
            request = segment
            if segment["20"] or segment["18"]:
                values = {
                    "AccessionNumber": segment["18"],
                    "RequestedProcedureID": segment["19"],
                    "ScheduledProcedureStepID": segment["20"],
                    "Modality": segment["24"],
                    "StudyInstanceUID": study,
                }
                procedure = (segment["44.1"], segment["44.3"]) if segment["44.1"] else ("", "")
                start = segment["27.4"] or order
                yield Announced(told, values, procedure, (segment["4.4"], segment["4.6"]), start)
        elif segment.name == "IPC":
            values = {
                "AccessionNumber": segment["1.1"],
                "RequestedProcedureID": segment["2.1"],
                "StudyInstanceUID": segment["3.1"],
                "ScheduledProcedureStepID": segment["4.1"],
                "Modality": segment["5.1"],
                "ScheduledStationAETitle": segment["9"],
            }
            procedure = (request["44.1"] or request["4.1"], request["44.3"] or request["4.3"]) if request else ("", "")
            yield Announced(told, values, procedure, (segment["6.1"], segment["6.3"]), timing)


def _offered(j: Journal) -> Iterator[tuple[Entry, Message]]:
    for query in j.select("C-FIND-RQ", TO_SUT, MWL_FIND):
        for message in query.pending:
            yield entry_of(attributes_of(message), message.seq), message


def _joined(j: Journal) -> Iterator[tuple[Entry, Announced]]:
    """Each worklist answer with the newest announcement of its step before it."""
    hl7 = HL7Journal(j)
    told = [t for t in hl7.sent if t.transaction in ("RAD-4", "RAD-13")]
    for entry, message in _offered(j):
        about = [
            step
            for t in told
            if t.seq < message.seq
            for step in announced_steps(t)
            if step.values["ScheduledProcedureStepID"] == entry.step_id and entry.step_id
        ]
        if about:
            yield entry, about[-1]


def _misread(expected: str, actual: str) -> str:
    """A reason that people overlook: bytes of UTF-8 under the name of another character set."""
    try:
        same = actual.encode("latin-1").decode("utf-8") == expected
    except UnicodeError:
        return ""
    return "These are the bytes of UTF-8, declared as another character set." if same and actual != expected else ""


def _agree(keyword: str, expected: str, actual: str, entry: Entry, told: Told) -> Observation:
    ok = equal(keyword, expected, actual)
    return judged(
        ok,
        f"{keyword} of step {entry.step_id} on the worklist {'is' if ok else 'is not'} that of {told.label}",
        (told.seq, entry.seq),
        expected=expected,
        actual=actual or "(empty)",
        locator=keyword,
        why=_WHY if ok else _misread(expected, actual) or _WHY,
    )


def study_uid_agrees(j: Journal) -> Iterator[Observation]:
    for entry, step in _joined(j):
        if wanted := step.values.get("StudyInstanceUID", ""):
            yield _agree("StudyInstanceUID", wanted, entry.text("StudyInstanceUID"), entry, step.told)


def identifiers_agree(j: Journal) -> Iterator[Observation]:
    for entry, step in _joined(j):
        for keyword in ("AccessionNumber", "RequestedProcedureID", "ScheduledProcedureStepID", "Modality"):
            if (wanted := step.values.get(keyword, "")) and keyword in entry.attributes:
                yield _agree(keyword, wanted, entry.text(keyword), entry, step.told)


def codes_agree(j: Journal) -> Iterator[Observation]:
    for entry, step in _joined(j):
        for keyword, wanted in (
            ("RequestedProcedureCodeSequence", step.procedure),
            ("ScheduledProtocolCodeSequence", step.protocol),
        ):
            if not wanted[0] or keyword not in entry.attributes:
                continue
            found = [c[:2] for c in codes(entry.attributes, keyword)]
            ok = any(c[0] == wanted[0] and (not wanted[1] or c[1] == wanted[1]) for c in found)
            yield judged(
                ok,
                f"{keyword} of step {entry.step_id} {'holds' if ok else 'does not hold'} the code of {step.told.label}",
                (step.told.seq, entry.seq),
                expected=f"({wanted[0]}, {wanted[1]})",
                actual=listed(f"({c[0]}, {c[1]})" for c in found) or "(empty)",
                locator=keyword,
                why=_WHY,
            )


def start_agrees(j: Journal) -> Iterator[Observation]:
    for entry, step in _joined(j):
        digits = step.start.split("+")[0].split("-")[0]
        if len(digits) < 8:
            continue
        date, time = digits[:8], digits[8:14]
        if "ScheduledProcedureStepStartDate" in entry.attributes:
            found = entry.text("ScheduledProcedureStepStartDate")
            yield _agree("ScheduledProcedureStepStartDate", date, found, entry, step.told)
        found = normal_time(entry.text("ScheduledProcedureStepStartTime"))[: len(time)]
        if time and "ScheduledProcedureStepStartTime" in entry.attributes:
            yield _agree("ScheduledProcedureStepStartTime", time, found, entry, step.told)


# -- patient and order -------------------------------------------------------------------------------------------

_DEMOGRAPHICS = (("PatientBirthDate", "PID-7.1"), ("PatientSex", "PID-8"))


def _patient_sources(j: Journal) -> list[Told]:
    """What we said of patients to the product, in order: registrations, updates, orders that it took."""
    hl7 = HL7Journal(j)
    return [g for g in hl7.given if g.hl7["PID-3.1"] and g.code in _TAKEN and g.seq not in hl7.negative]


def _newest(sources: list[Told], patient: str, before: int) -> Told | None:
    found = [s for s in sources if s.patient[0] == patient and s.seq < before]
    return found[-1] if found else None


def patient_agrees(j: Journal) -> Iterator[Observation]:
    if names.ORDER_FILLER not in j.sut.actors:
        return
    sources = _patient_sources(j)
    for told in HL7Journal(j).sent:
        source = _newest(sources, told.patient[0], told.seq)
        if told.transaction not in ("RAD-3", "RAD-4", "RAD-13") or source is None:
            continue
        pairs = [("PID-5", name_in_dicom(source), name_in_dicom(told))]
        pairs += [(path, source.hl7[path], told.hl7[path]) for _, path in _DEMOGRAPHICS]
        ours, theirs = written_names(source), written_names(told)
        pairs += [(f"PID-5 ({sign})", ours[sign], theirs[sign]) for sign in ours if sign in theirs]
        if source.patient[1] and told.patient[1]:
            pairs.append(("PID-3.4", source.patient[1], told.patient[1]))
        for path, wanted, found in pairs:
            if sent_value(wanted):
                same = day_of(wanted) == day_of(found) if path == "PID-7.1" else wanted == found
                yield judged(
                    same,
                    f"{path} of {told.label} {'is' if same else 'is not'} that of {source.label}",
                    (source.seq, told.seq),
                    expected=wanted,
                    actual=found or "(empty)",
                    locator=path,
                    why=_WHY,
                )
    for entry, message in _offered(j):
        source = _newest(sources, entry.text("PatientID"), message.seq)
        if source is None:
            continue
        wanted_name = name_in_dicom(source)
        groups = [group.rstrip("^") for group in entry.text("PatientName").split("=")]
        if wanted_name:
            yield _agree("PatientName", wanted_name, groups[0], entry, source)
        written = written_names(source)
        for sign, group in zip(("I", "P"), groups[1:], strict=False):
            if group and sign in written:
                yield _agree("PatientName", written[sign], group, entry, source)
        for keyword, path in _DEMOGRAPHICS:
            wanted = sent_value(source.hl7[path])[:8]
            if wanted and keyword in entry.attributes:
                yield _agree(keyword, wanted, entry.text(keyword), entry, source)


def order_numbers_agree(j: Journal) -> Iterator[Observation]:
    hl7 = HL7Journal(j)
    placed = {g.placer_number: g for g in hl7.asked("RAD-2") if g.control == "NW" and g.code in _TAKEN}
    fillers: dict[str, str] = {}
    for told in hl7.sent:
        if told.transaction not in ("RAD-3", "RAD-4", "RAD-13") or not told.placer_number:
            continue
        known = placed.get(told.placer_number)
        if placed and told.transaction != "RAD-3":
            yield judged(
                known is not None or any(told.patient != g.patient for g in placed.values()),
                f"{told.label} has placer number {told.placer_number}"
                + ("" if known is not None else ", under which nothing was ordered"),
                ((known.seq, told.seq) if known is not None else (told.seq,)),
                expected=sorted(placed),
                actual=told.placer_number,
                locator="ORC-2",
                why=_WHY,
            )
        first = fillers.setdefault(told.placer_number, told.filler_number)
        if first and told.filler_number:
            yield judged(
                told.filler_number == first,
                f"{told.label} has filler number {told.filler_number} for placer number {told.placer_number}",
                (told.seq,),
                expected=first,
                actual=told.filler_number,
                locator="ORC-3",
                why=_WHY,
            )
    for entry, step in _joined(j):
        for keyword, wanted in (
            ("PlacerOrderNumberImagingServiceRequest", step.told.placer_number),
            ("FillerOrderNumberImagingServiceRequest", step.told.filler_number),
        ):
            # both are optional in a worklist (PS3.4 K.6.1.2.2): one that leaves them out says nothing wrong, one that
            # adds the application which gave them out says more (HL7 EI, as PS3.3 has it for both attributes)
            found = entry.text(keyword)
            if wanted and found:
                same = wanted if found.partition("^")[0] == wanted else found
                yield _agree(keyword, wanted, same, entry, step.told)


def _provider(told: Told, path: str) -> str:
    """The family and given name of an XCN field."""
    return "^".join((told.hl7[f"{path}.2"].split("&")[0], told.hl7[f"{path}.3"])).rstrip("^")


#: worklist attributes that an order feeds when it holds them
_TEXTS = (
    ("ReasonForTheRequestedProcedure", "OBR-31.2", "OBR-31.1"),
    ("PatientTransportArrangements", "OBR-30", "OBR-30.1"),
    ("PatientState", "OBR-12.2", "OBR-12.1"),
    ("MedicalAlerts", "OBR-13", "OBR-13.1"),
)


def order_details_arrive(j: Journal) -> Iterator[Observation]:
    hl7 = HL7Journal(j)
    placed = {g.placer_number: g for g in hl7.asked("RAD-2") if g.control == "NW" and g.code in _TAKEN}
    for entry, step in _joined(j):
        order = placed.get(step.told.placer_number)
        if order is None:
            continue
        for keyword, path in (("RequestingPhysician", "OBR-16"), ("ReferringPhysicianName", "PV1-8")):
            wanted = _provider(order, path)
            if wanted and keyword in entry.attributes:
                found = "^".join(entry.text(keyword).split("=")[0].split("^")[:2]).rstrip("^")
                yield _agree(keyword, wanted, found, entry, order)
        for keyword, *paths in _TEXTS:
            accepted = {order.hl7[path] for path in paths} - {""}
            if accepted and keyword in entry.attributes:
                found = entry.text(keyword)
                yield judged(
                    found in accepted,
                    f"{keyword} of step {entry.step_id} is {found or '(empty)'}",
                    (order.seq, entry.seq),
                    expected=sorted(accepted),
                    actual=found or "(empty)",
                    locator=keyword,
                    why="Who prepares the exam has nothing but the worklist.",
                )
        if order.hl7["PV1-15"].startswith("B6") and "PregnancyStatus" in entry.attributes:
            found = entry.text("PregnancyStatus")
            yield judged(
                found in ("2", "3"),
                f"The order says that the patient is pregnant; the worklist says {found or '(empty)'}",
                (order.seq, entry.seq),
                expected=("2", "3"),
                actual=found or "(empty)",
                locator="PregnancyStatus",
                why="The dose depends on it.",
            )


_ROWS = (
    ("xc-patient-hl7", "XC-01", "RAD-1 RAD-2 RAD-4 RAD-5", patient_agrees, "One patient in HL7 and worklist"),
    ("xc-order-numbers", "XC-02", "RAD-2 RAD-4 RAD-5", order_numbers_agree, "One pair of order numbers"),
    ("xc-study-uid", "XC-03", "RAD-4 RAD-5", study_uid_agrees, "One study in schedule and worklist"),
    ("xc-identifiers", "XC-04", "RAD-4 RAD-5", identifiers_agree, "The same identifiers in schedule and worklist"),
    ("xc-codes-hl7", "XC-05", "RAD-4 RAD-5", codes_agree, "The same codes in schedule and worklist"),
    ("xc-start", "XC-06", "RAD-4 RAD-5", start_agrees, "The same start in schedule and worklist"),
    ("xc-order-details", "XC-07", "RAD-2 RAD-5", order_details_arrive, "Details of the order reach the worklist"),
)

CHECKS: tuple[Check, ...] = tuple(check(id, req, rads, function, title) for id, req, rads, function, title in _ROWS)
