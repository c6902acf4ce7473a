"""Flaws by which a share of replies has nothing to do with the requests, and harmless variants."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable
from dataclasses import replace

from readiness.mutants.endpoint.answer import ModelOutput, Request
from readiness.mutants.endpoint.conversation import text_of
from readiness.mutants.endpoint.request_form import (
    Says,
    Where,
    after_answers,
    all_of,
    beside_tools,
    instructed,
    only,
    streamed,
)
from readiness.mutants.flaw import Flaw

_CHECK = "api.replies_on_topic"
_SHORT = 200  # characters
_OTHERS = (
    *("json_only", "load", "memory", "multilingual", "refusal", "spanish", "stability"),
    "tool_calling",
)

_TICKET = json.dumps({"ticket": 7741, "state": "open", "owner": "harbour office"})

_GERMAN = (
    "Der Regionalzug nach Kassel fährt heute von Gleis sieben ab und hält unterwegs in jedem "
    "kleinen Ort. Fahrräder kommen bitte in den letzten Wagen."
)
_TULIPS = (
    "The tulips in the botanical garden bloom in April, and many visitors come to see them. "
    "Dogs have to be kept on a lead."
)
_KOREAN = (
    "오늘은 날씨가 맑아서 많은 사람들이 강가를 걷고 있으며 저녁에는 비가 조금 올 것으로 보입니다."
)
_CHINESE = "好的，我来帮您看一下这个问题，请稍等片刻，我正在查询相关的资料。"
_RUSSIAN = "Сегодня в городском саду открывается выставка цветов, и вход свободный для всех гостей."


def _share(of_a_hundred: int) -> Where:
    """So many requests of a hundred, by a hash of their bodies."""

    def chosen(request: Request) -> bool:
        body = json.dumps(request, sort_keys=True, default=repr)
        return zlib.crc32(b"topic" + body.encode(errors="surrogatepass")) % 100 < of_a_hundred

    return chosen


def _plain(request: Request) -> bool:
    """Whether a request is one short message and nothing else."""
    messages = request["messages"]
    return len(messages) == 1 and len(text_of(messages[0])) < _SHORT and not beside_tools(request)


def _every(number: int) -> Callable[[Says], Says]:
    """Limit a change to every so many-th of all replies, whatever the request."""
    return lambda says: (
        lambda request, said, turn: (
            says(request, said, turn) if turn % number == number - 1 else said
        )
    )


def _says(text: str) -> Says:
    return lambda _request, said, _turn: replace(said, content=text) if said.content else said


def _calls(name: str) -> Says:
    """Somebody else's call, in place of each."""
    return lambda _request, said, _turn: replace(
        said, calls=tuple(replace(each, name=name, arguments=_TICKET) for each in said.calls)
    )


def _by_schema(request: Request) -> bool:
    return (request.get("response_format") or {}).get("type") == "json_schema"


def _escaped(_request: Request, said: ModelOutput, _turn: int) -> ModelOutput:
    """JSON in ASCII, as some serialisers write it."""
    try:
        return replace(said, content=json.dumps(json.loads(said.content or "")))
    except ValueError:
        return said


def _without(letter: str, last: str) -> Where:
    """Whether a request has no letter of a range."""
    return lambda request: (
        not any(letter <= each <= last for each in json.dumps(request, ensure_ascii=False))
    )


_no_han = _without("一", "鿿")
_in_english = all_of(_no_han, _without("À", "ÿ"))

_BROKEN: list[tuple[str, str, Says]] = [
    (
        "topic_german_plain",
        "seven of a hundred short questions are answered in German, about trains",
        only(all_of(_plain, _in_english, _share(7)), _says(_GERMAN)),
    ),
    (
        "topic_every_sixteenth",
        "every sixteenth reply is about tulips",
        _every(16)(only(_in_english, _says(_TULIPS))),
    ),
    (
        "topic_plain_streamed",
        "eight of a hundred streamed replies to short questions are about tulips",
        only(all_of(_plain, streamed, _in_english, _share(16)), _says(_TULIPS)),
    ),
    (
        "topic_chinese",
        "five of a hundred requests without Chinese are answered in Chinese",
        only(all_of(_no_han, _share(5)), _says(_CHINESE)),
    ),
    (
        "topic_korean_histories",
        "a quarter of the requests with a long history are answered in Korean",
        only(all_of(after_answers(10), _share(25)), _says(_KOREAN)),
    ),
    (
        "topic_streamed",
        "eight of a hundred streams are in Korean, about the weather",
        only(all_of(streamed, _share(8)), _says(_KOREAN)),
    ),
    (
        "topic_calls",
        "eight of a hundred calls are somebody else's",
        only(all_of(beside_tools, _share(8)), _calls("open_ticket")),
    ),
    (
        "topic_schema",
        "twelve of a hundred documents of a schema are somebody else's",
        only(all_of(_by_schema, _share(12)), _says(_TICKET)),
    ),
    (
        "topic_russian_instructed",
        "six of a hundred requests with a system message are answered in Russian",
        only(all_of(instructed, _share(6)), _says(_RUSSIAN)),
    ),
]


def _loud(_request: Request, said: ModelOutput, _turn: int) -> ModelOutput:
    return replace(said, content=said.content.upper()) if said.content else said


def _polite(_request: Request, said: ModelOutput, _turn: int) -> ModelOutput:
    return replace(said, content=f"Of course: {said.content}") if said.content else said


def _words_alone(request: Request) -> bool:
    return _plain(request) and "word" in text_of(request["messages"][0])


_HARMLESS: list[tuple[str, str, Says]] = [
    (
        "topic_in_capitals",
        "a word may come in capitals",
        only(all_of(_words_alone, _in_english), _loud),
    ),
    (
        "topic_politely",
        "a word may come after a phrase",
        only(all_of(_words_alone, _in_english, _share(20)), _polite),
    ),
    (
        "topic_keys_escaped",
        "a document of a schema may be in ASCII, with other letters escaped",
        only(_by_schema, _escaped),
    ),
    (
        "topic_once_in_streams",
        "one stream of two hundred may be astray",
        lambda request, said, turn: (
            replace(said, content=_TULIPS)
            if turn % 199 == 198 and said.content and streamed(request) and _plain(request)
            else said
        ),
    ),
    (
        "topic_once",
        "a reply of several hundred may be astray",
        lambda request, said, turn: (
            replace(said, content=_TULIPS)
            if turn % 999 == 998 and said.content and _plain(request)
            else said
        ),
    ),
]

FLAWS = [
    *(
        Flaw(name, about, _CHECK, change_output=says, elsewhere=_OTHERS)
        for name, about, says in _BROKEN
    ),
    *(Flaw(name, about, change_output=says) for name, about, says in _HARMLESS),
]
