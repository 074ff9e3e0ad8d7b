"""Reduce many values to as many as can be seen, so that a report stays small and quick to draw."""

from collections.abc import Sequence


def thin_values(values: Sequence[float], most: int) -> list[float]:
    """Return the values in order, or as many evenly spaced order statistics, both extremes included.

    Args:
        values: in any order.
        most: number of values to return at most, 2 or more.
    """
    ordered = sorted(values)
    if len(ordered) <= most:
        return ordered
    last = len(ordered) - 1
    return [ordered[round(place * last / (most - 1))] for place in range(most)]


def cumulative_shares(values: Sequence[float], most: int) -> list[tuple[float, float]]:
    """Return points of the cumulative distribution: a value, and the share of values up to it.

    Args:
        values: in any order.
        most: number of points at most, 2 or more.
    """
    ordered = sorted(values)
    ranks = thin_values(list(range(1, len(ordered) + 1)), most)
    return [(ordered[int(rank) - 1], int(rank) / len(ordered)) for rank in ranks]
