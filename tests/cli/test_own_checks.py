"""A user's own checks: a file that runs, and mistakes that are told with their place."""

import re

import pytest

from readiness.cli.new_check import new_check
from tests.miniature import Request, mini
from tests.scripted_server import serving
from tests.user_checks import CHECK, POLICY, record

ONE = """
from readiness import PASSED, Probe, check, failed
PROBES = [Probe(f"p.{{n}}", [{{"role": "user", "content": {content}}}]) for n in range(30)]

@check(PROBES, required={rate}, trials={trials})
{define} says_so(chat, probe):
    "It MUST say so."
    {body}
"""


@pytest.fixture
def own(pytester: pytest.Pytester) -> pytest.Pytester:
    pytester.makeini("[pytest]\n")
    (pytester.path / "own.yaml").write_text(POLICY)
    return pytester


def run(own: pytest.Pytester, *args: str) -> pytest.RunResult:
    def repeat(n: int, request: Request) -> str:
        return str(request["messages"][-1]["content"]).removeprefix("Repeat: ")

    with serving(mini(repeat)) as url:
        options = ("-p", "no:hypothesispytest", "--policy", "own.yaml", "--endpoint", url)
        return own.runpytest(*options, *args, ".")


def write(
    own: pytest.Pytester,
    body: str = "return PASSED",
    content: str = 'f"{n}"',
    rate: float = 0.9,
    trials: int = 30,
    define: str = "async def",
) -> None:
    made = {"body": body, "content": content, "rate": rate, "trials": trials, "define": define}
    (own.path / "check_mine.py").write_text(ONE.format(**made))


def test_a_new_check_runs_as_it_is_written(
    own: pytest.Pytester, capsys: pytest.CaptureFixture[str]
) -> None:
    assert new_check(["check_tone.py"]) == 0
    assert "readiness run URL check_tone.py tries it" in capsys.readouterr().out
    assert run(own).ret == 0
    (dimension,) = record(own)["dimensions"]
    assert (dimension["id"], dimension["checks"][0]["passed"]) == ("tone", 42)
    assert new_check(["tone"]) == 2
    assert capsys.readouterr().err == "check_tone.py: File exists\n"


@pytest.mark.parametrize("name", ["2nd", "class", "../up", "a b"])
def test_a_name_that_no_module_can_have_is_refused(
    own: pytest.Pytester, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert new_check([name]) == 2
    assert "as in tone" in capsys.readouterr().err
    assert list(own.path.glob("check_*")) == []


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (
            "assert False, 'not so'",
            r"check_mine\.py:8: an assert ends mine\.says_so: return PASSED, or",
        ),
        ("return True", r"check_mine\.py:5: mine\.says_so returned True: return PASSED, or failed"),
        (
            "await chat(probe.messages)",
            r"check_mine\.py:5: mine\.says_so returned None: return PAS",
        ),
    ],
)
def test_what_is_no_score_is_told_with_its_place(
    own: pytest.Pytester, body: str, said: str
) -> None:
    write(own, body)
    result = run(own)
    assert result.ret == pytest.ExitCode.INTERNAL_ERROR
    assert [line for line in result.outlines if re.search(said, line)] != []
    assert "Traceback" not in result.stdout.str()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"content": '"Hi"'}, "*ValueError: mine.says_so: probes p.0 and p.1 are equal: *"),
        ({"trials": 60}, "*ValueError: mine.says_so asks for 60 trials and has 30 probes: *"),
        ({"define": "def"}, "*TypeError: */check_mine.py:5: mine.says_so waits for replies: *"),
    ],
)
def test_a_check_that_would_show_nothing_is_refused_when_it_is_defined(
    own: pytest.Pytester, changes: dict[str, str], said: str
) -> None:
    write(own, **changes)  # type: ignore[arg-type]
    result = run(own)
    assert result.ret == pytest.ExitCode.INTERRUPTED
    result.stdout.fnmatch_lines([said])


def test_a_generator_of_equal_probes_is_refused_before_anything_is_sent(
    own: pytest.Pytester,
) -> None:
    made = CHECK.replace("Repeat: word {n} {seed}", "Repeat: word {n // 2}")
    (own.path / "check_words.py").write_text(made.replace('{"word": f"{n}"}', "{}"))
    result = run(own)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: words.repeats: probes w.0 and w.1 are equal: *"])
