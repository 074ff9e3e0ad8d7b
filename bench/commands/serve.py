"""``serve``: run the flag server in the foreground."""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path
from shlex import quote
from tempfile import TemporaryDirectory

import click

from bench.app.output import print_note
from bench.commands import options
from bench.config.scalars import parse_duration
from bench.model.flags import describe_ignored_files
from bench.model.profile_presets import preset
from bench.model.server_settings import ServerSettings, check_host, is_reachable
from bench.server.serve import serve as serve_until_signalled


@click.command()
@click.option(
    "--profile",
    type=click.Choice(["local", "delay", "error"]),
    default="local",
    show_default=True,
    help="Without delay; with 0.5 to 5 s of it; the same with 25 % errors.",
)
@click.option(
    "--scale", type=click.FloatRange(min=0, min_open=True), default=1.0, help="Multiply the delays by this."
)
@click.option(
    "--connect-latency",
    metavar="TIME",
    default="0ms",
    help="Delay each new connection, and each round trip of a TLS handshake, such as 20ms.",
)
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8000, show_default=True, help="Port; 0 takes a free one."
)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--allow-remote", is_flag=True, help="Allow addresses that other machines can reach.")
@click.option("--seed", type=int, default=1, show_default=True, help="Seed of delays and errors.")
@click.option("--flags-dir", type=options.PATH, help="Serve the flags of this folder instead.")
@click.option("--log", "log_file", type=options.PATH, help="Write one JSON line per request to this file.")
@click.option("--tls", is_flag=True, help="Encrypt connections, with certificates made for this server.")
@click.option("--http2", is_flag=True, help="Speak HTTP/2 only; needs --tls.")
@click.option(
    "--authority", "authority_file", metavar="FILE", type=click.Path(path_type=Path, dir_okay=False),
    help="File for the certificate that clients must trust; needs --tls [a temporary file].",
)  # fmt: skip
def serve(  # noqa: PLR0913  one argument an option
    *,
    profile: str,
    scale: float,
    connect_latency: str,
    port: int,
    host: str,
    allow_remote: bool,
    seed: int,
    flags_dir: Path | None,
    log_file: Path | None,
    tls: bool,
    http2: bool,
    authority_file: Path | None,
) -> None:
    """Run the flag server until Ctrl-C, for curl, a browser or your own scripts."""
    address = check_host(host, allow_remote=allow_remote)
    for value, option in ((http2, "--http2"), (authority_file, "--authority")):
        if value and not tls:
            raise click.UsageError(f"{option} needs --tls")
    connect_s = options.parse_value(parse_duration, connect_latency, "--connect-latency")
    served = replace(preset(profile, scale), tls=tls, http2=http2, connect_latency_s=connect_s)
    if flags_dir is not None and (ignored := describe_ignored_files(flags_dir)):
        print_note(f"note: {ignored}")
    settings = ServerSettings(served, seed=seed, flags_dir=flags_dir, host=host, port=port)
    with _authority_file(authority_file) if tls else nullcontext() as file:

        def announce(url: str) -> None:
            if is_reachable(address):
                print_note(
                    f"warning: {address} can be reached from other machines; the server has no protection"
                )
            print_note(f"serving {profile} at {url} until Ctrl-C; try {_example(url, file)}")

        serve_until_signalled(
            settings, announce, log_file=log_file, authority_file=file, allow_remote=allow_remote
        )


@contextmanager
def _authority_file(given: Path | None) -> Iterator[Path]:
    """Yield the given file, or a temporary one."""
    if given is not None:
        yield given
        return
    with TemporaryDirectory(prefix="flagbench-") as folder:
        yield Path(folder) / "authority.pem"


def _example(url: str, authority_file: Path | None) -> str:
    """Write a URL or command to try the server with."""
    flag = f"{url}/flags/br/br.gif"
    if authority_file is None:
        return flag
    return f"curl --cacert {quote(str(authority_file))} -O {flag}"
