from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Mapping, Sequence

import pytest

from readiness.checks.long_context import checks
from readiness.checks.long_context.document_kinds import log
from readiness.checks.long_context.needles import CHECKPOINTS, LOOKUPS
from readiness.checks.long_context.probes import CLAIM
from readiness.checks.long_context.prompt_wording import Recipe
from readiness.context import Context
from readiness.mutants.catalog import FLAWLESS
from readiness.mutants.endpoint.answer import ModelOutput, Request
from readiness.mutants.endpoint.protocol import WINDOW
from readiness.mutants.endpoint.tokens import prompt_tokens
from readiness.mutants.flaw import Flaw
from readiness.mutants.long_context import flaws
from readiness.mutants.long_context import flaws_harmless as harmless
from readiness.mutants.long_context import flaws_in_answers as in_answers
from readiness.mutants.long_context.reader import prompt_of
from readiness.score import Outcome, Score
from tests.reference_in_process import fresh, probes_of, tried

CHECKS = (
    checks.accepts_128k,
    checks.no_silent_truncation,
    checks.needle_retrieval,
    checks.summary_accuracy,
    checks.effective_length,
    checks.overlong_not_truncated,
    checks.no_hang_on_unbroken_text,
    checks.no_hang_on_long_paragraphs,
    checks.cold_prompt_latency,
)
SMOKE = dict(zip(CHECKS, (2, 1, 12, 1, 1, 1, 1, 1, 2), strict=True))
#: `long_window_declared` is in the list of models, and has a test of its own.
FLAWS = [flaw for flaw in flaws.FLAWS if flaw.name != "long_window_declared"]


def smoke(context: Context, flaw: Flaw = FLAWLESS) -> dict[str, list[Score]]:
    return tried(
        {each: probes_of(each, 3, trials) for each, trials in SMOKE.items()}, context, flaw
    )


def not_passed(found: Mapping[str, Sequence[Score]]) -> dict[str, list[Score]]:
    """The trials that did not pass, without their measures."""
    wrong = {
        name: [Score(each.outcome, each.reason) for each in scores if not each.passed]
        for name, scores in found.items()
    }
    return {name: scores for name, scores in wrong.items() if scores}


def test_probes_are_small_and_have_unique_ids() -> None:
    found = [probe for each in CHECKS for probe in each.probes(0, each.trials)]
    by_check = [each.probes(0, each.trials) for each in CHECKS]
    assert [len({probe.id for probe in made}) for made in by_check] == [
        each.trials for each in CHECKS
    ]
    assert max(len(repr(probe)) for probe in found) < 5_000
    asked = checks.needle_retrieval.probes(0, 36)
    assert {probe.cluster for probe in asked} == {"log.zh.01", "log.en.02", "log.mixed.03"}


def test_the_reference_is_ready_at_a_smaller_length() -> None:
    assert not_passed(smoke(fresh(WINDOW, defects_only=True))) == {
        # 128K was not tried, so it is not shown.
        "long_context.effective_length": [
            Score(
                Outcome.UNDETERMINED,
                "effective length 16,384 tokens of 139,264 declared: "
                "accuracy at 4,096: 100%, 16,384: 100%, and 131,072 was not tried",
            )
        ]
    }


def test_one_request_serves_all_questions_about_a_document() -> None:
    sent = fresh(WINDOW, defects_only=True)
    smoke(sent)
    fetched = [key for key in sent.shared_fetches if isinstance(key, tuple) and key[0] == "reading"]
    assert len(fetched) == 3  # A log, a report, and the shortest length.


def test_measures_have_every_length_and_depth_tried() -> None:
    own = (checks.needle_retrieval, checks.effective_length)
    context = fresh(WINDOW, defects_only=True)
    found = tried({each: each.probes(3, SMOKE[each]) for each in own}, context)
    asked, searched = (
        [each for score in found[check.id] for each in score.measures if each.name == "found"]
        for check in own
    )
    assert {each.value for each in [*asked, *searched]} == {1.0}
    assert [each.at for each in asked if "depth" in each.at] == [
        {"length": 16_384, "depth": depth} for depth in LOOKUPS
    ]
    assert {(each.at["length"], each.at["depth"]) for each in searched} == {
        (length, depth) for length in (4_096, 16_384) for depth in (*LOOKUPS, *CHECKPOINTS)
    }


@pytest.mark.parametrize(
    ("name", "outcome"),
    [("long_end_alone", Outcome.UNDETERMINED), ("long_head_unnoticed", Outcome.FAIL)],
)
def test_what_a_model_misses_in_short_documents_is_no_truncation(
    name: str, outcome: Outcome
) -> None:
    flaw = next(each for each in flaws.FLAWS if each.name == name)
    own = checks.no_silent_truncation
    found = tried({own: own.probes(3, 1)}, fresh(WINDOW, defects_only=True), flaw)
    assert [each.outcome for each in found[own.id]] == [outcome]


def test_a_flawed_summary_is_measured() -> None:
    flaw = next(each for each in flaws.FLAWS if each.name == "long_made_up_figure")
    own = checks.summary_accuracy
    found = tried({own: own.probes(3, 1)}, fresh(WINDOW, defects_only=True), flaw)
    measured = {each.name: each.value for each in found[own.id][0].measures}
    # The figure and its date.
    assert measured == {"figures recalled": 1.0, "dates recalled": 1.0, "made up": 2}


@pytest.mark.parametrize("form", ["count", "tokens"])
def test_an_endpoint_with_a_tokenizer_needs_no_replies_for_token_counts(form: str) -> None:
    own = (checks.accepts_128k, checks.no_silent_truncation, checks.overlong_not_truncated)
    probes = {each: probes_of(each, 3, SMOKE[each]) for each in own}
    paths: list[str] = []
    context = fresh(WINDOW, defects_only=True)
    assert not_passed(tried(probes, context, tokenizer=form, seen=paths)) == {}
    # A log, a report, and an oversized one; two counts for each kind, after one comparison.
    assert Counter(paths) == {"/chat/completions": 3 + 1, "/../tokenize": 3 * 2 + 1}


def test_a_tokenizer_that_contradicts_usage_is_not_used() -> None:
    own = checks.no_silent_truncation
    paths: list[str] = []
    context = fresh(WINDOW, defects_only=True)
    found = tried({own: own.probes(3, 1)}, context, tokenizer="nonsense", seen=paths)
    assert (not_passed(found), Counter(paths)["/chat/completions"]) == ({}, 1 + 1 + 2)


@pytest.mark.parametrize("context", [fresh(), fresh(CLAIM), fresh(1_000_000)])
def test_an_undeclared_or_large_window_is_tried(context: Context) -> None:
    small = dataclasses.replace(context, defects_only=True)
    own = (checks.accepts_128k, checks.no_silent_truncation, checks.needle_retrieval)
    assert not_passed(tried({each: each.probes(3, SMOKE[each]) for each in own}, small)) == {}


def test_a_window_too_small_fails_without_a_request() -> None:
    few = {each: trials for each, trials in SMOKE.items() if each not in CHECKS[4:8]}
    context = fresh(8_192)
    found = tried({each: each.probes(0, trials) for each, trials in few.items()}, context)
    why = "the endpoint declares a window of 8,192 tokens, and 131,072 are required"
    assert {score for scores in found.values() for score in scores} == {Score(Outcome.FAIL, why)}
    assert context.shared_fetches == {}


@pytest.mark.parametrize("flaw", FLAWS, ids=lambda flaw: flaw.name)
def test_a_flaw_fails_its_check_for_a_reason(flaw: Flaw) -> None:
    full = flaw.name in ("long_page_hangs", "long_window_thousands")
    own = next(each for each in CHECKS if each.id == flaw.check)
    context = fresh(WINDOW, defects_only=not full)
    found = tried({own: own.probes(3, SMOKE[own])}, context, flaw)
    assert not_passed(found)
    assert [each for each in not_passed(found)[own.id] if not each.reason] == []


@pytest.mark.parametrize("name", ["long_lost_in_the_middle", "long_wrong_digits", "long_shotgun"])
def test_needles_missed_are_not_scored_as_truncation(name: str) -> None:
    flaw = next(each for each in flaws.FLAWS if each.name == name)
    found = not_passed(smoke(fresh(WINDOW, defects_only=True), flaw))
    if name == "long_lost_in_the_middle":
        assert checks.no_silent_truncation.id not in found
    assert len(found[checks.needle_retrieval.id]) >= 6


@pytest.mark.parametrize("flaw", in_answers.FLAWS, ids=lambda flaw: flaw.name)
def test_an_answer_in_which_the_value_means_another_fails_and_an_odd_right_one_passes(
    flaw: Flaw,
) -> None:
    own = checks.needle_retrieval
    found = not_passed(tried({own: probes_of(own, 3, 12)}, fresh(WINDOW, defects_only=True), flaw))
    assert bool(found) is not flaw.harmless


def test_the_effective_length_requires_all_shorter_lengths() -> None:
    flaw = next(each for each in flaws.FLAWS if each.name == "long_short_misread")
    found = not_passed(smoke(fresh(WINDOW, defects_only=True), flaw))
    (search,) = found.pop(checks.effective_length.id)
    assert (found, search.outcome) == ({}, Outcome.FAIL)
    assert search.reason.startswith("effective length 0 tokens of 139,264 declared")


def test_the_lengths_where_accuracy_drops_are_tried_with_one_more_document() -> None:
    """Below 12K the first document of a length is answered, and no other."""
    first: dict[int, str] = {}

    def misread(request: Request, said: ModelOutput, _turn: int) -> ModelOutput:
        prompt, size = prompt_of(request), prompt_tokens(request) // 2_000
        if prompt is None or prompt.kind != "log":
            return said
        read = first.setdefault(size, prompt.document) == prompt.document and size < 6
        return said if read else dataclasses.replace(said, content="{}")

    own = checks.effective_length
    flaw = Flaw("misread", "", own.id, change_output=misread)
    ((score,),) = tried({own: own.probes(3, 1)}, fresh(32_768), flaw).values()
    assert score.reason.startswith(
        "effective length 4,096 tokens of 32,768 declared: "
        "accuracy at 4,096: 100%, 8,192: 50%, 16,384: 0%, 32,768: 0%"
    )
    questions = len(LOOKUPS) + len(CHECKPOINTS)
    lengths = Counter(each.at["length"] for each in score.measures if each.name == "found")
    documents = {4_096: 1, 8_192: 2, 16_384: 2, 32_768: 1}
    assert lengths == {length: count * questions for length, count in documents.items()}


@pytest.mark.parametrize("flaw", harmless.FLAWS, ids=lambda flaw: flaw.name)
def test_a_harmless_variant_passes(flaw: Flaw) -> None:
    found = not_passed(smoke(fresh(WINDOW, defects_only=True), flaw))
    found.pop(checks.effective_length.id)
    if flaw.name == "long_prefix_cache":
        warm = found.pop(checks.cold_prompt_latency.id)
        assert [each.outcome for each in warm] == [Outcome.UNDETERMINED]
    assert found == {}


@pytest.mark.parametrize(
    "flaw", [*flaws.FLAWS, *harmless.FLAWS, *in_answers.FLAWS], ids=lambda flaw: flaw.name
)
def test_no_flaw_changes_short_requests(flaw: Flaw) -> None:
    request = {"messages": [{"role": "user", "content": "Hello"}]}
    short = {"messages": log(Recipe("log", "en", 0, 1), 4_500).messages}
    said = [flaw.change_output(each, ModelOutput("Cold."), 9) for each in (request, short)]
    refused = [flaw.intercept(each, 9) for each in (request, short)]
    assert (said, refused) == ([ModelOutput("Cold.")] * 2, [None] * 2)
    assert [flaw.change_request(request), flaw.change_request(short)] == [request, short]


@pytest.mark.nightly
def test_the_reference_is_ready_at_128k() -> None:
    probes = {each: probes_of(each, 0, each.trials) for each in CHECKS}
    assert not_passed(tried(probes, fresh(WINDOW))) == {}


@pytest.mark.nightly
@pytest.mark.parametrize("flaw", [*FLAWS, *harmless.FLAWS], ids=lambda flaw: flaw.name)
def test_a_flaw_at_128k_fails_its_check_and_no_harmless_variant_fails_any(flaw: Flaw) -> None:
    found = tried({each: probes_of(each, 0, each.trials) for each in CHECKS}, fresh(WINDOW), flaw)
    failing = {
        name
        for name, scores in not_passed(found).items()
        if any(each.outcome is not Outcome.UNDETERMINED for each in scores)
    }
    assert flaw.check in failing if flaw.check else failing == set()
