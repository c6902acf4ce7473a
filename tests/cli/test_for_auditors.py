"""The commands of docs/for-auditors.md, as they stand there."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import ROOT

TOOLS = ("jq", "openssl", "sha256sum", "base64")
DOCUMENT = ROOT / "docs/for-auditors.md"
BLOCK = re.compile(r"^ *```console\n(.*?)^ *```$", re.M | re.S)
CHECKS = ("readiness/checks/json_only/checks.py", "readiness/checks/api/check_hostile.py")
#: How many commands the document has: a block that is not found would not be run.
COMMANDS = 18

pytestmark = pytest.mark.skipif(
    not all(map(shutil.which, TOOLS)), reason=f"needs {', '.join(TOOLS)}"
)


def commands() -> Iterator[str]:
    """The commands; one that ends in a pipe goes on in the next line."""
    for block in BLOCK.findall(DOCUMENT.read_text("utf-8")):
        lines = iter(line.strip() for line in block.splitlines())
        for line in lines:
            if not line.startswith("$ "):
                continue
            command = line[2:]
            while command.endswith("|"):
                command += f" {next(lines)}"
            yield command


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which a run of the reference was made, with `readiness` on the path."""
    home = tmp_path_factory.mktemp("auditor")
    (home / "readiness").write_text(
        f'#!/bin/sh\nexec {sys.executable} -m readiness.cli.main "$@"\n'
    )
    (home / "readiness").chmod(0o755)
    serve = [sys.executable, "-m", "readiness.mutants", "--until-eof"]
    with subprocess.Popen(serve, stdin=-1, stdout=-1, text=True, cwd=ROOT) as server:
        assert server.stdout
        assert server.stdin
        url = server.stdout.readline().strip()
        options = ["--profile", "smoke", "--reports", str(home / "reports"), "--endpoint", url]
        plain = ["-q", "-p", "no:hypothesispytest", "-p", "no:cacheprovider"]
        run = [sys.executable, "-m", "pytest", *plain, *CHECKS, *options]
        assert subprocess.run(run, cwd=ROOT, stdout=-1, check=False).returncode == 10
        server.stdin.close()
    return home


def done(home: Path, command: str, cwd: Path) -> str:
    """What a command prints, which must end well."""
    paths = {"PATH": f"{home}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT)}
    environment = {**os.environ, **paths, "RUN": str(home / "reports/latest")}
    shell = ["bash", "-euo", "pipefail", "-c", command]
    ended = subprocess.run(
        shell, cwd=cwd, env=environment, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, f"{command}: {ended.stderr}"
    return ended.stdout


def test_each_command_does_what_is_said(home: Path) -> None:
    run = home / "reports/latest"
    lines = (run / "evidence.jsonl").read_text("utf-8").splitlines()
    large = next(json.loads(each) for each in lines if "zlib_base64" in each)
    all_of_them = [*commands()]
    assert len(all_of_them) == COMMANDS
    steps = [each for each in all_of_them if each.startswith(("jq", "sha256sum"))]
    printed = [
        done(home, each.replace("17", str(large["seq"])), run)
        for each in steps
        if "$RUN" not in each and " payload" not in each
    ]
    assert printed[0].startswith("inconclusive\n")
    assert json.loads(printed[2])["seq"] == large["seq"]
    assert json.loads(printed[3])["model"] == "reference"
    assert printed[4] == "intact\n"
    small = next(each for each in steps if "zlib" in each)
    assert done(home, small.replace("17", "0"), run) == ""
    again = [
        done(home, each, run) for each in all_of_them if re.search(r"(verify|rescore) \.$", each)
    ]
    assert ["the record follows from them" in each for each in again] == [True, True]


def test_a_run_is_signed_and_verified_by_openssl_alone(home: Path) -> None:
    run, all_of_them = home / "reports/latest", [*commands()]
    keys = [each for each in all_of_them if each.startswith(("openssl genpkey", "openssl pkey "))]
    for each in keys:
        done(home, each, home)
        done(home, each.replace("tester", "approver"), home)
    for each in (
        each for each in all_of_them if each.startswith(("readiness sign", "readiness app"))
    ):
        done(home, each, home)
    named = next(each for each in all_of_them if "--key ../.." in each)
    assert "signed by ../../tester.pub, ../../approver.pub" in done(home, named, run.resolve())
    at = next(n for n, each in enumerate(all_of_them) if "$RUN" in each)
    printed = [done(home, each, home) for each in all_of_them[at : at + 5]]
    assert printed[3] == "Signature Verified Successfully\n"
    digests = printed[4].split()
    assert digests[0] == digests[1]
