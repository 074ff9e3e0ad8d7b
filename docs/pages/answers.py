"""Write docs/answers.md: questions that users have, each with a sentence that measured verdicts bear out."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from statistics import fmean, median
from typing import Final

from bench.model.flags import all_flags
from bench.model.results import Run
from bench.report.axis_conclusion import axis_crossovers
from bench.report.case_label import describe_series
from bench.report.markdown import escape_paragraph
from bench.report.number_format import format_duration
from bench.report.scaling_summary import describe_knee
from bench.stats.ranking import rankings
from bench.stats.scaling import summarize_scaling
from bench.stats.series_over_axis import summarize_axes
from docs.pages.comparisons import Compared, compare_pairs, describe_comparison, describe_speed
from docs.pages.evidence import load_kept
from docs.pages.page_config import Answer, PageConfig
from docs.pages.page_text import anchor_of, describe_command, describe_run, results_table, write_page

_INTRODUCTION: Final = """\
Each answer is a measurement on one machine with two CPUs, one of them for the client and one for the server,
unless it says otherwise. It says what these strategies and clients do there, and not what your server,
network and files make of them; the last line of each is the command that asks your machine.

A row is a case: a strategy with a client and with *workers*, the number of downloads it may have at once.
[strategies.md](strategies.md) describes both; names that begin with `sessions` are functions of
`configs/answers/sessions.py`, and `/close` is a connection for each request. What is downloaded are flags,
pictures of some kilobytes, from a server that flagbench starts.

Each case was run once in each *block*, in a process of its own, and did all downloads of a *round* there,
once or several times, with opening and closing connections in the time. *Time* is the median of the blocks,
with its 95 % interval, and a block counts with the mean of the faster half of its rounds. *Of ideal* is how
near it came to a lower bound for its own workers, connections and CPU work; for functions of our own, the
bound leaves connections out.

"1.5 times as fast (1.4 to 1.6)" is measured block by block and so a little different from the quotient of two
times. *Practically as fast* is within the margin of 2 or 3 %, and *perhaps as fast* means that the blocks
were too few or the machine too noisy to tell."""


def write_answers(configs: Sequence[PageConfig], file: Path) -> None:
    """Write the page from the runs that are kept."""
    sections = [line for config in configs for line in _section(config)]
    contents = [f"- [{each.answer.question}](#{anchor_of(each.answer.question)})" for each in configs]
    write_page(file, "Answers", [_INTRODUCTION, "", *contents, "", *sections])


def _section(config: PageConfig) -> Iterator[str]:
    answer, run = config.answer, load_kept(config)
    yield from (f"## {answer.question}", "")
    compared = compare_pairs(run, answer.compare)
    yield from (f"**{find_sentence(answer, compared)}**", "", results_table(run))
    for line in _own_lines(answer, run):
        yield from (escape_paragraph(line), "")
    yield from (
        describe_run(run),
        "",
        f"Not proven: {answer.unproven}",
        "",
        describe_command(config, run),
        "",
    )


def find_sentence(answer: Answer, compared: Mapping[str, Compared]) -> str:
    """Return the first sentence that the verdicts bear out; without any, what was found."""
    verdicts = {name: each.found.verdict for name, each in compared.items()}
    for sentence in answer.says:
        if sentence.holds(verdicts):
            return sentence.say.format_map({name: describe_speed(each) for name, each in compared.items()})
    found = "; ".join(describe_comparison(each) for each in compared.values())
    return f"None of the expected answers was found. {found}."


def _work_lines(run: Run) -> Iterator[str]:
    """Say how long the CPU work on a flag takes, if it is done once."""
    case = run.cases[-1]
    found = [trial.work_s_per_byte for trial in run.trials if trial.work_s_per_byte]
    if found:
        bytes_ = fmean(len(flag) for code, flag in all_flags().items() if code in case.countries.codes)
        took = format_duration(median(found) * bytes_)
        yield f"Done once, {case.work.kind} takes about {took} of CPU time for a flag here."


def _own_lines(answer: Answer, run: Run) -> Iterator[str]:
    if answer.lines == "crossovers":
        yield from _work_lines(run)
        for summary in summarize_axes(rankings(run)):
            yield from axis_crossovers(summary)
    elif answer.lines == "knees":
        for scaling in summarize_scaling(run):
            for series in scaling.series:
                yield f"{describe_series(series.key)}: {describe_knee(series)}"
