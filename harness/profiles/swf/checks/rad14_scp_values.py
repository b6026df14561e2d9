"""RAD-14 Query Images: the values that IHE has an archive return beyond the required keys (RAD TF-2 Table 4.14-1)."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from harness.core.check import Check, Observation
from harness.profiles.journal import Journal
from harness.profiles.matching import find
from harness.profiles.observe import check, judged, same_set
from harness.profiles.swf.checks.rad14_asked import queries, returned
from harness.profiles.swf.checks.rad14_scp import matching
from harness.profiles.swf.checks.rad14_scu import level_of
from harness.profiles.swf.mapping import query as table
from harness.profiles.values import attributes_of, equal, items, shown, text, valued


def _value(j: Journal, level: str, keyword: str, why: str) -> Iterator[Observation]:
    for query, message, group in returned(j, level, keyword):
        values = [instance[keyword] for instance in group if instance.get(keyword) not in (None, "")]
        if not values:
            continue
        found = attributes_of(message).get(keyword)
        ok = any(equal(keyword, value, found) for value in values)
        yield judged(
            ok,
            f"{keyword} is returned as {shown(found)}" + ("" if ok else f", stored was {shown(values[0])}"),
            (query.request.seq, message.seq),
            expected=sorted({shown(value) for value in values}),
            actual=shown(found),
            locator=keyword,
            why=why,
        )


def _count(j: Journal, level: str, keyword: str, counted: str) -> Iterator[Observation]:
    for query, message, group in returned(j, level, keyword):
        wanted = len({text(instance, counted) for instance in group})
        found = text(attributes_of(message), keyword)
        yield judged(
            found.isdigit() and int(found) == wanted,
            f"{keyword} is returned as {found or '(none)'}, {wanted} were stored",
            (query.request.seq, message.seq),
            expected=str(wanted),
            actual=found or "(absent)",
            locator=keyword,
            why="A display tells by the count whether it has everything.",
        )


def modalities_in_study(j: Journal) -> Iterator[Observation]:
    yield from matching(j, "STUDY", frozenset({"ModalitiesInStudy"}), "A user narrows the list down to a modality.")
    for query, message, group in returned(j, "STUDY", "ModalitiesInStudy"):
        wanted = {text(instance, "Modality") for instance in group} - {""}
        found = {part.strip() for part in text(attributes_of(message), "ModalitiesInStudy").split("\\")} - {""}
        if wanted:
            yield same_set(
                wanted,
                found,
                what="Modalities in Study",
                evidence=(query.request.seq, message.seq),
                locator="ModalitiesInStudy",
                why="A study that has two modalities is found by either.",
            )


def birth_date_and_sex(j: Journal) -> Iterator[Observation]:
    for keyword in ("PatientBirthDate", "PatientSex"):
        yield from _value(j, "STUDY", keyword, "A user tells patients of one name apart by these.")


def study_counts(j: Journal) -> Iterator[Observation]:
    yield from _count(j, "STUDY", "NumberOfStudyRelatedSeries", "SeriesInstanceUID")
    yield from _count(j, "STUDY", "NumberOfStudyRelatedInstances", "SOPInstanceUID")


def referring_physician(j: Journal) -> Iterator[Observation]:
    yield from matching(j, "STUDY", frozenset({"ReferringPhysicianName"}), "A user looks for the own patients.")
    yield from _value(j, "STUDY", "ReferringPhysicianName", "A user looks for the own patients.")


def series_counts(j: Journal) -> Iterator[Observation]:
    yield from _count(j, "SERIES", "NumberOfSeriesRelatedInstances", "SOPInstanceUID")


def series_request_attributes(j: Journal) -> Iterator[Observation]:
    for keyword in ("RequestedProcedureID", "ScheduledProcedureStepID"):
        for query, message, group in returned(j, "SERIES", keyword):
            wanted = {
                text(item, keyword) for instance in group for item in items(instance, "RequestAttributesSequence")
            } - {""}
            found = find(attributes_of(message), keyword)
            if wanted:
                yield judged(
                    found in wanted,
                    f"{keyword} of the series is returned as {found or '(none)'}",
                    (query.request.seq, message.seq),
                    expected=sorted(wanted),
                    actual=found or "(absent)",
                    locator=f"RequestAttributesSequence.{keyword}",
                )
    for keyword in ("PerformedProcedureStepStartDate", "PerformedProcedureStepStartTime"):
        yield from _value(j, "SERIES", keyword, "")


def image_values(j: Journal) -> Iterator[Observation]:
    for keyword in table.IMAGE_RETURN_KEYS:
        yield from _value(j, "IMAGE", keyword, "A display decides by it whether and how it can show the image.")


def retrieve_title_and_level_returned(j: Journal) -> Iterator[Observation]:
    for query in queries(j):
        level = level_of(query)
        for message in query.pending:
            attributes = attributes_of(message)
            # only the lowest level needs a value: above it zero length says "ask further down" (PS3.4 C.4.1.1.3.2)
            says = valued if level == "IMAGE" else (lambda found, keyword: keyword in found)
            where = says(attributes, "RetrieveAETitle") or (
                says(attributes, "StorageMediaFileSetID") and says(attributes, "StorageMediaFileSetUID")
            )
            echoed = text(attributes, "QueryRetrieveLevel")
            title = shown(attributes.get("RetrieveAETitle"))
            yield judged(
                bool(where) and echoed == level,
                f"{message.label} has the Retrieve AE Title {title} and the level {echoed or '(none)'}",
                (query.request.seq, message.seq),
                expected=f"a Retrieve AE Title (or a file-set ID and UID) and the level {level}",
                actual=f"{title}, {echoed or '(absent)'}",
                locator="RetrieveAETitle, QueryRetrieveLevel",
                why="A display that does not know whom to ask cannot retrieve.",
            )


_Function = Callable[[Journal], Iterator[Observation]]
_ROWS: tuple[tuple[str, str, _Function, str], ...] = (
    ("query-scp-modalities", "RAD-14-SCP-03", modalities_in_study, "Modalities in Study"),
    ("query-scp-patient", "RAD-14-SCP-04", birth_date_and_sex, "Birth date and sex are returned"),
    ("query-scp-study-counts", "RAD-14-SCP-05", study_counts, "Counts of a study are right"),
    ("query-scp-physician", "RAD-14-SCP-06", referring_physician, "Referring physician"),
    ("query-scp-series-counts", "RAD-14-SCP-08", series_counts, "Counts of a series are right"),
    ("query-scp-series-request", "RAD-14-SCP-09", series_request_attributes, "Request data of a series"),
    ("query-scp-image-values", "RAD-14-SCP-11", image_values, "Values of an image are returned"),
    ("query-scp-retrieve", "RAD-14-SCP-12", retrieve_title_and_level_returned, "Where to retrieve from"),
)

CHECKS: tuple[Check, ...] = tuple(check(id, req, "RAD-14", function, title) for id, req, function, title in _ROWS)
