"""Seeded defects of simulated actors, so that they can stand in for defective products.

Each replaces one decision of a frozen behaviour; ``breaks`` names the requirements that must be found broken.
Variants are legal but unusual: nothing may be found broken.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from harness.actors.defects.archive import ARCHIVE_DEFECTS, ARCHIVE_VARIANTS
from harness.actors.defects.archive_steps import ARCHIVE_STEP_DEFECTS
from harness.actors.defects.documents import (
    EXTERNAL_DEFECTS,
    PRESENTATION_ARCHIVE_DEFECTS,
    READER_DEFECTS,
    REPOSITORY_DEFECTS,
)
from harness.actors.defects.evidence import EVIDENCE_DEFECTS, STATE_DEFECTS
from harness.actors.defects.imaging import CREATOR_DEFECTS, DISPLAY_DEFECTS
from harness.actors.defects.media_creator import MEDIA_CREATOR_DEFECTS
from harness.actors.defects.media_importer import MEDIA_IMPORTER_DEFECTS
from harness.actors.defects.orders import DEFECTS as ORDERS_DEFECTS
from harness.actors.defects.orders_defect import ADT, FILLER, MANAGER, PLACER, OrdersDefect
from harness.actors.defects.orders_variants import VARIANTS as ORDERS_VARIANTS
from harness.actors.defects.print_composer import COMPOSER_DEFECTS, COMPOSER_VARIANTS
from harness.actors.defects.print_defect import PrintDefect
from harness.actors.defects.print_server import SERVER_DEFECTS, SERVER_VARIANTS
from harness.actors.defects.retrieval import (
    ARCHIVE_RETRIEVAL_DEFECTS,
    EXTERNAL_RETRIEVAL_DEFECTS,
    READER_RETRIEVAL_DEFECTS,
    REPOSITORY_RETRIEVAL_DEFECTS,
)
from harness.actors.defects.softcopy import SOFTCOPY_DEFECTS
from harness.actors.defects.steps import PPS_MANAGER_DEFECTS
from harness.actors.defects.worklist import ORDER_FILLER_DEFECTS, ORDER_FILLER_VARIANTS
from harness.actors.evidence_creator import EvidenceCreatorBehaviour
from harness.actors.image_display import ImageDisplayBehaviour
from harness.actors.image_manager_behaviour import ImageManagerBehaviour
from harness.actors.media.creator import MediaCreatorBehaviour
from harness.actors.media.importer import MediaImporterBehaviour
from harness.actors.order_filler import OrderFillerBehaviour
from harness.actors.orders.behaviour import OrdersBehaviour
from harness.actors.orders.hl7 import HL7_251
from harness.actors.pps_manager import PpsManagerBehaviour
from harness.actors.presentation.softcopy import SoftcopyBehaviour
from harness.actors.printing.composing import PrintComposerBehaviour
from harness.actors.printing.server_behaviour import PrintServerBehaviour
from harness.core.errors import UsageError


@dataclass(frozen=True, slots=True)
class Defect:
    """One way of an actor (by slug) to be wrong; ``apply`` makes a behaviour with it of one without."""

    id: str
    title: str
    actor: str
    breaks: frozenset[str]
    apply: Callable[[Any], Any]


#: HL7 sides by the name of their actor: the product that has one in v2.3.1; that of v2.5.1 has another name
_HL7_PRODUCTS = {ADT: "adt", PLACER: "order-placer", FILLER: "order-filler-hl7", MANAGER: "image-manager-hl7"}
_NEW = "-v251"

#: how an actor decides when it is healthy
HEALTHY: dict[str, Callable[[], Any]] = {
    **dict.fromkeys((slug + version for slug in _HL7_PRODUCTS.values() for version in ("", _NEW)), OrdersBehaviour),
    "evidence-creator": EvidenceCreatorBehaviour,
    "image-display": ImageDisplayBehaviour,
    "image-manager": ImageManagerBehaviour,
    "media-creator": MediaCreatorBehaviour,
    "media-importer": MediaImporterBehaviour,
    "order-filler": OrderFillerBehaviour,
    "pps-manager": PpsManagerBehaviour,
    "print-composer": PrintComposerBehaviour,
    "print-server": PrintServerBehaviour,
    "presentation-archive": ImageManagerBehaviour,
    "report-reader": ImageDisplayBehaviour,
    "report-repository": ImageManagerBehaviour,
    "softcopy-display": SoftcopyBehaviour,
    "external-report-repository-access": ImageManagerBehaviour,
}


def _listed(actor: str, rows: Sequence[tuple[str, str, str, Callable[[Any], Any]]]) -> tuple[Defect, ...]:
    return tuple(Defect(name, title, actor, frozenset(breaks.split()), apply) for name, title, breaks, apply in rows)


def _print(actor: str, rows: Sequence[PrintDefect[Any]]) -> tuple[Defect, ...]:
    return tuple(Defect(row.id, row.title, actor, row.breaks, row.apply) for row in rows)


def _hl7(rows: Sequence[OrdersDefect]) -> tuple[Defect, ...]:
    """Each on the product of the first version in which it shows."""
    return tuple(
        Defect(
            row.id,
            row.title,
            _HL7_PRODUCTS[row.actor] + (_NEW if row.versions[0] == HL7_251 else ""),
            frozenset((*row.breaks, *row.in_flows)),
            row.apply,
        )
        for row in rows
    )


DEFECTS: tuple[Defect, ...] = (
    *_listed("image-manager", ARCHIVE_DEFECTS),
    *_listed("image-manager", ARCHIVE_STEP_DEFECTS),
    *_listed("image-manager", ARCHIVE_RETRIEVAL_DEFECTS),
    *_listed("order-filler", ORDER_FILLER_DEFECTS),
    *_listed("pps-manager", PPS_MANAGER_DEFECTS),
    *_listed("image-display", DISPLAY_DEFECTS),
    *_listed("evidence-creator", CREATOR_DEFECTS),
    *_listed("evidence-creator", EVIDENCE_DEFECTS),
    *_listed("evidence-creator", STATE_DEFECTS),
    *_listed("media-creator", MEDIA_CREATOR_DEFECTS),
    *_listed("media-importer", MEDIA_IMPORTER_DEFECTS),
    *_print("print-composer", COMPOSER_DEFECTS),
    *_print("print-server", SERVER_DEFECTS),
    *_listed("presentation-archive", PRESENTATION_ARCHIVE_DEFECTS),
    *_listed("softcopy-display", SOFTCOPY_DEFECTS),
    *_listed("report-repository", REPOSITORY_DEFECTS),
    *_listed("report-repository", REPOSITORY_RETRIEVAL_DEFECTS),
    *_listed("external-report-repository-access", EXTERNAL_DEFECTS),
    *_listed("external-report-repository-access", EXTERNAL_RETRIEVAL_DEFECTS),
    *_listed("report-reader", READER_DEFECTS),
    *_listed("report-reader", READER_RETRIEVAL_DEFECTS),
    *_hl7(ORDERS_DEFECTS),
)
VARIANTS: tuple[Defect, ...] = (
    *_listed("image-manager", ARCHIVE_VARIANTS),
    *_listed("order-filler", ORDER_FILLER_VARIANTS),
    *_print("print-composer", COMPOSER_VARIANTS),
    *_print("print-server", SERVER_VARIANTS),
    *_hl7(ORDERS_VARIANTS),
)


def behaviour(actor: str, ids: Sequence[str] = ()) -> Any:
    """The behaviour of that actor with these defects. Raises UsageError for a defect that it does not have."""
    if actor not in HEALTHY:
        if ids:
            raise UsageError(f"{actor} has no defects; actors with defects: {', '.join(HEALTHY)}")
        return None
    known = {each.id: each for each in (*DEFECTS, *VARIANTS) if each.actor == actor}
    made = HEALTHY[actor]()
    for name in ids:
        if name not in known:
            raise UsageError(f"{actor} has no defect {name!r}; known: {', '.join(sorted(known))}")
        made = known[name].apply(made)
    return made


def actor_of(name: str) -> str:
    """The slug of the actor that a defect belongs to. Raises UsageError for an unknown one."""
    for each in (*DEFECTS, *VARIANTS):
        if each.id == name:
            return each.actor
    raise UsageError(f"there is no defect {name!r}; `ihe-harness list defects` shows them")
