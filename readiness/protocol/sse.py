"""Server-sent events, parsed from raw bytes (WHATWG HTML, section 9.2.6)."""

from __future__ import annotations

from typing import NamedTuple

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
BLANK = frozenset((b"\n", b"\r", b"\r\n"))
SPACE = 0x20


class Event(NamedTuple):
    """An event, and the size of the stream in bytes at its end."""

    type: bytes
    data: bytes
    end: int


class Parser:
    """Parses the events of one stream from chunks of any size.

    It works on bytes, so that a character may be split between two chunks.
    """

    def __init__(self) -> None:
        self._size = 0
        self._line = bytearray()
        self._data: list[bytes] = []
        self._type = b""
        self._after_return = False

    @property
    def rest(self) -> bytes:
        """The unfinished event at the end of the stream; b"" where the last one is complete."""
        comment = self._line.startswith(b":")
        return b"\n".join(self._data if comment else [*self._data, bytes(self._line)])

    def feed(self, data: bytes) -> list[Event]:
        """Parse the next bytes of the stream, and return the events that they complete."""
        events: list[Event] = []
        if not data:
            return events
        if self._after_return and data.startswith(b"\n"):
            data = data[1:]
            self._size += 1
        self._after_return = data.endswith(b"\r")
        for line in data.splitlines(keepends=True):
            start = self._size
            self._size += len(line)
            if line[-1] not in b"\r\n":
                self._line += line
                return events
            if self._line:
                line = bytes(self._line) + line
                self._line.clear()
            if line.startswith(b"data:"):
                self._data.append(line[6 if line[5] == SPACE else 5 :].rstrip(b"\r\n"))
            elif line not in BLANK:
                self._field(line.rstrip(b"\r\n"), first=len(line) == self._size)
            else:
                self._dispatch(events, start + 1)
        return events

    def _field(self, line: bytes, *, first: bool) -> None:
        if first:
            line = line.removeprefix(BYTE_ORDER_MARK)
        name, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if name == b"data":
            self._data.append(value)
        elif name == b"event":
            self._type = value

    def _dispatch(self, events: list[Event], end: int) -> None:
        # The event ends with the first byte of a CRLF: it does not wait for the second.
        if self._data:
            events.append(Event(self._type, b"\n".join(self._data), end))
            self._data = []
        self._type = b""
