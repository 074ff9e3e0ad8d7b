"""The command line: one group, one thin file a command."""

import rich_click as click

from bench import __version__
from bench.commands.ab import ab
from bench.commands.check import check
from bench.commands.compare import compare
from bench.commands.download import download
from bench.commands.export import export
from bench.commands.gate import gate
from bench.commands.history import history
from bench.commands.list import list_
from bench.commands.noise import noise
from bench.commands.run import run
from bench.commands.schema import schema
from bench.commands.serve import serve
from bench.commands.show import show


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="flagbench")
@click.option("--debug", is_flag=True, help="Show tracebacks.")
def cli(*, debug: bool) -> None:
    """Which way of making many HTTP downloads at once is best for your case?

    Start with `flagbench run default`.
    """


for command in (
    run, check, ab, compare, gate, history, show, export, noise, list_, download, serve, schema,
):  # fmt: skip
    cli.add_command(command)
