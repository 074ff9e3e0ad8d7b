"""The command group. A command's module is imported when it is called, so that ``--help`` stays quick."""

from importlib import import_module
from typing import Final, NamedTuple

import rich_click as click

from bench import __version__


class _Entry(NamedTuple):
    """A command that is not imported yet.

    Attributes:
        target: its module in ``bench.commands``, and its name there.
        summary: the first sentence of its help; a test compares both.
    """

    target: str
    summary: str


_COMMANDS: Final = {
    "run": _Entry("run:run", "Measure every case of CONFIG, a file or a shipped name, and print the table."),
    "check": _Entry(
        "check:check", "Validate CONFIG; print its cases, their ideals and the expected duration."
    ),
    "show": _Entry("show:show", "Print a stored RUN: a folder, a name in results/runs, or `last`."),
    "ab": _Entry("ab:ab", "Compare CANDIDATE [the work tree] with BASE over the cases of CONFIG [gate]."),
    "gate": _Entry(
        "gate:gate", "Exit with 1 if the work tree is slower than its base over the cases of CONFIG [gate]."
    ),
    "compare": _Entry("compare:compare", "Compare two stored runs, or variants of them (RUN@VARIANT)."),
    "history": _Entry("history:history", "Show how each case has changed against the pinned reference."),
    "noise": _Entry(
        "noise:noise", "Measure every case of CONFIG [noise] against itself: the noise of this machine."
    ),
    "export": _Entry("export:export", "Write a stored RUN in the format of another tool."),
    "list": _Entry("list:list_", "List strategies, clients, configs, faults or stored runs."),
    "download": _Entry(
        "download:download", "Download the flags of CC: codes, or first letters such as B for BA to BZ."
    ),
    "serve": _Entry(
        "serve:serve", "Run the flag server until Ctrl-C, for curl, a browser or your own scripts."
    ),
    "schema": _Entry("schema:schema", "Print the JSON Schema of configs, for editors and other tools."),
}


class _CommandGroup(click.RichGroup):
    _lists_only = False

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  click gives it
        """Return the names of all commands, the most used first."""
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Import a command; return a stand-in with its summary while the help of the group is written."""
        entry = _COMMANDS.get(cmd_name)
        if entry is None:
            return None
        if self._lists_only:
            return click.RichCommand(name=cmd_name, help=entry.summary)
        module, _, name = entry.target.partition(":")
        command: click.Command = getattr(import_module(f"bench.commands.{module}"), name)
        return command

    def format_help(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the help of the group without importing any command."""
        self._lists_only = True
        try:
            super().format_help(ctx, formatter)  # type: ignore[arg-type]  # it declares narrower ones than click
        finally:
            self._lists_only = False


@click.group(cls=_CommandGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="flagbench")
@click.option("--debug", is_flag=True, help="Show tracebacks.")
def cli(*, debug: bool) -> None:
    """Which way of making many HTTP downloads at once is best for your case?

    Start with `flagbench run default`.
    """
