"""The authority that workers trust, as a file: libraries want one."""

from pathlib import Path

from bench.runner.reference import content_of
from bench.runner.removal import remove

_NAME = "authority.pem"


def lay_out_authority(workspace: Path, pem: str) -> str | None:
    """Write the authority of the server on duty where workers can read it; ``None`` if it has none.

    It is written once, and anew for a server that has taken over from another one.
    """
    if not pem:
        return None
    restore_authority(workspace, pem)
    return str(workspace / _NAME)


def restore_authority(workspace: Path, pem: str) -> tuple[str, ...]:
    """Put right what is not as it was laid out, if anything was, and return the name of what was wrong."""
    file, content = workspace / _NAME, pem.encode()
    if not content or content_of(file, len(content)) == content:
        return ()
    remove(file)
    file.write_bytes(content)
    return (_NAME,)
