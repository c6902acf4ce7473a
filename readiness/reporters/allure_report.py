"""Allure's own page of a run's results, made by Allure 3 where it can be had, and kept offline."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

from readiness.evidence.run_folder import FolderError
from readiness.reporters.allure import FOLDER

ALLURE = "allure@3.18.0"
REPORT = "allure-report"
#: Nothing outside the file: Allure would tell its makers of each time that a report is opened.
_POLICY = (
    "default-src 'none'; script-src 'unsafe-inline' data:; style-src 'unsafe-inline'; "
    "img-src data: blob:; font-src data:; frame-src blob: data:; connect-src data: blob:"
)
_OUTSIDE = re.compile(r"""<script[^>]*\ssrc=["']https?:[^>]*></script>""")
# The page may start before its data is declared, and then fetches what is not there.
_DECLARED = "<script>window.allureReportDataReady=false;window.allureReportData={}</script>"
_LONGEST = 300  # seconds


def write(folder: Path) -> Path:
    """Have Allure make its page of the results in a folder.

    Raises:
        FolderError: Allure cannot be had, or did not make it; the message says why.
    """
    npx = shutil.which("npx")
    if npx is None:
        raise FolderError("no Allure page: there is no npx; readiness.html has the verdict anyway")
    command = [npx, "--yes", ALLURE, "awesome", FOLDER, "--single-file", "--output", REPORT]
    command += ["--group-by", "feature", "--name", "Evidence: the verdict is in readiness.html"]
    try:
        done = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, check=False, timeout=_LONGEST
        )
    except subprocess.TimeoutExpired as error:
        raise FolderError(f"no Allure page: {ALLURE} took more than {_LONGEST} s") from error
    page = folder / REPORT / "index.html"
    if done.returncode or not page.exists():
        last = (done.stderr or done.stdout).strip().rpartition("\n")[2]
        raise FolderError(f"no Allure page: {ALLURE} ended with {done.returncode}: {last}")
    page.write_text(closed(page.read_text("utf-8")), "utf-8")
    return page


def closed(html: str) -> str:
    """Allure's page, without what it would load from elsewhere."""
    meta = f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">{_DECLARED}'
    return _OUTSIDE.sub("", html).replace("<head>", f"<head>{meta}", 1)
