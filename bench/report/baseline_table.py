"""Build the table of every case of a profile against one of them, for `show --against`."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Final

from bench.model.cases import Case
from bench.model.comparison import Verdict
from bench.model.results import Run
from bench.model.text import join_and
from bench.report.case_label import describe_case
from bench.report.number_format import MISSING, format_interval, format_ratio
from bench.report.results_table import CASE_KEYS, case_keys, group_by_strategy, run_title
from bench.report.table import Column, Remark, Row, Table
from bench.stats.case_summary import CaseSummary
from bench.stats.pairwise import PairVerdict, blocks_needed, compare_with
from bench.stats.ranking import rankings

_LEGEND: Final = (
    "times faster than the reference, with an interval of 95% for each by itself · n: blocks that both "
    "share · p and verdict: exact signed-rank test over these blocks, Holm over all pairs shown · "
    "practically equal: surely closer than the margin of the run"
)
_TOO_FEW: Final = "too few blocks"
_VERDICTS: Final[Mapping[Verdict, str]] = {
    "faster": "faster",
    "slower": "slower",
    "equivalent": "practically equal",
    "inconclusive": "not told apart",
}


def baseline_table(run: Run, reference: Case) -> Table:
    """Compare all cases under the reference's conditions with it, block by block."""
    ranking = next(each for each in rankings(run) if each.conditions == reference.conditions)
    samples = {row.case.id: row.sample for row in ranking.rows}
    verdicts = compare_with(samples.pop(reference.id), samples, ranking.margin)

    def write(row: CaseSummary) -> Row:
        return Row((*case_keys(row), *_cells(row, reference, verdicts.get(row.case.id))))

    headings = ("times faster", "95% interval", "n", "p")
    return Table(
        title=f"{run_title(run, ranking)}, against {describe_case(reference)}",
        columns=(*CASE_KEYS, *map(Column, headings), Column("verdict", "left")),
        sections=group_by_strategy(ranking.rows, write),
        legend=_LEGEND,
        remarks=tuple(map(Remark, _remarks(reference, verdicts))),
        keys=len(CASE_KEYS),
        section_heading="strategy",
    )


def _cells(row: CaseSummary, reference: Case, verdict: PairVerdict | None) -> tuple[str, ...]:
    if row.case == reference:
        return (MISSING, MISSING, str(row.blocks), MISSING, "reference")
    if verdict is None:
        return (MISSING, MISSING, "0", MISSING, "no block shared")
    return (
        format_ratio(verdict.ratio.estimate),
        format_interval(verdict.ratio, format_ratio),
        str(verdict.blocks),
        _probability(verdict.p),
        _describe_verdict(verdict),
    )


def _describe_verdict(verdict: PairVerdict) -> str:
    return _VERDICTS[verdict.verdict] if verdict.is_testable else _TOO_FEW


def _probability(p: float) -> str:
    return "<.001" if p < 0.001 else f"{p:.3f}".removeprefix("0")  # noqa: PLR2004  as far as digits go


def _remarks(reference: Case, verdicts: Mapping[str, PairVerdict]) -> Iterator[str]:
    if not verdicts:
        yield f"No case shares a block with {describe_case(reference)}: there is nothing to compare."
        return
    counts = Counter(map(_describe_verdict, verdicts.values()))
    found = [f"{counts[words]} {words}" for words in _VERDICTS.values() if counts[words]]
    if counts[_TOO_FEW]:
        found.append(f"{counts[_TOO_FEW]} with {_TOO_FEW}")
    pairs = "the one pair" if len(verdicts) == 1 else f"all {len(verdicts)} pairs"
    yield (
        f"Compared with {describe_case(reference)}: {join_and(found)} (paired by block, 95% over {pairs})."
    )
    if counts[_TOO_FEW]:
        yield (
            f"It takes {blocks_needed(len(verdicts))} shared blocks to tell {pairs} apart; "
            "with fewer, not even a difference in every block is rare enough."
        )
