"""Answers as HTTP/2 has them."""

from functools import lru_cache

from bench.server.answers import Answer
from bench.server.http2.script import Field, Reply


@lru_cache(maxsize=1024)
def reply_of(answer: Answer) -> Reply:
    """Return an answer with its headers as fields, whose names are in lower case (RFC 9113, 8.2)."""
    fields = tuple((name.lower().encode(), value.encode()) for name, value in answer.headers)
    return Reply(answer.status, fields, answer.body)


def sized(fields: tuple[Field, ...], *lengths: bytes) -> tuple[Field, ...]:
    """Return fields with these lengths instead of the true one."""
    others = tuple(field for field in fields if field[0] != b"content-length")
    return (*others, *((b"content-length", length) for length in lengths))
