"""Does the time per item stay flat when there are many? The simulated actors, by the processor time of both ends."""

from __future__ import annotations

import statistics
import time
from pathlib import Path
from typing import Any

from pydicom.dataset import Dataset

from harness.actors.image_manager import ImageManager
from harness.actors.order_filler import OrderFiller
from harness.core.message import Blob
from harness.core.transcript import Transcript
from harness.protocols.dicom import uids
from harness.protocols.dicom.elements import Element, encode_elements
from harness.protocols.dicom.node import Node, Payload, Proposal
from tests.bench import corpus
from tests.bench.servers import Forgetful

SIZES = (1_000, 10_000, 100_000)


def growth(folder: Path, *, quick: bool) -> list[dict[str, Any]]:
    """Microseconds of processor time per item at each size; ``spread`` is the largest deviation from their mean."""
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
    """One Image Manager that stays: what it holds must not slow down what comes; the last 2,000 are timed."""
    times, done = [], 0
    manager = ImageManager("BENCH", Transcript(), storage=folder / "archive")
    sender = Node("LOAD", Forgetful(Transcript()), actor="load")
    with manager, sender.connect(manager.address, [Proposal(uids.CT_IMAGE)]) as association:
        for size in sizes:
            taken = []
            while done < size:
                count = min(250, size - done)
                batch = [_small(number) for number in range(done, done + count)]
                begin = time.process_time()
                for payload in batch:
                    if association.store(payload).status:
                        raise RuntimeError(f"{payload.sop_instance} was refused")
                taken.append((time.process_time() - begin) / count * 1e6)
                done += count
            times.append(statistics.median(taken[-8:]))
        held = manager.archive.index.counts()["instance"]
    if held != sizes[-1]:
        raise RuntimeError(f"{held} of {sizes[-1]} instances are in the index")
    sender.stop()
    return times


def _small(number: int) -> Payload:
    """An instance without pixels; twenty are a study."""
    instance, study = f"{corpus.ROOT}.{number}", number // 20
    elements: list[Element] = [
        (0x00080016, "UI", uids.CT_IMAGE.encode()),
        (0x00080018, "UI", instance.encode()),
        (0x00080020, "DA", b"20260101"),
        (0x00080050, "SH", f"A{study}".encode()),
        (0x00080060, "CS", b"CT"),
        (0x00100010, "PN", f"BENCH^PATIENT{study:05d}".encode()),
        (0x00100020, "LO", f"P{study:05d}".encode()),
        (0x0020000D, "UI", f"{corpus.ROOT}.1.{study}".encode()),
        (0x0020000E, "UI", f"{corpus.ROOT}.2.{study}".encode()),
        (0x00200013, "IS", str(number % 20).encode()),
    ]
    data = Blob.of(encode_elements(elements, uids.IMPLICIT_VR_LE))
    return Payload(data, uids.CT_IMAGE, instance, uids.IMPLICIT_VR_LE)


def _entries(sizes: tuple[int, ...]) -> list[float]:
    """One Order Filler that schedules more and more, asked for everything it has."""
    times: list[float] = []
    filler = OrderFiller("BENCH", Transcript())
    asker = Node("LOAD", Forgetful(Transcript()), actor="load")
    keys = Dataset()
    keys.PatientName = keys.AccessionNumber = ""
    keys.ScheduledProcedureStepSequence = [Dataset()]
    scheduled = 0
    with filler:
        for size in sizes:
            for number in range(scheduled + 1, size + 1):
                filler.schedule(corpus.scheduled(number))
            scheduled = size
            taken = []
            with asker.connect(filler.address, [Proposal(uids.MODALITY_WORKLIST)]) as association:
                for _ in association.find_iter(uids.MODALITY_WORKLIST, keys):
                    pass  # the first answer encodes each entry, once for all
                for _ in range(max(1, 20_000 // size)):
                    begin = time.process_time()
                    found = sum(answer.is_pending for answer in association.find_iter(uids.MODALITY_WORKLIST, keys))
                    taken.append((time.process_time() - begin) / size * 1e6)
                    if found != size:
                        raise RuntimeError(f"{found} of {size} entries came")
            times.append(statistics.median(taken))
    asker.stop()
    return times
