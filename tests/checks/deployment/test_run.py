"""A run with `--deployment`: what is asked of the servers, the record, and the gate."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import scipy.special

from readiness import checks
from readiness.cli.rescore import rescore
from readiness.mutants.catalog import find
from readiness.mutants.deployment import files
from readiness.mutants.endpoint.server import WEBUI, serving
from tests.user_checks import alone

# pytester forgets what a run has imported, and numpy cannot be imported twice.
assert scipy.special
WHERE = f"{Path(checks.__file__).parent}/deployment/checks.py"


def record(own: pytest.Pytester) -> dict[str, Any]:
    found = json.loads((own.path / "reports/latest/readiness.json").read_text("utf-8"))
    assert isinstance(found, dict)
    return found


def run(own: pytest.Pytester, flaw: str, *options: str) -> pytest.RunResult:
    """Run the dimension against a mutant, beside its files and in front of its web interface."""
    own.makeini("[pytest]\n")
    (own.path / "own.yaml").write_text(alone("deployment"))
    deploy = own.path / "deploy"
    deploy.mkdir()
    find(flaw).change_deployment(files.write(deploy))
    with serving(flaw) as url:
        root = url.removesuffix("/v1")
        servers = ("--endpoint", url, "--metrics", f"{root}/metrics", "--webui", f"{root}{WEBUI}")
        given = (*servers, "--policy", "own.yaml", "--deployment", "deploy", *options)
        return own.runpytest(WHERE, "-p", "no:hypothesispytest", *given)


def verdicts(own: pytest.Pytester) -> dict[str, str]:
    (row,) = [each for each in record(own)["dimensions"] if each["id"] == "deployment"]
    assert row["gate"] == "required"
    return {each["id"].partition(".")[2]: each["verdict"] for each in row["checks"]}


def test_the_corrected_deployment_is_ready_and_little_is_asked(pytester: pytest.Pytester) -> None:
    assert run(pytester, "reference").ret == pytest.ExitCode.OK
    found = verdicts(pytester)
    assert {name for name, each in found.items() if each != "ready"} == {"watchdog_can_fire"}
    assert sorted(record(pytester)["deployment"]) == [
        "config.json",
        "docker-compose.yml",
        "nginx.conf",
        "webui.env",
    ]
    lines = (pytester.path / "reports/latest/evidence.jsonl").read_text("utf-8").splitlines()
    entries = [each for line in lines if (each := json.loads(line))["kind"] == "exchange"]
    own = [each for each in entries if each["check"].startswith("deployment.")]
    assert sorted((each["method"], each["path"]) for each in own) == [
        ("GET", "/../version"),
        ("GET", "/api/config"),
    ]


def test_a_run_is_rescored_without_its_files(
    pytester: pytest.Pytester, capsys: pytest.CaptureFixture[str]
) -> None:
    run(pytester, "deployment_logs_without_end")
    latest = pytester.path / "reports/latest"
    policy = ["--policy", str(pytester.path / "own.yaml")]
    assert rescore([str(latest), *policy]) == 0
    assert "; 28 were taken as recorded" in capsys.readouterr().out


def test_what_was_opened_by_hand_is_held_against_the_files(pytester: pytest.Pytester) -> None:
    flaw = "deployment_sign_up_opened_by_hand"
    result = run(pytester, flaw)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    found = verdicts(pytester)
    assert {name for name, each in found.items() if each == "not ready"} == {
        "webui_runs_as_declared"
    }
    (row,) = [each for each in record(pytester)["dimensions"] if each["id"] == "deployment"]
    (reason,) = [each["reasons"] for each in row["checks"] if each["verdict"] == "not ready"]
    assert reason[0]["reason"].startswith(
        "webui.env:3: ENABLE_SIGNUP=false is declared, and /api/config tells true: "
    )


def test_a_file_that_is_wrong_is_a_usage_error(pytester: pytest.Pytester) -> None:
    result = run(pytester, "reference", "--deployment", "nowhere.yml")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*--deployment: nowhere.yml: no such file or folder*"])
