"""Checks of every HL7 message, whatever it is about: framing, header, acknowledgement, character set, time, codes."""

from __future__ import annotations

import re
from collections.abc import Iterator

from harness.core.check import Check, Observation
from harness.profiles import names
from harness.profiles.journal import Journal
from harness.profiles.observe import check, judged
from harness.profiles.swf.hl7_journal import OLD_VERSION, HL7Journal, Told
from harness.profiles.swf.hl7_mapping import CODED_FIELDS, TIME_FIELDS, TIME_STAMP, TIME_STAMP_WORDS
from harness.profiles.swf.hl7_rules import ALL, each
from harness.protocols.hl7.charset import known, to_dicom
from harness.protocols.hl7.message import NULL
from harness.protocols.hl7.structure import structure_name

_CODES = ("AA", "AE", "AR")
_ENHANCED_CODES = ("CA", "CE", "CR")


def framing(journal: Journal) -> Iterator[Observation]:
    """Start block, end block and carriage return around every message."""
    hl7 = HL7Journal(journal)
    for record in hl7.violations:
        yield judged(
            False,
            f"The framing is broken: {record.fields.get('text')}",
            (record.seq,),
            expected="0x0B, the message, 0x1C 0x0D",
            actual=str(record.payload.bytes()[:60]),
            locator="MLLP",
        )
    whole = tuple(told.seq for told in hl7.raw)
    if whole and not hl7.violations:
        yield judged(True, f"All {len(whole)} HL7 messages are framed", whole, locator="MLLP")


def acknowledged(journal: Journal) -> Iterator[Observation]:
    """Every message of ours is answered with MSH and MSA, a code of the mode, and its own control ID."""
    for told in HL7Journal(journal).given:
        if told.answer is None and "MSH" not in told.hl7:
            continue  # what is no message cannot be answered: nobody knows its control ID
        if told.answer is None:
            yield judged(
                False, f"{told.label} was not acknowledged", (told.seq,), expected="MSH and MSA", locator="MSA"
            )
            continue
        enhanced = bool(told.hl7["MSH-15"] or told.hl7["MSH-16"])
        for answer in told.answers:
            expected = (*_CODES, *_ENHANCED_CODES) if enhanced else _CODES
            code, echoed = answer.hl7["MSA-1"], answer.hl7["MSA-2"]
            evidence = (told.seq, answer.seq)
            yield judged(
                code in expected,
                f"MSA-1 of the answer to {told.label} is {code or 'empty'}",
                evidence,
                expected=expected,
                actual=code,
                locator="MSA-1",
            )
            yield judged(
                echoed == told.hl7.control_id,
                f"MSA-2 of the answer to {told.label} is {echoed or 'empty'}",
                evidence,
                expected=told.hl7.control_id,
                actual=echoed,
                locator="MSA-2",
            )


def separators(journal: Journal) -> Iterator[Observation]:
    """The first bytes of each message."""
    for told in HL7Journal(journal).raw:
        start = told.hl7.raw[:9]
        yield judged(
            start == b"MSH|^~\\&|",
            f"{told.label} begins with {start.decode('ascii', 'replace')!r}",
            (told.seq,),
            expected="MSH|^~\\&|",
            actual=start.decode("ascii", "replace"),
            locator="MSH-1, MSH-2",
        )


def message_type(journal: Journal) -> Iterator[Observation]:
    """MSH-9: type and trigger, and the structure in v2.5.1."""
    for told in HL7Journal(journal).sent:
        message = told.hl7
        yield judged(
            bool(message.type and message.trigger),
            f"MSH-9 of {told.label} is {message['MSH-9']!r}",
            (told.seq,),
            expected="type^trigger",
            actual=message["MSH-9"],
            locator="MSH-9",
        )
        expected, structure = structure_name(message.type, message.trigger, message.version), message["MSH-9.3"]
        if expected and (structure or message.version == "2.5.1"):
            yield judged(
                structure == expected,
                f"MSH-9.3 of {told.label} is {structure or 'empty'}",
                (told.seq,),
                expected=expected,
                actual=structure,
                locator="MSH-9.3",
            )


def control_ids(journal: Journal) -> Iterator[Observation]:
    """MSH-10: valued, short enough, and not used for another message."""
    used: dict[tuple[str, str], Told] = {}
    for told in HL7Journal(journal).sent:
        value = told.hl7.control_id
        yield judged(
            0 < len(value) <= 20,
            f"MSH-10 of {told.label} has {len(value)} characters",
            (told.seq,),
            expected="1 to 20 characters",
            actual=value,
            locator="MSH-10",
        )
        # one text for several receivers is one message; what was not acknowledged comes again, be it with a new MSH-7
        earlier = used.setdefault((told.record.actor, value), told)
        if earlier is not told and value:
            yield judged(
                earlier.hl7.raw == told.hl7.raw or _body(earlier) == _body(told),
                f"MSH-10 of {told.label} was used by {earlier.label} already",
                (told.seq, earlier.seq),
                expected="a control ID of its own",
                actual=value,
                locator="MSH-10",
            )


def _body(told: Told) -> list[str]:
    """What a message says, without its header."""
    return [segment.text for segment in told.hl7 if segment.name != "MSH"]


def base_version(journal: Journal) -> Iterator[Observation]:
    """MSH-12 of the messages whose form is that of v2.3.1."""
    new_allowed = names.HL7_V251 in journal.sut.options or "SWF.b" in journal.sut.profiles
    for told in HL7Journal(journal).sent:
        if told.hl7.type not in ("ORM", "ORR", "ADT"):
            continue
        expected = (OLD_VERSION, "2.5.1") if told.hl7.type == "ADT" and new_allowed else (OLD_VERSION,)
        version = told.hl7.version
        text = f"MSH-12 of {told.label} is {version or 'empty'}"
        yield judged(version in expected, text, (told.seq,), expected=expected, actual=version, locator="MSH-12")


def new_version(journal: Journal) -> Iterator[Observation]:
    """MSH-12 of the message types that exist in v2.5.1 only."""
    for told in HL7Journal(journal).sent:
        if told.hl7.type in ("OMG", "OMI"):
            version = told.hl7.version
            text = f"MSH-12 of {told.label} is {version or 'empty'}"
            yield judged(version == "2.5.1", text, (told.seq,), expected="2.5.1", actual=version, locator="MSH-12")


def character_set(journal: Journal) -> Iterator[Observation]:
    """MSH-18 names the set of what is not ASCII, and no unknown set where all is."""
    for told in HL7Journal(journal).sent:
        raw, declared = told.hl7.raw, told.hl7["MSH-18"]
        ascii_only = raw.isascii() and b"\x1b" not in raw
        if ascii_only:
            # every set of the table holds ASCII: to name one where only its ASCII part is used is no mistake
            ok = all(known(name) for name in told.hl7.character_sets)
            text = f"{told.label} is ASCII and MSH-18 is {declared or 'empty'}"
            why = "a value outside table 0211 cannot be read by anybody"
            yield judged(
                ok,
                text,
                (told.seq,),
                expected="empty, or a value of table 0211",
                actual=declared,
                locator="MSH-18",
                why="" if ok else why,
            )
            continue
        if not declared:
            text = f"{told.label} has characters outside ASCII and an empty MSH-18"
            yield judged(False, text, (told.seq,), expected="a value of table 0211", actual="", locator="MSH-18")
            continue
        if not all(known(name) for name in told.hl7.character_sets):
            yield judged(
                False,
                f"MSH-18 of {told.label} is not in table 0211",
                (told.seq,),
                expected="a value of table 0211",
                actual=declared,
                locator="MSH-18",
            )
            continue
        fits = not any("MSH-18" in problem for problem in told.hl7.problems)
        yield judged(
            fits,
            f"The bytes of {told.label} {'are' if fits else 'are not all'} of {declared}",
            (told.seq,),
            expected=f"bytes of {declared}",
            actual=declared,
            locator="MSH-18",
            why=f"DICOM has no Specific Character Set for {declared}"
            if to_dicom(told.hl7.character_sets) is None
            else "",
        )


def ignores_unknown(journal: Journal) -> Iterator[Observation]:
    """A message with a segment that no receiver can know is accepted all the same."""
    hl7 = HL7Journal(journal)
    for told in hl7.given:
        strange = [s.name for s in told.hl7 if s.name.startswith("Z") and s.name != "ZDS"]
        if strange and told.answer is not None and told.seq not in hl7.negative:
            yield judged(
                told.code in ("AA", "CA"),
                f"{told.label} with the unknown segment {strange[0]} was answered with {told.code or 'no code'}",
                told.evidence,
                expected="AA",
                actual=told.code,
                locator="MSA-1",
            )


def rejects_unknown_events(journal: Journal) -> Iterator[Observation]:
    """A type or trigger that does not exist is rejected."""
    for told in HL7Journal(journal).given:
        if told.hl7.type and not structure_name(told.hl7.type, told.hl7.trigger, told.hl7.version):
            yield judged(
                told.code in ("AR", "CR"),
                f"{told.hl7['MSH-9']} was answered with {told.code or 'nothing'}",
                told.evidence,
                expected="AR",
                actual=told.code or "no answer",
                locator="MSA-1",
            )


def deletes(journal: Journal) -> Iterator[Observation]:
    """A value that was to be deleted is sent as two double quotes; the fields are named by the action asked for."""
    for told in HL7Journal(journal).sent:
        action = journal.action_before(told.seq, "update-patient")
        patient = action.get("parameters", {}).get("patient", {}) if action else {}
        if told.hl7.trigger != "A08" or not isinstance(patient, dict):
            continue
        for path in patient.get("delete", ()):
            value = told.hl7[str(path)]
            text = f"{path} of {told.label} is {value or 'empty'}"
            yield judged(value == NULL, text, (told.seq,), expected=NULL, actual=value, locator=str(path))


def time_stamps(journal: Journal) -> Iterator[Observation]:
    """Every time stamp has the HL7 form."""
    for told in HL7Journal(journal).sent:
        wrong = seen = 0
        for path in TIME_FIELDS:
            for locator, value in each(told.hl7, path):
                if value in ("", NULL):
                    continue
                seen += 1
                if re.fullmatch(TIME_STAMP, value) is None:
                    wrong += 1
                    text = f"{locator} of {told.label} is no time stamp"
                    yield judged(False, text, (told.seq,), expected=TIME_STAMP_WORDS, actual=value, locator=locator)
        if seen and not wrong:
            yield judged(True, f"All {seen} time stamps of {told.label} have the HL7 form", (told.seq,), locator="TS")


def sends_again(journal: Journal) -> Iterator[Observation]:
    """A message that we did not acknowledge comes again with the same control ID, before any later one."""
    hl7 = HL7Journal(journal)
    for told in hl7.sent:
        if told.seq not in hl7.withheld:
            continue
        later = [other for other in hl7.sent if other.seq > told.seq and other.record.actor == told.record.actor]
        again = later[0] if later else None
        yield judged(
            again is not None and again.hl7.control_id == told.hl7.control_id,
            f"{told.label} was {'sent again' if again else 'not sent again'} when no acknowledgement came",
            (told.seq,) if again is None else (told.seq, again.seq),
            expected=told.hl7.control_id,
            actual=again.hl7.control_id if again else "nothing",
            locator="MSH-10",
        )


def coding_schemes(journal: Journal) -> Iterator[Observation]:
    """A coded value names its coding scheme."""
    for told in HL7Journal(journal).sent:
        for code, scheme in CODED_FIELDS:
            for (_, value), (locator, designator) in zip(each(told.hl7, code), each(told.hl7, scheme), strict=True):
                if value and value != NULL:
                    text = f"{locator} of {told.label} is {designator or 'empty'}"
                    yield judged(
                        bool(designator),
                        text,
                        (told.seq,),
                        expected="a coding scheme",
                        actual=designator,
                        locator=locator,
                    )


CHECKS: tuple[Check, ...] = (
    check("HL7-GEN-01/framing", "HL7-GEN-01", ALL, framing, "Messages are framed as MLLP blocks"),
    check("HL7-GEN-02/acknowledged", "HL7-GEN-02", ALL, acknowledged, "Messages are acknowledged by code and ID"),
    check("HL7-GEN-03/separators", "HL7-GEN-03", ALL, separators, "Messages begin with the usual separators"),
    check("HL7-GEN-05/message-type", "HL7-GEN-05", ALL, message_type, "MSH-9 names type, trigger and structure"),
    check("HL7-GEN-06/control-ids", "HL7-GEN-06", ALL, control_ids, "Control IDs are short and unique"),
    check("HL7-GEN-08/version", "HL7-GEN-08", ALL, base_version, "The version of baseline messages is 2.3.1"),
    check("HL7-GEN-09/version", "HL7-GEN-09", ALL, new_version, "The version of OMG and OMI is 2.5.1"),
    check("HL7-GEN-10/character-set", "HL7-GEN-10", ALL, character_set, "MSH-18 names what is not ASCII"),
    check("HL7-GEN-11/unknown-segments", "HL7-GEN-11", ALL, ignores_unknown, "Unknown segments are ignored"),
    check("HL7-GEN-12/unknown-events", "HL7-GEN-12", ALL, rejects_unknown_events, "Unknown events are rejected"),
    check("HL7-GEN-13/deletes", "HL7-GEN-13", ALL, deletes, "A deleted value is two double quotes"),
    check("HL7-GEN-14/time-stamps", "HL7-GEN-14", ALL, time_stamps, "Time stamps have the HL7 form"),
    check("HL7-GEN-15/sends-again", "HL7-GEN-15", ALL, sends_again, "What was not acknowledged is sent again"),
    check("HL7-GEN-16/coding-schemes", "HL7-GEN-16", ALL, coding_schemes, "Coded values name their scheme"),
)
