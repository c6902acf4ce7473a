"""Session tokens: JSON Web Tokens (RFC 7519), read without being verified, and forged."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from secrets import token_hex
from typing import Any

from readiness.protocol.message import decode

DAY = 86_400
#: Keys that programs have by default, or that their instructions have as an example: Open WebUI's
#: own default is the first.
KNOWN_KEYS = (
    "t0p-s3cr3t",
    "",
    "your-secret-key",
    "your-secret-key-here",
    "your_secret_key",
    "your_secret_key_here",
    "secret-key",
    "secret_key",
    "secret",
    "my-secret-key",
    "changeme",
    "change-me",
    "changethis",
    "change-this-secret",
    "webui-secret-key",
    "webui_secret_key",
    "open-webui",
    "openwebui",
)


@dataclass(frozen=True)
class SessionToken:
    """A JSON Web Token, as it was issued.

    Args:
        header: Its header.
        claims: Its claims.
        signature: Its signature, in base64.
        signed: What is signed: its header and claims as they were written.
    """

    header: Mapping[str, Any]
    claims: Mapping[str, Any]
    signature: str
    signed: str = ""

    @classmethod
    def read(cls, text: str) -> SessionToken:
        """Read a token.

        Raises:
            ValueError: It is no JSON Web Token.
        """
        try:
            first, second, signature = text.split(".")
            header, claims = decode(_decoded(first)), decode(_decoded(second))
        except ValueError as error:
            raise ValueError("not a JSON Web Token") from error
        if not (isinstance(header, dict) and isinstance(claims, dict)):
            raise ValueError("not a JSON Web Token")
        return cls(header, claims, signature, f"{first}.{second}")

    @property
    def seconds(self) -> float | None:
        """How long it is good for, in seconds; None where it says no end or no beginning."""
        begin, end = _time(self.claims.get("iat")), self.end
        return None if begin is None or end is None else end - begin

    @property
    def end(self) -> float | None:
        """When it ends, in seconds since the epoch; None where it does not say."""
        return _time(self.claims.get("exp"))


def _time(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def without_algorithm(token: SessionToken) -> str:
    """The token with the algorithm `none`, and no signature (RFC 8725 §3.1)."""
    return f"{_encoded({**token.header, 'alg': 'none'})}.{_encoded(token.claims)}."


def with_another_key(token: SessionToken) -> str:
    """The token signed by HMAC-SHA256 with a key that is not the server's."""
    signed = f"{_encoded({**token.header, 'alg': 'HS256'})}.{_encoded(token.claims)}"
    return f"{signed}.{_signature(signed, 'another key')}"


def with_known_key(token: SessionToken) -> str:
    """A token of another id, signed with a key that everybody knows: the server's, if it is one.

    Which of them has signed the token is seen without asking the server.
    """
    keys = [each for each in KNOWN_KEYS if _signature(token.signed, each) == token.signature]
    claims = {**token.claims, "jti": token_hex(16)}
    signed = f"{_encoded({**token.header, 'alg': 'HS256'})}.{_encoded(claims)}"
    return f"{signed}.{_signature(signed, (keys or KNOWN_KEYS)[0])}"


def with_cut_signature(token: SessionToken) -> str:
    """The token with a part of its signature."""
    kept = token.signature[: len(token.signature) // 2]
    return f"{_encoded(token.header)}.{_encoded(token.claims)}.{kept}"


def with_other_claims(token: SessionToken) -> str:
    """The token with a later end, and the signature of the one that was issued."""
    later = {**token.claims, "exp": int(token.claims.get("exp") or 0) + DAY}
    return f"{_encoded(token.header)}.{_encoded(later)}.{token.signature}"


FORGERIES: Mapping[str, Callable[[SessionToken], str]] = {
    "without an algorithm": without_algorithm,
    "signed with another key": with_another_key,
    "signed with a known key": with_known_key,
    "with a cut signature": with_cut_signature,
    "with other claims": with_other_claims,
}


def _signature(signed: str, key: str) -> str:
    return _base64(hmac.digest(key.encode(), signed.encode(), hashlib.sha256))


def _encoded(part: Mapping[str, Any]) -> str:
    return _base64(json.dumps(part, separators=(",", ":")).encode())


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _decoded(part: str) -> str:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)).decode()
