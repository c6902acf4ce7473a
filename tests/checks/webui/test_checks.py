"""The dimension `webui`: every flaw is found by its own check, and by no other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

import pytest

from readiness.chat import Chat
from readiness.check import Check
from readiness.checks.webui import check_access, check_sessions, check_streams, check_uploads
from readiness.checks.webui.accounts import Account, WebuiAccounts
from readiness.context import Context
from readiness.mutants.flaw import Flaw
from readiness.mutants.webui import flaws, flaws_harmless
from readiness.mutants.webui.flaws import ShortSessions
from readiness.probe import Probe
from readiness.score import EndpointError, Outcome, Score
from tests.load_driver import at, tried

MODULES = (check_access, check_sessions, check_uploads, check_streams)
CHECKS = [each for module in MODULES for each in vars(module).values() if isinstance(each, Check)]
OF_SHORT_SESSIONS = [check_sessions.expired_token_rejected, check_sessions.stream_outlasts_session]
USER, SECOND, ADMIN = (
    Account(f"{name}@example.com", f"{name}-password") for name in ("user", "second", "admin")
)
PLAIN = WebuiAccounts(USER, SECOND)
BY_ADMIN = WebuiAccounts(ADMIN, SECOND, allows_admin=True)
#: Where sign-up is open, for newcomers to be seen, that is not as it should be.
OPEN = {"webui_newcomers_admitted", "webui_newcomers_pending"}
#: Without a session nothing is shown of what needs one.
WITHOUT_SESSION = {
    each.id.removeprefix("webui.")
    for each in CHECKS
    if each not in (check_sessions.sign_in, check_sessions.wrong_password_rejected)
    and each not in vars(check_access).values()
}


def scores(
    mutant: str | Flaw,
    accounts: WebuiAccounts | None = PLAIN,
    checks: Sequence[Check] = CHECKS,
    *,
    defects_only: bool = True,
) -> dict[str, list[Score]]:
    """What checks say of a web interface, by their names."""
    context = Context(webui_accounts=accounts, defects_only=defects_only)
    return tried(mutant, partial(_scores, checks=checks), context)


async def _scores(chat: Chat, checks: Sequence[Check]) -> dict[str, list[Score]]:
    return {
        each.id.removeprefix("webui."): [
            await scored(chat, each, probe) for probe in each.probes(0, each.trials)
        ]
        for each in checks
    }


async def scored(chat: Chat, check: Check, probe: Probe) -> Score:
    try:
        return await check.attempt(chat, probe)
    except EndpointError as error:
        return error.score


def found(
    mutant: str | Flaw,
    accounts: WebuiAccounts | None = PLAIN,
    checks: Sequence[Check] = CHECKS,
    *,
    defects_only: bool = True,
) -> dict[str, set[Outcome]]:
    """The checks that neither pass nor are unsupported, each with its outcomes."""
    return _unsettled(scores(mutant, accounts, checks, defects_only=defects_only))


def found_at(
    url: str, context: Context, checks: Sequence[Check] = CHECKS
) -> dict[str, set[Outcome]]:
    """The same of a web interface that runs already, in front of the endpoint at a URL."""
    return _unsettled(at(url, partial(_scores, checks=checks), context))


def _unsettled(scored: Mapping[str, list[Score]]) -> dict[str, set[Outcome]]:
    outcomes = {
        name: {each.outcome for each in of} - {Outcome.PASS, Outcome.UNSUPPORTED}
        for name, of in scored.items()
    }
    return {name: each for name, each in outcomes.items() if each}


def has_short_sessions(flaw: Flaw) -> bool:
    return isinstance(flaw.webui, type) and issubclass(flaw.webui, ShortSessions)


@pytest.mark.parametrize("flaw", flaws.FLAWS, ids=lambda each: each.name)
def test_a_flaw_is_found_by_its_own_check_alone(flaw: Flaw) -> None:
    own = {flaw.check.removeprefix("webui."): {Outcome.FAIL}}
    if flaw.name in OPEN:
        assert found(flaw, BY_ADMIN) == own | {"sign_up_closed": {Outcome.FAIL}}
    elif has_short_sessions(flaw):
        assert found(flaw, checks=OF_SHORT_SESSIONS) == own
    elif flaw.name == "webui_sign_in_fails":
        others = {each: {Outcome.UNDETERMINED} for each in WITHOUT_SESSION}
        assert found(flaw) == own | others
    else:
        assert found(flaw) == own


@pytest.mark.parametrize("variant", flaws_harmless.FLAWS, ids=lambda each: each.name)
def test_a_harmless_variant_passes(variant: Flaw) -> None:
    if variant.name in OPEN:
        assert found(variant, BY_ADMIN) == {"sign_up_closed": {Outcome.FAIL}}
    else:
        assert found(variant) == {}
