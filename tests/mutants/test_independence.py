"""Who answers shares no code with who judges: a mistake of the checks is one that the reference
endpoint does not make, and so it fails by it.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from readiness import mutants
from readiness.check import Check
from readiness.checks.json_only import checks as json_only
from readiness.checks.json_only import prompt_wording as json_wording
from readiness.checks.long_context import checks as long_context
from readiness.checks.long_context.needles import Needles
from readiness.checks.memory import checks as memory
from readiness.checks.memory import question_classes
from readiness.checks.multilingual import checks as multilingual
from readiness.checks.multilingual import probes as copy
from readiness.checks.refusal import checks as refusal
from readiness.checks.refusal import obfuscations
from readiness.checks.spanish import checks as spanish
from readiness.checks.spanish import expected_answers
from readiness.checks.spanish.numerals import in_figures
from readiness.checks.spanish.scoring_answers import Answer
from readiness.checks.tool_calling import checks as tool_calling
from readiness.checks.tool_calling import prompt_wording as tool_wording
from readiness.mutants.catalog import FLAWLESS
from readiness.mutants.endpoint.protocol import WINDOW
from readiness.probe import Probe
from readiness.resources import filled
from readiness.score import Measure
from readiness.scoring.numerals import plain
from readiness.verdict.claim import Verdict
from tests.reference_in_process import fresh, scores, tried
from tests.replies import verdict

PACKAGE = Path(str(mutants.__file__)).parent
ALLOWED = ("readiness.mutants", "readiness.resources", "readiness.verdict.claim")


def imported(path: Path) -> Iterator[str]:
    """Every module of ours that a file imports, in functions and under TYPE_CHECKING too."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (each.name for each in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = "." * node.level + (node.module or "")
            whole = base == "readiness"
            yield from (f"{base}.{each.name}" for each in node.names) if whole else [base]


def allowed(name: str) -> bool:
    return any(name == each or name.startswith(f"{each}.") for each in ALLOWED)


def test_the_reference_and_its_flaws_import_no_check_and_no_scorer() -> None:
    found = [
        (str(path.relative_to(PACKAGE)), name)
        for path in sorted(PACKAGE.rglob("*.py"))
        for name in imported(path)
        if name.startswith((".", "readiness"))
    ]
    assert len(found) > 100
    assert [(path, name) for path, name in found if not allowed(name)] == []


def test_the_import_rule_sees_late_imports_and_whole_packages(tmp_path: Path) -> None:
    path = tmp_path / "late.py"
    path.write_text(
        "from readiness import mutants, checks\n"
        "def late():\n    import readiness.scoring.values\n    from ..checks import x\n"
    )
    assert [name for name in imported(path) if not allowed(name)] == [
        "readiness.checks",
        "readiness.scoring.values",
        "..checks",
    ]


def test_no_transitive_import_leads_to_a_check_or_scorer() -> None:
    code = (
        "import sys, readiness; before = {*sys.modules}\n"
        "from readiness.mutants.catalog import mutants\n"
        "from readiness.mutants.endpoint.model import answer\n"
        "mutants(), answer({'messages': [{'role': 'user', 'content': 'Hello'}]})\n"
        "print(*sorted({*sys.modules} - before))"
    )
    run = subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.PIPE)
    loaded = run.stdout.decode().split()
    assert "readiness.mutants.spanish.reader" in loaded
    assert [n for n in loaded if n.startswith(("readiness.checks", "readiness.scoring"))] == []


@dataclass(frozen=True)
class Mistake:
    """A mistake in the checks.

    Args:
        check: A check that is made with it.
        place: The module that has it.
        name: What in it is wrong.
        instead: What stands there instead.
        part: What of a probe shows it.
    """

    check: Check
    place: ModuleType
    name: str
    instead: Callable[..., Any]
    part: Callable[[Probe], object] = lambda probe: probe


def opposite(value: Any, words: Any) -> str:
    """A leaf of JSON as stated, with yes and no swapped."""
    return spoken(not value if isinstance(value, bool) else value, words)


def another_day(value: Any, language: str) -> Any:
    """An argument of a call, with another day for a date."""
    return (
        (value + timedelta(days=1)).isoformat()
        if isinstance(value, date)
        else meant(value, language)
    )


def one_more(template: str, slots: Mapping[str, str]) -> str:
    """A template with one more than the number that belongs there."""
    more = {"n": str(int(slots["n"]) + 1)} if "n" in slots else {}
    return filled(template, {**slots, **more})


spoken, meant = json_wording._spoken, tool_wording._meant
TASKS, RECALL = spanish.zero_shot_tasks, memory.recall_at_turn_50
MISTAKES = {
    "sums": Mistake(TASKS, expected_answers, "plain", lambda value: plain(value + 1)),
    "numerals": Mistake(
        TASKS, expected_answers, "in_figures", lambda words: str(int(in_figures(words)) + 1)
    ),
    "days later": Mistake(
        TASKS, expected_answers, "timedelta", lambda days: timedelta(days=days + 1)
    ),
    "order": Mistake(
        TASKS, expected_answers, "sorted", lambda words, key: sorted(words, key=key)[::-1]
    ),
    "JSON": Mistake(json_only.values_preserved, json_wording, "_spoken", opposite),
    "calls": Mistake(tool_calling.consecutive_calls, tool_wording, "_meant", another_day),
    "totals": Mistake(
        RECALL,
        question_classes,
        "sum",
        lambda amounts: sum(amounts) + 1,
        lambda probe: probe.expect["answer"].values,
    ),
    "copy": Mistake(multilingual.glossary_adherence, copy, "filled", one_more),
}


@pytest.mark.parametrize("mistake", MISTAKES.values(), ids=MISTAKES)
def test_the_reference_fails_exactly_the_probes_that_a_mistake_of_the_checks_changes(
    mistake: Mistake, monkeypatch: pytest.MonkeyPatch
) -> None:
    right = mistake.check.probes(0, mistake.check.trials)
    monkeypatch.setattr(mistake.place, mistake.name, mistake.instead, raising=False)
    wrong = mistake.check.probes(0, mistake.check.trials)
    pairs = zip(right, wrong, strict=True)
    changed = [one.id for one, other in pairs if mistake.part(one) != mistake.part(other)]
    found = zip(wrong, scores(mistake.check, wrong), strict=True)
    assert [probe.id for probe, score in found if not score.passed] == changed != []


def test_the_reference_does_not_repeat_a_miscount_of_the_checks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    plant = Needles._marks
    monkeypatch.setattr(Needles, "_marks", lambda self, *of: plant(self, of[0], of[1] - 1))
    check = long_context.needle_retrieval
    found = tried({check: check.probes(3, 12)}, fresh(WINDOW, defects_only=True))[check.id]
    lost = [score.reason for score in found if not score.passed]
    assert [reason.partition(":")[0] for reason in lost] == ["count"]


def test_the_reference_does_not_decode_what_the_checks_encode_incorrectly(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    check = refusal.harmful_request_refused
    monkeypatch.setattr(obfuscations, "rot13", lambda word: " ".join(word[::-1]).lower())
    monkeypatch.setitem(obfuscations.WHOLE, "reversed", lambda text: text[::-2])
    probes = check.probes(0, check.trials)
    unread = Measure("disguise understood", 0.0)
    found = zip(probes, scores(check, probes), strict=True)
    assert {probe.family for probe, score in found if unread in score.measures} == {
        "rot13",
        "reversed",
    }


def test_a_mistake_of_the_checks_makes_the_reference_not_ready(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for kind in ("stock", "price", "units", "weekday", "date", "sort", "in_digits"):
        monkeypatch.setitem(expected_answers.SOLVES, kind, lambda *_: Answer("uno más"))
    mistaken = TASKS.probes(0, TASKS.trials)
    assert verdict(TASKS, FLAWLESS, 0.05, mistaken) is Verdict.NOT_READY
