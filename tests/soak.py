"""One run after the other in one process, as a program: what of it stays?

``python -m tests.soak RUNS FOLDER`` prints a line of JSON after each run. Threads, descriptors and memory
are those of this process, which a run must leave as it was; processes are all below it, and temporary
folders all that is left where they are made, so what a run that ends with its process would leave shows
here as well.
"""

import gc
import json
import os
import sys
from collections.abc import Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from bench.cli import cli
from bench.system.process_tree import descendants

_CONFIG: Final = {
    "name": "soak",
    "countries": ["BR"],
    "workers": 1,
    "clients": ["urllib3"],
    "strategies": ["threadpool_map"],
    "profile": {"latency": "1ms"},
    "blocks": 1,
    "rounds": 1,
}


@dataclass(frozen=True)
class Left:
    """What is there after a run.

    Attributes:
        temporary: entries of the folder of temporary files.
        resident_bytes: of this process, after the garbage has been collected.
    """

    exit_code: int
    descriptors: int
    threads: int
    processes: int
    temporary: int
    resident_bytes: int


def run(config: Path, out: Path, temporary: Path) -> Left:
    """Run once, as from a shell but for the process, and look at what is left."""
    with Path(os.devnull).open("w", encoding="utf-8") as void, redirect_stdout(void), redirect_stderr(void):
        exit_code = cli.main(["run", str(config), "--quiet", "--out", str(out)], standalone_mode=False)
    gc.collect()
    return Left(
        exit_code=exit_code,
        descriptors=_entries(Path("/proc/self/fd")),
        threads=_entries(Path("/proc/self/task")),
        processes=len(descendants(os.getpid())),
        temporary=_entries(temporary),
        resident_bytes=int(Path("/proc/self/statm").read_text("ascii").split()[1])
        * os.sysconf("SC_PAGESIZE"),
    )


def _entries(folder: Path) -> int:
    return sum(1 for _ in folder.iterdir())


def main(words: Sequence[str]) -> None:
    """Run, and print what is left after each."""
    runs, folder = int(words[0]), Path(words[1])
    temporary = folder / "temporary"
    temporary.mkdir()
    os.environ["TMPDIR"] = str(temporary)
    config = folder / "soak.yaml"
    config.write_text(json.dumps(_CONFIG), encoding="utf-8")
    for number in range(runs):
        left = run(config, folder / f"run-{number}", temporary)
        sys.stdout.write(json.dumps(asdict(left)) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1:])
