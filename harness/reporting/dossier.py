"""One folder for each scenario of a run, as those who supervise tests want it: words, messages, DICOM and HL7 files."""

from __future__ import annotations

import datetime
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path

from harness.core.message import Direction, Message, Protocol
from harness.core.result import RunResult, ScenarioResult
from harness.core.verdict import Verdict
from harness.protocols.dicom.part10 import file_meta
from harness.reporting import evidence, words
from harness.reporting.decode import Decoder, visible
from harness.reporting.ladder import describe

#: of one payload, as text and as a file
_MOST_ROWS = 2000
_MOST_BYTES = 64 * 1024 * 1024
_EPOCH = (1980, 1, 1, 0, 0, 0)
_ARROWS = {Direction.FROM_SUT: "-->", Direction.TO_SUT: "<--", Direction.NONE: "   "}
_UNSAFE = re.compile(r"[^A-Za-z0-9-]+")
_CLASSES = ("AffectedSOPClassUID", "RequestedSOPClassUID", "AbstractSyntax")
_INSTANCES = ("AffectedSOPInstanceUID", "RequestedSOPInstanceUID")
_IMPLICIT = "1.2.840.10008.1.2"


def write_dossier(folder: Path, target: Path) -> int:
    """Zip one folder for each scenario that applied; returns their number. Raises UsageError if it is no run.

    In each: ``result.txt`` (verdict, steps, findings), ``messages.txt`` (one line for each message), and every data
    set and HL7 message exactly as it was, as a DICOM or HL7 file with its content in words beside it.
    """
    run = evidence.load_run(folder)
    meant = [scenario for scenario in run.scenarios if scenario.verdict is not Verdict.NOT_APPLICABLE]
    part = target.with_name(f".{target.name}.part")
    try:
        with zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED) as bundle:
            for number, scenario in enumerate(meant, start=1):
                place = f"{number:03}-{evidence.file_name(scenario.id.rsplit('/', 1)[-1])}"
                for name, data in _files(folder, run, scenario):
                    info = zipfile.ZipInfo(f"{place}/{name}", _EPOCH)
                    info.compress_type = zipfile.ZIP_DEFLATED
                    info.external_attr = 0o644 << 16
                    bundle.writestr(info, data)
        part.replace(target)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    return len(meant)


def _files(folder: Path, run: RunResult, scenario: ScenarioResult) -> Iterator[tuple[str, bytes]]:
    yield "result.txt", _lines(_result(run, scenario))
    if not scenario.transcript:
        return
    transcript = evidence.load_transcript(folder, scenario.transcript)
    decoder = Decoder()
    yield "messages.txt", _lines(_line(message, decoder) for message in transcript.messages)
    for message in transcript.messages:
        if not message.payload.size:
            continue
        name = f"{message.seq:04}-{_UNSAFE.sub('-', message.kind).strip('-') or 'message'}"
        data = evidence.read_blob(message.payload, _MOST_BYTES)
        if data is not None and message.payload.size <= _MOST_BYTES:
            yield name + _suffix(message, data), _as_file(message, data)
        shown = decoder.decode(message, _MOST_ROWS)
        rows = (f"{'  ' * row.depth}{row.tag} {row.vr} {row.name}: {row.value}" for row in shown.rows)
        yield f"{name}.txt", _lines([*rows, *([shown.note] if shown.note else [])])
        decoder.datasets.clear()
        decoder.texts.clear()


def _result(run: RunResult, scenario: ScenarioResult) -> Iterator[str]:
    yield f"{scenario.verdict.mark} {scenario.verdict.word}: {scenario.name}"
    yield f"{words.sut_name(run.sut)}, as {scenario.actor}; run {run.run_id}, {words.moment(run.started)}"
    also = [*scenario.profiles, *scenario.transactions, *scenario.aliases]
    yield f"{scenario.feature} ({scenario.path}:{scenario.line}); {', '.join(also)}"
    if why := words.own_reason(scenario):
        yield f"why: {why}"
    yield ""
    for step in scenario.steps:
        yield f"{step.verdict.mark} {step.keyword} {step.text} ({step.seconds:.1f} s)"
    yield ""
    for finding in sorted(scenario.findings, key=lambda found: -found.verdict):
        accepted = " (accepted as known)" if words.waiver_of(run, scenario, finding) else ""
        yield f"{finding.verdict.mark} {finding.requirement}{accepted}: {finding.summary}"
        if finding.verdict > Verdict.PASS:
            where = ", ".join([*(f"#{seq}" for seq in finding.evidence), *filter(None, [finding.locator])])
            expected = " or ".join(finding.expected)
            yield f"    expected {expected or '-'}; came {finding.actual or '-'}; where {where or '-'}"


def _line(message: Message, decoder: Decoder) -> str:
    try:
        when = datetime.datetime.fromtimestamp(message.time, datetime.UTC).isoformat(timespec="milliseconds")
    except (OverflowError, OSError, ValueError):
        when = str(message.time)
    return f"#{message.seq:<4} {when} {_ARROWS[message.direction]} {message.actor}: {describe(message, decoder)}"


def _suffix(message: Message, data: bytes) -> str:
    if message.protocol is Protocol.HL7:
        return ".hl7"
    if message.protocol is Protocol.DICOM or data[128:132] == b"DICM":
        return ".dcm"
    return ".bin"


def _as_file(message: Message, data: bytes) -> bytes:
    """A data set gets a preamble and meta information, so that any viewer opens it; other bytes stay as they are."""
    if message.protocol is not Protocol.DICOM or data[128:132] == b"DICM":
        return data
    sop_class, instance = (
        next((str(message.fields[key]) for key in keys if message.fields.get(key)), "")
        for keys in (_CLASSES, _INSTANCES)
    )
    return file_meta(sop_class, instance, message.transfer_syntax or _IMPLICIT) + data


def _lines(texts: Iterator[str] | list[str]) -> bytes:
    return "".join(visible(text, 4000) + "\n" for text in texts).encode("utf-8", "replace")
