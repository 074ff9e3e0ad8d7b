"""``download``: the chapter's own command, once, with any strategy."""

from pathlib import Path

import rich_click as click

from bench.app.output import stderr_console, stdout_console
from bench.app.select import client_for, named_strategy
from bench.config.countries import codes_of
from bench.errors import UsageError
from bench.model.profile_presets import preset
from bench.report.download_progress import DownloadProgress
from bench.runner.processes.signals import Interrupted, handle_interrupts
from bench.runner.processes.worker_exit import find_exit_problem
from bench.runner.single_download import SingleDownload, download_once

_FAILED = 3
_MOST_WORKERS = 1000
_SETS = frozenset({"all", "every", "pop20"})


@click.command()
@click.argument("cc", nargs=-1)
@click.option("-a", "--all", "all_", is_flag=True, help="All 194 flags, AD to ZW.")
@click.option("-e", "--every", is_flag=True, help="Every possible code, AA to ZZ; most are not found.")
@click.option("-l", "--limit", metavar="N", type=click.IntRange(min=1), help="Only the first N codes.")
@click.option(
    "-m", "--max_req", "max_req", metavar="N", type=click.IntRange(1, _MOST_WORKERS), default=20,
    show_default=True, help="At most N downloads at once.",
)  # fmt: skip
@click.option(
    "-s", "--server", type=click.Choice(["local", "delay", "error"], case_sensitive=False), default="local",
    show_default=True, help="The chapter's servers: at once, after 0.5 to 5 s, with 25 % errors.",
)  # fmt: skip
@click.option("-v", "--verbose", is_flag=True, help="Print each fetch, and the state of each future.")
@click.option(
    "--strategy", default="threadpool_map", show_default=True, help="A name, or a file of your own."
)
@click.option("--client", default="httpx", show_default=True, help="The HTTP library.")
@click.option(
    "--dest", type=click.Path(path_type=Path), default="downloaded", show_default=True, help="Where to save."
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
    countries = _expanded(_words(cc, all_=all_, every=every))[:limit]
    chosen = named_strategy(strategy)
    errand = SingleDownload(
        strategy=chosen,
        client=client_for(chosen, client),
        countries=countries,
        workers=min(max_req, len(countries)) if chosen.takes_workers else 1,
        profile=preset(server.lower()),
        destination=dest,
    )
    return _carry_out(errand, verbose=verbose)


def _words(cc: tuple[str, ...], *, all_: bool, every: bool) -> tuple[str, ...]:
    """Return what was asked for in one way or another, and refuse what was asked for in two."""
    if sum((bool(cc), all_, every)) > 1:
        raise click.UsageError("name countries, or --all, or --every")
    return ("every",) if every else ("all",) if all_ else cc or ("pop20",)


def _expanded(words: tuple[str, ...]) -> tuple[str, ...]:
    """Return the codes that the words stand for, sorted as the chapter does."""
    try:
        named = [codes_of(word if word in _SETS else word.upper()) for word in words]
    except ValueError as error:
        raise UsageError(f"CC {error}") from error
    return tuple(sorted({code for codes in named for code in codes}))


def _carry_out(errand: SingleDownload, *, verbose: bool) -> int:

    progress = DownloadProgress(stdout_console(), stderr_console(), len(errand.countries), verbose=verbose)

    def announce(site: str) -> None:
        progress.announce(site, errand.countries, errand.workers)

    try:
        with handle_interrupts() as signals, progress:
            ending = download_once(errand, progress.show, announce)
    except Interrupted:
        progress.print_counts(None)
        return signals.exit_code or 0
    report = ending.report
    progress.print_counts(report.rounds[0].elapsed_s if report and report.rounds else None)
    problem = find_exit_problem(ending, errand.deadline_s, errand.strategy.file)
    if problem is None:
        return 0
    stderr_console().print(f"{errand.strategy.name}: {problem.outcome}: {problem.detail}", soft_wrap=True)
    return _FAILED
