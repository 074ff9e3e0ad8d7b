"""Write docs/published.md: results that others have published, and whether their claims hold here."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Final, Literal, TypeAlias

from bench.app.case_patterns import select_case
from bench.model.cases import Case
from bench.model.results import Run
from bench.model.text import join_and, plural
from bench.report.case_label import describe_case
from bench.report.number_format import format_duration, format_interval, format_ratio
from bench.stats.intervals import Interval
from bench.stats.rank_sum import ratio_interval
from docs.pages.comparisons import (
    Compared,
    compare_pairs,
    describe_comparison,
    neighbours,
    sample_of,
)
from docs.pages.evidence import load_kept
from docs.pages.page_config import Claim, PageConfig, Pair
from docs.pages.page_text import anchor_of, describe_command, describe_run, results_table, write_page

Outcome: TypeAlias = Literal["holds", "does not hold", "undecided"]
_COUNTED: Final[Mapping[Outcome, str]] = {
    "holds": "borne out",
    "does not hold": "not borne out",
    "undecided": "undecided",
}

_INTRODUCTION: Final = """\
Published figures come from other machines, years and versions, so times differ; what can be tested are the
*claims*, orders and ratios. A claim counts as *published* if it is tested nearly as it was made, and as
*adapted* if something differs that may matter, which its section names. Others are *carried over* from
another kind of program to downloads, or *ours*. {counts}

**Holds** and **does not hold** are 95 % sure, **undecided** means that the figures allow both. A verdict on
which of two is faster is that sure for all such pairs of a run together, a number of times by its own 95 %
interval. Runs with different servers share no blocks: their ratio has one interval by ranks, which leaves out
how the machine changed between them. The number of discarded trials is told.
[Answers](answers.md) explains the columns."""


@dataclass(frozen=True, slots=True)
class Judged:
    """A claim, what became of it here, and the evidence as a sentence."""

    text: str
    kind: str
    outcome: Outcome
    evidence: str


def write_published(configs: Sequence[PageConfig], file: Path) -> None:
    """Write the page from the runs that are kept."""
    runs = {config.name: load_kept(config) for config in configs}
    judged = {config.name: judge_claims(config, runs) for config in configs}
    summary = ["| result | claim | whose | here |", "| --- | --- | --- | --- |"]
    for config in configs:
        for each in judged[config.name]:
            title = config.published.title
            summary.append(
                f"| [{title}](#{anchor_of(title)}) | {each.text} | {each.kind} | **{each.outcome}** |"
            )
    every = [each for found in judged.values() for each in found]
    counts = " ".join(
        _count(kind, [each.outcome for each in every if each.kind == kind])
        for kind in ("published", "adapted")
        if any(each.kind == kind for each in every)
    )
    sections = [line for config in configs for line in _section(config, runs, judged)]
    write_page(
        file,
        "Published results, repeated",
        [_INTRODUCTION.format(counts=counts), "", *summary, "", *sections],
    )


def _count(kind: str, outcomes: Sequence[Outcome]) -> str:
    told = join_and(
        [f"{outcomes.count(each)} {words}" for each, words in _COUNTED.items() if each in outcomes]
    )
    return f"Of {plural(len(outcomes), f'{kind} claim')}: {told}."


def judge_claims(config: PageConfig, runs: Mapping[str, Run]) -> tuple[Judged, ...]:
    """Judge the claims of a config by its run, all comparisons of the run together."""
    run, claims = runs[config.name], config.published.claims
    # verdicts are corrected for their number, and intervals of a number of times are not
    verdicts, ratios = (
        {
            name: pair
            for claim in claims
            if bool(claim.at_least) is by_ratio
            for name, pair in _pairs(claim).items()
        }
        for by_ratio in (False, True)
    )
    found = {**compare_pairs(run, ratios), **compare_pairs(run, verdicts)}
    return tuple(each for claim in claims for each in _judge(claim, run, found, runs))


def _pairs(claim: Claim) -> Mapping[str, Pair]:
    """Return the pairs of a claim, by their own names, so that a pair of several claims is tested once."""
    pairs = {"": claim.compare} if claim.compare else neighbours(claim.order)
    return {" against ".join(pair): pair for pair in pairs.values()}


def _judge(
    claim: Claim, run: Run, found: Mapping[str, Compared], runs: Mapping[str, Run]
) -> Iterator[Judged]:
    own = [found[name] for name in _pairs(claim)]
    if claim.discarded:
        yield _judge_discarded(claim, run)
    elif claim.against:
        yield from _judge_servers(claim, run, runs[claim.against])
    else:
        yield _judge_order(claim, own) if claim.order else _judge_pair(claim, own[0])


def _judge_pair(claim: Claim, pair: Compared) -> Judged:
    verdict = pair.found.verdict
    outcome: Outcome = "undecided" if verdict == "inconclusive" else "does not hold"
    if claim.at_least is not None:
        outcome = _reaches(pair.found.ratio, claim.at_least)
    elif verdict in claim.expected:
        outcome = "holds"
    return Judged(claim.text, claim.kind, outcome, describe_comparison(pair))


def _judge_order(claim: Claim, neighbours_found: Sequence[Compared]) -> Judged:
    """Judge each two that follow each other; one pair in the opposite order is enough to refute it."""
    verdicts = [each.found.verdict for each in neighbours_found]
    words = {"faster": "in this order", "slower": "in the opposite one", "equivalent": "practically equal"}
    told = join_and(
        [f"{verdicts.count(each)} {words.get(each, 'not told apart')}" for each in dict.fromkeys(verdicts)]
    )
    evidence = f"Of {plural(len(verdicts), 'pair')} of neighbours, {told}"
    if "slower" in verdicts:
        outcome: Outcome = "does not hold"
    else:
        outcome = "holds" if set(verdicts) == {"faster"} else "undecided"
    others = [describe_comparison(each) for each in neighbours_found if each.found.verdict != "faster"]
    return Judged(claim.text, claim.kind, outcome, "; ".join([evidence, *others]))


def _judge_discarded(claim: Claim, run: Run) -> Judged:
    """Count the trials that were discarded for the reason of a claim, and say how long they took."""
    discarded = [trial for trial in run.trials if trial.outcome != "ok" and claim.discarded in trial.detail]
    took_s = {
        case: sorted(
            round_.elapsed_s for trial in discarded if trial.case == case.id for round_ in trial.rounds
        )
        for case in run.cases
    }
    times = [
        f"{describe_case(case)}: {format_duration(median(each))} "
        f"({format_duration(each[0])} to {format_duration(each[-1])})"
        for case, each in took_s.items()
        if each
    ]
    evidence = f"{len(discarded)} of {plural(len(run.trials), 'trial')} were discarded: {claim.discarded}"
    if times:
        evidence += f". These took, in the median, {'; '.join(times)}"
    outcome: Outcome = "holds" if len(discarded) > len(run.trials) / 2 else "does not hold"
    return Judged(claim.text, claim.kind, outcome, evidence)


def _judge_servers(claim: Claim, run: Run, other: Run) -> Iterator[Judged]:
    """Compare each case with the one that had another server; the runs share no blocks."""
    for case in run.cases:
        ratio = _server_ratio(run, case, other)
        bounds = format_interval(ratio, format_ratio, " to ")
        evidence = f"{format_ratio(ratio.estimate)} times as long ({bounds})"
        text = f"{claim.text}: {describe_case(case)}"
        yield Judged(text, claim.kind, _reaches(ratio, claim.at_least or 0.0), evidence)


def _server_ratio(run: Run, case: Case, other: Run) -> Interval:
    """Return the time of a case over that of the same one with another server."""
    theirs = select_case(other.cases, f"{case.strategy}/{case.client}/{case.workers}/*")
    return ratio_interval([*sample_of(other, theirs).values()], [*sample_of(run, case).values()])


def _reaches(ratio: Interval, least: float) -> Outcome:
    if ratio.low is None or ratio.high is None or ratio.low < least <= ratio.high:
        return "undecided"
    return "holds" if ratio.low >= least else "does not hold"


def _section(
    config: PageConfig, runs: Mapping[str, Run], judged: Mapping[str, Sequence[Judged]]
) -> Iterator[str]:
    published = config.published
    yield from (f"## {published.title}", "", f"Published: {published.setup} Source: {published.source}.", "")
    yield from (f"Different here: {published.differences}", "")
    run = runs[config.name]
    figures = {select_case(run.cases, pattern).id: text for pattern, text in published.figures.items()}
    yield results_table(run, figures or None)
    for each in judged[config.name]:
        yield f"- **{each.outcome}**: {each.text}. {each.evidence}."
    yield from ("", describe_run(run), "", describe_command(config, run), "")
