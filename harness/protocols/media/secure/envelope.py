"""The envelope of a Secure DICOM File as it lies on the medium: recipients, algorithms, encrypted content (RFC 5652).

Reading it needs no key: this is what can be said of a protected medium before it is opened.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from harness.protocols.media.secure.ber import INTEGER, SEQUENCE, SET, BerProblem, Value, read

DATA, SIGNED, ENVELOPED, DIGESTED = (f"1.2.840.113549.1.7.{number}" for number in (1, 2, 3, 5))
RSA, OAEP = "1.2.840.113549.1.1.1", "1.2.840.113549.1.1.7"
PBKDF2, PASSWORD_WRAP = "1.2.840.113549.1.5.12", "1.2.840.113549.1.9.16.3.9"
#: content and key encryption that PS3.15 D.1.1 allows: cipher and key size in bytes
CIPHERS: Final = {
    "2.16.840.1.101.3.4.1.2": ("AES", 16),
    "2.16.840.1.101.3.4.1.22": ("AES", 24),
    "2.16.840.1.101.3.4.1.42": ("AES", 32),
    "1.2.840.113549.3.7": ("Triple-DES", 24),
}
DIGESTS: Final = {
    "1.3.14.3.2.26": "sha1",
    "2.16.840.1.101.3.4.2.1": "sha256",
    "2.16.840.1.101.3.4.2.2": "sha384",
    "2.16.840.1.101.3.4.2.3": "sha512",
}
PRFS: Final = {
    "1.2.840.113549.2.7": "sha1",
    "1.2.840.113549.2.9": "sha256",
    "1.2.840.113549.2.10": "sha384",
    "1.2.840.113549.2.11": "sha512",
}
#: a file that asks for more rounds of key derivation is refused: each file could cost minutes
MAXIMUM_ITERATIONS: Final = 2_000_000
_RECIPIENTS: Final = 100
_OID: Final = bytes.fromhex("06092a864886f70d010703")


class SecureProblem(Exception):
    """A Secure DICOM File that cannot be read or opened, and why."""


@dataclass(frozen=True, slots=True)
class Recipient:
    """Who can open it. ``kind`` is "certificate", "password" or "other"; ``key`` is the encrypted content key."""

    kind: str
    key: bytes = b""
    algorithm: str = ""
    parameters: bytes = b""
    issuer: bytes = b""
    serial: bytes = b""
    subject_key: bytes = b""
    salt: bytes = b""
    iterations: int = 0
    key_length: int = 0
    prf: str = "sha1"


@dataclass(frozen=True, slots=True)
class Envelope:
    """``content_type`` is what is inside; ``cipher`` the object identifier of the content encryption."""

    recipients: tuple[Recipient, ...]
    content_type: str
    cipher: str
    iv: bytes
    content: bytes

    def problems(self) -> list[tuple[str, str]]:
        """What the Basic DICOM Media Security Profile does not allow (PS3.15 D.1.1): what must be, and what is."""
        found = []
        if self.content_type not in (SIGNED, DIGESTED):
            found.append(("signed or digested data inside the envelope", self.content_type))
        if self.cipher not in CIPHERS:
            found.append(("content encrypted by AES or Triple-DES", self.cipher))
        if not any(one.kind != "other" for one in self.recipients):
            found.append(("a recipient by RSA or by password", f"{len(self.recipients)} of another kind"))
        for one in self.recipients:
            if one.kind == "certificate" and one.algorithm not in (RSA, OAEP):
                found.append(("a content key transported by RSA", one.algorithm))
            if one.kind == "password" and one.algorithm not in CIPHERS:
                found.append(("a content key encrypted by AES or Triple-DES", one.algorithm))
        return found


def is_enveloped(head: bytes) -> bool:
    """Whether the first bytes of a file are those of CMS enveloped data."""
    return head[:1] == b"\x30" and _OID in head[:24]


def parse(raw: bytes) -> Envelope:
    """Read an envelope. Raises SecureProblem."""
    try:
        return _parse(raw)
    except (BerProblem, IndexError, StopIteration, ValueError) as error:
        raise SecureProblem(f"no readable CMS envelope: {error}") from None


def _parse(raw: bytes) -> Envelope:
    outer = read(raw).children()
    if outer[0].oid() != ENVELOPED:
        raise SecureProblem(f"the content type is {outer[0].oid()}, not enveloped data")
    parts = outer[1].children()[0].children()
    recipients = next(part for part in parts if part.tag == SET)
    content = next((part for part in parts if part.tag == SEQUENCE), None)
    if content is None:
        raise SecureProblem("there is no encrypted content")
    kind, algorithm, *encrypted = content.children()
    cipher = algorithm.children()
    return Envelope(
        tuple([_recipient(one) for one in recipients.children()[:_RECIPIENTS]]),
        kind.oid(),
        cipher[0].oid(),
        cipher[1].octets() if len(cipher) > 1 else b"",
        encrypted[0].octets() if encrypted else b"",
    )


def _recipient(value: Value) -> Recipient:
    parts = value.children()
    if value.tag == SEQUENCE:
        algorithm = parts[2].children()
        parameters = algorithm[1].encoded if len(algorithm) > 1 else b""
        subject = parts[1].contents if parts[1].tag == 0x80 else b""
        names = parts[1].children() if parts[1].tag == SEQUENCE else []
        issuer = names[0].encoded if names else b""
        serial = names[1].contents if len(names) > 1 else b""
        return Recipient(
            "certificate", parts[3].octets(), algorithm[0].oid(), parameters, issuer, serial, subject_key=subject
        )
    if value.tag == 0xA3:
        return _password(parts)
    return Recipient("other")


def _password(parts: list[Value]) -> Recipient:
    derivation = next((part for part in parts if part.tag == 0xA0), None)
    if derivation is None:
        return Recipient("other")
    kind, settings = derivation.children()[:2]
    wrapping = next(part for part in parts if part.tag == SEQUENCE).children()
    if kind.oid() != PBKDF2 or wrapping[0].oid() != PASSWORD_WRAP:
        return Recipient("other", algorithm=kind.oid())
    salt, count, *others = settings.children()
    length = next((one.number() for one in others if one.tag == INTEGER), 0)
    prf = next((one.children()[0].oid() for one in others if one.tag == SEQUENCE), "")
    if prf and prf not in PRFS:
        raise SecureProblem(f"the key is derived by the unknown function {prf}")
    cipher = wrapping[1].children()
    return Recipient(
        "password",
        parts[-1].octets(),
        cipher[0].oid(),
        cipher[1].octets() if len(cipher) > 1 else b"",
        salt=salt.octets(),
        iterations=count.number(),
        key_length=length,
        prf=PRFS.get(prf, "sha1"),
    )
