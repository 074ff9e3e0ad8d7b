"""``ab``: two variants of the same cases against each other, block by block, until all is decided."""

from pathlib import Path

import rich_click as click

from bench.app.comparison_options import comparison_request, parse_words, split_variants
from bench.app.comparison_output import Outputs, present_comparison
from bench.app.execute import RunOptions
from bench.app.execute_comparison import execute_comparison
from bench.app.select import apply_overrides, load_experiment, override_args
from bench.model.results import Run


@click.command()
@click.argument("base")
@click.argument("candidate", required=False)
@click.argument("config", required=False)
@click.option(
    "--threshold", metavar="SHARE", help="Slow-down that matters, such as 5%, instead of the config's."
)
@click.option("--budget", metavar="TIME", help="Time for trials, such as 5m [the config's, or 280s].")
@click.option(
    "--metrics", metavar="NAMES", help="Of elapsed, p99, cpu and memory, with commas between [the config's]."
)
@click.option("--only", metavar="PATTERN", help="Only cases whose id matches, such as 'asyncio_*'.")
@click.option("--seed", type=int, help="Seed instead of the config's.")
@click.option("--out", type=click.Path(path_type=Path), help="Folder of this run [results/runs/NAME-TIME].")
@click.option(
    "--resume", metavar="RUN", type=click.Path(path_type=Path), help="Go on with a contest that was left."
)
@click.option("--json", "as_json", is_flag=True, help="Print only JSON on stdout: the verdicts.")
@click.option("--quiet", is_flag=True, help="No progress.")
def ab(  # noqa: PLR0913  one argument an option
    *,
    base: str,
    candidate: str | None,
    config: str | None,
    threshold: str | None,
    budget: str | None,
    metrics: str | None,
    only: str | None,
    seed: int | None,
    out: Path | None,
    resume: Path | None,
    as_json: bool,
    quiet: bool,
) -> int:
    """Compare CANDIDATE [the work tree] with BASE over the cases of CONFIG [gate].

    A variant is a revision, such as `main`, or says more: `rev=main,python=3.13`, `path=../other`,
    `requirements=httpx==0.27.2`.
    """
    if out is not None and resume is not None:
        raise click.UsageError("--resume goes on in the run's own folder, so it does not go with --out")
    sides, config = split_variants(base, candidate, config)
    asked = apply_overrides(load_experiment(config), only=only, blocks=None, seed=seed)
    challenged = comparison_request(asked, sides, metrics=metrics, threshold=threshold, budget=budget)
    options = (
        *override_args(only=only, blocks=None, seed=seed),
        *parse_words(metrics=metrics, threshold=threshold, budget=budget),
    )

    def show(document: Run, folder: Path) -> int:
        return present_comparison(document, folder, Outputs(as_json=as_json))

    return execute_comparison(
        asked, challenged, show, RunOptions("ab", config, options, out, resume, quiet, sides)
    )
