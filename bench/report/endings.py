"""How the fetches of each case ended: a column for every class that occurred."""

from collections.abc import Callable, Mapping
from typing import Final

from bench.report.columns import Column
from bench.report.figures import NOTHING, span
from bench.stats.podium import Podium
from bench.stats.standing import Standing

_SHORT: Final[Mapping[str, str]] = {
    "not_found": "not\nfound",
    "server_error": "server\nerror",
    "unavailable": "unavai-\nlable",
    "rate_limited": "rate\nlimited",
    "redirect": "redi-\nrect",
    "refused": "re-\nfused",
    "disconnected": "discon-\nnected",
    "truncated": "trun-\ncated",
    "timeout": "time-\nout",
    "corrupt": "cor-\nrupt",
    "protocol": "proto-\ncol",
    "too_large": "too\nlarge",
}
"""Headings where room is scarce."""


def ending_columns(podium: Podium) -> tuple[Column, ...]:
    """Return a column for each class in which a fetch of any case ended; none if all were answered well."""
    seen = dict.fromkeys(
        outcome for row in podium.rows if row.figures is not None for outcome in row.figures.outcomes
    )
    if seen.keys() <= {"ok", "not_found"}:
        return ()
    return tuple(
        Column(outcome.replace("_", " "), _ended(outcome), _SHORT.get(outcome, outcome)) for outcome in seen
    )


def _ended(outcome: str) -> Callable[[Standing], str]:
    def cell(row: Standing) -> str:
        if row.figures is None:
            return NOTHING
        found = row.figures.outcomes.get(outcome)
        return "0" if found is None else span(found)

    return cell
