"""Render the page about a history: the trend of each metric of each case, with its lasting steps."""

from collections.abc import Sequence
from typing import Final

from bench.model.text import plural
from bench.report.history_table import history_conclusion, history_tables
from bench.report.html.charts.trend import draw_trends
from bench.report.html.drawing import Drawing, Note
from bench.report.html.page import Answer, ChartSection, Content, Figure, TableSection, render
from bench.report.html.table_view import view_tables
from bench.stats.history import HistoryTrack, PointOrder
from bench.storage.pinned_reference import Reference

_WIDTH: Final = 100
"""Cells of the table; the width of its trends follows from it."""
_READING: Final = (
    "A dot is a comparison with the reference: above zero is slower, or more. A lasting step is a change of "
    "level that chance hardly explains."
)


def render_history(
    tracks: Sequence[HistoryTrack],
    reference: Reference | None,
    order: PointOrder,
    notes: Sequence[str] = (),
    home: str = "",
) -> str:
    """Return the page.

    Args:
        tracks: a trend for each.
        reference: the pinned one, if there is any.
        order: in which the points stand.
        notes: what is not known of the order.
        home: the address of the list of runs; empty: there is none.
    """

    def content() -> Content:
        _, *tables = history_tables(tracks, reference, _WIDTH, order, full=True)
        drawn = [*draw_trends(tracks, order)]
        drawings = [each for each in drawn if isinstance(each, Drawing)]
        points = sum(len(series.points) for track in tracks for series in track.series)
        charts = ChartSection(
            "trends",
            "Trends",
            _READING,
            tuple(Figure(f"trend-{number}", each) for number, each in enumerate(drawings, 1)),
            tuple(each.text for each in drawn if isinstance(each, Note)),
        )
        return Content(
            title="History",
            facts=(f"{plural(points, 'point')} of {plural(len(tracks), 'trend')}, in the order of {order}",),
            cautions=tuple(notes),
            warnings=(),
            answers=(Answer("", history_conclusion(tracks), ""),),
            summary=(),
            charts=(charts,),
            tables=(TableSection("history", "Every trend", view_tables(tables, "history-table")),),
        )

    return render(content, home)
