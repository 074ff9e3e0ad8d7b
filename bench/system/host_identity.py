"""Tell whether two processes are on one machine, whatever names and addresses it has."""

import hashlib
import platform
import uuid
from pathlib import Path
from typing import Final

_BOOT: Final = Path("/proc/sys/kernel/random/boot_id")


def host_identity() -> str:
    """Return 16 hex digits that are the same for all processes above one running kernel, containers too.

    They are drawn anew when the machine is started (random(4)) and say nothing about its name. Where there is
    no such number, they follow from name and network card, and are a hash of them.
    """
    try:
        text = _BOOT.read_text("ascii").strip()
    except OSError:
        text = f"{platform.node()} {uuid.getnode()}"
    return hashlib.sha256(f"flagbench {text}".encode()).hexdigest()[:16]
