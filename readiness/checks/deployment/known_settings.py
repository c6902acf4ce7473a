"""Which options and variables a version of a program reads, by fixtures/deployment/."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from readiness.resources import fixture


@dataclass(frozen=True)
class Names:
    """Names of one kind, as the versions that were read have them.

    Args:
        versions: The versions that were read, the oldest first.
        table: Each name with stretches of versions, and the values that it takes there.
    """

    versions: Sequence[str]
    table: Mapping[str, Sequence[str]]

    @property
    def newest(self) -> str:
        """The newest version that was read."""
        return self.versions[-1]

    def was_read(self, version: str) -> bool:
        """Whether a version was read, so that a name that is not listed does not exist there."""
        return version in self.versions

    def ever(self, name: str) -> bool:
        """Whether any version that was read has a name."""
        return name in self.table

    def has(self, name: str, version: str) -> bool | None:
        """Whether a version has a name; None where it was not read, and those next to it lack it.

        "" is a version that nobody tells: probably the newest one.
        """
        if self.was_read(version):
            return self._stretch(name, version) is not None
        return all(self._stretch(name, each) for each in self._nearest(version)) or None

    def values(self, name: str, version: str) -> Sequence[str]:
        """The values that an option takes; none where it takes any.

        Of a version that was not read, those of the versions next to it.
        """
        listed = [(self._stretch(name, each) or "").split()[1:] for each in self._nearest(version)]
        return sorted({value for each in listed for value in each}) if all(listed) else ()

    def _nearest(self, version: str) -> Sequence[str]:
        """A version if it was read, else those next to it; "" is probably the newest one."""
        if self.was_read(version):
            return (version,)
        older = [each for each in self.versions if not version or _order(each) < _order(version)]
        newer = [each for each in self.versions if version and _order(each) > _order(version)]
        return (*older[-1:], *newer[:1])

    def _stretch(self, name: str, version: str) -> str | None:
        for stretch in self.table.get(name, ()):
            first, last = stretch.split()[0].split("-")
            if _order(first) <= _order(version) <= _order(last):
                return stretch
        return None


def _order(version: str) -> tuple[int, ...]:
    return tuple(int(each) for each in re.findall(r"\d+", version))


@cache
def names(program: str, kind: str) -> Names:
    """The names of a kind (`options`, `variables`, `commands`, `architectures`) of a program."""
    table = fixture(f"deployment/{program}.yaml")
    return Names(table["versions"], table[kind])
