"""The built-in checks, and those of any module."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from types import ModuleType

from readiness import checks
from readiness.check import Check


def dimensions() -> list[str]:
    """The ids of the built-in dimensions."""
    return [each.name for each in iter_modules(checks.__path__) if each.ispkg]


def built_in_checks(of: Collection[str] = ()) -> list[Check]:
    """The built-in checks of some dimensions, or of all."""
    home = Path(next(iter(checks.__path__)))
    places = ((each.parent.name, each.stem) for each in sorted(home.glob("*/check*.py")))
    return [
        each
        for dimension, module in places
        if not of or dimension in of
        for each in defined_in(import_module(f"{checks.__name__}.{dimension}.{module}"))
    ]


def defined_in(module: ModuleType) -> Iterator[Check]:
    """The checks that a module defines, and not those that it imports."""
    for each in vars(module).values():
        if isinstance(each, Check) and each.attempt.__module__ == module.__name__:
            yield each
