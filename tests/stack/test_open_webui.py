"""A real Open WebUI: each of its settings is named by its own check, and by no other."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from readiness.check import Check
from readiness.checks.webui import check_sessions
from readiness.checks.webui.accounts import Account, WebuiAccounts
from readiness.cli.stack_demo import (
    ADMIN,
    DECLARED,
    OPEN_WEBUI,
    SECOND,
    USER,
    OpenWebui,
    open_webui,
)
from readiness.context import Context
from readiness.mutants.endpoint.server import serving
from readiness.score import Outcome
from readiness.transport.address import Address
from tests import ROOT
from tests.checks.webui.test_checks import CHECKS, WITHOUT_SESSION, found_at

PROGRAM = Path(os.environ.get("OPEN_WEBUI", ROOT / OPEN_WEBUI))
pytestmark = [
    pytest.mark.nightly,
    pytest.mark.skipif(not PROGRAM.exists(), reason="make demo-stack installs Open WebUI"),
]
FAIL, UNDETERMINED = {Outcome.FAIL}, {Outcome.UNDETERMINED}
#: Without Redis a token outlives the sign-out, whatever else is set.
ALWAYS = {"sign_out_ends_session": FAIL}
SIGN_UP = "/api/v1/auths/admin/config"


@dataclass(frozen=True)
class Setting:
    """Settings of Open WebUI besides those of the demo, and what is found."""

    variables: Mapping[str, str]
    found: Mapping[str, set[Outcome]]
    admin: bool = True
    users: bool = True
    as_admin: bool = False
    pace: str = ""
    by_hand: Mapping[str, object] = field(default_factory=dict)
    checks: Sequence[Check] = field(default_factory=lambda: CHECKS)


SETTINGS = {
    "as it should be": Setting({}, ALWAYS),
    "its defaults": Setting(
        {"JWT_EXPIRES_IN": "", "RAG_FILE_MAX_SIZE": ""},
        {**ALWAYS, "session_lifetime": FAIL, "oversized_upload_rejected": FAIL},
    ),
    "no administrator": Setting({}, {"administrator_exists": FAIL}, admin=False, users=False),
    "a life without a unit": Setting(
        {"JWT_EXPIRES_IN": "604800"},
        {"sign_in": FAIL, **dict.fromkeys(WITHOUT_SESSION, UNDETERMINED)},
        users=False,
        as_admin=True,
    ),
    "a life of no time": Setting({"JWT_EXPIRES_IN": "0s"}, {**ALWAYS, "session_lifetime": FAIL}),
    "a key that everybody knows": Setting(
        {"WEBUI_SECRET_KEY": "t0p-s3cr3t"}, {**ALWAYS, "forged_token_rejected": FAIL}
    ),
    "no authentication": Setting(
        {"WEBUI_AUTH": "false"}, {"authentication_enabled": FAIL}, admin=False, users=False
    ),
    "cut after 5 s": Setting(
        {"AIOHTTP_CLIENT_TIMEOUT": "5"},
        {**ALWAYS, "long_stream_not_truncated": FAIL},
        pace="cpu",
    ),
    "sign-up opened by hand": Setting(
        {}, {**ALWAYS, "sign_up_closed": FAIL}, by_hand={"ENABLE_SIGNUP": True}
    ),
    "newcomers let in": Setting(
        {"DEFAULT_USER_ROLE": "user"},
        {**ALWAYS, "sign_up_closed": FAIL, "newcomer_has_no_access": FAIL},
        as_admin=True,
        by_hand={"ENABLE_SIGNUP": True, "DEFAULT_USER_ROLE": "user"},
    ),
    "sessions of 10 s": Setting(
        {"JWT_EXPIRES_IN": "10s"},
        {**ALWAYS, "session_outlasts_long_reply": FAIL},
        pace="cpu",
        checks=[each for each in CHECKS if each in vars(check_sessions).values()],
    ),
}


@pytest.mark.parametrize("setting", SETTINGS.values(), ids=SETTINGS)
def test_a_setting_is_named_by_its_own_check_alone(setting: Setting, tmp_path: Path) -> None:
    variables = {**DECLARED, **setting.variables}
    kept = {name: value for name, value in variables.items() if value}
    with (
        serving(pace=setting.pace) as endpoint,
        open_webui(tmp_path, endpoint, kept, admin=setting.admin) as webui,
    ):
        accounts = _prepared(webui, setting)
        context = Context(
            webui_address=Address.read(webui.url, "", {}),
            webui_accounts=accounts,
            defects_only=True,
        )
        found = found_at(endpoint, context, setting.checks)
    assert found == dict(setting.found)
    assert list((tmp_path / "data" / "uploads").glob("*")) == []


def _prepared(webui: OpenWebui, setting: Setting) -> WebuiAccounts:
    """The accounts to try a setting with, once users are added and what is set by hand is set."""
    admin, user, second = (Account(each, webui.password) for each in (ADMIN, USER, SECOND))
    if setting.by_hand:
        token = webui.sign_in(ADMIN)
        webui.call(SIGN_UP, {**webui.call(SIGN_UP, token=token), **setting.by_hand}, token)
    if not setting.users:
        return WebuiAccounts(admin, allows_admin=True) if setting.as_admin else WebuiAccounts()
    for each in (USER, SECOND):
        webui.add_user(each)
    return WebuiAccounts(admin if setting.as_admin else user, second, allows_admin=setting.as_admin)
