"""Dealing columns out to as many tables as the width demands."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.report.table import split_columns


@pytest.mark.parametrize(
    ("widths", "room", "shares"),
    [
        ([], 80, []),
        ([10, 10, 10], 80, [range(3)]),
        ([10, 10, 10], 43, [range(3)]),
        ([10, 10, 10, 10], 43, [range(2), range(2, 4)]),
        ([10] * 7, 43, [range(3), range(3, 6), range(6, 7)]),
        ([90, 10], 43, [range(1), range(1, 2)]),
    ],
)
def test_columns_are_dealt_out_evenly(widths: list[int], room: int, shares: list[range]) -> None:
    """As few shares as can be, beside a first column of ten, and the widest as narrow as can be."""
    assert split_columns(widths, 10, room) == (shares or [range(0)])


@given(st.lists(st.integers(1, 30), min_size=1, max_size=30), st.integers(0, 30), st.integers(61, 200))
def test_every_column_is_shown_once_and_fits(widths: list[int], first: int, room: int) -> None:
    """Whatever their widths are."""
    shares = split_columns(widths, first, room)
    assert [index for share in shares for index in share] == list(range(len(widths)))
    for share in shares:
        assert first + sum(1 + widths[index] for index in share) <= room
