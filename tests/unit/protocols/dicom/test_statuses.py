"""Status codes in words."""

from __future__ import annotations

import pytest

from harness.protocols.dicom import statuses, uids


@pytest.mark.parametrize(
    ("status", "sop_class", "kind"),
    [
        (0x0000, "", "Success"),
        (0xFF00, uids.STUDY_ROOT_FIND, "Pending"),
        (0xFE00, uids.STUDY_ROOT_FIND, "Cancel"),
        (0xB000, uids.CT_IMAGE, "Warning"),
        (0xA700, uids.CT_IMAGE, "Failure"),
        (0x0110, uids.MPPS, "Failure"),
    ],
)
def test_every_status_has_its_category(status: int, sop_class: str, kind: str) -> None:
    assert statuses.category(status) == kind
    assert statuses.describe(status, sop_class).startswith(f"0x{status:04X} {kind}")


def test_the_words_of_the_service_class() -> None:
    assert "Out of Resources" in statuses.describe(0xA700, uids.CT_IMAGE)


def test_an_unknown_one_is_said_to_be_unknown() -> None:
    assert statuses.describe(0x1234, "1.2.3") == "0x1234 Unknown"
