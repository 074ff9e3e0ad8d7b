"""What a scalar of a config means."""

from collections.abc import Callable

import pytest

from bench.config import units


@pytest.mark.parametrize(
    ("read", "text", "value"),
    [
        (units.duration_s, "50ms", 0.05),
        (units.duration_s, "0.5ms", 0.0005),
        (units.duration_s, "0ms", 0.0),
        (units.duration_s, "2s", 2.0),
        (units.duration_s, "1.5s", 1.5),
        (units.duration_s, "2m", 120.0),
        (units.duration_s, "1440m", 86_400.0),
        (units.size_bytes, "10KiB", 10_240.0),
        (units.size_bytes, "2MiB", 2_097_152.0),
        (units.size_bytes, "10kB", 10_000.0),
        (units.size_bytes, "1.5B", 1.5),
        (units.parse_share, "5%", 0.05),
        (units.parse_share, "0.05", 0.05),
        (units.parse_share, "0", 0.0),
        (units.parse_share, "1", 1.0),
        (units.parse_share, "100%", 1.0),
        (units.parse_positive_share, "3%", 0.03),
        (units.factor, "10%", 0.1),
        (units.factor, "2", 2.0),
        (units.factor, "300%", 3.0),
        (units.whole(1, 10), "10", 10),
        (units.whole(0, 10), "0", 0),
        (units.truth, "true", True),
        (units.truth, "false", False),
        (units.identifier, "my-config_2.1", "my-config_2.1"),
    ],
)
def test_a_scalar_is_read_exactly(read: Callable[[str], object], text: str, value: object) -> None:
    """Figures carry their unit and come out as the nearest float."""
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


@pytest.mark.parametrize("number", STRANGE_NUMBERS)
@pytest.mark.parametrize(
    ("read", "unit"),
    [
        (units.duration_s, "ms"),
        (units.size_bytes, "KiB"),
        (units.parse_share, "%"),
        (units.factor, "%"),
        (units.whole(0, 10**15), ""),
    ],
)
def test_one_spelling_a_number(read: Callable[[str], object], unit: str, number: str) -> None:
    """Exponents, zeros in front, sexagesimals and their like are refused whatever the unit."""
    with pytest.raises(ValueError, match="must be "):
        read(number + unit)


@pytest.mark.parametrize(
    ("read", "text", "message"),
    [
        (units.duration_s, "5", "must be a duration such as 50ms, 1.5s or 2m, not '5'"),
        (units.duration_s, "5 ms", "must be a duration such as 50ms, 1.5s or 2m, not '5 ms'"),
        (units.duration_s, "5MS", "must be a duration such as 50ms, 1.5s or 2m, not '5MS'"),
        (units.duration_s, "1441m", "must be at most a day, not '1441m'"),
        (units.parse_positive_duration, "0s", "must be more than zero, not '0s'"),
        (units.size_bytes, "10", "must be a size such as 10KiB, 2MiB or 10kB, not '10'"),
        (units.size_bytes, "0B", "must be more than zero, not '0B'"),
        (units.parse_share, "5", "must be from 0% to 100%, not '5'; did you mean '5%'?"),
        (units.parse_share, "101%", "must be from 0% to 100%, not '101%'"),
        (units.factor, "0", "must be more than zero, not '0'"),
        (units.factor, "1001", "must be at most 1000, not '1001'"),
        (units.whole(1, 9), "0", "must be a whole number from 1 to 9, not '0'"),
        (units.whole(1, 9), "10", "must be a whole number from 1 to 9, not '10'"),
        (units.whole(1, 9), "1.0", "must be a whole number from 1 to 9, not '1.0'"),
        (units.truth, "yes", "must be true or false, not 'yes'"),
        (units.truth, "True", "must be true or false, not 'True'; did you mean 'true'?"),
    ],
)
def test_a_refusal_says_what_was_expected(read: Callable[[str], object], text: str, message: str) -> None:
    """The message names the rule and quotes what stands there."""
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
def test_a_name_is_safe_everywhere(text: str) -> None:
    """No name leaves its folder, colours a terminal or imitates another."""
    with pytest.raises(ValueError, match="at most 64"):
        units.identifier(text)


@pytest.mark.parametrize(("seconds", "text"), [(0.05, "50ms"), (0.0005, "0.5ms"), (1.0, "1s"), (1.5, "1.5s")])
def test_a_duration_is_written_as_a_config_would(seconds: float, text: str) -> None:
    """What names a profile can be read back."""
    assert units.duration_text(seconds) == text
    assert units.duration_s(text) == seconds


@pytest.mark.parametrize("text", ["10KiB", "2MiB", "10kB", "1.5MB", "3GiB", "7B", "1023B"])
def test_a_size_is_written_as_a_config_would(text: str) -> None:
    """What names a profile can be read back, in the unit it was given."""
    assert units.size_text(units.size_bytes(text)) == text
