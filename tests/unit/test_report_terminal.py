"""Tests of the layouts of tables on terminals and in Markdown."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.report.markdown import tables_to_markdown
from bench.report.table import Column, Remark, Row, Section, Table
from bench.report.terminal import split_columns
from tests.rendering import printed

FIGURES = Table(
    title="title",
    columns=(
        Column("client", "left"),
        Column("first figure"),
        Column("second figure"),
    ),
    sections=(
        Section("threads", (Row(("requests", "1.00", "2"), "*", "best"), Row(("httpx", "10.0", "3")))),
        Section("event loop", (Row(("aiohttp", "0.50", "4"), "!"),)),
    ),
    legend="legend",
    remarks=(Remark("aiohttp failed", "failure"), Remark("a sentence")),
    section_heading="strategy",
)
TEXTS = Table(
    columns=(Column("what", "left"), Column("here", "left"), Column("what to do", "left")),
    sections=(Section("", (Row(("governor", "powersave", "sudo cpupower")), Row(("load", "0.1", "")))),),
    keys=2,
)


def lines(table: Table, width: int) -> list[str]:
    """Print a table, and return its lines without spaces at their ends."""
    return [line.rstrip() for line in printed([table], width).splitlines()]


def test_wide_terminal_gets_a_line_for_each_row() -> None:
    assert lines(FIGURES, 60) == [
        "title",
        "   strategy    client    first figure  second figure",
        "────────────────────────────────────────────────────",
        "*  threads     requests          1.00              2",
        "   threads     httpx             10.0              3",
        "!  event loop  aiohttp           0.50              4",
        "legend",
        "! aiohttp failed",
        "",
        "a sentence",
        "",
    ]


def test_narrow_terminal_gets_sections_and_headings_of_several_lines() -> None:
    assert lines(FIGURES, 40)[:7] == [
        "title",
        "            first second",
        "client     figure figure",
        "threads",
        "* requests   1.00      2",
        "  httpx      10.0      3",
        "event loop",
    ]


def test_optional_columns_are_left_out_from_the_first_once_less_space_is_not_enough() -> None:
    columns = (
        Column("case", "left"),
        Column("bar", "left", is_optional=True),
        Column("time"),
        Column("why", "left", is_optional=True),
    )
    table = Table(columns=columns, sections=(Section("", (Row(("loop", "####", "1.0", "late")),)),))
    assert lines(table, 22)[0] == "case  bar   time  why"
    assert lines(table, 19)[0] == "case bar  time why"
    assert lines(table, 18)[0] == "case time why"
    assert lines(table, 13)[0] == "case time"


def test_columns_that_do_not_fit_go_into_a_further_table() -> None:
    assert lines(FIGURES, 20)[:11] == [
        "title",
        "            first",
        "client     figure",
        "threads",
        "* requests   1.00",
        "  httpx      10.0",
        "event loop",
        "! aiohttp    0.50",
        "",
        "           second",
        "client     figure",
    ]


def test_rows_without_a_figure_in_a_part_are_left_out_of_it() -> None:
    table = replace(FIGURES, sections=(*FIGURES.sections[:1], Section("lone", (Row(("x", "", "5")),))))
    shown = lines(table, 13)
    assert shown.count("threads") == 2
    assert shown.count("lone") == 1
    assert shown[shown.index("lone") + 1].split() == ["x", "5"]


def test_sections_without_a_heading_for_their_column_are_always_set_apart() -> None:
    assert "threads" in lines(replace(FIGURES, section_heading=""), 200)


def test_text_that_does_not_fit_is_set_out_over_several_lines() -> None:
    assert lines(TEXTS, 80)[-1] == "load      0.1"
    assert lines(TEXTS, 30) == ["governor: powersave", "  what to do: sudo cpupower", "load: 0.1"]


def test_long_cells_wrap_and_optional_columns_are_left_out() -> None:
    table = Table(
        columns=(Column("a", "left"), Column("b", "left", is_optional=True), Column("c", "left", wraps=True)),
        sections=(Section("", (Row(("one", "two", "three four")),)),),
    )
    assert lines(table, 20) == ["a    b    c", "────────────────────", "one  two  three four"]
    assert lines(table, 10) == ["a    c", "──────────", "one  three", "     four"]


def test_table_without_rows_has_headings_and_one_without_sections_has_none() -> None:
    empty = replace(TEXTS, sections=(Section("", ()),))
    assert lines(empty, 80)[0] == "what  here  what to do"
    assert lines(replace(empty, sections=()), 80) == []


def test_markdown_has_marks_and_sections_as_columns() -> None:
    assert tables_to_markdown([FIGURES]).splitlines() == [
        "### title",
        "",
        "|  | strategy | client | first figure | second figure |",
        "| --- | --- | --- | ---: | ---: |",
        r"| \* | threads | requests | 1.00 | 2 |",
        "|  | threads | httpx | 10.0 | 3 |",
        "| ! | event loop | aiohttp | 0.50 | 4 |",
        "",
        "legend",
        "",
        "- aiohttp failed",
        "",
        "a sentence",
    ]


@pytest.mark.parametrize(
    ("widths", "room", "parts"),
    [
        ([], 80, []),
        ([10, 10, 10], 80, [range(3)]),
        ([10, 10, 10], 43, [range(3)]),
        ([10, 10, 10, 10], 43, [range(2), range(2, 4)]),
        ([10] * 7, 43, [range(3), range(3, 6), range(6, 7)]),
        ([90, 10], 43, [range(1), range(1, 2)]),
    ],
)
def test_columns_are_split_evenly(widths: list[int], room: int, parts: list[range]) -> None:
    """Into as few parts as fit beside a first column of ten, and the widest as narrow as possible."""
    assert split_columns(widths, 10, room, gap=1) == (parts or [range(0)])


@given(st.lists(st.integers(1, 30), min_size=1, max_size=30), st.integers(0, 30), st.integers(61, 200))
def test_every_column_is_shown_once_and_fits(widths: list[int], first: int, room: int) -> None:
    parts = split_columns(widths, first, room, gap=1)
    assert [index for part in parts for index in part] == list(range(len(widths)))
    for part in parts:
        assert first + sum(1 + widths[index] for index in part) <= room
