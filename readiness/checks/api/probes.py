"""Probes of the dimension `api`: small requests, each with the wording of its check."""

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
#: The token limit for a reply of one word.
BUDGET = 16
SENTENCE_BUDGET = 32
LONG_MESSAGE = 20_000  # bytes, which take some 4,000 tokens
OK = [{"role": "user", "content": "Reply with the word OK."}]


def probes(name: str) -> list[Probe]:
    """The probes of a check in api.yaml."""
    return [_probe(f"api.{name}.{at:02}@v1", each) for at, each in enumerate(PROMPTS[name], 1)]


def streamed(name: str) -> list[Probe]:
    """The probes of a check, streamed."""
    return [_streamed(each) for each in probes(name)]


def brief(probe: Probe) -> Probe:
    """The same request, for a reply of one word."""
    return replace(probe, messages=OK, budget=BUDGET)


def both_forms(name: str) -> list[Probe]:
    """The probes of a check, each not streamed and then streamed."""
    return [form for each in probes(name) for form in (each, _streamed(each))]


def with_code_words(name: str) -> Generator:
    """A generator of a check's probes, with code words sampled by the seed."""

    def generate(seed: int, trials: int) -> list[Probe]:
        entries = PROMPTS[name]
        filled = [
            _filled(entries[at % len(entries)], f"{name}/{seed}/{at}") for at in range(trials)
        ]
        return [_probe(f"api.{name}.{at:02}@v1", each) for at, each in enumerate(filled, 1)]

    return generate


def isolation_probes(seed: int, trials: int) -> list[Probe]:
    """Requests that differ in their code, half of them streamed; each expects its own."""
    codes = _codes(f"apart/{seed}", trials)
    prompts_ = PROMPTS["conversation_isolation"]
    return [
        Probe(
            f"api.conversation_isolation.{at:02}@v1",
            _replaced(prompts_[at % len(prompts_)], {"{code}": code}),
            {"code": code, "others": [each for each in codes if each != code]},
            {"stream": True} if at // 2 % 2 else {},
            SENTENCE_BUDGET,
        )
        for at, code in enumerate(codes)
    ]


def tool_call_isolation_probes(seed: int, trials: int) -> list[Probe]:
    """Requests that force a tool call and differ in their code only; each has the others' codes."""
    codes = _codes(f"calls/{seed}", trials)
    prompt = PROMPTS["tool_call_isolation"]
    forced = {"type": "function", "function": {"name": prompt["tool"]["function"]["name"]}}
    return [
        Probe(
            f"api.tool_call_isolation.{at:02}@v1",
            _replaced(prompt["messages"], {"{code}": code}),
            {"code": code, "others": [each for each in codes if each != code]},
            {"tools": [prompt["tool"]], "tool_choice": forced, "stream": bool(at % 2)},
            128,
        )
        for at, code in enumerate(codes)
    ]


def call(probe: Probe, dialect: Dialect) -> Call:
    """The request of a probe: a valid one, changed as `send` in api.yaml says."""
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
    return _with_turns(_replaced(said, texts))


def _with_turns(said: Mapping[str, Any]) -> Mapping[str, Any]:
    """An entry with its `turns` inserted as messages, and with half as many in `expect`."""
    if "turns" not in said:
        return said
    turns, rest = said["turns"], {key: said[key] for key in said if key != "turns"}
    whole, half = (_between(said["messages"], many) for many in (turns, turns // 2))
    return {**rest, "messages": whole, "expect": {**said["expect"], "half": half}}


def _between(messages: Sequence[Any], turns: int) -> list[Any]:
    """The messages with this many pairs of short ones after the first."""
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
#: The number of words, relative to the window: a word takes at least a token.
OVERLONG_RATIO = 1.1


def heavy(name: str) -> list[Probe]:
    """The probe of a kind of hostile request."""
    return [Probe(f"api.{name}.01@v1", PROMPTS[name]["messages"], budget=BUDGET)]


def nested() -> list[Probe]:
    """Probes with nested values, one for each depth."""
    entry = PROMPTS["deep_nesting_handled"]
    return [
        Probe(f"api.deep_nesting_handled.{depth}@v1", entry["messages"], {"depth": depth})
        for depth in entry["depths"]
    ]


def padded(probe: Probe, dialect: Dialect) -> Call:
    """A valid request with megabytes of whitespace before its last brace."""
    body = json.dumps(dialect.request(probe.messages, probe.budget, {}), ensure_ascii=False)
    return Call(Repeated(body[:-1], " ", PROMPTS["huge_body_handled"]["size"] - len(body), "}"))


def many_tools(probe: Probe, dialect: Dialect) -> Call:
    """A request that offers thousands of tools."""
    tools = [_tool(at) for at in range(PROMPTS["many_tools_handled"]["count"])]
    return Call(dialect.request(probe.messages, probe.budget, {"tools": tools}))


def deep(probe: Probe, dialect: Dialect) -> Call:
    """A request with nested arrays in `metadata`."""
    body = json.dumps(dialect.request(probe.messages, probe.budget, {}), ensure_ascii=False)
    depth = probe.expect["depth"]
    return Call(f'{body[:-1]}, "metadata": {"[" * depth}{"]" * depth}}}'.encode())


def overlong(window: int, dialect: Dialect) -> Call:
    """A request with more tokens than the context window."""
    entry = PROMPTS["overlong"]
    messages = [{"role": "user", "content": entry["word"] + entry["question"]}]
    head, word, tail = json.dumps(dialect.request(messages, 8, {})).partition(entry["word"])
    return Call(Repeated(head, word, int(window * OVERLONG_RATIO), tail))


def _tool(at: int) -> dict[str, Any]:
    return {"type": "function", "function": {"name": f"tool_{at}"}}
