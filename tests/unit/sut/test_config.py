"""The SUT file: what is read, and how mistakes are named."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.core.errors import ConfigurationError
from harness.sut.config import SutFile, load_sut

GOOD = """
[product]
name = "Acme CT"
[[claims]]
profile = "SWF"
actor = "Acquisition Modality"
transactions = ["RAD-5"]
options = ["Broad Worklist Query"]
[dicom]
ae_title = "ACME"
port = 11112
[driver]
kind = "manual"
"""


def read(folder: Path, text: str) -> SutFile:
    path = folder / "sut.toml"
    path.write_text(text, encoding="utf-8")
    return load_sut(path)


def test_a_good_file_is_read(tmp_path: Path) -> None:
    sut = read(tmp_path, GOOD)
    assert sut.product.name == "Acme CT"
    assert sut.declaration().actors == {"Acquisition Modality"}
    assert sut.declaration().ae_titles == {"ACME"}


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ('kind = "manual"', 'kind = "magic"', ("[driver]", "kind", "'manual'", "'silent'", "'magic'")),
        ("port = 11112", 'port = "11112"', ("[dicom]", "port", "integer", "'11112'")),
        ("port = 11112", "port = 99999", ("[dicom]", "port", "65535")),
        ("port = 11112", "prot = 11112", ("[dicom]", "prot", "unknown key", "ae_title", "port")),
        ('ae_title = "ACME"', 'ae_title = "THIS TITLE IS TOO LONG"', ("[dicom]", "ae_title", "16 characters")),
        ('ae_title = "ACME"', r'ae_title = "A\\B"', ("[dicom]", "ae_title", "backslash")),
        ('profile = "SWF"', 'profile = "SFW"', ("claims#1", "profile", "'SWF'", "'SFW'")),
        ('name = "Acme CT"', "", ("[product]", "name", "missing")),
        ('[product]\nname = "Acme CT"', "", ("product", "missing")),
        ("[driver]", "[harness.actors.printer]\nport = 1\n[driver]", ("harness", "printer", "order-filler")),
        ("[product]", "[product", ("not valid TOML",)),
    ],
)
def test_a_mistake_is_named_with_file_table_key_and_what_is_expected(
    tmp_path: Path, old: str, new: str, named: tuple[str, ...]
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        read(tmp_path, GOOD.replace(old, new))
    message = str(caught.value)
    assert "sut.toml" in message
    for word in named:
        assert word in message


def test_every_mistake_is_listed_at_once(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as caught:
        read(tmp_path, GOOD.replace("port = 11112", 'port = "x"').replace('kind = "manual"', "kind = 3"))
    assert "port" in str(caught.value)
    assert "kind" in str(caught.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"nothing\.toml.*no such file"):
        load_sut(tmp_path / "nothing.toml")


def test_what_is_not_claimed_does_not_apply(tmp_path: Path) -> None:
    sut = read(tmp_path, GOOD)
    swf, modality = frozenset({"SWF", "SWF.b"}), "Acquisition Modality"
    assert sut.supports(swf, modality, frozenset({"RAD-5"}), frozenset()) == ""
    assert sut.supports(swf, modality, frozenset({"RAD-5"}), frozenset({"Broad Worklist Query"})) == ""
    assert "not claimed" in sut.supports(swf, "Image Display", frozenset({"RAD-14"}), frozenset())
    assert "not claimed" in sut.supports(frozenset({"PDI"}), modality, frozenset({"RAD-47"}), frozenset())
    assert "RAD-6" in sut.supports(swf, modality, frozenset({"RAD-6"}), frozenset())
    assert "Group" in sut.supports(swf, modality, frozenset({"RAD-5"}), frozenset({"Modality Group Case"}))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[driver.actions.query-wroklist]\nargv = ["x"]', "there is no action 'query-wroklist'; near: query-worklist"),
        ('[driver.actions.verify]\nurl = "http://x"', "the action 'verify' needs argv"),
        ('[process]\nargv = ["x"]\n[process.ready]\ntcp = ["abc"]', 'a probe is "host:port"'),
        ('[process]\nargv = ["x"]\n[process.ready]\ntcp = ["localhost:99999"]', 'a probe is "host:port"'),
    ],
)
def test_actions_and_probes_that_cannot_work_are_named(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        read(tmp_path, GOOD.replace('"manual"', '"command"') + text)
    assert said in str(caught.value)


def test_the_smallest_file_of_the_reference_page_is_one(tmp_path: Path) -> None:
    page = (Path(__file__).resolve().parents[3] / "docs" / "reference" / "sut-file.md").read_text(encoding="utf-8")
    example = page.partition("```toml\n")[2].partition("```")[0]
    path = tmp_path / "sut.toml"
    path.write_text(example, encoding="utf-8")
    assert load_sut(path).harness.actors["image-display"].port == 11113


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ('certificate = "c.pem"', "needs ca to check client certificates"),
        (
            'certificate = "c.pem"\nclient_certificate_required = false\ncheck_host_name = true',
            "check_host_name needs ca",
        ),
        ('ca = "ca.pem"', "certificate"),
        ('certificate = "c.pem"\nca = "ca.pem"\nprofile = "ssl3"', "'non-downgrading'"),
    ],
)
def test_tls_that_cannot_work_is_named(tmp_path: Path, table: str, said: str) -> None:
    with pytest.raises(ConfigurationError, match=said):
        read(tmp_path, f"{GOOD}[tls]\n{table}\n")


def test_the_reference_modality_speaks_tls(tmp_path: Path) -> None:
    tls = '[tls]\ncertificate = "c.pem"\nca = "ca.pem"\n'
    for text in (GOOD, GOOD.replace('"manual"', '"reference"')):
        assert read(tmp_path, text + tls).tls is not None
