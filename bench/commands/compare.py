"""``compare``: stored trials against stored trials, where that can mean anything."""

import json
from typing import Final

import rich_click as click

from bench.app.comparison_options import parse_margin
from bench.app.comparison_output import CODES
from bench.app.output import stdout_console, write_stdout
from bench.app.run_selector import SelectedCases, both_variants, comparison_between, select_run
from bench.errors import IncomparableError
from bench.model.json_codec import to_json_value
from bench.model.text import join_and
from bench.report.comparison_table import (
    comparison_table,
    descriptive_table,
    missing_case_lines,
    variant_lines,
)
from bench.report.export.json import verdicts_to_json
from bench.report.terminal import print_tables
from bench.stats.comparability import describe_cases, incomparable_reasons, match_cases
from bench.stats.verdicts import overall_verdict, run_verdicts

_REGRESSION: Final = 1


@click.command()
@click.argument("run_a")
@click.argument("run_b", required=False)
@click.option("--threshold", metavar="SHARE", help="Slow-down that matters [that of the run, or 5%].")
@click.option("--descriptive", is_flag=True, help="Print ratios without verdicts where none can be had.")
@click.option("--allow-missing", is_flag=True, help="A case that RUN_B lacks is no failure.")
@click.option("--json", "as_json", is_flag=True, help="Print only JSON on stdout.")
def compare(  # noqa: PLR0913  one argument an option
    *,
    run_a: str,
    run_b: str | None,
    threshold: str | None,
    descriptive: bool,
    allow_missing: bool,
    as_json: bool,
) -> int:
    """Compare two stored runs, or variants of them (RUN@VARIANT).

    A RUN of `ab` or `gate` alone is compared as it was then.
    """
    first, second = both_variants(run_a) if run_b is None else (select_run(run_a), select_run(run_b))
    if descriptive:
        return _describe(first, second, allow_missing=allow_missing, as_json=as_json)
    return _judge(first, second, threshold, allow_missing=allow_missing, as_json=as_json)


def _judge(
    first: SelectedCases,
    second: SelectedCases,
    threshold: str | None,
    *,
    allow_missing: bool,
    as_json: bool,
) -> int:
    """Print verdicts, or say why there can be none."""
    if reasons := list(incomparable_reasons(first.run, second.run)):
        raise IncomparableError(
            f"{first.name} and {second.name} cannot be compared: {join_and(reasons)}",
            hint="measure both sides at once with `ab`, or see ratios without verdicts with --descriptive",
        )
    contest = comparison_between(first, second, parse_margin(threshold))
    verdicts = run_verdicts(first.run, contest)
    matched = match_cases(first.cases, second.cases, (first.digests, second.digests))
    misses = bool(verdicts.vanished or matched.vanished) and not allow_missing
    overall = overall_verdict(verdicts, misses=misses)
    if as_json:
        write_stdout(verdicts_to_json(first.run.name, verdicts, overall))
    else:
        notes = (*variant_lines(first.run), *missing_case_lines(matched))
        table = comparison_table(f"{first.name} against {second.name}", verdicts, notes)
        print_tables([table], stdout_console())
    return CODES[overall]


def _describe(first: SelectedCases, second: SelectedCases, *, allow_missing: bool, as_json: bool) -> int:
    """Print ratios, and why they are no verdicts."""
    matched = match_cases(first.cases, second.cases, (first.digests, second.digests))
    pairs = (*matched.shared, *matched.renamed)
    found = tuple(describe_cases(first.run, second.run, pairs))
    reasons = tuple(incomparable_reasons(first.run, second.run)) or ("none was asked for",)
    if as_json:
        write_stdout(json.dumps({"reasons": reasons, "cases": to_json_value(list(found))}, indent=1) + "\n")
    else:
        table = descriptive_table((first.name, second.name), found, matched, reasons)
        print_tables([table], stdout_console())
    return _REGRESSION if matched.vanished and not allow_missing else 0
