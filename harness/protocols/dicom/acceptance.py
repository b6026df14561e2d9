"""Who may associate, and what is agreed: the answer of a node to an A-ASSOCIATE-RQ."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

from harness.protocols.dicom import items, negotiation
from harness.protocols.dicom.model import Service
from harness.protocols.dicom.pdu import MEMORABLE, AssociateAC, AssociateRQ, ae_text
from harness.protocols.dicom.uids import APPLICATION_CONTEXT

_REMEMBERED: Final = 64


@dataclass(slots=True)
class Acceptance:
    """The policy of one node; ``services`` may grow until the first association."""

    ae_title: str
    max_pdu: int
    called_ae_check: bool = False
    allowed_callers: frozenset[str] | None = None
    max_associations: int | None = None
    window: items.AsynchronousOperations | None = None
    answer_items: Callable[[AssociateRQ], Iterable[items.UserItem]] | None = None
    services: dict[str, Service] = field(default_factory=dict)
    _answers: dict[bytes, AssociateAC] = field(default_factory=dict)  # to requests that came before

    def offer(self, service: Service) -> None:
        """Add a service, or change it."""
        self._answers.clear()
        self.services[service.abstract_syntax] = service

    def decide(self, request: AssociateRQ, raw: bytes, open_now: int) -> AssociateAC | tuple[int, int, int]:
        """The answer, or result, source and reason of a refusal (PS3.8 table 9-21)."""
        if not request.protocol_version & 1:
            return 1, 2, 2
        if request.application_context != APPLICATION_CONTEXT:
            return 1, 1, 2
        if self.called_ae_check and ae_text(request.called) != self.ae_title:
            return 1, 1, 7
        if self.allowed_callers is not None and ae_text(request.calling) not in self.allowed_callers:
            return 1, 1, 3
        if self.max_associations is not None and open_now > self.max_associations:
            return 2, 3, 2
        answer = self._answers.get(raw)
        if answer is None:
            answer = negotiation.answer_for(request, self.services, self.max_pdu, tuple(self._extra(request)))
            if len(raw) <= MEMORABLE:
                if len(self._answers) >= _REMEMBERED:
                    self._answers.clear()
                self._answers[raw] = answer
        return answer

    def _extra(self, request: AssociateRQ) -> Iterator[items.UserItem]:
        asked = negotiation.operations_window(request.user_items)
        if asked is not None and self.window is not None:
            yield items.AsynchronousOperations(
                _smaller(asked.invoked, self.window.performed), _smaller(asked.performed, self.window.invoked)
            )
        if any(isinstance(item, items.UserIdentity) and item.response_requested for item in request.user_items):
            yield items.UserIdentityResponse(b"")
        if self.answer_items is not None:
            yield from self.answer_items(request)


def _smaller(left: int, right: int) -> int:
    """The smaller of two windows, where 0 is no limit."""
    return min(left, right) if left and right else left or right
