"""The pace of a stream: a model takes its time, and a flaw its own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

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
