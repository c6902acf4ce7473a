"""Flaws of what a tool's result may hold: lists, depths, nulls, lines, tables and escapes."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from readiness.mutants.api.requests import CRASH
from readiness.mutants.endpoint.answer import ModelOutput, Request, SubstituteResponse
from readiness.mutants.endpoint.conversation import text_of
from readiness.mutants.endpoint.model import answer
from readiness.mutants.endpoint.request_form import Where, only, streamed, unstreamed
from readiness.mutants.flaw import Flaw
from readiness.mutants.tool_calling.requests import dumped, results_changed, results_read

_READ = "tool_calling.tool_result_read_whole"
_ITEMS, _LETTERS, _ROWS, _DEEPEST, _AT_ONCE = 20, 500, 10, 3, 2
_LONGEST, _KEPT = 16_000, 1_500
#: What all results may have together: some 8,000 tokens.
_ALL_RESULTS = 32_000
_CLEARED = "[Old tool result content cleared]"


def _loaded(text: str) -> Any:
    """The JSON that a text is; the text itself where it is none."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def _is_json(text: str) -> bool:
    return text.strip()[:1] in ("{", "[") and not isinstance(_loaded(text), str)


def _in_json(change: Callable[[Any], Any]) -> Callable[[str], str]:
    """Change results that are objects or arrays."""
    return lambda text: dumped(change(json.loads(text))) if _is_json(text) else text


def _in_text(change: Callable[[str], str]) -> Callable[[str], str]:
    """Change results that are neither objects nor arrays."""
    return lambda text: text if _is_json(text) else change(text)


def _leaves(value: Any, change: Callable[[Any], Any]) -> Any:
    if isinstance(value, dict):
        return {key: _leaves(of, change) for key, of in value.items()}
    return [_leaves(of, change) for of in value] if isinstance(value, list) else change(value)


def _lists_cut(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _lists_cut(of) for key, of in value.items()}
    return [_lists_cut(of) for of in value[:_ITEMS]] if isinstance(value, list) else value


def _texts_cut(value: Any) -> Any:
    return _leaves(value, lambda of: of[:_LETTERS] if isinstance(of, str) else of)


def _kept(keeps: Callable[[Any], bool]) -> Callable[[Any], Any]:
    """Keep only some members of objects."""

    def kept(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: kept(of) for key, of in value.items() if keeps(of)}
        return [kept(of) for of in value] if isinstance(value, list) else value

    return kept


def _six_digits(value: Any) -> Any:
    """Numbers as C's %g writes them."""
    return _leaves(value, lambda of: float(f"{of:g}") if type(of) is float else of)


def _shallow(value: Any, depth: int = 0) -> Any:
    """What stands deeper is told by its type, as consoles do."""
    if isinstance(value, dict | list) and depth >= _DEEPEST:
        return "[Object]" if isinstance(value, dict) else "[Array]"
    if isinstance(value, dict):
        return {key: _shallow(of, depth + 1) for key, of in value.items()}
    return [_shallow(of, depth + 1) for of in value] if isinstance(value, list) else value


def _first_of_array(value: Any) -> Any:
    return value[:1] if isinstance(value, list) else value


def _without_middle(text: str) -> str:
    return text if len(text) <= 2 * _KEPT else f"{text[:_KEPT]} … {text[-_KEPT:]}"


def _unread_escapes(text: str) -> str:
    return re.sub(r"\\u[0-9a-fA-F]{4}", "", text)


def _without_thoughts(text: str) -> str:
    """As templates clean what the assistant has said before."""
    return text.rpartition("</think>")[2] if "</think>" in text else text


def _until_call(text: str) -> str:
    return text.partition("<tool_call>")[0]


#: What ends a turn in the templates of several families of models.
_ENDS = re.compile(r"<\|\w+\|>|</s>|<(?:end|start)_of_turn>")


def _rest_lost(text: str) -> str:
    """Of a result with tokens that end a turn, what stands behind the last of them."""
    return _ENDS.split(text)[-1]


def _ended_by(end: str) -> Callable[[str], str]:
    return lambda text: text.partition(end)[0]


def _refused_tokens(request: Request, _turn: int) -> SubstituteResponse | None:
    """As tokenizers that allow no control tokens in a text."""
    told = any(each["role"] == "tool" and _ENDS.search(text_of(each))
               for each in request["messages"])  # fmt: skip
    return CRASH if told else None


def _unfenced(text: str) -> str:
    """Of a text with a block of code, the block."""
    found = re.search(r"```\w*\n(.*?)```", text, re.DOTALL)
    return found[1] if found else text


def _until_action(text: str) -> str:
    """A text ends where a ReAct agent would act."""
    return re.split(r"^Action:", text, maxsplit=1, flags=re.MULTILINE)[0]


def _first_two(request: Request, said: ModelOutput, _turn: int) -> ModelOutput:
    """Of results in a row, the first two are read."""
    messages, row = list[Any](), 0
    for each in request["messages"]:
        row = row + 1 if each["role"] == "tool" else 0
        messages.append({**each, "content": ""} if row > _AT_ONCE else each)
    changed = any(each["role"] == "tool" and not text_of(each) for each in messages)
    return answer({**request, "messages": messages}) if changed else said


def _older(number: int, change: Callable[[str], str]) -> Callable[[list[str]], list[str]]:
    """Change all results but the last so many."""
    return lambda told: [*map(change, told[:-number]), *told[-number:]]


def _within_limit(told: list[str]) -> list[str]:
    """As gateways edit long conversations: the oldest results are cleared until the rest fits."""
    sizes = [len(each) for each in told]
    return [each if sum(sizes[at:]) <= _ALL_RESULTS else _CLEARED for at, each in enumerate(told)]


def _read(change: Callable[[str], str], where: Where = lambda _request: True) -> dict[str, Any]:
    return {"change_output": only(where, results_read(change))}


_BROKEN: list[tuple[str, str, dict[str, Any]]] = [
    ("lists_cut", "lists in a result end with the twentieth item", _read(_in_json(_lists_cut))),
    ("values_cut", "texts in a result end after 500 letters", _read(_in_json(_texts_cut))),
    ("cut_16000", "a result ends after 16,000 letters", _read(lambda text: text[:_LONGEST])),
    (
        "cut_streamed",
        "in streams a result ends after 1,000 bytes",
        _read(lambda text: text.encode()[:1_000].decode(errors="ignore"), streamed),
    ),
    (
        "text_cut",
        "a result that is no JSON ends after 200 letters",
        _read(_in_text(lambda text: text[:200])),
    ),
    (
        "rows_cut",
        "of a result in lines the first ten are read",
        _read(_in_text(lambda text: "\n".join(text.split("\n")[:_ROWS]))),
    ),
    (
        "first_line",
        "of a result in lines the first is read where the reply is whole",
        _read(_in_text(lambda text: text.partition("\n")[0]), unstreamed),
    ),
    (
        "nulls_lost",
        "members of a result that are null are left out",
        _read(_in_json(_kept(lambda of: of is not None))),
    ),
    (
        "falsy_lost",
        "members of a result that are 0, false or empty are left out",
        _read(_in_json(_kept(lambda of: bool(of) or of is None))),
    ),
    ("six_digits", "decimals in a result have six digits", _read(_in_json(_six_digits))),
    ("shallow", "what is deeper than three levels of a result is lost", _read(_in_json(_shallow))),
    ("array_first", "of an array the first item is read", _read(_in_json(_first_of_array))),
    (
        "object_first",
        "of objects in a list the first is read",
        _read(
            _in_json(
                lambda of: (
                    {k: _first_of_array(v) for k, v in of.items()} if isinstance(of, dict) else of
                )
            )
        ),
    ),
    ("escapes_lost", "escaped letters in a result are lost", _read(_unread_escapes)),
    ("thoughts_lost", "a result is read from behind </think> on", _read(_without_thoughts)),
    ("call_ends", "a result ends where a call seems to begin", _read(_until_call)),
    ("token_ends", "a result ends at <|im_end|>", _read(_ended_by("<|im_end|>"))),
    ("llama_token_ends", "a result ends at <|eot_id|>", _read(_ended_by("<|eot_id|>"))),
    ("gemma_token_ends", "a result ends at <end_of_turn>", _read(_ended_by("<end_of_turn>"))),
    ("mistral_token_ends", "a result ends at </s>, in streams", _read(_ended_by("</s>"), streamed)),
    ("tokens_begin", "a result is read from behind its last control token on", _read(_rest_lost)),
    ("tokens_500", "control tokens in a result crash", {"intercept": _refused_tokens}),
    ("unfenced", "of a result with a block of code, the block is read", _read(_unfenced)),
    ("action_ends", "a result ends where an agent seems to act", _read(_until_action)),
    ("third_lost", "of results in a row the first two are read", {"change_output": _first_two}),
    ("head_kept", "of a long result 1,500 letters are read", _read(lambda text: text[:_KEPT])),
    (
        "end_kept",
        "of a long result the last 1,500 letters are read",
        _read(lambda text: text[-_KEPT:]),
    ),
    ("middle_lost", "a long result lacks its middle", _read(_without_middle)),
    (
        "long_emptied",
        "a result of more than 6,000 letters is emptied",
        _read(lambda text: text if len(text) < 4 * _KEPT else ""),
    ),
    (
        "cleared_8000",
        "the oldest results are cleared where all have more than 8,000 tokens",
        {"change_output": results_changed(_within_limit)},
    ),
    (
        "older_cleared",
        "all results but the last three are cleared",
        {"change_output": results_changed(_older(3, lambda _text: _CLEARED))},
    ),
    (
        "older_cut",
        "all results but the last end after 400 letters",
        {"change_output": results_changed(_older(1, lambda text: text[:400]))},
    ),
]


def _reordered(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _reordered(value[key]) for key in sorted(value)}
    return [_reordered(of) for of in value] if isinstance(value, list) else value


_HARMLESS: list[tuple[str, str, dict[str, Any]]] = [
    ("reordered", "members of a result have no order", _read(_in_json(_reordered))),
    (
        "indented",
        "a result may be indented",
        _read(lambda text: json.dumps(json.loads(text), indent=2) if _is_json(text) else text),
    ),
    (
        "escaped",
        "what is not ASCII may be escaped in a result",
        _read(lambda text: json.dumps(json.loads(text)) if _is_json(text) else text),
    ),
    ("tokens_left_out", "control tokens may be left out", _read(lambda text: _ENDS.sub("", text))),
    (
        "tokens_apart",
        "control tokens may be broken up",
        _read(lambda text: _ENDS.sub(lambda found: f"{found[0][0]} {found[0][1:]}", text)),
    ),
    (
        "windows_lines",
        "a result may have the line ends of Windows",
        _read(_in_text(lambda text: text.replace("\n", "\r\n"))),
    ),
]

FLAWS = [
    *(Flaw(f"results_{name}", about, _READ, **hooks) for name, about, hooks in _BROKEN),
    *(Flaw(f"results_{name}", about, **hooks) for name, about, hooks in _HARMLESS),
]
