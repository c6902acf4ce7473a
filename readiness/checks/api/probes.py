"""Probes of the dimension `api`: small requests, each with the wording of its check."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from random import Random
from typing import Any

from readiness.check import Generator
from readiness.checks.api import attachments
from readiness.exchange import Call, Repeated
from readiness.probe import CHARACTERS_PER_TOKEN, Probe, SamplingValue, prompt_tokens
from readiness.protocol.dialect import Dialect
from readiness.resources import prompts

PROMPTS = prompts("api.yaml")
#: The token limit for a reply of one word.
BUDGET = 16
SENTENCE_BUDGET = 32
LONG_BUDGET = 8_192
LONG_MESSAGE = 20_000  # bytes, which take some 4,000 tokens
PAGE = 3_000
#: Of so many requests beside each other, one is told no code word.
UNTOLD = 8
OK = [{"role": "user", "content": "Reply with the word OK."}]


def probes(name: str) -> list[Probe]:
    """The probes of a check in api.yaml."""
    return [_probe(f"api.{name}.{at:02}@v1", each) for at, each in enumerate(PROMPTS[name], 1)]


def streamed(name: str) -> list[Probe]:
    """The probes of a check, streamed."""
    return [streaming(each) for each in probes(name)]


def longer(probe: Probe, window: int | None) -> Probe:
    """The same request, for a reply of thousands of tokens, which is long at any speed."""
    budget = LONG_BUDGET if window is None else min(LONG_BUDGET, window // 2)
    return replace(probe, messages=probe.expect["longer"], budget=budget)


def brief(probe: Probe) -> Probe:
    """The same request, for a reply of one word."""
    return replace(probe, messages=OK, budget=BUDGET)


def both_forms(name: str) -> list[Probe]:
    """The probes of a check, each not streamed and then streamed."""
    return [form for each in probes(name) for form in (each, streaming(each))]


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
    wordings, untold = PROMPTS["conversation_isolation"], PROMPTS["untold"]
    codes = _codes(f"apart/{seed}", trials + 1)
    own = ["" if at % UNTOLD == UNTOLD - 1 else code for at, code in enumerate(codes)]
    return _beside_each_other(
        [
            Probe(
                f"api.conversation_isolation.{at:02}@v1",
                _replaced(wordings[at % len(wordings)] if code else untold, {"{code}": code}),
                {"code": code},
                {"stream": True} if at // 2 % 2 else {},
                SENTENCE_BUDGET,
            )
            for at, code in enumerate(own)
        ]
    )


def tool_call_isolation_probes(seed: int, trials: int) -> list[Probe]:
    """Requests that force a tool call and differ in their code only; each has the others' codes."""
    prompt = PROMPTS["tool_call_isolation"]
    forced = {"type": "function", "function": {"name": prompt["tool"]["function"]["name"]}}
    return _beside_each_other(
        [
            Probe(
                f"api.tool_call_isolation.{at:02}@v1",
                _replaced(prompt["messages"], {"{code}": code}),
                {"code": code},
                {"tools": [prompt["tool"]], "tool_choice": forced, "stream": bool(at % 2)},
                128,
            )
            for at, code in enumerate(_codes(f"calls/{seed}", trials + 1))
        ]
    )


def _beside_each_other(probes_: Sequence[Probe]) -> list[Probe]:
    """Each probe but the last, with the next one to be sent beside it, as long as it is."""
    codes = [each.expect["code"] for each in probes_]
    told = [code for code in codes if code]
    apart = [
        replace(each, expect={**each.expect, "others": [code for code in told if code != own]})
        for each, own in zip(probes_, codes, strict=True)
    ]
    return [
        replace(
            each,
            expect={**each.expect, "beside": beside},
            tokens=2 * prompt_tokens(each.messages, each.parameters.get("tools")),
        )
        for each, beside in pairwise(apart)
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


def equivalent(probe: Probe, dialect: Dialect) -> Call:
    """The request of a probe as another client writes and labels it."""
    asked = call(probe, dialect)
    written = _WRITTEN[probe.expect.get("written", "")](asked.body)
    return Call(written, headers=probe.expect.get("headers", {}), valid=False)


def _indented(body: Mapping[str, Any]) -> bytes:
    """With the messages first, and the model last."""
    others = {name: body[name] for name in body if name not in ("messages", "model")}
    ordered = {"messages": body["messages"], **others, "model": body["model"]}
    return json.dumps(ordered, ensure_ascii=False, indent=2).encode()


#: How clients write the JSON of a request.
_WRITTEN: Mapping[str, Callable[[Any], Any]] = {
    "": lambda body: body,
    "escaped": lambda body: json.dumps(body).encode(),
    "indented": _indented,
}


def _probe(name: str, said: Mapping[str, Any]) -> Probe:
    parts = {"messages": [], "budget": BUDGET, **said}
    if "sampled" in parts:
        temperature = {"temperature": SamplingValue(parts.pop("sampled"))}
        parts["parameters"] = {**parts["parameters"], **temperature}
    send = {"send": parts.pop("send")} if "send" in parts else {}
    tools = parts.pop("tools", None)
    probe = Probe(name, **{**parts, "expect": {**parts.get("expect", {}), **send}})
    return _beside(tools, probe) if tools else probe


def _beside(tools: Sequence[Any], probe: Probe) -> Probe:
    """The probe beside tools, where the endpoint takes any, that it has no need of."""
    return replace(
        probe,
        parameters={**probe.parameters, "tools": tools},
        needs=frozenset({"tools"}),
        adds=prompt_tokens((), tools),
        plain=probe,
    )


def streaming(probe: Probe) -> Probe:
    """The same probe, streamed."""
    return replace(
        probe,
        id=probe.id.replace("@", ".stream@"),
        parameters={**probe.parameters, "stream": True},
    )


def unstreamed(probe: Probe) -> Probe:
    """The probe as it is where it is not streamed."""
    kept = {name: of for name, of in probe.parameters.items() if name != "stream"}
    return replace(probe, id=probe.id.replace(".stream@", "@"), parameters=kept)


def _filled(said: Any, series: str) -> Any:
    code, other = _codes(series, 2)
    filler = PROMPTS["filler"]
    times = LONG_MESSAGE // len(filler) + 1
    long, half = _repeated(filler, times), _repeated(filler, times // 2)
    texts = {"{code}": code, "{other}": other, "{filler}": long, "{half}": half}
    page = PAGE // len(filler)
    texts |= {"{page}": _repeated(filler, page), "{half_a_page}": _repeated(filler, page // 2)}
    random = Random(f"api/{series}/numbers")
    low = random.randrange(11, 60)
    numbers = {"low": low, "middle": low + 9, "next": low + 10, "high": low + 29}
    numbers["ones"] = numbers["middle"] % 10
    texts |= {f"{{{name}}}": str(number) for name, number in numbers.items()}
    texts["{capitals}"] = code.upper()
    texts["{renumbered}"] = _renumbered(code, random)
    texts["{name}"] = random.choice(PROMPTS["names"])
    return _with_turns(_replaced(said, texts))


def fitting(probe: Probe, room: int | None) -> Probe:
    """The probe, its filler shortened to half of the tokens that there is room for."""
    text, most = PROMPTS["filler"], LONG_MESSAGE // len(PROMPTS["filler"]) + 1
    whole = _repeated(text, most)
    fillers = sum(str(each["content"]).count(whole) for each in probe.messages)
    fits = most if room is None else int(room * CHARACTERS_PER_TOKEN / 2) // (len(text) * fillers)
    times = min(most, fits)
    if times == most:
        return probe
    long = {whole: _repeated(text, times)}
    half = {_repeated(text, most // 2): _repeated(text, times // 2)}
    expect = {
        name: _replaced(of, half if name == "half" else long) for name, of in probe.expect.items()
    }
    return replace(probe, messages=_replaced(probe.messages, long), expect=expect)


def _repeated(text: str, times: int) -> str:
    return (text * times).strip()


def _with_turns(said: Mapping[str, Any]) -> Mapping[str, Any]:
    """An entry with its `turns` inserted as messages, and with half as many in `expect`."""
    if "turns" not in said:
        return said
    turns, rest = said["turns"], {key: said[key] for key in said if key != "turns"}
    whole, half = (_between(said["messages"], many) for many in (turns, turns // 2))
    return {**rest, "messages": whole, "expect": {**said["expect"], "half": half}}


def _between(messages: Sequence[Any], turns: int) -> list[Any]:
    """The messages with this many pairs of short ones before the last."""
    *others, last = messages
    pairs = [
        {"role": role, "content": content}
        for at in range(1, turns + 1)
        for role, content in (("user", f"Add one to {at}."), ("assistant", f"{at + 1}."))
    ]
    return [*others, *pairs, last]


def _codes(series: str, count: int) -> list[str]:
    random = Random(f"api/{series}")
    words = random.sample(PROMPTS["codes"], len(PROMPTS["codes"]))
    return [f"{words[at % len(words)]}-{random.randrange(100, 1000)}" for at in range(count)]


def _renumbered(code: str, random: Random) -> str:
    """The same word with another number."""
    word, _, number = code.partition("-")
    return f"{word}-{(int(number) - 100 + random.randrange(1, 900)) % 900 + 100}"


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
    entry = PROMPTS[name]
    expect = {name: entry[name] for name in ("size", "tools") if name in entry}
    return [Probe(f"api.{name}.01@v1", entry["messages"], expect, budget=BUDGET)]


def nested() -> list[Probe]:
    """Probes with nested values, one for each depth."""
    entry = PROMPTS["deep_nesting_handled"]
    return [
        Probe(
            f"api.deep_nesting_handled.{depth}@v1",
            entry["messages"],
            {"depth": depth},
            budget=BUDGET,
        )
        for depth in entry["depths"]
    ]


def hostile_call(probe: Probe, dialect: Dialect) -> Call:
    """The request of a hostile probe: very large, very deep, of very many tools, or odd."""
    if "size" in probe.expect:
        return padded(probe, dialect, probe.expect["size"])
    if "depth" in probe.expect:
        return deep(probe, dialect)
    return many_tools(probe, dialect) if "tools" in probe.expect else call(probe, dialect)


def padded(probe: Probe, dialect: Dialect, size: int) -> Call:
    """A valid request of so many bytes, most of which are white space before its last brace."""
    body = json.dumps(dialect.request(probe.messages, probe.budget, {}), ensure_ascii=False)
    return Call(Repeated(body[:-1], " ", size - len(body.encode()), "}"))


#: The bytes that a token of text takes at the most: six are an escaped character.
MAX_BYTES_PER_TOKEN = 8


def large() -> list[Probe]:
    """The probe with the sizes of bodies that must be taken."""
    entry = PROMPTS["large_bodies_accepted"]
    return [
        Probe(
            "api.large_bodies_accepted.01@v1",
            entry["messages"],
            {"sizes": entry["sizes"]},
            budget=BUDGET,
        )
    ]


def with_nulls() -> list[Probe]:
    """Probes that each set an optional parameter to null."""
    entry = PROMPTS["null_parameters_handled"]
    return [
        Probe(
            f"api.null.{name}@v1",
            entry["messages"],
            {"word": "null", "send": {"set": {name: None}}},
            budget=BUDGET,
        )
        for name in entry["nulls"]
    ]


def plainly(probe: Probe) -> Probe:
    """The probe without what it changes in its request."""
    return replace(probe, expect={})


def refusable() -> list[Probe]:
    """The probe that has all requests which may be refused."""
    return [Probe("api.stream_error_status.01@v1", OK, {"requests": probes("stream_error_status")})]


def with_parts() -> list[Probe]:
    """Probes of text beside a part that is no text; each expects its text alone."""
    entry = PROMPTS["unread_parts_not_dropped"]
    text = {"type": "text", "text": entry["text"]}
    data = attachments.encoded(entry["minutes"])
    return [
        Probe(
            f"api.unread_parts_not_dropped.{name}@v1",
            [{"role": "user", "content": [text, _replaced(part, data)]}],
            {"text": [{"role": "user", "content": [text]}]},
            budget=SENTENCE_BUDGET,
        )
        for name, part in entry["parts"].items()
    ]


def many_tools(probe: Probe, dialect: Dialect) -> Call:
    """A request that offers thousands of tools."""
    tools = [_tool(at) for at in range(probe.expect["tools"])]
    return Call(dialect.request(probe.messages, probe.budget, {"tools": tools}))


def deep(probe: Probe, dialect: Dialect) -> Call:
    """A request with nested arrays in `metadata`."""
    body = json.dumps(dialect.request(probe.messages, probe.budget, {}), ensure_ascii=False)
    depth = probe.expect["depth"]
    return Call(f'{body[:-1]}, "metadata": {"[" * depth}{"]" * depth}}}'.encode())


def overlong(window: int, dialect: Dialect, parameters: Mapping[str, Any]) -> Call:
    """A request with more tokens than the context window."""
    entry = PROMPTS["overlong"]
    messages = [{"role": "user", "content": entry["word"] + entry["question"]}]
    head, word, tail = json.dumps(dialect.request(messages, 8, parameters)).partition(entry["word"])
    return Call(Repeated(head, word, int(window * OVERLONG_RATIO), tail), valid=False)


def _tool(at: int) -> dict[str, Any]:
    return {"type": "function", "function": {"name": f"tool_{at}"}}
