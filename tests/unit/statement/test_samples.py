"""The statements in ``reports/sample`` agree with what the products' own documents and configuration say."""

from __future__ import annotations

import fnmatch
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from harness.protocols.dicom import uids
from harness.statement.probe import SERVICES
from harness.statement.vocabulary import name_of

HERE = Path(__file__).parent
SAMPLES = HERE.parents[2] / "reports" / "sample" / "statements"
ROOT = "1.2.840.10008."
#: what a probe asks for; the rest of a document cannot be seen from outside
ASKED = frozenset((*SERVICES, *uids.STORAGE))


def documents() -> dict[str, Any]:
    return tomllib.loads((HERE / "documents.toml").read_text("utf-8"))


def listed(words: str) -> frozenset[str]:
    """UIDs of a list in ``documents.toml``."""
    return frozenset(ROOT + word for word in words.split())


def rows(product: str) -> list[list[str]]:
    """The cells of every table row of a sample."""
    lines = (SAMPLES / f"{product}.md").read_text("utf-8").splitlines()
    return [[cell.strip(" `") for cell in line.strip("|").split(" | ")] for line in lines if line.startswith("| ")]


def services(product: str) -> dict[str, tuple[bool, bool]]:
    """SOP Class UID -> (as SCU, as SCP), from the overview of a sample."""
    return {
        row[2]: (row[3].endswith("yes"), row[4].endswith("yes"))
        for row in rows(product)
        if len(row) == 5 and re.fullmatch(r"[\d.]{10,}", row[2])
    }


def syntaxes(product: str, sop_class: str) -> set[str]:
    """Names of the transfer syntaxes of a SOP class as SCP in a sample."""
    return {
        name
        for row in rows(product)
        if len(row) == 5 and row[1] == sop_class and row[2] == "SCP"
        for name in row[3].split("; ")
    }


@pytest.mark.parametrize("product", ["dcmqrscp", "storescp", "wlmscpfs"])
def test_a_sample_lists_as_provider_what_the_manual_lists(product: str) -> None:
    manual = listed(documents()[product]["scp"])
    shown = {uid for uid, (_, scp) in services(product).items() if scp}
    assert shown
    assert shown - manual == set()
    assert (manual & ASKED) - shown == set()


def test_the_sample_of_dcmqrscp_lists_as_user_what_the_manual_lists() -> None:
    """What it proposes for C-MOVE is the user's list; with roles (C-GET) it sends what it stores as well."""
    facts = documents()["dcmqrscp"]
    shown = {uid for uid, (scu, _) in services("dcmqrscp").items() if scu}
    assert shown - listed(facts["scp"]) - listed(facts["scu"]) == set()
    # it has no verification of its own: the manual names what the library could do
    assert listed(facts["scu"]) - shown == {uids.VERIFICATION}


@pytest.mark.parametrize(
    ("product", "sop_class"),
    [("dcmqrscp", uids.CT_IMAGE), ("storescp", uids.CT_IMAGE), ("wlmscpfs", uids.MODALITY_WORKLIST)],
)
def test_transfer_syntaxes_of_a_sample_are_those_of_the_manual(product: str, sop_class: str) -> None:
    manual = {name_of(uid) for uid in listed(documents()[product]["transfer_syntaxes"])}
    assert syntaxes(product, sop_class) == manual


def test_the_sample_of_orthanc_agrees_with_its_configuration() -> None:
    facts = documents()["orthanc"]
    accepted = {
        name_of(uid) for uid in uids.ALL_TRANSFER_SYNTAXES if fnmatch.fnmatch(uid, facts["accepted_transfer_syntaxes"])
    }
    assert syntaxes("orthanc", uids.CT_IMAGE) == {name.replace("[", "\\[").replace("]", "\\]") for name in accepted}
    assert ["Maximum PDU size received, bytes", str(facts["maximum_pdu"])] in rows("orthanc")
