"""A run beside its baseline, as users meet it: a command line, what it prints, its exit status."""

import json
from pathlib import Path
from typing import Any

import pytest
import scipy.special
from jsonschema import Draft202012Validator

from readiness.resources import schema
from tests.miniature import MODELS, Request, completion, mini
from tests.wires import Script, response, serving

# pytester forgets what a run has imported, and numpy cannot be imported twice.
assert scipy.special
INCONCLUSIVE, UNSOUND = 10, 11
FILES = ("readiness.json", "evidence.jsonl")
POLICY = """
schema: readiness-policy/1
name: own
extends: article
dimensions:
  {json_only: {gate: "off"}, tool_calling: {gate: "off"}, memory: {gate: "off"}, api: {gate: "off"},
   long_context: {gate: "off"}}
"""
CHECK = """
from readiness import PASSED, Probe, check, failed

def words(seed, trials):
    return [
        Probe(f"w.{n}", [{"role": "user", "content": f"Repeat: word {n} {seed}"}], {"word": f"{n}"})
        for n in range(trials)
    ]

@check(words, required=0.8, trials=60)
async def repeats(chat, probe):
    "Asked to repeat a word, the endpoint MUST repeat it."
    reply = await chat(probe.messages)
    return PASSED if reply.text == probe.expect["word"] else failed(f"said {reply.text!r:.40}")

@check(words, required=1.0, trials=20)
async def answers(chat, probe):
    "Asked to repeat a word, the endpoint MUST say something."
    reply = await chat(probe.messages)
    return PASSED if reply.text else failed("said nothing")
"""


def word(request: Request) -> str:
    """The word that a request asks for; OK where it asks for none."""
    asked = str(request["messages"][-1]["content"])
    return asked.split()[2] if asked.startswith("Repeat: word") else "OK"


def wrong(words: int) -> Script:
    """Repeats all words but the first few, which it gets wrong."""

    def answer(n: int, request: Request) -> str:
        said = word(request)
        return said if said == "OK" or int(said) >= words else "beep"

    return mini(answer)


@pytest.fixture
def own(pytester: pytest.Pytester) -> pytest.Pytester:
    pytester.makeini("[pytest]\n")
    (pytester.path / "own.yaml").write_text(POLICY)
    (pytester.path / "check_words.py").write_text(CHECK)
    return pytester


def run(own: pytest.Pytester, script: Script, *args: str) -> pytest.RunResult:
    """Try an endpoint."""
    options = ["-p", "no:hypothesispytest", "--policy", "own.yaml"]
    with serving(script) as url:
        return own.runpytest(*options, "--endpoint", url, *args, ".")


#: The files of a baseline of an endpoint that is always right: made once, for it takes seconds.
KEPT: dict[str, bytes] = {}


def first(own: pytest.Pytester) -> Path:
    """A baseline in its place."""
    if not KEPT:
        run(own, wrong(0))
        latest = (own.path / "reports/latest").resolve()
        KEPT.update((each, (latest / each).read_bytes()) for each in FILES)
    folder = own.path / "reports/first-mini"
    folder.mkdir(parents=True)
    for name, content in KEPT.items():
        (folder / name).write_bytes(content)
    return folder


def beside(own: pytest.Pytester, script: Script, *args: str) -> pytest.RunResult:
    """Make a baseline of an endpoint that is always right, and try another beside it."""
    return run(own, script, "--baseline", str(first(own)), *args)


def record(own: pytest.Pytester) -> dict[str, Any]:
    found = json.loads((own.path / "reports/latest/readiness.json").read_text("utf-8"))
    assert isinstance(found, dict)
    return found


def test_a_run_beside_itself_is_ready(own: pytest.Pytester) -> None:
    result = beside(own, wrong(0))
    assert result.ret == pytest.ExitCode.OK
    result.stdout.fnmatch_lines(
        [
            "beside the baseline *-mini (mini, *Z, ready)",
            "· no worse by 5%: 1 of 2 checks show it (it takes 59 trials that agree)",
            "✓ READY*",
        ]
    )
    violations = Draft202012Validator(schema("readiness")).iter_errors(record(own))
    assert [each.message for each in violations] == []
    told = {each["id"]: each for each in record(own)["baseline"]["checks"]}
    assert [told[f"words.{each}"]["shown"] for each in ("repeats", "answers")] == [True, False]


def test_a_candidate_that_is_ready_by_itself_but_worse_is_not_ready(own: pytest.Pytester) -> None:
    result = beside(own, wrong(6))
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(
        [
            "*repeats*54/60*✓ ready*",
            "words.repeats*6/60*0/60*0.016*✗ worse*",
            "1 more*",
            "lost words.repeats w.0: said 'beep'",
            '  before (exchange *) {"content": "0"}',
            '  now    (exchange *) {"content": "beep"}',
            "lost words.repeats w.5: said 'beep'",
            "✗ NOT READY   score 59 of 100*because of the baseline",
        ]
    )
    found = record(own)
    assert (found["verdict"], found["exit_status"], found["score"]) == ("not ready", 1, 59)
    assert [each["verdict"] for each in found["dimensions"]] == ["ready"]
    (compared,) = [each for each in found["baseline"]["checks"] if each["regressed"]]
    assert [each["probe"] for each in compared["items"]] == [f"w.{n}" for n in range(6)]
    assert all(each["exchanges"] and each["baseline_exchanges"] for each in compared["items"])


def test_a_few_losses_that_chance_explains_are_no_regression(own: pytest.Pytester) -> None:
    result = beside(own, wrong(4))
    assert result.ret == pytest.ExitCode.OK
    result.stdout.fnmatch_lines(["words.repeats*4/60*0/60*1*? not shown*"])


def test_a_rule_broken_anew_is_listed_with_both_replies(own: pytest.Pytester) -> None:
    def mute(n: int, request: Request) -> str:
        said = word(request)
        return "" if said == "7" else said

    result = beside(own, mini(mute))
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(
        [
            "words.answers*1/20*0/20*✗ worse*",
            "lost words.answers w.7: said nothing",
            '  before (exchange *) {"content": "7"}',
            "  now    (exchange *) {}",
            "✗ NOT READY*because of words, the baseline",
        ]
    )


@pytest.mark.parametrize(
    ("margin", "status"), [("0.14", pytest.ExitCode.OK), ("0.02", INCONCLUSIVE)]
)
def test_what_must_be_shown_to_be_as_good_and_is_not_is_inconclusive(
    own: pytest.Pytester, margin: str, status: int
) -> None:
    more = f"upgrade: {{non_inferiority: required, margin: {margin}}}\n"
    (own.path / "own.yaml").write_text(POLICY + more)
    run(own, wrong(0))
    result = run(own, wrong(0), "--baseline", "reports/latest")
    assert result.ret == status
    said = {0: "✓ READY*", INCONCLUSIVE: "? INCONCLUSIVE*because of the baseline"}
    result.stdout.fnmatch_lines([said[status]])


def test_a_baseline_made_otherwise_is_refused_before_anything_is_sent(
    own: pytest.Pytester,
) -> None:
    folder = first(own)
    before = sorted(folder.parent.iterdir())
    result = run(own, wrong(0), "--baseline", str(folder), "--seed", "1")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    said = "its seed is 0, and here it is 1"
    result.stderr.fnmatch_lines([f"ERROR: --baseline {folder} cannot be compared: {said}"])
    assert sorted(folder.parent.iterdir()) == before


def test_unsound_evidence_is_built_on_by_nothing(own: pytest.Pytester) -> None:
    folder = first(own)
    evidence = folder / "evidence.jsonl"
    evidence.write_text(evidence.read_text().replace('"outcome": "pass"', '"outcome": "fail"', 1))
    result = run(own, wrong(0), "--baseline", str(folder))
    assert result.ret == UNSOUND
    result.stdout.fnmatch_lines(["*the chain of evidence is broken: evidence.jsonl:* does not *"])
    result.stdout.no_fnmatch_line("*Traceback*")


def test_a_baseline_that_could_not_be_tried_shows_nothing(own: pytest.Pytester) -> None:
    run(own, lambda n, raw: [response(b"<html>")])
    result = run(own, wrong(0), "--baseline", "reports/latest")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: *: no check was tried in that run: choose another"])


def test_another_server_under_the_same_name_is_told(own: pytest.Pytester) -> None:
    def script(n: int, raw: bytes) -> list[bytes | float | None]:
        if raw.startswith(b"GET"):
            return [response(MODELS)]
        said = word(json.loads(raw.partition(b"\r\n\r\n")[2]))
        return [response(completion(said), "200 OK", "Content-Type: application/json", "Server: b")]

    result = beside(own, script)
    assert result.ret == pytest.ExitCode.OK
    result.stdout.fnmatch_lines(["· drift: server:  → b"])
