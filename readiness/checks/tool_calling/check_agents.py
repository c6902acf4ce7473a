"""Agents: errands of several tools, by plain requests and by the official SDK's stream helper."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from readiness.chat import Chat
from readiness.check import check
from readiness.checks.tool_calling import scoring_agents as agents
from readiness.checks.tool_calling.checks import TOOLS
from readiness.checks.tool_calling.probes_agents import conversations, through_sdk
from readiness.checks.tool_calling.probes_tool_results import result_message
from readiness.probe import Message, Probe
from readiness.protocol.completion import read
from readiness.reply import Reply, ToolCall
from readiness.score import Score, failed
from readiness.sdk_client import run_with_sdk

if TYPE_CHECKING:
    from openai import AsyncOpenAI

#: Six calls are needed, and a reply: twice as many requests are enough for any detour.
MOST_REQUESTS = 14

Ask = Callable[[list[Message]], Awaitable[Reply | Score]]


async def run_errand(probe: Probe, ask: Ask) -> Score:
    """Answer the calls of an agent until it makes none, and score all that it does."""
    tools, steps = probe.parameters["tools"], probe.expect["steps"]
    messages, made = list(probe.messages), list[ToolCall]()
    for _ in range(MOST_REQUESTS):
        reply = await ask(messages)
        if isinstance(reply, Score):
            return reply
        if not reply.tool_calls:
            return agents.finished(reply, made, probe.expect, tools)
        if wrong := agents.wrong_calls(reply, made, steps, tools):
            return wrong
        made += reply.tool_calls
        results = [result_message(of.id, steps[of.name].result) for of in reply.tool_calls]
        messages += [reply.message, *results]
    return failed(f"no end after {MOST_REQUESTS} requests")


@check(conversations, trials=4, needs=TOOLS)
async def agent_conversation(chat: Chat, probe: Probe) -> Score:
    """In a conversation that takes five tools one after another, each call MUST have what an
    earlier one told, a tool that fails MUST be replaced, and a long text MUST arrive unchanged.
    """

    async def ask(messages: list[Message]) -> Reply:
        return await chat(messages, budget=probe.budget, **probe.parameters)

    return await run_errand(probe, ask)


@check(through_sdk, trials=2, needs=["tools", "stream"])
async def agent_through_sdk(chat: Chat, probe: Probe) -> Score:
    """Read by the official SDK's stream helper, the calls of such a conversation MUST have the
    ids, names and arguments that were sent.
    """

    async def ask(messages: list[Message]) -> Reply | Score:
        body = chat.dialect.request(messages, probe.budget, probe.parameters)
        return await stream_by_sdk(chat, body)

    return await run_errand(probe, ask)


async def stream_by_sdk(chat: Chat, body: dict[str, Any]) -> Reply | Score:
    """The reply to a request, or the score of what the SDK's stream helper makes of it."""
    kept = {key: body.pop(key) for key in ("model", "messages")}

    async def assemble(client: AsyncOpenAI) -> Any:
        async with client.chat.completions.stream(**kept, extra_body=body) as stream:
            return (await stream.get_final_completion()).choices[0].message

    result = await run_with_sdk(chat, assemble, strict=False)
    sent = read(result.exchange)
    if result.error:
        message = " ".join(result.error_message.split())
        return failed(f"the SDK raises {result.error}", f"{message!r:.200}")
    score = agents.same_as_sent(result.value, sent)
    return sent if score.passed else score
