"""``noise``: each case of a config against itself, and which gates this machine can hold."""

from dataclasses import replace
from pathlib import Path

import rich_click as click

from bench.app.execute import RunOptions, execute_run, exit_code_of
from bench.app.output import stderr_console, stdout_console, write_stdout
from bench.app.select import apply_overrides, load_experiment, override_args
from bench.config.scalars import parse_share
from bench.errors import SetupError, UsageError
from bench.model.cases import Experiment
from bench.model.results import Run
from bench.report.markdown import tables_to_markdown
from bench.report.noise_table import gate_held_text, gate_refused_text, noise_tables
from bench.report.terminal import print_tables
from bench.stats.detectable_effect import least_blocks
from bench.stats.noise import gate_for, measure_noise, pair_with_itself
from bench.storage.noise import NoiseRecord, load_noise, noise_to_json, save_noise
from bench.storage.run_folder import save_run
from bench.system.environment import machine_fingerprint
from bench.system.machine import Machine, read_machine
from bench.system.noise_advice import noise_advice

_MOST_BLOCKS = 64
"""Of a gate that is not told how many it has."""


def _threshold(_context: click.Context, _option: click.Parameter, text: str | None) -> float | None:

    if text is None:
        return None
    try:
        threshold = parse_share(text)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error
    if threshold <= 0:
        raise click.BadParameter("must be more than 0%")
    return threshold


@click.command()
@click.argument("config", required=False)
@click.option("--blocks", type=click.IntRange(1, 1000), help="Blocks instead of the config's.")
@click.option("--seed", type=int, help="Seed instead of the config's.")
@click.option("--out", type=click.Path(path_type=Path), help="Folder of this run [results/runs/NAME-TIME].")
@click.option(
    "--resume", metavar="RUN", type=click.Path(path_type=Path),
    help="Go on with a run of `noise` that was left.",
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print only JSON on stdout: what is kept of the noise.")
@click.option("--quiet", is_flag=True, help="No progress.")
@click.option(
    "--gate",
    metavar="SHARE",
    callback=_threshold,
    help="Measure nothing; say whether slow-downs of, say, 3% show in --blocks [64] on this machine.",
)
def noise(  # noqa: PLR0913  one argument an option
    *,
    config: str | None,
    blocks: int | None,
    seed: int | None,
    out: Path | None,
    resume: Path | None,
    as_json: bool,
    quiet: bool,
    gate: float | None,
) -> int:
    """Measure every case of CONFIG [noise] against itself: the noise of this machine."""
    if gate is not None:
        if config or out or resume or as_json or quiet or seed is not None:
            raise click.UsageError("--gate asks what is known of this machine; it goes with --blocks alone")
        _check(gate, _MOST_BLOCKS if blocks is None else blocks)
        return 0

    if out is not None and resume is not None:
        raise click.UsageError("--resume goes on in the run's own folder, so it does not go with --out")
    config = config or "noise"
    experiment = apply_overrides(load_experiment(config), only=None, blocks=blocks, seed=seed)
    options = override_args(only=None, blocks=blocks, seed=seed)
    return _measure(experiment, RunOptions("noise", config, options, out, resume, quiet), as_json=as_json)


def _check(threshold: float, blocks: int) -> None:
    """Say that a gate can be held, or raise why not."""
    known = load_noise(machine_fingerprint())
    if known is None:
        raise SetupError("this machine's noise is not known", hint="measure it with `flagbench noise`")
    gate = gate_for(known.noise, threshold, blocks)
    if not gate.is_held:
        hint = "give it the blocks, or see in `flagbench noise` what to change"
        raise SetupError(gate_refused_text(gate), hint=hint)
    stdout_console().print(gate_held_text(gate, known), soft_wrap=True)


def _measure(asked: Experiment, order: RunOptions, *, as_json: bool) -> int:

    if asked.blocks < least_blocks():
        raise UsageError(f"{asked.blocks} blocks show no noise", hint=f"it takes {least_blocks()}")
    # a side that was decided early would leave the other without a pair
    experiment = replace(asked, cases=pair_with_itself(asked.cases), stopping=None, notes=_notes(asked))
    before = read_machine()

    def present(run: Run, folder: Path) -> int:
        _show(run, folder, before, as_json=as_json)
        return exit_code_of(run)

    return execute_run(experiment, present, order)


def _notes(asked: Experiment) -> tuple[str, ...]:
    """Add to what a run of this config would say that here nothing ends it early."""
    if asked.stopping is None:
        return asked.notes
    whole = (
        f"Precision and budget do not count here: all {asked.blocks} blocks are run, each case twice in each."
    )
    return (*asked.notes, whole)


def _show(run: Run, folder: Path, before: Machine, *, as_json: bool) -> None:
    """Store what follows from a run, and print it; only a complete one speaks for the machine."""
    record = _record(run, before)
    # the document comes last: a run that has one is complete, and is not gone on with
    is_telling = run.status == "complete" and record.noise.cases
    kept = save_noise(record) if is_telling else None
    save_run(folder, run, tables_to_markdown(noise_tables(record)))
    if as_json:
        write_stdout(noise_to_json(record))
    else:
        print_tables(noise_tables(record), stdout_console())
    if kept is not None:
        stderr_console().print(f"this machine's noise is kept in {kept}", soft_wrap=True)


def _record(run: Run, before: Machine) -> NoiseRecord:

    return NoiseRecord(
        fingerprint=str(run.environment["fingerprint"]),
        measured=run.started,
        run=run.name,
        config=str(run.config["name"]),
        noise=measure_noise(run),
        advice=noise_advice(before, read_machine(), run.trials),
    )
