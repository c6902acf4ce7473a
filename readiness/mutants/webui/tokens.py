"""Session tokens of the web interface: JSON Web Tokens signed by HMAC-SHA256."""

from __future__ import annotations

import hashlib
import hmac
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any

KEY = b"the key of the reference's web interface"


def issue(claims: dict[str, Any], key: bytes = KEY) -> str:
    """A token of these claims."""
    signed = f"{_text({'alg': 'HS256', 'typ': 'JWT'})}.{_text(claims)}"
    return f"{signed}.{_base64(_signature(signed, key))}"


def claims_of(token: str) -> dict[str, Any]:
    """The claims of a token, whoever has signed it; empty where it is none."""
    try:
        claims = json.loads(_bytes(token.split(".")[1]))
    except (ValueError, IndexError):
        return {}
    return claims if isinstance(claims, dict) else {}


def algorithm_of(token: str) -> str:
    """The algorithm that a token names; "" where it is none."""
    try:
        return str(json.loads(_bytes(token.split(".")[0])).get("alg", ""))
    except (ValueError, AttributeError):
        return ""


def is_signed(token: str, key: bytes = KEY) -> bool:
    """Whether a token has a whole signature by the key."""
    signed, _, signature = token.rpartition(".")
    expected = _base64(_signature(signed, key))
    return algorithm_of(token) == "HS256" and hmac.compare_digest(signature, expected)


def begins_as_signed(token: str) -> bool:
    """Whether what a token has of a signature is the beginning of the right one."""
    signed, _, signature = token.rpartition(".")
    return bool(signature) and _base64(_signature(signed, KEY)).startswith(signature)


def _signature(signed: str, key: bytes) -> bytes:
    return hmac.digest(key, signed.encode(), hashlib.sha256)


def _text(part: dict[str, Any]) -> str:
    return _base64(json.dumps(part, separators=(",", ":")).encode())


def _base64(data: bytes) -> str:
    return urlsafe_b64encode(data).decode().rstrip("=")


def _bytes(part: str) -> bytes:
    return urlsafe_b64decode(part + "=" * (-len(part) % 4))
