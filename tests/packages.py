"""Packages with entry points for flagbench: as files of a folder, or as a wheel that pip installs."""

import zipfile
from collections.abc import Mapping
from pathlib import Path

STRATEGY = '''"""One after the other, of a package."""

from bench.api import Fetch, Job

print("the strategy was imported")


def download_many(job: Job) -> list[Fetch]:
    """Download the flags one after the other."""
    with job.client() as download_one:
        return list(map(download_one, job.countries))
'''

CLIENT = '''"""The standard library's http.client, of a package."""

from contextlib import contextmanager
from http.client import HTTPConnection
from urllib.parse import urlsplit

from bench.api import Answer, JoinedHeaders

print("the client was imported")


@contextmanager
def open_client(settings):
    """Yield get(url), with a new connection for each."""

    def get(url):
        parts = urlsplit(url)
        connection = HTTPConnection(parts.hostname, parts.port, timeout=settings.request_timeout_s)
        try:
            connection.request("GET", parts.path)
            response = connection.getresponse()
            return Answer(response.status, response.read(), JoinedHeaders(response.headers.get_all))
        finally:
            connection.close()

    yield get
'''

ENTRY_POINTS = """[flagbench.strategies]
acme_loop = acme_flags.loop

[flagbench.clients]
acme_http = acme_flags.http
"""

MODULES = {
    "__init__.py": "raise RuntimeError('the package was imported')\n",
    "loop.py": STRATEGY,
    "http.py": CLIENT,
}


def write_package(
    folder: Path,
    entry_points: str | bytes,
    modules: Mapping[str, str] = MODULES,
    name: str = "acme-flags",
    version: str = "1.2",
) -> Path:
    """Write a package ``acme_flags`` with its metadata into a folder, as an installer leaves it."""
    package = folder / "acme_flags"
    package.mkdir(parents=True, exist_ok=True)
    for file, text in modules.items():
        (package / file).write_text(text)
    info = folder / f"{name.replace('-', '_')}-{version}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    written = entry_points.encode() if isinstance(entry_points, str) else entry_points
    (info / "entry_points.txt").write_bytes(written)
    return folder


def build_wheel(folder: Path, modules: Mapping[str, str]) -> Path:
    """Write a package with ``ENTRY_POINTS`` as a wheel, and return its file."""
    content = write_package(folder / "content", ENTRY_POINTS, modules)
    info = content / "acme_flags-1.2.dist-info"
    (info / "WHEEL").write_text(
        "Wheel-Version: 1.0\nGenerator: flagbench-tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    )
    files = sorted(file for file in content.rglob("*") if file.is_file())
    names = [str(file.relative_to(content)) for file in files]
    record = [*(f"{name},," for name in names), f"{info.name}/RECORD,,"]
    wheel = folder / "acme_flags-1.2-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for file, name in zip(files, names, strict=True):
            archive.write(file, name)
        archive.writestr(f"{info.name}/RECORD", "\n".join(record) + "\n")
    return wheel
