"""The service provider side of DICOM: what is answered to a peer, on its associations and on ours."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pydicom.dataset import Dataset

from harness.modality import wire

ReportHandler = Callable[[int, Dataset], int]
StoreHandler = Callable[[bytes, str, str, str], int]


def serve_report(event: Any, handler: ReportHandler | None) -> tuple[int, Dataset | None]:
    """Answer an N-EVENT-REPORT: decode its information and let `handler` give the status."""
    request = event.request
    raw = request.EventInformation.getvalue() if request.EventInformation else b""
    try:
        information = wire.decode_dataset(raw, str(event.context.transfer_syntax))
    except ValueError:
        return 0x0110, None
    if handler is None:
        return 0x0110, None
    return handler(int(request.EventTypeID), information), None


def serve_store(event: Any, handler: StoreHandler | None) -> int:
    """Answer a C-STORE: hand the encoded data set to `handler`, which gives the status."""
    request = event.request
    if handler is None:
        return 0x0122
    return handler(
        request.DataSet.getvalue(),
        str(request.AffectedSOPClassUID),
        str(request.AffectedSOPInstanceUID),
        str(event.context.transfer_syntax),
    )
