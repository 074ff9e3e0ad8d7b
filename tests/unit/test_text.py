"""Text from strategies and libraries, made safe for tables and results."""

from pathlib import Path

import pytest

from bench.model.text import describe_error, one_line, redact_text

HOME = Path("/home/ann.o'x+y")


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("plain", "plain"),
        ("two\nlines\tand   more ", "two lines and more"),
        ("\x1b[2J\u202eevil\udc80", "�[2J�evil�"),
        ("x" * 1000, "x" * 299 + "…"),
    ],
)
def test_text_becomes_one_printable_line(text: str, line: str) -> None:
    """Terminal escapes, directions and surrogates do no harm in a table."""
    assert one_line(text) == line


def test_error_that_cannot_be_printed_is_still_named() -> None:
    class BrokenError(Exception):
        def __str__(self) -> str:
            raise ValueError

    assert describe_error(BrokenError(), Path("mine.py")).endswith("BrokenError: <exception str() failed>")


def test_syntax_error_is_described_by_its_message_not_by_the_code_above_it() -> None:
    with pytest.raises(SyntaxError) as broken:
        compile("def (", "mine.py", "exec")
    assert describe_error(broken.value, Path("mine.py")).startswith("SyntaxError: ")


@pytest.mark.parametrize(
    ("text", "redacted"),
    [
        (f"{HOME}/mine.py:3", "~/mine.py:3"),
        (f"'{HOME}', {HOME}/a:{HOME}/b", "'~', ~/a:~/b"),
        (f"{HOME}2/mine.py", f"{HOME}2/mine.py"),
        (f"{HOME}.old/mine.py", f"{HOME}.old/mine.py"),
        ("no path", "no path"),
        (f"one\n{HOME}/two\x1b[31m", "one ~/two�[31m"),
    ],
)
def test_home_folder_is_replaced_by_a_tilde_in_one_printable_line(text: str, redacted: str) -> None:
    """In every place, but only where it is the whole name of a folder."""
    assert redact_text(text, HOME) == redacted


def test_root_as_home_folder_is_not_replaced() -> None:
    """Some containers have it so; every path would lose its beginning."""
    assert redact_text("/etc/x", Path("/")) == "/etc/x"
