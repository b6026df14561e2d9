"""Checks of Patient Registration (RAD-1) beyond single fields, and what those of Patient Update share."""

from __future__ import annotations

from collections.abc import Iterator

from harness.core.check import Check, Observation
from harness.core.message import Message
from harness.profiles import names
from harness.profiles.journal import MWL_FIND, PENDING, TO_SUT, Journal, status_of
from harness.profiles.observe import check, judged
from harness.profiles.swf.hl7_journal import REGISTRATION, HL7Journal, Told, day_of, sent_value
from harness.profiles.values import attributes_of, text
from harness.protocols.hl7.structure import analyse

_RECEIVERS = (names.ORDER_PLACER, names.ORDER_FILLER)
_KNOWN = (
    ("PID-7.1", "PatientBirthDate", "RAD-1-SRC-07"),
    ("PID-10", "EthnicGroup", "RAD-1-SRC-08"),
    ("PID-11", "PatientAddress", "RAD-1-SRC-08"),
)


def structure_of(told: Told) -> Iterator[Observation]:
    """The segments of a message and their order: one observation for each thing wrong, or one that all is right."""
    found = analyse(told.hl7)
    if not found.name:
        return
    order = " ".join(segment.name for segment in told.hl7)
    for issue in found.issues:
        yield judged(
            False, f"{told.label}: {issue.text}", (told.seq,), expected=found.name, actual=order, locator=issue.segment
        )
    if not found.issues:
        yield judged(True, f"{told.label} has the structure {found.name}", (told.seq,), actual=order, locator="MSH-9")


def registration_triggers(journal: Journal) -> Iterator[Observation]:
    """Each event asked for comes with its trigger."""
    yield from asked_triggers(journal, "RAD-1", REGISTRATION, "register-patient")


def asked_triggers(journal: Journal, transaction: str, known: frozenset[str], name: str) -> Iterator[Observation]:
    for told in HL7Journal(journal).sent:
        if told.hl7.type != "ADT" or told.record.actor == names.IMAGE_MANAGER:
            continue
        action = journal.action_before(told.seq)
        wanted = ""
        if action is not None and action.get("action") == name:
            wanted = str(action.get("parameters", {}).get("event", ""))
        if wanted not in known:
            wanted = ""
        if told.transaction != transaction and not wanted:
            continue
        trigger = told.hl7.trigger
        yield judged(
            trigger == wanted if wanted else True,
            f"The trigger of {told.label} is {trigger}",
            (told.seq,),
            expected=wanted or sorted(known),
            actual=trigger,
            locator="MSH-9.2",
        )


def registration_structure(journal: Journal) -> Iterator[Observation]:
    """MSH, EVN, PID, others, PV1."""
    for told in HL7Journal(journal).of("RAD-1"):
        yield from structure_of(told)


def birth_date_when_known(journal: Journal) -> Iterator[Observation]:
    """PID-7 is sent when it is known."""
    yield from _sent_when_known(journal, "RAD-1-SRC-07")


def race_and_address_when_known(journal: Journal) -> Iterator[Observation]:
    """PID-10 and PID-11 are sent when they are known."""
    yield from _sent_when_known(journal, "RAD-1-SRC-08")


def _sent_when_known(journal: Journal, requirement: str) -> Iterator[Observation]:
    for told in HL7Journal(journal).of("RAD-1"):
        action = journal.action_before(told.seq, "register-patient")
        patient = action.get("parameters", {}).get("patient", {}) if action else {}
        for path, keyword, row in _KNOWN:
            if row != requirement or (path == "PID-10" and not told.is_old):
                continue
            value = sent_value(told.hl7[path])
            known = bool(isinstance(patient, dict) and patient.get(keyword))
            if value or known:
                yield judged(
                    bool(value),
                    f"{path} of {told.label} is {'valued' if value else 'empty although it is known'}",
                    (told.seq,),
                    expected="the known value",
                    actual=value,
                    locator=path,
                )


def cancels_its_own_event(journal: Journal) -> Iterator[Observation]:
    """A11 cancels A01 or A04 and A38 cancels A05, of the same patient and encounter."""
    cancelled = {"A11": ("A01", "A04"), "A38": ("A05",)}
    hl7 = HL7Journal(journal)
    for told in hl7.of("RAD-1"):
        wanted = cancelled.get(told.hl7.trigger)
        earlier = [o for o in hl7.of("RAD-1") if o.seq < told.seq and o.hl7.trigger in (wanted or ())]
        if wanted is None or not earlier:
            continue
        same = [o for o in earlier if o.patient == told.patient and same_encounter(o, told)]
        nearest = (same or earlier)[-1]
        yield judged(
            bool(same),
            f"{told.label} cancels {nearest.label}"
            if same
            else f"{told.label} names no patient and encounter of an earlier {' or '.join(wanted)}",
            (told.seq, nearest.seq),
            expected=" ".join((nearest.patient[0], *nearest.encounter)),
            actual=" ".join((told.patient[0], *told.encounter)),
            locator="PID-3, PID-18, PV1-19",
        )


def same_encounter(one: Told, other: Told) -> bool:
    pairs = [(a, b) for a, b in zip(one.encounter, other.encounter, strict=True) if a and b]
    return bool(pairs) and all(a == b for a, b in pairs)


def reaches_both(journal: Journal) -> Iterator[Observation]:
    """Every registration reaches the Order Placer and the DSS/Order Filler."""
    hl7 = HL7Journal(journal)
    if not all(hl7.sees(actor) for actor in _RECEIVERS):
        return
    groups: dict[tuple[str, tuple[str, str], tuple[str, str]], list[Told]] = {}
    for told in hl7.of("RAD-1"):
        groups.setdefault((told.hl7.trigger, told.patient, told.encounter), []).append(told)
    for (trigger, patient, _), copies in groups.items():
        reached = sorted({told.record.actor for told in copies})
        missing = [actor for actor in _RECEIVERS if actor not in reached]
        yield judged(
            not missing,
            f"{trigger} of patient {patient[0]} reached {' and '.join(reached)}",
            tuple(told.seq for told in copies),
            expected=" and ".join(_RECEIVERS),
            actual=" and ".join(reached),
            locator="MSH-5",
        )


def registered_demographics_used(journal: Journal) -> Iterator[Observation]:
    """What was registered with the system under test is in its next order or schedule of that patient."""
    yield from newest_demographics(journal, REGISTRATION - {"A11", "A38"}, ("RAD-2", "RAD-3", "RAD-4", "RAD-13"))


def newest_demographics(
    journal: Journal, triggers: frozenset[str], transactions: tuple[str, ...]
) -> Iterator[Observation]:
    hl7 = HL7Journal(journal)
    for told in hl7.sent:
        if told.transaction not in transactions:
            continue
        before = [g for g in hl7.given if g.seq < told.seq and g.patient == told.patient and g.code in ("AA", "CA")]
        adt = [g for g in before if g.hl7.type == "ADT"]
        if not adt or adt[-1].hl7.trigger not in triggers:
            continue
        source = adt[-1]
        for path in ("PID-5.1", "PID-5.2", "PID-7.1", "PID-8"):
            expected = sent_value(source.hl7[path])
            if expected:
                actual = told.hl7[path]
                same = day_of(actual) == day_of(expected) if path == "PID-7.1" else actual == expected
                yield judged(
                    same,
                    f"{path} of {told.label} {'is' if same else 'is not'} that of {source.label}",
                    (told.seq, source.seq),
                    expected=expected,
                    actual=actual,
                    locator=path,
                )
        # who drops a representation says less, who sends it must send what was registered
        sent = written_names(told)
        for sign, expected in written_names(source).items():
            if actual := sent.get(sign, ""):
                same = actual == expected
                relation = f"{'is' if same else 'is not'} that of {source.label}"
                yield judged(
                    same,
                    f"The representation {sign} of PID-5 in {told.label} {relation}",
                    (told.seq, source.seq),
                    expected=expected,
                    actual=actual,
                    locator="PID-5",
                )


def no_order_against_cancelled_visit(journal: Journal) -> Iterator[Observation]:
    """An order of ours for a visit that was cancelled is not accepted."""
    hl7 = HL7Journal(journal)
    for told in hl7.asked("RAD-2"):
        before = [g for g in hl7.given if g.seq < told.seq and g.patient == told.patient and g.hl7.type == "ADT"]
        if told.control == "NW" and before and before[-1].hl7.trigger in ("A11", "A38"):
            yield judged(
                told.code in ("AE", "AR"),
                f"An order for a cancelled visit was answered with {told.code or 'nothing'}",
                told.evidence,
                expected=("AE", "AR"),
                actual=told.code,
                locator="MSA-1",
            )


# -- the worklist after HL7 ----------------------------------------------------------------------------------------


def worklist_responses(journal: Journal) -> Iterator[tuple[int, dict[str, str], Message | None]]:
    """Each worklist query of ours: its seq, its keys, and each pending response (or None when nothing matched)."""
    for operation in journal.select("C-FIND-RQ", TO_SUT, MWL_FIND):
        keys = {k: v for k, v in operation.attributes.items() if isinstance(v, str) and v}
        pending = [m for m in operation.responses if status_of(m) in PENDING]
        if not pending and operation.final is not None:
            yield operation.request.seq, keys, None
        for message in pending:
            yield operation.request.seq, keys, message


def identifier_on_the_worklist(journal: Journal) -> Iterator[Observation]:
    """PID-3 of RAD-1 is the Patient ID, and its authority the issuer where one is shown."""
    hl7 = HL7Journal(journal)
    registered = {g.patient[0]: g for g in hl7.asked("RAD-1") if g.code in ("AA", "CA")}
    names_given = {name_in_dicom(g): g for g in registered.values()}
    for seq, _, message in worklist_responses(journal):
        if message is None:
            continue
        attributes = attributes_of(message)
        source = registered.get(text(attributes, "PatientID"))
        named = names_given.get(text(attributes, "PatientName").split("=")[0].rstrip("^"))
        source = source or named
        if source is None or source.seq > seq:
            continue
        expected, authority = source.patient
        actual, issuer = text(attributes, "PatientID"), text(attributes, "IssuerOfPatientID")
        ok = actual == expected and (not issuer or issuer in _authorities(source))
        yield judged(
            ok,
            f"Patient ID and issuer of {message.label} {'are' if ok else 'are not'} those of {source.label}",
            (message.seq, source.seq),
            expected=f"{expected} ({authority})",
            actual=f"{actual} ({issuer})" if issuer else actual,
            locator="(0010,0020), (0010,0021)",
        )


def name_in_dicom(told: Told, repetition: int = 1) -> str:
    """A representation of the patient's name as a component group of DICOM."""
    parts = [told.hl7[f"PID-5[{repetition}].{number}"] for number in (1, 2, 3, 5, 4)]
    return "^".join(parts).rstrip("^")


def written_names(told: Told) -> dict[str, str]:
    """The ideographic and the phonetic representation of the patient's name, told apart by XPN-8 (table 4000)."""
    pid = told.hl7.segment("PID")
    found: dict[str, str] = {}
    for number in range(1, len(pid.repetitions(5)) + 1 if pid is not None else 1):
        sign = told.hl7[f"PID-5[{number}].8"]
        if sign in ("I", "P") and (name := name_in_dicom(told, number)):
            found.setdefault(sign, name)
    return found


def _authorities(told: Told) -> tuple[str, ...]:
    return told.hl7["PID-3.4.1"], told.hl7["PID-3.4.2"], told.hl7["PID-3.4"]


CHECKS: tuple[Check, ...] = (
    check("RAD-1-SRC-01/trigger", "RAD-1-SRC-01", "RAD-1", registration_triggers, "Registrations have their trigger"),
    check("RAD-1-SRC-02/structure", "RAD-1-SRC-02", "RAD-1", registration_structure, "Segments are in order"),
    check("RAD-1-SRC-07/known", "RAD-1-SRC-07", "RAD-1", birth_date_when_known, "A known date of birth is sent"),
    check("RAD-1-SRC-08/known", "RAD-1-SRC-08", "RAD-1", race_and_address_when_known, "Race and address are sent"),
    check("RAD-1-SRC-13/cancels", "RAD-1-SRC-13", "RAD-1", cancels_its_own_event, "A cancel names its event"),
    check("RAD-1-SRC-14/reaches", "RAD-1-SRC-14", "RAD-1", reaches_both, "Registrations reach placer and filler"),
    check("RAD-1-DST-01/used", "RAD-1-DST-01", "RAD-1", registered_demographics_used, "Registered data are used"),
    check("RAD-1-DST-02/cancelled", "RAD-1-DST-02", "RAD-1", no_order_against_cancelled_visit, "No order then"),
    check("RAD-1-DST-03/identifier", "RAD-1-DST-03", "RAD-1", identifier_on_the_worklist, "PID-3 is the Patient ID"),
)
