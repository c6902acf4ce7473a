"""The installed wheel, without a checkout."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from readiness.mutants.endpoint.server import serving
from tests import ROOT


@pytest.mark.slow
def test_the_wheel_runs_in_an_empty_folder(tmp_path: Path) -> None:
    site, elsewhere = tmp_path / "site", tmp_path / "elsewhere"
    elsewhere.mkdir()
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-compile"]
    build = ["--no-build-isolation", "--target", str(site), str(ROOT)]
    subprocess.run([*pip, *build], check=True, cwd=tmp_path)
    pytest_ = [sys.executable, "-P", "-m", "pytest", "--pyargs", "readiness"]
    with serving() as url:
        run = subprocess.run(
            [*pytest_, "--endpoint", url, "--profile", "smoke", "--seed", "0"],
            cwd=elsewhere,
            env={**os.environ, "PYTHONPATH": str(site)},
            stdout=subprocess.PIPE,
            text=True,
        )
    assert run.returncode == 10, run.stdout
    assert "! profile smoke shows defects, never readiness" in run.stdout
    assert (elsewhere / "reports/latest/readiness.json").is_file()
    assert str(ROOT / "readiness") not in run.stdout
