"""The catalog of mutants: the flaws of each dimension's folder, and those of any dimension."""

from __future__ import annotations

import difflib
import pkgutil
from collections.abc import Sequence
from functools import cache
from importlib import import_module

from readiness import mutants as package
from readiness.mutants.flaw import Flaw

HERE, ANY_DIMENSION = f"{package.__name__}.", "any_dimension"
#: The reference endpoint itself.
FLAWLESS = Flaw("reference", "the endpoint without a flaw")


def mutants() -> list[Flaw]:
    """All flaws, sorted by module, in the order of the modules' lists."""
    return [flaw for flaws in _by_module().values() for flaw in flaws]


def folder_of(flaw: Flaw) -> str:
    """The folder that a flaw stands in: a dimension, or `any_dimension`."""
    return next(
        name.removeprefix(HERE).partition(".")[0]
        for name, flaws in _by_module().items()
        if flaw in flaws
    )


@cache
def _by_module() -> dict[str, Sequence[Flaw]]:
    names = sorted(module.name for module in pkgutil.walk_packages(package.__path__, HERE))
    return {name: import_module(name).FLAWS for name in names if _has_flaws(name)}


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
