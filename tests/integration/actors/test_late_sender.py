"""A product that still sends for the scenario before: on the wire, through the nodes of our actors."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from pydicom.dataset import Dataset

from harness.actors.image_manager import ImageManager
from harness.actors.pps_manager import PpsManager
from harness.core.message import Direction
from harness.core.transcript import Recorder, Transcript
from harness.protocols.dicom.node import Node, Proposal

MPPS = "1.2.840.10008.3.1.2.3.3"
CT = "1.2.840.10008.5.1.4.1.1.2"


@dataclass
class Scene:
    recorder: Recorder
    manager: PpsManager
    archive: ImageManager
    product: Node

    def step(self, kind: str, instance: str, study: str = "") -> None:
        data = Dataset()
        data.PerformedProcedureStepStatus = "IN PROGRESS" if study else "COMPLETED"
        if study:
            item = Dataset()
            item.StudyInstanceUID = study
            data.ScheduledStepAttributesSequence = [item]
        names = {"N-CREATE-RQ": "Affected", "N-SET-RQ": "Requested"}[kind]
        command: dict[str, Any] = {f"{names}SOPClassUID": MPPS, f"{names}SOPInstanceUID": instance}
        association = self.product.connect(self.manager.address, [Proposal(MPPS)])
        assert list(association.request(kind, command, data, abstract_syntax=MPPS))
        association.release()

    def store(self, instance: str, study: str) -> None:
        data = Dataset()
        data.SOPClassUID, data.SOPInstanceUID, data.StudyInstanceUID = CT, instance, study
        data.PatientID, data.Modality, data.SeriesInstanceUID = "P1", "CT", f"{study}.1"
        association = self.product.connect(self.archive.address, [Proposal(CT)])
        command = {"AffectedSOPClassUID": CT, "AffectedSOPInstanceUID": instance}
        assert list(association.request("C-STORE-RQ", command, data, abstract_syntax=CT))
        association.release()


@pytest.fixture
def scene() -> Iterator[Scene]:
    recorder = Recorder(Transcript())
    with PpsManager("PPSM", recorder) as manager, ImageManager("ARCHIVE", recorder) as archive:
        yield Scene(recorder, manager, archive, Node("PRODUCT", Transcript(), actor="product"))


def from_product(transcript: Transcript, kind: str) -> list[str]:
    found = transcript.select(kind, direction=Direction.FROM_SUT)
    return [str(m.fields.get("AffectedSOPInstanceUID") or m.fields.get("RequestedSOPInstanceUID")) for m in found]


def test_late_steps_and_images_are_judged_in_no_scenario(scene: Scene) -> None:
    first, second = scene.recorder.target, Transcript()
    first.note("ORDER", {"keywords": {"StudyInstanceUID": "2.25.100001"}})
    scene.step("N-CREATE-RQ", "1.3.9999.1", "2.25.100001")
    scene.recorder.turn_to(second)
    second.note("ORDER", {"keywords": {"StudyInstanceUID": "2.25.200002"}})
    # the product goes on with the first examination while the second has begun
    scene.step("N-CREATE-RQ", "1.3.9999.2", "2.25.200002")
    scene.step("N-SET-RQ", "1.3.9999.1")
    scene.store("1.3.9999.11", "2.25.100001")
    scene.store("1.3.9999.22", "2.25.200002")
    scene.step("N-SET-RQ", "1.3.9999.2")
    assert from_product(second, "N-CREATE-RQ") == ["1.3.9999.2"]
    assert from_product(second, "N-SET-RQ") == ["1.3.9999.2"]
    assert from_product(second, "C-STORE-RQ") == ["1.3.9999.22"]
    assert sorted(m.kind for m in second.late if m.kind.endswith(("-RQ", "-RSP"))) == [
        "A-ASSOCIATE-RQ",
        "A-ASSOCIATE-RQ",
        "A-RELEASE-RQ",
        "A-RELEASE-RQ",
        "C-STORE-RQ",
        "C-STORE-RSP",
        "N-SET-RQ",
        "N-SET-RSP",
    ]
    assert second.faults == ()
