"""The pace of a stream: a model takes its time, and a flaw its own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

# Long enough to arrive apart, short enough that the longest stream is done in some 15 ms.
_PAUSE = 0.001


def paced(frames: Sequence[bytes | float]) -> Iterator[bytes | float]:
    """The frames, in bursts that grow, with a pause after each; a float is a pause in s.

    Where the frames bring pauses of their own, these are all there are.
    """
    if any(isinstance(frame, float) for frame in frames):
        yield from frames
        return
    whole = [frame for frame in frames if isinstance(frame, bytes)]
    start, size = 0, 2
    while start < len(whole):
        if start:
            yield _PAUSE
        yield b"".join(whole[start : start + size])
        start, size = start + size, 2 * size
