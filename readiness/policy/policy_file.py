"""A policy file, held against its schema and put over the policy that it extends."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any

from readiness.policy.yaml_reader import FileLine, KeyPath, PolicyError, Reader
from readiness.resources import PACKAGE, schema, violations

if TYPE_CHECKING:
    from jsonschema import ValidationError

BUILT_IN = PACKAGE / "policy"
CONTROLS = "controls"  # Beside the policies: which clauses the checks are evidence for.


@dataclass(frozen=True)
class PolicyFile:
    """What a policy file says, and in which lines."""

    content: Any
    lines: Mapping[KeyPath, FileLine]

    def line(self, way: KeyPath) -> FileLine:
        """Where a value stands; for one that is missing, what lacks it."""
        return next(self.lines[way[:n]] for n in range(len(way), -1, -1) if way[:n] in self.lines)

    def problem(self, way: KeyPath, text: str) -> str:
        """Say what is wrong with a value, and where."""
        return f"{self.line(way)}: {'.'.join(way) or 'the document'} {text}"

    def over(self, base: PolicyFile) -> PolicyFile:
        """Put what this file says over what another says."""
        return PolicyFile(_merged(base.content, self.content), {**base.lines, **self.lines})


def effective(path: Path) -> PolicyFile:
    """A policy file, put over the one that it extends.

    Raises:
        PolicyError: All that is wrong in the file, in its order, a line for each.
    """
    built_in = sorted(each.stem for each in BUILT_IN.glob("*.yaml") if each.stem != CONTROLS)
    file = read(BUILT_IN / f"{path}.yaml" if str(path) in built_in else path, "policy")
    named = PolicyFile({"name": path.stem} | file.content, file.lines)
    if "extends" not in file.content:
        return named
    base = file.content["extends"]
    if base not in built_in:
        raise PolicyError(file.problem(("extends",), f"is {base!r}: {choose(built_in)}"))
    return named.over(effective(Path(base)))


def unknown(name: str, known: Sequence[str]) -> str:
    """Say that a name is unknown, and which one may have been meant."""
    if not known:
        return "is unknown: there is none to choose"
    near = get_close_matches(name, known, 1)
    return f"is unknown: did you mean {near[0]}?" if near else f"is unknown: {choose(known)}"


def choose(known: Sequence[str]) -> str:
    """Say what there is to choose from."""
    *others, last = known
    return f"choose {', '.join(others)} or {last}" if others else f"choose {last}"


def read(path: Path, kind: str) -> PolicyFile:
    """Read a file and hold it against the schema of its kind: a policy, or waivers.

    Raises:
        PolicyError: All that is wrong in the file, in its order, a line for each.
    """
    try:
        text = path.read_text("utf-8-sig")
    except OSError as error:
        raise PolicyError(f"{path}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise PolicyError(f"{path}: is not text in UTF-8") from error
    reader = Reader(str(path))
    file = PolicyFile(reader.read(text), reader.lines)
    if problems := _problems(file, kind):
        raise PolicyError("\n".join(problems))
    return file


def _problems(file: PolicyFile, kind: str) -> list[str]:
    """What the schema does not allow, in the order of the file."""
    problems = {
        file.problem(way, text): file.line(way)
        for violation in violations(file.content, schema(kind))
        for way, text in _explain(violation)
    }
    return sorted(problems, key=lambda each: problems[each].number)


def _explain(violation: ValidationError) -> Iterator[tuple[KeyPath, str]]:
    way = tuple(str(each) for each in violation.absolute_path)
    found: Any = violation.instance
    allowed: Any = violation.validator_value
    rules: Any = violation.schema
    match violation.validator:
        case "additionalProperties":
            known = list(rules["properties"])
            yield from (((*way, key), unknown(key, known)) for key in found if key not in known)
        case "required":
            yield from (((*way, key), "is missing") for key in allowed if key not in found)
        case "enum":
            yield way, f"is {found!r:.60}: {choose(allowed)}"
        case _:
            yield way, f"is {found!r:.60}: choose {rules['description']}"


def _merged(base: Any, over: Any) -> Any:
    """Put the one value over the other; mappings are merged, key by key."""
    if not (isinstance(base, dict) and isinstance(over, dict)):
        return over
    return base | {key: _merged(base.get(key), value) for key, value in over.items()}
