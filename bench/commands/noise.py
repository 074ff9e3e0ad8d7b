"""``noise``: measure each case of a config against itself, or check which gates this machine can hold."""

from pathlib import Path
from typing import Final

import click

from bench.app.execute import CommandLine
from bench.app.noise_run import check_gate, execute_noise_run
from bench.app.output import stdout_console
from bench.app.select import load_experiment, option_words
from bench.commands import options
from bench.config.scalars import parse_positive_share
from bench.errors import ExitCode
from bench.storage.run_folder import Destination

_DEFAULT_GATE_BLOCKS: Final = 64


@click.command()
@click.argument("config", required=False)
@options.blocks
@options.seed
@options.out
@options.resume
@options.full
@options.as_json
@options.quiet
@click.option(
    "--gate",
    metavar="SHARE",
    help="Measure nothing; check whether a gate with --blocks [64] detects slow-downs of, say, 3% here.",
)
def noise(  # noqa: PLR0913  one argument an option
    *,
    config: str | None,
    blocks: int | None,
    seed: int | None,
    out: Path | None,
    resume: Path | None,
    full: bool,
    as_json: bool,
    quiet: bool,
    gate: str | None,
) -> int:
    """Measure every case of CONFIG [noise] against itself: the noise of this machine."""
    if gate is not None:
        if config or out or resume or full or as_json or quiet or seed is not None:
            raise click.UsageError("--gate measures nothing; the only option beside it is --blocks")
        threshold = options.parse_value(parse_positive_share, gate, "--gate")
        stdout_console().print(check_gate(threshold, blocks or _DEFAULT_GATE_BLOCKS), soft_wrap=True)
        return ExitCode.OK
    config = config or "noise"
    experiment = load_experiment(config, blocks=blocks, seed=seed, allow_remote=True)  # both are refused
    command = CommandLine("noise", config, option_words(blocks=blocks, seed=seed))
    return execute_noise_run(
        experiment,
        command,
        Destination(out, resume),
        form=options.output_form(full=full, as_json=as_json),
        quiet=quiet,
    )
