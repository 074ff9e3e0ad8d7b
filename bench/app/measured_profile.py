"""Make a profile of what a user has measured: read the file, write the numbers, and show them."""

import os
from pathlib import Path

from bench.app.output import print_note, stdout_console, write_stdout
from bench.config.measured.log_lines import LogOptions
from bench.config.measured.profile_csv import profile_csv, profile_yaml
from bench.config.measured.source_file import STDIN, FormatName, read_measured
from bench.errors import UsageError
from bench.report.measured_profile import measured_tables
from bench.report.terminal import print_tables
from bench.storage.atomic_write import replace_file
from bench.storage.output_check import check_output_file


def make_profile(
    file: Path, form: FormatName | None, options: LogOptions, out: Path | None, *, overwrite: bool
) -> None:
    """Write the profile of a file, and print its figures and the keys of a config that uses it.

    Raises:
        UsageError: the file cannot be read as what it is to be, or the profile is there already.
        SetupError: the profile cannot be written.
    """
    profile = Path(_default_name(file)) if out is None else out
    target = _check_target(profile, file, overwrite=overwrite)
    measured = read_measured(file, form, options)
    replace_file(target, profile_csv(measured))
    print_tables(measured_tables(measured), stdout_console())
    print_note(f"wrote {profile}; for a config beside it:")
    write_stdout(f"\n{profile_yaml(profile, measured)}")


def _default_name(file: Path) -> str:
    name = "stdin" if file == STDIN else file.name.removesuffix(".gz")
    return f"{Path(name).stem}.profile.csv"


def _check_target(profile: Path, file: Path, *, overwrite: bool) -> Path:
    try:
        profile.name.encode()
    except UnicodeEncodeError:
        what = f"--out: {profile.name!r} is not UTF-8, so no config can name it"
        raise UsageError(what, hint="name another file") from None
    target = check_output_file(profile, "--out", makes_folder=False)
    if target.exists() and file != STDIN and file.exists() and target.samefile(file):
        raise UsageError(f"--out: {profile} is the file that is read", hint="name another file")
    if os.path.lexists(profile) and not overwrite:
        raise UsageError(f"{profile} exists", hint="name another file with --out, or add --overwrite")
    return target
