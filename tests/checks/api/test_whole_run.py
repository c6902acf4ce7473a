"""The whole run as evidence: what holds of all exchanges is judged when all of them are made."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import pytest

from readiness.chat import Chat
from readiness.checks.api import check_whole_run, scoring_whole_run
from readiness.checks.api.run_evidence import Observed, Service, _profile, observed
from readiness.context import Context
from readiness.exchange import Call, Fault, RecordedExchange
from readiness.mutants.api import flaws_off_topic
from readiness.mutants.api.flaws_whole_run import FLAWS
from readiness.mutants.catalog import FLAWLESS, find
from readiness.mutants.endpoint.protocol import MODEL
from readiness.mutants.flaw import Flaw
from readiness.protocol.dialect import Dialect
from readiness.score import Outcome, Score
from tests.checks.api.reference_over_http import CHECKS, MUST, serving

WHOLE_RUN = [each for each in CHECKS.values() if each.whole_run]
#: Those of other topics that show in so little traffic; `readiness selftest` tries the others.
OFF_TOPIC = [
    of for of in flaws_off_topic.FLAWS if of.name in ("topic_german_plain", "topic_chinese")
]
BROKEN = [each for each in [*FLAWS, *OFF_TOPIC] if not each.harmless]
TWINS = [each for each in [*FLAWS, *flaws_off_topic.FLAWS] if each.harmless]
#: Harmless variants of other parts: a limiter that says when, and replies of fewer fields.
OTHERS = [find(name) for name in ("busy", "bare", "gzip", "api_vllm", "api_llama", "reasoning")]
TOOLS = [{"type": "function", "function": {"name": "read_note"}}]
ZH, EN = (
    "港口在清晨很安静，三十七条船并排停在旧石码头边。",
    "The harbour was quiet, and 37 boats lay there. ",
)
LENGTHS = (40, 240, 2_000, 5_000)  # sentences


def _said(text: str) -> dict[str, str]:
    return {"role": "user", "content": text}


def _turns(number: int, turns: int) -> list[dict[str, str]]:
    """A conversation of so many turns, each of which extends the one before."""
    pairs = [
        {"role": role, "content": f"{text} {at} of {number}."}
        for at in range(turns)
        for role, text in (("user", "Note"), ("assistant", "Noted"))
    ]
    return pairs[:-1]


def traffic() -> Iterator[dict[str, Any]]:
    """The requests of a run, in little: some are repeated, some extend others, some are long."""
    dialect = Dialect(MODEL)
    for at in range(80):
        yield dialect.request([_said(f"Reply with the word w{at}.")], 16, {"stream": at % 2 == 0})
    for at in range(60):
        asked = [_said(f"Reply with the word t{at}.")]
        yield dialect.request(asked, 16, {"tools": TOOLS, "stream": at % 2 == 0})
    for number in range(4):
        for turns in range(1, 9):
            yield dialect.request(_turns(number, turns), 32, {})
    for text in (ZH, EN):
        for at, sentences in enumerate(LENGTHS):
            long = [_said(f"{at} {text * sentences}\nReply with the word OK.")]
            yield dialect.request(long, 16, {"stream": at % 2 == 0})
    for at in range(40):
        yield dialect.request([_said(f"Reply with the word w{at}.")], 16, {"stream": at % 2 == 1})
    for at in range(6):
        counted = [_said(f"List the numbers from {at} to 80, separated by commas.")]
        yield dialect.request(counted, 48, {"stream": at % 2 == 0})
        again = [_said("Note."), {"role": "assistant", "content": "Noted."}, *counted]
        yield dialect.request(again, 49, {"stream": at % 2 == 1})
        yield dialect.request(counted, 50, {"tools": TOOLS, "stream": at % 2 == 1})
    yield dialect.request([_said("Reply with the word OK.")], 16, {"logprobs": True})


async def _recorded(flaw: Flaw) -> list[RecordedExchange]:
    """The exchanges of a run against an endpoint, over sockets."""
    async with serving(flaw, key="") as endpoint:
        slots = asyncio.Semaphore(8)

        async def send(body: dict[str, Any]) -> RecordedExchange:
            async with slots:
                return RecordedExchange(await endpoint.send(Call(body), ""), "api.some")

        first, last = [*traffic()][:180], [*traffic()][180:]
        made = [*await asyncio.gather(*map(send, first)), *await asyncio.gather(*map(send, last))]
    return [replace(each, exchange=replace(each.exchange, seq=at)) for at, each in enumerate(made)]


async def _scores(made: Sequence[RecordedExchange]) -> dict[str, Score]:
    async def send(call: Call) -> Any:
        raise AssertionError(f"a check of the whole run sends {call}")

    context = Context(recorded_exchanges=lambda: iter(made))
    return {
        each.id: await each.attempt(Chat(send, Dialect(MODEL), context), check_whole_run.RUN[0])
        for each in WHOLE_RUN
    }


def judged(made: Sequence[RecordedExchange]) -> dict[str, Score]:
    """The scores of all checks of the whole run."""
    return asyncio.run(_scores(made))


def run(flaw: Flaw = FLAWLESS) -> list[RecordedExchange]:
    return asyncio.run(_recorded(flaw))


@pytest.fixture(scope="module")
def made() -> list[RecordedExchange]:
    return run()


def wrong(found: dict[str, Score]) -> dict[str, str]:
    clean = (Outcome.PASS, Outcome.UNSUPPORTED)
    return {name: each.reason for name, each in found.items() if each.outcome not in clean}


def test_the_reference_passes_and_figures_say_of_how_many(made: list[RecordedExchange]) -> None:
    found = judged(made)
    assert wrong(found) == {}
    (served,) = found["api.answers_every_request"].measures
    assert (served.value, served.of, round(served.low or 0, 4)) == (1.0, len(made), 0.9875)
    (compared,) = found["api.prompt_tokens_proportional"].measures
    assert compared.value == 5


@pytest.mark.parametrize("flaw", BROKEN, ids=lambda flaw: flaw.name)
def test_a_flaw_fails_its_own_check_alone(flaw: Flaw) -> None:
    found = wrong(judged(run(flaw)))
    # A prompt of no tokens is a prompt of other tokens, too.
    other = (
        {"api.prompt_tokens_reproducible"} if flaw.name == "api_usage_zero_when_cached" else set()
    )
    assert found.keys() - other == {flaw.check}
    assert "exchange" in found[flaw.check]


@pytest.mark.parametrize("twin", [*TWINS, *OTHERS], ids=lambda flaw: flaw.name)
def test_a_harmless_twin_passes_every_must(twin: Flaw) -> None:
    found = wrong(judged(run(twin)))
    assert {name: why for name, why in found.items() if CHECKS[name] in MUST} == {}


def test_messages_of_a_few_characters_have_the_tokens_of_the_template() -> None:
    short = [{"role": "user", "content": "Add one."}] * 200
    whole = [{"role": "user", "content": "Add one. " * 200}]
    assert (_profile(short), _profile(whole) is None) == (None, False)


@pytest.mark.parametrize(
    ("created", "expected"),
    [
        ([0] * 400, Outcome.UNSUPPORTED),
        ([*range(10_000, 10_300), *[0] * 100], Outcome.PASS),
        ([*range(10_000, 10_300), *[9_000] * 100], Outcome.FAIL),
    ],
)
def test_a_time_of_0_is_none(created: Sequence[int], expected: Outcome) -> None:
    began = 10_000 if any(created) else 1_796_000_000
    seen = [
        Observed(at, False, began + at % 300, Service.ANSWERED, created=each)
        for at, each in enumerate(created)
    ]
    score, _ = scoring_whole_run.score_created(seen)
    assert score.outcome is expected


def test_few_replies_show_nothing(made: list[RecordedExchange]) -> None:
    found = judged(made[:20])
    assert found.pop("api.prompt_tokens_proportional").outcome is Outcome.UNSUPPORTED
    assert {each.outcome for each in found.values()} == {Outcome.UNDETERMINED}
    assert {each.outcome for each in judged([]).values()} == {
        Outcome.UNDETERMINED,
        Outcome.UNSUPPORTED,
    }


def size(recorded: RecordedExchange) -> int:
    """The bytes of a request."""
    return len(json.dumps(recorded.exchange.request, ensure_ascii=False).encode())


def _with(made: Sequence[RecordedExchange], at: int, **fields: Any) -> list[RecordedExchange]:
    """The run, with one exchange that ended otherwise."""
    valid = fields.pop("valid", True)
    other = replace(made[at].exchange, **fields)
    return [*made[:at], replace(made[at], exchange=other, valid=valid), *made[at + 1 :]]


def _service(made: Sequence[RecordedExchange]) -> Score:
    return judged(made)["api.answers_every_request"]


def test_what_we_abort_or_send_to_be_refused_does_not_count(made: list[RecordedExchange]) -> None:
    refused = _with(made, 7, status=400, body=b"{}", valid=False)
    aborted = _with(refused, 9, fault=Fault.CLIENT_ABORTED)
    assert _service(aborted).measures[0].of == len(made) - 2
    lost = _service(_with(aborted, 11, fault=Fault.RESET, status=None, body=b""))
    assert (lost.outcome, lost.reason) == (
        Outcome.FAIL,
        f"valid requests were not answered: 1 of {len(made) - 2}; "
        "1 × connection lost: ; exchanges 11",
    )


def test_a_refusal_counts_where_its_form_is_answered_elsewhere(
    made: list[RecordedExchange],
) -> None:
    assert _service(_with(made, 5, status=422, body=b"{}")).outcome is Outcome.FAIL
    # Logprobs were asked for once, and are refused; so is a prompt longer than all others.
    assert _service(_with(made, len(made) - 1, status=422, body=b"{}")).outcome is Outcome.PASS
    longest = max(range(len(made)), key=lambda at: size(made[at]))
    assert _service(_with(made, longest, status=400, body=b"{}")).outcome is Outcome.PASS
    assert _service(_with(made, longest, status=502, body=b"{}")).outcome is Outcome.FAIL


def test_a_crash_counts_however_rare_its_form_unless_it_says_what_is_not_taken(
    made: list[RecordedExchange],
) -> None:
    last = len(made) - 1  # Logprobs were asked for once.
    crashed, raised = (
        json.dumps({"error": {"code": 500, "message": said}}).encode()
        for said in ("no content", "Jinja Exception: roles must alternate")
    )
    assert _service(_with(made, last, status=500, body=crashed)).outcome is Outcome.FAIL
    assert _service(_with(made, last, status=500, body=raised)).outcome is Outcome.PASS


@pytest.mark.parametrize(
    "added",
    [
        {"user": "u-1"},
        {"metadata": {"source": "batch"}},
        {"n": 2},
        {"messages": [_said("One."), {"role": "developer", "content": "Two."}, _said("Three.")]},
        {"messages": [_said("One."), {"role": "assistant", "content": "Sure:"}]},
    ],
)
def test_what_an_endpoint_takes_no_request_with_is_a_form_of_its_own(
    made: list[RecordedExchange], added: dict[str, Any]
) -> None:
    request = made[5].exchange.request
    refused = _with(made, 5, request={**request, **added}, status=422, body=b"{}")
    assert _service(refused).outcome is Outcome.PASS
    again = replace(made[5], exchange=replace(made[5].exchange, request={**request, **added}))
    assert _service([again, *refused]).outcome is Outcome.FAIL


def test_a_limiter_that_says_when_is_excused_and_another_is_named(
    made: list[RecordedExchange],
) -> None:
    told = _with(made, 5, status=429, body=b"{}", headers={"retry-after": "1"})
    assert _service(told).outcome is Outcome.PASS
    silent = _service(_with(told, 6, status=503, body=b"busy", headers={}))
    assert silent.outcome is Outcome.UNDETERMINED
    assert silent.reason.startswith("requests were turned away by a rate limiter: 1 of ")


def test_under_load_some_may_fail(made: list[RecordedExchange]) -> None:
    crowd = [replace(each, crowd=True) for each in made * 4]
    once = [*made, *_with(crowd, 3, status=502, body=b"")]
    assert _service(once).outcome is Outcome.PASS
    assert [(each.at["load"], each.of) for each in _service(once).measures] == [
        ("none", len(made)),
        ("under load", len(crowd)),
    ]
    often = once
    for at in range(20):
        often = _with(often, len(made) + 30 * at + 4, status=502, body=b"")
    assert _service(often).outcome is Outcome.FAIL


def test_of_many_users_replies_the_end_is_read(made: list[RecordedExchange]) -> None:
    streams = [each for each in made if (each.exchange.request or {}).get("stream")]
    ends = [
        replace(
            each,
            crowd=True,
            whole=False,
            exchange=replace(
                each.exchange, request={"sha256": "0"}, body=each.exchange.body[-700:]
            ),
        )
        for each in streams
    ]
    seen = list(observed(ends, MODEL))
    assert {each.model for each in seen} == {MODEL}
    assert {each.tokens for each in seen} == {None}
    cut = replace(ends[0], exchange=replace(ends[0].exchange, body=b"data: {}\n\n"))
    assert [each.why for each in observed([cut], MODEL)] == ["a stream without an end"]


def test_what_comes_after_a_key_ended_is_no_fault_of_the_endpoint(
    made: list[RecordedExchange],
) -> None:
    def with_401(seqs: Sequence[int]) -> dict[str, Score]:
        return judged(
            [
                replace(each, exchange=replace(each.exchange, status=401)) if at in seqs else each
                for at, each in enumerate(made)
            ]
        )

    last = len(made)
    assert wrong(with_401(range(last - 3, last))) == {}
    assert wrong(with_401([last // 2])) != {}


@pytest.mark.parametrize(("content", "counted"), [("", True), ("So be it.", False)])
def test_a_reply_of_reasoning_alone_may_count_no_tokens(
    made: list[RecordedExchange], content: str, counted: bool
) -> None:
    """It is cut before it says anything, and some count reasoning by itself."""
    whole = [at for at, each in enumerate(made) if b'"chat.completion"' in each.exchange.body]
    changed = list(made)
    for at in whole:
        said = json.loads(made[at].exchange.body)
        said["choices"][0]["message"] |= {"content": content, "reasoning_content": "Let me see."}
        prompt = said["usage"]["prompt_tokens"]
        said["usage"] |= {"completion_tokens": 0, "total_tokens": prompt}
        changed = _with(changed, at, body=json.dumps(said).encode())
    assert ("api.usage_counts_everything" not in wrong(judged(changed))) == counted
