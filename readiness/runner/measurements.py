"""Measurements of many requests: kept as evidence, and read again when trials are scored again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass, replace
from functools import partial
from types import NoneType, UnionType
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

from readiness.exchange import Exchange
from readiness.load.step import StepResult
from readiness.runner.resume import Entry
from readiness.statistics.histogram import Histogram

T = TypeVar("T")
#: By how many seconds a request and its exchange may differ: they are told by other clocks.
TOLERANCE = 1e-3
READ_OF_REQUESTS = ("stream", "max_tokens", "max_completion_tokens")


def to_json(value: Any) -> Any:
    """A measurement as JSON; of a histogram the buckets that are not empty.

    Of an exchange its number in the evidence, and what of its request its reply is read by.
    """
    if isinstance(value, Exchange):
        asked = value.request if isinstance(value.request, dict) else {}
        return {
            "exchange": value.seq,
            "request": {name: asked[name] for name in READ_OF_REQUESTS if name in asked},
        }
    if isinstance(value, Histogram):
        return {str(at): int(value.counts[at]) for at in value.counts.nonzero()[0]}
    if is_dataclass(value):
        return {each.name: to_json(getattr(value, each.name)) for each in fields(value)}
    if isinstance(value, Mapping):
        return {key: to_json(each) for key, each in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [to_json(each) for each in value]
    return value


def from_json(kind: Any, value: Any, exchanges: Sequence[Exchange] = ()) -> Any:
    """A measurement of a type, from JSON and the exchanges of its run.

    Raises:
        ValueError, TypeError, LookupError, AttributeError: It is none.
    """
    origin, args = get_origin(kind), get_args(kind)
    read = partial(from_json, exchanges=exchanges)
    if kind is Exchange:
        return replace(exchanges[value["exchange"]], request=value["request"])
    if kind is Histogram:
        made = Histogram()
        for at, count in value.items():
            made.counts[int(at)] = count
        return made
    if is_dataclass(kind):
        types = get_type_hints(kind)
        return kind(**{name: read(types[name], each) for name, each in value.items()})  # type: ignore[operator]
    if origin is UnionType:
        known = next(each for each in args if each is not NoneType)
        return None if value is None else read(known, value)
    if origin is tuple:
        of_each = [args[0]] * len(value) if args[-1] is Ellipsis else args
        return tuple(read(of, each) for of, each in zip(of_each, value, strict=True))
    if origin in (list, Sequence):
        return [read(args[0], each) for each in value]
    if origin in (dict, Mapping):
        return {key: read(args[1], each) for key, each in value.items()}
    return value


def contradiction(value: object, sent: Sequence[int], exchanges: Sequence[Exchange]) -> str:
    """How exchanges contradict a measurement, or an empty string.

    Of a step of load each request is among the exchanges, took as long, and failed where its
    exchange did; and each exchange until the last of them is one of its requests. Requests of load
    workers are numbered by another process, and are not compared. Exchanges that are themselves
    what was measured are each of those that were sent, once.
    """
    measured = [each.seq for each in _exchanges_in(value)]
    if measured and sorted(measured) != sorted(sent):
        return f"of {len(sent)} exchanges {len({*measured} & {*sent})} are measured"
    if not isinstance(value, StepResult):
        return ""
    own = [each for each in value.samples if each.exchange >= 0]
    for each in own:
        exchange = exchanges[each.exchange]
        took = each.end - each.sent
        late = took - exchange.seconds > TOLERANCE or (
            each.sent > each.due and exchange.seconds - took > TOLERANCE
        )
        if late:
            return f"exchange {each.exchange} took {exchange.seconds:.3f} s and not {took:.3f} s"
        if not (each.error or exchange.succeeded):
            return f"exchange {each.exchange} failed, and is measured as answered"
    numbers = {each.exchange for each in own}
    left_out = [each for each in sent if own and each < max(numbers) and each not in numbers]
    return f"exchange {left_out[0]} is not measured" if left_out else ""


def _exchanges_in(value: object) -> Iterator[Exchange]:
    if isinstance(value, Exchange):
        yield value
    elif is_dataclass(value) and not isinstance(value, (type, StepResult)):
        yield from _exchanges_in([getattr(value, each.name) for each in fields(value)])
    elif isinstance(value, (list, tuple)):
        for each in value:
            yield from _exchanges_in(each)


class KeptMeasurements:
    """The measurements of a run by key, as its evidence has them."""

    def __init__(self, kept: Mapping[str, Entry], exchanges: Sequence[Exchange]) -> None:
        self._kept = kept
        self._exchanges = exchanges

    def __call__(self, key: str, kind: type[T]) -> tuple[T, Sequence[int]] | None:
        """A measurement and the numbers of its exchanges; None where it is not kept.

        Raises:
            MeasurementError: It is none, or its exchanges contradict it.
        """
        entry = self._kept.get(key)
        if entry is None:
            return None
        try:
            value: T = from_json(kind, entry["value"], self._exchanges)
            wrong = contradiction(value, entry["exchanges"], self._exchanges)
        except (ValueError, TypeError, LookupError, AttributeError) as error:
            wrong = f"it cannot be read: {type(error).__name__}"
        if wrong:
            raise MeasurementError(f"what was measured is not what its exchanges say: {wrong}")
        return value, entry["exchanges"]


class MeasurementError(Exception):
    """A measurement in evidence is not borne out by its exchanges."""
