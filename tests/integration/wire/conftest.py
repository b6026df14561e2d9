"""A node that offers everything, and one that asks."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pydicom.dataset import Dataset

from harness.core.message import Blob
from harness.core.transcript import Transcript
from harness.protocols.dicom import datasets, part10, uids
from harness.protocols.dicom.node import Node, Request, Response, Timeouts

TIMEOUTS = Timeouts(connect=3, associate=3, dimse=5, release=2, idle=20)


@pytest.fixture
def transcript() -> Transcript:
    """An empty transcript."""
    return Transcript()


def answer(text: str) -> Dataset:
    """A small data set."""
    ds = Dataset()
    ds.PatientID = text
    return ds


def image(number: int = 1, size: int = 0) -> Dataset:
    """An instance with ``size`` bytes of pixel data."""
    ds = Dataset()
    ds.SOPClassUID = uids.CT_IMAGE
    ds.SOPInstanceUID = f"1.2.3.{number}"
    ds.PatientName = "WIRE^TEST"
    ds.StudyInstanceUID, ds.SeriesInstanceUID, ds.Modality = "1.2.3", "1.2.3.0", "CT"
    if size:
        ds.PixelData = bytes(range(256)) * (size // 256)
        ds["PixelData"].VR = "OW"
    return ds


def save(ds: Dataset, path: Path, transfer_syntax: str = uids.EXPLICIT_VR_LE) -> Path:
    """Write a Part 10 file."""
    data = datasets.encode(ds, transfer_syntax)
    part10.write_part10(path, Blob.of(data), ds.SOPClassUID, ds.SOPInstanceUID, transfer_syntax)
    return path


class Actor:
    """A node that answers every service in the plainest way."""

    def __init__(self, node: Node) -> None:
        self.node = node
        self.stored: list[Request] = []
        node.serve(uids.STORAGE, self._store, scp_role=True, transfer_syntaxes=uids.ALL_TRANSFER_SYNTAXES)
        node.serve([uids.MODALITY_WORKLIST], self._find)
        node.serve([uids.STUDY_ROOT_FIND], self._wait_for_cancel)
        node.serve([uids.STUDY_ROOT_GET], self._get)
        node.serve([uids.MPPS, uids.PRINTER], self._normalized)
        node.serve([uids.STORAGE_COMMITMENT], self._commit)
        node.serve([uids.PATIENT_ROOT_FIND], self._fail)

    def _store(self, request: Request) -> Response:
        self.stored.append(request)
        return Response()

    @staticmethod
    def _find(_request: Request) -> Iterator[Response]:
        for number in range(3):
            yield Response(0xFF00, answer(str(number)))
        yield Response()

    @staticmethod
    def _wait_for_cancel(request: Request) -> Iterator[Response]:
        yield Response(0xFF00, answer("first"))
        yield Response(0xFE00 if request.cancelled.wait(5) else 0xC000)

    @staticmethod
    def _get(request: Request) -> Iterator[Response]:
        for number in range(3):
            request.association.store(image(number))
            counts = {"NumberOfRemainingSuboperations": 2 - number, "NumberOfCompletedSuboperations": number + 1}
            yield Response(0xFF00, fields=counts)
        yield Response(fields={"NumberOfCompletedSuboperations": 3})

    @staticmethod
    def _normalized(request: Request) -> Response:
        return Response(dataset=answer(request.kind) if request.kind in ("N-GET-RQ", "N-SET-RQ") else None)

    @staticmethod
    def _commit(request: Request) -> Response:
        report = request.association.n_event_report(
            uids.STORAGE_COMMITMENT, uids.STORAGE_COMMITMENT_INSTANCE, 1, answer("before the response")
        )
        return Response(report.status)

    @staticmethod
    def _fail(_request: Request) -> Response:
        raise ZeroDivisionError("a handler that fails")


@pytest.fixture
def actor(transcript: Transcript) -> Iterator[Actor]:
    """A listening node that offers everything."""
    with Node("ACTOR", transcript, actor="image_manager", timeouts=TIMEOUTS) as node:
        yield Actor(node)


@pytest.fixture
def asker(transcript: Transcript) -> Iterator[Node]:
    """A node that connects."""
    node = Node("ASKER", transcript, actor="acquisition_modality", timeouts=TIMEOUTS)
    yield node
    node.stop()
