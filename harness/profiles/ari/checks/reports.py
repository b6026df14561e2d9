"""RAD-26 and RAD-27: reports as a reader looks for them and as a repository answers (PS3.4 C, O)."""

from __future__ import annotations

from collections.abc import Iterator

from harness.core.check import Check, Observation
from harness.profiles import names
from harness.profiles.ari.checks import content
from harness.profiles.ari.mapping import documents as table
from harness.profiles.cpi.checks import retrieval
from harness.profiles.journal import FROM_SUT, QUERY_FINDS, TO_SUT, Journal, Operation, instance_of
from harness.profiles.matching import asked_keys, matching_keys
from harness.profiles.observe import check, judged
from harness.profiles.swf.checks import rad14_asked, rad14_scp, rad14_scu, rad16_scp
from harness.profiles.swf.checks.rad14_scu import level_of, moves
from harness.profiles.values import attributes_of, listed, text

_IS_REPORT = retrieval.of_modality("SR")
_WHY = "A physician acts on what the report says."


# -- the reader ----------------------------------------------------------------------------------------------------


def queries(j: Journal) -> Iterator[Operation]:
    """Queries of the report reader under test."""
    if names.REPORT_READER in j.sut.actors or not j.sut.actors:
        yield from j.select("C-FIND-RQ", FROM_SUT, QUERY_FINDS)


def study_keys(j: Journal) -> Iterator[Observation]:
    for query in queries(j):
        if level_of(query) != "STUDY":
            continue
        keys = matching_keys(query.attributes)
        asked = rad14_scu.asked_of_product(j, query, "query-reports") or {}
        known = set(keys) & {*table.QUERY_KEYS, "StudyInstanceUID"}
        other = sorted(k for k, v in asked.items() if not rad14_scu.same_question(k, v, keys.get(k, "")))
        yield judged(
            bool(known) and not other,
            f"{query.request.label} looks for reports by {listed(sorted(keys)) or 'nothing'}"
            + (f", not for the {listed(other)} that the user gave" if other else ""),
            (query.request.seq,),
            expected=", ".join(f"{k}={v}" for k, v in asked.items()) or f"one of {listed(table.QUERY_KEYS)}",
            actual=", ".join(f"{key}={value}" for key, value in keys.items()) or "(no key)",
            locator=listed(other) or "identifier",
            why="What the user looks for has to reach the repository, or every report comes back.",
        )


def hierarchical(j: Journal) -> Iterator[Observation]:
    yield from rad14_scu.hierarchical_requests(j, queries(j))


def moved_to_own_storage(j: Journal) -> Iterator[Observation]:
    if names.REPORT_READER in j.sut.actors or not j.sut.actors:
        yield from rad14_scu.delivered_to_requester(j, moves(j))


def document_keys(j: Journal) -> Iterator[Observation]:
    for query in queries(j):
        if level_of(query) != "IMAGE":
            continue
        missing = [keyword for keyword in table.READER_KEYS if keyword not in asked_keys(query.attributes)]
        yield judged(
            not missing,
            f"{query.request.label} asks for " + (f"all but {listed(missing)}" if missing else "flags, date and title"),
            (query.request.seq,),
            expected=listed(table.READER_KEYS, 9),
            actual=f"missing: {listed(missing)}" if missing else "all",
            locator=listed(missing) or "identifier",
            why="A user must not take a preliminary report for a final one.",
        )


def _accepts(j: Journal, sop_class: str) -> Iterator[Observation]:
    for association in j.associations.values():
        if association.from_sut or association.request is None:
            continue
        reply = association.first("A-ASSOCIATE-AC") or association.first("A-ASSOCIATE-RJ")
        accepted = {context.get("id") for context in association.accepted}
        asked = [c for c in association.proposed if str(c.get("abstract_syntax")) == sop_class]
        if not asked or reply is None:
            continue
        ok = any(context.get("id") in accepted for context in asked)
        yield judged(
            ok,
            f"The report class {sop_class} was {'' if ok else 'not '}accepted",
            (association.request.seq, reply.seq),
            expected="accepted",
            actual="accepted" if ok else "not accepted",
            locator="presentation contexts",
            why="A report that the reader does not take cannot be read.",
        )
    for store in j.ours:
        if store.sop_class == sop_class and store.final is not None:
            ok = store.status == 0 or (store.status or 0) & 0xF000 == 0xB000
            yield judged(
                ok,
                f"Report {instance_of(store)} was answered with {store.status or 0:04X}",
                store.evidence,
                expected="0000 or a warning",
                actual=f"{store.status or 0:04X}",
                locator="Status",
                why="A report that the reader does not take cannot be read.",
            )


def basic_text_accepted(j: Journal) -> Iterator[Observation]:
    yield from _accepts(j, table.BASIC_TEXT_SR)


def enhanced_accepted(j: Journal) -> Iterator[Observation]:
    yield from _accepts(j, table.ENHANCED_SR)


# -- the repository ------------------------------------------------------------------------------------------------


def modality_listed(j: Journal) -> Iterator[Observation]:
    yield from retrieval.modality_in_study(j, "SR", "A reader looks for reports only where SR is listed.")
    for query in rad14_asked.queries(j):
        if level_of(query) != "STUDY" or "NumberOfStudyRelatedInstances" not in asked_keys(query.attributes):
            continue
        known = rad14_asked.known_instances(j, query.request.seq)
        reports = {text(i, "StudyInstanceUID") for i in known if _IS_REPORT(i)}
        for message in query.pending:
            answer = attributes_of(message)
            study = text(answer, "StudyInstanceUID")
            if study not in reports:
                continue
            wanted = len({text(i, "SOPInstanceUID") for i in known if text(i, "StudyInstanceUID") == study})
            found = text(answer, "NumberOfStudyRelatedInstances")
            yield judged(
                found == str(wanted),
                f"A study of {wanted} instance(s) with reports is counted as {found or '(none)'}",
                (query.request.seq, message.seq),
                expected=str(wanted),
                actual=found or "(absent)",
                locator="NumberOfStudyRelatedInstances",
                why="A reader tells by the count whether there is a new report.",
            )


def flags_returned(j: Journal) -> Iterator[Observation]:
    yield from retrieval.values_returned(
        j, "SR", table.FLAGS, "A user must not take a preliminary report for a final one."
    )


def delivered_unchanged(j: Journal) -> Iterator[Observation]:
    yield from retrieval.delivered_unchanged(j, _IS_REPORT, _WHY)


def reports_well_formed(j: Journal) -> Iterator[Observation]:
    for delivery in j.deliveries:
        if text(delivery.attributes, "Modality") != "SR" and delivery.sop_class not in table.STRUCTURED_REPORTS:
            continue
        problems = content.problems_of(delivery)
        if missing := content.unlisted(delivery.attributes):
            problems.append(f"{len(missing)} reference(s) are not listed as evidence")
        yield judged(
            not problems,
            f"Report {instance_of(delivery)} "
            + (f"is not well formed: {listed(problems, 4)}" if problems else "follows its IOD and template"),
            (delivery.request.seq,),
            expected="a Basic Text or Enhanced SR by its IOD, sections by TID 2000",
            actual=listed(problems, 4) or "well formed",
            locator="data set",
            why="A reader shows what it understands; the rest is lost or wrong.",
        )


def foreign_reports_identified(j: Journal) -> Iterator[Observation]:
    answers = {
        text(attributes_of(message), "StudyInstanceUID"): message
        for query in rad14_asked.queries(j)
        if level_of(query) == "STUDY"
        for message in query.pending
    }
    for delivery in j.deliveries:
        if text(delivery.attributes, "Modality") != "SR" or names.EXTERNAL_REPORT_REPOSITORY not in j.sut.actors:
            continue
        message = answers.get(text(delivery.attributes, "StudyInstanceUID"))
        if message is None:
            continue
        answer = attributes_of(message)
        different = [
            keyword
            for keyword in ("PatientID", "PatientName")
            if text(answer, keyword) and text(answer, keyword) != text(delivery.attributes, keyword)
        ]
        yield judged(
            not different,
            f"Report {instance_of(delivery)} is of the patient that the query named"
            if not different
            else f"Report {instance_of(delivery)} has another {listed(different)} than the query answered",
            (message.seq, delivery.request.seq),
            expected=f"{text(answer, 'PatientID')}, {text(answer, 'PatientName')}",
            actual=f"{text(delivery.attributes, 'PatientID')}, {text(delivery.attributes, 'PatientName')}",
            locator=listed(different) or "PatientID",
            why="A report under the wrong patient is worse than none.",
        )


def _of_repository(j: Journal) -> bool:
    return not j.sut.actors or bool(j.sut.actors & {names.REPORT_REPOSITORY, names.EXTERNAL_REPORT_REPOSITORY})


def keys_match(j: Journal) -> Iterator[Observation]:
    if _of_repository(j):
        yield from rad14_scp.study_matching(j)
        yield from rad14_scp.series_matching(j)
        yield from rad14_scp.image_matching(j)


def hierarchy_demanded(j: Journal) -> Iterator[Observation]:
    if _of_repository(j):
        yield from rad14_scp.hierarchy_demanded(j)


def retrieve_told_right(j: Journal) -> Iterator[Observation]:
    if _of_repository(j):
        yield from rad16_scp.exactly_the_requested_instances(j)
        yield from rad16_scp.counts_right(j)
        yield from rad16_scp.unknown_destination_refused(j)
        yield from rad16_scp.get_carried_out(j)


def cancel_honoured(j: Journal) -> Iterator[Observation]:
    if _of_repository(j):
        yield from rad14_scp.cancel_honoured(j)
        yield from rad16_scp.cancel_honoured(j)


# -- does the actor do its part at all -----------------------------------------------------------------------------


def _pair(j: Journal, actors: tuple[str, ...], *, asked_by_us: bool) -> Iterator[Observation]:
    """A query and a retrieve were both done, by the reader or of the repository under test."""
    if j.sut.actors and not j.sut.actors & set(actors):
        return
    direction = TO_SUT if asked_by_us else FROM_SUT
    finds = [o for o in j.select("C-FIND-RQ", direction, QUERY_FINDS) if o.status is not None]
    moves = [o for o in j.operations if o.request.kind == "C-MOVE-RQ" and o.request.direction is direction]
    if not finds or not moves:
        return
    good_find = any(o.status == 0 for o in finds)
    good_move = any(o.status == 0 or (o.status or 0) & 0xF000 == 0xB000 for o in moves)
    yield judged(
        good_find and good_move,
        f"{len(finds)} query(s) and {len(moves)} retrieve(s)"
        + ("" if good_find and good_move else ", not both with success"),
        (*finds[0].evidence, *moves[0].evidence),
        expected="a query and a retrieve with success",
        actual=f"query {'succeeded' if good_find else 'failed'}, retrieve {'succeeded' if good_move else 'failed'}",
        locator="Status",
        why="The one is of no use without the other.",
    )


def display_queries_and_retrieves(j: Journal) -> Iterator[Observation]:
    yield from _pair(j, (names.IMAGE_DISPLAY,), asked_by_us=False)


def reader_queries_and_retrieves(j: Journal) -> Iterator[Observation]:
    yield from _pair(j, (names.REPORT_READER,), asked_by_us=False)


def repository_answers(j: Journal) -> Iterator[Observation]:
    yield from _pair(j, (names.REPORT_REPOSITORY,), asked_by_us=True)


def external_access_answers(j: Journal) -> Iterator[Observation]:
    yield from _pair(j, (names.EXTERNAL_REPORT_REPOSITORY,), asked_by_us=True)


def archive_answers(j: Journal) -> Iterator[Observation]:
    yield from _pair(j, (names.IMAGE_MANAGER,), asked_by_us=True)


# -- key image notes and evidence documents in the archive ---------------------------------------------------------


def notes_found(j: Journal) -> Iterator[Observation]:
    yield from retrieval.finds_modality(
        j, "KO", ("ContentDate", "ContentTime", "ConceptNameCodeSequence"), "A user picks the note by title and date."
    )


def note_values_returned(j: Journal) -> Iterator[Observation]:
    yield from retrieval.values_returned(j, "KO", table.NOTE_RETURN, "A user picks the note by title and date.")


def notes_delivered(j: Journal) -> Iterator[Observation]:
    yield from retrieval.delivered_unchanged(j, retrieval.of_modality("KO"), "The note says which images matter.")


def evidence_documents(j: Journal) -> Iterator[Observation]:
    if j.sut.actors and not j.sut.actors & {names.IMAGE_MANAGER}:
        return
    yield from retrieval.values_returned(j, "SR", table.DOCUMENT_RETURN, "A user picks the document by these.")
    yield from retrieval.delivered_unchanged(j, _IS_REPORT, "Measurements must not change on their way.")


_ROWS = (
    ("ari-display", "ARI-ACT-01", "RAD-14 RAD-16", display_queries_and_retrieves, "the display finds and retrieves"),
    ("ari-reader", "ARI-ACT-03", "RAD-26 RAD-27", reader_queries_and_retrieves, "the reader finds and retrieves"),
    ("ari-repository", "ARI-ACT-04", "RAD-26 RAD-27", repository_answers, "the repository answers both"),
    ("ari-external", "ARI-ACT-05", "RAD-26 RAD-27", external_access_answers, "the external access answers both"),
    ("ari-archive", "ARI-ACT-06", "RAD-14 RAD-16", archive_answers, "the archive answers both"),
    ("reader-study-keys", "RAD-26-SCU-01", "RAD-26", study_keys, "the reader looks for what the user asked"),
    ("reader-document-keys", "RAD-26-SCU-02", "RAD-26", document_keys, "the reader asks for flags, date and title"),
    ("reader-hierarchical", "RAD-26-SCU-03", "RAD-26", hierarchical, "the reader's queries are hierarchical"),
    ("reader-own-storage", "RAD-27-SCU-05", "RAD-27", moved_to_own_storage, "reports are moved to the reader"),
    ("repository-modality", "RAD-26-SCP-01", "RAD-26", modality_listed, "Modalities in Study and counts know reports"),
    ("repository-flags", "RAD-26-SCP-02", "RAD-26", flags_returned, "completion and verification are returned"),
    ("repository-keys", "RAD-26-SCP-03", "RAD-26", keys_match, "keys narrow the answer in any character set"),
    ("repository-hierarchy", "RAD-26-SCP-04", "RAD-26", hierarchy_demanded, "the hierarchy is demanded"),
    ("repository-retrieve", "RAD-27-SCP-04", "RAD-27", retrieve_told_right, "a retrieve is carried out and told right"),
    ("repository-cancel", "RAD-27-SCP-05", "RAD-26 RAD-27", cancel_honoured, "a cancel is honoured"),
    ("reader-basic-text", "RAD-27-SCU-01", "RAD-27", basic_text_accepted, "the reader takes basic text reports"),
    ("reader-enhanced", "RAD-27-SCU-02", "RAD-27", enhanced_accepted, "the reader takes enhanced reports"),
    ("repository-unchanged", "RAD-27-SCP-01", "RAD-27", delivered_unchanged, "a report is delivered unchanged"),
    ("repository-well-formed", "RAD-27-SCP-02", "RAD-27", reports_well_formed, "reports follow IOD and template"),
    ("external-patient", "RAD-27-SCP-03", "RAD-27", foreign_reports_identified, "foreign reports name their patient"),
    ("display-finds-notes", "RAD-30-SCU-01", "RAD-30", notes_found, "the display looks for key image notes"),
    ("archive-note-values", "RAD-30-SCP-01", "RAD-30", note_values_returned, "title and dates of notes are returned"),
    ("archive-note-delivered", "RAD-31-SCP-01", "RAD-31", notes_delivered, "a note is delivered unchanged"),
    ("archive-documents", "RAD-44-SCP-01", "RAD-44 RAD-45", evidence_documents, "evidence documents are served alike"),
)

CHECKS: tuple[Check, ...] = tuple(check(id, row, rads, function, title) for id, row, rads, function, title in _ROWS)
