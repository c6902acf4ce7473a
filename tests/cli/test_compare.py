"""`readiness compare`: finished runs as one matrix, offline, with the tests of their changes."""

from pathlib import Path

import pytest

from readiness.cli.compare import compare
from tests.user_checks import CHECK, prepare, run, wrong


@pytest.fixture
def own(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    monkeypatch.setenv("COLUMNS", "200")
    return prepare(pytester)


def tried(own: pytest.Pytester, words: int, *args: str) -> str:
    """The folder of a run in which the first few words are wrong."""
    run(own, wrong(words), "--keep-going", *args)
    return str(Path("reports") / (own.path / "reports/latest").readlink())


def shown(capsys: pytest.CaptureFixture[str], *args: str) -> list[str]:
    capsys.readouterr()
    assert compare(args) == 0
    return [line.rstrip() for line in capsys.readouterr().out.splitlines()]


def test_runs_are_one_matrix_with_a_paired_test(
    own: pytest.Pytester, capsys: pytest.CaptureFixture[str]
) -> None:
    runs = tried(own, 0), tried(own, 20), tried(own, 1)
    lines = shown(capsys, *runs)
    assert [line[:3] for line in lines[:3]] == ["1  ", "2  ", "3  "]
    assert "mini at http://127.0.0.1" in lines[0]
    (row,) = (line for line in lines if line.startswith("  words.repeats"))
    assert row.split("  ")[1:] != []
    assert "✓ 60/60" in row
    assert "✗ 40/60 (−20 +0 of 60, p 1.9e-06!)" in row
    assert "✓ 59/60 (−1 +0 of 60, p 1)" in row
    assert [line for line in lines if line.startswith("  words.answers")] == []
    assert [line for line in shown(capsys, *runs, "--all") if "words.answers" in line] != []


def test_a_page_and_markdown_are_written_where_they_are_wanted(
    own: pytest.Pytester, capsys: pytest.CaptureFixture[str]
) -> None:
    runs = tried(own, 0), tried(own, 20)
    lines = shown(capsys, *runs, "--to", "out", "--lang", "zh")
    assert lines[-1] == "page: out/compare.html"
    text = Path("out/compare.html").read_text("utf-8")
    assert "2 次就绪检验" in text
    assert "words.repeats ≠" in text
    assert "60 次中 −20 +0，p 1.9e-06!" in text
    assert "2 项检查，1 项不同" in text
    assert text.count("<details") == 1
    assert "变化相对于第一次运行" in text
    assert "<script" not in text
    table = Path("out/compare.md").read_text("utf-8")
    assert "| `words.repeats` | ✓ 60/60 | ✗ 40/60 (−20 +0 of 60, p 1.9e-06!) |" in table


def test_other_probes_are_not_paired(
    own: pytest.Pytester, capsys: pytest.CaptureFixture[str]
) -> None:
    first = tried(own, 0)
    (own.path / "check_words.py").write_text(CHECK.replace("Repeat: word {n}", "Repeat: word {n}1"))
    second = tried(own, 200)
    lines = shown(capsys, first, second)
    note = f"· {Path(second).name} shares no probes with {Path(first).name}"
    assert [line for line in lines if line.startswith(note)] != []
    (row,) = (line for line in lines if line.startswith("  words.repeats"))
    assert " p " not in row


@pytest.mark.parametrize(
    ("damage", "status", "said"),
    [("nothing", 2, "nowhere"), ("evidence", 11, "was changed"), ("record", 2, "readiness.json")],
)
def test_a_run_that_cannot_be_read_is_named(
    own: pytest.Pytester, capsys: pytest.CaptureFixture[str], damage: str, status: int, said: str
) -> None:
    whole = tried(own, 0)
    found = Path(tried(own, 0))
    if damage == "evidence":
        lines = (found / "evidence.jsonl").read_bytes()
        (found / "evidence.jsonl").write_bytes(lines.replace(b"word 7", b"word 8", 1))
    if damage == "record":
        (found / "readiness.json").unlink()
    capsys.readouterr()
    assert compare([whole, str(found) if damage != "nothing" else "nowhere"]) == status
    assert said in capsys.readouterr().err


def test_one_run_is_nothing_to_compare(capsys: pytest.CaptureFixture[str]) -> None:
    assert compare(["reports/latest"]) == 2
    assert capsys.readouterr().err.startswith("name two runs or more")
