"""The endpoint's address: base URL, query, and the headers of every request."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import SplitResult, unquote, urlsplit
from urllib.request import getproxies, proxy_bypass

EXAMPLE = "http://host:8000/v1"
LOOPBACK = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True)
class Address:
    """The endpoint's address: a base URL such as `http://127.0.0.1:8000/v1`, without secrets.

    Args:
        url: The base URL, without user, password and query.
        query: The query of each request's URL, as in `api-version=2026-01-01`.
        headers: The headers of each request, including the API key's.
        secrets: The password that the user's URL contained.
    """

    url: str
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    secrets: tuple[str, ...] = ()

    @classmethod
    def read(cls, url: str, key: str, headers: Mapping[str, str]) -> Address:
        """Read a base URL as a user writes it.

        Raises:
            ValueError: It is not the URL of an HTTP endpoint.
        """
        parts = urlsplit(url if "://" in url else f"http://{url}")
        if parts.scheme not in ("http", "https") or not _is_host(parts.hostname):
            raise ValueError(f"not the address of an endpoint: give one as in {EXAMPLE}")
        if not _has_port(parts):
            raise ValueError(f"a port is a number from 1 to 65535, as in {EXAMPLE}")
        path = parts.path.rstrip("/").removesuffix("/chat/completions").rstrip("/")
        host = parts.netloc.rpartition("@")[2]
        user, password = unquote(parts.username or ""), unquote(parts.password or "")
        sent = {"User-Agent": "readiness", **_credentials(key, user, password), **headers}
        return cls(f"{parts.scheme}://{host}{path}", parts.query, sent, (password,))

    def of(self, path: str) -> str:
        """The URL of a path below the base URL."""
        return f"{self.url}{path}?{self.query}" if self.query else f"{self.url}{path}"

    @property
    def origin(self) -> str:
        """The scheme, host and port: credentials are for this origin only."""
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc}"

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
