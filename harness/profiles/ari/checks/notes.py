"""RAD-29: key image notes as a modality or an evidence creator makes them (PS3.3 A.35.4, PS3.16 TID 2010)."""

from __future__ import annotations

from collections.abc import Iterator

from harness.core.check import Check, Observation
from harness.profiles.ari.checks import content
from harness.profiles.ari.mapping import documents as table
from harness.profiles.journal import Journal, Operation, instance_of
from harness.profiles.observe import check, judged
from harness.profiles.values import items, listed, text

#: a note has no other list (PS3.3 Table C.17.6-2)
_CURRENT = ("CurrentRequestedProcedureEvidenceSequence",)
_IDENTICAL = ("IdenticalDocumentsSequence",)
_WHY = "A colleague who opens the note has to see what was meant, and why."


def notes(j: Journal) -> Iterator[Operation]:
    """Key image notes that the system under test stored or delivered."""
    for store in (*j.stores, *j.deliveries):
        if store.sop_class == table.KEY_OBJECT_SELECTION or text(store.attributes, "Modality") == "KO":
            yield store


def class_and_modality(j: Journal) -> Iterator[Observation]:
    for store in notes(j):
        found = (store.sop_class, text(store.attributes, "Modality"))
        yield judged(
            found == (table.KEY_OBJECT_SELECTION, "KO"),
            f"{store.request.label} has class {found[0]} and modality {found[1] or '(none)'}",
            (store.request.seq,),
            expected=f"{table.KEY_OBJECT_SELECTION}, KO",
            actual=", ".join(found),
            locator="SOPClassUID, Modality",
            why="Displays look for key image notes by class and modality.",
        )


def template_and_title(j: Journal) -> Iterator[Observation]:
    for store in notes(j):
        ds = store.attributes
        problems = list(content.tree_problems(ds, table.KEY_OBJECT_SELECTION))
        template, known = content.template_of(ds), content.member(content.title(ds)[:2], 7010)
        if template != "2010":
            problems.append(("1", f"the template is {template or '(none)'}"))
        if known is False:
            problems.append(("1", f"the title {content.title(ds)} is not in CID 7010"))
        yield judged(
            False if problems else known,
            f"{store.request.label} follows TID 2010 with the title {content.title(ds)[2] or '(none)'}"
            if not problems
            else f"{store.request.label}: {listed(f'{place}: {problem}' for place, problem in problems)}",
            (store.request.seq,),
            expected="TID 2010 with a title of CID 7010",
            actual=listed(problem for _, problem in problems) or "TID 2010",
            locator=problems[0][0] if problems else "ContentTemplateSequence",
            why=_WHY,
        )


def title_is_modified(j: Journal) -> Iterator[Observation]:
    """One modifier of the group is enough: further ones are free (TID 2010 row 2)."""
    for store in notes(j):
        title = content.title(store.attributes)
        group = table.MODIFIED.get(title[:2])
        modifiers = [
            content.value_code(item)
            for _, item in content.walk(store.attributes)
            if content.name_of(item) == table.TITLE_MODIFIER
        ]
        if group is None or (not modifiers and title[:2] != table.BEST_IN_SET):
            continue
        known = [content.member(modifier, group) for modifier in modifiers]
        said = listed(f"{value} ({scheme})" for value, scheme in modifiers) or "nothing"
        yield judged(
            True if True in known else None if None in known else False,
            f"{store.request.label} modifies its title {title[2]} by {said}",
            (store.request.seq,),
            expected=f"a concept of CID {group}",
            actual=said,
            locator="ContentSequence",
            why=_WHY,
        )


def one_description(j: Journal) -> Iterator[Observation]:
    for store in notes(j):
        found = [item for _, item in content.walk(store.attributes) if content.name_of(item) == table.DESCRIPTION]
        texts = [item for _, item in content.walk(store.attributes) if text(item, "ValueType") == "TEXT"]
        yield judged(
            len(found) <= 1 and len(texts) == len(found),
            f"{store.request.label} has {len(found)} description(s) and {len(texts)} text item(s)",
            (store.request.seq,),
            expected="at most one text, the Key Object Description",
            actual=f"{len(found)} of {len(texts)}",
            locator="ContentSequence",
            why=_WHY,
        )


def references_listed(j: Journal) -> Iterator[Observation]:
    for store in notes(j):
        ds = store.attributes
        named, missing = content.referenced_in_content(ds), content.unlisted(ds, _CURRENT)
        yield judged(
            bool(named) and not missing,
            f"{store.request.label} refers to {len(named)} instance(s), {len(missing)} of them not listed as evidence",
            (store.request.seq,),
            expected="at least one reference, all of them in Current Requested Procedure Evidence Sequence",
            actual=listed(missing) or f"{len(named)} listed",
            locator="CurrentRequestedProcedureEvidenceSequence",
            why="Whoever moves the note has to know from the list what belongs to it.",
        )


def several_studies(j: Journal) -> Iterator[Observation]:
    stored = {instance_of(store) for store in j.stores}
    for store in notes(j):
        ds = store.attributes
        studies = {text(s, "StudyInstanceUID") for s in items(ds, "CurrentRequestedProcedureEvidenceSequence")} - {""}
        identical = items(ds, "IdenticalDocumentsSequence")
        others = {text(study, "StudyInstanceUID") for study in identical}
        own = text(ds, "StudyInstanceUID")
        if not studies:
            continue
        lost = content.listed_evidence(ds, _IDENTICAL) - stored if store in j.stores else set()
        ok = not identical if len(studies) == 1 else studies - {own} <= others and not lost
        yield judged(
            ok,
            f"{store.request.label} refers to {len(studies)} study(s) and names {len(identical)} identical document(s)"
            + (f", {len(lost)} of them never stored" if lost else ""),
            (store.request.seq,),
            expected="no identical document"
            if len(studies) == 1
            else f"one in each of {listed(sorted(studies - {own}))}",
            actual=listed(sorted(others)) or "none",
            locator="IdenticalDocumentsSequence",
            why="A note is found in a study only if it lies in that study.",
        )


_ROWS = (
    ("note-class", "RAD-29-OBJ-01", class_and_modality, "a key image note is a key object selection"),
    ("note-template", "RAD-29-OBJ-02", template_and_title, "a key image note follows its template"),
    ("note-reason", "RAD-29-OBJ-03", title_is_modified, "what a title says is modified by code"),
    ("note-description", "RAD-29-OBJ-04", one_description, "a key image note has at most one text"),
    ("note-references", "RAD-29-OBJ-05", references_listed, "what a note refers to is listed as evidence"),
    ("note-several-studies", "RAD-29-OBJ-06", several_studies, "a note over several studies lies in each of them"),
)

CHECKS: tuple[Check, ...] = tuple(
    check(id, row, "RAD-29 RAD-30 RAD-31", function, title) for id, row, function, title in _ROWS
)
