"""Tests of tables as HTML for notebooks: every part of a table is there, for screen readers too."""

from typing import Final

from bench.report.html.fragment import tables_to_html
from bench.report.table import Column, Remark, Row, Section, Table
from tests.rendering import html_parts

COLUMNS: Final = (Column("case", "left"), Column("of\nideal"), Column("", "left"))
ROWS: Final = (Row(("a", "90%", "▇▇"), "▸", "best"), Row(("b", "10%", "▇"), tone="bad"), Row(("c", "5%", "")))
TABLE: Final = Table(
    "results",
    COLUMNS,
    (Section("", ROWS),),
    "▸ fastest",
    (Remark("One."), Remark("two", "failure"), Remark("three", "note"), Remark("Four.")),
)


def test_table_has_headings_names_of_rows_legend_and_remarks() -> None:
    """A column without a heading has bars for terminals, and is left out."""
    assert tables_to_html([TABLE]).splitlines() == [
        "<div>",
        '<div style="overflow-x: auto">',
        '<table style="margin: 0; font-variant-numeric: tabular-nums">',
        '<caption style="text-align: left">results</caption>',
        (
            '<thead><tr><th scope="col" style="text-align: left">mark</th>'
            '<th scope="col" style="text-align: left">case</th>'
            '<th scope="col" style="text-align: right">of ideal</th></tr></thead>'
        ),
        "<tbody>",
        (
            '<tr><td style="text-align: left; font-weight: bold">▸</td>'
            '<th scope="row" style="text-align: left; font-weight: bold">a</th>'
            '<td style="text-align: right; font-weight: bold">90%</td></tr>'
        ),
        (
            '<tr><td style="text-align: left; font-weight: bold"></td>'
            '<th scope="row" style="text-align: left; font-weight: bold">b</th>'
            '<td style="text-align: right; font-weight: bold">10%</td></tr>'
        ),
        (
            '<tr><td style="text-align: left; font-weight: normal"></td>'
            '<th scope="row" style="text-align: left; font-weight: normal">c</th>'
            '<td style="text-align: right; font-weight: normal">5%</td></tr>'
        ),
        "</tbody>",
        "</table>",
        "</div>",
        "<p><small>▸ fastest</small></p>",
        "<p>One.</p>",
        "<ul>",
        "<li>two</li>",
        "<li>three</li>",
        "</ul>",
        "<p>Four.</p>",
        "</div>",
    ]


def test_table_of_remarks_alone_has_no_grid() -> None:
    only = Table("what is left", remarks=(Remark("nothing", "note"),))
    assert tables_to_html([only]) == "<div>\n<p>what is left</p>\n<ul>\n<li>nothing</li>\n</ul>\n</div>\n"


def test_note_follows_the_title_and_sections_are_a_column() -> None:
    sections = (Section("threads", (Row(("a", "1", "")),)), Section("loop", (Row(("b", "2", "")),)))
    html = tables_to_html([Table("time", COLUMNS, sections, note="in parts", section_heading="strategy")])
    assert '<caption style="text-align: left">time: in parts</caption>' in html
    assert '<th scope="row" style="text-align: left; font-weight: normal">threads</th>' in html


def test_no_colour_and_no_style_sheet_depends_on_the_theme() -> None:
    """Text is as light or dark as the page of the notebook makes it."""
    html = tables_to_html([TABLE])
    assert "color" not in html
    assert "background" not in html
    assert "<style" not in html


def test_signs_of_html_are_text() -> None:
    text = """<b a='1' c="2">&amp;</b>"""
    table = Table(
        text, (Column(text, "left"),), (Section(text, (Row((text,), text),)),), text, (Remark(text),), text
    )
    found = html_parts(tables_to_html([table]))
    assert not any("b" in tag for tag in found.tags if isinstance(tag, tuple))
    assert found.text.count(text) == 8
