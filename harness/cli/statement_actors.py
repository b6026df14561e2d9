"""Statements of the simulated actors: what they serve is read from them, what they claim from the registry."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from harness.actors.acquisition import Acquisition
from harness.actors.actor import SimulatedActor
from harness.actors.evidence_creator import EvidenceCreator
from harness.actors.image_display import ImageDisplay
from harness.actors.image_manager import ImageManager
from harness.actors.media.creator import MediaCreator
from harness.actors.media.importer import MediaImporter
from harness.actors.order_filler import OrderFiller
from harness.actors.pps_manager import PpsManager
from harness.actors.presentation.softcopy import SoftcopyDisplay
from harness.actors.printing.composer import PrintComposer
from harness.actors.printing.server import PrintServer
from harness.actors.reports.reader import ReportReader
from harness.actors.reports.repository import ExternalReportRepositoryAccess, PresentationArchive, ReportRepository
from harness.core.errors import UsageError
from harness.core.transcript import Recorder, Transcript
from harness.profiles import registry
from harness.protocols.media.writing import PROFILES
from harness.statement.build import build, declared_from
from harness.statement.model import Statement

#: those with an application entity
_NETWORKED: Final[Mapping[str, Callable[[str, Recorder], SimulatedActor]]] = {
    "acquisition-modality": Acquisition,
    "evidence-creator": EvidenceCreator,
    "external-report-repository-access": ExternalReportRepositoryAccess,
    "image-display": ImageDisplay,
    "image-manager": ImageManager,
    "order-filler": OrderFiller,
    "pps-manager": PpsManager,
    "presentation-archive": PresentationArchive,
    "print-composer": PrintComposer,
    "print-server": PrintServer,
    "report-reader": ReportReader,
    "report-repository": ReportRepository,
    "softcopy-display": SoftcopyDisplay,
}
#: those that speak HL7 only: name of the actor
_HL7_ONLY: Final[Mapping[str, str]] = {"adt": "ADT", "order-placer": "Order Placer"}
#: those that meet no network: name of the actor, role of the media storage service class (PS3.10 4)
_MEDIA: Final[Mapping[str, tuple[str, str]]] = {
    MediaCreator.slug: (MediaCreator.name, "FSC"),
    MediaImporter.slug: (MediaImporter.name, "FSR"),
}
#: every simulated actor by slug
ACTORS: Final = (*_NETWORKED, *_HL7_ONLY, *_MEDIA)


def require_dicom(slug: str) -> None:
    """Raises UsageError for an actor that has nothing to say in a DICOM Conformance Statement."""
    if slug in _HL7_ONLY:
        raise UsageError(
            f"the simulated {_HL7_ONLY[slug]} speaks HL7 only and has no DICOM Conformance Statement; "
            f"ask for its Integration Statement: statement ihe --actor {slug}"
        )


def actor_statement(slug: str) -> Statement:
    """The statement of a simulated actor. Raises UsageError if there is none of that name."""
    source = f"configuration of the simulated actor {slug}"
    if slug in _HL7_ONLY:
        return _statement(_HL7_ONLY[slug], source, {})
    if slug in _MEDIA:
        name, role = _MEDIA[slug]
        return _statement(name, source, {"media": [{"profile": profile, "roles": [role]} for profile in PROFILES]})
    if slug not in _NETWORKED:
        raise UsageError(f"there is no simulated actor {slug!r}; known: {', '.join(ACTORS)}")
    actor = _NETWORKED[slug](slug.upper().replace("-", "")[:16], Recorder(Transcript()))
    try:
        served = [
            {"uid": uid, "role": "SCP", "transfer_syntaxes": list(service.transfer_syntaxes)}
            for uid, service in sorted(actor.node.services.items())
        ]
        return _statement(actor.name, source, {"sop_classes": served}, actor.ae_title)
    finally:
        actor.stop()


def _statement(name: str, source: str, more: Mapping[str, Any], ae_title: str = "") -> Statement:
    from harness import __version__

    claims = [{"profile": each.id, "actor": name} for each in registry.PROFILES if each.actor(name) is not None]
    text: dict[str, Any] = {
        "description": f"The simulated {name} of ihe-harness: a test tool, not a product for clinical use.",
        "security": [{"name": "None", "value": "no security profile; loopback or a closed test network"}],
        **more,
    }
    product = {"name": f"ihe-harness simulated {name}", "version": __version__, "vendor": "ihe-harness"}
    declared = declared_from(product, claims, text, ae_titles=[ae_title] if ae_title else [])
    return build(declared, sources=[source])
