"""``gate``: compare the work tree with its base, for CI; the exit code is the verdict."""

from dataclasses import replace
from functools import partial
from pathlib import Path

import click

from bench.app.comparison_output import Outputs, check_outputs, present_comparison
from bench.app.execute import CommandLine, execute_run
from bench.app.gate_base import gate_variants
from bench.app.prepare_comparison import prepare_comparison
from bench.app.select import load_experiment, option_words
from bench.commands import options
from bench.commands.comparison_arguments import DEFAULT_CONFIG, comparison_request
from bench.storage.run_folder import Destination


@click.command()
@click.argument("config", required=False)
@click.option(
    "--against",
    metavar="REV",
    help="Compare with this revision, or with the `merge-base`, instead of the config's own base; `pinned` "
    "compares HEAD with the pinned commit.",
)
@options.threshold
@options.budget
@options.metrics
@options.allow_missing
@click.option("--junit", metavar="FILE", type=options.PATH, help="Write JUnit XML, too.")
@click.option("--github", is_flag=True, help="Write a job summary and annotations for GitHub Actions, too.")
@click.option("--summary", metavar="FILE", type=options.PATH, help="Write what changed as Markdown, too.")
@click.option(
    "--code-quality", metavar="FILE", type=options.PATH, help="Write a code quality report of GitLab, too."
)
@options.allow_remote
@options.report
@options.out
@options.resume
@options.full
@options.as_json
@options.quiet
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
    summary: Path | None,
    code_quality: Path | None,
    allow_remote: bool,
    report: Path | None,
    out: Path | None,
    resume: Path | None,
    full: bool,
    as_json: bool,
    quiet: bool,
) -> int:
    """Exit with 1 if the work tree is slower than its base over the cases of CONFIG [gate].

    The base is the commit at which it left the main branch. Exit codes: docs/exit-codes.md.
    """
    config = config or DEFAULT_CONFIG
    experiment = load_experiment(config, allow_remote=allow_remote)
    configured = experiment.comparison_settings.variants
    request = comparison_request(
        gate_variants(configured, against), metrics=metrics, threshold=threshold, budget=budget
    )
    outputs = Outputs(
        options.output_form(full=full, as_json=as_json),
        junit=junit,
        report=report,
        github=github,
        summary=summary,
        code_quality=code_quality,
        config=config,
        allow_missing=allow_missing,
    )
    check_outputs(outputs, out, resume)
    words = option_words(
        against=against,
        metrics=metrics,
        threshold=threshold,
        budget=budget,
        allow_missing=allow_missing,
        allow_remote=allow_remote,
    )
    command, destination = CommandLine("gate", config, words), Destination(out, resume)
    request = replace(request, refuses_same=True)
    comparison = prepare_comparison(experiment, request, config, destination, quiet=quiet)
    present = partial(present_comparison, outputs=outputs)
    return execute_run(comparison, present, command, destination, quiet=quiet)
