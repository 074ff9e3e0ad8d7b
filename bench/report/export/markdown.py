"""The tables of a run as GitHub-flavoured Markdown."""

from collections.abc import Sequence

from bench.model.results import Run
from bench.report.aspects import aspects
from bench.report.columns import Column, identity, results
from bench.report.contest import contest_sheet
from bench.report.failures import disturbances, failures
from bench.report.leaks import leaks
from bench.report.matrix import Matrix, matrix
from bench.report.pipes import paragraph, piped, plain
from bench.report.sentence import conclusion
from bench.report.sheet import sheet_to_markdown
from bench.report.sides import side_lines
from bench.report.stops import stop_lines
from bench.report.table import legend, title
from bench.stats.bounds import bound_verdicts
from bench.stats.podium import Podium, podiums
from bench.stats.verdicts import verdicts_of
from bench.storage.contest import contest_of


def to_markdown(run: Run) -> str:
    """Write the tables of a run as GitHub-flavoured Markdown; of a contest, its verdicts."""
    contest = contest_of(run)
    if contest is not None:
        verdicts = verdicts_of(contest, run.trials)
        kept = bound_verdicts(contest, run.trials)
        return sheet_to_markdown(contest_sheet(run.name, verdicts, side_lines(run), kept))
    parts: list[str] = []
    for podium in podiums(run):
        parts += [f"### {plain(title(run, podium))}", ""]
        parts += _table(podium, results(podium))
        parts += ["", paragraph(legend(podium)), ""]
        remarks = (*failures(podium), *leaks(podium), *disturbances(podium))
        parts += [f"- {paragraph(line)}" for line in remarks]
        for aspect in aspects(podium):
            parts += ["", f"**{aspect.title}**: {aspect.note}", ""]
            parts += _table(podium, aspect.columns)
        if (by_workers := matrix(podium)) is not None:
            parts += ["", *_markdown_matrix(by_workers)]
        parts += ["", paragraph(conclusion(podium)), ""]
    if lines := stop_lines(run):
        parts += [*(f"- {paragraph(line)}" for line in lines), ""]
    return "\n".join(parts)


def _table(podium: Podium, figures: Sequence[Column]) -> list[str]:
    columns = (*identity(podium), *figures)
    return [
        piped([column.heading for column in columns]),
        piped(["---" if column.is_text else "---:" for column in columns]),
        *(piped([plain(column.cell(row)) for column in columns]) for row in podium.rows),
    ]


def _markdown_matrix(cells: Matrix) -> list[str]:
    return [
        piped([cells.heading, *map(str, cells.workers)]),
        piped(["---", *["---:"] * len(cells.workers)]),
        *(piped([plain(name), *row]) for name, row in cells.rows),
    ]
