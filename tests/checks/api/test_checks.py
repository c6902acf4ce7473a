"""The api dimension: the reference passes, and each flaw fails its own check and no other."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

import pytest

from readiness.check import Check
from readiness.mutants.api import (
    flaws_advice,
    flaws_beside_tools,
    flaws_errors,
    flaws_gateways,
    flaws_harmless,
    flaws_history,
    flaws_limits,
    flaws_logprobs,
    flaws_long_system,
    flaws_markup,
    flaws_replies,
    flaws_sdk,
    flaws_spelling,
    flaws_streams,
    flaws_tiny_limits,
    flaws_tool_history,
)
from readiness.mutants.catalog import FLAWLESS, find, mutants
from readiness.mutants.endpoint.answer import ModelOutput, Request
from readiness.mutants.endpoint.tokens import tokens
from readiness.mutants.flaw import Flaw
from readiness.policy.policy import load
from readiness.score import Outcome
from readiness.verdict.claim import Verdict
from tests import ROOT
from tests.checks.api.reference_over_http import CHECKS, KEY, MUST, SENDING, failing, scores

#: Flaws that meet any request, of whichever check.
ANYWHERE = (
    *("key_refused_at_times", "api_crossed_by_two", "api_crossed", "limits_in_streams_lowered"),
    *("api_connection_wears_out", "api_huge_body_harms"),
)
#: Shown over a whole run: tests/runner/test_scheduler.py.
LIMITED = "api.answers_every_request"
BROKEN = [
    *(*flaws_replies.FLAWS, *flaws_sdk.FLAWS, *flaws_advice.FLAWS),
    *(each for each in flaws_logprobs.FLAWS if each.check),
    *(
        each
        for each in (
            *(*flaws_streams.FLAWS, *flaws_history.FLAWS),
            *(*flaws_beside_tools.FLAWS, *flaws_tool_history.FLAWS, *flaws_long_system.FLAWS),
            *(*flaws_limits.FLAWS, *flaws_spelling.FLAWS),
            *(*flaws_markup.FLAWS, *flaws_tiny_limits.FLAWS),
        )
        if each.check
    ),
    *(*flaws_errors.ERRORS_FLAWS, *flaws_errors.HOSTILE_FLAWS),
    *(
        each
        for each in flaws_gateways.FLAWS
        if each.check not in ("", LIMITED) and each.expected_verdict is Verdict.NOT_READY
    ),
]
HARMLESS = [
    *flaws_harmless.FLAWS,
    *(
        each
        for each in (
            *(*flaws_gateways.FLAWS, *flaws_streams.FLAWS),
            *(*flaws_history.FLAWS, *flaws_beside_tools.FLAWS),
            *(*flaws_tool_history.FLAWS, *flaws_long_system.FLAWS, *flaws_limits.FLAWS),
            *(*flaws_markup.FLAWS, *flaws_tiny_limits.FLAWS),
        )
        if each.harmless
    ),
]
ADVICE = [*flaws_advice.FLAWS, *(each for each in flaws_logprobs.FLAWS if each.check)]
#: What the capability probe before a run adapts to, or meets: `readiness selftest` has them.
ADAPTED_TO = {
    *("no_temperature", "schema_501_once"),
    *(f"reasoning_{name}" for name in ("demanded", "model", "rejected_later")),
}
OTHERS = [f for f in mutants() if f.harmless and f not in HARMLESS and f.name not in ADAPTED_TO]
#: Measures when parts of a stream arrive.
TIMED = "api.incremental_streaming"
IN_STREAMS = {"api.overlong_prompt_rejected", "api.unread_parts_not_dropped"}
CALLS = {"api.calls_beside_words_read"}
STOPPED, CHANGED = {"api.stop_cuts_same_text"}, "api.stop_change_honoured"
BESIDE_TOOLS = {"api.stop_honoured_beside_tools"}
OLDER_LIMIT, NEWER_LIMIT = "api.max_tokens_honoured", "api.max_completion_tokens_honoured"
LIMITED_BESIDE_TOOLS = {"api.limit_honoured_beside_tools"}
CUTS, SDK_CREATE = LIMITED_BESIDE_TOOLS | {OLDER_LIMIT, NEWER_LIMIT}, {"api.sdk_create"}
SDK_LIST = {"api.sdk_models_list"}
TOOLLESS, LONG_SYSTEM = "api.tool_history_without_tools_read", "api.long_system_message_read"
#: The checks that a flaw necessarily fails too.
TOGETHER = {
    "api_sdk_models": {"api.models_listed"},
    # The SDK finds no list where it looks for one.
    **dict.fromkeys(
        ("api_models_elsewhere", "api_models_by_name", "api_models_as_texts"), SDK_LIST
    ),
    # Without an error there is no error body to check.
    "api_broken_json_taken": {"api.json_error_body"},
    "api_no_messages_taken": {"api.json_error_body"},
    # Calls beside words are calls as well.
    **dict.fromkeys(
        ("history_calls_dropped", "history_results_emptied", "history_arguments_dropped"),
        CALLS | {TOOLLESS},
    ),
    # What is lost of conversations and of parts.
    "api_history_lost": {"api.content_parts_read", "api.message_change_honoured"},
    "api_assistant_lost": {"api.content_parts_read", "api.instructions_not_dropped"},
    "history_cut_1200": {LONG_SYSTEM},
    "history_system_cut_2048": {LONG_SYSTEM},
    # The capability probe, which these tests leave out, finds that reasoning is not taken back.
    "reasoning_rejected": {"api.own_message_accepted"},
    # What every large body meets, and what every error in a stream is.
    "body_16k_500": {
        "api.huge_body_handled",
        "api.long_message_read",
        LONG_SYSTEM,
        "api.overlong_prompt_rejected",
    },
    # A stop is asked for by three checks, and what is damaged is no text to stop.
    **dict.fromkeys(
        ("api_stop_ignored", "api_stop_one_letter"), STOPPED | BESIDE_TOOLS | {CHANGED}
    ),
    **dict.fromkeys(("api_stop_begins", "api_stop_says_length"), STOPPED | BESIDE_TOOLS),
    "api_max_tokens_ignored": LIMITED_BESIDE_TOOLS,
    # A limit of the other name is one as well, and one that is too large is lowered, too.
    "limits_above_1024_lowered": {NEWER_LIMIT},
    **{
        f"limit_of_{of}": {NEWER_LIMIT}
        for of in ("one_500", "two_ignored", "one_stop", "one_silent", "one_breaks_off")
    },
    "limits_halved": LIMITED_BESIDE_TOOLS | {NEWER_LIMIT},
    "limits_with_the_prompt": LIMITED_BESIDE_TOOLS,
    **dict.fromkeys(
        (
            "api_stop_list_ignored",
            *("api_characters_replaced", "api_characters_dropped", "api_bytes_as_characters"),
        ),
        STOPPED,
    ),
    "api_cut_says_stop": LIMITED_BESIDE_TOOLS | {"api.limit_change_honoured", NEWER_LIMIT},
    "api_max_completion_tokens_ignored": LIMITED_BESIDE_TOOLS | {"api.limit_change_honoured"},
    # What the SDK cannot read, and what says that a cut is none.
    **dict.fromkeys(("api_id_missing", "api_created_text", "api_object_other"), SDK_CREATE),
    "api_finish_other": SDK_CREATE | CUTS,
    "api_finish_null": SDK_CREATE | CUTS | {"api.null_parameters_handled"},
    **dict.fromkeys(
        ("api_role_other", "api_tool_calls_object"), SDK_CREATE | {"api.own_message_accepted"}
    ),
    "api_usage_text": {"api.reply_matches_sdk_types"},
    "api_sdk_created": {"api.reply_matches_sdk_types"},
    **dict.fromkeys(("api_never_finishes", "api_finishes_first", "api_stream_usage_own"), CUTS),
    "api_sdk_choices": {"api.sdk_stream"},
    "api_frame_broken": {"api.sdk_stream"},
    "api_sdk_fence": {"api.format_change_honoured"},
    "api_stream_as_text": {"api.chunks_match_sdk_types"},
    "api_template_leaks": STOPPED | {"api.format_change_honoured", "api.sdk_parse"},
    "api_parts_crash": {"api.unread_parts_not_dropped"} | STOPPED | CALLS,
    "api_null_content_crashes": {
        *("api.tool_history_read", "api.own_message_accepted", "api.odd_input_handled"),
        TOOLLESS,
    },
    "stream_error_frame": IN_STREAMS,
    "stream_error_lost": IN_STREAMS,
    "stream_error_nothing": IN_STREAMS,
    "stream_error_as_text": IN_STREAMS,
    "stream_error_500": {"api.overlong_prompt_rejected"},
}
#: The same of what is advised.
ADVISED_TOGETHER = {
    "api_advice_seed_accepted": {"api.seed_reproducible"},
    "api_advice_all_fields_present": {"api.logprobs_returned"},
    "api_advice_n_choices_returned": {"api.usage_over_all_choices"},
    "api_advice_no_reasoning_in_content": {"api.logprobs_returned"},
}


def failing_at_rest(checks: Sequence[Check], flaw: Flaw, key: str = KEY) -> dict[str, str]:
    """What fails; what the machine was too busy to measure is measured again, some times."""
    found = failing(checks, flaw, key)
    for _ in range(12):
        if found.get(TIMED, "").startswith("undetermined"):
            del found[TIMED]
            found |= failing([CHECKS[TIMED]], flaw, key)
    return found


def test_every_check_says_must_should_or_may_and_has_a_unique_id() -> None:
    vague = [
        each.id
        for each in CHECKS.values()
        if not any(word in each.requirement for word in ("MUST", "SHOULD", "MAY"))
    ]
    names = [each.attempt.__name__ for each in CHECKS.values()]
    assert (vague, len(names)) == ([], len(set(names)))


def test_in_the_article_policy_exactly_the_must_checks_gate() -> None:
    assert set(load().expected("api", "ci")) == {each.id for each in MUST}
    assert {each for each in load().checks if each.startswith("api.")} == CHECKS.keys()


@pytest.mark.parametrize("key", ["", KEY])
def test_the_reference_passes_every_check(key: str) -> None:
    assert failing_at_rest(SENDING, FLAWLESS, key) == {}


def test_features_that_the_reference_lacks_are_unsupported() -> None:
    names = ["missing_key_rejected", "wrong_key_rejected", "unknown_model_rejected"]
    found = scores([CHECKS[f"api.{name}"] for name in names], key="")
    assert {name: [score.outcome for score in each] for name, each in found.items()} == {
        f"api.{name}": [Outcome.UNSUPPORTED] * CHECKS[f"api.{name}"].trials for name in names
    }


@pytest.mark.parametrize("flaw", BROKEN, ids=lambda flaw: flaw.name)
def test_a_flaw_fails_its_own_check_with_a_reason(flaw: Flaw) -> None:
    found = failing_at_rest([CHECKS[flaw.check]], flaw)
    outcome, _, reason = found.get(flaw.check, "").partition(": ")
    left_open = flaw.expected_verdict is Verdict.INCONCLUSIVE
    assert outcome in (("undetermined",) if left_open else ("fail", "endpoint error"))
    assert len(reason) > 5


def test_a_stall_as_long_whatever_the_length_is_not_told_from_a_busy_machine() -> None:
    flaw = find("kept_back_by_a_busy_machine")
    assert failing([CHECKS[flaw.check]], flaw)[flaw.check].startswith("undetermined: streams were")


#: What only a fuzzer meets: it fails its SHOULD, and no MUST.
BY_A_FUZZER = [
    each
    for each in flaws_errors.FLAWS
    if each.check in ("api.fuzz_input_rejected", "api.extreme_input_rejected")
]


def test_a_text_that_ends_now_here_now_there_is_not_taken_for_one_with_a_hidden_limit() -> None:
    def ends(_request: Request, answer: ModelOutput, turn: int) -> ModelOutput:
        most = 200 * (1 + turn % 2) + turn
        return replace(answer, content="".join(tokens(answer.content or "")[:most]))

    check = "api.no_default_token_limit"
    found = failing([CHECKS[check]], Flaw("ends", "a model that varies", check, change_output=ends))
    assert found[check].startswith("undetermined: the model does not write")


@pytest.mark.parametrize("flaw", BY_A_FUZZER, ids=lambda flaw: flaw.name)
def test_what_no_client_meets_fails_nothing_that_gates(flaw: Flaw) -> None:
    names = ["malformed_json_rejected", "mistyped_messages_rejected", "odd_input_handled"]
    names += ["fuzz_input_isolated", "many_tools_handled", "deep_nesting_handled"]
    assert failing([CHECKS[f"api.{name}"] for name in names], flaw) == {}


@pytest.mark.nightly
@pytest.mark.parametrize(
    "flaw", [each for each in BROKEN if each.name not in ANYWHERE], ids=lambda flaw: flaw.name
)
def test_a_flaw_fails_no_other_must(flaw: Flaw) -> None:
    others = [each for each in SENDING if each in MUST and each.id != flaw.check]
    assert failing_at_rest(others, flaw).keys() == TOGETHER.get(flaw.name, set())


@pytest.mark.parametrize(
    "twin", [each for each in flaws_logprobs.FLAWS if each.harmless], ids=lambda twin: twin.name
)
def test_logprobs_that_clients_tolerate_pass(twin: Flaw) -> None:
    assert failing([CHECKS["api.logprobs_returned"]], twin) == {}


@pytest.mark.nightly
@pytest.mark.parametrize("flaw", ADVICE, ids=lambda flaw: flaw.name)
def test_a_flaw_of_a_should_fails_no_other_should(flaw: Flaw) -> None:
    others = [each for each in SENDING if each not in MUST and each.id != flaw.check]
    assert failing(others, flaw).keys() == ADVISED_TOGETHER.get(flaw.name, set())


@pytest.mark.parametrize("flaw", HARMLESS, ids=lambda flaw: flaw.name)
def test_a_harmless_variant_passes_every_must(flaw: Flaw) -> None:
    assert failing_at_rest([each for each in SENDING if each in MUST], flaw) == {}


@pytest.mark.nightly
@pytest.mark.parametrize("flaw", OTHERS, ids=lambda flaw: flaw.name)
def test_a_harmless_variant_of_another_dimension_passes_every_must(flaw: Flaw) -> None:
    found = failing_at_rest([each for each in SENDING if each in MUST], flaw)
    assert found.keys() == TOGETHER.get(flaw.name, set())


def test_a_deviation_from_a_should_fails_that_check() -> None:
    advice = [each for each in SENDING if each not in MUST]
    found = {flaw.name: set(failing(advice, flaw)) for flaw in flaws_harmless.FLAWS}
    assert found["api_vllm"] == {"api.no_disallowed_nulls"}
    assert found["api_llama"] == {"api.model_echoed", "api.all_fields_present"}
    assert found["api_litellm"] == {"api.usage_only_in_final_chunk"}
    assert found["api_n_needs_temperature"] == found["api_half_a_word"] == set()
    assert found["api_integer_code"] == {"api.openai_error_shape"}
    assert found["api_lenient"] == {
        "api.missing_model_rejected",
        "api.invalid_conversation_rejected",
        "api.unknown_model_404",
    }


def test_the_document_of_what_gates_has_every_check_as_the_policy_has_it() -> None:
    text = (ROOT / "docs/api-checks.md").read_text("utf-8")
    rows = re.findall(r"^\| `(\w+)` \| (gates|advises) \| .{5,} \|$", text, re.M)
    gating = {each: "gates" if CHECKS[each] in MUST else "advises" for each in CHECKS}
    assert sorted((f"api.{name}", gate) for name, gate in rows) == sorted(gating.items())


def test_what_a_model_takes_no_value_of_is_unsupported_whatever_value_is_sent() -> None:
    """OpenAI's reasoning models take no stop sequences, and no limit by its older name."""
    own = [CHECKS[f"api.{name}"] for name in ("stop_cuts_same_text", "max_tokens_honoured")]
    found = scores(own, find("reasoning_model"), explores=True)
    assert {name: {score.outcome for score in each} for name, each in found.items()} == {
        each.id: {Outcome.UNSUPPORTED} for each in own
    }
