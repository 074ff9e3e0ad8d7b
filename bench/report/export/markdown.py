"""The tables of a run as GitHub-flavoured Markdown."""

from collections.abc import Sequence

from bench.measurement import Run
from bench.report.columns import Column, identity, results
from bench.report.failures import disturbances, failures
from bench.report.matrix import Matrix, matrix
from bench.report.sections import sections
from bench.report.sentence import conclusion
from bench.report.table import legend, title
from bench.stats.podium import Podium, podiums


def to_markdown(run: Run) -> str:
    """Write the tables of a run as GitHub-flavoured Markdown."""
    parts: list[str] = []
    for podium in podiums(run):
        parts += [f"### {title(run, podium)}", ""]
        parts += _table(podium, results(podium))
        parts += ["", _plain(legend(podium)), ""]
        parts += [f"- {_plain(line)}" for line in (*failures(podium), *disturbances(podium))]
        for section in sections(podium):
            parts += ["", f"**{section.title}**: {section.note}", ""]
            parts += _table(podium, section.columns)
        if (by_workers := matrix(podium)) is not None:
            parts += ["", *_markdown_matrix(by_workers)]
        parts += ["", _plain(conclusion(podium)), ""]
    return "\n".join(parts)


def _table(podium: Podium, figures: Sequence[Column]) -> list[str]:
    columns = (*identity(podium), *figures)
    return [
        _line([column.heading for column in columns]),
        _line(["---" if column.is_text else "---:" for column in columns]),
        *(_line([_plain(column.cell(row)) for column in columns]) for row in podium.rows),
    ]


def _markdown_matrix(cells: Matrix) -> list[str]:
    return [
        _line([cells.heading, *map(str, cells.workers)]),
        _line(["---", *["---:"] * len(cells.workers)]),
        *(_line([_plain(name), *row]) for name, row in cells.rows),
    ]


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _plain(text: str) -> str:
    """Keep Markdown from reading marks and names as its own."""
    for sign in "\\`*<>|[]":
        text = text.replace(sign, f"\\{sign}")
    return text
