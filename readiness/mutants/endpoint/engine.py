"""The engine of the reference endpoint: requests in flight, their pace, and metrics."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping
from collections.abc import Sequence as Several

from readiness.mutants.endpoint.answer import (
    ModelOutput,
    Request,
    ServerResponse,
    SubstituteResponse,
)
from readiness.mutants.endpoint.batching import Batch, Pace, Sequence, Step

Change = Callable[[Request, ModelOutput, int], ModelOutput]
#: An engine that is behind its pace by more than this, in seconds, does not catch up.
MOST_BEHIND = 0.05


class Engine:
    """Counts requests and paces replies; subclasses with a flaw override its methods.

    Without a pace, replies are sent as fast as they go. With one, the engine batches continuously:
    prompts are prefilled and tokens decoded at that pace, however many clients there are.
    """

    pace: Pace | None = None

    def __init__(self) -> None:
        self.running = 0
        self.aborted = 0
        self.begun = 0
        self.seen = 0  # requests of the kind that a flaw is limited to
        self._batch: Batch | None = None
        self._stepping: asyncio.Task[None] | None = None
        self._stepped = asyncio.Event()

    async def begin(self, request: Request) -> SubstituteResponse | None:
        """Begin a request; a response returned here is sent instead of an answer."""
        self.running += 1
        self.begun += 1
        return None

    def says(self, request: Request, answer: ModelOutput) -> ModelOutput:
        """The final output of the model."""
        return answer

    def sends(self, request: Request, pieces: Several[bytes | float]) -> Several[bytes | float]:
        """The pieces of the response as they are sent."""
        return pieces

    def goes_on(self, request: Request) -> bool:
        """Whether a stream continues."""
        return True

    def end(self, *, aborted: bool) -> None:
        """End a request: completed, rejected, or aborted by its client."""
        self.running -= 1
        self.aborted += aborted

    def seconds(self, step: Step) -> float:
        """What a step of the engine takes."""
        return step.seconds

    def leave(self, sequence: Sequence) -> None:
        """Stop a sequence whose client has gone."""
        self.batch.remove(sequence)

    @property
    def batch(self) -> Batch:
        """The sequences in the engine, which has a pace."""
        if self._batch is None:
            assert self.pace is not None
            self._batch = Batch(self.pace)
        return self._batch

    async def pieces(
        self, request: Request, sent: ServerResponse, gone: Callable[[], bool]
    ) -> AsyncGenerator[bytes | float]:
        """The pieces of the response when they are due, and pauses of its own as floats in s.

        Raises:
            ConnectionResetError: The client has gone.
        """
        due = self.sends(request, sent.pieces)
        if self.pace is None:
            for piece in paced(due) if sent.streamed else due:
                yield piece
            return
        sequence, start = Sequence(sent.prompt, sent.tokens, gone), 0
        self.batch.add(sequence)
        try:
            while not sequence.ended:
                await self._next_step()
                if gone():
                    raise ConnectionResetError
                if sent.streamed and not sequence.ended:
                    end = len(due) * sequence.decoded // sequence.tokens
                    for piece in due[start:end]:
                        yield piece
                    start = end
            for piece in due[start:]:
                yield piece
        finally:
            if not sequence.ended:
                self.leave(sequence)

    async def _next_step(self) -> None:
        if self._stepping is None or self._stepping.done():
            self._stepping = asyncio.ensure_future(self._step())
        await self._stepped.wait()

    async def _step(self) -> None:
        """Make steps while there are sequences, each as long as it takes."""
        now = asyncio.get_running_loop().time
        due = now()
        while any(self.batch):
            step = self.batch.step()
            due = max(due + self.seconds(step), now() - MOST_BEHIND)
            await asyncio.sleep(due - now())
            self.batch.finish(step)
            stepped, self._stepped = self._stepped, asyncio.Event()
            stepped.set()
            for each in [each for each in self.batch if each.gone()]:
                self.leave(each)

    @property
    def gauges(self) -> Mapping[str, float]:
        """The metrics, under vLLM's names."""
        batch = self._batch
        return {
            "vllm:num_requests_running": len(batch.running) if batch else self.running,
            "vllm:num_requests_waiting": len(batch.waiting) if batch else 0,
            "vllm:kv_cache_usage_perc": min(self.running / 100, 1.0),
        }

    def metrics(self) -> str:
        """The metrics in the Prometheus text format."""
        lines = (
            f'# TYPE {name} gauge\n{name}{{model_name="reference"}} {value:g}'
            for name, value in self.gauges.items()
        )
        return "\n".join([*lines, ""])


class CrowdedEngine(Engine):
    """Takes a moment for each request, and has a flaw where many are in flight.

    Args:
        where: The requests that the flaw is limited to.
        change: The flaw.
    """

    crowd = 24
    takes = 0.06  # seconds

    def __init__(self, where: Callable[[Request], bool], change: Change) -> None:
        super().__init__()
        self._where, self._change = where, change
        self._crowded_at = float("-inf")

    async def begin(self, request: Request) -> SubstituteResponse | None:
        """Wait, so that requests overlap."""
        refusal = await super().begin(request)
        if self.running >= self.crowd:
            self._crowded_at = asyncio.get_running_loop().time()
        await asyncio.sleep(self.takes)
        return refusal

    def says(self, request: Request, answer: ModelOutput) -> ModelOutput:
        """The output, changed for those that were in a crowd."""
        since = asyncio.get_running_loop().time() - self._crowded_at
        crowded = since <= 2 * self.takes and self._where(request)
        return self._change(request, answer, 0) if crowded else answer


# Long enough to arrive separately, short enough that most streams end in about 10 ms.
_PAUSE = 0.001
# From this burst size on, long streams are sent evenly, so that a client has time to abort.
_MAX_BURST, _STEADY = 64, 0.025


def paced(frames: Several[bytes | float]) -> Iterator[bytes | float]:
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
