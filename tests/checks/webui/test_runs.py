"""Runs with a web interface: what gates, what is kept secret, and that nothing is left behind."""

from __future__ import annotations

import asyncio
import json
import re
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from aiohttp import web

from readiness.chat import Chat
from readiness.checks.deployment import checks as deployment
from readiness.checks.deployment.gather import gather_deployment
from readiness.checks.webui import check_sessions, check_uploads, requests
from readiness.checks.webui.accounts import Account, WebuiAccounts
from readiness.checks.webui.session_token import FORGERIES, SessionToken
from readiness.cli.rescore import rescore
from readiness.context import Context
from readiness.evidence.redaction import MARK, Secrets
from readiness.mutants.catalog import FLAWLESS
from readiness.mutants.endpoint.server import WEBUI, serving
from readiness.mutants.webui import tokens
from readiness.mutants.webui.flaws import NewcomersAdmitted, ShortSessions, SignUpOpen
from readiness.mutants.webui.flaws_harmless import Limited
from readiness.mutants.webui.interface import Interface, StoredFile, told
from readiness.score import Outcome, Score
from tests.checks.webui.test_checks import BY_ADMIN, CHECKS, PLAIN, USER, found, scores
from tests.load_driver import tried

ACCOUNT = {"WEBUI_EMAIL": USER.email, "WEBUI_PASSWORD": USER.password}
CHECKED = "readiness.checks.webui"


class Counting(Interface):
    """Counts the wrong passwords for each account."""

    def __init__(self) -> None:
        super().__init__()
        self.wrong = Counter[str]()

    async def sign_in(self, request: web.Request) -> web.Response:
        response = await super().sign_in(request)
        if response.status != 200:
            self.wrong[(await request.json())["email"]] += 1
        return response


class Late(Interface):
    """Never ends the processing of a large file."""

    began: asyncio.Event

    async def process(self, stored: StoredFile) -> None:
        self.began.set()
        await asyncio.sleep(60)


class RefusingSignIn(Interface):
    """Counts the attempts to sign in, and refuses them all as too many."""

    asked = 0

    async def sign_in(self, request: web.Request) -> web.Response:
        self.asked += 1
        return told({"detail": "Too many attempts"}, 429)


class LimitNotTold(Interface):
    """Has a limit of 2 MB, as a gateway in front may have, and tells none."""

    async def config(self, request: web.Request) -> web.Response:
        response = await super().config(request)
        return told({**json.loads(str(response.text)), "file": {"max_size": None}})


@dataclass(frozen=True)
class Response:
    """A response to any request."""

    status: int
    text: str
    headers: Mapping[str, str]


class Refusing(Interface):
    """Refuses every request, as a limiter does."""

    def __init__(self, response: Response) -> None:
        super().__init__()
        self.response = response

    @web.middleware
    async def meet(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        return web.Response(
            status=self.response.status, text=self.response.text, headers=self.response.headers
        )


def test_without_an_account_what_needs_one_is_unsupported_and_never_passes() -> None:
    outcomes = {
        name: {each.outcome for each in of}
        for name, of in scores("reference", WebuiAccounts()).items()
    }
    passed = {name for name, of in outcomes.items() if Outcome.PASS in of}
    assert passed == {
        "version_and_health",
        "authentication_required",
        "authentication_enabled",
        "administrator_exists",
        "closed_sign_up_rejected",
        "sign_up_closed",
    }
    rest = [of for name, of in outcomes.items() if name not in passed]
    assert rest == [{Outcome.UNSUPPORTED}] * len(rest)


def test_an_administrators_account_is_refused_unless_it_is_allowed() -> None:
    admin = replace(BY_ADMIN, allows_admin=False)
    (said,) = scores("reference", admin, [check_uploads.upload_round_trip])["upload_round_trip"]
    assert (said.outcome, said.kind) == (
        Outcome.UNSUPPORTED,
        "the account is an administrator's",
    )
    assert found("reference", BY_ADMIN) == {}


def test_an_api_key_does_where_no_session_is_needed() -> None:
    interface = Interface()
    key = WebuiAccounts(api_key=interface.issue(interface.users[0]))
    flaw = replace(FLAWLESS, webui=lambda: interface)
    checks = [check_uploads.upload_round_trip, check_sessions.sign_in]
    said = {name: {each.outcome for each in of} for name, of in scores(flaw, key, checks).items()}
    assert said == {"upload_round_trip": {Outcome.PASS}, "sign_in": {Outcome.UNSUPPORTED}}


def test_nothing_is_left_and_no_password_is_guessed_more_than_three_times() -> None:
    interface = Counting()
    assert found(replace(FLAWLESS, webui=lambda: interface)) == {}
    assert interface.files == {}
    assert [each.name for each in interface.users] == ["user", "second", "admin"]
    assert interface.wrong[USER.email] == 1
    assert max(interface.wrong.values()) <= 3


@pytest.mark.parametrize(
    "response",
    [
        Response(429, '{"detail": "Too many"}', {"Content-Type": "application/json"}),
        Response(503, "<html></html>", {"Content-Type": "text/html", "Server": "nginx/1.22.1"}),
        Response(503, "{}", {"Content-Type": "application/json", "Retry-After": "1"}),
    ],
    ids=lambda each: f"{each.status} {each.text}",
)
def test_what_a_limiter_refuses_shows_nothing_of_the_web_interface(
    response: Response, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(requests, "LIMITED", 0.0)
    said = scores(replace(FLAWLESS, webui=lambda: Refusing(response)))
    assert {each.outcome for of in said.values() for each in of} == {Outcome.SKIPPED}
    limiter = response.headers.get("Server", "Python/")
    assert [each for of in said.values() for each in of if limiter not in each.reason] == []


def test_nothing_is_left_where_a_limiter_refuses_now_and_then() -> None:
    interface = Limited()
    assert found(replace(FLAWLESS, webui=lambda: interface), BY_ADMIN) == {}
    assert interface.files == {}


@pytest.mark.parametrize(
    ("defects_only", "left_open"),
    [(True, {}), (False, {"large_upload_isolation": {Outcome.UNDETERMINED}})],
    ids=["smoke", "ci"],
)
def test_a_limit_that_is_not_told_is_found_and_nothing_else_blamed(
    defects_only: bool, left_open: Mapping[str, set[Outcome]]
) -> None:
    own = [check_uploads.oversized_upload_rejected, check_uploads.large_upload_isolation]
    flaw = replace(FLAWLESS, webui=LimitNotTold)
    assert found(flaw, checks=own, defects_only=defects_only) == left_open


def test_a_sign_in_that_a_limiter_refuses_is_not_sent_again() -> None:
    interface = RefusingSignIn()
    own = [check_sessions.sign_in, check_sessions.wrong_password_rejected]
    said = found(replace(FLAWLESS, webui=lambda: interface), checks=own)
    assert said == {each.id.removeprefix("webui."): {Outcome.SKIPPED} for each in own}
    assert interface.asked == 2


def test_a_new_account_is_deleted_whatever_it_was_shown() -> None:
    interface = NewcomersAdmitted()
    assert found(replace(FLAWLESS, webui=lambda: interface), BY_ADMIN)
    assert [each.name for each in interface.users] == ["user", "second", "admin"]


def test_an_interrupted_upload_is_deleted() -> None:
    interface = Late()

    async def work(chat: Chat) -> int:
        interface.began = asyncio.Event()
        check = check_uploads.large_upload_isolation
        task = asyncio.ensure_future(check.attempt(chat, check.probes(0, 1)[0]))
        await interface.began.wait()
        stored = len(interface.files)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        return stored

    context = Context(webui_accounts=PLAIN, defects_only=True)
    assert tried(replace(FLAWLESS, webui=lambda: interface), work, context) == 1
    assert interface.files == {}


@pytest.mark.parametrize(
    ("webui", "outcome"), [(Interface, Outcome.PASS), (SignUpOpen, Outcome.FAIL)]
)
def test_what_is_declared_is_held_against_what_runs(
    tmp_path: Path, webui: type[Interface], outcome: Outcome
) -> None:
    (tmp_path / ".env").write_text("WEBUI_AUTH=true\nENABLE_SIGNUP=false\n")
    context = Context(webui_accounts=PLAIN, deployment=gather_deployment([tmp_path]))
    check = deployment.webui_runs_as_declared

    async def work(chat: Chat) -> Score:
        return await check.attempt(chat, check.probes(0, 1)[0])

    assert tried(replace(FLAWLESS, webui=webui), work, context).outcome is outcome


def test_a_session_of_seconds_ends_too_early_for_a_reply() -> None:
    flaw = replace(FLAWLESS, webui=ShortSessions)
    checks = [
        check_sessions.session_outlasts_long_reply,
        check_sessions.expired_token_rejected,
        check_sessions.stream_outlasts_session,
    ]
    assert found(flaw, checks=checks) == {"session_outlasts_long_reply": {Outcome.FAIL}}


@pytest.mark.parametrize("forge", FORGERIES.values(), ids=FORGERIES)
def test_a_forged_token_is_none_that_was_issued(forge: object) -> None:
    interface = Interface()
    token = interface.issue(interface.users[0])
    forged = forge(SessionToken.read(token))  # type: ignore[operator]
    assert interface.user_of(token) is interface.users[0]
    assert tokens.claims_of(forged)["id"] == interface.users[0].id
    assert interface.user_of(forged) is None


@pytest.mark.parametrize("text", ["", "a.b", "sk-1", "e30.e30", "W10.e30.x", "é.e30.x"])
def test_what_is_no_token_is_not_read_as_one(text: str) -> None:
    with pytest.raises(ValueError, match=r"^not a JSON Web Token$"):
        SessionToken.read(text)


def test_a_session_token_is_redacted_wherever_it_stands() -> None:
    token = tokens.issue({"id": "1", "exp": 2_000_000_000})
    text = f'{{"token": "{token}"}} token={token}; Path=/ Bearer {token}'
    assert Secrets([]).redact(text) == f'{{"token": "{MARK}"}} token={MARK}; Path=/ Bearer {MARK}'
    assert Secrets([]).redact_bytes(token.encode()) == MARK.encode()
    kept = "eyJ is how it begins, eyJhbGciOiJI.x, and a.b.c is none"
    assert Secrets([]).redact(kept) == kept


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({"WEBUI_EMAIL": "a@example.com"}, "WEBUI_PASSWORD is not set"),
        ({"WEBUI_SECOND_PASSWORD": "password"}, "WEBUI_SECOND_EMAIL is not set"),
        ({"WEBUI_EMAIL": "a@example.com", "WEBUI_PASSWORD": "short"}, "fewer than 6 characters"),
    ],
)
def test_an_account_that_cannot_be_used_is_named(environment: dict[str, str], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        WebuiAccounts.read(environment, allows_admin=False)


def test_an_account_shows_no_password() -> None:
    assert "secret" not in repr(
        WebuiAccounts(Account("a@example.com", "secret-1"), api_key="secret")
    )


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with serving() as found:
        yield found


@pytest.fixture
def own(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """A user's folder, and an account in the environment."""
    for name, value in ACCOUNT.items():
        monkeypatch.setenv(name, value)
    pytester.makeini("[pytest]\n")
    return pytester


def test_a_run_with_a_web_interface_gates_and_keeps_its_secrets(
    own: pytest.Pytester, url: str
) -> None:
    root = url.removesuffix("/v1")
    webui = root + WEBUI
    options = [
        "--metrics",
        f"{root}/metrics",
        "--endpoint",
        url,
        "--profile",
        "smoke",
        "--webui",
        webui,
        "-p",
        "no:cacheprovider",
    ]
    result = own.runpytest_subprocess("--pyargs", CHECKED, *options)
    record = json.loads((own.path / "reports/latest/readiness.json").read_text("utf-8"))
    row = next(each for each in record["dimensions"] if each["id"] == "webui")
    assert (result.ret, row["gate"], row["verdict"]) == (10, "required", "inconclusive")
    assert record["machine"]["webui"] == webui
    written = [path.read_bytes() for path in own.path.rglob("*") if path.is_file()]
    shown = [*written, result.stdout.str().encode()]
    secret = re.compile("|".join([*map(re.escape, ACCOUNT.values()), r"eyJ[\w-]+\."]).encode())
    assert [each for each in shown if secret.search(each)] == []
    assert rescore([str(own.path / "reports/latest")]) == 0


def test_without_the_option_the_dimension_is_not_assessed(own: pytest.Pytester, url: str) -> None:
    result = own.runpytest_subprocess(
        "--pyargs", CHECKED, "--endpoint", url, "--policy", "article", "-p", "no:cacheprovider"
    )
    record = json.loads((own.path / "reports/latest/readiness.json").read_text("utf-8"))
    row = next(each for each in record["dimensions"] if each["id"] == "webui")
    assert (row["gate"], row["verdict"]) == ("advisory", "not assessed")
    assert result.ret == 10
    assert {tuple(each["outcomes"]) for each in row["checks"]} == {("unsupported",)}
    assert len(row["checks"]) == len(CHECKS)
