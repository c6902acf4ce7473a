"""The engine of the reference endpoint: requests in flight, and metrics."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from readiness.mutants.endpoint.answer import ModelOutput, Request, SubstituteResponse
from readiness.mutants.endpoint.conversation import text_of

_NONCE = re.compile(r"^(?:\[|【|# )[0-9a-f]{12}")
#: The stability requests, by the text after the nonce.
_STABILITY = re.compile(r"\] (?:List the numbers|Reply with the word OK|This is|Read these)")


def begins(request: Request) -> str:
    """The start of a load or stability request's conversation; "" for any other request."""
    text = text_of(request["messages"][0])
    return text[:120] if _NONCE.match(text) else ""


def loads(request: Request) -> bool:
    """Whether a request is one of a load test."""
    return bool(begins(request)) and not _STABILITY.search(begins(request))


def endures(request: Request) -> bool:
    """Whether a request is one of a stability test."""
    return bool(_STABILITY.search(begins(request)))


class Engine:
    """Counts requests; subclasses with a flaw override its methods."""

    def __init__(self) -> None:
        self.running = 0
        self.aborted = 0
        self.begun = 0
        self.seen = 0  # requests of the kind that a flaw is limited to

    async def begin(self, request: Request) -> SubstituteResponse | None:
        """Begin a request; a response returned here is sent instead of an answer."""
        self.running += 1
        self.begun += 1
        return None

    def says(self, request: Request, answer: ModelOutput) -> ModelOutput:
        """The final output of the model."""
        return answer

    def goes_on(self, request: Request) -> bool:
        """Whether a stream continues."""
        return True

    def end(self, *, aborted: bool) -> None:
        """End a request: completed, rejected, or aborted by its client."""
        self.running -= 1
        self.aborted += aborted

    @property
    def gauges(self) -> Mapping[str, float]:
        """The metrics, under vLLM's names."""
        return {
            "vllm:num_requests_running": self.running,
            "vllm:num_requests_waiting": 0,
            "vllm:kv_cache_usage_perc": min(self.running / 100, 1.0),
        }

    def metrics(self) -> str:
        """The metrics in the Prometheus text format."""
        lines = (
            f'# TYPE {name} gauge\n{name}{{model_name="reference"}} {value:g}'
            for name, value in self.gauges.items()
        )
        return "\n".join([*lines, ""])


# Long enough to arrive separately, short enough that most streams end in about 10 ms.
_PAUSE = 0.001
# From this burst size on, long streams are sent evenly, so that a client has time to abort.
_MAX_BURST, _STEADY = 64, 0.005


def paced(frames: Sequence[bytes | float]) -> Iterator[bytes | float]:
    """The frames in growing bursts with pauses between, as floats in s.

    Frames with pauses of their own are left as they are.
    """
    if any(isinstance(frame, float) for frame in frames):
        yield from frames
        return
    whole = [frame for frame in frames if isinstance(frame, bytes)]
    start, size = 0, 2
    while start < len(whole):
        if start:
            yield _PAUSE if size < _MAX_BURST else _STEADY
        yield b"".join(whole[start : start + size])
        start, size = start + size, min(2 * size, _MAX_BURST)
