"""Measure the noise of this machine and store it, and check gates against it. Used by ``noise``."""

from dataclasses import replace
from functools import partial
from pathlib import Path

from bench.app.execute import CommandLine, execute_run, exit_code_of
from bench.app.output import (
    OutputForm,
    how_to_show,
    optional_stdout,
    print_note,
    saved,
    stdout_console,
    write_stdout,
)
from bench.errors import ExitCode, SetupError, UsageError
from bench.model.cases import Experiment
from bench.model.results import Run
from bench.model.scheduler import EMBEDDED
from bench.model.server_settings import check_host
from bench.report.markdown import tables_to_markdown
from bench.report.noise_table import gate_held_text, gate_refused_text, noise_summary, noise_tables
from bench.report.terminal import print_tables
from bench.stats.detectable_effect import least_blocks
from bench.stats.noise import gate_for, measure_noise, pair_with_itself
from bench.storage.noise import NoiseRecord, load_noise, noise_file, noise_to_json, save_noise
from bench.storage.output_check import check_output_file
from bench.storage.run_folder import TABLE, Destination, save_run
from bench.storage.shared_files import ELSEWHERE
from bench.system.environment import machine_fingerprint
from bench.system.machine import Machine, read_machine
from bench.system.noise_advice import noise_advice
from bench.system.program_name import program_name


def execute_noise_run(
    asked: Experiment,
    command: CommandLine,
    destination: Destination,
    *,
    form: OutputForm,
    quiet: bool,
) -> int:
    """Measure each case against itself, store and print the noise, and return the exit code.

    Raises:
        UsageError: the blocks are too few to show any noise, a target or a cluster would add its own, or the
            flag server would listen at an address that other machines can reach.
        SetupError: the noise cannot be stored.
    """
    if asked.target is not None:
        raise UsageError(
            f"the noise of this machine cannot be measured with {asked.target.url}",
            hint="leave out `target`: what varies could be that server",
        )
    if elsewhere := [case.scheduler for case in asked.cases if case.scheduler != EMBEDDED]:
        raise UsageError(
            f"the noise of this machine cannot be measured on the machines of {elsewhere[0]}",
            hint="leave out `scheduler`: what varies could be those machines",
        )
    check_host(asked.host, allow_remote=False)
    if asked.blocks < least_blocks():
        raise UsageError(
            f"{asked.blocks} blocks are too few to show noise", hint=f"it takes {least_blocks()}"
        )
    check_output_file(noise_file(machine_fingerprint()), "the noise of this machine", elsewhere=ELSEWHERE)
    notes = asked.notes
    if asked.stopping is not None:
        ignored = f"`precision` and `budget` are ignored: all {asked.blocks} blocks are run"
        notes = (*notes, f"{ignored}, each case twice in each.")
    # if a variant were decided early, the other one would be left without a pair
    experiment = replace(asked, cases=pair_with_itself(asked.cases), stopping=None, notes=notes)
    present = partial(_store_and_print, before=read_machine(), form=form)
    return execute_run(experiment, present, command, destination, quiet=quiet)


def check_gate(threshold: float, blocks: int) -> str:
    """Return a sentence that confirms that a gate on this machine detects slow-downs of the threshold.

    Args:
        threshold: slow-down, as a share.
        blocks: blocks of the gate.

    Raises:
        SetupError: this machine is too noisy, or its noise is unknown.
    """
    record = load_noise(machine_fingerprint())
    if record is None:
        raise SetupError(
            "the noise of this machine is not known", hint=f"measure it with `{program_name()} noise`"
        )
    gate = gate_for(record.noise, threshold, blocks)
    if not gate.is_held:
        raise SetupError(
            gate_refused_text(gate),
            hint=f"give it more blocks, or follow the advice of `{program_name()} noise`",
        )
    return gate_held_text(gate, record)


def _store_and_print(run: Run, folder: Path, *, before: Machine, form: OutputForm) -> ExitCode:
    """Store and print the noise of a run; only a complete run replaces the noise of the machine."""
    record = NoiseRecord(
        fingerprint=str(run.environment["fingerprint"]),
        measured=run.started,
        run=run.name,
        config=str(run.config["name"]),
        noise=measure_noise(run),
        advice=noise_advice(before, read_machine(), run.trials),
    )
    code = exit_code_of(run)
    is_representative = run.status == "complete" and bool(record.noise.cases)
    with (
        saved(partial(_save, run, folder, record, is_representative=is_representative), code) as is_saved,
        optional_stdout(),
    ):
        if form == "json":
            write_stdout(noise_to_json(record))
        else:
            every = str(folder / TABLE) if is_saved else how_to_show(None)
            tables = noise_tables(record) if form == "full" else noise_summary(record, every)
            print_tables(tables, stdout_console())
    if is_representative:
        print_note(f"the noise of this machine is stored in {noise_file(record.fingerprint)}")
    return code


def _save(run: Run, folder: Path, record: NoiseRecord, *, is_representative: bool) -> None:
    """Store the noise, then the run: one that has a document is complete, and cannot be resumed.

    Raises:
        SetupError: one of them cannot be written; the run can be resumed, which stores both.
    """
    if is_representative:
        save_noise(record)
    save_run(folder, run, tables_to_markdown(noise_tables(record)))
