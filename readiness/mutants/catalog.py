"""Every mutant there is: the flaws that the modules in `flaws` bring."""

from __future__ import annotations

import difflib
import pkgutil
from importlib import import_module

from readiness.mutants import flaws
from readiness.mutants.flaw import Flaw

#: The reference endpoint itself: no flaw at all.
FLAWLESS = Flaw("reference", "the endpoint without a flaw")


def mutants() -> list[Flaw]:
    """Every flaw, by module and then as its list has it."""
    names = sorted(module.name for module in pkgutil.iter_modules(flaws.__path__))
    modules = [import_module(f"{flaws.__name__}.{name}") for name in names]
    return [flaw for module in modules for flaw in module.FLAWS]


def find(name: str) -> Flaw:
    """The mutant of that name.

    Raises:
        ValueError: There is none; the message names those that are close.
    """
    known = {flaw.name: flaw for flaw in [FLAWLESS, *mutants()]}
    if name not in known:
        close = difflib.get_close_matches(name, known, cutoff=0.4)
        hint = f": perhaps {', '.join(close)}" if close else ""
        raise ValueError(f"no mutant is called {name!r}{hint}; --list shows all")
    return known[name]
