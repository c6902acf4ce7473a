"""How trials run: concurrently, in order, alone, repeated, or not at all."""

import base64
import json
import re
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.cli.test_plugin import record, run
from tests.miniature import Request, mini
from tests.scripted_server import Script, response, serving
from tests.user_checks import POLICY

HEAD = """
from readiness import PASSED, Probe, check, failed

PROBES = [
    Probe(f"n.{n}", [{"role": "user", "content": str(n)}], {"n": n}) for n in range(40)
]
"""
TOLD = '''
@check(PROBES[:{count}], {options})
async def {name}(chat, probe):
    """The endpoint MUST answer."""
    reply = await chat(probe.messages)
    return PASSED if reply.text else failed("nothing")
'''


@pytest.fixture
def own(pytester: pytest.Pytester) -> pytest.Pytester:
    pytester.makeini("[pytest]\n")
    (pytester.path / "own.yaml").write_text(POLICY)
    return pytester


def exchanges(folder: Path) -> list[dict[str, Any]]:
    lines = (folder / "reports/latest/evidence.jsonl").read_bytes().splitlines()
    found = [json.loads(line) for line in lines]
    return [each for each in found if each["kind"] == "exchange" and "trial" in each]


def spans(folder: Path, check: str) -> list[tuple[float, float]]:
    """When the exchanges of a check began and ended, in seconds since the epoch."""
    return sorted(
        (each["sent"], each["sent"] + each["end"] / 1e9)
        for each in exchanges(folder)
        if each["check"].endswith(check)
    )


def overlaps(spans: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """The spans that begin before the one before them has ended."""
    return [later for earlier, later in pairwise(spans) if later[0] < earlier[1]]


def slow() -> Script:
    inner = mini(lambda n, request: f"OK {n}")
    return lambda n, raw: [0.02, *inner(n, raw)]


def test_trials_overlap_but_those_in_order_do_not(own: pytest.Pytester) -> None:
    text = HEAD + TOLD.format(name="together", count=20, options="")
    text += TOLD.format(name="queue", count=10, options="in_order=True")
    (own.path / "check_order.py").write_text(text)
    with serving(slow()) as url:
        assert run(own, url).ret == pytest.ExitCode.OK
    assert overlaps(spans(own.path, "queue")) == []
    assert overlaps(spans(own.path, "together")) != []
    first, last = spans(own.path, "queue")[0], spans(own.path, "queue")[-1]
    beside = [span for span in spans(own.path, "together") if first[0] < span[0] < last[1]]
    assert beside != []


def test_a_check_that_measures_time_runs_when_nothing_else_does(own: pytest.Pytester) -> None:
    text = HEAD + TOLD.format(name="alone", count=5, options="alone=True")
    text += TOLD.format(name="together", count=20, options="")
    (own.path / "check_time.py").write_text(text)
    with serving(slow()) as url:
        assert run(own, url).ret == pytest.ExitCode.OK
    last = max(end for _, end in spans(own.path, "together"))
    assert [span for span in spans(own.path, "alone") if span[0] < last] == []


def test_a_stated_rate_limit_is_waited_for_and_counted(own: pytest.Pytester) -> None:
    (own.path / "check_rate.py").write_text(HEAD + TOLD.format(name="all", count=20, options=""))
    limited = response(b"{}", "429 Too Many Requests", "Retry-After: 0")
    inner = mini(lambda n, request: f"OK {n}")
    with serving(lambda n, raw: [limited] if n % 10 == 9 else inner(n, raw)) as url:
        assert run(own, url).ret == pytest.ExitCode.OK
    found = record(own)
    assert found["requests"]["retried"] >= 2
    assert sum(each["attempt"] > 1 for each in exchanges(own.path)) >= 2
    assert found["dimensions"][0]["checks"][0]["outcomes"] == {"pass": 20}


PAGE, ERROR = "Content-Type: text/html", "Content-Type: application/json"


@pytest.mark.parametrize(
    ("status", "headers", "outcome", "verdict", "retried"),
    [
        ("429 Too Many Requests", ("Retry-After: 0",), "skipped", "inconclusive", 3),
        ("429 Too Many Requests", ("Retry-After: 7200",), "skipped", "inconclusive", 0),
        ("429 Too Many Requests", ("retry-after-ms: 5",), "skipped", "inconclusive", 3),
        ("429 Too Many Requests", ("x-should-retry: false",), "skipped", "inconclusive", 0),
        ("429 Too Many Requests", (), "skipped", "inconclusive", 3),
        ("503 Service Temporarily Unavailable", (PAGE,), "skipped", "inconclusive", 3),
        ("503 Service Unavailable", (ERROR, "Retry-After: 0"), "skipped", "inconclusive", 3),
        # A server that says four times that it is not there is not there.
        ("503 Service Unavailable", (ERROR,), "endpoint error", "not ready", 3),
        ("502 Bad Gateway", (), "endpoint error", "not ready", 0),
        ("500 Internal Server Error", (PAGE,), "endpoint error", "not ready", 0),
    ],
)
def test_what_no_limiter_refuses_is_an_error_that_is_not_tried_again(
    own: pytest.Pytester,
    status: str,
    headers: tuple[str, ...],
    outcome: str,
    verdict: str,
    retried: int,
) -> None:
    (own.path / "check_rate.py").write_text(HEAD + TOLD.format(name="all", count=20, options=""))

    def answer(n: int, request: Request) -> str:
        return f"OK {n}"

    inner = mini(answer)

    def script(n: int, raw: bytes) -> Any:
        return [response(b"{}", status, *headers)] if b'"content": "7"' in raw else inner(n, raw)

    with serving(script) as url:
        run(own, url)
    (check,) = record(own)["dimensions"][0]["checks"]
    assert (check["outcomes"], check["verdict"]) == ({"pass": 19, outcome: 1}, verdict)
    assert record(own)["requests"]["retried"] == retried


@pytest.mark.parametrize("status", ["429 Too Many Requests", "503 Service Unavailable"])
def test_one_refusal_by_a_limiter_is_waited_for_and_counted(
    own: pytest.Pytester, status: str
) -> None:
    (own.path / "check_rate.py").write_text(HEAD + TOLD.format(name="all", count=20, options=""))
    inner = mini(lambda n, request: f"OK {n}")
    with serving(lambda n, raw: [response(b"", status)] if n == 9 else inner(n, raw)) as url:
        assert run(own, url).ret == pytest.ExitCode.OK
    assert record(own)["dimensions"][0]["checks"][0]["outcomes"] == {"pass": 20}
    assert record(own)["requests"]["retried"] == 1


def test_a_limiter_that_refuses_everything_ends_the_run_and_is_named(own: pytest.Pytester) -> None:
    (own.path / "check_rate.py").write_text(HEAD + TOLD.format(name="all", count=40, options=""))
    limited = response(b"", "429 No", "Server: edge/1", "x-should-retry: false")
    with serving(after(3, limited)) as url:
        run(own, url, "--concurrency", "1")
    (check,) = record(own)["dimensions"][0]["checks"]
    reasons = {each["reason"]: each["count"] for each in check["reasons"]}
    assert (check["verdict"], check["outcomes"]["skipped"]) == ("inconclusive", 37)
    assert reasons == {
        "skipped: rate limited by 'edge/1': HTTP 429 at attempt 1": 20,
        "skipped: rate limited by 'edge/1': HTTP 429 for 20 requests": 17,
    }
    assert len(exchanges(own.path)) == 3 + 20


def after(trials: int, then: bytes) -> Script:
    """An endpoint that answers so many trials, and sends this from then on."""
    inner, seen = mini(lambda n, request: f"OK {n}"), set[bytes]()

    def script(n: int, raw: bytes) -> Any:
        seen.update(re.findall(rb'"content": "\d+"', raw))
        return [then] if len(seen) > trials else inner(n, raw)

    return script


def token(ends: int) -> str:
    claims = base64.urlsafe_b64encode(json.dumps({"exp": ends}).encode()).decode().rstrip("=")
    return f"e30.{claims}.c2ln"


@pytest.mark.parametrize(
    ("key", "reason"),
    [
        ("opaque-key", "the key ended: HTTP 401"),
        (token(1_700_000_000), "the key ended at 2023-11-14 22:13:20Z, its `exp`: HTTP 401"),
    ],
)
def test_a_key_that_ends_is_no_fault_of_the_endpoint(
    own: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, key: str, reason: str
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", key)
    (own.path / "check_key.py").write_text(HEAD + TOLD.format(name="all", count=40, options=""))
    over = response(b'{"error": {"message": "no"}}', "401 Unauthorized", ERROR)
    with serving(after(13, over)) as url:
        run(own, url, "--concurrency", "1")
    (check,) = record(own)["dimensions"][0]["checks"]
    assert (check["verdict"], check["outcomes"]) == ("inconclusive", {"pass": 13, "skipped": 27})
    assert check["reasons"][0]["example"] in (f"skipped: {reason}", f"skipped: {reason[:-10]}")


def test_a_key_that_is_refused_now_and_then_is_a_fault_of_the_endpoint(
    own: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "opaque-key")
    (own.path / "check_key.py").write_text(HEAD + TOLD.format(name="all", count=20, options=""))
    inner = mini(lambda n, request: f"OK {n}")
    over = response(b'{"error": {"message": "no"}}', "401 Unauthorized", ERROR)

    def script(n: int, raw: bytes) -> Any:
        return [over] if b'"content": "7"' in raw else inner(n, raw)

    with serving(script) as url:
        run(own, url)
    (check,) = record(own)["dimensions"][0]["checks"]
    assert check["outcomes"] == {"pass": 19, "endpoint error": 1}
    assert check["verdict"] == "not ready"


def test_a_feature_that_is_declared_absent_costs_no_trial(own: pytest.Pytester) -> None:
    text = HEAD + TOLD.format(name="tooled", count=40, options="needs=['tools']")
    (own.path / "check_tools.py").write_text(text)

    def answer(n: int, request: Request) -> str | tuple[int, str]:
        return (400, "tools are off") if "tools" in request else "OK"

    with serving(mini(answer)) as url:
        result = run(own, url)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(
        ["*40 of 40 trials: unsupported: the endpoint does not offer tools:*"]
    )
    assert exchanges(own.path) == []


FALLING_BACK = """
from readiness import PASSED, Probe, check, failed

def probe(n, **sent):
    labels = {"stop": "sent" if sent else "none"}
    return Probe(f"n.{n}", [{"role": "user", "content": str(n)}], parameters=sent, labels=labels)

PROBES = [replace(probe(n, stop="END"), fallback=probe(n)) for n in range(40)]

@check(PROBES)
async def stopped(chat, probe):
    \"\"\"The endpoint MUST answer.\"\"\"
    reply = await chat(probe.messages, **probe.parameters)
    return PASSED if "OK" in reply.text else failed("nothing")
""".replace("from readiness", "from dataclasses import replace\nfrom readiness", 1)


@pytest.mark.parametrize(
    ("stopped", "passed", "verdict", "form", "sent"),
    [
        ("OK", 40, "ready", "sent", 40),
        ((400, "no stop here"), 40, "ready", "none", 80),
        ((422, "no stop here"), 40, "ready", "none", 80),
        ("wrong", 0, "not ready", "sent", 40),
        ((500, "the engine died"), 0, "not ready", "sent", 40),
    ],
)
def test_what_an_endpoint_declines_is_tried_without_and_counted_so(
    own: pytest.Pytester,
    stopped: str | tuple[int, str],
    passed: int,
    verdict: str,
    form: str,
    sent: int,
) -> None:
    (own.path / "check_stop.py").write_text(FALLING_BACK)
    answer = mini(lambda n, request: stopped if "stop" in request else f"OK {n}")
    with serving(answer) as url:
        run(own, url, "--keep-going")
        (check,) = record(own)["dimensions"][0]["checks"]
        again = run(own, url, "--keep-going", "--resume", "reports/latest")
    assert (check["trials"], check["passed"], check["verdict"]) == (40, passed, verdict)
    assert check["slices"]["stop"] == {form: {"trials": 40, "passed": passed}}
    assert len(exchanges(own.path)) == sent
    # What it tried is read from the evidence as it was.
    assert again.ret is not None
    (resumed,) = record(own)["dimensions"][0]["checks"]
    assert resumed["slices"] == check["slices"]


def test_what_fails_without_what_was_declined_fails(own: pytest.Pytester) -> None:
    (own.path / "check_stop.py").write_text(FALLING_BACK)
    with serving(mini(lambda n, request: (400, "no") if "stop" in request else "wrong")) as url:
        run(own, url, "--keep-going")
    (check,) = record(own)["dimensions"][0]["checks"]
    assert (check["outcomes"], check["verdict"]) == ({"fail": 40}, "not ready")


def test_a_failing_control_item_keeps_a_check_from_being_ready(own: pytest.Pytester) -> None:
    control = 'Probe("easy", [{"role": "user", "content": "easy"}], control=True)'
    text = HEAD.replace("range(40)\n]", f"range(40)\n] + [{control}]")
    (own.path / "check_easy.py").write_text(text + TOLD.format(name="all", count=41, options=""))
    with serving(
        mini(lambda n, request: "" if "easy" in str(request["messages"]) else f"OK {n}")
    ) as url:
        result = run(own, url)
    (check,) = record(own)["dimensions"][0]["checks"]
    assert (check["passed"], check["trials"], check["verdict"]) == (40, 40, "inconclusive")
    assert check["controls"] == {"trials": 1, "passed": 0}
    result.stdout.fnmatch_lines(["*control item easy: nothing*"])


def test_the_same_reply_to_everything_shows_nothing(own: pytest.Pytester) -> None:
    (own.path / "check_canned.py").write_text(HEAD + TOLD.format(name="all", count=40, options=""))
    with serving(mini(lambda n, request: "I am happy to help.")) as url:
        result = run(own, url)
    assert record(own)["verdict"] == "inconclusive"
    result.stdout.fnmatch_lines(["*all 40/40: the same reply to probes that*"])


def test_a_smoke_run_ends_a_check_with_its_first_proof(own: pytest.Pytester) -> None:
    text = HEAD.replace('{"n": n})', '{"n": n}, cluster=str(n // 5))')
    text += TOLD.format(name="all", count=40, options="required=0.9")
    (own.path / "check_wrong.py").write_text(text.replace("if reply.text", "if not reply.text"))
    with serving(mini(lambda n, request: f"OK {n}")) as url:
        result = run(own, url, "--profile", "smoke", "--concurrency", "8", ".")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    (check,) = record(own)["dimensions"][0]["checks"]
    assert (check["trials"], check["verdict"]) == (40, "not ready")
    assert check["outcomes"]["skipped"] > 20


@pytest.mark.parametrize(
    ("wrong", "trials", "verdict"),
    [
        ([], 30, "ready"),
        # 28 of 30 leave it open, and 58 of 60 do not.
        ([3, 4], 60, "ready"),
        ([3, 4, 40, 41, 42], 60, "inconclusive"),
        (range(30), 30, "not ready"),
    ],
)
def test_a_verdict_that_is_left_open_is_tried_further_once(
    own: pytest.Pytester, wrong: Sequence[int], trials: int, verdict: str
) -> None:
    text = HEAD.replace("range(40)\n]", "range(60)\n]") + TOLD.format(
        name="longer", count=30, options="required=0.9, trials=30, extension=30"
    ).replace("PROBES[:30]", "lambda seed, trials: PROBES[:trials]")
    (own.path / "check_longer.py").write_text(text)
    with serving(mini(lambda n, request: "" if _number(request) in wrong else f"OK {n}")) as url:
        run(own, url)
    (check,) = record(own)["dimensions"][0]["checks"]
    assert (check["trials"], check["verdict"], check["alpha"]) == (trials, verdict, 0.025)


def _number(request: Request) -> int:
    said = request["messages"][-1]["content"]
    return int(said) if said.isdigit() else -1


def test_what_more_trials_cannot_answer_is_not_tried_further(own: pytest.Pytester) -> None:
    text = HEAD + TOLD.format(name="longer", count=40, options="required=0.9, extension=40")
    (own.path / "check_longer.py").write_text(text)
    with serving(mini(lambda n, request: "I am happy to help.")) as url:
        run(own, url)
    (check,) = record(own)["dimensions"][0]["checks"]
    assert (check["trials"], check["verdict"]) == (40, "inconclusive")


def test_of_what_shares_a_document_the_first_trial_starts_alone(own: pytest.Pytester) -> None:
    text = HEAD.replace('{"n": n})', '{"n": n}, cluster=str(n // 5))')
    text += TOLD.format(name="shared", count=20, options="")
    (own.path / "check_shared.py").write_text(text)
    with serving(slow()) as url:
        assert run(own, url).ret == pytest.ExitCode.OK
    found = [
        (each["sent"], each["sent"] + each["end"] / 1e9, int(each["probe"].partition(".")[2]))
        for each in exchanges(own.path)
    ]
    assert len(found) == 20
    clusters = [sorted(each for each in found if each[2] // 5 == of) for of in range(4)]
    early = [each for first, *others in clusters for each in others if each[0] < first[1]]
    assert ([first[2] for first, *_ in clusters], early) == ([0, 5, 10, 15], [])
    assert overlaps(sorted((start, end) for start, end, _ in found)) != []
