"""`readiness show`: what was asked, what came, why it failed, and a command that sends it again."""

import json
import shlex
from dataclasses import replace
from pathlib import Path

import pytest

from readiness.cli.show import exchange_lines, show
from readiness.evidence.log import summarise_exchange
from readiness.evidence.printable import escape_unprintable
from readiness.evidence.redaction import Secrets
from tests.exchanges import came
from tests.miniature import Request, mini
from tests.scripted_server import Script, serving
from tests.user_checks import prepare, word, wrong

HOSTILE = "\x1b[2J\u202e<script>\nsecond line"


@pytest.fixture
def own(pytester: pytest.Pytester) -> pytest.Pytester:
    return prepare(pytester)


def tried(own: pytest.Pytester, script: Script) -> None:
    options = ["-p", "no:hypothesispytest", "--policy", "own.yaml", "--seed", "0"]
    with serving(script) as url:
        own.runpytest(*options, "--endpoint", url, "--keep-going", ".")


def shown(capsys: pytest.CaptureFixture[str], *args: str) -> list[str]:
    capsys.readouterr()
    assert show(["reports/latest", *args]) == 0
    return capsys.readouterr().out.splitlines()


def test_a_check_shows_its_failures_with_request_reply_score_and_command(
    own: pytest.Pytester, capsys: pytest.CaptureFixture[str]
) -> None:
    tried(own, wrong(20))
    lines = shown(capsys, "words.repeats")
    assert lines[0] == "words.repeats: 20 of 60 trials did not pass"
    first = next(n for n, line in enumerate(lines) if line.startswith("w.0: fail: said 'beep 0'"))
    assert lines[first + 3] == "user: Repeat: word 0 0"
    assert "assistant: beep 0" in lines
    assert sum(line.startswith("w.") for line in lines) == 3
    assert lines[-1] == "17 more: --all shows every trial"
    assert sum(line.startswith("w.") for line in shown(capsys, "words.repeats", "--all")) == 60


def test_a_trial_that_was_made_when_the_run_was_resumed_is_shown_once(
    own: pytest.Pytester, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["-p", "no:hypothesispytest", "--policy", "own.yaml", "--seed", "0"]
    with serving(wrong(1)) as url:
        own.runpytest(*options, "--endpoint", url, "--max-requests", "30", ".")
        before = shown(capsys, "words.repeats")[0]
        own.runpytest(*options, "--endpoint", url, "--resume", "reports/latest", ".")
    did, left = before.removeprefix("words.repeats: 1 of ").split(" trials did not pass, ")
    assert int(did) + int(left.removesuffix(" not made")) == 60
    assert shown(capsys, "words.repeats")[0] == "words.repeats: 1 of 60 trials did not pass"


def test_a_hostile_reply_is_safe_to_show(
    own: pytest.Pytester, capsys: pytest.CaptureFixture[str]
) -> None:
    def answer(n: int, request: Request) -> str:
        return HOSTILE if word(request) == "7" else word(request)

    tried(own, mini(answer))
    lines = shown(capsys, "words.repeats")
    assert "assistant: \\x1b[2J\\u202e<script>" in lines
    assert "    second line" in lines
    assert [line for line in lines if line != escape_unprintable(line)] == []


def test_the_command_sends_the_same_request(
    own: pytest.Pytester,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-canary-4711")
    tried(own, wrong(1))
    lines = shown(capsys, "words.repeats")
    words = shlex.split(lines[lines.index("--- again") + 1])
    assert words[:2] == ["curl", "-sS"]
    assert words[2].endswith("/v1/chat/completions")
    assert "Authorization: Bearer $OPENAI_API_KEY" in words
    number = lines[1 + lines.index("")].partition("exchanges: ")[2].rstrip(")")
    assert json.loads(words[-1]) == json.loads(shown(capsys, number, "--request")[0])
    assert "canary" not in "".join(lines)


def test_a_long_request_is_piped(own: pytest.Pytester, capsys: pytest.CaptureFixture[str]) -> None:
    path = own.path / "check_words.py"
    path.write_text(path.read_text().replace("word {n} {seed}", "word {n} {'long ' * 9000}"))
    tried(own, wrong(1))
    lines = shown(capsys, "words.repeats")
    again = lines[lines.index("--- again") + 1]
    assert again.startswith("readiness show reports/latest ")
    assert again.endswith("--data-binary @-")
    assert len(again) < 400
    number = again.split()[3]
    assert len(shown(capsys, number, "--request")[0]) > 45_000


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["nowhere"], "nowhere has no evidence.jsonl: name the folder of a run"),
        (["reports/latest", "words.repeat"], "did you mean words.repeats?"),
        (["reports/latest", "words"], "is a dimension: name one of words.answers, words.repeats\n"),
        (["reports/latest", "100000"], "has no exchange 100000"),
    ],
)
def test_what_is_not_there_is_named(
    own: pytest.Pytester, capsys: pytest.CaptureFixture[str], args: list[str], said: str
) -> None:
    tried(own, wrong(0))
    assert show(args) == 2
    assert said in capsys.readouterr().err


def test_a_run_without_a_choice_shows_its_matrix(
    own: pytest.Pytester, capsys: pytest.CaptureFixture[str]
) -> None:
    tried(own, wrong(0))
    lines = shown(capsys)
    assert any(line.startswith("✓ READY") for line in lines)
    assert lines[-1].startswith("a check's trials: readiness show reports/latest CHECK")


@pytest.mark.parametrize(
    ("path", "shown_path", "sent"),
    [
        ("/chat/completions", "/chat/completions", "http://host/openai/v1/chat/completions"),
        ("/../version", "/version", "http://host/openai/version"),
    ],
)
def test_a_path_beside_the_base_url_is_shown_without_dots(
    path: str, shown_path: str, sent: str
) -> None:
    exchange = replace(came(b"{}", None), path=path, method="GET")
    entry = {"seq": 0, **summarise_exchange(exchange, Secrets([]))}
    lines = list(exchange_lines(entry, {"endpoint": "http://host/openai/v1"}, Path()))
    assert lines[0] == f"--- exchange 0: GET {shown_path}"
    assert lines[-1] == f"curl -sS {sent} -X GET"
