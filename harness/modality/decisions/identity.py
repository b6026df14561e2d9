"""Which identifiers an exam gets (TF-2 Appendix A; PS3.17 J)."""

from __future__ import annotations

from collections.abc import Sequence

from harness.modality.domain import Code, ProcedureEntry, ProtocolEntry, Reference, ScheduledStep


def study_instance_uid(steps: Sequence[ScheduledStep], fresh: str) -> str:
    """Take the Study Instance UID of the requested procedure; a new one if unscheduled or if procedures differ."""
    scheduled = {step.study_instance_uid for step in steps if step.study_instance_uid}
    return scheduled.pop() if len(scheduled) == 1 else fresh


def study_id(steps: Sequence[ScheduledStep], fresh: str) -> str:
    """Take the Requested Procedure ID as Study ID (recommended by IHE); a made one if there is none or several."""
    scheduled = {step.requested_procedure_id for step in steps if step.requested_procedure_id}
    return scheduled.pop() if len(scheduled) == 1 else fresh


def accession_number(steps: Sequence[ScheduledStep]) -> str:
    """Take the Accession Number for the images; zero length if unscheduled or if the grouped orders differ."""
    scheduled = {step.accession_number for step in steps}
    return scheduled.pop() if len(scheduled) == 1 else ""


def referenced_studies(steps: Sequence[ScheduledStep], study_uid: str) -> tuple[Reference, ...]:
    """Copy the referenced studies, one per requested procedure; a grouped study also keeps the original UIDs."""
    found: list[Reference] = []
    for step in steps:
        given = step.referenced_studies
        if not given and step.study_instance_uid and step.study_instance_uid != study_uid:
            given = (Reference("1.2.840.10008.3.1.2.3.1", step.study_instance_uid),)
        found.extend(reference for reference in given if reference not in found)
    return tuple(found)


def procedure_codes(steps: Sequence[ScheduledStep], chosen: ProcedureEntry | None) -> tuple[Code, ...]:
    """Name the procedure that was performed: what the technologist chose instead, else what was requested."""
    if chosen is not None:
        return (chosen.code,)
    return tuple(dict.fromkeys(code for step in steps for code in step.requested_procedure_codes))


def protocol_codes(steps: Sequence[ScheduledStep], used: Sequence[ProtocolEntry]) -> tuple[Code, ...]:
    """Name the protocols that were performed: those the technologist chose instead, else the scheduled ones."""
    if used:
        return tuple(dict.fromkeys(entry.code for entry in used))
    return tuple(dict.fromkeys(code for step in steps for code in step.protocol_codes))


def description(steps: Sequence[ScheduledStep], chosen: ProcedureEntry | None) -> str:
    """Describe the performed step in words."""
    if chosen is not None:
        return chosen.name
    return next((step.step_description for step in steps if step.step_description), "")


def performed_step_id(date: str, number: int) -> str:
    """Make a Performed Procedure Step ID of at most 16 characters that this modality never used before."""
    return f"P{date[2:]}-{number:05d}"


def performed_instance_uid(earlier: Sequence[str], fresh: str) -> str:
    """Identify a performed step: always new, whatever was performed before for the same scheduled step."""
    return fresh


def series_instance_uid(earlier: Sequence[str], fresh: str) -> str:
    """Identify a series: always new, `earlier` are those of the study, because no series spans two performed steps."""
    return fresh


def moved_instance_uid(before: str, fresh: str) -> str:
    """Identify an image that is moved to the right worklist entry: new, for it now says something else."""
    return fresh
