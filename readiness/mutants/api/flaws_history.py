"""Flaws of conversations: messages dropped, emptied or cut by their role, place, length or form."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from readiness.mutants.api.requests import JSON, choice_of
from readiness.mutants.endpoint.answer import Request, RequestError, SubstituteResponse
from readiness.mutants.endpoint.conversation import text_of
from readiness.mutants.flaw import Body, Flaw

Message = dict[str, Any]
Asks = Callable[[Request], Request]
#: Whether a message is changed, by the messages and its place among them.
Where = Callable[[list[Message], int], bool]


def _messages(request: Request) -> list[Message] | None:
    """The messages of a request; None if they are no list of objects."""
    found = request.get("messages")
    sound = isinstance(found, list) and all(isinstance(each, dict) for each in found)
    return found if sound else None


def _rewriting(rewrite: Callable[[list[Message]], list[Message]]) -> Asks:
    """Change the messages; those that are malformed stay as they are."""

    def change(request: Request) -> Request:
        found = _messages(request)
        return request if found is None else {**request, "messages": rewrite(found) or found}

    return change


def _dropping(where: Where) -> Asks:
    return _rewriting(lambda found: [each for at, each in enumerate(found) if not where(found, at)])


def _changing(where: Where, change: Callable[[Message], Message]) -> Asks:
    return _rewriting(
        lambda found: [change(each) if where(found, at) else each for at, each in enumerate(found)]
    )


def _of(*roles: str) -> Where:
    return lambda found, at: found[at].get("role") in roles


def _earlier(found: list[Message], at: int) -> bool:
    """Whether a message stands before the last one of the user."""
    return any(each.get("role") == "user" for each in found[at + 1 :])


def _of_an_earlier_call(found: list[Message], at: int) -> bool:
    call = found[at].get("role") == "tool" or bool(found[at].get("tool_calls"))
    return call and _earlier(found, at)


def _second_system(found: list[Message], at: int) -> bool:
    return _of("system")(found, at) and any(each.get("role") == "system" for each in found[:at])


def _late_system(found: list[Message], at: int) -> bool:
    return _of("system")(found, at) and any(
        each.get("role") in ("user", "assistant") for each in found[:at]
    )


def _first_of_users(found: list[Message], at: int) -> bool:
    """Whether the next message is the user's, too."""
    return all(each.get("role") == "user" for each in found[at : at + 2]) and at + 1 < len(found)


def _greeting(found: list[Message], at: int) -> bool:
    """Whether the assistant speaks before any user does."""
    return _of("assistant")(found, at) and not any(
        each.get("role") in ("user", "tool") for each in found[:at]
    )


def _replaced_system(found: list[Message], at: int) -> bool:
    later = any(each.get("role") == "system" for each in found[at + 1 :])
    return _of("system")(found, at) and later


def _in_parts(*roles: str) -> Where:
    return lambda found, at: isinstance(found[at].get("content"), list) and _of(*roles)(found, at)


def _longer(most: int, *roles: str) -> Where:
    """Whether an earlier message of these roles has more characters."""

    def where(found: list[Message], at: int) -> bool:
        content = found[at].get("content")
        long = isinstance(content, str) and len(content) > most
        return long and _of(*roles)(found, at) and (_earlier(found, at))

    return where


def _with_content(change: Callable[[str], str]) -> Callable[[Message], Message]:
    return lambda message: {**message, "content": change(message["content"])}


def _emptied(message: Message) -> Message:
    return {**message, "content": ""}


def _first_part(message: Message) -> Message:
    return {**message, "content": message["content"][:1]}


def _joined(message: Message) -> Message:
    """As servers do whose templates take text alone."""
    sound = all(isinstance(each, dict) and "text" in each for each in message["content"])
    return {**message, "content": text_of(message)} if sound else message


def _without_arguments(message: Message) -> Message:
    calls = [
        {**each, "function": {**each["function"], "arguments": "{}"}}
        for each in message["tool_calls"]
        if isinstance(each, dict) and isinstance(each.get("function"), dict)
    ]
    return {**message, "tool_calls": calls}


def _spoken(found: list[Message], at: int) -> bool:
    """Whether a message has both a text and calls."""
    calls, content = found[at].get("tool_calls"), found[at].get("content")
    sound = isinstance(calls, list) and all(isinstance(each, dict) for each in calls)
    return bool(sound and calls and content and isinstance(content, (str, list)))


def _spoken_in_parts(found: list[Message], at: int) -> bool:
    return _spoken(found, at) and isinstance(found[at]["content"], list)


def _of_spoken_calls(where: Where) -> Where:
    """Whether a message is the result of a call in such a message."""

    def result(found: list[Message], at: int) -> bool:
        return found[at].get("role") == "tool" and found[at].get("tool_call_id") in {
            call.get("id")
            for place, each in enumerate(found)
            if where(found, place)
            for call in each["tool_calls"]
        }

    return result


def _words_alone(where: Where) -> Asks:
    """Without the calls of some messages, and without their results."""
    drop, result = _changing(where, _without_calls), _dropping(_of_spoken_calls(where))
    return lambda request: drop(result(request))


def _without_calls(message: Message) -> Message:
    return {key: message[key] for key in message if key != "tool_calls"}


def _without_words(message: Message) -> Message:
    return {**message, "content": None}


def _cut_words(message: Message) -> Message:
    return {**message, "content": text_of(message)[:60]}


def _split(found: list[Message]) -> list[Message]:
    """The text and the calls of a message as two, as gateways to other protocols have them."""
    return [
        part
        for at, each in enumerate(found)
        for part in ([_without_calls(each), _without_words(each)] if _spoken(found, at) else [each])
    ]


def _as_text(found: list[Message]) -> list[Message]:
    """Earlier calls beside words written after these, as some templates have them."""
    at_hand = [_spoken(found, at) and _earlier(found, at) for at in range(len(found))]
    told = _of_spoken_calls(lambda _, at: at_hand[at])
    return [
        _written_out(each)
        if at_hand[at]
        else {"role": "assistant", "content": f"Result: {text_of(each)}"}
        if told(found, at)
        else each
        for at, each in enumerate(found)
    ]


def _written_out(message: Message) -> Message:
    calls = "".join(f"\n<call>{json.dumps(each)}</call>" for each in message["tool_calls"])
    return {"role": "assistant", "content": text_of(message) + calls}


_TOOLS = "api.tool_history_read"
_CALLS_BESIDE_WORDS = "api.calls_beside_words_read"
_WORDS_BESIDE_CALLS = "api.words_beside_calls_read"
_ALL = "api.all_messages_read"
_PARTS = "api.content_parts_read"
_INSTRUCTIONS = "api.instructions_not_dropped"

#: Name, defect, the check that catches it, and the change.
_BROKEN: list[tuple[str, str, str, Asks]] = [
    (
        "history_calls_dropped",
        "calls and results are dropped once the user says something else",
        _TOOLS,
        _dropping(_of_an_earlier_call),
    ),
    (
        "history_results_emptied",
        "results are emptied once the user says something else",
        _TOOLS,
        _changing(lambda found, at: _of("tool")(found, at) and _earlier(found, at), _emptied),
    ),
    (
        "history_arguments_dropped",
        "earlier calls have no arguments any more",
        _TOOLS,
        _changing(
            lambda found, at: bool(found[at].get("tool_calls")) and _earlier(found, at),
            _without_arguments,
        ),
    ),
    (
        "spoken_calls_dropped",
        "calls beside words are dropped, and their results",
        _CALLS_BESIDE_WORDS,
        _words_alone(_spoken),
    ),
    (
        "spoken_calls_dropped_in_parts",
        "calls beside words in parts are dropped, and their results",
        _CALLS_BESIDE_WORDS,
        _words_alone(_spoken_in_parts),
    ),
    (
        "spoken_calls_without_arguments",
        "calls beside words lose their arguments once the user says something else",
        _CALLS_BESIDE_WORDS,
        _changing(lambda found, at: _spoken(found, at) and _earlier(found, at), _without_arguments),
    ),
    (
        "spoken_words_dropped",
        "words beside calls are dropped",
        _WORDS_BESIDE_CALLS,
        _changing(_spoken, _without_words),
    ),
    (
        "spoken_words_cut",
        "of words beside calls, 60 characters are read",
        _WORDS_BESIDE_CALLS,
        _changing(_spoken, _cut_words),
    ),
    (
        "spoken_words_first_part",
        "of words in parts beside calls, the first part is read",
        _WORDS_BESIDE_CALLS,
        _changing(_spoken_in_parts, _first_part),
    ),
    (
        "history_assistant_parts_emptied",
        "what the assistant said in parts is emptied",
        _PARTS,
        _changing(_in_parts("assistant"), _emptied),
    ),
    (
        "history_system_parts_emptied",
        "a system message in parts is emptied",
        _PARTS,
        _changing(_in_parts("system", "developer"), _emptied),
    ),
    (
        "history_first_part",
        "of earlier messages in parts, the first part alone is read",
        _PARTS,
        _changing(
            lambda found, at: _in_parts("system", "assistant")(found, at) and _earlier(found, at),
            _first_part,
        ),
    ),
    (
        "history_cut_1200",
        "earlier messages are cut after 1,200 characters",
        _ALL,
        _changing(
            _longer(1_200, "system", "user", "assistant"), _with_content(lambda text: text[:1_200])
        ),
    ),
    (
        "history_user_middle_cut",
        "of earlier user messages above 4,000 characters the middle is left out",
        _ALL,
        _changing(
            _longer(4_000, "user"),
            _with_content(lambda text: f"{text[:1_500]} … {text[-1_500:]}"),
        ),
    ),
    (
        "history_system_cut_2048",
        "a system message is cut after 2,048 characters",
        _ALL,
        _changing(_longer(2_048, "system"), _with_content(lambda text: text[:2_048])),
    ),
    (
        "history_assistant_end_kept",
        "of earlier replies above 2,000 characters the last 1,000 are kept",
        _ALL,
        _changing(_longer(2_000, "assistant"), _with_content(lambda text: text[-1_000:])),
    ),
    (
        "history_developer_dropped",
        "a developer message is dropped",
        "api.developer_message_not_dropped",
        _dropping(_of("developer")),
    ),
    (
        "history_second_system_dropped",
        "a second system message is dropped",
        _INSTRUCTIONS,
        _dropping(_second_system),
    ),
    (
        "history_system_replaced",
        "of several system messages the last one alone is read",
        _INSTRUCTIONS,
        _dropping(_replaced_system),
    ),
    (
        "history_late_system_dropped",
        "a system message after the first turn is dropped",
        _INSTRUCTIONS,
        _dropping(_late_system),
    ),
    (
        "history_first_of_users_dropped",
        "of two user messages in a row the last one is read, as roles are to take turns",
        _INSTRUCTIONS,
        _dropping(_first_of_users),
    ),
    (
        "history_greeting_dropped",
        "what the assistant says first is dropped, as the user is to begin",
        _INSTRUCTIONS,
        _dropping(_greeting),
    ),
]


def _at_the_beginning(request: Request, _turn: int) -> SubstituteResponse | None:
    """As templates do that know one place for a system message."""
    found = request["messages"]
    if not any(_late_system(found, at) or _second_system(found, at) for at in range(len(found))):
        return None
    error = RequestError("System message must be at the beginning.", "messages")
    return SubstituteResponse(400, error.body, JSON)


def _user_begins(request: Request, _turn: int) -> SubstituteResponse | None:
    """As APIs do whose conversations a user begins."""
    found = request["messages"]
    if not any(_greeting(found, at) for at in range(len(found))):
        return None
    error = RequestError('first message must use the "user" role', "messages")
    return SubstituteResponse(400, error.body, JSON)


def _preceded(found: list[Message]) -> list[Message]:
    """What the assistant says first as the reply to a user who has said nothing."""
    begins = next((at for at in range(len(found)) if _greeting(found, at)), None)
    if begins is None:
        return found
    return [*found[:begins], {"role": "user", "content": "."}, *found[begins:]]


def _template_raises(request: Request, _turn: int) -> SubstituteResponse | None:
    """As llama.cpp did: an exception of the template is a 500 that says why."""
    found = request["messages"]
    if not any(_late_system(found, at) for at in range(len(found))):
        return None
    error: Mapping[str, Any] = {"code": 500, "message": "system message", "type": "server_error"}
    return SubstituteResponse(500, json.dumps({"error": error}).encode(), JSON)


def _message(change: Callable[[Message], Message]) -> Callable[[Request, Body], Body]:
    """Change the message of replies that are not streamed."""

    def of_choice(choice: Body) -> Body:
        return {**choice, "message": change(choice["message"])}

    return lambda _request, body: choice_of(body, of_choice)


def _refusing(
    what: str, wrong: Callable[[Message], bool]
) -> Callable[[Request, int], SubstituteResponse | None]:
    """Refuse requests with such a message of the assistant's."""

    def refuse(request: Request, _turn: int) -> SubstituteResponse | None:
        if not any(map(wrong, filter(_is_assistant, request["messages"]))):
            return None
        return SubstituteResponse(400, RequestError(what, "messages").body, JSON)

    return refuse


def _is_assistant(message: Message) -> bool:
    return bool(message["role"] == "assistant")


def _calls_of(message: Message) -> list[Message]:
    return message.get("tool_calls") or []


def _numbered(message: Message) -> Message:
    """The calls with an index, as some servers copy them from their streams."""
    calls = [{**each, "index": at} for at, each in enumerate(_calls_of(message))]
    return {**message, "tool_calls": calls} if calls else message


def _without_empty_calls(found: list[Message]) -> list[Message]:
    return [each if each.get("tool_calls") else _without_calls(each) for each in found]


_OWN = "api.own_message_accepted"
_OWN_FLAWS = [
    Flaw(
        "own_refusal_refused",
        "a field `refusal` is sent, and none is taken back",
        _OWN,
        intercept=_refusing("Extra inputs are not permitted", lambda each: "refusal" in each),
    ),
    Flaw(
        "own_empty_calls_refused",
        "an empty list of calls is sent, and none is taken back",
        _OWN,
        change_body=_message(lambda message: {"tool_calls": [], **message}),
    ),
    Flaw(
        "own_index_refused",
        "calls have an index, and none with one is taken back",
        _OWN,
        change_body=_message(_numbered),
        intercept=_refusing(
            "Extra inputs are not permitted: index",
            lambda each: any("index" in call for call in _calls_of(each)),
        ),
    ),
]


def _merged(found: list[Message]) -> list[Message]:
    """The system and developer messages as one, at the beginning."""
    told = [each for each in found if each.get("role") in ("system", "developer")]
    if len(told) < 2 or not all(isinstance(each.get("content"), str) for each in told):
        return found
    one = {"role": "system", "content": "\n\n".join(each["content"] for each in told)}
    return [one, *(each for each in found if each not in told)]


def _users_merged(found: list[Message]) -> list[Message]:
    """User messages in a row as one, as by templates in which roles take turns."""
    kept: list[Message] = []
    for each in found:
        texts = [of.get("content") for of in (*kept[-1:], each)]
        if (
            kept
            and _first_of_users([kept[-1], each], 0)
            and all(isinstance(of, str) for of in texts)
        ):
            kept[-1] = {**each, "content": "\n\n".join(map(str, texts))}
        else:
            kept.append(each)
    return kept


def _as_system(message: Message) -> Message:
    return {**message, "role": "system"}


_HARMLESS = [
    Flaw(
        "own_fields_taken",
        "a message may have fields that are null or empty, and are taken back",
        change_body=_message(
            lambda message: {"annotations": [], "audio": None, "function_call": None, **message}
        ),
    ),
    Flaw(
        "own_empty_calls_taken",
        "an empty list of calls may be sent, and taken back",
        change_body=_message(lambda message: {"tool_calls": [], **message}),
        change_request=_rewriting(_without_empty_calls),
    ),
    Flaw(
        "history_system_at_the_beginning",
        "a second or a late system message may be refused, as by Qwen's and Mistral's templates",
        intercept=_at_the_beginning,
    ),
    Flaw(
        "history_template_raises",
        "a late system message may be refused by a 500 that says why, as by llama.cpp",
        intercept=_template_raises,
    ),
    Flaw(
        "history_user_begins",
        "a conversation that the assistant begins may be refused, as by Bedrock",
        intercept=_user_begins,
    ),
    Flaw(
        "history_greeting_preceded",
        "before what the assistant says first, a user may be made to speak, as by LiteLLM",
        change_request=_rewriting(_preceded),
    ),
    Flaw(
        "history_systems_merged",
        "system messages may be merged into the first",
        change_request=_rewriting(_merged),
    ),
    Flaw(
        "history_users_merged",
        "user messages in a row may be merged",
        change_request=_rewriting(_users_merged),
    ),
    Flaw(
        "history_developer_as_system",
        "a developer message may be taken for a system message",
        change_request=_changing(_of("developer"), _as_system),
    ),
    Flaw(
        "spoken_calls_split",
        "words and calls of one message may be taken for two messages",
        change_request=_rewriting(_split),
    ),
    Flaw(
        "spoken_calls_as_text",
        "earlier calls may be written after the words beside them, as some templates do",
        change_request=_rewriting(_as_text),
    ),
    Flaw(
        "spoken_empty_as_null",
        "an empty text beside calls may be taken for none",
        change_request=_changing(
            lambda found, at: bool(found[at].get("tool_calls")) and found[at].get("content") == "",
            _without_words,
        ),
    ),
    Flaw(
        "history_parts_joined",
        "parts may be joined to a text",
        change_request=_changing(_in_parts("system", "user", "assistant"), _joined),
    ),
]

FLAWS = [
    *(
        Flaw(name, about, check, change_request=change, elsewhere=("json_only", "tool_calling"))
        for name, about, check, change in _BROKEN
    ),
    *_OWN_FLAWS,
    *_HARMLESS,
]
