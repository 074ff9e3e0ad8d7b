"""``compare``: compare stored runs, with verdicts where they are comparable and only ratios otherwise."""

import json
import shlex

import click

from bench.app.output import stdout_console, write_stdout
from bench.app.run_selector import both_variants, comparison_between, select_run
from bench.app.verdict_output import print_comparison
from bench.commands import options
from bench.commands.comparison_arguments import parse_threshold
from bench.errors import EXIT_CODE_OF_VERDICT, ExitCode, IncomparableError
from bench.model.json_codec import to_json_value
from bench.model.text import join_and
from bench.report.comparison_table import missing_case_lines, variant_lines
from bench.report.export.verdicts_json import verdicts_to_json
from bench.report.run_ratios import ratios_between
from bench.report.terminal import print_tables
from bench.stats.comparability import SelectedCases, incomparable_reasons, match_cases
from bench.stats.verdicts import overall_verdict, run_verdicts
from bench.system.program_name import program_name


@click.command()
@click.argument("run_a")
@click.argument("run_b", required=False)
@options.threshold
@click.option("--descriptive", is_flag=True, help="Print ratios without verdicts, also of incomparable runs.")
@options.allow_missing
@options.full
@options.as_json
def compare(  # noqa: PLR0913  one argument an option
    *,
    run_a: str,
    run_b: str | None,
    threshold: str | None,
    descriptive: bool,
    allow_missing: bool,
    full: bool,
    as_json: bool,
) -> int:
    """Compare two stored runs, or variants of them (RUN@VARIANT).

    A RUN of `ab` or `gate` alone is compared as it was then.
    """
    base, candidate = both_variants(run_a) if run_b is None else (select_run(run_a), select_run(run_b))
    if descriptive:
        return _print_ratios(base, candidate, allow_missing=allow_missing, as_json=as_json)
    margin = parse_threshold(threshold)
    details = (
        None
        if full
        else f"{program_name()} compare {shlex.join([run_a, *([run_b] if run_b else [])])} --full"
    )
    return _print_verdicts(
        base, candidate, margin, allow_missing=allow_missing, as_json=as_json, details=details
    )


def _print_verdicts(  # noqa: PLR0913  the options of its command
    base: SelectedCases,
    candidate: SelectedCases,
    margin: float | None,
    *,
    allow_missing: bool,
    as_json: bool,
    details: str | None,
) -> ExitCode:
    """Print the verdicts on two variants of one run.

    Raises:
        IncomparableError: they were not measured together.
    """
    if reasons := list(incomparable_reasons(base.run, candidate.run)):
        raise IncomparableError(
            f"{base.name} and {candidate.name} cannot be compared: {join_and(reasons)}",
            hint="measure both at once with `ab`, or see ratios without verdicts with --descriptive",
        )
    comparison = comparison_between(base, candidate, margin)
    verdicts = run_verdicts(base.run, comparison)
    matched = match_cases(base.cases, candidate.cases, (base.digests, candidate.digests))
    misses = (verdicts.misses_cases or bool(matched.vanished)) and not allow_missing
    overall = overall_verdict(verdicts, misses=misses)
    if as_json:
        write_stdout(verdicts_to_json(base.run.name, verdicts, overall))
    else:
        notes = (*variant_lines(base.run), *missing_case_lines(matched))
        title = f"{base.name} against {candidate.name}"
        print_comparison(title, verdicts, notes, stdout_console(), details=details)
    return EXIT_CODE_OF_VERDICT[overall]


def _print_ratios(
    base: SelectedCases, candidate: SelectedCases, *, allow_missing: bool, as_json: bool
) -> ExitCode:
    """Print the ratios of the cases that both have, and the reasons why there are no verdicts."""
    ratios = ratios_between(base, candidate)
    if as_json:
        document = {"reasons": ratios.reasons, "cases": to_json_value(list(ratios.cases))}
        write_stdout(json.dumps(document, indent=1) + "\n")
    else:
        print_tables([ratios.table], stdout_console())
    return ExitCode.REGRESSION if ratios.matching.vanished and not allow_missing else ExitCode.OK
