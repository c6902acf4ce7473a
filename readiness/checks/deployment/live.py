"""What the running servers tell of themselves, by three GETs at most beside the list of models."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from readiness.chat import Chat
from readiness.checks.deployment.facts import LiveFacts
from readiness.exchange import Call, Exchange, Server
from readiness.load.meters.meter import MeterError
from readiness.protocol.message import decode
from readiness.score import EndpointError

VERSION, CONFIG = "/../version", "/api/config"


async def live_facts(chat: Chat) -> LiveFacts:
    """Ask vLLM for its version and metrics, and Open WebUI for its public configuration."""
    return LiveFacts(
        chat.context.context_window, await _cache(chat), await _version(chat), await _webui(chat)
    )


async def _version(chat: Chat) -> str:
    """The version of vLLM; "" from a server that has no such route."""
    told = await _document(chat, Call(None, path=VERSION, method="GET", valid=False))
    version = told.get("version")
    return version if isinstance(version, str) and re.match(r"\d+\.\d+\.\d+", version) else ""


async def _webui(chat: Chat) -> Mapping[str, str]:
    """What Open WebUI tells everyone: its version, and whether it takes new users."""
    if chat.context.webui_address is None:
        return {}
    call = Call(None, path=CONFIG, method="GET", server=Server.WEBUI)
    told = await _document(chat, call)
    features = told.get("features")
    parts = {**told, **(features if isinstance(features, dict) else {})}
    scalars = {name: each for name, each in parts.items() if isinstance(each, str | bool | int)}
    return {
        name: each if isinstance(each, str) else json.dumps(each) for name, each in scalars.items()
    }


async def _cache(chat: Chat) -> Mapping[str, str]:
    for meter in chat.context.meters:
        try:
            if labels := (await meter.read()).cache_config:
                return labels
        except MeterError:
            continue
    return {}


async def _document(chat: Chat, call: Call) -> Mapping[str, Any]:
    """The JSON object that answers a request; an empty one where none does."""
    try:
        return _object(await chat.call(call))
    except EndpointError:
        return {}


def _object(exchange: Exchange) -> Mapping[str, Any]:
    try:
        content = decode(exchange.body.decode()) if exchange.succeeded else {}
    except ValueError:
        return {}
    return content if isinstance(content, dict) else {}
