"""The endpoint's address: base URL, query, and the headers of every request."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit
from urllib.request import getproxies, proxy_bypass

#: The environment variables that hold the API keys of the endpoint and of a baseline endpoint.
API_KEY_VARIABLE, BASELINE_API_KEY_VARIABLE = "OPENAI_API_KEY", "READINESS_BASELINE_API_KEY"
EXAMPLE = "http://host:8000/v1"
LOOPBACK = ("127.0.0.1", "localhost", "::1")
#: What is no secret though it stands in a header or a query: words, media types, API versions.
ORDINARY = re.compile(
    r"[a-z]{1,12}(/[a-z]{1,12})?|\d{4}-\d{2}-\d{2}(-preview)?", re.IGNORECASE | re.ASCII
)


@dataclass(frozen=True)
class Address:
    """The endpoint's address: a base URL such as `http://127.0.0.1:8000/v1`, without secrets.

    Args:
        url: The base URL, without user, password and query.
        query: The query of each request's URL, as in `api-version=2026-01-01`.
        headers: The headers of each request, including the API key's.
        secrets: What must not be shown: the key, the user and password of the URL, the values of
            its query and of headers, and the credentials of the proxy.
    """

    url: str
    query: str = field(default="", repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    secrets: tuple[str, ...] = field(default=(), repr=False)

    @classmethod
    def read(cls, url: str, key: str, headers: Mapping[str, str]) -> Address:
        """Read a base URL as a user writes it.

        Raises:
            ValueError: It is not the URL of an HTTP endpoint, or a header's value is none.
        """
        parts = None if _is_word(url) else _split(url)
        if parts is None or parts.scheme not in ("http", "https") or not _is_host(parts.hostname):
            raise ValueError(f"not the address of an endpoint: give one as in {EXAMPLE}")
        if not _has_port(parts):
            raise ValueError(f"a port is a number from 1 to 65535, as in {EXAMPLE}")
        path = parts.path.rstrip("/").removesuffix("/chat/completions").rstrip("/")
        host = parts.netloc.rpartition("@")[2]
        user, password = unquote(parts.username or ""), unquote(parts.password or "")
        sent = {"User-Agent": "readiness", **_credentials(key, user, password), **headers}
        found = cls(f"{parts.scheme}://{host}{path}", parts.query, sent)
        proxied = _of_proxy(found.proxy) if found.proxy else ()
        given = (key, *_of_user(user, password), *_of_query(parts.query), *_of_headers(headers))
        return replace(found, secrets=tuple(filter(None, (*given, *proxied))))

    def of(self, path: str) -> str:
        """The URL of a path below the base URL."""
        return f"{self.url}{path}?{self.query}" if self.query else f"{self.url}{path}"

    @property
    def origin(self) -> str:
        """The scheme, host and port: credentials are for this origin only."""
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc}"

    @property
    def key_ends(self) -> float | None:
        """When the key ends, in seconds since the epoch: a JWT tells it; None where none is told.

        It is for messages: nothing is verified.
        """
        bearer = next(
            (v for name, v in self.headers.items() if name.lower() == "authorization"), ""
        )
        try:
            _, claims, _ = bearer.removeprefix("Bearer ").split(".")
            ends = json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))["exp"]
        except (ValueError, LookupError, TypeError):
            return None
        return float(ends) if type(ends) in (int, float) else None

    @property
    def port_here(self) -> int:
        """The port of an endpoint on this machine; 0 where it is on another."""
        parts = urlsplit(self.url)
        default = 443 if parts.scheme == "https" else 80
        return (parts.port or default) if parts.hostname in LOOPBACK else 0

    @property
    def proxy(self) -> str | None:
        """The proxy that the environment sets for this address; None for none."""
        parts = urlsplit(self.url)
        host = parts.hostname or ""
        if host in LOOPBACK or proxy_bypass(host):
            return None
        return getproxies().get(parts.scheme)


def _of_user(user: str, password: str) -> tuple[str, ...]:
    """The secrets among a user and a password: a user without a password is a token."""
    if not (user or password):
        return ()
    ordinary = password and ORDINARY.fullmatch(user)
    return (password, f"{user}:{password}") if ordinary else (user, password, f"{user}:{password}")


def _of_query(query: str) -> Iterator[str]:
    return (value for _, value in parse_qsl(query) if not ORDINARY.fullmatch(value))


def _of_headers(headers: Mapping[str, str]) -> Iterator[str]:
    """The secrets among the values of headers: also the token behind a scheme, as in `Bearer …`."""
    for value in headers.values():
        if not ORDINARY.fullmatch(value):
            yield value
        scheme, _, token = value.partition(" ")
        if scheme.lower() == "basic":
            yield from _of_pair(token)
        yield token.strip()


def _of_pair(encoded: str) -> tuple[str, ...]:
    """The user and password that an Authorization of the scheme Basic encodes."""
    try:
        user, _, password = base64.b64decode(encoded).decode().partition(":")
    except ValueError:
        return ()
    return _of_user(user, password)


def _of_proxy(url: str) -> tuple[str, ...]:
    """The credentials of a proxy.

    Raises:
        ValueError: It is not the address of a proxy.
    """
    parts = _split(url)
    if parts is None or not (_is_host(parts.hostname) and _has_port(parts)):
        raise ValueError("the proxy of the environment is none: set one as in http://host:3128")
    return _of_user(unquote(parts.username or ""), unquote(parts.password or ""))


def _split(url: str) -> SplitResult | None:
    """The parts of a URL; None where it is none, for the error's message would repeat it."""
    try:
        return urlsplit(url if "://" in url else f"http://{url}")
    except ValueError:
        return None


def _is_word(url: str) -> bool:
    """Whether it has neither scheme, port, path nor domain: a slip, or another option's value."""
    return url not in LOOPBACK and not any(mark in url for mark in ".:/")


def _is_host(host: str | None) -> bool:
    try:
        return bool((host or "").encode("idna"))
    except UnicodeError:
        return False


def _has_port(parts: SplitResult) -> bool:
    try:
        return parts.port != 0
    except ValueError:
        return False


def _credentials(key: str, user: str, password: str) -> dict[str, str]:
    if key:
        return {"Authorization": f"Bearer {key}"}
    if user:
        pair = base64.b64encode(f"{user}:{password}".encode()).decode()
        return {"Authorization": f"Basic {pair}"}
    return {}
