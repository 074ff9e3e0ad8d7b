"""Fitting a table into the width there is: its columns are dealt out to as many tables as it takes."""

from collections.abc import Iterator, Sequence

from rich.cells import cell_len


def text_width(text: str) -> int:
    """Return the width of the widest line of a text."""
    return max(map(cell_len, text.split("\n")))


def dealt(widths: Sequence[int], first: int, room: int) -> list[range]:
    """Deal columns out in their order, so that each share fits beside a first column.

    There are as few shares as can be, and the widest of them is as narrow as it can be then.

    Args:
        widths: of the columns, in cells.
        first: width of the column that stands in front of each share.
        room: cells there are; one of them stands between neighbours.
    """
    fewest = list(_filled(widths, first, room))
    tighter = (list(_filled(widths, first, narrow)) for narrow in range(first, room))
    return next((shares for shares in tighter if len(shares) == len(fewest)), fewest)


def _filled(widths: Sequence[int], first: int, room: int) -> Iterator[range]:
    """Fill each share before the next is begun."""
    start, used = 0, first
    for index, width in enumerate(widths):
        if index > start and used + 1 + width > room:
            yield range(start, index)
            start, used = index, first
        used += 1 + width
    yield range(start, len(widths))
