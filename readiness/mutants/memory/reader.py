"""The reader of long conversations: it answers from the messages, without error."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cache, partial
from typing import Any

from readiness.mutants.endpoint.answer import ModelOutput, Request
from readiness.mutants.endpoint.conversation import text_of
from readiness.mutants.endpoint.prompt_template import template_pattern
from readiness.resources import prompts

WORDS = prompts("memory.yaml")
LANGUAGES = ("zh", "en")
# Where two match the same words, the first is meant: "is now 3" is a change, and no "now 3".
_TOLD = ("change", "pair", "report", "tell", "tell_of_it")
_ASKED = (
    "ask_total",
    "ask_days",
    "ask_next",
    "ask_latter",
    "ask_former",
    "ask_elliptically",
    "ask",
)

_NUMBERED = re.compile(r"^(\d+)\. (.+)$", re.MULTILINE)

Says = Callable[[Request, ModelOutput, int], ModelOutput]
#: A thing, and what is said of it.
Key = tuple[str, str]
Found = Mapping[str, str]


@dataclass
class ConversationFacts:
    """The facts of a conversation.

    Args:
        language: The language of its last message.
        facts: Values as they were written, the newest last.
        pairs: The two things that were told of at once, by what was told.
        by_pronoun: What was told of a thing without its name.
        tickets: The tickets, in the order of their reports.
        instruction: The standing instruction, where there is one.
    """

    language: str
    facts: dict[Key, list[str]] = field(default_factory=dict)
    pairs: dict[str, tuple[Key, Key]] = field(default_factory=dict)
    by_pronoun: set[Key] = field(default_factory=set)
    tickets: list[str] = field(default_factory=list)
    instruction: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class MemoryQuestion:
    """What the last message asks, by which of the wordings, and of what."""

    kind: str
    key: Key
    other: Key
    value: str


def language_asked(request: Request) -> str:
    """The language of a question about the conversation; "" if the request is of another kind."""
    last = request["messages"][-1]
    text = text_of(last) if last["role"] == "user" else ""
    ends = ("only", "numbered")
    return next((of for of in LANGUAGES if any(text.endswith(WORDS[end][of]) for end in ends)), "")


def question_in(text: str, language: str) -> MemoryQuestion | None:
    """The question of a message; None if it is no known question."""
    for kind in _ASKED:
        for pattern in _patterns(kind, language):
            if found := pattern.search(text):
                words = found.groupdict("")
                return MemoryQuestion(
                    kind, key_of(words), key_of(words, "other"), words.get("value", "")
                )
    return None


def memory_of(messages: Sequence[Mapping[str, Any]], language: str) -> ConversationFacts:
    """All facts in the user's messages."""
    memory, named = ConversationFacts(language), ""
    for message in messages:
        text = text_of(message)
        if message["role"] != "user":
            continue
        memory.instruction = _instruction(text, language) or memory.instruction
        for kind, words in _told_fact(text, language):
            _keep(memory, kind, words, named)
        named = next(reversed(_things(language).findall(text)), named)
    return memory


def key_of(words: Found, thing: str = "thing") -> Key:
    """What a sentence is about."""
    return words.get(thing, "").casefold(), words.get("what", "").casefold()


def _keep(memory: ConversationFacts, kind: str, words: Found, named: str) -> None:
    value = words["value"]
    if kind == "report":
        memory.tickets.append(value)
        return
    key = key_of(words)
    if kind == "tell_of_it":
        key = (named.casefold(), key[1])
        memory.by_pronoun.add(key)
    memory.facts.setdefault(key, []).append(value)
    if kind == "pair":
        other = key_of(words, "other")
        memory.facts.setdefault(other, []).append(words["second"])
        memory.pairs[key[1]] = (key, other)


def _told_fact(text: str, language: str) -> Iterator[tuple[str, Found]]:
    """The sentences of a text that tell something."""
    taken: list[range] = []
    for kind in _TOLD:
        for pattern in _patterns(kind, language):
            for found in pattern.finditer(text):
                if not any(found.start() in span or found.end() - 1 in span for span in taken):
                    taken.append(range(*found.span()))
                    yield kind, found.groupdict("")


def _instruction(text: str, language: str) -> Mapping[str, Any] | None:
    return next((each for each in WORDS["instructions"] if each[language] in text), None)


@cache
def _patterns(kind: str, language: str) -> tuple[re.Pattern[str], ...]:
    said = WORDS[kind][language]
    slot = partial(_slot, language=language)
    return tuple(
        template_pattern(each, slot) for each in ([said] if isinstance(said, str) else said)
    )


def _slot(name: str, language: str) -> str:
    """What may stand in a place of a template."""
    if name in ("thing", "other"):
        return _things(language).pattern
    topics = [topic[language] for topic in WORDS["topics"].values()]
    if name == "what":
        facts = [fact[language] for topic in WORDS["topics"].values() for fact in topic["facts"]]
        return _any_of([*facts, WORDS["session"][language]["what"]])
    if name in ("it", "its"):
        return _any_of([topic["it"] for topic in topics])
    return "[^？?：:！\n]+?"


@cache
def _things(language: str) -> re.Pattern[str]:
    topics = [topic[language]["things"] for topic in WORDS["topics"].values()]
    things = [thing for each in topics for thing in each]
    return re.compile(_any_of([*things, WORDS["session"][language]["thing"]]), re.IGNORECASE)


def _any_of(words: Sequence[str]) -> str:
    return "|".join(map(re.escape, sorted(set(words), key=len, reverse=True)))


def answer(request: Request) -> ModelOutput | None:
    """Answer a question about the conversation; None if the request is of another kind."""
    if not (language := language_asked(request)):
        return None
    if numbered := _questions(request, language):
        memory = memory_of(request["messages"], language)
        return _in_lines([(each, _answered(memory, question)) for each, question in numbered])
    text = text_of(request["messages"][-1])
    return ModelOutput(_answered(memory_of(request["messages"], language), text))


def each_answer(says: Says) -> Says:
    """Change each of several answers as if its question had been the only one."""

    def changed(request: Request, said: ModelOutput, turn: int) -> ModelOutput:
        language = language_asked(request)
        numbered = _questions(request, language) if language else []
        if not numbered:
            return says(request, said, turn)
        own = [line.partition(". ")[2] for line in (said.content or "").splitlines()]
        return _in_lines(
            [
                (number, says(_asking(request, question), ModelOutput(answered), turn).content)
                for (number, question), answered in zip(numbered, own, strict=False)
            ]
        )

    return changed


def _questions(request: Request, language: str) -> list[tuple[str, str]]:
    """The numbered questions of the last message; none where it has one question alone."""
    text = text_of(request["messages"][-1])
    return _NUMBERED.findall(text) if text.endswith(WORDS["numbered"][language]) else []


def _asking(request: Request, question: str) -> Request:
    only = f"{question} {WORDS['only'][language_asked(request)]}"
    return {**request, "messages": [*request["messages"][:-1], {"role": "user", "content": only}]}


def _in_lines(answers: Sequence[tuple[str, str | None]]) -> ModelOutput:
    return ModelOutput("\n".join(f"{number}. {answer or ''}" for number, answer in answers))


def _answered(memory: ConversationFacts, text: str) -> str:
    question = question_in(text, memory.language)
    return (question and recall(memory, question)) or str(WORDS["absent"][memory.language])


def recall(memory: ConversationFacts, question: MemoryQuestion) -> str:
    """What a conversation says in answer to a question; "" where it says nothing of it."""
    if question.kind == "ask_next":
        return _after(memory.tickets, question.value)
    if question.kind in ("ask_former", "ask_latter"):
        pair = memory.pairs.get(question.key[1])
        return _told(memory, pair[question.kind == "ask_latter"]) if pair else ""
    value = _told(memory, question.key)
    if question.kind not in ("ask_total", "ask_days"):
        return value
    other = _told(memory, (question.other[0], question.key[1]))
    if not (value and other):
        return ""
    if question.kind == "ask_days":
        return str((day_in(value) - day_in(other)).days)
    return amount(memory, digits_in(value) + digits_in(other))


def amount(memory: ConversationFacts, number: int) -> str:
    """An amount as it is to be written."""
    form = (memory.instruction or WORDS)["amount"]
    return str(form if isinstance(form, str) else form[memory.language]).format(number=number)


def digits_in(text: str) -> int:
    """The number that an amount has."""
    return int(re.sub(r"\D", "", text))


def day_in(text: str) -> date:
    """The day that a date names, as a conversation has it."""
    numbers = [int(each) for each in re.findall(r"\d+", text)]
    if "月" in text:
        return date(*numbers[:3])
    month = next(at for at, name in enumerate(WORDS["months"], 1) if name in text)
    return date(numbers[1], month, numbers[0])


def _told(memory: ConversationFacts, key: Key) -> str:
    value = next(reversed(memory.facts.get(key, [])), "")
    plain = str(WORDS["amount"][memory.language]).partition("}")[2]
    return amount(memory, digits_in(value)) if value.endswith(plain) else value


def _after(tickets: list[str], asked: str) -> str:
    later = tickets[tickets.index(asked) + 1 :] if asked in tickets else []
    return later[0] if later else ""
