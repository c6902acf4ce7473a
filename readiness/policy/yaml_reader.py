"""Reads the YAML of a policy safely, with the line number of every value."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from math import isfinite
from typing import Any, NamedTuple, Protocol

import yaml

from readiness.resources import LOADER

MAX_NESTING = 12  # A policy has 5.
SWITCH = "tag:yaml.org,2002:bool"

#: The path of keys to a value, as in ("dimensions", "json_only", "gate").
KeyPath = tuple[str, ...]


class PolicyError(ValueError):
    """A policy is invalid; the message names the place and what is allowed."""


class FileLine(NamedTuple):
    """A line of a file."""

    path: str
    number: int

    def __str__(self) -> str:
        return f"{self.path}:{self.number}"


class Mark(Protocol):
    """A position in a text, of PyYAML's Python and C loaders."""

    @property
    def line(self) -> int:
        """The number of the line, from 0."""


class PolicyYamlReader:
    """Parses a text into values, and records the lines of its keys."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.lines: dict[KeyPath, FileLine] = {(): FileLine(path, 1)}

    def read(self, text: str) -> Any:
        """Parse the text.

        Raises:
            PolicyError: It is not YAML, or uses features that a policy does not need.
        """
        try:
            self._reject_unsafe_features(text)
            loader = LOADER(text)
            node = loader.get_single_node()
            return None if node is None else self._value(node, (), loader.construct_object)
        except yaml.MarkedYAMLError as error:
            raise self._error(error.problem_mark, f"not YAML: {error.problem}") from error
        except yaml.YAMLError as error:
            raise PolicyError(f"{self.path}: not YAML: {' '.join(str(error).split())}") from error

    def _reject_unsafe_features(self, text: str) -> None:
        """Reject aliases, tags and deep nesting before parsing, since they could be harmful."""
        depth = 0
        for event in yaml.parse(text, LOADER):
            if isinstance(event, yaml.AliasEvent):
                raise self._error(event.start_mark, f"*{event.anchor} is an alias: write it out")
            if isinstance(event, yaml.ScalarEvent | yaml.CollectionStartEvent) and event.tag:
                raise self._error(event.start_mark, f"{event.tag} is a tag: leave it out")
            depth += isinstance(event, yaml.CollectionStartEvent)
            depth -= isinstance(event, yaml.CollectionEndEvent)
            if depth > MAX_NESTING:
                raise self._error(event.start_mark, "nested too deeply for a policy")

    def _value(
        self, node: yaml.Node, key_path: KeyPath, construct: Callable[[yaml.Node], Any]
    ) -> Any:
        if isinstance(node, yaml.MappingNode):
            items = self._items(node, key_path)
            return {
                key: self._value(each, (*key_path, key), construct) for key, each in items.items()
            }
        if isinstance(node, yaml.SequenceNode):
            return [self._value(each, key_path, construct) for each in node.value]
        # In YAML 1.1, `off` and `no` are booleans; in a policy they are words.
        if node.tag == SWITCH and node.value.lower() not in ("true", "false"):
            return node.value
        try:
            value = construct(node)
        except ValueError as error:
            raise self._error(node.start_mark, f"{'.'.join(key_path)}: {error}") from error
        if isinstance(
            value, date
        ):  # YAML 1.1 has a form for dates; JSON, and its schemas, have none.
            return value.isoformat()
        if not isinstance(value, float):
            return value
        if not isfinite(value):
            raise self._error(
                node.start_mark, f"{'.'.join(key_path)} is {node.value}: choose a number"
            )
        # 1 and 1.0 are equal, and must have the same digest.
        return int(value) if value.is_integer() else value

    def _items(self, node: yaml.MappingNode, key_path: KeyPath) -> dict[str, yaml.Node]:
        items: dict[str, yaml.Node] = {}
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise self._error(key.start_mark, "a key is a word")
            name = (*key_path, key.value)
            if key.value in items:
                twice = f"{'.'.join(name)} is given twice, first in line {self.lines[name].number}"
                raise self._error(key.start_mark, twice)
            items[key.value] = value
            self.lines[name] = FileLine(self.path, key.start_mark.line + 1)
        return items

    def _error(self, mark: Mark | None, problem: str) -> PolicyError:
        return PolicyError(f"{FileLine(self.path, mark.line + 1 if mark else 1)}: {problem}")
