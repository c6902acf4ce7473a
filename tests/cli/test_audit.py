"""The audit on the command line."""

import pytest

from readiness.cli.audit import audit


def test_the_articles_claims_are_printed_with_their_arithmetic(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    assert audit([]) == 0
    said = capsys.readouterr().out
    assert said.count("implausible: ") == 8
    assert said.count("consistent") == 4
    assert "360 GB/s ÷ 4.68 GB = 76.9 tokens/s" in said
