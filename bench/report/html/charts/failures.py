"""Failed trials and failed fetches of each case, by their class."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence

import altair as alt

from bench.model.text import plural
from bench.report.html.drawing import (
    ROW_HEIGHT,
    DataRow,
    Drawing,
    case_axis,
    case_tooltip,
    data,
    layers,
    part_keys,
    part_scale,
    place_of,
    spread_sides,
)
from bench.report.html.subject import Group, ShownCase, Subject

_FINE = frozenset({"ok"})


def failed_trial_rows(group: Group) -> list[DataRow]:
    """Return a row for each class of failed trial of each case; discarded ones are not failures."""
    return _stack(group, lambda shown: Counter(trial.outcome for trial in shown.summary.failures))


def failed_fetch_rows(group: Group) -> list[DataRow]:
    """Return a row for each class of failed fetch of each case, over all timed rounds."""
    return _stack(group, _count_fetches)


def _count_fetches(shown: ShownCase) -> Mapping[str, int]:
    counts: Counter[str] = Counter()
    for trial in shown.good:
        for round_ in trial.rounds:
            counts.update(
                {name: count for name, count in round_.fetches.items() if name not in _FINE and count}
            )
    return counts


def _stack(group: Group, count_of: Callable[[ShownCase], Mapping[str, int]]) -> list[DataRow]:
    rows: list[DataRow] = []
    for shown in group.cases:
        begin = 0
        for name, count in sorted(count_of(shown).items()):
            outcome = name.replace("_", " ")
            rows.append(
                {**place_of(shown), "outcome": outcome, "from": begin, "to": begin + count, "count": count}
            )
            begin += count
    return rows


def draw_failed_trials(subject: Subject) -> Iterator[Drawing]:
    """Draw the failed trials of each profile that has any."""
    for group in subject.groups:
        if rows := failed_trial_rows(group):
            yield _draw(subject, group, rows, "trial")


def draw_failed_fetches(subject: Subject) -> Iterator[Drawing]:
    """Draw the failed fetches of each profile that has any."""
    for group in subject.groups:
        if rows := failed_fetch_rows(group):
            yield _draw(subject, group, rows, "fetch")


def _draw(subject: Subject, group: Group, rows: Sequence[DataRow], noun: str) -> Drawing:
    labels = list(dict.fromkeys(row["label"] for row in rows))
    outcomes = sorted({str(row["outcome"]) for row in rows})
    many = "fetches" if noun == "fetch" else "trials"
    bars = (
        alt.Chart(data(rows), name="parts")
        .mark_bar(height=alt.RelativeBandSize(0.55))
        .encode(
            x=alt.X(
                "from:Q", title=f"{many} that did not succeed", axis=alt.Axis(tickMinStep=1, format=",d")
            ),
            x2="to:Q",
            y=case_axis(labels),
            yOffset=spread_sides(subject),
            color=alt.Color("outcome:N", scale=part_scale(outcomes), legend=alt.Legend(title=None)),
            tooltip=[
                *case_tooltip(subject),
                alt.Tooltip("outcome:N", title="class"),
                alt.Tooltip("count:Q", title=many, format=",d"),
            ],
        )
    )
    total = sum(int(row["count"]) for row in rows)
    words = f"{total:,} {many}" if noun == "fetch" else plural(total, noun)
    return Drawing(
        layers(bars, height=ROW_HEIGHT * len(labels)),
        group.title,
        f"{words} of {plural(len(labels), 'case')} did not succeed.",
        part_keys(outcomes),
    )
