"""The mutation test table: when a mutant is detected, and when a harmless variant stays ready."""

from __future__ import annotations

import json
from dataclasses import replace
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from readiness.cli.kill_table import FoundVerdict, MutantRow, read_row
from readiness.cli.selftest import dimensions_of, flaws_of, report, selftest
from readiness.mutants.catalog import FLAWLESS, find
from readiness.mutants.flaw import Flaw
from readiness.verdict.claim import Gate, Verdict

FENCE = Flaw("fence", "a fence around JSON", "json_only.prompted_json")
HARMLESS = Flaw("crlf", "lines may end in CRLF")
READY, NOT_READY, UNSURE = Verdict.READY, Verdict.NOT_READY, Verdict.INCONCLUSIVE


def row(
    flaw: Flaw, status: int, *found: tuple[str, Verdict], gate: Gate = Gate.REQUIRED
) -> MutantRow:
    """Read a row from a record in which all that is not named is ready."""
    named = {"json_only": READY, "json_only.prompted_json": READY, "spanish": READY, **dict(found)}
    gates = {"json_only": Gate.REQUIRED, "spanish": Gate.REQUIRED, "json_only.prompted_json": gate}
    results = [FoundVerdict(name, verdict, gates[name]) for name, verdict in named.items()]
    dimensions = tuple(each for each in results if "." not in each.id)
    return MutantRow(flaw, status, dimensions, tuple(each for each in results if "." in each.id))


CAUGHT = [("json_only", NOT_READY), ("json_only.prompted_json", NOT_READY)]


def test_a_mutant_that_only_its_own_check_detects_is_caught() -> None:
    assert row(FENCE, 1, *CAUGHT).problems == ()


def test_a_harmless_variant_that_is_ready_is_right() -> None:
    assert row(HARMLESS, 0).problems == ()


def test_a_check_that_only_advises_takes_nothing_along() -> None:
    advised = ("json_only.prompted_json", NOT_READY)
    assert row(FENCE, 0, advised, gate=Gate.ADVISORY).problems == ()


def test_what_is_advice_may_show_in_what_gates_where_that_is_said() -> None:
    found = [("json_only.prompted_json", NOT_READY), ("json_only", NOT_READY)]
    shown = replace(FENCE, elsewhere=("json_only",))
    assert row(shown, 1, *found, gate=Gate.ADVISORY).problems == ()
    assert row(shown, 0, found[0], gate=Gate.ADVISORY).problems == ()
    said = ("exit status 1, not 0",)
    assert row(FENCE, 1, *found, gate=Gate.ADVISORY).problems == said


def test_a_flaw_of_another_dimension_may_show_in_the_whole_run() -> None:
    served = FoundVerdict("api.answers_every_request", NOT_READY, Gate.REQUIRED)
    other = FoundVerdict("api.keep_alive", NOT_READY, Gate.REQUIRED)
    api = FoundVerdict("api", NOT_READY, Gate.REQUIRED)
    own = row(FENCE, 1, *CAUGHT)
    found = replace(own, dimensions=(*own.dimensions, api), checks=(*own.checks, served))
    assert found.problems == ()
    assert replace(found, checks=(*found.checks, other)).problems == ("api is not ready",)
    harmless = replace(found, flaw=HARMLESS)
    assert harmless.problems == ("json_only is not ready", "api is not ready")


@pytest.mark.parametrize(
    ("wrong", "problems"),
    [
        (row(FENCE, 0), ("json_only.prompted_json found nothing", "json_only is not detected")),
        (
            row(FENCE, 10, ("json_only.prompted_json", UNSURE), ("json_only", UNSURE)),
            ("json_only.prompted_json found nothing", "json_only is not detected"),
        ),
        (row(FENCE, 1, *CAUGHT, ("spanish", NOT_READY)), ("spanish is not ready",)),
        (row(FENCE, 0, *CAUGHT), ("exit status 0, not 1",)),
        (row(HARMLESS, 1, *CAUGHT), ("json_only is not ready",)),
        (row(HARMLESS, 10, ("spanish", UNSURE)), ("spanish is inconclusive",)),
        (row(HARMLESS, 3), ("exit status 3, not 0",)),
        (MutantRow(FENCE, 4, (), ()), ("exit status 4 and no record",)),
    ],
)
def test_a_row_that_is_wrong_says_how(wrong: MutantRow, problems: tuple[str, ...]) -> None:
    assert wrong.problems == problems


def test_a_row_is_read_from_the_record_of_a_run(tmp_path: Path) -> None:
    check = {"id": "json_only.prompted_json", "verdict": "not ready", "gate": "required"}
    dimension = {"id": "json_only", "verdict": "not ready", "gate": "required", "checks": [check]}
    record = tmp_path / "readiness.json"
    record.write_text(json.dumps({"schema": "readiness/1", "dimensions": [dimension]}))
    read = read_row(FENCE, 1, record, "")
    assert (read.caught_by, read.problems) == (("json_only.prompted_json",), ())


def test_a_run_of_a_part_is_read_as_far_as_it_was_tried(tmp_path: Path) -> None:
    ids = ("license", "json_only")
    found = [
        {"id": each, "verdict": "not assessed", "gate": "required", "checks": []} for each in ids
    ]
    found[0]["verdict"] = "ready"
    record = tmp_path / "readiness.json"
    record.write_text(json.dumps({"schema": "readiness/1", "dimensions": found}))
    assert read_row(HARMLESS, 10, record, "", ["license"]).problems == ()
    whole = ("json_only is not assessed",)
    assert read_row(HARMLESS, 10, record, "", []).problems == whole


def test_what_is_beside_the_endpoint_is_tried_alone() -> None:
    assert dimensions_of(find("license_rider_at_the_end")) == ["license"]
    assert dimensions_of(find("deployment_three_seconds")) == ["deployment"]
    assert dimensions_of(find("webui_unhealthy")) == ["deployment", "webui"]
    assert dimensions_of(find("smaller_than_shown")) == ["license", "low_resource"]


def test_what_takes_its_time_is_tried_against_what_may_change_it() -> None:
    assert dimensions_of(FLAWLESS) == dimensions_of(find("gzip")) == ()
    assert dimensions_of(find("load_thrashing_at_first")) == ()
    said = ["api", "json_only", "long_context", "memory", "multilingual", "refusal", "spanish"]
    assert dimensions_of(find("json_fence")) == [*said, "tool_calling"]
    told = dimensions_of(find("deployment_another_share_of_memory"))
    assert told == sorted([*said, "tool_calling", "deployment"])


def test_a_run_without_a_record_is_wrong_and_shows_what_it_said(tmp_path: Path) -> None:
    out = StringIO()
    lost = read_row(FENCE, 4, tmp_path / "none.json", "usage error: no such option")
    assert report([lost, row(HARMLESS, 0)], Console(file=out, width=100)) == 1
    assert "fence: exit status 4 and no record\nusage error: no such option" in out.getvalue()
    assert "1 of 2 are as expected" in out.getvalue()


def test_a_run_that_deviates_shows_what_it_said() -> None:
    out = StringIO()
    shown = "✗ spanish.copy: 1 of 1 trials: another language"
    wrong = replace(row(FENCE, 1, *CAUGHT, ("spanish", NOT_READY)), output=shown)
    assert report([wrong], Console(file=out, width=100)) == 1
    assert f"fence: spanish is not ready\n{shown}\n" in out.getvalue()


def test_all_right_is_exit_status_0() -> None:
    assert report([row(FENCE, 1, *CAUGHT), row(HARMLESS, 0)], Console(file=StringIO())) == 0


def test_an_unknown_mutant_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert selftest(["--mutant", "crlff"]) == 2
    assert capsys.readouterr().err.startswith("no mutant is called 'crlff': perhaps crlf")


def test_a_dimension_without_mutants_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert selftest(["--dimension", "nonsense"]) == 2
    assert capsys.readouterr().err == "no mutant is for the dimension 'nonsense'\n"


def test_a_flaw_is_tried_by_the_profiles_that_try_its_check() -> None:
    names = {
        profile: {f.name for f in flaws_of("json_only", profile)} for profile in ("ci", "full")
    }
    assert names["full"] - names["ci"] == {"json_lists_flat", "json_proto_lost"}
    assert "json_fence" in names["ci"]
