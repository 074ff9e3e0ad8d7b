"""Text from strategies and libraries, made safe for tables and results."""

import asyncio
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


def raised(error: BaseException) -> BaseException:
    """Return an error with a traceback that ends here."""
    try:
        raise error
    except BaseException as caught:  # noqa: BLE001  given back
        return caught


def line_of(error: BaseException) -> int:
    assert error.__traceback__ is not None
    return error.__traceback__.tb_lineno


def test_error_in_a_task_group_is_described_by_its_own_message_line_and_count() -> None:
    async def fail(number: int) -> None:
        raise RuntimeError(f"no flag of E{number}")

    async def download() -> None:
        async with asyncio.TaskGroup() as group:
            for number in range(3):
                group.create_task(fail(number))

    with pytest.raises(ExceptionGroup) as grouped:
        asyncio.run(download())
    line = fail.__code__.co_firstlineno + 1
    described = describe_error(grouped.value, Path(__file__))
    assert described == f"RuntimeError: no flag of E0 (test_text.py:{line}), 1 of 3 in a TaskGroup"


@pytest.mark.parametrize("depth", [1, 2, 30, 3000])
def test_error_is_found_however_deep_its_groups_are(depth: int) -> None:
    leaf = raised(ValueError("the cause"))
    error: BaseException = BaseExceptionGroup("inner", [leaf, KeyboardInterrupt()])
    for _ in range(depth):
        error = BaseExceptionGroup("outer", [error, OSError(5, "later")])
    described = describe_error(error, Path(__file__))
    where = f"(test_text.py:{line_of(leaf)}), 1 of {depth + 2:,}"
    assert described == f"ValueError: the cause {where} in an exception group"


def test_error_without_a_line_of_the_strategy_gets_the_line_of_its_group() -> None:
    group = raised(ExceptionGroup("of a library", [OSError(5, "never raised here")]))
    described = describe_error(group, Path(__file__))
    assert described.endswith(f"(test_text.py:{line_of(group)}), 1 of 1 in an exception group")


def test_long_message_loses_neither_line_nor_count() -> None:
    group = raised(ExceptionGroup("g", [ValueError("x" * 5000), ValueError()]))
    described = describe_error(group, Path(__file__))
    assert len(described) == 300
    assert described.endswith(f"x… (test_text.py:{line_of(group)}), 1 of 2 in an exception group")


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
