"""A user's folder with two checks of its own, and endpoints that repeat words."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import rich.live
import rich.progress
import scipy.special

from readiness.evidence import log
from readiness.policy.policy import load
from tests.miniature import Request, mini
from tests.scripted_server import Script, serving

# pytester forgets what a run has imported: numpy cannot be imported twice, nor rich in part, and
# an exception is caught only by the class that it was raised as.
KEPT = (scipy.special, rich.live, rich.progress, log)
POLICY = """
schema: readiness-policy/1
name: own
alpha: 0.05
margin: {smoke: 0.05, ci: 0.05, full: 0.03}
profiles: {smoke: {shows: defects}, ci: {shows: readiness}, full: {shows: readiness}}
dimensions: {}
"""


def alone(dimension: str) -> str:
    """The article's policy for one dimension."""
    others = (each for each in load().dimensions if each != dimension)
    off = "".join(f"  {each}: {{gate: off}}\n" for each in others)
    return f"schema: readiness-policy/1\nname: own\nextends: article\ndimensions:\n{off}"


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
        return said if said == "OK" or int(said) >= words else f"beep {said}"

    return mini(answer)


def prepare(pytester: pytest.Pytester) -> pytest.Pytester:
    """A user's folder with two checks of its own, and a policy without ours."""
    pytester.makeini("[pytest]\n")
    (pytester.path / "own.yaml").write_text(POLICY)
    (pytester.path / "check_words.py").write_text(CHECK)
    return pytester


def run(own: pytest.Pytester, script: Script, *args: str) -> pytest.RunResult:
    """Try an endpoint."""
    options = ["-p", "no:hypothesispytest", "--policy", "own.yaml", "--seed", "0"]
    with serving(script) as url:
        return own.runpytest(*options, "--endpoint", url, *args, ".")


def record(own: pytest.Pytester) -> dict[str, Any]:
    found = json.loads((own.path / "reports/latest/readiness.json").read_text("utf-8"))
    assert isinstance(found, dict)
    return found


@dataclass
class Endpoint:
    """A user's folder, and one endpoint that can be changed between runs."""

    own: pytest.Pytester
    url: str = ""
    script: Script = field(default_factory=lambda: wrong(0))

    def run(self, script: Script, *args: str, seed: int = 0) -> pytest.RunResult:
        """Try the endpoint while it answers so."""
        self.script = script
        options = ["-p", "no:hypothesispytest", "--policy", "own.yaml", "--seed", str(seed)]
        return self.own.runpytest(*options, "--endpoint", self.url, *args, ".")

    @property
    def latest(self) -> Path:
        """The folder of the last run."""
        return (self.own.path / "reports/latest").resolve()


@contextmanager
def one_endpoint(pytester: pytest.Pytester) -> Iterator[Endpoint]:
    """A user's folder with an endpoint whose address stays the same."""
    endpoint = Endpoint(prepare(pytester))
    with serving(lambda n, raw: endpoint.script(n, raw)) as endpoint.url:
        yield endpoint
