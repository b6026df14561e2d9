"""Whether the product knows our AE titles, and we its own: found out once, before every scenario meets a refusal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.actors.actor import SimulatedActor
from harness.core.errors import EnvironmentFailure
from harness.profiles import names
from harness.protocols.dicom.errors import AssociationRejected, PeerError
from harness.protocols.dicom.node import Proposal
from harness.protocols.dicom.uids import VERIFICATION

if TYPE_CHECKING:
    from harness.bdd.lab import Lab

#: actors that only answer over DICOM, and who of ours calls them
_SERVED: Mapping[str, tuple[str, ...]] = {
    names.ORDER_FILLER: ("acquisition-modality",),
    names.PPS_MANAGER: ("acquisition-modality",),
    names.IMAGE_MANAGER: ("acquisition-modality", "image-display"),
    names.REPORT_REPOSITORY: ("report-reader",),
    names.EXTERNAL_REPORT_REPOSITORY: ("report-reader",),
}
#: actors that we call besides: with reports of commitment, and with what they retrieve
_CALLED_BACK: Mapping[str, tuple[str, ...]] = {
    names.MODALITY: ("image-manager",),
    names.EVIDENCE_CREATOR: ("image-manager",),
    names.IMAGE_DISPLAY: ("image-manager",),
}


@dataclass(frozen=True, slots=True)
class Refusal:
    """One of our actors that the product does not let in because of an AE title."""

    actor: SimulatedActor
    error: AssociationRejected

    def sentence(self, lab: Lab) -> str:
        """What is wrong, and where it is put right."""
        product, title = lab.sut.product.name, self.actor.ae_title
        if self.error.reason == 7:
            return f"{product} does not take {lab.product.ae_title} for its AE title; see [dicom] in {lab.settings.sut}"
        return (
            f"{product} does not know the AE title {title} of our {self.actor.name}; enter it there "
            f"(`ihe-harness doctor --sut {lab.settings.sut}` lists host and port)"
        )


def callers(lab: Lab) -> list[SimulatedActor]:
    """Those of our actors that will call this product."""
    slugs = [
        slug for claim in lab.sut.claims for table in (_SERVED, _CALLED_BACK) for slug in table.get(claim.actor, ())
    ]
    return [lab.actor(slug) for slug in dict.fromkeys(slugs)]


def refusals(lab: Lab) -> Iterator[Refusal]:
    """Call the product once as each; what has nothing to do with AE titles is left to the scenarios."""
    for actor in callers(lab):
        try:
            association = actor.node.connect(lab.product, [Proposal(VERIFICATION)])
            association.release()
        except AssociationRejected as error:
            if error.misaddressed:
                yield Refusal(actor, error)
        except PeerError:
            return


def remarks(lab: Lab) -> list[str]:
    """A sentence for each AE title that is not known. Raises EnvironmentFailure if nothing at all can be asked."""
    found = list(refusals(lab))
    sentences = list(dict.fromkeys(refusal.sentence(lab) for refusal in found))
    only_answers = lab.sut.hl7 is None and all(claim.actor in _SERVED for claim in lab.sut.claims)
    if found and only_answers and len(found) == len(callers(lab)):
        raise EnvironmentFailure("\n".join(sentences))
    return [f"{sentence}. What is asked under that title is not judged." for sentence in sentences]
