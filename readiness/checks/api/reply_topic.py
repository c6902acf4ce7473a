"""Whether a reply has to do with its request, where that can be told without judging the model."""

from __future__ import annotations

import json
import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from readiness.reply import Reply

#: A shorter reply shows no script: it may be a name or a symbol.
FEWEST_LETTERS = 20
#: Of a long text, so many characters show its script.
MOST_CHARACTERS = 4_000
LATIN = "LATIN"
#: What is asked in so many words is answered by these words: of the harness's own plain requests.
_WORD = re.compile(r"\breply with the word (\w+)\W*$", re.IGNORECASE)
_NUMBERS = re.compile(r"\blist the numbers from (\d+) to \d+", re.IGNORECASE)
#: Who names a language, by its name or its code, may want to read it.
_LANGUAGES = re.compile(
    r"\b(?:(?:arab|chine|mandarin|japan|japon|korea|corea|russ|ruso|ukrain|ucran|greek|grieg|hebr"
    r"|hindi|thai|tailand|persi|urdu|bengal|tamil|language|idioma|transla|tradu)|(?:zh|ja|ko|ru)\b)"
    r"|语|語|文字|翻译|訳",
    re.IGNORECASE,
)


class Fixed(StrEnum):
    """What a request may fix of its reply."""

    WORDS = "the word or the numbers asked for"
    CALL = "a call of a tool offered"
    KEYS = "a key of the schema"


class RequestKind(StrEnum):
    """A kind of request that a replica, a parser or a cache may have to itself."""

    WHOLE = "not streamed"
    STREAMED = "streamed"
    TOOLS = "with tools"
    SCHEMA = "with a schema"


@dataclass(frozen=True, slots=True)
class Topic:
    """What a reply has to do with its request.

    Args:
        asked: The digest of a request that fixes something of the reply; None for others.
        answered: Whether the reply has what such a request asks for.
        script: Whether its script can be told.
        foreign: Whether it is in a script that the request neither has nor asks for.
        kinds: The kinds of request that it answers.
        fixed: What such a request fixes.
    """

    asked: int | None = None
    answered: bool = True
    script: bool = False
    foreign: bool = False
    kinds: frozenset[RequestKind] = frozenset()
    fixed: Fixed = Fixed.WORDS


def topic_of(request: Mapping[str, Any], reply: Reply, refusable: bool = False) -> Topic:
    """What a reply has to do with its request, whose messages the evidence has in full.

    A request that is to be refused fixes nothing: a refusal may be a text where a call or JSON is
    asked for.
    """
    messages = request.get("messages")
    if not isinstance(messages, list) or not (reply.text.strip() or reply.tool_calls):
        return Topic()
    kinds = frozenset(_kinds(request))
    if not refusable and (reply.tool_calls or _must_call(request)):
        called = _calls_offered(request, reply)
        return Topic(hash(Fixed.CALL), called, kinds=kinds, fixed=Fixed.CALL)
    asked, answered = (None, True) if refusable else _asked(request, reply)
    fixed = Fixed.KEYS if _schema(request).get("required") else Fixed.WORDS
    found = _script_of(reply.text)
    foreign = found not in ("", LATIN) and not _is_due(found, request)
    return Topic(asked, answered, bool(found), foreign, kinds, fixed)


def _kinds(request: Mapping[str, Any]) -> Iterator[RequestKind]:
    yield RequestKind.STREAMED if request.get("stream") else RequestKind.WHOLE
    if request.get("tools"):
        yield RequestKind.TOOLS
    if _schema(request):
        yield RequestKind.SCHEMA


def _must_call(request: Mapping[str, Any]) -> bool:
    """Whether some tool is to be called, whatever the messages say."""
    choice = request.get("tool_choice")
    return bool(request.get("tools")) and (choice == "required" or isinstance(choice, dict))


def _calls_offered(request: Mapping[str, Any], reply: Reply) -> bool:
    """Whether a reply calls, and a tool that is offered: another is of somebody else's request."""
    offered = json.dumps(request.get("tools"), ensure_ascii=False)
    return any(json.dumps(each.name, ensure_ascii=False) in offered for each in reply.tool_calls)


def _schema(request: Mapping[str, Any]) -> Mapping[str, Any]:
    """The schema of the response format; an empty one where there is none."""
    format_ = request.get("response_format")
    wrapper = format_.get("json_schema") if isinstance(format_, dict) else None
    schema = wrapper.get("schema") if isinstance(wrapper, dict) else None
    return schema if isinstance(schema, dict) else {}


def _asked(request: Mapping[str, Any], reply: Reply) -> tuple[int | None, bool]:
    """The digest of what is asked, and whether the reply has anything of it."""
    keys = _schema(request).get("required")
    if request.get("stop") or (keys and reply.finish == "length"):
        return None, True  # What is asked for may have been cut off.
    if keys:
        return hash(Fixed.KEYS), any(_has_key(reply.text, each) for each in keys)
    text = _last_text(request["messages"])
    word, numbers = _WORD.search(text), _NUMBERS.search(text)
    if not (word or numbers):
        return None, True
    limits = (request.get("max_tokens"), request.get("max_completion_tokens"))
    asked = hash((re.sub(r"\d+", "0", text), limits))
    if word:
        return asked, word[1].casefold() in reply.text.casefold()
    return asked, numbers is None or numbers[1] in re.findall(r"\d+", reply.text)


def _has_key(text: str, key: str) -> bool:
    """Whether a key of JSON stands in a text, with its letters as they are or escaped."""
    return any(json.dumps(key, ensure_ascii=escaped) in text for escaped in (False, True))


def _last_text(messages: list[Any]) -> str:
    content = messages[-1].get("content") if isinstance(messages[-1], dict) else None
    if isinstance(content, list):
        texts = [part.get("text") for part in content if isinstance(part, dict)]
        content = "".join(text for text in texts if isinstance(text, str))
    return content if isinstance(content, str) else ""


def _script_of(text: str) -> str:
    """The script of most letters; "" where there are few, or none has most."""
    letters = Counter(map(_script, filter(str.isalpha, text[:MOST_CHARACTERS])))
    if letters.total() < FEWEST_LETTERS:
        return ""
    (script, count), *_ = letters.most_common()
    return script if 2 * count > letters.total() else ""


def _script(letter: str) -> str:
    """The script of a letter, as the first word of its name has it."""
    return unicodedata.name(letter, "").partition(" ")[0]


def _is_due(script: str, request: Mapping[str, Any]) -> bool:
    """Whether a request has letters of a script, or may ask for it."""
    names = ("messages", "tools", "response_format")
    beside = {name: request.get(name) for name in names}
    sent = json.dumps(beside, ensure_ascii=False, default=repr)
    told = [_last_text([each]) for each in request["messages"] if _instructs(each)]
    told.append(_last_text(request["messages"]))
    return script in {_script(each) for each in set(sent)} or bool(
        _LANGUAGES.search("\n".join(told))
    )


def _instructs(message: Any) -> bool:
    return isinstance(message, dict) and message.get("role") in ("system", "developer")
