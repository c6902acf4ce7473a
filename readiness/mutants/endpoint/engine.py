"""The engine: what is busy in the reference endpoint, and what it tells of itself."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from readiness.mutants.endpoint.answer import ModelOutput, Request, SubstituteResponse
from readiness.mutants.endpoint.conversation import text_of

_NONCE = re.compile(r"^(?:\[|【|# )[0-9a-f]{12}")
#: The kinds of requests that a crowd sends, by what follows the nonce.
_STABILITY = re.compile(r"\] (?:List the numbers|Reply with the word OK|This is|Read these)")


def begins(request: Request) -> str:
    """How the conversation of a request of a crowd begins; "" of any other."""
    text = text_of(request["messages"][0])
    return text[:120] if _NONCE.match(text) else ""


def loads(request: Request) -> bool:
    """Whether a request is one of a load test."""
    return bool(begins(request)) and not _STABILITY.search(begins(request))


def endures(request: Request) -> bool:
    """Whether a request is one of a stability test."""
    return bool(_STABILITY.search(begins(request)))


class Engine:
    """Counts what runs; a flawed one does something else at one of these points."""

    def __init__(self) -> None:
        self.running = 0
        self.aborted = 0
        self.begun = 0
        self.seen = 0  # requests of the kind that a flaw keeps to

    async def begin(self, request: Request) -> SubstituteResponse | None:
        """Take in a request; a refusal is sent instead of an answer."""
        self.running += 1
        self.begun += 1
        return None

    def says(self, request: Request, answer: ModelOutput) -> ModelOutput:
        """What is said in the end."""
        return answer

    def goes_on(self, request: Request) -> bool:
        """Whether a stream goes on."""
        return True

    def end(self, *, aborted: bool) -> None:
        """A request has ended: whole, refused, or left by its client."""
        self.running -= 1
        self.aborted += aborted

    @property
    def gauges(self) -> Mapping[str, float]:
        """What it tells of itself, under vLLM's names."""
        return {
            "vllm:num_requests_running": self.running,
            "vllm:num_requests_waiting": 0,
            "vllm:kv_cache_usage_perc": min(self.running / 100, 1.0),
        }

    def metrics(self) -> str:
        """The same in Prometheus' text format."""
        lines = (
            f'# TYPE {name} gauge\n{name}{{model_name="reference"}} {value:g}'
            for name, value in self.gauges.items()
        )
        return "\n".join([*lines, ""])


# Long enough to arrive apart, short enough that most streams are done in some 10 ms.
_PAUSE = 0.001
# What is long goes out evenly from here on, so that a client has the time to leave.
_MOST, _STEADY = 64, 0.005


def paced(frames: Sequence[bytes | float]) -> Iterator[bytes | float]:
    """The frames, in bursts that grow for a while, with a pause between; a float is one in s.

    Where the frames bring pauses of their own, these are all there are.
    """
    if any(isinstance(frame, float) for frame in frames):
        yield from frames
        return
    whole = [frame for frame in frames if isinstance(frame, bytes)]
    start, size = 0, 2
    while start < len(whole):
        if start:
            yield _PAUSE if size < _MOST else _STEADY
        yield b"".join(whole[start : start + size])
        start, size = start + size, min(2 * size, _MOST)
