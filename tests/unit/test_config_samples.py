"""Values of the user's that delays are drawn from."""

from pathlib import Path
from statistics import median

import pytest

from bench.config.samples import MOST_VALUES, read_sample, reduce_sample
from bench.config.scalars import parse_duration


def read(
    tmp_path: Path, content: str | bytes, column: str | None = None, unit: str | None = None
) -> tuple[float, ...]:
    """Read the durations of a file with this content."""
    file = tmp_path / "values.csv"
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_sample(file, column, unit, parse_duration)


@pytest.mark.parametrize(
    ("content", "column", "unit", "values_s"),
    [
        ("12ms\n0.5s\n1m\n", None, None, (0.012, 0.5, 60)),
        ("# mine\n\n 12 \r\n7.5\r\n", None, "ms", (0.0075, 0.012)),
        ("\ufeff0.012\n00.3\n.5\n0.1234567891234\n", None, "s", (0.012, 0.123456789, 0.3, 0.5)),
        ("path,time\na,12ms\nb,5ms\n", "time", None, (0.005, 0.012)),
        ('"a, b",t\n"x,\ny",3\n\nz,4\n', "t", "s", (3, 4)),
        ("t\n1s\n2s\n", "t", None, (1, 2)),
    ],
)
def test_values_are_read_ascending(
    tmp_path: Path, content: str, column: str | None, unit: str | None, values_s: tuple[float, ...]
) -> None:
    assert read(tmp_path, content, column, unit) == values_s


@pytest.mark.parametrize(
    ("content", "column", "unit", "message"),
    [
        ("12\n13\n", None, None, "line 1 has a number without a unit, '12'; add 'unit'"),
        ("5ms\n-1ms\n", None, None, "line 2 must be a duration"),
        ("5ms\nnan\n", None, "s", "line 2 must be a duration"),
        ("5ms\n2000m\n", None, None, "line 2 must be at most a day"),
        ("time,path\n1,a\n", None, "s", "has several columns; name one with 'column': 'time' and 'path'"),
        (
            "time,path\n1,a\n",
            "tim",
            "s",
            "has no column 'tim'; did you mean 'time'?; it has 'time' and 'path'",
        ),
        ("time,path\n1,a\n,b\n", "time", "s", "line 3 must be a duration"),
        ("path,time\na,1\nb\n", "time", "s", "line 3 must be a duration"),
        ('t\n"1\n', "t", "s", "line 2: unexpected end of data"),
        ("5ms\n", None, None, "has 1 values; a sample takes 2"),
        ("", None, None, "has 0 values"),
        ("", "t", None, "has no column 't'; it has none"),
        (b"\xff", None, None, "is not UTF-8: byte 0"),
    ],
)
def test_file_that_is_not_as_it_must_be_is_refused_with_its_line(
    tmp_path: Path, content: str | bytes, column: str | None, unit: str | None, message: str
) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011  its text follows
        read(tmp_path, content, column, unit)
    assert message in str(caught.value)


def test_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="cannot be read"):
        read_sample(tmp_path, None, None, parse_duration)


def test_many_values_are_reduced_to_quantiles_that_divide_them_evenly() -> None:
    values = [float(number) for number in range(1, 100_001)]
    kept = reduce_sample(values)
    assert len(kept) == MOST_VALUES
    assert kept == tuple(sorted(kept))
    assert median(kept) == pytest.approx(median(values))
    assert kept[0] == pytest.approx(51, abs=1)
    assert kept[-1] == pytest.approx(99_950, abs=1)


def test_as_many_values_as_are_kept_stay_as_they_are() -> None:
    values = [float(number) for number in range(MOST_VALUES)]
    assert reduce_sample(values) == tuple(values)
