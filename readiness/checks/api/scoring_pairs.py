"""Scoring of two replies to the same messages: what must agree, and what another parameter changes.

No model writes the same text twice for certain, so that texts are compared where the request fixes
them, and a difference counts that no sampling explains.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any
from urllib.parse import unquote

from readiness.checks.api.scoring_replies import (
    contains,
    score_declined,
    tokens_at_most,
)
from readiness.exchange import Exchange
from readiness.protocol.completion import read
from readiness.protocol.message import decode
from readiness.reply import Reply, ToolCall
from readiness.resources import violation
from readiness.score import PASSED, Outcome, Score, failed, scored
from readiness.scoring.strict_json import NotJson, strict

Tool = Mapping[str, Any]

#: By how many completion tokens the same text may differ: some servers count its end.
TOKENS, SHARE = 3, 0.1
#: How many times more or fewer tokens an even text may count than its beginning makes due.
UNEVEN = 1.25
#: A copy of fewer letters is no part of a text.
MIN_PART = 10
#: Texts of fewer words may come twice by chance.
MIN_WORDS = 24
OTHER_SPACE = "the stream has other white space"
#: Fewer letters of a stop sequence may end any text.
MIN_BEGUN = 2
#: A copy with fewer line breaks shows nothing of line breaks.
MIN_BREAKS = 3


#: What servers do to all texts alike. A model that slips while it copies does not slip like this.
_DAMAGES: Mapping[str, Callable[[str], str]] = {
    "special characters are escaped": lambda text: html.escape(text, quote=False),
    "special characters and quotation marks are escaped": html.escape,
    "tags are lost": lambda text: re.sub(r"</?\w[^<>\n]*>", "", text),
    "JSON at the beginning is lost": lambda text: re.sub(r"\A\{[^{}]*\}", "", text),
    "ampersands are lost": lambda text: text.replace("&", ""),
    "quotation marks are lost": lambda text: re.sub("[\"']", "", text),
    "apostrophes are doubled": lambda text: text.replace("'", "''"),
    "characters are replaced by similar ones": lambda text: unicodedata.normalize("NFKC", text),
    "spaces before punctuation are lost": lambda text: re.sub(r"(?<=\w) (?=[?!.,:;])", "", text),
    "the first character is lost": lambda text: text[1:],
    "quotation marks are curled": lambda text: re.sub(r'"([^"\n]*)"', "\u201c\\1\u201d", text),
    "escapes are decoded": lambda text: text.replace("\\n", "\n").replace("\\t", "\t"),
    "percent signs are decoded": unquote,
    "placeholders are filled in": lambda text: re.sub(r"\{\{\w+\}\}", "", text),
    "variables are filled in": lambda text: re.sub(r"\$\{\w+\}", "", text),
    "dollar signs are lost": lambda text: text.replace("$", ""),
    "fences of code are lost": lambda text: re.sub(r"^```\w*$\n?", "", text, flags=re.MULTILINE),
    "Markdown is lost": lambda text: re.sub("[*`]", "", text),
}
#: A code word, as the harness makes them up.
_CODE = re.compile(r"\b[a-z]+-[1-9]\d\d\b", re.IGNORECASE)
_RUN = re.compile(r"(?<=\S)[ \u3000]{2,}(?=\S)")
#: Models leave out the wide spaces that begin paragraphs in Chinese.
_INDENT = re.compile(r"^[ \t]+(?=\S)", re.MULTILINE)


def score_copies(whole: Reply, streamed: Reply, text: str, tools: Collection[Tool] = ()) -> Score:
    """Score a whole and a streamed copy of a text, beside tools that it has no need of."""
    told = _score_usage(whole, streamed) or _score_no_calls([whole, streamed], tools)
    if told:
        return told
    if whole.text.strip() == streamed.text.strip():
        if damage := _damage(whole.text, text) or _lost_end(whole, text):
            return failed(damage, _difference(text.strip(), whole.text.strip(), "asked", "came"))
        return _score_same(whole, streamed)
    faithful = [text.strip() in each.text for each in (whole, streamed)]
    if _bare(whole.text) == _bare(streamed.text):
        kind = "the whole reply has other white space" if faithful[1] else OTHER_SPACE
        return failed(kind, _difference(whole.text, streamed.text))
    if faithful[0] != faithful[1]:
        kind = "the stream has another text" if faithful[0] else "the whole reply has another text"
        return failed(kind, _difference(whole.text, streamed.text))
    return _not_copied(whole)


def _score_no_calls(replies: Sequence[Reply], tools: Collection[Tool]) -> Score | None:
    """The score of calls in the place of a text; None where there are none."""
    made = [call for each in replies for call in each.tool_calls]
    if not made:
        return None
    offered = [tool["function"]["name"] for tool in tools]
    calls = f"{_calls(made)!r:.120}"
    if all(call.name in offered for call in made):
        return scored(Outcome.UNDETERMINED, "the model calls a tool that it has no need of", calls)
    return failed("a text is taken for a call of what is no tool", calls)


def _damage(copy: str, text: str) -> str:
    """What has happened to all of a copied text; "" where nothing has, or it is another text."""
    said, asked = _trimmed(copy), _trimmed(text)
    for damage, change in _DAMAGES.items():
        if said == _trimmed(change(asked)) != asked:
            return damage
    if _bare(copy) != _bare(text):
        return ""
    if len(re.findall(r"\w+", said)) < len(re.findall(r"\w+", asked)):
        return "spaces between words are lost"
    for kind, spaces in (("indentation is lost", _INDENT), ("runs of spaces are cut", _RUN)):
        if spaces.search(asked) and not spaces.search(said):
            return kind
    return ""


def _lost_end(whole: Reply, text: str) -> str:
    """Whether a copy stops in the middle, as where an unasked stop sequence ends it."""
    said, asked = _trimmed(whole.text), _trimmed(text)
    part = len(said) >= MIN_PART and asked.startswith(said) and said != asked
    return "the end is lost" if part and whole.finish == "stop" else ""


def _trimmed(text: str) -> str:
    """A text without white space at its ends and at the ends of its lines."""
    return "\n".join(line.rstrip() for line in text.splitlines()).strip()


def _score_usage(whole: Reply, streamed: Reply) -> Score | None:
    """The score of a prompt that counts otherwise when it is streamed; None where it does not."""
    if not (whole.usage and streamed.usage) or whole.usage.prompt == streamed.usage.prompt:
        return None
    came = f"{whole.usage.prompt} whole, {streamed.usage.prompt} streamed"
    return failed("prompt_tokens of the same prompt differ", came)


def _score_same(whole: Reply, streamed: Reply) -> Score:
    if whole.finish != streamed.finish:
        came = f"{whole.finish!r:.40} whole, {streamed.finish!r:.40} streamed"
        return failed("the same text has other finish_reasons", came)
    counts = [each.usage.completion for each in (whole, streamed) if each.usage]
    if len(counts) == 2 and not any(map(_reasoned, (whole, streamed))):
        slack = max(TOKENS, SHARE * counts[0])
        if abs(counts[0] - counts[1]) > slack:
            came = f"{counts[0]} whole, {counts[1]} streamed"
            return failed("completion_tokens of the same text differ", came)
    return PASSED if whole.text.count("\n") >= MIN_BREAKS else _not_copied(whole)


def _reasoned(reply: Reply) -> bool:
    """Whether a reply has reasoning, be it shown or only counted, which no two replies share."""
    return bool(reply.reasoning or (reply.usage and reply.usage.reasoning))


def score_alike(scores: Sequence[Score]) -> Score:
    """Score copies by the scores of several pairs: what differs now and then may be a slip."""
    if len({each.kind for each in scores}) == 1:
        return scores[-1]
    came = scores[0].reason
    return scored(Outcome.UNDETERMINED, "copies of a text differ now and then", came)


def _not_copied(reply: Reply) -> Score:
    return scored(
        Outcome.UNDETERMINED, "the model does not copy the text", came=f"{reply.text!r:.120}"
    )


def _bare(text: str) -> str:
    return "".join(text.split())


def _difference(one: str, other: str, first: str = "whole", second: str = "streamed") -> str:
    """Where two texts begin to differ."""
    pairs = enumerate(zip(one, other, strict=False))
    at = next((at for at, (a, b) in pairs if a != b), min(len(one), len(other)))
    start = max(at - 20, 0)
    return f"{one[start : at + 40]!r} {first}, {other[start : at + 40]!r} {second}"


def score_same_calls(whole: Reply, streamed: Reply, word: str) -> Score:
    """Score a whole and a streamed call whose argument the request fixes."""
    told = _score_usage(whole, streamed)
    if told:
        return told
    return _score_calls(whole, streamed, word, ("the whole reply's", "the streamed"))


def score_kept_calls(free: Reply, stopped: Reply, word: str) -> Score:
    """Score a call whose argument the request fixes, without a stop sequence and with one."""
    return _score_calls(free, stopped, word, ("without a stop sequence, the", "with one, the"))


def score_calls_in_format(free: Reply, formatted: Exchange, word: str) -> Score:
    """Score a call that the request fixes, without a format and with one, which may be refused."""
    if (formatted.status or 0) >= 400:
        return score_declined(formatted)
    whose = ("without a response_format, the", "with a response_format, the")
    return _score_calls(free, read(formatted), word, whose)


def _score_calls(one: Reply, other: Reply, word: str, whose: tuple[str, str]) -> Score:
    calls = [_calls(each.tool_calls) for each in (one, other)]
    if calls[0] == calls[1] and calls[0]:
        return PASSED
    right = [any(contains(str(arguments), word) for _, arguments in each) for each in calls]
    if right[0] != right[1]:
        came = f"{calls[0]!r:.120}, then {calls[1]!r:.120}"
        return failed(f"{whose[right[0]]} calls are others", came)
    return scored(Outcome.UNDETERMINED, "the model does not call as asked", came=f"{calls!r:.120}")


def _calls(calls: Sequence[ToolCall]) -> list[tuple[str, Any]]:
    return [(each.name, _decoded(each.arguments)) for each in calls]


def _decoded(arguments: str) -> Any:
    try:
        return decode(arguments)
    except ValueError:
        return arguments


def score_limited(before: Reply, reply: Reply, limit: int) -> Score:
    """Score a reply with a limit, after one without it, which is longer than that."""
    if tokens_at_most(before) <= limit:
        return _too_short(before)
    tokens = reply.usage.completion if reply.usage else 0
    cut = reply.finish == "length" and tokens <= limit and len(reply.text) < len(before.text)
    score = _score_change(before, reply, cut, f"a limit of {limit} tokens")
    return _score_rate(before, reply) if score.passed else score


def score_unlimited(before: Reply, reply: Reply) -> Score:
    """Score a reply with room, after one that a limit has cut."""
    if before.finish != "length":
        return _too_short(before)
    longer = len(reply.text) > len(before.text)
    score = _score_change(before, reply, longer, "room for all of it")
    return _score_rate(reply, before) if score.passed else score


def _too_short(reply: Reply) -> Score:
    return scored(Outcome.UNDETERMINED, "too short to tell", came=f"{reply.text!r:.120}")


def _score_rate(whole: Reply, beginning: Reply) -> Score:
    """Score the tokens of an even text by those of its beginning, which a limit has cut.

    A list of numbers alone is even: a word before it has more letters a token.
    """
    counted, short = whole.usage, beginning.usage
    same = beginning.text and whole.text.startswith(beginning.text)
    in_words = any(map(str.isalpha, whole.text))
    if not (counted and short and same) or in_words or any(map(_reasoned, (whole, beginning))):
        return PASSED
    due = short.completion * len(whole.text) / len(beginning.text)
    if due / UNEVEN <= counted.completion <= due * UNEVEN:
        return PASSED
    letters = f"{short.completion} of its first {len(beginning.text)}"
    came = f"{counted.completion} tokens of {len(whole.text)} letters, {letters}"
    return failed("completion_tokens do not fit those of the beginning of the text", came)


def score_stopped(before: Reply, reply: Reply, stop: str) -> Score:
    """Score a reply with a stop sequence, after one that contains it."""
    if stop not in before.text:
        said = f"{before.text!r:.120}"
        return scored(Outcome.UNDETERMINED, f"the model does not come to {stop!r}", came=said)
    stopped = stop not in reply.text
    return _score_change(before, reply, stopped, f"the stop sequence {stop!r}")


def score_formatted(before: Reply, reply: Reply, schema: Mapping[str, Any]) -> Score:
    """Score a reply in a format, after one in words."""
    try:
        fits = violation(strict(reply.text), schema) is None
    except NotJson:
        fits = False
    return _score_change(before, reply, fits, "response_format json_schema")


def score_called(before: Reply, reply: Reply) -> Score:
    """Score a reply with tools, one of them named, after one without."""
    return _score_change(before, reply, bool(reply.tool_calls), "a tool to call")


def _score_change(before: Reply, reply: Reply, honoured: bool, change: str) -> Score:
    """Score a change: what is not honoured may be beyond the server, but not another's answer."""
    if honoured:
        return PASSED
    if reply.text == before.text and not reply.tool_calls:
        return failed(f"with {change}, the answer to the request before", f"{reply.text!r:.120}")
    return scored(Outcome.UNDETERMINED, f"no effect of {change}", came=f"{reply.text!r:.120}")


def score_own_words(before: Reply, reply: Reply, words: Sequence[str]) -> Score:
    """Score the replies to two requests, each of which has a word of its own to tell."""
    (one, told), (other, came) = zip(words, (before.text, reply.text), strict=True)
    codes = {each.lower() for each in _CODE.findall(told)}
    if told == came and codes and codes.isdisjoint(words):
        # No model makes the same word up twice: a cache knows it of a third request.
        return failed("two requests get the answer to a third", f"{came!r:.120}")
    if not contains(told, one):
        return scored(Outcome.UNDETERMINED, "the model does not tell the word", f"{told!r:.120}")
    if contains(came, other):
        return PASSED
    if contains(came, one):
        return failed("with another message, the answer to the request before", f"{came!r:.120}")
    return scored(Outcome.UNDETERMINED, "the model does not tell the word", f"{came!r:.120}")


def score_sampled(texts: Sequence[str]) -> Score:
    """Score replies that were drawn anew each time."""
    if len(set(texts)) == len(texts):
        return PASSED
    if len(texts[0].split()) < MIN_WORDS:
        return scored(Outcome.UNDETERMINED, "too short to tell", f"{texts[0]!r:.120}")
    return failed("drawn anew, the same reply", f"{texts[0]!r:.120}")


def score_stop_cut(free: Reply, stopped: Reply, stops: Sequence[str], after: int = 0) -> Score:
    """Score a stopped reply by what stands before the stop in the reply without it.

    Args:
        free: The reply without the stop sequences.
        stopped: The reply with them.
        stops: The stop sequences.
        after: The characters before the first of them, with fewer of which nothing is shown.
    """
    whole, text = free.content or "", stopped.content or ""
    places = [whole.find(stop) for stop in stops if stop in whole]
    left = [stop for stop in stops if stop in text]
    if left:
        return failed(f"the text contains the stop sequence {left[0]!r}", f"{text!r:.120}")
    if not places:
        return _score_begun(whole.rstrip(), text.rstrip(), stops)
    due = whole[: min(places)].rstrip()
    if text.rstrip() == due:
        if stopped.finish != "stop":
            return failed(f"finish_reason is {stopped.finish!r:.40}, not 'stop'")
        return PASSED if min(places) >= after else _too_short(free)
    if stopped.reasoning and not text.strip():
        came = f"{stopped.reasoning[-80:]!r}"
        return scored(Outcome.UNDETERMINED, "the stop ends the reasoning", came=came)
    if due.startswith(text.rstrip()):
        return failed("text before the stop is lost", f"{due[-40:]!r}, and {text[-40:]!r}")
    if due and text.startswith(due):
        return failed("the stop leaves its beginning", f"{due[-40:]!r}, and {text[-40:]!r}")
    came = f"{due!r:.80}, then {text!r:.80}"
    return scored(Outcome.UNDETERMINED, "the model writes another text", came=came)


def _score_begun(whole: str, text: str, stops: Sequence[str]) -> Score:
    """Score a reply to the end of which a stop sequence has begun, by the reply without it."""
    begun = [stop[:end] for stop in stops for end in range(MIN_BEGUN, len(stop))]
    if not whole.endswith(tuple(begun)):
        came = f"{whole!r:.120}"
        return scored(Outcome.UNDETERMINED, "the model does not write the stop", came=came)
    if text == whole:
        return PASSED
    lost = whole.removeprefix(text) if text and whole.startswith(text) else ""
    if lost.strip() in begun:
        return failed("the end of the text is lost, with which a stop begins", f"{lost!r:.40}")
    came = f"{whole!r:.80}, then {text!r:.80}"
    return scored(Outcome.UNDETERMINED, "the model writes another text", came=came)
