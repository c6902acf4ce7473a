"""Redaction: replaces secrets before anything is written or printed."""

from __future__ import annotations

import base64
import re
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import cached_property
from html import escape
from itertools import accumulate

from readiness.evidence.printable import escape_unprintable

MARK = "[redacted]"
# Shorter values, such as the `none` that servers without keys are given, occur in ordinary text.
MIN_SECRET_LENGTH = 6
#: A JSON Web Token (RFC 7519), by which a session is held: its header begins with `{"`. Between
#: words, so that matching is linear.
SESSION_TOKEN = re.compile(rb"(?<![\w-])eyJ[\w-]{8,}+\.[\w-]++\.[\w-]*+")
#: What follows what was cut: nothing, the end of a quotation, or the next part of a sentence.
CUT = re.compile("(?:$|['\",)\u2026])".encode())
#: A candidate is found by so many characters of a secret, and then compared as a whole.
HEAD_LENGTH = 5
#: JSON in JSON doubles the backslashes each time; they are bounded, so that matching is linear.
BACKSLASHES = r"\\\\{0,7}+"
#: A character has at most so many bytes: two units of UTF-16, each behind eight backslashes.
LONGEST_ESCAPE = 26
#: The first character of base64 that depends on a text alone, behind 0, 1 and 2 bytes of another.
OWN = (0, 2, 3)
#: Base64 for URLs has two other characters.
URL_SAFE = {"+": "-", "/": "_"}
#: A string of JSON with its name, an index of a choice or a call, or the beginning of a frame.
FIELD = re.compile(
    rb'"([^"\\]{1,64}+)"\s{0,8}+:\s{0,8}+"((?:[^"\\]++|\\.)*+)'
    rb'|"index"\s{0,8}+:\s{0,8}+(\d{1,9}+)|data:',
    re.DOTALL,
)
TEXT, INDEX = 2, 3
#: Fragments are joined once there are so many; of so many fields they are remembered.
BATCH, MAX_FIELDS = 10_000, 100

Span = tuple[int, int]
#: The strings of a frame, with their names and the indexes of the choice and the call.
Frame = list[tuple[bytes, Span]]
#: The strings of all frames, by their names, those that were added to most recently last.
Fields = dict[bytes, list[Span]]


class Secrets:
    r"""Replaces secrets and session tokens in text that is about to be written or printed.

    A secret is found as it is, escaped (in JSON, also nested and as `\u00xx`; in URLs; in HTML),
    in base64 at each of the three offsets, and cut into fragments over the frames of a stream.
    Time and memory are linear in the size of the text.
    """

    def __init__(self, values: Iterable[str]) -> None:
        secrets = dict.fromkeys(each for each in values if len(each) >= MIN_SECRET_LENGTH)
        self._forms = [form for each in secrets for form in _forms(each)]
        #: No secret is longer in bytes, however it is escaped.
        self.reach = max((LONGEST_ESCAPE * len(form) for form in self._forms), default=0)

    def redact(self, text: str) -> str:
        """The text with every secret replaced, also in its escaped and encoded forms."""
        data = text.encode("utf-8", "surrogatepass")
        return self._replaced(data).decode("utf-8", "surrogatepass")

    def printable(self, text: str) -> str:
        """Text of an endpoint, safe to show: on one line, without escapes and secrets."""
        return escape_unprintable(self.redact(text))

    def excerpt(self, text: str) -> str:
        """What a check says of a response, safe to show.

        A quotation that is cut may end within a secret, whose beginning is replaced as well.
        """
        data = self.redact(text).encode("utf-8", "surrogatepass")
        kept = _without(data, self._beginnings(data)) if self._forms else data
        return escape_unprintable(kept.decode("utf-8", "surrogatepass"))

    def redact_bytes(self, data: bytes) -> bytes:
        """The bytes with every secret replaced, also where fields of JSON have it in fragments."""
        replaced = self._replaced(data)
        return self._without_fragments(replaced) if self._forms else replaced

    @cached_property
    def _head(self) -> re.Pattern[bytes]:
        """Finds where a secret may begin."""
        heads = (head for form in self._forms for head in _heads(form))
        return re.compile("|".join(heads).encode("utf-8", "surrogatepass"))

    @cached_property
    def _whole(self) -> list[re.Pattern[bytes]]:
        """Matches each form of each secret; compiled once one may have been found."""
        patterns = ("".join(map(_escaped, form)) for form in self._forms)
        return [re.compile(each.encode("utf-8", "surrogatepass")) for each in patterns]

    def _found(self, data: bytes) -> Iterator[Span]:
        """Where the secrets are, in their order."""
        at = 0
        while candidate := self._head.search(data, at):
            start = candidate.start()
            ends = [found.end() for each in self._whole if (found := each.match(data, start))]
            if ends:
                yield start, max(ends)
            at = max(ends, default=start + 1)

    def _beginnings(self, data: bytes) -> Iterator[Span]:
        """Where secrets begin, and are cut."""
        at = 0
        while candidate := self._head.search(data, at):
            start = candidate.start()
            end = max(_common(form, data, start) for form in self._forms)
            if end and CUT.match(data, end):
                yield start, end
            at = max(end, start + 1)

    def _replaced(self, data: bytes) -> bytes:
        known = _without(data, self._found(data)) if self._forms else data
        # Most texts have no such bytes, and to find none is far quicker than to match nothing.
        return SESSION_TOKEN.sub(MARK.encode(), known) if b"eyJ" in known else known

    def _without_fragments(self, data: bytes) -> bytes:
        """The bytes of a stream, with the fragments replaced that contain part of a secret."""
        mask = bytearray()
        for start, end in self._secret_fragments(data):
            mask = mask or bytearray(len(data))
            mask[start:end] = b"\1" * (end - start)
        return _without(data, (each.span() for each in re.finditer(b"\1+", mask)))

    def _secret_fragments(self, data: bytes) -> Iterator[Span]:
        fields: Fields = {}
        waiting = kept = 0
        for frame in _frames(data):
            _add(fields, frame)
            waiting += len(frame)
            if waiting >= BATCH + kept:
                yield from self._of_secrets(data, fields)
                waiting, kept = 0, sum(map(len, fields.values()))
        yield from self._of_secrets(data, fields)

    def _of_secrets(self, data: bytes, fields: Fields) -> Iterator[Span]:
        """The spans that together contain a secret; only those are left that one may go on from."""
        reach = self.reach
        for spans in fields.values():
            # What is in the middle of a long fragment is there as a whole.
            texts = [
                data[a:b] if b - a <= 2 * reach else data[a : a + reach] + data[b - reach : b]
                for a, b in spans
            ]
            yield from self._joined(texts, spans)
            left = (at for at, size in enumerate(_sizes(reversed(texts)), 1) if size >= reach)
            del spans[: -next(left, len(spans))]
        for _ in range(len(fields) - MAX_FIELDS):
            del fields[next(iter(fields))]

    def _joined(self, texts: list[bytes], spans: list[Span]) -> Iterator[Span]:
        """The spans of those texts that contain part of a secret once they are joined."""
        ends: list[int] = []
        for start, end in self._found(b"".join(texts)):
            ends = ends or [*_sizes(texts)]
            yield from spans[bisect_right(ends, start) : bisect_left(ends, end) + 1]


def _common(form: Form, data: bytes, start: int) -> int:
    """Where a form of a secret and the data that begin alike part; 0 where they do so soon."""
    at = start
    for number, chars in enumerate(form):
        found = re.compile(_escaped(chars).encode("utf-8", "surrogatepass")).match(data, at)
        if not found:
            return at if number >= MIN_SECRET_LENGTH else 0
        at = found.end()
    return at


def _sizes(texts: Iterable[bytes]) -> Iterator[int]:
    """The size of each text and those before it."""
    return accumulate(map(len, texts))


def _without(data: bytes, spans: Iterable[Span]) -> bytes:
    """The bytes, with each of the spans replaced by the mark."""
    kept, at = [], 0
    for start, end in spans:
        kept += [data[at:start], MARK.encode()]
        at = end
    return b"".join([*kept, data[at:]]) if at else data


def _add(fields: Fields, frame: Frame) -> None:
    """Add the strings of a frame: several of one name each by itself, and one after another."""
    seen: Counter[bytes] = Counter()
    for name, span in frame:
        at, joined = seen[name], b"%b *" % name
        if at and joined not in fields:
            fields[joined] = fields[name].copy()
        _go_on(fields, b"%b %d" % (name, at) if at else name, span)
        if joined in fields:
            _go_on(fields, joined, span)
        seen[name] += 1


def _go_on(fields: Fields, name: bytes, span: Span) -> None:
    """Add a string to its field, which is then the last to be forgotten."""
    fields[name] = spans = fields.pop(name, [])
    spans.append(span)


def _frames(data: bytes) -> Iterator[Frame]:
    """The strings of each frame of a stream; of anything else each string by itself."""
    frame: Frame = []
    indexes, streamed = b"", b"data:" in data
    for found in FIELD.finditer(data):
        kind = found.lastindex
        if kind == TEXT:
            frame.append((found[1], found.span(TEXT)))
        elif kind == INDEX:
            indexes += b"%b," % found[INDEX]
        if kind is None or not streamed or len(frame) == MAX_FIELDS:
            yield _of_choice(frame, indexes)
            frame, indexes = [], b""
    yield _of_choice(frame, indexes)


def _of_choice(frame: Frame, indexes: bytes) -> Frame:
    first = not indexes.strip(b"0,")
    return frame if first else [(indexes + name, span) for name, span in frame]


#: A text, each character as those that may stand for it.
Form = list[str]


def _forms(value: str) -> Iterator[Form]:
    """A secret, and its base64 where it begins at each of three offsets in what is encoded."""
    yield list(re.sub(r"\\+", r"\\", value))  # The pattern of one backslash matches several.
    secret = value.encode("utf-8", "surrogatepass")
    for offset, first in enumerate(OWN):
        encoded = base64.b64encode(bytes(offset) + secret).decode()
        # The characters that depend on the secret alone.
        own = encoded[first : 8 * (offset + len(secret)) // 6]
        yield [char + URL_SAFE.get(char, "") for char in own]


def _escaped(chars: str) -> str:
    """The pattern of one character, as it is or escaped."""
    return f"(?:{'|'.join(_spellings(chars))})"


def _spellings(chars: str) -> list[str]:
    """The patterns of a character, as it is and escaped; each begins with a byte."""
    if chars == "\\":
        return [f"{BACKSLASHES}(?:u005[cC])?+", _in_url(chars)]
    named = [escape(each) for each in chars if escape(each) != each]
    return [*map(re.escape, chars), *named, _in_json(chars), *map(_in_url, chars)]


def _in_json(chars: str) -> str:
    points = [BACKSLASHES.join(f"u{_hex(unit)}" for unit in _utf16(char)) for char in chars]
    return f"{BACKSLASHES}(?:{'|'.join([*map(re.escape, chars), *points])})"


def _in_url(char: str) -> str:
    encoded = char.encode("utf-8", "surrogatepass")
    return "".join(f"%(?:25)?{_hex(f'{byte:02x}')}" for byte in encoded)


def _utf16(char: str) -> list[str]:
    units = char.encode("utf-16-be", "surrogatepass").hex()
    return [units[at : at + 4] for at in range(0, len(units), 4)]


def _hex(digits: str) -> str:
    """The pattern of a number in hexadecimal, in lower or upper case."""
    return "".join(f"[{each}{each.upper()}]" if each.isalpha() else each for each in digits)


def _heads(form: Form) -> Iterator[str]:
    """The patterns of a secret's beginning, one for each spelling of its first character."""
    rest = "".join(map(_escaped, form[1:HEAD_LENGTH]))
    return (f"{each}{rest}" for each in _spellings(form[0]))
