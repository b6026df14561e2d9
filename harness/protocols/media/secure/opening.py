"""Opening a Secure DICOM File by password or private key, and checking its digest (RFC 5652, RFC 3370, RFC 3565)."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, field
from typing import Any, Final

from harness.core.errors import EnvironmentFailure
from harness.protocols.media.secure.ber import OCTETS, SEQUENCE, BerProblem, Value, read
from harness.protocols.media.secure.envelope import (
    CIPHERS,
    DATA,
    DIGESTED,
    DIGESTS,
    MAXIMUM_ITERATIONS,
    OAEP,
    SIGNED,
    Envelope,
    Recipient,
    SecureProblem,
    parse,
)
from harness.protocols.media.secure.signed import algorithm_of, judge

_FORMS: Final = (DIGESTED, SIGNED, DATA)


def crypto() -> Any:
    """The library ``cryptography``. Raises EnvironmentFailure if it is not installed."""
    try:
        import cryptography.hazmat.primitives.ciphers as ciphers
    except ImportError:
        raise EnvironmentFailure("protected media need cryptography; install ihe-harness[privacy]") from None
    return ciphers


def block_cipher(kind: str, key: bytes, iv: bytes) -> Any:
    """AES or Triple-DES in CBC mode."""
    ciphers = crypto()
    if kind == "AES":
        made = ciphers.algorithms.AES(key)
    else:
        from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES

        made = TripleDES(key)
    return ciphers.Cipher(made, ciphers.modes.CBC(iv))


@dataclass(slots=True)
class Keys:
    """What media are opened with: a password, and private keys in PEM. Derived keys are kept, files share them."""

    password: str = ""
    private_keys: tuple[bytes, ...] = ()
    passphrase: bytes | None = None
    _derived: dict[tuple[bytes, int, int, str], bytes] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.password or self.private_keys)

    def derived(self, salt: bytes, iterations: int, length: int, prf: str) -> bytes:
        """The key that PBKDF2 makes of the password (RFC 2898)."""
        if not 0 < iterations <= MAXIMUM_ITERATIONS:
            raise SecureProblem(f"{iterations} rounds of key derivation; at most {MAXIMUM_ITERATIONS} are made")
        known = (salt, iterations, length, prf)
        if known not in self._derived:
            self._derived[known] = hashlib.pbkdf2_hmac(prf, self.password.encode("ascii"), salt, iterations, length)
        return self._derived[known]


@dataclass(frozen=True, slots=True)
class Opened:
    """What was inside: the DICOM file, and what the Basic DICOM Media Security Profile does not allow of it.

    ``integrity`` says how it is proven: "digest", "signature" (of whomever: trust is not judged) or "".
    """

    content: bytes
    integrity: str
    problems: tuple[tuple[str, str], ...]


def open_file(raw: bytes, keys: Keys) -> Opened:
    """Decrypt a Secure DICOM File. Raises SecureProblem if that fails or if its digest is wrong."""
    envelope = parse(raw)
    reasons: list[str] = []
    for recipient in envelope.recipients:
        try:
            key = _content_key(recipient, keys)
            if key is None:
                continue
            inside = _decrypted(envelope, key)
        except (SecureProblem, ValueError) as error:
            reasons.append(str(error) or type(error).__name__)
            continue
        content, integrity, problems = unwrapped(inside, envelope.content_type)
        return Opened(content, integrity, (*envelope.problems(), *problems))
    if not reasons:
        kinds = ", ".join(sorted({one.kind for one in envelope.recipients})) or "nobody"
        raise SecureProblem(f"it is for a recipient by {kinds}; no such key was given")
    raise SecureProblem(f"the key does not open it: {reasons[0]}")


def _content_key(recipient: Recipient, keys: Keys) -> bytes | None:
    if recipient.kind == "password" and keys.password:
        return _unwrapped_key(recipient, keys)
    if recipient.kind != "certificate":
        return None
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import padding, rsa

    for pem in keys.private_keys:
        try:
            private = serialization.load_pem_private_key(pem, keys.passphrase)
        except (ValueError, TypeError) as error:
            raise SecureProblem(f"the private key cannot be read: {error}") from None
        if not isinstance(private, rsa.RSAPrivateKey):
            raise SecureProblem("the private key is no RSA key")
        if private.key_size // 8 != len(recipient.key):
            continue
        if recipient.algorithm == OAEP:
            return private.decrypt(recipient.key, _oaep(recipient.parameters))
        return private.decrypt(recipient.key, padding.PKCS1v15())
    return None


def _oaep(parameters: bytes) -> Any:
    """The padding that RSAES-OAEP-params state; what they leave out is SHA-1 (RFC 8017 A.2.1)."""
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import padding

    def chosen(oid: str) -> hashes.HashAlgorithm:
        if oid not in DIGESTS:
            raise SecureProblem(f"RSA-OAEP with the unknown digest {oid}")
        return algorithm_of(oid)

    digest: hashes.HashAlgorithm = hashes.SHA1()
    mask: hashes.HashAlgorithm = hashes.SHA1()
    label = None
    try:
        for part in read(parameters).children() if parameters else ():
            algorithm = part.children()[0].children()
            if part.tag == 0xA0:
                digest = chosen(algorithm[0].oid())
            elif part.tag == 0xA1:
                mask = chosen(algorithm[1].children()[0].oid())
            elif part.tag == 0xA2:
                label = algorithm[1].octets() or None
    except (BerProblem, IndexError) as error:
        raise SecureProblem(f"the parameters of RSA-OAEP cannot be read: {error}") from None
    return padding.OAEP(padding.MGF1(mask), digest, label)


def _unwrapped_key(recipient: Recipient, keys: Keys) -> bytes:
    """The content key of a password recipient (RFC 3211 2.3.2)."""
    if recipient.algorithm not in CIPHERS:
        raise SecureProblem(f"the key is encrypted by the unknown algorithm {recipient.algorithm}")
    kind, size = CIPHERS[recipient.algorithm]
    block = 16 if kind == "AES" else 8
    wrapped, iv = recipient.key, recipient.parameters
    if len(wrapped) < 2 * block or len(wrapped) % block or len(iv) != block:
        raise SecureProblem("the encrypted key has no sound length")
    key = keys.derived(recipient.salt, recipient.iterations, size, recipient.prf)
    last = _cbc(kind, key, wrapped[-2 * block : -block], wrapped[-block:])
    inner = _cbc(kind, key, last, wrapped)
    plain = _cbc(kind, key, iv, inner)
    length = plain[0]
    check = bytes(byte ^ 0xFF for byte in plain[1:4])
    if check != plain[4:7] or length > len(plain) - 4:
        raise SecureProblem("the password is wrong")
    return plain[4 : 4 + length]


def _cbc(kind: str, key: bytes, iv: bytes, data: bytes) -> bytes:
    decryptor = block_cipher(kind, key, iv).decryptor()
    return bytes(decryptor.update(data) + decryptor.finalize())


def _decrypted(envelope: Envelope, key: bytes) -> bytes:
    if envelope.cipher not in CIPHERS:
        raise SecureProblem(f"the content is encrypted by the unknown algorithm {envelope.cipher}")
    kind, size = CIPHERS[envelope.cipher]
    block = 16 if kind == "AES" else 8
    if len(key) != size or len(envelope.iv) != block or not envelope.content or len(envelope.content) % block:
        raise SecureProblem("the key or the content has no sound length")
    plain = _cbc(kind, key, envelope.iv, envelope.content)
    padding = plain[-1]
    if not 0 < padding <= block or plain[-padding:] != bytes((padding,)) * padding:
        raise SecureProblem("the content does not decrypt to its padding")
    return plain[:-padding]


def unwrapped(inside: bytes, content_type: str) -> tuple[bytes, str, list[tuple[str, str]]]:
    """The DICOM file, how its integrity is proven, and problems. Raises SecureProblem for a wrong digest."""
    if content_type not in (DIGESTED, SIGNED):
        return inside, "", []
    try:
        value = _inner(inside, content_type)
        parts = value.children()
        if content_type == DIGESTED:
            return _digested(parts)
        found = next(part for part in parts[1:] if part.tag == SEQUENCE)
        content = _encapsulated(found)
        return content, "signature", judge(parts, content)
    except (BerProblem, IndexError, StopIteration) as error:
        raise SecureProblem(f"no readable signed or digested data: {error}") from None


def _inner(inside: bytes, content_type: str) -> Value:
    """The signed or digested data: bare, without its header (as PKCS #7 had it), or inside a ContentInfo."""
    value = read(inside)
    if value.tag != SEQUENCE:
        return Value(inside, SEQUENCE, 0, 0, len(inside), len(inside))
    first = value.children()[0]
    if first.tag == 0x06 and first.oid() == content_type:
        return value.children()[1].children()[0]
    return value


def _digested(parts: list[Value]) -> tuple[bytes, str, list[tuple[str, str]]]:
    algorithm = parts[1].children()[0].oid()
    content = _encapsulated(parts[2])
    if algorithm not in DIGESTS:
        return content, "", [("a digest by SHA-1, SHA-256, SHA-384 or SHA-512", algorithm)]
    made = hashlib.new(DIGESTS[algorithm], content).digest()
    if not hmac.compare_digest(made, parts[3].octets()):
        raise SecureProblem("the digest is not that of the content: it was changed")
    return content, "digest", []


def _encapsulated(value: Value) -> bytes:
    held = value.children()[1].children()[0]
    if held.tag & ~0x20 != OCTETS:
        raise BerProblem("no octet string in the signed or digested data")
    return held.octets()
