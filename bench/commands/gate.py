"""``gate``: what CI calls: the work tree against where it left the main branch, told by exit codes."""

from functools import partial
from pathlib import Path

import rich_click as click

from bench.app.base_cases import base_cases
from bench.app.base_revision import gate_variants, is_from_merge_base
from bench.app.comparison_options import DEFAULT_CONFIG, comparison_request_between, parse_words
from bench.app.comparison_output import Outputs, present_comparison
from bench.app.execute import RunOptions
from bench.app.execute_comparison import execute_comparison
from bench.app.select import load_experiment
from bench.model.results import Run


@click.command()
@click.argument("config", required=False)
@click.option(
    "--against",
    metavar="REV",
    help="Compare with this revision, or with the `merge-base`, instead of the config's own base; `pinned` "
    "compares HEAD with the pinned commit.",
)
@click.option("--threshold", metavar="SHARE", help="Slow-down that matters, instead of the config's.")
@click.option("--budget", metavar="TIME", help="Time for trials, such as 5m [the config's, or 280s].")
@click.option("--metrics", metavar="NAMES", help="Of elapsed, p99, cpu and memory [the config's].")
@click.option("--allow-missing", is_flag=True, help="A case that is gone is no failure.")
@click.option("--junit", metavar="FILE", type=click.Path(path_type=Path), help="Write JUnit XML, too.")
@click.option("--github", is_flag=True, help="Write a job summary and annotations for GitHub Actions, too.")
@click.option("--out", type=click.Path(path_type=Path), help="Folder of this run [results/runs/NAME-TIME].")
@click.option(
    "--resume", metavar="RUN", type=click.Path(path_type=Path), help="Go on with a gate that was left."
)
@click.option("--json", "as_json", is_flag=True, help="Print only JSON on stdout: the verdicts.")
@click.option("--quiet", is_flag=True, help="No progress.")
def gate(  # noqa: PLR0913  one argument an option
    *,
    config: str | None,
    against: str | None,
    threshold: str | None,
    budget: str | None,
    metrics: str | None,
    allow_missing: bool,
    junit: Path | None,
    github: bool,
    out: Path | None,
    resume: Path | None,
    as_json: bool,
    quiet: bool,
) -> int:
    """Exit with 1 if the work tree is slower than its base over the cases of CONFIG [gate].

    It is compared with the commit at which it left the main branch. Exit codes: docs/exit-codes.md.
    """
    if out is not None and resume is not None:
        raise click.UsageError("--resume goes on in the run's own folder, so it does not go with --out")
    config = config or DEFAULT_CONFIG
    asked = load_experiment(config)
    sides = gate_variants(asked.terms.variants, against)
    challenge = comparison_request_between(*sides, metrics=metrics, threshold=threshold, budget=budget)
    options = (
        *parse_words(against=against, metrics=metrics, threshold=threshold, budget=budget),
        *(("--allow-missing",) if allow_missing else ()),
    )
    outputs = Outputs(as_json=as_json, junit=junit, github=github, allow_missing=allow_missing)

    def show(document: Run, folder: Path) -> int:
        return present_comparison(document, folder, outputs)

    order = RunOptions("gate", config, options, out, resume, quiet)
    former = partial(base_cases, config) if is_from_merge_base(asked.terms.variants, against) else None
    return execute_comparison(asked, challenge, show, order, refuses_same=True, former=former)
