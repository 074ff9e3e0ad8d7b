"""``init``: write a config to start from."""

from pathlib import Path

import click

from bench.app.new_file import write_new_file
from bench.commands import options
from bench.config.starter_files import CONFIG
from bench.errors import UsageError


@click.command()
@click.argument("file", type=options.PATH, default="flagbench.yaml")
def init(*, file: Path) -> None:
    """Write FILE [flagbench.yaml], a config with comments, to change and to measure with `run`."""
    if file.suffix not in {".yaml", ".yml"}:
        raise UsageError(f"{file} is no YAML file", hint=f"name it {file.with_suffix('.yaml')}")
    write_new_file(file, CONFIG)
