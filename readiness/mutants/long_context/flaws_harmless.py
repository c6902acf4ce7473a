"""Harmless variants of replies to long documents."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from itertools import count
from typing import Any

from readiness.mutants.flaw import Body, Flaw
from readiness.mutants.long_context.flaws import in_answers, in_text, in_usage

_NUMBER = re.compile(r"(?<![\d-])\d{5,7}(?!\d)")
_DATE = re.compile(r"(\d{4})-(\d\d)-(\d\d)")
_WIDE = str.maketrans("0123456789", "０１２３４５６７８９")
_CHINESE = str.maketrans("0123456789", "零一二三四五六七八九")


def _numbers(write: Callable[[str], str]) -> Callable[[Any], Any]:
    """Write the numbers of an answer in another way."""

    def change(value: Any) -> Any:
        if isinstance(value, list):
            return [change(each) for each in value]
        return _NUMBER.sub(lambda found: write(found[0]), str(value))

    return change


def _parted(number: str) -> str:
    return f"{int(number):,}"


def _fenced(text: str) -> str:
    code, _, answers = text.rpartition("\n")
    return f"{code}\nHere you are:\n```json\n{answers}\n```"


def _listed(text: str) -> str:
    code, _, answers = text.rpartition("\n")
    lines = [f"- **{label}**：{_bare(value)}" for label, value in json.loads(answers).items()]
    return "\n".join([code, *lines])


def _bare(value: Any) -> str:
    return "、".join(value) if isinstance(value, list) else str(value)


def _spelled(text: str) -> str:
    text = _DATE.sub(lambda found: f"{found[1]}年{int(found[2])}月{int(found[3])}日", text)
    return _NUMBER.sub(lambda found: _parted(found[0]), text)


def _caching() -> dict[str, Any]:
    """Call all but the first long prompt cached, as a cache does that knows parts anywhere."""
    seen = count()
    return in_usage(lambda usage: _cached(usage) if next(seen) else usage)


def _cached(usage: Body) -> Body:
    details = {**usage["prompt_tokens_details"], "cached_tokens": usage["prompt_tokens"] - 100}
    return {**usage, "prompt_tokens_details": details}


FLAWS = [
    Flaw(
        "long_full_width",
        "answers in digits of full width",
        change_output=in_answers(_numbers(lambda number: number.translate(_WIDE))),
    ),
    Flaw("long_thousands", "answers as 4,712,345", change_output=in_answers(_numbers(_parted))),
    Flaw(
        "long_chinese_digits",
        "answers as 四七一二三四五",
        change_output=in_answers(_numbers(lambda number: number.translate(_CHINESE))),
    ),
    Flaw("long_fenced", "the answers stand in a fence", change_output=in_text("log", _fenced)),
    Flaw("long_listed", "the answers stand in a list", change_output=in_text("log", _listed)),
    Flaw(
        "long_spelled_dates",
        "a summary with 2027年3月5日 and 47,123",
        change_output=in_text("report", _spelled),
    ),
    Flaw("long_prefix_cache", "long prompts are cached, and said to be", **_caching()),
]
