"""Write a file for the user to go on from, and say what to type next. Used by ``new`` and ``init``."""

import shlex
from pathlib import Path

from bench.app.output import print_note, write_stdout
from bench.errors import SetupError, UsageError
from bench.system.program_name import program_name


def write_new_file(path: Path, template: str) -> None:
    """Write a template with its fields filled in, and print the next commands.

    Raises:
        UsageError: the file exists already, or its folder does not.
        SetupError: it cannot be written.
    """
    file = shlex.quote(str(path))
    try:
        with path.open("x", encoding="utf-8") as target:
            target.write(template.format(program=program_name(), file=path.name))
    except FileExistsError as error:
        raise UsageError(f"{path} exists", hint="name another file, or remove this one") from error
    except FileNotFoundError as error:
        raise UsageError(
            f"there is no folder {path.parent}", hint="create it, or name another file"
        ) from error
    except OSError as error:
        raise SetupError(f"cannot write {path}: {error.strerror}", hint="name another file") from error
    print_note(f"wrote {path}; next:")
    write_stdout(f"{program_name()} check {file}\n{program_name()} run {file}\n")
