"""Ways of an Image Display and of an Evidence Creator to be wrong: (id, title, requirements that break, change)."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from pydicom.dataset import Dataset

from harness.actors.defects.having import having
from harness.actors.evidence_creator import EvidenceCreatorBehaviour
from harness.actors.image_display import ImageDisplayBehaviour

Row = tuple[str, str, str, Callable[[Any], Any]]
MR_IMAGE = "1.2.840.10008.5.1.4.1.1.4"


_display = partial(having, ImageDisplayBehaviour)


_creator = partial(having, EvidenceCreatorBehaviour)


# -- the display -------------------------------------------------------------------------------------------------


def _emptied(keyword: str) -> Callable[[Dataset], Dataset]:
    """The key stays in the query without its value: everything matches."""

    def asked(identifier: Dataset) -> Dataset:
        if keyword in identifier:
            setattr(identifier, keyword, None)
        return identifier

    return asked


def _lacking(*keywords: str) -> Callable[[Dataset], Dataset]:
    def asked(identifier: Dataset) -> Dataset:
        for keyword in keywords:
            if keyword in identifier and not identifier[keyword].value:
                delattr(identifier, keyword)
        return identifier

    return asked


def _without_study(identifier: Dataset) -> Dataset:
    if identifier.QueryRetrieveLevel == "SERIES":
        del identifier.StudyInstanceUID
    return identifier


def _silent(answers: dict[str, Any]) -> dict[str, Any]:
    return {**answers, "error": ""}


def _silent_about_parts(answers: dict[str, Any]) -> dict[str, Any]:
    return _silent(answers) if answers["entries"] else answers


def _alarmed(answers: dict[str, Any]) -> dict[str, Any]:
    return answers if answers["entries"] else {**answers, "error": "the archive did not answer"}


DISPLAY_DEFECTS: tuple[Row, ...] = (
    (
        "display-asks-nobody",
        "Answers its user's questions from what it remembers, without asking the archive",
        "RAD-14-SCU-01 SWF-ACT-08",
        _display(asks=False),
    ),
    (
        "display-series-of-no-study",
        "Asks for series without the Study Instance UID",
        "RAD-14-SCU-01 RAD-16-SCU-01",
        _display(asked=_without_study),
    ),
    (
        "display-drops-name",
        "The patient name never reaches the archive",
        "RAD-14-SCU-02",
        _display(asked=_emptied("PatientName")),
    ),
    (
        "display-drops-patient-id",
        "The patient ID never reaches the archive",
        "RAD-14-SCU-03",
        _display(asked=_emptied("PatientID")),
    ),
    (
        "display-drops-accession",
        "The accession number never reaches the archive",
        "RAD-14-SCU-04",
        _display(asked=_emptied("AccessionNumber")),
    ),
    (
        "display-drops-date",
        "The study date never reaches the archive",
        "RAD-14-SCU-05",
        _display(asked=_emptied("StudyDate")),
    ),
    (
        "display-drops-modalities",
        "The modality never reaches the archive",
        "RAD-14-SCU-06",
        _display(asked=_emptied("ModalitiesInStudy")),
    ),
    (
        "display-few-study-keys",
        "Does not ask for birth date and number of instances of a study",
        "RAD-14-SCU-07",
        _display(asked=_lacking("PatientBirthDate", "NumberOfStudyRelatedInstances")),
    ),
    (
        "display-few-series-keys",
        "Does not ask for the number of instances of a series",
        "RAD-14-SCU-08",
        _display(asked=_lacking("NumberOfSeriesRelatedInstances")),
    ),
    (
        "display-moves-elsewhere",
        "Has the images delivered to an AE title that is not its own",
        "RAD-16-SCU-01",
        _display(destination=lambda own: "ELSEWHERE"),
    ),
    (
        "display-refuses-what-it-asked-for",
        "Refuses every image that it asked for",
        "RAD-16-SCU-02",
        _display(store_status=lambda request: 0xA700),
    ),
    (
        "display-not-as-declared",
        "Does not accept MR images though its statement declares it",
        "RAD-16-SCU-01 RAD-16-SCU-02",
        _display(refused_classes=frozenset({MR_IMAGE})),
    ),
    ("display-hides-failures", "A failed retrieve looks like a finished one", "EX-27", _display(told=_silent)),
    (
        "display-hides-parts",
        "A retrieve that failed in part looks like a finished one",
        "EX-27",
        _display(told=_silent_about_parts),
    ),
    ("display-alarms-at-nothing", "An empty answer is shown as a failure", "EX-27", _display(told=_alarmed)),
)


# -- the evidence creator ------------------------------------------------------------------------------------------


def _in_source_series(derived: Dataset, source: Dataset) -> None:
    derived.SeriesInstanceUID = source.SeriesInstanceUID


def _another_patient(derived: Dataset, source: Dataset) -> None:
    derived.PatientID = f"{source.PatientID}-X"


def _original(derived: Dataset, source: Dataset) -> None:
    derived.ImageType = ["ORIGINAL", "SECONDARY"]


def _step_of_the_source(derived: Dataset, source: Dataset) -> None:
    performed = Dataset()
    performed.ReferencedSOPClassUID = derived.ReferencedPerformedProcedureStepSequence[0].ReferencedSOPClassUID
    performed.ReferencedSOPInstanceUID = f"{source.StudyInstanceUID}.1"
    derived.ReferencedPerformedProcedureStepSequence = [performed]


def _no_step(derived: Dataset, source: Dataset) -> None:
    del derived.ReferencedPerformedProcedureStepSequence


def _of_another_study(created: Dataset) -> None:
    for item in created.ScheduledStepAttributesSequence:
        item.StudyInstanceUID = f"{item.StudyInstanceUID}.1"


def _with_accession(created: Dataset) -> None:
    for item in created.ScheduledStepAttributesSequence:
        item.AccessionNumber = "UNKNOWN"


def _lists_nothing(ended: Dataset) -> None:
    for series in ended.PerformedSeriesSequence:
        series.ReferencedImageSequence = []


CREATOR_DEFECTS: tuple[Row, ...] = (
    (
        "creator-in-source-series",
        "Puts derived images into the series of their sources",
        "RAD-18-SCU-01",
        _creator(finish=_in_source_series),
    ),
    (
        "creator-another-patient",
        "Derived images carry another patient ID",
        "RAD-18-SCU-02",
        _creator(finish=_another_patient),
    ),
    ("creator-original", "Derived images call themselves original", "RAD-18-SCU-03", _creator(finish=_original)),
    (
        "creator-foreign-step",
        "Derived images name a performed step that is not the creator's",
        "RAD-18-SCU-04",
        _creator(finish=_step_of_the_source),
    ),
    ("creator-no-step", "Derived images name no performed step", "RAD-18-SCU-04", _creator(finish=_no_step)),
    (
        "creator-step-of-another-study",
        "The performed step names another study",
        "RAD-20-SCU-01",
        _creator(created=_of_another_study),
    ),
    (
        "creator-invents-accession",
        "The performed step invents an accession number",
        "RAD-20-SCU-01",
        _creator(created=_with_accession),
    ),
    (
        "creator-lists-nothing",
        "The end of the step lists none of the images",
        "RAD-21-SCU-01",
        _creator(ended=_lists_nothing),
    ),
    ("creator-never-ends", "The step stays in progress", "RAD-21-SCU-01", _creator(reports_end=False)),
    (
        "creator-asks-no-commitment",
        "Commitment is never asked for",
        "RAD-10-SCU-01 SWF-ACT-09",
        _creator(to_commit=lambda samples: ()),
    ),
    (
        "creator-commits-all-but-one",
        "Commitment is not asked for the last of several objects",
        "RAD-10-SCU-04",
        _creator(to_commit=lambda samples: samples[:-1] or samples),
    ),
)
