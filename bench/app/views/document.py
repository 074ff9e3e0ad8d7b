"""View of a whole run in a format for other programs."""

from collections.abc import Callable, Mapping
from typing import Final

from rich.console import Console

from bench.app.output import write_stdout
from bench.app.views import ViewOptions
from bench.model.results import Run
from bench.report.export.csv import to_csv
from bench.report.export.json import to_json
from bench.report.export.markdown import to_markdown

_WRITERS: Final[Mapping[str, Callable[[Run], str]]] = {
    "markdown": to_markdown,
    "csv": to_csv,
    "json": to_json,
}


def print_view(stored: Run, options: ViewOptions, _console: Console) -> None:
    """Write a run to stdout, as it is to be stored or read by a program."""
    write_stdout(_WRITERS[options.form](stored))
