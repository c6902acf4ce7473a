"""The scorers of the dimension `api`: exact reasons, and properties for any input."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from readiness.checks.api import scoring_models, scoring_replies, scoring_streams
from readiness.checks.api.probes import PROMPTS, fitting, with_code_words
from readiness.exchange import Arrival, Exchange, Fault
from readiness.protocol.completion import read
from readiness.reply import Reply
from readiness.score import PASSED, EndpointError, Outcome, Score, failed
from readiness.scoring import rejection
from tests.exchanges import JSON, answered, came, chunk, framed, said, streamed

COUNTS = {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7}
JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
)


def reply(content: str = "Hello", finish: str = "stop", tokens: int = 0, prompt: int = 9) -> Reply:
    usage = {"prompt_tokens": prompt, "completion_tokens": tokens, "total_tokens": prompt + tokens}
    return read(answered({**said(content, finish), "usage": usage}))


def error(body: Any, status: int = 400, kind: str = JSON) -> Exchange:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return came(raw, {"messages": []}, kind, status)


def timed(exchange: Exchange, end: float, *at: float) -> Exchange:
    """The exchange with its body arriving in equal parts at those seconds."""
    size = len(exchange.body)
    arrivals = tuple(
        Arrival(int(each * 1e9), size * place // len(at)) for place, each in enumerate(at, 1)
    )
    return Exchange(
        exchange.request,
        200,
        exchange.headers,
        exchange.body,
        arrivals,
        None,
        "",
        0,
        int(end * 1e9),
    )


# Rejections


def test_a_rejection_is_a_prompt_4xx() -> None:
    late = Exchange({}, 400, {}, b"", (), None, "", 0.0, int(61e9))
    assert rejection.refused(came(b"{}", {}, status=422)) == failed(
        "took 1000 s, and a hang is anything above 60 s"
    )
    assert rejection.refused(late) == failed("took 61 s, and a hang is anything above 60 s")


@pytest.mark.parametrize("status", [200, 204, 302, 401, 404, 429, 500, 503])
def test_another_status_is_no_rejection(status: int) -> None:
    score = rejection.refused(error({"error": "x"}, status))
    assert score == failed(
        "expected HTTP 400 or 413 or 415 or 422 or 431 for POST /chat/completions "
        f"""{{"messages": []}}, got HTTP {status} with '{{"error": "x"}}'"""
    )


def test_a_lost_connection_is_an_endpoint_error_and_a_refused_one_is_skipped() -> None:
    lost = [came(b"", {}, fault=fault) for fault in (Fault.RESET, Fault.UNREACHABLE)]
    assert [rejection.survived(each) for each in lost] == [
        Score(Outcome.ENDPOINT_ERROR, "connection lost: because"),
        Score(Outcome.SKIPPED, "unreachable: because"),
    ]


@pytest.mark.parametrize(
    "body",
    [
        {"error": {"message": "no", "type": "invalid_request_error", "code": 400}},
        {"object": "error", "message": "no", "type": "BadRequestError", "code": 400},
        {"error": "no", "error_type": "validation"},
        {"detail": "no"},
        {"detail": [{"type": "missing", "loc": ["body", "messages"], "msg": "no"}]},
    ],
)
def test_an_error_may_have_any_shape_of_real_servers(body: Any) -> None:
    assert rejection.tells(error(body)) == PASSED


@pytest.mark.parametrize(
    ("exchange", "reason"),
    [
        (
            error(b"Internal Server Error", 500, "text/plain"),
            "the error is labelled 'text/plain', not application/json: "
            "HTTP 500 with 'Internal Server Error'",
        ),
        (error(b"oops"), "the error is no JSON object: HTTP 400 with 'oops'"),
        (error({}), "the error has no message: HTTP 400 with '{}'"),
        (error({"error": {}}), """the error has no message: HTTP 400 with '{"error": {}}'"""),
        (
            error({"choices": []}, 200),
            """no error for POST /chat/completions {"messages": []}: """
            """HTTP 200 with '{"choices": []}'""",
        ),
    ],
)
def test_an_error_without_a_json_message_quotes_the_response(
    exchange: Exchange, reason: str
) -> None:
    assert rejection.tells(exchange) == failed(reason)


def test_openais_error_shape_has_a_string_as_code() -> None:
    right = {"message": "no", "type": "t", "param": None, "code": None}
    wrong = {"message": "no", "type": "t", "code": 400}
    assert rejection.tells_like_openai(error({"error": right})) == PASSED
    assert rejection.tells_like_openai(error({"error": wrong})) == failed(
        "error.param is missing; error.code is 400"
    )


@given(JUNK, st.integers(200, 599))
def test_any_error_body_can_be_scored(body: Any, status: int) -> None:
    scored = [
        score(error(body, status))
        for score in (rejection.tells, rejection.tells_like_openai, rejection.refused)
    ]
    assert [each for each in scored if not each.passed and not each.reason] == []


# Shapes


@given(JUNK)
def test_any_usage_can_be_scored(usage: Any) -> None:
    score = scoring_replies.score_usage(usage)
    assert score.passed or score.reason.startswith("usage")


@given(st.integers(1, 10**6), st.integers(1, 10**6), st.integers(0, 10**7))
def test_usage_passes_if_its_counts_add_up(prompt: int, completion: int, total: int) -> None:
    usage = {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": total}
    assert scoring_replies.score_usage(usage).passed is (prompt + completion == total)


def test_a_boolean_is_no_token_count() -> None:
    assert scoring_replies.score_usage({**COUNTS, "prompt_tokens": True}).passed is False


@given(JUNK)
def test_any_model_list_can_be_scored(listed: Any) -> None:
    exchange = came(json.dumps(listed).encode(), None)
    outcomes = []
    for score in (scoring_models.score_list, scoring_models.score_metadata):
        try:
            outcomes.append(score(exchange).outcome)
        except EndpointError as raised:
            outcomes.append(raised.score.outcome)
    assert set(outcomes) <= {Outcome.PASS, Outcome.FAIL, Outcome.ENDPOINT_ERROR}


def test_missing_and_null_fields_are_named() -> None:
    document = {**said(annotations=None), "system_fingerprint": None, "usage": None}
    assert scoring_replies.score_all_fields(document) == failed(
        "missing: choices[0].message.refusal, choices[0].logprobs"
    )
    assert scoring_replies.score_no_nulls(document) == failed(
        "null: system_fingerprint, usage, choices[0].message.annotations"
    )


def test_created_may_be_a_day_off() -> None:
    now = 1_795_000_000.0
    assert scoring_replies.score_created(1_795_086_400, now) == PASSED
    assert scoring_replies.score_created(1_751_200_001, now) == failed(
        "created is 507 days off: 1751200001"
    )


# Streams


times = scoring_streams.StreamTimes.of
WORD = streamed(chunk(role="assistant"), chunk(content="OK"), chunk(finish="stop"))
PIECES = [chunk(role="assistant"), *[chunk(content="a")] * 8, chunk(finish="stop")]


@pytest.mark.parametrize(
    ("first", "end", "at", "reason"),
    [
        (0.1, 1.0, (0.2, 0.5, 0.9), ""),
        (0.1, 1.0, (0.9, 0.95, 0.99), "89% of 0.90 s of generation passed before the first token"),
        (0.1, 1.0, (0.9,), "the whole stream arrived at 1 point in time"),
        # Far away or queued: a stream of one word takes as long to begin.
        (0.85, 1.0, (0.87, 0.9, 0.99), ""),
        (
            0.85,
            1.0,
            (0.98, 0.985, 0.99),
            "87% of 0.15 s of generation passed before the first token",
        ),
        # A wait that a stream of one word has too is no buffering.
        (0.6, 1.0, (0.5, 0.7, 0.99), ""),
    ],
)
def test_a_stream_that_arrives_at_its_end_was_buffered(
    first: float, end: float, at: Sequence[float], reason: str
) -> None:
    due = failed(reason) if reason else PASSED
    # The first includes a cold start.
    words = [times(timed(WORD, each + 0.01, each, each)) for each in (3.0, first)]
    assert scoring_streams.score_incremental(timed(streamed(*PIECES), end, *at), words) == due


@pytest.mark.parametrize(
    ("text", "outcome"),
    [
        ("é 你好 🦑", Outcome.PASS),
        ("Sure: é 你好 🦑!", Outcome.PASS),
        ("It says 你好", Outcome.PASS),
        ("Ã© ä½\xa0å¥½", Outcome.FAIL),
        ("é 你好", Outcome.FAIL),
        ("\ufffd 你好 \ufffd.", Outcome.FAIL),
        ("I cannot do that", Outcome.UNDETERMINED),
        ("", Outcome.UNDETERMINED),
    ],
)
def test_damaged_characters_are_distinguished_from_another_text(
    text: str, outcome: Outcome
) -> None:
    assert scoring_streams.score_intact(reply(text), "é 你好 🦑").outcome is outcome


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40))
def test_an_echoed_text_is_never_damaged(text: str) -> None:
    if "\ufffd" not in text:
        assert scoring_streams.score_intact(reply(f"{text} ok"), text).outcome is Outcome.PASS


def test_usage_belongs_in_a_final_chunk_without_choices() -> None:
    last = {"choices": [], "usage": COUNTS}
    beside = {**chunk(finish="stop"), "usage": COUNTS}
    assert scoring_streams.score_usage_in_last_chunk([chunk(content="a"), last]) == PASSED
    assert scoring_streams.score_usage_in_last_chunk([chunk(content="a"), beside]).passed is False
    assert scoring_streams.score_usage_in_last_chunk([last, last]) == failed(
        "usage in 2 of 2 chunks, at [0, 1]"
    )


@pytest.mark.parametrize(
    ("usages", "score"),
    [
        ([None, COUNTS], PASSED),
        ([COUNTS, COUNTS], PASSED),
        ([None, None], failed("usage was requested, and none was sent")),
        ([COUNTS, None], failed("usage is in chunk 0, and the last of 2 has none")),
        ([None, {**COUNTS, "total_tokens": 1}], failed("3 + 4 is not 1")),
    ],
)
def test_a_stream_ends_with_the_usage_that_the_sdks_helper_reads(
    usages: list[dict[str, int] | None], score: Score
) -> None:
    sent = [{**chunk(content="a" * 60), "usage": usage} for usage in usages]
    assert scoring_streams.score_usage_in_stream(sent) == score


def test_usage_of_the_last_chunk_alone_is_implausible_for_the_text() -> None:
    sent = [chunk(content="word " * 12) for _ in range(3)]
    last = {"choices": [], "usage": COUNTS}
    assert scoring_streams.score_usage_in_stream([*sent, last]) == failed(
        "4 completion tokens for a text of 180 letters"
    )


# Replies


def test_a_token_limit_is_kept_and_reported() -> None:
    assert scoring_replies.score_token_limit(reply("1, 2", "length", 8), 8) == PASSED
    assert scoring_replies.score_token_limit(reply("1, 2", "length", 9), 8) == failed(
        "9 tokens, with a limit of 8: '1, 2'"
    )
    assert scoring_replies.score_token_limit(reply("1, 2", "stop", 8), 8) == failed(
        "finish_reason is 'stop', not 'length', after '1, 2'"
    )


@pytest.mark.parametrize("text", ["1 to 60", "I can't do that.", "1, …, 60"])
def test_a_reply_that_ends_by_itself_before_its_limit_shows_nothing_of_it(text: str) -> None:
    found = scoring_replies.score_token_limit(reply(text, "stop", 6), 8)
    assert found.outcome is Outcome.UNDETERMINED


def test_a_reply_that_is_cut_below_its_limit_fails_unless_the_window_may_be_full() -> None:
    score = scoring_replies.score_token_limit
    assert score(reply("1, 2,", "length", 4), 8) == failed("'length' after 4 of 8 tokens: '1, 2,'")
    # Some do not count the last token, and the smallest of windows has room for 2,048.
    assert score(reply("1, 2,", "length", 7), 8) == PASSED
    assert score(reply("1, 2,", "length", 1_024, prompt=900), 1_536) == PASSED


@pytest.mark.parametrize(
    ("finish", "tokens", "message", "outcome"),
    [
        ("length", 1_536, {}, Outcome.PASS),
        ("length", 1_024, {}, Outcome.FAIL),
        ("length", 1_700, {}, Outcome.FAIL),
        ("stop", 1_024, {}, Outcome.UNDETERMINED),
        ("stop", 1_536, {}, Outcome.FAIL),
        # Reasoning that is not counted is estimated.
        ("length", 936, {"reasoning": "They want a list."}, Outcome.UNDETERMINED),
        ("length", 936, {"reasoning": "They want a list. " * 120}, Outcome.PASS),
    ],
)
def test_a_large_limit_is_shown_by_a_reply_that_comes_to_it(
    finish: str, tokens: int, message: dict[str, str], outcome: Outcome
) -> None:
    usage = {"prompt_tokens": 9, "completion_tokens": tokens, "total_tokens": 9 + tokens}
    found = answered({**said("1, 2", finish, **message), "usage": usage})
    assert scoring_replies.score_large_limit(found, 1_536).outcome is outcome


@pytest.mark.parametrize(
    ("spoken", "reasoned", "outcome"),
    [(1_536, 600, Outcome.PASS), (936, 600, Outcome.PASS), (512, 512, Outcome.FAIL)],
)
def test_reasoning_takes_of_a_limit_be_it_counted_in_the_reply_or_beside_it(
    spoken: int, reasoned: int, outcome: Outcome
) -> None:
    usage = {
        **{"prompt_tokens": 9, "completion_tokens": spoken, "total_tokens": 9 + spoken},
        "completion_tokens_details": {"reasoning_tokens": reasoned},
    }
    found = answered({**said("1, 2", "length", reasoning="They want a list."), "usage": usage})
    assert scoring_replies.score_large_limit(found, 1_536).outcome is outcome


def test_without_counts_a_reply_has_no_more_tokens_than_bytes() -> None:
    short, long = (answered(said(text, "length")) for text in ("1, 2", "1, 2, " * 300))
    assert scoring_replies.score_large_limit(short, 1_536).outcome is Outcome.FAIL
    assert scoring_replies.score_large_limit(long, 1_536) == PASSED


def test_a_large_limit_may_be_declined_with_words_and_an_endpoint_may_not_fail_at_it() -> None:
    said_no = error({"error": {"message": "at most 1024 completion tokens"}})
    assert scoring_replies.score_large_limit(said_no, 1_536) == PASSED
    assert scoring_replies.score_large_limit(error({}), 1_536).outcome is Outcome.FAIL
    with pytest.raises(EndpointError):
        scoring_replies.score_large_limit(error({}, 500), 1_536)


def test_a_reply_ends_before_a_stop_sequence() -> None:
    assert scoring_replies.score_stop(reply("1, 2, 3, 4, "), "4", ["5"]) == PASSED
    assert scoring_replies.score_stop(reply("1, 2, 3, 4, 5"), "4", ["5"]) == failed(
        "the text contains '5': '1, 2, 3, 4, 5'"
    )
    assert scoring_replies.score_stop(reply("1, 2, 3, 4, ", "length"), "4", ["5"]) == failed(
        "finish_reason is 'length', not 'stop'"
    )


@pytest.mark.parametrize("text", ["1, 2, 3, 4, ", "1\n2\n3\n4\n", "- 3\n- 4\n- ", "1、2、3、4、"])
def test_a_list_ends_before_a_stop_sequence_in_any_form(text: str) -> None:
    assert scoring_replies.score_stop(reply(text), "4", ["5"]) == PASSED


@pytest.mark.parametrize(
    "text", ["Sure", "7. 7\n8. 8\n9. 9\n10. 10", "6, 7\n8. 8\n9. 18", "1,2,3,4,5,6,7,8,9,10", "17"]
)
@pytest.mark.parametrize("finish", ["stop", "length"])
def test_a_text_that_never_meets_a_stop_sequence_shows_nothing(text: str, finish: str) -> None:
    found = scoring_replies.score_stop(reply(text, finish), "7", ["8, 9"])
    assert found.outcome is Outcome.UNDETERMINED


@pytest.mark.parametrize("text", ["6, 7, 8", "6, 7, 8, "])
def test_a_text_does_not_keep_the_start_of_a_stop_sequence(text: str) -> None:
    found = scoring_replies.score_stop(reply(text), "7", ["8, 9"])
    assert found.reason.startswith("the text contains the start of '8, 9'")


@pytest.mark.parametrize(
    ("text", "outcome"),
    [
        ("1, 2, 3, 4, ", Outcome.PASS),
        ("1, 2, 3, 4,", Outcome.FAIL),
        ("1,2,3,4,", Outcome.UNDETERMINED),
        ("One, two", Outcome.UNDETERMINED),
    ],
)
def test_a_lost_space_is_distinguished_from_one_never_written(text: str, outcome: Outcome) -> None:
    assert scoring_replies.score_trailing_space(reply(text), "4,").outcome is outcome


def test_a_default_system_message_of_the_template_is_no_lost_text() -> None:
    """Qwen2.5's has 21 tokens, and stands in prompts without a system message alone."""
    lost = scoring_replies.score_words(reply("I do not know"), ["amber-417"])
    default = scoring_replies.default_system_tokens(reply(prompt=31), reply(prompt=16))
    found = [
        scoring_replies.rescore_by_prompt_tokens(
            lost, reply(prompt=tokens), reply(prompt=104), default
        ).outcome
        for tokens in (83, 35)
    ]
    assert (default, *found) == (23, Outcome.UNDETERMINED, Outcome.FAIL)
    assert scoring_replies.default_system_tokens(reply(prompt=10), reply(prompt=16)) == 0
    assert scoring_replies.default_system_tokens(reply(prompt=31), lost) == 0


def test_lost_text_is_distinguished_from_what_is_beyond_the_model() -> None:
    lost = scoring_replies.score_words(reply("I do not know"), ["amber-417"])
    assert lost == failed("no 'amber-417' in 'I do not know'")
    assert scoring_replies.rescore_by_prompt_tokens(
        lost, reply(prompt=20), reply(prompt=40)
    ) == failed(f"{lost.reason}; the prompt had 20 tokens, in its plain form 40")
    assert scoring_replies.rescore_by_prompt_tokens(
        lost, reply(prompt=40), reply(prompt=40)
    ).outcome is (Outcome.UNDETERMINED)
    assert scoring_replies.rescore_by_growth(
        lost, reply(prompt=2_000), reply(prompt=1_990)
    ) == failed(f"{lost.reason}; 2000 tokens were read, and 1990 of half the message")
    assert scoring_replies.rescore_by_growth(
        lost, reply(prompt=4_000), reply(prompt=2_010)
    ).outcome is (Outcome.UNDETERMINED)
    # Thirty pairs of short messages and fifteen, with what a template and a server put before them.
    assert scoring_replies.rescore_by_growth(
        lost, reply(prompt=700), reply(prompt=430)
    ).outcome is (Outcome.UNDETERMINED)
    assert (
        scoring_replies.rescore_by_plain_form(lost, reply("Amber-417."), ["amber-417"]).passed
        is False
    )


@pytest.mark.parametrize(
    ("said", "passed"),
    [
        ("easel-487", True),
        ("The code word is Easel.", True),
        ("easel 487", True),
        ("It is 487.", True),
        ("I do not know any code word.", False),
        ("ease", False),
        ("", False),
    ],
)
def test_a_part_of_a_code_word_shows_that_it_was_read(said: str, passed: bool) -> None:
    assert scoring_replies.score_parts(reply(said), ["easel-487"]).passed is passed


def test_a_word_that_is_lost_is_found_in_the_plain_form_or_beyond_the_model() -> None:
    lost = scoring_replies.score_parts(reply("none"), ["easel-487"])
    rescored = [
        scoring_replies.rescore_by_plain_form(lost, reply(said), ["easel-487"]).outcome
        for said in ("easel", "none")
    ]
    assert rescored == [Outcome.FAIL, Outcome.UNDETERMINED]


def texts(messages: object) -> str:
    return json.dumps(messages, ensure_ascii=False)


def test_no_control_is_the_text_of_another_probe() -> None:
    entries = [each for of in PROMPTS.values() if isinstance(of, list) for each in of]
    probes = [each for each in entries if isinstance(each, dict)]
    plain = [texts(each["expect"]["plain"]) for each in probes if "plain" in each.get("expect", {})]
    sent = {texts(each.get("messages")) for each in probes}
    sent |= {texts(each) for each in entries if isinstance(each, list)}
    assert len(plain) >= 6
    assert (len(plain), sent & {*plain}) == (len({*plain}), set())


def test_another_requests_code_fails_and_none_is_undetermined() -> None:
    code, others = "amber-417", ["badge-212"]
    assert scoring_replies.score_own_code("The word is Amber-417.", code, others) == PASSED
    assert scoring_replies.score_own_code("amber\u2011417", code, others) == PASSED
    assert scoring_replies.score_own_code("amber-417 badge-212", code, others) == failed(
        "'badge-212' is another request's code, this one's is 'amber-417': 'amber-417 badge-212'"
    )
    assert scoring_replies.score_own_code("Hello", code, others).outcome is Outcome.UNDETERMINED


def listed(text: str, *tops: float, value: float = -0.1, **others: Any) -> dict[str, Any]:
    """A token with its logprob and with those of its alternatives, itself the first."""
    own = {"token": text, "logprob": value, "bytes": list(text.encode())}
    given = [{"token": f" {at}", "logprob": each, "bytes": [32]} for at, each in enumerate(tops)]
    return {**own, "top_logprobs": [own, *given], **others}


TEXT = "a b c d e f g h"
LETTERS = [TEXT[at : at + 2].rstrip() if at == 14 else TEXT[at : at + 2] for at in range(0, 15, 2)]
TOKENS = [listed(each, -3.0) for each in LETTERS]


def said_of(*last: dict[str, Any], text: str = TEXT, tokens: int = 8) -> str:
    """What is said of the logprobs of a text, of which the last ones are others."""
    found = [*TOKENS[: 8 - len(last)], *last]
    return scoring_replies.score_logprobs(found, reply(text, tokens=tokens), 2).reason


def test_logprobs_make_up_the_text_in_tokens_and_bytes() -> None:
    cut = said_of(listed("h", -3.0), text="a b")
    assert (said_of(), said_of(listed("<end>"), text=TEXT[:14])) == ("", "")
    assert cut == f"the tokens are {TEXT!r}, the text is 'a b'"
    half = [listed("\ufffd", bytes=[each]) for each in "é".encode()]
    assert said_of(*half, text="a b c d e f é") == ""
    assert said_of(listed("h", bytes=None)) == ""
    wrong = [listed("h", bytes=each) for each in ([232], [300], "h", [0x68, 0x68])]
    bytes_ = ["a b c d e f g \ufffd", "a b c d e f g \ufffd", "a b c d e f g \ufffd", f"{TEXT}h"]
    assert [said_of(each) for each in wrong] == [
        f"the bytes are those of {each!r}, the text is {TEXT!r}" for each in bytes_
    ]


def test_logprobs_have_the_likeliest_alternatives_in_their_order() -> None:
    own, first, second = [
        {"token": token, "logprob": value} for token, value in (("h", -0.1), (" 1", -2), (" 2", -3))
    ]
    rare = {"token": "h", "logprob": -4.0}
    tops: list[tuple[Any, str]] = [
        ([own, first], ""),
        ([first, own], ""),
        ([own], ""),
        ([own, first, second], "3 alternatives, asked for 2"),
        ([], "0 alternatives, asked for 2"),
        (None, "0 alternatives, asked for 2"),
        ([first, second], "'h' is likelier than its alternatives"),
        (["h", first], "a logprob is 'h'"),
        ([{"token": "h", "logprob": 0.5}], "a logprob is 0.5"),
    ]
    found = [said_of(listed("h", top_logprobs=each)) for each, _ in tops]
    assert found == [reason for _, reason in tops]
    outside = [[first, second], [rare, first, second], [first, second, rare], [second, first]]
    assert [said_of(listed("h", value=-4.0, top_logprobs=each)) for each in outside] == [
        *["", "", ""],
        "the alternatives are not sorted: [-3, -2]",
    ]


def test_logprobs_are_of_about_as_many_tokens_as_are_counted() -> None:
    assert said_of(tokens=4) == ""
    assert said_of(tokens=3) == "logprobs of 8 tokens: 3 are counted"
    one = scoring_replies.score_logprobs([listed(TEXT)], reply(TEXT, tokens=8), 2)
    assert one.reason == "logprobs of 1 tokens: 15 characters"
    few = scoring_replies.score_logprobs(TOKENS[:2], reply("a b", tokens=2), 2)
    assert (few.outcome, few.kind) == (Outcome.UNDETERMINED, "too short to tell")
    assert scoring_replies.score_logprobs([], reply("Daisy"), 2).reason == "no logprobs.content"


@given(st.lists(JUNK | st.fixed_dictionaries({"logprob": JUNK, "top_logprobs": JUNK})))
def test_logprobs_that_are_anything_get_a_score(found: list[Any]) -> None:
    score = scoring_replies.score_logprobs(found, reply(TEXT), 2)
    assert score.outcome is Outcome.FAIL


@pytest.mark.parametrize("given_", [True, "text", [TOKENS], {}, {"content": 3}, {"content": "ab"}])
def test_what_is_no_list_of_logprobs_has_none(given_: Any) -> None:
    choice = {**said()["choices"][0], "logprobs": given_}
    assert scoring_streams.logprobs(answered({**said(), "choices": [choice]})) == []


def test_logprobs_of_a_stream_are_those_of_a_whole_reply() -> None:
    near = [listed(each, value=-0.3) for each in LETTERS]
    far = [listed(each, value=-2.0) for each in LETTERS]
    assert scoring_replies.score_same_logprobs(TOKENS, near) == PASSED
    assert scoring_replies.score_same_logprobs(TOKENS, far).reason == (
        "the same tokens have other probabilities in a stream: 0.77 on average"
    )
    joined = [*near[:4], listed("".join(LETTERS[4:]))]
    assert scoring_replies.score_same_logprobs(TOKENS, joined).reason == (
        "logprobs of the same text are of other tokens in a stream: 8 whole, 5 streamed"
    )
    ended = [*near, listed(""), listed("")]
    assert scoring_replies.score_same_logprobs(TOKENS, ended) == PASSED
    other = [*far[:5], listed("x"), *far[6:]]
    assert scoring_replies.score_same_logprobs(TOKENS, other).outcome is Outcome.UNDETERMINED


def test_usage_counts_the_tokens_of_all_choices() -> None:
    cut = [{"finish_reason": "length"}, {"finish_reason": "length"}]
    both = {"choices": cut, "usage": {"completion_tokens": 16}}
    one = {"choices": cut, "usage": {"completion_tokens": 8}}
    assert scoring_replies.score_usage_of_choices(both, 8) == PASSED
    assert scoring_replies.score_usage_of_choices(one, 8) == failed("8 tokens for two choices of 8")


# Access


def test_a_request_without_the_key_must_be_rejected() -> None:
    keyed = Exchange({}, 200, {}, b"{}", (), None, "", 0.0, 1, keyed=True)
    keyless = Exchange({}, 200, {}, b"{}", (), None, "", 0.0, 1)
    refused = Exchange({}, 401, {}, b"{}", (), None, "", 0.0, 1)
    crashed = Exchange({}, 500, {}, b"Internal Server Error", (), None, "", 0.0, 1)
    assert scoring_models.score_key_required(keyless, refused).outcome is Outcome.UNSUPPORTED
    assert scoring_models.score_key_required(keyed, refused) == PASSED
    assert scoring_models.score_key_required(keyed, keyless) == failed(
        "HTTP 200 without the key: b'{}'"
    )
    assert scoring_models.score_key_required(keyed, crashed).reason == (
        "expected HTTP 401 or 403 for POST /chat/completions {}, "
        "got HTTP 500 with 'Internal Server Error'"
    )


@pytest.mark.parametrize("declared", [None, 1_000_000])
def test_an_unknown_or_very_long_window_is_not_exceeded(declared: int | None) -> None:
    with pytest.raises(EndpointError) as raised:
        scoring_models.window_to_exceed(declared)
    assert raised.value.score.outcome is Outcome.UNSUPPORTED


@pytest.mark.parametrize(("room", "size"), [(None, 20_000), (100_000, 20_000), (2_000, 4_000)])
def test_a_long_message_keeps_to_the_window(room: int | None, size: int) -> None:
    (probe,) = with_code_words("long_message_read")(0, 1)
    short = fitting(probe, room)
    long, half = (len(each[0]["content"]) for each in (short.messages, short.expect["half"]))
    assert (abs(long - size) < 300, abs(half - size // 2) < 300) == (True, True)
    assert all(word in short.messages[0]["content"] for word in short.expect["words"])


@pytest.mark.parametrize(("room", "size"), [(None, 40_000), (100_000, 40_000), (2_000, 4_000)])
def test_a_long_system_message_keeps_to_the_window(room: int | None, size: int) -> None:
    probe = with_code_words("long_system_message_read")(0, 2)[1]
    short = fitting(probe, room)
    system, plain = (each[0]["content"] for each in (short.messages, short.expect["plain"]))
    assert abs(len(system) - size) < 500
    assert 0 < len(plain) - len(system) < 200
    assert all(word in text for word in probe.expect["words"] for text in (system, plain))


@pytest.mark.parametrize(("end", "at"), [(0.05, (0.047, 0.048, 0.049)), (0.35, (0.34,))])
def test_a_stream_that_is_short_shows_nothing(end: float, at: Sequence[float]) -> None:
    words = [times(timed(WORD, end - 0.02, end - 0.03, end - 0.03))]
    found = scoring_streams.score_incremental(timed(streamed(*PIECES), end, *at), words)
    assert (found.outcome, found.kind) == (Outcome.UNDETERMINED, "too short to tell")


@pytest.mark.parametrize(
    ("whole", "half", "outcome"),
    [
        ((2.0, 2000), (1.0, 1000), Outcome.FAIL),
        ((2.2, 2000), (1.3, 1000), Outcome.FAIL),
        ((2.0, 2000), (2.0, 1000), Outcome.UNDETERMINED),  # A stall.
        ((2.4, 2000), (2.0, 1000), Outcome.UNDETERMINED),
        ((2.0, 2000), (1.0, 1900), Outcome.UNDETERMINED),  # The same text, and another stall.
        ((0.09, 2000), (0.02, 1000), Outcome.UNDETERMINED),  # Too soon to tell.
    ],
)
def test_what_is_kept_back_waits_for_longer_where_there_is_more(
    whole: tuple[float, int], half: tuple[float, int], outcome: Outcome
) -> None:
    words = [times(timed(WORD, 0.1, 0.05, 0.05))]
    late = [
        timed(streamed(*[chunk(content="w ")] * of, chunk("stop")), 0.06 + at, 0.05 + at)
        for at, of in (whole, half)
    ]
    assert scoring_streams.score_buffered(late[0], late[1], words).outcome is outcome


def in_blocks(*ends: int, frames: int = 200, every: float = 1.0, late: float = 0.0) -> str:
    """How a stream of that many frames is scored whose body grows to these sizes, one each so many
    seconds, read so many seconds late.
    """
    long = streamed(*(chunk(content="word ") for _ in range(frames)), chunk("stop"))
    sizes = [*ends, len(long.body)]
    arrivals = tuple(Arrival(int(at * every * 1e9), size) for at, size in enumerate(sizes, 1))
    exchange = replace(long, arrivals=arrivals, end=arrivals[-1].ns, late=int(late * 1e9))
    return scoring_streams.score_incremental(exchange, [times(timed(WORD, 0.2, 0.1, 0.1))]).reason


FRAME = len(framed(chunk(content="word "), end=b""))


@pytest.mark.parametrize(
    ("ends", "block"),
    [
        ([4096, 8192, 12288, 16384, 20480], 4096),
        ([4000, 8096, 12192, 20384, 24480], 4096),
        ([*range(2048, 9000, 2048), 9000, *range(10_240, 22_000, 2048)], 2048),
        ([4096, 8192, 12288], 0),
        ([700, 2900, 3800, 9000, 13000, 20000], 0),
        ([FRAME * at for at in range(5, 100, 5)], 0),
        ([FRAME * at + 6 for at in range(1, 100)], 0),
    ],
)
def test_a_proxy_that_buffers_is_known_by_its_blocks(ends: Sequence[int], block: int) -> None:
    due = f"it arrives in blocks of {block:,} bytes that end inside a frame" if block else ""
    assert in_blocks(*ends) == due


@pytest.mark.parametrize("late", [0.0, 0.06, 2.0])
def test_a_reader_that_is_late_makes_no_blocks_of_one_size(late: float) -> None:
    ends = range(4096, 24_000, 4096)
    due = "it arrives in blocks of 4,096 bytes that end inside a frame"
    assert in_blocks(*ends, every=0.003, late=late) == due


def test_what_one_read_takes_at_most_is_no_block() -> None:
    size = 2**18
    ends = range(size, 5 * size, size)
    assert not in_blocks(*ends, frames=6 * size // FRAME)
    assert in_blocks(*(end // 2 for end in ends), frames=6 * size // FRAME)


@pytest.mark.parametrize(
    ("free", "due", "found"),
    [
        (streamed(*[chunk(content="a")] * 40, chunk("length")), 40, PASSED),
        (streamed(chunk(content="a" * 320), chunk("stop")), 40, PASSED),
        (
            streamed(*[chunk(content="a")] * 39, chunk("length")),
            40,
            failed("without a limit, it ends by its length after 39 tokens"),
        ),
        (
            streamed(*[chunk(content="a")] * 3, chunk("stop")),
            40,
            Score(Outcome.UNDETERMINED, "the model does not write 40 tokens: 'aaa'"),
        ),
        (
            replace(streamed(*[chunk(content="a")] * 3), fault=Fault.CLIENT_ABORTED),
            40,
            Score(Outcome.UNDETERMINED, "too slow to tell: 3 tokens of 40"),
        ),
        (replace(streamed(*[chunk(content="a")] * 40), fault=Fault.CLIENT_ABORTED), 40, PASSED),
        (
            replace(streamed(*[chunk(role="assistant")] * 40), fault=Fault.CLIENT_ABORTED),
            40,
            Score(Outcome.UNDETERMINED, "too slow to tell: 0 tokens of 40"),
        ),
    ],
)
def test_a_reply_without_a_limit_comes_to_thousands_of_tokens(
    free: Exchange, due: int, found: Score
) -> None:
    assert scoring_replies.score_no_default_limit(free, due) == found


def test_a_reply_that_a_hidden_limit_ends_is_longer_with_a_stated_one() -> None:
    open_ = Score(Outcome.UNDETERMINED, "the model does not write 40 tokens")
    rescored = scoring_replies.rescore_by_limited_reply
    assert rescored(open_, reply("1, 2, 3"), reply("1, 2, 3, 4, 5, 6")).outcome is Outcome.FAIL
    assert rescored(open_, reply("1, 2, 3"), reply("1, 2, 3, …")) == open_
    assert rescored(open_, reply("1, 2, 3"), reply("I would rather not count that far.")) == open_


@pytest.mark.parametrize(
    ("sent", "outcome"),
    [
        (answered(said("Null")), Outcome.PASS),
        (replace(answered({"error": {"message": "no"}}, 422), end=10**9), Outcome.PASS),
        (replace(answered({"error": {"message": "no"}}, 500), end=10**9), Outcome.FAIL),
        (answered(said("")), Outcome.FAIL),
        (answered(said("N", "length"), max_tokens=16), Outcome.FAIL),
    ],
)
def test_a_null_is_left_out_or_rejected(sent: Exchange, outcome: Outcome) -> None:
    assert scoring_replies.score_null(sent, reply("null"), "null").outcome is outcome


def test_a_null_is_blamed_only_where_the_model_always_tells_the_word() -> None:
    found = scoring_replies.score_null(answered(said("Hi")), reply("null"), "null")
    drawn = [reply("Null."), reply("null"), reply("The word is null")]
    assert scoring_replies.score_drawn(found, drawn, "null") == found
    silent = scoring_replies.score_drawn(found, [*drawn, reply("A noun")], "null")
    assert silent.outcome is Outcome.UNDETERMINED


def test_what_the_model_does_not_say_anyway_is_no_fault_of_a_null() -> None:
    assert scoring_replies.score_null(answered(said("Hi")), reply("Hello"), "null") == PASSED


@pytest.mark.parametrize(
    ("sent", "outcome"),
    [
        (error({"error": {"message": "no pictures"}}), Outcome.PASS),
        (error({"error": {"message": "no projector"}}, 500), Outcome.PASS),
        (error(b"oops", 500, "text/plain"), Outcome.FAIL),
        (
            answered({**said("A red square"), "usage": {**COUNTS, "prompt_tokens": 73}}),
            Outcome.PASS,
        ),
        (answered({**said("A cat"), "usage": {**COUNTS, "prompt_tokens": 12}}), Outcome.FAIL),
        (answered(said("A cat")), Outcome.UNDETERMINED),
    ],
)
def test_a_picture_is_rejected_or_counted(sent: Exchange, outcome: Outcome) -> None:
    assert scoring_replies.score_part(sent, reply(prompt=9)).outcome is outcome


NO = error({"error": {"message": "no"}})


@pytest.mark.parametrize(
    ("other", "outcome"),
    [
        (NO, Outcome.PASS),
        (error({"detail": "no"}, 422), Outcome.PASS),
        (error({"error": {"message": "no"}}, 500), Outcome.FAIL),
        (error(b"no", 400, "text/plain"), Outcome.FAIL),
        (streamed({"error": {"message": "no"}}), Outcome.FAIL),
        (streamed(), Outcome.FAIL),
        (replace(NO, fault=Fault.RESET), Outcome.ENDPOINT_ERROR),
    ],
)
def test_what_is_rejected_whole_is_rejected_streamed(other: Exchange, outcome: Outcome) -> None:
    assert scoring_streams.score_refused_streams([(NO, NO), (NO, other)]).outcome is outcome


def test_an_endpoint_that_rejects_nothing_shows_nothing() -> None:
    assert scoring_streams.score_refused_streams([]).outcome is Outcome.UNDETERMINED
