"""Tell the lines of several runs apart by their dashes, in charts that also have a planned ideal."""

from collections.abc import Iterator, Mapping
from itertools import cycle

import altair as alt

from bench.report.html.drawing import DASHES, Key, Symbol, side_name
from bench.report.html.subject import Subject


def side_dash(subject: Subject) -> alt.StrokeDash | alt.utils.schemapi.UndefinedType:
    """Tell sides apart by the dashes of lines, if there are several."""
    symbols = _symbols(subject)
    if not symbols:
        return alt.Undefined
    scale = alt.Scale(domain=list(symbols), range=[list(DASHES[symbol]) for symbol in symbols.values()])
    return alt.StrokeDash("side:N", scale=scale, legend=alt.Legend(title=None))


def side_dash_keys(subject: Subject) -> Iterator[Key]:
    """Yield the legend of the dashes; nothing if there is only one side."""
    for side, symbol in _symbols(subject).items():
        yield Key(symbol, "muted", side_name(subject, side))


def _symbols(subject: Subject) -> Mapping[str, Symbol]:
    """Return the dashes of the sides; the plain dash is the ideal's."""
    if len(subject.sides) == 1:
        return {}
    symbols = [symbol for symbol in DASHES if symbol != "dash"]
    return dict(zip(subject.sides, cycle(symbols), strict=False))
