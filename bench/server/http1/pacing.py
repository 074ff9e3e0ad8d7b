"""How an answer is cut into slices so that it never runs ahead of its bandwidth."""

from bench.model.bandwidth import slice_bytes
from bench.server.answers import Answer, Slice


def head_only(answer: Answer, *, closing: bool) -> tuple[Slice, ...]:
    """Send no body, and at once."""
    return (Slice(answer.head(closing=closing), 0.0),)


def paced(answer: Answer, bandwidth: float, *, closing: bool) -> tuple[Slice, ...]:
    """Send the head, then each slice of the body once the bandwidth, in bytes per second, has room for it."""
    body = answer.body
    step = slice_bytes(bandwidth)
    ends = [*range(step, len(body), step), len(body)]
    starts = [0, *ends[:-1]]
    slices = (Slice(body[start:end], end / bandwidth) for start, end in zip(starts, ends, strict=True))
    return (Slice(answer.head(closing=closing), 0.0), *slices)
