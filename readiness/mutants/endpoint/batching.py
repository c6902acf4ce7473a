"""Continuous batching: what a step of an engine decodes and prefills, and what it takes."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Pace:
    """How fast a machine serves a model; times in seconds.

    Args:
        name: Its name for `--pace`.
        step: What a step takes, whatever is in it: the weights are read once.
        sequence: What each sequence that is decoded adds to it.
        prefill: What each token of a prompt adds to it.
        budget: The most tokens of a step; what is left of a longer prompt is prefilled in the next.
        slots: The most sequences at once; others wait in order of arrival.
    """

    name: str
    step: float
    sequence: float
    prefill: float
    budget: int
    slots: int


#: A 7B model on an H200, as measured with vLLM (208 tokens/s in one stream, 1,530 in eight); on a
#: 4090, by its bandwidth and compute; a small model on a CPU, with llama.cpp's slots.
PACES = {
    each.name: each
    for each in (
        Pace("h200", 0.0047, 0.00006, 22e-6, 8192, 256),
        Pace("4090", 0.016, 0.00015, 150e-6, 2048, 64),
        Pace("cpu", 0.060, 0.010, 0.002, 512, 4),
    )
}


def _never() -> bool:
    return False


@dataclass(eq=False)
class Sequence:
    """A request in the engine: what is left to prefill, and what has been decoded.

    Args:
        prompt: The tokens of its prompt that are left to prefill.
        tokens: The tokens of its reply.
        gone: Whether its client has gone.
        decoded: How many tokens of the reply have been decoded.
    """

    prompt: int
    tokens: int
    gone: Callable[[], bool] = _never
    decoded: int = 0

    @property
    def ended(self) -> bool:
        """Whether its reply is complete."""
        return self.decoded >= self.tokens


@dataclass(frozen=True)
class Step:
    """One step of an engine.

    Args:
        decoded: The sequences that have a token more when it ends.
        prefilled: How many tokens of prompts were prefilled.
        running: How many sequences had a slot.
        seconds: What it takes.
    """

    decoded: list[Sequence]
    prefilled: int
    running: int
    seconds: float


@dataclass
class Batch:
    """The sequences of an engine: those with a slot, and those that wait for one."""

    pace: Pace
    running: list[Sequence] = field(default_factory=list)
    waiting: deque[Sequence] = field(default_factory=deque)

    def __iter__(self) -> Iterator[Sequence]:
        yield from self.running
        yield from self.waiting

    def add(self, sequence: Sequence) -> None:
        """Take in a sequence, which waits for a slot."""
        self.waiting.append(sequence)

    def remove(self, sequence: Sequence) -> None:
        """Remove a sequence, if it is still there."""
        if sequence in self.running:
            self.running.remove(sequence)
        elif sequence in self.waiting:
            self.waiting.remove(sequence)

    def finish(self, step: Step) -> None:
        """Count the tokens of a step that has taken its time; what is complete leaves."""
        for each in step.decoded:
            each.decoded += 1
        self.running = [each for each in self.running if each.prompt or not each.ended]

    def step(self) -> Step:
        """Begin a step: a token of each sequence, and of prompts what the budget has left."""
        while self.waiting and len(self.running) < self.pace.slots:
            self.running.append(self.waiting.popleft())
        decoding = [each for each in self.running if not each.prompt]
        running, left = len(self.running), max(self.pace.budget - len(decoding), 1)
        prefilled, decoded = 0, decoding
        for each in self.running:
            if each.prompt and left:
                part = min(each.prompt, left)
                each.prompt, left, prefilled = each.prompt - part, left - part, prefilled + part
                decoded = [*decoded, *([each] if not each.prompt else [])]
        pace = self.pace
        seconds = pace.step + pace.sequence * len(decoding) + pace.prefill * prefilled
        return Step(decoded, prefilled, running, seconds)
