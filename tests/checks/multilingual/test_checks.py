"""Copy in three languages: the conversations, what is made of replies, and who falls by them."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from readiness.chat import Chat
from readiness.check import Check
from readiness.checks.multilingual import checks
from readiness.checks.multilingual.probes import PROMPTS, conversations, turns
from readiness.checks.multilingual.scoring import TURNS, Copy, alone, fits, keeps, switches
from readiness.context import Context
from readiness.mutants.endpoint.answer import ModelOutput
from readiness.mutants.endpoint.protocol import MODEL
from readiness.mutants.flaw import Flaw
from readiness.mutants.multilingual import flaws as broken
from readiness.mutants.multilingual import flaws_harmless as harmless
from readiness.mutants.multilingual.reader import answer
from readiness.probe import Probe
from readiness.protocol.dialect import Dialect
from readiness.score import Score
from readiness.verdict.claim import Verdict
from tests.reference_in_process import probes_of, reference, scores
from tests.replies import reply, verdict

CHECKS = [
    checks.language_switch,
    checks.glossary_adherence,
    checks.no_preamble,
    checks.length_limits,
]
#: What the policy lets each fall short by.
MARGINS = dict(zip([check.id for check in CHECKS], (0, 0, 0.15, 0.15), strict=True))
SEEDS = st.integers(0, 10**6)

ANC, LIFE = PROMPTS["products"][0]["terms"][:2]
COPY = Copy("Lumorax K7", 48, [ANC, LIFE], {"zh": 200, "en": 500, "ja": 300}, 60)
TEXTS = {
    "zh": "静享好声音！Lumorax K7全新降噪耳机，搭载主动降噪技术，每个音符都清晰入耳。"
    "超长续航，陪你一整天。重量仅48克，久戴也不累，通勤路上更自在。",
    "en": "Lumorax K7: silence, redefined. With Active Noise Cancellation and a battery life that "
    "lasts, every note lands where it should. At 48 grams, you will forget that you wear it.",
    "ja": "静寂を、まとう。Lumorax K7は、アクティブノイズキャンセリングを搭載し、"
    "バッテリー持続時間も十分です。重さわずか48グラムで、長く着けても疲れません。",
}


def score(check: Any, **changed: str) -> Score:
    replies = [reply({**TEXTS, **changed}[language]) for language in TURNS]
    found: Score = check(replies, COPY)
    return found


# The conversations


@pytest.mark.parametrize("trials", [1, 10, 100])
def test_conversations_are_different_and_follow_from_the_seed_alone(trials: int) -> None:
    made = conversations(5, trials)
    assert len({probe.expect["said"][0] for probe in made}) == trials
    assert (conversations(5, trials), conversations(6, 1) == made[:1]) == (made, False)


def test_ten_conversations_are_about_ten_products_and_thirty_turns_are_theirs() -> None:
    made, single = conversations(2, 10), turns(2, 30)
    things = {probe.expect["said"][0].partition("“")[0] for probe in made}
    said = {probe.cluster: probe.expect["said"] for probe in single}
    assert (len(things), [*said.values()]) == (10, [probe.expect["said"] for probe in made])
    assert [probe.expect["turn"] for probe in single] == [0, 1, 2] * 10


def test_no_chinese_term_is_a_part_of_its_japanese_one() -> None:
    terms = [term for product in PROMPTS["products"] for term in product["terms"]]
    assert [term for term in terms if any(term["zh"][0] in form for form in term["ja"])] == []


def test_the_checks_share_a_conversation() -> None:
    answer, context = reference(), Context()
    sent: list[Any] = []

    async def send(call: Any) -> Any:
        sent.append(call)
        return await answer(call)

    async def run() -> list[Score]:
        one, three = conversations(0, 1), turns(0, 3)
        tried = [(check, probe) for check in CHECKS[:2] for probe in one]
        tried += [(check, probe) for check in CHECKS[2:] for probe in three]
        return [await c.attempt(Chat(send, Dialect(MODEL), context), p) for c, p in tried]

    assert {score.passed for score in asyncio.run(run())} == {True}
    first = len(conversations(0, 1)[0].messages)
    assert [len(call.body["messages"]) for call in sent] == [first, first + 2, first + 4]


# The reference


@settings(max_examples=10, deadline=None)
@given(SEEDS)
@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.id)
def test_the_reference_passes_any_conversation(check: Check, seed: int) -> None:
    tried = scores(check, check.probes(seed, 30))
    assert [score.reason for score in tried if not score.passed] == []


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(conversations(1, 30)), st.integers(0, 400), st.integers(1, 400))
def test_a_brief_that_was_cut_is_written_about_or_not(probe: Probe, start: int, cut: int) -> None:
    text = probe.expect["said"][0]
    found = answer({"messages": [{"role": "user", "content": text[:start] + text[start + cut :]}]})
    assert found is None or bool(found.content)


# Replies


def test_good_copy_passes() -> None:
    assert [score(check).reason for check in (switches, keeps)] == ["", ""]
    assert [alone(reply(text)).reason for text in TEXTS.values()] == [""] * 3
    assert [fits(reply(text), of, COPY).reason for of, text in TEXTS.items()] == [""] * 3


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"en": TEXTS["zh"]}, "not in en"),
        ({"en": TEXTS["ja"]}, "not in en"),
        ({"zh": TEXTS["ja"]}, "not in zh"),
        ({"zh": TEXTS["en"]}, "not in zh"),
        ({"ja": TEXTS["zh"]}, "not in ja"),
        ({"ja": TEXTS["en"]}, "not in ja"),
        ({"ja": "搭载アクティブノイズキャンセリング技术，每个音符都清晰入耳。"}, "not in ja"),
        ({"ja": f"{TEXTS['ja']}\n重量仅四十八克，久戴也不累，更加自在。"}, "not in ja: '重量"),
        ({"en": f"{TEXTS['en']} 重量仅四十八克。"}, "not in en"),
        ({"en": f"{TEXTS['en']} Cada nota suena donde debe y usted jamás se cansa."}, "not in en"),
        ({"zh": f"{TEXTS['zh']}\nEvery note lands where it should."}, "not in zh: 'Every"),
        ({"zh": ""}, "format: no text"),
    ],
)  # fmt: skip
def test_another_language_anywhere_is_found(changed: dict[str, str], reason: str) -> None:
    found = score(switches, **changed)
    assert (found.passed, found.reason.startswith(reason)) == (False, True)


@pytest.mark.parametrize(
    "text",
    [
        "Compact, portable, durable: meet Lumorax K7.\nLumorax K7 over-ear headphones\n"
        "Music is more than sound, and you will hear it.",
        "Café-quality sound, à la carte. Hear what you love, wherever you are and wherever you go.",
    ],
)
def test_names_and_loan_words_are_no_other_language(text: str) -> None:
    assert score(switches, en=text).passed


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("ja", "36時間連続再生対応、急速充電機能搭載、防水防塵性能取得済。毎日の通勤を、静かに。"),
        ("ja", "高音質、長時間再生、防水性能。"),
        ("zh", "Norivane 支持 Hi-Res Audio Wireless 认证与 Orbit Atmos 空间音频，路上更安静。"),
        ("zh", "听见世界，也听见自己。与“優の良品”同款，主动降噪，续航长达36小时，通勤路上更安静，"
         "无论在家还是出门，每个音符都清晰入耳，触控操作灵敏顺手，佩戴一整天也依然轻盈自在。"),
    ],
)  # fmt: skip
def test_nouns_and_names_are_no_other_language(language: str, text: str) -> None:
    assert score(switches, **{language: text}).reason == ""


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("“听见世界，也听见自己。”", "quotation marks around it"),
        ("“听见世界，也听见“自己”。”", "quotation marks around it"),
        ('"Hear the "world" and yourself."', "quotation marks around it"),
        ("『世界を聞こう。』", "quotation marks around it"),
        ("“Lumorax K7”，听见世界，也听见自己。”", ""),
        ("“Lumorax K7”，听见“自己”", ""),
        ('"Lumorax K7" lets you hear the world."', ""),
        ('"Lumorax K7" lets you hear "yourself"', ""),
        ("「Lumorax K7」で聞く「自分」", ""),
        ("“听见世界，也听见自己。", ""),
    ],
)
def test_only_a_pair_of_marks_is_around_a_text(text: str, reason: str) -> None:
    assert alone(reply(text)).reason.partition(",")[0] == reason


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("听见世界，也听见自己。" * 3, "one sentence 3 times"),
        ("Hear the world. It is here. Hear the world! Hear the world.", "one sentence 3 times"),
        ("听见世界，也听见自己。" * 2, ""),
        ("Try it. Hear the world. Try it. Hear yourself. Try it.", ""),
    ],
)
def test_a_slogan_may_come_twice_and_a_call_thrice_but_no_sentence(text: str, reason: str) -> None:
    assert alone(reply(text)).reason.partition(",")[0] == reason


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("Hear the the world.", "a word twice in a row: 'the the'"),
        ("Hear the world.Hear yourself.", "sentences without a space between them: 'world.Hear'"),
        ("A battery battery lasts.", "a word twice in a row: 'battery battery'"),
        ("Hear it with with ease.", "a word twice in a row: 'with with'"),
        ("Plug in in seconds. It is very very small, bye bye!", ""),
        ("A tiny tiny case of agar agar, really really big big fun", ""),
        ("Give her her morning back, little little price, night night.", ""),
        ("Hear the world: www.Example.Com, lumorax.Com", ""),
        ("Read Yahoo!Mail, write Node.Js, take a Ph.D.Program", ""),
    ],
)
def test_english_words_are_neither_doubled_nor_joined(text: str, reason: str) -> None:
    assert alone(reply(text)).reason.partition(",")[0] == reason


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("ja", "高音质、长续航、防水性能。"),
        ("ja", "無論在家還是出門，這款耳機都值得您長期信賴，每個音符都清晰入耳。"),
        ("zh", "Every note lands where it should, 真的。"),
        ("zh", "毎日の通勤を、もっと静かにしてくれます。"),
    ],
)
def test_a_whole_text_in_another_language_is_found(language: str, text: str) -> None:
    assert score(switches, **{language: text}).reason.startswith(f"not in {language}")


@pytest.mark.parametrize(
    ("language", "old", "new", "reason"),
    [
        ("ja", "アクティブノイズ", "ノイズ", "term 'アクティブノイズキャンセリング' is missing"),
        (
            "ja",
            "キャンセリング",
            "キャンセレーション",
            "term 'アクティブノイズキャンセリング' is missing",
        ),
        ("ja", "アクティブノイズキャンセリング", "主动降噪", "is missing"),
        ("ja", "です。", "です。主动降噪も。", "term '主动降噪' is not translated"),
        ("en", "battery life", "endurance", "term 'battery life' is missing"),
        ("en", "Active Noise", "Noise", "term 'Active Noise Cancellation' is missing"),
        ("en", "you will", "active noise canceling", "one term in two forms"),
        ("zh", "续航", "电池", "term '续航' is missing"),
        ("zh", "Lumorax K7", "流明", "the name 'Lumorax K7' is missing"),
        ("en", "Lumorax K7", "Lumorax K8", "the name 'Lumorax K7' is missing"),
        ("en", "48 grams", "84 grams", "the figure 48 is missing"),
        ("ja", "48グラム", "480グラム", "the figure 48 is missing"),
        ("zh", "48克", "1.48克", "the figure 48 is missing"),
        ("en", "48 grams", "48 or 84 grams", "the figure 48 is missing"),
        ("en", "48 grams", "48-84 grams", "the figure 48 is missing"),
        ("en", "48 grams", "48 dozen grams", "the figure 48 is missing"),
        ("zh", "48克", "48到84克", "the figure 48 is missing"),
        ("zh", "48克", "48万克", "the figure 48 is missing"),
    ],
)
def test_a_wrong_term_name_or_figure_is_found(
    language: str, old: str, new: str, reason: str
) -> None:
    found = score(keeps, **{language: TEXTS[language].replace(old, new)})
    assert (found.passed, reason in found.reason) == (False, True)


@pytest.mark.parametrize(
    ("language", "old", "new"),
    [
        ("ja", "アクティブノイズキャンセリング", "アクティブ・ノイズ・キャンセリング"),
        ("ja", "バッテリー持続時間", "連続再生時間"),
        ("ja", "48グラム", "四十八グラム"),
        ("en", "Active Noise Cancellation", "active noise-cancelling technology"),
        ("en", "48 grams", "forty-eight grams"),
        ("en", "48 grams", "a 48-gram frame"),
        ("en", "Lumorax K7", "LUMORAX K7"),
        ("zh", "48克", "４８克"),
        ("en", "48 grams", "up to 48 grams"),
        ("en", "48 grams", "48+ grams"),
        ("zh", "48克", "不到48克"),
        ("zh", "重量仅48克", "轻巧，48克"),
        ("zh", "主动降噪", "**主动降噪**（ANC）"),
    ],
)
def test_the_same_term_name_or_figure_may_be_written_otherwise(
    language: str, old: str, new: str
) -> None:
    changed = TEXTS[language].replace(old, new)
    assert (score(keeps, **{language: changed}).reason, changed != TEXTS[language]) == ("", True)


@pytest.mark.parametrize(
    "text",
    [
        "以下是英文版：\nMeet it.",
        "好的，这是为您写的文案。\n静享好声音！",
        "Sure! Meet it.",
        "Here's the English version of the copy:\n\nMeet it.",
        "**English version**\nMeet it.",
        "【日文版】静寂を、まとう。",
        "Copy for the product:\nMeet it.",
        "はい、こちらです。\n静寂を、まとう。",
        "“Meet it.”",
        "「静寂を、まとう。」",
        "```\nMeet it.\n```",
        "Meet it.\n\n(8 characters)",
        "静享好声音！\n（共6个字符）",
        "静寂を、まとう。\n※文字数は8です。",
        "静寂を、まとう。\n※以上が日本語版です。",
        "Meet it.\n\nLet me know if you want another one.",
    ],
)
def test_words_around_the_copy_are_found(text: str) -> None:
    assert not alone(reply(text)).passed


@pytest.mark.parametrize(
    "text",
    [
        "Surely the best. Here's to silence: **Lumorax K7**.",
        "“Wow” is what you will say. It is “wow”, day by day. Buy it.",
        "好的声音，从主动降噪开始。当然值得拥有。",
        "Silence: redefined.\n\nPower: unlimited.",
        "こちらは新しいヘッドホンです。はいチーズ！",
        "48時間の連続再生に対応。\n※使用環境により異なります。",
    ],
)
def test_copy_that_begins_like_talk_is_none(text: str) -> None:
    assert alone(reply(text)).passed


@given(st.integers(0, 700), st.sampled_from(TURNS))
def test_a_tenth_beyond_the_limit_is_let_pass(length: int, language: str) -> None:
    most = COPY.limits[language]
    assert fits(reply("が" * length), language, COPY).passed == (60 <= length <= most * 1.1)


def test_a_text_that_was_cut_fails_them_all() -> None:
    cut = reply(TEXTS["en"], finish="length")
    replies = [reply(TEXTS["zh"]), cut, reply(TEXTS["ja"])]
    found = [switches(replies, COPY), keeps(replies, COPY), alone(cut), fits(cut, "en", COPY)]
    assert {score.reason.partition(":")[0] for score in found} == {"no end"}


# Mutants


@pytest.mark.parametrize("flaw", broken.FLAWS, ids=lambda flaw: flaw.name)
def test_a_flaw_is_not_ready_by_its_check(flaw: Flaw) -> None:
    check = next(check for check in CHECKS if check.id == flaw.check)
    assert verdict(check, flaw, MARGINS[check.id]) is Verdict.NOT_READY


@pytest.mark.parametrize("flaw", harmless.FLAWS, ids=lambda flaw: flaw.name)
@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.id)
def test_a_harmless_variant_passes(check: Check, flaw: Flaw) -> None:
    tried = scores(check, probes_of(check, 2, 30), flaw)
    assert [score.reason for score in tried if not score.passed] == []


@pytest.mark.parametrize("flaw", [*broken.FLAWS, *harmless.FLAWS], ids=lambda flaw: flaw.name)
def test_no_flaw_touches_what_is_no_copy(flaw: Flaw) -> None:
    asked = [{"role": "user", "content": "写一段文案。"}, {"role": "user", "content": "EN"}]
    request = {"messages": json.loads(json.dumps(asked))}
    assert flaw.change_output(request, ModelOutput("9"), 0) == ModelOutput("9")
