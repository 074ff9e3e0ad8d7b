"""The requests of a typical trial one below the other: the client's view, and the server's within it."""

from collections import defaultdict, deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import altair as alt

from bench.errors import UnreadableResultError
from bench.model.results import Measurement
from bench.model.round_spans import RoundSpans
from bench.model.text import printable
from bench.report.html.charts.distributions import drawn_cases
from bench.report.html.drawing import (
    DataRow,
    Drawing,
    Key,
    Note,
    colour_series,
    data,
    layers,
    side_name,
)
from bench.report.html.subject import Group, ShownCase, Subject
from bench.report.html.theme import series_colour
from bench.report.number_format import format_duration
from bench.report.stored_spans import read_spans
from bench.stats.typical_trial import choose_typical

_MOST_CHARTS: Final = 12
"""Charts of a page: each has up to 200 marks."""
_MOST_ROWS: Final = 100
"""Fetches of a chart; more could not be told apart."""
_ROW_HEIGHT: Final = 7
_LEAST_HEIGHT: Final = 84
_MILLISECONDS: Final = 1000.0


@dataclass(frozen=True, slots=True)
class TypicalTrial:
    """The typical trial of a case."""

    group: Group
    shown: ShownCase
    trial: Measurement


def fetch_rows(shown: ShownCase, spans: RoundSpans) -> list[DataRow]:
    """Return a row for each fetch in the order of their starts, in milliseconds since the call."""
    return [
        {
            "series": shown.series,
            "place": place,
            "country": printable(each.country),
            "outcome": printable(each.outcome.replace("_", " ")),
            "from": each.start_s * _MILLISECONDS,
            "to": each.end_s * _MILLISECONDS,
        }
        for place, each in enumerate(spans.fetches[:_MOST_ROWS])
    ]


def request_rows(shown: ShownCase, spans: RoundSpans) -> list[DataRow]:
    """Return a row for each request at the place of its fetch, in milliseconds since the call.

    Fetches and requests of a country belong together in the order of time. Where the times of fetches are not
    known, requests stand in the order of their arrival.
    """
    places: defaultdict[str, deque[int]] = defaultdict(deque)
    for place, fetch in enumerate(spans.fetches):
        places[fetch.country].append(place)
    rows: list[DataRow] = []
    for arrived, each in enumerate(spans.requests):
        waiting = places[each.country]
        place = arrived if not spans.fetches else waiting.popleft() if waiting else _MOST_ROWS
        if place < _MOST_ROWS:
            rows.append(
                {
                    "series": shown.series,
                    "place": place,
                    "country": printable(each.country),
                    "connection": each.connection,
                    "status": each.status,
                    "fault": printable(each.fault.replace("_", " ")) or "none",
                    "from": each.arrival_s * _MILLISECONDS,
                    "sent": each.start_s * _MILLISECONDS,
                    "to": each.end_s * _MILLISECONDS,
                }
            )
    return rows


def draw_requests(subject: Subject) -> Iterator[Drawing | Note]:
    """Draw the requests of a typical trial of each drawn case, the fastest first.

    Trials whose spans are damaged are left out, and so are those beyond what a page can hold; notes say so.
    """
    chosen, known = choose_drawn(subject)
    for each in chosen:
        try:
            spans = read_spans(each.trial, each.shown.name)
        except UnreadableResultError as error:
            yield Note(f"The requests of a trial cannot be drawn: {error}.")
        else:
            yield _draw(subject, each, spans)
    if len(chosen) < known:
        yield Note(f"Of {known} cases with stored requests {len(chosen)} of the fastest are drawn.")


def choose_drawn(subject: Subject) -> tuple[list[TypicalTrial], int]:
    """Return the typical trials to draw, and count the cases that have one."""
    chosen: list[TypicalTrial] = []
    known = 0
    for group in subject.groups:
        typical = [
            TypicalTrial(group, shown, trial)
            for shown in group.timed
            if (trial := choose_typical(shown.trials)) is not None
        ]
        known += len(typical)
        wanted = {(shown.label, shown.side) for shown in drawn_cases(group)}
        most = min(group.share_of(_MOST_CHARTS), _MOST_CHARTS - len(chosen))
        chosen += [each for each in typical if (each.shown.label, each.shown.side) in wanted][:most]
    return chosen, known


def _draw(subject: Subject, typical: TypicalTrial, spans: RoundSpans) -> Drawing:
    shown = typical.shown
    fetches, requests = fetch_rows(shown, spans), request_rows(shown, spans)
    drawn = max(len(fetches), max((row["place"] + 1 for row in requests), default=0))
    y = alt.Y("place:O", axis=None, scale=alt.Scale(domain=list(range(drawn))))
    x = alt.X("from:Q", title="time since the call, ms", scale=alt.Scale(nice=False, zero=True))
    client = (
        alt.Chart(data(fetches), name="fetches")
        .mark_bar(height=alt.RelativeBandSize(0.9), opacity=0.35)
        .encode(
            x=x,
            x2="to:Q",
            y=y,
            color=colour_series(subject),
            tooltip=[
                alt.Tooltip("country:N", title="download"),
                alt.Tooltip("outcome:N", title="outcome"),
                alt.Tooltip("from:Q", title="began, ms", format=".2f"),
                alt.Tooltip("to:Q", title="ended, ms", format=".2f"),
            ],
        )
    )
    server = (
        alt.Chart(data(requests), name="requests")
        .mark_bar(height=alt.RelativeBandSize(0.45))
        .encode(
            x=x,
            x2="to:Q",
            y=y,
            color=colour_series(subject),
            tooltip=[
                alt.Tooltip("country:N", title="request for"),
                alt.Tooltip("status:Q", title="status"),
                alt.Tooltip("fault:N", title="fault"),
                alt.Tooltip("connection:O", title="connection"),
                alt.Tooltip("from:Q", title="arrived, ms", format=".2f"),
                alt.Tooltip("sent:Q", title="first byte sent, ms", format=".2f"),
                alt.Tooltip("to:Q", title="last byte sent, ms", format=".2f"),
            ],
        )
    )
    colour = series_colour(subject.series.index(shown.series))
    side = side_name(subject, shown.side) if len(subject.sides) > 1 else ""
    block, took = f"block {typical.trial.block + 1}", format_duration(spans.elapsed_s)
    name = " · ".join(filter(None, (typical.group.title, shown.name, side, block)))
    everything = max(spans.all_fetches, spans.all_requests)
    return Drawing(
        layers(client, server, height=max(_LEAST_HEIGHT, _ROW_HEIGHT * drawn)),
        f"{name} · {took}",
        f"{drawn} downloads of {name}, which took {took} in all.",
        (
            Key("faint-bar", colour, "download, as the client saw it"),
            *([Key("bar", colour, "request at the server")] if requests else []),
        ),
        remark=f"The first {drawn:,} of {everything:,} downloads are drawn." if drawn < everything else "",
    )
