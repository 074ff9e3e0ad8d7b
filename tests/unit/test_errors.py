"""Exit codes and errors."""

import re
from pathlib import Path
from typing import get_args

import bench.errors
from bench.errors import EXIT_CODE_OF_VERDICT, BenchError, ConfigError, ExitCode, ResourceError, UsageError
from bench.stats.verdicts import Overall

DOCUMENTED = Path(__file__).parents[2] / "docs" / "exit-codes.md"


def test_every_exit_code_is_documented() -> None:
    cells = re.findall(r"^\| ([\d, ]+) \|", DOCUMENTED.read_text("utf-8"), re.MULTILINE)
    assert [int(code) for cell in cells for code in cell.split(",")] == [*ExitCode]


def test_every_overall_verdict_has_an_exit_code() -> None:
    assert EXIT_CODE_OF_VERDICT.keys() == {*get_args(Overall)}


def test_only_errors_of_flagbench_itself_are_bugs() -> None:
    """Subclasses elsewhere, which no command lets through, may be."""
    errors = [each for each in vars(bench.errors).values() if isinstance(each, type)]
    kinds = {each: each.exit_code for each in errors if issubclass(each, BenchError)}
    assert [each for each, code in kinds.items() if code is ExitCode.BUG] == [BenchError]


def test_an_error_has_a_line_for_each_problem() -> None:
    assert ConfigError(("one", "two")).lines == ("one", "two")
    assert ResourceError(("files", "memory")).lines == ("files", "memory")
    assert UsageError("this is wrong", hint="do that").lines == ("this is wrong; do that",)
