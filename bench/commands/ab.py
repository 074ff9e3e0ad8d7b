"""``ab``: compare two variants over the cases of a config, in pairs, until every metric is decided."""

from functools import partial
from pathlib import Path

import click

from bench.app.comparison_output import Outputs, check_outputs, present_comparison
from bench.app.execute import CommandLine, execute_run
from bench.app.prepare_comparison import prepare_comparison
from bench.app.select import load_experiment, option_words
from bench.commands import options
from bench.commands.comparison_arguments import comparison_request, parse_variants, split_variants
from bench.storage.run_folder import Destination


@click.command()
@click.argument("base")
@click.argument("candidate", required=False)
@click.argument("config", required=False)
@options.threshold
@options.budget
@options.metrics
@options.only
@options.seed
@options.allow_remote
@options.report
@options.out
@options.resume
@options.full
@options.as_json
@options.quiet
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
    allow_remote: bool,
    report: Path | None,
    out: Path | None,
    resume: Path | None,
    full: bool,
    as_json: bool,
    quiet: bool,
) -> int:
    """Compare CANDIDATE [the work tree] with BASE over the cases of CONFIG [gate].

    A variant is a revision, such as `main`, or has settings: `rev=main,python=3.13`, `path=../other`,
    `requirements=httpx==0.27.2`.
    """
    outputs = Outputs(options.output_form(full=full, as_json=as_json), report=report)
    check_outputs(outputs, out, resume)
    variants, config = split_variants(base, candidate, config)
    experiment = load_experiment(config, only=only, seed=seed, allow_remote=allow_remote)
    request = comparison_request(
        parse_variants(variants, experiment.comparison_settings.variants),
        metrics=metrics,
        threshold=threshold,
        budget=budget,
        only=only,
    )
    words = option_words(
        only=only,
        seed=seed,
        metrics=metrics,
        threshold=threshold,
        budget=budget,
        allow_remote=allow_remote,
    )
    command, destination = CommandLine("ab", config, words, variants), Destination(out, resume)
    comparison = prepare_comparison(experiment, request, config, destination, quiet=quiet)
    present = partial(present_comparison, outputs=outputs)
    return execute_run(comparison, present, command, destination, quiet=quiet)
