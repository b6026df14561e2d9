"""HL7 actors by slug."""

from __future__ import annotations

import pytest

from harness.actors.orders.endpoint import HL7Endpoint
from harness.actors.orders.hl7 import Application
from harness.actors.orders.standing import ACTORS, Surroundings, standing
from harness.core.errors import UsageError
from harness.core.transcript import Transcript
from harness.protocols.hl7.mllp import MllpSender

A04 = "MSH|^~\\&|X|H|A|B|20260102||ADT^A04|1|P|2.3.1\rEVN||20260102\rPID|||1^^^H||A^B\rPV1||O\r"


def endpoint(name: str) -> HL7Endpoint:
    return HL7Endpoint(Transcript(), actor=name, application=Application("A", "B"))


@pytest.mark.parametrize("slug", sorted(ACTORS))
def test_each_listens_and_answers(slug: str) -> None:
    actor = standing(slug, endpoint(ACTORS[slug]), Surroundings(lambda: "1.2.3"))
    port = actor.start()
    try:
        with MllpSender(Transcript(), "127.0.0.1", port, actor="x") as sender:
            # those that keep patients take a registration, the others reject what is not theirs
            expected = "AA" if slug in ("order-placer", "order-filler") else "AR"
            assert sender.send(A04.encode()).code == expected
    finally:
        actor.stop()


def test_a_slug_without_an_hl7_side_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="order-placer"):
        standing("print-server", endpoint("Print Server"), Surroundings(lambda: "1.2.3"))
