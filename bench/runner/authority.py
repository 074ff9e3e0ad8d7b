"""The authority that workers trust, as a file: libraries want one."""

from pathlib import Path


def lay_out_authority(workspace: Path, pem: str) -> str | None:
    """Write the authority of the server on duty where workers can read it; ``None`` if it has none.

    It is written once, and anew for a server that has taken over from another one.
    """
    if not pem:
        return None
    file = workspace / "authority.pem"
    if not file.exists() or file.read_text(encoding="ascii") != pem:
        file.write_text(pem, encoding="ascii")
    return str(file)
