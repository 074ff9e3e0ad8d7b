"""How an answer is cut into slices so that it never runs ahead of its bandwidth."""

from typing import Final

from bench.server.answers import Answer, Slice

SLICE_S: Final = 0.02
"""Seconds of bandwidth in a slice: often enough to look like a stream, seldom enough to cost nothing."""


def head_only(answer: Answer, *, closing: bool) -> tuple[Slice, ...]:
    """Send no body, and at once."""
    return (Slice(answer.head(closing=closing), 0.0),)


def paced(answer: Answer, bandwidth: float, *, closing: bool) -> tuple[Slice, ...]:
    """Send the head, then each slice of the body once the bandwidth, in bytes per second, has room for it."""
    body = answer.body
    step = max(1, int(bandwidth * SLICE_S))
    ends = [*range(step, len(body), step), len(body)]
    starts = [0, *ends[:-1]]
    slices = (Slice(body[start:end], end / bandwidth) for start, end in zip(starts, ends, strict=True))
    return (Slice(answer.head(closing=closing), 0.0), *slices)
