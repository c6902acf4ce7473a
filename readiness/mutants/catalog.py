"""The catalog of mutants: the flaws of each dimension's folder, and those of any dimension."""

from __future__ import annotations

import difflib
import pkgutil
from importlib import import_module

from readiness import mutants as package
from readiness.mutants.flaw import Flaw

HERE, ANY_DIMENSION = f"{package.__name__}.", "any_dimension"
#: The reference endpoint itself.
FLAWLESS = Flaw("reference", "the endpoint without a flaw")


def mutants() -> list[Flaw]:
    """All flaws, sorted by module, in the order of the modules' lists."""
    names = sorted(module.name for module in pkgutil.walk_packages(package.__path__, HERE))
    modules = [import_module(name) for name in names if _has_flaws(name)]
    return [flaw for module in modules for flaw in module.FLAWS]


def _has_flaws(name: str) -> bool:
    package_, _, module = name.removeprefix(HERE).partition(".")
    return module.startswith("flaws") or (package_ == ANY_DIMENSION and bool(module))


def find(name: str) -> Flaw:
    """The mutant of that name.

    Raises:
        ValueError: There is none; the message suggests similar names.
    """
    known = {flaw.name: flaw for flaw in [FLAWLESS, *mutants()]}
    if name not in known:
        close = difflib.get_close_matches(name, known, cutoff=0.4)
        hint = f": perhaps {', '.join(close)}" if close else ""
        raise ValueError(
            f"no mutant is called {name!r}{hint}; python -m readiness.mutants --list shows all"
        )
    return known[name]
