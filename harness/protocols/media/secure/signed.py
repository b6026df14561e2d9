"""Signatures inside protected media: are they of the content (RFC 5652 section 5)? Whom to trust is for the site."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from harness.protocols.media.secure.ber import OCTETS, SEQUENCE, SET, Value, wrap
from harness.protocols.media.secure.envelope import DIGESTS, SecureProblem

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.hashes import HashAlgorithm

_MESSAGE_DIGEST: Final = "1.2.840.113549.1.9.4"
#: RSA with PKCS #1 v1.5 padding, alone or together with a digest
_RSA: Final = frozenset(f"1.2.840.113549.1.1.{arc}" for arc in (1, 5, 11, 12, 13))
_WANTED: Final = "an RSA signature whose certificate is with it"
_SIGNERS: Final = 20


def judge(parts: list[Value], content: bytes) -> list[tuple[str, str]]:
    """What the security profile does not allow of the parts of SignedData.

    Raises SecureProblem for a signature that is not of the content, BerProblem for what cannot be read.
    """
    certificates = [one for part in parts if part.tag == 0xA0 for one in part.children() if one.tag == SEQUENCE]
    signers = parts[-1].children() if parts[-1].tag == SET else []
    if not signers:
        return [("a signature", "signed data without any")]
    problems: list[tuple[str, str]] = []
    for signer in signers[:_SIGNERS]:
        problems += _judge(signer.children(), certificates, content)
    return problems


def _judge(signer: list[Value], certificates: list[Value], content: bytes) -> Iterator[tuple[str, str]]:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric import padding

    name = signer[2].children()[0].oid()
    if name not in DIGESTS:
        yield "a digest by SHA-1, SHA-256, SHA-384 or SHA-512", name
        return
    attributes = signer[3] if signer[3].tag == 0xA0 else None
    algorithm, signature = signer[3 + (attributes is not None) :][:2]
    signed = content
    if attributes is not None:
        stated = next(
            (a.children()[1] for a in attributes.children() if a.children()[0].oid() == _MESSAGE_DIGEST), None
        )
        made = hashlib.new(DIGESTS[name], content).digest()
        if stated is None or not hmac.compare_digest(stated.children()[0].octets(), made):
            raise SecureProblem("the digest that is signed is not that of the content: it was changed")
        # what is signed is the set, not its tag in the message
        signed = wrap(SET, attributes.contents)
    public = _key_of(signer[1], certificates)
    if public is None or algorithm.children()[0].oid() not in _RSA or signature.tag & ~0x20 != OCTETS:
        yield _WANTED, "one that cannot be verified"
        return
    try:
        public.verify(signature.octets(), signed, padding.PKCS1v15(), algorithm_of(name))
    except InvalidSignature:
        raise SecureProblem("the signature is not that of its signer: it was changed") from None


def algorithm_of(oid: str) -> HashAlgorithm:
    """The hash of the library ``cryptography`` for one of the digests that the security profiles know."""
    from cryptography.hazmat.primitives import hashes

    made: HashAlgorithm = getattr(hashes, DIGESTS[oid].upper())()
    return made


def _key_of(signer: Value, certificates: list[Value]) -> Any:
    """The RSA key of the certificate that a signer names, None if it is not there."""
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric import rsa

    for one in certificates[:_SIGNERS]:
        try:
            found = x509.load_der_x509_certificate(one.encoded)
            public = found.public_key()
        except ValueError:
            continue
        if signer.tag == SEQUENCE:
            issuer, serial = signer.children()[:2]
            same = issuer.encoded == found.issuer.public_bytes() and serial.number() == found.serial_number
        else:
            same = signer.contents == x509.SubjectKeyIdentifier.from_public_key(public).digest
        if same and isinstance(public, rsa.RSAPublicKey):
            return public
    return None
