"""Checks of Patient Update (RAD-12) beyond single fields."""

from __future__ import annotations

from collections.abc import Iterator

from harness.core.check import Check, Observation
from harness.profiles import names
from harness.profiles.journal import Journal
from harness.profiles.observe import check, judged
from harness.profiles.swf.hl7_journal import UPDATE, HL7Journal, Told, day_of, sent_value, trimmed
from harness.profiles.swf.hl7_mapping import FORWARDED, SEX_IN_DICOM
from harness.profiles.swf.hl7_patients import (
    asked_triggers,
    name_in_dicom,
    newest_demographics,
    same_encounter,
    structure_of,
    worklist_responses,
)
from harness.profiles.values import attributes_of, text


def update_triggers(journal: Journal) -> Iterator[Observation]:
    """Each event asked for comes with its trigger."""
    yield from asked_triggers(journal, "RAD-12", UPDATE, "update-patient")


def updated_demographics_used(journal: Journal) -> Iterator[Observation]:
    """What was updated is in the placer's later orders and cancels of that patient."""
    yield from newest_demographics(journal, frozenset({"A08"}), ("RAD-2",))


def worklist_after_update(journal: Journal) -> Iterator[Observation]:
    """A worklist answer after A08 holds the new name, birth date and sex."""
    hl7 = HL7Journal(journal)
    for seq, _, message in worklist_responses(journal):
        if message is None:
            continue
        attributes = attributes_of(message)
        before = [
            g
            for g in hl7.given
            if g.seq < seq and g.hl7.type == "ADT" and g.patient[0] == text(attributes, "PatientID")
        ]
        if not before or before[-1].hl7.trigger != "A08" or before[-1].code not in ("AA", "CA"):
            continue
        source = before[-1]
        pairs = (
            ("PatientName", name_in_dicom(source), text(attributes, "PatientName").split("=")[0].rstrip("^")),
            ("PatientBirthDate", source.hl7["PID-7.1"][:8], text(attributes, "PatientBirthDate")),
            ("PatientSex", source.hl7["PID-8"], text(attributes, "PatientSex")),
        )
        for keyword, expected, actual in pairs:
            if sent_value(expected):
                same = actual == expected or (keyword == "PatientSex" and actual in SEX_IN_DICOM.get(expected, ()))
                yield judged(
                    same,
                    f"{keyword} of {message.label} {'is' if same else 'is not'} that of {source.label}",
                    (message.seq, source.seq),
                    expected=expected,
                    actual=actual,
                    locator=keyword,
                )


def worklist_after_merge(journal: Journal) -> Iterator[Observation]:
    """After A40 nothing answers to the retired Patient ID, and the survivor's steps are found."""
    hl7 = HL7Journal(journal)
    for seq, keys, message in worklist_responses(journal):
        merges = [g for g in hl7.asked("RAD-12") if g.hl7.trigger == "A40" and g.seq < seq and g.code in ("AA", "CA")]
        for merge in merges:
            asked = keys.get("PatientID", "")
            found = text(attributes_of(message), "PatientID") if message is not None else ""
            if asked == merge.retired[0] or found == merge.retired[0]:
                yield judged(
                    message is None,
                    f"The worklist {'has nothing' if message is None else 'still answers'} for the retired patient",
                    (merge.seq, message.seq if message is not None else seq),
                    expected="no match",
                    actual=found or "no match",
                    locator="(0010,0020)",
                )
            elif asked == merge.patient[0]:
                yield judged(
                    message is not None,
                    f"The worklist {'has no' if message is None else 'has a'} step of the surviving patient",
                    (merge.seq, message.seq if message is not None else seq),
                    expected=merge.patient[0],
                    actual=found or "no match",
                    locator="(0010,0020)",
                )


# -- updates ---------------------------------------------------------------------------------------------------------


def merge_structure(journal: Journal) -> Iterator[Observation]:
    """ADT_A39."""
    for told in HL7Journal(journal).of("RAD-12"):
        if told.hl7.trigger == "A40":
            yield from structure_of(told)


def merge_identifiers(journal: Journal) -> Iterator[Observation]:
    """PID-3 survives, MRG-1 is retired, both with assigning authority; as the action asked."""
    for told in HL7Journal(journal).of("RAD-12"):
        if told.hl7.trigger != "A40":
            continue
        for path in ("PID-3.1", "PID-3.4", "MRG-1.1", "MRG-1.4"):
            value = sent_value(told.hl7[path])
            text = f"{path} of {told.label} is {'valued' if value else 'empty'}"
            yield judged(bool(value), text, (told.seq,), expected="a value", actual=value, locator=path)
        yield judged(
            told.patient != told.retired,
            f"{told.label} retires {told.retired[0]} for {told.patient[0]}",
            (told.seq,),
            expected="two identifiers",
            actual=f"{told.retired[0]}, {told.patient[0]}",
            locator="MRG-1",
        )
        action = journal.action_before(told.seq, "update-patient")
        patient = action.get("parameters", {}).get("patient", {}) if action else {}
        if isinstance(patient, dict) and patient.get("RetiredPatientID"):
            for path, expected in (("PID-3.1", patient.get("PatientID")), ("MRG-1.1", patient["RetiredPatientID"])):
                actual = told.hl7[path]
                yield judged(
                    actual == expected,
                    f"{path} of {told.label} is {actual}",
                    (told.seq,),
                    expected=str(expected),
                    actual=actual,
                    locator=path,
                )


def prior_name_when_known(journal: Journal) -> Iterator[Observation]:
    """MRG-7 is sent in v2.3.1 when the sender knows the name, as it does of a patient it registered."""
    hl7 = HL7Journal(journal)
    for told in hl7.of("RAD-12"):
        if told.hl7.trigger != "A40" or not told.is_old:
            continue
        known = any(o.seq < told.seq and o.patient == told.retired and o.hl7["PID-5"] for o in hl7.sent)
        value = told.hl7["MRG-7"]
        if known or value:
            text = f"MRG-7 of {told.label} is {'valued' if value else 'empty although the name is known'}"
            yield judged(bool(value), text, (told.seq,), expected="the prior name", actual=value, locator="MRG-7")


def merge_without_visit_accepted(journal: Journal) -> Iterator[Observation]:
    """A40 without PV1 is accepted."""
    hl7 = HL7Journal(journal)
    for told in hl7.asked("RAD-12"):
        if told.hl7.trigger == "A40" and "PV1" not in told.hl7 and told.seq not in hl7.negative:
            text = f"{told.label} without PV1 was answered with {told.code or 'nothing'}"
            yield judged(
                told.code in ("AA", "CA"), text, told.evidence, expected="AA", actual=told.code, locator="MSA-1"
            )


def class_after_a07(journal: Journal) -> Iterator[Observation]:
    """A07 shows a class that is not inpatient."""
    for told in HL7Journal(journal).of("RAD-12"):
        if told.hl7.trigger == "A07":
            value = told.hl7["PV1-2"]
            text = f"PV1-2 of {told.label} is {value or 'empty'}"
            yield judged(value not in ("", "I"), text, (told.seq,), expected="O", actual=value, locator="PV1-2")


def discharge_encounter(journal: Journal) -> Iterator[Observation]:
    """A03 and A13 name the encounter of the patient's messages before."""
    hl7 = HL7Journal(journal)
    for told in hl7.of("RAD-12"):
        if told.hl7.trigger not in ("A03", "A13"):
            continue
        before = [o for o in hl7.sent if o.seq < told.seq and o.patient == told.patient and any(o.encounter)]
        if before:
            ok = same_encounter(before[-1], told)
            yield judged(
                ok,
                f"{told.label} {'names' if ok else 'does not name'} the encounter of {before[-1].label}",
                (told.seq, before[-1].seq),
                expected=" ".join(before[-1].encounter),
                actual=" ".join(told.encounter),
                locator="PID-18, PV1-19",
            )


def update_keeps_identifier(journal: Journal) -> Iterator[Observation]:
    """A08 names a patient by the identifier it had before."""
    hl7 = HL7Journal(journal)
    for told in hl7.of("RAD-12"):
        if told.hl7.trigger != "A08":
            continue
        before = [
            o for o in hl7.sent if o.seq < told.seq and o.hl7.type == "ADT" and o.record.actor == told.record.actor
        ]
        same = [o for o in before if o.patient == told.patient or _identifiers(o) & _identifiers(told)]
        other = [o for o in before if o.patient != told.patient and same_encounter(o, told)]
        if same or other:
            source = (same or other)[-1]
            yield judged(
                bool(same),
                f"PID-3 of {told.label} {'is' if same else 'is not'} that of {source.label}",
                (told.seq, source.seq),
                expected=source.patient[0],
                actual=told.patient[0],
                locator="PID-3",
            )


def _identifiers(told: Told) -> set[str]:
    """Every repetition of PID-3 as identifier, authority and type: their order says nothing."""
    pid = told.hl7.segment("PID")
    return {trimmed(each, told.hl7.separators) for each in pid.repetitions(3)} if pid is not None else set()


def _updates_to_forward(hl7: HL7Journal) -> Iterator[tuple[Told, list[Told]]]:
    """Updates of ours about patients with scheduled procedures, with what was passed on to the Image Manager."""
    scheduled = [t for t in hl7.sent if t.transaction in ("RAD-4", "RAD-13")]
    for told in hl7.asked("RAD-12"):
        about = {told.patient, told.retired} - {("", "")}
        if told.hl7.trigger not in ("A08", "A40") or told.code not in ("AA", "CA"):
            continue
        if not any(s.patient in about and s.seq < told.seq for s in scheduled):
            continue
        yield (
            told,
            [
                o
                for o in hl7.of("RAD-12")
                if o.seq > told.seq and o.hl7.trigger == told.hl7.trigger and o.record.actor == names.IMAGE_MANAGER
            ],
        )


def updates_forwarded(journal: Journal) -> Iterator[Observation]:
    """An update of a patient with scheduled procedures is passed on to the Image Manager."""
    for told, passed_on in _updates_to_forward(HL7Journal(journal)):
        yield judged(
            bool(passed_on),
            f"{told.label} was {'passed on as ' + passed_on[0].label if passed_on else 'not passed on'}",
            (told.seq, passed_on[0].seq) if passed_on else (told.seq,),
            expected=f"ADT^{told.hl7.trigger} to the {names.IMAGE_MANAGER}",
            actual=passed_on[0].record.kind if passed_on else "nothing",
            locator="MSH-9",
        )


def updates_forwarded_unchanged(journal: Journal) -> Iterator[Observation]:
    """What is passed on says the same as what was received."""
    for told, passed_on in _updates_to_forward(HL7Journal(journal)):
        for copy in passed_on[:1]:
            for path in FORWARDED:
                expected, actual = sent_value(told.hl7[path]), sent_value(copy.hl7[path])
                if not expected:
                    continue
                same = _passed_on(path, told, copy)
                yield judged(
                    same,
                    f"{path} of {copy.label} {'is' if same else 'is not'} that of {told.label}",
                    (copy.seq, told.seq),
                    expected=expected,
                    actual=actual,
                    locator=path,
                )


def _passed_on(path: str, told: Told, copy: Told) -> bool:
    """Whether a copy says the same of a path: in any repetition, whatever its separators, precision and name type."""
    if path == "PID-5":
        return _names(told) <= _names(copy)
    if path == "PID-7.1":
        return day_of(told.hl7[path]) == day_of(copy.hl7[path])
    return told.hl7[path] in copy.hl7.values(path)


def _names(told: Told) -> set[tuple[str, ...]]:
    """The representations of the patient's name, each by its first five components."""
    pid = told.hl7.segment("PID")
    if pid is None:
        return set()
    found = (pid.components(5, number)[:5] for number in range(1, len(pid.repetitions(5)) + 1))
    return {(*parts, *[""] * (5 - len(parts))) for parts in found}


def unknown_patient_no_error(journal: Journal) -> Iterator[Observation]:
    """An update for a patient that was never registered is acknowledged."""
    hl7 = HL7Journal(journal)
    for told in hl7.asked("RAD-12"):
        if (
            any(g.seq < told.seq and told.patient in (g.patient, g.retired) for g in hl7.given)
            or told.hl7.trigger == "A40"
        ):
            continue
        yield judged(
            told.code in ("AA", "AE", "CA"),
            f"{told.label} for an unknown patient was answered with {told.code or 'nothing'}",
            told.evidence,
            expected=("AA", "AE"),
            actual=told.code,
            locator="MSA-1",
        )


CHECKS: tuple[Check, ...] = (
    check("RAD-12-SRC-01/trigger", "RAD-12-SRC-01", "RAD-12", update_triggers, "Updates have their trigger"),
    check("RAD-12-SRC-02/structure", "RAD-12-SRC-02", "RAD-12", merge_structure, "A merge has its structure"),
    check("RAD-12-SRC-03/identifiers", "RAD-12-SRC-03", "RAD-12", merge_identifiers, "PID survives, MRG is retired"),
    check("RAD-12-SRC-04/prior-name", "RAD-12-SRC-04", "RAD-12", prior_name_when_known, "A prior name is sent"),
    check("RAD-12-SRC-05/no-visit", "RAD-12-SRC-05", "RAD-12", merge_without_visit_accepted, "A40 needs no PV1"),
    check("RAD-12-SRC-06/outpatient", "RAD-12-SRC-06", "RAD-12", class_after_a07, "A07 shows the new class"),
    check("RAD-12-SRC-08/encounter", "RAD-12-SRC-08", "RAD-12", discharge_encounter, "A discharge keeps its encounter"),
    check("RAD-12-SRC-09/identifier", "RAD-12-SRC-09", "RAD-12", update_keeps_identifier, "An update keeps PID-3"),
    check("RAD-12-SRC-10/forwarded", "RAD-12-SRC-10", "RAD-12", updates_forwarded, "Updates are passed on"),
    check("RAD-12-SRC-11/unchanged", "RAD-12-SRC-11", "RAD-12", updates_forwarded_unchanged, "They are not changed"),
    check("RAD-12-DST-01/orders", "RAD-12-DST-01", "RAD-12", updated_demographics_used, "Later orders are updated"),
    check("RAD-12-DST-02/worklist", "RAD-12-DST-02", "RAD-12", worklist_after_update, "The worklist is updated"),
    check("RAD-12-DST-03/worklist", "RAD-12-DST-03", "RAD-12", worklist_after_merge, "The worklist is merged"),
    check(
        "RAD-12-DST-08/unknown", "RAD-12-DST-08", "RAD-12", unknown_patient_no_error, "Unknown patients are no error"
    ),
)
