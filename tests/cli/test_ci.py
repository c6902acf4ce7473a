"""What CI systems get: an exit status, annotations, a badge, a comment, and examples."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest
import yaml

from readiness.cli import options
from readiness.policy.policy import Prices, load
from readiness.reporters.baseline_table import replies
from readiness.reporters.comment import _code
from readiness.score import EndpointError, Outcome
from readiness.transport.budget import UsageBudget
from tests import ROOT
from tests.miniature import Request, mini
from tests.scripted_server import response, serving
from tests.user_checks import POLICY, prepare, record, run, word, wrong

INCONCLUSIVE = 10
HOSTILE = "``` <script>alert(1)</script> [x](http://evil) | %0A\n::error::owned"
CHECKS = """
from readiness import Probe, check, failed

PROBES = [Probe("p", [{{"role": "user", "content": "Hi"}}])]
{checks}
"""
CHECK = """
@check(PROBES)
async def check_{n}(chat, probe):
    "It MUST pass."
    return failed((await chat(probe.messages)).text)
"""


@pytest.fixture
def own(pytester: pytest.Pytester) -> pytest.Pytester:
    return prepare(pytester)


def commands(result: pytest.RunResult) -> list[str]:
    return [line for line in result.outlines if line.startswith("::")]


def test_github_gets_ten_annotations_at_most_and_no_model_can_add_any(
    own: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    made = "".join(CHECK.format(n=n) for n in range(12))
    (own.path / "check_words.py").write_text(CHECKS.format(checks=made))
    found = commands(run(own, mini(lambda n, request: HOSTILE)))
    assert len(found) == 10
    start = "::error title=words.check_0 is not ready::0 of 1 trials passed: ``` <script>"
    assert found[0].startswith(start)
    assert found[0].endswith("| %250A\\n\\x3a:error::owned")


#: Words that are broken at the width of a line, so that any of them may begin one.
COMMANDS = " ".join(f"{'x' * n} ::error::owned ##vso[task.complete]x ##[error]y" for n in range(9))


def test_no_line_holds_a_command_of_another(
    own: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither of the model, nor in the name of a policy, nor in a waiver."""
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    rules = own.path / "own.yaml"
    rules.write_text(rules.read_text().replace("name: own", f"name: {json.dumps(COMMANDS)}"))
    (own.path / "waivers.yaml").write_text(
        "schema: readiness-waivers/1\nwaivers:\n  words.answers:\n"
        f"    {{reason: {json.dumps(COMMANDS)}, owner: {json.dumps('A ' + COMMANDS)}, "
        f"approver: {json.dumps(COMMANDS)}, expiry: 2999-12-31}}\n"
    )
    script = mini(lambda n, request: COMMANDS if n % 2 else "")
    result = run(own, script, "--waivers", "waivers.yaml", "-v")
    assert "owned" in result.stdout.str()
    theirs = [line for line in result.outlines if re.search(r"##\w*\[|^\s*::", line)]
    ours = [line for line in theirs if re.match("::(error|notice|warning) title=words\\.", line)]
    assert [line for line in theirs if line not in ours or "##" in line] == []


def test_annotations_are_for_github_only_and_the_worst_comes_first(
    own: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(own, wrong(0))
    (own.path / "waivers.yaml").write_text(
        "schema: readiness-waivers/1\nwaivers:\n  words.answers:\n"
        "    {reason: known, owner: Ana, approver: Bo, expiry: 2999-12-31}\n"
    )
    args = ["--baseline", "reports/latest", "--waivers", "waivers.yaml"]
    assert commands(run(own, wrong(30), *args)) == []
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    args[1] = str(sorted((own.path / "reports").glob("2*"))[0])
    told = commands(run(own, wrong(30), *args))
    assert [each.partition("::")[2].partition("::")[0] for each in told] == [
        "error title=words.repeats has become worse",
        "error title=words.repeats is not ready",
        "notice title=words.answers is waived",
    ]


def test_a_badge_has_a_date_and_says_what_is_inconclusive(own: pytest.Pytester) -> None:
    run(own, wrong(0), "--max-requests", "20")
    badge = json.loads((own.path / "reports/latest/badge.json").read_text("utf-8"))
    day = record(own)["started"][:10]
    assert badge == {
        "schemaVersion": 1,
        "label": "readiness",
        "message": f"inconclusive · ci · {day}",
        "color": "yellow",
    }


def test_a_comment_shows_replies_as_they_are(own: pytest.Pytester) -> None:
    run(own, wrong(0))
    assert not (own.path / "reports/latest/comment.md").exists()

    def answer(n: int, request: Request) -> str:
        return HOSTILE if word(request) == "7" else word(request)

    run(own, mini(answer), "--baseline", "reports/latest")
    text = (own.path / "reports/latest/comment.md").read_text("utf-8")
    assert "### ready: ` mini ` compared with ` mini `" in text
    assert "| `words.repeats` | 1 of 60 | 0 | 1 | ? not shown |" in text
    assert "\n::" not in text


def test_a_reply_that_was_cut_says_so() -> None:
    item = {"baseline_exchanges": [1], "baseline_reply": "y", "exchanges": [2], "reply": "x" * 240}
    assert replies(item) == ("(exchange 1) y", f"(exchange 2) {'x' * 240}…")


@pytest.mark.parametrize(
    ("text", "shown"),
    [("a", "` a `"), ("`a`", "`` `a` ``"), ("a```b", "```` a```b ````"), ("<b>|*", "` <b>|* `")],
)
def test_what_others_wrote_cannot_end_its_fence(text: str, shown: str) -> None:
    assert _code(text) == shown


def test_a_spent_time_is_inconclusive_and_never_ready(own: pytest.Pytester) -> None:
    result = run(own, wrong(0), "--max-minutes", "0.00001")
    assert result.ret == INCONCLUSIVE
    result.stdout.fnmatch_lines(["cannot be tried: the budget of 1e-05 minutes is spent"])


def test_nothing_is_sent_after_its_time() -> None:
    budget = UsageBudget(max_minutes=1, started=0.0)  # the clock started when the machine did
    with pytest.raises(EndpointError, match="the budget of 1 minutes is spent") as raised:
        budget.require_remaining()
    assert raised.value.score.outcome is Outcome.SKIPPED
    UsageBudget(max_minutes=1).require_remaining()


def test_tokens_are_billed_at_the_policy_s_prices(own: pytest.Pytester) -> None:
    prices = "prices: {prompt: 2, completion: 10, currency: EUR}\n"
    (own.path / "own.yaml").write_text(POLICY + prices)
    result = run(own, wrong(0))
    found = record(own)
    tokens = found["tokens"]
    assert min(tokens["prompt"], tokens["completion"]) >= 5 * 80
    amount = (2 * tokens["prompt"] + 10 * tokens["completion"]) / 1_000_000
    assert found["bill"] == {"amount": pytest.approx(amount), "currency": "EUR"}
    result.stdout.fnmatch_lines([f"bill: {amount:,.4f} EUR for *tokens"])


def test_a_price_requires_nothing_of_a_model(tmp_path: Path) -> None:
    path = tmp_path / "own.yaml"
    path.write_text("schema: readiness-policy/1\nextends: article\n")
    bare = load(path)
    path.write_text(path.read_text() + "prices: {prompt: 1, completion: 2}\n")
    priced = load(path)
    assert priced.digest == bare.digest
    assert (bare.prices, priced.prices) == (None, Prices(1, 2))
    assert Prices(1, 2).cost(3_000_000, 500_000) == 4.0


def steps() -> list[dict[str, Any]]:
    found = yaml.safe_load((ROOT / "action.yml").read_text("utf-8"))["runs"]["steps"]
    assert isinstance(found, list)
    return found


def test_no_input_of_the_action_is_part_of_a_script() -> None:
    assert [step["name"] for step in steps() if "${{" in step["run"]] == []


#: What a workspace may have, that must not be imported beside the key.
STRAY = "import pathlib; pathlib.Path(__file__).with_suffix('.imported').touch()"


#: What no shell may run, or split.
INJECTED = """a'b"; touch owned; $(touch owned) `touch owned`"""


def test_the_action_runs_and_sets_its_outputs(tmp_path: Path) -> None:
    """Its own script, as a runner would run it, without the time to try anything."""
    for name in ("yaml.py", "json.py", "pytest.py", "conftest.py", "aiohttp.py"):
        (tmp_path / name).write_text(STRAY)
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    with serving(mini(lambda n, request: "OK")) as url:
        ran = run_action(tmp_path, ENDPOINT=url, MAX_MINUTES="0.00001", REPORTS="it's; here")
    assert ran.returncode == INCONCLUSIVE, ran.stderr
    assert list(tmp_path.glob("*.imported")) == []
    verdict, score, folder = (tmp_path / "output").read_text().splitlines()
    assert (verdict, score) == ("verdict=inconclusive", "score=0")
    assert Path(folder.partition("=")[2], "readiness.json").exists()


def run_action(workspace: Path, **inputs: str) -> subprocess.CompletedProcess[str]:
    """The action's own script with its inputs, as a runner would run it."""
    interpreter(workspace)
    files = {"GITHUB_OUTPUT": "output", "GITHUB_STEP_SUMMARY": "summary"}
    given = {
        **dict.fromkeys(steps()[1]["env"], ""),
        **{name: str(workspace / file) for name, file in files.items()},
        **{"RUNNER_TEMP": str(workspace), "PROFILE": "smoke", "FAIL_ON": "inconclusive"},
        **inputs,
    }
    return subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", steps()[1]["run"]],
        cwd=workspace,
        env={**os.environ, **given},
        capture_output=True,
        text=True,
        check=False,
    )


def interpreter(workspace: Path) -> None:
    """The action's own environment, where its step `Install` makes it."""
    python = workspace / "readiness/bin/python"
    python.parent.mkdir(parents=True)
    python.write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    python.chmod(0o755)


@pytest.mark.parametrize(
    ("pages", "status", "said"),
    [
        (["summary"], "201 Created", ""),
        (["summary", "comment"], "201 Created", ""),
        (["summary"], "403 Forbidden", "::warning::the result could not be posted to the *\n"),
    ],
)
def test_the_action_posts_the_comment_or_else_the_summary(
    tmp_path: Path, pages: list[str], status: str, said: str
) -> None:
    """A result that cannot be posted changes none."""
    interpreter(tmp_path)
    folder, sent = tmp_path / "it's; here", list[bytes]()
    folder.mkdir()
    for page in pages:
        (folder / f"{page}.md").write_text(f"der {page}: ü\n" + "ü" * 70_000, "utf-8")
    (step,) = (each for each in steps() if each["name"] == "Comment")

    def api(n: int, request: bytes) -> list[bytes | float | None]:
        sent.append(request)
        return [response(b"{}", status)]

    with serving(api) as url:
        given = {"FOLDER": str(folder), "REPOSITORY": "a/b", "NUMBER": "7", "TOKEN": "t"}
        where = {"RUNNER_TEMP": str(tmp_path), "GITHUB_API_URL": url}
        found = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]],
            env={**os.environ, **given, **where},
            capture_output=True,
            text=True,
            check=True,
        )
    assert fnmatch(found.stdout, said)
    (request,) = sent
    head, _, body = request.partition(b"\r\n\r\n")
    assert head.startswith(b"POST /v1/repos/a/b/issues/7/comments HTTP/1.1\r\n")
    assert b"Authorization: Bearer t\r\n" in head
    text = json.loads(body)["body"]
    assert text.startswith(f"der {pages[-1]}: ü\n")
    assert len(text) == 60_000


@pytest.mark.parametrize("name", ["LICENSE_EVIDENCE", "POLICY", "FAIL_ON", "BASELINE", "WAIVERS"])
def test_an_input_of_the_action_is_one_value_of_its_option(tmp_path: Path, name: str) -> None:
    """Whatever it has in it: the shell neither runs nor splits it."""
    ran = run_action(tmp_path, ENDPOINT="http://127.0.0.1:9/v1", **{name: INJECTED})
    assert ran.returncode == 4
    assert "a'b" in ran.stderr + ran.stdout
    assert not (tmp_path / "owned").exists()


def jobs(name: str) -> str:
    return (ROOT / "docs/ci" / name).read_text("utf-8")


@pytest.mark.parametrize(
    ("name", "script"),
    [
        ("gitlab.yml", lambda said: "\n".join(said["readiness"]["script"])),
        (
            "argo.yml",
            lambda said: said["spec"]["metrics"][0]["provider"]["job"]["spec"]["template"]["spec"][
                "containers"
            ][0]["args"][0],
        ),
        ("github.yml", lambda said: said["jobs"]["readiness"]["steps"][3]["run"]),
    ],
)
def test_an_example_is_yaml_with_a_script(name: str, script: Callable[[Any], str]) -> None:
    found = script(yaml.safe_load(jobs(name)))
    assert "${{" not in found
    subprocess.run(["bash", "-n", "-c", found], check=True)


def test_the_examples_use_options_and_inputs_that_there_are() -> None:
    named = {word for file in (ROOT / "docs/ci").iterdir() for word in _options(file)}
    assert {"--profile", "--baseline", "--max-minutes"} <= named <= set(options.SHORT)
    tried = yaml.safe_load(jobs("github.yml"))["jobs"]["readiness"]["steps"]
    (given,) = (each["with"] for each in tried if "/readiness@" in each.get("uses", ""))
    inputs = yaml.safe_load((ROOT / "action.yml").read_text("utf-8"))["inputs"]
    assert given.keys() <= inputs.keys()


def _options(file: Path) -> list[str]:
    """The options of readiness in a file: what stands behind its name, or is set for it."""
    said = re.sub(r"\\?\n\s*(?=--)", " ", file.read_text("utf-8"))
    begins = ("readiness run ", "set -- --")
    lines = [
        line[line.find(each) :] for line in said.splitlines() for each in begins if each in line
    ]
    return [word for line in lines for word in re.findall(r"--[a-z][a-z-]+", line)]


@pytest.mark.nightly
def test_the_story_of_an_upgrade_ends_as_it_must(tmp_path: Path) -> None:
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    command = [sys.executable, "-m", "readiness.cli.upgrade_demo"]
    told = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert told.returncode == 0, told.stdout
    assert told.stdout.count("exit status 0\n") == 3
    assert told.stdout.count("exit status 1\n") == 1
    lost = re.findall(r"- lost ` (\S+) ` of `tool_calling.consecutive_calls`", told.stdout)
    assert len(lost) == 3
