"""``serve``: the flag server in the foreground."""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path
from shlex import quote
from tempfile import TemporaryDirectory

import rich_click as click

from bench.app.output import stderr_console
from bench.model.profile_presets import preset
from bench.model.server_settings import ServerSettings, check_host, is_reachable
from bench.server.serve import serve as serve_until_signalled

_EXPOSED = "{} can be reached from other machines, and the flag server does not protect itself"


@click.command()
@click.option(
    "--profile",
    type=click.Choice(["local", "delay", "error"]),
    default="local",
    show_default=True,
    help="How it behaves: at once; after 0.5 to 5 s; the same with 25 % errors.",
)
@click.option(
    "--scale", type=click.FloatRange(min=0, min_open=True), default=1.0, help="Multiply its delays by this."
)
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8000, show_default=True, help="0 takes a free one."
)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--allow-remote", is_flag=True, help="Listen on other addresses than the loopback's.")
@click.option("--seed", type=int, default=1, show_default=True, help="Seed of delays and errors.")
@click.option("--flags-dir", type=click.Path(path_type=Path), help="Serve the flags of this folder instead.")
@click.option(
    "--log", "log_file", type=click.Path(path_type=Path), help="Write one JSON line per request here."
)
@click.option("--tls", is_flag=True, help="Encrypt connections, with certificates made for this server.")
@click.option("--http2", is_flag=True, help="Speak HTTP/2, and nothing else; goes only with --tls.")
@click.option(
    "--authority", "authority_file", metavar="FILE", type=click.Path(path_type=Path, dir_okay=False),
    help="With --tls, write the certificate that clients must trust here [a temporary file].",
)  # fmt: skip
def serve(  # noqa: PLR0913  one argument an option
    *,
    profile: str,
    scale: float,
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

    for given, option in ((http2, "--http2"), (authority_file, "--authority")):
        if given and not tls:
            raise click.UsageError(f"{option} goes only with --tls")
    behaviour = replace(preset(profile, scale), tls=tls, http2=http2)
    settings = ServerSettings(behaviour, seed=seed, flags_dir=flags_dir, host=host, port=port)
    with _authority_file(authority_file) if tls else nullcontext() as file:

        def announce(url: str) -> None:
            if is_reachable(address):
                stderr_console().print(f"warning: {_EXPOSED.format(address)}", soft_wrap=True)
            stderr_console().print(
                f"serving {profile} at {url} until Ctrl-C; try {_example(url, file)}", soft_wrap=True
            )

        serve_until_signalled(
            settings, announce, log_file=log_file, authority_file=file, allow_remote=allow_remote
        )


@contextmanager
def _authority_file(named: Path | None) -> Iterator[Path]:
    """Yield the file that was named, or one that is gone in the end."""
    if named is not None:
        yield named
        return
    with TemporaryDirectory(prefix="flagbench-") as folder:
        yield Path(folder) / "authority.pem"


def _example(url: str, authority_file: Path | None) -> str:
    """Write what a user may try."""
    flag = f"{url}/flags/br/br.gif"
    if authority_file is None:
        return flag
    return f"curl --cacert {quote(str(authority_file))} -O {flag}"
