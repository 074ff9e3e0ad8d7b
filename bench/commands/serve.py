"""``serve``: the flag server in the foreground."""

from pathlib import Path

import rich_click as click

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
) -> None:
    """Run the flag server until Ctrl-C, for curl, a browser or the chapter's own scripts."""
    from bench.commands.consoles import remarks
    from bench.profiles import preset
    from bench.server.foreground import serve as serve_until_signalled
    from bench.server.settings import ServerSettings, checked_host, is_reachable

    address = checked_host(host, allow_remote=allow_remote)

    def announce(url: str) -> None:
        if is_reachable(address):
            remarks().print(f"warning: {_EXPOSED.format(address)}", soft_wrap=True)
        remarks().print(f"serving {profile} at {url} until Ctrl-C; try {url}/flags/br/br.gif", soft_wrap=True)

    settings = ServerSettings(preset(profile, scale), seed=seed, flags_dir=flags_dir, host=host, port=port)
    serve_until_signalled(settings, announce, log_file=log_file, allow_remote=allow_remote)
