"""Complete the rounds of a function that returns no fetches, and explain why it saved no flags.

The worker knows which flags were saved. If they are as many as planned, the other fetches ended as planned,
too: the server log shows that they were requested. Otherwise some of them failed.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace

from bench.model.function_call import FunctionCall
from bench.model.served_trials import ObservedRound
from bench.model.text import join_and, plural
from bench.runner.expected_round import Expectation
from bench.worker.protocol import Report, TimedRound


def complete_report(report: Report, expected: Expectation) -> Report:
    """Return a report whose rounds have an outcome for each fetch."""
    if not any(timed.unreported for timed in report.rounds):
        return report
    return replace(report, rounds=tuple(_complete(timed, expected) for timed in report.rounds))


def _complete(timed: TimedRound, expected: Expectation) -> TimedRound:
    """Give the unreported fetches of a round their planned outcomes, those of missing flags last."""
    planned = Counter({str(outcome): count for outcome, count in expected.fetches.items()})
    missing = max(0, planned["ok"] - timed.fetches.get("ok", 0))
    left = planned - Counter({"ok": planned["ok"]}) - Counter(timed.fetches)
    ended = Counter(timed.fetches)
    for outcome in sorted(left.elements())[: max(0, timed.unreported - missing)]:
        ended[outcome] += 1
    unknown = sum(timed.fetches.values()) + timed.unreported - ended.total()
    failures = timed.failures
    if unknown > 0:
        ended["error"] += unknown
        failures = (f"{plural(unknown, 'flag')}: error: not saved in the folder of the round", *failures)
    return replace(timed, fetches=dict(ended), failures=failures)


def explain_failure(
    call: FunctionCall, report: Report | None, seen: Mapping[int, ObservedRound], fetches: int
) -> str | None:
    """Say how a function is led to the flags, or why it cannot be compared; return None otherwise.

    Args:
        call: the function.
        report: that of its worker.
        seen: the server log, by round.
        fetches: the flags of a round.
    """
    if not call.is_foreign or report is None or report.ready_s is None:
        return None
    requests = max((each.server_round.requests for each in seen.values()), default=0)
    if not requests:
        return f"no request reached the flag server: {_describe_way(call)}"
    if requests > fetches:
        return (
            f"it sent {requests} requests in a round of {plural(fetches, 'flag')}: its time can only be "
            "compared if it asks once for each flag, and for nothing else, such as metadata.json"
        )
    if report.rounds and not any(timed.verified for timed in report.rounds):
        return "no flag was saved: get each from {address}/br/br.gif, and save it as br.gif or BR.gif"
    if requests < fetches:
        return (
            f"it sent {plural(requests, 'request')} in a round of {plural(fetches, 'flag')}: it must ask for "
            "every code that it is given"
        )
    return None


def _describe_way(call: FunctionCall) -> str:
    """Say how a function can learn the address of the flag server."""
    parameters = [name for name, kind in call.arguments.items() if kind == "address"]
    if names := [*parameters, *call.addresses]:
        return (
            f"{join_and(names)} had its address, so get each flag from f'{{{names[0]}}}/br/br.gif', with no "
            "other address in a function, and in no other program"
        )
    return (
        f"let {call.function} take its address as a parameter `base_url`, or read it from a module constant "
        "in capitals, such as BASE_URL = 'https://…'"
    )
