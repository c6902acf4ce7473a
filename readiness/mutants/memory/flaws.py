"""Flaws of memory: an endpoint forgets, confuses or hallucinates facts of a conversation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from readiness.mutants.endpoint.answer import ModelOutput, Request
from readiness.mutants.endpoint.conversation import text_of
from readiness.mutants.endpoint.request_form import only, streamed
from readiness.mutants.endpoint.tokens import prompt_tokens
from readiness.mutants.flaw import Body, Flaw
from readiness.mutants.memory.reader import (
    LANGUAGES,
    WORDS,
    ConversationFacts,
    MemoryQuestion,
    Says,
    answer,
    each_answer,
    language_asked,
    memory_of,
    question_in,
    recall,
)


def asked(change: Callable[[Request, ModelOutput], ModelOutput]) -> Says:
    """Change the answer to a question about a conversation."""
    return each_answer(
        lambda request, said, _turn: change(request, said) if language_asked(request) else said
    )


def recalled(change: Callable[[ConversationFacts, MemoryQuestion], str]) -> Says:
    """Answer from corrupted facts."""

    def says(request: Request, said: ModelOutput) -> ModelOutput:
        language, messages = language_asked(request), request["messages"]
        question = question_in(text_of(messages[-1]), language)
        if question is None:
            return said
        wrong = change(memory_of(messages, language), question)
        return ModelOutput(wrong or WORDS["absent"][language])

    return asked(says)


def of_part(choose: Callable[[Request], Request]) -> Says:
    """Answer from a part of the messages."""
    return asked(lambda request, said: answer(choose(request)) or said)


_CHECK = "memory.recall_at_turn_50"
_TURNS_KEPT, _TURNS_STREAMED = 10, 3
_TURNS_LOST = 20
_TOKENS_KEPT = 600
_CANNED = {"zh": "好的，这件事我已经记录下来了。", "en": "Sure, I have made a note of that."}


def _last(turns: int) -> Callable[[Request], Request]:
    return lambda request: {**request, "messages": request["messages"][-1 - 2 * turns :]}


def _without_first(request: Request) -> Request:
    *turns, last = request["messages"]
    return {**request, "messages": [*turns[2 * _TURNS_LOST :], last]}


def _that_fits(request: Request) -> Request:
    """As some servers do with an overlong prompt: drop the oldest messages."""
    messages = request["messages"]
    while len(messages) > 1 and prompt_tokens({"messages": messages}) > _TOKENS_KEPT:
        messages = messages[1:]
    return {**request, "messages": messages}


def _count_what_fits(request: Request, body: Body) -> Body:
    if not (language_asked(request) and body.get("usage")):
        return body
    usage, prompt = body["usage"], prompt_tokens(_that_fits(request))
    total = prompt + usage["completion_tokens"]
    return {**body, "usage": {**usage, "prompt_tokens": prompt, "total_tokens": total}}


def _first_values(memory: ConversationFacts, question: MemoryQuestion) -> str:
    facts = {key: values[:1] for key, values in memory.facts.items()}
    return recall(replace(memory, facts=facts), question)


def _others(memory: ConversationFacts, question: MemoryQuestion) -> str:
    """The same of another thing, wherever there is one."""
    asked = recall(memory, question)
    facts = [key for key in memory.facts if key[1] == question.key[1]]
    told = [recall(memory, replace(question, kind="ask", key=key)) for key in facts]
    return next((value for value in reversed(told) if value != asked), asked)


def _wrong_reference(memory: ConversationFacts, question: MemoryQuestion) -> str:
    swapped = {"ask_former": "ask_latter", "ask_latter": "ask_former"}
    if question.kind in swapped:
        return recall(memory, replace(question, kind=swapped[question.kind]))
    if question.kind == "ask_elliptically":
        return recall(
            memory, replace(question, kind="ask", key=(question.other[0], question.key[1]))
        )
    return (_others if question.key in memory.by_pronoun else recall)(memory, question)


def _uninstructed(memory: ConversationFacts, question: MemoryQuestion) -> str:
    return recall(replace(memory, instruction=None), question)


def _invented(memory: ConversationFacts, question: MemoryQuestion) -> str:
    return recall(memory, question) or _others(memory, question)


def _last_digit_wrong(memory: ConversationFacts, question: MemoryQuestion) -> str:
    said = recall(memory, question)
    at = max((place for place, letter in enumerate(said) if letter.isdigit()), default=None)
    return said if at is None else f"{said[:at]}{(int(said[at]) + 1) % 10}{said[at + 1 :]}"


def _all_values(memory: ConversationFacts, _question: MemoryQuestion) -> str:
    told = [value for values in memory.facts.values() for value in values]
    return "; ".join([*told, *memory.tickets])


def _none(_memory: ConversationFacts, _question: MemoryQuestion) -> str:
    return ""


GENERAL_FLAWS = [
    Flaw(
        "memory_last_ten",
        "only the last ten turns are read",
        _CHECK,
        change_output=of_part(_last(_TURNS_KEPT)),
    ),
    Flaw(
        "memory_streamed",
        "for a streamed reply only the last three turns are read",
        _CHECK,
        change_output=only(streamed, of_part(_last(_TURNS_STREAMED))),
    ),
    Flaw(
        "memory_early_lost",
        "the first twenty turns are lost",
        _CHECK,
        change_output=of_part(_without_first),
    ),
    Flaw(
        "memory_no_updates", "the first value stays", _CHECK, change_output=recalled(_first_values)
    ),
    Flaw(
        "memory_swapped",
        "two things are taken for each other",
        _CHECK,
        change_output=recalled(_others),
    ),
    Flaw("memory_amnesia", "nothing was ever mentioned", _CHECK, change_output=recalled(_none)),
    Flaw(
        "memory_wrong_reference",
        "it, the latter and what is left out are the wrong ones",
        _CHECK,
        change_output=recalled(_wrong_reference),
    ),
    Flaw(
        "memory_wrong_digit",
        "the last digit is wrong",
        _CHECK,
        change_output=recalled(_last_digit_wrong),
    ),
    Flaw(
        "memory_all_values",
        "it lists all it has heard",
        _CHECK,
        change_output=recalled(_all_values),
    ),
    Flaw(
        "memory_canned",
        "it always says the same",
        _CHECK,
        change_output=asked(lambda request, _said: ModelOutput(_CANNED[language_asked(request)])),
    ),
    Flaw(
        "memory_truncated",
        "the oldest messages are dropped beyond 600 tokens",
        "memory.history_not_truncated",
        change_output=of_part(_that_fits),
        change_body=_count_what_fits,
        change_chunks=lambda request, chunks: [_count_what_fits(request, each) for each in chunks],
    ),
    Flaw(
        "memory_invents",
        "an answer that was never stated is hallucinated",
        "memory.abstention",
        change_output=recalled(_invented),
    ),
    Flaw(
        "memory_no_instruction",
        "a standing instruction is forgotten",
        "memory.standing_instruction",
        change_output=recalled(_uninstructed),
    ),
]


_LIVE = "memory.live_conversation_recall"
_LONG = 40  # letters: no reply that is made up beforehand has as many


def _since_long_reply(request: Request) -> Request:
    messages = request["messages"]
    own = [at for at, each in enumerate(messages) if each["role"] == "assistant"]
    long = [at for at in own if len(text_of(messages[at])) > _LONG]
    return {**request, "messages": messages[max(long, default=0) :]}


def _said_before(request: Request, said: ModelOutput) -> ModelOutput:
    """What it answered to the question before, where there was one."""
    messages = request["messages"]
    before = [
        text_of(reply)
        for at, reply in enumerate(messages)
        if reply["role"] == "assistant" and language_asked({"messages": messages[:at]})
    ]
    return ModelOutput(before[-1]) if before else said


def _repeats(request: Request, said: ModelOutput, _turn: int) -> ModelOutput:
    """Say again what a turn of a conversation about business has told."""
    messages = request["messages"]
    held = any(each["role"] == "assistant" for each in messages) and not language_asked(request)
    told = held and any(memory_of(messages, of).facts for of in LANGUAGES)
    return ModelOutput(f"OK: {text_of(messages[-1])}") if told else said


LIVE_FLAWS = [
    Flaw(
        "memory_long_reply",
        "what came before its own last long reply is lost",
        _LIVE,
        change_output=of_part(_since_long_reply),
    ),
    Flaw(
        "memory_self_contaminated",
        "a question gets the answer to the question before",
        _LIVE,
        change_output=asked(_said_before),
    ),
    Flaw(
        "memory_repeats", "a turn that tells may be repeated in the reply", change_output=_repeats
    ),
]

FLAWS = [*GENERAL_FLAWS, *LIVE_FLAWS]
