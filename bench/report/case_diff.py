"""What is said of cases that only one side has, and of two runs that allow no verdict."""

from collections.abc import Iterator

from bench.model.text import printable
from bench.report.comparison_table import change
from bench.report.number_format import duration
from bench.report.table import ReportTable, Section
from bench.stats.comparability import CaseMatching, DescribedCase


def missing_case_lines(matched: CaseMatching) -> Iterator[str]:
    """Name every case that could not be compared, a line each."""
    for lost in matched.vanished:
        yield f"vanished: {printable(lost.plain_id)}"
    for came in matched.new:
        yield f"new: {printable(came.plain_id)}"
    for before, now in matched.renamed:
        yield f"renamed: {printable(before.plain_id)} is {printable(now.plain_id)} now"


def descriptive_table(
    names: tuple[str, str],
    described: tuple[DescribedCase, ...],
    matched: CaseMatching,
    reasons: tuple[str, ...],
) -> ReportTable:
    """Lay out ratios that are no verdicts, and why they are none."""
    first, second = map(printable, names)
    rows = tuple(
        (
            printable(each.case),
            duration(each.first_s),
            duration(each.second_s),
            change(each.second_s / each.first_s),
            f"{each.blocks[0]}/{each.blocks[1]}",
        )
        for each in described
    )
    why = f"No verdicts: {'; '.join(reasons)}. A ratio between sessions is that of the machine, too."
    return ReportTable(
        title=f"{first} and {second}",
        columns=("", "first", "second", "change", "blocks"),
        sections=(Section("medians of elapsed", rows),) if rows else (),
        legend=f"first: {first}; second: {second}; blocks: of the first and the second",
        remarks=(*missing_case_lines(matched), why),
    )
