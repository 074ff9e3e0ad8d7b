"""``history``: show, record and pin for the history of comparisons with a pinned commit."""

from datetime import UTC, datetime
from pathlib import Path

import click

from bench.app.history_filter import check_reference, filter_points, unknown_commit_notes
from bench.app.output import print_note, stdout_console, write_stdout
from bench.commands import options
from bench.errors import UnreadableResultError, UsageError
from bench.model.comparison import METRICS, Metric
from bench.model.text import plural, printable
from bench.report.export.history_json import history_to_json
from bench.report.history_table import history_tables
from bench.report.terminal import print_tables
from bench.stats.history import PointOrder, history_points, history_tracks
from bench.storage.history import HISTORY, add_points, read_history
from bench.storage.pinned_reference import REFERENCE, Reference, load_reference, save_reference
from bench.storage.run_folder import load_run
from bench.system.git import commit_of, commit_ranks
from bench.system.program_name import program_name


@click.group(cls=options.CommandGroup, invoke_without_command=True)
@click.option(
    "--case", "pattern", metavar="PATTERN", help="Only cases whose id matches, such as 'asyncio_*'."
)
@click.option("--metric", type=click.Choice(METRICS), help="Only this metric.")
@click.option(
    "--since",
    metavar="DATE|COMMIT",
    help="Only points since this day, or of this commit and its descendants.",
)
@options.full
@options.as_json
@click.pass_context
def history(  # noqa: PLR0913  one argument an option
    context: click.Context,
    *,
    pattern: str | None,
    metric: Metric | None,
    since: str | None,
    full: bool,
    as_json: bool,
) -> None:
    """Show how each case has changed against the pinned reference."""
    if context.invoked_subcommand is not None:
        if pattern or metric or since or full or as_json:
            raise click.UsageError(f"`history {context.invoked_subcommand}` takes no options of `history`")
        return

    points = read_history()
    if not points:
        raise UsageError(
            f"there is no history in {HISTORY}",
            hint=f"begin it with `{program_name()} history pin main`, `{program_name()} ab main HEAD` and "
            f"`{program_name()} history record last`",
        )
    kept, notes = filter_points(points, pattern=pattern, metric=metric, since=since)
    ranks = commit_ranks({point.commit for point in kept})
    order: PointOrder = "commits" if ranks else "measuring"
    tracks, reference = history_tracks(kept, ranks), load_reference()
    if as_json:
        write_stdout(history_to_json(tracks, reference, order))
    else:
        console = stdout_console()
        print_tables(history_tables(tracks, reference, console.width, order, full=full), console)
    for note in (*notes, *unknown_commit_notes(kept, ranks or {})):
        print_note(f"note: {note}")


@history.command()
@click.argument("run", type=options.PATH)
def record(*, run: Path) -> None:
    """Add the results of a RUN of `ab` or `gate` to the history."""
    document = load_run(run)
    name, points = printable(document.name), history_points(document)
    known = {point.identity for point in read_history()}
    if known.issuperset(point.identity for point in points):
        added = 0
    else:
        check_reference(points[0].reference)
        added = add_points(points)
    result = (
        f"{plural(added, 'point')} of {name} added to {HISTORY}"
        if added
        else f"{name} is already in {HISTORY}"
    )
    stdout_console().print(result, soft_wrap=True)


@history.command()
@click.argument("rev")
@click.option("--why", metavar="TEXT", default="", help="The reason, for later readers.")
def pin(*, rev: str, why: str) -> None:
    """Make the commit of REV the reference that others are measured against."""
    commit = commit_of(rev)
    try:
        before = load_reference()
    except UnreadableResultError:  # pinning replaces the damaged file
        before = None
    is_pinned = before is not None and before.rev == commit
    since = before.since if before is not None and is_pinned else datetime.now(UTC).date().isoformat()
    if not is_pinned or why:
        save_reference(Reference(commit, since, why))
    stdout_console().print(f"{commit} is the reference since {since}, in {REFERENCE}", soft_wrap=True)
