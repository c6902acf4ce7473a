"""Long histories: conversations with pasted texts and results of tools, and all their questions."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from random import Random
from typing import Any

from readiness.chat import Chat
from readiness.checks.memory.conversation import BUDGET, STRATA, conversation, language_of
from readiness.checks.memory.prompt_wording import PROMPTS
from readiness.checks.memory.question_classes import within
from readiness.forms.apply import in_form, neutral_text
from readiness.forms.covering import covering_forms
from readiness.forms.factors import SENDING, Factor, Form, FormSpace
from readiness.forms.factors import Reply as ReplyForm
from readiness.probe import Message, Probe, prompt_tokens, tokens_of
from readiness.reply import Reply
from readiness.resources import prompts
from readiness.score import EndpointError, Outcome

#: The class of the question of each distance; all of a conversation are asked at once.
CLASSES = ("single fact", "update", "reference", "update", "single fact", "single fact")
#: What is the same in each of the requests; what stands in them is what the check is about.
FORMS = FormSpace({**SENDING, Factor.REPLY: [ReplyForm.WHOLE, ReplyForm.STREAMED]})
SIZES = (16_000, 60_000)
#: About how many tokens each history has, and whether tools are called in it.
HISTORIES = ((16_000, False), (16_000, True), (60_000, True), (16_000, False))
TOOL_EVERY = 7  # turns
TOOLS: Mapping[str, Any] = {"tools": prompts("forms.yaml")["tools"]}
#: What says that a prompt is too long.
TOO_LONG = (400, 413, 422)


def histories(seed: int, trials: int) -> list[Probe]:
    """A probe for each question; those of one conversation share its request."""
    count = -(-trials // len(CLASSES))
    labels = [
        {"language": language_of(number), "history": _label(HISTORIES[number % len(HISTORIES)][0])}
        for number in range(count)
    ]
    forms = covering_forms(FORMS, f"memory.long/{seed}", labels)
    return [probe for number, form in enumerate(forms) for probe in _history(seed, number, form)][
        :trials
    ]


def _history(seed: int, number: int, form: Form) -> list[Probe]:
    name, (tokens, tools) = f"memory.long.{number + 1:03}", HISTORIES[number % len(HISTORIES)]
    random = Random(f"{name}/{seed}")
    asked = conversation(
        name, seed, number, [(of, random.randint(*within(of, at))) for of, at in _placed()]
    )
    *turns, _ = asked[0].messages
    language, last = asked[0].labels["language"], _all_questions(asked)
    lengthen = partial(_lengthened, turns, language=language, tools=tools)
    sent = {
        size: [*lengthen(Random(f"{name}/{seed}/{size}"), size), last]
        for size in SIZES
        if size <= tokens
    }
    made = [
        replace(
            in_form(replace(each, messages=[*turns, last]), form, FORMS, Random(name)),
            budget=BUDGET * len(CLASSES),
            shared=name,
        )
        for each in asked
    ]
    return [_probe(each, line, sent, tools) for line, each in enumerate(made, 1)]


def _label(size: int) -> str:
    return f"{size // 1000}K"


def _placed() -> Iterator[tuple[str, tuple[int, int]]]:
    return zip(CLASSES, STRATA, strict=True)


def _probe(asked: Probe, line: int, sent: Mapping[int, Sequence[Message]], tools: bool) -> Probe:
    """One of the questions after the longest history; plainer where a window has no room for it."""
    expect = {**asked.expect, "line": line}
    plain = asked.plain or asked
    probe = replace(
        plain,
        expect=expect,
        labels={**plain.labels, "history": "short"},
        budget=asked.budget,
        shared=asked.shared,
    )
    for size, messages in sent.items():
        probe = replace(
            asked,
            messages=messages,
            expect=expect,
            parameters={**asked.parameters, **(TOOLS if tools else {})},
            labels={**asked.labels, "history": _label(size)},
            needs=asked.needs | (TOOLS.keys() if tools else frozenset()),
            adds=prompt_tokens(messages) - prompt_tokens(asked.messages),
            plain=probe,
        )
    return probe


def _all_questions(asked: Sequence[Probe]) -> Message:
    language = asked[0].labels["language"]
    own = [str(each.messages[-1]["content"]) for each in asked]
    questions = [each.removesuffix(PROMPTS["only"][language]).strip() for each in own]
    numbered = [f"{line}. {each}" for line, each in enumerate(questions, 1)]
    return {"role": "user", "content": "\n".join([*numbered, PROMPTS["numbered"][language]])}


def _lengthened(
    turns: Sequence[Message], random: Random, size: int, *, language: str, tools: bool
) -> Iterator[Message]:
    """Turns with as much text between them: pasted by the user, and as what tools have told."""
    count, has = len(turns) // 2, prompt_tokens(turns)
    for at in range(count):
        said, reply = turns[2 * at : 2 * at + 2]
        text = neutral_text(language, random, size * (at + 1) // count - has)
        has += tokens_of(text)
        if tools and at % TOOL_EVERY == 0:
            yield said
            yield from _tool_call(random, text)
        else:
            yield {**said, "content": f"{said['content']}\n\n{text}".strip()}
        yield reply


def _tool_call(random: Random, text: str) -> Iterator[Message]:
    number, called = random.randint(100, 999), f"{random.getrandbits(36):09x}"
    arguments = json.dumps({"locker": number})
    function = {"name": prompts("forms.yaml")["tool_turn"]["name"], "arguments": arguments}
    calls = [{"id": called, "type": "function", "function": function}]
    yield {"role": "assistant", "content": None, "tool_calls": calls}
    told = json.dumps({"free": True, "notes": text}, ensure_ascii=False)
    yield {"role": "tool", "tool_call_id": called, "content": told}


async def reply_to(chat: Chat, probe: Probe) -> Reply:
    """The reply to all questions of a probe's conversation, which are sent once.

    Raises:
        EndpointError: There is none. Nothing is shown where the endpoint, which tells no window,
            says that it is too long.
    """

    async def ask(own: Chat) -> Reply:
        return await own(probe.messages, budget=probe.budget, **probe.parameters)

    try:
        return await chat.fetch_once(("history", probe.shared), ask)
    except EndpointError as error:
        if chat.context.context_window is None and error.status in TOO_LONG:
            kind = "the history is refused, and the window is not known"
            raise EndpointError(kind, Outcome.UNDETERMINED, came=f"{error}") from error
        raise
