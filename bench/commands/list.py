"""``list``: print the strategies, clients, configs, faults or stored runs."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import click

from bench.app.output import stdout_console, write_stdout
from bench.commands import options
from bench.config import catalog, packages
from bench.errors import UnreadableResultError
from bench.model.cases import Client, Strategy
from bench.model.text import printable
from bench.report.fault_table import fault_table
from bench.report.markdown import tables_to_markdown
from bench.report.table import Column, Remark, Row, Section, Table
from bench.report.terminal import print_tables
from bench.storage.journal import read_journal
from bench.storage.run_folder import JOURNAL, load_run, stored_runs, unfinished_runs
from bench.system.paths import configs_folder

_PROTOCOLS: Final = {"tls": "TLS", "http2": "HTTP/2"}


@click.group(name="list", cls=options.CommandGroup)
def list_() -> None:
    """List strategies, clients, configs, faults or stored runs."""


@list_.command()
def strategies() -> None:
    """List the strategies that ship with flagbench, and those of installed packages."""
    found = tuple(catalog.find_strategies().values())
    rows = [
        (each.name, each.face or "own", "yes" if each.takes_workers else "no", each.summary) for each in found
    ]
    remarks = tuple(map(Remark, (*_unavailable(found), *_options(found))))
    _print(("strategy", "client", "workers", "description"), rows, remarks)
    _print_provided("strategy", packages.provided_strategies())


def _unavailable(strategies: Iterable[Strategy]) -> Iterator[str]:
    """Write a line for each strategy that cannot be run here."""
    return (f"Not here: {each.name} {each.unavailable}." for each in strategies if each.unavailable)


def _options(strategies: Iterable[Strategy]) -> Iterator[str]:
    """Write a line for each option, with the strategies that have it."""
    having: dict[str, list[Strategy]] = {}
    for strategy in strategies:
        for option in strategy.options:
            having.setdefault(option, []).append(strategy)
    for option, each in sorted(having.items()):
        chosen = catalog.choose_option(each[0], option)
        lack = f"; it {chosen.unavailable}" if chosen.unavailable else ""
        names = ", ".join(strategy.name for strategy in each)
        yield f"Option +{option}, as in {chosen.name}{lack}; of {names}."


@list_.command()
def clients() -> None:
    """List the clients, and how to install those that are missing; and those of installed packages."""
    found = tuple(catalog.find_clients().values())
    rows = [
        (client.name, ", ".join(sorted(client.faces)), ", ".join(_protocols(client)), client.summary)
        for client in found
    ]
    remarks = tuple(Remark(state) for client in found if (state := _state(client)) is not None)
    _print(("client", "for", "protocols", "description"), rows, remarks)
    _print_provided("client", packages.provided_clients())


def _state(client: Client) -> str | None:
    """Write a line for a client that is not in this environment, or return None."""
    if client.requirements:
        return f"{client.name} is measured in an environment of its own, which `run` makes with uv."
    from bench.config.compatibility import missing_dependency  # reads configs, and `--help` need not

    missing = missing_dependency(client)
    return None if missing is None else f"Not here: {missing}."


@list_.command()
def configs() -> None:
    """List the configs that ship with flagbench; each runs by its name."""
    files = sorted(configs_folder().glob("*.yaml"))
    _print(
        ("config", "description"), [(file.stem, _first_comment(file.read_text("utf-8"))) for file in files]
    )


@list_.command()
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", "markdown"]),
    default="table",
    show_default=True,
    help="Format of the output.",
)
def faults(form: str) -> None:
    """List the faults that a profile may have, and the outcome of a fetch that meets one."""
    table = fault_table(catalog.find_clients().values())
    if form == "markdown":
        write_stdout(tables_to_markdown([table]))
    else:
        print_tables([table], stdout_console())


@list_.command()
def runs() -> None:
    """List the runs in results/runs, oldest first, and then those with only a journal."""
    rows = [*_rows(stored_runs(), _stored_row), *_rows(unfinished_runs(), _unfinished_row)]
    _print(("run", "status", "cases", "blocks", "started"), rows)


def _rows(folders: list[Path], read_row: Callable[[Path], tuple[str, ...]]) -> Iterator[tuple[str, ...]]:
    """Yield a row for each run, and one with the problem of each that cannot be read."""
    for folder in folders:
        try:
            yield read_row(folder)
        except UnreadableResultError as error:
            yield folder.name, "unreadable", "", "", str(error)


def _stored_row(folder: Path) -> tuple[str, ...]:
    run = load_run(folder)
    blocks = len({trial.block for trial in run.trials})
    return run.name, run.status, str(len(run.cases)), str(blocks), run.started


def _unfinished_row(folder: Path) -> tuple[str, ...]:
    past = read_journal(folder / JOURNAL)
    blocks = len({trial.block for trial in past.trials})
    return folder.name, "journal only", "", str(blocks), past.header.started


def _protocols(client: Client) -> Iterator[str]:
    """Yield the protocols of a client; ``close`` stands for a connection for each request."""
    yield "HTTP/1.1" if client.keeps_alive else "HTTP/1.1 (close)"
    yield from (_PROTOCOLS[each] for each in sorted(client.speaks, reverse=True))


def _print_provided(noun: str, provided: Sequence[packages.Provided[Any]]) -> None:
    """Print what installed packages provide, or why it cannot be used; nothing if there is none."""
    rows = [
        (each.name, each.package, each.found.summary if each.found else f"{each.problem}")
        for each in provided
    ]
    if rows:
        _print((noun, "installed package", "description"), rows)


def _first_comment(text: str) -> str:
    """Return the first comment of a config after the line for editors."""
    comments = [line.lstrip("# ") for line in text.splitlines() if line.startswith("#")]
    return next((comment for comment in comments if comment and "$schema" not in comment), "")


def _print(
    headings: tuple[str, ...], rows: Iterable[tuple[str, ...]], remarks: tuple[Remark, ...] = ()
) -> None:
    wrapping = (headings[0], headings[-1])
    columns = tuple(Column(heading, "left", wraps=heading in wrapping) for heading in headings)
    printed = tuple(Row(tuple(map(printable, row))) for row in rows)
    print_tables(
        [Table(columns=columns, sections=(Section("", printed),), remarks=remarks)], stdout_console()
    )
