"""Tool calling: what the probes ask, how replies are scored, and which flaws are caught."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from readiness.check import Check
from readiness.checks.tool_calling import checks, probes, scoring
from readiness.checks.tool_calling.prompt_wording import PROMPTS, TOOLS, cities
from readiness.checks.tool_calling.scoring import Expected, named_alike, silent, tells_about
from readiness.checks.tool_calling.scoring_tool_results import tells
from readiness.mutants.endpoint.answer import ModelOutput, Request
from readiness.mutants.endpoint.conversation import text_of
from readiness.mutants.flaw import Flaw
from readiness.mutants.tool_calling import flaws, flaws_form, flaws_harmless, flaws_results
from readiness.mutants.tool_calling import flaws as wrong_calls
from readiness.mutants.tool_calling.reader import answer, weather_asked
from readiness.probe import Message, Probe
from readiness.reply import Defect, DefectKind, Reply, Timing, ToolCall
from readiness.score import PASSED, Outcome, Score, failed
from readiness.verdict.claim import Verdict
from tests.reference_in_process import reasons, scores
from tests.replies import verdict

CHECKS = {each.id: each for each in vars(checks).values() if isinstance(each, Check)}
WEATHER = [TOOLS["get_weather"]]
ASKED = {"city": "北京", "date": "2027-03-05", "days": 3, "unit": "celsius", "lang": "zh"}
BEIJING = Expected("get_weather", ASKED, {"city": ("北京", "Beijing", "Pekín", "Peking")})
TOKYO = Expected("get_weather", {**ASKED, "city": "东京"}, {"city": ("东京", "Tokyo")})
CALLED = json.dumps(ASKED, ensure_ascii=False)


def call(arguments: str = CALLED, name: str = "get_weather", id: str = "c1") -> ToolCall:  # noqa: A002
    return ToolCall(id, "function", name, arguments)


def with_(**changed: Any) -> ToolCall:
    return call(json.dumps({**ASKED, **changed}))


def reply(
    *made: ToolCall,
    text: str | None = None,
    finish: str = "",
    leaks: tuple[str, ...] = (),
    defects: tuple[Defect, ...] = (),
) -> Reply:
    finish = finish or ("tool_calls" if made else "stop")
    message: Message = {"role": "assistant", "content": text}
    timing = Timing(0.0, None, None, 0.0)
    return Reply(text, text or "", "", made, "", finish, None, leaks, defects, message, timing)


def scored(*made: ToolCall, **more: Any) -> Score:
    return scoring.calls([reply(*made, **more)], [BEIJING], WEATHER)


# What is scored


@pytest.mark.parametrize(
    "right",
    [
        reply(call()),
        reply(call(), text=""),
        reply(call(), text="Let me look that up for you."),
        reply(call(id="functions.get_weather:0")),
        reply(with_(city="Beijing")),
        reply(with_(city="pekin")),
        reply(with_(city=" 北京市 ")),
        reply(with_(city="ＢＥＩＪＩＮＧ")),
        reply(with_(include_aqi=False)),
        reply(with_(days=3.0)),
        reply(call(json.dumps(dict(reversed(ASKED.items())), indent=1))),
    ],
)
def test_a_right_call_passes_however_it_is_written(right: Reply) -> None:
    assert scoring.calls([right], [BEIJING], WEATHER) == PASSED


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        (scored(text="Sunny."), "expected one call of get_weather, got []"),
        (
            scored(call(), call(id="c2")),
            "expected one call of get_weather, got ['get_weather', 'get_weather']",
        ),
        (
            scored(call(name="getWeather")),
            "expected one call of get_weather, got ['getWeather']",
        ),
        (scored(with_(city="上海")), "wrong city: expected '北京', got '上海'"),
        (scored(with_(city="北京, 中国")), "wrong city: expected '北京', got '北京, 中国'"),
        (scored(with_(city="东北京")), "wrong city: expected '北京', got '东北京'"),
        (scored(with_(date="2027-03-06")), "wrong date: expected '2027-03-05', got '2027-03-06'"),
        (scored(with_(date="2027/03/05")), "wrong date: expected '2027-03-05', got '2027/03/05'"),
        (scored(with_(include_aqi=True)), "wrong include_aqi: expected False, got True"),
        (
            scored(with_(days="3")),
            "arguments of get_weather at $.days: '3' is not of type 'integer'",
        ),
        (
            scored(with_(days=True)),
            "arguments of get_weather at $.days: True is not of type 'integer'",
        ),
        (
            scored(with_(include_aqi="false")),
            "arguments of get_weather at $.include_aqi: 'false' is not of type 'boolean'",
        ),
        (scored(with_(country="")), "unknown parameters of get_weather: country"),
        (
            scored(call('{"city": "北京"}')),
            "parameters of get_weather lost: date, days, unit, lang",
        ),
        (scored(call("")), "arguments of get_weather: empty text: ''"),
        (scored(call("[]")), "arguments of get_weather are no JSON object: '[]'"),
        (
            scored(call(json.dumps("{}"))),
            "arguments of get_weather are no JSON object: '\"{}\"'",
        ),
        (scored(call('{"a": 1, "a": 2}')), "arguments of get_weather: duplicate key 'a'"),
        (scored(call(), finish="stop"), "expected finish_reason tool_calls, got 'stop'"),
        (
            scored(
                call(), defects=(Defect(DefectKind.CALL_WITHOUT_FIELD, "tool call without id"),)
            ),
            "tool call without id",
        ),
        (
            scored(text="<tool_call>", leaks=("<tool_call>",)),
            "a call leaks into the text, with <tool_call>: '<tool_call>'",
        ),
        (
            scored(ToolCall("c", "tool", "get_weather", CALLED)),
            "expected calls of type function, got ['tool']",
        ),
    ],
)
def test_a_wrong_call_fails_and_says_what_came(wrong: Score, reason: str) -> None:
    assert wrong == failed(reason)


@pytest.mark.parametrize(
    ("text", "passed"),
    [("15\u00a0кг; 0,12\u00a0€", True), ("15 кг; 0,12 €", True), ("15кг; 0,12 €", False)],
)
def test_a_space_that_does_not_break_is_a_space(text: str, passed: bool) -> None:
    note = {"title": "t", "text": "15\u00a0кг; 0,12\u00a0€"}
    made = call(json.dumps({**note, "text": text}), name="save_note")
    found = scoring.calls([reply(made)], [Expected("save_note", note)], [TOOLS["save_note"]])
    assert found.passed == passed


@pytest.mark.parametrize(
    "text",
    [
        '{"name": "get_weather", "arguments": {}}',
        "<function=get_weather>{}</function>",
        '<invoke name="get_weather"></invoke>',
        "[get_weather(city='北京')]",
        "Action: get_weather\nAction Input: {}",
    ],
)
def test_a_call_in_any_notation_is_no_text(text: str) -> None:
    found = scoring.silent(reply(text=text), WEATHER)
    assert found == failed(f"a call leaks into the text, with get_weather: {text!r}")


@pytest.mark.parametrize(
    "text",
    ["I could use get_weather(city) for this.", "The name get_weather says it.", "上海：晴。"],
)
def test_words_about_a_tool_are_words(text: str) -> None:
    assert scoring.silent(reply(text=text), WEATHER) == PASSED


@pytest.mark.parametrize(
    ("made", "reason"),
    [
        (reply(call(), text="Sunny."), "expected no call, got ['get_weather']"),
        (reply(text=" \n"), "no call, and no words either"),
        (reply(), "no call, and no words either"),
        (reply(text='{"city": "北京"}'), 'expected words, got JSON: \'{"city": "北京"}\''),
        (
            reply(text="Sunny.", finish="tool_calls"),
            "expected finish_reason stop, got 'tool_calls'",
        ),
    ],
)
def test_what_must_be_words_is_nothing_else(made: Reply, reason: str) -> None:
    assert scoring.silent(made, WEATHER) == failed(reason)


@pytest.mark.parametrize("finish", ["stop", "tool_calls"])
def test_a_forced_call_may_end_with_stop_as_openai_has_it(finish: str) -> None:
    assert scoring.forced(reply(call(), finish=finish), WEATHER, "get_weather") == PASSED


@pytest.mark.parametrize(
    ("made", "only", "reason"),
    [
        (reply(text="Sunny."), "", "expected a call of get_weather, got []"),
        (reply(call()), "get_tide", "expected a call of get_tide, got ['get_weather']"),
        (reply(call("{}")), "", "parameters of get_weather lost: city, date, days, unit, lang"),
        (
            reply(call(), finish="length"),
            "",
            "expected finish_reason tool_calls or stop, got 'length'",
        ),
    ],
)
def test_a_forced_call_that_is_not_made_fails(made: Reply, only: str, reason: str) -> None:
    assert scoring.forced(made, WEATHER, only) == failed(reason)


TOKYO_CALL = call(json.dumps({**ASKED, "city": "Tokyo"}), id="c2")


@pytest.mark.parametrize(
    "replies",
    [
        [reply(call(), TOKYO_CALL)],
        [reply(TOKYO_CALL, call())],
        [reply(TOKYO_CALL), reply(call())],
    ],
)
def test_several_calls_pass_in_any_order_and_one_by_one(replies: list[Reply]) -> None:
    assert scoring.calls(replies, [BEIJING, TOKYO], WEATHER) == PASSED


def test_calls_that_each_fit_several_orders_are_paired_as_a_whole() -> None:
    # The call without a unit fits either order, and the other only the one.
    unit = {"type": "object", "properties": {"unit": {"default": "C"}}}
    tools = [{"type": "function", "function": {"name": "t", "parameters": unit}}]
    expected = [Expected("t", {}), Expected("t", {"unit": "F"}), Expected("t", {"unit": "C"})]
    made = [call(text, "t", str(at)) for at, text in enumerate(('{"unit": "F"}', "{}", "{}"))]
    assert scoring.calls([reply(*made)], expected, tools) == PASSED


OPEN_PARAMETERS = {
    "type": "object",
    "properties": {
        "city": {"type": "string"},
        "days": {"type": "integer"},
        "note": {"type": "string"},
        "mark": {"type": ["string", "null"]},
        "where": {"type": "object", "properties": {"floor": {"type": "integer"}, "hall": {}}},
        "free": {"type": "object"},
    },
    "required": ["city"],
}
OPEN_TOOL = [{"type": "function", "function": {"name": "plan", "parameters": OPEN_PARAMETERS}}]
PLAN = Expected("plan", {"city": "León", "where": {"hall": 2**53 + 1}, "free": {"a": 1}})
PLANNED: dict[str, Any] = {"city": "León", "where": {"hall": 2**53 + 1}, "free": {"a": 1}}


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"days": None},
        {"note": None, "days": None, "mark": None},
        {"where": {"hall": 2**53 + 1, "floor": None}},
        {"free": {"a": 1.0}},
    ],
)
def test_an_optional_parameter_may_be_null(more: dict[str, Any]) -> None:
    made = call(json.dumps({**PLANNED, **more}), "plan")
    assert scoring.calls([reply(made)], [PLAN], OPEN_TOOL) == PASSED


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"city": None}, "arguments of plan at $.city: None is not of type 'string'"),
        ({"days": "null"}, "arguments of plan at $.days: 'null' is not of type 'integer'"),
        ({"days": 0}, "wrong days: expected nothing, got 0"),
        ({"note": ""}, "wrong note: expected nothing, got ''"),
        ({"mark": "null"}, "wrong mark: expected nothing, got 'null'"),
        ({"where": None}, "wrong where: expected {'hall': 9007199254740993}, got nothing"),
        ({"where": {"hall": 2**53}},
         "wrong where.hall: expected 9007199254740993, got 9007199254740992"),
        ({"free": {"a": 1, "b": 1}}, "wrong free.b: expected nothing, got 1"),
        ({"more": None}, "unknown parameters of plan: more"),
    ],
)  # fmt: skip
def test_null_is_no_value_for_any_other(more: dict[str, Any], reason: str) -> None:
    made = call(json.dumps({**PLANNED, **more}), "plan")
    assert scoring.calls([reply(made)], [PLAN], OPEN_TOOL) == failed(reason)


@given(st.permutations(range(8)), st.integers(0, 7))
def test_eight_calls_pass_in_any_order_and_fall_by_one_wrong_value(
    order: list[int], wrong: int
) -> None:
    expected = [Expected("plan", {"city": "León", "days": day}) for day in range(8)]
    texts = [json.dumps({"city": "León", "days": day}) for day in order]
    made = [call(text, "plan", f"c{at}") for at, text in enumerate(texts)]
    assert scoring.calls([reply(*made)], expected, OPEN_TOOL) == PASSED
    made[wrong] = call('{"city": "León", "days": 9}', "plan", "c9")
    found = scoring.calls([reply(*made)], expected, OPEN_TOOL)
    assert found == failed(f"wrong days: expected {order[wrong]}, got 9")


def test_several_calls_need_ids_of_their_own_in_a_conversation() -> None:
    replies = [reply(call(id="c2")), reply(TOKYO_CALL)]
    found = scoring.calls(replies, [BEIJING, TOKYO], WEATHER)
    assert found == failed("calls of one conversation share the id 'c2'")


def test_one_city_twice_is_not_two_cities() -> None:
    twice = [reply(call(), call(id="c2"))]
    found = scoring.calls(twice, [BEIJING, TOKYO], WEATHER)
    assert found == failed("wrong city: expected '东京', got '北京'")


def test_one_call_at_a_time_is_one_of_those_that_are_due() -> None:
    both = [BEIJING, TOKYO]
    assert scoring.one_of(reply(TOKYO_CALL), both, WEATHER) == PASSED
    assert not scoring.one_of(reply(call(), TOKYO_CALL), both, WEATHER).passed
    assert not scoring.one_of(reply(text="Sunny."), both, WEATHER).passed


# Names


def wide(text: str) -> str:
    return "".join(chr(ord(of) + 0xFEE0) if "!" <= of <= "~" else of for of in text)


def dotted(text: str) -> str:
    return f"「{text.replace(' ', '・')}」"


CHANGES: Sequence[Callable[[str], str]] = (str.upper, str.lower, str.strip, wide, dotted)


@st.composite
def disguises(draw: st.DrawFn) -> tuple[int, str]:
    """A city, and one of its spellings with changes that make no other name of it."""
    which = draw(st.integers(0, len(cities()) - 1))
    name = draw(st.sampled_from(cities()[which].spellings))
    change = draw(st.sampled_from(CHANGES))
    more = ["", " ", "。", *(["市"] if not name.endswith("市") else [])]
    suffix = draw(st.sampled_from(more)) if not name.isascii() else ""
    return which, change(name) + suffix


@given(disguises())
@example((0, "ＢＥＩＪＩＮＧ"))
@example((12, "青岛市区"))
def test_a_city_is_known_in_any_disguise_and_taken_for_no_other(case: tuple[int, str]) -> None:
    which, disguised = case
    known = [at for at, city in enumerate(cities()) if named_alike(disguised, city.spellings)]
    assert known == [which]


# Figures

FIGURES = {"told": [37.4, 12.6], "percent": [12.6]}


def told(text: str, expect: dict[str, Any] | None = None) -> Score:
    return tells(reply(text=text), FIGURES if expect is None else expect, [], WEATHER)


@pytest.mark.parametrize(
    "text",
    [
        "最高气温37.4度，湿度12.6%。",
        "最高気温は３７．４℃、湿度は１２．６％です。",
        "La máxima es de 37,4 °C y la humedad del 12,6 %.",
        "On 2027-03-05: **37.4°C**, humidity 12.60 percent",
        "21.3-37.4 °C, 12.6%",
    ],
)
def test_figures_are_told_in_any_language(text: str) -> None:
    assert told(text) == PASSED


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("37 °C, 12.6 %", "expected 37.4 in the text, got '37 °C, 12.6 %'"),
        ("137.4 °C, 12.6 %", "expected 37.4 in the text, got '137.4 °C, 12.6 %'"),
        ("-37.4 °C, 12.6 %", "expected 37.4 in the text, got '-37.4 °C, 12.6 %'"),
        ("12.6 °C, 37.4 %", "37.4 is no percentage: '12.6 °C, 37.4 %'"),
        ("", "no call, and no words either"),
    ],
)
def test_figures_that_are_not_those_of_the_result_fail(text: str, reason: str) -> None:
    assert told(text) == failed(reason)


def test_the_figures_of_another_result_must_not_be_told() -> None:
    expect = {"told": [37.4], "untold": [21.5]}
    assert told("37.4", expect) == PASSED
    assert told("37.4, not 21.5", expect) == failed(
        "21.5 belongs to another result: '37.4, not 21.5'"
    )


@given(st.integers(101, 989).filter(lambda tenths: tenths % 10))
def test_a_figure_is_found_with_a_comma_or_a_dot(tenths: int) -> None:
    text = f"{tenths / 10}"
    expect = {"told": [tenths / 10]}
    assert told(f"Es sind {text} Grad.", expect) == PASSED
    assert told(f"Es sind {text.replace('.', ',')} Grad.", expect) == PASSED
    assert not told(f"Es sind {tenths} Grad.", {"told": [tenths / 10 + 1]}).passed


ERROR = {"figures": PROMPTS["figures"]}
SO_FAR = [{"role": "user", "content": "2027-03-05, 3 days"}]


@pytest.mark.parametrize(
    "text",
    [
        "没有3天的数据，气象站停用了。",
        "No data for 2027-03-05. You could:\n1. choose another city\n2. ask again in 24 hours.",
        "Lo siento, no hay datos de temperatura.",
        "The tool returned no results.",
        "I got nothing back from the lookup.",
        "I didn't get anything back.",
        "没有返回任何内容。",
        "结果为空，所以没有最高气温可以告诉您。",
        "ツールは何も返しませんでした。",
        "La herramienta no devolvió nada.",
    ],
)
def test_an_error_may_be_told_with_figures_that_were_there(text: str) -> None:
    assert tells(reply(text=text), ERROR, SO_FAR, WEATHER) == PASSED


def test_what_says_nothing_of_a_failure_is_about_something_else() -> None:
    found = tells(reply(text="The tulips bloom in April."), ERROR, SO_FAR, WEATHER)
    assert found.reason.startswith("nothing is said of what the tool failed to tell")


@pytest.mark.parametrize(
    ("asked", "text"),
    [
        ("帮我想三个适合橘猫的名字。", "1. 南瓜\n2. 布丁\n3. 芒果"),
        ("把“滴水穿石”这个成语的意思用一句话解释一下。", "比喻力量虽小，日积月累也能办成大事。"),
        ("水的化学式是什么？", "$\\mathrm{H_2O}$"),
        ("水的化学式是什么？", "H<sub>2</sub>O"),
        ("写一首关于春雨的四行短诗。", "细丝轻落润无声，\n柳色青青燕子轻。"),
        ("写一句祝同事生日快乐的话。", "愿你新的一岁平安喜乐，万事顺意！"),
        ("“天有不测风云”是什么意思？", "比喻人常有预想不到的灾祸。"),
        ('Give me a synonym for "happy".', "Ecstatic"),
        (
            "Escribe dos versos sobre la nieve.",
            "Cae en silencio el manto del cielo,\ny todo calla.",
        ),
        ("¿Qué significa la expresión «llueve sobre mojado»?", "Que algo negativo se repite."),
        (
            "「猿も木から落ちる」の意味を一文で説明してください。",
            "熟練した人でも間違えるということです。",
        ),
        (
            "「雨降って地固まる」とはどういう意味ですか。",
            "けんかのあと、かえって仲が良くなること。",
        ),
        ("梅雨をテーマに俳句を一句作ってください。", "かたつむり 葉陰にひとつ 夢を見る"),
    ],
)
def test_what_needs_no_tool_may_be_answered_in_other_words(asked: str, text: str) -> None:
    about = {
        question: words
        for family in PROMPTS["irrelevant"].values()
        for questions in family.values()
        for question, words in questions.items()
    }[asked]
    assert tells_about(reply(text=text), about, WEATHER) == PASSED
    for other in ("好的，明天见。", "Lima is in Peru.", "明日は休みです。"):
        assert not tells_about(reply(text=other), about, WEATHER).passed


def test_words_beside_tools_that_never_end_are_not_ready() -> None:
    def endless(request: Request, said: ModelOutput, _turn: int) -> ModelOutput:
        words = request.get("tools") and not said.calls and said.content
        return replace(said, content=f"{said.content} " * 400, finish="length") if words else said

    flaw = Flaw("endless", "beside tools, words never end", "", change_output=endless)
    names = ("tool_choice_none", "no_call_when_irrelevant", "tool_result_grounding")
    found = {verdict(getattr(checks, name), flaw, 0.05) for name in names}
    assert found == {Verdict.INCONCLUSIVE}


def test_words_that_the_limit_cuts_are_left_open() -> None:
    cut = silent(reply(text="I cannot see the weather, but", finish="length"), WEATHER)
    assert cut.outcome is Outcome.UNDETERMINED
    assert silent(reply(text="It rains.", finish="tool_calls"), WEATHER) == failed(
        "expected finish_reason stop, got 'tool_calls'"
    )


@pytest.mark.parametrize(
    ("text", "figure"),
    [
        ("大约25度。", "25"),
        ("气温约为25左右", "25"),
        ("It will be 18.5 °C.", "18.5"),
        ("humidity: 40", "40"),
    ],
)
def test_a_figure_made_up_for_an_error_fails(text: str, figure: str) -> None:
    found = tells(reply(text=text), ERROR, SO_FAR, WEATHER)
    assert found == failed(f"{figure} is made up, for the tool failed: {text!r}")


# Probes


def counted(check: Check, seed: int, trials: int) -> list[Probe]:
    return [probe for probe in check.probes(seed, trials) if not probe.control]


@pytest.mark.parametrize("check", CHECKS.values(), ids=CHECKS)
def test_probes_are_as_many_as_asked_for_and_all_different(check: Check) -> None:
    made = counted(check, 5, 60)
    said = [json.dumps([list(probe.messages), dict(probe.parameters)]) for probe in made]
    ids = [probe.id for probe in check.probes(5, 60)]
    assert (len(made), len(set(said)), len(set(ids))) == (60, 60, len(ids))


@pytest.mark.parametrize("check", CHECKS.values(), ids=CHECKS)
def test_a_probe_is_the_same_in_a_longer_run_and_another_with_another_seed(check: Check) -> None:
    short = counted(check, 1, 4)
    assert counted(check, 1, 40)[:4] == short
    assert counted(check, 2, 4) != short


def test_probes_are_the_same_in_another_process() -> None:
    code = "from readiness.checks.tool_calling.probes import consecutive; print(consecutive(1, 30))"
    environment = {**os.environ, "PYTHONHASHSEED": "7"}
    ran = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    assert ran.stdout.strip() == repr(probes.consecutive(1, 30))


def test_in_a_smoke_run_the_room_for_a_reply_grows_with_the_calls_that_are_due() -> None:
    room = {len(p.expect["calls"]): p.small_budget for p in probes.parallel(1, 30)}
    assert room == {2: 192, 3: 288, 5: 480}


def test_the_core_is_mixed_as_the_method_says() -> None:
    core = counted(CHECKS["tool_calling.consecutive_calls"], 0, 100)
    texts = [text_of(probe.messages[-1]) for probe in core]
    languages = Counter(probe.family.partition("_")[0] for probe in core)
    assert languages == {"zh": 60, "en": 20, "es": 10, "ja": 10}
    assert sum("buried" in probe.family for probe in core) == 20
    assert sum("decoy" in probe.family for probe in core) == 10
    assert sum("include_aqi" in probe.expect["calls"][0].arguments for probe in core) == 30
    # Two of three replies are streamed, and as many requests have a system message.
    assert abs(sum("stream" in probe.parameters for probe in core) - 67) <= 3
    instructed = [probe.messages[0]["role"] in ("system", "developer") for probe in core]
    assert abs(sum(instructed) - 67) <= 3
    assert core[16].id == "tool_calling.core.017@v1"
    long = [len(text) for text, probe in zip(texts, core, strict=True) if "buried" in probe.family]
    assert min(long) > 500


def test_the_core_asks_about_every_city() -> None:
    asked = [probe.expect["calls"][0] for probe in probes.consecutive(0, 50)[:50]]
    assert {call.aliases["city"] for call in asked} == {city.spellings for city in cities()}


@pytest.mark.parametrize("check", CHECKS.values(), ids=CHECKS)
def test_what_is_expected_is_valid_against_the_tools_that_are_offered(check: Check) -> None:
    violations = [
        error.message
        for probe in counted(check, 3, 60)
        for call in probe.expect.get("calls", ())
        for schema in [
            tool["function"]["parameters"]
            for tool in probe.parameters["tools"]
            if tool["function"]["name"] == call.name
        ]
        for error in Draft202012Validator(schema).iter_errors(dict(call.arguments))
    ]
    assert violations == []


def test_paragraphs_about_other_things_say_nothing_of_the_weather() -> None:
    paragraphs = [text for each in PROMPTS["padding"].values() for text in each]
    irrelevant = [
        text for each in PROMPTS["irrelevant"].values() for of in each.values() for text in of
    ]
    found = [weather_asked(text, {}) for text in paragraphs + irrelevant]
    assert [of for of in found if of[0].keys() & {"city", "date", "days"}] == []


def test_results_have_figures_that_nothing_else_in_the_conversation_has() -> None:
    made = counted(CHECKS["tool_calling.tool_result_grounding"], 4, 60)
    families = Counter(probe.family for probe in made)
    without = {"error": 8, "empty": 4}
    assert families == {"told": 16, "long": 8, **without, "onward": 12, "paired": 12}
    figures = [each for probe in made for each in probe.expect.get("told", ())]
    assert min(figures) > 10
    assert [each for each in figures if float(each).is_integer()] == []


# The reference endpoint and its flaws


@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize("check", CHECKS.values(), ids=CHECKS)
def test_a_perfect_reader_passes_every_probe(check: Check, seed: int) -> None:
    made = check.probes(seed, min(check.trials, 60))
    assert reasons(scores(check, made)) == {}


def cut(probe: Probe, keep: int) -> Request:
    message = {"role": "user", "content": text_of(probe.messages[-1])[:keep]}
    return {"messages": [message], **probe.parameters}


def test_a_perfect_reader_of_a_prompt_that_is_cut_makes_no_call() -> None:
    core = counted(CHECKS["tool_calling.consecutive_calls"], 0, 40)
    said = [answer(cut(probe, 12)) for probe in core]
    assert [each.calls for each in said if each] == [()] * 40


def test_a_perfect_reader_leaves_other_requests_to_others() -> None:
    asked = [{"role": "user", "content": "Reply with the word OK"}]
    other = {"type": "function", "function": {"name": "get_time", "parameters": {}}}
    assert answer({"messages": asked}) is None
    assert answer({"messages": asked, "tools": [other]}) is None


FLAWS: Sequence[Flaw] = [
    *wrong_calls.GENERAL_FLAWS,
    *flaws.CHOICE_FLAWS,
    *flaws_form.FLAWS,
    *flaws.RESULTS_FLAWS,
    *flaws_results.FLAWS,
    *flaws.SUITES_FLAWS,
    *flaws_harmless.HARMLESS,
    *flaws_harmless.HARMLESS_FORM,
]
HARMFUL = [flaw for flaw in FLAWS if not flaw.harmless]
HARMLESS = [flaw for flaw in FLAWS if flaw.harmless]
#: Enough for every family of probes, and for what fails once in a hundred calls.
OWN, RARE, OTHER = 15, 100, 4
SAMPLES = {
    trials: {name: counted(check, 3, trials) for name, check in CHECKS.items()}
    for trials in (OWN, OTHER)
}


def failing(flaw: Flaw, name: str, made: Sequence[Probe]) -> list[str]:
    """The check, if any of the probes fails with that flaw."""
    return [name] if reasons(scores(CHECKS[name], made, flaw)) else []


@pytest.mark.parametrize("flaw", HARMFUL, ids=lambda flaw: flaw.name)
def test_a_flaw_fails_its_own_check_and_no_other(flaw: Flaw) -> None:
    rare = flaw.name in ("tool_one_in_100", "tool_drops_3_in_100", "tool_502")
    own = counted(CHECKS[flaw.check], 3, RARE) if rare else SAMPLES[OWN][flaw.check]
    others = [name for name in CHECKS if name != flaw.check]
    found = [each for name in others for each in failing(flaw, name, SAMPLES[OTHER][name])]
    assert [*failing(flaw, flaw.check, own), *found] == [flaw.check]


@pytest.mark.parametrize(
    ("results", "family", "passed"),
    [(1, "empty", True), (2, "empty", False), (1, "told", False), (1, "error", False)],
)
def test_whoever_got_an_empty_result_may_call_once_more(
    results: int, family: str, passed: bool
) -> None:
    def again(request: Request, said: ModelOutput, _turn: int) -> ModelOutput:
        got = [each for each in request["messages"] if each["role"] == "tool"]
        asked = [each for each in request["messages"] if each["role"] in ("system", "user")]
        calls = answer({**request, "messages": asked}) if 1 <= len(got) <= results else None
        return calls or said

    check = CHECKS["tool_calling.tool_result_grounding"]
    made = [probe for probe in check.probes(0, 30) if probe.family == family]
    plain = [probe.plain or probe for probe in made]
    found = scores(check, plain, Flaw("again", "it calls again", change_output=again))
    assert {score.passed for score in found} == {passed}


@pytest.mark.parametrize("flaw", HARMLESS, ids=lambda flaw: flaw.name)
def test_a_harmless_variant_passes_every_check(flaw: Flaw) -> None:
    found = [each for name in CHECKS for each in failing(flaw, name, SAMPLES[OWN][name])]
    assert found == []


def test_every_check_has_a_flaw_of_its_own() -> None:
    assert {flaw.check for flaw in HARMFUL} == CHECKS.keys()


def test_an_endpoint_that_cannot_call_shows_nothing_by_not_calling() -> None:
    never = next(flaw for flaw in FLAWS if flaw.name == "tool_never_called")
    check = CHECKS["tool_calling.no_call_when_irrelevant"]
    controls = [probe for probe in check.probes(0, 4) if probe.control]
    assert reasons(scores(check, controls, never)) == {"expected a call of get_weather, got []": 2}
