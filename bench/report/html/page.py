"""Render the page of a report: one HTML file that loads nothing."""

import base64
import hashlib
import json
import zlib
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from itertools import starmap
from typing import Final

import vl_convert
from jinja2 import Environment, PackageLoader, StrictUndefined

from bench import __version__
from bench.model.results import Run
from bench.model.text import join_and, printable
from bench.report.axis_conclusion import axis_conclusion
from bench.report.busy_machine import busy_machine_lines
from bench.report.case_label import describe_conditions
from bench.report.comparison_summary import comparison_summary
from bench.report.comparison_table import (
    comparison_conclusion,
    comparison_table,
    variant_lines,
)
from bench.report.conclusion import conclusion_sentences
from bench.report.html.drawing import Drawing, side_name
from bench.report.html.facts_tables import config_table, discarded_table, machine_table, noise_table
from bench.report.html.legend import page_symbol
from bench.report.html.registry import CHARTS, draw_charts
from bench.report.html.subject import Subject, read_subject
from bench.report.html.table_view import TableView, view_tables
from bench.report.html.theme import DARK, LIGHT, css_variables, page_config
from bench.report.rates_conclusion import describe_rates_conditions, rates_conclusion
from bench.report.results_table import run_tables
from bench.report.run_ratios import RunRatios
from bench.report.scaling_table import scaling_tables
from bench.report.summary_table import run_facts, summary_tables
from bench.report.table import Table
from bench.stats.verdicts import overall_verdict

_PACKAGE: Final = "bench.report.html"
_WIDTH: Final = 100
"""Cells of the summary; what depends on it is not shown on a page."""
_TALL: Final = 1200
"""Pixels of a chart that, printed as wide as the paper, would be higher than it."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer of a report.

    Attributes:
        profile: the profile where there are several, else empty.
        lead: the answer in one sentence.
        rest: the sentences that say how sure it is.
        verdict: the overall verdict of a comparison, else empty.
        points: sentences of a list below.
    """

    profile: str
    lead: str
    rest: str
    verdict: str = ""
    points: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Figure:
    """A chart on the page."""

    anchor: str
    drawing: Drawing

    @property
    def is_tall(self) -> bool:
        """Say whether the chart is higher than a sheet of paper, so that it is printed on several."""
        return bool(self.drawing.chart.height > _TALL)

    @property
    def packed(self) -> str:
        """Its specification as compressed JSON in base64: all rows of a case repeat its names."""
        spec = self.drawing.spec() | {"description": self.drawing.summary}
        kept = {name: value for name, value in spec.items() if name not in {"$schema", "config"}}
        text = json.dumps(kept, separators=(",", ":"))
        return base64.b64encode(zlib.compress(text.encode())).decode()


@dataclass(frozen=True, slots=True)
class ChartSection:
    """The charts of one kind, and notes on what is not drawn."""

    anchor: str
    title: str
    reading: str
    figures: tuple[Figure, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TableSection:
    """Tables below one heading."""

    anchor: str
    title: str
    tables: tuple[TableView, ...]


@dataclass(frozen=True, slots=True)
class Content:
    """The content of a page, from the top to the bottom."""

    title: str
    facts: tuple[str, ...]
    cautions: tuple[str, ...]
    warnings: tuple[str, ...]
    answers: tuple[Answer, ...]
    summary: tuple[TableView, ...]
    charts: tuple[ChartSection, ...]
    tables: tuple[TableSection, ...]


def render_page(runs: Sequence[Run], home: str = "") -> str:
    """Return the page about one run, a comparison, or several runs over one another.

    Args:
        runs: the run, or those to lay over one another.
        home: the address of the list of runs, where there is one.

    Raises:
        UsageError: comparisons cannot be laid over one another.
        UnreadableResultError: a stored comparison does not fit its cases.
    """
    subject = read_subject(runs)

    def content() -> Content:
        return Content(
            _title(subject),
            tuple(_facts(subject)),
            tuple(_cautions(subject)),
            tuple(_warnings(subject)),
            tuple(answers_of(subject)),
            _summary(subject),
            _chart_sections(subject),
            tuple(_table_sections(subject)),
        )

    return render(content, home)


def render(content: Callable[[], Content], home: str) -> str:
    """Return a page with what a function returns, which is called while the libraries of charts are made."""
    with ThreadPoolExecutor(1) as beside:
        vega = beside.submit(_vega)  # takes seconds without the interpreter's lock; the statistics have it
        found = content()
        bundle = vega.result()
    script = _read("page.js")
    return (
        environment()
        .get_template("page.html")
        .render(
            content=found,
            home=home,
            symbol=page_symbol,
            config=page_config(),
            script=script,
            bundle=bundle,
            policy=_policy((bundle, script)),
            **page_look(),
        )
    )


def page_look() -> Mapping[str, str]:
    """Return the style sheet of all pages, with its colours, and what wrote them."""
    return {
        "light": css_variables(LIGHT),
        "dark": css_variables(DARK),
        "style": _read("page.css"),
        "version": __version__,
    }


def answers_of(subject: Subject) -> Iterator[Answer]:
    """Yield the answer for each profile, or that of a comparison.

    Where cases are measured with several values of an axis, it is about all of them, crossovers first.
    Where they are measured at several rates, it is about the highest that is kept.
    """
    if (verdicts := subject.verdicts) is not None:
        lead, _, rest = comparison_conclusion(verdicts).partition(". ")
        yield Answer("", lead if lead.endswith(".") else f"{lead}.", rest, overall_verdict(verdicts))
        return
    for ranked, summaries, rated, side in zip(
        subject.rankings, subject.axis_summaries, subject.offered_rates, subject.run_names, strict=True
    ):
        for rates in rated:
            lead, *more = rates_conclusion(rates)
            names = [side, describe_rates_conditions(rates) if len(rated) > 1 else ""]
            yield Answer(", ".join(filter(None, names)), lead, " ".join(more))
        for summary in summaries:
            lead, *points = axis_conclusion(summary)
            names = [side, describe_conditions(summary.common_case) if len(summaries) > 1 else ""]
            yield Answer(", ".join(filter(None, names)), lead, "", points=tuple(points))
        for ranking in () if summaries or rated else ranked:
            lead, *more = conclusion_sentences(ranking)
            names = [side, describe_conditions(ranking.rows[0].case) if len(ranked) > 1 else ""]
            yield Answer(", ".join(filter(None, names)), lead, " ".join(more))


def _title(subject: Subject) -> str:
    verdicts = subject.verdicts
    name = printable(str(subject.run.config.get("name", subject.run.name)))
    if verdicts is not None:
        return f"{name}: {printable(verdicts.candidate)} against {printable(verdicts.base)}"
    return name if len(subject.runs) == 1 else join_and(list(subject.sides))


def _facts(subject: Subject) -> Iterator[str]:
    """Yield the facts of each run, and what the roles beside marks stand for."""
    if len(subject.runs) > 1:
        for run, side in zip(subject.runs, subject.sides, strict=True):
            yield f"{side_name(subject, side)} · {run_facts(run)}"
        return
    yield subject.facts
    if subject.roles:
        yield " · ".join(subject.roles)


def _cautions(subject: Subject) -> Iterator[str]:
    """Yield why there are no verdicts on further runs, for each of them."""
    for ratios in subject.ratios:
        first, second = ratios.names
        yield printable(f"{second} against {first}: a difference is no verdict; {'; '.join(ratios.reasons)}.")


def _warnings(subject: Subject) -> Iterator[str]:
    """Yield a line for each run on a busy machine, which belongs beside its answer."""
    for run, name in zip(subject.runs, subject.run_names, strict=True):
        for line in busy_machine_lines(run):
            yield f"{name}: {line}" if name else line


def _chart_sections(subject: Subject) -> tuple[ChartSection, ...]:
    return tuple(
        ChartSection(
            name,
            CHARTS[name].title,
            CHARTS[name].reading_of(subject),
            tuple(starmap(Figure, drawn.drawings.items())),
            drawn.notes,
        )
        for name, drawn in draw_charts(subject).items()
    )


def _summary(subject: Subject) -> tuple[TableView, ...]:
    """Return the compact tables, which a terminal prints first, without what the page says elsewhere."""
    if (verdicts := subject.verdicts) is not None:
        _, *tables = comparison_summary(subject.run.name, verdicts, "", tuple(variant_lines(subject.run)))
        return view_tables(tables, "verdicts")
    found: list[Table] = []
    for run, ranked, name in zip(subject.runs, subject.rankings, subject.run_names, strict=True):
        _, *tables = summary_tables(run, _WIDTH, "", ranked)
        busy = tuple(busy_machine_lines(run))
        found += (_summarize(table, name, busy) for table in tables)
    return view_tables(found, "summary")


def _summarize(table: Table, run: str, busy: Collection[str]) -> Table:
    """Name the run, and leave out the conclusion and busy machines, which are at the top of the page."""
    remarks = tuple(each for each in table.remarks if each.kind != "paragraph" and each.text not in busy)
    return replace(table, title=", ".join(filter(None, (run, table.title))), remarks=remarks)


def _table_sections(subject: Subject) -> Iterator[TableSection]:
    for place, (run, ranked, side) in enumerate(
        zip(subject.runs, subject.rankings, subject.run_names, strict=True)
    ):
        of = f" of {side}" if len(subject.runs) > 1 else ""
        suffix = "" if place == 0 else f"-of-{place + 1}"
        if place > 0:
            yield _ratio_section(subject.ratios[place - 1], place)
        if subject.verdicts is not None:
            every: list[Table] = [comparison_table(run.name, subject.verdicts, variant_lines(run))]
        else:
            every = [*run_tables(run, ranked)]
        yield TableSection(f"tables{suffix}", f"Every figure{of}", view_tables(every, f"tables{suffix}"))
        if subject.scalings and any(scaling.series for scaling in subject.scalings[place]):
            views = view_tables(
                scaling_tables(run, ranked, subject.scalings[place]), f"scaling-table{suffix}"
            )
            yield TableSection(f"scaling-tables{suffix}", f"Scaling in figures{of}", views)
        if discarded := list(discarded_table(run)):
            views = view_tables(discarded, f"discarded-trials{suffix}")
            yield TableSection(f"discarded-trials{suffix}", f"Discarded trials{of}", views)
        facts = view_tables((config_table(run), machine_table(run), noise_table(run)), f"facts{suffix}")
        yield TableSection(f"facts{suffix}", f"Config, machine and noise{of}", facts)


def _ratio_section(ratios: RunRatios, place: int) -> TableSection:
    """Return the ratios of a further run to the first, and why there are no verdicts."""
    first, second = ratios.names
    anchor = f"against-{place + 1}"
    return TableSection(anchor, f"{second} against {first}", view_tables([ratios.table], anchor))


def _policy(scripts: Sequence[str]) -> str:
    """Return a policy by which only these scripts run, and nothing is loaded or sent."""
    hashes = " ".join(
        f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"
        for script in scripts
    )
    return (
        f"default-src 'none'; script-src {hashes}; style-src 'unsafe-inline'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


def _read(name: str) -> str:
    return (files(_PACKAGE) / name).read_text("utf-8")


@cache
def _vega() -> str:
    """Return the libraries that draw the charts, as one script."""
    bundle: str = vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;")
    return bundle


def environment() -> Environment:
    """Return templates that escape every value."""
    environment = Environment(
        loader=PackageLoader(_PACKAGE, "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.policies["json.dumps_kwargs"] = {"separators": (",", ":")}
    return environment
