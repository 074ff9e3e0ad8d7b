"""``schema``: print the JSON Schema of configs."""

import click

from bench.app.output import write_stdout
from bench.config.json_schema import schema_text


@click.command()
def schema() -> None:
    """Print the JSON Schema of configs, for editors and other tools."""
    write_stdout(schema_text())
