"""The command group. It imports a command only when it is called, so that ``--help`` stays quick."""

from contextlib import suppress
from importlib import import_module
from typing import Final

import click

from bench import __version__

_SUMMARIES: Final = {
    "run": "Measure every case of CONFIG, a file or a shipped name, and print the summary.",
    "check": "Validate CONFIG; print its cases, their ideals and the expected duration.",
    "show": "Print a stored RUN: a folder, a name in results/runs, or `last`.",
    "ab": "Compare CANDIDATE [the work tree] with BASE over the cases of CONFIG [gate].",
    "gate": "Exit with 1 if the work tree is slower than its base over the cases of CONFIG [gate].",
    "compare": "Compare two stored runs, or variants of them (RUN@VARIANT).",
    "history": "Show how each case has changed against the pinned reference.",
    "noise": "Measure every case of CONFIG [noise] against itself: the noise of this machine.",
    "report": "Write a stored RUN as one page with charts, which needs no network.",
    "view": "Show the runs and the history of RESULTS [results] in a browser, until Ctrl-C.",
    "export": "Write a stored RUN in the format of another tool.",
    "list": "List strategies, clients, configs, faults or stored runs.",
    "new": "Write FILE, a script with a download_many that works, to change and to measure with `run`.",
    "init": "Write FILE [flagbench.yaml], a config with comments, to change and to measure with `run`.",
    "profile-from": "Make a profile of the times in FILE: HAR, CSV, or a log of nginx, Apache or Envoy.",
    "download": "Download the flags of CC: codes, or first letters such as B for BA to BZ.",
    "serve": "Run the flag server until Ctrl-C, for curl, a browser or your own scripts.",
    "schema": "Print the JSON Schema of configs, for editors and other tools.",
}
"""The first sentence of the help of each command, the most used first; a test compares them."""
_MEASURING: Final = frozenset({"run", "ab", "gate", "noise"})
"""Commands whose modules take a second to import, and that print progress."""
_WITHOUT_PROGRESS: Final = frozenset({"--quiet", "-h", "--help", "--print-config", "--gate"})
"""Options with which they print none, or measure nothing."""


class _CommandGroup(click.Group):
    """Imports the command ``name`` from ``bench.commands.name``, with ``_`` for ``-``."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  click passes it
        """Return the names of all commands."""
        return list(_SUMMARIES)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Import a command."""
        if cmd_name not in _SUMMARIES:
            return None
        name = cmd_name.replace("-", "_")
        module = import_module(f"bench.commands.{name}")
        command: click.Command = getattr(module, "list_" if name == "list" else name)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command of these words; print the first line of its progress before it is imported."""
        if args[0] in _MEASURING and _WITHOUT_PROGRESS.isdisjoint(args):
            with suppress(OSError):  # progress may have no reader, or no room; the run goes on
                click.echo(f"{args[0]}: loading modules and the config", err=True)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """Write the commands with their summaries, without importing any."""
        with formatter.section("Commands"):
            formatter.write_dl(list(_SUMMARIES.items()))


@click.group(cls=_CommandGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="flagbench")
@click.option("--debug", is_flag=True, help="Show tracebacks.")
def cli(*, debug: bool) -> None:
    """Compare ways of making many HTTP downloads at once, and detect when one becomes slower.

    Start with `run default`.
    """
