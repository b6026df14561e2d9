"""Secure DICOM Files: sealed and opened by us, by OpenSSL, changed on the way, hostile."""

from __future__ import annotations

import datetime
import random
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from harness.core.errors import UsageError
from harness.protocols.media.secure import (
    Keys,
    Protection,
    SecureMedium,
    SecureProblem,
    is_enveloped,
    open_file,
    opening,
)
from harness.protocols.media.secure.envelope import SIGNED, parse
from harness.protocols.media.secure.sealing import NAMES
from harness.protocols.media.sources import open_medium
from tests.peers import require_program

CONTENT = bytes(128) + b"DICM" + bytes(range(256)) * 40
FEW = 1000


@pytest.fixture(scope="module")
def person() -> tuple[bytes, bytes]:
    """A certificate and its private key."""
    key = rsa.generate_private_key(65537, 2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Reader")])
    start = datetime.datetime(2026, 1, 1)
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(4711)
        .not_valid_before(start).not_valid_after(start + datetime.timedelta(days=3650))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return made.public_bytes(serialization.Encoding.PEM), private


@pytest.mark.parametrize("cipher", NAMES)
def test_a_password_opens_what_it_sealed(cipher: str) -> None:
    sealed = Protection("open sesame", cipher=cipher, iterations=FEW)(CONTENT)
    assert is_enveloped(sealed[:32])
    assert b"DICM" not in sealed
    opened = open_file(sealed, Keys("open sesame"))
    assert (opened.content, opened.integrity, opened.problems) == (CONTENT, "digest", ())
    with pytest.raises(SecureProblem, match="password is wrong"):
        open_file(sealed, Keys("open sesam"))


def test_a_certificate_is_a_recipient_of_its_own(person: tuple[bytes, bytes]) -> None:
    certificate, private = person
    sealed = Protection("both", [certificate], iterations=FEW)(CONTENT)
    assert open_file(sealed, Keys(private_keys=(private,))).content == CONTENT
    assert open_file(sealed, Keys("both")).content == CONTENT
    only = Protection(certificates=[certificate])(CONTENT)
    with pytest.raises(SecureProblem, match="recipient by certificate"):
        open_file(only, Keys("both"))


def test_files_of_one_medium_share_the_salt_but_nothing_else() -> None:
    protection = Protection("x", iterations=FEW)
    one, other = parse(protection(CONTENT)), parse(protection(CONTENT))
    assert one.recipients[0].salt == other.recipients[0].salt
    assert one.recipients[0].key != other.recipients[0].key
    assert one.content != other.content


@pytest.mark.parametrize(("arguments", "said"), [
    ({}, "password or the certificate"),
    ({"password": "Schlüssel"}, "ASCII"),
    ({"password": "x", "cipher": "ROT13"}, "no cipher"),
    ({"certificates": [b"nothing"]}, "certificate cannot be read"),
])  # fmt: skip
def test_what_cannot_protect_is_refused(arguments: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        Protection(**arguments)


@pytest.mark.peer("openssl")
def test_openssl_opens_what_we_sealed(tmp_path: Path, person: tuple[bytes, bytes]) -> None:
    program = require_program("openssl")
    (tmp_path / "cert.pem").write_bytes(person[0])
    (tmp_path / "key.pem").write_bytes(person[1])
    (tmp_path / "sealed").write_bytes(Protection("pass phrase", [person[0]], iterations=FEW)(CONTENT))
    for name, way in (
        ("p", ["-pwri_password", "pass phrase"]),
        ("c", ["-recip", "cert.pem", "-inkey", "key.pem"]),
    ):
        subprocess.run(
            [program, "cms", "-decrypt", "-binary", "-inform", "DER", "-in", "sealed", "-out", name, *way],
            cwd=tmp_path, check=True, capture_output=True,
        )  # fmt: skip
        assert CONTENT in (tmp_path / name).read_bytes()


@pytest.mark.peer("openssl")
@pytest.mark.parametrize("stream", [[], ["-stream"]])
@pytest.mark.parametrize("cipher", ["-aes128", "-aes256", "-des3"])
def test_we_open_what_openssl_sealed(
    cipher: str, stream: list[str], tmp_path: Path, person: tuple[bytes, bytes]
) -> None:
    """OpenSSL puts plain data into the envelope, which the security profile of DICOM does not allow: that is told."""
    program = require_program("openssl")
    (tmp_path / "cert.pem").write_bytes(person[0])
    (tmp_path / "plain").write_bytes(CONTENT)
    for way, keys in ((["-pwri_password", "pw"], Keys("pw")), (["cert.pem"], Keys(private_keys=(person[1],)))):
        wanted = ["-in", "plain", "-outform", "DER", "-out", "e", cipher, *stream, *way]
        subprocess.run(
            [program, "cms", "-encrypt", "-binary", *wanted],
            cwd=tmp_path, check=True, capture_output=True,
        )  # fmt: skip
        opened = open_file((tmp_path / "e").read_bytes(), keys)
        assert opened.content == CONTENT
        assert [must for must, _ in opened.problems] == ["signed or digested data inside the envelope"]


@pytest.mark.peer("openssl")
@pytest.mark.parametrize(
    "options",
    [
        [],
        ["rsa_oaep_md:sha256"],
        ["rsa_oaep_md:sha256", "rsa_mgf1_md:sha1"],
        ["rsa_oaep_md:sha512", "rsa_mgf1_md:sha256"],
        ["rsa_oaep_md:sha256", "rsa_oaep_label:0102"],
    ],
)
def test_keys_that_rsa_oaep_transports_are_opened(
    options: list[str], tmp_path: Path, person: tuple[bytes, bytes]
) -> None:
    program = require_program("openssl")
    (tmp_path / "cert.pem").write_bytes(person[0])
    (tmp_path / "plain").write_bytes(CONTENT)
    how = [word for option in ("rsa_padding_mode:oaep", *options) for word in ("-keyopt", option)]
    argv = [program, "cms", "-encrypt", "-binary", "-in", "plain", "-outform", "DER", "-out", "e", "-aes256"]
    subprocess.run([*argv, "-recip", "cert.pem", *how], cwd=tmp_path, check=True, capture_output=True)
    assert open_file((tmp_path / "e").read_bytes(), Keys(private_keys=(person[1],))).content == CONTENT


@pytest.mark.peer("openssl")
@pytest.mark.parametrize("options", [[], ["-noattr"], ["-keyid"], ["-md", "sha512"]])
def test_signatures_inside_are_verified(options: list[str], tmp_path: Path, person: tuple[bytes, bytes]) -> None:
    program = require_program("openssl")
    (tmp_path / "cert.pem").write_bytes(person[0])
    (tmp_path / "key.pem").write_bytes(person[1])
    (tmp_path / "plain").write_bytes(CONTENT)
    argv = [program, "cms", "-sign", "-binary", "-nodetach", "-in", "plain", "-outform", "DER", "-out", "s"]
    key = ["-signer", "cert.pem", "-inkey", "key.pem"]
    subprocess.run([*argv, *key, *options], cwd=tmp_path, check=True, capture_output=True)
    signed = (tmp_path / "s").read_bytes()
    assert opening.unwrapped(signed, SIGNED) == (CONTENT, "signature", [])
    place = signed.index(CONTENT) + 500
    changed = signed[:place] + bytes((signed[place] ^ 1,)) + signed[place + 1 :]
    with pytest.raises(SecureProblem, match="it was changed"):
        opening.unwrapped(changed, SIGNED)
    with pytest.raises(SecureProblem, match="it was changed"):
        opening.unwrapped(signed[:-1] + bytes((signed[-1] ^ 1,)), SIGNED)
    # a signature whose certificate was left out proves nothing, and is told
    subprocess.run([*argv, *key, *options, "-nocerts"], cwd=tmp_path, check=True, capture_output=True)
    content, integrity, problems = opening.unwrapped((tmp_path / "s").read_bytes(), SIGNED)
    assert (content, integrity) == (CONTENT, "signature")
    assert [found for _, found in problems] == ["one that cannot be verified"]


def test_every_changed_byte_is_noticed_and_nothing_but_a_problem_is_raised() -> None:
    sealed = Protection("x", iterations=2)(CONTENT[:600])
    source = random.Random(5)
    for _ in range(300):
        damaged = bytearray(sealed)
        place = source.randrange(len(damaged))
        damaged[place] ^= 1 << source.randrange(8)
        cut = bytes(damaged[: source.randrange(len(damaged))] if source.random() < 0.3 else damaged)
        keys = Keys("x")
        try:
            opened = open_file(cut, keys)
        except SecureProblem:
            continue
        assert opened.content == CONTENT[:600] or opened.problems


def test_many_rounds_and_deep_nesting_cost_nothing() -> None:
    sealed = Protection("x", iterations=7)(CONTENT)
    greedy = sealed.replace(bytes.fromhex("020107"), bytes.fromhex("02047fffffff"), 1)
    start = time.monotonic()
    for raw in (greedy, b"\x30\x80" * 5000, b"\x30\x84\xff\xff\xff\xff" + sealed[4:], b"\x24\x80" * 100_000):
        with pytest.raises(SecureProblem):
            open_file(raw, Keys("x"))
    assert time.monotonic() - start < 5


def test_a_medium_is_read_as_it_is_inside(tmp_path: Path) -> None:
    seal = Protection("x", iterations=FEW)
    (tmp_path / "m").mkdir()
    (tmp_path / "m" / "A").write_bytes(seal(CONTENT))
    (tmp_path / "m" / "B").write_bytes(Protection("y", iterations=FEW)(CONTENT))
    (tmp_path / "m" / "README.TXT").write_bytes(b"plain")
    medium = SecureMedium(open_medium(tmp_path / "m"), Keys("x"))
    with medium:
        assert medium.enveloped == ["A", "B"]
        assert medium.read("A", 10, 127) == CONTENT[127:137]
        assert medium.entries["A"].size == len(CONTENT)
        assert medium.read("README.TXT") == b"plain"
        assert [path for path, _, _ in medium.problems] == ["B"]
