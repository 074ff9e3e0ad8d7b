"""Read the certificate authorities that the system trusts, or those of a file."""

import ssl
from pathlib import Path
from typing import Final

from bench.errors import SetupError

_FILES: Final = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/cert.pem",
)
"""The usual places, for an interpreter that was built elsewhere."""


def read_authorities(file: Path | None) -> str:
    """Return certificates as PEM text: those of a file, or of the system if it is None.

    Raises:
        SetupError: the file cannot be read or has no certificate, or the system has none.
    """
    if file is not None:
        return _read(file)
    own = ssl.get_default_verify_paths().cafile
    for place in filter(None, (own, *_FILES)):
        if Path(place).is_file():
            return _read(Path(place))
    raise SetupError("the system has no file of certificate authorities", hint="name one with `authority`")


def _read(file: Path) -> str:
    try:
        text = file.read_text("utf-8")
        ssl.create_default_context(cadata=text)
    except (OSError, ValueError) as error:  # of a file without certificates, and of a binary one
        raise SetupError(
            f"{file}: no certificate authorities can be read: {error}", hint="name a PEM file"
        ) from error
    return text
