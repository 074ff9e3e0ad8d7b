"""``compare``: stored trials against stored trials, where that can mean anything."""

from typing import TYPE_CHECKING, Final

import rich_click as click

if TYPE_CHECKING:
    from bench.app.run_selector import Addressed

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
    """Say whether RUN_B is slower than RUN_A; each is a stored run, or one of its variants as RUN@VARIANT.

    A RUN of `ab` or `gate` alone is compared as it was then.
    """
    from bench.app.run_selector import addressed, both_sides

    first, second = both_sides(run_a) if run_b is None else (addressed(run_a), addressed(run_b))
    if descriptive:
        return _describe(first, second, allow_missing=allow_missing, as_json=as_json)
    return _judge(first, second, threshold, allow_missing=allow_missing, as_json=as_json)


def _judge(
    first: "Addressed", second: "Addressed", threshold: str | None, *, allow_missing: bool, as_json: bool
) -> int:
    """Print verdicts, or say why there can be none."""
    from bench.app.comparison_options import margin_of
    from bench.app.output import emit, results
    from bench.app.run_selector import contest_between
    from bench.app.verdict_codes import CODES, bounded, ruled
    from bench.errors import IncomparableError
    from bench.report.contest import contest_sheet
    from bench.report.export.verdicts_json import to_json
    from bench.report.figures import listed
    from bench.report.matching import missing_lines
    from bench.report.sheet import print_sheet
    from bench.report.sides import side_lines
    from bench.stats.comparability import refusals
    from bench.stats.matching import matching
    from bench.stats.ruling import ruling_of

    if reasons := list(refusals(first.run, second.run)):
        raise IncomparableError(
            f"{first.name} and {second.name} cannot be compared: {listed(reasons)}",
            hint="measure both sides at once with `ab`, or see ratios without verdicts with --descriptive",
        )
    contest = contest_between(first, second, margin_of(threshold))
    verdicts, bounds = ruled(first.run, contest), bounded(first.run, contest)
    matched = matching(first.cases, second.cases, (first.digests, second.digests))
    misses = bool(verdicts.vanished or matched.vanished) and not allow_missing
    ruling = ruling_of(verdicts, bounds, misses=misses)
    if as_json:
        emit(to_json(first.run.name, verdicts, bounds, ruling))
    else:
        notes = (*side_lines(first.run), *missing_lines(matched))
        sheet = contest_sheet(f"{first.name} against {second.name}", verdicts, notes, bounds)
        print_sheet(sheet, results())
    return CODES[ruling]


def _describe(first: "Addressed", second: "Addressed", *, allow_missing: bool, as_json: bool) -> int:
    """Print ratios, and why they are no verdicts."""
    import json

    from bench.app.output import emit, results
    from bench.model.json_codec import plain
    from bench.report.matching import descriptive_sheet
    from bench.report.sheet import print_sheet
    from bench.stats.comparability import refusals
    from bench.stats.descriptive import described
    from bench.stats.matching import matching

    matched = matching(first.cases, second.cases, (first.digests, second.digests))
    pairs = (*matched.shared, *matched.renamed)
    found = tuple(described(first.run, second.run, pairs))
    reasons = tuple(refusals(first.run, second.run)) or ("none was asked for",)
    if as_json:
        emit(json.dumps({"reasons": reasons, "cases": plain(list(found))}, indent=1) + "\n")
    else:
        print_sheet(descriptive_sheet((first.name, second.name), found, matched, reasons), results())
    return _REGRESSION if matched.vanished and not allow_missing else 0
