"""YAML as nodes that know their lines: nothing is constructed, and an alias is never unfolded."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import yaml

from readiness.resources import LOADER

MAX_NESTING = 60
MERGE = "tag:yaml.org,2002:merge"
NULL = "tag:yaml.org,2002:null"


class UnreadableYaml(ValueError):
    """A text is no YAML, or nested too deeply; the message has nothing of it but the line."""


@dataclass(frozen=True)
class Node:
    """A value of a YAML file.

    Args:
        value: PyYAML's node; None where the file has none there.
        file: The name of the file.
        first: The line of its parent, for values that are absent.
        merged: The entries of mappings that were merged already, by the identity of their node.
    """

    value: yaml.Node | None
    file: str
    first: int = 1
    merged: dict[int, dict[str, tuple[yaml.Node, yaml.Node]]] = field(
        default_factory=dict, repr=False
    )

    def __bool__(self) -> bool:
        return self.value is not None and self.value.tag != NULL

    @property
    def line(self) -> int:
        """The line at which it begins."""
        return self.value.start_mark.line + 1 if self.value is not None else self.first

    @property
    def end(self) -> int:
        """The line at which it ends."""
        return self.value.end_mark.line + 1 if self.value is not None else self.first

    @property
    def place(self) -> str:
        """The file and line."""
        return f"{self.file}:{self.line}"

    @property
    def text(self) -> str:
        """The text of a scalar; "" of anything else."""
        return str(self.value.value) if isinstance(self.value, yaml.ScalarNode) and self else ""

    @property
    def is_block(self) -> bool:
        """Whether it is a block of text, which begins in the line below its mark."""
        return isinstance(self.value, yaml.ScalarNode) and self.value.style in ("|", ">")

    @property
    def is_mapping(self) -> bool:
        """Whether it is a mapping."""
        return isinstance(self.value, yaml.MappingNode)

    @property
    def is_list(self) -> bool:
        """Whether it is a list."""
        return isinstance(self.value, yaml.SequenceNode)

    def __iter__(self) -> Iterator[Node]:
        """The items of a list; none of anything else."""
        if isinstance(self.value, yaml.SequenceNode):
            yield from (self._child(each) for each in self.value.value)

    def items(self) -> list[tuple[str, Node]]:
        """The entries of a mapping, merged ones included; none of anything else."""
        return [
            (name, Node(value, self.file, key.start_mark.line + 1, self.merged))
            for name, (key, value) in self._entries().items()
        ]

    def at(self, *path: str) -> Node:
        """The value at a path of keys; an absent one where there is none."""
        node = self
        for name in path:
            key, value = node._entries().get(name, (None, None))
            line = key.start_mark.line + 1 if key is not None else node.line
            node = Node(value, self.file, line, self.merged)
        return node

    def _child(self, value: yaml.Node) -> Node:
        return Node(value, self.file, self.line, self.merged)

    def _entries(self) -> dict[str, tuple[yaml.Node, yaml.Node]]:
        if not isinstance(self.value, yaml.MappingNode):
            return {}
        if id(self.value) in self.merged:
            return self.merged[id(self.value)]
        # What merges itself has nothing to add.
        self.merged[id(self.value)] = {}
        own: dict[str, tuple[yaml.Node, yaml.Node]] = {}
        inherited: dict[str, tuple[yaml.Node, yaml.Node]] = {}
        for key, value in self.value.value:
            if key.tag == MERGE or key.value == "<<":
                several = value.value if isinstance(value, yaml.SequenceNode) else [value]
                for each in several:
                    inherited = {**self._child(each)._entries(), **inherited}
            elif isinstance(key, yaml.ScalarNode):
                own[key.value] = (key, value)
        self.merged[id(self.value)] = {**inherited, **own}
        return self.merged[id(self.value)]


def documents(text: str, file: str) -> list[Node]:
    """The documents of a YAML file.

    Raises:
        UnreadableYaml: It is not YAML, or nested too deeply.
    """
    try:
        depth = 0
        for event in yaml.parse(text, LOADER):
            depth += isinstance(event, yaml.CollectionStartEvent)
            depth -= isinstance(event, yaml.CollectionEndEvent)
            if depth > MAX_NESTING:
                line = event.start_mark.line + 1 if event.start_mark else 1
                raise UnreadableYaml(f"{file}:{line}: nested too deeply")
        return [Node(each, file) for each in yaml.compose_all(text, LOADER) if each is not None]
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise UnreadableYaml(f"{file}:{line}: not YAML") from error
    except yaml.YAMLError as error:
        raise UnreadableYaml(f"{file}: not YAML") from error
