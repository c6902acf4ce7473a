"""The accounts that may be used to try a web interface: from the environment only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

#: The environment variables of a user's account, and of a second user's.
USER = ("WEBUI_EMAIL", "WEBUI_PASSWORD")
SECOND_USER = ("WEBUI_SECOND_EMAIL", "WEBUI_SECOND_PASSWORD")
API_KEY = "WEBUI_API_KEY"
#: A shorter password occurs in ordinary text, and so could not be kept out of the evidence.
SHORTEST_PASSWORD = 6


@dataclass(frozen=True)
class Account:
    """An account: the address and the password that it signs in with."""

    email: str
    password: str = field(repr=False)


@dataclass(frozen=True)
class WebuiAccounts:
    """The accounts that may be used.

    Args:
        user: A plain user's; None where none is named.
        second_user: Another plain user's, whose files are to be kept apart.
        api_key: A user's API key, where there is no account to sign in with; "" for none.
        allows_admin: Whether the account may be an administrator's.
    """

    user: Account | None = None
    second_user: Account | None = None
    api_key: str = field(default="", repr=False)
    allows_admin: bool = False

    @classmethod
    def read(cls, environment: Mapping[str, str], *, allows_admin: bool) -> WebuiAccounts:
        """Read the accounts from the environment.

        Raises:
            ValueError: One is incomplete, or has a password that could not be kept secret.
        """
        user, second = (_account(environment, *names) for names in (USER, SECOND_USER))
        return cls(user, second, environment.get(API_KEY, ""), allows_admin)

    @property
    def secrets(self) -> tuple[str, ...]:
        """What reaches no file and no message."""
        accounts = [each for each in (self.user, self.second_user) if each]
        named = [text for each in accounts for text in (each.email, each.password)]
        return (*named, self.api_key)


def _account(environment: Mapping[str, str], email: str, password: str) -> Account | None:
    found = {name: environment.get(name, "") for name in (email, password)}
    if not any(found.values()):
        return None
    for name, value in found.items():
        if not value:
            raise ValueError(f"an account has an address and a password: {name} is not set")
    if len(found[password]) < SHORTEST_PASSWORD:
        raise ValueError(
            f"{password} has fewer than {SHORTEST_PASSWORD} characters: choose a longer one, for "
            "it could not be told from ordinary text, and kept out of the evidence"
        )
    return Account(found[email], found[password])
