"""The import order of packages, checked against every import."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from importlib.util import resolve_name
from pathlib import Path

from tests import ROOT

#: The rooms from the top down. Each may import those below it, none above it and, but in the last
#: row, none beside it. `readiness` is the front door: the names that the package gives to users.
ROWS = (
    ("cli",),
    ("reporters", "judge"),
    ("runner",),
    ("checks",),
    ("load", "baseline"),
    ("policy",),
    ("verdict",),
    ("readiness",),
    ("check", "sdk_client"),
    ("chat", "scoring"),
    ("protocol", "evidence", "search", "forms"),
    ("transport",),
    ("statistics", "resources", "probe", "exchange", "reply", "score", "context"),
)
WORDS = {"probe", "exchange", "reply", "score", "context"}
#: What a check is written with, one module each: nothing else is in the root.
ROOT_MODULES = WORDS | {"check", "chat", "sdk_client", "search", "resources"}
#: Rooms that may import less than what is below them: rooms, or single modules of rooms.
ONLY = {
    "runner": {room for row in ROWS[4:] for room in row},
    "checks": WORDS
    | {
        "load",
        "scoring",
        "search",
        "forms",
        "check",
        "chat",
        "sdk_client",
        "protocol",
        "statistics",
        "resources",
    }
    | {"policy.slo", "policy.hardware", "policy.yaml_reader"},
    "readiness": WORDS | {"check", "chat"},
    "check": {"chat", "forms", "probe", "score", "statistics"},
    "sdk_client": {"chat", "exchange", "protocol"},
    "chat": WORDS | {"protocol"},
    "scoring": WORDS | {"protocol"},
    "protocol": WORDS | {"resources"},
    "evidence": WORDS | {"resources"},
    "search": WORDS | {"resources"},
    "forms": WORDS | {"resources"},
    "transport": {"exchange", "score"},
    # Who answers shares no code with who judges, and what is tried knows nothing of who tries it.
    "mutants": {"resources", "verdict.claim"},
    "embedded": set[str](),
}


@dataclass(frozen=True)
class Import:
    """One module of the package imports another.

    Args:
        by: The module that imports, without the name of the package.
        line: Where.
        what: The module that is imported, likewise.
        typing: Whether types alone are imported.
    """

    by: str
    line: int
    what: str
    typing: bool

    def __str__(self) -> str:
        return f"{self.by}:{self.line} imports {self.what}"

    @property
    def lawful(self) -> bool:
        """Whether the order has room for it."""
        (by, *of), (room, *at) = self.by.split("."), self.what.split(".")
        if by == room:
            return by != "checks" or of[:1] == at[:1]
        if self.by == "context" and self.typing:
            return True  # It names the types of what it carries, whoever they belong to.
        return bool({room, self.what} & allowed(by))


def allowed(room: str) -> set[str]:
    """The rooms, or modules of rooms, that a room may import."""
    if room in ONLY:
        return ONLY[room]
    at = next(at for at, row in enumerate(ROWS) if room in row)
    below = {each for row in ROWS[at + 1 :] for each in row}
    if room == "cli":
        return below | {"mutants", "embedded"}
    return below if at < len(ROWS) - 1 else set(ROWS[at])


def modules(package: Path) -> dict[str, Path]:
    """The modules of a package by their names in it; the package itself by its own."""
    found = {}
    for path in package.rglob("*.py"):
        parts = path.relative_to(package).with_suffix("").parts
        found[".".join(each for each in parts if each != "__init__") or package.name] = path
    return found


def imports(package: Path) -> list[Import]:
    """Every import of a package's modules by each other: late ones and those for types, too."""
    known, prefix = modules(package), f"{package.name}."
    found = []
    for by, path in sorted(known.items()):
        own = package.name if by == package.name else f"{prefix}{by}"
        for line, name, typing in _imported(path, own):
            if f"{name}.".startswith(prefix):
                whole = name.removeprefix(prefix)
                what = whole if whole in known else whole.rpartition(".")[0] or package.name
                found.append(Import(by, line, what, typing))
    return found


def _imported(path: Path, own: str) -> Iterator[tuple[int, str, bool]]:
    """The line and the name of what a module imports, and whether that is for types alone."""
    tree = ast.parse(path.read_bytes())
    package = own if path.name == "__init__.py" else own.rpartition(".")[0]
    blocks = (each for each in ast.walk(tree) if isinstance(each, ast.If))
    typed = [each for each in blocks if ast.unparse(each.test).endswith("TYPE_CHECKING")]
    typing = {inner for block in typed for each in block.body for inner in ast.walk(each)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, each.name, node in typing) for each in node.names)
        elif isinstance(node, ast.ImportFrom):
            source = resolve_name("." * node.level + (node.module or ""), package)
            for each in node.names:
                yield node.lineno, f"{source}.{each.name}", node in typing


def cycle(edges: list[Import]) -> list[str]:
    """Modules that import each other in a ring; none where there is no such ring."""
    graph: dict[str, set[str]] = {}
    for each in edges:
        graph.setdefault(each.by, set()).add(each.what)
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        ring: list[str] = error.args[1]
        return ring
    return []


IMPORTS = imports(ROOT / "readiness")


def test_no_import_goes_up() -> None:
    assert [str(each) for each in IMPORTS if not each.lawful] == []


def test_no_modules_import_each_other() -> None:
    # A context names the types of what it carries.
    assert cycle([each for each in IMPORTS if not (each.by == "context" and each.typing)]) == []


def test_every_module_is_in_a_room_and_the_root_has_the_words_alone() -> None:
    names = modules(ROOT / "readiness")
    assert {each for each in names if "." not in each and names[each].name != "__init__.py"} == (
        ROOT_MODULES
    )
    rooms = {room for row in ROWS for room in row} | ONLY.keys()
    assert {each.partition(".")[0] for each in names} == rooms


def test_imports_are_seen_wherever_they_stand(tmp_path: Path) -> None:
    package = tmp_path / "readiness"
    for room in ("score", "runner", "checks/spanish", "checks/api"):
        (package / room).mkdir(parents=True)
        (package / room / "__init__.py").touch()
    (package / "__init__.py").write_text("from readiness import score\n")
    (package / "score" / "late.py").write_text("def f():\n    import readiness.runner\n")
    (package / "checks" / "spanish" / "checks.py").write_text(
        "from typing import TYPE_CHECKING\n"
        "if TYPE_CHECKING:\n    from ..api import probes\n    from . import probes\n"
    )
    found = imports(package)
    assert sorted(str(each) for each in found if not each.lawful) == [
        "checks.spanish.checks:3 imports checks.api",
        "score.late:2 imports runner",
    ]
    assert sorted(str(each) for each in found if each.lawful) == [
        "checks.spanish.checks:4 imports checks.spanish",
        "readiness:1 imports score",
    ]


def test_a_ring_of_imports_is_named() -> None:
    ring = [Import("a", 1, "b", typing=False), Import("b", 2, "a", typing=True)]
    assert set(cycle(ring)) == {"a", "b"}
    assert cycle(ring[:1]) == []
