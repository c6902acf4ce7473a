"""Flaws of marketing copy in three languages: wrong language, wrong terms, text around it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

from readiness.mutants.endpoint.answer import ModelOutput, Request
from readiness.mutants.endpoint.conversation import text_of
from readiness.mutants.endpoint.request_form import only, streamed
from readiness.mutants.flaw import Flaw
from readiness.mutants.multilingual.reader import CopyRequest, copy, wish_in

#: Changes the copy that was wished for.
Change = Callable[[CopyRequest, str], str]
Says = Callable[[Request, ModelOutput, int], ModelOutput]


def says(change: Change, *languages: str) -> Says:
    """Change the turns in these languages, or in all if none is given."""

    def changed(request: Request, said: ModelOutput, _turn: int) -> ModelOutput:
        wish = wish_in(request)
        if wish is None or (languages and wish.language not in languages):
            return said
        return replace(said, content=change(wish, said.content or ""))

    return changed


def stays_in(language: str, *asked: str) -> Says:
    """Write in one language, whatever is wished for; in place of those languages, where named."""

    def changed(request: Request, said: ModelOutput, _turn: int) -> ModelOutput:
        wish, own = wish_in(request), wish_in(request, language)
        fits = wish and own and (not asked or wish.language in asked)
        return ModelOutput(copy(own)) if own and fits else said

    return changed


def _hardly_any_words(request: Request) -> bool:
    """Whether the last turn is a word, or a few characters."""
    return len(text_of(request["messages"][-1])) <= _A_WORD


_SWITCHES = "multilingual.language_switch"
_KEEPS = "multilingual.glossary_adherence"
_ALONE = "multilingual.no_preamble"
_FITS = "multilingual.length_limits"
_A_WORD = 5  # characters

_PREAMBLES = {
    "zh": "以下是中文版文案：\n",
    "en": "Sure! Here is the English version:\n\n",
    "ja": "以下は日本語版です。\n\n",
}
_NOTES = {"zh": "\n（共98个字符）", "en": "\n\n(182 characters)", "ja": "\n※文字数は98です。"}
_LABELS = {"zh": "【中文版】", "en": "**English version**\n", "ja": "【日本語版】"}
_INSERTED = {
    "zh": "This one is made for everybody who travels.",
    "en": "无论在家还是出门，它都值得您长期信赖和使用。",
    "ja": "无论在家还是出门，它都值得您长期信赖和使用。",
}
_MORE = {
    "zh": "它真的值得您信赖。",
    "en": " You can rely on it day by day.",
    "ja": "安心してお使いいただけます。",
}


def _first_term(change: Callable[[CopyRequest], str]) -> Change:
    """Replace the first term."""
    return lambda wish, text: text.replace(wish.terms[0], change(wish))


def _last_half(wish: CopyRequest) -> str:
    """A term that has lost what stood in front, as ノイズキャンセリング has without アクティブ."""
    term = wish.terms[0]
    return term.partition(" ")[2] or term[(len(term) + 1) // 2 :]


def _renamed(wish: CopyRequest, text: str) -> str:
    return text.replace(wish.name, wish.name.partition(" ")[0] + " Pro")


def _other_figure(wish: CopyRequest, text: str) -> str:
    return text.replace(wish.figure, re.sub(r"\d+", lambda n: str(int(n[0]) + 5), wish.figure))


def _last_again(times: int) -> Change:
    """The last sentence comes so many times in all."""

    def again(_wish: CopyRequest, text: str) -> str:
        ends = re.findall(r"[^。！？.!?\n]+[。！？.!?]+\s*$", text)
        return text.rstrip() + "".join(f" {each.strip()}" for each in ends) * (times - 1)

    return again


FLAWS = [
    Flaw(
        "copy_last_sentence_thrice",
        "the last sentence comes three times",
        _ALONE,
        change_output=says(_last_again(3)),
    ),
    Flaw(
        "copy_word_twice",
        "a word of the English text comes twice",
        _ALONE,
        change_output=says(lambda _wish, text: text.replace(" the ", " the the ", 1), "en"),
    ),
    Flaw(
        "copy_sentences_joined",
        "sentences of the English text have no space between them",
        _ALONE,
        change_output=says(lambda _wish, text: re.sub(r"(?<=\w[.!?]) ", "", text), "en"),
    ),
    Flaw(
        "copy_last_sentence_thrice_streamed",
        "in streams it does",
        _ALONE,
        change_output=only(streamed, says(_last_again(3))),
    ),
    Flaw(
        "copy_last_sentence_six_times_japanese",
        "in Japanese it comes six times",
        _ALONE,
        change_output=says(_last_again(6), "ja"),
    ),
    Flaw(
        "copy_turn_two_chinese",
        "the second turn is in Chinese",
        _SWITCHES,
        change_output=stays_in("zh", "en"),
    ),
    Flaw(
        "copy_turn_two_japanese",
        "or in Japanese already",
        _SWITCHES,
        change_output=stays_in("ja", "en"),
    ),
    Flaw(
        "copy_streamed_in_chinese",
        "the second turn is in Chinese where it is streamed",
        _SWITCHES,
        change_output=only(streamed, stays_in("zh", "en")),
    ),
    Flaw(
        "copy_turn_three_english",
        "the third is in English",
        _SWITCHES,
        change_output=stays_in("en", "ja"),
    ),
    Flaw(
        "copy_turn_three_chinese",
        "or in Chinese",
        _SWITCHES,
        change_output=stays_in("zh", "ja"),
    ),
    Flaw(
        "copy_turn_one_english",
        "the first is in English",
        _SWITCHES,
        change_output=stays_in("en", "zh"),
    ),
    Flaw(
        "copy_short_switch_ignored",
        "a switch of a word or two changes nothing",
        _SWITCHES,
        change_output=only(_hardly_any_words, stays_in("zh")),
    ),
    Flaw(
        "copy_other_sentence",
        "a sentence of another language stands in each text",
        _SWITCHES,
        change_output=says(lambda wish, text: f"{text}{_INSERTED[wish.language]}"),
    ),
    Flaw(
        "copy_wide_marks_in_english",
        "the marks of the English text are those of Chinese",
        _SWITCHES,
        change_output=says(lambda _wish, text: text.replace(", ", "，").replace(". ", "。"), "en"),
    ),
    Flaw(
        "copy_english_in_japanese",
        "an English sentence ends the Japanese text",
        _SWITCHES,
        change_output=says(
            lambda _wish, text: f"{text}\nThis one is made for everybody who travels.", "ja"
        ),
    ),
    Flaw(
        "copy_ja_term_short",
        "a Japanese term lacks its first half",
        _KEEPS,
        change_output=says(_first_term(_last_half), "ja"),
    ),
    Flaw(
        "copy_en_term_short",
        "an English one its first word",
        _KEEPS,
        change_output=says(_first_term(_last_half), "en"),
    ),
    Flaw(
        "copy_zh_term_short",
        "a Chinese one its first half",
        _KEEPS,
        change_output=says(_first_term(_last_half), "zh"),
    ),
    Flaw(
        "copy_term_untranslated",
        "a term stays Chinese in the Japanese text",
        _KEEPS,
        change_output=says(_first_term(lambda wish: wish.glossary[0]["zh"]), "ja"),
    ),
    Flaw(
        "copy_term_in_english",
        "a term is English in the Japanese text",
        _KEEPS,
        change_output=says(_first_term(lambda wish: wish.glossary[0]["en"]), "ja"),
    ),
    Flaw(
        "copy_term_changes",
        "ANC comes in a second form as well",
        _KEEPS,
        change_output=says(
            lambda wish, text: (
                f"{text} Active noise cancelling at its best."
                if "Active Noise Cancellation" in text
                else text
            ),
            "en",
        ),
    ),
    Flaw(
        "copy_name_changes",
        "the product has another name",
        _KEEPS,
        change_output=says(_renamed, "ja"),
    ),
    Flaw(
        "copy_figure_changes",
        "a figure is another one",
        _KEEPS,
        change_output=says(_other_figure, "en"),
    ),
    Flaw(
        "copy_preamble",
        "a sentence comes before the copy",
        _ALONE,
        change_output=says(lambda wish, text: f"{_PREAMBLES[wish.language]}{text}"),
    ),
    Flaw(
        "copy_note",
        "a note on its length comes after it",
        _ALONE,
        change_output=says(lambda wish, text: f"{text}{_NOTES[wish.language]}"),
    ),
    Flaw(
        "copy_quoted",
        "quotation marks stand around it",
        _ALONE,
        change_output=says(lambda _wish, text: f"“{text}”"),
    ),
    Flaw(
        "copy_label",
        "a label stands before it",
        _ALONE,
        change_output=says(lambda wish, text: f"{_LABELS[wish.language]}{text}"),
    ),
    Flaw(
        "copy_fenced",
        "a fence stands around it",
        _ALONE,
        change_output=says(lambda _wish, text: f"```\n{text}\n```"),
    ),
    Flaw(
        "copy_too_long",
        "it is three times as long",
        _FITS,
        change_output=says(lambda wish, text: text + _MORE[wish.language] * 16),
    ),
]
