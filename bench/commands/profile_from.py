"""``profile-from``: make a profile of the flag server from what the user has measured."""

from pathlib import Path

import click

from bench.app.measured_profile import make_profile
from bench.commands import options
from bench.config.measured.figures import TIME_UNITS
from bench.config.measured.log_lines import LogOptions
from bench.config.measured.source_file import FORMATS, FormatName
from bench.model.text import join_or


@click.command("profile-from")
@click.argument("file", type=options.PATH)
@click.option(
    "--format",
    "form",
    type=click.Choice(FORMATS),
    metavar="FORMAT",
    help=f"{join_or(FORMATS)} [found by the content].",
)
@click.option(
    "--log-format",
    metavar="STRING",
    help="The format string in the settings of nginx, Apache or Envoy, in single quotes.",
)
@click.option("--column", metavar="NAME", help="The times: a column of a CSV file, or a field of a log.")
@click.option(
    "--unit",
    type=click.Choice(TIME_UNITS),
    metavar="UNIT",
    help=f"That of the times in --column: {join_or(TIME_UNITS)}.",
)
@click.option("--size-column", metavar="NAME", help="The sizes in bytes, as --column.")
@click.option("--out", type=options.PATH, help="The profile to write [FILE's name with .profile.csv].")
@click.option("--overwrite", is_flag=True, help="Replace the profile if it exists.")
def profile_from(  # noqa: PLR0913  one argument an option
    *,
    file: Path,
    form: FormatName | None,
    log_format: str | None,
    column: str | None,
    unit: str | None,
    size_column: str | None,
    out: Path | None,
    overwrite: bool,
) -> None:
    """Make a profile of the times in FILE: HAR, CSV, or a log of nginx, Apache or Envoy.

    FILE may be compressed by gzip, and - is stdin. Only numbers of it are printed and written.
    """
    given = LogOptions(log_format=log_format, column=column, unit=unit, size_column=size_column)
    make_profile(file, form, given, out, overwrite=overwrite)
