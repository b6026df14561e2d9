"""RAD-8 Modality Images Stored: grouped images, identity of objects, and refused ones (RAD TF-2 4.8)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from harness.core.check import Check, Observation
from harness.core.message import Message
from harness.profiles import facts
from harness.profiles.journal import FROM_SUT, Journal, instance_of
from harness.profiles.observe import check, judged, same_set
from harness.profiles.steps import Case
from harness.profiles.swf.checks.rad08_scu import REQUEST, label_of, modality_stores, with_step
from harness.profiles.values import items, references, shown, text, valued

# -- group case ------------------------------------------------------------------------------------------------


def grouped_images_name_every_step(j: Journal) -> Iterator[Observation]:
    for store, step in with_step(j):
        if step.case is not Case.GROUP:
            continue
        evidence = (step.create.request.seq, store.request.seq)
        yield same_set(
            (entry.step_id for entry in step.worklist),
            (text(item, "ScheduledProcedureStepID") for item in items(store.attributes, REQUEST)),
            what=f"Scheduled steps named by grouped {label_of(store)}",
            evidence=evidence,
            locator=f"{REQUEST}/ScheduledProcedureStepID",
            why="An order that is not named has no images.",
        )
        procedures = {entry.text("RequestedProcedureID") for entry in step.worklist}
        if len(procedures) < 2 and not any(valued(e.attributes, "ReferencedStudySequence") for e in step.worklist):
            continue  # the worklist names no study to refer to, and the one of the images is the planned one
        number = len(items(store.attributes, "ReferencedStudySequence"))
        yield judged(
            number == len(procedures),
            f"Grouped {label_of(store)} has {number} item(s) in Referenced Study Sequence for "
            f"{len(procedures)} procedure(s)",
            evidence,
            expected=str(len(procedures)),
            actual=str(number),
            locator="ReferencedStudySequence",
            why="Each procedure is reached through the study that was planned for it.",
        )


def grouped_accession_empty(j: Journal) -> Iterator[Observation]:
    for store, step in with_step(j):
        numbers = {entry.text("AccessionNumber") for entry in step.worklist}
        if step.case is not Case.GROUP or len(numbers) < 2:
            continue
        value = store.attributes.get("AccessionNumber")
        yield judged(
            "AccessionNumber" in store.attributes and not value,
            f"Accession Number of {label_of(store)}, which serves {len(numbers)} orders, is {shown(value)}",
            (step.create.request.seq, store.request.seq),
            expected="present with zero length",
            actual=shown(value),
            locator="AccessionNumber",
            why="One of two numbers would hide the image from whoever looks for the other.",
        )


# -- the object itself -----------------------------------------------------------------------------------------

_UID = re.compile(r"(0|[1-9]\d*)(\.(0|[1-9]\d*))+")


def instance_uids_unique(j: Journal) -> Iterator[Observation]:
    contents: dict[str, set[str]] = {}
    seqs: dict[str, list[int]] = {}
    for store in modality_stores(j):
        uid = instance_of(store)
        contents.setdefault(uid, set()).add(store.request.payload.sha256)
        seqs.setdefault(uid, []).append(store.request.seq)
    for uid, versions in contents.items():
        rooted = bool(_UID.fullmatch(uid)) and len(uid) <= 64 and uid.split(".")[0] in ("0", "1", "2")
        yield judged(
            rooted and len(versions) == 1,
            f"SOP Instance UID {uid or '(none)'} was sent with {len(versions)} content(s)"
            + ("" if rooted else " and is no valid UID"),
            tuple(seqs[uid]),
            expected="a valid UID that stands for one object",
            actual=uid or "(absent)",
            locator="SOPInstanceUID",
            why="An archive that knows the UID drops the second object.",
        )


def refused_image_sent_again(j: Journal) -> Iterator[Observation]:
    committed = {
        uid
        for operation in j.select("N-ACTION-RQ", FROM_SUT)
        for _, uid in references(operation.attributes, "ReferencedSOPSequence")
    }
    stores = modality_stores(j)
    for store in stores:
        status = store.status
        refused = status is not None and status != 0 and not 0xB000 <= status <= 0xBFFF
        if not refused:
            continue
        uid = instance_of(store)
        again = [s for s in stores if instance_of(s) == uid and s.request.seq > store.request.seq]
        stored = any(s.status is not None and (s.status == 0 or 0xB000 <= s.status <= 0xBFFF) for s in again)
        ok = stored or uid not in committed
        yield judged(
            ok,
            f"{label_of(store)} was refused with {status:04X} and "
            + ("sent again" if again else "not sent again")
            + ("" if ok else ", but commitment was asked for it"),
            (*store.evidence, *(s.request.seq for s in again)),
            expected="sent again, or not counted as stored",
            actual="sent again" if again else "not sent again",
            locator="Status",
            why="An image that nobody stored and nobody repeats is lost.",
        )


def lost_image_recovered(j: Journal) -> Iterator[Observation]:
    for seq, data in j.facts(facts.FAULT_INJECTED):
        if data.get("fault") not in ("store-refused", "store-aborted"):
            continue
        stores = modality_stores(j)
        hit = [s for s in stores if s.status not in (0, None) or s.final is None]
        for store in hit:
            uid = instance_of(store)
            again = [s for s in stores if instance_of(s) == uid and s.request.seq > store.request.seq]
            told = _product_reported(j, store.request)
            yield judged(
                bool(again) or told,
                f"{label_of(store)} was lost ({data.get('fault')}) and "
                + ("sent again" if again else "reported to the user" if told else "neither sent again nor reported"),
                (seq, store.request.seq, *(s.request.seq for s in again)),
                expected="queued, sent again or reported",
                actual="sent again" if again else "reported" if told else "nothing",
                locator="message order",
                why="An image that is taken for stored may be deleted at the modality.",
            )


def _product_reported(j: Journal, message: Message) -> bool:
    """Whether the driver said that the product shows a failure for what it was asked before this message."""
    action = j.action_before(message.seq)
    outcome = (action or {}).get("outcome") or {}
    answers = outcome.get("answers") or {}
    return bool(answers.get("error")) or outcome.get("state") == "failed"


_ROWS = (
    ("store-group-items", "RAD-8-SCU-15", grouped_images_name_every_step, "Grouped images name every step"),
    ("store-group-accession", "RAD-8-SCU-16", grouped_accession_empty, "Grouped images have no accession number"),
    ("store-uid", "RAD-8-SCU-17", instance_uids_unique, "SOP Instance UIDs are valid and unique"),
    ("store-refused", "RAD-8-SCU-19", refused_image_sent_again, "A refused image is not counted as stored"),
    ("store-lost", "EX-26", lost_image_recovered, "A lost image is sent again or reported"),
)

CHECKS: tuple[Check, ...] = tuple(check(id, req, "RAD-8", function, title) for id, req, function, title in _ROWS)
