"""What is kept of a run does not say who ran it."""

from pathlib import Path

import pytest

from bench.runner.processes.redact import redact_text, without_home

HOME = Path("/home/ann.o'x+y")


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        (f"{HOME}/mine.py:3", "~/mine.py:3"),
        (f"'{HOME}', {HOME}/a:{HOME}/b", "'~', ~/a:~/b"),
        (f"{HOME}2/mine.py", f"{HOME}2/mine.py"),
        (f"{HOME}.old/mine.py", f"{HOME}.old/mine.py"),
        ("nothing of it", "nothing of it"),
    ],
)
def test_the_home_folder_is_a_tilde(text: str, kept: str) -> None:
    """Wherever it stands, and only where it is the whole name of a folder."""
    assert without_home(text, HOME) == kept


def test_a_root_is_no_home_to_hide() -> None:
    """Some containers have it so; every path would lose its beginning."""
    assert without_home("/etc/x", Path("/")) == "/etc/x"


def test_what_is_kept_is_one_printable_line() -> None:
    """Whatever a report may say that a strategy has forged."""
    assert redact_text(f"one\n{HOME}/two\x1b[31m", HOME) == "one ~/two�[31m"
