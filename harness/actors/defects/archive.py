"""Ways of an Image Manager/Archive to be wrong: (id, title, requirements that break, change of behaviour)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

from harness.actors.archive_index import StoredInstance
from harness.actors.archive_keys import Level
from harness.actors.defects.having import having
from harness.actors.defects.steps import accepts_any_creation, accepts_duplicates, accepts_final_change, accepts_unknown
from harness.actors.image_manager_behaviour import (
    PENDING,
    CommitmentReply,
    ImageManagerBehaviour,
    Reference,
    Result,
    SubOperations,
    Way,
    commit,
)
from harness.actors.records import Record, record_from_mapping, tag_of
from harness.protocols.dicom.uids import PATIENT_ROOT_FIND

Change = Callable[[ImageManagerBehaviour], ImageManagerBehaviour]
Row = tuple[str, str, str, Change]


_with = partial(having, ImageManagerBehaviour)


def _ignoring(*keywords: str) -> Change:
    def change(behaviour: ImageManagerBehaviour) -> ImageManagerBehaviour:
        ignored = behaviour.rules.ignored | {tag_of(keyword) for keyword in keywords}
        return replace(behaviour, rules=replace(behaviour.rules, ignored=frozenset(ignored)))

    return change


def _without(*keywords: str) -> Change:
    tags = {tag_of(keyword) for keyword in keywords}

    def describe(record: Record, level: Level) -> Record:
        return {tag: value for tag, value in record.items() if tag not in tags}

    return _with(describe=describe)


def _always(**values: str) -> Change:
    fixed = record_from_mapping(values)

    def describe(record: Record, level: Level) -> Record:
        return record | {tag: value for tag, value in fixed.items() if tag in record}

    return _with(describe=describe)


def _repeated_instances(found: list[Record], level: Level) -> list[Record]:
    return [record for record in found for _ in range(2)] if level is Level.IMAGE else found


def _study_per_instance(found: list[Record], level: Level) -> list[Record]:
    if level is not Level.STUDY:
        return found
    count = tag_of("NumberOfStudyRelatedInstances")
    return [record for record in found for _ in range(int(str(record[count][0])))]


def _all_committed(
    transaction_uid: str, references: Sequence[Reference], held: Callable[[str], str | None], repeated: bool
) -> Result:
    return Result(transaction_uid, tuple(references))


def _only_failures(
    transaction_uid: str, references: Sequence[Reference], held: Callable[[str], str | None], repeated: bool
) -> Result:
    result = commit(transaction_uid, references, held, repeated)
    return replace(result, committed=()) if result.failed else result


def _first_failure_only(
    transaction_uid: str, references: Sequence[Reference], held: Callable[[str], str | None], repeated: bool
) -> Result:
    result = commit(transaction_uid, references, held, repeated)
    return replace(result, failed=result.failed[:1])


def _private_reason(
    transaction_uid: str, references: Sequence[Reference], held: Callable[[str], str | None], repeated: bool
) -> Result:
    result = commit(transaction_uid, references, held, repeated)
    return replace(result, failed=tuple((reference, 0x0001) for reference, _ in result.failed))


def _images_only(
    transaction_uid: str, references: Sequence[Reference], held: Callable[[str], str | None], repeated: bool
) -> Result:
    result = commit(transaction_uid, references, held, repeated)
    others = tuple(
        one
        for one in result.committed
        if one.sop_class.startswith(("1.2.840.10008.5.1.4.1.1.11.", "1.2.840.10008.5.1.4.1.1.88."))
    )
    kept = tuple(one for one in result.committed if one not in others)
    return replace(result, committed=kept, failed=(*result.failed, *((one, 0x0122) for one in others)))


def _all_but_one(instances: list[StoredInstance], level: Level) -> list[StoredInstance]:
    return instances[:-1] if len(instances) > 1 else instances


def _new_description(instance: StoredInstance) -> Record:
    return instance.revised | record_from_mapping({"StudyDescription": "Archived"})


def _no_counts(counts: SubOperations) -> SubOperations:
    return SubOperations(0)


ARCHIVE_DEFECTS: tuple[Row, ...] = (
    (
        "archive-stores-nothing",
        "Answers C-STORE with success and keeps nothing",
        "RAD-10-SCP-02 RAD-10-SCP-03 RAD-10-SCP-07 RAD-14-SCP-02 RAD-14-SCP-03 RAD-14-SCP-06 RAD-14-SCP-07"
        " RAD-14-SCP-10 RAD-14-SCP-14 RAD-16-SCP-01 RAD-16-SCP-02 RAD-16-SCP-08 RAD-18-SCP-01 RAD-49-SCU-01",
        _with(keeps=lambda request: False),
    ),
    (
        "archive-refuses-secondary-capture",
        "Does not accept Secondary Capture although its statement declares it",
        "RAD-8-SCP-01",
        _with(refused_classes=frozenset({"1.2.840.10008.5.1.4.1.1.7"})),
    ),
    (
        "archive-warns-of-coercion",
        "Answers every C-STORE with the coercion warning B000 though nothing is changed",
        "RAD-8-SCP-03",
        _with(store_status=lambda request: 0xB000),
    ),
    (
        "archive-lists-instances-twice",
        "Image level queries return every instance twice",
        "RAD-8-SCP-05 RAD-14-SCP-10",
        _with(matches=_repeated_instances),
    ),
    (
        "archive-study-per-instance",
        "Study level queries return a study once per instance",
        "RAD-14-SCP-02 RAD-14-SCP-03 RAD-14-SCP-06",
        _with(matches=_study_per_instance),
    ),
    (
        "archive-commits-unknown",
        "Commits to instances that it does not have",
        "RAD-10-SCP-03",
        _with(commit=_all_committed),
    ),
    (
        "archive-forgets-committed",
        "A failure result leaves out the instances that are safe",
        "RAD-10-SCP-03 XC-20",
        _with(commit=_only_failures),
    ),
    (
        "archive-first-failure-only",
        "A failure result names the first failed instance only",
        "RAD-10-SCP-03 XC-20",
        _with(commit=_first_failure_only),
    ),
    ("archive-private-reason", "Uses a failure reason of its own", "RAD-10-SCP-04", _with(commit=_private_reason)),
    (
        "archive-event-type-1",
        "Reports event type 1 though instances failed",
        "RAD-10-SCP-03",
        _with(event_type=lambda result: 1),
    ),
    (
        "archive-refuses-action",
        "Answers N-ACTION with a processing failure",
        "RAD-10-SCP-01",
        _with(action_status=lambda request: 0x0110),
    ),
    (
        "archive-other-transaction",
        "Reports results under another Transaction UID",
        "RAD-10-SCP-02 RAD-10-SCP-06",
        _with(reply=CommitmentReply(transaction_uid="1.2.826.0.1.3680043.10.1599.9")),
    ),
    (
        "archive-same-association-only",
        "Reports results on the association of the request only, or never",
        "RAD-10-SCP-06",
        _with(reply=CommitmentReply(Way.SAME_ASSOCIATION, delay=0.5), calls_back=False),
    ),
    (
        "archive-no-role-selection",
        "Calls back without proposing the SCP role",
        "RAD-10-SCP-05 DICOM-GEN-03",
        _with(reply=CommitmentReply(Way.SEPARATE_ASSOCIATION), proposes_scp_role=False),
    ),
    (
        "archive-gives-up-results",
        "Does not repeat a result when the requester cannot be reached",
        "RAD-10-SCP-06",
        _with(retries_results=False),
    ),
    (
        "archive-commits-images-only",
        "Commits to images, not to presentation states or documents",
        "RAD-10-SCP-02 RAD-10-SCP-07",
        _with(commit=_images_only),
    ),
    (
        "archive-study-root-only",
        "Does not accept Patient Root queries",
        "RAD-14-SCP-01",
        _with(refused_classes=frozenset({PATIENT_ROOT_FIND})),
    ),
    ("archive-ignores-patient-id", "Patient ID does not narrow a query", "RAD-14-SCP-02", _ignoring("PatientID")),
    ("archive-ignores-study-date", "Study Date does not narrow a query", "RAD-14-SCP-02", _ignoring("StudyDate")),
    (
        "archive-ignores-accession",
        "Accession Number does not narrow a query",
        "RAD-14-SCP-02",
        _ignoring("AccessionNumber"),
    ),
    (
        "archive-ignores-modalities",
        "Modalities in Study does not narrow a query",
        "RAD-14-SCP-03",
        _ignoring("ModalitiesInStudy"),
    ),
    (
        "archive-no-modalities",
        "Modalities in Study is not returned",
        "RAD-14-SCP-03 RAD-14-SCP-15",
        _without("ModalitiesInStudy"),
    ),
    (
        "archive-no-demographics",
        "Birth Date and Sex are not returned",
        "RAD-14-SCP-04 RAD-14-SCP-15 RAD-12-DST-04 XC-24 EX-12",
        _without("PatientBirthDate", "PatientSex"),
    ),
    (
        "archive-wrong-study-counts",
        "Always tells of one series and one instance",
        "RAD-14-SCP-05 XC-21",
        _always(NumberOfStudyRelatedSeries="1", NumberOfStudyRelatedInstances="1"),
    ),
    (
        "archive-ignores-referring-physician",
        "Referring Physician does not narrow a query",
        "RAD-14-SCP-06",
        _ignoring("ReferringPhysicianName"),
    ),
    (
        "archive-ignores-series-keys",
        "Modality and Series Number do not narrow a query",
        "RAD-14-SCP-07",
        _ignoring("Modality", "SeriesNumber"),
    ),
    (
        "archive-wrong-series-count",
        "Always tells of 99 instances in a series",
        "RAD-14-SCP-08",
        _always(NumberOfSeriesRelatedInstances="99"),
    ),
    (
        "archive-no-request-attributes",
        "Request Attributes are not returned",
        "RAD-14-SCP-09 RAD-14-SCP-15",
        _without("RequestAttributesSequence"),
    ),
    (
        "archive-ignores-instance-number",
        "Instance Number does not narrow a query",
        "RAD-14-SCP-10",
        _ignoring("InstanceNumber"),
    ),
    (
        "archive-no-image-attributes",
        "Rows, Columns and Bits Allocated are not returned",
        "RAD-14-SCP-11 RAD-14-SCP-15",
        _without("Rows", "Columns", "BitsAllocated", "NumberOfFrames"),
    ),
    (
        "archive-no-retrieve-ae-title",
        "Retrieve AE Title is not returned",
        "RAD-14-SCP-12 RAD-11-SCP-01",
        _without("RetrieveAETitle"),
    ),
    (
        "archive-matches-without-unique-key",
        "Answers hierarchical queries that lack the unique key above",
        "RAD-14-SCP-13",
        _with(requires_unique_keys=False),
    ),
    (
        "archive-claims-all-keys",
        "Answers FF00 though a key was not supported",
        "RAD-14-SCP-15",
        _with(pending_status=lambda query: PENDING),
    ),
    (
        "archive-loses-an-instance",
        "Delivers all instances but the last",
        "RAD-16-SCP-01 RAD-16-SCP-02 RAD-16-SCP-08 RAD-49-SCU-07",
        _with(selection=_all_but_one),
    ),
    (
        "archive-no-suboperation-counts",
        "All sub-operation counts are zero",
        "RAD-16-SCP-02 RAD-16-SCP-08",
        _with(counts=_no_counts),
    ),
    (
        "archive-unknown-destination-success",
        "Answers a move to an unknown destination with success",
        "RAD-16-SCP-03",
        _with(unknown_destination_status=0x0000),
    ),
    (
        "archive-success-despite-failures",
        "Answers a move with success though sub-operations failed",
        "RAD-16-SCP-04",
        _with(retrieve_status=lambda counts: 0x0000),
    ),
    (
        "archive-no-originator",
        "Sub-operations do not name the move originator",
        "RAD-16-SCP-05",
        _with(names_originator=False),
    ),
    (
        "archive-changes-description",
        "Retrieved objects have another Study Description",
        "RAD-16-SCP-06 RAD-8-SCP-03",
        _with(replaced=_new_description),
    ),
    (
        "archive-shows-wrong-entries",
        "Images of a step discontinued with 110514 are still found and delivered",
        "RAD-7-SCP-06 EX-07",
        _with(withdraws_wrong_entries=False),
    ),
    (
        "archive-announces-early",
        "Notifies of availability before all instances are there",
        "RAD-49-SCU-04 EX-29",
        _with(announces_when_complete=False),
    ),
    (
        "archive-availability-word",
        "Instance Availability is a word of its own",
        "RAD-49-SCU-03",
        _with(availability="AVAILABLE"),
    ),
    (
        "archive-keeps-old-demographics",
        "Patient updates are acknowledged and have no effect",
        "RAD-12-DST-04 XC-24 EX-12",
        _with(applies_patient_updates=False),
    ),
    ("archive-changes-final-step", "Accepts N-SET after the step is final", "RAD-7-SCP-01", accepts_final_change),
    ("archive-sets-unknown-step", "Accepts N-SET of a step that was never created", "RAD-7-SCP-02", accepts_unknown),
    ("archive-creates-completed-step", "Accepts N-CREATE with any status", "RAD-6-SCP-02", accepts_any_creation),
    ("archive-creates-step-twice", "Accepts N-CREATE of an existing instance", "RAD-6-SCP-03", accepts_duplicates),
)

ARCHIVE_VARIANTS: tuple[Row, ...] = (
    (
        "archive-late-commitment",
        "Reports commitment a moment later on a new association",
        "",
        _with(reply=CommitmentReply(Way.SEPARATE_ASSOCIATION, delay=0.2)),
    ),
    (
        "archive-case-sensitive-names",
        "Matches person names case sensitively, as its statement says",
        "",
        lambda behaviour: replace(behaviour, rules=replace(behaviour.rules, person_name_case_sensitive=True)),
    ),
)
