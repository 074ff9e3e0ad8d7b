"""``list``: what there is to choose from, and what is missing."""

import rich_click as click

from bench.app.output import stdout_console, write_stdout
from bench.config import catalog
from bench.config.catalog import find_clients as all_clients
from bench.errors import UnreadableResultError
from bench.model.text import printable
from bench.report.fault_table import fault_table
from bench.report.markdown import tables_to_markdown
from bench.report.table import Column, Row, Section, Table
from bench.report.terminal import print_tables
from bench.storage.journal import read_journal
from bench.storage.run_folder import JOURNAL, load_run, stored_runs, unfinished_runs
from bench.system.paths import configs_folder

_SPOKEN = {"tls": "TLS", "http2": "HTTP/2"}


@click.group(name="list")
def list_() -> None:
    """List strategies, clients, configs, faults or stored runs."""


@list_.command()
def strategies() -> None:
    """List the strategies that ship with flagbench."""
    _print(
        ("strategy", "client", "workers", "what it does"),
        [
            (
                strategy.name,
                strategy.face or "own",
                "yes" if strategy.takes_workers else "no",
                strategy.summary,
            )
            for strategy in catalog.find_strategies().values()
        ],
    )


@list_.command()
def clients() -> None:
    """List the clients, and how to install those that are missing."""
    _print(
        ("client", "for", "speaks", "state", "what it is"),
        [
            (
                client.name,
                ", ".join(sorted(client.faces)),
                ", ".join(["HTTP/1.1", *(_SPOKEN[each] for each in sorted(client.speaks, reverse=True))]),
                f"missing: {client.install}" if client.missing else "installed",
                client.summary,
            )
            for client in catalog.find_clients().values()
        ],
    )


@list_.command()
def configs() -> None:
    """List the configs that ship with flagbench; each runs by its name."""
    _print(
        ("config", "what it answers"),
        [
            (path.stem, _first_comment(path.read_text("utf-8")))
            for path in sorted(configs_folder().glob("*.yaml"))
        ],
    )


@list_.command()
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", "markdown"]),
    default="table",
    show_default=True,
    help="How to print it.",
)
def faults(form: str) -> None:
    """List what can go wrong in a profile, and the class in which such a fetch ends."""
    table = fault_table(all_clients().values())
    if form == "markdown":
        write_stdout(tables_to_markdown([table]))
    else:
        print_tables([table], stdout_console())


@list_.command()
def runs() -> None:
    """List the runs kept below results/runs, oldest first, and then those with nothing but a journal."""
    rows: list[tuple[str, ...]] = []
    for folder in stored_runs():
        try:
            run = load_run(folder)
        except UnreadableResultError as error:
            rows.append((folder.name, "unreadable", "", "", str(error)))
            continue
        blocks = str(len({trial.block for trial in run.trials}))
        rows.append((run.name, run.status, str(len(run.cases)), blocks, run.started))
    for folder in unfinished_runs():
        try:
            past = read_journal(folder / JOURNAL)
        except UnreadableResultError as error:
            rows.append((folder.name, "unreadable", "", "", str(error)))
            continue
        blocks = str(len({trial.block for trial in past.trials}))
        rows.append((folder.name, "journal only", "", blocks, past.beginning.started))
    _print(("run", "status", "cases", "blocks", "started"), rows)


def _first_comment(text: str) -> str:
    """Return what a config says of itself: its first comment after the line for editors."""
    comments = [line.lstrip("# ") for line in text.splitlines() if line.startswith("#")]
    return next((comment for comment in comments if comment and "$schema" not in comment), "")


def _print(headings: tuple[str, ...], rows: list[tuple[str, ...]]) -> None:
    ends = (headings[0], headings[-1])
    columns = tuple(Column(heading, "left", wraps=heading in ends) for heading in headings)
    shown = tuple(Row(tuple(map(printable, row))) for row in rows)
    print_tables([Table(columns=columns, sections=(Section("", shown),))], stdout_console())
