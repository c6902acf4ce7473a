"""`readiness doctor`: what an endpoint is and offers, and what each profile would take."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from rich.console import Console
from rich.table import Table
from rich.text import Text

from readiness.cli import configure
from readiness.cli.built_in import built_in_checks
from readiness.cli.obstacles import obstacles
from readiness.cli.options import OPTIONS, PROFILES, resolved
from readiness.evidence.printable import escape_unprintable
from readiness.exchange import Call, Exchange, Send
from readiness.policy import plan
from readiness.policy.plan import PlannedCheck
from readiness.policy.policy import Prices
from readiness.protocol.capability import (
    FEATURES,
    LIST_MODELS,
    NUMBERS,
    OK,
    ApiKeyRejected,
    Models,
    Unassessable,
    choose,
    no_such_model,
    require_base_url,
)
from readiness.protocol.completion import error_text, read
from readiness.protocol.dialect import OLDER_LIMIT, Dialect
from readiness.runner.session import error_message
from readiness.runner.settings import Settings
from readiness.score import EndpointError
from readiness.transport.client import EndpointClient
from readiness.verdict.exit_status import UNTRIED

#: The options of a run that change what is found; the rest of a run's are of no use here.
USED = (
    "model",
    "policy",
    "license-evidence",
    "hardware",
    "metrics",
    "restart-command",
    "header",
    "extra-body",
    "concurrency",
    "deployment",
    "webui",
)
#: Who lists models as owned by this, or sends such a header, as seen in servers' own source.
OWNERS = {
    "vllm": "vLLM",
    "sglang": "SGLang",
    "llamacpp": "llama.cpp",
    "library": "Ollama",
    "openai": "OpenAI, or a proxy that names it",
    "system": "OpenAI",
    "readiness": "the reference endpoint of this project",
}
HEADERS = {
    "x-litellm-version": "LiteLLM",
    "x-ms-region": "Azure OpenAI",
    "openai-processing-ms": "OpenAI",
    "x-kong-proxy-latency": "a Kong gateway",
    "cf-ray": "something behind Cloudflare",
}
SPEED_BUDGET = 192  # tokens of the reply whose speed is measured


@dataclass(frozen=True)
class Findings:
    """What a few requests have shown of an endpoint.

    Args:
        models: The models that it lists.
        model: The one that was asked.
        server: What it looks like.
        offers: Each feature that was tried, with why it was declined; "" where it was not.
        first_token: Seconds to the first token of one stream; None where it has none.
        speed: Its tokens/s; None where it is unknown.
        requests: How many were sent.
    """

    models: Models
    model: str
    server: str
    offers: Mapping[str, str]
    first_token: float | None
    speed: float | None
    requests: int


def doctor(argv: Sequence[str]) -> int:
    """Print what was found; 12 where the endpoint cannot be tried, 4 for an error of usage."""
    given = _parser().parse_args(argv)
    try:
        words = {each.name: getattr(given, each.dest, None) for each in OPTIONS}
        option = resolved({**words, "endpoint": given.url}, Path.cwd())
        option.seed = 0
        with configure.serving(option) as url:
            rules = configure.chosen_policy(option)
            settings = configure.settings(option, rules, url, [])
            found = _examined(settings)
        _print(settings, found, option, Prices(*given.price) if given.price else None)
    except Unassessable as error:
        return _error(f"cannot be tried: {error}", UNTRIED)
    except (pytest.UsageError, LookupError) as error:
        return _error(str(error), pytest.ExitCode.USAGE_ERROR)
    return 0


def _examined(settings: Settings) -> Findings:
    try:
        return asyncio.run(_examine(settings))
    # An endpoint may repeat what it was sent.
    except Unassessable as error:
        raise Unassessable(settings.secrets.printable(str(error))) from None
    except LookupError as error:
        raise LookupError(error_message(error, settings)) from None


def _error(why: str, status: int) -> int:
    print(escape_unprintable(why), file=sys.stderr)
    return status


async def _examine(settings: Settings) -> Findings:
    """Ask for the list of models, a word, a stream, and each other feature once.

    Raises:
        Unassessable: The endpoint cannot be tried.
        LookupError: The user must choose a model, or another key.
    """
    endpoint = EndpointClient(settings.address, settings.limits)
    made: list[Exchange] = []

    async def send(call: Call) -> Exchange:
        made.append(await endpoint.send(call))
        return made[-1]

    try:
        models = Models.read(listed := await send(LIST_MODELS))
        await require_base_url(send, settings.address.url, models)
        asked = Dialect(
            choose(models, settings.model), sampling=settings.sampling, extra_body=settings.extra
        )
        dialect = await _dialect(send, asked, models)
        offers: dict[str, str] = {}
        speed: tuple[float | None, float | None] = (None, None)
        for name, (messages, parameters) in FEATURES.items():
            streams = name == "stream"
            budget = SPEED_BUDGET if streams else 64
            body = dialect.request(NUMBERS if streams else messages, budget, parameters)
            exchange = await send(Call(body, valid=False))
            offers[name] = "" if exchange.succeeded else _declined(exchange)
            speed = _speed(exchange) if streams else speed
    finally:
        await endpoint.close()
    return Findings(models, dialect.model, _server(listed, made), offers, *speed, len(made))


async def _dialect(send: Send, asked: Dialect, models: Models) -> Dialect:
    """The dialect in which the simplest request is answered.

    Raises:
        Unassessable: It is answered in none.
        LookupError: The key is not accepted, or there is no such model.
    """
    exchange = await send(Call(asked.request(OK, 64, {})))
    if exchange.declined:
        asked = Dialect(asked.model, OLDER_LIMIT, sampling={}, extra_body=asked.extra_body)
        exchange = await send(Call(asked.request(OK, 64, {}), valid=False))
    if exchange.status in (401, 403):
        raise ApiKeyRejected(f"the key is not accepted: {_declined(exchange)}")
    if exchange.status == 404 and not models.problem:
        raise LookupError(no_such_model(asked.model, models, _declined(exchange)))
    if not exchange.succeeded:
        raise Unassessable(f"the simplest request fails: {_declined(exchange)}")
    return asked


def _declined(exchange: Exchange) -> str:
    fault = exchange.fault
    return (
        f"{fault}: {exchange.detail}"
        if fault
        else (f"HTTP {exchange.status}: {error_text(exchange):.120}")
    )


def _speed(exchange: Exchange) -> tuple[float | None, float | None]:
    """Seconds to the first token of a stream, and tokens/s after it."""
    try:
        reply = read(exchange)
    except EndpointError:
        return None, None
    first, last = reply.timing.first_token, reply.timing.last_token
    if first is None or last is None or reply.usage is None or last <= first:
        return first, None
    return first, (reply.usage.completion - 1) / (last - first)


def _server(listed: Exchange, made: Sequence[Exchange]) -> str:
    """What the endpoint looks like, by its headers and by who owns its models."""
    headers = {name: value for each in made for name, value in each.headers.items()}
    for name, who in HEADERS.items():
        if name in headers:
            return who
    owners = [who for owner, who in OWNERS.items() if f'"{owner}"'.encode() in listed.body]
    named = headers.get("server", "")
    return owners[0] if owners else f"unknown (Server: {named})" if named else "unknown"


def _print(
    settings: Settings, found: Findings, option: argparse.Namespace, prices: Prices | None
) -> None:
    console = Console(highlight=False, markup=False)
    for line in _about(settings, found):
        console.print(Text(settings.secrets.printable(line)), soft_wrap=True)
    checks = built_in_checks()
    plans = {each: plan.plan(checks, settings.policy, each, option.seed) for each in PROFILES}
    console.print(_costs(plans, settings, found, prices or settings.policy.prices))
    for line in obstacles(option, settings.policy, plans["ci"]):
        console.print(Text(f"! {line}"), soft_wrap=True)
    console.print(Text(f"{found.requests} requests were sent"))


def _about(settings: Settings, found: Findings) -> Iterator[str]:
    yield f"endpoint    {settings.address.url}"
    yield f"server      {found.server}"
    window = found.models.windows.get(found.model)
    declared = f", declares a window of {window:,} tokens" if window else ", declares no window"
    yield f"model       {found.model} of {len(found.models.windows)} listed{declared}"
    for name, why in found.offers.items():
        yield f"{name:<12}{f'no: {why}' if why else 'yes'}"
    if found.first_token is not None:
        rate = f", then {found.speed:,.0f} tokens/s" if found.speed else ""
        yield f"speed       first token after {found.first_token:.2f} s{rate} (one stream)"


def _costs(
    plans: Mapping[str, Sequence[PlannedCheck]],
    settings: Settings,
    found: Findings,
    prices: Prices | None,
) -> Table:
    """What each profile would take, by its plan and the measured speed."""
    table = Table(box=None, pad_edge=False)
    cost = f"about {prices.currency}" if prices else "money (--price PROMPT COMPLETION)"
    for name in ("profile", "trials", "prompt tokens", "reply tokens", "at least min", cost):
        table.add_column(name, justify="left" if name == "profile" else "right")
    pace = found.speed or 1 / plan.SECONDS_PER_TOKEN
    for profile, planned in plans.items():
        prompt = sum(each.prompt_tokens for each in planned)
        reply = sum(each.completion_tokens for each in planned)
        minutes = plan.duration(planned, settings.concurrency, pace).seconds / 60
        money = f"{prices.cost(prompt, reply):,.2f}" if prices else "–"
        trials = sum(len(each.probes) for each in planned)
        least = f"{minutes:,.0f}" if minutes >= 1 else "under 1"
        row = (f"{trials:,}", f"{prompt:,}", f"{reply:,}", least, money)
        table.add_row(profile, *row)
    return table


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="readiness doctor", description=__doc__)
    parser.add_argument("url", nargs="?", metavar="URL", help=OPTIONS[0].about)
    parser.add_argument(
        "--price",
        nargs=2,
        type=float,
        metavar=("PROMPT", "COMPLETION"),
        help="of a million tokens, in place of the policy's",
    )
    for option in OPTIONS:
        if option.name in USED:
            parser.add_argument(f"--{option.name}", dest=option.dest, **option.declaration)
    return parser
