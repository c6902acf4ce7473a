"""What keeps a run from being ready is said before anything is sent."""

from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from readiness.checks.api.check_errors import malformed_json_rejected
from readiness.checks.license.checks import commercial_use_permitted
from readiness.checks.stability.checks import abort_isolation, no_leak_after_aborts
from readiness.cli.obstacles import obstacles
from readiness.cli.options import OPTIONS
from readiness.policy.plan import plan
from readiness.policy.policy import load
from readiness.reporters import conclusions
from tests.user_checks import alone, prepare, record, run, wrong

CHECKS = [malformed_json_rejected, commercial_use_permitted, abort_isolation, no_leak_after_aborts]
AWAY = "https://host/v1"


def said(policy: str = "article", profile: str = "ci", **given: Any) -> Sequence[str]:
    values = {each.dest: each.default for each in OPTIONS}
    option = Namespace(**{**values, "endpoint": AWAY, "profile": profile, **given})
    rules = load(Path(policy))
    found = list(obstacles(option, rules, plan(CHECKS, rules, profile, 0)))
    return [each for each in found if "not to be tried" not in each]


def test_the_built_in_policy_needs_evidence_that_nobody_has_given() -> None:
    assert said() == [
        "this run cannot be ready: license needs --license-evidence PATH, "
        "or --policy hosted where the weights are another's",
        "not assessed without --metrics URL: stability.no_leak_after_aborts",
    ]


@pytest.mark.parametrize(
    "given",
    [
        {"policy": "hosted"},
        {"license_evidence": [Path("a")], "metrics": "http://host/metrics"},
        {"license_evidence": [Path("a")], "endpoint": "http://127.0.0.1:9/v1"},
        {"endpoint": "embedded"},
    ],
)
def test_nothing_is_missing_where_it_is_given_or_advises(given: dict[str, Any]) -> None:
    assert said(**given) == []


def test_a_smoke_run_says_that_it_shows_defects_only() -> None:
    assert said(profile="smoke", endpoint="embedded") == [
        "profile smoke shows defects, never readiness: --profile ci shows both"
    ]


def test_a_selection_is_no_whole_run() -> None:
    rules = load()
    option = Namespace(**{each.dest: each.default for each in OPTIONS})
    first = next(obstacles(option, rules, plan([malformed_json_rejected], rules, "ci", 0)))
    assert first.startswith("this run cannot be ready: required and not to be tried: license, ")


def test_it_is_said_before_the_endpoint_is_asked_and_the_score_leaves_it_out(
    pytester: pytest.Pytester,
) -> None:
    own = prepare(pytester)
    (own.path / "own.yaml").write_text(alone("license"))
    result = run(own, wrong(0))
    assert result.ret == 10
    lines = result.outlines
    at = lines.index("! this run cannot be ready: required and not to be tried: license")
    assert at < next(n for n, line in enumerate(lines) if line.startswith("✓ ready"))
    found = record(own)
    scores = {each["id"]: each["score"] for each in found["dimensions"]}
    assert (scores, found["score"]) == ({"license": None, "words": 100}, 89)
    assert conclusions.scores(found) == [100]
