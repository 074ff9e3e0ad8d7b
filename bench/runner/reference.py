"""What downloads are compared with: every flag byte for byte as the server has it, as files."""

from collections.abc import Mapping
from pathlib import Path


def lay_out_reference(workspace: Path, flags: Mapping[str, bytes]) -> Path:
    """Write the flags below a workspace and return their folder; workers read it, nobody writes it."""
    folder = workspace / "reference"
    folder.mkdir()
    for code, flag in flags.items():
        (folder / f"{code.lower()}.gif").write_bytes(flag)
    return folder
