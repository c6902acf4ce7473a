"""Flaws of copy that show in one form of request only, and a harmless difference."""

from __future__ import annotations

from readiness.mutants.endpoint.request_form import (
    all_of,
    beside_tools,
    instructed,
    may_stop,
    only,
    seeded,
    streamed,
    text_format,
    unsampled,
    with_logprobs,
)
from readiness.mutants.flaw import Flaw
from readiness.mutants.multilingual.flaws import says, stays_in

_SWITCHES = "multilingual.language_switch"
_KEEPS = "multilingual.glossary_adherence"
_ALONE = "multilingual.no_preamble"

FLAWS = [
    Flaw(
        "copy_chinese_streamed_as_text",
        "Chinese throughout where the format says text and the reply is streamed",
        _SWITCHES,
        change_output=only(all_of(text_format, streamed), stays_in("zh")),
    ),
    Flaw(
        "copy_japanese_unsampled_beside_tools",
        "Japanese throughout where tools are offered and no temperature is sent",
        _SWITCHES,
        change_output=only(all_of(beside_tools, unsampled), stays_in("ja")),
    ),
    Flaw(
        "copy_term_lost_seeded",
        "a term is lost where a temperature and a seed are sent",
        _KEEPS,
        change_output=only(seeded, says(lambda wish, text: text.replace(wish.terms[0], "…"))),
    ),
    Flaw(
        "copy_preamble_instructed",
        "a preamble after a system message",
        _ALONE,
        change_output=only(instructed, says(lambda _wish, text: f"Of course! Here it is:\n{text}")),
    ),
    Flaw(
        "copy_chinese_with_logprobs",
        "Chinese throughout where logprobs are asked for",
        _SWITCHES,
        change_output=only(with_logprobs, stays_in("zh")),
    ),
    Flaw(
        "copy_term_lost_with_stop",
        "a term is lost where a stop sequence is sent",
        _KEEPS,
        change_output=only(may_stop, says(lambda wish, text: text.replace(wish.terms[0], "…"))),
    ),
    Flaw(
        "copy_newline_beside_tools",
        "a line break at the end is none of the copy",
        change_output=only(beside_tools, says(lambda _wish, text: f"{text}\n")),
    ),
]
