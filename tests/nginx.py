"""Run nginx with files of a folder, and read its log: a server that flagbench does not know."""

import hashlib
import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from tests.runs import wait_until

FILES: Final = {
    "a.bin": b"a" * 3_000,
    "b c.bin": b"b" * 12_000,
    "sub/ä?#%2e.txt": b"c" * 700,
    "sub/d.bin": b"d" * 40_000,
}
_CONFIG: Final = """
{user}
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
worker_processes 1;
events {{}}
http {{
  log_format lines '$msec $status $connection $request_uri';
  access_log {folder}/access.log lines;
  client_body_temp_path {folder}/t1; proxy_temp_path {folder}/t2; fastcgi_temp_path {folder}/t3;
  uwsgi_temp_path {folder}/t4; scgi_temp_path {folder}/t5;
  {more}
  server {{
    listen {address}:{port}{ssl};
    root {folder}/www;
    keepalive_requests 1000000;
    location /moved/ {{ return 302 /files/a.bin; }}
    {locations}
  }}
}}
"""


@dataclass(frozen=True, slots=True)
class LoggedRequest:
    """A line of nginx's log; the time is that of its end, in seconds."""

    at_s: float
    status: int
    connection: int
    path: str


@dataclass(frozen=True, slots=True)
class Nginx:
    """A running nginx, with its files below ``/files``."""

    folder: Path
    url: str

    @property
    def files(self) -> Path:
        """The folder of the files."""
        return self.folder / "www" / "files"

    def requests(self) -> list[LoggedRequest]:
        """Return all requests so far, in the order of their ends."""
        lines = (self.folder / "access.log").read_text("utf-8").splitlines()
        rows = (line.split(" ", 3) for line in lines)
        return [LoggedRequest(float(at), int(status), int(number), path) for at, status, number, path in rows]

    def write_sums(self, file: Path) -> Path:
        """Write a manifest as ``sha256sum`` does."""
        lines = [f"{hashlib.sha256(content).hexdigest()}  ./{name}\n" for name, content in FILES.items()]
        file.write_text("".join(lines), "utf-8")
        return file


@contextmanager
def running_nginx(
    folder: Path, address: str = "127.0.0.1", *, encrypted: bool = False, more: str = "", locations: str = ""
) -> Iterator[Nginx]:
    """Serve ``FILES`` on a free port; skip the test if nginx is not installed.

    Args:
        folder: for its files, its log and itself.
        address: of this machine.
        encrypted: whether it speaks HTTPS.
        more: settings of its HTTP module.
        locations: settings of its server.
    """
    program = shutil.which("nginx", path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin")
    if program is None:
        pytest.skip("nginx is not installed")
    for name, content in FILES.items():
        file = folder / "www" / "files" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    with socket.socket() as free:
        free.bind((address, 0))
        port = free.getsockname()[1]
    ssl = ""
    if encrypted:
        make_certificate(folder, address)
        ssl = f" ssl; ssl_certificate {folder}/server.pem; ssl_certificate_key {folder}/server.key"
    user = "user root;" if os.geteuid() == 0 else ""  # a test's folder is its user's alone
    config = folder / "nginx.conf"
    listening = {"address": address, "port": port, "ssl": ssl}
    parts = {"folder": folder, "user": user, "more": more, "locations": locations}
    config.write_text(_CONFIG.format(**parts, **listening))
    with subprocess.Popen([program, "-e", f"{folder}/error.log", "-c", str(config)]) as process:
        try:
            wait_until(lambda: _is_open(address, port), 10)
            yield Nginx(folder, f"{'https' if encrypted else 'http'}://{address}:{port}/files")
        finally:
            process.terminate()


def make_certificate(folder: Path, address: str) -> None:
    """Write a certificate that is its own authority; skip the test without openssl."""
    program = shutil.which("openssl")
    if program is None:
        pytest.skip("openssl is not installed")
    words = [
        program,
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-days",
        "2",
        "-subj",
        "/CN=flagbench test",
    ]
    names = ["-subj", "/CN=flagbench test", "-addext", f"subjectAltName=IP:{address}"]
    out = ["-keyout", f"{folder}/server.key", "-out", f"{folder}/server.pem"]
    subprocess.run([*words, *names, *out], check=True, capture_output=True, timeout=30)


def own_address() -> str:
    """Return the address of a network interface of this machine; skip the test if there is none."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # nothing is sent: it is a datagram socket
        except OSError:
            pytest.skip("this machine has no network interface but the loopback")
        address: str = probe.getsockname()[0]
        return address


def _is_open(address: str, port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((address, port)) == 0
