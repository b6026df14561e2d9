"""Reports lie in repositories; a reader under test looks for them and shows them."""

from __future__ import annotations

from typing import Any

from harness.actors.actor import SimulatedActor
from harness.actors.objects import SUBJECTS
from harness.actors.presentation import objects as presentation_objects
from harness.actors.reports.repository import ExternalReportRepositoryAccess, ReportRepository
from harness.bdd import pictures
from harness.bdd.context import ScenarioContext
from harness.bdd.guests import Guests
from harness.bdd.registry import PRODUCT, given, when
from harness.bdd.steps.presenting import KNOWN_DOCUMENTS, document_of, fresh, new_uid, store_document
from harness.bdd.tables import pairs
from harness.profiles import names

_SOURCES: dict[str, type[ReportRepository]] = {
    names.REPORT_REPOSITORY: ReportRepository,
    names.EXTERNAL_REPORT_REPOSITORY: ExternalReportRepositoryAccess,
}


@given('{who:Party} holds a "{kind:Text}"', who=(PRODUCT, *_SOURCES), kind=KNOWN_DOCUMENTS)
def source_holds(scenario_context: ScenarioContext, guests: Guests, who: str, kind: str) -> None:
    """Put a document into a repository: one of ours that the product may ask, or the product itself."""
    context = scenario_context
    if who == PRODUCT:
        store_document(context, kind)
        return
    # evidence is kept when the scenario is over, so the files have to outlive the repository
    repository = guests.invite(_SOURCES[who], storage=pictures.folder(context, "repository"))
    made = presentation_objects.make("VOI window", fresh(context, SUBJECTS[0]), lambda: new_uid(context))
    document = document_of(context, kind, made.image)
    repository.preload([document])
    context.memory.setdefault("sources", {})[who] = (repository, document)


def _sources(context: ScenarioContext) -> dict[str, tuple[SimulatedActor, Any]]:
    found: dict[str, tuple[SimulatedActor, Any]] = context.memory["sources"]
    return found


def _peers(context: ScenarioContext, guests: Guests) -> str:
    addresses = [guests.address(repository) for repository, _ in _sources(context).values()]
    return " and ".join(f"{one.ae_title} at {one.host}:{one.port}" for one in addresses)


@when("the system under test queries reports by")
def product_queries_reports(scenario_context: ScenarioContext, guests: Guests, datatable: list[list[str]]) -> None:
    """Have the product look for reports in every repository of ours; the value `that patient` means its ID."""
    context = scenario_context
    _, document = next(iter(_sources(context).values()))
    keys = {
        name: str(document.PatientID) if value == "that patient" else value for name, value in pairs(datatable).items()
    }
    context.act("query-reports", peer=_peers(context, guests), keys=keys)


@when("the system under test reads the report")
def product_reads(scenario_context: ScenarioContext, guests: Guests) -> None:
    """Have the product retrieve and show the report of the first repository."""
    context = scenario_context
    repository, document = next(iter(_sources(context).values()))
    address = guests.address(repository)
    peer = f"{address.ae_title} at {address.host}:{address.port}"
    context.act("retrieve-report", peer=peer, report=str(document.SOPInstanceUID))
