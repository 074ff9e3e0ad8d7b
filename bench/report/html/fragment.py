"""Write tables as HTML to be put into someone else's page, such as a notebook.

It has no colours and no style sheet of its own: text and lines are those of the page, light or dark, and
front ends that drop styles still show every word.
"""

from collections.abc import Iterable, Iterator
from html import escape

from bench.model.text import printable
from bench.report.html.table_view import ColumnView, RowView, TableView, view_tables
from bench.report.table import Table


def tables_to_html(tables: Iterable[Table]) -> str:
    """Write tables, each with its title, legend and remarks; every text in them is escaped."""
    lines = (line for view in view_tables(tables, "table") for line in _lines(view))
    return "".join(f"{line}\n" for line in ("<div>", *lines, "</div>"))


def _lines(view: TableView) -> Iterator[str]:
    if view.columns and view.rows:
        yield '<div style="overflow-x: auto">'
        yield '<table style="margin: 0; font-variant-numeric: tabular-nums">'
        if view.title:
            title = ": ".join(filter(None, (view.title, view.note)))
            yield f'<caption style="text-align: left">{_text(title)}</caption>'
        headings = (
            f'<th scope="col"{_style(column)}>{_text(column.heading)}</th>' for column in view.columns
        )
        yield f"<thead><tr>{''.join(headings)}</tr></thead>"
        yield "<tbody>"
        for row in view.rows:
            yield f"<tr>{''.join(_cells(view, row))}</tr>"
        yield from ("</tbody>", "</table>", "</div>")
    elif view.title:
        yield f"<p>{_text(view.title)}</p>"
    if view.legend:
        yield f"<p><small>{_text(view.legend)}</small></p>"
    yield from _remark_lines(view)


def _cells(view: TableView, row: RowView) -> Iterator[str]:
    """Write the cells of a row; the best and the bad ones stand out by their weight."""
    weight = "bold" if row.tone in {"best", "bad"} else "normal"
    for number, (column, cell) in enumerate(zip(view.columns, row.cells, strict=True)):
        tag, scope = ("th", ' scope="row"') if number in view.keys else ("td", "")
        yield f"<{tag}{scope}{_style(column, weight)}>{_text(cell)}</{tag}>"


def _style(column: ColumnView, weight: str = "") -> str:
    rules = (f"text-align: {column.align}", *([f"font-weight: {weight}"] if weight else ()))
    return f' style="{"; ".join(rules)}"'


def _remark_lines(view: TableView) -> Iterator[str]:
    """Write the remarks in their order: paragraphs, and lists of the lines between them."""
    is_listed = False
    for remark in view.remarks:
        if is_listed == (remark.kind == "paragraph"):
            yield "</ul>" if is_listed else "<ul>"
            is_listed = not is_listed
        text = _text(remark.text)
        yield f"<li>{text}</li>" if is_listed else f"<p>{text}</p>"
    if is_listed:
        yield "</ul>"


def _text(text: str) -> str:
    return escape(printable(text))
