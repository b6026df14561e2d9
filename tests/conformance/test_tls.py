"""Products over TLS: Orthanc and DCMTK's storescp with certificates on both sides, and one of them wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness import resources
from harness.core.message import Direction
from harness.core.transcript import Transcript
from harness.core.verdict import Verdict
from harness.reporting.evidence import load_transcript
from tests.certificates import certificate
from tests.conformance.conftest import Runner
from tests.peers import require_program

SUTS = resources.folder("fixtures") / "sut"
STORESCP = """
[product]
name = "storescp"
[[claims]]
profile = "SWF"
actor = "Image Manager/Archive"
transactions = ["RAD-8"]
[dicom]
ae_title = "STORESCP"
[tls]
{tls}
[process]
requires = ["storescp"]
folders = ["{{work}}/store"]
argv = ["storescp", "-xf", "/etc/dcmtk/storescp.cfg", "Default", "-od", "{{work}}/store",
  "+tls", "{{here}}/product.key", "{{here}}/product.pem", "+cf", "{{here}}/ours.pem", "{{dicom.port}}"]
[process.ready]
tcp = ["127.0.0.1:{{dicom.port}}"]
[driver]
kind = "command"
"""


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ours, the product's, a stranger's; all RSA, which every cipher suite of DCMTK can use."""
    folder = tmp_path_factory.mktemp("certificates")
    for name in ("ours", "product", "stranger"):
        certificate(folder, name, rsa_key=True)
    return folder


def table(shown: str = "ours", believed: str = "product") -> str:
    return f'certificate = "{shown}.pem"\nkey = "{shown}.key"\nca = "{believed}.pem"\n'


def storescp(certificates: Path, tls: str) -> Path:
    path = certificates / "storescp.toml"
    path.write_text(STORESCP.format(tls=tls), encoding="utf-8")
    return path


def orthanc(certificates: Path) -> Path:
    """Orthanc that speaks TLS only, in both directions, and requires certificates."""
    text = (SUTS / "orthanc.toml").read_text(encoding="utf-8")
    text = text.replace('expectations = "orthanc.expectations.toml"\n', "")
    for name, slug in (("modality", "acquisition-modality"), ("display", "image-display")):
        plain = f'"{name}": ["{{{slug}.ae_title}}", "127.0.0.1", {{{slug}.port}}]'
        assert plain in text
        secured = f'"AET": "{{{slug}.ae_title}}", "Host": "127.0.0.1", "Port": {{{slug}.port}}, "UseDicomTls": true'
        text = text.replace(plain, f'"{name}": {{ {secured} }}')
    options = {
        "DicomTlsCertificate": "product.pem",
        "DicomTlsPrivateKey": "product.key",
        "DicomTlsTrustedCertificates": "ours.pem",
    }
    more = "".join(f'  "{key}": "{certificates / name}",\n' for key, name in options.items())
    text = text.replace('  "DicomServerEnabled"', f'  "DicomTlsEnabled": true,\n{more}  "DicomServerEnabled"')
    path = certificates / "orthanc.toml"
    path.write_text(text.replace("[process]\n", f"[tls]\n{table()}\n[process]\n", 1), encoding="utf-8")
    return path


@pytest.mark.peer("orthanc")
def test_an_archive_is_judged_over_tls_in_both_directions(harness_run: Runner, certificates: Path) -> None:
    """Images are stored, committed to by a report on an association of the product's, found and delivered."""
    require_program("Orthanc")
    ran = harness_run(
        "--sut", str(orthanc(certificates)), "--only", "A study is stored, committed to, found and delivered"
    )
    (tried,) = [s for s in ran.result.scenarios if s.verdict is not Verdict.NOT_APPLICABLE]
    assert tried.verdict in (Verdict.PASS, Verdict.WARNING), (tried.reason, ran.error)
    opened = _transcript(ran.folder, tried.transcript).select("CONNECTION-OPENED")
    assert {message.fields["tls"] for message in opened} == {True}
    assert {message.fields["incoming"] for message in opened} == {True, False}


def test_the_reference_modality_works_over_tls(harness_run: Runner, certificates: Path) -> None:
    """Worklist, performed step, storage, and a commitment report on an association of ours."""
    path = certificates / "reference.toml"
    text = (SUTS / "reference.toml").read_text(encoding="utf-8")
    path.write_text(f"{text}\n[tls]\n{table(believed='ours')}", encoding="utf-8")
    ran = harness_run("--sut", str(path), "--only", "The commitment report comes on a new association")
    assert ran.code == 0, ran.error
    (tried,) = [s for s in ran.result.scenarios if s.verdict is not Verdict.NOT_APPLICABLE]
    transcript = _transcript(ran.folder, tried.transcript)
    assert len(transcript.select("N-EVENT-REPORT-RSP")) == 1
    opened = transcript.select("CONNECTION-OPENED")
    assert {message.fields["tls"] for message in opened} == {True}
    assert {message.fields["incoming"] for message in opened} == {True, False}


@pytest.mark.peer("dcmtk")
def test_what_is_stored_over_tls_is_judged(harness_run: Runner, certificates: Path) -> None:
    require_program("storescp")
    ran = harness_run(
        "--sut", str(storescp(certificates, table())), "--only", "Images of every declared class are stored"
    )
    (tried,) = [s for s in ran.result.scenarios if s.verdict is not Verdict.NOT_APPLICABLE]
    transcript = _transcript(ran.folder, tried.transcript)
    assert len(transcript.select("C-STORE-RSP", direction=Direction.FROM_SUT)) > 3, tried.reason
    assert {message.fields["tls"] for message in transcript.select("CONNECTION-OPENED")} == {True}


@pytest.mark.peer("dcmtk")
@pytest.mark.parametrize(
    ("shown", "believed", "said"),
    [("stranger", "product", "does not accept our certificate"), ("ours", "stranger", "do not trust its certificate")],
)
def test_a_wrong_certificate_is_the_environment(
    harness_run: Runner, certificates: Path, shown: str, believed: str, said: str
) -> None:
    """Exit 3 with what to look at, and not one finding about the product."""
    require_program("storescp")
    ran = harness_run("--sut", str(storescp(certificates, table(shown, believed))), "--quick")
    assert ran.code == 3, ran.error
    assert said in " ".join(ran.error.split())
    assert [finding for scenario in ran.result.scenarios for finding in scenario.findings] == []


def test_a_file_that_is_no_certificate_is_named(harness_run: Runner, certificates: Path) -> None:
    (certificates / "broken.pem").write_text("not a certificate", encoding="utf-8")
    ran = harness_run("--sut", str(storescp(certificates, table(believed="broken"))), "--quick")
    assert ran.code == 2, ran.error
    assert "[tls], key ca" in ran.error


def _transcript(folder: Path, path: str) -> Transcript:
    return load_transcript(folder, path)
