"""Every case of a profile against one of them."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Final

from bench.model.cases import Case
from bench.model.results import Run
from bench.model.text import join_and, printable
from bench.report.number_format import NOTHING, factor, factors
from bench.report.result_columns import client_and_workers
from bench.report.results_table import run_title
from bench.report.summary import called
from bench.report.table import ReportTable, Section
from bench.stats.case_summary import CaseSummary
from bench.stats.pairwise import PairVerdict, PairVerdicts, blocks_needed, compare_with
from bench.stats.ranking import rankings

_LEGEND: Final = (
    "times faster than the reference, with an interval of 95% for each by itself · n: blocks that both "
    "share · p and verdict: exact signed-rank test over these blocks, Holm over all pairs shown"
)
_WORDS: Final[Mapping[PairVerdict, str]] = {
    "faster": "faster",
    "slower": "slower",
    "tie": "not to be told from it",
    "too few blocks": "not to be judged",
}


def baseline_table(run: Run, reference: Case) -> ReportTable:
    """Compare all cases of the reference's profile with it, block by block."""
    podium = next(each for each in rankings(run) if each.profile == reference.profile.name)
    rows = {row.case.id: row for row in podium.rows}
    samples = {case_id: row.sample for case_id, row in rows.items() if case_id != reference.id}
    judgements = compare_with(rows[reference.id].sample, samples)
    return ReportTable(
        title=f"{run_title(run, podium)}, against {called(rows[reference.id])}",
        columns=("", "times\nfaster", "95%\ninterval", "n", "p", "verdict"),
        sections=tuple(_sections(podium.rows, reference, judgements)),
        legend=_LEGEND,
        remarks=tuple(_remarks(rows[reference.id], judgements)),
    )


def _sections(
    rows: Sequence[CaseSummary], reference: Case, judgements: Mapping[str, PairVerdicts]
) -> Iterator[Section]:
    for strategy, group in groupby(rows, key=lambda row: row.case.strategy):
        cells = [
            (f"  {client_and_workers(row)}", *_cells(row, reference, judgements.get(row.case.id)))
            for row in group
        ]
        yield Section(printable(strategy), tuple(cells))


def _cells(row: CaseSummary, reference: Case, judgement: PairVerdicts | None) -> Sequence[str]:
    if row.case == reference:
        return (NOTHING, NOTHING, str(row.blocks), NOTHING, "reference")
    if judgement is None:
        return (NOTHING, NOTHING, "0", NOTHING, "no block shared")
    ratio = judgement.ratio
    return (
        factor(ratio.estimate),
        factors(ratio),
        str(judgement.blocks),
        _probability(judgement.p),
        judgement.verdict,
    )


def _probability(p: float) -> str:
    return "<.001" if p < 0.001 else f"{p:.3f}".removeprefix("0")  # noqa: PLR2004  as far as digits go


def _remarks(reference: CaseSummary, judgements: Mapping[str, PairVerdicts]) -> Iterator[str]:
    if not judgements:
        yield f"No case shares a block with {called(reference)}: there is nothing to compare."
        return
    counts = Counter(judgement.verdict for judgement in judgements.values())
    found = [f"{counts[verdict]} {words}" for verdict, words in _WORDS.items() if counts[verdict]]
    yield (
        f"Held against {called(reference)}: {join_and(found)} "
        f"(paired by block, 95% over {_pairs(len(judgements))})."
    )
    if counts["too few blocks"]:
        yield (
            f"It takes {blocks_needed(len(judgements))} shared blocks to tell {_pairs(len(judgements))} "
            "apart; with fewer, not even a difference in every block is rare enough."
        )


def _pairs(count: int) -> str:
    return "the one pair" if count == 1 else f"all {count} pairs"
