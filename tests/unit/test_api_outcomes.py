"""The outcome of an answer, by its status, body and headers."""

import asyncio
import gzip
import zlib
from collections.abc import AsyncIterator, Iterator

import pytest

from bench.api import Answer, ClientSettings, TooLargeError, collect, collect_async
from bench.api.outcomes import outcome_of_answer, outcome_of_status

CAP = 1000
SETTINGS = ClientSettings(workers=1, keep_alive=True, request_timeout_s=1.0, largest_bytes=CAP)
BOMB = gzip.compress(bytes(CAP + 1))


@pytest.mark.parametrize(
    ("answer", "outcome", "detail"),
    [
        (Answer(200, b"GIF"), "ok", ""),
        (Answer(200, b"GIF", {"Content-Length": "3"}), "ok", ""),
        (Answer(200, b"GIF", {"Content-Length": "003"}), "ok", ""),
        (Answer(200, b"GIF", {"Content-Length": "3, 3"}), "ok", ""),
        (Answer(200, b"GIF", {"Content-Encoding": "Identity"}), "ok", ""),
        (Answer(200, b""), "corrupt", "the body is empty"),
        (Answer(200, b"", {"Content-Length": "0"}), "corrupt", "the body is empty"),
        (Answer(204, b""), "corrupt", ""),
        (Answer(206, b"GIF"), "corrupt", ""),
        (Answer(200, b"GIF", {"Content-Length": "4"}), "truncated", "3 bytes of a Content-Length of 4"),
        (Answer(200, b"GIF", {"Content-Length": "10"}), "truncated", "3 bytes of a Content-Length of 10"),
        (
            Answer(200, b"GIF", {"Content-Length": "9" * 5000}),
            "truncated",
            f"3 bytes of a Content-Length of {'9' * 100}",
        ),
        (Answer(200, b"GIF", {"Content-Length": "2"}), "protocol", "3 bytes of a Content-Length of 2"),
        (Answer(200, b"GIF", {"Content-Length": "3, 4"}), "protocol", "Content-Length: 3, 4"),
        (Answer(200, b"GIF", {"Content-Length": "-3"}), "protocol", "Content-Length: -3"),
        (Answer(200, b"GIF", {"Content-Length": "+3"}), "protocol", "Content-Length: +3"),
        (Answer(200, b"GIF", {"Content-Length": "three"}), "protocol", "Content-Length: three"),
        (Answer(200, b"GIF", {"Content-Length": "٣"}), "protocol", "Content-Length: ٣"),
        (Answer(200, b"GIF", {"Content-Length": ""}), "protocol", "Content-Length: "),
        (Answer(200, BOMB, {"Content-Encoding": "gzip"}), "too_large", "Content-Encoding: gzip"),
        (
            Answer(200, zlib.compress(bytes(CAP + 1)), {"Content-Encoding": "deflate"}),
            "too_large",
            "Content-Encoding: deflate",
        ),
        (
            Answer(200, gzip.compress(bytes(CAP)), {"Content-Encoding": "gzip"}),
            "corrupt",
            "Content-Encoding: gzip",
        ),
        (Answer(200, b"no gzip", {"Content-Encoding": "gzip"}), "corrupt", "Content-Encoding: gzip"),
        (Answer(200, b"GIF", {"Content-Encoding": "br"}), "corrupt", "Content-Encoding: br"),
        (Answer(302, b"", {"Location": "/"}), "redirect", ""),
        (Answer(503, b"", {"Retry-After": "30"}), "unavailable", "HTTP status 503, Retry-After: 30"),
        (Answer(429, b"", {"Retry-After": "30"}), "rate_limited", "HTTP status 429, Retry-After: 30"),
        (Answer(503, b""), "unavailable", ""),
        (Answer(404, b"no flag", {"Content-Length": "70"}), "not_found", ""),
    ],
)
def test_answer_has_one_outcome_for_all_clients(answer: Answer, outcome: str, detail: str) -> None:
    assert outcome_of_answer(answer, CAP) == (outcome, detail)


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (200, "ok"),
        (204, "corrupt"),
        (302, "redirect"),
        (403, "error"),
        (404, "not_found"),
        (418, "server_error"),
        (429, "rate_limited"),
        (500, "server_error"),
        (503, "unavailable"),
        (0, "error"),
    ],
)
def test_status_has_an_outcome(status: int, outcome: str) -> None:
    assert outcome_of_status(status) == outcome


def test_body_is_collected_up_to_the_limit() -> None:
    assert collect([b"GI", b"", b"F"], SETTINGS) == b"GIF"
    assert len(collect([bytes(CAP - 1), b"x"], SETTINGS)) == CAP


def test_endless_body_is_read_only_up_to_the_limit() -> None:
    taken = []

    def pieces() -> Iterator[bytes]:
        while True:
            taken.append(600)
            yield bytes(600)

    async def pieces_async() -> AsyncIterator[bytes]:
        for piece in pieces():
            yield piece

    with pytest.raises(TooLargeError, match="larger than 1000 bytes"):
        collect(pieces(), SETTINGS)
    with pytest.raises(TooLargeError, match="larger than 1000 bytes"):
        asyncio.run(collect_async(pieces_async(), SETTINGS))
    assert len(taken) == 4
