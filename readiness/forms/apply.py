"""Puts a probe into a form: what stands around its request, and how the request is sent."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache
from random import Random
from typing import Any

from readiness.forms.covering import covering_forms
from readiness.forms.factors import (
    DECLINABLE,
    PLAIN,
    SENDING,
    Content,
    Factor,
    Form,
    Format,
    FormSpace,
    Insistence,
    Length,
    Limit,
    Parameters,
    Reply,
    Sampling,
    System,
    Tools,
    Turns,
    without,
)
from readiness.probe import (
    BUDGET,
    OMIT,
    Message,
    Probe,
    SamplingValue,
    prompt_tokens,
    tokens_of,
)
from readiness.resources import filled, prompts

#: About how many tokens stand before a request, and in a long system message.
TOKENS = {Length.TOKENS_2K: 2_000, Length.TOKENS_16K: 16_000, Length.TOKENS_60K: 60_000}
LONG_SYSTEM = 8_500
TURNS = {Turns.NONE: 0, Turns.THREE: 3, Turns.THIRTY: 30, Turns.TOOL_RESULT: 1}
PARAGRAPH = 6  # sentences
#: What chat clients send where they sample, and what else; some write defaults out.
TEMPERATURES = (0.2, 0.5, 0.7, 0.9)
_UNPENALISED = {"frequency_penalty": SamplingValue(0), "presence_penalty": SamplingValue(0)}
BESIDE_TEMPERATURE: Sequence[Mapping[str, SamplingValue]] = (
    {},
    {"top_p": SamplingValue(0.95)},
    {"top_p": SamplingValue(0.9), **_UNPENALISED},
    {"top_p": SamplingValue(1), **_UNPENALISED},
)
#: Most texts have Unix line ends, and those of Windows clients have their own.
PARAGRAPH_ENDS = ("\n\n", "\n\n", "\r\n\r\n")

_REPLY: Mapping[str, Mapping[str, Any]] = {
    Reply.WHOLE: {},
    Reply.STREAMED: {"stream": True},
    Reply.NO_OPTIONS: {"stream": True, "stream_options": OMIT},
}
_LIMIT: Mapping[str, Mapping[str, Any]] = {
    Limit.USUAL: {},
    Limit.OLD_NAME: {"max_completion_tokens": OMIT, "max_tokens": BUDGET},
    Limit.NONE: {"max_completion_tokens": OMIT, "max_tokens": OMIT},
}
#: What clients send beside whom a request is for.
_NOTES: Sequence[Mapping[str, Any]] = (
    {},
    {"store": False},
    {"service_tier": "auto"},
    {"metadata": {"source": "batch"}},
    {"seed": SamplingValue(7)},
)
#: What an answer in JSON is, where the form alone asks for it.
_ANSWER = {
    "type": "object",
    "properties": {"answer": {"type": "string"}},
    "required": ["answer"],
    "additionalProperties": False,
}
_JSON = (Insistence.JSON_OBJECT, Insistence.JSON_SCHEMA)
_PARTS = {Content.STRING: (), Content.USER: ("user",)}


def in_forms(probes: Sequence[Probe], space: FormSpace, key: str, turns_at: int = 0) -> list[Probe]:
    """Put each probe into a form, so that the forms of all cover what a space has."""
    forms = covering_forms(space, key, [probe.slices for probe in probes])
    made = zip(probes, forms, strict=True)
    return [
        in_form(probe, form, space, Random(f"{key}/{probe.id}"), turns_at) for probe, form in made
    ]


#: How a request is sent, and the forms of a reply that comes whole and of one that is streamed.
SENT = FormSpace(SENDING)
_WHOLE = FormSpace(without(SENDING, Factor.REPLY))
_STREAMED = FormSpace({**SENDING, Factor.REPLY: [Reply.STREAMED, Reply.NO_OPTIONS]})


def whole_and_streamed(probes: Sequence[Probe], key: str) -> list[Probe]:
    """Put each probe into a form of `SENT`, those of a family by turns whole and streamed."""
    seen, spaces = Counter[str](), list[FormSpace]()
    for probe in probes:
        first = Random(f"{key}/{probe.family}").randrange(2)
        spaces.append((_WHOLE, _STREAMED)[(first + seen[probe.family]) % 2])
        seen[probe.family] += 1
    pairs = [*zip(probes, spaces, strict=True)]
    forms = {
        space: iter(covering_forms(space, key, [of.slices for of, its in pairs if its is space]))
        for space in (_WHOLE, _STREAMED)
    }
    return [
        in_form(probe, next(forms[space]), SENT, Random(f"{key}/{probe.id}"))
        for probe, space in pairs
    ]


def in_form(probe: Probe, form: Form, space: FormSpace, random: Random, turns_at: int = 0) -> Probe:
    """Put a probe into a form; its labels name the level of each factor that varies.

    Args:
        probe: The probe.
        form: The form.
        space: The forms that its check tries.
        random: What the wording follows from.
        turns_at: Before which of the probe's own messages earlier turns go.
    """
    around = _Surroundings(str(form[Factor.LANGUAGE]), random)
    system = [each for each in probe.messages[:1] if each["role"] == "system"]
    asked = _asked(probe.messages[len(system) :], form[Factor.INSISTENCE])
    own = [*_after_text(asked, around.text(form[Factor.LENGTH]))]
    said = _instructed(system, around.system(form[Factor.SYSTEM]), form[Factor.SYSTEM])
    turns = around.turns(form[Factor.TURNS])
    messages = [
        _with_parts(each, form[Factor.CONTENT])
        for each in (*said, *own[:turns_at], *turns, *own[turns_at:])
    ]
    parameters = _parameters(probe.parameters, form, random, probe.expect)
    levels = {factor.value: str(form[factor]) for factor in space.levels}
    return replace(
        probe,
        messages=messages,
        parameters=parameters,
        labels={**probe.labels, **levels},
        in_flight=int(form[Factor.LOAD]) if Factor.LOAD in space.levels else 0,
        needs=_needs(probe.parameters, parameters),
        adds=(
            prompt_tokens(messages, parameters.get("tools"))
            - prompt_tokens(probe.messages, probe.parameters.get("tools"))
        ),
        plain=(
            None if form == space.plain else in_form(probe, space.plain, space, random, turns_at)
        ),
        fallback=(
            None
            if form == (undeclined := accepted(form))
            else in_form(probe, undeclined, space, random, turns_at)
        ),
    )


def accepted(form: Form) -> Form:
    """A form without what an endpoint may decline; what a developer says, the system says."""
    instead = {**PLAIN, Factor.SYSTEM: System.NEUTRAL}
    return {
        factor: instead[factor] if level in DECLINABLE.get(factor, ()) else level
        for factor, level in form.items()
    }


def _parameters(
    own: Mapping[str, Any], form: Form, random: Random, expect: Mapping[str, Any]
) -> Mapping[str, Any]:
    sampling: Mapping[str, Mapping[str, Any]] = {
        Sampling.GREEDY: {},
        Sampling.NONE: {"temperature": OMIT},
        Sampling.SEEDED: {
            "temperature": SamplingValue(random.choice(TEMPERATURES)),
            "seed": SamplingValue(random.randrange(2**31)),
            **random.choice(BESIDE_TEMPERATURE),
        },
    }
    sent = {
        **_tools(own, form),
        **_format(form[Factor.FORMAT], expect),
        **_REPLY[form[Factor.REPLY]],
        **_LIMIT[form[Factor.LIMIT]],
    }
    return {
        **sent,
        **_insisting(form[Factor.INSISTENCE], sent, random),
        **_others(form[Factor.PARAMETERS], sent, random),
        **sampling[form[Factor.SAMPLING]],
    }


def _others(level: str, sent: Mapping[str, Any], random: Random) -> Mapping[str, Any]:
    """What else a client sends; no text has a stop sequence that is made up."""
    code = f"{random.getrandbits(32):08x}"
    match level:
        case Parameters.STOP:
            one, other = f"\n\n{code}:", f"<|{code}|>"
            return {"stop": random.choice((one, [one], [one, other]))}
        case Parameters.LOGPROBS:
            return {"logprobs": True, "top_logprobs": random.choice((1, 5))}
        case Parameters.CLIENT:
            chosen = sent.get("tool_choice") == "none" or "parallel_tool_calls" in sent
            calls = {"parallel_tool_calls": True} if "tools" in sent and not chosen else {}
            return {"user": f"user-{code}", **random.choice(_NOTES), **calls}
        case Parameters.TWO:
            return {"n": 2}
    return {}


def _insisting(level: str, sent: Mapping[str, Any], random: Random) -> Mapping[str, Any]:
    """The response format, or the tool, that leaves a model no way to say no at once."""
    match level:
        case Insistence.JSON_OBJECT:
            return {"response_format": {"type": "json_object"}}
        case Insistence.JSON_SCHEMA:
            wanted = {"name": "reply", "strict": True, "schema": _ANSWER}
            return {"response_format": {"type": "json_schema", "json_schema": wanted}}
        case Insistence.TOOL:
            tool = prompts("forms.yaml")["insistence"]["tool"]
            named = {"type": "function", "function": {"name": tool["function"]["name"]}}
            choice = random.choice(("required", named))
            return {"tools": [*sent.get("tools", ()), tool], "tool_choice": choice}
    return {}


def _needs(own: Mapping[str, Any], sent: Mapping[str, Any]) -> frozenset[str]:
    """The features of an endpoint that a form takes, besides those of the probe's own."""
    added = sent.keys() - own.keys()
    format_ = sent.get("response_format") or {}
    formats = {format_["type"]} - {"text"} if "response_format" in added else set()
    return frozenset({"tools", "stream"} & added | formats)


def _format(level: str, expect: Mapping[str, Any]) -> Mapping[str, Any]:
    """The response format; a schema is that of the JSON that is asked for."""
    if level == Format.NONE:
        return {}
    if level == Format.TEXT:
        return {"response_format": {"type": "text"}}
    wanted = {"name": "reply", "schema": expect["schema"]}
    return {"response_format": {"type": "json_schema", "json_schema": wanted}}


def _tools(own: Mapping[str, Any], form: Form) -> Mapping[str, Any]:
    """What a probe sends, with the tools that the form offers."""
    irrelevant = prompts("forms.yaml")["tools"]
    match form[Factor.TOOLS]:
        case Tools.NONE:
            return own
        case Tools.IRRELEVANT:
            return {**own, "tools": irrelevant}
    called = irrelevant[:1] if form[Factor.TURNS] == Turns.TOOL_RESULT else []
    said = {**own, "tools": [*own["tools"], *called]}
    match form[Factor.TOOLS]:
        case Tools.AUTO:
            said["tool_choice"] = "auto"
        case Tools.NO_CHOICE:
            del said["tool_choice"]
    return said


def neutral_text(language: str, random: Random, tokens: int) -> str:
    """Paragraphs that change nothing of what is asked, of about so many tokens together."""
    return "\n\n".join(_Surroundings(language, random).paragraphs(tokens))


class _Surroundings:
    """What stands around a request, in one language."""

    def __init__(self, language: str, random: Random) -> None:
        self._said = prompts("forms.yaml")
        self._language = language
        self._random = random

    def system(self, level: str) -> str:
        """What the system message says first; "" where nothing is added."""
        if level == System.NONE:
            return ""
        level = System.NEUTRAL if level == System.DEVELOPER else level
        said = self._said["system"][level][self._language]
        if level == System.LONG:
            return "\n\n".join([said, *self.paragraphs(LONG_SYSTEM)])
        return str(self._random.choice(said))

    def turns(self, level: str) -> list[Message]:
        """What was said before."""
        if level == Turns.TOOL_RESULT:
            return self._tool_turn()
        kinds = list(self._said["turns"][self._language]) if TURNS[Turns(level)] else []
        turns: list[Message] = []
        for _ in range(TURNS[Turns(level)]):
            asked, answered, times = self._random.choice(kinds)
            n = self._random.randint(2, 99)
            slots = {"n": str(n), "m": str(n * times)}
            turns.append({"role": "user", "content": filled(asked, slots)})
            turns.append({"role": "assistant", "content": filled(answered, slots)})
        return turns

    def text(self, level: str) -> list[str]:
        """The text that stands before a request, with what parts them; nothing where it is none."""
        if level == Length.SHORT:
            return []
        code = f"{self._random.getrandbits(32):08x}"
        first = filled(self._said["before"][self._language], {"code": code})
        paragraphs = self.paragraphs(TOKENS[Length(level)])
        end = self._random.choice(PARAGRAPH_ENDS)
        return [end.join([first, *paragraphs, self._said["after"][self._language]]) + end]

    def _tool_turn(self) -> list[Message]:
        """A call, or two at once, with the results in any order, as JSON or as text."""
        said, number = self._said["tool_turn"], self._random.randint(100, 999)
        asked, answered = (filled(each, {"n": str(number)}) for each in said[self._language])
        beside = self._said["tool_call"]
        numbers = [number, number + 1][: self._random.choice((1, 1, 2))]
        calls = [self._call(said["name"], each) for each in numbers]
        results = [
            {"role": "tool", "tool_call_id": each["id"], "content": content}
            for each, content in zip(
                calls, self._random.sample(beside["results"], len(calls)), strict=True
            )
        ]
        words = self._random.choice([None, None, "", beside["says"][self._language]])
        return [
            {"role": "user", "content": asked},
            {"role": "assistant", "content": words, "tool_calls": calls},
            *self._random.sample(results, len(results)),
            {"role": "assistant", "content": answered},
        ]

    def _call(self, name: str, number: int) -> Message:
        # Mistral's ids take nine letters or digits.
        written = self._random.choice(('{"locker": %d}', '{"locker":%d}')) % number
        function = {"name": name, "arguments": written}
        return {
            "id": f"{self._random.getrandbits(36):09x}",
            "type": "function",
            "function": function,
        }

    def paragraphs(self, tokens: int) -> Iterator[str]:
        """Paragraphs that have about so many tokens together."""
        joint = "" if self._language in ("zh", "ja") else " "
        while tokens > 0:
            paragraph = joint.join([self._sentence() for _ in range(PARAGRAPH)])
            tokens -= tokens_of(paragraph)
            yield paragraph

    def _sentence(self) -> str:
        drawn = {}
        for slot, choices, bits in _draws(self._language):
            # What `random.choice` does: long texts are most of a plan, and it takes twice the time.
            while (at := self._random.getrandbits(bits)) >= len(choices):
                pass
            drawn[slot] = choices[at]
        return drawn.pop("").format_map(drawn)


@cache
def _draws(language: str) -> Sequence[tuple[str, Sequence[str], int]]:
    """What is drawn for a sentence: each slot's words, two numbers, and the sentence itself.

    With each is the number of random bits that a draw takes.
    """
    said = prompts("forms.yaml")
    numbers = [str(number) for number in range(2, 99)]
    choices = {
        **said["words"][language],
        "a": numbers,
        "b": numbers,
        "": said["sentences"][language],
    }
    return [(slot, of, len(of).bit_length()) for slot, of in choices.items()]


def _asked(messages: Sequence[Message], level: str) -> Sequence[Message]:
    """The messages of a probe, with what is added so that the last is met."""
    if level == Insistence.NONE:
        return messages
    *before, last = messages
    language = "en" if str(last["content"]).isascii() else "zh"
    said = prompts("forms.yaml")["insistence"]["says"][language]
    begun = {"role": "assistant", "content": said["begun"]}
    refused = {"role": "assistant", "content": said["refused"]}
    match level:
        case Insistence.PREFILL:
            return [*messages, begun]
        case Insistence.AGAIN:
            return [*messages, refused, {"role": "user", "content": said["again"]}]
    where = said["in_json" if level in _JSON else "in_tool"]
    return [*before, {**last, "content": f"{last['content']}\n\n{where}"}]


def _instructed(system: Sequence[Message], said: str, level: str) -> Sequence[Message]:
    """The system message of a probe, with what the form says before it.

    Templates that read one such message alone read the first: what a developer says comes second.
    """
    if not said:
        return system
    if level == System.DEVELOPER:
        return [*system, {"role": "developer", "content": said}]
    own = [str(each["content"]) for each in system]
    return [{"role": "system", "content": "\n\n".join([said, *own])}]


def _after_text(messages: Sequence[Message], text: Sequence[str]) -> Iterator[Message]:
    """The messages of a probe, the first of which comes after a text."""
    for at, message in enumerate(messages):
        more = text if at == 0 else ()
        yield {**message, "content": [*more, message["content"]]} if more else message


def _with_parts(message: Message, level: str) -> Message:
    """A message whose content is a string, or an array of parts."""
    content = message["content"]
    texts = content if isinstance(content, list) else [content]
    if not all(isinstance(text, str) for text in texts):
        return message  # It has none, or parts of its own.
    if level == Content.EVERY or message["role"] in _PARTS[Content(level)]:
        return {**message, "content": [{"type": "text", "text": text} for text in texts]}
    return {**message, "content": "".join(texts)}
