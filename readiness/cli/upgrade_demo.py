"""`python -m readiness.cli.upgrade_demo`: an upgrade that the gate stops, from plan to comment."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from readiness.mutants.catalog import mutants
from readiness.mutants.endpoint.server import serving

CHECKS = "tool_calling"
CANDIDATE = "tool_drops_3_in_100"
READY, NOT_READY = 0, 1


def main() -> int:
    """Run the demonstration; 0 where every step ends as expected."""
    with tempfile.TemporaryDirectory(prefix="readiness-") as name:
        policy = _tools_only(Path(name))
        reports = Path("reports").resolve()
        fixed = ["--policy", str(policy), "--reports", str(reports), "--seed", "0", "-q"]
        statuses = [expected == status for expected, status in _steps(reports / "latest", fixed)]
    print(f"\n=== {sum(statuses)} of {len(statuses)} steps ended as expected", flush=True)
    return 0 if all(statuses) else 1


def _steps(latest: Path, fixed: Sequence[str]) -> list[tuple[int, int]]:
    """The expected and the actual exit status of each step."""
    with serving() as url:
        _say("the plan: what would be sent")
        statuses = [(READY, _run(url, [*fixed, "--plan"]))]
        _say("the baseline: the model in production")
        statuses.append((READY, _run(url, fixed)))
        baseline = ["--baseline", str(latest.resolve())]
        _say("the baseline again: nothing has changed, and nothing alarms")
        statuses.append((READY, _run(url, [*fixed, *baseline])))
    _say("the candidate: it drops 3 % of the tool calls")
    with serving(CANDIDATE) as url:
        statuses.append((NOT_READY, _run(url, [*fixed, *baseline])))
    _say("the comment on the change")
    print((latest / "comment.md").read_text("utf-8"))
    return statuses


def _tools_only(folder: Path) -> Path:
    """A policy without the other dimensions, so that the demonstration takes half a minute."""
    others = {flaw.dimension for flaw in mutants()} - {"", "tool_calling"}
    policy = {
        "schema": "readiness-policy/1",
        "extends": "article",
        "dimensions": {each: {"gate": "off"} for each in sorted(others)},
    }
    path = folder / "tools.yaml"
    path.write_text(json.dumps(policy), "utf-8")  # JSON is YAML.
    return path


def _run(url: str, options: Sequence[str]) -> int:
    command = ["-m", "readiness.cli.main", "run", url, CHECKS, *options]
    status = subprocess.run([sys.executable, *command], check=False).returncode
    print(f"exit status {status}", flush=True)
    return status


def _say(what: str) -> None:
    print(f"\n=== {what}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
