"""``download``: download flags once with any strategy, as the chapter's scripts do."""

from pathlib import Path
from typing import Final

import click

from bench.app.output import print_note, stderr_console, stdout_console
from bench.app.select import client_for, find_strategy
from bench.commands import options
from bench.config.countries import codes_of
from bench.errors import ExitCode, UsageError
from bench.model.profile_presets import preset
from bench.model.text import plural
from bench.model.trial_outcome import Invalid
from bench.report.download_progress import DownloadProgress
from bench.runner.processes.signals import Interrupted, handle_interrupts
from bench.runner.processes.worker_exit import find_exit_problem
from bench.runner.single_download import SingleDownload, download_once

_MAX_WORKERS: Final = 1000


@click.command()
@click.argument("cc", nargs=-1)
@click.option("-a", "--all", "all_", is_flag=True, help="All 194 flags, AD to ZW.")
@click.option("-e", "--every", is_flag=True, help="Every possible code, AA to ZZ; most are not found.")
@click.option("-l", "--limit", metavar="N", type=click.IntRange(min=1), help="Only the first N codes.")
@click.option(
    "-m", "--max_req", "max_req", metavar="N", type=click.IntRange(1, _MAX_WORKERS), default=20,
    show_default=True, help="At most N downloads at once.",
)  # fmt: skip
@click.option(
    "-s", "--server", type=click.Choice(["local", "delay", "error"], case_sensitive=False), default="local",
    show_default=True, help="Without delay; with 0.5 to 5 s of it; the same with 25 % errors.",
)  # fmt: skip
@click.option("-v", "--verbose", is_flag=True, help="Print each fetch, and the state of each future.")
@click.option("--strategy", default="threadpool_map", show_default=True, help="A name, or a Python file.")
@click.option("--client", default="httpx", show_default=True, help="The HTTP library.")
@click.option(
    "--dest", type=options.PATH, default="downloaded", show_default=True, help="Folder to save flags in."
)
def download(  # noqa: PLR0913  one argument an option
    *,
    cc: tuple[str, ...],
    all_: bool,
    every: bool,
    limit: int | None,
    max_req: int,
    server: str,
    verbose: bool,
    strategy: str,
    client: str,
    dest: Path,
) -> int:
    """Download the flags of CC: codes, or first letters such as B for BA to BZ.

    Without CC, the twenty most populous countries.
    """
    countries = _parse_countries(cc, all_=all_, every=every)[:limit]
    chosen = find_strategy(strategy)
    task = SingleDownload(
        strategy=chosen,
        client=client_for(chosen, client),
        countries=countries,
        workers=min(max_req, len(countries)) if chosen.takes_workers else 1,
        profile=preset(server.lower()),
        destination=dest,
    )
    return _download(task, verbose=verbose)


def _parse_countries(cc: tuple[str, ...], *, all_: bool, every: bool) -> tuple[str, ...]:
    """Return the codes that were asked for, in alphabetical order as in the chapter.

    Raises:
        click.UsageError: they were asked for in more than one way.
        UsageError: a word is not a code or letter.
    """
    if sum((bool(cc), all_, every)) > 1:
        raise click.UsageError("name countries, or --all, or --every")
    words = ("every",) if every else ("all",) if all_ else cc or ("pop20",)
    try:
        groups = [codes_of(word) for word in words]
    except ValueError as error:
        raise UsageError(f"CC {error}") from error
    return tuple(sorted({code for codes in groups for code in codes}))


def _download(task: SingleDownload, *, verbose: bool) -> int:
    """Download, print every event, and return the exit code."""
    progress = DownloadProgress(stdout_console(), stderr_console(), len(task.countries), verbose=verbose)

    def announce(site: str) -> None:
        progress.announce(site, task.countries, task.workers)

    try:
        with handle_interrupts() as signals, progress:
            ending = download_once(task, progress.show, announce)
    except Interrupted:
        progress.print_counts(None)
        return signals.exit_code or ExitCode.OK
    report = ending.report
    progress.print_counts(report.rounds[0].elapsed_s if report and report.rounds else None)
    problem = find_exit_problem(ending, task.deadline_s, task.strategy.file)
    if problem is None and progress.shown < len(task.countries):
        what = f"{progress.shown} of {plural(len(task.countries), 'flag')} seen, and no others are saved"
        problem = Invalid("missing", f"{what}; download with download_one of job.client()")
    if problem is None:
        return ExitCode.OK
    print_note(f"{task.strategy.name}: {problem.outcome}: {problem.detail}")
    return ExitCode.FAILED_TRIALS
