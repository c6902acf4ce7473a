"""Probes of the protocol: small requests, each with the words of its own check."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from random import Random
from typing import Any

from readiness.check import Generator
from readiness.exchange import Call, Repeated
from readiness.probe import Probe
from readiness.protocol.dialect import Dialect
from readiness.resources import prompts

PROMPTS = prompts("api.yaml")
#: Enough for a word; what takes more says so.
BUDGET = 16
SENTENCE = 32
LONG_MESSAGE = 20_000  # bytes, which take some 4,000 tokens
OK = [{"role": "user", "content": "Reply with the word OK."}]


def probes(name: str) -> list[Probe]:
    """The probes of a check, as they stand in the file."""
    return [_probe(f"api.{name}.{at:02}@v1", each) for at, each in enumerate(PROMPTS[name], 1)]


def streamed(name: str) -> list[Probe]:
    """The probes of a check, to be answered by streams."""
    return [_streamed(each) for each in probes(name)]


def brief(probe: Probe) -> Probe:
    """The same request for a word."""
    return replace(probe, messages=OK, budget=BUDGET)


def both(name: str) -> list[Probe]:
    """The probes of a check, each to be answered whole and then by a stream."""
    return [form for each in probes(name) for form in (each, _streamed(each))]


def coded(name: str) -> Generator:
    """A generator of a check's probes, with codes from the seed that nobody can know."""

    def generate(seed: int, trials: int) -> list[Probe]:
        found = PROMPTS[name]
        made = [_filled(found[at % len(found)], f"{name}/{seed}/{at}") for at in range(trials)]
        return [_probe(f"api.{name}.{at:02}@v1", each) for at, each in enumerate(made, 1)]

    return generate


def apart(seed: int, trials: int) -> list[Probe]:
    """Requests that differ in their code alone, half of them streamed; each knows the others'."""
    codes = _codes(f"apart/{seed}", trials)
    asked = PROMPTS["conversation_isolation"]
    return [
        Probe(
            f"api.conversation_isolation.{at:02}@v1",
            _replaced(asked[at % len(asked)], {"{code}": code}),
            {"code": code, "others": [each for each in codes if each != code]},
            {"stream": True} if at // 2 % 2 else {},
            SENTENCE,
        )
        for at, code in enumerate(codes)
    ]


def calls_apart(seed: int, trials: int) -> list[Probe]:
    """Requests that force a call and differ in their code alone; each knows the others'."""
    codes = _codes(f"calls/{seed}", trials)
    asked = PROMPTS["tool_call_isolation"]
    forced = {"type": "function", "function": {"name": asked["tool"]["function"]["name"]}}
    return [
        Probe(
            f"api.tool_call_isolation.{at:02}@v1",
            _replaced(asked["messages"], {"{code}": code}),
            {"code": code, "others": [each for each in codes if each != code]},
            {"tools": [asked["tool"]], "tool_choice": forced, "stream": bool(at % 2)},
            128,
        )
        for at, code in enumerate(codes)
    ]


def call(probe: Probe, dialect: Dialect) -> Call:
    """The request that a probe of errors makes: a right one, with what is wrong put into it."""
    send = probe.expect.get("send", {})
    if "raw" in send:
        return Call(send["raw"].replace("$MODEL", json.dumps(dialect.model)).encode("latin-1"))
    body = dialect.request(probe.messages or OK, probe.budget, probe.parameters)
    dropped = [*send.get("drop", ()), *([dialect.max_tokens_field] if "no_limit" in send else [])]
    kept = {key: value for key, value in body.items() if key not in dropped}
    limit = {dialect.max_tokens_field: send["most"]} if "most" in send else {}
    return Call({**kept, **limit, **send.get("set", {})})


def _probe(name: str, said: Mapping[str, Any]) -> Probe:
    parts = {"messages": [], "budget": BUDGET, **said}
    send = {"send": parts.pop("send")} if "send" in parts else {}
    return Probe(name, **{**parts, "expect": {**parts.get("expect", {}), **send}})


def _streamed(probe: Probe) -> Probe:
    return replace(
        probe,
        id=probe.id.replace("@", ".stream@"),
        parameters={**probe.parameters, "stream": True},
    )


def _filled(said: Any, series: str) -> Any:
    code, other = _codes(series, 2)
    filler = PROMPTS["filler"]
    times = LONG_MESSAGE // len(filler) + 1
    long, half = (filler * times).strip(), (filler * (times // 2)).strip()
    texts = {"{code}": code, "{other}": other, "{filler}": long, "{half}": half}
    return _talked(_replaced(said, texts))


def _talked(said: Mapping[str, Any]) -> Mapping[str, Any]:
    """What is said, with as many turns in it as there are to be, and the half of them beside it."""
    if "turns" not in said:
        return said
    turns, rest = said["turns"], {key: said[key] for key in said if key != "turns"}
    whole, half = (_between(said["messages"], many) for many in (turns, turns // 2))
    return {**rest, "messages": whole, "expect": {**said["expect"], "half": half}}


def _between(messages: Sequence[Any], turns: int) -> list[Any]:
    """The messages, with so many pairs of short ones after the first."""
    first, *others = messages
    pairs = [
        {"role": role, "content": content}
        for at in range(1, turns + 1)
        for role, content in (("user", f"Add one to {at}."), ("assistant", f"{at + 1}."))
    ]
    return [first, *pairs, *others]


def _codes(series: str, count: int) -> list[str]:
    random = Random(f"api/{series}")
    words = random.sample(PROMPTS["codes"], len(PROMPTS["codes"]))
    return [f"{words[at % len(words)]}-{random.randrange(100, 1000)}" for at in range(count)]


def _replaced(said: Any, texts: Mapping[str, str]) -> Any:
    if isinstance(said, str):
        for mark, text in texts.items():
            said = said.replace(mark, text)
        return said
    if isinstance(said, Mapping):
        return {key: _replaced(value, texts) for key, value in said.items()}
    return [_replaced(each, texts) for each in said] if isinstance(said, Sequence) else said


NEIGHBOUR = PROMPTS["neighbour"]
#: Above the window by a tenth, for a word takes a token at the least.
OVERLONG = 1.1


def heavy(name: str) -> list[Probe]:
    """The probe of one kind of hostile request, whose neighbour is an ordinary one."""
    return [Probe(f"api.{name}.01@v1", PROMPTS[name]["messages"], budget=BUDGET)]


def nested() -> list[Probe]:
    """Probes with values nested in one another, to each of the depths."""
    said = PROMPTS["deep_nesting_handled"]
    return [
        Probe(f"api.deep_nesting_handled.{depth}@v1", said["messages"], {"depth": depth})
        for depth in said["depths"]
    ]


def padded(probe: Probe, dialect: Dialect) -> Call:
    """A right request with megabytes of white space before its last brace."""
    body = json.dumps(dialect.request(probe.messages, probe.budget, {}), ensure_ascii=False)
    return Call(Repeated(body[:-1], " ", PROMPTS["huge_body_handled"]["size"] - len(body), "}"))


def many_tools(probe: Probe, dialect: Dialect) -> Call:
    """A request that offers thousands of tools."""
    tools = [_tool(at) for at in range(PROMPTS["many_tools_handled"]["count"])]
    return Call(dialect.request(probe.messages, probe.budget, {"tools": tools}))


def deep(probe: Probe, dialect: Dialect) -> Call:
    """A request with arrays nested in one another, where no array belongs."""
    body = json.dumps(dialect.request(probe.messages, probe.budget, {}), ensure_ascii=False)
    depth = probe.expect["depth"]
    return Call(f'{body[:-1]}, "metadata": {"[" * depth}{"]" * depth}}}'.encode())


def overlong(window: int, dialect: Dialect) -> Call:
    """A request with more tokens than the window has."""
    said = PROMPTS["overlong"]
    messages = [{"role": "user", "content": said["word"] + said["question"]}]
    head, word, tail = json.dumps(dialect.request(messages, 8, {})).partition(said["word"])
    return Call(Repeated(head, word, int(window * OVERLONG), tail))


def _tool(at: int) -> dict[str, Any]:
    return {"type": "function", "function": {"name": f"tool_{at}"}}
