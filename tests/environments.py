"""Make virtual environments with the libraries of this one, so that nothing is downloaded."""

import sys
import venv
from pathlib import Path


def make_environment(folder: Path, *paths: Path) -> None:
    """Make a virtual environment without flagbench.

    Args:
        folder: where it is made.
        paths: further folders that it imports from.
    """
    venv.create(folder, symlinks=True)
    (packages,) = folder.glob("lib/python*/site-packages")
    ours = next(path for path in sys.path if path.endswith("site-packages"))
    (packages / "libraries.pth").write_text("\n".join([ours, *map(str, paths)]), encoding="utf-8")


def add_command(folder: Path, name: str, entry: str) -> None:
    """Add a command to a virtual environment, as pip does.

    Args:
        folder: that of the environment.
        name: that of the command.
        entry: its function, such as ``package.module:main``.
    """
    module, _, function = entry.partition(":")
    script = folder / "bin" / name
    script.write_text(
        f"#!{folder / 'bin' / 'python'}\n"
        f"import sys\nfrom {module} import {function}\n"
        f"if __name__ == '__main__':\n    sys.exit({function}())\n",  # spawned processes import it
        encoding="utf-8",
    )
    script.chmod(0o755)
