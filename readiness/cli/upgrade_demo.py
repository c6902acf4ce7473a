"""`python -m readiness.cli.upgrade_demo`: an upgrade that must be stopped, from plan to comment."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from readiness.mutants.catalog import mutants
from readiness.mutants.endpoint.server import serving

CHECKS = "readiness.checks.tool_calling"
CANDIDATE = "tool_drops_3_in_100"
READY, NOT_READY = 0, 1


def main() -> int:
    """Tell the story; 0 where it ends as it must."""
    with tempfile.TemporaryDirectory(prefix="readiness-") as name:
        policy = _tools_alone(Path(name))
        reports = Path("reports").resolve()
        fixed = ["--policy", str(policy), "--reports", str(reports), "-p", "no:cacheprovider", "-q"]
        ends = [due == status for due, status in _story(reports / "latest", fixed)]
    print(f"\n=== {sum(ends)} of {len(ends)} steps ended as they must", flush=True)
    return 0 if all(ends) else 1


def _story(latest: Path, fixed: Sequence[str]) -> list[tuple[int, int]]:
    """What each step must end with, and what it ended with."""
    with serving() as url:
        _say("the plan: what would be sent")
        ends = [(READY, _run(url, [*fixed, "--plan"]))]
        _say("the baseline: what runs today")
        ends.append((READY, _run(url, fixed)))
        baseline = ["--baseline", str(latest.resolve())]
        _say("the same once more: nothing has changed, and nothing alarms")
        ends.append((READY, _run(url, [*fixed, *baseline])))
    _say("the candidate: it drops 3 % of the tool calls")
    with serving(CANDIDATE) as url:
        ends.append((NOT_READY, _run(url, [*fixed, *baseline])))
    _say("the comment on the change")
    print((latest / "comment.md").read_text("utf-8"))
    return ends


def _tools_alone(folder: Path) -> Path:
    """A policy that leaves out all other dimensions, so that this takes half a minute."""
    others = {flaw.dimension for flaw in mutants()} - {"", "tool_calling"}
    said = {
        "schema": "readiness-policy/1",
        "extends": "article",
        "dimensions": {each: {"gate": "off"} for each in sorted(others)},
    }
    path = folder / "tools.yaml"
    path.write_text(json.dumps(said), "utf-8")  # JSON is YAML.
    return path


def _run(url: str, options: Sequence[str]) -> int:
    command = ["-m", "pytest", "--pyargs", CHECKS, "--endpoint", url, *options]
    status = subprocess.run([sys.executable, *command], check=False).returncode
    print(f"exit status {status}", flush=True)
    return status


def _say(what: str) -> None:
    print(f"\n=== {what}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
