"""Making Secure DICOM Files: digested data in an envelope for passwords and certificates (PS3.15 D.1.1)."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Sequence
from typing import Final

from harness.core.errors import UsageError
from harness.protocols.media.secure import ber
from harness.protocols.media.secure.ber import OCTETS, SEQUENCE, SET, wrap
from harness.protocols.media.secure.envelope import CIPHERS, DATA, DIGESTED, ENVELOPED, PASSWORD_WRAP, PBKDF2, RSA
from harness.protocols.media.secure.opening import block_cipher

_SHA256: Final = "2.16.840.1.101.3.4.2.1"
_HMAC_SHA256: Final = "1.2.840.113549.2.9"
NAMES: Final = {
    "AES-128": "2.16.840.1.101.3.4.1.2",
    "AES-192": "2.16.840.1.101.3.4.1.22",
    "AES-256": "2.16.840.1.101.3.4.1.42",
    "Triple-DES": "1.2.840.113549.3.7",
}


class Protection:
    """Turns DICOM files into Secure DICOM Files; an instance is the function ``bytes -> bytes``.

    All files of one medium share the salt of the password, so that a reader derives the key once; each has a content
    key of its own. ``certificates`` are X.509 in PEM or DER with RSA keys. Raises UsageError without any recipient, and
    for a password outside ASCII, which PS3.15 D.1.1 forbids.
    """

    def __init__(
        self,
        password: str = "",
        certificates: Sequence[bytes] = (),
        *,
        cipher: str = "AES-256",
        iterations: int = 100_000,
        random: Callable[[int], bytes] = os.urandom,
    ) -> None:
        if not password and not certificates:
            raise UsageError("protected media need a password or the certificate of a recipient")
        if not all(0x20 <= ord(character) < 0x7F for character in password):
            raise UsageError("a password of media has printable ASCII characters only (DICOM PS3.15 D.1.1)")
        if cipher not in NAMES:
            raise UsageError(f"there is no cipher {cipher!r} for media; known: {', '.join(NAMES)}")
        self._cipher, self._random, self._iterations = NAMES[cipher], random, iterations
        self._certificates = tuple(_certificate(one) for one in certificates)
        self._salt = random(16)
        size = CIPHERS[self._cipher][1]
        self._password_key = b""
        if password:
            self._password_key = hashlib.pbkdf2_hmac("sha256", password.encode("ascii"), self._salt, iterations, size)

    def __call__(self, content: bytes) -> bytes:
        """The Secure DICOM File of a DICOM file."""
        kind, size = CIPHERS[self._cipher]
        block = 16 if kind == "AES" else 8
        key, iv = self._random(size), self._random(block)
        inside = wrap(
            SEQUENCE,
            ber.integer(0),
            ber.algorithm(_SHA256),
            wrap(SEQUENCE, ber.oid(DATA), wrap(0xA0, wrap(OCTETS, content))),
            wrap(OCTETS, hashlib.sha256(content).digest()),
        )
        padding = block - len(inside) % block
        encrypted = _cbc(kind, key, iv, inside + bytes((padding,)) * padding)
        recipients = [self._for_certificate(key, *one) for one in self._certificates]
        if self._password_key:
            recipients.append(self._for_password(key, kind, block))
        envelope = wrap(
            SEQUENCE,
            ber.integer(3 if self._password_key else 0),
            wrap(SET, *sorted(recipients)),
            wrap(
                SEQUENCE,
                ber.oid(DIGESTED),
                ber.algorithm(self._cipher, wrap(OCTETS, iv)),
                wrap(0x80, encrypted),
            ),
        )
        return wrap(SEQUENCE, ber.oid(ENVELOPED), wrap(0xA0, envelope))

    def _for_certificate(self, key: bytes, issuer: bytes, serial: int, public: object) -> bytes:
        from cryptography.hazmat.primitives.asymmetric import padding, rsa

        assert isinstance(public, rsa.RSAPublicKey)
        return wrap(
            SEQUENCE,
            ber.integer(0),
            wrap(SEQUENCE, issuer, ber.integer(serial)),
            ber.algorithm(RSA, b""),
            wrap(OCTETS, public.encrypt(key, padding.PKCS1v15())),
        )

    def _for_password(self, key: bytes, kind: str, block: int) -> bytes:
        """RFC 3211 2.3.1: the key with its length and a check value, encrypted twice."""
        plain = bytes((len(key),)) + bytes(byte ^ 0xFF for byte in key[:3]) + key
        wanted = max(2 * block, -(-len(plain) // block) * block)
        plain += self._random(wanted - len(plain))
        iv = self._random(block)
        once = _cbc(kind, self._password_key, iv, plain)
        twice = _cbc(kind, self._password_key, once[-block:], once)
        settings = wrap(
            SEQUENCE,
            wrap(OCTETS, self._salt),
            ber.integer(self._iterations),
            ber.integer(len(self._password_key)),
            ber.algorithm(_HMAC_SHA256, b""),
        )
        return wrap(
            0xA3,
            ber.integer(0),
            wrap(0xA0, ber.oid(PBKDF2), settings),
            ber.algorithm(PASSWORD_WRAP, ber.algorithm(self._cipher, wrap(OCTETS, iv))),
            wrap(OCTETS, twice),
        )


def _cbc(kind: str, key: bytes, iv: bytes, data: bytes) -> bytes:
    encryptor = block_cipher(kind, key, iv).encryptor()
    return bytes(encryptor.update(data) + encryptor.finalize())


def _certificate(raw: bytes) -> tuple[bytes, int, object]:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric import rsa

    try:
        read = x509.load_pem_x509_certificate if raw.lstrip().startswith(b"-----") else x509.load_der_x509_certificate
        certificate = read(raw)
        public = certificate.public_key()
    except (ValueError, TypeError) as error:
        raise UsageError(f"a certificate cannot be read: {error}") from None
    if not isinstance(public, rsa.RSAPublicKey):
        raise UsageError("the certificate of a recipient has no RSA key, which media need (DICOM PS3.15 D.1.1)")
    return certificate.issuer.public_bytes(), certificate.serial_number, public
