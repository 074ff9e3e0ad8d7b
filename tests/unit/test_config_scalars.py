"""The scalars of a config."""

from collections.abc import Callable

import pytest

from bench.config import scalars
from bench.model.text import size_text


@pytest.mark.parametrize(
    ("read", "text", "value"),
    [
        (scalars.parse_duration, "50ms", 0.05),
        (scalars.parse_duration, "0.5ms", 0.0005),
        (scalars.parse_duration, "0ms", 0.0),
        (scalars.parse_duration, "2s", 2.0),
        (scalars.parse_duration, "1.5s", 1.5),
        (scalars.parse_duration, "2m", 120.0),
        (scalars.parse_duration, "1440m", 86_400.0),
        (scalars.parse_size, "10KiB", 10_240.0),
        (scalars.parse_size, "2MiB", 2_097_152.0),
        (scalars.parse_size, "10kB", 10_000.0),
        (scalars.parse_size, "1.5B", 1.5),
        (scalars.parse_share, "5%", 0.05),
        (scalars.parse_share, "0.05", 0.05),
        (scalars.parse_share, "0", 0.0),
        (scalars.parse_share, "1", 1.0),
        (scalars.parse_share, "100%", 1.0),
        (scalars.parse_positive_share, "3%", 0.03),
        (scalars.parse_factor, "10%", 0.1),
        (scalars.parse_factor, "2", 2.0),
        (scalars.parse_factor, "300%", 3.0),
        (scalars.parse_whole(1, 10), "10", 10),
        (scalars.parse_whole(0, 10), "0", 0),
        (scalars.parse_truth, "true", True),
        (scalars.parse_truth, "false", False),
        (scalars.parse_name, "my-config_2.1", "my-config_2.1"),
    ],
)
def test_scalar_is_read_as_the_nearest_value(read: Callable[[str], object], text: str, value: object) -> None:
    assert read(text) == value


STRANGE_NUMBERS = [
    "",
    " 1",
    "1 ",
    "1e3",
    "010",
    "00",
    "1:30",
    "nan",
    "inf",
    ".inf",
    "-1",
    "+1",
    "1_000",
    ".5",
    "5.",
]
STRANGE_NUMBERS += ["1,5", "0x10", "9" * 16, "1." + "0" * 10, "\u0661", "\uff11", "1\n", "true", "null", "~"]


@pytest.mark.parametrize(
    ("read", "unit"),
    [
        (scalars.parse_duration, "ms"),
        (scalars.parse_size, "KiB"),
        (scalars.parse_share, "%"),
        (scalars.parse_factor, "%"),
        (scalars.parse_whole(0, 10**15), ""),
    ],
)
def test_number_has_one_spelling(read: Callable[[str], object], unit: str) -> None:
    assert [number for number in STRANGE_NUMBERS if not is_refused(read, number + unit)] == []


def is_refused(read: Callable[[str], object], text: str) -> bool:
    """Return whether a text is refused with a message that says what it must be."""
    try:
        read(text)
    except ValueError as error:
        return "must be " in str(error)
    return False


@pytest.mark.parametrize(
    ("read", "text", "message"),
    [
        (scalars.parse_duration, "5", "must be a duration such as 50ms, 1.5s or 2m, not '5'"),
        (scalars.parse_duration, "5 ms", "must be a duration such as 50ms, 1.5s or 2m, not '5 ms'"),
        (scalars.parse_duration, "5MS", "must be a duration such as 50ms, 1.5s or 2m, not '5MS'"),
        (scalars.parse_duration, "1441m", "must be at most a day, not '1441m'"),
        (scalars.parse_positive_duration, "0s", "must be more than zero, not '0s'"),
        (scalars.parse_size, "10", "must be a size such as 10KiB, 2MiB or 10kB, not '10'"),
        (scalars.parse_size, "0B", "must be more than zero, not '0B'"),
        (scalars.parse_share, "5", "must be from 0% to 100%, not '5'; did you mean '5%'?"),
        (scalars.parse_share, "101%", "must be from 0% to 100%, not '101%'"),
        (scalars.parse_factor, "0", "must be more than zero, not '0'"),
        (scalars.parse_factor, "1001", "must be at most 1000, not '1001'"),
        (scalars.parse_whole(1, 9), "0", "must be a whole number from 1 to 9, not '0'"),
        (scalars.parse_whole(1, 9), "10", "must be a whole number from 1 to 9, not '10'"),
        (scalars.parse_whole(1, 9), "1.0", "must be a whole number from 1 to 9, not '1.0'"),
        (scalars.parse_truth, "yes", "must be true or false, not 'yes'"),
        (scalars.parse_truth, "True", "must be true or false, not 'True'; did you mean 'true'?"),
    ],
)
def test_message_says_what_was_expected(read: Callable[[str], object], text: str, message: str) -> None:
    with pytest.raises(ValueError, match="must be") as caught:
        read(text)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    "text",
    [
        "",
        ".",
        "..",
        "../..",
        "a/b",
        "a\\b",
        "-x",
        ".x",
        "a b",
        "<b>",
        "=cmd()",
        "\x1b[0m",
        "\u0412",
        "x" * 65,
    ],
)
def test_name_that_is_unsafe_in_paths_or_terminals_is_rejected(text: str) -> None:
    with pytest.raises(ValueError, match="at most 64"):
        scalars.parse_name(text)


@pytest.mark.parametrize(("seconds", "text"), [(0.05, "50ms"), (0.0005, "0.5ms"), (1.0, "1s"), (1.5, "1.5s")])
def test_duration_is_written_as_in_a_config(seconds: float, text: str) -> None:
    assert scalars.duration_text(seconds) == text
    assert scalars.parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["10KiB", "2MiB", "10kB", "1.5MB", "3GiB", "7B", "1023B", "1234567B"])
def test_size_is_written_as_in_a_config(text: str) -> None:
    assert size_text(scalars.parse_size(text)) == text
