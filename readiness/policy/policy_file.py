"""Policy files: validation against the schema, and merging with the policy they extend."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from readiness.policy.yaml_reader import FileLine, KeyPath, PolicyError, PolicyYamlReader
from readiness.resources import PACKAGE, contents, schema, violations

if TYPE_CHECKING:
    from jsonschema import ValidationError

BUILT_IN = PACKAGE / "policy"
MAX_FILE = 2**18  # bytes; the article's policy has a tenth
MAX_PROBLEMS = 50
CONTROLS = "controls"  # Not a policy: the clauses that checks are evidence for.


@dataclass(frozen=True)
class PolicyFile:
    """The content of a policy file, with line numbers."""

    content: Any
    lines: Mapping[KeyPath, FileLine]

    def line(self, key_path: KeyPath) -> FileLine:
        """The line of a value; for a missing one, that of the nearest parent."""
        return next(
            self.lines[key_path[:n]]
            for n in range(len(key_path), -1, -1)
            if key_path[:n] in self.lines
        )

    def problem(self, key_path: KeyPath, text: str) -> str:
        """The message of a problem with a value, with its line."""
        return f"{self.line(key_path)}: {'.'.join(key_path) or 'the document'} {text}"

    def merged_over(self, base: PolicyFile) -> PolicyFile:
        """The content of this file, merged over another's."""
        return PolicyFile(_merged(base.content, self.content), {**base.lines, **self.lines})


def effective(path: Path) -> PolicyFile:
    """A policy file, merged over the one that it extends.

    Raises:
        PolicyError: The file is invalid; the message has a line for each problem.
    """
    known = built_in()
    file = read(BUILT_IN / f"{path}.yaml" if str(path) in known else path, "policy")
    named = PolicyFile({"name": path.stem} | file.content, file.lines)
    if "extends" not in file.content:
        return named
    base = file.content["extends"]
    if base not in known:
        raise PolicyError(file.problem(("extends",), f"is {base!r}: {choose(known)}"))
    return named.merged_over(effective(Path(base)))


def built_in() -> list[str]:
    """The names of the built-in policies."""
    return sorted(each.stem for each in BUILT_IN.glob("*.yaml") if each.stem != CONTROLS)


def unknown(name: str, known: Sequence[str]) -> str:
    """The message that a name is unknown, with the closest known one."""
    if not known:
        return "is unknown: there is none to choose"
    near = get_close_matches(name, known, 1)
    return f"is unknown: did you mean {near[0]}?" if near else f"is unknown: {choose(known)}"


def choose(known: Sequence[str]) -> str:
    """The message that lists the choices."""
    *others, last = known
    return f"choose {', '.join(others)} or {last}" if others else f"choose {last}"


def read(path: Path, kind: str) -> PolicyFile:
    """Read a file and validate it against the schema of its kind: policy or waivers.

    Raises:
        PolicyError: The file is invalid; the message has a line for each problem.
    """
    try:
        text = contents(path, MAX_FILE).decode("utf-8-sig")
    except OSError as error:
        raise PolicyError(f"{path}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise PolicyError(f"{path}: is not text in UTF-8") from error
    reader = PolicyYamlReader(str(path))
    file = PolicyFile(reader.read(text), reader.lines)
    if problems := _problems(file, kind):
        raise PolicyError("\n".join(problems))
    return file


def _problems(file: PolicyFile, kind: str) -> list[str]:
    """The violations of the schema, in the order of the file."""
    explained = (
        each for wrong in violations(file.content, schema(kind)) for each in _explain(wrong)
    )
    problems = {
        file.problem(key_path, text): file.line(key_path)
        for key_path, text in islice(explained, MAX_PROBLEMS)
    }
    return sorted(problems, key=lambda each: problems[each].number)


def _explain(violation: ValidationError) -> Iterator[tuple[KeyPath, str]]:
    key_path = tuple(str(each) for each in violation.absolute_path)
    found: Any = violation.instance
    allowed: Any = violation.validator_value
    rules: Any = violation.schema
    match violation.validator:
        case "additionalProperties":
            known = list(rules["properties"])
            yield from (
                ((*key_path, key), unknown(key, known)) for key in found if key not in known
            )
        case "required":
            yield from (((*key_path, key), "is missing") for key in allowed if key not in found)
        case "enum":
            yield key_path, f"is {found!r:.60}: {choose(allowed)}"
        case _:
            yield key_path, f"is {found!r:.60}: choose {rules['description']}"


def _merged(base: Any, merged_over: Any) -> Any:
    """One value merged over the other; mappings are merged recursively."""
    if not (isinstance(base, dict) and isinstance(merged_over, dict)):
        return merged_over
    return base | {key: _merged(base.get(key), value) for key, value in merged_over.items()}
