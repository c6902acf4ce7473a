"""The seed of a run: drawn and recorded, or that of the run which it repeats."""

from __future__ import annotations

import json

import pytest

from tests.miniature import Request, mini
from tests.scripted_server import Script, serving
from tests.user_checks import prepare, record, word

OPTIONS = ("-p", "no:hypothesispytest", "--policy", "own.yaml")


class ResponseCache:
    """A cache of responses in front of a model, which may die."""

    def __init__(self) -> None:
        self.kept: dict[str, str] = {}
        self.alive = True

    @property
    def script(self) -> Script:
        return mini(self._answer)

    def _answer(self, _n: int, request: Request) -> str:
        key = json.dumps(request["messages"])
        if self.alive:
            self.kept[key] = word(request)
        return self.kept.get(key, "")


@pytest.fixture
def own(pytester: pytest.Pytester) -> pytest.Pytester:
    return prepare(pytester)


def tried(own: pytest.Pytester, script: Script, *options: str) -> tuple[int, int]:
    """The exit status and the seed of a run."""
    with serving(script) as url:
        result = own.runpytest(*OPTIONS, "--endpoint", url, *options, ".")
    return int(result.ret), record(own)["seed"]


def test_a_dead_model_behind_a_cache_that_has_seen_an_earlier_run_is_not_ready(
    own: pytest.Pytester,
) -> None:
    cache = ResponseCache()
    status, seed = tried(own, cache.script)
    assert status == 0
    cache.alive = False
    # By the same seed, the cache answers for it.
    assert tried(own, cache.script, "--seed", str(seed)) == (0, seed)
    status, drawn = tried(own, cache.script)
    assert (status, drawn == seed) == (1, False)


def test_a_run_beside_a_baseline_and_a_resumed_one_have_its_seed(own: pytest.Pytester) -> None:
    script = ResponseCache().script
    _, seed = tried(own, script)
    folder = (own.path / "reports/latest").resolve()
    assert tried(own, script, "--baseline", str(folder)) == (0, seed)
    assert tried(own, script, "--baseline", str(folder / "readiness.json")) == (0, seed)
    with serving(script) as url:
        endpoint = [*OPTIONS, "--endpoint", url]
        assert own.runpytest(*endpoint, "--max-requests", "40", ".").ret == 10
        before = record(own)["seed"]
        folder = (own.path / "reports/latest").resolve()
        assert own.runpytest(*endpoint, "--resume", str(folder), ".").ret == 0
    assert record(own)["seed"] == before


def test_a_run_that_is_not_there_is_named_as_before(own: pytest.Pytester) -> None:
    with serving(ResponseCache().script) as url:
        result = own.runpytest(*OPTIONS, "--endpoint", url, "--baseline", "absent", ".")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(
        ["ERROR: --baseline absent: there is none: name the folder of a run"]
    )
