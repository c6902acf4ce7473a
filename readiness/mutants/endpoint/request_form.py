"""The form of a request, for flaws that show in one form only: streamed, after a system message."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Any

from readiness.mutants.endpoint.answer import ModelOutput, Request
from readiness.mutants.endpoint.protocol import most_tokens
from readiness.mutants.endpoint.tokens import prompt_tokens

#: Whether a request is of some form.
Where = Callable[[Request], bool]
Says = Callable[[Request, ModelOutput, int], ModelOutput]


def streamed(request: Request) -> bool:
    """Whether the request asks for a stream."""
    return bool(request.get("stream"))


def unstreamed(request: Request) -> bool:
    """Whether the reply comes whole."""
    return not streamed(request)


def instructed(request: Request) -> bool:
    """Whether the request has a system message."""
    return len(turns(request)) < len(request["messages"])


def begins_with_system(request: Request) -> bool:
    """Whether a request, which may be an invalid one, begins with a system message."""
    messages = request.get("messages")
    first = messages[0] if messages and isinstance(messages, list) else None
    return isinstance(first, dict) and first.get("role") == "system"


def turns(request: Request) -> Sequence[Mapping[str, Any]]:
    """The messages without system messages."""
    return [each for each in request["messages"] if each["role"] not in ("system", "developer")]


def in_parts(request: Request) -> bool:
    """Whether some user's message is an array of parts."""
    return any(isinstance(each.get("content"), list) for each in turns(request))


def beside_tools(request: Request) -> bool:
    """Whether tools are offered."""
    return bool(request.get("tools"))


def after_turns(request: Request) -> bool:
    """Whether something was answered before."""
    return any(each["role"] == "assistant" for each in request["messages"])


def after_answers(count: int) -> Where:
    """Whether so many turns or more were answered before."""
    return lambda request: sum(each["role"] == "assistant" for each in request["messages"]) >= count


def after_tool_result(request: Request) -> bool:
    """Whether a tool has told something before."""
    return any(each["role"] == "tool" for each in request["messages"])


def unsampled(request: Request) -> bool:
    """Whether no temperature is sent, as most clients do."""
    return request.get("temperature") is None


def sampled(request: Request) -> bool:
    """Whether the reply is drawn: at a temperature above 0, or at the server's own."""
    return request.get("temperature") != 0


def seeded(request: Request) -> bool:
    """Whether a reply is drawn at a temperature, by a seed."""
    return bool(request.get("temperature")) and request.get("seed") is not None


def nucleus(request: Request) -> bool:
    """Whether a reply is drawn from a part of the likeliest tokens."""
    return (request.get("top_p") or 1) < 1


def penalties_written_out(request: Request) -> bool:
    """Whether penalties are sent, be they 0, as some clients write defaults out."""
    return request.get("frequency_penalty") is not None


def spoken_call(request: Request) -> bool:
    """Whether an earlier message has both a text and calls."""
    return any(each.get("tool_calls") and each.get("content") for each in request["messages"])


def cut_call(request: Request) -> bool:
    """Whether the arguments of an earlier call are no JSON, as where a limit has cut them."""
    calls = [call for each in request["messages"] for call in each.get("tool_calls") or ()]
    return not all(_is_json(call["function"]["arguments"] or "{}") for call in calls)


def called_with(arguments: str) -> Where:
    """Whether an earlier call has these arguments, as they are written."""
    return lambda request: any(
        call["function"]["arguments"] == arguments
        for each in request["messages"]
        for call in each.get("tool_calls") or ()
    )


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def several_results(request: Request) -> bool:
    """Whether two results of tools stand one after the other."""
    roles = [each["role"] for each in request["messages"]]
    return any(one == two == "tool" for one, two in pairwise(roles))


def windows_line_ends(request: Request) -> bool:
    """Whether a text has the line ends of Windows."""
    return "\\r\\n" in json.dumps(request["messages"])


def may_stop(request: Request) -> bool:
    """Whether stop sequences are sent."""
    return bool(request.get("stop"))


def with_logprobs(request: Request) -> bool:
    """Whether the probabilities of tokens are asked for."""
    return bool(request.get("logprobs"))


def for_user(request: Request) -> bool:
    """Whether a client says for whom it asks."""
    return bool(request.get("user"))


def several_choices(request: Request) -> bool:
    """Whether more than one reply is asked for."""
    return (request.get("n") or 1) > 1


def calls_at_once(request: Request) -> bool:
    """Whether a client says that several calls may come at once, as they may by default."""
    return request.get("parallel_tool_calls") is True


def from_developer(request: Request) -> bool:
    """Whether instructions come from a developer."""
    return any(each["role"] == "developer" for each in request["messages"])


def begun(request: Request) -> bool:
    """Whether the last message is the beginning of the reply."""
    return bool(request["messages"][-1]["role"] == "assistant")


def format_of(kind: str) -> Where:
    """Whether the response format is of some kind."""
    return lambda request: (request.get("response_format") or {}).get("type") == kind


def forced(request: Request) -> bool:
    """Whether a tool must be called."""
    return request.get("tool_choice") not in (None, "auto", "none")


def old_limit(request: Request) -> bool:
    """Whether the reply is limited by the older name."""
    return "max_tokens" in request


def unlimited(request: Request) -> bool:
    """Whether nothing limits the reply."""
    return most_tokens(request) is None


def limited_to(tokens: int) -> Where:
    """Whether a reply may have so many tokens at the most: a few words, for a small number."""
    return lambda request: 0 < (most_tokens(request) or 0) <= tokens


def uncounted(request: Request) -> bool:
    """Whether a reply is streamed without its usage."""
    return streamed(request) and not request.get("stream_options")


def text_format(request: Request) -> bool:
    """Whether the response format says text."""
    return (request.get("response_format") or {}).get("type") == "text"


def longer_than(tokens: int) -> Where:
    """Whether a prompt has more tokens than that."""
    return lambda request: prompt_tokens(request) > tokens


def all_of(*conditions: Where) -> Where:
    """Whether all of some conditions hold."""
    return lambda request: all(each(request) for each in conditions)


def only(where: Callable[[Request], bool], says: Says) -> Says:
    """Limit a change of the output to requests of this form."""
    return lambda request, said, turn: says(request, said, turn) if where(request) else said
