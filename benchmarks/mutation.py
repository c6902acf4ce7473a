"""Mutation testing of the judge: do its own tests see a comparison turned, or a constant changed?

    python -m benchmarks.mutation [--sample N] [--seed S] [readiness/verdict/claim.py …]

Cosmic Ray makes the mutants. Each is tried in a process of its own, forked from one that has
collected the tests of its package, by those that execute its line, the quickest first, but for
tests that start a run of their own; no file is changed: the function's code is replaced in place.
What stands outside all functions (constants, fields and their defaults) is not mutated. Survivors
are printed as they are found; those of equivalent_mutants.yaml are known to change no behaviour. A
mutant is caught where a test fails, or takes more of the processor than it may; one that only waits
is not. Ends with status 1 where fewer than 95 % of those that are not equivalent are caught.
"""

from __future__ import annotations

import argparse
import ast
import gc
import inspect
import os
import pickle
import resource
import signal
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from pathlib import Path
from random import Random
from types import CodeType, FunctionType
from typing import NoReturn

import pytest
import yaml
from cosmic_ray.ast import ast_nodes, get_ast
from cosmic_ray.mutating import mutate_code
from cosmic_ray.plugins import get_operator
from coverage import Coverage
from hypothesis import Phase, settings

from readiness.statistics.proportions import wilson
from tests import ROOT

PACKAGES = ("verdict", "statistics", "scoring", "baseline", "protocol", "evidence")
REQUIRED = 0.95
EQUIVALENT = Path(__file__).with_name("equivalent_mutants.yaml")
#: The functions of modules, by file.
Functions = dict[str, list[FunctionType]]
COMPARISONS = {
    "Lt": ("LtE", "GtE"),
    "LtE": ("Lt", "Gt"),
    "Gt": ("GtE", "LtE"),
    "GtE": ("Gt", "Lt"),
    "Eq": ("NotEq",),
    "NotEq": ("Eq",),
    "Is": ("IsNot",),
    "IsNot": ("Is",),
}
ARITHMETIC = {
    "Add": "Sub",
    "Sub": "Add",
    "Mul": "Div",
    "Div": "Mul",
    "FloorDiv": "Mul",
    "Mod": "Mul",
    "Pow": "Mul",
    "BitAnd": "BitOr",
    "BitOr": "BitAnd",
}
OPERATORS = (
    *(f"ReplaceComparisonOperator_{a}_{b}" for a, found in COMPARISONS.items() for b in found),
    *(f"ReplaceBinaryOperator_{a}_{b}" for a, b in ARITHMETIC.items()),
    "ReplaceAndWithOr",
    "ReplaceOrWithAnd",
    "ReplaceTrueWithFalse",
    "ReplaceFalseWithTrue",
    "ReplaceBreakWithContinue",
    "ReplaceContinueWithBreak",
    "ReplaceUnaryOperator_Delete_Not",
    "ReplaceUnaryOperator_Delete_USub",
    "AddNot",
    "NumberReplacer",
    "ExceptionReplacer",
    "ZeroIterationForLoop",
)
#: Seconds of the processor that a mutant has, beside three times what its tests took.
PATIENCE = 5
#: How many times longer than its processor time a mutant may wait.
IDLE = 60
#: How many examples a property is tried with.
EXAMPLES = 25


@dataclass(frozen=True)
class Mutant:
    """A module with one change: the line that is changed, and the text of the module."""

    path: str
    line: int
    before: str
    after: str
    text: str

    @property
    def key(self) -> tuple[str, str, str]:
        """What names it in the list of equivalent mutants, wherever its line stands."""
        return self.path, self.before, self.after

    def __str__(self) -> str:
        return f"{self.path}:{self.line}\n  - {self.before}\n  + {self.after}"


def mutants(path: str, random: Random) -> Iterator[Mutant]:
    """The mutants of a module in random order, but for those of annotations and of `strict`."""
    source = (ROOT / path).read_text("utf-8")
    tree, behaviour, lines = get_ast(source), _behaviour(source), _lines_of_functions(source)
    places = [
        (operator, number, line)
        for operator in (get_operator(f"core/{name}")() for name in OPERATORS)
        for number, line in enumerate(
            at[0] for node in ast_nodes(tree) for at, _ in operator.mutation_positions(node)
        )
    ]
    for operator, number, line in random.sample(places, len(places)):
        if line in lines:
            text = mutate_code(source, operator, number)
            with suppress(SyntaxError):  # The `*` of a signature is no product.
                if _behaviour(text) != behaviour:
                    yield Mutant(path, line, *_changed(source, text), text)


def _lines_of_functions(source: str) -> set[int]:
    """The lines of the bodies of all functions."""
    return {
        line
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        for line in range(node.body[0].lineno, (node.end_lineno or 0) + 1)
    }


def _behaviour(source: str) -> str:
    """What a module does: its syntax without annotations, and without what `zip` asserts."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.AnnAssign):
            node.annotation = ast.Constant(None)
        elif isinstance(node, ast.arg):
            node.annotation = None
        elif isinstance(node, ast.keyword) and node.arg == "strict":
            node.value = ast.Constant(None)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            node.returns = None
    return ast.dump(tree)


def _changed(source: str, text: str) -> tuple[str, str]:
    """The first line that differs, before and after."""
    pairs = zip(source.splitlines(), text.splitlines(), strict=False)
    before, after = next(each for each in pairs if each[0] != each[1])
    return before.strip(), after.strip()


@dataclass
class Tests:
    """The tests of a package: how long each took, and which execute a line of a module."""

    seconds: dict[str, float] = field(default_factory=dict)
    by_line: dict[tuple[str, int], set[str]] = field(default_factory=dict)

    def of(self, mutant: Mutant) -> list[str]:
        """The tests that execute a mutant's statement, or use its module; the quickest first."""
        lines = _statement(mutant)
        found = set().union(*(self.by_line.get((mutant.path, each), ()) for each in lines))
        if not found:  # It is executed as its module is loaded, if at all.
            at = [tests for (path, _), tests in self.by_line.items() if path == mutant.path]
            found = set().union(*at)
        return sorted(found, key=self.seconds.__getitem__)


def _statement(mutant: Mutant) -> range:
    """The lines of the innermost statement that has a mutant's line, without its body."""
    found = range(mutant.line, mutant.line + 1)
    for node in ast.walk(ast.parse((ROOT / mutant.path).read_text("utf-8"))):
        if isinstance(node, ast.stmt) and node.lineno <= mutant.line <= (node.end_lineno or 0):
            body = getattr(node, "body", None)
            end = body[0].lineno if body else (node.end_lineno or 0) + 1
            if mutant.line < max(end, node.lineno + 1):
                found = range(node.lineno, max(end, node.lineno + 1))
    return found


class SameExamples:
    """A plugin of pytest: Hypothesis tries the same examples each time, and remembers none."""

    def pytest_configure(self) -> None:
        """Have it neither search at random, nor shrink what it finds."""
        phases = [Phase.explicit, Phase.generate]
        settings.register_profile(
            "mutation",
            settings.default,
            derandomize=True,
            database=None,
            phases=phases,
            max_examples=EXAMPLES,
        )
        settings.load_profile("mutation")


class Trial(SameExamples):
    """A plugin of pytest: in place of the tests of a package, tries its mutants by them."""

    def __init__(self, folder: str, mutants: Mapping[str, Iterable[Mutant]]) -> None:
        self._folder, self._mutants = folder, mutants
        self.counts: dict[str, Counter[str]] = {path: Counter() for path in mutants}

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Leave out the tests that start a run of their own, which take seconds each."""
        items[:] = [each for each in items if "pytester" not in getattr(each, "fixturenames", ())]

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Try the mutants of each module, and print those that survive, and the counts."""
        items = {each.nodeid: each for each in session.items}
        tests = self._measured(session.items)
        functions, known = functions_of(self._mutants), equivalent()
        # What the collector leaves alone is not copied for each child.
        gc.freeze()
        for path, found in self._mutants.items():
            for mutant in found:
                names = tests.of(mutant)
                child = partial(_fails, mutant, functions, [items[each] for each in names])
                seconds = PATIENCE + 3 * sum(map(tests.seconds.__getitem__, names))
                status = forked(child, seconds, self._folder) if names else 0
                caught = status not in (0, signal.SIGALRM)
                self._count(mutant, "caught" if caught else "survive", mutant.key in known)
            print(f"{path}: {said(self.counts[path])}", flush=True)
        return True

    def _count(self, mutant: Mutant, outcome: str, known: bool) -> None:
        """Count a mutant, and print it where it survives and nobody knew that it would."""
        if known and outcome == "survive":
            outcome = "equivalent"
        self.counts[mutant.path][outcome] += 1
        if outcome == "survive":
            print(mutant, flush=True)

    def _measured(self, items: Sequence[pytest.Item]) -> Tests:
        """Run all tests once: how long each takes, and which lines it executes.

        Raises:
            SystemExit: They do not pass.
        """
        kept = Path(self._folder, "measured")

        def child() -> int:
            coverage = Coverage(
                data_file=None, include=[str(ROOT / each) for each in self._mutants]
            )
            coverage.start()
            tests = Tests()
            for item in items:
                coverage.switch_context(item.nodeid)
                began = time.process_time()
                if not passes(item):
                    print(f"{item.nodeid} does not pass")
                    return 1
                tests.seconds[item.nodeid] = time.process_time() - began
            coverage.stop()
            for path in self._mutants:
                lines = coverage.get_data().contexts_by_lineno(str(ROOT / path))
                tests.by_line |= {(path, at): {*names} - {""} for at, names in lines.items()}
            kept.write_bytes(pickle.dumps(tests))
            return 0

        patience = PATIENCE * len(items)
        if forked(child, patience, self._folder):
            sys.exit(Path(self._folder, "output").read_text()[-2000:])
        tests: Tests = pickle.loads(kept.read_bytes())
        # No mutant is caught by the order alone.
        ordered = sorted(items, key=lambda each: tests.seconds[each.nodeid])
        if forked(lambda: int(not all(map(passes, ordered))), patience, self._folder):
            sys.exit(Path(self._folder, "output").read_text()[-2000:])
        return tests


def _fails(mutant: Mutant, functions: Functions, items: Sequence[pytest.Item]) -> int:
    """1 where a test fails with a mutant, else 0."""
    change_functions(mutant, functions)
    return int(not all(map(passes, items)))


def passes(item: pytest.Item) -> bool:
    """Run a test, and return whether it passes."""
    failed = item.session.testsfailed
    item.ihook.pytest_runtest_protocol(item=item, nextitem=None)
    return item.session.testsfailed == failed


def run(folder: str, files: Sequence[str], plugin: object) -> int:
    """Run pytest on some files in this process, without the tests for the night."""
    options = ["-q", "-x", "-s", "-m", "not nightly", "-p", "no:cacheprovider"]
    return int(pytest.main([*options, f"--basetemp={folder}/t", *files], plugins=[plugin]))


def forked(work: Callable[[], int], seconds: float, folder: str) -> int:
    """Do some work in a forked process; return its exit status, or its signal.

    Args:
        work: Returns the exit status.
        seconds: How long of the processor it has.
        folder: Where its output is kept, in the file `output`.
    """
    child = os.fork()
    if not child:
        _in_child(work, seconds, folder)
    return abs(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))


def _in_child(work: Callable[[], int], seconds: float, folder: str) -> NoReturn:
    status = 1
    try:
        with Path(folder, "output").open("wb") as output:
            os.dup2(output.fileno(), 1)
            os.dup2(output.fileno(), 2)
        resource.setrlimit(resource.RLIMIT_CPU, (int(seconds), int(seconds) + 1))
        signal.alarm(int(IDLE * seconds))
        status = work()
    finally:
        sys.stdout.flush()
        os._exit(status)


def functions_of(paths: Iterable[str]) -> Functions:
    """The functions of modules as they are loaded, by file."""
    found: Functions = {str(ROOT / path): [] for path in paths}
    for each in gc.get_objects():
        if isinstance(each, FunctionType) and each.__code__.co_filename in found:
            found[each.__code__.co_filename].append(each)
    return found


def change_functions(mutant: Mutant, functions: Functions) -> None:
    """Give the functions of a module their mutant's code."""
    file = str(ROOT / mutant.path)
    source = Path(file).read_text("utf-8")
    before, after = (
        dict(_functions(compile(text, file, "exec"))) for text in (source, mutant.text)
    )
    for function in functions[file]:
        name = _name(function.__code__)
        if before.get(name) != after.get(name, before.get(name)):
            function.__code__ = after[name]


def _functions(code: CodeType) -> Iterator[tuple[tuple[str, int], CodeType]]:
    """The functions of a module and of its classes, but not those within functions."""
    for each in code.co_consts:
        if isinstance(each, CodeType) and each.co_flags & inspect.CO_NEWLOCALS:
            yield _name(each), each
        elif isinstance(each, CodeType):
            yield from _functions(each)


def _name(code: CodeType) -> tuple[str, int]:
    return code.co_qualname, code.co_firstlineno


def equivalent() -> set[tuple[str, str, str]]:
    """The mutants that are known to change no behaviour."""
    found = yaml.safe_load(EQUIVALENT.read_text("utf-8"))
    return {(path, each["before"], each["after"]) for path in found for each in found[path]}


def said(counts: Counter[str]) -> str:
    """The counts of mutants, and the share caught of those that are not equivalent (Wilson)."""
    killable = counts["caught"] + counts["survive"]
    low, high = wilson(counts["caught"], killable)
    return (
        f"{counts.total()} mutants, {counts['caught']} caught, {counts['equivalent']} equivalent, "
        f"{counts['survive']} survive: {share(counts):.1%} ({low:.1%} to {high:.1%})"
    )


def share(counts: Counter[str]) -> float:
    """The share caught of the mutants that are not equivalent; 1 where there are none."""
    killable = counts["caught"] + counts["survive"]
    return counts["caught"] / killable if killable else 1.0


def tried(package: str, found: Mapping[str, Iterable[Mutant]]) -> Counter[str]:
    """Try mutants of a package, by module: how many are caught, equivalent, survive."""
    with tempfile.TemporaryDirectory() as folder:
        trial = Trial(folder, found)
        run(folder, [f"tests/{package}"], trial)
    return sum(trial.counts.values(), Counter())


def modules(given: Sequence[str]) -> dict[str, list[str]]:
    """The modules to mutate, by package."""
    named = given or [f"readiness/{each}" for each in PACKAGES]
    found = defaultdict(list)
    for path in named:
        files = [ROOT / path] if path.endswith(".py") else sorted((ROOT / path).glob("*.py"))
        for each in files:
            found[each.parent.name].append(str(each.relative_to(ROOT)))
    return found


def main(given: Sequence[str]) -> int:
    """Try the mutants, print what survives and the counts, and return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("paths", nargs="*", help="packages or modules; all where none is given")
    parser.add_argument("--sample", type=int, help="how many mutants of each module; all without")
    parser.add_argument("--seed", type=int, default=0, help="of the sample")
    options = parser.parse_args(given)
    status = 0
    for package, paths in modules(options.paths).items():
        found = {
            path: islice(mutants(path, Random(f"{options.seed} {path}")), options.sample)
            for path in paths
        }
        counts = tried(package, found)
        status |= share(counts) < REQUIRED
        print(f"{package}: {said(counts)}", flush=True)
    return int(status)


if __name__ == "__main__":
    os.chdir(ROOT)
    sys.exit(main(sys.argv[1:]))
