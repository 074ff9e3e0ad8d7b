"""``new``: write a script to measure."""

from pathlib import Path

import click

from bench.app.new_file import write_new_file
from bench.commands import options
from bench.config.catalog import check_file_name
from bench.config.lookup import MODULE_STEM
from bench.config.starter_files import SCRIPT
from bench.errors import UsageError


@click.command()
@click.argument("file", type=options.PATH)
def new(*, file: Path) -> None:
    """Write FILE, a script with a download_many that works, to change and to measure with `run`."""
    if file.suffix != ".py":
        raise UsageError(f"{file} is no Python file", hint=f"name it {file.with_suffix('.py')}")
    if MODULE_STEM.fullmatch(file.stem) is None:
        raise UsageError(f"{file} is not named like a Python module", hint="use letters, digits and _ only")
    check_file_name(file)
    write_new_file(file, SCRIPT)
