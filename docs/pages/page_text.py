"""Write what both pages say of a kept run: its table, the machine, and the command that repeats it."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from bench.model.cases import Fixed
from bench.model.results import Run
from bench.model.text import join_and, plural, printable
from bench.report.case_label import client_label, describe_conditions, workers_label
from bench.report.markdown import tables_to_markdown
from bench.report.number_format import (
    MISSING,
    format_duration,
    format_interval,
    format_percent,
)
from bench.report.summary_table import describe_profile
from bench.report.table import Column, Row, Section, Table
from bench.stats.case_summary import CaseSummary
from bench.stats.ranking import Ranking, rankings
from docs.pages.evidence import ROOT
from docs.pages.page_config import PageConfig


def write_page(file: Path, title: str, lines: Sequence[str]) -> None:
    """Write a page, with a remark that it is made."""
    made = (
        "<!-- Made from measured runs by `python -m docs.pages write`; its sentences are in the configs. -->"
    )
    file.write_text("\n".join([f"# {title}", "", made, "", *lines]).rstrip() + "\n", encoding="utf-8")


def anchor_of(heading: str) -> str:
    """Return the anchor that GitHub gives a heading, for links to it."""
    kept = "".join(each for each in heading.lower() if each.isalnum() or each in " -_")
    return kept.replace(" ", "-")


def results_table(run: Run, published: Mapping[str, str] | None = None) -> str:
    """Return a table of all cases in Markdown: conditions by conditions, the fastest case first.

    Args:
        run: a kept run.
        published: figures of others, by the ids of cases; None: none are shown.
    """
    ranked = rankings(run)
    has_several, has_ideal = len(ranked) > 1, _has_ideal(run)
    columns = [Column("server", "left")] * has_several + [
        Column("strategy", "left"),
        Column("client", "left"),
        Column("workers"),
        *[Column("published")] * (published is not None),
        Column("time"),
        Column("95% interval"),
        *[Column("of ideal")] * has_ideal,
    ]
    rows = [
        row
        for ranking in ranked
        for row in _rows(ranking, published, has_several=has_several, has_ideal=has_ideal)
    ]
    return tables_to_markdown([Table(columns=tuple(columns), sections=(Section("", tuple(rows)),))])


def _rows(
    ranking: Ranking, published: Mapping[str, str] | None, *, has_several: bool, has_ideal: bool
) -> Iterator[Row]:
    ordered = sorted(
        ranking.rows, key=lambda row: row.figures.elapsed.estimate if row.figures else float("inf")
    )
    for row in ordered:
        case = row.case
        names = (printable(case.strategy), client_label(case), workers_label(case))
        conditions = (describe_conditions(case),) * has_several
        theirs = () if published is None else (published.get(case.id, ""),)
        yield Row((*conditions, *names, *theirs, *_figures(row, has_ideal=has_ideal)))


def _figures(row: CaseSummary, *, has_ideal: bool) -> Iterator[str]:
    if row.figures is None:
        yield from (row.failed[0].outcome if row.failed else MISSING, MISSING)
    else:
        yield format_duration(row.figures.elapsed.estimate)
        yield format_interval(row.figures.elapsed, format_duration)
    if has_ideal:
        efficiency = None if row.figures is None else row.figures.efficiency
        yield MISSING if efficiency is None else format_percent(efficiency)


def _has_ideal(run: Run) -> bool:
    """Say whether there is a bound worth a column: the delays are known, and there are some."""
    return all(not case.profile.server and case.profile.latency != Fixed(0.0) for case in run.cases)


def describe_run(run: Run) -> str:
    """Say what was downloaded, on what machine, with what libraries, and when."""
    return f"Measured: {'; '.join([_downloads(run), _machine(run), _libraries(run), _date(run)])}."


def _downloads(run: Run) -> str:
    counts = sorted({case.countries.count for case in run.cases})
    fetches = f"{join_and([f'{count:,}' for count in counts])} download{'' if counts == [1] else 's'} a round"
    profiles = {case.profile.name: describe_profile(case.profile) for case in run.cases}
    if len(profiles) == 1:
        server = f", server {next(iter(profiles.values()))}"
    else:
        server = f", servers {join_and([f'*{name}* ({words})' for name, words in profiles.items()])}"
    blocks = len({trial.block for trial in run.trials})
    return f"{fetches}{server}, {plural(blocks, 'block')}"


def _machine(run: Run) -> str:
    processor, python, system = (_facts(run, key) for key in ("processor", "python", "system"))
    model, cores = processor.get("model") or "unknown processor", processor.get("cores")
    cpus = plural(int(cores), "CPU") if cores else "an unknown number of CPUs"
    if not _facts(run, "pinning").get("worker"):
        cpus += " for client and server together"
    kernel = str(system.get("release", "")).partition("-")[0]
    return (
        f"{model} with {cpus}, {system.get('name')} {kernel}, "
        f"{python.get('implementation')} {python.get('version')}"
    )


def _libraries(run: Run) -> str:
    """Name the libraries of clients and strategies, as the workers have imported them."""
    runtimes = [trial.runtime for trial in run.trials if trial.runtime is not None]
    found = {
        f"{each.distribution or each.module} {each.version}".strip()
        for runtime in runtimes
        for each in runtime.libraries
    }
    return join_and(sorted(found)) or "no library"


def _date(run: Run) -> str:
    git = _facts(run, "git")
    commit = f" at commit {str(git.get('commit', ''))[:7]}" if git.get("commit") else ""
    return f"{run.started[:10]}{commit}"


def _facts(run: Run, key: str) -> Mapping[str, Any]:
    found = run.environment.get(key)
    return found if isinstance(found, dict) else {}


def describe_command(config: PageConfig, run: Run) -> str:
    """Return the command that repeats a run, and how long its trials took."""
    took_s = sum(trial.took_s for trial in run.trials)
    path = config.path.relative_to(ROOT)
    server = config.published.server if config.page == "published" else None
    beside = ""
    if server is not None:
        program = config.path.with_name(server.program).relative_to(ROOT)
        beside = f", with `{' '.join(('python', str(program), str(server.port), *server.arguments))}` running"
    minutes = plural(max(1, round(took_s / 60)), "minute")
    return f"Repeat it, in about {minutes}: `python -m bench run {path}`{beside}"
