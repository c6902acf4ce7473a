"""`readiness doctor`: what an endpoint offers and what a run would take, in under ten requests."""

import json

import pytest

from readiness.cli.doctor import doctor
from readiness.mutants.endpoint.server import serving as reference
from tests.miniature import Request, mini
from tests.scripted_server import free_port, response, serving
from tests.user_checks import alone

USAGE = 4


@pytest.fixture(autouse=True)
def one_dimension(pytester: pytest.Pytester) -> None:
    """A policy of one dimension, whose plan takes no time."""
    (pytester.path / "own.yaml").write_text(alone("license"))


def told(capsys: pytest.CaptureFixture[str], url: str, *args: str) -> str:
    capsys.readouterr()
    assert doctor([url, "--policy", "own.yaml", *args]) == 0
    return capsys.readouterr().out


def test_a_server_is_described_with_what_a_run_would_take(
    capsys: pytest.CaptureFixture[str], pytester: pytest.Pytester
) -> None:
    with reference() as url:
        text = told(capsys, url, "--price", "1", "2")
    lines = text.splitlines()
    assert lines[0] == f"endpoint    {url}"
    assert "server      the reference endpoint of this project" in lines
    assert "model       reference of 1 listed, declares a window of 139,264 tokens" in lines
    offered = [line.split() for line in lines[3:7]]
    assert offered == [[name, "yes"] for name in ("stream", "tools", "json_object", "json_schema")]
    assert "profile  trials  prompt tokens  reply tokens  at least min  about USD" in text
    assert [line.split()[0] for line in lines if line[:4].strip() in ("smok", "ci", "full")] == [
        "smoke",
        "ci",
        "full",
    ]
    needed = "! this run cannot be ready: license needs --license-evidence PATH"
    assert any(line.startswith(needed) for line in lines)
    assert lines[-1] == "6 requests were sent"
    assert not (pytester.path / "reports").exists()


def test_what_is_declined_is_told_with_the_server_s_words(
    capsys: pytest.CaptureFixture[str],
) -> None:
    def answer(n: int, request: Request) -> str | tuple[int, str]:
        if "max_completion_tokens" in request or "tools" in request:
            return 400, "no \x1b[2J such parameter"
        return "OK"

    with serving(mini(answer)) as url:
        lines = told(capsys, url).splitlines()
    assert "tools       no: HTTP 400: no \\x1b[2J such parameter" in lines
    assert "json_object yes" in lines
    assert "server      unknown" in lines
    assert lines[-1] == "7 requests were sent"


def test_a_server_is_known_by_who_owns_its_models(capsys: pytest.CaptureFixture[str]) -> None:
    listed = {"object": "list", "data": [{"id": "m", "owned_by": "vllm", "max_model_len": 4096}]}
    answers = mini(lambda n, request: "OK")
    body = json.dumps(listed, separators=(",", ":")).encode()

    def script(n: int, raw: bytes) -> object:
        return [response(body)] if raw.startswith(b"GET") else answers(n, raw)

    with serving(script) as url:  # type: ignore[arg-type]
        assert "server      vLLM" in told(capsys, url).splitlines()


@pytest.mark.parametrize(
    ("args", "status", "said"),
    [
        ([], 12, "cannot be tried: unreachable: "),
        (["--concurrency", "0"], 4, "--concurrency 0: give a whole number, 1 or more"),
        (["--policy", "hostd"], 4, "--policy hostd is neither a file nor built in: did you mean"),
    ],
)
def test_what_is_wrong_is_one_line(
    capsys: pytest.CaptureFixture[str], args: list[str], status: int, said: str
) -> None:
    assert doctor([f"http://127.0.0.1:{free_port()}/v1", *args]) == status
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(said)


def test_a_model_that_is_not_there_is_told_with_those_that_are(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with reference() as url:
        assert doctor([url, "--model", "gpt-9", "--policy", "own.yaml"]) == USAGE
    said = capsys.readouterr().err
    assert said.startswith("no model 'gpt-9' there: HTTP 404: ")
    assert said.endswith(": choose reference with --model\n")


def test_a_key_that_is_needed_is_asked_for(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with reference(key="right") as url:
        assert doctor([url, "--policy", "own.yaml"]) == USAGE
    assert capsys.readouterr().err.endswith(" (none was given: set OPENAI_API_KEY)\n")
