"""The spans of one round: when each fetch and each request began and ended, and their packed form.

A trial that keeps them has those of one of its calls, the client's view and the server's by the same clock.
The packed form is JSON with a list for each column, compressed by zlib, in base64: ten bytes a fetch.
"""

import json
import zlib
from binascii import Error as Base64Error
from binascii import a2b_base64, b2a_base64
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from bench.model.json_codec import MalformedError

_MICROSECONDS: Final = 1_000_000
_LONGEST: Final = 1_000_000
"""Most bytes that a packed text is unpacked to."""


class FetchSpan(NamedTuple):
    """A fetch as the client saw it; seconds since ``download_many`` was called.

    Attributes:
        answered_s: when the whole answer had arrived.
        end_s: when the flag was saved, or the failure known.
    """

    country: str
    outcome: str
    start_s: float
    answered_s: float
    end_s: float


class RequestSpan(NamedTuple):
    """A request as the server saw it; seconds since ``download_many`` was called.

    Attributes:
        connection: number of its connection, from 1 since the server started.
        start_s: when its first byte was sent.
        status: 0 if it got no response, or not all of it.
        fault: the kind of its fault; empty if there was none.
    """

    country: str
    connection: int
    status: int
    fault: str
    arrival_s: float
    start_s: float
    end_s: float


@dataclass(frozen=True, slots=True)
class RoundSpans:
    """The spans of one call, in the order of their starts; of a large one only the first ones.

    Attributes:
        elapsed_s: duration of the call.
        fetches: none where a function does not tell the times of its fetches.
        all_fetches: number of fetches of the call.
        all_requests: number of requests of the call.
    """

    elapsed_s: float
    fetches: tuple[FetchSpan, ...]
    requests: tuple[RequestSpan, ...]
    all_fetches: int
    all_requests: int


def keeps_spans(block: int) -> bool:
    """Tell whether the trials of a block keep spans: those of blocks 0, 1, 2, 4, 8 and so on.

    A typical one can be chosen from a few; all of them would make a large run ten times as large.
    """
    return block & (block - 1) == 0


def pack_spans(spans: RoundSpans) -> str:
    """Pack spans into a text, with times rounded to microseconds."""
    document = {
        "elapsed_us": round(spans.elapsed_s * _MICROSECONDS),
        "all": [spans.all_fetches, spans.all_requests],
        "fetches": _columns(spans.fetches, FetchSpan),
        "requests": _columns(spans.requests, RequestSpan),
    }
    text = json.dumps(document, separators=(",", ":"))
    return b2a_base64(zlib.compress(text.encode()), newline=False).decode()


def unpack_spans(text: str) -> RoundSpans:
    """Unpack spans.

    Raises:
        MalformedError: the text is no packed spans.
    """
    unpacker = zlib.decompressobj()
    try:
        document = json.loads(unpacker.decompress(a2b_base64(text), _LONGEST))
        if not unpacker.eof:
            raise ValueError("its end is missing")
        fetches = _rows(document["fetches"], FetchSpan)
        requests = _rows(document["requests"], RequestSpan)
        all_fetches, all_requests = (_checked(each, int) for each in document["all"])
        elapsed_s = _checked(document["elapsed_us"], int) / _MICROSECONDS
    except (Base64Error, zlib.error, ValueError, TypeError, KeyError, OverflowError, RecursionError) as error:
        raise MalformedError(f"not the spans of a round: {error}") from error
    return RoundSpans(elapsed_s, fetches, requests, all_fetches, all_requests)


def _columns(spans: Iterable[tuple[Any, ...]], kind: type[Any]) -> list[list[Any]]:
    columns: list[list[Any]] = [[] for _ in kind._fields]
    for span in spans:
        for column, name, value in zip(columns, kind._fields, span, strict=True):
            column.append(round(value * _MICROSECONDS) if name.endswith("_s") else value)
    return columns


def _rows(columns: Sequence[Sequence[Any]], kind: type[Any]) -> tuple[Any, ...]:
    """Return the spans of columns; all their numbers are whole, as times are in microseconds."""
    types = [str if type_ is str else int for type_ in kind.__annotations__.values()]
    seconds = [name.endswith("_s") for name in kind._fields]
    return tuple(
        kind._make(
            _checked(value, type_) / _MICROSECONDS if is_time else _checked(value, type_)
            for value, type_, is_time in zip(row, types, seconds, strict=True)
        )
        for row in zip(*columns, strict=True)
    )


def _checked(value: Any, type_: type[Any]) -> Any:
    """Return a value of exactly this type.

    Raises:
        ValueError: it has another one.
    """
    if type(value) is not type_:
        raise ValueError(f"{value!r:.40} is no {type_.__name__}")
    return value
