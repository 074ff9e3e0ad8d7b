"""Options that several commands share, each with one wording of its help, and readers of their values."""

from collections.abc import Callable
from pathlib import Path
from typing import Final, TypeVar

import click

from bench.app.output import OutputForm

T = TypeVar("T")
U = TypeVar("U")

PATH: Final = click.Path(path_type=Path)


class CommandGroup(click.Group):
    """A group whose help has the whole summary of each command."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """Write the commands with the first paragraph of their help."""
        summaries = [
            (name, (command.help or "").partition("\n\n")[0]) for name, command in self.commands.items()
        ]
        with formatter.section("Commands"):
            formatter.write_dl(summaries)


def _refuse_with_out(context: click.Context, _option: click.Parameter, run: Path | None) -> Path | None:
    """Refuse --resume beside --out, which has been read before: it is eager."""
    if run is not None and context.params.get("out") is not None:
        raise click.UsageError("--resume continues in the run's own folder; leave out --out")
    return run


out = click.option("--out", type=PATH, is_eager=True, help="Folder for this run [results/runs/NAME-TIME].")
resume = click.option(
    "--resume",
    metavar="RUN",
    type=PATH,
    callback=_refuse_with_out,
    help="Resume an interrupted run: a folder, a name in results/runs, or `last`.",
)
on = click.option(
    "--on",
    metavar="CLUSTER",
    help="Measure whole blocks on machines of a dask cluster: the address of its scheduler on this machine, "
    "as tcp://127.0.0.1:8786, or a file with the key `scheduler` of a config.",
)
full = click.option("--full", is_flag=True, help="Print every table instead of the summary.")
report = click.option(
    "--report", metavar="FILE", type=PATH, help="Write a page with charts, too, as `report` does."
)
quiet = click.option("--quiet", is_flag=True, help="Print no progress, but warnings and notes.")
as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON on stdout, and nothing else.")

only = click.option("--only", metavar="PATTERN", help="Only cases whose id matches, such as 'asyncio_*'.")
blocks = click.option(
    "--blocks", type=click.IntRange(1, 1000), help="Exactly this many blocks, instead of the config's."
)
seed = click.option("--seed", type=int, help="Seed, instead of the config's.")

allow_remote = click.option(
    "--allow-remote",
    is_flag=True,
    help="Send requests to a `target` on another machine, at its `rate`, or let other machines reach the "
    "flag server at the address `host`.",
)

threshold = click.option(
    "--threshold", metavar="SHARE", help="Slow-down that matters, such as 5%, instead of the config's."
)
budget = click.option(
    "--budget", metavar="TIME", help="Time for trials, such as 5m [from the config, else 280s]."
)
metrics = click.option(
    "--metrics",
    metavar="NAMES",
    help="Metrics to compare, of elapsed, p99, cpu and memory, with commas between [from the config].",
)
allow_missing = click.option(
    "--allow-missing", is_flag=True, help="Do not fail if the candidate lacks a case of the base."
)


_SCRIPT_OPTIONS: Final = (
    click.option("--workers", metavar="N,…", help="For a script: numbers of workers [20]."),
    click.option("--profile", metavar="NAME", help="For a script: the server local, delay or error."),
    click.option(
        "--latency", metavar="TIME", help="For a script: the server's, as 50ms or 10ms-20ms [10ms-20ms]."
    ),
    click.option("--countries", metavar="CODES", help="For a script: all, pop20, or codes as BR,CN [pop20]."),
    click.option("--clients", metavar="NAMES", help="For a script: HTTP libraries [requests,aiohttp]."),
)


def shape_script(command: Callable[..., U]) -> Callable[..., U]:
    """Add the options that shape the config of a script."""
    for add_option in reversed(_SCRIPT_OPTIONS):
        command = add_option(command)
    return command


def output_form(*, full: bool, as_json: bool) -> OutputForm:
    """Return the form that --full or --json asks for.

    Raises:
        click.UsageError: both were given.
    """
    if full and as_json:
        raise click.UsageError("--json has every figure; leave out --full")
    return "json" if as_json else "full" if full else "summary"


def parse_value(parse: Callable[[str], T], text: str, name: str) -> T:
    """Parse the value of an option or argument as the config's scalar of the same kind.

    Raises:
        click.BadParameter: the text is invalid; the error names the option.
    """
    try:
        return parse(text)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint=name) from error
