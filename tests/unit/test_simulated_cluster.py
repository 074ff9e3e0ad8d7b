"""Simulated rounds of a cluster whose times can be calculated by hand."""

import pytest

from tests.simulated_cluster import Costs, Plan, simulate


@pytest.mark.parametrize(
    ("plan", "costs", "elapsed_s", "limit"),
    [
        pytest.param(
            Plan(4, 100, 10, workers=10, latency_s=0.0),
            Costs(submit_s=0.25, answer_s=0.5, answer_fetch_s=0.025),
            40 * (0.25 + 0.5 + 10 * 0.025),
            "client",
            id="the client packs and unpacks 40 batches",
        ),
        pytest.param(
            Plan(4, 100, 10, workers=10, latency_s=0.0),
            Costs(scheduler_s=0.5, scheduler_fetch_s=0.05),
            40 * (0.5 + 10 * 0.05),
            "scheduler",
            id="the scheduler handles 40 batches",
        ),
        pytest.param(
            Plan(4, 100, 100, workers=10, latency_s=0.0, gathered_bytes=1_000),
            Costs(gathered_bytes_per_s=10_000),
            40.0,
            "gathering",
            id="400 kB are gathered",
        ),
        pytest.param(
            Plan(4, 100, 100, workers=10, latency_s=0.05),
            Costs(requests_per_s=10),
            400 / 10 + 0.05,
            "target",
            id="the target answers the last of 400 requests after its latency",
        ),
        pytest.param(
            Plan(4, 1_000, 1_000, workers=40, latency_s=0.05),
            Costs(),
            25 * 0.05,
            "machines",
            id="each machine waits for 25 waves of 40 downloads",
        ),
        pytest.param(
            Plan(4, 1_000, 10, workers=40, latency_s=0.05),
            Costs(),
            100 * 0.05,
            "machines",
            id="batches of 10 keep 10 of 40 workers busy",
        ),
        pytest.param(
            Plan(4, 1_000, 1_000, workers=40, latency_s=0.05),
            Costs(machine_s=0.25, machine_fetch_s=0.125),
            0.25 + 1_000 * 0.125,
            "machines",
            id="the processor of a machine does one download after the other",
        ),
        pytest.param(
            Plan(4, 200, 100, workers=40, latency_s=0.5),
            Costs(machine_s=0.25, machine_worker_s=0.125),
            2 * (0.25 + 40 * 0.125 + 3 * 0.5),
            "machines",
            id="each batch opens 40 connections",
        ),
        pytest.param(
            Plan(1, 95, 95, workers=40, latency_s=1.0),
            Costs(submit_s=0.5, way_s=0.25, answer_s=0.125),
            0.5 + 0.25 + 3 * 1.0 + 0.125,
            "machines",
            id="one batch passes all parts, the last wave with 15 downloads",
        ),
    ],
)
def test_time_and_limit_of_a_round(plan: Plan, costs: Costs, elapsed_s: float, limit: str) -> None:
    simulated = simulate(plan, costs)
    assert simulated.elapsed_s == pytest.approx(elapsed_s)
    assert simulated.limit == limit


def test_parts_work_at_the_same_time() -> None:
    """While the scheduler hands out the next batch, machines work on those before it."""
    costs = Costs(scheduler_s=0.2)
    simulated = simulate(Plan(10, 1, 1, latency_s=5.0), costs)
    assert simulated.elapsed_s == pytest.approx(10 * 0.1 + 5.0 + 0.1)
