"""Tool calls in the making: whole, or put together from a stream's fragments."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from readiness.protocol.message import Defects, malformed, sound
from readiness.reply import ToolCall


class Call:
    """A tool call in the making."""

    def __init__(self) -> None:
        self._texts = {"id": "", "type": "", "name": ""}
        self._arguments: list[str] = []

    def add(self, fragment: Mapping[str, Any], defects: Defects) -> None:
        """Take in a fragment: what it leaves out stays, and what it repeats must be the same."""
        self._note("id", fragment.get("id"), defects)
        self._note("type", fragment.get("type"), defects)
        function = fragment.get("function")
        if function is None:
            return
        if not isinstance(function, dict):
            raise malformed(f"the function of a tool call is {function!r:.120}")
        self._note("name", function.get("name"), defects)
        arguments = function.get("arguments")
        if isinstance(arguments, str):
            self._arguments.append(arguments)
        elif arguments is not None:
            defects.setdefault("arguments of a tool call are not a string", f"{arguments!r:.120}")
            self._arguments.append(json.dumps(arguments, ensure_ascii=False))

    def lacks(self, *names: str) -> list[str]:
        """Which of its texts have not come."""
        return [name for name in names if not self._texts[name]]

    def finish(self, defects: Defects) -> ToolCall:
        """Return the call as it stands."""
        for name in self.lacks("id", "type", "name"):
            defects.setdefault(f"tool call without {name}", "")
        texts = (*self._texts.values(), "".join(self._arguments))
        return ToolCall(*(sound(text, defects) for text in texts))

    def _note(self, name: str, now: Any, defects: Defects) -> None:
        before = self._texts[name]
        if not now or now == before:
            return
        if not isinstance(now, str):
            defects.setdefault(f"{name} of a tool call is not a string", f"{now!r:.60}")
        elif before:
            change = f"{before!r:.60}, then {now!r:.60}"
            defects.setdefault(f"{name} of a tool call changes", change)
        else:
            self._texts[name] = now


def read_calls(value: Any, defects: Defects) -> tuple[ToolCall, ...]:
    """Read the tool calls of a message that came as a whole."""
    if not value:
        return ()
    calls = []
    for sent in _entries(value):
        call = Call()
        call.add(sent, defects)
        function = sent.get("function")
        if not function or function.get("arguments") is None:
            defects.setdefault("tool call without arguments", "")
        calls.append(call.finish(defects))
    return distinct(calls, defects)


class Calls:
    """The tool calls of a stream, put together by their index."""

    def __init__(self) -> None:
        self._calls: dict[int, Call] = {}

    def add(self, fragments: Any, defects: Defects) -> None:
        """Take in a delta's `tool_calls`."""
        for fragment in _entries(fragments):
            index = fragment.get("index")
            if type(index) is not int:
                defects.setdefault("tool call without index", f"{fragment!r:.120}")
                index = self._guess(fragment)
            call = self._calls.get(index)
            if call is not None:
                call.add(fragment, defects)
                continue
            call = self._calls[index] = Call()
            call.add(fragment, defects)
            for name in call.lacks("id", "name"):
                defects.setdefault(f"first fragment of a tool call without {name}", "")

    def finish(self, defects: Defects) -> tuple[ToolCall, ...]:
        """Return the calls, in the order of their indexes."""
        indexes = sorted(self._calls)
        if indexes != list(range(len(indexes))):
            defects.setdefault("indexes of the tool calls do not count from 0", f"{indexes!r:.60}")
        return distinct([self._calls[index].finish(defects) for index in indexes], defects)

    def _guess(self, fragment: Mapping[str, Any]) -> int:
        """Where a fragment without index belongs: an id begins a call."""
        return len(self._calls) if fragment.get("id") else max(len(self._calls) - 1, 0)


def distinct(calls: list[ToolCall], defects: Defects) -> tuple[ToolCall, ...]:
    """Return the calls, whose results could not be told apart where they share an id."""
    ids = [call.id for call in calls if call.id]
    if len(set(ids)) < len(ids):
        defects.setdefault("tool calls share an id", f"{ids!r:.120}")
    return tuple(calls)


def _entries(value: Any) -> list[Mapping[str, Any]]:
    if not isinstance(value, list) or not all(isinstance(entry, dict) for entry in value):
        raise malformed(f"tool_calls is no list of objects: {value!r:.120}")
    return value
