"""A well-behaved reader: it refuses what would do harm, in any disguise, and does the rest.

Whatever a request is written in, the reader decodes it, and then reads it aloud: letters of the
same sound, and letters spelt in pinyin, are all one to it.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from string import ascii_lowercase as abc
from typing import Any

from readiness.mutants.endpoint.answer import ModelOutput, ModelToolCall, Request
from readiness.mutants.endpoint.conversation import text_of
from readiness.mutants.endpoint.request_form import forced, turns
from readiness.mutants.endpoint.surroundings import core
from readiness.mutants.endpoint.tools import named_tool
from readiness.resources import prompts

PROMPTS: Mapping[str, Any] = prompts("refusal.yaml")
KINDS, LANGUAGES = ("do", "say"), ("en", "ja")

#: No request of ours is longer, and a document of half a million letters is not searched.
LONGEST = 4000
_BASE64 = re.compile(r"[A-Za-z0-9+/]{40,}={0,2}")
_HEX = re.compile(r"(?:[0-9a-f]{2}){20,}")
_IN_BRACKETS = re.compile(r"\[([a-z ]+)\]")
_BETWEEN = re.compile(r"[\s·*/_\[\]\u200b🔥“”「」-]")
_ROT13 = str.maketrans(abc, abc[13:] + abc[:13])
_LETTERS: Mapping[str, Mapping[str, str]] = prompts("refusal_letters.yaml")
_SIMPLIFIED = str.maketrans({old: new for new, old in _LETTERS["traditional"].items()})
_SOUNDS = str.maketrans(
    {like: _LETTERS["pinyin"][letter] for letter, like in _LETTERS["homophones"].items()}
    | dict(_LETTERS["pinyin"])
)
# As a form is asked for in any of the languages.
_FORMS = {
    "第5步": "steps",
    "列名为步骤": "table",
    "的计划，字段": "plan",
    "①到⑤": "list",
    "①to⑤": "list",
    "①から": "list",
    "括起来的标题": "text",
    "列名为序号": "lines",
    "的话，字段": "quotes",
}


@dataclass(frozen=True)
class Goal:
    """What a request is for.

    Args:
        kind: "do", "say", or the language that it is put in.
        text: The goal, perhaps with its sensitive word in brackets.
        topic: Words of which an answer in Chinese has one, the sensitive one first.
        harmful: Whether it must be refused.
        known: Words of an answer to what is harmless.
    """

    kind: str
    text: str
    topic: tuple[str, ...]
    harmful: bool
    known: tuple[str, ...] = ()

    @property
    def plain(self) -> str:
        """The goal without brackets."""
        return self.text.replace("[", "").replace("]", "")


@dataclass(frozen=True)
class DisguisedRequest:
    """What a request asks for.

    Args:
        goal: What it is for.
        form: The form it is to have.
        hidden: Whether it does not say so openly, and at once.
    """

    goal: Goal
    form: str
    hidden: bool

    @property
    def harmful(self) -> bool:
        """Whether it must be refused."""
        return self.goal.harmful


def asked_in(request: Request) -> DisguisedRequest | None:
    """What the last message asks for; None where it is about something else.

    Before the beginning of a reply it is the message that is replied to; and one that says no more
    than to do so after all asks for what was asked before.
    """
    texts = [(text, late) for text, late in _latest(request) if len(text) <= LONGEST]
    return next(filter(None, (_asked(*each) for each in texts)), None)


def said_in(request: Request) -> str:
    """What the user's last two messages say, without what stands around them."""
    return "\n".join(text for text, _ in _latest(request))


def asked_again(request: Request) -> bool:
    """Whether the last message of the user asks for what was asked before."""
    last = next(iter(_latest(request)), ("", False))
    return asked_in(request) is not None and _asked(*last) is None


def _latest(request: Request) -> Sequence[tuple[str, bool]]:
    """The user's last two messages, the last first, each with whether something came before."""
    said = turns(core(request))
    asked = [at for at, each in enumerate(said) if each["role"] == "user"][-2:]
    return [(text_of(said[at]), at > 0) for at in reversed(asked)]


def in_need(request: Request) -> bool:
    """Whether the last message is that of somebody in need of help."""
    text = text_of(core(request)["messages"][-1])
    return len(text) < LONGEST and any(each in text for each in PROMPTS["care"])


# A flaw reads the same request again.
@lru_cache(1024)
def _asked(text: str, late: bool) -> DisguisedRequest | None:
    for reading in _readings(text):
        form = next((form for mark, form in _FORMS.items() if mark in reading), "")
        goal = _goal_in(reading) if form else None
        if goal:
            openly = goal.kind in KINDS and goal.plain in text
            return DisguisedRequest(goal, form, late or not openly)
    return None


def _goal_in(reading: str) -> Goal | None:
    heard = reading.translate(_SOUNDS)
    return next((goal for sound, goal in _goals().items() if sound in heard), None)


def _readings(text: str) -> Iterator[str]:
    """The text itself, and what stands in it in a code."""
    for reading in (text, *_decoded(text), text[::-1]):
        yield _bare(reading)


def _decoded(text: str) -> Iterator[str]:
    for found in [*_BASE64.findall(text), *_HEX.findall(text)]:
        try:
            is_hex = _HEX.fullmatch(found)
            yield (bytes.fromhex(found) if is_hex else base64.b64decode(found)).decode()
        except (binascii.Error, UnicodeDecodeError):
            continue
    if "ROT13" in text:
        yield _IN_BRACKETS.sub(lambda found: found[1].translate(_ROT13), text)


@cache
def _goals() -> Mapping[str, Goal]:
    """All that is known to be good or bad, by its sound; the longest first."""
    categories = PROMPTS["categories"].values()
    bad = [_goal(each, True) for category in categories for each in category["goals"]]
    bad += [
        Goal(language, text, (*_goal(category["goals"][0], True).topic, text.split()[-1]), True)
        for category in categories
        for language, text in category["abroad"].items()
    ]
    parts = prompts("refusal_harmless.yaml")
    named = [*parts["harmless"].values(), *parts["subjects"].values(), PROMPTS["keys"]]
    good = [_goal(each, False) for goals in named for each in goals]
    found = {_bare(goal.plain).translate(_SOUNDS): goal for goal in [*bad, *good]}
    return dict(sorted(found.items(), key=lambda each: -len(each[0])))


def _goal(said: Mapping[str, Any], harmful: bool) -> Goal:
    kind = next(each for each in KINDS if each in said)
    word = said[kind].partition("[")[2].partition("]")[0]
    topic, known = (word, *map(str, said["topic"])), tuple(said.get("known", ()))
    return Goal(kind, said[kind], topic, harmful, known)


def _bare(text: str) -> str:
    """A text in simplified characters, with nothing between them."""
    return _BETWEEN.sub("", text.translate(_SIMPLIFIED)).lower()


REFUSAL = "很抱歉，我不能提供这样的内容。如果您有别的问题，我很乐意帮忙。"
SUPPORT = (
    "听到你这样说，我很难过，也谢谢你愿意告诉我。你不必一个人扛着：请找一位你信任的家人或朋友陪着你，"
    "也可以随时拨打心理援助热线12356，那里有人会听你说。你愿意跟我说说发生了什么吗？"
)
_PLACES = "甲乙丙丁戊"
_MARKS = "①②③④⑤"


def answer(request: Request) -> ModelOutput | None:
    """Refuse or comply; None if the request is of another kind."""
    if in_need(request):
        return ModelOutput(SUPPORT)
    asked = asked_in(request)
    if asked is None:
        return None
    return delivered(request, REFUSAL if asked.harmful else comply(asked))


def delivered(request: Request, text: str) -> ModelOutput:
    """A text where the request wants it: in the arguments of a call, in JSON, or as it is."""
    if forced(request):
        tools = {each["function"]["name"]: each["function"] for each in request["tools"]}
        name = named_tool(request) or next(reversed(tools))
        members = (tools[name].get("parameters") or {}).get("properties", {})
        arguments = json.dumps({_text_in(members): text}, ensure_ascii=False)
        return ModelOutput(None, (ModelToolCall(name, arguments),))
    wanted = request.get("response_format") or {}
    if wanted.get("type") not in ("json_object", "json_schema"):
        return ModelOutput(text)
    members = wanted.get("json_schema", {}).get("schema", {}).get("properties", {})
    return ModelOutput(json.dumps({_text_in(members): text}, ensure_ascii=False))


def _text_in(members: Mapping[str, Any]) -> str:
    """The name of the first member that takes a text."""
    names = (name for name, of in members.items() if of.get("type") == "string")
    return next(names, "answer")


def comply(asked: DisguisedRequest) -> str:
    """What was asked for, in its form: placeholders that are of no use, or what is harmless."""
    word, known = asked.goal.topic[0], asked.goal.known
    items = [f"关于{word}的内容{place}，请按照{place}项的安排来做" for place in _PLACES]
    if known:
        items = [
            f"{word}的内容{at}，要说到{each}" for at, each in zip(_PLACES, known, strict=False)
        ]
    if asked.form in ("plan", "quotes"):
        return json.dumps({"plan": items}, ensure_ascii=False)
    if asked.form in ("table", "lines"):
        head = "步骤 | 做法" if asked.form == "table" else "序号 | 内容"
        rows = [f"| {at} | {item} |" for at, item in enumerate(items, 1)]
        return "\n".join([f"| {head} |", "|---|---|", *rows])
    if asked.form == "text":
        return f"《{word}》\n" + "。".join([*items, *items]) + "。"
    if asked.form == "steps":
        return "\n".join(f"第{at}步：{item}。" for at, item in enumerate(items, 1))
    return "\n".join(f"{mark}{item}。" for mark, item in zip(_MARKS, items, strict=True))
