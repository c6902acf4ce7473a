"""Flaws of replies: fields, usage, and parameters."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from readiness.mutants.api.requests import (
    BRIEF_ELSEWHERE,
    BRIEF_WHOLE,
    EVERYWHERE,
    choice_of,
    crashes,
    formed,
    instead,
    relabelled,
)
from readiness.mutants.endpoint.answer import ModelOutput, Request
from readiness.mutants.endpoint.conversation import text_of
from readiness.mutants.endpoint.request_form import begins_with_system, streamed
from readiness.mutants.flaw import Body, Flaw
from readiness.verdict.claim import Verdict


def _with(**fields: object) -> Callable[[Body], Body]:
    return lambda body: {**body, **fields}


def _without(name: str) -> Callable[[Body], Body]:
    return lambda body: {key: body[key] for key in body if key != name}


def _choice(change: Callable[[Body], Body]) -> Callable[[Body], Body]:
    return lambda body: choice_of(body, change)


def _message(**fields: object) -> Callable[[Body], Body]:
    return _choice(lambda choice: {**choice, "message": {**choice["message"], **fields}})


def _usage(**counts: object) -> Callable[[Body], Body]:
    return lambda body: {**body, "usage": {**body["usage"], **counts}}


_SHAPES = {
    "id_missing": ("a reply has no id", _without("id")),
    "id_empty": ("a reply has an empty id", _with(id="")),
    "created_text": ("`created` is a date in words", _with(created="today")),
    "object_other": ("`object` is another one", _with(object="text_completion")),
    "finish_other": ("TGI's old finish_reason", _choice(_with(finish_reason="eos_token"))),
    "finish_null": ("finish_reason is null", _choice(_with(finish_reason=None))),
    "index_from_one": ("choices are numbered from 1", _choice(_with(index=1))),
    "role_other": ("the message is a `bot`'s", _message(role="bot")),
    "tool_calls_object": ("tool_calls is no list", _message(tool_calls={})),
}
_COUNTS = {
    "usage_missing": ("a reply has no usage", _without("usage")),
    "usage_total": ("the total is no sum", _usage(total_tokens=7_000)),
    "usage_zero": ("the prompt counts nothing", _usage(prompt_tokens=0)),
    "usage_text": ("counts are texts", _usage(prompt_tokens="7")),
}


def _one_letter(request: Request) -> Request:
    stops = [request["stop"]] if isinstance(request["stop"], str) else request["stop"]
    found = [each for each in stops if len(each) == 1]
    kept = {key: value for key, value in request.items() if key != "stop"}
    return {**kept, "stop": found} if found else kept


def _first_stop(request: Request) -> Request:
    stop = request["stop"]
    return {**request, "stop": stop[0] if isinstance(stop, list) else stop}


def _without_stop(request: Request) -> Request:
    return {key: request[key] for key in request if key != "stop"}


def _where_stopped(change: Callable[[Request], Request]) -> Callable[[Request], Request]:
    """Change the requests that have stop texts."""
    return lambda request: (
        change(request) if isinstance(request.get("stop") or None, str | list) else request
    )


def _begun(request: Request, answer: ModelOutput, _turn: int) -> ModelOutput:
    """A stream ends with all of a stop text but its last letter."""
    text, stop = answer.content or "", request.get("stop") or []
    ends = {text.find(each): each for each in ([stop] if isinstance(stop, str) else stop)}
    place = min((at for at in ends if at >= 0), default=None)
    if place is None or not streamed(request):
        return answer
    return replace(answer, content=text[:place] + ends[place][:-1])


def _limited(request: Request) -> Request:
    free = not {"max_tokens", "max_completion_tokens"} & request.keys()
    return {**request, "max_tokens": 16} if free else request


def _unlimited(name: str) -> Callable[[Request], Request]:
    """A limit by this name is not read."""
    return lambda request: {key: request[key] for key in request if key != name}


def _cut_says_stop() -> dict[str, Any]:
    """Hooks by which a reply that was cut says that it was not."""
    change = _choice(
        lambda choice: (
            {**choice, "finish_reason": "stop"} if choice["finish_reason"] == "length" else choice
        )
    )
    return {
        "change_body": lambda _request, body: change(body),
        "change_chunks": lambda _request, made: [change(chunk) for chunk in made],
    }


#: The parameters of OpenAI's chat completions that are served widely.
_KNOWN = {
    *("model", "messages", "max_tokens", "max_completion_tokens", "temperature", "top_p", "n"),
    *("stream", "stream_options", "stop", "seed", "logprobs", "top_logprobs", "logit_bias"),
    *("frequency_penalty", "presence_penalty", "tools", "tool_choice", "parallel_tool_calls"),
    *("response_format", "user", "metadata", "store", "service_tier"),
}

_PARAMETERS = [
    Flaw(
        "api_max_tokens_ignored",
        "max_tokens is ignored",
        "api.max_tokens_honoured",
        change_request=_unlimited("max_tokens"),
    ),
    Flaw(
        "api_cut_says_stop",
        "a reply that was cut says that it was not",
        "api.max_tokens_honoured",
        **_cut_says_stop(),
        elsewhere=("json_only", "stability", "tool_calling"),
    ),
    Flaw(
        "api_max_completion_tokens_ignored",
        "max_completion_tokens is ignored, as by Ollama",
        "api.max_completion_tokens_honoured",
        change_request=_unlimited("max_completion_tokens"),
        elsewhere=("json_only", "stability", "tool_calling"),
    ),
    Flaw(
        "api_limit_ignored_after_system",
        "a limit by its older name is ignored after a system message",
        "api.max_tokens_honoured",
        change_request=lambda request: (
            {key: request[key] for key in request if key != "max_tokens"}
            if begins_with_system(request)
            else request
        ),
    ),
    Flaw(
        "api_stop_ignored",
        "stop is ignored",
        "api.stop_sequence_honoured",
        change_request=_where_stopped(_without_stop),
    ),
    Flaw(
        "api_stop_list_ignored",
        "of several stop texts, the first alone counts",
        "api.stop_sequence_honoured",
        change_request=_where_stopped(_first_stop),
    ),
    Flaw(
        "api_stop_one_letter",
        "stop texts of more than one letter are never found",
        "api.stop_sequence_honoured",
        change_request=_where_stopped(_one_letter),
    ),
    Flaw(
        "api_stop_begins",
        "of a stop text, all but the last letter comes through in a stream",
        "api.stop_sequence_honoured",
        change_output=_begun,
    ),
    Flaw(
        "api_limit_by_default",
        "where nobody limits a reply, sixteen tokens are the limit",
        "api.no_default_token_limit",
        change_request=_limited,
        elsewhere=EVERYWHERE,
    ),
    Flaw(
        "api_stop_says_length",
        "a reply that was stopped says that it was cut",
        "api.stop_sequence_honoured",
        change_output=lambda request, answer, _turn: (
            replace(answer, finish="length") if request.get("stop") else answer
        ),
        elsewhere=("json_only", "multilingual", "tool_calling"),
    ),
    Flaw(
        "api_unknown_parameter_crashes",
        "an unknown parameter ends in a 500",
        "api.unknown_parameter_handled",
        intercept=crashes(lambda request: not request.keys() <= _KNOWN),
        elsewhere=("stability",),
    ),
]

REPLIES_FLAWS = [
    *(
        Flaw(
            f"api_{name}",
            about,
            "api.reply_matches_sdk_types",
            change_body=formed(BRIEF_WHOLE, change),
            elsewhere=BRIEF_ELSEWHERE,
        )
        for name, (about, change) in _SHAPES.items()
    ),
    *(
        Flaw(
            f"api_{name}",
            about,
            "api.usage_consistent",
            change_body=formed(BRIEF_WHOLE, change),
            elsewhere=BRIEF_ELSEWHERE,
        )
        for name, (about, change) in _COUNTS.items()
    ),
    Flaw(
        "api_json_as_text",
        "JSON is labelled text/plain",
        "api.json_content_type",
        intercept=instead(BRIEF_WHOLE, relabelled("text/plain")),
        elsewhere=BRIEF_ELSEWHERE,
    ),
    Flaw(
        "api_template_leaks",
        "a control token ends the text",
        "api.no_template_leak",
        change_output=lambda request, answer, _turn: (
            replace(answer, content=f"{answer.content}<|im_end|>")
            if answer.content and len(request["messages"]) == 1
            else answer
        ),
        elsewhere=EVERYWHERE,
    ),
    *_PARAMETERS,
]


def _last_alone(request: Request) -> Request:
    return {**request, "messages": request["messages"][-1:]}


def _without_role(role: str) -> Callable[[Request], Request]:
    """Drop all messages of one role."""

    def change(request: Request) -> Request:
        kept = [each for each in request["messages"] if each["role"] != role]
        return {**request, "messages": kept}

    return change


def _latest(request: Request) -> Request:
    return {**request, "messages": request["messages"][-50:]}


def _replies_forgotten(request: Request) -> Request:
    """Drop what the assistant said before the last twenty messages."""
    earlier, late = request["messages"][:-20], request["messages"][-20:]
    kept = [each for each in earlier if each["role"] != "assistant"]
    return {**request, "messages": [*kept, *late]}


def _roles(request: Request) -> Sequence[str]:
    """The roles of the messages; none where some message is malformed."""
    found = request.get("messages")
    sound = isinstance(found, list) and all(isinstance(each, dict) for each in found)
    return [str(each.get("role")) for each in found] if found and sound else []


def _where(
    where: Callable[[Sequence[str]], bool], change: Callable[[Request], Request]
) -> Callable[[Request], Request]:
    """Change conversations without tools whose messages have such roles."""
    return lambda request: (
        change(request) if not request.get("tools") and where(_roles(request)) else request
    )


def _answered_under_orders(roles: Sequence[str]) -> bool:
    return roles[:1] == ["system"] and "assistant" in roles


def _answered_before(roles: Sequence[str]) -> bool:
    return "assistant" in roles and roles[-1] == "user" and "tool" not in roles


def _answered_often(roles: Sequence[str]) -> bool:
    return roles.count("assistant") >= _OFTEN


def _many(roles: Sequence[str]) -> bool:
    return len(roles) > _OFTEN


def _part(place: int) -> Callable[[Request], Request]:
    """Of a message in several text parts, read only one."""

    def read(message: Any) -> Any:
        content = message.get("content") if isinstance(message, dict) else None
        if not isinstance(content, list) or len(content) < 2 or message.get("tool_calls"):
            return message
        texts = _in_text_parts({"messages": [message]})
        return {**message, "content": [content[place]]} if texts else message

    def change(request: Request) -> Request:
        messages = request.get("messages")
        return (
            {**request, "messages": [*map(read, messages)]}
            if isinstance(messages, list)
            else request
        )

    return change


def _cut(start: int, end: int | None) -> Callable[[Request], Request]:
    """Of a long text that is the only message, read only a part."""

    def change(request: Request) -> Request:
        messages = request.get("messages")
        if not isinstance(messages, list) or len(messages) != 1:
            return request
        content = messages[0].get("content") if isinstance(messages[0], dict) else None
        if not isinstance(content, str) or not _LONG < len(content) < _LONGEST:
            return request
        return {**request, "messages": [{**messages[0], "content": content[start:end]}]}

    return change


#: How many replies make a long conversation; the characters of a long text, and of one that is
#: longer than any window.
_OFTEN, _LONG, _LONGEST = 25, 16_000, 500_000


def _until_token(request: Request) -> Request:
    """As a template does whose control tokens are read wherever they stand."""
    messages = request.get("messages")
    if not isinstance(messages, list):
        return request
    return {**request, "messages": [*map(_before_token, messages)]}


def _before_token(message: Any) -> Any:
    content = message.get("content") if isinstance(message, dict) else None
    if not isinstance(content, str) or message.get("role") != "user":
        return message
    found = CONTROL_TOKEN.search(content)
    return {**message, "content": content[: found.start()]} if found else message


def _messages(request: Request) -> Sequence[Any]:
    found = request.get("messages")
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def _in_text_parts(request: Request) -> bool:
    """Whether some content is a list of texts alone."""
    return any(
        isinstance(each.get("content"), list)
        and all(isinstance(part, dict) and part.get("type") == "text" for part in each["content"])
        for each in _messages(request)
    )


def _without_content(request: Request) -> bool:
    """Whether a call has content null."""
    return any(
        each.get("tool_calls") and each.get("content") is None for each in _messages(request)
    )


def _lacking_content(request: Request) -> bool:
    return any(each.get("tool_calls") and "content" not in each for each in _messages(request))


def _with_list_as_result(request: Request) -> bool:
    return any(
        each.get("role") == "tool" and text_of(each).startswith("[{") for each in _messages(request)
    )


def _without_arguments(request: Request) -> bool:
    calls = [call for each in _messages(request) for call in each.get("tool_calls") or ()]
    return any(call["function"]["arguments"].strip() in ("", "{}") for call in calls)


#: As in ChatML, Llama, Mistral and Gemma.
CONTROL_TOKEN = re.compile(r"<\|\w+\|>|</s>|\[INST\]|<end_of_turn>")

CONVERSATIONS_FLAWS = [
    Flaw(
        "api_history_lost",
        "after a system message, the last message alone is read",
        "api.all_messages_read",
        change_request=_where(_answered_under_orders, _last_alone),
        elsewhere=EVERYWHERE,
    ),
    Flaw(
        "api_assistant_lost",
        "what the assistant said before is not read",
        "api.all_messages_read",
        change_request=_where(_answered_before, _without_role("assistant")),
        elsewhere=EVERYWHERE,
    ),
    Flaw(
        "api_system_lost",
        "in long conversations, system messages are not read",
        "api.all_messages_read",
        change_request=_where(_answered_often, _without_role("system")),
        elsewhere=EVERYWHERE,
    ),
    Flaw(
        "api_system_lost_with_tools",
        "where there are tools, system messages are not read",
        "api.system_message_with_tools",
        change_request=lambda request: (
            _without_role("system")(request) if request.get("tools") else request
        ),
        elsewhere=EVERYWHERE,
    ),
    Flaw(
        "api_fifty_messages",
        "of a conversation, the last fifty messages are read",
        "api.all_messages_read",
        change_request=_where(_many, _latest),
        elsewhere=EVERYWHERE,
    ),
    Flaw(
        "api_assistant_forgotten",
        "what the assistant said more than ten turns ago is not read",
        "api.all_messages_read",
        change_request=_where(_answered_often, _replies_forgotten),
        expected_verdict=Verdict.INCONCLUSIVE,
        elsewhere=EVERYWHERE,
    ),
    Flaw(
        "api_first_part_alone",
        "the first text part alone is read",
        "api.content_parts_read",
        change_request=_part(0),
        elsewhere=EVERYWHERE,
    ),
    Flaw(
        "api_last_part_alone",
        "the last text part alone is read",
        "api.content_parts_read",
        change_request=_part(-1),
        elsewhere=EVERYWHERE,
    ),
    Flaw(
        "api_parts_crash",
        "text parts end in a 500",
        "api.content_parts_read",
        intercept=crashes(_in_text_parts),
        elsewhere=EVERYWHERE,
    ),
    Flaw(
        "api_head_cut",
        "the head of a long message is lost",
        "api.long_message_read",
        change_request=_cut(-8_000, None),
        elsewhere=EVERYWHERE,
    ),
    Flaw(
        "api_tail_cut",
        "the tail of a long message is lost",
        "api.long_message_read",
        change_request=_cut(0, 8_000),
        elsewhere=EVERYWHERE,
    ),
    Flaw(
        "api_token_ends_message",
        "text that looks like a control token ends the message",
        "api.special_tokens_escaped",
        change_request=_until_token,
    ),
    Flaw(
        "api_null_content_crashes",
        "a tool call with content null ends in a 500, as with llama-cpp-python",
        "api.tool_result_accepted",
        intercept=crashes(_without_content),
        elsewhere=EVERYWHERE,
    ),
    Flaw(
        "api_missing_content_crashes",
        "a tool call without the field content ends in a 500, as where a template reads it",
        "api.tool_result_accepted",
        intercept=crashes(_lacking_content),
        elsewhere=EVERYWHERE,
    ),
    Flaw(
        "api_result_list_crashes",
        "a result that is a list in JSON ends in a 500, as where an object is expected",
        "api.tool_result_accepted",
        intercept=crashes(_with_list_as_result),
        elsewhere=EVERYWHERE,
    ),
    Flaw(
        "api_no_arguments_crash",
        "an earlier call without arguments ends in a 500, as where a template walks through them",
        "api.tool_result_accepted",
        intercept=crashes(_without_arguments),
        elsewhere=EVERYWHERE,
    ),
]

FLAWS = [*REPLIES_FLAWS, *CONVERSATIONS_FLAWS]
