"""The tables of a run as GitHub-flavoured Markdown."""

from collections.abc import Sequence

from bench.model.results import Run
from bench.report.comparison_table import comparison_table, variant_lines
from bench.report.detail_tables import detail_tables
from bench.report.failures import disturbances, failure_lines, leaks
from bench.report.markdown import escape_cell, escape_text, paragraph
from bench.report.noise_table import LINES, noise_conclusion, noise_failures, noise_heading, noise_headline
from bench.report.result_columns import Column, identity, results
from bench.report.results_table import Matrix, legend, matrix, run_title
from bench.report.stop_reasons import stop_lines
from bench.report.summary import conclusion
from bench.report.table import table_to_markdown
from bench.stats.absolute_thresholds import bound_verdicts
from bench.stats.ranking import Ranking, rankings
from bench.stats.verdicts import comparison_verdicts
from bench.storage.comparison import read_comparison
from bench.storage.noise import NoiseRecord


def to_markdown(run: Run) -> str:
    """Write the tables of a run as GitHub-flavoured Markdown; of a contest, its verdicts."""
    contest = read_comparison(run)
    if contest is not None:
        verdicts = comparison_verdicts(contest, run.trials)
        kept = bound_verdicts(contest, run.trials)
        return table_to_markdown(comparison_table(run.name, verdicts, variant_lines(run), kept))
    parts: list[str] = []
    for podium in rankings(run):
        parts += [f"### {escape_text(run_title(run, podium))}", ""]
        parts += _table(podium, results(podium))
        parts += ["", paragraph(legend(podium)), ""]
        remarks = (*failure_lines(podium), *leaks(podium), *disturbances(podium))
        parts += [f"- {paragraph(line)}" for line in remarks]
        for aspect in detail_tables(podium):
            parts += ["", f"**{aspect.title}**: {aspect.note}", ""]
            parts += _table(podium, aspect.columns)
        if (by_workers := matrix(podium)) is not None:
            parts += ["", *_markdown_matrix(by_workers)]
        parts += ["", paragraph(conclusion(podium)), ""]
    if lines := stop_lines(run):
        parts += [*(f"- {paragraph(line)}" for line in lines), ""]
    return "\n".join(parts)


def _table(podium: Ranking, figures: Sequence[Column]) -> list[str]:
    columns = (*identity(podium), *figures)
    return [
        escape_cell([column.heading for column in columns]),
        escape_cell(["---" if column.is_text else "---:" for column in columns]),
        *(escape_cell([escape_text(column.cell(row)) for column in columns]) for row in podium.rows),
    ]


def _markdown_matrix(cells: Matrix) -> list[str]:
    return [
        escape_cell([cells.heading, *map(str, cells.workers)]),
        escape_cell(["---", *["---:"] * len(cells.workers)]),
        *(escape_cell([escape_text(name), *row]) for name, row in cells.rows),
    ]


def noise_to_markdown(record: NoiseRecord) -> str:
    """Write the figures, what to change, and what it comes to."""
    cases = record.noise.cases
    parts = [f"### {escape_text(noise_headline(record))}", ""]
    if cases:
        parts.append(
            escape_cell(["", *(escape_text(noise_heading(case).replace("\n", " ")) for case in cases)])
        )
        parts.append(escape_cell(["---", *["---:"] * len(cases)]))
        parts += [escape_cell([each.label.strip(), *(each.cell(case) for case in cases)]) for each in LINES]
        parts.append("")
    if record.noise.unmeasured:
        parts += [*(f"- {paragraph(failure)}" for failure in noise_failures(record.noise)), ""]
    parts += [
        escape_cell(["what moves timings", "here", "read from", "what to do"]),
        escape_cell(["---"] * 4),
    ]
    parts += [
        escape_cell([escape_text(each) for each in (found.what, found.value, found.source, found.remedy)])
        for found in record.advice
    ]
    return "\n".join([*parts, "", paragraph(noise_conclusion(record.noise)), ""])
