"""The lines that say why each case of a run stopped.

Used by the tables and the progress displays.
"""

from typing import Final, assert_never

from bench.model.observer import Stop
from bench.model.results import Run
from bench.model.text import plural, printable
from bench.report.number_format import format_duration
from bench.stats.run_state import StoppingRule, rule_of, stops_of

_WHOLE_PERCENTS_FROM: Final = 0.0995


def stop_lines(run: Run) -> list[str]:
    """Describe the rule of a run, and why each of its cases stopped.

    A run of fixed blocks has no line.
    """
    rule = rule_of(run)
    if rule is None or (rule.precision is None and rule.budget_s is None):
        return []
    stops = stops_of(run)
    reasons = {
        case.id: stop_words(stops[case.id]) if case.id in stops else "interrupted" for case in run.cases
    }
    return [rule_words(rule), *(printable(f"{case_id}: {reason}") for case_id, reason in reasons.items())]


def stopping_line(run: Run) -> list[str]:
    """Write the rule of a run, and how many cases were precise enough; nothing for fixed blocks."""
    rule = rule_of(run)
    if rule is None or (rule.precision is None and rule.budget_s is None):
        return []
    reached = sum(stop.reason == "precise" for stop in stops_of(run).values())
    share = (
        f" {reached} of {plural(len(run.cases), 'case')} are precise enough."
        if rule.precision is not None
        else ""
    )
    return [f"{rule_words(rule)}{share}"]


def rule_words(rule: StoppingRule) -> str:
    """Write the rule of a run in one sentence."""
    least, most = rule.looks[0], rule.looks[-1]
    clauses = [
        f"Stopping: {least} to {most} blocks" if least < most else f"Stopping: {plural(most, 'block')}"
    ]
    if rule.precision is not None:
        looks = ", ".join(map(str, rule.looks))
        clauses.append(f"until a median is known to ±{percent(rule.precision)}, looked at after {looks}")
    if rule.budget_s is not None:
        clauses.append(f"none begun once {format_duration(rule.budget_s)} of trials are spent")
    return f"{'; '.join(clauses)}."


def stop_words(stop: Stop) -> str:
    """Write why a case stopped, to follow its name."""
    known = "" if stop.half_width is None else f" (±{percent(stop.half_width)})"
    blocks = plural(stop.blocks, "block")
    match stop.reason:
        case "precise":
            return f"precise enough after {blocks}{known}"
        case "decided":
            return f"decided after {blocks}"
        case "blocks":
            return f"ended with the last of {blocks}{known}"
        case "budget":
            return f"ended with the budget, after {blocks}{known}"
        case "given up":
            return f"given up after {blocks}"
        case "disturbed":
            return f"given up after {blocks}: the machine kept disturbing it"
        case _:
            assert_never(stop.reason)


def percent(part: float) -> str:
    """Write a share as percents with two digits, or as whole ones."""
    return f"{part:.0%}" if part >= _WHOLE_PERCENTS_FROM else f"{part * 100:.2g}%"
