"""A product that goes away while it is observed: what it agreed to until then is kept, and the end is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.cli.main import call
from harness.core.transcript import Transcript
from harness.protocols.dicom.node import Address, Node, Response
from harness.protocols.dicom.uids import CT_IMAGE, VERIFICATION
from harness.statement.codec import load_statement
from harness.statement.probe import Limits, probe


@pytest.fixture
def product() -> Node:
    node = Node("ARCHIE", Transcript(), actor="product")
    node.serve([VERIFICATION, CT_IMAGE], lambda request: Response())
    node.start()
    return node


def test_what_was_seen_before_the_product_went_away_is_kept(product: Node) -> None:
    def progress(text: str) -> None:
        if text.startswith("transfer syntaxes"):
            product.stop()

    found = probe(
        Address("ARCHIE", "127.0.0.1", product.port),
        limits=Limits(pause=0),
        sop_classes=(VERIFICATION, CT_IMAGE),
        progress=progress,
    )
    assert found.accepted == [VERIFICATION, CT_IMAGE]
    assert "cannot be reached" in found.gone
    assert found.left_out == ["transfer syntaxes", "roles", "called AE title", "calling AE title"]


def test_the_statement_is_written_and_the_exit_code_says_environment(
    product: Node, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    negotiated = product.port
    monkeypatch.setattr("harness.statement.probe._Sweep._syntaxes", lambda sweep, classes: product.stop())
    out = tmp_path / "seen.json"
    assert call(["observe", f"127.0.0.1:{negotiated}", "--ae", "ARCHIE", "--pause", "0", "--out", str(out)]) == 3
    assert "went away in the midst of it" in capsys.readouterr().err
    text = out.read_text(encoding="utf-8")
    assert load_statement(out)
    assert CT_IMAGE in text
    assert "could not be reached any more" in text
