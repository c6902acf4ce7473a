from __future__ import annotations

from itertools import pairwise
from time import process_time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from readiness.protocol.sse import Event, Parser

FIELDS = [b"data: a", b"data:b", b"data:  c", b"data", b"data:", b"data: \xf0\x9f\x91\x8d", b"dat"]
OTHERS = [b": ping", b"event: e", b"id: 1", b"retry: 3", b"other", b"data: \xff", b""]
LINES = st.lists(st.sampled_from([*FIELDS, *OTHERS]), max_size=12)
ENDS = st.sampled_from([b"\n", b"\r\n", b"\r"])
RAW = st.lists(st.sampled_from([b"data", b":", b" ", b"\r", b"\n", b"x", b"\xef\xbb\xbf"])).map(
    b"".join
)


def parse(*pieces: bytes) -> tuple[list[Event], bytes]:
    parser = Parser()
    return [event for piece in pieces for event in parser.feed(piece)], parser.rest


def data(*pieces: bytes) -> list[bytes]:
    return [event.data for event in parse(*pieces)[0]]


def pieces(stream: bytes, cuts: list[int]) -> list[bytes]:
    places = sorted({0, len(stream), *(cut % (len(stream) + 1) for cut in cuts)})
    return [stream[a:b] for a, b in pairwise(places)]


@given(RAW, st.lists(st.integers(0, 1000)))
@example(b"data: a\r\n\r\n", [8])
@example(b"data: a\r\ndata: b\r\n\r\n", [8])
@example(b"\xef\xbb\xbfdata: a\n\n", [1, 2])
def test_any_chunks_of_the_same_bytes_give_the_same_events(stream: bytes, cuts: list[int]) -> None:
    assert parse(*pieces(stream, cuts)) == parse(stream)


@given(LINES, st.data())
def test_all_three_line_ends_mean_the_same(lines: list[bytes], draw: st.DataObject) -> None:
    mixed = b"".join(line + draw.draw(ENDS) for line in lines)
    # A blank line's LF after a CR would be the second half of one line end.
    plain = b"".join(line + b"\n" for line in mixed.splitlines())
    assert data(mixed) == data(plain)


@given(st.lists(st.text(st.characters(exclude_characters="\r\n", codec="utf-8"))), st.booleans())
def test_text_survives(texts: list[str], spaced: bool) -> None:
    space = b" " if spaced or any(text.startswith(" ") for text in texts) else b""
    stream = b"".join(b"data:%s%s\n\n" % (space, text.encode()) for text in texts)
    assert [one.decode() for one in data(*(bytes([byte]) for byte in stream))] == texts


@pytest.mark.parametrize(
    ("stream", "events"),
    [
        (b"data: a\n\n", [b"a"]),
        (b"data:a\n\n", [b"a"]),
        (b"data:  a\n\n", [b" a"]),
        (b"data\n\n", [b""]),
        (b"data: a\ndata: b\n\n", [b"a\nb"]),
        (b": comment\n\ndata: a\n: comment\n\n", [b"a"]),
        (b"\xef\xbb\xbfdata: a\n\n", [b"a"]),
        (b"data: a\n\n\xef\xbb\xbfdata: b\n\n", [b"a"]),
        (b"event: ping\n\n", []),
        (b"error: {}\n\n", []),
        (b"data: a:b\n\n", [b"a:b"]),
        (b"data: a\x0bb\x1cc\xc2\x85\n\n", [b"a\x0bb\x1cc\xc2\x85"]),
        (b"\n\n\ndata: a\n\n\n\n", [b"a"]),
    ],
)
def test_events_are_those_of_the_standard(stream: bytes, events: list[bytes]) -> None:
    assert data(stream) == events


def test_an_event_knows_its_type_and_the_next_one_does_not() -> None:
    events, _ = parse(b"event: error\ndata: a\n\ndata: b\n\n")
    assert [event.type for event in events] == [b"error", b""]


@pytest.mark.parametrize(
    ("stream", "ends"),
    [
        (b"data: a\n\ndata: b\n\n", [9, 18]),
        (b"data: a\r\n\r\ndata: b\r\n\r\n", [10, 21]),
        (b"data: a\r\rdata: b\r\r", [9, 18]),
    ],
)
def test_an_event_ends_with_the_first_byte_of_its_blank_line(
    stream: bytes, ends: list[int]
) -> None:
    assert [event.end for event in parse(stream)[0]] == ends


@pytest.mark.parametrize(
    ("stream", "rest"),
    [
        (b"data: a\n\n", b""),
        (b"data: a\n\n: ping", b""),
        (b"data: a\n\n: ping\n", b""),
        (b"data: a\n", b"a\n"),
        (b"data: a\ndata: b", b"a\ndata: b"),
        (b"data: a\n\nda", b"da"),
        (b"data: a\n: pi", b"a"),
    ],
)
def test_what_no_blank_line_completes_is_left_over(stream: bytes, rest: bytes) -> None:
    assert parse(stream)[1] == rest


def test_a_long_line_in_small_pieces_takes_linear_time() -> None:
    def seconds(size: int) -> float:
        parser = Parser()
        piece = b"x" * 64
        began = process_time()
        for _ in range(size // 64):
            parser.feed(piece)
        return process_time() - began

    small = min(seconds(2**20) for _ in range(3))
    # Four times the bytes; a quadratic parser would take sixteen times as long.
    assert min(seconds(2**22) for _ in range(3)) < 10 * small
