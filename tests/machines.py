"""Make processes of this machine look like those of several, which `run --on` tells by their boot ids."""

import subprocess
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Final

from tests.clusters import Wrap

_BOOT_ID: Final = "/proc/sys/kernel/random/boot_id"


def machine(folder: Path, number: int) -> Wrap:
    """Return what starts a process as on a machine of its own: in mounts with another boot id."""
    boot_id = folder / f"boot-{number}"
    boot_id.write_text(f"11111111-2222-3333-4444-{number:012}\n", "ascii")
    script = f'mount --bind {boot_id} {_BOOT_ID} && exec "$@"'

    def wrap(words: Sequence[str]) -> Sequence[str]:
        return ["unshare", "--mount", "sh", "-c", script, "sh", *words]

    return wrap


@cache
def missing_for_machines(folder: Path) -> str | None:
    """Say why there can be no other machines here, after trying one; none if there can."""
    try:
        command = machine(folder, 0)(["cat", _BOOT_ID])
        ended = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError as error:
        return f"unshare: {error.strerror}"
    return None if ended.returncode == 0 else f"mounts of one's own: {ended.stderr.strip()}"
