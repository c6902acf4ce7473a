"""Labels of undetermined replies: for one reply to one probe, and for every later run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from readiness.score import PASSED, Outcome, Score, failed
from readiness.verdict.labels import Review, ReviewEntry, load
from tests.cli.test_plugin import INCONCLUSIVE, record, run
from tests.miniature import mini
from tests.scripted_server import Script, serving
from tests.user_checks import POLICY

CHECK = '''
from readiness import PASSED, Probe, Score, check
from readiness.score import Outcome

PROBES = [Probe(f"own.{n}", [{"role": "user", "content": f"Say {n}"}], {"n": n}) for n in range(3)]


@check(PROBES)
async def pleases(chat, probe):
    """The endpoint MUST please whoever reads it."""
    reply = await chat(probe.messages)
    unsure = Score(Outcome.UNDETERMINED, f"who knows? {reply.text!r}")
    return unsure if "1" in reply.text else PASSED
'''
UNSURE = Score(Outcome.UNDETERMINED, "who knows?")
SAID = "0123456789abcdef"


@pytest.fixture
def own(pytester: pytest.Pytester) -> pytest.Pytester:
    pytester.makeini("[pytest]\n")
    (pytester.path / "own.yaml").write_text(POLICY)
    (pytester.path / "check_own.py").write_text(CHECK)
    return pytester


def echo(prefix: str = "") -> Script:
    return mini(lambda n, request: prefix + str(request["messages"][-1]["content"]))


def tried(own: pytest.Pytester, script: Script, *args: str) -> pytest.RunResult:
    with serving(script) as url:
        return run(own, url, *args, ".")


def listed(folder: Path) -> list[dict[str, Any]]:
    found = yaml.safe_load((folder / "reports/latest/review.yaml").read_text("utf-8"))
    assert isinstance(found, list)
    return found


def labelled(own: pytest.Pytester, label: str) -> str:
    """The review of the latest run, with all of its entries labelled."""
    entries = [{**entry, "label": label} for entry in listed(own.path)]
    path = own.path / f"{label}.yaml"
    path.write_text(yaml.safe_dump(entries), "utf-8")
    return str(path)


def test_what_no_rule_settles_is_left_to_a_person_who_is_asked_once(own: pytest.Pytester) -> None:
    assert tried(own, echo()).ret == INCONCLUSIVE
    (entry,) = listed(own.path)
    assert {**entry, "said": ""} == {
        "check": "own.pleases",
        "probe": "own.1",
        "said": "",
        "reason": "who knows? 'Say 1'",
        "label": None,
    }
    assert tried(own, echo(), "--review", labelled(own, "pass")).ret == pytest.ExitCode.OK
    assert [entry["label"] for entry in listed(own.path)] == ["pass"]
    check = record(own)["dimensions"][0]["checks"][0]
    assert (check["settled"], check["measures"]) == ([{"probe": "own.1", "by": "review"}], [])


def test_a_label_may_be_that_it_fails(own: pytest.Pytester) -> None:
    tried(own, echo())
    assert tried(own, echo(), "--review", labelled(own, "fail")).ret == 1
    reasons = record(own)["dimensions"][0]["checks"][0]["reasons"]
    why = "settled by review: fail, who knows? 'Say 1'"
    assert [(each["kind"], each["reason"], each["count"]) for each in reasons] == [
        ("settled by review", why, 1)
    ]


def test_a_label_holds_for_the_reply_that_was_read_and_for_no_other(own: pytest.Pytester) -> None:
    tried(own, echo())
    path = labelled(own, "pass")
    assert tried(own, echo("Well: "), "--review", path).ret == INCONCLUSIVE
    assert [entry["label"] for entry in listed(own.path)] == ["pass", None]


def test_nothing_is_written_where_all_is_settled(own: pytest.Pytester) -> None:
    assert tried(own, mini(lambda n, request: f"OK {n}" if n != 1 else "OK")).ret in (0, 10)
    (own.path / "check_own.py").write_text(CHECK.replace('"1" in', '"9" in'))
    tried(own, echo())
    assert not (own.path / "reports/latest/review.yaml").exists()


def begun(path: Path) -> dict[str, Any]:
    """The first line of the evidence."""
    lines = (path / "reports/latest/evidence.jsonl").read_bytes().splitlines()
    first: dict[str, Any] = json.loads(lines[0])
    return first


def test_the_evidence_says_which_review_was_used(own: pytest.Pytester) -> None:
    tried(own, echo())
    first = begun(own.path)
    path = labelled(own, "pass")
    tried(own, echo(), "--review", path)
    again = begun(own.path)
    assert (first["review_sha256"], again["review_sha256"]) == ("", load(Path(path)).digest)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "not YAML"),
        ("- {check: a}", r"'probe' is a required property"),
        ("{}", r"is not of type 'array'"),
        (
            f"- &e {{check: a, probe: b, said: '{SAID}', reason: c, label: maybe}}",
            r"'maybe' is not one of",
        ),
        (
            f"- {{check: a, probe: b, said: '{SAID}', reason: c, label: pass}}\n" * 2,
            f"two entries for b with the reply {SAID}",
        ),
    ],
)
def test_a_review_that_makes_no_sense_is_a_usage_error(
    own: pytest.Pytester, text: str, said: str
) -> None:
    (own.path / "review.yaml").write_text(text)
    result = tried(own, echo(), "--review", "review.yaml")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.re_match_lines([rf"ERROR: --review: .*{said}.*"])


def test_a_review_that_is_not_there_is_a_usage_error(own: pytest.Pytester) -> None:
    assert tried(own, echo(), "--review", "none.yaml").ret == pytest.ExitCode.USAGE_ERROR


@pytest.mark.parametrize("score", [PASSED, failed("wrong"), Score(Outcome.ENDPOINT_ERROR, "500")])
def test_what_a_rule_has_settled_no_label_changes(score: Score) -> None:
    review = Review([ReviewEntry("a.b", "p", SAID, "who knows?", label) for label in ("pass",)])
    assert review.settle("a.b", "p", SAID, score) == score


def test_a_label_is_for_its_check_its_probe_and_its_reply() -> None:
    review = Review([ReviewEntry("a.b", "p", SAID, "who knows?", "pass")])
    why = "settled by review: pass, who knows?"
    settled = Score(Outcome.PASS, why, settled_by="review")
    assert review.settle("a.b", "p", SAID, UNSURE) == settled
    others = [("a.c", "p", SAID), ("a.b", "q", SAID), ("a.b", "p", SAID[::-1]), ("a.b", "p", "")]
    assert [review.settle(*other, UNSURE) for other in others] == [UNSURE] * 4
