"""`readiness report --allure`: Allure's page where available, without outside resources."""

from pathlib import Path

import pytest

from readiness.evidence.run_folder import differences
from readiness.reporters.allure_report import closed
from tests.example_records import run
from tests.reporters.test_surfaces import command

MADE = """<!DOCTYPE html><html><head><title>Allure</title></head><body>
<script src="data:text/javascript;base64,MQ=="></script>
<script async src="https://www.googletagmanager.com/gtag/js?id=G-1"></script></body></html>"""


def npx(folder: Path, script: str) -> None:
    """A program of that name, which is asked to make a page in allure-report/."""
    folder.mkdir()
    (folder / "npx").write_text(f"#!/bin/sh\n{script}\n")
    (folder / "npx").chmod(0o755)


def test_without_npx_one_line_says_so_and_all_else_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = run(tmp_path / "run")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert command(monkeypatch, "report", folder, "--allure") == 0
    assert capsys.readouterr().out.splitlines()[-1:] == [
        "no Allure page: there is no npx; readiness.html has the verdict anyway",
    ]


def test_allures_page_asks_for_nothing_from_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = run(tmp_path / "run")
    (tmp_path / "made.html").write_text(MADE)
    npx(tmp_path / "bin", f"mkdir allure-report; cp {tmp_path}/made.html allure-report/index.html")
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    assert command(monkeypatch, "report", folder, "--allure") == 0
    page = (folder / "allure-report/index.html").read_text("utf-8")
    assert "googletagmanager" not in page
    assert '<script src="data:text/javascript;base64,MQ=="></script>' in page
    assert page.index("Content-Security-Policy") < page.index("<title>")
    assert list(differences(folder)) == []


def test_a_failure_of_allure_is_reported_with_its_last_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = run(tmp_path / "run")
    npx(tmp_path / "bin", "echo no such package >&2; exit 7")
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    assert command(monkeypatch, "report", folder, "--allure") == 0
    last = capsys.readouterr().out.splitlines()[-1]
    assert last == "no Allure page: allure@3.18.0 ended with 7: no such package"


def test_what_allure_declares_is_there_before_its_page_starts() -> None:
    assert closed("<head>x").endswith("window.allureReportData={}</script>x")
