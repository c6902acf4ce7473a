"""DSSE: an envelope of a payload and its Ed25519 signatures."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from readiness.evidence.run_folder import FolderError
from readiness.resources import contents

MAX_FILE = 2**20  # bytes
IN_TOTO = "application/vnd.in-toto+json"


@dataclass(frozen=True)
class Signature:
    """A signature, and the digest of its public key."""

    key: str
    value: bytes


@dataclass(frozen=True)
class Envelope:
    """A payload and its signatures."""

    payload: bytes
    signatures: Sequence[Signature] = ()

    @property
    def signed(self) -> bytes:
        """The signed bytes: DSSE's pre-authentication encoding of type and payload."""
        kind = IN_TOTO.encode()
        return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(self.payload), self.payload)

    def sign(self, key: Ed25519PrivateKey) -> Envelope:
        """The envelope with one more signature.

        Raises:
            FolderError: The key has signed before.
        """
        public = key.public_key()
        if self.verified(public):
            raise FolderError("this key has signed already: a second signature is another person's")
        fresh = Signature(key_fingerprint(public), key.sign(self.signed))
        return replace(self, signatures=[*self.signatures, fresh])

    def verified(self, key: Ed25519PublicKey) -> bool:
        """Whether a key made one of the signatures, whatever key ids they state."""
        return any(_holds(key, each.value, self.signed) for each in self.signatures)

    def dump(self) -> str:
        """The envelope as JSON."""
        signatures = [
            {"keyid": each.key, "sig": base64.b64encode(each.value).decode()}
            for each in self.signatures
        ]
        payload = base64.b64encode(self.payload).decode()
        document = {"payloadType": IN_TOTO, "payload": payload, "signatures": signatures}
        return json.dumps(document, indent=1) + "\n"


def load(path: Path) -> Envelope:
    """Read an envelope.

    Raises:
        FolderError: The file is missing, or is not an envelope.
    """
    try:
        document = json.loads(contents(path, MAX_FILE))
        if document["payloadType"] != IN_TOTO:
            raise FolderError(f"{path} is not an in-toto statement")
        signatures = [
            Signature(each["keyid"], _decoded(each["sig"])) for each in document["signatures"]
        ]
        return Envelope(_decoded(document["payload"]), signatures)
    except FileNotFoundError:
        raise FolderError(f"{path} is not there: the run is not signed") from None
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise FolderError(f"{path} is not a DSSE envelope: {error}") from error


def private_key(path: Path) -> Ed25519PrivateKey:
    """Read an Ed25519 private key, in PEM and without a password.

    Raises:
        FolderError: The file is not such a key.
    """
    try:
        key = load_pem_private_key(contents(path, MAX_FILE), None)
    except (OSError, ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise FolderError(f"{path} is not a private key: {error}") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise FolderError(
            f"{path} is not an Ed25519 key: openssl genpkey -algorithm ed25519 makes one"
        )
    return key


def public_key(path: Path) -> Ed25519PublicKey:
    """Read an Ed25519 public key in PEM.

    Raises:
        FolderError: The file is not such a key.
    """
    try:
        key = load_pem_public_key(contents(path, MAX_FILE))
    except (OSError, ValueError, UnsupportedAlgorithm) as error:
        raise FolderError(f"{path} is not a public key: {error}") from error
    if not isinstance(key, Ed25519PublicKey):
        raise FolderError(f"{path} is not an Ed25519 key")
    return key


def key_fingerprint(key: Ed25519PublicKey) -> str:
    """The SHA-256 of a public key in DER."""
    der = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(der).hexdigest()


def _holds(key: Ed25519PublicKey, signature: bytes, signed: bytes) -> bool:
    try:
        key.verify(signature, signed)
    except InvalidSignature:
        return False
    return True


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise ValueError(f"not base64: {error}") from error
