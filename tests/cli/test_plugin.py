"""The plugin on the command line: output and exit status."""

import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
import scipy.special
from jsonschema import Draft202012Validator

from readiness import checks
from readiness.cli import progress
from readiness.cli.rescore import rescore
from readiness.cli.sign import verify
from readiness.evidence.log import entries
from readiness.evidence.run_folder import differences
from readiness.mutants.endpoint.server import serving as reference
from readiness.mutants.license import evidence
from readiness.resources import schema
from tests.exchanges import is_whole
from tests.miniature import MODELS, mini
from tests.scripted_server import Script, free_port, response, serving
from tests.user_checks import POLICY, alone

INCONCLUSIVE, UNTRIED = 10, 12
# pytester forgets what a run has imported, and numpy cannot be imported twice.
assert scipy.special
OK_CHECK = """
from readiness import PASSED, Probe, check, failed

PROBES = [
    Probe(f"ok.{n}", [{"role": "user", "content": f"Repeat exactly: word {n}"}], {"word": n})
    for n in range(60)
]

@check(PROBES, required=0.9)
async def repeats(chat, probe):
    "Asked to repeat a word, the endpoint MUST repeat it."
    reply = await chat(probe.messages)
    said = reply.text.strip()
    return PASSED if said == f"word {probe.expect['word']}" else failed(f"said {said!r:.40}")
"""


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with reference() as found:
        yield found


@pytest.fixture
def own(pytester: pytest.Pytester) -> pytest.Pytester:
    """A user's folder with a dimension of its own and a policy without ours."""
    pytester.makeini("[pytest]\n")
    (pytester.path / "own.yaml").write_text(POLICY)
    (pytester.path / "check_words.py").write_text(OK_CHECK)
    return pytester


def run(pytester: pytest.Pytester, url: str, *args: str) -> pytest.RunResult:
    return pytester.runpytest(
        *("-p", "no:hypothesispytest", "--endpoint", url, "--policy", "own.yaml", "--seed", "0"),
        *(args or (".",)),
    )


def record(pytester: pytest.Pytester) -> dict[str, Any]:
    found = json.loads((pytester.path / "reports/latest/readiness.json").read_text("utf-8"))
    assert isinstance(found, dict)
    return found


def scripted(own: pytest.Pytester, script: Script, *args: str) -> pytest.RunResult:
    with serving(script) as url:
        return run(own, url, *args, ".")


def test_a_ready_endpoint_ends_in_a_matrix_a_record_and_status_0(
    own: pytest.Pytester, url: str
) -> None:
    result = run(own, url)
    assert result.ret == pytest.ExitCode.OK
    result.stdout.fnmatch_lines(
        [
            f"reference at {url}, *",
            "policy own, profile ci, seed 0: 60 trials, about 1 K + 8 K tokens, 1 min",
            "written to reports/*-reference",
            "✓ ready*words*1 of 1 checks ready",
            "*= 1 ready in *s =*",
            "*= readiness of reference =*",
            "words*████████████*100 ✓ ready all 1 ready, 60 trials*",
            "record: reports/*-reference/readiness.json",
            "Each of the 1 required checks is ready.",
            "✓ READY*score 100 of 100*",
        ]
    )
    assert result.outlines[-1].startswith("✓ READY")
    assert (record(own)["verdict"], record(own)["exit_status"]) == ("ready", 0)


def test_the_plan_names_the_check_in_order_that_takes_most_of_the_time(
    own: pytest.Pytester, url: str
) -> None:
    in_order = OK_CHECK.replace("required=0.9", "required=0.9, in_order=True")
    (own.path / "check_words.py").write_text(in_order)
    shown = " ".join(run(own, url, ".", "--max-requests", "1").stdout.str().split())
    assert "60 trials, about 1 K + 8 K tokens, 3 min, mostly words.repeats written to" in shown


def test_the_whole_matrix_is_shown_where_it_is_asked_for(own: pytest.Pytester, url: str) -> None:
    run(own, url, "-v", ".").stdout.fnmatch_lines(
        [
            "*repeats READY*",
            "check*passed*shows*95 % interval*needs*verdict*",
            "words*score 100*✓ ready*",
            "*repeats*60/60*≥95.1%*94.0–100.0%*90%*✓ ready*",
            "✓ READY*score 100 of 100*",
        ]
    )


def test_what_failed_first_is_shown_with_what_was_asked_and_what_came(
    own: pytest.Pytester,
) -> None:
    result = scripted(own, mini(lambda n, request: "no"))
    result.stdout.fnmatch_lines(
        [
            "✗ not ready*words.repeats*0/*",
            "✗ not ready*words*0 of 1 checks ready",
            "*= 1 not ready in *s =*",
            "words*░░░░░░░░░░░░*0 ✗ not ready*repeats 0/*",
            "✗ words.repeats: * trials: said 'no'*",
            "  asked Repeat exactly: word *",
            "  came  no*",
            "1 of 1 required checks not ready: words.repeats.",
            "✗ NOT READY*because of words",
        ]
    )


def test_the_record_matches_its_schema_and_the_evidence_is_intact(
    own: pytest.Pytester, url: str
) -> None:
    run(own, url)
    folder = own.path / "reports/latest"
    violations = [
        each.message for each in Draft202012Validator(schema("readiness")).iter_errors(record(own))
    ]
    assert violations == []
    assert is_whole(folder / "evidence.jsonl")
    kinds = [
        json.loads(line)["kind"] for line in (folder / "evidence.jsonl").read_bytes().splitlines()
    ]
    assert kinds.count("trial") == 60
    assert kinds.count("exchange") == record(own)["evidence"]["exchanges"]


def test_a_flaw_is_not_ready_and_says_why(own: pytest.Pytester) -> None:
    result = scripted(own, mini(lambda n, request: "no"), "--keep-going", "-v")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(
        [
            "words.repeats is not ready",
            "  -> Asked to repeat a word, the endpoint MUST repeat it.",
            "   required: 90% of trials",
            "      shown: 0 of 60 trials (0.0% to 6.0%)",
            "       60 × said 'no'",
            "   evidence: reports/*/evidence.jsonl, exchanges *",
            "✗ NOT READY*because of words*",
        ]
    )


def test_a_check_ends_when_no_trial_can_change_its_verdict(own: pytest.Pytester) -> None:
    result = scripted(own, mini(lambda n, request: "no"), "--concurrency", "1", "-v")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(
        [
            "      shown: 0 of 11 trials (0.0% to 25.9%)",
            "    stopped: 49 more could not change the verdict",
            "       11 × said 'no'",
        ]
    )
    check = record(own)["dimensions"][0]["checks"][0]
    assert (check["trials"], check["made"], check["passed"]) == (60, 11, 0)


def test_the_record_says_from_when_to_when_a_check_was_tried(
    own: pytest.Pytester, url: str
) -> None:
    run(own, url)
    exchanges = [
        entry
        for entry, _ in entries(own.path / "reports/latest/evidence.jsonl")
        if entry.get("check") == "words.repeats"
    ]
    ended = max(each["sent"] + each["end"] / 1e9 for each in exchanges if "sent" in each)
    began = min(each["sent"] for each in exchanges if "sent" in each)
    check = record(own)["dimensions"][0]["checks"][0]
    assert check["seconds"] == pytest.approx(ended - began, abs=0.001)
    assert datetime.fromisoformat(check["began"]).timestamp() == int(began)


def test_progress_is_plain_lines_where_there_is_no_terminal(
    own: pytest.Pytester, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "PLAIN_INTERVAL", 0.01)
    result = run(own, url)
    pace = r"words [1-9]\d*/60 · .* requests/s, \d+ of 60 trials left, \d+:\d\d at this pace"
    result.stdout.re_match_lines([pace])
    result.stdout.no_re_match_line(r".*words 0/60.*")  # Not tried is no progress.


def test_no_defect_in_too_few_trials_is_no_readiness(own: pytest.Pytester, url: str) -> None:
    result = run(own, url, "--profile", "smoke", ".")
    assert result.ret == INCONCLUSIVE
    sent = record(own)["requests"]["sent"]
    result.stdout.fnmatch_lines(
        [
            "! profile smoke shows defects, never readiness: *",
            "· no defect    words",
            "*1 no defect in *",
            "words*██*89 · no defect*no defect in [1-9]* trials*",
            f"[?] INCONCLUSIVE   score 89*No defect found in {sent} requests (too*",
        ]
    )
    result.stdout.no_fnmatch_line("words.repeats is inconclusive")


def test_a_user_may_let_what_is_inconclusive_pass_and_nothing_worse(
    own: pytest.Pytester, url: str
) -> None:
    passes = ("--fail-on", "not-ready")
    assert run(own, url, "--profile", "smoke", *passes, ".").ret == 0
    found = record(own)
    assert (found["verdict"], found["exit_status"]) == ("inconclusive", INCONCLUSIVE)
    bad = scripted(own, mini(lambda n, request: "no"), *passes)
    assert bad.ret == pytest.ExitCode.TESTS_FAILED
    assert run(own, f"http://127.0.0.1:{free_port()}/v1", *passes, ".").ret == UNTRIED


def test_a_dimension_that_was_left_out_is_not_taken_for_ready(
    own: pytest.Pytester, url: str
) -> None:
    (own.path / "own.yaml").write_text("schema: readiness-policy/1\nextends: article\n")
    result = run(own, url)
    assert result.ret == INCONCLUSIVE
    result.stdout.fnmatch_lines(["json_only*not assessed*", "*INCONCLUSIVE*json_only*"])


def test_a_run_in_which_no_check_ran_is_never_0(own: pytest.Pytester, url: str) -> None:
    own.makepyfile(test_other="def test_other(): pass")
    result = run(own, url, "test_other.py")
    result.assert_outcomes(passed=1)
    assert result.ret == pytest.ExitCode.NO_TESTS_COLLECTED


def test_a_plan_sends_nothing(own: pytest.Pytester) -> None:
    result = run(own, f"http://127.0.0.1:{free_port()}/v1", "--plan", ".")
    assert result.ret == pytest.ExitCode.OK
    result.stdout.fnmatch_lines(["*plan: nothing was sent*", "words.repeats*60*"])
    assert not (own.path / "reports").exists()


def test_checks_can_be_listed_without_an_endpoint(own: pytest.Pytester) -> None:
    result = own.runpytest("-p", "no:hypothesispytest", "--co", "-q", "check_words.py")
    assert result.ret == pytest.ExitCode.OK
    result.stdout.fnmatch_lines(["check_words.py::repeats"])


def test_the_request_budget_leaves_the_rest_inconclusive(own: pytest.Pytester, url: str) -> None:
    result = run(own, url, "--max-requests", "30", ".")
    assert result.ret == INCONCLUSIVE
    found = record(own)
    assert found["requests"]["sent"] == 30
    assert found["dimensions"][0]["checks"][0]["outcomes"]["skipped"] > 30
    result.stdout.fnmatch_lines(["? inconclusive*words*0 of 1 checks ready"])


def test_what_was_not_tried_is_on_no_surface_counted_as_missed(
    own: pytest.Pytester, url: str
) -> None:
    file = own.path / "check_words.py"
    family = "{'word': n}, family='ab'[n % 2])"
    file.write_text(file.read_text().replace('{"word": n})', family), "utf-8")
    run(own, url, ".")
    (own.path / "reports/latest").resolve().rename(own.path / "before")
    sent = json.loads((own.path / "before/readiness.json").read_text("utf-8"))["requests"]["sent"]
    result = run(own, url, "--max-requests", str(sent - 58), "--baseline", "before", "-v", ".")
    result.stdout.fnmatch_lines(
        [
            "*repeats*2/2*≥22.4%*34.2–100.0%*",
            "*words.repeats: 58 more trials, all passed, would show it*",
            "*agreement: 2 of 2 trials had the same outcome*",
        ]
    )
    found = record(own)
    (check,), (compared,) = found["dimensions"][0]["checks"], found["baseline"]["checks"]
    assert (check["trials"], check["made"], check["passed"]) == (60, 2, 2)
    assert check["slices"] == {"family": {each: {"trials": 1, "passed": 1} for each in "ab"}}
    assert (check["not_passed"], check["streak"], check["all_of"]) == ([], 2, {"1": 1.0})
    assert (compared["pairs"], round(compared["at_least"], 4), compared["shown"]) == (
        2,
        -0.575,
        False,
    )
    folder = own.path / "reports/latest"
    said = {
        "summary.md": "| 2 / 2 | 34.2 % – 100 % |",
        "junit.xml": "2 of 2 passed (34.2 % – 100 %)",
        "readiness.html": "2 / 2 (60)",
        "metrics.txt": 'readiness_check_made{check="words.repeats",gate="required"} 2',
    }
    texts = {name: (folder / name).read_text("utf-8") for name in said}
    assert {name: text in texts[name] for name, text in said.items()} == dict.fromkeys(said, True)


@pytest.mark.parametrize(
    ("bug", "raised"),
    [
        ("1 / 0", "ZeroDivisionError: division by zero"),
        ("float(10**400)", "OverflowError: int too large to convert to float"),
        ("raise RecursionError('ours')", "RecursionError: ours"),
    ],
)
def test_a_bug_in_a_check_is_no_verdict(
    own: pytest.Pytester, url: str, bug: str, raised: str
) -> None:
    (own.path / "check_words.py").write_text(
        OK_CHECK.replace("reply = await", f"{bug}\n    reply = await")
    )
    result = run(own, url)
    assert result.ret == pytest.ExitCode.INTERNAL_ERROR
    result.stdout.fnmatch_lines([f"*{raised}"])
    folder = own.path / "reports" / "latest"
    lines = [json.loads(line) for line in (folder / "evidence.jsonl").read_text().splitlines()]
    bugs = [each for each in lines if each["kind"] == "internal error"]
    assert {each["check"] for each in bugs} == {"words.repeats"}
    assert [each["trace"].splitlines()[-1] for each in bugs] == [raised] * len(bugs)
    assert [each for each in lines if each["kind"] == "trial"] == []
    record = json.loads((folder / "readiness.json").read_text())
    assert (record["verdict"], record["dimensions"]) == ("inconclusive", [])


@pytest.mark.parametrize(
    ("script", "said"),
    [
        (lambda n, r: [response(b"<html>Welcome</html>")], "*GET /models: no list of models: *"),
        (
            lambda n, r: [30.0],
            "cannot be tried: no first byte in time: nothing within 0.5 s: *still being loaded[?]",
        ),
        (
            lambda n, r: [b"HTTP/1.1 200 OK\r\n\r\n", *[b"x" * 2**20] * 80],
            "cannot be tried: reply too large: more than 67,108,864 bytes: *",
        ),
        (
            lambda n, r: [response(b'{"object": "list", "data": []}')],
            "cannot be tried: the endpoint serves no model: is one loaded[?]",
        ),
        (
            lambda n, r: [response(MODELS if n == 0 else b"<html>", "200 OK")],
            "cannot be tried: the simplest request fails: *",
        ),
        (
            lambda n, r: [response(MODELS) if n == 0 else response(b"oops", "500 No")],
            "cannot be tried: the simplest request fails: *500*oops*",
        ),
    ],
)
def test_an_endpoint_that_cannot_be_tried_has_a_status_of_its_own_and_no_folder(
    own: pytest.Pytester, script: Script, said: str
) -> None:
    result = scripted(own, script, "--first-byte-timeout", "0.5")
    assert result.ret == UNTRIED
    result.stdout.fnmatch_lines([said])
    result.stdout.no_fnmatch_line("*Traceback*")
    assert list(own.path.glob("reports/*")) == []


def test_what_a_wrong_address_looks_like_is_said(own: pytest.Pytester, url: str) -> None:
    port = url.removesuffix("/v1").rpartition(":")[2]
    looks = {
        f"http://127.0.0.1:{free_port()}/v1": "unreachable: *: Connection refused: is the server *",
        f"https://127.0.0.1:{port}/v1": "no TLS: *: try http:// instead of https://",
        f"http://127.0.0.1:{port}": f"*: the API is at http://127.0.0.1:{port}/v1",
        f"http://127.0.0.1:{port}/v2": "GET /models: HTTP 404: *: is the base URL right, *",
        "http://no-such-host.invalid/v1": "no such host: no-such-host.invalid: is the name right*",
    }
    for given, said in looks.items():
        result = run(own, given)
        result.stdout.fnmatch_lines([f"cannot be tried: {said}"])
        assert result.ret == UNTRIED
    missing = run(own, f"http://127.0.0.1:{port}/v2", "--model", "reference", ".")
    missing.stdout.fnmatch_lines(["cannot be tried: neither /models nor /chat/completions is *"])


def test_a_web_interface_that_is_not_there_is_no_defect_of_it(
    own: pytest.Pytester, url: str
) -> None:
    result = run(own, url, "--webui", f"http://127.0.0.1:{free_port()}", ".")
    assert result.ret == UNTRIED
    result.stdout.fnmatch_lines(["cannot be tried: --webui: unreachable: *Connection refused: *"])
    assert list(own.path.glob("reports/*")) == []


def test_an_endpoint_that_is_gone_leaves_the_run_to_resume_as_it_was(
    own: pytest.Pytester, url: str
) -> None:
    run(own, url, "--max-requests", "20", ".")
    folder = own.path / "reports/latest"
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    result = run(own, f"http://127.0.0.1:{free_port()}/v1", "--resume", "reports/latest", ".")
    assert result.ret == UNTRIED
    assert before == {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_wrong_key_is_a_usage_error_and_no_echo_of_it_is_shown(
    own: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-canary-4711")
    result = scripted(own, mini(lambda n, request: (401, "bad key sk-canary-4711 \x1b[2J")))
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(
        ["ERROR: the key is not accepted: HTTP 401: bad key [[]redacted] *(set OPENAI_API_KEY)"]
    )
    printed = result.stdout.str() + result.stderr.str()
    files = [path.read_bytes() for path in own.path.rglob("*") if path.is_file()]
    assert "canary" not in printed
    assert "\x1b[2J" not in printed
    assert [content for content in files if b"canary" in content] == []


def test_where_no_key_was_given_that_is_said(
    own: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    result = scripted(own, mini(lambda n, request: (401, "no")))
    result.stderr.fnmatch_lines(
        ["ERROR: the key is not accepted: HTTP 401: no (none was given: set OPENAI_API_KEY)"]
    )


def test_a_key_that_replies_echo_is_shown_nowhere(
    own: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-canary-4711")
    result = scripted(own, mini(lambda n, request: f"your key is sk-canary-4711, {n}"))
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    files = [path.read_bytes() for path in own.path.rglob("*") if path.is_file()]
    assert "canary" not in result.stdout.str() + result.stderr.str()
    assert [content for content in files if b"canary" in content] == []


def test_an_unknown_model_is_a_usage_error(own: pytest.Pytester, url: str) -> None:
    result = run(own, url, "--model", "gpt-9", ".")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(
        ["ERROR: no model 'gpt-9' there: HTTP 404: *: choose reference with --model"]
    )


def test_a_server_that_answers_to_any_name_is_not_taken_for_the_model(
    own: pytest.Pytester,
) -> None:
    result = scripted(own, mini(lambda n, request: "OK"), "--model", "other")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: 'other' is not served, *: choose mini with --model"])


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["--endpoint", "ftp://host"], "ERROR: --endpoint: not the address of an endpoint: *"),
        (["--header", "nonsense"], "ERROR: --header takes a name and a value, *"),
        (["--header", "A: b\r\nC: d"], "ERROR: --header*line break*"),
        (["--extra-body", "{"], "ERROR: --extra-body is not JSON: *"),
        (["--extra-body", "[]"], "ERROR: --extra-body takes a JSON object, *"),
        (
            ["--policy", "absent.yaml"],
            "ERROR: --policy absent.yaml is neither a file nor built in: *",
        ),
        (["--endpoint", "embedded:absent.gguf"], "ERROR: --endpoint embedded:absent.gguf: *"),
    ],
)
def test_an_option_that_makes_no_sense_is_a_usage_error(
    own: pytest.Pytester, url: str, args: list[str], said: str
) -> None:
    result = run(own, url, *args, ".")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([said])
    result.stderr.no_fnmatch_line("*Traceback*")


def test_a_typo_in_a_policy_names_file_line_and_choices(own: pytest.Pytester, url: str) -> None:
    (own.path / "own.yaml").write_text(POLICY.replace("{}", "{mini: {gate: requird}}"))
    result = run(own, url)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(
        ["ERROR: own.yaml:7: dimensions.mini.gate is 'requird': choose required, *"]
    )


def test_no_endpoint_is_a_usage_error_that_names_the_embedded_one(
    own: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    result = own.runpytest("-p", "no:hypothesispytest", "check_words.py")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: name an endpoint with --endpoint URL *embedded*"])


def test_the_environment_can_name_the_endpoint(
    own: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", url)
    result = own.runpytest("-p", "no:hypothesispytest", "--policy", "own.yaml", "check_words.py")
    assert result.ret == pytest.ExitCode.OK


def test_junit_and_allure_report_the_verdict(own: pytest.Pytester, url: str) -> None:
    run(own, url)
    folder = own.path / "reports/latest"
    junit = (folder / "junit.xml").read_text("utf-8")
    assert '<property name="verdict" value="ready" />' in junit
    (told,) = folder.glob("allure-results/*-result.json")
    result = json.loads(told.read_text("utf-8"))
    assert result["name"] == "words.repeats"
    assert result["description"] == "Asked to repeat a word, the endpoint MUST repeat it."


def test_allures_own_option_names_another_place_for_the_results(
    own: pytest.Pytester, url: str
) -> None:
    run(own, url, "--alluredir", "elsewhere", ".")
    told = {path.name for path in own.path.glob("elsewhere/*-result.json")}
    assert told == {path.name for path in own.path.glob("reports/2*/*/*-result.json")}
    assert len(told) == 1


def test_a_run_ends_with_a_page_and_digests_that_hold(own: pytest.Pytester, url: str) -> None:
    run(own, url)
    folder = own.path / "reports/latest"
    assert "Readiness of reference" in (folder / "readiness.html").read_text("utf-8")
    assert list(differences(folder)) == []


def test_a_reply_of_lone_surrogates_and_escapes_stops_nothing(own: pytest.Pytester) -> None:
    result = scripted(own, mini(lambda n, request: "\ud83d\x1b[2J\u202e"))
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert "\x1b[2J" not in result.stdout.str()
    assert record(own)["verdict"] == "not ready"


def test_an_imported_check_is_not_collected_again(own: pytest.Pytester, url: str) -> None:
    (own.path / "check_more.py").write_text("from check_words import repeats\n")
    result = run(own, url)
    assert record(own)["dimensions"][0]["checks"][0]["id"] == "words.repeats"
    assert result.ret == pytest.ExitCode.OK


def test_a_check_without_a_requirement_is_refused(own: pytest.Pytester, url: str) -> None:
    (own.path / "check_words.py").write_text(
        OK_CHECK.replace('"Asked to repeat a word, the endpoint MUST repeat it."', "")
    )
    result = run(own, url)
    assert result.ret == pytest.ExitCode.INTERRUPTED
    result.stdout.fnmatch_lines(["*TypeError: words.repeats has no docstring*"])


def test_a_claim_that_its_trials_can_never_show_is_refused(own: pytest.Pytester, url: str) -> None:
    (own.path / "check_words.py").write_text(
        OK_CHECK.replace("0.9", "0.99").replace("range(60)", "range(30)")
    )
    result = run(own, url)
    assert result.ret == pytest.ExitCode.INTERRUPTED
    result.stdout.fnmatch_lines(["*ValueError: words.repeats can never be ready: it runs 30 *"])


def test_the_plugin_is_light() -> None:
    slow = "{'aiohttp', 'openai', 'jsonschema', 'yaml', 'scipy', 'numpy', 'rich', 'allure'}"
    code = f"import readiness.cli.plugin, sys; print({slow} & {{*sys.modules}})"
    printed = subprocess.check_output([sys.executable, "-c", code], text=True, cwd=Path.cwd())
    assert printed.strip() == "set()"


def test_hypothesis_is_not_imported_for_a_run_that_does_not_use_it(
    own: pytest.Pytester, url: str
) -> None:
    end = "def pytest_unconfigure(): print('imported:', 'hypothesis' in sys.modules)"
    own.makeconftest(f"import sys\n{end}")
    options = ("--endpoint", url, "--policy", "own.yaml", "--seed", "0", ".")
    result = own.runpytest_subprocess(*options)
    result.stdout.fnmatch_lines(["imported: False"])


def test_an_invalid_findings_file_is_named_before_anything_is_tried(
    own: pytest.Pytester, url: str
) -> None:
    (own.path / "reports").mkdir()
    (own.path / "reports" / "findings.json").write_text("{")
    result = run(own, url)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*reports/findings.json is not JSON: repair or remove it"])
    assert [each.name for each in (own.path / "reports").iterdir()] == ["findings.json"]


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [
        ("--license-evidence", "nowhere", "--license-evidence: nowhere: no such file or folder"),
        ("--hardware", "abacus", "hardware abacus is unknown: there is none to choose"),
        ("--metrics", "ftp://host", "--metrics: not the address of an endpoint"),
        (
            "--metrics",
            "nourl",
            "--metrics: not the address of an endpoint: give one as in http://*",
        ),
    ],
)
def test_what_is_given_wrongly_is_a_usage_error(
    own: pytest.Pytester, option: str, value: str, said: str
) -> None:
    result = run(own, "http://127.0.0.1:9/v1", option, value, ".")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"*{said}*"])


def test_evidence_of_a_licence_is_in_the_record_and_sends_nothing(
    own: pytest.Pytester, url: str
) -> None:
    shown = own.path / "shown"
    shown.mkdir()
    (own.path / "own.yaml").write_text(alone("license"))
    named = evidence.write(shown)
    where = f"{Path(checks.__file__).parent}/license/checks.py"
    result = own.runpytest(
        *(where, "-v", "--endpoint", url, "--policy", "own.yaml"),
        *("--license-evidence", str(named)),
    )
    assert result.ret == pytest.ExitCode.OK
    result.stdout.fnmatch_lines(["*license: read by a program: this is not legal advice*"])
    digests = record(own)["license_evidence"][""]
    assert sorted(digests) == ["LICENSE", "README.md", "record.yaml", "reference.gguf"]
    assert digests["LICENSE"] == sha256((shown / "LICENSE").read_bytes()).hexdigest()
    checked = [each for each in record(own)["dimensions"] if each["id"] == "license"]
    assert [each["verdict"] for each in checked] == ["ready"]
    lines = (own.path / "reports/latest/evidence.jsonl").read_text("utf-8").splitlines()
    trials = [json.loads(line) for line in lines if json.loads(line)["kind"] == "trial"]
    assert [each["exchanges"] for each in trials] == [[]] * 7


def test_a_run_with_evidence_of_a_licence_is_verified_with_and_without_it(
    own: pytest.Pytester, url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    shown, policy = own.path / "shown", own.path / "own.yaml"
    shown.mkdir()
    policy.write_text(alone("license"))
    named = str(evidence.write(shown))
    metadata: dict[str, str | int] = {"general.license": "apache-2.0", "general.file_type": 15}
    (shown / evidence.WEIGHTS).write_bytes(evidence.header(metadata))
    where = f"{Path(checks.__file__).parent}/license/checks.py"
    own.runpytest(where, "--endpoint", url, "--policy", "own.yaml", "--license-evidence", named)
    assert record(own)["machine"]["quantization"] == "Q4_K_M"
    run = [str(own.path / "reports/latest"), "--policy", str(policy)]
    with_it, without = "7 trials were scored again", "0 trials were scored again"
    for options, said in (["--license-evidence", named], with_it), ([], without):
        capsys.readouterr()
        assert verify([*run, "--rescore", *options]) == 0
        assert said in capsys.readouterr().out
    record_file = own.path / "reports/latest/readiness.json"
    changed = json.loads(record_file.read_text("utf-8"))
    changed["license_evidence"][""]["LICENSE"] = "0" * 64
    record_file.write_text(json.dumps(changed), "utf-8")
    assert rescore(run) == 11
    assert "license_evidence" in capsys.readouterr().err


def test_without_evidence_the_licence_is_not_assessed_and_the_run_inconclusive(
    own: pytest.Pytester, url: str
) -> None:
    (own.path / "own.yaml").write_text(alone("license"))
    where = f"{Path(checks.__file__).parent}/license/checks.py"
    result = own.runpytest(where, "-v", "--endpoint", url, "--policy", "own.yaml")
    assert result.ret == INCONCLUSIVE
    result.stdout.re_match_lines(["  commercial_use_permitted +– not assessed"])
    junit = (own.path / "reports/latest/junit.xml").read_text("utf-8")
    assert junit.count('message="required, not assessed"') == 5
    result.stdout.fnmatch_lines(["*no licence evidence: name it*"])
