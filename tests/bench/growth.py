"""Does the time per item stay flat when there are many? Measured on the parts that the engine owns."""

from __future__ import annotations

import statistics
import time
from pathlib import Path
from typing import Any

from harness.core.transcript import Transcript
from harness.protocols.dicom import uids
from harness.protocols.dicom.elements import encode_elements
from harness.protocols.dicom.node import Node, Payload, Proposal, Request, Response
from tests.bench import corpus

SIZES = (1_000, 10_000, 100_000)


def growth(folder: Path, *, quick: bool) -> list[dict[str, Any]]:
    """Microseconds per item at each size; ``spread`` is the largest deviation from their mean."""
    folder.mkdir(parents=True)
    sizes = SIZES[:2] if quick else SIZES
    return [_entry("Small instances stored one after the other", sizes, _stores(folder, sizes)),
            _entry("Worklist entries in one answer", sizes, _entries(sizes))]  # fmt: skip


def _entry(work: str, sizes: tuple[int, ...], times: list[float]) -> dict[str, Any]:
    mean = statistics.mean(times)
    return {
        "work": work,
        "points": list(zip(sizes, times, strict=True)),
        "spread": max(abs(value - mean) for value in times) / mean,
    }


def _stores(folder: Path, sizes: tuple[int, ...]) -> list[float]:
    """One node that stays: what has been stored before must not slow down what comes; the last 1,000 are timed."""
    data = encode_elements(corpus.worklist_entry(1), uids.IMPLICIT_VR_LE)
    seen: set[str] = set()

    def store(request: Request) -> Response:
        seen.add(request.command["AffectedSOPInstanceUID"])
        return Response()

    times, done = [], 0
    node = Node("BENCH", Transcript(), actor="image_manager", spool=folder)
    node.serve([uids.CT_IMAGE], store)
    sender = Node("LOAD", Transcript(), actor="load")
    with node, sender.connect(node.address, [Proposal(uids.CT_IMAGE)]) as association:
        for size in sizes:
            taken = []
            while done < size:
                count = min(250, size - done)
                begin = time.perf_counter()
                for number in range(done, done + count):
                    command = {"AffectedSOPInstanceUID": f"{corpus.ROOT}.{number}"}
                    next(association.request("C-STORE-RQ", command, Payload.of(data), abstract_syntax=uids.CT_IMAGE))
                taken.append((time.perf_counter() - begin) / count * 1e6)
                done += count
            times.append(statistics.median(taken[-8:]))
    if len(seen) != sizes[-1]:
        raise RuntimeError(f"{len(seen)} of {sizes[-1]} instances arrived")
    sender.stop()
    return times


def _entries(sizes: tuple[int, ...]) -> list[float]:
    times = []
    for size in sizes:
        answers = [
            Response(0xFF00, encode_elements(entry, uids.IMPLICIT_VR_LE)) for entry in corpus.worklist_entries(size)
        ]
        node = Node("BENCH", Transcript(), actor="order_filler")
        node.serve([uids.MODALITY_WORKLIST], lambda _request, answers=answers: [*answers, Response()])  # type: ignore[misc]
        asker = Node("LOAD", Transcript(), actor="load")
        taken = []
        with node, asker.connect(node.address, [Proposal(uids.MODALITY_WORKLIST)]) as association:
            for _ in range(max(1, 50_000 // size)):
                begin = time.perf_counter()
                found = sum(answer.is_pending for answer in association.find_iter(uids.MODALITY_WORKLIST, b""))
                taken.append((time.perf_counter() - begin) / size * 1e6)
        times.append(statistics.median(taken))
        asker.stop()
        if found != size:
            raise RuntimeError(f"{found} of {size} entries came")
    return times
