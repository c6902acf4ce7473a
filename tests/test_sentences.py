"""No code decides by the words of a message: rewording one changes no verdict."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

PACKAGE = Path(__file__).parents[1] / "readiness"
MODULES = [each for each in sorted(PACKAGE.rglob("*.py")) if "mutants" not in each.parts]
#: What holds a sentence of ours, as an attribute or as a key of a record.
SENTENCES = {"reason", "problem", "detail", "doubt", "doubts", "defects"}
READING = {"startswith", "endswith", "removeprefix", "removesuffix", "partition", "rpartition"}
READING |= {"find", "index", "count", "search", "match", "fullmatch", "findall", "split"}


def shown(*options: str) -> list[tuple[Any, str]]:
    command = [sys.executable, "-m", "tests.reworded", *options]
    done = subprocess.run(command, capture_output=True, check=True, timeout=300, text=True)
    return [(decided, reason) for decided, reason in json.loads(done.stdout)]


def test_rewording_every_reason_changes_nothing_that_is_decided() -> None:
    plain, reworded = shown(), shown("--reworded")
    assert [decided for decided, _ in reworded] == [decided for decided, _ in plain]
    told = [(one, other) for (_, one), (_, other) in zip(plain, reworded, strict=True) if one]
    assert [one for one, other in told if one == other] == []
    assert len(told) > 20
    outcomes = [decided for decided, _ in plain]
    refused = outcomes.index("endpoint error")
    assert outcomes[refused - 1 : refused + 1] == ["pass", "endpoint error"]


def _sentence(node: ast.AST) -> bool:
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "str":
        return any(isinstance(each, ast.Name) and each.id == "error" for each in node.args)
    if isinstance(node, ast.Subscript):
        return isinstance(node.slice, ast.Constant) and node.slice.value in SENTENCES
    if isinstance(node, ast.Attribute) and node.attr == "text":
        return isinstance(node.value, ast.Name) and node.value.id == "defect"
    return isinstance(node, ast.Attribute) and node.attr in SENTENCES


def _decisions(tree: ast.AST) -> Iterator[ast.AST]:
    """The places at which a sentence is compared, or read for its words."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Compare):
            if any(map(_sentence, (node.left, *node.comparators))):
                yield node
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            read = (node.func.value, *node.args)
            if node.args and node.func.attr in READING and any(map(_sentence, read)):
                yield node
        elif isinstance(node, ast.comprehension) and _sentence(node.iter):
            texts = (each for test in node.ifs for each in ast.walk(test))
            yield from (each for each in texts if getattr(each, "attr", "") in ("text", "said"))


def test_no_module_decides_by_the_words_of_a_sentence() -> None:
    found = [
        f"{path.relative_to(PACKAGE)}:{getattr(node, 'lineno', 0)}: {ast.unparse(node)}"
        for path in MODULES
        for node in _decisions(ast.parse(path.read_text("utf-8")))
    ]
    assert found == []


@pytest.mark.parametrize(
    "source",
    [
        'score.reason == "not made"',
        'score.reason.startswith("HTTP 401")',
        'models.problem.startswith(("HTTP 401", "HTTP 403"))',
        "_TOO_LONG.search(error.score.reason)",
        "_CAME.split(score.reason, maxsplit=1)",
        '"too long" in exchange.detail',
        'line["reason"] != SETTLED.reason',
        'str(error).startswith("rate limited")',
        '[each for each in reply.defects if each.text.startswith("no")]',
    ],
)
def test_a_decision_by_words_is_found(source: str) -> None:
    assert len(list(_decisions(ast.parse(source)))) > 0
