"""A run in the formats that ``show`` prints: Markdown, CSV and JSON. Each is one function to text."""

import csv
import io
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from bench.model import Run
from bench.report.columns import figures, identity
from bench.report.failures import failures
from bench.report.sentence import conclusion
from bench.report.table import legend, title
from bench.stats.standing import Range, Standing, podiums
from bench.store.document import run_to_json


def to_markdown(run: Run) -> str:
    """Write the tables of a run as GitHub-flavoured Markdown."""
    parts: list[str] = []
    for podium in podiums(run):
        columns = (*identity(podium), *figures(podium))
        parts += [f"### {title(run, podium)}", ""]
        parts.append(_line([column.heading for column in columns]))
        parts.append(_line(["---" if column.is_text else "---:" for column in columns]))
        parts += [_line([_plain(column.cell(row)) for column in columns]) for row in podium.rows]
        parts += ["", _plain(legend(podium)), ""]
        parts += [f"- {_plain(line)}" for line in failures(podium.rows)]
        parts += ["", _plain(conclusion(podium)), ""]
    return "\n".join(parts)


def to_csv(run: Run) -> str:
    """Write one line per case; times in seconds, shares as fractions, nothing rounded."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_CSV)
    for podium in podiums(run):
        for row in podium.rows:
            writer.writerow([_safe(value(row)) for value in _CSV.values()])
    return text.getvalue()


def to_json(run: Run) -> str:
    """Write the stored document itself."""
    return json.dumps(run_to_json(run), indent=1, ensure_ascii=False) + "\n"


FORMATS: Final[Mapping[str, Callable[[Run], str]]] = {
    "markdown": to_markdown,
    "csv": to_csv,
    "json": to_json,
}

_CSV: Final[Mapping[str, Callable[[Standing], object]]] = {
    "case": lambda row: row.case.id,
    "strategy": lambda row: row.case.strategy,
    "client": lambda row: row.case.client,
    "workers": lambda row: row.case.workers,
    "keep_alive": lambda row: row.case.keep_alive,
    "profile": lambda row: row.case.profile.name,
    "countries": lambda row: row.case.countries.label,
    "fetches": lambda row: len(row.case.countries.fetches),
    "blocks": lambda row: row.blocks,
    "failed_trials": lambda row: len(row.failed),
    "median_elapsed_s": lambda row: row.elapsed and row.elapsed.estimate,
    "median_low_s": lambda row: row.elapsed and row.elapsed.low,
    "median_high_s": lambda row: row.elapsed and row.elapsed.high,
    "times_faster": lambda row: row.times_faster and row.times_faster.ratio.estimate,
    "times_faster_low": lambda row: row.times_faster and row.times_faster.ratio.low,
    "times_faster_high": lambda row: row.times_faster and row.times_faster.ratio.high,
    "efficiency": lambda row: row.efficiency,
    "max_in_flight": lambda row: _greatest(row.in_flight),
    "max_connections": lambda row: _greatest(row.connections),
    "min_verified": lambda row: row.verified and row.verified.low,
    "max_not_found": lambda row: _greatest(row.not_found),
    "max_errors": lambda row: _greatest(row.errors),
}


def _greatest(seen: Range | None) -> int | None:
    return None if seen is None else seen.high


def _safe(value: object) -> object:
    """Keep a spreadsheet from taking a text for a formula."""
    return f"'{value}" if isinstance(value, str) and value.startswith(("=", "+", "-", "@")) else value


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _plain(text: str) -> str:
    """Keep Markdown from reading marks and names as its own."""
    for sign in "\\`*<>|[]":
        text = text.replace(sign, f"\\{sign}")
    return text
