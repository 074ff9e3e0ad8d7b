"""Download the files of a target once before a run, to know what its workers have to receive.

This finds out early that a target is away, lacks a file or has another one than its manifest says. Files are
compared with these downloads afterwards: their bytes if the manifest has checksums, and else their sizes.
"""

import hashlib
import ssl
from collections.abc import Mapping
from contextlib import closing
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from time import sleep
from types import MappingProxyType
from typing import Final
from urllib.parse import urlsplit

from bench.errors import SetupError
from bench.model.cases import Experiment
from bench.model.flags import served_flags
from bench.model.target import Target
from bench.model.text import one_line
from bench.system.authorities import read_authorities

_OK: Final = 200
_LARGEST_BYTES: Final = 64 << 20
_MOST_BYTES: Final = 512 << 20


def served_files(experiment: Experiment) -> Mapping[str, bytes]:
    """Return the content of each file that is served, by code: flags, or the files of the target.

    Raises:
        SetupError: flags cannot be read, or the target does not send a file as it should.
    """
    if experiment.target is None:
        return served_flags(experiment.flags_dir)
    codes = dict.fromkeys(code for case in experiment.cases for code in case.countries.codes)
    return _download_files(experiment.target, [*codes], experiment.request_timeout_s)


def _download_files(target: Target, codes: list[str], timeout_s: float) -> Mapping[str, bytes]:
    """Download files one after the other, no faster than the target's rate allows."""
    files: dict[str, bytes] = {}
    total_bytes = 0
    with closing(_connect(target, timeout_s)) as connection:
        for code in codes:
            if target.rate is not None:
                connection.close()  # the server may, meanwhile; the next request connects again
                sleep(1 / target.rate)  # before the first one, too: a pilot may have ended just now
            files[code] = _download(connection, target, code)
            total_bytes += len(files[code])
            if total_bytes > _MOST_BYTES:
                raise SetupError(
                    f"the files of {target.url} have more than {_MOST_BYTES >> 20} MiB",
                    hint="list fewer of them",
                )
    return MappingProxyType(files)


def _connect(target: Target, timeout_s: float) -> HTTPConnection:
    parts = urlsplit(target.url)
    if not target.is_encrypted:
        return HTTPConnection(parts.hostname or "", parts.port, timeout=timeout_s)
    context = ssl.create_default_context(cadata=read_authorities(target.authority))
    return HTTPSConnection(parts.hostname or "", parts.port, timeout=timeout_s, context=context)


def _download(connection: HTTPConnection, target: Target, code: str) -> bytes:
    """Return the content of a file.

    Raises:
        SetupError: it cannot be downloaded, or is not the one that the manifest lists.
    """
    address = target.address(code)
    parts = urlsplit(address)
    try:
        connection.request("GET", parts.path, headers={"Accept-Encoding": "identity"})
        with connection.getresponse() as response:
            content = response.read(_LARGEST_BYTES + 1)
    except (OSError, HTTPException) as error:
        raise SetupError(
            f"{address} cannot be downloaded: {one_line(str(error)) or type(error).__name__}",
            hint="start the server, or correct `target`",
        ) from error
    if (problem := _find_problem(response, content, target.checksums.get(code))) is not None:
        raise SetupError(f"{address} {problem}", hint="correct the server or the files of `target`")
    return content


def _find_problem(response: HTTPResponse, content: bytes, sha256: str | None) -> str | None:
    """Return why a response is not the file that was asked for, or None if it is."""
    if response.status != _OK:
        redirect = "; redirects are not followed" if response.status // 100 == 3 else ""  # noqa: PLR2004  their class
        return f"is answered with status {response.status}{redirect}"
    encoding = response.headers.get("Content-Encoding", "identity")
    if encoding.lower() != "identity":
        return f"is sent with the encoding {one_line(encoding)}, which was not asked for"
    if len(content) > _LARGEST_BYTES:
        return f"has more than {_LARGEST_BYTES >> 20} MiB, which are kept in memory"
    if not content:
        return "is empty: that cannot be told from a response that lost its body"
    found = hashlib.sha256(content).hexdigest()
    if sha256 and found != sha256:
        return f"has the SHA-256 {found}, and the manifest lists {sha256}"
    return None
