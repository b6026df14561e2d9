"""RAD-43 and RAD-44: evidence documents as they are made (PS3.3 A.35, C.17.2), and as a display looks for them."""

from __future__ import annotations

from collections.abc import Iterator

from harness.core.check import Check, Observation
from harness.profiles import names
from harness.profiles.ari.checks import content
from harness.profiles.ari.mapping import documents as table
from harness.profiles.cpi.checks import retrieval
from harness.profiles.journal import Journal, Operation, instance_of
from harness.profiles.observe import check, judged
from harness.profiles.values import listed, normal_name, text

_CONTEXT = ("PatientID", "PatientName", "StudyInstanceUID")


def evidence_documents(j: Journal) -> Iterator[Operation]:
    """Structured reports that the system under test made and stored; key image notes are judged elsewhere."""
    for store in j.stores:
        if store.sop_class == table.KEY_OBJECT_SELECTION:
            continue
        if store.sop_class.startswith(table.SR_CLASSES) or text(store.attributes, "Modality") == "SR":
            yield store


def well_formed(j: Journal) -> Iterator[Observation]:
    for store in evidence_documents(j):
        problems = content.problems_of(store)
        yield judged(
            not problems,
            f"Evidence document {instance_of(store)} "
            + (f"is not well formed: {listed(problems, 4)}" if problems else "follows its IOD"),
            (store.request.seq,),
            expected="a structured report by its IOD",
            actual=listed(problems, 4) or "well formed",
            locator="data set",
            why="Whoever reads it shows what it understands; the rest is lost or wrong.",
        )


def references_listed(j: Journal) -> Iterator[Observation]:
    for store in evidence_documents(j):
        named, missing = content.referenced_in_content(store.attributes), content.unlisted(store.attributes)
        if not named:
            continue
        yield judged(
            not missing,
            f"Evidence document {instance_of(store)} refers to {len(named)} instance(s), {len(missing)} of them not "
            "listed as evidence",
            (store.request.seq,),
            expected="all of them in Current Requested Procedure or Pertinent Other Evidence Sequence",
            actual=listed(missing) or f"{len(named)} listed",
            locator="CurrentRequestedProcedureEvidenceSequence",
            why="Whoever moves the document has to know from the list what belongs to it.",
        )


def of_the_same_patient(j: Journal) -> Iterator[Observation]:
    """Against the instances that it refers to, as far as we delivered them or saw them stored."""
    known = {instance_of(o): o for o in (*j.ours, *j.stores)}
    for store in evidence_documents(j):
        ds, study = store.attributes, text(store.attributes, "StudyInstanceUID")
        sources = [known[uid] for uid in sorted(content.referenced_in_content(ds)) if uid in known]
        own = next((o for o in sources if text(o.attributes, "StudyInstanceUID") == study), None)
        if not sources:
            continue
        source = own or sources[0]
        different = [
            keyword
            for keyword in _CONTEXT
            if normal_name(text(ds, keyword)) != normal_name(text(source.attributes, keyword))
        ]
        yield judged(
            not different,
            f"Evidence document {instance_of(store)} "
            + (f"has another {listed(different)} than its source" if different else "is of the patient of its source"),
            (store.request.seq, source.request.seq),
            expected=", ".join(text(source.attributes, keyword) for keyword in _CONTEXT),
            actual=", ".join(text(ds, keyword) for keyword in _CONTEXT),
            locator=listed(different) or "PatientID",
            why="A document under the wrong patient or study is worse than none.",
        )


def documents_found(j: Journal) -> Iterator[Observation]:
    """A display under test looks for them as a reader looks for reports."""
    if names.IMAGE_DISPLAY in j.sut.actors or not j.sut.actors:
        yield from retrieval.finds_modality(j, "SR", table.READER_KEYS, "A user picks the document by these.")


_ROWS = (
    ("evidence-well-formed", "RAD-43-OBJ-01", well_formed, "an evidence document follows its IOD"),
    ("evidence-references", "RAD-43-OBJ-02", references_listed, "what an evidence document refers to is listed"),
    ("evidence-patient", "RAD-43-OBJ-03", of_the_same_patient, "an evidence document is of its source's patient"),
)

CHECKS: tuple[Check, ...] = (
    *(check(id, row, "RAD-43", function, title) for id, row, function, title in _ROWS),
    check("display-finds-documents", "RAD-44-SCU-01", "RAD-44", documents_found, "the display looks for documents"),
)
